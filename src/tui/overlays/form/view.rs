//! A form, drawn: a line a field, completions below.

use super::state::Form;
use crate::tui::{
    overlays::window::over,
    paint::Paint,
    text::{fit, fit_end, left, wrapped},
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

pub(crate) fn draw(paint: &mut Paint, area: Rect, form: &Form) {
    let options = form.completions();
    let room = usize::from(area.width.min(90).saturating_sub(4));
    let fault: Vec<String> =
        if form.fault.is_empty() { vec![] } else { form.fault.lines().flat_map(|line| wrapped(line.trim(), room)).collect() };
    let high = form.fields.len() as u16 + 5 + (options.len() as u16).min(6) + fault.len() as u16;
    let inner = over(paint, area, 90, high, &format!("add {}", form.adding.words()));
    let theme = paint.theme;
    let room = usize::from(inner.width);
    let mut lines = Vec::new();
    for (at, field) in form.fields.iter().enumerate() {
        let here = at == form.cursor;
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
    if !options.is_empty() {
        lines.extend(
            options
                .iter()
                .take(6)
                .map(|option| Line::styled(format!("    {}", fit(option, room.saturating_sub(4))), theme.dim())),
        );
    }
    lines.extend(fault.into_iter().map(|line| Line::styled(fit(&line, room), theme.error())));
    lines.push(Line::styled(
        fit("Esc leaves · Tab completes · Enter goes on, and at the end shows what it costs", room),
        theme.dim(),
    ));
    paint.lines(inner, lines);
}
