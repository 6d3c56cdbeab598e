//! Examines a report, or the results of a study.
//!
//! A number is followed to where it comes from: the page shows what its claim says; the claim is what an output says; the
//! output is what its stage gives, made again from what it consumed; what it consumed is what the data give.

mod claim;
mod result;
mod stored;
mod whole_page;

use super::{
    alone::{self, Alone, PageAlone},
    evidence::{Evidence, LARGEST_OBJECT},
    page::{self, AuditedPage},
    reach::Reach,
    remake::{Again, Recompute, RemadeStatus, Remaking},
    rendered::{self, Rendered},
    sources::AuditSources,
    verdict::{Audit, Checked, Verdict},
};
use claim::ExaminedClaim;
use result::{against_results, remade, second};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::Arc,
};
pub use stored::ResultsExamination;
use visavis_core::{
    domain::{
        Digest, Key, Result,
        claim::Claim,
        result::Manifest,
        stage::Input,
        text::{count, size},
    },
    store::Workspace,
};
use whole_page::{examine_page, examine_words, untold};

/// A report under examination.
pub struct Examination {
    page: AuditedPage,
    alone: PageAlone,
    audit: Audit,
    /// What is found in the page's words: of no account once the page is known to be the one that its study and results give.
    words: Vec<Checked>,
    /// What cannot be told of the page's words by itself; likewise.
    untold: Vec<String>,
    /// Results that are in the workspace as the page has them, objects and all.
    stored: HashSet<Key>,
    /// Where the workspace's own results say that they took their inputs from.
    places: HashMap<Key, Vec<Input>>,
}

/// What the page by itself comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageAudit {
    pub claims: usize,
    /// Claims that are as the page's evidence has them.
    pub agree: usize,
    pub differ: usize,
    pub unchecked: usize,
    /// What else is wrong with the page: words, pictures, numbers without a claim, what has no place in a report.
    pub faults: usize,
}

impl Examination {
    /// Reads a page and examines it alone; `enough` says when reading has taken too long.
    ///
    /// # Errors
    /// A file that is no report, or that no report could be. A difference is no error: see [`Audit::differs`].
    pub fn of_page(text: &str, path: &Path, enough: &(dyn Fn() -> bool + Sync)) -> Result<Self> {
        let page = page::read(text, path, enough)?;
        let alone = alone::examine(&page).map_err(|fault| fault.in_file(path))?;
        let mut audit = Audit::default();
        examine_page(&page, &alone, &mut audit);
        let (words, untold) = (examine_words(&page), untold(&page));
        Ok(Examination { page, alone, audit, words, untold, stored: HashSet::new(), places: HashMap::new() })
    }

    pub fn evidence(&self) -> &Evidence {
        &self.page.evidence
    }

    /// The same, for whoever goes on with it.
    pub fn shared_evidence(&self) -> Arc<Evidence> {
        Arc::clone(&self.page.evidence)
    }

    pub fn first(&self) -> PageAudit {
        let count = |is: fn(&Alone) -> bool| self.alone.claims.iter().filter(|claim| is(claim)).count();
        PageAudit {
            claims: self.alone.claims.len(),
            agree: count(|claim| matches!(claim, Alone::Agrees)),
            differ: count(|claim| matches!(claim, Alone::Differs { .. })),
            unchecked: count(|claim| matches!(claim, Alone::Unchecked(_))),
            faults: self.audit.count(Verdict::Differs) + self.words.len(),
        }
    }

    /// Holds every result that the page names against the workspace's.
    pub fn beside(&mut self, workspace: &Workspace) {
        self.alone.beside(&self.page, workspace);
        let mut of_another_time = 0;
        for (key, found) in against_results(self.evidence(), workspace) {
            of_another_time += usize::from(found.is_of_another_time);
            self.stored.extend((found.is_there && found.checked.is_empty()).then_some(key));
            self.places.insert(key, found.inputs);
            self.audit.checked.extend(found.checked);
        }
        if of_another_time > 0 {
            self.not_compared(format!(
                "times and machines of {}: others here (made again since with the same bits, or the page was edited)",
                count(of_another_time, "result")
            ));
        }
    }

    /// Holds the page, whose text is given once more, against its rendering.
    pub fn rendered(&mut self, text: &str, rendered: &Rendered) {
        if rendered::compare(text, rendered, &mut self.audit) {
            self.words.clear();
            self.untold.clear();
        }
    }

    /// The study file beside the page is not the one that the page was made of.
    pub fn other_study(&mut self) {
        let why = "the study file is not the one that the page was made of: it was edited since, or the page was";
        self.audit.checked.push(Checked {
            id: "study file".to_owned(),
            verdict: Verdict::Differs,
            stage: "data".to_owned(),
            expected: None,
            found: None,
            why: why.to_owned(),
            reason: why.to_owned(),
        });
    }

    /// Notes what was not looked at, and why.
    pub fn not_compared(&mut self, what: impl Into<String>) {
        self.audit.not_compared.push(what.into());
    }

    /// Notes what nothing that is here can show.
    pub fn lacks(&mut self, what: String) {
        self.audit.lacks.push(what);
    }

    /// Begins to make stages again.
    pub fn remake(
        &self,
        workspace: Option<&Workspace>,
        reach: Reach,
        again: &Again,
        recompute: Recompute,
        threads: usize,
    ) -> Remaking {
        let sources = AuditSources {
            page: Some(self.page.evidence.clone()),
            genuine: self.alone.genuine.clone(),
            sizes: self.evidence().sizes(),
            workspace: workspace.cloned(),
            reach,
            tolerance: self.evidence().tolerance(),
        };
        let manifests = self.evidence().manifests.iter().map(|manifest| self.located(manifest)).collect();
        Remaking::start(manifests, again, sources, recompute, threads)
    }

