//! Labels that people give by looking at pictures: who said what of which picture, and what the answers of several people are together.

use super::{
    Digest,
    image::{Column, Images},
    vocabulary::vocabulary,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an annotator said of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// It shows this class.
    Class(String),
    /// Its class is not obvious: the picture has no label.
    NotObvious,
    /// It was passed over: no label, and nothing is said about it.
    Skipped,
    /// What was said before is taken back.
    Withdrawn,
}

impl Choice {
    /// The class, where one was named.
    pub fn class(&self) -> Option<&str> {
        match self {
            Choice::Class(class) => Some(class),
            Choice::NotObvious | Choice::Skipped | Choice::Withdrawn => None,
        }
    }
}

/// One answer of one annotator. The picture is known by its bytes, so the answer follows it into any folder and any name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// The attribute that was asked for, such as `race`.
    pub attribute: String,
    /// What the picture was called.
    pub image: String,
    /// The digest of the picture's file.
    pub picture: Digest,
    /// The name under which the person labels.
    pub annotator: String,
    /// The name of the user on the machine, whatever the annotator is called.
    pub by: String,
    /// The answer.
    pub choice: Choice,
    /// Between what the annotator chose.
    #[serde(default)]
    pub asked: AskedQuestion,
}

/// The classes that an annotator chose between, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedQuestion {
    /// By name.
    pub classes: Vec<String>,
    /// Labels wanted of each class; `None`: as many as there are pictures.
    pub quota: Option<usize>,
}

/// The latest answer of an annotator on a picture, and when it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub annotation: Annotation,
    /// Milliseconds since 1970.
    pub at: u64,
    /// The clock of the annotator's first answer on the picture.
    pub first: u64,
}

/// The answers that a workspace's journals hold, by attribute: the latest of each annotator on each picture, the earliest first.
pub type Answers = BTreeMap<String, Vec<Answered>>;

vocabulary! {
    /// What the label of an image is, where several annotators gave one.
    #[derive(Default)]
    pub enum LabelRule {
        /// The label on which all annotators agree; images that one of them did not label have none.
        #[default]
        Agree = "agree",
        /// The label that most annotators gave; none where two labels have equally many.
        Vote = "vote",
        /// The label of the first annotator who gave one.
        First = "first",
    }
}

/// The labels of one annotator: image → class.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnotatorLabels {
    /// Who labelled.
    pub annotator: String,
    /// What each image was labelled.
    pub labels: Column,
}

/// The labels of several annotators as one text: of each the name on a line, its labels as [`Column::to_text`] writes them, and an empty
/// line.
pub fn annotators_to_text(annotators: &[AnnotatorLabels]) -> String {
    annotators.iter().map(|of| format!("{}\n{}\n", of.annotator, of.labels.to_text())).collect()
}

/// What [`annotators_to_text`] wrote; `None` of another text.
pub fn annotators_from_text(text: &str) -> Option<Vec<AnnotatorLabels>> {
    let mut annotators = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (annotator, of) = rest.split_once('\n')?;
        // A line of labels is never empty: it has a tab.
        let (labels, next) = match of.strip_prefix('\n') {
            Some(next) => ("", next),
            None => of.split_once("\n\n")?,
        };
        annotators.push(AnnotatorLabels { annotator: annotator.to_owned(), labels: Column::from_text(labels)? });
        rest = next;
    }
    Some(annotators)
}

/// One label an image, made of several annotators' by a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct CombinedLabels {
    /// Image → class, of the images on which the rule gives a label.
    pub labels: Column,
    /// Images that somebody labelled.
    pub labelled: usize,
    /// Images that two or more annotators labelled.
    pub shared: usize,
    /// Those of them on which two annotators differ.
    pub differ: usize,
}

impl CombinedLabels {
    /// By a rule; the order of annotators matters to [`LabelRule::First`] only.
    pub fn of(annotators: &[AnnotatorLabels], rule: LabelRule) -> Self {
        let images: BTreeSet<&str> = annotators.iter().flat_map(|of| of.labels.images()).collect();
        let (mut labels, mut shared, mut differ) = (Vec::new(), 0, 0);
        for &image in &images {
            let given: Vec<&str> = annotators.iter().filter_map(|of| of.labels.get(image)).collect();
            let is_one = given.iter().all(|class| *class == given[0]);
            shared += usize::from(given.len() > 1);
            differ += usize::from(!is_one);
            let label = match rule {
                LabelRule::First => Some(given[0]),
                LabelRule::Agree => (is_one && given.len() == annotators.len()).then_some(given[0]),
                LabelRule::Vote => most_frequent(&given),
            };
            labels.extend(label.map(|label| (image, label)));
        }
        CombinedLabels { labels: labels.into_iter().collect(), labelled: images.len(), shared, differ }
    }
}

/// The word that occurs most often; `None` where two do.
fn most_frequent<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    words.iter().for_each(|word| *counts.entry(word).or_default() += 1);
    let most = *counts.values().max()?;
    let mut winners = words.iter().filter(|word| counts[**word] == most);
    let first = winners.next()?;
    winners.all(|word| word == first).then_some(*first)
}

