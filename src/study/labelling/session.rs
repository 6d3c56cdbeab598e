//! A pass of one annotator over pictures: what is shown, and what was answered. Pure: the caller shows pictures and keeps answers.

use super::question::LabellingQuestion;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use visavis_core::domain::{
    Digest, Fault, Result,
    annotation::{Annotation, Answered, AskedQuestion, Choice},
    image::{Column, Images},
    text::printable,
};

/// What the annotator says of the picture that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The class with this place.
    Class(usize),
    NotObvious,
    Skip,
}

/// What became of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// To be kept; then [`LabellingSession::take`].
    Keep(Annotation),
    /// Nothing changes, and why.
    Refused(String),
}

/// How many pictures got which answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By class, in the question's order.
    pub classes: Vec<usize>,
    pub not_obvious: usize,
    pub skipped: usize,
    /// Pictures that cannot be shown: passed over in this session, and nothing is said about them.
    pub unreadable: usize,
    /// Pictures that were not shown yet.
    pub left: usize,
}

/// A pass of one annotator over pictures.
pub struct LabellingSession {
    pub question: LabellingQuestion,
    images: Images,
    identities: Option<Column>,
    /// Places of images, in the order in which they are shown.
    order: Vec<usize>,
    /// Of each image the first one that is the same, byte for byte: it stands for the picture of both.
    pictures: Vec<usize>,
    /// Of each picture how many of the images that are asked for are it.
    asked: Vec<usize>,
    /// This annotator's answers by picture. Those of others are not known here.
    answers: HashMap<usize, Choice>,
    /// Kept with every answer: a set may have hundreds of thousands of pictures, and the screen is drawn after each key.
    tally: Tally,
    /// Pictures with an answer, the latest last.
    history: Vec<usize>,
    unreadable: BTreeMap<usize, String>,
    /// The place in `order` of the picture that is shown; behind the end: none is left.
    at: usize,
    /// Pictures that were skipped are shown again, as no others are left.
    second_round: bool,
    /// Something was answered in this session.
    is_begun: bool,
}

impl LabellingSession {
    /// `answers`: what was answered before on this attribute, of any annotator; those of others are passed over. `order`: places of images.
    ///
    /// # Errors
    /// Answers that another user gave under this annotator's name; answers of classes that are not among those that are asked.
    pub fn new(
        question: LabellingQuestion,
        images: Images,
        identities: Option<Column>,
        order: Vec<usize>,
        answers: &[Answered],
    ) -> Result<Self> {
        let own: Vec<&Answered> = answers.iter().filter(|of| of.annotation.annotator == question.annotator).collect();
        if let Some(other) = own.iter().find(|of| of.annotation.by != question.by) {
            return Err(Fault::asked(format!(
                "the user `{}` labelled `{}` under the name `{}` before",
                printable(&other.annotation.by),
                question.attribute,
                question.annotator
            ))
            .next("two people need two names: --annotator NAME"));
        }
        let mut first: HashMap<Digest, usize> = HashMap::new();
        let picture = |(place, (_, digest)): (usize, &(_, Option<Digest>))| match digest {
            Some(digest) => *first.entry(*digest).or_insert(place),
            None => place,
        };
        let pictures: Vec<usize> = images.0.iter().enumerate().map(picture).collect();
        let mut asked = vec![0; images.len()];
        for place in order.iter().filter(|place| images.0[**place].1.is_some()) {
            asked[pictures[*place]] += 1;
        }
        let own = own.into_iter().filter_map(|of| Some((*first.get(&of.annotation.picture)?, &of.annotation.choice)));
        let own: Vec<(usize, &Choice)> = own.collect();
        let known = |class: &str| question.classes.iter().any(|of| of.name == class);
        if let Some(class) = own.iter().filter_map(|(_, choice)| choice.class()).find(|class| !known(class)) {
            return Err(Fault::asked(format!(
                "`{}` is a label that {} gave before, and no class now",
                printable(class),
                question.annotator
            ))
            .next("name all classes of before; new ones may follow them"));
        }
        let left = asked.iter().sum();
        let mut session = LabellingSession {
            tally: Tally { classes: vec![0; question.classes.len()], left, ..Tally::default() },
            question,
            images,
            identities,
            order,
            pictures,
            asked,
            answers: HashMap::new(),
            history: vec![],
            unreadable: BTreeMap::new(),
            at: 0,
            second_round: false,
            is_begun: false,
        };
        own.into_iter().for_each(|(picture, choice)| session.note(picture, choice.clone()));
        session.go_on();
        Ok(session)
    }

