//! Commands where nothing lies over the screen: those that mean the same on every screen are done here, all others by the screen.

use crate::tui::{
    app::App,
    command::{COMMANDS, ScreenCommand},
    copied,
    event::{CommandPurpose, Effect},
    overlays::{
        form::state::Adding,
        state::{MenuChoice, Overlay},
    },
    screen_id::ScreenId,
    shared::Shared,
};

pub(crate) fn act(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    let always_works = app.screen().works_without_study();
    if !always_works && !app.shared.can(command) {
        return vec![];
    }
    let shared = &mut app.shared;
    match command {
        ScreenCommand::Go(screen) => app.go(screen),
        ScreenCommand::Focus => app.go(app.shared.screen.next()),
        ScreenCommand::Enter if shared.seen.matrix_snapshot.is_none() && !always_works => shared.offer_studies(),
        ScreenCommand::Help => shared.overlay = Some(Overlay::Help { scroll: 0 }),
        ScreenCommand::Palette => shared.overlay = Some(Overlay::Palette { text: String::new(), cursor: 0 }),
        ScreenCommand::Filter => {
            let Some(filter) = app.screen().filter().map(|(filter, _)| filter.to_owned()) else { return vec![] };
            app.shared.overlay = Some(Overlay::Filter(filter));
        }
        ScreenCommand::Unmark => {
            shared.marked.clear();
            app.screens.all_mut().for_each(|screen| screen.unmark());
        }
        ScreenCommand::Theme => {
            shared.theme = shared.theme.next();
            shared.themed = true;
            shared.say(format!("theme: {}", shared.theme.word()), false);
        }
        ScreenCommand::Draw => {
            shared.drawing = shared.drawing.next();
            shared.say(format!("figures in {}", shared.drawing.word()), false);
        }
        ScreenCommand::Quit => {
            shared.quit = true;
            return vec![Effect::Remember(app.layout())];
        }
        ScreenCommand::Refresh => return vec![Effect::Renew],
        ScreenCommand::Suspend => return vec![Effect::Suspend],
        ScreenCommand::Copy => match copied::equivalent(&app.shared, app.screen()) {
            Ok(line) => return vec![Effect::Copy(line)],
            Err(why) => app.shared.say(why, true),
        },
        ScreenCommand::Undo => return undo(shared),
        ScreenCommand::Edit => return edit(shared),
        ScreenCommand::Study => shared.offer_studies(),
        ScreenCommand::Add => add(shared),
        ScreenCommand::Run => {
            if shared.seen.matrix_snapshot.is_some() && !shared.seen.is_live() {
                app.go(ScreenId::Runs);
            }
            return app.shared.run(None);
        }
        ScreenCommand::Build => return build(shared),
        ScreenCommand::Audit => return audit_report(shared),
        ScreenCommand::AuditStudy => return audit_study(shared),
        ScreenCommand::Check => return shared.program(&["check", &shared.study_file()], CommandPurpose::Show),
        ScreenCommand::Doctor => return shared.program(&["doctor"], CommandPurpose::Show),
        ScreenCommand::StoreCheck => return shared.program(&["store", "check"], CommandPurpose::Show),
        ScreenCommand::Compare | ScreenCommand::Diff => {
            if shared.screen != ScreenId::Compare {
                app.go(ScreenId::Compare);
            }
            return on_screen(app, command);
        }
        _ => return on_screen(app, command),
    }
    vec![]
}

/// A command that was chosen in the palette. One of another screen takes the person there.
pub(crate) fn chosen(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    let entry = COMMANDS.iter().find(|entry| entry.command == command);
    let elsewhere = entry.filter(|entry| !entry.is_of(app.shared.screen)).and_then(|entry| entry.screens.first());
    if let Some(screen) = elsewhere {
        app.go(*screen);
    }
    act(app, command)
}

fn on_screen(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    app.screens.get_mut(app.shared.screen).update(&mut app.shared, command)
}

fn undo(shared: &mut Shared) -> Vec<Effect> {
    let (Some(matrix_snapshot), Some((before, after))) = (shared.seen.matrix_snapshot.clone(), shared.undo.pop()) else {
        shared.say("nothing to undo: no change was made to the study file from here", false);
        return vec![];
    };
    vec![Effect::Write { file: matrix_snapshot.file.clone(), before: after, after: before, undo: true }]
}

fn edit(shared: &mut Shared) -> Vec<Effect> {
    let first = || shared.seen.studies.first().map(|study| &study.file);
    let file = shared.matrix_snapshot().map(|matrix_snapshot| &matrix_snapshot.file).or_else(first).cloned();
    match file {
        Some(file) => vec![Effect::Edit(file)],
        None => {
            shared.say("there is no study file to edit", true);
            vec![]
        }
    }
}

/// A menu of what can be added to the study; of studies, where none is open.
fn add(shared: &mut Shared) {
    if shared.seen.matrix_snapshot.is_none() {
        shared.offer_studies();
        return;
    }
    let options = Adding::ALL.iter().map(|adding| adding.words().into_owned()).collect();
    shared.overlay = Some(Overlay::Menu { title: "add to the study", options, cursor: 0, choice: MenuChoice::Add });
}

/// Builds the report. Figures that it lacks are drawn before, where nothing else is to be run.
fn build(shared: &mut Shared) -> Vec<Effect> {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return vec![] };
    let only_figures = matrix_snapshot.undrawn > 0 && matrix_snapshot.to_run == matrix_snapshot.undrawn;
    let draws = only_figures && !shared.seen.is_live() && matrix_snapshot.found.is_some();
    let file = shared.study_file();
    if draws {
        shared.program(&["run", &file], CommandPurpose::Draw)
    } else {
        shared.program(&["report", &file], CommandPurpose::Report)
    }
}

fn audit_report(shared: &mut Shared) -> Vec<Effect> {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return vec![] };
    let (file, study) =
        (format!("{}reports/{}.html", shared.root, matrix_snapshot.study.name), matrix_snapshot.study.name.clone());
    if shared.seen.report.is_none() {
        shared.say("there is no report yet: b builds it", true);
        return vec![];
    }
    shared.program(&["audit", &file, "--json"], CommandPurpose::Audit(study))
}

fn audit_study(shared: &mut Shared) -> Vec<Effect> {
    let Some(matrix_snapshot) = shared.matrix_snapshot() else { return vec![] };
    let study = matrix_snapshot.study.name.clone();
    shared.program(&["audit", &shared.study_file(), "--json"], CommandPurpose::Audit(study))
}
