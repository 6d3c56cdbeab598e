//! The page alone: every number it shows against its claim, and every claim against the evidence in the file. Nothing is made again.

use super::{
    evidence::{LARGEST_OBJECT, LARGEST_SUM},
    objects::OpenedObject,
    page::{AuditedPage, DrawnMark, ShownNumber},
    pointers,
};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use visavis_core::{
    domain::{Digest, Ending, Fault, Key, Result, claim::Claim, text::size},
    store::Workspace,
};

/// How a claim stands against the page and its evidence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Alone {
    Agrees,
    /// What the number comes from is not here.
    Unchecked(String),
    Differs {
        found: Option<String>,
        why: String,
    },
}

/// What a claim's number is where it comes from.
#[derive(Clone, Debug)]
enum Original {
    Value(f64),
    NotHere,
    /// It is in the file, and larger than any that is read.
    TooLarge,
    Broken(String),
}

pub(crate) struct PageAlone {
    /// One a claim.
    pub claims: Vec<Alone>,
    /// Embedded objects whose bytes are those they are named by.
    pub genuine: HashSet<Digest>,
    /// And those that are not, with the reason.
    pub broken: BTreeMap<Digest, String>,
    /// And those that are larger than any that is read, and are nowhere else.
    pub unread: BTreeSet<Digest>,
    originals: Vec<Original>,
}

/// Claims by the output that they point into.
type ClaimsByOutput = HashMap<Digest, Vec<usize>>;

/// Objects that may come to more are opened one at a time, however many threads there are.
const LARGE: u64 = 16 << 20;

/// Examines the page alone.
///
/// # Errors
/// Evidence that comes to more than is read.
pub(crate) fn examine(page: &AuditedPage) -> Result<PageAlone> {
    let evidence = &page.evidence;
    let claims = &evidence.claims;
    let places = evidence.places();
    let mut originals = vec![Original::NotHere; claims.len()];
    let mut wanted: ClaimsByOutput = HashMap::new();
    let mut inline: HashMap<(Key, &str), Vec<usize>> = HashMap::new();
    for (number, claim) in claims.iter().enumerate() {
        let Some(manifest) = places.get(&claim.from.key).map(|place| &evidence.manifests[*place]) else { continue };
        match claim.from.output.as_str() {
            word @ ("facts" | "work") => inline.entry((claim.from.key, word)).or_default().push(number),
            name => match manifest.output(name) {
                Some(output) => wanted.entry(output.digest).or_default().push(number),
                None => originals[number] = Original::Broken(format!("its result has no output {name}")),
            },
        }
    }
    for ((key, word), numbers) in inline {
        let manifest = &evidence.manifests[places[&key]];
        let json = if word == "facts" { serde_json::to_vec(&manifest.facts) } else { serde_json::to_vec(&manifest.work) };
        let json = json.map_err(|error| error.to_string());
        values(json.as_deref().map_err(Clone::clone), &numbers, claims)
            .for_each(|(number, original)| originals[number] = original);
    }

    let sizes = evidence.sizes();
    let (sum, one_large) = (AtomicU64::new(0), Mutex::new(()));
    let too_much = || sum.load(Ordering::Relaxed) > LARGEST_SUM;
    let open = |digest: &Digest| {
        let said = sizes.get(digest).copied();
        let Some(numbers) = wanted.get(digest) else {
            // Nothing points into it: it need not be held.
            let room = LARGEST_SUM.saturating_sub(sum.load(Ordering::Relaxed));
            let (found, inflated) = if too_much() { None } else { evidence.verified(*digest, said, room) }?;
            sum.fetch_add(inflated, Ordering::Relaxed);
            return Some((*digest, found.err(), vec![]));
        };
        let is_large = said.is_none_or(|bytes| bytes > LARGE);
        let _alone = is_large.then(|| one_large.lock().unwrap_or_else(PoisonError::into_inner));
        let OpenedObject { bytes, inflated } = if too_much() { None } else { evidence.opened(*digest, said) }?;
        sum.fetch_add(inflated, Ordering::Relaxed);
        let values: Vec<_> = match &bytes {
            Err(fault) if fault.ending == Ending::Missing => numbers.iter().map(|number| (*number, Original::TooLarge)).collect(),
            _ => values(bytes.as_deref().map_err(|fault| fault.what.clone()), numbers, claims).collect(),
        };
        Some((*digest, bytes.err(), values))
    };
    let digests: Vec<Digest> = evidence.objects.keys().copied().collect();
    let opened: Vec<_> = digests.par_iter().filter_map(open).collect();
    if too_much() {
        let most = size(LARGEST_SUM);
        return Err(Fault::asked(format!("the page is refused: inflated, its evidence has more than the {most} that are read")));
    }
    let (mut genuine, mut broken, mut unread) = (HashSet::new(), BTreeMap::new(), BTreeSet::new());
    for (digest, fault, values) in opened {
        match fault {
            Some(fault) if fault.ending == Ending::Missing => _ = unread.insert(digest),
            Some(fault) => _ = broken.insert(digest, fault.what),
            None => _ = genuine.insert(digest),
        }
        values.into_iter().for_each(|(number, original)| originals[number] = original);
    }
    let mut alone = PageAlone { claims: vec![], genuine, broken, unread, originals };
    alone.judge(page);
    Ok(alone)
}

