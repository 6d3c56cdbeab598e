//! The last audit of each study, `data/audits/NAME.json`: what it came to, and which results it made again to the same bits.
//! Written by whoever audits, read by whoever shows results; no result depends on it.

use super::{Workspace, disk, now};
use crate::domain::{Fault, Key, Result};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastAudit {
    pub format: u32,
    /// Milliseconds since 1970.
    pub at: u64,
    /// What was audited, as it was named.
    pub of: String,
    /// In words, as `visavis audit` says it.
    pub verdict: String,
    pub identical: usize,
    pub within_tolerance: usize,
    pub differs: usize,
    pub unchecked: usize,
    pub not_attempted: usize,
    pub verified: Vec<Key>,
}

impl LastAudit {
    /// `None` where there was none, or its file is damaged: it can be made again.
    pub fn of(workspace: &Workspace, study: &str) -> Option<Self> {
        let bytes = std::fs::read(workspace.audit(study)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|audit: &LastAudit| audit.format == 1)
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
            identical: 3,
            within_tolerance: 0,
            differs: 0,
            unchecked: 1,
            not_attempted: 0,
            verified: vec![Key(crate::domain::Digest::of(b"k"))],
        };
        audit.clone().keep(&workspace, "x").unwrap();
        let back = LastAudit::of(&workspace, "x").unwrap();
        assert_eq!(LastAudit { at: 0, ..back }, audit);
        std::fs::write(workspace.audit("x"), b"{").unwrap();
        assert_eq!(LastAudit::of(&workspace, "x"), None);
    }
}
