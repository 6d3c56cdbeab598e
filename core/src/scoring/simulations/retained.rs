//! How often the interval of what is retained holds the truth: scores of originals and of altered images whose AUCs are known.

use super::{Classes, World, apart, grow, long, many, normal, question};
use crate::{
    domain::{
        alteration::Alteration,
        score::{Interval, Statistics},
    },
    numeric::{PhiloxStream, Purpose},
    scoring::{
        design::EvaluationDesign,
        estimators::{per_view::ViewScorer, retained::retained_answer},
    },
};
use rayon::prelude::*;

/// Of many samples: how often something is said, and how often that holds the truth.
#[derive(Clone, Copy, Debug)]
struct Coverage {
    said: f64,
    held: f64,
}

/// The interval of what is retained. `aucs`: of the originals and of the altered images; their scores' noise correlates by `shared`, and so
/// much of it is a person's: `within`.
fn retained(aucs: [f64; 2], shared: f64, classes: Classes, within: f64, seed: u64) -> Option<Interval> {
    let mut rng = PhiloxStream::new(seed, Purpose::Simulation, 2);
    let mut sizes = grow(classes.positives.0, classes.positives.1, &mut rng);
    let with = sizes.len();
    sizes.extend(grow(classes.negatives.0, classes.negatives.1, &mut rng));
    let mut world = World::new(&sizes);
    let person = world.person.clone();
    world.label("x", |i| person[i] < with);
    let mut noise = || -> Vec<f64> {
        let own: Vec<f64> = sizes.iter().map(|_| normal(&mut rng)).collect();
        person.iter().map(|of| within.sqrt() * own[*of] + (1.0 - within).sqrt() * normal(&mut rng)).collect()
    };
    let (first, other) = (noise(), noise());
    let second: Vec<f64> = first.iter().zip(&other).map(|(a, b)| shared.sqrt() * a + (1.0 - shared).sqrt() * b).collect();
    let statistics = Statistics { bootstraps: if long() { 1000 } else { 200 }, ..Statistics::default() };
    world.with(|setting| {
        let design = EvaluationDesign::new(setting, &question("x"), &statistics, seed);
        let scorer = ViewScorer::new(&design);
        let scored = |noise: &[f64], auc: f64| {
            let score = |&row: &usize| noise[row] + if person[row] < with { apart(auc) } else { 0.0 };
            scorer.sort_held_out(&[design.members.rows.iter().map(score).collect()])
        };
        let scored = [scored(&first, aucs[0]), scored(&second, aucs[1])];
        retained_answer(&scorer, &scored, &[Alteration::Grey]).altered[0].retained?.interval
    })
}

fn coverage(aucs: [f64; 2], shared: f64, classes: Classes, within: f64, runs: usize) -> Coverage {
    let truth = (aucs[1] - 0.5) / (aucs[0] - 0.5);
    let said: Vec<Interval> =
        (0..runs as u64).into_par_iter().filter_map(|run| retained(aucs, shared, classes, within, 5 * run + 2)).collect();
    let held = said.iter().filter(|of| of.low <= truth && truth <= of.high).count();
    Coverage { said: said.len() as f64 / runs as f64, held: held as f64 / said.len().max(1) as f64 }
}

#[test]
fn intervals_of_what_is_retained_hold_what_they_should() {
    let all = [
        ("60 + 60", Classes { positives: (60, 60), negatives: (60, 60) }, 0.0),
        ("120 + 600 of 60 + 200 people", Classes { positives: (120, 60), negatives: (600, 200) }, 0.5),
    ];
    let retained = [0.0, 0.5, 0.9, 1.0];
    println!("| images of each class | correlation | AUC | {} |", retained.map(|of| format!("{of} retained")).join(" | "));
    let mut found = Vec::new();
    for (name, classes, within) in all {
        for auc in [0.7, 0.9, 0.99] {
            let of = |share: f64| {
                coverage([auc, 0.5 + share * (auc - 0.5)], 0.5, classes, within, many(if long() { 2000 } else { 60 }))
            };
            let row = retained.map(of);
            let cell = |of: Coverage| format!("{:.1} (said {:.0})", 100.0 * of.held, 100.0 * of.said);
            println!("| {name} | {within} | {auc} | {} |", row.map(cell).join(" | "));
            found.extend(row);
        }
    }
    assert!(found.iter().all(|of| of.held >= if long() { 0.92 } else { 0.83 }), "{found:?}");
}
