//! Canonical forms, versions and keys of stages.
//!
//! Every form takes its struct apart without `..`, so that a new field does not compile until it enters the key or is named
//! as one that decides nothing. `perturbed.rs` changes every field of every stage and sees the key change.

use super::{
    ArrayFormat, AxisNames, Baseline, Extraction, Figure, GroupFairness, Input, Probes, Ranking, Robustness, Simultaneous, Slot,
    Task, Training, Work,
};
use crate::domain::{
    Key, canonical::Value, comparison::Question, contrast::ContrastSides, image::Take, projection::View, score::Statistics,
};

impl Work {
    /// Raised whenever the stage's code gives other bits for the same inputs; the golden digests of `tests/golden.rs` fail
    /// until it is. One a stage, so that results of the other stages stay.
    pub fn version(&self) -> u32 {
        match self {
            Work::Index { take: None } => 1,
            // 2: given columns that single precision would spoil are centred.
            Work::Features { .. } => 2,
            // 2: pictures are turned upright.
            Work::Baseline(_) => 2,
            // 2: random numbers by purpose.
            Work::Index { take: Some(_) } => 2,
            // 2: random numbers by purpose, pictures are turned upright.
            Work::Train(_) | Work::Extract(_) => 2,
            // 2: leading eigenvectors by inverse iteration, column means by blocks. 3: random numbers by purpose.
            Work::Project { .. } => 3,
            // 2: ranks beside scores. 3: permuted scores in steps that are met equally often. 4: random numbers by purpose.
            Work::Quality { .. } => 4,
            // 5: intervals of AUCs by the score method, none of too few. 6: near 1 more of what an interval misses is above it;
            // permuted scores where most images share a place.
            Work::Score { .. } | Work::FeatureScores { .. } | Work::Fairness(_) | Work::Verify { .. } => 6,
            // 5: bounds beside the chosen cells, differences by their sides' intervals. 6: intervals near 1.
            Work::Simultaneous(_) => 6,
            // 3: shown figures by other settings. 4: random numbers by purpose.
            Work::Robustness(_) => 4,
            // 2: a grid behind the ledger. 3: what could have been shown. 4: random numbers by purpose. 5: bounds
            // beside the chosen cells. 6: intervals near 1.
            Work::Rank(_) => 6,
            // 2: random numbers by purpose, and the images that the score is of.
            Work::Draw(Figure::View { .. }) => 2,
            Work::Draw(Figure::Frequencies | Figure::Curves) => 1,
        }
    }

    fn canonical(&self) -> Value {
        match self {
            Work::Index { take } => Value::map().optional("take", take.as_ref().map(Take::canonical)).done(),
            Work::Features { layer, format } => match format {
                // An .npy file holds one array, whatever the study calls it.
                ArrayFormat::Npy => Value::map().done(),
                // The name of a tensor inside a safetensors file.
                ArrayFormat::Safetensors => Value::map().with("tensor", Value::text(layer)).done(),
            },
            Work::Train(training) => training.canonical(),
            Work::Extract(extraction) => extraction.canonical(),
            Work::Baseline(baseline) => baseline.canonical(),
            Work::Project { method, seed } => {
                Value::map().with("method", method.canonical()).with("seed", Value::seed(*seed)).done()
            }
            Work::Score { question, views, statistics, seed } => {
                // What separates is the ledger's business.
                let Statistics { bootstraps, permutations, min_positives, separates_at: _ } = statistics;
                Value::map()
                    .with("question", question.canonical())
                    .with("views", Value::list(views, View::canonical))
                    .with("bootstraps", Value::count(*bootstraps))
                    .with("permutations", Value::count(*permutations))
                    .with("min_positives", Value::count(*min_positives))
                    .with("seed", Value::seed(*seed))
                    .done()
            }
            Work::FeatureScores { questions, statistics, seed } => {
                // Features are not permuted: their projections are.
                let Statistics { bootstraps, permutations: _, min_positives, separates_at: _ } = statistics;
                Value::map()
                    .with("questions", Value::list(questions, Question::canonical))
                    .with("bootstraps", Value::count(*bootstraps))
                    .with("min_positives", Value::count(*min_positives))
                    .with("seed", Value::seed(*seed))
                    .done()
            }
            Work::Robustness(figure) => figure.canonical(),
            Work::Fairness(of) => of.canonical(),
            Work::Verify { bootstraps, seed } => Value::map()
                .with("asked", Value::text("same person"))
                .with("bootstraps", Value::count(*bootstraps))
                .with("seed", Value::seed(*seed))
                .done(),
            Work::Quality { views, seed } => {
                Value::map().with("quality", Value::list(views, View::canonical)).with("seed", Value::seed(*seed)).done()
            }
            Work::Simultaneous(gridding) => gridding.canonical(),
            Work::Rank(ranking) => ranking.canonical(),
            Work::Draw(figure) => figure.canonical(),
        }
    }
}

impl Training {
    fn canonical(&self) -> Value {
        let Training { architecture, loss, preparation, recipe, seed, numerics, pretended } = self;
        Value::map()
            .with("architecture", architecture.canonical())
            .with("loss", loss.canonical())
            .with("preparation", preparation.canonical())
            .with("recipe", recipe.canonical())
            .with("seed", Value::seed(*seed))
            .with("numerics", numerics.canonical())
            .optional("pretended", pretended.as_deref().map(Value::text))
            .done()
    }
}

