//! What can lie over a screen and take its keys: the state of each overlay.

use super::{form::state::Form, pointing::state::Pointing};
use crate::study::draft::StudyDraft;
use std::path::PathBuf;
use visavis_core::domain::{job::JobId, ledger::CellId};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Overlay {
    Help {
        scroll: usize,
    },
    /// Every command, found by typing.
    Palette {
        text: String,
        cursor: usize,
    },
    /// Which rows are shown; applied while it is typed.
    Filter(String),
    /// A note to a figure that is pinned.
    Note {
        figure: CellId,
        text: String,
    },
    /// An attribute and its classes that are to be labelled, as they are typed.
    NewLabel(String),
    Form(Form),
    /// What a study of one's own is made of.
    Pointing(Pointing),
    /// One of several things to do, or to open.
    Menu {
        title: &'static str,
        options: Vec<String>,
        cursor: usize,
        choice: MenuChoice,
    },
    /// A change to the study, before it is written; and the form that it came from, to go back to.
    Draft {
        draft: StudyDraft,
        form: Option<Form>,
    },
    /// What stops or deletes asks.
    Confirm {
        question: String,
        then: Confirmation,
    },
    /// A fault, or the output of a command.
    Message {
        title: String,
        text: String,
        scroll: usize,
    },
}

impl Overlay {
    /// Letters are typed into it, so they are no commands.
    pub(crate) fn takes_text(&self) -> bool {
        matches!(
            self,
            Overlay::Palette { .. }
                | Overlay::Filter(_)
                | Overlay::Note { .. }
                | Overlay::NewLabel(_)
                | Overlay::Form(_)
                | Overlay::Pointing(_)
        )
    }
}

/// What a menu offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MenuChoice {
    /// These studies, then what a workspace may start with.
    Study(Vec<PathBuf>),
    /// What can be added to the study.
    Add,
    /// A first study, in a workspace that has none.
    Start,
}

/// What a workspace may start with, and the command line that makes it; the first asks where things are.
pub(crate) const STARTS: [(&str, &[&str]); 5] = [
    ("my own pictures or features: choose the files", &[]),
    ("an empty study file to edit: experiments/first.yaml", &["init", "."]),
    ("scanned digits: seconds, needs no libtorch", &["demo", "--digits", "--prepare"]),
    ("drawn faces, quick: networks that learn in a minute", &["demo", "--quick", "--prepare"]),
    ("drawn faces: the whole demo, five minutes", &["demo", "--prepare"]),
];

/// What a yes does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Confirmation {
    Cancel(Vec<JobId>),
    Drain,
    /// Nothing more is started.
    PauseAll,
    /// Runs this study when the run that goes on has ended.
    Queue(String),
    /// Takes the figure of this name off the report.
    Unpin(String),
}
