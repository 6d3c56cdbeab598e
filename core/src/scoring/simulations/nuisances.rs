//! How much of a nuisance a view holds, and scores while it is held: how often their intervals hold the truth.

use super::{World, apart, many, normal, question, runs};
use crate::{
    domain::{
        nuisance::{Nuisance, PictureNuisance},
        projection::View,
        score::{Estimate, Statistics},
    },
    numeric::{Matrix, PhiloxStream, Purpose, sum},
    scoring::estimators::{
        adjusted::tests::adjusted_of_scores,
        nuisances::{NuisanceValues, score_nuisances},
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

/// The share of intervals that hold the truth; where it is not known, the mean of all samples.
fn coverage(truth: Option<f64>, times: usize, estimate: impl Fn(u64) -> Option<Estimate> + Sync) -> (f64, f64) {
    let all: Vec<Estimate> = (0..times as u64).into_par_iter().filter_map(|run| estimate(11 * run + 3)).collect();
    let values: Vec<f64> = all.iter().map(|of| of.value).collect();
    let mean = sum::mean(&values);
    let truth = truth.unwrap_or(mean);
    let holds = |of: &&Estimate| of.interval.is_some_and(|of| of.low <= truth && truth <= of.high);
    (all.iter().filter(holds).count() as f64 / times as f64, mean)
}

#[test]
fn intervals_of_what_a_view_holds_of_a_nuisance_hold_what_they_should() {
    println!("| images | R² 0 | 0.3 | 0.7 |\n|---|---|---|---|");
    let mut found = Vec::new();
    for (name, sample) in &SAMPLES[..runs(3, 2)] {
        let of = |share: f64| coverage(None, runs(many(1000), 100), |seed| explained(*sample, share, seed));
        let row = [0.0, 0.3, 0.7].map(of);
        println!("| {name} | {} |", row.map(|(held, mean)| format!("{:.1} ({mean:.3})", 100.0 * held)).join(" | "));
        found.extend(row);
    }
    let (low, high) = if super::long() { (0.9, 0.98) } else { (0.83, 1.0) };
    assert!(found.iter().all(|(held, _)| low <= *held && *held <= high), "{found:?}");
}

#[test]
fn intervals_of_adjusted_scores_hold_what_they_should() {
    println!("| images | AUC 0.5 | 0.7 | 0.9 |\n|---|---|---|---|");
    let mut found = Vec::new();
    for (name, sample) in &SAMPLES[..runs(3, 2)] {
        let of = |auc: f64| coverage(Some(auc), runs(many(1000), 100), |seed| adjusted(*sample, auc, seed));
        let row = [0.5, 0.7, 0.9].map(of);
        println!("| {name} | {} |", row.map(|(held, mean)| format!("{:.1} ({mean:.3})", 100.0 * held)).join(" | "));
        found.extend(row);
    }
    let (low, high) = if super::long() { (0.9, 0.985) } else { (0.83, 1.0) };
    assert!(found.iter().all(|(held, _)| low <= *held && *held <= high), "{found:?}");
}
