//! Commands, while something lies over the screen.

use super::{act, chosen};
use crate::tui::{
    app::{App, Confirmation, MenuChoice, Overlay, STARTS},
    command::{self, ScreenCommand},
    event::{CommandPurpose, Effect},
    form::{Adding, Form},
};

pub fn act(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    let Some(overlay) = app.overlay.take() else { return vec![] };
    if command == ScreenCommand::Back {
        match overlay {
            // A filter that is left is taken off.
            Overlay::Filter(_) => act::set_filter(app, String::new()),
            // Back to what was typed.
            Overlay::Draft { form: Some(form), .. } => app.overlay = Some(Overlay::Form(form)),
            _ => {}
        }
        return vec![];
    }
    match overlay {
        Overlay::Help(scroll) => app.overlay = Some(Overlay::Help(scrolled(scroll, command))),
        Overlay::Message { title, text, scroll } => {
            if command != ScreenCommand::Enter {
                app.overlay = Some(Overlay::Message { title, text, scroll: scrolled(scroll, command) });
            }
        }
        Overlay::Palette { text, cursor } => return palette(app, &text, cursor, command),
        Overlay::Filter(text) => filter(app, text, command),
        Overlay::Note { figure, text } => {
            if command == ScreenCommand::Enter {
                let Some(board) = app.seen.board.clone() else { return vec![] };
                let (file, name) = (app.study_file(), board.name(&figure));
                let note = format!("--note={}", text.trim());
                return act::program(app, &["pin", &note, "--", &file, &name], CommandPurpose::Ask);
            }
            // A line or two: `visavis pin` takes no more.
            let text = if text.chars().count() < 500 || !matches!(command, ScreenCommand::Type(_)) {
                typed(text, command)
            } else {
                text
            };
            app.overlay = Some(Overlay::Note { figure, text });
        }
        Overlay::Form(form) => return fill(app, form, command),
        Overlay::Choice { title, options, cursor, then } => match command {
            ScreenCommand::Enter => return choose(app, &options, cursor, then),
            _ => app.overlay = Some(Overlay::Choice { cursor: moved(cursor, options.len(), command), title, options, then }),
        },
        Overlay::Draft { draft, form } => {
            if command == ScreenCommand::Enter {
                return vec![Effect::Write { file: draft.file, before: draft.before, after: draft.after, undo: false }];
            }
            app.overlay = Some(Overlay::Draft { draft, form });
        }
        Overlay::Ask { question, then } => {
            if command != ScreenCommand::Enter {
                app.overlay = Some(Overlay::Ask { question, then });
                return vec![];
            }
            return match then {
                Confirmation::Drain => act::program(app, &["drain"], CommandPurpose::Ask),
                Confirmation::Unpin(name) => act::program(app, &["unpin", &app.study_file(), &name], CommandPurpose::Ask),
                Confirmation::Cancel(jobs) => {
                    let ids: Vec<String> = jobs.iter().map(|id| id.short()).collect();
                    let words: Vec<&str> = std::iter::once("cancel").chain(ids.iter().map(String::as_str)).collect();
                    act::program(app, &words, CommandPurpose::Ask)
                }
            };
        }
    }
    vec![]
}

/// A line of what lies over the screen was clicked.
pub fn place(app: &mut App, at: usize) {
    if let Some(Overlay::Palette { cursor, .. } | Overlay::Choice { cursor, .. }) = &mut app.overlay {
        *cursor = at;
    }
}

/// A text with what was typed.
fn typed(mut text: String, command: ScreenCommand) -> String {
    match command {
        ScreenCommand::Type(letter) => text.push(letter),
        ScreenCommand::Erase => _ = text.pop(),
        ScreenCommand::EraseWord => {
            let end = text.trim_end().rfind(' ').map_or(0, |at| at + 1);
            text.truncate(end);
        }
        _ => {}
    }
    text
}

fn scrolled(scroll: usize, command: ScreenCommand) -> usize {
    match command {
        ScreenCommand::Down => scroll + 1,
        ScreenCommand::Up => scroll.saturating_sub(1),
        ScreenCommand::PageDown => scroll + 10,
        ScreenCommand::PageUp => scroll.saturating_sub(10),
        _ => scroll,
    }
}

