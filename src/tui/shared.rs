//! What all screens share: what was seen of the study, what the person set and marked, and what lies over the screen.

use super::{
    command::ScreenCommand,
    drawing::DrawingMode,
    event::{CommandPurpose, Effect, line},
    overlays::{
        state::{Confirmation, MenuChoice, Overlay, STARTS},
        studies::study_lines,
    },
    paint::LEAST,
    screen_id::ScreenId,
    theme::Theme,
};
use crate::study::{
    curves::JobHistory, map_images::MapImages, matrix_snapshot::MatrixSnapshot, picture::FigurePoints, standing::StudyState,
    watch::Snapshot,
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use visavis_core::domain::{comparison::Measured, job::JobId, ledger::CellId};

/// A line at the foot of the screen, which goes by itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Toast {
    pub text: String,
    pub bad: bool,
    /// Milliseconds since 1970 at which it came.
    pub at: u64,
}

pub(crate) struct Shared {
    pub seen: Snapshot,
    /// Milliseconds since 1970, as the last event said.
    pub now: u64,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    pub theme: Theme,
    /// The theme was changed by hand.
    pub themed: bool,
    pub drawing: DrawingMode,
    pub screen: ScreenId,
    pub overlay: Option<Overlay>,
    /// Overlays that came while something was typed: shown when that is done.
    pub later: Vec<Overlay>,
    pub toast: Option<Toast>,
    /// Command lines that run now.
    pub working: Vec<String>,
    /// Models that are marked, by name: the same on every screen.
    pub marked: BTreeSet<String>,
    /// Changes to the study file that were made from here, the latest last: its text before and after.
    pub undo: Vec<(String, String)>,
    pub pictures: HashMap<CellId, Result<Arc<FigurePoints>, String>>,
    /// The map that was looked at closely last.
    pub map: Option<(CellId, Result<Arc<MapImages>, String>)>,
    /// The figure whose map is looked at closely now.
    pub looked_at: Option<CellId>,
    /// Results may be others than when the map was read.
    pub is_map_stale: bool,
    pub histories: HashMap<JobId, Arc<JobHistory>>,
    /// Pictures and histories that may have changed: shown until they are read again.
    pub stale: (HashSet<CellId>, HashSet<JobId>),
    /// Pictures and histories that were asked for and have not come yet.
    pub asked: (HashSet<CellId>, HashSet<JobId>),
    /// Rows that a list has room for.
    pub page: usize,
    /// The workspace, as a path's beginning: empty, or `dir/`.
    pub root: String,
    /// Options that every command line is given, so that it does the same in any folder: `--workspace DIR` and the like.
    pub globals: Vec<String>,
    /// The current folder, from which relative paths start.
    pub here: PathBuf,
    pub quit: bool,
}

impl Shared {
    pub(crate) fn new(size: (u16, u16), theme: Theme, drawing: DrawingMode) -> Self {
        Shared {
            seen: Snapshot::default(),
            now: 0,
            size,
            theme,
            themed: false,
            drawing,
            screen: ScreenId::default(),
            overlay: None,
            later: vec![],
            toast: None,
            working: vec![],
            marked: BTreeSet::new(),
            undo: vec![],
            pictures: HashMap::new(),
            map: None,
            looked_at: None,
            is_map_stale: false,
            histories: HashMap::new(),
            stale: Default::default(),
            asked: Default::default(),
            page: 10,
            root: String::new(),
            globals: vec![],
            here: PathBuf::new(),
            quit: false,
        }
    }

    pub(crate) fn matrix_snapshot(&self) -> Option<&MatrixSnapshot> {
        self.seen.matrix_snapshot.as_deref()
    }

    /// The images of a figure's map, once they are read.
    pub(crate) fn map_of(&self, cell: CellId) -> Option<&MapImages> {
        let (of, map) = self.map.as_ref()?;
        map.as_deref().ok().filter(|_| *of == cell)
    }

    /// Too little room to draw anything, so no command may act unseen.
    pub(crate) fn is_too_small(&self) -> bool {
        self.size.0 < LEAST.0 || self.size.1 < LEAST.1
    }

    /// Lays something over the screen. What the person is typing or answering comes first.
    pub(crate) fn show(&mut self, overlay: Overlay) {
        match &self.overlay {
            None | Some(Overlay::Message { .. } | Overlay::Help { .. }) => self.overlay = Some(overlay),
            Some(_) => self.later.push(overlay),
        }
    }

    pub(crate) fn say(&mut self, text: impl Into<String>, bad: bool) {
        self.toast = Some(Toast { text: text.into(), bad, at: self.now });
    }

    /// Asks before something is stopped or deleted.
    pub(crate) fn confirm(&mut self, question: String, then: Confirmation) {
        self.overlay = Some(Overlay::Confirm { question, then });
    }