impl PageAlone {
    /// Takes what the file lacks from the results of a workspace.
    pub(crate) fn beside(&mut self, page: &AuditedPage, workspace: &Workspace) {
        let (evidence, objects) = (&page.evidence, workspace.objects());
        let places = evidence.places();
        let mut wanted: ClaimsByOutput = HashMap::new();
        for (number, claim) in evidence.claims.iter().enumerate() {
            let lacks = matches!(self.originals[number], Original::NotHere | Original::TooLarge);
            let manifest = places.get(&claim.from.key).map(|place| &evidence.manifests[*place]).filter(|_| lacks);
            if let Some(output) = manifest.and_then(|manifest| manifest.output(&claim.from.output)) {
                wanted.entry(output.digest).or_default().push(number);
            }
        }
        let wanted: Vec<(Digest, Vec<usize>)> = wanted.into_iter().filter(|(digest, _)| objects.has(*digest)).collect();
        let open = |(digest, numbers): &(Digest, Vec<usize>)| {
            let bytes = workspace.objects().get(*digest);
            values(bytes.as_deref().map_err(|fault| fault.what.clone()), numbers, &evidence.claims).collect::<Vec<_>>()
        };
        let found: Vec<_> = wanted.par_iter().flat_map_iter(open).collect();
        found.into_iter().for_each(|(number, original)| self.originals[number] = original);
        self.unread.retain(|digest| !objects.has(*digest));
        self.judge(page);
    }

    fn judge(&mut self, page: &AuditedPage) {
        let mut shown: Vec<&ShownNumber> = page.shown.iter().collect();
        shown.par_sort_by_key(|one| &one.claim);
        let of = |id: &str| {
            let start = shown.partition_point(|one| *one.claim < *id);
            let length = shown[start..].partition_point(|one| *one.claim == *id);
            &shown[start..start + length]
        };
        let drawn: HashSet<&str> = page.marks.iter().flat_map(DrawnMark::claims).collect();
        let known: HashSet<Key> = page.evidence.manifests.iter().map(|manifest| manifest.key).collect();
        let judge = |((claim, original), is_first): ((&Claim, &Original), &bool)| {
            if *is_first {
                let shown = of(&claim.id);
                if shown.is_empty() && !drawn.contains(claim.id.as_str()) {
                    return Alone::Differs { found: None, why: "the page does not show it".to_owned() };
                }
                judge(claim, original, shown, known.contains(&claim.from.key))
            } else {
                Alone::Differs { found: None, why: "the file holds two claims of this id".to_owned() }
            }
        };
        let first = first_of_their_id(&page.evidence.claims);
        self.claims = page.evidence.claims.par_iter().zip(&self.originals).zip(&first).map(judge).collect();
    }
}

