//! Projections, as asked for: a method with its parameters, and the views it gives.

use super::canonical::Value;
use serde::{Deserialize, Serialize};
use std::fmt;

/// N × D features → N × k coordinates, by this method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Principal component analysis.
    Pca {
        /// How many components, at most.
        axes: usize,
    },
    /// Independent component analysis (FastICA).
    Ica {
        /// How many components, at most.
        axes: usize,
    },
    /// t-distributed stochastic neighbour embedding, to two coordinates.
    Tsne {
        /// The effective number of neighbours.
        perplexity: f64,
        /// Of distances between features.
        #[serde(default, skip_serializing_if = "Metric::is_usual")]
        metric: Metric,
    },
    /// Uniform manifold approximation and projection, to two coordinates.
    Umap {
        /// How many nearest images each is connected to.
        neighbors: usize,
        /// How close points may lie on the map.
        min_dist: f64,
        /// Of distances between features.
        #[serde(default, skip_serializing_if = "Metric::is_usual")]
        metric: Metric,
    },
}

/// How far apart two images' features are, for methods that ask for the nearest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The length of the difference.
    #[default]
    Euclidean,
    /// One less the cosine of the angle.
    Cosine,
}

impl Method {
    /// Does it look at angles between features, for which it matters where 0 is?
    pub fn is_of_cosines(&self) -> bool {
        matches!(self, Method::Tsne { metric: Metric::Cosine, .. } | Method::Umap { metric: Metric::Cosine, .. })
    }

    /// Half and twice the neighbours, and the other metric: what tells whether a picture hangs on them. Methods of axes have none.
    pub fn next(&self) -> Vec<(String, Method)> {
        let name = |metric: Metric| metric.word().to_owned();
        match *self {
            Method::Pca { .. } | Method::Ica { .. } => vec![],
            Method::Tsne { perplexity, metric } => {
                let of = |perplexity: f64| (format!("perplexity {perplexity}"), Method::Tsne { perplexity, metric });
                let other = metric.other();
                vec![of(perplexity / 2.0), of(perplexity * 2.0), (name(other), Method::Tsne { perplexity, metric: other })]
            }
            Method::Umap { neighbors, min_dist, metric } => {
                let of = |neighbors: usize| (format!("{neighbors} neighbours"), Method::Umap { neighbors, min_dist, metric });
                let other = metric.other();
                let by_other = (name(other), Method::Umap { neighbors, min_dist, metric: other });
                vec![of((neighbors / 2).max(2)), of(neighbors * 2), by_other]
            }
        }
    }
}

impl Metric {
    /// Both metrics.
    pub const ALL: [Metric; 2] = [Metric::Euclidean, Metric::Cosine];

    /// As study files write it.
    pub fn word(self) -> &'static str {
        match self {
            Metric::Euclidean => "euclidean",
            Metric::Cosine => "cosine",
        }
    }

    fn other(self) -> Self {
        match self {
            Metric::Euclidean => Metric::Cosine,
            Metric::Cosine => Metric::Euclidean,
        }
    }

    fn is_usual(&self) -> bool {
        *self == Metric::default()
    }

    fn canonical(self) -> Value {
        Value::text(self.word())
    }
}

/// A projection of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// `pca`, or what tells two of one method apart: `tsne-perplexity50`.
    pub name: String,
    /// What makes the coordinates.
    pub method: Method,
    /// Pairs of axes to look at together, counted from 1 (many-axis methods only).
    pub pairs: Vec<(usize, usize)>,
    /// How many projection seeds; 1 for methods that need none.
    pub seeds: usize,
}

/// What one figure shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The features themselves: scored as the yardstick for their projections, never drawn.
    Features,
    /// One axis, counted from 1.
    Axis(usize),
    /// Two axes, counted from 1.
    Pair(usize, usize),
    /// The two coordinates of a map (t-SNE, UMAP).
    Map,
}

impl Method {
    /// As study files write it.
    pub fn word(&self) -> &'static str {
        match self {
            Method::Pca { .. } => "pca",
            Method::Ica { .. } => "ica",
            Method::Tsne { .. } => "tsne",
            Method::Umap { .. } => "umap",
        }
    }

    /// How many columns its coordinates have, at most.
    pub fn axes(&self) -> usize {
        match *self {
            Method::Pca { axes } | Method::Ica { axes } => axes,
            Method::Tsne { .. } | Method::Umap { .. } => 2,
        }
    }

    /// What of it enters a key. The usual metric is left out, so that keys of before there was a choice stay.
    pub fn canonical(&self) -> Value {
        let map = Value::map().with("method", Value::text(self.word()));
        match *self {
            Method::Pca { axes } | Method::Ica { axes } => map.with("axes", Value::count(axes)),
            Method::Tsne { perplexity, metric } => map.with("perplexity", Value::Float(perplexity)).unless(
                "metric",
                metric.canonical(),
                &Metric::default().canonical(),
            ),
            Method::Umap { neighbors, min_dist, metric } => map
                .with("neighbors", Value::count(neighbors))
                .with("min_dist", Value::Float(min_dist))
                .unless("metric", metric.canonical(), &Metric::default().canonical()),
        }
        .done()
    }
}

impl Projection {
    /// Each axis alone and every pair asked for; or the map.
    pub fn views(&self) -> Vec<View> {
        match self.method {
            Method::Pca { axes } | Method::Ica { axes } => {
                let pairs = self.pairs.iter().map(|&(i, j)| View::Pair(i, j));
                (1..=axes).map(View::Axis).chain(pairs).collect()
            }
            Method::Tsne { .. } | Method::Umap { .. } => vec![View::Map],
        }
    }

    /// The views that are held beside the features themselves: those of two axes, where there are any.
    pub fn pictures(&self) -> Vec<View> {
        let views = self.views();
        let flat: Vec<View> = views.iter().copied().filter(|view| !matches!(view, View::Axis(_))).collect();
        if flat.is_empty() { views } else { flat }
    }
}

impl View {
    /// The columns of the coordinates it shows, from 0.
    pub fn columns(&self, width: usize) -> Vec<usize> {
        match *self {
            View::Features => (0..width).collect(),
            View::Axis(i) => vec![i - 1],
            View::Pair(i, j) => vec![i - 1, j - 1],
            View::Map => vec![0, 1],
        }
    }

    /// Spelled out here, so that people may be told of views in other words without a change of keys.
    pub fn canonical(&self) -> Value {
        Value::text(match self {
            View::Features => "features".to_owned(),
            View::Axis(i) => format!("axis {i}"),
            View::Pair(i, j) => format!("axes {i}-{j}"),
            View::Map => "map".to_owned(),
        })
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            View::Features => f.write_str("features"),
            View::Axis(i) => write!(f, "axis {i}"),
            View::Pair(i, j) => write!(f, "axes {i}-{j}"),
            View::Map => f.write_str("map"),
        }
    }
}
