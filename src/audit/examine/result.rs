//! The verdict on a result: made again, or held against the workspace's.

use crate::audit::{
    evidence::Evidence,
    remake::RemadeStatus,
    verdict::{Checked, Verdict},
};
use rayon::prelude::*;
use visavis_core::{
    domain::{
        Key,
        result::{Manifest, Output, Provenance},
        stage::Input,
    },
    store::Workspace,
};

pub(super) const STOPPED: &str = "stopped before its stage was made again";

pub(super) fn near(off: f64) -> String {
    format!("made again: features at most {off:.1e} off, within the tolerance")
}

pub(super) fn of_result(manifest: &Manifest, verdict: Verdict, why: String) -> Checked {
    Checked {
        id: format!("{} result {}", manifest.stage, manifest.key.short()),
        verdict,
        stage: manifest.stage.word().into(),
        expected: Some(manifest.content().to_string()),
        found: None,
        reason: why.clone(),
        why,
    }
}

/// What making a result again came to; `None` where it was not made again.
pub(super) fn remade(manifest: &Manifest, standing: &RemadeStatus) -> Option<Checked> {
    let (verdict, why) = match standing {
        RemadeStatus::Same => (Verdict::Identical, "made again, or found among the results: the same bits".to_owned()),
        RemadeStatus::Near(off) => (Verdict::WithinTolerance, near(*off)),
        RemadeStatus::Broken(why) => (Verdict::Differs, why.clone()),
        RemadeStatus::Other { outputs, .. } => {
            (Verdict::Differs, format!("made again from what the file holds, it gives other bits: {}", names(outputs)))
        }
        RemadeStatus::Unchecked(_) | RemadeStatus::NotAttempted => return None,
    };
    Some(of_result(manifest, verdict, why))
}

/// A result under a key that another has already.
pub(super) fn second(manifest: &Manifest, first: &Manifest) -> Option<Checked> {
    let (own, named) = (manifest.content(), first.content());
    (own != named).then(|| Checked {
        expected: Some(named.to_string()),
        found: Some(own.to_string()),
        ..of_result(manifest, Verdict::Differs, "the file holds two results under one key".into())
    })
}

pub(super) fn names(outputs: &[(String, Vec<u8>)]) -> String {
    outputs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A result of the page's in the workspace.
pub(super) struct WorkspaceResult {
    pub(super) is_there: bool,
    /// Is it the same, of another time or machine than the page says?
    pub(super) is_of_another_time: bool,
    pub(super) inputs: Vec<Input>,
    pub(super) checked: Vec<Checked>,
}

/// Every result the report names, held against the workspace's.
pub(super) fn against_results(evidence: &Evidence, workspace: &Workspace) -> Vec<(Key, WorkspaceResult)> {
    let results = workspace.results();
    let check = |manifest: &Manifest| {
        let (stored, checked) = match results.get(manifest.key) {
            Err(fault) => (None, vec![Checked { expected: None, ..of_result(manifest, Verdict::Differs, fault.what) }]),
            Ok(None) => (None, vec![]),
            Ok(Some(stored)) if stored.content() != manifest.content() => {
                let other = Checked {
                    found: Some(stored.content().to_string()),
                    ..of_result(manifest, Verdict::Differs, "the workspace's result is another one".to_owned())
                };
                (Some(stored), vec![other])
            }
            Ok(Some(stored)) => {
                let damaged = objects(&stored, workspace);
                (Some(stored), damaged)
            }
        };
        // A page does not name machines.
        let nameless = |of: &Manifest| Provenance { host: String::new(), ..of.provenance.clone() };
        let is_other = |stored: &Manifest| stored.content() == manifest.content() && nameless(stored) != nameless(manifest);
        let found = WorkspaceResult {
            is_there: stored.is_some(),
            is_of_another_time: stored.as_ref().is_some_and(is_other),
            inputs: stored.map_or(vec![], |stored| stored.inputs),
            checked,
        };
        (manifest.key, found)
    };
    evidence.manifests.par_iter().map(check).collect()
}

/// Verifies the objects a result left; those that are damaged or not there.
pub(super) fn objects(manifest: &Manifest, workspace: &Workspace) -> Vec<Checked> {
    let damaged = |output: &Output| {
        let fault = workspace.objects().get(output.digest).err()?;
        let place = fault.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
        let why = format!("{} of the {} result {}: {}{place}", output.name, manifest.stage, manifest.key.short(), fault.what);
        Some(Checked {
            id: format!("object {}", output.digest),
            verdict: Verdict::Differs,
            stage: "object".into(),
            expected: Some(output.digest.to_string()),
            found: None,
            reason: why.clone(),
            why,
        })
    };
    manifest.outputs.iter().filter_map(damaged).collect()
}
