//! What a report carries for its auditors: the study, the manifests behind every number, the claims, and as many of the
//! objects as fit. Format 1: JSON in the page; manifests, claims and objects are deflated (RFC 1951) and base64, so that
//! any program can read them.

use super::context::PageContext;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser::Error as _};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    io::Read,
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PackedEvidence")]
pub struct Evidence {
    pub format: u32,
    pub program: String,
    pub study: String,
    /// Where the study file was, from the workspace's root.
    pub study_file: String,
    pub study_text: String,
    /// What the page was rendered from beside the study and its results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<PageContext>,
    pub tolerance_auc: f64,
    pub tolerance_features: f64,
    /// Objects made of the data before any stage: role → digest.
    pub sources: BTreeMap<String, Digest>,
    #[serde(serialize_with = "pack_list")]
    pub manifests: Vec<Manifest>,
    #[serde(serialize_with = "pack_list")]
    pub claims: Vec<Claim>,
    /// Digest → deflated bytes, base64.
    pub objects: BTreeMap<Digest, String>,
}

/// Of the evidence that this program writes and reads. 1: names were not marked up.
pub const FORMAT: u32 = 2;

/// Of evidence that this program cannot read.
#[derive(Deserialize)]
struct EvidenceFormat {
    format: u32,
}

/// Evidence as it stands on a page, its lists still packed.
#[derive(Deserialize)]
struct PackedEvidence {
    format: u32,
    program: String,
    study: String,
    study_file: String,
    study_text: String,
    #[serde(default)]
    context: Option<PageContext>,
    tolerance_auc: f64,
    tolerance_features: f64,
    sources: BTreeMap<String, Digest>,
    manifests: String,
    claims: String,
    objects: BTreeMap<Digest, String>,
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

/// An embedded object as it was found.
pub struct OpenedObject {
    pub bytes: Result<Vec<u8>>,
    /// How many bytes were inflated, also of one that is broken.
    pub inflated: u64,
}

/// Bytes, deflated and base64.
pub fn pack(bytes: &[u8]) -> String {
    let mut packed = Vec::new();
    flate2::read::DeflateEncoder::new(bytes, flate2::Compression::best())
        .read_to_end(&mut packed)
        .expect("reading from memory does not fail");
    STANDARD.encode(packed)
}

/// Why something packed is not taken out.
#[derive(Debug, PartialEq, Eq)]
enum UnpackFault {
    NotBase64,
    NotDeflated,
    /// More than so many bytes.
    TooMuch(u64),
}

impl fmt::Display for UnpackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnpackFault::NotBase64 => f.write_str("not base64"),
            UnpackFault::NotDeflated => f.write_str("not deflated"),
            UnpackFault::TooMuch(most) => write!(f, "inflated, it has more than the {} that are read", size(*most)),
        }
    }
}

/// The bytes that were deflated, if they may become `most` bytes.
fn deflated(packed: &str, most: u64) -> std::result::Result<Vec<u8>, UnpackFault> {
    // What does not become smaller by deflating grows by some bytes for every 16 kB.
    if packed.len() as u64 / 4 * 3 > most + most / 64 + 1024 {
        return Err(UnpackFault::TooMuch(most));
    }
    STANDARD.decode(packed).map_err(|_| UnpackFault::NotBase64)
}

/// What [`pack`] was given, if that was at most `most` bytes; `inflated`: how many there were, whatever is wrong with them.
fn unpack(packed: &str, most: u64, inflated: &mut u64) -> std::result::Result<Vec<u8>, UnpackFault> {
    let (deflated, mut bytes) = (deflated(packed, most)?, Vec::new());
    let read = flate2::read::DeflateDecoder::new(deflated.as_slice()).take(most + 1).read_to_end(&mut bytes);
    *inflated = bytes.len() as u64;
    read.map_err(|_| UnpackFault::NotDeflated)?;
    if bytes.len() as u64 > most {
        return Err(UnpackFault::TooMuch(most));
    }
    Ok(bytes)
}

/// The digest of the same, without holding it.
fn unpacked_digest(packed: &str, most: u64, inflated: &mut u64) -> std::result::Result<Digest, UnpackFault> {
    let deflated = deflated(packed, most)?;
    let (digest, bytes) = Digest::of_reader(flate2::read::DeflateDecoder::new(deflated.as_slice()).take(most + 1));
    *inflated = bytes;
    let digest = digest.map_err(|_| UnpackFault::NotDeflated)?;
    if bytes > most { Err(UnpackFault::TooMuch(most)) } else { Ok(digest) }
}

/// A list as packed JSON.
fn pack_list<T: Serialize, S: Serializer>(list: &[T], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&pack(&serde_json::to_vec(list).map_err(S::Error::custom)?))
}

/// A packed list; `what`: what is in it.
///
/// # Errors
/// One of more than is read, or that is damaged.
fn unpack_list<T: DeserializeOwned>(packed: &str, what: &str) -> Result<Vec<T>> {
    let damaged = |why: String| Fault::differs(format!("the report's evidence was damaged: its {what}: {why}"));
    let bytes = unpack(packed, LARGEST_LIST, &mut 0).map_err(|why| match why {
        UnpackFault::TooMuch(most) => {
            Fault::asked(format!("the page is refused: inflated, its {what} have more than the {} that are read", size(most)))
        }
        other => damaged(other.to_string()),
    })?;
    serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))
}

fn other() -> String {
    "its bytes are not those it is named by".to_owned()
}

