//! What a report carries for its auditors: the study, the manifests behind every number, the claims, and as many of the
//! objects as fit. Format 1: JSON in the page; manifests, claims and objects are deflated (RFC 1951) and base64, so that
//! any program can read them.

use super::context::PageContext;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    path::Path,
};
use visavis_core::domain::{Digest, Fault, Key, Result, claim::Claim, result::Manifest, study::Tolerance, text::size};

/// How the evidence's element begins in a page.
pub const MARK: &str = "<script type=\"application/json\" id=\"visavis-evidence\">";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub format: u32,
    pub program: String,
    pub study: String,
    /// Where the study file was, from the workspace's root.
    pub study_file: String,
    pub study_text: String,
    /// What the page was rendered from beside the study and its results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<PageContext>,
    pub tolerance_auc: f64,
    pub tolerance_features: f64,
    /// Objects made of the data before any stage: role → digest.
    pub sources: BTreeMap<String, Digest>,
    #[serde(with = "packed")]
    pub manifests: Vec<Manifest>,
    #[serde(with = "packed")]
    pub claims: Vec<Claim>,
    /// Digest → deflated bytes, base64.
    pub objects: BTreeMap<Digest, String>,
}

/// What a page may come to, inflated: a megabyte deflated can be a gigabyte. An object, unless its result says that it is smaller: the
/// largest of a study of ten thousand numbers has 3 MB, and it grows as they do; the list of claims or of results; all objects together: of
/// all of CelebA with its forty attributes they have 115 MB, and inflating as much again as is allowed takes a second or two.
const LARGEST_OBJECT: u64 = 64 << 20;
const LARGEST_LIST: u64 = 384 << 20;
pub(crate) const LARGEST_SUM: u64 = 256 << 20;

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

/// What [`pack`] was given, if that was at most `most` bytes; `inflated`: how many there were, whatever is wrong with them.
fn unpack(packed: &str, most: u64, inflated: &mut u64) -> std::result::Result<Vec<u8>, String> {
    let packed = STANDARD.decode(packed).map_err(|_| "not base64".to_owned())?;
    let mut bytes = Vec::new();
    let read = flate2::read::DeflateDecoder::new(packed.as_slice()).take(most + 1).read_to_end(&mut bytes);
    *inflated = bytes.len() as u64;
    read.map_err(|_| "not deflated".to_owned())?;
    if bytes.len() as u64 > most {
        return Err(format!("inflated, it has more than the {} that are read", size(most)));
    }
    Ok(bytes)
}

/// A value as packed JSON.
mod packed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::pack(&serde_json::to_vec(value).map_err(S::Error::custom)?))
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let bytes = super::unpack(&String::deserialize(deserializer)?, super::LARGEST_LIST, &mut 0).map_err(D::Error::custom)?;
        serde_json::from_slice(&bytes).map_err(D::Error::custom)
    }
}

impl Evidence {
    /// The evidence in the text of its element.
    ///
    /// # Errors
    /// Damaged evidence, or that of a later format.
    pub fn of_text(text: &str, path: &Path) -> Result<Self> {
        let evidence: Evidence = serde_json::from_str(text).map_err(|error| {
            Fault::differs(format!("the report's evidence was damaged: {error}")).in_file(path).next("ask for the report again")
        })?;
        if evidence.format != 1 {
            return Err(Fault::asked("the report was written by a later visavis")
                .in_file(path)
                .next("audit it with that visavis"));
        }
        Ok(evidence)
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

    /// The bytes of an embedded object, verified; `None` when it is not embedded. `said`: how many there are.
    pub fn object(&self, digest: Digest, said: Option<u64>) -> Option<Result<Vec<u8>>> {
        self.opened(digest, said).map(|opened| opened.bytes)
    }

    /// An embedded object, with what it took to look at it.
    pub fn opened(&self, digest: Digest, said: Option<u64>) -> Option<OpenedObject> {
        let packed = self.objects.get(&digest)?;
        let most = said.unwrap_or(LARGEST_OBJECT).min(LARGEST_OBJECT);
        let other = || "its bytes are not those it is named by".to_owned();
        let mut inflated = 0;
        let genuine = unpack(packed, most, &mut inflated)
            .and_then(|bytes| if Digest::of(&bytes) == digest { Ok(bytes) } else { Err(other()) });
        let bytes = genuine
            .map_err(|why| Fault::differs(format!("the embedded object {} is not what it is named by: {why}", digest.short())));
        Some(OpenedObject { bytes, inflated })
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

    #[test]
    fn what_inflates_to_too_much_is_refused() {
        let zeros = pack(&vec![0; 1 << 20]);
        assert!(zeros.len() < 3000, "a bomb is small");
        let mut inflated = 0;
        assert_eq!(unpack(&zeros, 1 << 20, &mut inflated).unwrap().len(), 1 << 20);
        assert!(unpack(&zeros, (1 << 20) - 1, &mut inflated).unwrap_err().contains("more than"));
        assert_eq!(inflated, 1 << 20, "what is refused was inflated all the same");
        assert_eq!(unpack("?", 10, &mut inflated).unwrap_err(), "not base64");
        assert_eq!(unpack("////", 10, &mut inflated).unwrap_err(), "not deflated");
    }
}