/// The answers on some images, an annotator each, in the order in which they began; and how many answers are on other pictures.
///
/// An answer is of an image if the picture is the same, byte for byte: none is of an image whose picture is not here.
pub fn labels_of(answers: &[Answered], images: &Images) -> (Vec<AnnotatorLabels>, usize) {
    let mut here: BTreeMap<Digest, Vec<&str>> = BTreeMap::new();
    for (image, picture) in &images.0 {
        picture.iter().for_each(|picture| here.entry(*picture).or_default().push(image));
    }
    let mut annotators: BTreeMap<&str, (u64, BTreeMap<&str, &str>)> = BTreeMap::new();
    let mut elsewhere = 0;
    for Answered { annotation, first, .. } in answers {
        let Some(class) = annotation.choice.class() else { continue };
        let Some(found) = here.get(&annotation.picture) else {
            elsewhere += 1;
            continue;
        };
        let (begun, labels) = annotators.entry(&annotation.annotator).or_insert((*first, BTreeMap::new()));
        *begun = (*begun).min(*first);
        labels.extend(found.iter().map(|image| (*image, class)));
    }
    let mut annotators: Vec<_> = annotators.into_iter().collect();
    annotators.sort_by_key(|(_, (begun, _))| *begun);
    let columns = annotators
        .into_iter()
        .map(|(name, (_, labels))| AnnotatorLabels { annotator: name.to_owned(), labels: labels.into_iter().collect() });
    (columns.collect(), elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(annotator: &str, labels: &[(&str, &str)]) -> AnnotatorLabels {
        AnnotatorLabels { annotator: annotator.to_owned(), labels: labels.iter().copied().collect() }
    }

    fn answered(annotator: &str, image: &str, bytes: &[u8], choice: Choice) -> Answered {
        let annotation = Annotation {
            attribute: "race".into(),
            image: image.into(),
            picture: Digest::of(bytes),
            annotator: annotator.into(),
            by: "user".into(),
            choice,
            asked: AskedQuestion::default(),
        };
        Answered { annotation, at: 0, first: 0 }
    }

    fn class(word: &str) -> Choice {
        Choice::Class(word.into())
    }

    fn shown(column: &Column) -> Vec<(&str, &str)> {
        column.iter().collect()
    }

    #[test]
    fn each_rule_makes_one_label_of_several() {
        let three = [
            by("a", &[("1", "x"), ("2", "x"), ("3", "y")]),
            by("b", &[("1", "x"), ("2", "y")]),
            by("c", &[("1", "x"), ("2", "y"), ("4", "x")]),
        ];
        let of = |rule| CombinedLabels::of(&three, rule);
        assert_eq!(shown(&of(LabelRule::Agree).labels), [("1", "x")]);
        assert_eq!(shown(&of(LabelRule::First).labels), [("1", "x"), ("2", "x"), ("3", "y"), ("4", "x")]);
        assert_eq!(shown(&of(LabelRule::Vote).labels), [("1", "x"), ("2", "y"), ("3", "y"), ("4", "x")]);
        let CombinedLabels { labelled, shared, differ, .. } = of(LabelRule::Agree);
        assert_eq!((labelled, shared, differ), (4, 2, 1));
    }

    #[test]
    fn the_labels_of_annotators_survive_their_text() {
        let three = [by("anna", &[("1", "x"), ("2/a.jpg", "")]), by("nobody yet", &[]), by("ben", &[("1", "y")])];
        for some in [&three[..], &three[1..], &[]] {
            assert_eq!(annotators_from_text(&annotators_to_text(some)).as_deref(), Some(some));
        }
        for other in ["anna", "anna\n1\tx\n", "anna\nno tab\n\n"] {
            assert_eq!(annotators_from_text(other), None, "{other}");
        }
    }

    #[test]
    fn a_vote_that_is_tied_gives_no_label() {
        let two = [by("a", &[("1", "x")]), by("b", &[("1", "y")])];
        assert_eq!(shown(&CombinedLabels::of(&two, LabelRule::Vote).labels), []);
    }

    #[test]
    fn the_labels_of_one_annotator_are_taken_by_every_rule() {
        let one = [by("a", &[("1", "x")])];
        for rule in LabelRule::ALL {
            assert_eq!(shown(&CombinedLabels::of(&one, rule).labels), [("1", "x")]);
        }
    }

    #[test]
    fn an_answer_follows_its_picture_and_not_its_name() {
        let images = Images(vec![("new.png".into(), Some(Digest::of(b"one"))), ("old.png".into(), Some(Digest::of(b"two")))]);
        let answers = [
            answered("a", "old.png", b"one", class("x")),
            answered("a", "gone.png", b"three", class("y")),
            answered("a", "old.png", b"two", Choice::NotObvious),
        ];
        let (labels, elsewhere) = labels_of(&answers, &images);
        assert_eq!((labels.len(), shown(&labels[0].labels), elsewhere), (1, vec![("new.png", "x")], 1));
    }

    #[test]
    fn an_image_whose_picture_is_not_here_gets_no_label_by_its_name() {
        let images = Images(vec![("1.png".into(), None)]);
        assert_eq!(labels_of(&[answered("b", "1.png", b"one", class("x"))], &images), (vec![], 1));
    }

    #[test]
    fn annotators_stand_in_the_order_in_which_they_began_whatever_they_changed_since() {
        let images = Images(vec![("1".into(), Some(Digest::of(b"1"))), ("2".into(), Some(Digest::of(b"2")))]);
        let first = |annotator: &str, image: &str, first: u64| Answered {
            first,
            ..answered(annotator, image, image.as_bytes(), class("x"))
        };
        // The answers of z were given first and changed last.
        let answers = [first("a", "1", 5), first("z", "2", 9), first("z", "1", 1)];
        let names: Vec<String> = labels_of(&answers, &images).0.into_iter().map(|of| of.annotator).collect();
        assert_eq!(names, ["z", "a"]);
    }
}
