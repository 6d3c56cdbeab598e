//! What a labelling session asks, and what was answered. Pure: the caller shows pictures and keeps answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use visavis_core::domain::{
    Digest, Fault, Result,
    annotation::{Annotation, Answered, AskedQuestion, Choice},
    image::{Column, Images},
    missing::is_usual,
    text::printable,
};

/// Keys that are no class's: skip, not obvious, undo, context, drawing, help, quit.
pub const RESERVED_KEYS: [char; 7] = [' ', 'o', 'u', 'c', 'd', '?', 'q'];

/// More classes than keys for them.
const MOST_CLASSES: usize = 26;

/// A class with the key that chooses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassKey {
    pub name: String,
    pub key: char,
}

/// What is asked of every picture, and of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabellingQuestion {
    pub attribute: String,
    pub classes: Vec<ClassKey>,
    /// Labels wanted of each class; `None`: as many as there are pictures.
    pub quota: Option<usize>,
    pub annotator: String,
    /// The user on the machine.
    pub by: String,
}

impl LabellingQuestion {
    /// # Errors
    /// Classes of which there are fewer than two or too many, one without a name, one that is there twice.
    pub fn new(attribute: &str, classes: &[String], quota: Option<usize>, annotator: &str, by: &str) -> Result<Self> {
        let classes: Vec<&str> = classes.iter().map(|class| class.trim()).collect();
        let wrong = |what: String| Fault::asked(what).next("such as --classes white,black,asian");
        if classes.len() < 2 {
            return Err(wrong("a label needs two classes or more".to_owned()));
        }
        if classes.len() > MOST_CLASSES {
            return Err(wrong(format!("{} classes have no keys: {MOST_CLASSES} at most", classes.len())));
        }
        for (at, class) in classes.iter().enumerate() {
            if !class.is_empty() && is_usual(class) {
                return Err(wrong(format!("`{class}` is read as a missing label: a class needs another name")));
            }
            if class.is_empty() {
                return Err(wrong("a class has no name".to_owned()));
            }
            if printable(class) != *class {
                return Err(wrong(format!("the class `{}` has characters that cannot be shown", printable(class))));
            }
            if classes[..at].contains(class) {
                return Err(wrong(format!("the class `{class}` is there twice")));
            }
        }
        let digits = '1'..='9';
        let letters = ('a'..='z').filter(|letter| !RESERVED_KEYS.contains(letter));
        let classes = classes.into_iter().zip(digits.chain(letters)).map(|(name, key)| ClassKey { name: name.to_owned(), key });
        let (attribute, annotator, by) = (attribute.to_owned(), annotator.to_owned(), by.to_owned());
        Ok(LabellingQuestion { attribute, classes: classes.collect(), quota, annotator, by })
    }
}

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

/// The places of a picture: two images may be the same, byte for byte.
#[derive(Default)]
struct PicturePlaces {
    /// The first image that is it.
    first: usize,
    /// How many of the images that are asked for are it.
    asked: usize,
}

