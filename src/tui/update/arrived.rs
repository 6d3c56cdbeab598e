//! What arrived from outside: snapshots of the study, points of figures, histories of jobs, drafts, and the ends of commands.

use crate::{
    study::{picture::FigurePoints, watch::Snapshot},
    tui::{
        app::App,
        audited::Audited,
        event::{CommandEnded, CommandPurpose, Effect, ScreenEvent, StudyWritten},
        overlays::state::Overlay,
    },
};
use std::{path::PathBuf, sync::Arc};
use visavis_core::domain::{Fault, job::JobState, ledger::CellId};

/// Figures whose points are kept.
const MOST_PICTURES: usize = 96;

pub(crate) fn take(app: &mut App, event: ScreenEvent) -> Vec<Effect> {
    match event {
        ScreenEvent::Seen(seen) => see(app, *seen),
        ScreenEvent::Picture(cell, picture) => take_picture(app, cell, picture),
        ScreenEvent::Map(cell, map) => {
            app.shared.map = Some((cell, map.map(Arc::new).map_err(|fault| fault.what)));
            app.screens.all_mut().for_each(|screen| screen.take_map(&app.shared, cell));
        }
        ScreenEvent::Paths(typed, paths) => {
            if let Some(Overlay::Pointing(pointing)) = &mut app.shared.overlay {
                pointing.take(&typed, paths);
            }
        }
        ScreenEvent::Selected(Ok(saved)) => app.shared.show(Overlay::Message {
            title: "the selection is written".to_owned(),
            text: format!(
                "{}\n\nThe study reads it as an attribute, with this under `evaluation:` in its file:\n\nlabels: [{{ file: ../{}, attribute: {}, provenance: perceived }}]\n\nThe map on which the images were selected separates them by construction: look at other models.",
                saved.file.display(),
                saved.file.display(),
                saved.attribute
            ),
            scroll: 0,
        }),
        ScreenEvent::History(id, history) => {
            app.shared.asked.1.remove(&id);
            app.shared.histories.insert(id, Arc::new(history));
        }
        ScreenEvent::Drafted(Ok(draft)) => match app.shared.overlay.take() {
            // The form that it answers.
            Some(Overlay::Form(form)) => app.shared.overlay = Some(Overlay::Draft { draft, form: Some(form) }),
            None => app.shared.overlay = Some(Overlay::Draft { draft, form: None }),
            // The person has gone on to something else.
            other => app.shared.overlay = other,
        },
        ScreenEvent::Drafted(Err(fault)) => {
            // What was typed is kept, so that it can be mended.
            if let Some(Overlay::Form(form)) = &mut app.shared.overlay {
                form.fault = fault.to_string();
                return vec![];
            }
            return refuse(app, &fault);
        }
        ScreenEvent::Written(Err(fault)) | ScreenEvent::Edited(Err(fault)) | ScreenEvent::Selected(Err(fault)) => {
            return refuse(app, &fault);
        }
        ScreenEvent::Written(Ok(written)) => return wrote(app, written),
        ScreenEvent::Edited(Ok(())) => {
            app.shared.say("the study file reads well", false);
            return vec![Effect::Renew];
        }
        ScreenEvent::Ended(ended) => return end(app, ended),
        ScreenEvent::Key(_)
        | ScreenEvent::Paste(_)
        | ScreenEvent::Click(..)
        | ScreenEvent::Wheel(_)
        | ScreenEvent::Resize(..)
        | ScreenEvent::Tick(_) => {}
    }
    vec![]
}

/// Points and histories that the screen shows, and that nobody has read or asked for yet.
pub(crate) fn wanted(app: &mut App) -> Vec<Effect> {
    let mut effects = Vec::new();
    let (figures, jobs) = (app.screen().figures_wanted(&app.shared), app.screen().jobs_wanted(&app.shared));
    let shared = &mut app.shared;
    for cell in figures {
        if (!shared.pictures.contains_key(&cell) || shared.stale.0.contains(&cell)) && shared.asked.0.insert(cell) {
            shared.stale.0.remove(&cell);
            effects.push(Effect::Picture(cell));
        }
    }
    // A map that is looked at closely is read again when the study's results are others.
    if let Some(cell) = shared.looked_at
        && std::mem::take(&mut shared.is_map_stale)
    {
        effects.push(Effect::Map(cell));
    }
    for id in jobs {
        if (!shared.histories.contains_key(&id) || shared.stale.1.contains(&id)) && shared.asked.1.insert(id) {
            shared.stale.1.remove(&id);
            effects.push(Effect::History(id));
        }
    }
    effects
}

fn take_picture(app: &mut App, cell: CellId, picture: Result<FigurePoints, Fault>) {
    app.shared.asked.0.remove(&cell);
    // A screenful or two is kept, and always what is shown.
    if app.shared.pictures.len() > MOST_PICTURES {
        let shown = app.screen().figures_wanted(&app.shared);
        app.shared.pictures.retain(|cell, _| shown.contains(cell));
    }
    let picture = picture.map(Arc::new).map_err(|fault| fault.what);
    // The same points stay the same picture, which was encoded before.
    if !matches!((&picture, app.shared.pictures.get(&cell)), (Ok(new), Some(Ok(old))) if new == old) {
        app.shared.pictures.insert(cell, picture);
    }
}