fn broken(digest: Digest, why: &str) -> Fault {
    Fault::differs(format!("the embedded object {} is not what it is named by: {why}", digest.short()))
}

/// What is wrong with an object of which no more than `most` bytes are read. One that is larger than any that is read is not called broken:
/// a study may be so large. One that is larger than its result says is.
fn unopened(digest: Digest, most: u64, why: &UnpackFault) -> Fault {
    if most == LARGEST_OBJECT && matches!(why, UnpackFault::TooMuch(_)) {
        return Fault::missing(format!("the embedded object {} is not read: {why}", digest.short()));
    }
    broken(digest, &why.to_string())
}

impl TryFrom<PackedEvidence> for Evidence {
    type Error = Fault;

    fn try_from(packed: PackedEvidence) -> Result<Self> {
        let manifests: Vec<Manifest> = unpack_list(&packed.manifests, "results")?;
        let facts = manifests.iter().flat_map(|manifest| manifest.facts.values()).map(Vec::len).sum::<usize>();
        if facts > MOST_FACTS {
            let most = thousands(MOST_FACTS);
            return Err(Fault::asked(format!("the page is refused: its results have more than the {most} facts that are read")));
        }
        Ok(Evidence {
            manifests,
            claims: unpack_list(&packed.claims, "claims")?,
            format: packed.format,
            program: packed.program,
            study: packed.study,
            study_file: packed.study_file,
            study_text: packed.study_text,
            context: packed.context,
            tolerance_auc: packed.tolerance_auc,
            tolerance_features: packed.tolerance_features,
            sources: packed.sources,
            objects: packed.objects,
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
        let packed = self.objects.get(&digest)?;
        let most = said.unwrap_or(LARGEST_OBJECT).min(LARGEST_OBJECT);
        let mut inflated = 0;
        let bytes = unpack(packed, most, &mut inflated);
        let is_genuine = |bytes: &Vec<u8>| Digest::of(bytes) == digest;
        let bytes = bytes
            .map_err(|why| unopened(digest, most, &why))
            .and_then(|bytes| if is_genuine(&bytes) { Ok(bytes) } else { Err(broken(digest, &other())) });
        Some(OpenedObject { bytes, inflated })
    }

    /// Is an embedded object what it is named by? It is not held, and of one with more than `room` no more is looked at. And how many
    /// bytes were inflated. `None` when it is not embedded.
    pub(crate) fn verified(&self, digest: Digest, said: Option<u64>, room: u64) -> Option<(Result<()>, u64)> {
        let packed = self.objects.get(&digest)?;
        let most = said.unwrap_or(LARGEST_OBJECT).min(LARGEST_OBJECT);
        let mut inflated = 0;
        let found = unpacked_digest(packed, most.min(room), &mut inflated);
        if room < most && matches!(found, Err(UnpackFault::TooMuch(_))) {
            // Also where that shows before anything is inflated.
            inflated = room + 1;
        }
        let found = found
            .map_err(|why| unopened(digest, most, &why))
            .and_then(|found| if found == digest { Ok(()) } else { Err(broken(digest, &other())) });
        Some((found, inflated))
    }

    /// As it stands in a page: no `<` can end the script or begin another.
    pub fn to_page(&self) -> Result<String> {
        let text = serde_json::to_string(self).map_err(|error| Fault::unexpected(error.to_string()))?;
        Ok(text
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029"))
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
    fn what_inflates_to_too_much_is_refused() {
        let zeros = pack(&vec![0; 1 << 20]);
        assert!(zeros.len() < 3000, "a bomb is small");
        let mut inflated = 0;
        assert_eq!(unpack(&zeros, 1 << 20, &mut inflated).unwrap().len(), 1 << 20);
        assert_eq!(unpack(&zeros, (1 << 20) - 1, &mut inflated).unwrap_err(), UnpackFault::TooMuch((1 << 20) - 1));
        assert_eq!(inflated, 1 << 20, "what is refused was inflated all the same");
        assert_eq!(unpack("?", 10, &mut inflated).unwrap_err(), UnpackFault::NotBase64);
        assert_eq!(unpack("////", 10, &mut inflated).unwrap_err(), UnpackFault::NotDeflated);
        inflated = 0;
        assert_eq!(unpack(&"A".repeat(4000), 100, &mut inflated).unwrap_err(), UnpackFault::TooMuch(100));
        assert_eq!(inflated, 0, "what is packed larger than it may be inflated is not looked at");
        assert_eq!(unpacked_digest(&zeros, 1 << 20, &mut inflated).unwrap(), Digest::of(&vec![0; 1 << 20]));
        assert_eq!(unpacked_digest(&zeros, 1000, &mut inflated).unwrap_err(), UnpackFault::TooMuch(1000));
        assert_eq!(inflated, 1001, "no more is inflated than tells that it is too much");
        let random: Vec<u8> = (0..100_000u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8).collect();
        assert_eq!(
            unpack(&pack(&random), random.len() as u64, &mut inflated).unwrap(),
            random,
            "what does not become smaller is read"
        );
    }

    #[test]
    fn of_an_object_no_more_is_inflated_than_there_is_room_for() {
        let (bytes, random) =
            (vec![7; 100_000], (0..40_000u32).map(|at| (at.wrapping_mul(2_654_435_769) >> 13) as u8).collect::<Vec<_>>());
        let mut carried = evidence();
        carried.objects.extend([&bytes, &random].map(|bytes| (Digest::of(bytes), pack(bytes))));
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
        let evidence = Evidence { objects: [(digest, pack(&large))].into(), ..evidence() };
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
