//! Which stored results a study uses, as far as that can be known now: what `store gc` keeps.

use super::{Lack, OpenedStudy, Plan, Step, plan};
use std::collections::BTreeSet;
use visavis_core::{
    domain::{Digest, Fault, Key, Result, stage::StageName},
    store::Workspace,
};

/// What a study uses of the store.
#[derive(Debug, Default, PartialEq)]
pub struct UsedResults {
    /// Results of stages whose key is known.
    pub keys: BTreeSet<Key>,
    /// Objects that its stages consume and no stage makes.
    pub sources: BTreeSet<Digest>,
    /// Stages with a step whose key nobody knows yet, because something it consumes was not made: any result of theirs may be the
    /// study's.
    pub unjudged: BTreeSet<StageName>,
}

/// What an opened study uses of the store.
///
/// # Errors
/// An input of the study that is missing: then nobody knows which results are the study's. A store that cannot be read.
pub fn used_results(mut opened: OpenedStudy, workspace: &Workspace) -> Result<UsedResults> {
    let absent: Vec<String> = opened
        .missing
        .iter()
        .filter(|missing| missing.lack == Lack::Input)
        .map(|missing| format!("{} (expected at {})", missing.input, missing.expected_at))
        .collect();
    if !absent.is_empty() {
        let study = &opened.file.study.name;
        return Err(Fault::missing(format!("which results the study `{study}` uses is not known without {}", absent.join("; ")))
            .in_file(&opened.file.text.path)
            .next("bring it back (mount the disk, say) and run the same command again; nothing was removed"));
    }
    // What this machine cannot run was made by another.
    opened.missing.clear();
    let plan = plan(&opened, workspace)?.as_it_stands()?;
    Ok(UsedResults::of(&plan))
}

impl UsedResults {
    /// `plan`: as it stands.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut used = UsedResults { sources: plan.source_digests().into_values().collect(), ..UsedResults::default() };
        // Of these the key would be another, or be known, if everything before them were there.
        let mut unsure: BTreeSet<Step> = BTreeSet::new();
        let mut open: BTreeSet<Step> = BTreeSet::new();
        for (step, _) in plan.steps() {
            used.keys.extend(plan.task(step).map(|(key, _)| *key));
            if plan.needs(step).iter().any(|need| open.contains(need)) || plan.task(step).is_none() {
                unsure.insert(step);
            }
            if unsure.contains(&step) || plan.result(step).is_none() {
                open.insert(step);
            }
        }
        used.unjudged.extend(unsure.iter().map(|step| step.stage()));
        // Which figures there are, the ledger says.
        if open.contains(&Step::Rank) {
            used.unjudged.extend([StageName::Draw, StageName::Robustness, StageName::AdjustedScores]);
        }
        used
    }

    /// May a result be one that is used? `stage`: what it is of; `None` where that cannot be read.
    pub fn may_use(&self, key: Key, stage: Option<StageName>) -> bool {
        self.keys.contains(&key) || stage.map_or(!self.unjudged.is_empty(), |stage| self.unjudged.contains(&stage))
    }

    /// What both studies use.
    pub fn join(&mut self, other: UsedResults) {
        self.keys.extend(other.keys);
        self.sources.extend(other.sources);
        self.unjudged.extend(other.unjudged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{
        plan::StoredResult,
        testing::{ResultMap, result, sources, study_of},
    };
    use visavis_core::domain::result::Manifest;

    /// A plan of one model over these results, after so many of its stages have run.
    fn plan(results: &ResultMap, stages: usize) -> Plan {
        let study = study_of(&[("one", "one.npy")]);
        let mut plan = Plan::in_memory(&study, sources(&study), results.clone());
        for _ in 0..stages {
            let Some((key, step)) = plan.newly_ready().into_iter().next() else { break };
            results.put(key, StoredResult::Whole(Box::new(Manifest { key, ..result(&study, step) })));
            plan = Plan::in_memory(&study, sources(&study), results.clone());
        }
        plan.as_it_stands().unwrap()
    }

    #[test]
    fn of_a_study_that_ran_whole_every_key_is_known() {
        let used = UsedResults::of(&plan(&ResultMap::default(), 100));
        assert_eq!((used.keys.len(), &used.unjudged), (10, &BTreeSet::new()));
        let other = Key(Digest::of(b"another study's"));
        assert!(!used.may_use(other, Some(StageName::Score)) && !used.may_use(other, None));
    }

    #[test]
    fn what_follows_a_stage_that_did_not_run_cannot_be_judged_and_its_own_key_is_known() {
        let used = UsedResults::of(&plan(&ResultMap::default(), 1));
        assert!(used.keys.len() >= 2, "the index and the features to come: {used:?}");
        let some = Key(Digest::of(b"made before the features were lost"));
        assert!(used.may_use(some, Some(StageName::Project)) && used.may_use(some, Some(StageName::Draw)));
        assert!(used.may_use(some, None), "nobody knows what a damaged result is of");
        assert!(!used.may_use(some, Some(StageName::Features)) && !used.may_use(some, Some(StageName::Train)));
    }
}
