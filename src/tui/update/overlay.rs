//! Commands, while something lies over the screen.

use super::{act, chosen};
use crate::tui::{
    app::{App, Asked, Chosen, Overlay, STARTS},
    command::{self, Command},
    event::{Effect, Purpose},
    form::{Adding, Form},
};

pub fn act(app: &mut App, command: Command) -> Vec<Effect> {
    let Some(overlay) = app.overlay.take() else { return vec![] };
    if command == Command::Back {
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
            if command != Command::Enter {
                app.overlay = Some(Overlay::Message { title, text, scroll: scrolled(scroll, command) });
            }
        }
        Overlay::Palette { text, cursor } => return palette(app, &text, cursor, command),
        Overlay::Filter(text) => filter(app, text, command),
        Overlay::Note { figure, text } => {
            if command == Command::Enter {
                let Some(board) = app.seen.board.clone() else { return vec![] };
                let (file, name) = (app.study_file(), board.name(&figure));
                let note = format!("--note={}", text.trim());
                return act::program(app, &["pin", &note, "--", &file, &name], Purpose::Ask);
            }
            // A line or two: `visavis pin` takes no more.
            let text =
                if text.chars().count() < 500 || !matches!(command, Command::Type(_)) { typed(text, command) } else { text };
            app.overlay = Some(Overlay::Note { figure, text });
        }
        Overlay::Form(form) => return fill(app, form, command),
        Overlay::Choice { title, options, cursor, then } => match command {
            Command::Enter => return choose(app, &options, cursor, then),
            _ => app.overlay = Some(Overlay::Choice { cursor: moved(cursor, options.len(), command), title, options, then }),
        },
        Overlay::Draft { draft, form } => {
            if command == Command::Enter {
                return vec![Effect::Write { file: draft.file, before: draft.before, after: draft.after, undo: false }];
            }
            app.overlay = Some(Overlay::Draft { draft, form });
        }
        Overlay::Ask { question, then } => {
            if command != Command::Enter {
                app.overlay = Some(Overlay::Ask { question, then });
                return vec![];
            }
            return match then {
                Asked::Drain => act::program(app, &["drain"], Purpose::Ask),
                Asked::Unpin(name) => act::program(app, &["unpin", &app.study_file(), &name], Purpose::Ask),
                Asked::Cancel(jobs) => {
                    let ids: Vec<String> = jobs.iter().map(|id| id.short()).collect();
                    let words: Vec<&str> = std::iter::once("cancel").chain(ids.iter().map(String::as_str)).collect();
                    act::program(app, &words, Purpose::Ask)
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
fn typed(mut text: String, command: Command) -> String {
    match command {
        Command::Type(letter) => text.push(letter),
        Command::Erase => _ = text.pop(),
        Command::EraseWord => {
            let end = text.trim_end().rfind(' ').map_or(0, |at| at + 1);
            text.truncate(end);
        }
        _ => {}
    }
    text
}

fn scrolled(scroll: usize, command: Command) -> usize {
    match command {
        Command::Down => scroll + 1,
        Command::Up => scroll.saturating_sub(1),
        Command::PageDown => scroll + 10,
        Command::PageUp => scroll.saturating_sub(10),
        _ => scroll,
    }
}

fn moved(cursor: usize, count: usize, command: Command) -> usize {
    let last = count.saturating_sub(1);
    match command {
        Command::Down | Command::Complete => {
            if cursor >= last {
                0
            } else {
                cursor + 1
            }
        }
        Command::Up => {
            if cursor == 0 {
                last
            } else {
                cursor - 1
            }
        }
        Command::PageDown => (cursor + 10).min(last),
        Command::PageUp => cursor.saturating_sub(10),
        _ => cursor.min(last),
    }
}

fn palette(app: &mut App, text: &str, cursor: usize, command: Command) -> Vec<Effect> {
    let found = command::found(text);
    if command == Command::Enter {
        return found.get(cursor).map_or(vec![], |entry| chosen(app, entry.command));
    }
    let after = typed(text.to_owned(), command);
    let cursor = if after == text { moved(cursor, found.len(), command) } else { 0 };
    app.overlay = Some(Overlay::Palette { text: after, cursor });
    vec![]
}

fn filter(app: &mut App, text: String, command: Command) {
    if command == Command::Enter {
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

fn fill(app: &mut App, mut form: Form, command: Command) -> Vec<Effect> {
    match command {
        Command::Enter if form.cursor + 1 < form.fields.len() => form.cursor += 1,
        Command::Enter => match form.change() {
            Ok(change) => {
                // It stays until the change can be made: a mistake in it can be mended.
                form.fault.clear();
                app.overlay = Some(Overlay::Form(form));
                return vec![Effect::Draft(change)];
            }
            Err(why) => form.fault = why,
        },
        Command::Complete if !form.completions().is_empty() && !form.fields[form.cursor].value.is_empty() => form.complete(),
        Command::Complete | Command::Down => form.cursor = moved(form.cursor, form.fields.len(), Command::Down),
        Command::Up => form.cursor = moved(form.cursor, form.fields.len(), Command::Up),
        other => {
            let value = std::mem::take(&mut form.fields[form.cursor].value);
            form.fields[form.cursor].value = typed(value, other);
        }
    }
    app.overlay = Some(Overlay::Form(form));
    vec![]
}

fn choose(app: &mut App, options: &[String], cursor: usize, then: Chosen) -> Vec<Effect> {
    match then {
        Chosen::Study if cursor >= app.seen.studies.len() => start(app, cursor - app.seen.studies.len()),
        Chosen::Study => match options.get(cursor) {
            Some(path) => {
                app.seen.board = None;
                app.undo.clear();
                vec![Effect::Choose(path.into())]
            }
            None => vec![],
        },
        Chosen::Start => start(app, cursor),
        Chosen::Add => {
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
    act::program(app, &words, Purpose::Ask)
}
