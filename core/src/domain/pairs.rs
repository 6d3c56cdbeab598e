//! Verification on given pairs of pictures: the pairs, and how well they are told apart.

use super::claim::NumberForm;
use serde::{Deserialize, Serialize};

/// Pairs of pictures in their order, which decides the folds of the protocol. Pictures are rows of a list of images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// The two pictures of each pair.
    pub rows: Vec<[usize; 2]>,
    /// Whether they are of one identity.
    pub is_same: Vec<bool>,
}

impl Pairs {
    /// One line a pair: row, row, and 1 or 0, with a blank between them.
    pub fn to_text(&self) -> String {
        let lines = self.rows.iter().zip(&self.is_same);
        lines.map(|([one, other], is_same)| format!("{one} {other} {}\n", u8::from(*is_same))).collect()
    }

    /// `None` when the text is not what [`Pairs::to_text`] writes of pictures of so many.
    pub fn from_text(text: &str, pictures: usize) -> Option<Self> {
        let mut pairs = Pairs::default();
        for line in text.lines() {
            let mut fields = line.split(' ');
            let mut row = || fields.next()?.parse().ok().filter(|row: &usize| *row < pictures);
            pairs.rows.push([row()?, row()?]);
            pairs.is_same.push(match (fields.next()?, fields.next()) {
                ("1", None) => true,
                ("0", None) => false,
                _ => return None,
            });
        }
        Some(pairs)
    }
}

/// A mean over folds and its standard deviation (that of the folds themselves, divided by their number).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverFolds {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

impl OverFolds {
    /// `0.995 ± 0.003`.
    pub fn show(&self) -> String {
        let show = |value| NumberForm::Score.show(value);
        format!("{} ± {}", show(self.mean), show(self.deviation))
    }
}

/// How well given pairs are told apart, by the protocol of LFW as InsightFace computes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairVerification {
    /// 1.
    pub format: u32,
    /// Pairs of one identity.
    pub same: usize,
    /// Pairs of two.
    pub different: usize,
    /// The share of pairs that are right.
    pub accuracy: OverFolds,
    /// The threshold of each fold.
    pub thresholds: Vec<f64>,
    /// The share of pairs of two identities that may be accepted, as the study asks for it.
    pub target_far: f64,
    /// The share of pairs of one identity that are accepted.
    pub tar: OverFolds,
    /// The share of pairs of two identities that are accepted at these thresholds, over all folds: near what was asked for.
    pub far: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_survive_their_text_and_name_no_picture_that_is_not_there() {
        let pairs = Pairs { rows: vec![[0, 2], [1, 0]], is_same: vec![true, false] };
        assert_eq!(pairs.to_text(), "0 2 1\n1 0 0\n");
        assert_eq!(Pairs::from_text(&pairs.to_text(), 3), Some(pairs));
        for (text, pictures) in [("0 2 1", 2), ("0 1", 2), ("0 1 2", 2), ("0 1 1 1", 2), ("0 -1 1", 2), ("0\t1\t1", 2), ("\n", 2)]
        {
            assert_eq!(Pairs::from_text(text, pictures), None, "{text:?}");
        }
    }
}
