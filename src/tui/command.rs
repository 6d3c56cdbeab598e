//! Everything a person can do: one table, from which keys, help, palette and the line of keys are made.

use super::screen_id::ScreenId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScreenCommand {
    Up,
    Down,
    Left,
    Right,
    First,
    Last,
    PageUp,
    PageDown,
    Next,
    Previous,
    Enter,
    Back,
    Focus,
    Go(ScreenId),
    Help,
    Palette,
    Filter,
    Mark,
    Unmark,
    Sort,
    SortLeast,
    Copy,
    Undo,
    Edit,
    Study,
    Add,
    Axes,
    Exclude,
    PivotRows,
    PivotColumns,
    Swap,
    ResetPivot,
    StepAxis,
    StepForth,
    StepBack,
    View,
    Wide,
    Run,
    RunThis,
    Pause,
    Resume,
    Cancel,
    Drain,
    Series,
    Logarithm,
    Smooth,
    Pin,
    Compare,
    Diff,
    Hide,
    Baseline,
    Contrast,
    Beside,
    CloseUp,
    ZoomIn,
    ZoomOut,
    WholeMap,
    SelectArea,
    SaveSelection,
    Build,
    NewLabel,
    Open,
    Audit,
    AuditStudy,
    Check,
    Doctor,
    StoreCheck,
    Draw,
    Theme,
    Refresh,
    Suspend,
    Quit,
    // While something is typed.
    Type(char),
    Erase,
    EraseWord,
    EraseAll,
    Complete,
}

/// A command as people find it.
pub(crate) struct CommandEntry {
    pub command: ScreenCommand,
    /// As a terminal calls them; the first is shown.
    pub keys: &'static [&'static str],
    /// Where it works; everywhere if nowhere is named.
    pub screens: &'static [ScreenId],
    /// In a word or two, for the line of keys.
    pub short: &'static str,
    /// In a line, for help and palette.
    pub words: &'static str,
}

use ScreenCommand as C;
use ScreenId::{Compare, Figures, Label, Matrix, Report, Runs};

const fn entry(
    command: ScreenCommand,
    keys: &'static [&'static str],
    screens: &'static [ScreenId],
    short: &'static str,
    words: &'static str,
) -> CommandEntry {
    CommandEntry { command, keys, screens, short, words }
}