    /// The images that it is about, in the order of their ids.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// The picture to look at: its image and its digest. `None`: nothing is left.
    pub fn current(&self) -> Option<(&str, Digest)> {
        self.shown(self.at)
    }

    /// The pictures that come after it, at most so many.
    pub fn ahead(&self, count: usize) -> Vec<(&str, Digest)> {
        let next = (self.at + 1..self.order.len()).filter(|&at| self.is_open(at));
        next.take(count).filter_map(|at| self.shown(at)).collect()
    }

    fn shown(&self, at: usize) -> Option<(&str, Digest)> {
        let (id, picture) = &self.images.0[*self.order.get(at)?];
        Some((id, (*picture)?))
    }

    /// Is a picture without an answer at this place of the order?
    fn is_open(&self, at: usize) -> bool {
        if self.shown(at).is_none() || self.unreadable.contains_key(&self.order[at]) {
            return false;
        }
        match self.answers.get(&self.pictures[self.order[at]]) {
            None => true,
            Some(Choice::Skipped) => self.second_round,
            Some(_) => false,
        }
    }

    /// To the next picture without an answer; those that were skipped come when no others are left, once.
    fn go_on(&mut self) {
        let next = |session: &Self, from: usize| (from..session.order.len()).find(|&at| session.is_open(at));
        if let Some(at) = next(self, self.at) {
            self.at = at;
            return;
        }
        if let Some(at) = next(self, 0).filter(|_| !self.second_round) {
            self.at = at;
            return;
        }
        self.at = self.order.len();
        if !self.second_round {
            self.second_round = true;
            if let Some(at) = next(self, 0) {
                self.at = at;
            }
        }
    }

    /// Of every picture the place of its class; `None` without a label.
    pub fn labels(&self) -> Vec<Option<usize>> {
        let class = |picture: &usize| {
            let class = self.answers.get(picture)?.class()?;
            self.question.classes.iter().position(|of| of.name == class)
        };
        self.pictures.iter().map(class).collect()
    }

    /// Shows these pictures first from now on; the others keep their order behind them. Once something was answered, the picture that is
    /// shown stays.
    pub fn reorder(&mut self, first: &[usize]) {
        let shown = self.order.get(self.at).copied();
        let known: BTreeSet<usize> = self.order.iter().copied().collect();
        let mut taken = BTreeSet::new();
        let order =
            shown.iter().filter(|_| self.is_begun).chain(first.iter().filter(|place| known.contains(place))).chain(&self.order);
        let order: Vec<usize> = order.copied().filter(|place| taken.insert(*place)).collect();
        self.order = order;
        if shown.is_some() {
            self.at = 0;
            self.go_on();
        } else {
            self.at = self.order.len();
        }
    }

    /// Nothing is left to ask: every class has its quota, or every picture an answer.
    pub fn is_done(&self) -> bool {
        self.current().is_none() || (0..self.question.classes.len()).all(|class| self.is_full(class))
    }

    /// Has this class as many labels as are wanted?
    pub fn is_full(&self, class: usize) -> bool {
        self.question.quota.is_some_and(|quota| self.tally.classes[class] >= quota)
    }

    /// What an answer on the picture that is shown means; nothing changes yet.
    pub fn answer(&self, answer: &Answer) -> Outcome {
        if self.is_done() {
            return Outcome::Refused("nothing is left to ask: u takes the latest answer back, q leaves".to_owned());
        }
        let Some((image, picture)) = self.current() else { return Outcome::Refused("no picture is left".to_owned()) };
        let choice = match answer {
            Answer::Class(class) if self.is_full(*class) => {
                let of = &self.question.classes[*class].name;
                let quota = self.question.quota.unwrap_or_default();
                return Outcome::Refused(format!("{of} has its {quota} labels: skip the picture"));
            }
            Answer::Class(class) => Choice::Class(self.question.classes[*class].name.clone()),
            Answer::NotObvious => Choice::NotObvious,
            Answer::Skip => Choice::Skipped,
        };
        Outcome::Keep(self.annotation(image, picture, choice))
    }

