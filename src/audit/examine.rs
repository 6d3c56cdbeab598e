//! Examines a report, or the results of a study.
//!
//! A number is followed to where it comes from: the page shows what its claim says; the claim is what an output says; the
//! output is what its stage gives, made again from what it consumed; what it consumed is what the data give.

use super::{
    alone::{self, Alone, PageAlone},
    evidence::Evidence,
    page::{self, AuditedPage},
    reach::Reach,
    remake::{Again, Recompute, RemadeStatus, Remaking},
    sources::Sources,
    verdict::{Audit, Checked, Verdict},
};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};
use visavis_core::{
    domain::{
        Digest, Key, Result,
        claim::Claim,
        result::Manifest,
        stage::{Figure, Input, Work},
        study::Tolerance,
    },
    store::Workspace,
};

/// A report under examination.
pub struct Examination {
    page: AuditedPage,
    alone: PageAlone,
    audit: Audit,
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
        Ok(Examination { page, alone, audit, stored: HashSet::new(), places: HashMap::new() })
    }

    pub fn evidence(&self) -> &Evidence {
        &self.page.evidence
    }

    pub fn first(&self) -> PageAudit {
        let count = |is: fn(&Alone) -> bool| self.alone.claims.iter().filter(|claim| is(claim)).count();
        PageAudit {
            claims: self.alone.claims.len(),
            agree: count(|claim| matches!(claim, Alone::Agrees)),
            differ: count(|claim| matches!(claim, Alone::Differs { .. })),
            unchecked: count(|claim| matches!(claim, Alone::Unchecked(_))),
            faults: self.audit.count(Verdict::Differs),
        }
    }

    /// Holds every result that the page names against the workspace's.
    pub fn beside(&mut self, workspace: &Workspace) {
        self.alone.beside(&self.page, workspace);
        for (key, found) in against_results(self.evidence(), workspace) {
            self.stored.extend((found.is_there && found.checked.is_empty()).then_some(key));
            self.places.insert(key, found.inputs);
            self.audit.checked.extend(found.checked);
        }
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
        let sources = Sources {
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
        let Examination { page, alone, mut audit, .. } = self;
        let evidence = page.into_evidence();
        let checked = |(claim, alone): (&Claim, &Alone)| {
            let subject = Subject::of(claim, None);
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
        let Examination { page, alone, mut audit, stored, .. } = self;
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
            Subject::of(claim, manifest).judge(alone, standing, &tolerance)
        };
        audit.checked.extend(evidence.claims.iter().zip(&alone.claims).map(examine));
        audit.checked.extend(current.map(|current| data(evidence, current)).unwrap_or_default());
        audit
    }
}

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
        let sources = Sources {
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

const STOPPED: &str = "stopped before its stage was made again";

fn near(off: f64) -> String {
    format!("made again: features at most {off:.1e} off, within the tolerance")
}

fn of_result(manifest: &Manifest, verdict: Verdict, why: String) -> Checked {
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
fn remade(manifest: &Manifest, standing: &RemadeStatus) -> Option<Checked> {
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
fn second(manifest: &Manifest, first: &Manifest) -> Option<Checked> {
    let (own, named) = (manifest.content(), first.content());
    (own != named).then(|| Checked {
        expected: Some(named.to_string()),
        found: Some(own.to_string()),
        ..of_result(manifest, Verdict::Differs, "the file holds two results under one key".into())
    })
}

fn names(outputs: &[(String, Vec<u8>)]) -> String {
    outputs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A claim, for its verdict.
struct Subject<'a> {
    claim: &'a Claim,
    manifest: Option<&'a Manifest>,
    stated: String,
}

impl<'a> Subject<'a> {
    fn of(claim: &'a Claim, manifest: Option<&'a Manifest>) -> Self {
        Subject { claim, manifest, stated: claim.form.show(claim.value) }
    }

    fn stage(&self) -> &'static str {
        self.manifest.map_or("page", |manifest| manifest.stage.word())
    }

    fn is(&self, verdict: Verdict, found: Option<String>, reason: impl Into<String>) -> Checked {
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

    fn not_alone(&self, alone: &Alone) -> Checked {
        match alone {
            Alone::Differs { found, why } => self.is(Verdict::Differs, found.clone(), why.clone()),
            Alone::Unchecked(why) => self.is(Verdict::Unchecked, None, why.clone()),
            Alone::Agrees => self.is(Verdict::Unchecked, None, "no result stands behind it"),
        }
    }

    fn judge(&self, alone: &Alone, standing: Option<&RemadeStatus>, tolerance: &Tolerance) -> Checked {
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

/// Words, pictures, numbers that no claim stands behind, and objects that are not what they are named by.
fn examine_page(page: &AuditedPage, alone: &PageAlone, audit: &mut Audit) {
    let finding = |id: &str, why: &str, expected: &str, found: &str| Checked {
        id: id.to_owned(),
        verdict: Verdict::Differs,
        stage: "page".into(),
        expected: Some(expected.to_owned()),
        found: Some(found.to_owned()),
        why: why.to_owned(),
        reason: why.to_owned(),
    };
    for (line, why) in &page.odd {
        audit.checked.push(Checked { expected: None, found: None, ..finding("page", &format!("line {line}: {why}"), "", "") });
    }
    let known: HashSet<&str> = page.evidence.claims.iter().map(|claim| claim.id.as_str()).collect();
    for shown in page.shown.iter().filter(|shown| !known.contains(&*shown.claim)) {
        let why = format!("line {}: the page shows a number that no claim stands behind", shown.line);
        audit.checked.push(finding(&shown.claim, &why, "a claim", &shown.text));
    }
    for (line, number) in &page.stray {
        let why = format!("line {line}: the page shows a number that no claim stands behind");
        audit.checked.push(finding("page", &why, "a claim", number));
    }
    for (digest, why) in &alone.broken {
        audit.checked.push(Checked {
            stage: "object".into(),
            ..finding(&format!("object {digest}"), why, &digest.to_string(), "other bytes")
        });
    }
    let places = page.evidence.places();
    for (key, digest) in &page.figures {
        let manifest = key.parse().ok().and_then(|key: Key| places.get(&key)).map(|place| &page.evidence.manifests[*place]);
        match manifest.and_then(|manifest| manifest.output(Figure::SVG)) {
            Some(output) if output.digest == *digest => {
                let why = "the picture is the one its result names";
                let id = format!("figure {}", key.get(..8).unwrap_or(key));
                let same = digest.to_string();
                audit.checked.push(Checked {
                    verdict: Verdict::Identical,
                    stage: "draw".into(),
                    ..finding(&id, why, &same, &same)
                });
            }
            Some(output) => {
                let why = "the picture is not the one its result names";
                audit.checked.push(finding(&format!("figure {key}"), why, &output.digest.to_string(), &digest.to_string()));
            }
            None => {
                audit.checked.push(finding(
                    &format!("figure {key}"),
                    "no result stands behind the picture",
                    "a draw result",
                    "none",
                ));
            }
        }
    }
    let (bears, should) = &page.seal;
    if bears != should {
        let why = "the page's words, pictures or evidence were changed after it was written";
        audit.checked.push(finding("seal", why, should, bears));
    }
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

/// A result of the page's in the workspace.
struct WorkspaceResult {
    is_there: bool,
    inputs: Vec<Input>,
    checked: Vec<Checked>,
}

/// Every result the report names, held against the workspace's.
fn against_results(evidence: &Evidence, workspace: &Workspace) -> Vec<(Key, WorkspaceResult)> {
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
        let found =
            WorkspaceResult { is_there: stored.is_some(), inputs: stored.map_or(vec![], |stored| stored.inputs), checked };
        (manifest.key, found)
    };
    evidence.manifests.par_iter().map(check).collect()
}

/// Verifies the objects a result left; those that are damaged or not there.
fn objects(manifest: &Manifest, workspace: &Workspace) -> Vec<Checked> {
    let damaged = |output: &visavis_core::domain::result::Output| {
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
