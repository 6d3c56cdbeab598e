//! What a key means while pictures are labelled. Pure: no picture is read, no answer is kept.

use super::loader::PictureLoader;
use crate::{
    study::labelling::{Answer, LabellingSession, Outcome},
    tui::{drawing::DrawingMode, theme::Theme},
};
use visavis_core::domain::annotation::Annotation;

/// What is set while somebody labels, beside the session itself.
pub struct LabellingView {
    pub session: LabellingSession,
    pub theme: Theme,
    pub drawing: DrawingMode,
    /// What is said at the foot, until the next key; `true`: bad news.
    pub said: Option<(String, bool)>,
    /// Earlier labels of the person who is shown are shown.
    pub shows_context: bool,
    /// The picture that is asked for is seen: nothing is said about one that is not.
    pub shows_picture: bool,
    pub shows_help: bool,
}

/// What is to be done for an answer that was typed as a line.
#[derive(Debug, PartialEq)]
pub enum LineStep {
    /// Keep the answer; then `LabellingSession::take`.
    Keep(Annotation),
    Refused(String),
    Leave,
}

/// What is to be done for a key.
#[derive(Debug, PartialEq)]
pub(super) enum KeyEffect {
    /// Keep the answer; then `LabellingSession::take`.
    Keep(Annotation),
    /// The screen is to be cleared: pictures of before stand outside of the text.
    Clear,
    /// Nothing but to draw.
    Draw,
    Quit,
}

impl LabellingView {
    pub fn new(session: LabellingSession, theme: Theme, drawing: DrawingMode) -> Self {
        LabellingView { session, theme, drawing, said: None, shows_context: false, shows_picture: false, shows_help: false }
    }

    /// An answer that was typed as a line: a key of the screen, a class's name, or `skip`.
    pub fn line(&mut self, text: &str) -> LineStep {
        if ["?", "c", "d"].contains(&text) {
            return LineStep::Refused(format!("`{text}` is a key of the screen, and no answer"));
        }
        let named = self.session.question.classes.iter().find(|class| class.name == text).map(|class| class.key.to_string());
        let key = match text {
            "skip" | "" => "Space".to_owned(),
            other => named.unwrap_or_else(|| other.to_owned()),
        };
        match self.key(&key) {
            KeyEffect::Keep(annotation) => LineStep::Keep(annotation),
            KeyEffect::Quit => LineStep::Leave,
            KeyEffect::Clear | KeyEffect::Draw => {
                LineStep::Refused(self.said.take().map_or_else(|| format!("`{text}` means nothing in a line"), |(why, _)| why))
            }
        }
    }

    /// The picture that is asked for; those before it that cannot be read are passed over. `None`: none is left.
    pub fn readable(&mut self, pictures: &mut PictureLoader) -> Option<String> {
        loop {
            let (image, digest) = self.session.current().map(|(image, digest)| (image.to_owned(), digest))?;
            match pictures.wait(&image, digest) {
                Ok(_) => {
                    self.shows_picture = true;
                    return Some(image);
                }
                Err(why) => self.session.pass_over(why),
            }
        }
    }

    /// A key by its name: `3`, `Space`, `Esc`.
    pub(super) fn key(&mut self, name: &str) -> KeyEffect {
        self.said = None;
        if self.shows_help {
            self.shows_help = false;
            return if name == "Ctrl-c" { KeyEffect::Quit } else { KeyEffect::Draw };
        }
        let outcome = match name {
            "q" | "Esc" | "Ctrl-c" => return KeyEffect::Quit,
            "?" => {
                self.shows_help = true;
                return KeyEffect::Draw;
            }
            "c" => {
                self.shows_context = !self.shows_context;
                return KeyEffect::Draw;
            }
            "d" => {
                self.drawing = self.drawing.next();
                return KeyEffect::Clear;
            }
            "u" => self.session.undo(),
            _ if !self.shows_picture && !self.session.is_done() => {
                Outcome::Refused("the picture is not shown yet: nothing was answered".to_owned())
            }
            "Space" => self.session.answer(&Answer::Skip),
            "o" => self.session.answer(&Answer::NotObvious),
            other => match self.session.question.classes.iter().position(|class| class.key.to_string() == other) {
                Some(class) => self.session.answer(&Answer::Class(class)),
                None => Outcome::Refused(format!("`{other}` is no key here: ? lists them")),
            },
        };
        match outcome {
            Outcome::Keep(annotation) => KeyEffect::Keep(annotation),
            Outcome::Refused(why) => {
                self.said = Some((why, true));
                KeyEffect::Draw
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::labelling::LabellingQuestion;
    use visavis_core::domain::{Digest, annotation::Choice, image::Images};

    fn view() -> LabellingView {
        let question = LabellingQuestion::new("race", &["white".into(), "black".into()], None, "ann", "user").unwrap();
        let images = Images((0..3u8).map(|place| (format!("{place}.png"), Some(Digest::of(&[place])))).collect());
        let session = LabellingSession::new(question, images, None, vec![0, 1, 2], &[]).unwrap();
        let view = LabellingView::new(session, Theme::Dark, DrawingMode::Blocks);
        LabellingView { shows_picture: true, ..view }
    }

    fn kept(effect: &KeyEffect) -> Option<&Choice> {
        match effect {
            KeyEffect::Keep(annotation) => Some(&annotation.choice),
            _ => None,
        }
    }

    #[test]
    fn a_key_is_a_class_and_nothing_is_taken_before_it_is_kept() {
        let mut view = view();
        assert_eq!(kept(&view.key("2")), Some(&Choice::Class("black".into())));
        assert_eq!(view.session.current().unwrap().0, "0.png");
        assert_eq!(kept(&view.key("Space")), Some(&Choice::Skipped));
        assert_eq!(kept(&view.key("o")), Some(&Choice::NotObvious));
    }

    #[test]
    fn nothing_is_said_about_a_picture_that_is_not_shown() {
        let mut view = LabellingView { shows_picture: false, ..view() };
        for key in ["1", "Space", "o"] {
            assert_eq!(view.key(key), KeyEffect::Draw);
            assert!(view.said.as_ref().is_some_and(|(text, _)| text.contains("not shown")), "{key}");
        }
    }

    #[test]
    fn a_line_is_an_answer_or_refused_and_never_opens_something() {
        let mut view = view();
        for text in ["?", "c", "d", "9"] {
            assert!(matches!(view.line(text), LineStep::Refused(_)), "{text}");
        }
        assert!(matches!(view.line("black"), LineStep::Keep(_)));
    }

    #[test]
    fn keys_that_mean_nothing_say_so() {
        let mut view = view();
        for key in ["7", "x", "Enter", "u"] {
            assert_eq!(view.key(key), KeyEffect::Draw);
            assert!(view.said.as_ref().is_some_and(|(_, is_bad)| *is_bad), "{key}");
        }
    }

    #[test]
    fn any_key_leaves_the_help_and_answers_nothing() {
        let mut view = view();
        view.key("?");
        assert_eq!((view.shows_help, view.key("1"), view.shows_help), (true, KeyEffect::Draw, false));
    }

    #[test]
    fn leaving_is_a_key() {
        assert!(["q", "Esc", "Ctrl-c"].into_iter().all(|key| view().key(key) == KeyEffect::Quit));
    }
}