    /// What taking back the latest answer means; nothing changes yet.
    pub fn undo(&self) -> Outcome {
        let latest = self.history.last().map(|&latest| &self.images.0[latest]);
        let Some((image, Some(picture))) = latest else {
            return Outcome::Refused("there is no answer to take back".to_owned());
        };
        Outcome::Keep(self.annotation(image, *picture, Choice::Withdrawn))
    }

    /// The picture of these bytes; `None`: it is not here. The one that is shown and the latest that was answered need no search.
    fn picture(&self, digest: Digest) -> Option<usize> {
        let is_it = |place: &usize| self.images.0[*place].1 == Some(digest);
        let shown = self.order.get(self.at).copied();
        let place = shown.into_iter().chain(self.history.last().copied()).find(is_it);
        Some(self.pictures[place.or_else(|| (0..self.images.len()).find(is_it))?])
    }

    fn annotation(&self, image: &str, picture: Digest, choice: Choice) -> Annotation {
        Annotation {
            asked: AskedQuestion {
                classes: self.question.classes.iter().map(|class| class.name.clone()).collect(),
                quota: self.question.quota,
            },
            attribute: self.question.attribute.clone(),
            image: image.to_owned(),
            picture,
            annotator: self.question.annotator.clone(),
            by: self.question.by.clone(),
            choice,
        }
    }

    /// Takes in an answer that is kept, and goes to the next picture; after one was taken back, to that.
    pub fn take(&mut self, kept: &Annotation) {
        self.is_begun = true;
        let picture = self.picture(kept.picture);
        picture.into_iter().for_each(|picture| self.note(picture, kept.choice.clone()));
        if kept.choice == Choice::Withdrawn {
            let place = |&at: &usize| picture == Some(self.pictures[self.order[at]]);
            self.at = (0..self.order.len()).find(place).unwrap_or(self.at);
        } else {
            self.at = (self.at + 1).min(self.order.len());
            self.go_on();
        }
    }

    /// The picture that is shown cannot be: goes to the next.
    pub fn pass_over(&mut self, why: String) {
        if let Some(&place) = self.order.get(self.at) {
            if self.unreadable.insert(place, why).is_none() {
                let picture = self.pictures[place];
                self.tally.unreadable += 1;
                // Another image of the same bytes may still be shown, and its answer counts without this one.
                self.asked[picture] -= 1;
                self.tally.left -= usize::from(!self.answers.contains_key(&picture));
            }
            self.go_on();
        }
    }

    /// The first picture that could not be shown, and why.
    pub fn first_unreadable(&self) -> Option<(&str, &str)> {
        self.unreadable.iter().next().map(|(&place, why)| (self.images.0[place].0.as_str(), why.as_str()))
    }

    fn note(&mut self, picture: usize, choice: Choice) {
        let asked = self.asked[picture];
        if let Some(before) = self.answers.remove(&picture) {
            // The latest answers are taken back first.
            let at = self.history.iter().rposition(|of| *of == picture);
            at.map(|at| self.history.remove(at));
            self.tally.left += asked;
            *self.counted(&before) -= 1;
        }
        if choice != Choice::Withdrawn {
            self.tally.left -= asked;
            *self.counted(&choice) += 1;
            self.answers.insert(picture, choice);
            self.history.push(picture);
        }
    }

