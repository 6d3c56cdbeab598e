//! What a report carries for its auditors: the study, the manifests behind every number, the claims, and as many of the
//! objects as fit. JSON in the page; manifests, claims and objects are deflated (RFC 1951) and base64, so that any program can read
//! them. A `"#7"` in the lists of manifests and claims is the eighth of `digests` (32 bytes each, base64).

use super::{
    context::PageContext,
    digest_table::DigestTable,
    objects::{self, EmbeddedObject, OpenedObject},
    packing::{UnpackFault, pack, unpack, within_an_element},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};
use visavis_core::domain::{
    Digest, Fault, Key, Result,
    claim::Claim,
    result::Manifest,
    study::Tolerance,
    text::{size, thousands},
};

/// How the evidence's element begins in a page.
pub const MARK: &str = "<script type=\"application/json\" id=\"visavis-evidence\">";

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "PackedEvidence")]
pub struct Evidence {
    pub format: u32,
    pub program: String,
    pub study: String,
    /// Where the study file was, from the workspace's root.
    pub study_file: String,
    pub study_text: String,
    /// What the page was rendered from beside the study and its results.
    pub context: Option<PageContext>,
    pub tolerance_auc: f64,
    pub tolerance_features: f64,
    /// Objects made of the data before any stage: role → digest.
    pub sources: BTreeMap<String, Digest>,
    pub manifests: Vec<Manifest>,
    pub claims: Vec<Claim>,
    pub objects: BTreeMap<Digest, EmbeddedObject>,
}

/// Of the evidence that this program writes and reads. 1: names were not marked up. 2: every digest was written where it is named, and
/// every object was deflated by itself.
pub const FORMAT: u32 = 3;

/// Of evidence that this program cannot read.
#[derive(Deserialize)]
struct EvidenceFormat {
    format: u32,
}

/// Evidence as it stands on a page, its lists and objects still packed.
#[derive(Serialize, Deserialize)]
struct PackedEvidence {
    format: u32,
    program: String,
    study: String,
    study_file: String,
    study_text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<PageContext>,
    tolerance_auc: f64,
    tolerance_features: f64,
    sources: BTreeMap<String, Digest>,
    /// Those that the packed parts name by their places.
    #[serde(default)]
    digests: String,
    manifests: String,
    claims: String,
    /// Large ones, each packed by itself.
    objects: BTreeMap<Digest, String>,
    /// The others, packed together.
    #[serde(default)]
    small_objects: String,
}

/// What a page may come to, inflated: a megabyte deflated can be a gigabyte. An object, unless its result says that it is smaller: the
/// largest of a study of ten thousand numbers has 3 MB, and it grows as they do; the list of claims, and that of results: those of a study
/// of five thousand numbers have 1.3 MB; all objects together: of all of CelebA with its forty attributes they have 115 MB, and inflating as
/// much again as is allowed takes less than a second.
pub(crate) const LARGEST_OBJECT: u64 = 64 << 20;
const LARGEST_LIST: u64 = 64 << 20;
pub(crate) const LARGEST_SUM: u64 = 256 << 20;
/// Texts in a page's evidence, those of the lists apart: a text of one letter takes fifty times as much memory. Reports have some hundreds.
const MOST_TEXTS: usize = 400_000;
/// Numbers among the facts of all results: two bytes on a page become eight, and are written out whenever a result is digested.
const MOST_FACTS: usize = 1_000_000;

/// A list as packed JSON, its digests in a table.
fn pack_list<T: Serialize>(list: &[T], digests: &mut DigestTable) -> Result<String> {
    let json = serde_json::to_string(list).map_err(|error| Fault::unexpected(error.to_string()))?;
    Ok(pack(digests.shorten(&json).as_bytes()))
}

/// A packed list; `what`: what is in it.
///
/// # Errors
/// One of more than is read, or that is damaged.
fn unpack_list<T: DeserializeOwned>(packed: &str, digests: &DigestTable, what: &str) -> Result<Vec<T>> {
    let damaged = |why: String| Fault::differs(format!("the report's evidence was damaged: its {what}: {why}"));
    let text = unpack(packed, LARGEST_LIST, &mut 0)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| UnpackFault::NotDeflated))
        .and_then(|text| digests.expand(&text, LARGEST_LIST));
    let text = text.map_err(|why| match why {
        UnpackFault::TooMuch(most) => {
            Fault::asked(format!("the page is refused: inflated, its {what} have more than the {} that are read", size(most)))
        }
        other => damaged(other.to_string()),
    })?;
    serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))
}

impl TryFrom<PackedEvidence> for Evidence {
    type Error = Fault;

