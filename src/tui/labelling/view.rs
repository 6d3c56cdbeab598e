//! The labelling screen, drawn: the picture, the classes with their counts, the keys.

use super::{loader::Loaded, picture::photograph, state::LabellingView};
use crate::tui::{
    paint::Paint,
    pixels::Pixels,
    text::{fit, left, right, width, wrapped},
};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

/// The least room in which a picture can be told.
pub(super) const LEAST: (u16, u16) = (40, 12);
/// Columns of the list of classes, beside the picture.
const SIDE: u16 = 38;

const HELP: [(&str, &str); 8] = [
    ("a class's key", "the picture shows this class"),
    ("Space", "skip: it comes again when no others are left"),
    ("o", "not obvious: the picture gets no label, and does not come again"),
    ("u", "undo the latest answer, and answer again"),
    ("c", "your earlier labels of the same person"),
    ("d", "how pictures are drawn: braille, blocks, letters, kitty, sixel, iTerm2"),
    ("q, Esc", "leave: every answer is kept, the next session goes on here"),
    ("?", "this help"),
];

/// Draws the screen. `picture`: the one that is shown, if it is there.
pub(super) struct LabellingFrame<'a> {
    pub(super) view: &'a LabellingView,
    pub(super) picture: Option<&'a Loaded>,
}

