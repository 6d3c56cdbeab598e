//! A form, drawn: a line a field, completions below.

use super::state::{Form, FormField};
use crate::tui::{
    overlays::window::over,
    paint::{Paint, first},
    text::{fit, fit_end, left, wrapped},
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

/// A form as it is shown.
pub(crate) struct ShownForm<'a> {
    pub title: &'a str,
    pub fields: &'a [FormField],
    pub cursor: usize,
    /// What the field may be completed to.
    pub options: &'a [&'a str],
    pub fault: &'a str,
    /// The last line.
    pub foot: &'a str,
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, form: &Form) {
    let shown = ShownForm {
        title: &format!("add {}", form.adding.words()),
        fields: &form.fields,
        cursor: form.cursor,
        options: &form.completions(),
        fault: &form.fault,
        foot: "Esc leaves · Tab completes · Enter goes on, and at the end shows what it costs",
    };
    shown.draw(paint, area);
}

impl ShownForm<'_> {
    pub(crate) fn draw(&self, paint: &mut Paint, area: Rect) {
        let ShownForm { title, fields, cursor, options, fault, foot } = *self;
        let room = usize::from(area.width.min(90).saturating_sub(4));
        let fault: Vec<String> = fault.lines().flat_map(|line| wrapped(line.trim(), room)).collect();
        let high = fields.len() as u16 + 5 + (options.len() as u16).min(6) + fault.len() as u16;
        let inner = over(paint, area, 90, high, title);
        let theme = paint.theme;
        let room = usize::from(inner.width);
        let mut lines = Vec::new();
        // Where there is little room, fields round the cursor give way to what is said.
        let below = 2 + fault.len() + options.len().min(2);
        let shown = usize::from(inner.height).saturating_sub(below).clamp(1, fields.len());
        let from = first(cursor, shown, fields.len());
        for (at, field) in fields.iter().enumerate().skip(from).take(shown) {
            let here = at == cursor;
            let mark = if here { "▸ " } else { "  " };
            let value = if field.value.is_empty() {
                Span::styled(fit(field.hint, room.saturating_sub(20)), theme.dim())
            } else {
                Span::raw(fit_end(&field.value, room.saturating_sub(20)))
            };
            let mut spans = vec![
                Span::styled(mark, theme.accent()),
                Span::styled(left(field.name, 15), if here { theme.title() } else { theme.dim() }),
                value,
            ];
            if here {
                let at = if field.value.is_empty() { 2 } else { 3 };
                spans.insert(at.min(spans.len()), Span::styled("▏", theme.accent()));
            }
            lines.push(Line::from(spans));
        }
        lines.push(Line::default());
        let offered = |option: &&str| Line::styled(format!("    {}", fit(option, room.saturating_sub(4))), theme.dim());
        let room_for_options = usize::from(inner.height).saturating_sub(lines.len() + fault.len() + 1).min(6);
        lines.extend(options.iter().take(room_for_options).map(offered));
        lines.extend(fault.into_iter().map(|line| Line::styled(fit(&line, room), theme.error())));
        lines.push(Line::styled(fit(foot, room), theme.dim()));
        paint.lines(inner, lines);
    }
}
