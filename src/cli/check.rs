//! `visavis check STUDY`

use super::{
    Context,
    output::{say, say_json, warn},
};
use crate::{
    domain::{Result, matrix, text::count},
    study,
};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Check {
    /// The study file
    study: PathBuf,
}

impl Check {
    pub fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        let study = &opened.file.study;
        warn(context, &opened.warnings);
        let cells = matrix::cells(study).len();
        if context.json {
            let json = serde_json::json!({
                "format": 1, "study": study.name, "models": study.models.len(), "excluded": opened.file.excluded, "projections": study.projections.len(),
                "comparisons": study.comparisons.len(), "cells": cells, "warnings": opened.warnings, "missing": opened.missing.len(),
            });
            say_json(&json);
            return Ok(());
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
        if !opened.missing.is_empty() {
            let verb = if opened.missing.len() == 1 { "is" } else { "are" };
            say(format!(
                "{} {verb} missing; `visavis plan {}` names them",
                count(opened.missing.len(), "input"),
                self.study.display()
            ));
        }
        Ok(())
    }
}
