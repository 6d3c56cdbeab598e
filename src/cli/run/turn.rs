//! `visavis run --queue`: waits until nobody runs anything in the workspace, and nobody stands before.

use super::{RunCommand, WAITS};
use crate::{
    cli::{
        Context,
        output::{remark, say, say_json},
    },
    study::OpenedStudy,
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use visavis_core::{
    domain::{Ending, Fault, Result, text::printable},
    store::Ticket,
};

/// How often it looks whether its turn has come.
const PAUSE: Duration = Duration::from_millis(500);

impl RunCommand {
    /// Runs the study when its turn has come. It is planned then: other runs make results meanwhile.
    pub(super) fn in_turn(&self, context: &Context, opened: &OpenedStudy) -> Result<()> {
        let stop = self.listen()?;
        let mut told = None;
        loop {
            let ticket = context.workspace.stand_in_line(&opened.file.study.name, &opened.file.text.path.to_string_lossy())?;
            self.wait(context, &ticket, &stop, &mut told)?;
            let (opened, plan) = self.plan(context)?;
            match self.go(context, &opened, plan, Some(ticket)) {
                // Somebody who does not stand in line was faster.
                Err(fault) if fault.ending == Ending::Missing && holder(context).is_some() => {}
                ended => return ended.map(|_| ()),
            }
        }
    }

    /// `told`: for whom it was said last that it waits.
    fn wait(&self, context: &Context, ticket: &Ticket, stop: &AtomicBool, told: &mut Option<(String, usize)>) -> Result<()> {
        loop {
            let (holder, before) = (holder(context), ticket.before());
            let Some(holder) = holder.or_else(|| (before > 0).then(|| "another run has its turn".to_owned())) else {
                return Ok(());
            };
            if stop.load(Ordering::SeqCst) {
                return Err(Fault::interrupted());
            }
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

/// Who runs something here.
fn holder(context: &Context) -> Option<String> {
    context.workspace.holder().filter(|of| !of.only_looks()).map(|of| of.told())
}