/// In the order in which help lists them.
pub(crate) const COMMANDS: &[CommandEntry] = &[
    entry(C::Run, &["r"], &[], "run", "run what the study lacks, in the background"),
    entry(C::Up, &["k", "Up"], &[], "", "up"),
    entry(C::Down, &["j", "Down"], &[], "move", "down"),
    entry(C::Left, &["h", "Left"], &[], "", "left"),
    entry(C::Right, &["l", "Right"], &[], "", "right"),
    entry(C::First, &["g", "Home"], &[], "", "to the first"),
    entry(C::Last, &["G", "End"], &[], "", "to the last"),
    entry(C::PageDown, &["Ctrl-d", "PageDown"], &[], "", "half a page down"),
    entry(C::PageUp, &["Ctrl-u", "PageUp"], &[], "", "half a page up"),
    entry(C::Enter, &["Enter"], &[], "open", "look closer: the square's figure by itself, a branch of the verdict"),
    entry(C::Back, &["Esc"], &[], "", "back: closes what is open, then clears the filter"),
    entry(C::Focus, &["Tab"], &[], "", "to the next pane, or screen"),
    entry(
        C::Filter,
        &["/"],
        &[Matrix, Runs, Compare, Figures],
        "filter",
        "show only what fits: words, loss=arcface, auc>0.8, -word",
    ),
    entry(C::Next, &["n"], &[], "", "to the next that fits the filter"),
    entry(C::Previous, &["N"], &[], "", "to the one before"),
    entry(
        C::Mark,
        &["Space"],
        &[Matrix, Runs, Compare, Figures],
        "mark",
        "mark: models to compare, jobs whose curves lie over each other",
    ),
    entry(C::Unmark, &["u"], &[Matrix, Runs, Compare], "", "take all marks off"),
    entry(C::Sort, &["s"], &[Matrix, Compare], "sort", "sort by this column, the greatest first"),
    entry(C::SortLeast, &["S"], &[Matrix, Compare], "", "sort by this column, the least first"),
    entry(C::Axes, &["x"], &[Matrix], "axes", "the study's levels: Space takes one in or out"),
    entry(C::Add, &["a"], &[], "add", "add a comparison, projection, level or model to the study"),
    entry(C::Exclude, &["e"], &[Matrix], "", "leave this combination out of the study's matrix"),
    entry(C::PivotRows, &["o"], &[Matrix], "turn", "turn: another axis for the rows"),
    entry(C::PivotColumns, &["O"], &[Matrix], "", "turn: another axis for the columns"),
    entry(C::Swap, &["t"], &[Matrix], "", "swap rows and columns"),
    entry(C::ResetPivot, &["0"], &[Matrix], "", "the matrix as it was at first: models × comparisons, nothing fixed or filtered"),
    entry(C::StepForth, &[">", "."], &[Matrix], "step", "the next level of the axis that is neither"),
    entry(C::StepBack, &["<", ","], &[Matrix], "", "the level before"),
    entry(C::StepAxis, &["f"], &[Matrix], "", "which axis < and > step along"),
    entry(C::View, &["v"], &[Matrix], "view", "the next view of this cell: its other axes"),
    entry(C::Wide, &["w"], &[Matrix], "", "wide or narrow columns"),
    entry(C::RunThis, &["m"], &[Matrix], "", "make this cell alone, and what it needs"),
    entry(C::Compare, &["c"], &[Matrix, Runs, Figures], "compare", "compare the marked models"),
    entry(C::Diff, &["d"], &[Compare, Matrix], "diff", "two marked models: what differs, and by how much"),
    entry(C::Hide, &["H"], &[Compare], "", "hide this column; once more on the first shows all"),
    entry(C::Baseline, &["b"], &[Compare], "baseline", "hold every other model against this one, or no more"),
    entry(C::Contrast, &["C"], &[Compare], "", "two marked models: hold them against each other in the study"),
    entry(C::Pause, &["P"], &[Runs], "pause", "start nothing more (asks), or not the marked jobs; what runs goes on"),
    entry(C::Resume, &["R"], &[Runs, Matrix], "retry", "take up again what failed, or was paused or cancelled"),
    entry(C::Cancel, &["K"], &[Runs], "cancel", "stop this job, or the marked ones (asks)"),
    entry(C::Drain, &["D"], &[Runs], "", "finish what runs, start nothing more, and end (asks)"),
    entry(C::Series, &["i"], &[Runs], "series", "the next series: loss, accuracy, images a second"),
    entry(C::Logarithm, &["L"], &[Runs], "log", "a logarithmic scale, or a plain one"),
    entry(C::Smooth, &["w"], &[Runs], "smooth", "smooth curves: not, .6, .9, .97"),
    entry(C::Pin, &["p"], &[Matrix, Figures, Report], "pin", "pin the figure to the report with a note, or take it off"),
    entry(C::Beside, &["v"], &[Figures], "two", "put the figure aside, to look at another beside it"),
    entry(C::CloseUp, &["e"], &[Figures], "zoom", "open the figure's map, with all its images: zoom and select"),
    entry(C::ZoomIn, &["+", "="], &[Figures], "larger", "zoom in on the map, at the cursor"),
    entry(C::ZoomOut, &["-"], &[Figures], "smaller", "zoom out of the map"),
    entry(C::WholeMap, &["0"], &[Figures], "whole", "the whole map"),
    entry(C::SelectArea, &["s"], &[Figures], "select", "begin a rectangle on the map, or end it: what its images share"),
    entry(C::SaveSelection, &["w"], &[Figures], "write", "write the selection as labels, which a study reads"),
    entry(C::NewLabel, &["a"], &[Label], "new", "label pictures by another attribute: its name and its classes"),
    entry(C::Build, &["b"], &[Report, Figures], "build", "build the report"),
    entry(C::Open, &["o"], &[Report], "open", "open the report in a browser"),
    entry(C::Audit, &["A"], &[Report], "audit", "audit the report: its numbers made again from its evidence"),
    entry(C::AuditStudy, &["V"], &[Report, Matrix], "", "audit the study's results: every score made again"),
    entry(C::Copy, &["y"], &[], "copy", "copy the command line that shows or does this"),
    entry(C::Undo, &["z"], &[], "undo", "undo the last change to the study file"),
    entry(C::Edit, &["E"], &[], "", "edit the study file with $EDITOR"),
    entry(C::Study, &["F"], &[], "study", "open another study of the workspace"),
    entry(C::Draw, &["I"], &[], "", "how figures are drawn: braille, blocks, letters, kitty, sixel, iTerm2"),
    entry(C::Theme, &["T"], &[], "", "theme: dark, light, 16 colours, none"),
    entry(C::Refresh, &["Ctrl-l"], &[], "", "read everything anew"),
    entry(C::Suspend, &["Ctrl-z"], &[], "", "to the shell; fg comes back"),
    entry(C::Check, &[], &[], "", "check the study file"),
    entry(C::Doctor, &[], &[], "", "what this machine has: visavis doctor"),
    entry(C::StoreCheck, &[], &[], "", "check the store: visavis store check"),
    entry(C::Go(Matrix), &["1"], &[], "", "screen: the matrix of all cells"),
    entry(C::Go(Runs), &["2"], &[], "", "screen: devices, jobs, curves, logs"),
    entry(C::Go(Compare), &["3"], &[], "", "screen: model against model"),
    entry(C::Go(Figures), &["4"], &[], "", "screen: figures in the ledger's order"),
    entry(C::Go(Report), &["5"], &[], "", "screen: the report and its audit"),
    entry(C::Go(Label), &["6"], &[], "", "screen: labels that people gave, and labelling"),
    entry(C::Palette, &[":"], &[], "palette", "find any command"),
    entry(C::Help, &["?"], &[], "help", "help on where you are"),
    entry(C::Quit, &["q", "Ctrl-c"], &[], "quit", "leave; what runs goes on"),
];

