//! `visavis pin STUDY FIGURE --note WHY`, `visavis unpin STUDY FIGURE`: figures that a person wants in the report.

use super::{
    Context, acts, look,
    output::{say, say_json},
};
use crate::{
    domain::{Fault, Result, comparison::Measured, event::What, text::printable},
    store::origin,
    study::{self, figure_name},
};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Pin {
    /// The study file
    study: PathBuf,
    /// The figure, by its model, tap, projection, view and comparison: `r34 · layer4 · umap map · gender`, or words of it
    #[arg(required = true, value_name = "FIGURE")]
    figure: Vec<String>,
    /// Why it is there: printed below it
    #[arg(long, default_value = "", value_name = "TEXT")]
    note: String,
}

#[derive(clap::Args)]
pub struct Unpin {
    /// The study file
    study: PathBuf,
    /// The figure, as it was pinned, or words of it
    #[arg(required = true, value_name = "FIGURE")]
    figure: Vec<String>,
}

/// A note is a line or two below a figure, not a chapter.
const LONGEST: usize = 500;

impl Pin {
    pub fn run(&self, context: &Context) -> Result<()> {
        if self.note.chars().count() > LONGEST {
            return Err(Fault::asked(format!("the note is longer than {LONGEST} letters")));
        }
        let opened = study::open(&self.study, &context.workspace)?;
        let plan = study::Plan::new(&opened, &context.workspace)?;
        let of = &plan.study;
        let drawn = |cell: &&crate::domain::ledger::CellId| {
            matches!(of.comparisons[cell.comparison].question.measured, Measured::Classes(_))
        };
        let cells = crate::domain::matrix::cells(of);
        let names: Vec<String> = cells.iter().filter(drawn).map(|cell| figure_name(of, *cell)).collect();
        let figure = one(&self.figure.join(" "), &names)?;
        keep(context, &of.name, &figure, Some(self.note.trim().to_owned()))
    }
}

impl Unpin {
    pub fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        let name = &opened.file.study.name;
        let pins = look::store(context)?.map_or(Ok(vec![]), |index| index.pins(name))?;
        if pins.is_empty() {
            return Err(Fault::asked("no figure of this study is pinned"));
        }
        let names: Vec<String> = pins.into_iter().map(|pin| pin.figure).collect();
        let figure = one(&self.figure.join(" "), &names)?;
        keep(context, name, &figure, None)
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
            .next("a figure is model · tap · projection view · comparison; `visavis export STUDY --what ledger` lists them")),
        ref many => {
            let few: Vec<String> = many.iter().take(4).map(|name| printable(name)).collect();
            Err(Fault::asked(format!("`{}` means {} figures: {} …", printable(words), many.len(), few.join("; ")))
                .next("say more of its name"))
        }
    }
}

fn keep(context: &Context, study: &str, figure: &str, note: Option<String>) -> Result<()> {
    let index = look::store(context)?;
    let pinned = note.is_some();
    let what = What::Pinned { study: study.to_owned(), figure: figure.to_owned(), note, by: origin::user() };
    acts::keep(context, index.as_ref(), vec![what])?;
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