fn see(app: &mut App, seen: Snapshot) {
    let (same, same_text) = match (&app.shared.seen.matrix_snapshot, &seen.matrix_snapshot) {
        (Some(old), Some(new)) => (Arc::ptr_eq(old, new), old.text == new.text),
        _ => (false, false),
    };
    app.shared.seen = seen;
    // What runs goes on writing: its history is read again; until then the one of before is shown.
    for id in app.screens.all().flat_map(|screen| screen.jobs_wanted(&app.shared)).collect::<Vec<_>>() {
        let row = app.shared.seen.jobs.iter().find(|job| job.row.id == id).map(|job| &job.row);
        let known = app.shared.histories.get(&id).and_then(|history| history.job.as_ref());
        if row.is_some_and(|row| row.state == JobState::Running || known != Some(row)) {
            app.shared.stale.1.insert(id);
        }
    }
    if !same {
        take_study(app, same_text);
    }
    app.rebuild();
}

/// The study is another than before, or its results are.
fn take_study(app: &mut App, same_text: bool) {
    let shared = &mut app.shared;
    // Figures are known by their places in the study file.
    if same_text {
        shared.stale.0 = shared.pictures.keys().copied().collect();
    } else {
        shared.pictures.clear();
        shared.map = None;
    }
    shared.is_map_stale = true;
    let Some(matrix_snapshot) = shared.seen.matrix_snapshot.clone() else { return };
    app.screens.all_mut().for_each(|screen| screen.take_study(&matrix_snapshot, same_text));
    shared.marked.retain(|name| matrix_snapshot.families.iter().any(|(family, _)| family == name));
    if matches!(&shared.overlay, Some(Overlay::Note { figure, .. }) if !matrix_snapshot.has(figure)) {
        shared.overlay = None;
    }
}

fn refuse(app: &mut App, fault: &Fault) -> Vec<Effect> {
    app.shared.show(Overlay::Message { title: "not done".to_owned(), text: fault.to_string(), scroll: 0 });
    vec![Effect::Renew]
}

fn wrote(app: &mut App, written: StudyWritten) -> Vec<Effect> {
    if written.undone {
        app.shared.say("undone: the study file is as it was", false);
    } else {
        app.shared.undo.push((written.before, written.after));
        app.shared.say("written to the study file · z undoes it · r runs what is new", false);
    }
    vec![Effect::Renew]
}

/// Shows the output of a command, and does what follows from it.
fn end(app: &mut App, ended: CommandEnded) -> Vec<Effect> {
    app.shared.working.retain(|words| *words != ended.line);
    let last = |text: &str| text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("").to_owned();
    let good = ended.code == Some(0);
    match ended.purpose {
        CommandPurpose::Show => {
            let text = if ended.err.trim().is_empty() { ended.out } else { format!("{}\n{}", ended.out, ended.err) };
            app.shared.show(Overlay::Message { title: ended.line, text, scroll: 0 });
        }
        // An audit that found a difference, or could not check everything, did what it was asked to.
        CommandPurpose::Audit(study) if good || matches!(ended.code, Some(4 | 6)) => take_audit(app, &study, &ended.out),
        CommandPurpose::Begin(file) => return begin(app, file, good, &ended.out, &ended.err),
        CommandPurpose::Draw if good => {
            let mut effects = app.shared.program(&["report", &app.shared.study_file()], CommandPurpose::Report);
            effects.push(Effect::Renew);
            return effects;
        }
        _ if !good => {
            let text = if ended.err.trim().is_empty() { ended.out } else { ended.err };
            app.shared.show(Overlay::Message { title: ended.line, text, scroll: 0 });
        }
        CommandPurpose::Run => app.shared.say(last(ended.out.lines().next().unwrap_or("")), false),
        _ => app.shared.say(last(&ended.out), false),
    }
    vec![Effect::Renew]
}

/// A study of one's own was written, or could not be.
fn begin(app: &mut App, file: PathBuf, good: bool, out: &str, err: &str) -> Vec<Effect> {
    let said = [out.trim(), err.trim()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
    let shared = &mut app.shared;
    match (&mut shared.overlay, good) {
        (Some(Overlay::Pointing(_)), true) => {
            // What was found, over the study that was written.
            shared.overlay = Some(Overlay::Message { title: "what was found in your files".to_owned(), text: said, scroll: 0 });
            shared.seen.matrix_snapshot = None;
            shared.undo.clear();
            return vec![Effect::Choose(file)];
        }
        // It stays until it can be done: a mistake in it can be mended.
        (Some(Overlay::Pointing(pointing)), false) => err.trim().clone_into(&mut pointing.told),
        // The person has gone elsewhere meanwhile.
        (_, true) => shared.say(format!("the study is written: {} · F opens it", file.display()), false),
        (_, false) => shared.show(Overlay::Message { title: "the study was not written".to_owned(), text: said, scroll: 0 }),
    }
    vec![Effect::Renew]
}

fn take_audit(app: &mut App, study: &str, out: &str) {
    match serde_json::from_str::<Audited>(out) {
        Ok(audit) => {
            let Audited { verdict, identical, differs, .. } = &audit;
            let words = format!("audit: {} · {identical} identical, {differs} differ", verdict.replace('_', " "));
            app.shared.say(words, *differs > 0);
            app.screens.all_mut().for_each(|screen| screen.take_audit(&app.shared, study, &audit));
        }
        Err(error) => app.shared.say(format!("the audit said nothing that can be read: {error}"), true),
    }
}
