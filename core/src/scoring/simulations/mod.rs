//! The statistical contract, simulated: data whose truth is known, and how often what is said of them holds. `make simulations`
//! prints the tables of docs/statistics.md, from as many runs as the contract asks for; the tests of every day take a few.

mod nuisances;
mod retained;

use super::{
    design::{
        EvaluationDesign,
        members::Setting,
        split::{Half, Pool},
    },
    estimators::{
        per_view::ViewScorer,
        retrieval::{RetrievalInput, retrieve},
        score::score,
    },
    inference::{
        simultaneous::{self, ProjectionScores, StudyScores},
        student,
    },
};
use crate::{
    domain::{
        comparison::{Measured, Question},
        image::{Column, Images, Labels},
        index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
        projection::View,
        score::{Estimate, Interval, Statistics},
        simultaneous::{CellTest, SimultaneousTests},
        stage::ScoreSlot,
    },
    numeric::{Matrix, PhiloxStream, Purpose, sum},
};
use rayon::prelude::*;
use typed_index_collections::TiSlice;

fn long() -> bool {
    std::env::var_os("VISAVIS_LONG").is_some()
}

/// Of the long simulations: `VISAVIS_RUNS=500` runs fewer.
fn many(most: usize) -> usize {
    std::env::var("VISAVIS_RUNS").ok().and_then(|runs| runs.parse().ok()).map_or(most, |runs: usize| runs.clamp(1, most))
}

