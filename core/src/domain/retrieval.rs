//! Finding images: a query says which are wanted; is a ranking by a model's features one that has them first?

use super::{comparison::Expression, score::Estimate};
use serde::{Deserialize, Serialize};

/// What a study looks for among its images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The study's name for it.
    pub name: String,
    /// The images that are wanted: those for which it holds. Others whose labels are known are not; the rest take no part.
    pub wanted: Expression,
}

/// Places of a ranking that recall and precision are told at: what a person looks through on one page, and on five.
pub const FIRST: [usize; 2] = [20, 100];

/// Images that are shown, in turn, as the example, at most: drawn by the seed.
pub const MOST_EXAMPLES: usize = 128;
/// Sets of five examples, at most.
pub const MOST_SETS: usize = 50;
/// Examples of a set.
pub const EXAMPLES_OF_SET: usize = 5;

/// What a `retrieval` stage leaves: a model's features at one layer on every query, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retrieval {
    /// 1.
    pub format: u32,
    /// Of the evaluation.
    pub images: usize,
    /// One a query.
    pub queries: Vec<QueryRetrieval>,
}

/// How well the images of one query are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryRetrieval {
    /// Images whose labels say whether they are wanted.
    pub labelled: usize,
    /// Images that are wanted.
    pub wanted: usize,
    /// Identities of those.
    pub identities: usize,
    /// Wanted of labelled; `None` where none is labelled.
    pub prevalence: Option<f64>,
    /// The average precision that is expected of a random order (Bestgen 2015): a little above the prevalence where few are wanted.
    pub by_chance: Option<f64>,
    /// Why nothing is scored.
    pub unscored: Option<Unscored>,
    /// One a way of asking, in the order of [`AskedBy::ALL`]; none where nothing is scored.
    pub found: Vec<FoundBy>,
    /// By single examples, those of each group of people alone; none where nothing is scored.
    pub groups: Vec<GroupRetrieval>,
}

/// Why a query has no score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unscored {
    /// No image has the labels that it asks for.
    Unlabelled,
    /// No image is wanted.
    Nobody,
    /// All images are.
    Everybody,
    /// Those that are wanted are of one identity: whoever is the example leaves none to be found.
    OneIdentity,
    /// A feature is not a finite number, or there is none.
    NotFinite,
}

impl Unscored {
    /// In a sentence: `the query is met by …`.
    pub fn told(self) -> &'static str {
        match self {
            Unscored::Unlabelled => "no image has the labels that it asks for",
            Unscored::Nobody => "no image meets it",
            Unscored::Everybody => "every image meets it",
            Unscored::OneIdentity => "the images that meet it are of one identity",
            Unscored::NotFinite => "the features are not all finite numbers",
        }
    }
}

/// How a query is put to features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedBy {
    /// One image that is wanted: the others by their likeness to it.
    Example,
    /// Five of five identities: by their likeness to the mean of the five directions.
    FiveExamples,
    /// A linear probe of the labels: each half of the identities by one that was fitted on the other half.
    Probe,
}

impl AskedBy {
    /// From the least that a person must give.
    pub const ALL: [AskedBy; 3] = [AskedBy::Example, AskedBy::FiveExamples, AskedBy::Probe];

    /// As tables write it.
    pub fn word(self) -> &'static str {
        match self {
            AskedBy::Example => "example",
            AskedBy::FiveExamples => "five examples",
            AskedBy::Probe => "probe",
        }
    }
}

/// How well a way of asking finds what is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundBy {
    /// The way.
    pub by: AskedBy,
    /// Rankings that the numbers are means of: examples, sets of them, or halves.
    pub rankings: usize,
    /// Mean over the rankings; `None` where there is none.
    pub average_precision: Option<Estimate>,
    /// Average precision over prevalence.
    pub lift: Option<f64>,
    /// At the places of [`FIRST`].
    pub first: Vec<AtFirst>,
}

/// What is among the first images of a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtFirst {
    /// So many are looked at; of the probe's rankings half as many each.
    pub first: usize,
    /// The share of what is wanted that is among them.
    pub recall: f64,
    /// The share of them that is wanted.
    pub precision: f64,
}

/// The single examples that are of one group of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRetrieval {
    /// Attributes and their values.
    pub group: Vec<(String, String)>,
    /// Examples of the group.
    pub examples: usize,
    /// Identities of those.
    pub identities: usize,
    /// Mean over them, among the images of all groups; `None` without an example.
    pub average_precision: Option<Estimate>,
}
