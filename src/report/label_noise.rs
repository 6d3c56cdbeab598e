//! Where labels are known to be noisy: no view separates what is not labelled well.

use super::source::ReportSource;
use visavis_core::domain::{index::ComparisonIx, study::Dataset};

/// What two annotators and a manual audit say of CelebA's labels (Wu et al. 2023, arXiv 2210.07356).
const CELEBA: [(&str, &str); 5] = [
    ("High_Cheekbones", "two annotators agree hardly more than by chance"),
    ("Pointy_Nose", "two annotators agree hardly more than by chance"),
    ("Oval_Face", "two annotators agree hardly more than by chance"),
    ("No_Beard", "many faces that are labelled as bearded have no beard"),
    ("Mouth_Slightly_Open", "one in five mouths that are labelled open is not"),
];

impl ReportSource<'_> {
    /// Why the labels of a comparison are known to be noisy; nothing where that is not known.
    pub(crate) fn label_noise(&self, comparison: ComparisonIx) -> Option<String> {
        let asked = self.study().comparisons[comparison].question.attributes();
        let why = |(attribute, why): (&str, &str)| format!("labels of {attribute}: {why}");
        if let Some(truth) = &self.outcome.truth {
            let is_noisy = truth.attributes.iter().any(|of| asked.contains(of.attribute.as_str()) && of.label_noise > 0.0);
            // It stands in an attribute, where no name can be marked up.
            return is_noisy.then(|| "some labels were replaced on purpose".to_owned());
        }
        if !self.labels_are_celebas() {
            return None;
        }
        CELEBA.into_iter().find(|(attribute, _)| asked.contains(attribute)).map(why)
    }

    /// And not those of synthetic faces in its format.
    pub(crate) fn labels_are_celebas(&self) -> bool {
        let study = self.study();
        let evaluated = study.evaluation.dataset.as_ref().and_then(|name| study.datasets.get(name));
        matches!(evaluated, Some(Dataset::CelebA { .. })) && self.outcome.truth.is_none()
    }
}
