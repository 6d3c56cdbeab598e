//! The statistical contract, simulated: data whose truth is known, and how often what is said of them holds. `make simulations`
//! prints the tables of docs/statistics.md, from as many runs as the contract asks for; the tests of every day take a few.

use super::{
    grid::{self, Given, OfProjection},
    members::Setting,
    views::{Asked, score},
};
use crate::{
    domain::{
        comparison::{Measured, Question},
        grid::Grid,
        image::{Column, Images, Labels},
        projection::View,
        score::Statistics,
        stage::Slot,
    },
    numeric::{Matrix, Purpose, Stream, sum},
};
use rayon::prelude::*;

fn runs(long: usize, short: usize) -> usize {
    if std::env::var_os("VISAVIS_LONG").is_some() { long } else { short }
}

/// People with their images, and attributes of them.
struct World {
    images: Images,
    identities: Column,
    labels: Labels,
    /// Which person each image is of.
    person: Vec<usize>,
}

impl World {
    /// As many images of each person as `sizes` says.
    fn new(sizes: &[usize]) -> Self {
        let person: Vec<usize> = sizes.iter().enumerate().flat_map(|(person, &size)| vec![person; size]).collect();
        let identities = person.iter().enumerate().map(|(i, person)| (id(i), person.to_string())).collect();
        let images = Images((0..person.len()).map(|i| (id(i), None)).collect());
        World { images, identities, labels: Labels::default(), person }
    }

    fn label(&mut self, attribute: &str, has: impl Fn(usize) -> bool) {
        let column = (0..self.person.len()).map(|i| (id(i), u8::from(has(i)).to_string())).collect();
        self.labels.insert(attribute.to_owned(), column);
    }

    fn with<T>(&self, then: impl FnOnce(&Setting) -> T) -> T {
        then(&Setting { images: &self.images, labels: &self.labels, identities: Some(&self.identities) })
    }
}

fn id(image: usize) -> String {
    format!("{image:06}")
}

fn question(attribute: &str) -> Question {
    let class = |text: String| text.parse().expect("an expression");
    Question { measured: Measured::Classes(vec![class(attribute.to_owned()), class(format!("not {attribute}"))]), within: None }
}

fn normal(dice: &mut Stream) -> f64 {
    dice.normals(1.0)[0]
}

/// Φ⁻¹ at the AUCs below, times √2: how far apart unit normals are that have such an AUC.
const APART: [(f64, f64); 4] = [(0.5, 0.0), (0.6, 0.358_286_9), (0.8, 1.190_232_2), (0.95, 2.326_174_3)];

/// Is the AUC in its interval? Scores of known AUC for people with one to nine images, attributes of people, on half B.
fn covered(auc: (f64, f64), positives: usize, within: f64, seed: u64) -> Option<bool> {
    let mut dice = Stream::new(seed, Purpose::Simulation, 1);
    // Both halves hold as many: what is counted is the positives of one.
    let mut sizes = Vec::new();
    let mut grow = |images: usize, people: usize, dice: &mut Stream| {
        let (mut left, first) = (images, sizes.len());
        while left > 0 {
            let people_left = people.saturating_sub(sizes.len() - first).max(1);
            let size = (1 + dice.below(2 * (left / people_left).max(1) as u64 - 1) as usize).min(left);
            sizes.push(size);
            left -= size;
        }
        sizes.len()
    };
    let with = grow(2 * positives, 2 * (positives / 3).max(30), &mut dice);
    grow(1200, 400, &mut dice);
    let mut world = World::new(&sizes);
    let person = world.person.clone();
    world.label("x", |i| person[i] < with);
    let own: Vec<f64> = sizes.iter().map(|_| normal(&mut dice)).collect();
    let scores = |i: usize, dice: &mut Stream| {
        within.sqrt() * own[person[i]] + (1.0 - within).sqrt() * normal(dice) + if person[i] < with { auc.1 } else { 0.0 }
    };
    let all: Vec<f64> = (0..person.len()).map(|i| scores(i, &mut dice)).collect();
    let statistics = Statistics { bootstraps: 1000, ..Statistics::default() };
    world.with(|setting| {
        let asked = Asked::new(setting, &question("x"), &statistics, seed);
        let of_members = asked.members.rows.iter().map(|&row| all[row]).collect();
        let estimate = asked.estimate(&[asked.held_out(&[of_members])], 2)[0]?;
        Some(estimate.low <= auc.0 && auc.0 <= estimate.high)
    })
}

#[test]
fn intervals_hold_what_they_should() {
    let runs = runs(2000, 60);
    println!("| AUC | positives | correlation | coverage |\n|---|---|---|---|");
    let mut all = Vec::new();
    for positives in [30, 70, 600] {
        for within in [0.0, 0.5] {
            for auc in APART {
                let seeds = (0..runs as u64).into_par_iter();
                let held: Vec<bool> = seeds.filter_map(|run| covered(auc, positives, within, 7 * run + 1)).collect();
                let share = held.iter().filter(|held| **held).count() as f64 / held.len() as f64;
                println!("| {} | {positives} | {within} | {:.1} % |", auc.0, 100.0 * share);
                all.push(share);
            }
        }
    }
    let least = all.iter().copied().fold(1.0, f64::min);
    assert!(least > 0.85, "{all:?}");
}