impl Extraction {
    fn canonical(&self) -> Value {
        let Extraction { architecture, preparation, layers, family, untrained, numerics } = self;
        Value::map()
            .with("architecture", architecture.canonical())
            .with("preparation", preparation.canonical())
            .with("taps", Value::list(layers, Value::text))
            .with("family", Value::text(family))
            .optional("untrained", untrained.map(Value::seed))
            .with("numerics", numerics.canonical())
            .done()
    }
}

impl Baseline {
    fn canonical(&self) -> Value {
        let Baseline { word, preparation } = self;
        Value::map().with("baseline", Value::text(word)).with("preparation", preparation.canonical()).done()
    }
}

impl Robustness {
    fn canonical(&self) -> Value {
        let Robustness { question, view, method, projected, seed } = self;
        Value::map()
            .with("question", question.canonical())
            .with("view", view.canonical())
            .with("method", method.canonical())
            .with("projected", Value::seed(*projected))
            .with("seed", Value::seed(*seed))
            .done()
    }
}

impl GroupFairness {
    fn canonical(&self) -> Value {
        let GroupFairness { questions, groups, depth, statistics, seed } = self;
        // Groups have intervals; they are neither permuted nor ranked.
        let Statistics { bootstraps, permutations: _, min_positives: _, separates_at: _ } = statistics;
        Value::map()
            .with("questions", Value::list(questions, Question::canonical))
            .with("groups", Value::list(groups, Value::text))
            .with("depth", Value::count(*depth))
            .with("bootstraps", Value::count(*bootstraps))
            .with("seed", Value::seed(*seed))
            .done()
    }
}

impl Simultaneous {
    fn canonical(&self) -> Value {
        let Simultaneous { slots, spaces, questions, held, statistics, seed } = self;
        // What separates is the ledger's business.
        let Statistics { bootstraps, permutations, min_positives, separates_at: _ } = statistics;
        Value::map()
            .with("slots", Value::list(slots, Slot::canonical))
            .with("spaces", Value::list(spaces, places))
            .with("questions", Value::list(questions, Question::canonical))
            .with("held", Value::list(held, ContrastSides::canonical))
            .with("bootstraps", Value::count(*bootstraps))
            .with("permutations", Value::count(*permutations))
            .with("min_positives", Value::count(*min_positives))
            .with("seed", Value::seed(*seed))
            .done()
    }
}

impl Ranking {
    fn canonical(&self) -> Value {
        let Ranking { slots, separates_at, show, seed, attributes, groups, depth, questions, probes } = self;
        let Probes { spaces, asked } = probes;
        Value::map()
            .with("slots", Value::list(slots, Slot::canonical))
            .with("separates_at", Value::Float(*separates_at))
            .with("show", Value::count(*show))
            .with("seed", Value::seed(*seed))
            .with("attributes", Value::list(attributes, Value::text))
            .with("groups", Value::list(groups, Value::text))
            .with("depth", Value::count(*depth))
            .with("questions", Value::list(questions, Question::canonical))
            .with("spaces", Value::list(spaces, places))
            .with("asked", places(asked))
            .done()
    }
}

impl Slot {
    fn canonical(&self) -> Value {
        let Slot { model, layer, projection, comparison } = self;
        places([model, layer, projection, comparison])
    }
}

impl Figure {
    fn canonical(&self) -> Value {
        match self {
            Figure::Curves => Value::map().with("figure", Value::text("curves")).done(),
            Figure::Frequencies => Value::map().with("figure", Value::text("frequencies")).done(),
            Figure::View { view, question, classes, axes, seed } => Value::map()
                .with("figure", Value::text("view"))
                .with("view", view.canonical())
                .with("question", question.canonical())
                .with("classes", Value::list(classes, Value::text))
                .with("axes", axes.canonical())
                .with("seed", Value::seed(*seed))
                .done(),
        }
    }
}

impl AxisNames {
    fn canonical(&self) -> Value {
        match self {
            AxisNames::Explained { method, shares } => Value::map()
                .with("method", Value::text(method))
                .with("shares", Value::list(shares, |share| Value::Float(*share)))
                .done(),
            AxisNames::Map { method } => Value::map().with("method", Value::text(method)).done(),
        }
    }
}

/// Places in the study.
fn places<'a>(of: impl IntoIterator<Item = &'a usize>) -> Value {
    Value::list(of, |place| Value::count(*place))
}

impl Input {
    fn canonical(&self) -> Value {
        // Where the bytes are does not matter: they are known by their digest.
        let Input { role, digest, at: _ } = self;
        Value::List(vec![Value::text(role), Value::Digest(*digest)])
    }
}

impl Task {
    pub fn key(&self) -> Key {
        self.key_of_version(self.work.version())
    }

    /// The key that a program with this version of the stage's code gives it.
    pub(super) fn key_of_version(&self, version: u32) -> Key {
        let Task { work, inputs } = self;
        let key = Value::map()
            .with("stage", Value::text(work.kind().word()))
            .with("version", Value::Int(version.into()))
            .with("work", work.canonical())
            .with("inputs", Value::list(inputs, Input::canonical));
        Key(key.done().digest())
    }
}
