//! Examines a report, or the results of a study.
//!
//! A number is followed to where it comes from: the page shows what its claim says; the claim is what an output says; the
//! output is what its stage gives, made again from what it consumed; what it consumed is what the data give.

use super::{
    evidence::Evidence,
    page::{self, Page},
    verdict::{Audit, Checked, Verdict},
};
use crate::{
    domain::{
        Digest, Key, Result,
        claim::Claim,
        result::{Facts, Manifest},
        stage::{Input, Kind, Location, Task, Work},
    },
    store::Workspace,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What a stage gives when it is carried out again.
pub struct Remade {
    pub outputs: Vec<(String, Vec<u8>)>,
    pub facts: Facts,
}

/// Carries a task out again, its inputs read by the second argument.
pub type Recompute<'a> = &'a dyn Fn(&Task, &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade>;

/// Which stages are made again: those of these kinds; with a sample, only those among them that it drew.
pub struct Again<'a> {
    pub kinds: &'a [Kind],
    pub sample: Option<BTreeSet<Key>>,
}

impl Again<'_> {
    fn takes(&self, manifest: &Manifest) -> bool {
        self.kinds.contains(&manifest.stage) && self.sample.as_ref().is_none_or(|drawn| drawn.contains(&manifest.key))
    }
}

/// How a stage stands after it was made again.
enum Standing {
    Same,
    Other {
        outputs: Vec<(String, Vec<u8>)>,
        facts: Facts,
    },
    /// What it consumes is not here.
    Unchecked(String),
    NotAttempted,
    /// It could not be made again at all.
    Broken(String),
}

/// Examines a report file; with a workspace that holds results, those too; with `current`, the digests that the study's
/// data have today (role → digest), the data as well. `again` says which stages are made again.
///
/// # Errors
/// A file that is no report. A difference is no error: see [`Audit::differs`].
pub fn examine_report(
    text: &str,
    path: &Path,
    workspace: Option<&Workspace>,
    current: Option<&BTreeMap<String, Digest>>,
    again: &Again,
    recompute: Recompute,
) -> Result<Audit> {
    let page = page::read(text, path)?;
    let mut audit = Audit::default();
    // What a stage gave again is an input of the next: the file need not hold it.
    let given = RefCell::new(BTreeMap::new());
    let embedded = |input: &Input| {
        let again = || given.borrow().get(&input.digest).cloned().ok_or_else(not_here);
        page.evidence.object(input.digest).unwrap_or_else(again)
    };
    let mut standings: BTreeMap<Key, Standing> = BTreeMap::new();
    for manifest in &page.evidence.manifests {
        let tee = |task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>| {
            let made = recompute(task, read)?;
            given.borrow_mut().extend(made.outputs.iter().map(|(_, bytes)| (Digest::of(bytes), bytes.clone())));
            Ok(made)
        };
        let standing = stand(manifest, again, &tee, &embedded);
        audit.verified.extend(matches!(standing, Standing::Same).then_some(manifest.key));
        standings.insert(manifest.key, standing);
    }
    if let Some(workspace) = workspace {
        let stored = against_results(&page.evidence, workspace, &mut audit);
        for manifest in &page.evidence.manifests {
            let standing = &standings[&manifest.key];
            if matches!(standing, Standing::Unchecked(_) | Standing::NotAttempted) && stored.contains(&manifest.key) {
                let beside = stand(&located(manifest, workspace), again, recompute, &|input| read(workspace, input));
                audit.verified.extend(matches!(beside, Standing::Same).then_some(manifest.key));
                // Not asked to be made again, but found among the results as it is claimed.
                let beside = if matches!(beside, Standing::NotAttempted) { Standing::Same } else { beside };
                standings.insert(manifest.key, beside);
            }
        }
    }
    // A stage that no number stems from, such as a figure's, is held to its result all the same.
    for manifest in &page.evidence.manifests {
        audit.checked.extend(remade(manifest, &standings[&manifest.key]));
        let named = page.evidence.manifest(manifest.key).map(Manifest::content);
        if named != Some(manifest.content()) {
            audit.checked.push(Checked {
                id: format!("{} result {}", manifest.stage, manifest.key.short()),
                verdict: Verdict::Differs,
                stage: manifest.stage.word().into(),
                expected: named.map(|content| content.to_string()),
                found: Some(manifest.content().to_string()),
                why: "the file holds two results under one key".into(),
            });
        }
    }
    for claim in &page.evidence.claims {
        audit.checked.push(examine_claim(claim, &page, workspace, &standings));
    }
    examine_page(&page, &mut audit);
    if let Some(current) = current {
        for (role, digest) in &page.evidence.sources {
            let found = current.get(role);
            let verdict = if found == Some(digest) {
                Verdict::Identical
            } else if found.is_some() {
                Verdict::Differs
            } else {
                Verdict::Unchecked
            };
            let why = match verdict {
                Verdict::Identical => "the data are those the report was made of",
                Verdict::Differs => "the data are not those the report was made of",
                _ => "these data are not here",
            };
            audit.checked.push(Checked {
                id: role.clone(),
                verdict,
                stage: "data".into(),
                expected: Some(digest.to_string()),
                found: found.map(ToString::to_string),
                why: why.into(),
            });
        }
    }
    Ok(audit)
}