/// Which claims are the first of their id. The others are not held against what the page shows: many claims of one id and many numbers of
/// it would be as many times as both multiplied.
fn first_of_their_id(claims: &[Claim]) -> Vec<bool> {
    let mut met = HashSet::new();
    claims.iter().map(|claim| met.insert(claim.id.as_str())).collect()
}

fn judge(claim: &Claim, original: &Original, shown: &[&ShownNumber], is_known: bool) -> Alone {
    let differs = |found: Option<String>, why: String| Alone::Differs { found, why };
    if let Some(other) = shown.iter().find(|shown| !claim.form.is_shown_as(claim.value, &shown.text)) {
        let why = format!("line {}: the page shows another number than the claim says", other.line);
        return differs(Some(super::container::start(&other.text)), why);
    }
    if !is_known {
        return differs(None, "no result stands behind it".to_owned());
    }
    match original {
        Original::Broken(why) => differs(None, why.clone()),
        Original::NotHere => Alone::Unchecked("its result is not in the file".to_owned()),
        Original::TooLarge => Alone::Unchecked(format!("its result has more than the {} that are read", size(LARGEST_OBJECT))),
        Original::Value(value) if value.to_bits() != claim.value.to_bits() => {
            differs(Some(claim.form.show(*value)), format!("its result says {value}, the claim {}", claim.value))
        }
        Original::Value(_) => Alone::Agrees,
    }
}

/// What the claims of these numbers are in an output.
fn values<'a>(
    json: std::result::Result<&[u8], String>,
    numbers: &'a [usize],
    claims: &[Claim],
) -> impl Iterator<Item = (usize, Original)> + use<'a> {
    let of = |number: &usize| claims[*number].from.pointer.as_str();
    let found = match json {
        Ok(json) => pointers::numbers(json, &numbers.iter().map(of).collect::<Vec<_>>()),
        Err(why) => Err(why),
    };
    let original = move |place: usize| match &found {
        Err(why) => Original::Broken(why.clone()),
        Ok(found) => found[place].map_or_else(|| Original::Broken("its result holds no such number".to_owned()), Original::Value),
    };
    numbers.iter().enumerate().map(move |(place, number)| (*number, original(place)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{
        evidence::{Evidence, FORMAT},
        packing::pack,
    };
    use std::sync::Arc;
    use visavis_core::domain::claim::{ClaimSource, NumberForm};

    fn page(claims: &[Claim], shown: &[(&str, &str)]) -> AuditedPage {
        let number = |(claim, text): &(&str, &str)| ShownNumber { claim: (*claim).into(), text: (*text).into(), line: 1 };
        let text = serde_json::json!({
            "format": FORMAT, "program": "", "study": "", "study_file": "", "study_text": "", "tolerance_auc": 0.0, "tolerance_features": 0.0,
            "sources": {}, "manifests": pack(b"[]"), "claims": pack(&serde_json::to_vec(claims).unwrap()), "objects": {},
        });
        let evidence = Evidence::of_text(&text.to_string(), std::path::Path::new("x.html")).unwrap();
        AuditedPage { shown: shown.iter().map(number).collect(), ..AuditedPage::of_evidence(Arc::new(evidence)) }
    }

    #[test]
    fn a_second_claim_of_an_id_differs_whatever_it_says() {
        let from = ClaimSource { key: "a".repeat(64).parse().unwrap(), output: "x".to_owned(), pointer: "/a".to_owned() };
        let claim =
            |id: &str| Claim { id: id.to_owned(), what: String::new(), form: NumberForm::Score, value: 0.5, from: from.clone() };
        let page = page(&[claim("c0"), claim("c1"), claim("c0")], &[("c0", "0.500"), ("c1", "0.500")]);
        let told = examine(&page).unwrap().claims.into_iter().map(|alone| match alone {
            Alone::Differs { why, .. } => why,
            other => format!("{other:?}"),
        });
        let none = "no result stands behind it";
        assert_eq!(told.collect::<Vec<_>>(), [none, none, "the file holds two claims of this id"]);
    }
}
