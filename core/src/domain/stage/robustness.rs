//! `steady`: what a shown figure has beside its score.

use super::Stage;
use crate::domain::{
    canonical::Value,
    comparison::Question,
    projection::{Method, View},
};
use serde::{Deserialize, Serialize};

/// `images`, `features`, `points`, `labels/…`, `identities` → [`Robustness::FIGURE`]. A figure that is shown, and how its points came
/// about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robustness {
    /// What the figure's score is of.
    pub question: Question,
    /// Which coordinates are shown.
    pub view: View,
    /// The method that made the points, with its parameters.
    pub method: Method,
    /// The projection's seed.
    pub projected: u64,
    /// The study's: of halves, folds, subsamples and label noise.
    pub seed: u64,
}

impl Robustness {
    /// A [`FigureRobustness`](crate::domain::score::FigureRobustness).
    pub const FIGURE: &str = "steady.json";

    /// Its [cost class](super::Work::cost_class), from what it depends on.
    pub fn cost_class_of(method: &Method) -> String {
        format!("score again {}", method.word())
    }
}

impl Stage for Robustness {
    fn version(&self) -> u32 {
        // 3: shown figures by other settings. 4: random numbers by purpose. 5: of many images, subsamples of at most 20,000.
        // 6: half B placed in a fit without it; subsamples of at most 10,000. 7: of many images, label noise of a subsample.
        7
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn cost_class(&self) -> Option<String> {
        Some(Self::cost_class_of(&self.method))
    }

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
