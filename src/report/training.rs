//! What networks came to, and what they were tried on.

use super::{claims::OutputSource, sections::ReportPage};
use crate::study::Step;
use serde_json::{Value, json};
use visavis_core::domain::{Result, claim::NumberForm, score::Verification, stage::VerifyIdentities};

impl ReportPage<'_> {
    /// Did networks learn? How each fared at verification, and how its training went.
    pub(super) fn learned(&self) -> Result<Value> {
        let plan = self.outcome.plan;
        let mut rows = Vec::new();
        for (place, model) in plan.study.models.iter().enumerate() {
            let step = Step::Verify { model: place };
            let Some(manifest) = plan.result(step) else { continue };
            let verification: Option<Verification> = plan.json(step, VerifyIdentities::VERIFICATION)?.flatten();
            let of = format!("{} · verification", model.name);
            let source = OutputSource { key: manifest.key, output: VerifyIdentities::VERIFICATION, of };
            let trained = plan.result(Step::Train { model: place });
            let fact = |name: &'static str, what: &str, form: NumberForm| {
                let manifest = trained?;
                let values = manifest.fact(name);
                let last = values.len().checked_sub(1)?;
                let source = OutputSource { key: manifest.key, output: "facts", of: format!("{} · training", model.name) };
                Some(self.book.enter(&source, &format!("/{name}/{last}"), what, form, values[last]))
            };
            rows.push(json!({
                "model": model.name,
                "auc": verification.as_ref().map(|of| self.book.estimate(&source, "/auc", "verification AUC", NumberForm::Score, Some(of.auc))),
                "tar": verification.as_ref().map(|of| self.book.estimate(&source, "/tar", "TAR at FAR .01", NumberForm::Score, Some(of.tar))),
                "people": verification.as_ref().map(|of| self.book.count(&source, "/people", "people", of.people)),
                "images": fact("images", "images learned from", NumberForm::Count),
                "classes": fact("classes", "classes learned", NumberForm::Count),
                "right": fact("accuracy", "share right in the last epoch", NumberForm::Score),
                "drawing": self.drawing(Step::DrawCurves { model: place })?,
            }));
        }
        Ok(json!(rows))
    }
}
