//! The two sides of `update`: the events that come in, and the effects that are to be done outside.

use super::layout::ScreenLayout;
use crate::study::{
    curves::JobHistory,
    draft::{Change, StudyDraft},
    map_images::{MapImages, SavedSelection},
    picture::FigurePoints,
    watch::Snapshot,
};
use ratatui::crossterm::event::KeyEvent;
use std::{path::PathBuf, sync::Arc};
use visavis_core::domain::{Fault, job::JobId, ledger::CellId, text::shell};

/// What comes in.
pub(crate) enum ScreenEvent {
    Key(KeyEvent),
    /// Text that was pasted: typed where text is typed, and no commands elsewhere.
    Paste(String),
    /// A click at a column and row.
    Click(u16, u16),
    /// The wheel was moved: 1 down, −1 up.
    Wheel(i8),
    Resize(u16, u16),
    /// Time passes: milliseconds since 1970.
    Tick(u64),
    Seen(Box<Snapshot>),
    Picture(CellId, Result<FigurePoints, Fault>),
    Map(CellId, Result<MapImages, Fault>),
    /// A text, and the paths that begin so.
    Paths(String, Vec<String>),
    /// A selection was written, and where.
    Selected(Result<SavedSelection, Fault>),
    History(JobId, JobHistory),
    Drafted(Result<StudyDraft, Fault>),
    Written(Result<StudyWritten, Fault>),
    /// The editor was closed; what is wrong with the file now.
    Edited(Result<(), Fault>),
    Ended(CommandEnded),
}

/// A study file was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StudyWritten {
    pub before: String,
    pub after: String,
    /// It was put back to what it was.
    pub undone: bool,
}

/// A command of this very program has ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommandEnded {
    pub purpose: CommandPurpose,
    pub line: String,
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// What a command was run for: decides what happens to its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommandPurpose {
    Run,
    /// Requests about jobs, and pins.
    Ask,
    /// Figures that were pinned are drawn before the report is written.
    Draw,
    Report,
    /// Of this study.
    Audit(String),
    /// A study is written, into this file, and opened.
    Begin(PathBuf),
    /// Its output is shown.
    Show,
}

/// What is to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    Picture(CellId),
    /// The images of its map.
    Map(CellId),
    /// Labels of images that were selected on a map: whether each is.
    SaveSelection(Arc<MapImages>, Vec<bool>),
    History(JobId),
    Choose(PathBuf),
    /// The paths that begin as a text does.
    Paths(String),
    Draft(Change),
    Write {
        file: PathBuf,
        before: String,
        after: String,
        undo: bool,
    },
    Edit(PathBuf),
    /// A command line of this very program that takes the terminal: labelling.
    Label(Vec<String>),
    /// A command line of this very program, and how it is called while it runs.
    Program {
        arguments: Vec<String>,
        purpose: CommandPurpose,
        words: String,
    },
    Copy(String),
    Browse(String),
    Renew,
    /// To the shell, until the person comes back.
    Suspend,
    Remember(ScreenLayout),
}

/// A command line as a shell takes it.
pub(crate) fn line(arguments: &[String]) -> String {
    std::iter::once("visavis".to_owned()).chain(arguments.iter().map(|word| shell(word))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_is_safe_in_a_shell() {
        let words = ["run".to_owned(), "a b.yaml".to_owned(), "it's $(rm)".to_owned(), String::new()];
        assert_eq!(super::line(&words), "visavis run 'a b.yaml' 'it'\\''s $(rm)' ''");
    }
}