/// Null attributes of people, on features in which images of a person lie together: the grid of all of them.
fn null_grid(seed: u64, people: usize, attributes: usize, views: usize, per_image: bool) -> Grid {
    let mut dice = Stream::new(seed, Purpose::Simulation, 2);
    let sizes: Vec<usize> = (0..people).map(|_| 1 + dice.below(6) as usize).collect();
    let mut world = World::new(&sizes);
    let person = world.person.clone();
    for attribute in 0..attributes {
        let share = 0.2 + 0.3 * dice.uniform();
        let has: Vec<bool> = (0..if per_image { person.len() } else { people }).map(|_| dice.uniform() < share).collect();
        world.label(&format!("x{attribute}"), |i| has[if per_image { i } else { person[i] }]);
    }
    let centre: Vec<f64> = (0..people * views).map(|_| normal(&mut dice)).collect();
    let values = person.iter().flat_map(|&person| (0..views).map(move |view| (person, view)));
    let values = values.map(|(person, view)| (centre[person * views + view] + 0.3 * normal(&mut dice)) as f32).collect();
    let points = [Matrix::new(person.len(), views, values).expect("as many")];
    let statistics = Statistics { bootstraps: 20, permutations: 500, min_positives: 10, ..Statistics::default() };
    let questions: Vec<Question> = (0..attributes).map(|attribute| question(&format!("x{attribute}"))).collect();
    let axes: Vec<View> = (1..=views).map(View::Axis).collect();
    world.with(|setting| {
        let projections: Vec<OfProjection> = questions
            .iter()
            .enumerate()
            .map(|(comparison, question)| {
                let scored = score(setting, &points, question, &axes, &statistics, seed);
                let slot = Slot { model: 0, tap: 0, projection: 0, comparison };
                OfProjection { slot, scores: scored.scores, ranks: scored.ranks, permuted: scored.permuted }
            })
            .collect();
        let (questions, projections) = (&questions, &projections);
        grid::grid(&Given { setting, questions, projections, features: &[], held: &[], statistics: &statistics, seed })
    })
}

#[test]
fn a_grid_without_signal_seldom_shows_one() {
    let runs = runs(1000, 40);
    println!("| attributes of | people | cells | family-wise error |\n|---|---|---|---|");
    for (per_image, people) in [(false, 60), (false, 200), (true, 60)] {
        let grids: Vec<Grid> =
            (0..runs as u64).into_par_iter().map(|run| null_grid(31 * run + 5, people, 6, 8, per_image)).collect();
        let wrong = grids.iter().filter(|grid| grid.cells.iter().any(|cell| cell.adjusted <= 0.05)).count();
        let cells = grids.iter().map(|grid| grid.cells.len()).max().unwrap_or(0);
        let share = wrong as f64 / runs as f64;
        println!("| {} | {people} | {cells} | {:.1} % |", if per_image { "images" } else { "people" }, 100.0 * share);
        // Two standard errors above five in a hundred.
        assert!(share <= 0.05 + 2.0 * (0.05 * 0.95 / runs as f64).sqrt(), "{share}");
    }
}

#[test]
fn what_was_chosen_on_a_is_chance_on_b_where_there_is_no_signal() {
    let (runs, views) = (runs(100, 4), 500);
    let of = |run: u64| {
        let mut dice = Stream::new(run, Purpose::Simulation, 3);
        let n = 3000;
        let mut world = World::new(&vec![1; n]);
        world.label("x", |i| i % 50 == 0);
        let values = (0..n * views).map(|_| dice.uniform() as f32).collect();
        let points = [Matrix::new(n, views, values).expect("as many")];
        let statistics = Statistics { bootstraps: 20, permutations: 0, ..Statistics::default() };
        let axes: Vec<View> = (1..=views).map(View::Axis).collect();
        let scores = world.with(|setting| score(setting, &points, &question("x"), &axes, &statistics, run).scores);
        let best = scores.views.iter().max_by(|x, y| x.a.map(|a| a.value).partial_cmp(&y.a.map(|a| a.value)).expect("numbers"));
        best.and_then(|best| Some((best.a?.value, best.b?.value))).expect("a best view")
    };
    let (a, b): (Vec<f64>, Vec<f64>) = (0..runs as u64).into_par_iter().map(of).unzip();
    println!("best of {views} null views, a class of 2 %: A {:.3}, B {:.3} ({runs} runs)", sum::mean(&a), sum::mean(&b));
    assert!(sum::mean(&a) > 0.6 && (sum::mean(&b) - 0.5).abs() < 0.3 / (runs as f64).sqrt(), "{a:?} {b:?}");
}

#[test]
fn a_null_attribute_that_is_constant_per_person_is_chance() {
    let runs = runs(2000, 60);
    let of = |run: u64| {
        let mut dice = Stream::new(run, Purpose::Simulation, 4);
        let mut world = World::new(&[8; 100]);
        let has: Vec<bool> = (0..100).map(|_| dice.bits().is_multiple_of(2)).collect();
        let place: Vec<f32> = (0..100).map(|_| dice.uniform() as f32 * 100.0).collect();
        let person = world.person.clone();
        world.label("x", |i| has[person[i]]);
        let values = person.iter().map(|&person| place[person] + dice.uniform() as f32).collect();
        let points = [Matrix::new(800, 1, values).expect("as many")];
        let statistics = Statistics { bootstraps: 20, permutations: 0, ..Statistics::default() };
        let scores = world.with(|setting| score(setting, &points, &question("x"), &[View::Axis(1)], &statistics, run).scores);
        scores.views[0].whole.map_or(0.5, |whole| whole.value)
    };
    let all: Vec<f64> = (0..runs as u64).into_par_iter().map(of).collect();
    println!("null attribute constant per person, eight images each: {:.3} ({runs} runs)", sum::mean(&all));
    assert!((sum::mean(&all) - 0.5).abs() < 0.3 / (runs as f64).sqrt(), "{}", sum::mean(&all));
}
