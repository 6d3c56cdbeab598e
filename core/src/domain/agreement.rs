//! How far annotators agree, two at a time.

use super::{claim::NumberForm, score::Estimate};
use serde::{Deserialize, Serialize};

/// Two annotators on the images that both labelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Their names.
    pub annotators: [String; 2],
    /// Images that both labelled.
    pub shared: usize,
    /// Those of them with two labels.
    pub differ: usize,
    /// Cohen's κ; `None` where it is not defined.
    pub kappa: Option<Estimate>,
}

impl Agreement {
    /// In a line for people.
    pub fn sentence(&self) -> String {
        let [first, second] = &self.annotators;
        if self.shared == 0 {
            return format!("{first} and {second} labelled no image in common");
        }
        let kappa = match self.kappa {
            None => "not defined (one class only)".to_owned(),
            Some(kappa) if self.differ == 0 => {
                format!("{} (they differ nowhere, so there is no interval)", NumberForm::Score.show(kappa.value))
            }
            Some(kappa) => kappa.show(NumberForm::Score),
        };
        format!("{first} and {second} agree on {} of {} images; Cohen's κ {kappa}", self.shared - self.differ, self.shared)
    }
}

/// The attributes of a study that annotators labelled by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreements {
    /// 1.
    pub format: u32,
    /// In the order of their names.
    pub attributes: Vec<AttributeAgreement>,
}

/// Who labelled an attribute, and how far they agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeAgreement {
    /// What was labelled.
    pub attribute: String,
    /// Who labelled how many of the images that are evaluated.
    pub annotators: Vec<AnnotatorCount>,
    /// Every two of them.
    pub pairs: Vec<Agreement>,
}

/// How many images an annotator labelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotatorCount {
    /// Whose labels.
    pub annotator: String,
    /// How many.
    pub images: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_how_many_and_how_sure() {
        let of =
            |shared, differ, kappa| Agreement { annotators: ["a", "b"].map(str::to_owned), shared, differ, kappa }.sentence();
        assert_eq!(
            of(40, 0, Some(Estimate::bare(1.0))),
            "a and b agree on 40 of 40 images; Cohen's κ 1.000 (they differ nowhere, so there is no interval)"
        );
        assert_eq!(
            of(40, 4, Some(Estimate::new(0.5, 0.25, 0.75))),
            "a and b agree on 36 of 40 images; Cohen's κ 0.500 (0.250–0.750)"
        );
        assert_eq!(of(3, 0, None), "a and b agree on 3 of 3 images; Cohen's κ not defined (one class only)");
        assert_eq!(of(0, 0, None), "a and b labelled no image in common");
    }
}