    /// Where an answer is counted.
    fn counted(&mut self, choice: &Choice) -> &mut usize {
        let class = choice.class().and_then(|class| self.question.classes.iter().position(|of| of.name == class));
        match (class, choice) {
            (Some(class), _) => &mut self.tally.classes[class],
            (None, Choice::Skipped) => &mut self.tally.skipped,
            (None, _) => &mut self.tally.not_obvious,
        }
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// This annotator's earlier labels of the person who is shown: image and class. `None`: who is shown is not known.
    pub fn context(&self) -> Option<Vec<(&str, &str)>> {
        let (identities, (image, _)) = (self.identities.as_ref()?, self.current()?);
        let person = identities.get(image)?;
        let said = self.history.iter().map(|picture| (self.images.0[*picture].0.as_str(), self.answers[picture].class()));
        let same = said.filter(|(id, _)| *id != image && identities.get(id) == Some(person));
        Some(same.filter_map(|(id, class)| Some((id, class?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(quota: Option<usize>) -> LabellingQuestion {
        LabellingQuestion::new("race", &["white".into(), "black".into()], quota, "ann", "user").unwrap()
    }

    fn images(count: usize) -> Images {
        Images((0..count).map(|place| (format!("{place}.png"), Some(Digest::of(&[place as u8])))).collect())
    }

    fn session(count: usize, quota: Option<usize>, answers: &[Answered]) -> LabellingSession {
        LabellingSession::new(question(quota), images(count), None, (0..count).collect(), answers).unwrap()
    }

    fn say(session: &mut LabellingSession, answer: Answer) {
        let Outcome::Keep(kept) = session.answer(&answer) else { panic!("{answer:?} is refused") };
        session.take(&kept);
    }

    fn undo(session: &mut LabellingSession) {
        let Outcome::Keep(kept) = session.undo() else { panic!("nothing to take back") };
        session.take(&kept);
    }

    fn shown(session: &LabellingSession) -> Option<&str> {
        session.current().map(|(image, _)| image)
    }

    fn answered(image: usize, annotator: &str, by: &str, choice: Choice) -> Answered {
        let annotation = Annotation {
            attribute: "race".into(),
            image: format!("{image}.png"),
            picture: Digest::of(&[image as u8]),
            annotator: annotator.into(),
            by: by.into(),
            choice,
            asked: AskedQuestion::default(),
        };
        Answered { annotation, at: 0, first: 0 }
    }

    #[test]
    fn a_picture_that_cannot_be_shown_is_counted_once_and_another_of_its_bytes_still_shown() {
        let one = |id: &str| (id.to_owned(), Some(Digest::of(b"one")));
        let images = Images(vec![one("0.png"), one("1.png"), ("2.png".to_owned(), Some(Digest::of(b"two")))]);
        let mut session = LabellingSession::new(question(None), images, None, vec![0, 1, 2], &[]).unwrap();
        session.pass_over("gone".to_owned());
        assert_eq!((shown(&session), session.tally().left), (Some("1.png"), 2));
        say(&mut session, Answer::Class(0));
        assert_eq!((shown(&session), session.tally().left), (Some("2.png"), 1));
        undo(&mut session);
        assert_eq!(session.tally().left, 2);
        say(&mut session, Answer::Skip);
        say(&mut session, Answer::Skip);
        // Skipped pictures come again, and may be gone by then.
        session.pass_over("gone".to_owned());
        assert_eq!((shown(&session), session.tally().left, session.tally().unreadable), (Some("2.png"), 0, 2));
    }

    #[test]
    fn each_answer_goes_to_the_next_picture_and_undo_comes_back() {
        let mut session = session(3, None, &[]);
        say(&mut session, Answer::Class(1));
        assert_eq!((shown(&session), session.tally().classes.clone()), (Some("1.png"), vec![0, 1]));
        undo(&mut session);
        assert_eq!((shown(&session), session.tally().classes.clone()), (Some("0.png"), vec![0, 0]));
        say(&mut session, Answer::Class(0));
        say(&mut session, Answer::NotObvious);
        say(&mut session, Answer::Class(0));
        assert_eq!((shown(&session), session.is_done()), (None, true));
        assert_eq!(*session.tally(), Tally { classes: vec![2, 0], not_obvious: 1, ..Tally::default() });
    }

    #[test]
    fn what_was_answered_before_is_not_asked_again_and_can_be_taken_back() {
        let before = [answered(0, "ann", "user", Choice::Class("white".into())), answered(1, "ann", "user", Choice::NotObvious)];
        let mut session = session(3, None, &before);
        assert_eq!((shown(&session), session.tally().left), (Some("2.png"), 1));
        undo(&mut session);
        assert_eq!(shown(&session), Some("1.png"));
    }

    #[test]
    fn two_images_of_the_same_bytes_are_one_picture_and_one_answer() {
        let mut of = images(4);
        of.0[3].1 = of.0[1].1;
        of.0[2].1 = None;
        let mut session = LabellingSession::new(question(None), of, None, vec![3, 0, 1, 2], &[]).unwrap();
        assert_eq!(session.tally().left, 3, "one has no picture");
        say(&mut session, Answer::Class(1));
        assert_eq!((shown(&session), session.tally().left), (Some("0.png"), 1));
        assert_eq!(session.labels(), [None, Some(1), None, Some(1)]);
        say(&mut session, Answer::Class(0));
        assert!(session.is_done());
        undo(&mut session);
        undo(&mut session);
        assert_eq!((shown(&session), session.tally().left, session.labels()), (Some("3.png"), 3, vec![None; 4]));
    }

    #[test]
    fn a_second_annotator_is_blind_to_the_first() {
        let of_other = [answered(0, "ben", "other", Choice::Class("white".into()))];
        let session = session(2, None, &of_other);
        assert_eq!((shown(&session), session.tally().classes.clone()), (Some("0.png"), vec![0, 0]));
    }

    #[test]
    fn two_people_under_one_name_are_refused() {
        let of_other = [answered(0, "ann", "other", Choice::Skipped)];
        let fault = LabellingSession::new(question(None), images(2), None, vec![0, 1], &of_other).err().unwrap();
        assert!(fault.what.contains("`other`") && fault.to_string().contains("--annotator"), "{fault}");
    }

    #[test]
    fn a_label_of_a_class_that_is_not_asked_for_any_more_is_refused() {
        let before = [answered(0, "ann", "user", Choice::Class("green".into()))];
        assert!(LabellingSession::new(question(None), images(2), None, vec![0, 1], &before).is_err());
        // Of a picture that is not here it does not matter.
        let elsewhere = [answered(99, "ann", "user", Choice::Class("green".into()))];
        assert!(LabellingSession::new(question(None), images(2), None, vec![0, 1], &elsewhere).is_ok());
    }

    #[test]
    fn skipped_pictures_come_again_when_no_others_are_left() {
        let mut session = session(3, None, &[]);
        say(&mut session, Answer::Skip);
        say(&mut session, Answer::Class(0));
        say(&mut session, Answer::Class(0));
        assert_eq!(shown(&session), Some("0.png"));
        say(&mut session, Answer::Skip);
        assert_eq!(shown(&session), None, "once");
    }

    #[test]
    fn a_class_that_has_its_quota_takes_no_more_and_the_session_ends_when_all_have() {
        let mut session = session(9, Some(1), &[]);
        say(&mut session, Answer::Class(0));
        assert!(matches!(session.answer(&Answer::Class(0)), Outcome::Refused(why) if why.contains("white has its 1")));
        assert!(!session.is_done());
        say(&mut session, Answer::Class(1));
        assert!(session.is_done());
    }

    #[test]
    fn another_order_begins_after_the_picture_that_is_shown_and_loses_none() {
        let mut session = session(5, None, &[]);
        say(&mut session, Answer::Class(1));
        session.reorder(&[4, 0, 99]);
        let mut seen = vec![];
        while let Some((image, _)) = session.current() {
            seen.push(image.to_owned());
            say(&mut session, Answer::Class(0));
        }
        assert_eq!(seen, ["1.png", "4.png", "2.png", "3.png"]);
        assert_eq!(session.labels(), [Some(1), Some(0), Some(0), Some(0), Some(0)]);
    }

    #[test]
    fn a_picture_that_cannot_be_shown_is_counted_and_says_nothing() {
        let mut session = session(2, None, &[]);
        session.pass_over("cut short".into());
        assert_eq!((shown(&session), session.tally().unreadable, session.tally().left), (Some("1.png"), 1, 1));
        assert_eq!(session.first_unreadable(), Some(("0.png", "cut short")));
    }

    #[test]
    fn context_is_what_this_annotator_said_of_the_same_person() {
        let people: Column = [("0.png", "p"), ("1.png", "p"), ("2.png", "q")].into_iter().collect();
        let order = vec![0, 2, 1];
        let mut session = LabellingSession::new(question(None), images(3), Some(people), order, &[]).unwrap();
        say(&mut session, Answer::Class(1));
        assert_eq!(session.context(), Some(vec![]));
        say(&mut session, Answer::Class(0));
        assert_eq!(session.context(), Some(vec![("0.png", "black")]));
    }
}
