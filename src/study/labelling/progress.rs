//! Who labelled what so far, over all pictures of a workspace.

use super::Agreement;
use std::collections::BTreeMap;
use visavis_core::{
    domain::{
        annotation::{AnnotatorLabels, Answered, Answers, Choice},
        image::Column,
    },
    scoring::agreements,
};

/// One annotator's answers on one attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabellingProgress {
    pub attribute: String,
    pub annotator: String,
    /// Labels by class.
    pub classes: BTreeMap<String, usize>,
    pub not_obvious: usize,
    pub skipped: usize,
    /// Milliseconds since 1970 at the latest answer.
    pub latest: u64,
}

impl LabellingProgress {
    /// A line an annotator, by name. `answers`: on one attribute.
    pub fn of<'a>(attribute: &str, answers: impl Iterator<Item = &'a Answered>) -> Vec<Self> {
        let mut annotators: BTreeMap<&str, LabellingProgress> = BTreeMap::new();
        for Answered { annotation, at, .. } in answers.filter(|of| of.annotation.choice != Choice::Withdrawn) {
            let progress = annotators.entry(&annotation.annotator).or_insert_with(|| LabellingProgress {
                attribute: attribute.to_owned(),
                annotator: annotation.annotator.clone(),
                ..LabellingProgress::default()
            });
            progress.latest = progress.latest.max(*at);
            match &annotation.choice {
                Choice::Class(class) => *progress.classes.entry(class.clone()).or_default() += 1,
                Choice::NotObvious => progress.not_obvious += 1,
                Choice::Skipped | Choice::Withdrawn => progress.skipped += 1,
            }
        }
        annotators.into_values().collect()
    }

    pub fn labels(&self) -> usize {
        self.classes.values().sum()
    }

    /// `black 2 · white 1`.
    pub fn by_class(&self) -> String {
        self.classes.iter().map(|(class, count)| format!("{class} {count}")).collect::<Vec<_>>().join(" · ")
    }
}

/// What was labelled in a workspace, and how far annotators agree, an attribute after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkspaceLabels {
    pub progress: Vec<LabellingProgress>,
    /// By attribute.
    pub agreements: BTreeMap<String, Vec<Agreement>>,
}

impl WorkspaceLabels {
    pub fn of(answers: &Answers) -> Self {
        let mut found = WorkspaceLabels::default();
        for (attribute, answers) in answers {
            let progress = LabellingProgress::of(attribute, answers.iter());
            let columns: Vec<AnnotatorLabels> = progress
                .iter()
                .map(|of| AnnotatorLabels { annotator: of.annotator.clone(), labels: by_picture(answers, &of.annotator) })
                .collect();
            found.agreements.insert(attribute.clone(), agreements(&columns));
            found.progress.extend(progress);
        }
        found
    }
}

/// An annotator's labels, by the digests of pictures.
fn by_picture(answers: &[Answered], annotator: &str) -> Column {
    let own = answers.iter().filter(|of| of.annotation.annotator == annotator);
    let labels: BTreeMap<String, &str> =
        own.filter_map(|of| Some((of.annotation.picture.to_string(), of.annotation.choice.class()?))).collect();
    labels.iter().map(|(picture, class)| (picture.as_str(), *class)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::{
        Digest,
        annotation::{Annotation, AskedQuestion},
    };

    #[test]
    fn every_annotator_of_every_attribute_has_a_line() {
        let answered = |attribute: &str, annotator: &str, picture: u8, choice: Choice| Answered {
            annotation: Annotation {
                attribute: attribute.into(),
                image: "x".into(),
                picture: Digest::of(&[picture]),
                annotator: annotator.into(),
                by: "user".into(),
                choice,
                asked: AskedQuestion::default(),
            },
            at: u64::from(picture),
            first: 0,
        };
        let class = |word: &str| Choice::Class(word.into());
        let answers: Answers = [(
            "race".to_owned(),
            vec![
                answered("race", "ann", 1, class("white")),
                answered("race", "ann", 2, Choice::NotObvious),
                answered("race", "ann", 3, Choice::Withdrawn),
                answered("race", "ben", 1, class("black")),
            ],
        )]
        .into();
        let found = WorkspaceLabels::of(&answers);
        let lines: Vec<(&str, usize, usize, u64)> =
            found.progress.iter().map(|of| (of.annotator.as_str(), of.labels(), of.not_obvious, of.latest)).collect();
        assert_eq!(lines, [("ann", 1, 1, 2), ("ben", 1, 0, 1)]);
        assert_eq!((found.agreements["race"][0].shared, found.agreements["race"][0].differ), (1, 1));
    }
}
