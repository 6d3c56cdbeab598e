//! What a report says, for programs: JSON-LD in the words of schema.org, with the digests of what it was made of.

use crate::study::{Plan, StudyOutcome};
use serde_json::{Value, json};
use std::path::Path;
use visavis_core::domain::{
    Digest, Result,
    index::{ComparisonIx, ModelIx},
    score::Estimate,
};

/// The summary of a report at `file`, of a study of this text.
///
/// # Errors
/// Results that are damaged.
pub(super) fn of(plan: &Plan, text: &str, file: &Path) -> Result<Value> {
    let outcome = StudyOutcome::load(plan)?;
    let study = &plan.study;
    let training = outcome.results.training()?;
    let model = |place: ModelIx| {
        let of = &study.models[place];
        let verified = training.iter().find(|of| of.model == place).and_then(|of| Some(of.verification()?.auc));
        json!({ "@type": "CreativeWork", "name": of.name, "factors": of.factors(), "verification_auc": verified.map(interval) })
    };
    let score = |(&(model, comparison), &row): (&(ModelIx, ComparisonIx), &usize)| {
        let row = &outcome.ledger.rows[row];
        json!({
            "@type": "PropertyValue",
            "model": study.models[model].name,
            "comparison": study.comparisons[comparison].name,
            "layer": outcome.names().layer(model, row.candidate.cell.layer),
            "projection": outcome.names().projection(row.candidate.cell.projection),
            "view": row.candidate.cell.view.to_string(),
            "measurementTechnique": "balanced kNN AUC on the evaluation half, of the view that the selection half chose",
            "auc": row.candidate.b.map(interval),
            "corrected_lower_bound": row.low,
            "verdict": outcome.verdict(row).word(),
        })
    };
    let data_set = |name: &String| json!({ "@type": "Dataset", "name": name });
    let difference = |(place, of): (usize, &visavis_core::domain::simultaneous::Difference)| {
        let held = &outcome.held[of.held];
        json!({
            "@type": "PropertyValue",
            "contrast": study.contrasts[held.contrast].name(),
            "left": outcome.names().side(&held.left),
            "right": outcome.names().side(&held.right),
            "comparison": study.comparisons[of.comparison].name,
            "difference": interval(of.difference),
            "q": of.q,
            "verdict": outcome.verdicts[place].word(),
        })
    };
    Ok(json!({
        "@context": { "@vocab": "https://schema.org/" },
        "@type": "Report",
        "format": 1,
        "name": study.name,
        "abstract": study.about,
        "file": file.to_string_lossy(),
        "study_digest": Digest::of(text.as_bytes()),
        "inputs": plan.source_digests(),
        "isBasedOn": study.datasets.keys().map(data_set).collect::<Vec<_>>(),
        "evaluation": { "dataset": study.evaluation.dataset, "images": outcome.frequencies.images, "identities": outcome.frequencies.identities },
        "models": study.models.keys().map(model).collect::<Vec<_>>(),
        "scores": outcome.chosen.iter().map(score).collect::<Vec<_>>(),
        "differences": outcome.grid.differences.iter().enumerate().map(difference).collect::<Vec<_>>(),
        "counts": { "cells": outcome.ledger.cells, "ranked": outcome.ledger.ranked, "picked": outcome.ledger.picked },
    }))
}

fn interval(of: Estimate) -> Value {
    json!({ "value": of.value, "low": of.low(), "high": of.high() })
}
