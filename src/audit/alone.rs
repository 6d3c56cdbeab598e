//! The page alone: every number it shows against its claim, and every claim against the evidence in the file. Nothing is made again.

use super::page::{Page, Shown};
use rayon::prelude::*;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::atomic::{AtomicU64, Ordering},
};
use visavis_core::{
    domain::{Digest, Fault, Key, Result, claim::Claim, text::size},
    store::Workspace,
};

/// How a claim stands against the page and its evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Alone {
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
    Broken(String),
}

pub struct PageAlone {
    /// One a claim.
    pub claims: Vec<Alone>,
    /// Embedded objects whose bytes are those they are named by.
    pub genuine: HashSet<Digest>,
    /// And those that are not, with the reason.
    pub broken: BTreeMap<Digest, String>,
    originals: Vec<Original>,
}

/// Claims by the output that they point into.
type Wanted = HashMap<Digest, Vec<usize>>;

/// Examines the page alone.
///
/// # Errors
/// Evidence that comes to more than is read.
pub fn examine(page: &Page) -> Result<PageAlone> {
    let evidence = &page.evidence;
    let claims = &evidence.claims;
    let places = evidence.places();
    let mut originals = vec![Original::NotHere; claims.len()];
    let mut wanted: Wanted = HashMap::new();
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
        let json = if word == "facts" { serde_json::to_value(&manifest.facts) } else { serde_json::to_value(&manifest.work) };
        let found = json.map_err(|error| error.to_string());
        numbers.into_iter().for_each(|number| originals[number] = at(&found, &claims[number]));
    }

    let sizes = evidence.sizes();
    let sum = AtomicU64::new(0);
    let too_much = || sum.load(Ordering::Relaxed) > super::evidence::LARGEST_SUM;
    let open = |digest: &Digest| {
        let bytes = if too_much() { None } else { evidence.object(*digest, sizes.get(digest).copied()) };
        let bytes = bytes?.map_err(|fault| fault.what);
        sum.fetch_add(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64), Ordering::Relaxed);
        let values = wanted.get(digest).map_or(vec![], |numbers| values(&bytes, numbers, claims));
        Some((*digest, bytes.err(), values))
    };
    let digests: Vec<Digest> = evidence.objects.keys().copied().collect();
    let opened: Vec<_> = digests.par_iter().filter_map(open).collect();
    if too_much() {
        let most = size(super::evidence::LARGEST_SUM);
        return Err(Fault::asked(format!("the page is refused: inflated, its evidence has more than the {most} that are read")));
    }
    let (mut genuine, mut broken) = (HashSet::new(), BTreeMap::new());
    for (digest, why, values) in opened {
        match why {
            Some(why) => _ = broken.insert(digest, why),
            None => _ = genuine.insert(digest),
        }
        values.into_iter().for_each(|(number, original)| originals[number] = original);
    }
    let mut alone = PageAlone { claims: vec![], genuine, broken, originals };
    alone.judge(page);
    Ok(alone)
}

impl PageAlone {
    /// Takes what the file lacks from the results of a workspace.
    pub fn beside(&mut self, page: &Page, workspace: &Workspace) {
        let (evidence, objects) = (&page.evidence, workspace.objects());
        let places = evidence.places();
        let mut wanted: Wanted = HashMap::new();
        for (number, claim) in evidence.claims.iter().enumerate() {
            let lacks = matches!(self.originals[number], Original::NotHere);
            let manifest = places.get(&claim.from.key).map(|place| &evidence.manifests[*place]).filter(|_| lacks);
            if let Some(output) = manifest.and_then(|manifest| manifest.output(&claim.from.output)) {
                wanted.entry(output.digest).or_default().push(number);
            }
        }
        let wanted: Vec<(Digest, Vec<usize>)> = wanted.into_iter().filter(|(digest, _)| objects.has(*digest)).collect();
        let open = |(digest, numbers): &(Digest, Vec<usize>)| {
            values(&workspace.objects().get(*digest).map_err(|fault| fault.what), numbers, &evidence.claims)
        };
        let found: Vec<_> = wanted.par_iter().flat_map_iter(open).collect();
        found.into_iter().for_each(|(number, original)| self.originals[number] = original);
        self.judge(page);
    }

    fn judge(&mut self, page: &Page) {
        let mut shown: HashMap<&str, Vec<&Shown>> = HashMap::new();
        for one in &page.shown {
            shown.entry(&one.claim).or_default().push(one);
        }
        let known: HashSet<Key> = page.evidence.manifests.iter().map(|manifest| manifest.key).collect();
        let judge = |(claim, original): (&Claim, &Original)| {
            judge(claim, original, shown.get(&*claim.id), known.contains(&claim.from.key))
        };
        self.claims = page.evidence.claims.par_iter().zip(&self.originals).map(judge).collect();
    }
}

fn judge(claim: &Claim, original: &Original, shown: Option<&Vec<&Shown>>, is_known: bool) -> Alone {
    let differs = |found: Option<String>, why: String| Alone::Differs { found, why };
    let stated = claim.form.show(claim.value);
    let Some(shown) = shown else { return differs(None, "the page does not show it".to_owned()) };
    if let Some(other) = shown.iter().find(|shown| shown.text != stated) {
        let why = format!("line {}: the page shows another number than the claim says", other.line);
        return differs(Some(super::container::start(&other.text)), why);
    }
    if !is_known {
        return differs(None, "no result stands behind it".to_owned());
    }
    match original {
        Original::Broken(why) => differs(None, why.clone()),
        Original::NotHere => Alone::Unchecked("its result is not in the file".to_owned()),
        Original::Value(value) if value.to_bits() != claim.value.to_bits() => {
            differs(Some(claim.form.show(*value)), format!("its result says {value}, the claim {}", claim.value))
        }
        Original::Value(_) => Alone::Agrees,
    }
}

/// What the claims of these numbers are in an output.
fn values(bytes: &std::result::Result<Vec<u8>, String>, numbers: &[usize], claims: &[Claim]) -> Vec<(usize, Original)> {
    let json = match bytes {
        Ok(bytes) => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
        Err(why) => Err(why.clone()),
    };
    numbers.iter().map(|&number| (number, at(&json, &claims[number]))).collect()
}

fn at(json: &std::result::Result<Value, String>, claim: &Claim) -> Original {
    match json {
        Err(why) => Original::Broken(why.clone()),
        Ok(json) => match json.pointer(&claim.from.pointer).and_then(Value::as_f64) {
            Some(value) => Original::Value(value),
            None => Original::Broken("its result holds no such number".to_owned()),
        },
    }
}
