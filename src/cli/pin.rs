//! `visavis pin STUDY FIGURE --note WHY`, `visavis unpin STUDY FIGURE`: figures that a person wants in the report.

use super::{
    Context, job_requests, open_store,
    output::{say, say_json},
};
use crate::study::{self, known_figures};
use std::{collections::BTreeSet, path::PathBuf};
use visavis_core::{
    domain::{Digest, Fault, Result, comparison::Measured, event::EventKind, text::printable},
    store::origin,
};

#[derive(clap::Args)]
pub(crate) struct PinCommand {
    /// The study file
    study: PathBuf,
    /// The figure, by its model, layer, projection, view and comparison: `r34 · layer4 · umap map · gender`, or words of it
    #[arg(required = true, value_name = "FIGURE")]
    figure: Vec<String>,
    /// Why it is there: printed below it
    #[arg(long, default_value = "", value_name = "TEXT")]
    note: String,
}

#[derive(clap::Args)]
pub(crate) struct UnpinCommand {
    /// The study file
    study: PathBuf,
    /// The figure, as it was pinned, or words of it
    #[arg(required = true, value_name = "FIGURE")]
    figure: Vec<String>,
}

/// A note is a line or two below a figure, not a chapter.
const LONGEST: usize = 500;

impl PinCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        if self.note.chars().count() > LONGEST {
            return Err(Fault::asked(format!("the note is longer than {LONGEST} letters")));
        }
        let opened = study::open(&self.study, &context.workspace)?;
        let plan = study::plan(&opened, &context.workspace)?;
        if let Some(fault) = plan.unread.clone() {
            return Err(fault);
        }
        let planned = &plan.study;
        let drawn = |cell: &&visavis_core::domain::ledger::CellId| {
            matches!(planned.comparisons[cell.comparison].question.measured, Measured::Classes(_))
        };
        let figures = known_figures(planned, &|path| context.workspace.shareable(path));
        let names: Vec<String> = figures.iter().filter(|of| drawn(&&of.cell)).map(|of| of.name.clone()).collect();
        let figure = one(&self.figure.join(" "), &names)?;
        let known = figures.iter().find(|of| of.name == figure);
        // One that was pinned by a former name keeps its pin, and gets the note.
        let pinned = plan.pinned().iter().find(|of| of.cell.is_some() && of.cell == known.map(|known| known.cell));
        let act = PinAct {
            study: planned.name.clone(),
            figure: pinned.map_or(figure.clone(), |of| of.pin.figure.clone()),
            note: Some(self.note.trim().to_owned()),
            definition: known.map(|known| known.definition),
        };
        act.keep(context, &figure)
    }
}

impl UnpinCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        let plan = study::plan(&opened, &context.workspace)?;
        if let Some(fault) = plan.unread.clone() {
            return Err(fault);
        }
        if plan.pinned().is_empty() {
            return Err(Fault::asked("no figure of this study is pinned"));
        }
        // By what it is called now, or was when it was pinned.
        let names: BTreeSet<String> = plan.pinned().iter().flat_map(|of| [of.name.clone(), of.pin.figure.clone()]).collect();
        let figure = one(&self.figure.join(" "), &names.into_iter().collect::<Vec<_>>())?;
        for of in plan.pinned().iter().filter(|of| of.name == figure || of.pin.figure == figure) {
            let act = PinAct { study: plan.study.name.clone(), figure: of.pin.figure.clone(), note: None, definition: None };
            act.keep(context, &of.name)?;
        }
        Ok(())
    }
}

/// The one figure that is meant: its whole name, or words that only it has.
fn one(words: &str, names: &[String]) -> Result<String> {
    if let Some(name) = names.iter().find(|name| *name == words) {
        return Ok(name.clone());
    }
    let parts: Vec<String> = words.to_lowercase().split([' ', '·']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let holds = |name: &&String| {
        let name = name.to_lowercase();
        parts.iter().all(|part| name.split([' ', '·']).any(|word| word == part))
    };
    let found: Vec<&String> = names.iter().filter(holds).collect();
    match found[..] {
        [one] => Ok(one.clone()),
        [] => Err(Fault::asked(format!("no figure is called `{}`", printable(words)))
            .next("a figure is model · layer · projection view · comparison; `visavis export STUDY --what ledger` lists them")),
        ref many => {
            let few: Vec<String> = many.iter().take(4).map(|name| printable(name)).collect();
            Err(Fault::asked(format!("`{}` means {} figures: {} …", printable(words), many.len(), few.join("; ")))
                .next("say more of its name"))
        }
    }
}

/// What is noted: of which study, by which name, and what the figure is.
struct PinAct {
    study: String,
    figure: String,
    note: Option<String>,
    definition: Option<Digest>,
}

impl PinAct {
    /// `figure`: what it is called now.
    fn keep(self, context: &Context, figure: &str) -> Result<()> {
        let index = open_store::store(context)?;
        let PinAct { study, figure: journaled, note, definition } = self;
        let pinned = note.is_some();
        let what = EventKind::Pinned { study: study.clone(), figure: journaled, note, by: origin::user(), definition };
        job_requests::keep(context, index.as_ref(), vec![what])?;
        if context.json {
            say_json(&serde_json::json!({ "format": 1, "study": study, "figure": figure, "pinned": pinned }));
        } else {
            say(printable(&format!("{}: {figure}", if pinned { "pinned" } else { "taken off" })));
            if pinned && !context.quiet {
                say("  the next `visavis run` draws it, the next `visavis report` shows it");
            }
        }
        Ok(())
    }
}
