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
}

/// The latest answer of an annotator on a picture, and when it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub annotation: Annotation,
    /// Milliseconds since 1970.
    pub at: u64,
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
/// An answer is of an image if the picture is the same, byte for byte. Where the pictures are not here, the image's name decides.
pub fn labels_of(answers: &[Answered], images: &Images) -> (Vec<AnnotatorLabels>, usize) {
    let mut by_picture: BTreeMap<Digest, Vec<&str>> = BTreeMap::new();
    let mut by_name: BTreeSet<&str> = BTreeSet::new();
    for (image, picture) in &images.0 {
        match picture {
            Some(picture) => by_picture.entry(*picture).or_default().push(image),
            None => {
                by_name.insert(image);
            }
        }
    }
    let mut annotators: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
    let mut elsewhere = 0;
    for Answered { annotation, .. } in answers {
        let Some(class) = annotation.choice.class() else { continue };
        let mut found: Vec<&str> = by_picture.get(&annotation.picture).cloned().unwrap_or_default();
        found.extend(by_name.get(annotation.image.as_str()).filter(|_| found.is_empty()));
        elsewhere += usize::from(found.is_empty());
        let labels = found.into_iter().map(|image| (image, class));
        match annotators.iter_mut().find(|(name, _)| *name == annotation.annotator) {
            Some((_, given)) => given.extend(labels),
            None => annotators.push((&annotation.annotator, labels.collect())),
        }
    }
    let columns = annotators.into_iter().filter(|(_, labels)| !labels.is_empty());
    let columns = columns.map(|(name, labels)| AnnotatorLabels {
        annotator: name.to_owned(),
        // The same picture labelled under two names, or twice: one row an image.
        labels: labels.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect(),
    });
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
        };
        Answered { annotation, at: 0 }
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
    fn where_pictures_are_not_here_the_name_decides() {
        let images = Images(vec![("1.png".into(), None)]);
        let (labels, elsewhere) = labels_of(&[answered("b", "1.png", b"one", class("x"))], &images);
        assert_eq!((labels[0].annotator.as_str(), shown(&labels[0].labels), elsewhere), ("b", vec![("1.png", "x")], 0));
    }

    #[test]
    fn annotators_stand_in_the_order_in_which_they_began() {
        let images = Images(vec![("1".into(), None)]);
        let answers = [answered("z", "1", b"1", class("x")), answered("a", "1", b"1", class("y"))];
        let names: Vec<String> = labels_of(&answers, &images).0.into_iter().map(|of| of.annotator).collect();
        assert_eq!(names, ["z", "a"]);
    }
}
