//! What a report carries for its auditors: the study, the manifests behind every number, the claims, and as many of the
//! objects as fit. Format 1: JSON in the page; manifests, claims and objects are deflated (RFC 1951) and base64, so that
//! any program can read them.

use crate::domain::{Digest, Fault, Result, claim::Claim, result::Manifest, study::Tolerance};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
};

/// How the evidence's element begins in a page.
pub const MARK: &str = "<script type=\"application/json\" id=\"visavis-evidence\">";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub format: u32,
    pub program: String,
    pub study: String,
    /// Where the study file was, from the folder the report was made in.
    pub study_file: String,
    pub study_text: String,
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

/// An object larger than this, inflated, is no evidence but a trap.
const LARGEST: u64 = 1 << 30;

/// Bytes, deflated and base64.
pub fn pack(bytes: &[u8]) -> String {
    let mut packed = Vec::new();
    flate2::read::DeflateEncoder::new(bytes, flate2::Compression::best())
        .read_to_end(&mut packed)
        .expect("reading from memory does not fail");
    STANDARD.encode(packed)
}

/// `None` when the text is not what [`pack`] writes.
fn unpack(packed: &str) -> Option<Vec<u8>> {
    let (packed, mut bytes) = (STANDARD.decode(packed).ok()?, Vec::new());
    flate2::read::DeflateDecoder::new(packed.as_slice()).take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A value as packed JSON.
mod packed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};

    pub fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::pack(&serde_json::to_vec(value).map_err(S::Error::custom)?))
    }

    pub fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let bytes = super::unpack(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not deflated base64"))?;
        serde_json::from_slice(&bytes).map_err(D::Error::custom)
    }
}

impl Evidence {
    /// The evidence that a page carries.
    ///
    /// # Errors
    /// A page that carries none, a damaged one, or one of a later format.
    pub fn of_page(page: &str, path: &Path) -> Result<Self> {
        let not_one = || {
            Fault::asked("this is no report of Visavis: it carries no evidence")
                .in_file(path)
                .next("give a report that `visavis report` wrote, or a study file")
        };
        let (_, rest) = page.split_once(MARK).ok_or_else(not_one)?;
        let (text, _) = rest.split_once("</script>").ok_or_else(not_one)?;
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

    pub fn tolerance(&self) -> Tolerance {
        Tolerance { auc: self.tolerance_auc, features: self.tolerance_features }
    }

    /// The bytes of an embedded object, verified; `None` when it is not embedded.
    pub fn object(&self, digest: Digest) -> Option<Result<Vec<u8>>> {
        let packed = self.objects.get(&digest)?;
        let genuine = unpack(packed).filter(|bytes| Digest::of(bytes) == digest);
        Some(genuine.ok_or_else(|| Fault::differs(format!("the embedded object {} is not what it is named by", digest.short()))))
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

    /// The study's text and the values of its labels: numbers in them are names.
    pub fn own_words(&self) -> String {
        let labels = self
            .sources
            .iter()
            .filter(|(role, _)| role.starts_with("labels/"))
            .filter_map(|(_, digest)| self.object(*digest)?.ok());
        let values: BTreeSet<String> = labels
            .flat_map(|bytes| {
                String::from_utf8_lossy(&bytes)
                    .lines()
                    .filter_map(|line| Some(line.split_once('\t')?.1.to_owned()))
                    .collect::<Vec<_>>()
            })
            .collect();
        values.into_iter().fold(self.study_text.clone(), |text, value| text + "\n" + &value)
    }

    pub fn manifest(&self, key: crate::domain::Key) -> Option<&Manifest> {
        self.manifests.iter().find(|manifest| manifest.key == key)
    }
}
