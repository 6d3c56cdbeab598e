//! `visavis check STUDY`

use super::{
    Context,
    output::{say, say_json, tell_about, tell_namesakes},
};
use crate::study;
use std::path::{Path, PathBuf};
use visavis_core::domain::{Fault, Result, matrix, text::count};

#[derive(clap::Args)]
pub(crate) struct CheckCommand {
    /// The study file
    study: PathBuf,
}

impl CheckCommand {
    pub(super) fn of(study: &Path) -> Self {
        CheckCommand { study: study.to_owned() }
    }

    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        let study = &opened.file.study;
        tell_about(context, &opened);
        tell_namesakes(context, &opened);
        let examined = study::examine(&opened);
        let cells = matrix::cells(study).len();
        if context.json {
            let json = serde_json::json!({
                "format": 1, "study": study.name, "models": study.models.len(), "excluded": opened.file.excluded, "projections": study.projections.len(),
                "comparisons": study.comparisons.len(), "cells": cells, "warnings": opened.warnings, "notes": opened.notes, "missing": opened.missing.len(), "remarks": examined.remarks,
                "wrong": examined.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            });
            say_json(&json);
            return conclude(context, examined.faults);
        }
        if !examined.faults.is_empty() {
            return conclude(context, examined.faults);
        }
        let excluded = if opened.file.excluded > 0 { format!(" ({} excluded)", opened.file.excluded) } else { String::new() };
        say(format!(
            "{} reads well: {}{excluded}, {}, {}, {}",
            study.name,
            count(study.models.len(), "model"),
            count(study.projections.len(), "projection"),
            count(study.comparisons.len(), "comparison"),
            count(cells, "cell"),
        ));
        examined.remarks.iter().for_each(|remark| say(format!("  note: {remark}")));
        if !opened.missing.is_empty() {
            let verb = if opened.missing.len() == 1 { "is" } else { "are" };
            say(format!(
                "{} {verb} missing; `{}` names them",
                count(opened.missing.len(), "input"),
                context.line(&["plan", &self.study.display().to_string()])
            ));
        }
        Ok(())
    }
}

/// Tells every fault; the last one ends the command.
fn conclude(context: &Context, mut faults: Vec<Fault>) -> Result<()> {
    let Some(last) = faults.pop() else { return Ok(()) };
    for fault in &faults {
        super::tell_fault(fault, context.json);
    }
    Err(last)
}
