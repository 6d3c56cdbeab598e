//! `visavis` and `visavis tui`: the terminal UI on this workspace; and its screens for scripts and documents.

use super::{
    Context,
    output::{say, say_json, write_out},
};
use crate::{
    study::watch::Watch,
    tui::{self, DrawingMode, ScreenId, ScreenLayout, Session, Setup, Theme},
};
use std::{io::IsTerminal, path::PathBuf};
use visavis_core::{
    domain::{Fault, Result},
    files,
    store::{now, write_out as write_out_whole, write_whole},
};

#[derive(clap::Args, Default)]
pub(crate) struct TuiCommand {
    /// The study to open (default: the latest run's, or the first of experiments/)
    #[arg(long, value_name = "STUDY")]
    study: Option<PathBuf>,
    /// The screen: matrix, runs, compare, figures, report, label
    #[arg(long, value_name = "NAME", value_parser = ["matrix", "runs", "compare", "figures", "report", "label"])]
    screen: Option<String>,
    /// Colours: dark, light, 16, none (default: what the terminal says)
    #[arg(long, value_name = "NAME", value_parser = ["dark", "light", "16", "none"])]
    theme: Option<String>,
    /// How figures are drawn: braille, blocks, letters, kitty, sixel, iterm2 (default: what the terminal can show; braille over SSH)
    #[arg(long, value_name = "NAME", value_parser = ["braille", "blocks", "letters", "kitty", "sixel", "iterm2"])]
    figures: Option<String>,
    /// Leave the mouse to the terminal
    #[arg(long)]
    no_mouse: bool,
    /// Print the screen as a table, and end (so do --json and --csv)
    #[arg(long)]
    plain: bool,
    /// Print the screen as CSV, and end
    #[arg(long, conflicts_with = "plain")]
    csv: bool,
    /// Draw the screen into a file, .svg or .txt, and end
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Of --record: the size of the terminal
    #[arg(long, value_name = "WxH", default_value = "120x40")]
    size: String,
    /// Of --record and tables: keys that are pressed first, between spaces; a word after ' is typed
    #[arg(long, value_name = "KEYS", default_value = "")]
    keys: String,
}

impl TuiCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let mut watch = Watch::new(&context.workspace, context.threads);
        if let Some(study) = &self.study {
            crate::study::draft::check(study)?;
            watch.choose(study);
        }
        if self.record.is_some() || self.plain || self.csv || context.json {
            return self.without_terminal(context, watch);
        }
        let variable = |name: &str| std::env::var(name).ok();
        if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
            return Err(Fault::asked("this is no terminal").next(
                "`visavis tui --plain`, --json or --csv prints a screen; `visavis status`, `show` and `compare` are there too",
            ));
        }
        if variable("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
            return Err(Fault::asked("this terminal cannot place text (TERM is dumb or not set)")
                .next("`visavis tui --plain` prints a screen; on another terminal, set TERM to what it is"));
        }
        let theme = self.theme.as_deref().and_then(Theme::of_word).unwrap_or_else(Theme::found);
        let place = context.workspace.data().join("tui.json");
        let layout: ScreenLayout =
            files::read_up_to(&place, 1 << 20).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let layout = ScreenLayout { screen: self.screen.clone().unwrap_or(layout.screen), ..layout };
        // A workspace that cannot be written, or where nothing was run, forgets the layout, and no more.
        let journals = context.workspace.journals();
        let remember = Box::new(move |layout: &ScreenLayout| {
            if journals.is_dir() {
                write_whole(&place, &serde_json::to_vec(layout).unwrap_or_default()).ok();
            }
        });
        let program = super::this_program()?;
        tui::run(Setup {
            watch,
            program,
            globals: context.globals(),
            root: context.workspace.root().to_owned(),
            theme,
            drawing: self
                .figures
                .as_deref()
                .and_then(DrawingMode::of_word)
                .unwrap_or_else(|| DrawingMode::of_environment(&variable)),
            layout,
            mouse: !self.no_mouse,
            remember,
        })
    }

    fn without_terminal(&self, context: &Context, watch: Watch) -> Result<()> {
        let theme = self.theme.as_deref().and_then(Theme::of_word).unwrap_or_default();
        let mut session = Session::new(watch, self.size()?, theme, now());
        if let Some(screen) = self.screen.as_deref().and_then(ScreenId::of_word) {
            session.go(screen);
        }
        session.press(&self.keys);
        if let Some(file) = &self.record {
            let frame = session.frame();
            let bytes = match file.extension().and_then(|ending| ending.to_str()) {
                Some("svg") => frame.svg(),
                Some("txt") => frame.text(),
                _ => return Err(Fault::asked("a recording is an .svg or a .txt").in_file(file)),
            };
            return write_out_whole(file, bytes.as_bytes());
        }
        if session.study().is_none()
            && let Some(fault) = session.trouble()
        {
            return Err(fault.clone());
        }
        let table = session.table();
        if context.json {
            say_json(&table.json(session.study()));
        } else if self.csv {
            write_out(table.csv().as_bytes());
        } else {
            say(table.plain());
        }
        Ok(())
    }

    fn size(&self) -> Result<(u16, u16)> {
        let parsed = self.size.split_once('x').and_then(|(wide, high)| Some((wide.parse().ok()?, high.parse().ok()?)));
        parsed
            .filter(|(wide, high)| (1..=500).contains(wide) && (1..=300).contains(high))
            .ok_or_else(|| Fault::asked(format!("`{}` is no size", self.size)).next("such as --size 120x40"))
    }
}
