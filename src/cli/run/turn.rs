//! `visavis run --queue`: waits until nobody runs anything in the workspace, and nobody stands before.

use super::{RunCommand, WAITS};
use crate::{
    cli::{
        Context,
        output::{remark, say, say_json},
    },
    study::{OpenedStudy, RunSummary},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use visavis_core::{
    domain::{Fault, Result, text::printable},
    store::{Ticket, WaitingRun},
};

/// How often it looks whether its turn has come.
const PAUSE: Duration = Duration::from_millis(500);

/// So often it takes up its place again when somebody was faster.
const MOST_LOST: usize = 100;

/// What a run has before it begins.
pub(super) struct Turn {
    /// Its place among those that wait, which it leaves when it runs.
    pub ticket: Option<Ticket>,
    /// Set by signals.
    pub stop: Arc<AtomicBool>,
    /// Another run had the workspace.
    pub refused: AtomicBool,
}

impl Turn {
    /// Of a run that waits for nobody.
    pub(super) fn at_once(stop: Arc<AtomicBool>) -> Self {
        Turn { ticket: None, stop, refused: AtomicBool::new(false) }
    }

    fn stops(&self) -> Result<()> {
        if self.stop.load(Ordering::SeqCst) { Err(Fault::interrupted()) } else { Ok(()) }
    }
}

impl RunCommand {
    /// Runs the study when its turn has come. It is planned then: other runs make results meanwhile.
    pub(super) fn in_turn(&self, context: &Context, opened: &OpenedStudy) -> Result<()> {
        let ended = self.wait_and_run(context, opened);
        self.notify(context, opened, &ended);
        ended.map(|_| ())
    }

    fn wait_and_run(&self, context: &Context, opened: &OpenedStudy) -> Result<RunSummary> {
        let mut turn = Turn::at_once(self.listen()?);
        turn.ticket = Some(context.workspace.stand_in_line(&opened.file.study.name, &self.whole_path().to_string_lossy())?);
        let mut told = None;
        let mut lost = 0;
        loop {
            self.wait(context, &turn, &mut told)?;
            let (opened, plan) = self.plan(context)?;
            turn.stops()?;
            let ended = self.carry_out(context, &opened, plan, &mut turn);
            // Somebody who does not stand in line was faster; the place is kept.
            if !turn.refused.swap(false, Ordering::SeqCst) || lost == MOST_LOST {
                return ended;
            }
            lost += 1;
            std::thread::sleep(PAUSE);
        }
    }

    /// `told`: for whom it was said last that it waits.
    fn wait(&self, context: &Context, turn: &Turn, told: &mut Option<(String, usize)>) -> Result<()> {
        loop {
            turn.stops()?;
            let before = turn.ticket.as_ref().map_or(0, Ticket::before);
            let next = || context.workspace.waiting().first().map_or("another run has its turn".to_owned(), next_in_line);
            let Some(holder) = holder(context).or_else(|| (before > 0).then(next)) else { return Ok(()) };
            if *told != Some((holder.clone(), before)) {
                self.say_that_it_waits(context, &holder, before, told.is_none());
                *told = Some((holder, before));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn say_that_it_waits(&self, context: &Context, holder: &str, before: usize, is_first: bool) {
        if self.session && is_first {
            say(WAITS);
        } else if context.json {
            say_json(&serde_json::json!({ "event": "waiting", "for": holder, "before": before }));
        } else {
            let line = match before {
                0 => String::new(),
                1 => "; 1 run stands before it".to_owned(),
                before => format!("; {before} runs stand before it"),
            };
            remark(context, printable(&format!("waits for its turn: {holder}{line}")));
        }
    }
}

fn next_in_line(run: &WaitingRun) -> String {
    format!("process {} on {} is about to run {}", run.pid, run.host, run.study)
}

/// Who runs something here.
fn holder(context: &Context) -> Option<String> {
    context.workspace.holder().filter(|of| !of.only_looks()).map(|of| of.told())
}
