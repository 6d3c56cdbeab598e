//! The state of the screens: what was seen, and where the person is. Changed by `update` alone.

use super::{
    compare::CompareState,
    figures::Figures,
    form::Form,
    pivot::{Lattice, MatrixAxis, MatrixSquare, Turn},
    report::ReportState,
    runs::Runs,
    theme::Theme,
};
use crate::study::{curves::JobHistory, draft::StudyDraft, matrix_snapshot::Board, picture::FigurePoints, watch::Snapshot};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use visavis_core::domain::{job::JobId, ledger::CellId};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    #[default]
    Matrix,
    Runs,
    Compare,
    Figures,
    Report,
}

impl Screen {
    pub const ALL: [Screen; 5] = [Screen::Matrix, Screen::Runs, Screen::Compare, Screen::Figures, Screen::Report];

    pub fn word(self) -> &'static str {
        match self {
            Screen::Matrix => "Matrix",
            Screen::Runs => "Runs",
            Screen::Compare => "Compare",
            Screen::Figures => "Figures",
            Screen::Report => "Report",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Screen::ALL.into_iter().find(|screen| screen.word().eq_ignore_ascii_case(word))
    }
}

/// What lies over a screen, and takes the keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    Help(usize),
    /// Every command, found by typing.
    Palette {
        text: String,
        cursor: usize,
    },
    /// What rows are shown; as they are typed.
    Filter(String),
    /// A note to a figure that is pinned.
    Note {
        figure: CellId,
        text: String,
    },
    Form(Form),
    /// One of several things to do, or to open.
    Choice {
        title: &'static str,
        options: Vec<String>,
        cursor: usize,
        then: MenuChoice,
    },
    /// A change to the study, before it is written; and the form that it came from, to go back to.
    Draft {
        draft: StudyDraft,
        form: Option<Form>,
    },
    /// What stops or deletes asks.
    Ask {
        question: String,
        then: Confirmation,
    },
    /// A fault, or what a command said.
    Message {
        title: String,
        text: String,
        scroll: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuChoice {
    Study,
    Add,
    /// A first study, in a workspace that has none.
    Start,
}

/// What a workspace may start with, and the command line that makes it.
pub const STARTS: [(&str, &[&str]); 4] = [
    ("a study of my own: experiments/first.yaml, to be edited", &["init", "."]),
    ("scanned digits: seconds, needs no libtorch", &["demo", "--digits", "--prepare"]),
    ("drawn faces, quick: networks that learn in a minute", &["demo", "--quick", "--prepare"]),
    ("drawn faces: the whole demo, five minutes", &["demo", "--prepare"]),
];

#[derive(Clone, Debug, PartialEq)]
pub enum Confirmation {
    Cancel(Vec<JobId>),
    Drain,
    /// A figure, by name.
    Unpin(String),
}

/// A line that goes by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    pub text: String,
    pub bad: bool,
    /// Milliseconds since 1970 at which it came.
    pub at: u64,
}

/// How figures are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawing {
    #[default]
    Braille,
    Blocks,
    Ascii,
    Kitty,
    Sixel,
    Iterm,
}

impl Drawing {
    pub const ALL: [Drawing; 6] =
        [Drawing::Braille, Drawing::Blocks, Drawing::Ascii, Drawing::Kitty, Drawing::Sixel, Drawing::Iterm];

    pub fn word(self) -> &'static str {
        match self {
            Drawing::Braille => "braille",
            Drawing::Blocks => "blocks",
            Drawing::Ascii => "letters",
            Drawing::Kitty => "kitty",
            Drawing::Sixel => "sixel",
            Drawing::Iterm => "iterm2",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Drawing::ALL.into_iter().find(|drawing| drawing.word() == word)
    }

    /// What the environment says the terminal can show.
    pub fn of_environment(of: &dyn Fn(&str) -> Option<String>) -> Self {
        let holds = |name: &str, word: &str| of(name).is_some_and(|value| value.to_lowercase().contains(word));
        // Multiplexers pass pictures on to nobody knows which terminal, and a megabyte a figure is much for a line to elsewhere.
        if of("TMUX").is_some()
            || of("SSH_CONNECTION").is_some()
            || of("SSH_TTY").is_some()
            || holds("TERM", "screen")
            || holds("TERM", "tmux")
        {
            Drawing::Braille
        } else if of("KITTY_WINDOW_ID").is_some() || holds("TERM", "kitty") || holds("TERM", "ghostty") {
            Drawing::Kitty
        } else if holds("TERM_PROGRAM", "iterm") || holds("TERM_PROGRAM", "wezterm") {
            Drawing::Iterm
        } else if holds("TERM", "foot") || holds("TERM", "mlterm") || holds("TERM", "sixel") {
            Drawing::Sixel
        } else if holds("TERM", "linux") || holds("TERM", "vt100") || (holds("LC_ALL", "c") && !holds("LC_ALL", "utf")) {
            Drawing::Ascii
        } else {
            Drawing::Braille
        }
    }
}

