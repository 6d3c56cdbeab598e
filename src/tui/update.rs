//! Event → state and effects. Does no I/O, reads no clock.

use super::{
    app::{App, Overlay, Screen},
    command::{self, ScreenCommand},
    event::{CommandEnded, CommandPurpose, Effect, ScreenEvent, StudyWritten},
    keys,
    report::Audited,
    view::Hit,
};
use crate::study::watch::Snapshot;
use std::sync::Arc;
use visavis_core::domain::{Fault, job::JobState};

mod act;
mod copied;
mod overlay;

/// Figures whose points are kept.
const MOST_PICTURES: usize = 96;

pub use act::matrix_order;

pub fn update(app: &mut App, event: ScreenEvent, hits: &[Hit]) -> Vec<Effect> {
    let mut effects = match event {
        ScreenEvent::Key(key) => keys::command(app, &key).map_or(vec![], |command| act_on(app, command)),
        ScreenEvent::Paste(text) => {
            let typing = |app: &App| {
                matches!(
                    app.overlay,
                    Some(Overlay::Palette { .. } | Overlay::Filter(_) | Overlay::Note { .. } | Overlay::Form(_))
                )
            };
            let letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
            letters.flat_map(|letter| if typing(app) { act_on(app, ScreenCommand::Type(letter)) } else { vec![] }).collect()
        }
        ScreenEvent::Click(column, row) => click(app, column, row, hits),
        ScreenEvent::Wheel(turns) => act_on(app, if turns > 0 { ScreenCommand::Down } else { ScreenCommand::Up }),
        ScreenEvent::Resize(width, height) => {
            app.size = (width, height);
            vec![]
        }
        ScreenEvent::Tick(now) => {
            app.now = now;
            // Bad news stays until a key is pressed.
            if app.toast.as_ref().is_some_and(|toast| !toast.bad && now.saturating_sub(toast.at) > 4000) {
                app.toast = None;
            }
            vec![]
        }
        ScreenEvent::Seen(seen) => see(app, *seen),
        ScreenEvent::Picture(cell, picture) => {
            app.asked.0.remove(&cell);
            // A screenful or two is kept; what is shown always is.
            if app.pictures.len() > MOST_PICTURES {
                let shown = app.figures_wanted();
                app.pictures.retain(|cell, _| shown.contains(cell));
            }
            let picture = picture.map(Arc::new).map_err(|fault| fault.what);
            // The same points stay the same picture, which was encoded before.
            if !matches!((&picture, app.pictures.get(&cell)), (Ok(new), Some(Ok(old))) if new == old) {
                app.pictures.insert(cell, picture);
            }
            vec![]
        }
        ScreenEvent::Diary(id, diary) => {
            app.asked.1.remove(&id);
            app.diaries.insert(id, Arc::new(diary));
            vec![]
        }
        ScreenEvent::Drafted(Ok(draft)) => {
            match app.overlay.take() {
                // What it answers.
                Some(Overlay::Form(form)) => app.overlay = Some(Overlay::Draft { draft, form: Some(form) }),
                None => app.overlay = Some(Overlay::Draft { draft, form: None }),
                // A person has gone on to something else.
                other => app.overlay = other,
            }
            vec![]
        }
        // What was typed is not lost: it can be mended.
        ScreenEvent::Drafted(Err(fault)) if matches!(app.overlay, Some(Overlay::Form(_))) => {
            if let Some(Overlay::Form(form)) = &mut app.overlay {
                form.fault = fault.to_string();
            }
            vec![]
        }
        ScreenEvent::Drafted(Err(fault)) | ScreenEvent::Written(Err(fault)) | ScreenEvent::Edited(Err(fault)) => {
            refuse(app, &fault);
            vec![Effect::Renew]
        }
        ScreenEvent::Written(Ok(written)) => wrote(app, written),
        ScreenEvent::Edited(Ok(())) => {
            app.say("the study file reads well", false);
            vec![Effect::Renew]
        }
        ScreenEvent::Ended(ended) => end(app, ended),
    };
    app.runs.rebuild(&app.seen);
    let (across, down) = super::view::wall(app.size);
    (app.figures.across, app.figures.page) = (across, across * down);
    app.page = usize::from(app.size.1.saturating_sub(10)).max(4);
    effects.extend(wanted(app));
    effects
}

fn act_on(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    if app.toast.as_ref().is_some_and(|toast| toast.bad) {
        app.toast = None;
    }
    if app.is_blind() && command != ScreenCommand::Quit {
        return vec![];
    }
    if app.overlay.is_some() && command != ScreenCommand::Quit {
        let effects = overlay::act(app, command);
        if app.overlay.is_none() {
            app.overlay = app.later.pop();
        }
        return effects;
    }
    act::act(app, command)
}

/// What was clicked: a key that is shown, a tab, or a row.
fn click(app: &mut App, column: u16, row: u16, hits: &[Hit]) -> Vec<Effect> {
    let holds = |hit: &&Hit| hit.area.contains((column, row).into());
    match hits.iter().rev().find(holds).map(|hit| hit.what.clone()) {
        Some(super::view::Clicked::Command(command)) => act_on(app, command),
        Some(super::view::Clicked::Place(row, column)) if app.overlay.is_none() => act::place(app, row, column),
        Some(super::view::Clicked::Place(row, _)) => {
            overlay::place(app, row);
            act_on(app, ScreenCommand::Enter)
        }
        _ => vec![],
    }
}

