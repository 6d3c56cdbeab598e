//! What lies over a screen: help, palette, forms, questions.

use super::{Clicked, Paint, first};
use crate::{
    study::draft::StudyDraft,
    tui::{
        app::{App, Overlay, Screen},
        command::{self, COMMANDS},
        compare, figures,
        filter::Filter,
        form::Form,
        pivot, runs,
        text::{self, fit, left, wrapped},
    },
};
use ratatui::{
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Clear,
};
use visavis_core::domain::{
    glossary::GLOSSARY,
    text::{count, thousands},
};

pub fn draw(paint: &mut Paint, area: Rect, app: &App, overlay: &Overlay) {
    match overlay {
        Overlay::Filter(_) => {}
        Overlay::Help(scroll) => help(paint, area, app, *scroll),
        Overlay::Palette { text, cursor } => palette(paint, area, app, text, *cursor),
        Overlay::Note { figure, text } => {
            let name = app.seen.board.as_ref().map_or(String::new(), |board| board.name(figure));
            let inner = over(paint, area, 76, 6, "pin to the report");
            let theme = paint.theme;
            let room = usize::from(inner.width);
            paint.lines(
                inner,
                vec![
                    Line::raw(fit(&name, room)),
                    Line::from(vec![
                        Span::styled("note ", theme.dim()),
                        Span::raw(text::fit_end(text, room.saturating_sub(8))),
                        Span::styled("▏", theme.accent()),
                    ]),
                    Line::default(),
                    Line::styled("Enter pins it, with or without a note · Esc leaves", theme.dim()),
                ],
            );
        }
        Overlay::Form(form) => draw_form(paint, area, form),
        Overlay::Choice { title, options, cursor, .. } => {
            let inner = over(paint, area, 72, options.len() as u16 + 2, title);
            list(paint, inner, options, *cursor);
        }
        Overlay::Draft { draft, .. } => draw_draft(paint, area, draft),
        Overlay::Ask { question, .. } => {
            let inner = over(paint, area, 66, 5, "sure?");
            let mut lines: Vec<Line> = wrapped(question, usize::from(inner.width)).into_iter().map(Line::from).collect();
            lines.push(Line::default());
            lines.push(Line::from(vec![
                Span::styled("y", paint.theme.key()),
                Span::raw(" yes   "),
                Span::styled("n", paint.theme.key()),
                Span::raw(" no"),
            ]));
            paint.lines(inner, lines);
        }
        Overlay::Message { title, text, scroll } => {
            let wide = area.width.saturating_sub(4).min(110);
            let lines: Vec<String> = text.lines().flat_map(|line| wrapped(line, usize::from(wide.saturating_sub(4)))).collect();
            let inner = over(paint, area, wide, lines.len() as u16 + 2, title);
            let scroll = (*scroll).min(lines.len().saturating_sub(usize::from(inner.height)));
            paint.lines(
                inner,
                lines.into_iter().skip(scroll).map(|line| Line::raw(fit(&line, usize::from(inner.width)))).collect(),
            );
        }
    }
}