/// Examines results as they are stored: every object, every manifest, and the stages of `again` made again.
pub fn examine_results<'a>(
    results: impl Iterator<Item = (String, &'a Manifest)>,
    workspace: &Workspace,
    again: &Again,
    recompute: Recompute,
) -> Audit {
    let mut audit = Audit::default();
    for (label, manifest) in results {
        objects(manifest, workspace, &mut audit);
        let standing = stand(&located(manifest, workspace), again, recompute, &|input| read(workspace, input));
        let (verdict, why) = match standing {
            Standing::Same => {
                audit.verified.insert(manifest.key);
                (Verdict::Identical, "made again: the same bits".to_owned())
            }
            Standing::NotAttempted => (Verdict::NotAttempted, "objects verified, not made again".to_owned()),
            Standing::Unchecked(why) => (Verdict::Unchecked, why),
            Standing::Broken(why) => (Verdict::Differs, why),
            Standing::Other { outputs, .. } => (Verdict::Differs, format!("made again, {} differ", names(&outputs))),
        };
        audit.checked.push(Checked {
            id: label,
            verdict,
            stage: manifest.stage.word().into(),
            expected: Some(manifest.content().to_string()),
            found: None,
            why,
        });
    }
    audit
}

/// What making a result again came to; `None` where it was not made again.
fn remade(manifest: &Manifest, standing: &Standing) -> Option<Checked> {
    let (verdict, why) = match standing {
        Standing::Same => (Verdict::Identical, "made again, or found among the results: the same bits".to_owned()),
        Standing::Broken(why) => (Verdict::Differs, why.clone()),
        Standing::Other { outputs, .. } => {
            (Verdict::Differs, format!("made again from what the file holds, it gives other bits: {}", names(outputs)))
        }
        Standing::Unchecked(_) | Standing::NotAttempted => return None,
    };
    Some(Checked {
        id: format!("{} result {}", manifest.stage, manifest.key.short()),
        verdict,
        stage: manifest.stage.word().into(),
        expected: Some(manifest.content().to_string()),
        found: None,
        why,
    })
}