fn moved(cursor: usize, count: usize, command: ScreenCommand) -> usize {
    let last = count.saturating_sub(1);
    match command {
        ScreenCommand::Down | ScreenCommand::Complete => {
            if cursor >= last {
                0
            } else {
                cursor + 1
            }
        }
        ScreenCommand::Up => {
            if cursor == 0 {
                last
            } else {
                cursor - 1
            }
        }
        ScreenCommand::PageDown => (cursor + 10).min(last),
        ScreenCommand::PageUp => cursor.saturating_sub(10),
        _ => cursor.min(last),
    }
}

fn palette(app: &mut App, text: &str, cursor: usize, command: ScreenCommand) -> Vec<Effect> {
    let found = command::found(text);
    if command == ScreenCommand::Enter {
        return found.get(cursor).map_or(vec![], |entry| chosen(app, entry.command));
    }
    let after = typed(text.to_owned(), command);
    let cursor = if after == text { moved(cursor, found.len(), command) } else { 0 };
    app.overlay = Some(Overlay::Palette { text: after, cursor });
    vec![]
}

fn filter(app: &mut App, text: String, command: ScreenCommand) {
    if command == ScreenCommand::Enter {
        // One that means nothing is not kept: what is wrong stands beside it.
        if crate::tui::view::filter_fault(app, &text).is_some() {
            app.overlay = Some(Overlay::Filter(text));
        }
        return;
    }
    let text = typed(text, command);
    act::set_filter(app, text.clone());
    app.overlay = Some(Overlay::Filter(text));
}

fn fill(app: &mut App, mut form: Form, command: ScreenCommand) -> Vec<Effect> {
    match command {
        ScreenCommand::Enter if form.cursor + 1 < form.fields.len() => form.cursor += 1,
        ScreenCommand::Enter => match form.change() {
            Ok(change) => {
                // It stays until the change can be made: a mistake in it can be mended.
                form.fault.clear();
                app.overlay = Some(Overlay::Form(form));
                return vec![Effect::Draft(change)];
            }
            Err(why) => form.fault = why,
        },
        ScreenCommand::Complete if !form.completions().is_empty() && !form.fields[form.cursor].value.is_empty() => {
            form.complete();
        }
        ScreenCommand::Complete | ScreenCommand::Down => form.cursor = moved(form.cursor, form.fields.len(), ScreenCommand::Down),
        ScreenCommand::Up => form.cursor = moved(form.cursor, form.fields.len(), ScreenCommand::Up),
        other => {
            let value = std::mem::take(&mut form.fields[form.cursor].value);
            form.fields[form.cursor].value = typed(value, other);
        }
    }
    app.overlay = Some(Overlay::Form(form));
    vec![]
}

fn choose(app: &mut App, options: &[String], cursor: usize, then: MenuChoice) -> Vec<Effect> {
    match then {
        MenuChoice::Study if cursor >= app.seen.studies.len() => start(app, cursor - app.seen.studies.len()),
        MenuChoice::Study => match options.get(cursor) {
            Some(path) => {
                app.seen.board = None;
                app.undo.clear();
                vec![Effect::Choose(path.into())]
            }
            None => vec![],
        },
        MenuChoice::Start => start(app, cursor),
        MenuChoice::Add => {
            if let (Some(adding), Some(board)) = (Adding::ALL.get(cursor), app.seen.board.clone()) {
                app.overlay = Some(Overlay::Form(Form::new(*adding, &board)));
            } else {
                app.say("no study is open: F opens one", true);
            }
            vec![]
        }
    }
}

/// Makes a study that a workspace may start with.
fn start(app: &mut App, place: usize) -> Vec<Effect> {
    let words: Vec<&str> = STARTS.get(place).map_or(vec![], |(_, words)| words.to_vec());
    // `init` makes a folder: this one.
    let root = app.root.trim_end_matches('/').to_owned();
    let here = |word: &str| word == "." && !root.is_empty();
    let words: Vec<&str> = words.into_iter().map(|word| if here(word) { root.as_str() } else { word }).collect();
    act::program(app, &words, CommandPurpose::Ask)
}
