//! How an audit goes on, for the people who wait.

use crate::cli::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// A bar on a terminal, a line now and then elsewhere.
pub(super) struct ProgressLine {
    bar: Option<ProgressBar>,
    /// When the next line is due; `None`: nobody is told.
    due: Option<Instant>,
    begun: Instant,
}

const PAUSE: Duration = Duration::from_secs(5);

impl ProgressLine {
    pub(super) fn new(context: &Context, stages: usize) -> Self {
        let is_told = !context.json && !context.quiet && stages > 0;
        let begun = Instant::now();
        if !is_told || !std::io::stderr().is_terminal() {
            return ProgressLine { bar: None, due: is_told.then(|| begun + PAUSE), begun };
        }
        let bar = ProgressBar::new(stages as u64);
        if let Ok(style) = ProgressStyle::with_template("  {bar:28} {pos:>4} of {len} stages made again · {elapsed} · {wide_msg}")
        {
            bar.set_style(style.progress_chars("━━╌"));
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        ProgressLine { bar: Some(bar), due: None, begun }
    }

    pub(super) fn tell(&mut self, (made, of): (usize, usize), what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(made as u64);
            bar.set_message(what.to_owned());
        }
        if self.due.is_some_and(|due| Instant::now() >= due) {
            eprintln!("  {made} of {of} stages made again · {:.0} s", self.begun.elapsed().as_secs_f64());
            self.due = Some(Instant::now() + PAUSE);
        }
    }

    pub(super) fn close(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