fn names(outputs: &[(String, Vec<u8>)]) -> String {
    outputs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

fn not_here() -> crate::domain::Fault {
    crate::domain::Fault::missing("not in the file")
}

/// A result of the workspace, with its paths made ones from here.
fn located(manifest: &Manifest, workspace: &Workspace) -> Manifest {
    let inputs = manifest.inputs.iter().map(|input| input.clone().from_root(workspace.root())).collect();
    Manifest { inputs, ..manifest.clone() }
}

fn read(workspace: &Workspace, input: &Input) -> Result<Vec<u8>> {
    match &input.at {
        Location::Object | Location::Pictures(_) => workspace.objects().get(input.digest),
        Location::File(path) => {
            let bytes = std::fs::read(path).map_err(|_| not_here())?;
            let (expected, found) = (input.digest, Digest::of(&bytes));
            if found == expected {
                Ok(bytes)
            } else {
                let path = path.display();
                let what = format!("the file {path} is not the one that was consumed: expected blake3 {expected}, found {found}");
                Err(crate::domain::Fault::differs(what))
            }
        }
    }
}

/// Makes the stage again and compares.
fn stand(manifest: &Manifest, again: &Again, recompute: Recompute, read: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Standing {
    let task = Task { work: manifest.work.clone(), inputs: manifest.inputs.clone() };
    let (theirs, own) = (manifest.version, manifest.work.version());
    if theirs != own {
        let what = format!("made by version {theirs} of the {} stage, and this program has version {own}", manifest.work.word());
        return Standing::Broken(format!("{what}: audit it with the visavis that made it"));
    }
    if task.key() != manifest.key {
        return Standing::Broken("its key does not follow from what it says it did: another program's, or changed".into());
    }
    if !again.takes(manifest) {
        return Standing::NotAttempted;
    }
    for input in &manifest.inputs {
        match read(input) {
            Err(fault) if fault.ending == crate::domain::Ending::Differs => return Standing::Broken(fault.what),
            Err(_) => {
                return Standing::Unchecked("its inputs are not here: give the results or data it was made from".to_owned());
            }
            Ok(_) => {}
        }
    }
    match recompute(&task, read) {
        Err(fault) if fault.ending == crate::domain::Ending::Missing => Standing::Unchecked(fault.what),
        Err(fault) => Standing::Broken(format!("cannot be made again: {}", fault.what)),
        Ok(made) => {
            let same = |name: &str, bytes: &[u8]| manifest.output(name).is_some_and(|output| output.digest == Digest::of(bytes));
            let all = made.outputs.len() == manifest.outputs.len()
                && made.outputs.iter().all(|(name, bytes)| same(name, bytes))
                && made.facts == manifest.facts;
            if all { Standing::Same } else { Standing::Other { outputs: made.outputs, facts: made.facts } }
        }
    }
}

fn examine_claim(claim: &Claim, page: &Page, workspace: Option<&Workspace>, standings: &BTreeMap<Key, Standing>) -> Checked {
    let evidence = &page.evidence;
    let stated = claim.form.show(claim.value);
    let manifest = evidence.manifest(claim.from.key);
    let stage = manifest.map_or("page".to_owned(), |manifest| manifest.stage.word().to_owned());
    let verdict = |verdict, found: Option<String>, why: String| Checked {
        id: claim.id.clone(),
        verdict,
        stage: stage.clone(),
        expected: Some(stated.clone()),
        found,
        why: format!("{}: {why}", claim.what),
    };

    let mut shown = page.shown.iter().filter(|(id, _)| *id == claim.id).map(|(_, text)| text).peekable();
    if shown.peek().is_none() {
        return verdict(Verdict::Differs, None, "the page does not show it".into());
    }
    if let Some(other) = shown.find(|text| **text != stated) {
        return verdict(Verdict::Differs, Some(other.clone()), "the page shows another number than the claim says".into());
    }
    let Some(manifest) = manifest else { return verdict(Verdict::Differs, None, "no result stands behind it".into()) };
    match original(claim, manifest, evidence, workspace) {
        Err(why) => return verdict(Verdict::Differs, None, why),
        Ok(Some(value)) if value.to_bits() != claim.value.to_bits() => {
            return verdict(
                Verdict::Differs,
                Some(claim.form.show(value)),
                format!("the {stage} result says {value}, the claim {}", claim.value),
            );
        }
        Ok(None) => return verdict(Verdict::Unchecked, None, format!("its {stage} result is not in the file")),
        Ok(Some(_)) => {}
    }
    match &standings[&claim.from.key] {
        Standing::Same => {
            verdict(Verdict::Identical, Some(stated.clone()), "made again, or found among the results: the same bits".into())
        }
        Standing::NotAttempted => {
            verdict(Verdict::NotAttempted, None, format!("its {stage} stage was not asked to be made again"))
        }
        Standing::Unchecked(why) => verdict(Verdict::Unchecked, None, why.clone()),
        Standing::Broken(why) => verdict(Verdict::Differs, None, why.clone()),
        Standing::Other { outputs, facts } => {
            let again = outputs
                .iter()
                .find(|(name, _)| *name == claim.from.output)
                .and_then(|(_, bytes)| serde_json::from_slice(bytes).ok());
            let again = if claim.from.output == "facts" { serde_json::to_value(facts).ok() } else { again };
            let value = again
                .as_ref()
                .and_then(|json: &serde_json::Value| json.pointer(&claim.from.pointer))
                .and_then(serde_json::Value::as_f64);
            match value {
                Some(value) if value.to_bits() == claim.value.to_bits() => {
                    verdict(Verdict::Identical, Some(stated.clone()), "made again: the same bits".into())
                }
                // Torch-free stages have the same bits everywhere: no tolerance is theirs, whatever the file says.
                Some(value)
                    if matches!(manifest.work, Work::Train(_) | Work::Extract(_))
                        && (value - claim.value).abs() <= evidence.tolerance().auc =>
                {
                    verdict(Verdict::WithinTolerance, Some(claim.form.show(value)), format!("made again: {value}"))
                }
                Some(value) => verdict(
                    Verdict::Differs,
                    Some(claim.form.show(value)),
                    format!("made again from what the file holds, the {stage} stage gives {value}"),
                ),
                None => verdict(Verdict::Differs, None, "made again, the stage gives no such number".into()),
            }
        }
    }
}

/// The number where it comes from; `None` when that is not here.
fn original(
    claim: &Claim,
    manifest: &Manifest,
    evidence: &Evidence,
    workspace: Option<&Workspace>,
) -> std::result::Result<Option<f64>, String> {
    let parts = |value: serde_json::Result<serde_json::Value>| value.map_err(|error| error.to_string());
    let json = if claim.from.output == "facts" {
        parts(serde_json::to_value(&manifest.facts))?
    } else if claim.from.output == "work" {
        parts(serde_json::to_value(&manifest.work))?
    } else {
        let output =
            manifest.output(&claim.from.output).ok_or_else(|| format!("its result has no output {}", claim.from.output))?;
        let stored = || {
            workspace
                .filter(|workspace| workspace.objects().has(output.digest))
                .map(|workspace| workspace.objects().get(output.digest))
        };
        let Some(bytes) = evidence.object(output.digest).or_else(stored) else { return Ok(None) };
        parts(serde_json::from_slice(&bytes.map_err(|fault| fault.what)?))?
    };
    json.pointer(&claim.from.pointer)
        .and_then(serde_json::Value::as_f64)
        .map(Some)
        .ok_or_else(|| "its result holds no such number".to_owned())
}

/// Words, pictures, and numbers that no claim stands behind.
fn examine_page(page: &Page, audit: &mut Audit) {
    let finding = |id: &str, why: &str, expected: &str, found: &str| Checked {
        id: id.to_owned(),
        verdict: Verdict::Differs,
        stage: "page".into(),
        expected: Some(expected.to_owned()),
        found: Some(found.to_owned()),
        why: why.to_owned(),
    };
    let known: BTreeSet<&str> = page.evidence.claims.iter().map(|claim| claim.id.as_str()).collect();
    for (id, text) in page.shown.iter().filter(|(id, _)| !known.contains(id.as_str())) {
        audit.checked.push(finding(id, "the page shows a number that no claim stands behind", "a claim", text));
    }
    for number in &page.stray {
        audit.checked.push(finding("page", "the page shows a number that no claim stands behind", "a claim", number));
    }
    for (key, digest) in &page.figures {
        let drawn =
            key.parse().ok().and_then(|key| page.evidence.manifest(key)).and_then(|manifest| manifest.output("figure.svg"));
        match drawn {
            Some(output) if output.digest == *digest => {
                let why = "the picture is the one its result names".to_owned();
                audit.checked.push(Checked {
                    id: format!("figure {}", &key[..8.min(key.len())]),
                    verdict: Verdict::Identical,
                    stage: "draw".into(),
                    expected: Some(digest.to_string()),
                    found: Some(digest.to_string()),
                    why,
                });
            }
            Some(output) => audit.checked.push(finding(
                &format!("figure {key}"),
                "the picture is not the one its result names",
                &output.digest.to_string(),
                &digest.to_string(),
            )),
            None => audit.checked.push(finding(
                &format!("figure {key}"),
                "no result stands behind the picture",
                "a draw result",
                "none",
            )),
        }
    }
    let (bears, should) = &page.seal;
    if bears != should {
        audit.checked.push(finding(
            "seal",
            "the page's words, pictures or evidence were changed after it was written",
            should,
            bears,
        ));
    }
}

/// Every result the report names, held against the workspace's; the keys of those that are there and agree.
fn against_results(evidence: &Evidence, workspace: &Workspace, audit: &mut Audit) -> BTreeSet<Key> {
    let mut agree = BTreeSet::new();
    for manifest in &evidence.manifests {
        let id = format!("{} result {}", manifest.stage, manifest.key.short());
        match workspace.results().get(manifest.key) {
            Err(fault) => audit.checked.push(Checked {
                id,
                verdict: Verdict::Differs,
                stage: manifest.stage.word().into(),
                expected: None,
                found: None,
                why: fault.what,
            }),
            Ok(None) => {}
            Ok(Some(stored)) if stored.content() != manifest.content() => {
                let (expected, found) = (manifest.content().to_string(), stored.content().to_string());
                audit.checked.push(Checked {
                    id,
                    verdict: Verdict::Differs,
                    stage: manifest.stage.word().into(),
                    expected: Some(expected),
                    found: Some(found),
                    why: "the workspace's result is another one".into(),
                });
            }
            Ok(Some(stored)) => {
                if objects(&stored, workspace, audit) {
                    agree.insert(manifest.key);
                }
            }
        }
    }
    agree
}

/// Verifies the objects a result left; true when all are whole.
fn objects(manifest: &Manifest, workspace: &Workspace, audit: &mut Audit) -> bool {
    let mut whole = true;
    for output in &manifest.outputs {
        if let Err(fault) = workspace.objects().get(output.digest) {
            whole = false;
            let place = fault.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
            let why = format!("{} of the {} result {}: {}{place}", output.name, manifest.stage, manifest.key.short(), fault.what);
            audit.checked.push(Checked {
                id: format!("object {}", output.digest),
                verdict: Verdict::Differs,
                stage: "object".into(),
                expected: Some(output.digest.to_string()),
                found: None,
                why,
            });
        }
    }
    whole
}
