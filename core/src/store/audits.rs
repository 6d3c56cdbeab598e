//! The last audit of each study, `data/audits/NAME.json`: what it came to, and which results it made again to the same bits.
//! Written by whoever audits, read by whoever shows results; no result depends on it.

use super::{Workspace, disk, now};
use crate::domain::{Digest, Fault, Key, Result};
use serde::{Deserialize, Serialize};

/// What an audit of one study found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LastAudit {
    /// 1.
    pub format: u32,
    /// Milliseconds since 1970.
    pub at: u64,
    /// What was audited, as it was named.
    pub of: String,
    /// In words, as `visavis audit` says it.
    pub verdict: String,
    /// It saw a part of what there was to see: the page alone, or it was stopped.
    #[serde(default)]
    pub partial: bool,
    /// How many results were made again to the same bits.
    pub identical: usize,
    /// How many results of networks came near enough.
    pub within_tolerance: usize,
    /// How many results came out otherwise.
    pub differs: usize,
    /// How many results cannot be made again here.
    pub unchecked: usize,
    /// How many results the audit did not try.
    pub not_attempted: usize,
    /// The keys of results that it made again to the same bits.
    pub verified: Vec<Key>,
    /// The first of what differs, at most [`MOST_DIFFERENCES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<AuditDifference>,
    /// Which page it was of, if of one; and of which results, taken together.
    #[serde(default)]
    pub page: Option<Digest>,
    /// Keys and contents of the results that the page shows.
    #[serde(default)]
    pub results: Option<Digest>,
}

/// Differences that are kept; `differs` counts them all.
pub const MOST_DIFFERENCES: usize = 200;

/// Something that an audit found otherwise than it was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditDifference {
    /// Of a claim its id; else what it is of.
    pub id: String,
    /// The stage whose output it is, or `page`, `object`, `data`.
    pub stage: String,
    /// What was told.
    pub expected: Option<String>,
    /// What was found.
    pub found: Option<String>,
    /// In words.
    pub why: String,
}

impl LastAudit {
    /// `None` where there was none, or its file is damaged: it can be made again.
    pub fn of(workspace: &Workspace, study: &str) -> Option<Self> {
        let bytes = crate::files::read_up_to(&workspace.audit(study), crate::files::LARGEST_TEXT).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|audit: &LastAudit| audit.format == 1)
    }

    /// Why it says nothing of the results that are there now, or of the page; `None`: it does.
    pub fn outdated(&self, results: Digest, page: Option<Digest>) -> Option<&'static str> {
        if self.page.is_some() && self.page != page {
            Some("of another page than is here now")
        } else if self.results != Some(results) {
            Some("of results that are no longer the study's")
        } else {
            None
        }
    }

    /// # Errors
    /// A name that is no study's: pages that are audited are not trusted.
    pub fn keep(mut self, workspace: &Workspace, study: &str) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !study.chars().all(plain) || study.starts_with('.') || study.is_empty() {
            return Err(Fault::asked("the page's study has no plain name"));
        }
        let path = workspace.audit(study);
        path.parent().map_or(Ok(()), disk::make_folder)?;
        self.at = now();
        disk::replace(&path, &serde_json::to_vec(&self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_is_read_back_and_damage_is_absence() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path().to_owned(), None).unwrap();
        let audit = LastAudit {
            format: 1,
            at: 0,
            of: "reports/x.html".into(),
            verdict: "identical".into(),
            partial: false,
            identical: 3,
            within_tolerance: 0,
            differs: 1,
            unchecked: 1,
            not_attempted: 0,
            verified: vec![Key(Digest::of(b"k"))],
            differences: vec![AuditDifference {
                id: "c1".into(),
                stage: "score".into(),
                expected: Some("0.5".into()),
                found: None,
                why: "not there".into(),
            }],
            page: Some(Digest::of(b"page")),
            results: Some(Digest::of(b"results")),
        };
        audit.clone().keep(&workspace, "x").unwrap();
        let back = LastAudit::of(&workspace, "x").unwrap();
        assert_eq!(LastAudit { at: 0, ..back }, audit);
        let [page, results, other] = ["page", "results", "other"].map(|text| Digest::of(text.as_bytes()));
        assert_eq!(audit.outdated(results, Some(page)), None);
        assert!(audit.outdated(results, Some(other)).is_some() && audit.outdated(results, None).is_some());
        assert!(audit.outdated(other, Some(page)).is_some());
        let of_results = LastAudit { page: None, ..audit.clone() };
        assert_eq!((of_results.outdated(results, None), of_results.outdated(results, Some(other))), (None, None));
        assert!(LastAudit { results: None, ..of_results }.outdated(results, None).is_some(), "of what, nobody noted");
        std::fs::write(workspace.audit("x"), b"{").unwrap();
        assert_eq!(LastAudit::of(&workspace, "x"), None);
    }
}
