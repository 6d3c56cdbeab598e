//! A menu: studies to open, what a workspace may start with, what can be added to a study.

use super::{
    editing::moved,
    form::state::{Adding, Form},
    pointing::state::Pointing,
    state::{MenuChoice, Overlay, STARTS},
    window::{list, over},
};
use crate::tui::{
    command::ScreenCommand,
    event::{CommandPurpose, Effect},
    paint::Paint,
    shared::Shared,
    text::width,
};
use ratatui::layout::Rect;
use std::path::PathBuf;

pub(crate) fn update(shared: &mut Shared, overlay: Overlay, command: ScreenCommand) -> Vec<Effect> {
    let Overlay::Menu { title, options, cursor, choice } = overlay else { return vec![] };
    if command == ScreenCommand::Enter {
        return choose(shared, cursor, choice);
    }
    let cursor = moved(cursor, options.len(), command);
    shared.overlay = Some(Overlay::Menu { title, options, cursor, choice });
    vec![]
}

fn choose(shared: &mut Shared, cursor: usize, choice: MenuChoice) -> Vec<Effect> {
    match choice {
        MenuChoice::Study(files) => match files.get(cursor) {
            Some(file) => {
                shared.seen.matrix_snapshot = None;
                shared.undo.clear();
                vec![Effect::Choose(file.clone())]
            }
            None => start(shared, cursor - files.len()),
        },
        MenuChoice::Start => start(shared, cursor),
        MenuChoice::Add => {
            match (Adding::ALL.get(cursor), shared.matrix_snapshot()) {
                (Some(adding), Some(matrix_snapshot)) => {
                    shared.overlay = Some(Overlay::Form(Form::new(*adding, matrix_snapshot)));
                }
                _ => shared.say("no study is open: F opens one", true),
            }
            vec![]
        }
    }
}

/// Makes a study that a workspace may start with.
fn start(shared: &mut Shared, place: usize) -> Vec<Effect> {
    let Some((_, words)) = STARTS.get(place) else { return vec![] };
    if words.is_empty() {
        let files: Vec<PathBuf> = shared.seen.studies.iter().map(|study| study.file.clone()).collect();
        shared.overlay = Some(Overlay::Pointing(Pointing::new(&files)));
        return vec![];
    }
    // `init` makes a folder: the workspace's own.
    let root = shared.root.trim_end_matches('/').to_owned();
    let here = |word: &&'static str| if *word == "." && !root.is_empty() { root.clone() } else { (*word).to_owned() };
    let words: Vec<String> = words.iter().map(here).collect();
    shared.program(&words.iter().map(String::as_str).collect::<Vec<_>>(), CommandPurpose::Ask)
}

pub(crate) fn draw(paint: &mut Paint, area: Rect, title: &str, options: &[String], cursor: usize) {
    let longest = options.iter().map(|option| width(option)).max().unwrap_or(0);
    let inner = over(paint, area, 72.max(longest as u16 + 6), options.len() as u16 + 2, title);
    list(paint, inner, options, cursor);
}
