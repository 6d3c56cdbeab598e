//! Losses: what a network learns by. The register of them is what study files, forms, the report and the trainer know of each.
//!
//! To add a loss: its row in [`LOSSES`], and its arithmetic in `torch/src/head.rs`. A word never changes: it is in keys and results.

use super::{canonical::Value, model::parameters};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

/// A loss with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// A word of [`LOSSES`].
    pub word: String,
    /// By name, such as `margin`; all that the loss takes.
    pub parameters: BTreeMap<String, f64>,
}

/// What is known of a loss: its row in the register.
#[derive(Debug)]
pub struct LossSpec {
    /// Of study files, keys and results: `arcface`.
    pub word: &'static str,
    /// Of sentences: `ArcFace`.
    pub title: &'static str,
    /// What the report's Methods say of it. HTML.
    pub about: &'static str,
    /// What it can be given.
    pub parameters: &'static [LossParameter],
    /// Whether it compares pictures of a batch with each other, so that a batch has several of each identity.
    pub compares_pictures: bool,
}

/// A number that a loss can be given.
#[derive(Debug)]
pub struct LossParameter {
    /// Its name in study files.
    pub name: &'static str,
    /// The value that it has where a study gives none.
    pub usual: f64,
    /// The least and the greatest value that it can be given.
    pub range: (f64, f64),
    /// Whether it is a whole number.
    pub is_whole: bool,
}

const fn real(name: &'static str, usual: f64, least: f64, most: f64) -> LossParameter {
    LossParameter { name, usual, range: (least, most), is_whole: false }
}

/// What cosines are multiplied by.
const SCALE: LossParameter = real("s", 64.0, 1.0, 1000.0);

/// The register of losses, in the order in which people are offered them.
pub const LOSSES: [LossSpec; 9] = [
    LossSpec {
        word: "softmax",
        title: "Softmax",
        about: "Cross-entropy of the softmax of a linear layer with a bias, one output an identity.",
        parameters: &[],
        compares_pictures: false,
    },
    LossSpec {
        word: "normface",
        title: "NormFace",
        about: "Cross-entropy of the softmax of <i>s</i> cos <i>θ</i>; <i>θ</i> is the angle between an embedding and the weights of an \
                identity (Wang et al. 2017).",
        parameters: &[SCALE],
        compares_pictures: false,
    },
    LossSpec {
        word: "arcface",
        title: "ArcFace",
        about: "As NormFace, with cos(<i>θ</i> + <i>m</i>) for the picture’s own identity, and cos <i>θ</i> − <i>m</i> sin <i>m</i> where \
                <i>θ</i> + <i>m</i> would pass π (Deng et al. 2019).",
        parameters: &[SCALE, real("m", 0.5, 0.0, 1.5)],
        compares_pictures: false,
    },
    LossSpec {
        word: "cosface",
        title: "CosFace",
        about: "As NormFace, with cos <i>θ</i> − <i>m</i> for the picture’s own identity (Wang et al. 2018).",
        parameters: &[SCALE, real("m", 0.35, 0.0, 2.0)],
        compares_pictures: false,
    },
    LossSpec {
        word: "combined",
        title: "Combined margin",
        about: "As NormFace, with cos(<i>m</i><sub>1</sub><i>θ</i> + <i>m</i><sub>2</sub>) − <i>m</i><sub>3</sub> for the picture’s own identity (Deng et al. 2019). Where \
                the angle passes π, the cosine is continued so that it goes on falling, as in SphereFace.",
        parameters: &[SCALE, real("m1", 1.0, 0.5, 4.0), real("m2", 0.3, 0.0, 1.5), real("m3", 0.2, 0.0, 2.0)],
        compares_pictures: false,
    },
    LossSpec {
        word: "sphereface",
        title: "SphereFace",
        about: "As NormFace, with (−1)<sup><i>k</i></sup> cos(<i>mθ</i>) − 2<i>k</i> for the picture’s own identity, where <i>k</i> is the \
                whole part of <i>mθ</i>/π (Liu et al. 2017). Embeddings have length 1, so <i>m</i> may be any number and nothing is \
                annealed (Liu et al. 2022).",
        parameters: &[real("s", 30.0, 1.0, 1000.0), real("m", 1.5, 1.0, 8.0)],
        compares_pictures: false,
    },
    LossSpec {
        word: "subcentre",
        title: "Sub-centre ArcFace",
        about: "As ArcFace, with <i>k</i> centres an identity, of which a picture’s nearest counts, so that mislabelled pictures can have \
                one of their own (Deng et al. 2020).",
        parameters: &[
            SCALE,
            real("m", 0.5, 0.0, 1.5),
            LossParameter { name: "k", usual: 3.0, range: (1.0, 16.0), is_whole: true },
        ],
        compares_pictures: false,
    },
    LossSpec {
        word: "adaface",
        title: "AdaFace",
        about: "As NormFace, with cos(<i>θ</i> − <i>mk</i>) − <i>m</i> − <i>mk</i> for the picture’s own identity. <i>k</i>, from −1 to 1, is \
                <i>h</i> times the length of the embedding, standardised by running statistics of lengths (Kim et al. 2022).",
        parameters: &[SCALE, real("m", 0.4, 0.0, 1.5), real("h", 0.333, 0.0, 10.0)],
        compares_pictures: false,
    },
    LossSpec {
        word: "triplet",
        title: "Triplet",
        about: "The distance to the farthest picture of the identity in the batch must be less, by a margin, than that to the nearest of \
                another (Schroff et al. 2015; hardest pairs as in Hermans et al. 2017). Embeddings have length 1.",
        parameters: &[real("margin", 0.3, 0.0, 2.0)],
        compares_pictures: true,
    },
];