    /// A menu of the workspace's studies, and of what it may start with.
    pub(crate) fn offer_studies(&mut self) {
        let starts = STARTS.iter().map(|(words, _)| (*words).to_owned());
        let (title, options, choice) = if self.seen.studies.is_empty() {
            ("start with", starts.collect(), MenuChoice::Start)
        } else {
            let starts = starts.map(|words| format!("+ {words}"));
            let studies = study_lines(&self.seen.studies, Path::new(&self.root), self.now);
            let files = self.seen.studies.iter().map(|study| study.file.clone()).collect();
            ("open a study, or start another", studies.into_iter().chain(starts).collect(), MenuChoice::Study(files))
        };
        self.overlay = Some(Overlay::Menu { title, options, cursor: 0, choice });
    }

    /// Runs a command line of this program; not twice at once.
    pub(crate) fn program(&mut self, arguments: &[&str], purpose: CommandPurpose) -> Vec<Effect> {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let words = line(&arguments);
        if self.working.contains(&words) {
            self.say("that is being done", false);
            return vec![];
        }
        self.working.push(words.clone());
        vec![Effect::Program { arguments, purpose, words }]
    }

    /// Runs the study in the background: all that it lacks, or `only` the stages of this expression.
    pub(crate) fn run(&mut self, only: Option<&str>) -> Vec<Effect> {
        let file = self.study_file();
        if self.seen.matrix_snapshot.is_none() {
            self.say("no study is open: Enter opens or starts one", true);
            return vec![];
        }
        let waits = self.seen.studies.iter().filter(|study| matches!(study.state, StudyState::Waiting(_)));
        if waits.clone().any(|study| study.is_of(Path::new(&file))) {
            self.say("this study waits for its turn already", false);
            return vec![];
        }
        if self.seen.is_live() || waits.count() > 0 {
            let running = self.seen.run.as_ref().filter(|_| self.seen.is_live());
            let running = running.map_or("another study waits".to_owned(), |run| format!("{} runs now", run.run.study));
            if only.is_some() {
                self.say(format!("{running}: a part of a study is run when it has ended"), true);
            } else {
                self.confirm(format!("{running}. Run this study after it?"), Confirmation::Queue(file));
            }
            return vec![];
        }
        match only {
            None => self.program(&["run", &file, "--detach"], CommandPurpose::Run),
            Some(only) => self.program(&["run", &file, "--only", only, "--detach"], CommandPurpose::Run),
        }
    }

    /// Marks a model, or takes its mark off.
    pub(crate) fn mark(&mut self, model: String) {
        if !self.marked.remove(&model) {
            self.marked.insert(model);
        }
    }

    /// Asks whether a pinned figure is to be taken off the report, with its note; false where no figure of this name is pinned.
    pub(crate) fn unpin(&mut self, name: &str) -> bool {
        let Some(pin) =
            self.matrix_snapshot().and_then(|matrix_snapshot| matrix_snapshot.pins.iter().find(|pin| pin.name == name))
        else {
            return false;
        };
        let note = if pin.pin.note.is_empty() { String::new() } else { format!(", with its note “{}”", pin.pin.note) };
        self.confirm(format!("take {name} off the report{note}?"), Confirmation::Unpin(name.to_owned()));
        true
    }

    /// Asks for a note to pin a figure with; of one that is pinned, whether to take it off.
    pub(crate) fn pin(&mut self, figure: CellId) {
        let Some(matrix_snapshot) = self.matrix_snapshot() else { return };
        let measured = &matrix_snapshot.study.comparisons[figure.comparison].question.measured;
        let (name, is_quantity) = (matrix_snapshot.name(&figure), matches!(measured, Measured::Quantity(_)));
        if self.unpin(&name) {
            return;
        }
        if is_quantity {
            self.say("a quantity has no figure of its own: only comparisons of classes are drawn", true);
            return;
        }
        self.overlay = Some(Overlay::Note { figure, text: String::new() });
    }

    /// A path that holds in any folder.
    pub(crate) fn anywhere(&self, path: &Path) -> String {
        // Components leave out the `.` of a workspace that is the current folder.
        self.here.join(path).components().collect::<PathBuf>().display().to_string()
    }

    /// The study file as the person would type it.
    pub(crate) fn study_file(&self) -> String {
        self.matrix_snapshot().map_or("STUDY".to_owned(), |matrix_snapshot| matrix_snapshot.file.display().to_string())
    }

    /// Does this command mean something where no study is open?
    pub(crate) fn can(&self, command: ScreenCommand) -> bool {
        use ScreenCommand::{
            Add, Doctor, Draw, Edit, Enter, Focus, Go, Help, Palette, Quit, Refresh, Run, StoreCheck, Study, Theme,
        };
        let anywhere = [Add, Doctor, Draw, Edit, Enter, Focus, Help, Palette, Quit, Refresh, Run, StoreCheck, Study, Theme];
        self.seen.matrix_snapshot.is_some() || anywhere.contains(&command) || matches!(command, Go(_))
    }
}

/// A workspace's folder as the beginning of its paths: nothing for the current folder, else `dir/`.
pub(crate) fn root_of(folder: &Path) -> String {
    if folder.as_os_str() == "." { String::new() } else { format!("{}/", folder.display()) }
}