    fn try_from(packed: PackedEvidence) -> Result<Self> {
        let no_table = || Fault::differs("the report's evidence was damaged: its digests are none");
        let digests = DigestTable::of_text(&packed.digests).ok_or_else(no_table)?;
        let manifests: Vec<Manifest> = unpack_list(&packed.manifests, &digests, "results")?;
        let facts = manifests.iter().flat_map(|manifest| manifest.facts.values()).map(Vec::len).sum::<usize>();
        if facts > MOST_FACTS {
            let most = thousands(MOST_FACTS);
            return Err(Fault::asked(format!("the page is refused: its results have more than the {most} facts that are read")));
        }
        Ok(Evidence {
            manifests,
            claims: unpack_list(&packed.claims, &digests, "claims")?,
            objects: objects::unpacked(packed.objects, &packed.small_objects, &digests)?,
            format: packed.format,
            program: packed.program,
            study: packed.study,
            study_file: packed.study_file,
            study_text: packed.study_text,
            context: packed.context,
            tolerance_auc: packed.tolerance_auc,
            tolerance_features: packed.tolerance_features,
            sources: packed.sources,
        })
    }
}

impl Evidence {
    /// The evidence in the text of its element.
    ///
    /// # Errors
    /// Damaged evidence, that of another format, or more than is read.
    pub fn of_text(text: &str, path: &Path) -> Result<Self> {
        if text.bytes().filter(|byte| *byte == b'"').count() > 2 * MOST_TEXTS {
            let most = thousands(MOST_TEXTS);
            return Err(Fault::asked(format!("the page is refused: its evidence has more than the {most} texts that are read"))
                .in_file(path));
        }
        let again = |fault: Fault| fault.in_file(path).next("ask for the report again");
        let other = |format: u32| {
            let age = if format < FORMAT { "an earlier" } else { "a later" };
            Fault::asked(format!("the report was written by {age} visavis")).in_file(path).next("audit it with that visavis")
        };
        let packed: PackedEvidence = serde_json::from_str(text).map_err(|error| match serde_json::from_str(text) {
            Ok(EvidenceFormat { format }) if format != FORMAT => other(format),
            _ => again(Fault::differs(format!("the report's evidence was damaged: {error}"))),
        })?;
        if packed.format != FORMAT {
            return Err(other(packed.format));
        }
        Evidence::try_from(packed).map_err(again)
    }

    /// How far features made again may be off: what the study fixed, and never more than a thousandth, whatever the page says.
    pub fn tolerance(&self) -> Tolerance {
        let most = |own: f64, most: f64| if own.is_finite() { own.clamp(0.0, most) } else { 0.0 };
        Tolerance { auc: most(self.tolerance_auc, 0.02), features: most(self.tolerance_features, 0.001) }
    }

    /// How many bytes each output has, by the results.
    pub fn sizes(&self) -> HashMap<Digest, u64> {
        self.manifests.iter().flat_map(|manifest| &manifest.outputs).map(|output| (output.digest, output.bytes)).collect()
    }

    /// Why not all of its objects are read, if some are larger than those that are.
    pub(crate) fn too_large(&self) -> Option<String> {
        let sizes = self.sizes();
        let large = self.objects.keys().filter_map(|digest| sizes.get(digest)).filter(|bytes| **bytes > LARGEST_OBJECT).max()?;
        Some(format!("of its results one has {}, more than the {} that are read", size(*large), size(LARGEST_OBJECT)))
    }

    /// The bytes of an embedded object, verified; `None` when it is not embedded. `said`: how many there are.
    pub fn object(&self, digest: Digest, said: Option<u64>) -> Option<Result<Vec<u8>>> {
        self.opened(digest, said).map(|opened| opened.bytes)
    }

    /// An embedded object, with what it took to look at it. One that is larger than any that is read ends as *missing*, a broken one as
    /// *differs*.
    pub fn opened(&self, digest: Digest, said: Option<u64>) -> Option<OpenedObject> {
        Some(self.objects.get(&digest)?.open(digest, said))
    }

    /// Is an embedded object what it is named by? It is not held, and of one with more than `room` no more is looked at. And how many
    /// bytes were inflated. `None` when it is not embedded.
    pub(crate) fn verified(&self, digest: Digest, said: Option<u64>, room: u64) -> Option<(Result<()>, u64)> {
        Some(self.objects.get(&digest)?.verify(digest, said, room))
    }