/// The matrix, and where in it the person is.
#[derive(Default)]
pub struct MatrixState {
    pub turn: Turn,
    pub lattice: Lattice,
    pub spots: Vec<Vec<Option<MatrixSquare>>>,
    /// Rows as they are shown: sorted, and filtered.
    pub order: Vec<usize>,
    pub row: usize,
    pub column: usize,
    /// The axis that `<` and `>` step along.
    pub stepping: Option<MatrixAxis>,
    /// Sorted by this column; `true`: the least first.
    pub sorted: Option<(usize, bool)>,
    pub filter: String,
    /// The view of the square's cell that is looked at, beside its best.
    pub view: Option<usize>,
    /// The list of levels has the keys, and which line of it.
    pub axes: Option<usize>,
    pub wide: bool,
    /// The figure by itself.
    pub zoom: bool,
}

pub struct App {
    pub seen: Snapshot,
    pub now: u64,
    pub size: (u16, u16),
    pub theme: Theme,
    pub drawing: Drawing,
    pub screen: Screen,
    pub overlay: Option<Overlay>,
    /// What came while something was typed: shown when that is done.
    pub later: Vec<Overlay>,
    pub toast: Option<Toast>,
    /// Commands that run now, in words.
    pub working: Vec<String>,
    pub matrix: MatrixState,
    pub runs: Runs,
    pub compare: CompareState,
    pub figures: Figures,
    pub report: ReportState,
    /// Models that are marked, by name: the same on every screen.
    pub marked: BTreeSet<String>,
    /// The theme was changed by hand.
    pub themed: bool,
    /// What of the layout waits for the study's names.
    pub remembered: Option<ScreenLayout>,
    pub undo: Vec<(String, String)>,
    pub pictures: HashMap<CellId, Result<Arc<FigurePoints>, String>>,
    pub diaries: HashMap<JobId, Arc<JobHistory>>,
    /// Pictures and diaries that may have changed: shown until what is true now is read.
    pub stale: (HashSet<CellId>, HashSet<JobId>),
    /// What of these was asked for, and is on its way.
    pub asked: (HashSet<CellId>, HashSet<JobId>),
    /// Rows that a list has room for: what a page is.
    pub page: usize,
    /// The workspace, as a path's beginning: empty, or `dir/`.
    pub root: String,
    /// Options that every command line is given, so that it does the same in any folder: `--workspace DIR` and the like.
    pub globals: Vec<String>,
    /// The current folder: what relative paths begin at.
    pub here: PathBuf,
    pub quit: bool,
}

/// What is remembered from one time to the next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenLayout {
    pub screen: String,
    pub rows: String,
    pub columns: String,
    /// The level of each axis that is neither, by name.
    pub fixed: Vec<Option<String>>,
    pub marked: Vec<String>,
    /// Where it was changed by hand.
    pub theme: Option<String>,
    pub logarithmic: bool,
    pub smoothing: usize,
}

impl App {
    pub fn new(size: (u16, u16), theme: Theme, drawing: Drawing, layout: &ScreenLayout) -> Self {
        let mut app = App {
            seen: Snapshot::default(),
            now: 0,
            size,
            theme,
            drawing,
            screen: Screen::of_word(&layout.screen).unwrap_or_default(),
            overlay: None,
            later: vec![],
            toast: None,
            working: vec![],
            matrix: MatrixState::default(),
            runs: Runs::default(),
            compare: CompareState::default(),
            figures: Figures::default(),
            report: ReportState::default(),
            marked: BTreeSet::new(),
            themed: false,
            remembered: None,
            undo: vec![],
            pictures: HashMap::new(),
            diaries: HashMap::new(),
            stale: Default::default(),
            asked: Default::default(),
            page: 10,
            root: String::new(),
            globals: vec![],
            here: PathBuf::new(),
            quit: false,
        };
        if let (Some(rows), Some(columns)) = (MatrixAxis::of_word(&layout.rows), MatrixAxis::of_word(&layout.columns))
            && rows != columns
        {
            (app.matrix.turn.rows, app.matrix.turn.columns) = (rows, columns);
        }
        (app.runs.logarithmic, app.runs.smoothing) = (layout.logarithmic, layout.smoothing.min(3));
        app.remembered = Some(layout.clone());
        app
    }

