//! Verdicts: one a claim; the worst is the report's.

use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::Key;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Made again, or found where it came from: the same bits.
    Identical,
    /// Made again: not the same bits, but within the tolerance that the study fixed before it ran.
    WithinTolerance,
    /// The page shows what its own evidence says, and nothing was made again: the page alone was asked about.
    Consistent,
    /// What is needed for it is not here.
    Unchecked,
    /// It could be checked, and was not asked to be.
    NotAttempted,
    Differs,
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Identical => "identical",
            Verdict::WithinTolerance => "within tolerance",
            Verdict::Consistent => "consistent",
            Verdict::Unchecked => "cannot be checked",
            Verdict::NotAttempted => "not attempted",
            Verdict::Differs => "differs",
        }
    }
}

/// One thing that was looked at: a claim, an object, an input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    pub id: String,
    pub verdict: Verdict,
    /// The stage whose output it is, or `page`, `object`, `data`.
    pub stage: String,
    pub expected: Option<String>,
    pub found: Option<String>,
    pub why: String,
    /// Why, without whose number it is: what many have in common.
    #[serde(skip)]
    pub reason: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    pub checked: Vec<Checked>,
    /// Results that were made again, to the same bits.
    pub verified: BTreeSet<Key>,
    /// What is needed to call the page identical and is not here: while anything is, no verdict says so.
    pub lacks: Vec<String>,
    /// What was not looked at, and why: said beside the verdict.
    pub not_compared: Vec<String>,
}

impl Audit {
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checked.iter().filter(|checked| checked.verdict == verdict).count()
    }

    pub fn differs(&self) -> impl Iterator<Item = &Checked> {
        self.checked.iter().filter(|checked| checked.verdict == Verdict::Differs)
    }

    /// The worst of what was checked; coverage is said beside it. Nothing is called identical while something needed for that is not
    /// here.
    pub fn verdict(&self) -> Verdict {
        if !self.lacks.is_empty() && self.differs().next().is_none() {
            return Verdict::Unchecked;
        }
        let looked_at = self
            .checked
            .iter()
            .map(|checked| checked.verdict)
            .filter(|verdict| !matches!(verdict, Verdict::Unchecked | Verdict::NotAttempted));
        looked_at.max().unwrap_or(Verdict::Unchecked)
    }
}
