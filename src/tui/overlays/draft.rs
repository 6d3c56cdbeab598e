//! A change to the study file before it is written, and what it costs.

use super::{state::Overlay, window::over};
use crate::{
    study::draft::StudyDraft,
    tui::{
        command::ScreenCommand,
        event::Effect,
        paint::Paint,
        shared::Shared,
        text::{self, fit},
    },
};
use ratatui::{
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};
use visavis_core::domain::text::{count, thousands};

pub(crate) fn update(shared: &mut Shared, overlay: Overlay, command: ScreenCommand) -> Vec<Effect> {
    match overlay {
        Overlay::Draft { draft, .. } if command == ScreenCommand::Enter => {
            vec![Effect::Write { file: draft.file, before: draft.before, after: draft.after, undo: false }]
        }
        other => {
            shared.overlay = Some(other);
            vec![]
        }
    }
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, draft: &StudyDraft) {
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
            fit(&format!("{comparison}: {}{}", sizes.join(" | "), if none { " · a class is empty" } else { "" }), room),
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
