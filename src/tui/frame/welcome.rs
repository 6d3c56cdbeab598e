//! What is shown before a study is open: what there is, and what to do.

use crate::tui::{paint::Paint, shared::Shared, text};
use ratatui::{layout::Rect, text::Line};

pub(crate) fn draw(paint: &mut Paint, area: Rect, shared: &Shared) {
    let inner = paint.pane(area, "Visavis", true);
    let words = match (&shared.seen.trouble, shared.seen.reading, shared.seen.studies.is_empty()) {
        (Some(fault), ..) => {
            let lines: Vec<Line> = std::iter::once(Line::styled("the study file cannot be read", paint.theme.error()))
                .chain(std::iter::once(Line::default()))
                .chain(fault.to_string().lines().flat_map(|line| text::wrapped(line, usize::from(inner.width.max(2)) - 2)).map(Line::from))
                .chain([Line::default(), Line::styled("E opens it in $EDITOR · F opens another study · it is read again when it changes", paint.theme.dim())])
                .collect();
            paint.lines(inner, lines);
            return;
        }
        (None, true, _) => "reading the study and its data …".to_owned(),
        (None, false, true) => "This workspace has no study yet.\n\nEnter starts one: your own, scanned digits, or drawn faces\n\n: finds every command · ? helps · q leaves".to_owned(),
        (None, false, false) => "Enter opens a study".to_owned(),
    };
    paint.empty(inner, &words);
}