impl CommandEntry {
    pub(crate) fn is_of(&self, screen: ScreenId) -> bool {
        self.screens.is_empty() || self.screens.contains(&screen)
    }
}

/// What a key means on a screen: its own meaning there, else the one it has everywhere.
pub(crate) fn of_key(key: &str, screen: ScreenId) -> Option<ScreenCommand> {
    let holds = |entry: &&CommandEntry| entry.keys.contains(&key) && entry.is_of(screen);
    let own = COMMANDS.iter().filter(holds).find(|entry| !entry.screens.is_empty());
    own.or_else(|| COMMANDS.iter().find(holds)).map(|entry| entry.command)
}

/// What the palette finds, the best first: every letter typed, in its order.
pub(crate) fn found(text: &str) -> Vec<&'static CommandEntry> {
    let wanted: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let named = |entry: &&CommandEntry| {
        let searched = format!("{} {} {}", entry.short, entry.words, entry.keys.join(" ")).to_lowercase();
        wanted.iter().all(|word| searched.contains(word.as_str()))
    };
    let mut found: Vec<&CommandEntry> = COMMANDS.iter().filter(named).collect();
    let starts = |entry: &&CommandEntry| {
        wanted.first().is_some_and(|word| !entry.short.is_empty() && entry.short.starts_with(word.as_str()))
    };
    found.sort_by_key(|entry| !starts(entry));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_on_one_screen() {
        for screen in ScreenId::ALL {
            for one in COMMANDS.iter().filter(|entry| entry.is_of(screen)) {
                for key in one.keys {
                    let rivals = COMMANDS.iter().filter(|other| {
                        other.is_of(screen) && other.keys.contains(key) && other.screens.is_empty() == one.screens.is_empty()
                    });
                    assert_eq!(rivals.count(), 1, "{key} on {}", screen.word());
                }
            }
        }
    }

    #[test]
    fn the_contract_of_keys_holds() {
        let wanted = [
            ("j", C::Down),
            ("Down", C::Down),
            ("k", C::Up),
            ("h", C::Left),
            ("l", C::Right),
            ("g", C::First),
            ("G", C::Last),
            ("Ctrl-d", C::PageDown),
            ("Ctrl-u", C::PageUp),
            ("/", C::Filter),
            ("n", C::Next),
            ("N", C::Previous),
            (":", C::Palette),
            ("?", C::Help),
            ("Enter", C::Enter),
            ("Esc", C::Back),
            ("Tab", C::Focus),
            ("3", C::Go(Compare)),
            ("Space", C::Mark),
            ("c", C::Compare),
            ("d", C::Diff),
            ("p", C::Pin),
            ("s", C::Sort),
            ("S", C::SortLeast),
            ("y", C::Copy),
            ("z", C::Undo),
            ("q", C::Quit),
        ];
        for (key, command) in wanted {
            assert_eq!(of_key(key, Matrix), Some(command), "{key}");
        }
    }

    #[test]
    fn the_palette_finds_by_any_words() {
        assert_eq!(found("audit rep")[0].command, C::Audit);
        assert_eq!(found("pin")[0].command, C::Pin);
        assert_eq!(found("").len(), COMMANDS.len());
        assert!(found("no such thing at all").is_empty());
    }
}