    /// As it stands in a page: no `<` can end the script or begin another.
    pub fn to_page(&self) -> Result<String> {
        let mut digests = DigestTable::default();
        let (manifests, claims) = (pack_list(&self.manifests, &mut digests)?, pack_list(&self.claims, &mut digests)?);
        let (objects, small_objects) = objects::packed(&self.objects, &mut digests);
        let packed = PackedEvidence {
            format: self.format,
            program: self.program.clone(),
            study: self.study.clone(),
            study_file: self.study_file.clone(),
            study_text: self.study_text.clone(),
            context: self.context.clone(),
            tolerance_auc: self.tolerance_auc,
            tolerance_features: self.tolerance_features,
            sources: self.sources.clone(),
            digests: digests.to_text(),
            manifests,
            claims,
            objects,
            small_objects,
        };
        let text = serde_json::to_string(&packed).map_err(|error| Fault::unexpected(error.to_string()))?;
        Ok(within_an_element(&text))
    }

    /// The first result of each key, by its place.
    pub fn places(&self) -> HashMap<Key, usize> {
        self.manifests.iter().enumerate().rev().map(|(place, manifest)| (manifest.key, place)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::Ending;

    fn evidence() -> Evidence {
        Evidence {
            format: FORMAT,
            program: String::new(),
            study: String::new(),
            study_file: String::new(),
            study_text: String::new(),
            context: None,
            tolerance_auc: 0.0,
            tolerance_features: 0.0,
            sources: BTreeMap::new(),
            manifests: vec![],
            claims: vec![],
            objects: BTreeMap::new(),
        }
    }

    #[test]
    fn of_an_object_no_more_is_inflated_than_there_is_room_for() {
        let (bytes, random) =
            (vec![7; 100_000], (0..40_000u32).map(|at| (at.wrapping_mul(2_654_435_769) >> 13) as u8).collect::<Vec<_>>());
        let mut carried = evidence();
        carried.objects.extend([&bytes, &random].map(|bytes| (Digest::of(bytes), EmbeddedObject::Packed(pack(bytes)))));
        let of = |bytes: &[u8], said, room| {
            carried.verified(Digest::of(bytes), said, room).map(|(found, inflated)| (found.is_ok(), inflated))
        };
        assert_eq!(of(&bytes, None, 1 << 20), Some((true, 100_000)));
        assert_eq!(of(&bytes, None, 500), Some((false, 501)));
        assert_eq!(of(&bytes, Some(10), 1 << 20), Some((false, 11)), "its result says that it is smaller");
        assert_eq!(of(&random, None, 500), Some((false, 501)), "what is packed larger counts, too");
        assert_eq!(of(b"", None, 500), None);
    }

    #[test]
    fn an_object_that_is_larger_than_any_that_is_read_is_no_broken_one() {
        let large = vec![b' '; LARGEST_OBJECT as usize + 1];
        let digest = Digest::of(&large);
        let evidence = Evidence { objects: [(digest, EmbeddedObject::of(&large))].into(), ..evidence() };
        let endings = |said| {
            let ending = |bytes: Result<()>| bytes.unwrap_err().ending;
            let (verified, _) = evidence.verified(digest, said, u64::MAX).unwrap();
            [ending(evidence.object(digest, said).unwrap().map(|_| ())), ending(verified)]
        };
        assert_eq!(endings(Some(large.len() as u64)), [Ending::Missing; 2]);
        assert_eq!(endings(None), [Ending::Missing; 2]);
        assert_eq!(endings(Some(1000)), [Ending::Differs; 2], "larger than its result says");
    }

    #[test]
    fn evidence_is_read_as_it_was_written_and_within_its_bounds() {
        let text = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut json = serde_json::from_str(&evidence().to_page().unwrap()).unwrap();
            change(&mut json);
            json.to_string()
        };
        let read = |change: &dyn Fn(&mut serde_json::Value)| Evidence::of_text(&text(change), Path::new("x.html"));
        assert_eq!(read(&|_| ()).unwrap(), evidence());
        let refusal = |change: &dyn Fn(&mut serde_json::Value)| {
            let fault = read(change).unwrap_err();
            (fault.ending, fault.what)
        };
        let (ending, what) = refusal(&|json| json["claims"] = pack(&vec![b' '; (LARGEST_LIST + 1) as usize]).into());
        assert!(ending == Ending::Asked && what.contains("its claims have more than the 67.1 MB"), "{what}");
        let (ending, what) = refusal(&|json| json["manifests"] = pack(b"[1]").into());
        assert!(ending == Ending::Differs && what.contains("damaged: its results"), "{what}");
        for (format, age) in [(FORMAT + 1, "a later"), (1, "an earlier")] {
            let (ending, what) = refusal(&|json| {
                json["format"] = format.into();
                json.as_object_mut().unwrap().remove("study");
            });
            assert!(ending == Ending::Asked && what.contains(age), "{what}");
        }
        let (ending, what) = refusal(&|json| json["more"] = vec![""; MOST_TEXTS].into());
        assert!(ending == Ending::Asked && what.contains("400,000 texts"), "{what}");
    }
}
