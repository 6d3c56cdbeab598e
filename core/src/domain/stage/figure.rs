//! `draw`: a figure.

use super::Stage;
use crate::domain::{canonical::Value, comparison::Question, projection::View};
use serde::{Deserialize, Serialize};

/// → [`Figure::SVG`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Figure {
    /// `images`, `points`, `labels/…`: the labelled images of one question in one view.
    View {
        /// Which coordinates are drawn.
        view: View,
        /// Whose classes the points are coloured by.
        question: Question,
        /// What the classes are called; the only names that enter a key.
        classes: Vec<String>,
        /// How the axes are labelled.
        axes: AxisNames,
        /// Of the order in which points are drawn, so that no class lies on top by its name.
        seed: u64,
    },
    /// `frequencies`: how often each attribute occurs.
    Frequencies,
    /// `curves`: how a training went.
    Curves,
}

/// How a figure names its axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisNames {
    /// The method's word, and the share of variance each axis explains.
    Explained {
        /// `pca` or `ica`.
        method: String,
        /// From 0 to 1, one an axis of the coordinates; empty where the method has none.
        shares: Vec<f64>,
    },
    /// Distances between clusters mean little: no ticks.
    Map {
        /// `tsne` or `umap`.
        method: String,
    },
}

impl Figure {
    /// Input of [`Figure::Frequencies`]: [`Ranking::FREQUENCIES`](super::Ranking::FREQUENCIES).
    pub const FREQUENCIES: &str = "frequencies";
    /// Input of [`Figure::Curves`]: [`Training::CURVES`](super::Training::CURVES).
    pub const CURVES: &str = "curves";
    /// The picture, as SVG.
    pub const SVG: &str = "figure.svg";
    /// The [cost class](super::Work::cost_class) of [`Figure::Curves`].
    pub const CURVES_COST_CLASS: &str = "draw curves";
}

impl Stage for Figure {
    fn version(&self) -> u32 {
        match self {
            // 2: random numbers by purpose, and the images that the score is of.
            Figure::View { .. } => 2,
            Figure::Frequencies | Figure::Curves => 1,
        }
    }

    fn seed(&self) -> Option<u64> {
        match self {
            Figure::View { seed, .. } => Some(*seed),
            Figure::Frequencies | Figure::Curves => None,
        }
    }

    fn cost_class(&self) -> Option<String> {
        (*self == Figure::Curves).then(|| Self::CURVES_COST_CLASS.to_owned())
    }

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