/// Points and diaries that the screen shows, and nobody has read or asked for yet.
fn wanted(app: &mut App) -> Vec<Effect> {
    let mut effects = Vec::new();
    for cell in app.figures_wanted() {
        if (!app.pictures.contains_key(&cell) || app.stale.0.contains(&cell)) && app.asked.0.insert(cell) {
            app.stale.0.remove(&cell);
            effects.push(Effect::Picture(cell));
        }
    }
    let diaries = if app.screen == Screen::Runs { app.runs.shown(&app.seen) } else { vec![] };
    for id in diaries {
        if (!app.diaries.contains_key(&id) || app.stale.1.contains(&id)) && app.asked.1.insert(id) {
            app.stale.1.remove(&id);
            effects.push(Effect::Diary(id));
        }
    }
    effects
}

fn see(app: &mut App, seen: Snapshot) -> Vec<Effect> {
    let (same, reads_alike) = match (&app.seen.board, &seen.board) {
        (Some(old), Some(new)) => (Arc::ptr_eq(old, new), old.text == new.text),
        _ => (false, false),
    };
    app.seen = seen;
    // What runs goes on writing: its diary is read again; until then the one of before is shown.
    for id in app.runs.shown(&app.seen) {
        let row = app.seen.jobs.iter().find(|job| job.row.id == id).map(|job| &job.row);
        let known = app.diaries.get(&id).and_then(|diary| diary.job.as_ref());
        if row.is_some_and(|row| row.state == JobState::Running || known != Some(row)) {
            app.stale.1.insert(id);
        }
    }
    if !same {
        // Figures are known by their places in the study file.
        if reads_alike {
            app.stale.0 = app.pictures.keys().copied().collect();
        } else {
            app.pictures.clear();
            app.figures.beside = None;
        }
        if let Some(board) = app.seen.board.clone() {
            app.take_board(&board);
        }
    }
    rebuild(app);
    vec![]
}

/// Makes anew what the screens show of what was seen.
pub fn rebuild(app: &mut App) {
    if let Some(board) = app.seen.board.clone() {
        app.matrix.spots = app.matrix.lattice.spots(&board, &app.seen.states, &app.matrix.turn);
        matrix_order(app);
        app.compare.rebuild(&board);
        app.figures.rebuild(&board);
    }
    app.report.rebuild(&app.seen);
    app.runs.rebuild(&app.seen);
}

fn refuse(app: &mut App, fault: &Fault) {
    app.show(Overlay::Message { title: "not done".to_owned(), text: fault.to_string(), scroll: 0 });
}

fn wrote(app: &mut App, written: StudyWritten) -> Vec<Effect> {
    if written.undone {
        app.say("undone: the study file is as it was", false);
    } else {
        app.undo.push((written.before, written.after));
        app.say("written to the study file · z undoes it · r runs what is new", false);
    }
    vec![Effect::Renew]
}

/// What a command said, and what follows from it.
fn end(app: &mut App, ended: CommandEnded) -> Vec<Effect> {
    app.working.retain(|words| *words != ended.line);
    let last = |text: &str| text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("").to_owned();
    let good = ended.code == Some(0);
    match ended.purpose {
        CommandPurpose::Show => {
            let text = if ended.err.trim().is_empty() { ended.out } else { format!("{}\n{}", ended.out, ended.err) };
            app.show(Overlay::Message { title: ended.line, text, scroll: 0 });
        }
        // An audit that found a difference did what it was asked to.
        CommandPurpose::Audit(study) if good || ended.code == Some(4) => match serde_json::from_str::<Audited>(&ended.out) {
            Ok(audited) => {
                app.say(
                    format!(
                        "audit: {} · {} identical, {} differ",
                        audited.verdict.replace('_', " "),
                        audited.identical,
                        audited.differs
                    ),
                    audited.differs > 0,
                );
                app.report.open = if audited.differs > 0 { ["differs".to_owned()].into() } else { [].into() };
                app.report.audit = Some((study, audited));
                app.report.rebuild(&app.seen);
            }
            Err(error) => app.say(format!("the audit said nothing that can be read: {error}"), true),
        },
        CommandPurpose::Draw if good => {
            let mut effects = act::program(app, &["report", &app.study_file()], CommandPurpose::Report);
            effects.push(Effect::Renew);
            return effects;
        }
        _ if !good => {
            let text = if ended.err.trim().is_empty() { ended.out } else { ended.err };
            app.show(Overlay::Message { title: ended.line, text, scroll: 0 });
        }
        CommandPurpose::Run => app.say(last(ended.out.lines().next().unwrap_or("")), false),
        _ => app.say(last(&ended.out), false),
    }
    vec![Effect::Renew]
}

/// What the palette runs when a line is chosen.
fn chosen(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    let screen = command::COMMANDS.iter().find(|entry| entry.command == command).and_then(|entry| entry.screens.first().copied());
    // A command of another screen takes the person there.
    if let Some(screen) =
        screen.filter(|_| !command::COMMANDS.iter().any(|entry| entry.command == command && entry.is_of(app.screen)))
    {
        app.screen = screen;
    }
    act::act(app, command)
}
