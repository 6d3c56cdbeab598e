//! `visavis explain JOB`

use super::{
    Context, open_store,
    output::{say, say_json},
};
use crate::study::{self, Explained, Pins, Step};
use std::path::PathBuf;
use visavis_core::{
    domain::{
        Fault, Result,
        text::{printable, shell},
    },
    store::Index,
};

#[derive(clap::Args)]
pub(crate) struct ExplainCommand {
    /// The job's eight digits, or words of its label
    #[arg(value_name = "JOB", required = true)]
    job: Vec<String>,
    /// The study file (default: that of the latest run)
    #[arg(long, value_name = "FILE")]
    study: Option<PathBuf>,
}

impl ExplainCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let index = open_store::store(context)?;
        let file = self.file(index.as_ref())?;
        let opened = study::open(&file, &context.workspace)?;
        let plan = study::Plan::new(&opened, &context.workspace, Pins::read(index.as_ref(), &opened.file.study.name))?;
        let jobs: Vec<(_, String, Step)> =
            plan.steps().map(|(step, _)| (plan.job(step), step.label(&plan.study), step)).collect();
        let (_, _, step) = open_store::one(&self.job.join(" "), &jobs, "say more of its label, or its digits")?;
        let explained = study::explain(&plan, step, index.as_ref(), &shell(&file.display().to_string()))?;
        // What to do next is copied, perhaps into another folder.
        let options = context.options();
        let next = explained.next.map(|next| if next.contains("visavis ") { next + &options } else { next });
        let explained = Explained { next, ..explained };
        if context.json {
            say_json(&serde_json::json!({
                "format": 1, "job": explained.job, "label": explained.label, "state": explained.state,
                "why": explained.why, "next": explained.next,
            }));
            return Ok(());
        }
        say(printable(&format!("{} ({}): {}", explained.label, explained.job.short(), explained.state)));
        explained.why.iter().for_each(|line| say(printable(&format!("  {line}"))));
        if let Some(next) = &explained.next {
            say(printable(&format!("  → {next}")));
        }
        Ok(())
    }

    fn file(&self, index: Option<&Index>) -> Result<PathBuf> {
        if let Some(file) = &self.study {
            return Ok(file.clone());
        }
        let latest = index.map_or(Ok(None), Index::latest_run)?;
        latest.map(|run| PathBuf::from(run.file)).ok_or_else(|| {
            Fault::asked("nothing was run in this workspace yet: say of which study the job is").next("--study FILE")
        })
    }
}
