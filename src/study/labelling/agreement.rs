//! How far annotators agree, two at a time.

use std::collections::BTreeMap;
use visavis_core::{
    domain::{annotation::AnnotatorLabels, claim::NumberForm, score::Estimate},
    scoring::cohens_kappa,
};

/// Two annotators on the images that both labelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    pub annotators: [String; 2],
    /// Images that both labelled.
    pub shared: usize,
    /// Those of them with two labels.
    pub differ: usize,
    /// Cohen's κ; `None` where it is not defined.
    pub kappa: Option<Estimate>,
}

impl Agreement {
    fn of(first: &AnnotatorLabels, second: &AnnotatorLabels) -> Self {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut place = |class| {
            let next = places.len();
            *places.entry(class).or_insert(next)
        };
        let shared = first.labels.iter().filter_map(|(image, class)| Some((class, second.labels.get(image)?)));
        let pairs: Vec<(usize, usize)> = shared.map(|(a, b)| (place(a), place(b))).collect();
        Agreement {
            annotators: [first.annotator.clone(), second.annotator.clone()],
            shared: pairs.len(),
            differ: pairs.iter().filter(|(a, b)| a != b).count(),
            kappa: cohens_kappa(&pairs, places.len()),
        }
    }

    /// In a line for people.
    pub fn sentence(&self) -> String {
        let [first, second] = &self.annotators;
        if self.shared == 0 {
            return format!("{first} and {second} labelled no image in common");
        }
        let kappa = self.kappa.map_or("not defined (one class only)".to_owned(), |kappa| kappa.show(NumberForm::Score));
        format!("{first} and {second} agree on {} of {} images; Cohen's κ {kappa}", self.shared - self.differ, self.shared)
    }
}

/// Every pair of annotators.
pub fn agreements(annotators: &[AnnotatorLabels]) -> Vec<Agreement> {
    let pairs =
        annotators.iter().enumerate().flat_map(|(at, first)| annotators[at + 1..].iter().map(move |second| (first, second)));
    pairs.map(|(first, second)| Agreement::of(first, second)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(annotator: &str, classes: &[(usize, &str)]) -> AnnotatorLabels {
        let labels = classes.iter().map(|(image, class)| (image.to_string(), (*class).to_owned()));
        AnnotatorLabels { annotator: annotator.to_owned(), labels: labels.collect() }
    }

    #[test]
    fn every_two_annotators_are_held_against_each_other_on_what_both_labelled() {
        let three = [by("a", &[(1, "x"), (2, "y"), (3, "x")]), by("b", &[(2, "y"), (3, "y")]), by("c", &[(9, "x")])];
        let found: Vec<(String, usize, usize)> =
            agreements(&three).into_iter().map(|of| (of.annotators.join(" "), of.shared, of.differ)).collect();
        assert_eq!(found, [("a b".to_owned(), 2, 1), ("a c".to_owned(), 0, 0), ("b c".to_owned(), 0, 0)]);
    }

    #[test]
    fn a_sentence_says_how_many_and_how_sure() {
        let half =
            |class: &'static str| (0..40).map(|image| (image, if image % 2 == 0 { class } else { "y" })).collect::<Vec<_>>();
        let sentence = agreements(&[by("a", &half("x")), by("b", &half("x"))])[0].sentence();
        assert_eq!(sentence, "a and b agree on 40 of 40 images; Cohen's κ 1.000 (too few to say)");
        assert_eq!(agreements(&[by("a", &[]), by("b", &[])])[0].sentence(), "a and b labelled no image in common");
    }
}