fn runs(many: usize, few: usize) -> usize {
    if long() { many } else { few }
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

fn normal(rng: &mut PhiloxStream) -> f64 {
    rng.normals(1.0)[0]
}

/// How far apart unit normals are whose AUC it is: Φ⁻¹ of the AUC, times √2.
fn apart(auc: f64) -> f64 {
    if auc > 0.5 { std::f64::consts::SQRT_2 * student::quantile(1.0 - auc, f64::INFINITY) } else { 0.0 }
}

const AUCS: [f64; 7] = [0.5, 0.6, 0.8, 0.95, 0.98, 0.99, 0.995];

/// So many images of so many people in each class, of one half.
#[derive(Clone, Copy)]
struct Classes {
    positives: (usize, usize),
    negatives: (usize, usize),
}

impl Classes {
    /// Of one image each.
    fn alone(n: usize) -> Self {
        Classes { positives: (n, n), negatives: (n, n) }
    }
}

/// Sizes of people of one to some images: `images` in all, of so many people or a few more.
fn grow(images: usize, people: usize, rng: &mut PhiloxStream) -> Vec<usize> {
    let (mut left, mut sizes) = (images, vec![]);
    while left > 0 {
        let people_left = people.saturating_sub(sizes.len()).max(1);
        let size = (1 + rng.below(2 * (left / people_left).max(1) as u64 - 1) as usize).min(left);
        sizes.push(size);
        left -= size;
    }
    sizes
}

/// The estimate on half B of scores of known AUC, for people with one to some images and attributes of people. The positives' scores
/// scatter `scatter` times as widely.
fn on_half_b(auc: f64, classes: Classes, within: f64, scatter: f64, seed: u64) -> Option<Estimate> {
    let mut rng = PhiloxStream::new(seed, Purpose::Simulation, 1);
    // Both halves hold as many: what is counted are those of one.
    let mut sizes = grow(2 * classes.positives.0, 2 * classes.positives.1, &mut rng);
    let with = sizes.len();
    sizes.extend(grow(2 * classes.negatives.0, 2 * classes.negatives.1, &mut rng));
    let mut world = World::new(&sizes);
    let person = world.person.clone();
    world.label("x", |i| person[i] < with);
    let own: Vec<f64> = sizes.iter().map(|_| normal(&mut rng)).collect();
    let moved = apart(auc) * ((1.0 + scatter * scatter) / 2.0).sqrt();
    let score = |i: usize, rng: &mut PhiloxStream| {
        let noise = within.sqrt() * own[person[i]] + (1.0 - within).sqrt() * normal(rng);
        if person[i] < with { scatter * noise + moved } else { noise }
    };
    let all: Vec<f64> = (0..person.len()).map(|i| score(i, &mut rng)).collect();
    let statistics = Statistics { bootstraps: if long() { 1000 } else { 200 }, ..Statistics::default() };
    world.with(|setting| {
        let design = EvaluationDesign::new(setting, &question("x"), &statistics, seed);
        let scorer = ViewScorer::new(&design);
        let of_members = design.members.rows.iter().map(|&row| all[row]).collect();
        scorer.mean_and_least(&[scorer.sort_held_out(&[of_members])], Pool::Half(Half::B))[0]
    })
}

/// Of many samples: how often there is an interval, how often it holds the truth, and how often it lies above.
#[derive(Clone, Copy, Debug)]
struct Coverage {
    printed: f64,
    held: f64,
    above: f64,
}

fn coverage(auc: f64, classes: Classes, within: f64, scatter: f64, runs: usize) -> Coverage {
    let estimate = |run: u64| on_half_b(auc, classes, within, scatter, 7 * run + 1);
    let all: Vec<Interval> = (0..runs as u64).into_par_iter().filter_map(|run| estimate(run)?.interval).collect();
    let share = |is: &dyn Fn(&Interval) -> bool| all.iter().filter(|of| is(of)).count() as f64 / all.len() as f64;
    Coverage {
        printed: all.len() as f64 / runs as f64,
        held: share(&|of| of.low <= auc && auc <= of.high),
        above: share(&|of| of.low > auc),
    }
}

/// A row of the table: coverage by AUC.
fn row(name: &str, classes: Classes, within: f64, scatter: f64, runs: usize) -> Vec<Coverage> {
    let all: Vec<Coverage> = AUCS.iter().map(|&auc| coverage(auc, classes, within, scatter, runs)).collect();
    // In parentheses how often the low end lies above the truth.
    let cell = |of: &Coverage| {
        if of.printed > 0.0 { format!("{:.1} ({:.1})", 100.0 * of.held, 100.0 * of.above) } else { "none".to_owned() }
    };
    println!("| {name} | {within} | {} |", all.iter().map(cell).collect::<Vec<_>>().join(" | "));
    all
}

#[test]
fn intervals_hold_what_they_should() {
    println!(
        "| positives and negatives | correlation | {} |\n|---|---|{}",
        AUCS.map(|auc| auc.to_string()).join(" | "),
        "---|".repeat(AUCS.len())
    );
    let (negatives, times) = ((600, 200), many(2000));
    let all = [
        ("20 + 20", Classes::alone(20)),
        ("30 + 30", Classes::alone(30)),
        ("50 + 50", Classes::alone(50)),
        ("350 + 350", Classes::alone(350)),
        ("90 + 90 of 30 + 30 people", Classes { positives: (90, 30), negatives: (90, 30) }),
        ("20 + 600 of 200", Classes { positives: (20, 20), negatives }),
        ("30 + 600 of 200", Classes { positives: (30, 30), negatives }),
        ("70 of 30 + 600 of 200", Classes { positives: (70, 30), negatives }),
        ("600 of 200 + 600 of 200", Classes { positives: (600, 200), negatives }),
    ];
    let mut found = Vec::new();
    for (name, classes) in all {
        let alone = classes.positives.0 == classes.positives.1 && classes.negatives.0 == classes.negatives.1;
        for within in if alone { vec![0.0] } else { vec![0.0, 0.5] } {
            if long() {
                found.extend(row(name, classes, within, 1.0, times));
            } else if classes.positives.0 <= 50 {
                // Every day the ends alone, of the few.
                found.extend([0.5, 0.995].map(|auc| coverage(auc, classes, within, 1.0, 120)));
            }
        }
    }
    let (low, high) = if long() { (0.91, 0.981) } else { (0.89, 1.0) };
    assert!(found.iter().all(|of| of.printed == 1.0 && low <= of.held && of.held <= high), "{found:?}");
}

/// What a percentile, or log-odds and Student's t, would call sure: there is no interval, whatever the sample.
#[test]
fn of_too_few_there_is_no_interval() {
    for n in [5, 10, 19] {
        for auc in [0.6, 0.995] {
            let found = coverage(auc, Classes::alone(n), 0.0, 1.0, runs(200, 10));
            assert!(found.printed == 0.0, "{n}: {found:?}");
        }
    }
    // Many images do not help where people are few.
    let found = coverage(0.95, Classes { positives: (90, 10), negatives: (90, 10) }, 0.5, 1.0, runs(200, 10));
    assert!(found.printed == 0.0, "{found:?}");
    let perfect = on_half_b(1.0 - 1e-12, Classes::alone(40), 0.0, 1.0, 3).unwrap();
    assert!(perfect.value == 1.0 && (0.9..0.97).contains(&perfect.low().unwrap()) && perfect.high() == Some(1.0), "{perfect:?}");
}

/// Harder than the contract asks for: positives that scatter twice as widely, so that a few of them carry all mistakes.
#[test]
#[ignore = "minutes: `make simulations` runs it"]
fn intervals_of_a_class_that_scatters_more() {
    row("30 + 600 of 200, scattered", Classes { positives: (30, 30), negatives: (600, 200) }, 0.0, 2.0, many(2000));
    row("600 of 200 + 600 of 200, scattered", Classes { positives: (600, 200), negatives: (600, 200) }, 0.5, 2.0, many(1000));
}

/// So many models' views of attributes.
#[derive(Clone, Copy)]
struct SimulatedStudy {
    models: usize,
    people: usize,
    attributes: usize,
    views: usize,
    /// Attributes of images, or of people.
    per_image: bool,
    /// How far the first attribute moves the first view of the first model.
    signal: f64,
}

/// Attributes of people, on features in which images of a person lie together: the grid of all of them. All but one are null.
fn grid_of(study: SimulatedStudy, seed: u64) -> SimultaneousTests {
    let SimulatedStudy { models, people, attributes, views, per_image, signal } = study;
    let mut rng = PhiloxStream::new(seed, Purpose::Simulation, 2);
    let sizes: Vec<usize> = (0..people).map(|_| 1 + rng.below(6) as usize).collect();
    let mut world = World::new(&sizes);
    let person = world.person.clone();
    let mut first = vec![];
    for attribute in 0..attributes {
        let share = 0.4 + 0.1 * rng.uniform();
        let has: Vec<bool> = (0..if per_image { person.len() } else { people }).map(|_| rng.uniform() < share).collect();
        let labelled = |i: usize| has[if per_image { i } else { person[i] }];
        world.label(&format!("x{attribute}"), labelled);
        if attribute == 0 {
            first = (0..person.len()).map(labelled).collect();
        }
    }
    let points: Vec<[Matrix; 1]> = (0..models)
        .map(|model| {
            let centre: Vec<f64> = (0..people * views).map(|_| normal(&mut rng)).collect();
            let at = |i: usize, view: usize, rng: &mut PhiloxStream| {
                let moved = if model == 0 && view == 0 && first[i] { signal } else { 0.0 };
                (centre[person[i] * views + view] + 0.3 * normal(rng) + moved) as f32
            };
            let values = (0..person.len()).flat_map(|i| (0..views).map(move |view| (i, view)));
            let values = values.map(|(i, view)| at(i, view, &mut rng)).collect();
            [Matrix::new(person.len(), views, values).expect("as many")]
        })
        .collect();
    let statistics = Statistics { bootstraps: 20, permutations: 500, min_positives: 10, ..Statistics::default() };
    let questions: Vec<Question> = (0..attributes).map(|attribute| question(&format!("x{attribute}"))).collect();
    let axes: Vec<View> = (1..=views).map(View::Axis).collect();
    world.with(|setting| {
        let scores_of = |(model, points): (usize, &[Matrix; 1])| {
            let each = questions.iter().enumerate().map(|(comparison, question)| {
                let scored = score(setting, points, question, &axes, &statistics, seed);
                let slot = ScoreSlot {
                    model: model.into(),
                    layer: LayerIx(0),
                    projection: ProjectionIx(0),
                    comparison: comparison.into(),
                };
                ProjectionScores { slot, scores: scored.scores, ranks: scored.ranks, permuted: scored.permuted }
            });
            each.collect::<Vec<_>>()
        };
        let projections: Vec<ProjectionScores> = points.iter().enumerate().flat_map(scores_of).collect();
        let (questions, projections) = (&questions, &projections);
        simultaneous::simultaneous_tests(&StudyScores {
            setting,
            questions: TiSlice::from_ref(questions),
            projections,
            features: &[],
            contrasts: &[],
            statistics: &statistics,
            seed,
        })
    })
}

/// Two standard errors above five in a hundred.
fn bearable(runs: usize) -> f64 {
    0.05 + 2.0 * (0.05 * 0.95 / runs as f64).sqrt()
}

#[test]
fn a_grid_without_signal_seldom_shows_one() {
    println!(
        "| attributes of | people | models | cells chosen, of | error among the chosen | among all |\n|---|---|---|---|---|---|"
    );
    let study = SimulatedStudy { models: 1, people: 130, attributes: 6, views: 8, per_image: false, signal: 0.0 };
    let all = [
        (study, runs(1000, 24)),
        (SimulatedStudy { people: 200, ..study }, runs(600, 0)),
        (SimulatedStudy { per_image: true, ..study }, runs(1000, 0)),
        (SimulatedStudy { models: 4, attributes: 4, ..study }, runs(600, 12)),
    ];
    for (study, runs) in all.into_iter().filter(|(_, runs)| *runs > 0) {
        let grids: Vec<SimultaneousTests> = (0..runs as u64).into_par_iter().map(|run| grid_of(study, 31 * run + 5)).collect();
        let wrong =
            |is: &dyn Fn(&CellTest) -> bool| grids.iter().filter(|grid| grid.cells.iter().any(is)).count() as f64 / runs as f64;
        let chosen = wrong(&|cell| cell.chosen.is_some_and(|of| of.adjusted <= 0.05));
        let among_all = wrong(&|cell| cell.all.adjusted <= 0.05);
        let most = |of: fn(&SimultaneousTests) -> usize| grids.iter().map(of).max().unwrap_or(0);
        let cells = [most(|grid| grid.chosen.cells), most(|grid| grid.all.cells)];
        println!(
            "| {} | {} | {} | {}, {} | {:.1} % | {:.1} % |",
            if study.per_image { "images" } else { "people" },
            study.people,
            study.models,
            cells[0],
            cells[1],
            100.0 * chosen,
            100.0 * among_all
        );
        assert_eq!(cells, [study.models * study.attributes, study.models * study.attributes * study.views]);
        assert!(chosen <= bearable(runs) && among_all <= bearable(runs), "{chosen} {among_all}");
    }
}

/// How much more is found by a family of what is claimed: one attribute moves one of a model's views.
#[test]
fn what_is_claimed_is_found_more_often_than_beside_the_whole_grid() {
    println!("| moves by | told among the chosen | among all |\n|---|---|---|");
    let null = SimulatedStudy { models: 2, people: 200, attributes: 6, views: 12, per_image: false, signal: 0.0 };
    for signal in if long() { vec![0.8, 1.0, 1.2] } else { vec![1.0] } {
        let runs = runs(300, 16);
        let grids: Vec<SimultaneousTests> =
            (0..runs as u64).into_par_iter().map(|run| grid_of(SimulatedStudy { signal, ..null }, 37 * run + 3)).collect();
        let found = |is: &dyn Fn(&CellTest) -> bool| {
            let planted = |cell: &&CellTest| {
                cell.cell.model == ModelIx(0) && cell.cell.comparison == ComparisonIx(0) && cell.chosen.is_some()
            };
            grids.iter().filter(|grid| grid.cells.iter().find(planted).is_some_and(is)).count() as f64 / runs as f64
        };
        let chosen = found(&|cell| cell.chosen.is_some_and(|of| of.adjusted <= 0.05));
        let all = found(&|cell| cell.all.adjusted <= 0.05);
        println!("| {signal} | {:.0} % | {:.0} % |", 100.0 * chosen, 100.0 * all);
        assert!(chosen >= all && chosen > 0.1, "{chosen} {all}");
    }
}

#[test]
fn what_was_chosen_on_a_is_chance_on_b_where_there_is_no_signal() {
    let (runs, views) = (runs(100, 4), 500);
    let best_of = |run: u64| {
        let mut rng = PhiloxStream::new(run, Purpose::Simulation, 3);
        let n = 3000;
        let mut world = World::new(&vec![1; n]);
        world.label("x", |i| i % 50 == 0);
        let values = (0..n * views).map(|_| rng.uniform() as f32).collect();
        let points = [Matrix::new(n, views, values).expect("as many")];
        let statistics = Statistics { bootstraps: 20, permutations: 0, ..Statistics::default() };
        let axes: Vec<View> = (1..=views).map(View::Axis).collect();
        let scores = world.with(|setting| score(setting, &points, &question("x"), &axes, &statistics, run).scores);
        let best = scores.views.iter().max_by(|x, y| x.a.map(|a| a.value).partial_cmp(&y.a.map(|a| a.value)).expect("numbers"));
        best.and_then(|best| Some((best.a?.value, best.b?.value))).expect("a best view")
    };
    let (a, b): (Vec<f64>, Vec<f64>) = (0..runs as u64).into_par_iter().map(best_of).unzip();
    println!("best of {views} null views, a class of 2 %: A {:.3}, B {:.3} ({runs} runs)", sum::mean(&a), sum::mean(&b));
    assert!(sum::mean(&a) > 0.6 && (sum::mean(&b) - 0.5).abs() < 0.3 / (runs as f64).sqrt(), "{a:?} {b:?}");
}

#[test]
fn a_null_attribute_that_is_constant_per_person_is_chance() {
    let runs = runs(2000, 60);
    let score_of = |run: u64| {
        let mut rng = PhiloxStream::new(run, Purpose::Simulation, 4);
        let mut world = World::new(&[8; 100]);
        let has: Vec<bool> = (0..100).map(|_| rng.bits().is_multiple_of(2)).collect();
        let place: Vec<f32> = (0..100).map(|_| rng.uniform() as f32 * 100.0).collect();
        let person = world.person.clone();
        world.label("x", |i| has[person[i]]);
        let values = person.iter().map(|&person| place[person] + rng.uniform() as f32).collect();
        let points = [Matrix::new(800, 1, values).expect("as many")];
        let statistics = Statistics { bootstraps: 20, permutations: 0, ..Statistics::default() };
        let scores = world.with(|setting| score(setting, &points, &question("x"), &[View::Axis(1)], &statistics, run).scores);
        scores.views[0].whole.map_or(0.5, |whole| whole.value)
    };
    let all: Vec<f64> = (0..runs as u64).into_par_iter().map(score_of).collect();
    println!("null attribute constant per person, eight images each: {:.3} ({runs} runs)", sum::mean(&all));
    assert!((sum::mean(&all) - 0.5).abs() < 0.3 / (runs as f64).sqrt(), "{}", sum::mean(&all));
}

/// People of one to some images, of whom the first `wanted` are looked for: their images are moved along the first column.
fn retrieval_of(people: usize, wanted: usize, moved: f64, seed: u64) -> [Option<Estimate>; 3] {
    let mut rng = PhiloxStream::new(seed, Purpose::Simulation, 3);
    let sizes: Vec<usize> = (0..people).map(|_| 1 + rng.below(4) as usize).collect();
    let mut world = World::new(&sizes);
    let person = world.person.clone();
    world.label("x", |i| person[i] < wanted);
    let columns = 6;
    let own: Vec<f64> = (0..people * columns).map(|_| normal(&mut rng)).collect();
    let value = |i: usize, k: usize, rng: &mut PhiloxStream| {
        let moved = if k == 0 && person[i] < wanted { moved } else { 0.0 };
        (own[person[i] * columns + k] * 0.7 + 0.7 * normal(rng) + moved) as f32
    };
    let values = (0..person.len()).flat_map(|i| (0..columns).map(move |k| (i, k))).map(|(i, k)| value(i, k, &mut rng)).collect();
    let features = Matrix::new(person.len(), columns, values).expect("as many");
    let queries = ["x".parse().expect("an expression")];
    let found = world.with(|setting| {
        let bootstraps = if long() { 500 } else { 100 };
        retrieve(&RetrievalInput { setting, features: &features, queries: &queries, groups: (&[], 1), bootstraps, seed })
    });
    let ways = &found.queries[0].found;
    std::array::from_fn(|way| ways[way].average_precision)
}

/// What intervals of average precision should hold is its mean over samples of as many images.
#[test]
fn intervals_of_average_precision_hold_what_they_should() {
    println!("| people wanted, of | moved by | one example | five | probe |\n|---|---|---|---|---|");
    let (times, cells) = if long() { (many(1000), vec![(24, 120), (40, 200), (100, 400)]) } else { (60, vec![(30, 120)]) };
    let mut found = Vec::new();
    for (wanted, people) in cells {
        for moved in [0.0, 1.0, 2.5] {
            let all: Vec<[Option<Estimate>; 3]> =
                (0..times as u64).into_par_iter().map(|run| retrieval_of(people, wanted, moved, 13 * run + 2)).collect();
            let held = [0, 1, 2].map(|way| {
                let values: Vec<f64> = all.iter().filter_map(|of| Some(of[way]?.value)).collect();
                let truth = sum::mean(&values);
                let intervals: Vec<Interval> = all.iter().filter_map(|of| of[way]?.interval).collect();
                intervals.iter().filter(|of| of.low <= truth && truth <= of.high).count() as f64 / intervals.len() as f64
            });
            println!("| {wanted}, {people} | {moved} | {} |", held.map(|held| format!("{:.1}", 100.0 * held)).join(" | "));
            found.extend(held);
        }
    }
    let low = if long() { 0.91 } else { 0.85 };
    assert!(found.iter().all(|held| *held >= low), "{found:?}");
}
