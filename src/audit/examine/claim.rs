//! The verdict on a claim: what the page alone says of it, and how the stage stands that it comes from.

use super::result::{STOPPED, near};
use crate::audit::{
    alone::Alone,
    remake::RemadeStatus,
    verdict::{Checked, Verdict},
};
use visavis_core::domain::{claim::Claim, result::Manifest, stage::Work, study::Tolerance};

/// A claim, for its verdict.
pub(super) struct ExaminedClaim<'a> {
    claim: &'a Claim,
    manifest: Option<&'a Manifest>,
    stated: String,
}

impl<'a> ExaminedClaim<'a> {
    pub(super) fn of(claim: &'a Claim, manifest: Option<&'a Manifest>) -> Self {
        ExaminedClaim { claim, manifest, stated: claim.form.show(claim.value) }
    }

    fn stage(&self) -> &'static str {
        self.manifest.map_or("page", |manifest| manifest.stage.word())
    }

    pub(super) fn is(&self, verdict: Verdict, found: Option<String>, reason: impl Into<String>) -> Checked {
        let reason = reason.into();
        Checked {
            id: self.claim.id.clone(),
            verdict,
            stage: self.stage().to_owned(),
            expected: Some(self.stated.clone()),
            found,
            why: format!("{}: {reason}", self.claim.what),
            reason,
        }
    }

    pub(super) fn not_alone(&self, alone: &Alone) -> Checked {
        match alone {
            Alone::Differs { found, why } => self.is(Verdict::Differs, found.clone(), why.clone()),
            Alone::Unchecked(why) => self.is(Verdict::Unchecked, None, why.clone()),
            Alone::Agrees => self.is(Verdict::Unchecked, None, "no result stands behind it"),
        }
    }

    pub(super) fn judge(&self, alone: &Alone, standing: Option<&RemadeStatus>, tolerance: &Tolerance) -> Checked {
        let (Alone::Agrees, Some(manifest)) = (alone, self.manifest) else { return self.not_alone(alone) };
        let stage = self.stage();
        let Some(standing) = standing else { return self.is(Verdict::NotAttempted, None, STOPPED) };
        match standing {
            RemadeStatus::Same => {
                self.is(Verdict::Identical, Some(self.stated.clone()), "made again, or found among the results: the same bits")
            }
            RemadeStatus::Near(off) => self.is(Verdict::WithinTolerance, Some(self.stated.clone()), near(*off)),
            RemadeStatus::NotAttempted => {
                self.is(Verdict::NotAttempted, None, format!("its {stage} stage was not asked to be made again"))
            }
            RemadeStatus::Unchecked(why) => self.is(Verdict::Unchecked, None, why.clone()),
            RemadeStatus::Broken(why) => self.is(Verdict::Differs, None, why.clone()),
            RemadeStatus::Other { outputs, facts } => {
                let output = outputs.iter().find(|(name, _)| *name == self.claim.from.output);
                let again = match self.claim.from.output.as_str() {
                    "facts" => serde_json::to_value(facts).ok(),
                    _ => output.and_then(|(_, bytes)| serde_json::from_slice(bytes).ok()),
                };
                let value = again
                    .as_ref()
                    .and_then(|json: &serde_json::Value| json.pointer(&self.claim.from.pointer))
                    .and_then(serde_json::Value::as_f64);
                self.other(value, manifest, tolerance)
            }
        }
    }

    /// Made again, the stage gave other bits; of these, this number.
    fn other(&self, value: Option<f64>, manifest: &Manifest, tolerance: &Tolerance) -> Checked {
        let claimed = self.claim.value;
        let Some(value) = value else {
            return self.is(Verdict::Differs, None, "made again, the stage gives no such number");
        };
        let shown = Some(self.claim.form.show(value));
        if value.to_bits() == claimed.to_bits() {
            return self.is(Verdict::Identical, Some(self.stated.clone()), "made again: the same bits");
        }
        // Torch-free stages have the same bits everywhere: no tolerance is theirs, whatever the file says.
        if matches!(manifest.work, Work::Train(_) | Work::Extract(_)) && (value - claimed).abs() <= tolerance.auc {
            return self.is(Verdict::WithinTolerance, shown, format!("made again: {value}"));
        }
        let stage = self.stage();
        self.is(Verdict::Differs, shown, format!("made again from what the file holds, the {stage} stage gives {value}"))
    }
}
