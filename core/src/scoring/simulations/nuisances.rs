//! How much of a nuisance a view holds, and scores while it is held: how often their intervals hold the truth.

use super::{World, apart, many, normal, question, runs};
use crate::{
    domain::{
        nuisance::{Nuisance, PictureNuisance},
        projection::View,
        score::{Estimate, Interval, Statistics},
    },
    numeric::{Matrix, PhiloxStream, Purpose, sum},
    scoring::{
        estimators::{
            adjusted::tests::adjusted_of_scores,
            nuisances::{NuisanceValues, score_nuisances},
        },
        inference::bootstrap::deviation,
    },
};
use rayon::prelude::*;

/// People with their images; attribute and nuisance go together.
#[derive(Clone, Copy)]
struct Sample {
    images: usize,
    people: usize,
    /// How far images of one person are alike in what is not told.
    within: f64,
}

const SAMPLES: [(&str, Sample); 3] = [
    ("400 of 400 people", Sample { images: 400, people: 400, within: 0.0 }),
    ("1,200 of 300 people", Sample { images: 1200, people: 300, within: 0.5 }),
    ("3,400 of 850 people", Sample { images: 3400, people: 850, within: 0.5 }),
];

impl Sample {
    fn world(self, rng: &mut PhiloxStream) -> World {
        World::new(&super::grow(self.images, self.people, rng))
    }

    /// By image: normal numbers of which this share of the variance is the person's.
    fn noise(self, world: &World, rng: &mut PhiloxStream) -> Vec<f64> {
        let people = world.person.last().map_or(0, |last| last + 1);
        let own: Vec<f64> = (0..people).map(|_| normal(rng)).collect();
        let of = |person: &usize| self.within.sqrt() * own[*person] + (1.0 - self.within).sqrt() * normal(rng);
        world.person.iter().map(of).collect()
    }
}

/// The R² on half B of a nuisance of which an axis tells this share.
fn explained(sample: Sample, share: f64, seed: u64) -> Option<Estimate> {
    let mut rng = PhiloxStream::new(seed, Purpose::Simulation, 8);
    let world = sample.world(&mut rng);
    let (axis, rest) = (sample.noise(&world, &mut rng), sample.noise(&world, &mut rng));
    let values = axis.iter().zip(&rest).map(|(told, rest)| share.sqrt() * told + (1.0 - share).sqrt() * rest).collect();
    let nuisance = NuisanceValues { nuisance: Nuisance::Measured(PictureNuisance::Brightness), columns: vec![values] };
    let points = Matrix::new(axis.len(), 1, axis.iter().map(|value| *value as f32).collect())?;
    world.with(|setting| {
        score_nuisances(setting, &[points], &[View::Axis(1)], &[nuisance], runs(1000, 200), seed).views[0].scores[0].b
    })
}

/// The adjusted score on half B where half a nuisance's worth of the attribute goes with it, and twice that of the score.
fn adjusted(sample: Sample, auc: f64, seed: u64) -> Option<Estimate> {
    let mut rng = PhiloxStream::new(seed, Purpose::Simulation, 9);
    let mut world = sample.world(&mut rng);
    let nuisance = sample.noise(&world, &mut rng);
    let has: Vec<bool> = nuisance.iter().map(|value| 0.7 * value + normal(&mut rng) > 0.0).collect();
    world.label("x", |i| has[i]);
    let noise = sample.noise(&world, &mut rng);
    let moved = apart(auc);
    let score = |i: usize| nuisance[i] + if has[i] { moved } else { 0.0 } + noise[i];
    let statistics = Statistics { bootstraps: runs(1000, 200), ..Statistics::default() };
    world.with(|setting| adjusted_of_scores(setting, &question("x"), &statistics, seed, &score, std::slice::from_ref(&nuisance)))
}

/// How the intervals of many samples did.
#[derive(Debug)]
struct Coverage {
    /// The share that hold the truth.
    held: f64,
    /// The mean estimate.
    mean: f64,
    /// Their mean width beside that of a normal interval with the estimates' own deviation.
    width: f64,
}

impl Coverage {
    /// Where the truth is not known, it is the mean of all samples.
    fn of(truth: Option<f64>, times: usize, estimate: impl Fn(u64) -> Option<Estimate> + Sync) -> Coverage {
        let all: Vec<Estimate> = (0..times as u64).into_par_iter().filter_map(|run| estimate(11 * run + 3)).collect();
        let values: Vec<f64> = all.iter().map(|of| of.value).collect();
        let mean = sum::mean(&values);
        let truth = truth.unwrap_or(mean);
        let intervals: Vec<Interval> = all.iter().filter_map(|of| of.interval).collect();
        let held = intervals.iter().filter(|of| of.low <= truth && truth <= of.high).count();
        let widths: Vec<f64> = intervals.iter().map(|of| of.high - of.low).collect();
        Coverage { held: held as f64 / times as f64, mean, width: sum::mean(&widths) / (2.0 * 1.96 * deviation(&values)) }
    }
}

/// One row of a table.
fn told(name: &str, row: &[Coverage]) {
    let cells: Vec<String> = row.iter().map(|of| format!("{:.1} ({:.3}; {:.2})", 100.0 * of.held, of.mean, of.width)).collect();
    println!("| {name} | {} |", cells.join(" | "));
}

/// Of a view that knows nothing, neighbours count for each other, and intervals are too wide, never too narrow; by how much has its own limit.
#[test]
fn intervals_of_what_a_view_holds_of_a_nuisance_hold_what_they_should() {
    println!("| images | R² 0 | 0.3 | 0.7 |\n|---|---|---|---|");
    let (low, high) = if super::long() { (0.9, 0.98) } else { (0.83, 1.0) };
    for (name, sample) in &SAMPLES[..runs(3, 2)] {
        let of = |share: f64| Coverage::of(None, runs(many(1000), 100), |seed| explained(*sample, share, seed));
        let row = [0.0, 0.3, 0.7].map(of);
        told(name, &row);
        let [nothing, some, much] = &row;
        assert!(low <= nothing.held && nothing.width <= 1.75, "{nothing:?}");
        for of in [some, much] {
            assert!(low <= of.held && of.held <= high && of.width <= 1.25, "{of:?}");
        }
    }
}

#[test]
fn intervals_of_adjusted_scores_hold_what_they_should() {
    println!("| images | AUC 0.5 | 0.7 | 0.9 |\n|---|---|---|---|");
    let (low, high) = if super::long() { (0.9, 0.985) } else { (0.83, 1.0) };
    for (name, sample) in &SAMPLES[..runs(3, 2)] {
        let of = |auc: f64| Coverage::of(Some(auc), runs(many(1000), 100), |seed| adjusted(*sample, auc, seed));
        let row = [0.5, 0.7, 0.9].map(of);
        told(name, &row);
        assert!(row.iter().all(|of| low <= of.held && of.held <= high), "{row:?}");
    }
}