/// A pane in the middle, over what was there.
fn over(paint: &mut Paint, area: Rect, wide: u16, high: u16, title: &str) -> Rect {
    let (wide, high) = (wide.min(area.width), high.min(area.height).max(3));
    let place = Rect { x: area.x + (area.width - wide) / 2, y: area.y + (area.height - high) / 3, width: wide, height: high };
    paint.frame.render_widget(Clear, place);
    paint.hits.clear();
    let inner = paint.pane(place, title, true);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn list(paint: &mut Paint, area: Rect, options: &[String], cursor: usize) {
    let rows = usize::from(area.height);
    let top = first(cursor, rows, options.len());
    for (at, option) in options.iter().enumerate().skip(top).take(rows) {
        let place = Rect { y: area.y + (at - top) as u16, height: 1, ..area };
        paint.hit(place, Clicked::Place(at, 0));
        let here = at == cursor;
        let style = if here { paint.theme.cursor() } else { Style::new() };
        paint.line(
            place,
            Line::styled(left(&format!("{} {option}", if here { "▸" } else { " " }), usize::from(area.width)), style),
        );
    }
}

/// What a screen is for, in a few lines.
fn about(screen: Screen) -> &'static [&'static str] {
    match screen {
        Screen::Matrix => &[
            "Every square holds the cells of its row and column: its colour is the best score, quoted on people it was not chosen by.",
            "To start: a adds what is compared, x takes levels in and out, r runs. Watch with 2, compare with 3, pin with p, build with 5 and b.",
            "± is the longer arm of the 95 % interval. ( ): not ranked, for a class is too small or the comparison is of a quantity.",
            "· not run  ○ queued  ◐ running  ● done  ◆ verified by an audit  ✕ failed  ◌ stale  … waits  ‖ paused  – not in the study",
        ],
        Screen::Runs => {
            &["Jobs of the latest run, on this machine's devices. Leaving stops nothing; D ends a run cleanly, K stops a job."]
        }
        Screen::Compare => &[
            "Each row is a model: means over its trainings, ± 95 %. Space marks two; d shows their differences on the same images.",
            "Filter: loss=arcface auc>0.8 comparison:hair -pixels   (fields are the columns; = whole, : part, > < numbers, - not)",
        ],
        Screen::Figures => &[
            "Figures in the ledger's order, each with why it is shown or left out. ● in the report by the rule, ◆ pinned by a person.",
        ],
        Screen::Report => &[
            "What the one HTML file will hold. b builds it, o opens it, A makes its numbers again from its own evidence; Enter opens a verdict.",
        ],
    }
}

fn help(paint: &mut Paint, area: Rect, app: &App, scroll: usize) {
    let wide = area.width.min(104);
    let inner = over(paint, area, wide, area.height, &format!("help · {}", app.screen.word()));
    let room = usize::from(inner.width);
    let theme = paint.theme;
    let mut lines: Vec<Line> = about(app.screen).iter().flat_map(|line| wrapped(line, room)).map(Line::raw).collect();
    let mut section = |title: &str, of: &dyn Fn(&command::CommandEntry) -> bool| {
        lines.push(Line::default());
        lines.push(Line::styled(title.to_owned(), theme.title()));
        for entry in COMMANDS.iter().filter(|entry| !entry.keys.is_empty() && of(entry)) {
            let keys = entry.keys.join(" ");
            lines.push(Line::from(vec![
                Span::styled(left(&keys, 17), theme.key()),
                Span::raw(fit(entry.words, room.saturating_sub(17))),
            ]));
        }
    };
    section("here", &|entry| entry.screens.contains(&app.screen));
    section("everywhere", &|entry| entry.screens.is_empty());
    lines.push(Line::default());
    lines.push(Line::styled("words", theme.title()));
    for of in GLOSSARY {
        let definition = wrapped(of.definition, room.saturating_sub(17));
        for (at, line) in definition.into_iter().enumerate() {
            lines.push(Line::from(vec![Span::raw(left(if at == 0 { of.word } else { "" }, 17)), Span::raw(line)]));
        }
    }
    let rows = usize::from(inner.height);
    let scroll = scroll.min(lines.len().saturating_sub(rows));
    let more = lines.len() > scroll + rows;
    paint.lines(inner, lines.into_iter().skip(scroll).take(rows).collect());
    if more {
        let foot = Rect { y: inner.bottom(), height: 1, ..inner };
        paint.line(foot, Line::styled(" j more · Esc back ", theme.key()));
    }
}

fn palette(paint: &mut Paint, area: Rect, app: &App, typed: &str, cursor: usize) {
    let found = command::found(typed);
    let inner = over(paint, area, 84, area.height.min(found.len() as u16 + 4).max(6), "every command");
    let theme = paint.theme;
    let room = usize::from(inner.width);
    paint.line(
        Rect { height: 1, ..inner },
        Line::from(vec![
            Span::styled(": ", theme.key()),
            Span::raw(text::fit_end(typed, room.saturating_sub(4))),
            Span::styled("▏", theme.accent()),
        ]),
    );
    let rows = usize::from(inner.height).saturating_sub(1);
    let top = first(cursor, rows, found.len());
    if found.is_empty() {
        paint.line(Rect { y: inner.y + 1, height: 1, ..inner }, Line::styled("no command has these words", theme.dim()));
    }
    for (at, entry) in found.iter().enumerate().skip(top).take(rows) {
        let place = Rect { y: inner.y + 1 + (at - top) as u16, height: 1, ..inner };
        let here = at == cursor;
        let ground = if here { theme.cursor() } else { Style::new() };
        let of = if entry.is_of(app.screen) {
            String::new()
        } else {
            format!(" ({})", entry.screens.first().map_or("", |screen| screen.word()))
        };
        let line = Line::from(vec![
            Span::styled(left(entry.keys.first().copied().unwrap_or(""), 8), ground.patch(theme.key())),
            Span::styled(left(&format!("{}{of}", entry.words), room.saturating_sub(8)), ground),
        ]);
        paint.line(place, line);
        paint.hit(place, Clicked::Place(at, 0));
    }
}