/// A pass of one annotator over pictures.
pub struct LabellingSession {
    pub question: LabellingQuestion,
    images: Images,
    identities: Option<Column>,
    /// Places of images, in the order in which they are shown.
    order: Vec<usize>,
    /// Where each picture is.
    places: HashMap<Digest, PicturePlaces>,
    /// This annotator's answers by picture. Those of others are not known here.
    answers: HashMap<Digest, Choice>,
    /// Kept with every answer: a set may have hundreds of thousands of pictures, and the screen is drawn after each key.
    tally: Tally,
    /// Pictures with an answer, the latest last.
    history: Vec<Digest>,
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
        let mut places: HashMap<Digest, PicturePlaces> = HashMap::new();
        for (place, (_, picture)) in images.0.iter().enumerate().rev() {
            picture.iter().for_each(|picture| places.entry(*picture).or_default().first = place);
        }
        for place in &order {
            let picture = images.0[*place].1.and_then(|picture| places.get_mut(&picture));
            picture.into_iter().for_each(|of| of.asked += 1);
        }
        let own: Vec<&Answered> = own.into_iter().filter(|of| places.contains_key(&of.annotation.picture)).collect();
        let known = |class: &str| question.classes.iter().any(|of| of.name == class);
        if let Some(class) = own.iter().filter_map(|of| of.annotation.choice.class()).find(|class| !known(class)) {
            return Err(Fault::asked(format!(
                "`{}` is a label that {} gave before, and no class now",
                printable(class),
                question.annotator
            ))
            .next("name all classes of before; new ones may follow them"));
        }
        let left = places.values().map(|of| of.asked).sum();
        let mut session = LabellingSession {
            tally: Tally { classes: vec![0; question.classes.len()], left, ..Tally::default() },
            question,
            images,
            identities,
            order,
            places,
            answers: HashMap::new(),
            history: vec![],
            unreadable: BTreeMap::new(),
            at: 0,
            second_round: false,
            is_begun: false,
        };
        own.iter().for_each(|of| session.note(of.annotation.picture, of.annotation.choice.clone()));
        session.go_on();
        Ok(session)
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
        let Some((_, picture)) = self.shown(at) else { return false };
        if self.unreadable.contains_key(&self.order[at]) {
            return false;
        }
        match self.answers.get(&picture) {
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
        let class = |picture: &Digest| {
            let class = self.answers.get(picture)?.class()?;
            self.question.classes.iter().position(|of| of.name == class)
        };
        self.images.0.iter().map(|(_, picture)| class(picture.as_ref()?)).collect()
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
        let Some(latest) = self.history.last() else { return Outcome::Refused("there is no answer to take back".to_owned()) };
        Outcome::Keep(self.annotation(self.image(latest), *latest, Choice::Withdrawn))
    }

    /// The image that is this picture; the first, of several.
    fn image(&self, picture: &Digest) -> &str {
        self.places.get(picture).map_or("", |of| self.images.0[of.first].0.as_str())
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
        self.note(kept.picture, kept.choice.clone());
        if kept.choice == Choice::Withdrawn {
            let place = |&at: &usize| self.shown(at).is_some_and(|(_, picture)| picture == kept.picture);
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
                self.tally.unreadable += 1;
                self.tally.left = self.tally.left.saturating_sub(1);
            }
            self.go_on();
        }
    }

    /// The first picture that could not be shown, and why.
    pub fn first_unreadable(&self) -> Option<(&str, &str)> {
        self.unreadable.iter().next().map(|(&place, why)| (self.images.0[place].0.as_str(), why.as_str()))
    }

    fn note(&mut self, picture: Digest, choice: Choice) {
        let asked = self.places.get(&picture).map_or(0, |of| of.asked);
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
        let said = self.history.iter().map(|picture| (self.image(picture), self.answers[picture].class()));
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

    #[test]
    fn every_class_has_a_key_of_its_own() {
        let classes: Vec<String> = (0..MOST_CLASSES).map(|place| format!("c{place}")).collect();
        let keys: Vec<char> =
            LabellingQuestion::new("a", &classes, None, "x", "x").unwrap().classes.iter().map(|of| of.key).collect();
        assert_eq!(keys.len(), MOST_CLASSES);
        assert!(keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key) && !RESERVED_KEYS.contains(key)), "{keys:?}");
    }

    #[test]
    fn classes_that_cannot_be_told_apart_are_refused() {
        let made = |classes: &[&str]| {
            let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
            LabellingQuestion::new("a", &classes, None, "x", "x").err().map(|fault| fault.what)
        };
        assert_eq!(made(&["x"]).unwrap(), "a label needs two classes or more");
        assert_eq!(made(&["x", " x "]).unwrap(), "the class `x` is there twice");
        assert_eq!(made(&["x", ""]).unwrap(), "a class has no name");
        assert!(made(&["x", "\u{202e}y"]).unwrap().contains("cannot be shown"));
        assert_eq!(made(&["x", "y"]), None);
    }
}
