//! The examination of a study's results, without a page.

use super::result::{STOPPED, names, near, objects, of_result};
use crate::audit::{
    reach::Reach,
    remake::{Again, Recompute, RemadeStatus, Remaking},
    sources::AuditSources,
    verdict::{Audit, Checked, Verdict},
};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use visavis_core::{
    domain::{result::Manifest, study::Tolerance},
    store::Workspace,
};

/// Results of a study, as they are stored.
pub struct ResultsExamination {
    labels: Vec<String>,
    manifests: Vec<Manifest>,
    audit: Audit,
}

impl ResultsExamination {
    /// Verifies every object.
    pub fn of<'a>(results: impl Iterator<Item = (String, &'a Manifest)>, workspace: &Workspace) -> Self {
        let (labels, manifests): (Vec<String>, Vec<Manifest>) =
            results.map(|(label, manifest)| (label, manifest.clone())).unzip();
        let checked: Vec<Vec<Checked>> = manifests.par_iter().map(|manifest| objects(manifest, workspace)).collect();
        let audit = Audit { checked: checked.into_iter().flatten().collect(), ..Audit::default() };
        ResultsExamination { labels, manifests, audit }
    }

    pub fn remake(
        &self,
        workspace: &Workspace,
        reach: Reach,
        again: &Again,
        tolerance: Tolerance,
        recompute: Recompute,
        threads: usize,
    ) -> Remaking {
        let sources = AuditSources {
            page: None,
            genuine: HashSet::new(),
            sizes: HashMap::new(),
            workspace: Some(workspace.clone()),
            reach,
            tolerance,
        };
        Remaking::start(self.manifests.clone(), again, sources, recompute, threads)
    }

    pub fn conclude(self, standings: Vec<Option<RemadeStatus>>) -> Audit {
        let ResultsExamination { labels, manifests, mut audit } = self;
        for ((label, manifest), standing) in labels.into_iter().zip(&manifests).zip(standings) {
            let (verdict, why) = match standing {
                Some(RemadeStatus::Same) => {
                    audit.verified.insert(manifest.key);
                    (Verdict::Identical, "made again: the same bits".to_owned())
                }
                Some(RemadeStatus::Near(off)) => (Verdict::WithinTolerance, near(off)),
                Some(RemadeStatus::NotAttempted) => (Verdict::NotAttempted, "objects verified, not made again".to_owned()),
                None => (Verdict::NotAttempted, STOPPED.to_owned()),
                Some(RemadeStatus::Unchecked(why)) => (Verdict::Unchecked, why),
                Some(RemadeStatus::Broken(why)) => (Verdict::Differs, why),
                Some(RemadeStatus::Other { outputs, .. }) => {
                    (Verdict::Differs, format!("made again, {} differ", names(&outputs)))
                }
            };
            audit.checked.push(Checked { id: label, ..of_result(manifest, verdict, why) });
        }
        audit
    }
}