fn draw_form(paint: &mut Paint, area: Rect, form: &Form) {
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
            Span::raw(text::fit_end(&field.value, room.saturating_sub(20)))
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

/// What would be written, and what it costs.
fn draw_draft(paint: &mut Paint, area: Rect, draft: &StudyDraft) {
    let theme = paint.theme;
    let (before, after): (Vec<&str>, Vec<&str>) = (draft.before.lines().collect(), draft.after.lines().collect());
    let same = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let tail =
        before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count().min(before.len().min(after.len()) - same);
    let changed = |lines: &[&str]| lines[same..lines.len() - tail].iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let (gone, new) = (changed(&before), changed(&after));
    let inner = over(
        paint,
        area,
        92,
        (gone.len() + new.len() + draft.classes.len() + draft.missing.len().min(4)) as u16 + 7,
        "change the study file",
    );
    let room = usize::from(inner.width);
    let costs = &draft.costs;
    let signed = |n: i64, noun: &str| match n {
        0 => format!("as many {noun}s"),
        n if n > 0 => format!("+{}", count(n as usize, noun)),
        n => format!("−{}", count(n.unsigned_abs() as usize, noun)),
    };
    let more = if costs.stages > 0 {
        format!(" · {} to run, {}", thousands(costs.stages as usize), text::about(costs.seconds))
    } else {
        String::new()
    };
    let waits =
        if costs.waiting > 0 { format!(" · {} would wait", count(costs.waiting as usize, "cell")) } else { String::new() };
    let mut lines = vec![
        Line::styled(
            fit(&format!("{} · {}{more}{waits}", signed(costs.models, "model"), signed(costs.cells, "cell")), room),
            Style::new().add_modifier(Modifier::BOLD),
        ),
        Line::default(),
    ];
    let number = same + 1;
    for (input, at) in draft.missing.iter().take(4) {
        lines.push(Line::styled(fit(&format!("missing: {input} · {at}"), room), theme.warning()));
    }
    for (comparison, classes) in &draft.classes {
        let sizes: Vec<String> = classes.iter().map(|(name, n)| format!("{name} {}", thousands(*n))).collect();
        let none = classes.iter().any(|(_, n)| *n == 0);
        let style = if none { theme.warning() } else { Style::new() };
        lines.push(Line::styled(
            fit(
                &format!("{comparison}: {}{}", sizes.join(" | "), if none { " · nobody is in a class of none" } else { "" }),
                room,
            ),
            style,
        ));
    }
    lines.extend(gone.iter().take(8).map(|line| Line::styled(fit(&format!("{number:>4} − {line}"), room), theme.error())));
    lines.extend(new.iter().take(8).map(|line| Line::styled(fit(&format!("{number:>4} + {line}"), room), theme.good())));
    lines.push(Line::default());
    lines.push(Line::from(vec![
        Span::styled("Enter", theme.key()),
        Span::raw(" writes it · z undoes it while this is open · "),
        Span::styled("Esc", theme.key()),
        Span::raw(" leaves the file as it is"),
    ]));
    paint.lines(inner, lines);
}

/// What is wrong with a filter as it stands.
pub fn filter_fault(app: &App, text: &str) -> Option<String> {
    let fields: &[&str] = match app.screen {
        Screen::Runs => &runs::FIELDS,
        Screen::Compare => &compare::FIELDS,
        Screen::Figures => &figures::FIELDS,
        Screen::Matrix => &pivot::FIELDS,
        Screen::Report => return None,
    };
    Filter::parse(text, fields).err()
}