impl LabellingFrame<'_> {
    pub(super) fn draw(&self, frame: &mut Frame, pixels: &mut Pixels) {
        let (area, mut hits) = (frame.area(), vec![]);
        let theme = self.view.theme;
        let mut paint = Paint { frame, hits: &mut hits, pixels, theme };
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return paint.empty(area, &format!("labelling needs {} × {} characters", LEAST.0, LEAST.1));
        }
        let [head, middle, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)]).areas(area);
        paint.line(head, self.head(usize::from(head.width)));
        paint.line(foot, self.foot(usize::from(foot.width)));
        if self.view.shows_help {
            return self.help(&mut paint, middle);
        }
        if area.width >= 2 * SIDE {
            let [shown, side] = Layout::horizontal([Constraint::Min(1), Constraint::Length(SIDE)]).areas(middle);
            self.picture(&mut paint, shown);
            self.classes(&mut paint, side);
        } else {
            let rows = (self.view.session.question.classes.len() as u16 + 3).min(middle.height / 2);
            let [shown, below] = Layout::vertical([Constraint::Min(1), Constraint::Length(rows)]).areas(middle);
            self.picture(&mut paint, shown);
            self.classes(&mut paint, below);
        }
    }

    fn head(&self, room: usize) -> Line<'static> {
        let (session, theme) = (&self.view.session, self.view.theme);
        let tally = session.tally();
        let answered = tally.classes.iter().sum::<usize>() + tally.not_obvious + tally.skipped;
        let unreadable = if tally.unreadable > 0 { format!(" · {} cannot be shown", tally.unreadable) } else { String::new() };
        let end = format!("{answered} answered · {} left{unreadable} ", tally.left);
        let name = format!(" Label · {} · by {}", session.question.attribute, session.question.annotator);
        let name = fit(&name, room.saturating_sub(width(&end) + 1));
        let gap = room.saturating_sub(width(&name) + width(&end));
        Line::from(vec![Span::styled(name, theme.title()), Span::raw(" ".repeat(gap)), Span::styled(end, theme.dim())])
    }

    fn foot(&self, room: usize) -> Line<'static> {
        let theme = self.view.theme;
        if let Some((text, is_bad)) = &self.view.said {
            let (sign, style) = if *is_bad { ('✕', theme.error()) } else { ('●', theme.good()) };
            return Line::styled(format!(" {sign} {}", fit(text, room.saturating_sub(4))), style);
        }
        let mut spans = vec![Span::raw(" ")];
        let mut used = 1;
        for (key, word) in [
            ("Space", "skip"),
            ("o", "not obvious"),
            ("u", "undo"),
            ("?", "help"),
            ("q", "leave"),
            ("c", "context"),
            ("d", "drawing"),
        ] {
            let wide = width(key) + width(word) + 3;
            if used + wide > room {
                break;
            }
            used += wide;
            spans.push(Span::styled(key, theme.key()));
            spans.push(Span::styled(format!(" {word}  "), theme.dim()));
        }
        Line::from(spans)
    }

    fn help(&self, paint: &mut Paint, area: Rect) {
        let inner = paint.pane(area, "labelling: any key goes back", true);
        let theme = paint.theme;
        let line = |(key, what): &(&str, &str)| {
            let room = usize::from(inner.width).saturating_sub(16);
            Line::from(vec![Span::styled(format!(" {}", left(key, 14)), theme.key()), Span::raw(fit(what, room))])
        };
        paint.lines(inner, HELP.iter().map(line).collect());
    }

    fn picture(&self, paint: &mut Paint, area: Rect) {
        let session = &self.view.session;
        let title = session.current().map_or("no picture".to_owned(), |(image, _)| image.to_owned());
        let inner = paint.pane(area, &title, true);
        if session.is_done() {
            let words = if session.current().is_some() {
                "Every class has the labels that were wanted. q leaves; u takes back the latest answer."
            } else {
                "No picture without an answer is left that can be shown. q leaves; u takes back the latest answer."
            };
            return paint.empty(inner, words);
        }
        match self.picture {
            None => paint.empty(inner, "reading the picture …"),
            Some(Err(why)) => paint.empty(inner, &format!("this picture cannot be shown: {why}")),
            Some(Ok(picture)) => {
                photograph(paint.frame, inner, picture, self.view.drawing, self.view.theme, paint.pixels);
            }
        }
    }

    fn classes(&self, paint: &mut Paint, area: Rect) {
        let (session, theme) = (&self.view.session, self.view.theme);
        let title = session.question.quota.map_or("classes".to_owned(), |quota| format!("classes · {quota} of each"));
        let inner = paint.pane(area, &title, false);
        let tally = session.tally();
        let room = usize::from(inner.width);
        let most = session.question.quota.or(tally.classes.iter().copied().max()).unwrap_or(0).max(1);
        let digits = most.to_string().len().max(3);
        let named = session.question.classes.iter().map(|class| width(&class.name)).max().unwrap_or(0).clamp(4, 16);
        let bar = room.saturating_sub(named + digits + 6);
        let mut lines = Vec::new();
        for (place, (class, &count)) in session.question.classes.iter().zip(&tally.classes).enumerate() {
            let full = (bar * count.min(most)).div_ceil(most).min(bar);
            let style = if session.is_full(place) { theme.good() } else { theme.accent() };
            lines.push(Line::from(vec![
                Span::styled(format!(" {} ", class.key), theme.key()),
                Span::raw(left(&class.name, named)),
                Span::styled(
                    format!(" {} ", right(&count.to_string(), digits)),
                    if session.is_full(place) { theme.good() } else { theme.title() },
                ),
                Span::styled("█".repeat(full), style),
                Span::styled("·".repeat(bar - full), theme.dim()),
            ]));
        }
        lines.push(Line::styled(format!(" not obvious {} · skipped {}", tally.not_obvious, tally.skipped), theme.dim()));
        if self.view.shows_context {
            lines.push(Line::raw(""));
            lines.extend(self.context(room).into_iter().map(Line::raw));
        }
        paint.lines(inner, lines);
    }

    fn context(&self, room: usize) -> Vec<String> {
        match self.view.session.context() {
            None => wrapped(" the data set does not say who is on its pictures", room),
            Some(labels) if labels.is_empty() => wrapped(" you have not labelled this person before", room),
            Some(labels) => {
                let head = " the same person, as you labelled:".to_owned();
                std::iter::once(head)
                    .chain(labels.iter().map(|(image, class)| fit(&format!(" {class}  {image}"), room)))
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        study::labelling::{LabellingQuestion, LabellingSession},
        tui::{drawing::DrawingMode, theme::Theme},
    };
    use image::RgbImage;
    use ratatui::{Terminal, backend::TestBackend};
    use std::sync::Arc;
    use visavis_core::domain::{Digest, image::Images};

    fn view(quota: Option<usize>) -> LabellingView {
        let question = LabellingQuestion::new("race", &["white".into(), "black".into()], quota, "ann", "user").unwrap();
        let images = Images((0..3u8).map(|place| (format!("{place}.png"), Some(Digest::of(&[place])))).collect());
        let session = LabellingSession::new(question, images, None, vec![0, 1, 2], &[]).unwrap();
        LabellingView::new(session, Theme::Dark, DrawingMode::Blocks)
    }

    fn drawn(view: &LabellingView, size: (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let picture: Loaded = Ok(Arc::new(RgbImage::new(178, 218)));
        let frame = LabellingFrame { view, picture: Some(&picture) };
        terminal.draw(|to| frame.draw(to, &mut Pixels::default())).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn every_class_stands_beside_its_key_its_count_and_the_quota() {
        let text = drawn(&view(Some(5)), (100, 30));
        for part in ["1 white", "2 black", "classes · 5 of each", "0.png", "3 left", "not obvious 0", "Space skip"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(text.contains('▀'));
    }

    #[test]
    fn narrow_windows_have_the_classes_below_and_tiny_ones_say_so() {
        assert!(drawn(&view(None), (44, 20)).contains("2 black"));
        assert!(drawn(&view(None), (30, 8)).contains("labelling needs"));
    }

    #[test]
    fn the_help_lists_every_key() {
        let mut view = view(None);
        view.shows_help = true;
        let text = drawn(&view, (100, 30));
        assert!(HELP.iter().all(|(_, what)| text.contains(what)), "{text}");
    }
}