    /// The result with its inputs where the workspace's own has them: a page names files by what is left of their paths.
    fn located(&self, manifest: &Manifest) -> Manifest {
        let mut manifest = manifest.clone();
        let known = self.places.get(&manifest.key).map_or(&[][..], Vec::as_slice);
        for input in &mut manifest.inputs {
            if let Some(own) = known.iter().find(|own| (&own.role, own.digest) == (&input.role, input.digest)) {
                input.at = own.at.clone();
            }
        }
        manifest
    }

    /// What it comes to without making anything again.
    pub fn conclude_alone(self) -> Audit {
        let Examination { page, alone, mut audit, words, untold, .. } = self;
        audit.checked.extend(words);
        audit.lacks.extend(without_evidence(&alone).into_iter().chain(unread(&alone)).chain(untold));
        let evidence = page.into_evidence();
        let checked = |(claim, alone): (&Claim, &Alone)| {
            let subject = ExaminedClaim::of(claim, None);
            match alone {
                Alone::Agrees => subject.is(Verdict::Consistent, None, "as its evidence in the file has it; not made again"),
                other => subject.not_alone(other),
            }
        };
        audit.checked.extend(evidence.claims.iter().zip(&alone.claims).map(checked));
        audit
    }

    /// What it comes to, as far as stages were made again; `current`: the digests that the study's data have today (role → digest).
    pub fn conclude(self, standings: Vec<Option<RemadeStatus>>, current: Option<&BTreeMap<String, Digest>>) -> Audit {
        let Examination { page, alone, mut audit, words, untold, stored, .. } = self;
        audit.checked.extend(words);
        audit.lacks.extend(without_evidence(&alone).into_iter().chain(unread(&alone)).chain(untold));
        let evidence = &*page.into_evidence();
        let places = evidence.places();
        let made = evidence.manifests.iter().zip(&standings).filter(|(_, standing)| matches!(standing, Some(RemadeStatus::Same)));
        audit.verified.extend(made.map(|(manifest, _)| manifest.key));
        let settle = |(manifest, standing): (&Manifest, Option<RemadeStatus>)| match standing {
            // Not made again, but found among the results as it is claimed.
            Some(RemadeStatus::NotAttempted) if stored.contains(&manifest.key) => Some(RemadeStatus::Same),
            other => other,
        };
        let standings: Vec<_> = evidence.manifests.iter().zip(standings).map(settle).collect();
        for (place, manifest) in evidence.manifests.iter().enumerate() {
            let first = places[&manifest.key];
            if place != first {
                audit.checked.extend(second(manifest, &evidence.manifests[first]));
                continue;
            }
            // A stage that no number stems from, such as a figure's, is held to its result all the same.
            audit.checked.extend(standings[place].as_ref().and_then(|standing| remade(manifest, standing)));
        }
        let tolerance = evidence.tolerance();
        let examine = |(claim, alone): (&Claim, &Alone)| {
            let place = places.get(&claim.from.key).copied();
            let manifest = place.map(|place| &evidence.manifests[place]);
            let standing = place.and_then(|place| standings[place].as_ref());
            ExaminedClaim::of(claim, manifest).judge(alone, standing, &tolerance)
        };
        audit.checked.extend(evidence.claims.iter().zip(&alone.claims).map(examine));
        let data = current.map(|current| data(evidence, current)).unwrap_or_default();
        let absent = data.iter().filter(|checked| checked.verdict == Verdict::Unchecked).count();
        if absent > 0 {
            audit.not_compared.push(format!("data: {absent} of {} are not here", count(data.len(), "input")));
        }
        audit.checked.extend(data);
        audit
    }
}

/// What is needed to call every claim identical, and is not here.
fn without_evidence(alone: &PageAlone) -> Option<String> {
    let lacking = alone.claims.iter().filter(|claim| matches!(claim, Alone::Unchecked(_))).count();
    match (alone.claims.len(), lacking) {
        (0, _) => Some("the page has no claim: nothing stands behind what it shows".to_owned()),
        (_, 0) => None,
        (_, lacking) => Some(format!("{} without evidence, in the file or beside it", count(lacking, "claim"))),
    }
}

/// Objects of which nothing is known, for they are larger than any that is read.
fn unread(alone: &PageAlone) -> Option<String> {
    let large = alone.unread.len();
    (large > 0).then(|| format!("{} in the file of more than the {} that are read", count(large, "object"), size(LARGEST_OBJECT)))
}

/// The data as they are today against those that the report was made of.
fn data(evidence: &Evidence, current: &BTreeMap<String, Digest>) -> Vec<Checked> {
    let check = |(role, digest): (&String, &Digest)| {
        let found = current.get(role);
        let (verdict, why) = match found {
            Some(found) if found == digest => (Verdict::Identical, "the data are those the report was made of"),
            Some(_) => (Verdict::Differs, "the data are not those the report was made of"),
            None => (Verdict::Unchecked, "these data are not here"),
        };
        Checked {
            id: role.clone(),
            verdict,
            stage: "data".into(),
            expected: Some(digest.to_string()),
            found: found.map(ToString::to_string),
            why: why.to_owned(),
            reason: why.to_owned(),
        }
    };
    evidence.sources.iter().map(check).collect()
}