impl LossSpec {
    /// The row of that word; `None` for any other word.
    pub fn of(word: &str) -> Option<&'static Self> {
        LOSSES.iter().find(|of| of.word == word)
    }

    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&'static LossParameter> {
        self.parameters.iter().find(|of| of.name == name)
    }

    /// The loss with its usual parameters.
    pub fn usual(&self) -> Loss {
        let parameters = self.parameters.iter().map(|of| (of.name.to_owned(), of.usual)).collect();
        Loss { word: self.word.to_owned(), parameters }
    }

    /// The loss as a study file writes it, with its usual parameters: `arcface: { s: 64, m: 0.5 }`.
    pub fn written(&self) -> String {
        let all: Vec<String> = self.parameters.iter().map(|of| format!("{}: {}", of.name, of.usual)).collect();
        if all.is_empty() { self.word.to_owned() } else { format!("{}: {{ {} }}", self.word, all.join(", ")) }
    }
}

impl LossParameter {
    /// What it can be given.
    pub fn range(&self) -> RangeInclusive<f64> {
        self.range.0..=self.range.1
    }
}

impl Loss {
    /// Its row in the register; `None` for a loss of another release.
    pub fn spec(&self) -> Option<&'static LossSpec> {
        LossSpec::of(&self.word)
    }

    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let Loss { word, parameters: of } = self;
        Value::map().with("word", Value::text(word)).with("parameters", parameters(of)).done()
    }
}

impl fmt::Display for Loss {
    /// The word, and the parameters that are not the usual ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)?;
        for (name, value) in &self.parameters {
            let usual = self.spec().and_then(|of| of.parameter(name)).map(|of| of.usual);
            if usual != Some(*value) {
                write!(f, "-{name}{value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_value_is_one_that_can_be_given() {
        for of in &LOSSES {
            for parameter in of.parameters {
                assert!(parameter.range().contains(&parameter.usual), "{} {}", of.word, parameter.name);
                assert!(!parameter.is_whole || parameter.usual.fract() == 0.0, "{} {}", of.word, parameter.name);
            }
            assert_eq!(LOSSES.iter().filter(|other| other.word == of.word).count(), 1, "{}", of.word);
        }
    }

    #[test]
    fn a_loss_is_named_by_its_word_and_what_is_unusual_of_it() {
        let mut loss = LossSpec::of("arcface").unwrap().usual();
        assert_eq!(loss.to_string(), "arcface");
        loss.parameters.insert("m".to_owned(), 0.2);
        assert_eq!(loss.to_string(), "arcface-m0.2");
        assert_eq!(LossSpec::of("arcface").unwrap().written(), "arcface: { s: 64, m: 0.5 }");
        assert_eq!(LossSpec::of("softmax").unwrap().written(), "softmax");
    }
}