    /// What is remembered by name, once names are known.
    pub fn remember(&mut self) {
        let Some(layout) = self.remembered.take() else { return };
        for (axis, name) in MatrixAxis::ALL.into_iter().zip(&layout.fixed) {
            let names = self.matrix.lattice.names(axis);
            self.matrix.turn.fixed[axis as usize] = name.as_ref().and_then(|name| names.iter().position(|of| of == name));
        }
        self.marked.extend(layout.marked);
    }

    /// Takes up a board that is another than before: what was chosen by place is found again by name.
    pub fn take_board(&mut self, board: &Board) {
        let fixed = MatrixAxis::ALL.map(|axis| {
            let level = self.matrix.turn.fixed[axis as usize]?;
            self.matrix.lattice.names(axis).get(level).cloned()
        });
        let columns = self.matrix.lattice.names(self.matrix.turn.columns).to_vec();
        self.matrix.lattice = Lattice::of(board);
        for (axis, name) in MatrixAxis::ALL.into_iter().zip(fixed) {
            self.matrix.turn.fixed[axis as usize] =
                name.and_then(|name| self.matrix.lattice.names(axis).iter().position(|of| *of == name));
        }
        if columns != self.matrix.lattice.names(self.matrix.turn.columns) {
            self.matrix.sorted = None;
        }
        self.remember();
        self.marked.retain(|name| board.families.iter().any(|(family, _)| family == name));
        let gone = |overlay: &Overlay| matches!(overlay, Overlay::Note { figure, .. } if !board.has(figure));
        self.overlay = self.overlay.take().filter(|overlay| !gone(overlay));
    }

    pub fn layout(&self) -> ScreenLayout {
        ScreenLayout {
            screen: self.screen.word().to_owned(),
            rows: self.matrix.turn.rows.word().to_owned(),
            columns: self.matrix.turn.columns.word().to_owned(),
            fixed: MatrixAxis::ALL
                .iter()
                .map(|axis| self.matrix.lattice.names(*axis).get(self.matrix.turn.fixed[*axis as usize]?).cloned())
                .collect(),
            marked: self.marked.iter().cloned().collect(),
            theme: self.themed.then(|| self.theme.word().to_owned()),
            logarithmic: self.runs.logarithmic,
            smoothing: self.runs.smoothing,
        }
    }

    /// The square of the matrix under the cursor.
    pub fn spot(&self) -> Option<&MatrixSquare> {
        let row = *self.matrix.order.get(self.matrix.row)?;
        self.matrix.spots.get(row)?.get(self.matrix.column)?.as_ref()
    }

    /// The figure that the person looks at.
    pub fn figure(&self) -> Option<CellId> {
        let board = self.seen.board.as_deref()?;
        match self.screen {
            Screen::Figures => self.figures.at(self.figures.cursor),
            _ => {
                let mut figure = self.spot()?.figure(board)?;
                if let Some(view) = self.matrix.view {
                    let views = board.study.projections[figure.projection].views();
                    figure.view = *views.get(view % views.len())?;
                }
                Some(figure)
            }
        }
    }

    /// The figures that are on the screen, so that their points be read.
    pub fn figures_wanted(&self) -> Vec<CellId> {
        match self.screen {
            Screen::Matrix => self.figure().into_iter().collect(),
            Screen::Figures => self.figures.wanted(),
            _ => vec![],
        }
    }

    /// Does anything on the screen change as time passes?
    pub fn tells_time(&self) -> bool {
        self.toast.is_some() || self.seen.is_live() || matches!(self.screen, Screen::Runs | Screen::Report)
    }

    /// Too little room for anything to be seen: nothing is done blindly.
    pub fn is_blind(&self) -> bool {
        self.size.0 < super::view::LEAST.0 || self.size.1 < super::view::LEAST.1
    }

    /// Lays something over the screen; what a person is in the middle of comes first.
    pub fn show(&mut self, overlay: Overlay) {
        match &self.overlay {
            None | Some(Overlay::Message { .. } | Overlay::Help(_)) => self.overlay = Some(overlay),
            Some(_) => self.later.push(overlay),
        }
    }

    pub fn say(&mut self, text: impl Into<String>, bad: bool) {
        self.toast = Some(Toast { text: text.into(), bad, at: self.now });
    }

    /// A path as it is meant in any folder.
    pub fn anywhere(&self, path: &Path) -> String {
        // Without the `.` of a workspace that is the current folder.
        self.here.join(path).components().collect::<PathBuf>().display().to_string()
    }

    /// The study file as the person would type it.
    pub fn study_file(&self) -> String {
        self.seen.board.as_ref().map_or("STUDY".to_owned(), |board| board.file.display().to_string())
    }
}
