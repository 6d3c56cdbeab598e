//! What `visavis audit --json` prints, as far as screens show it.

use serde::Deserialize;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Audited {
    pub verdict: String,
    pub identical: usize,
    pub differs: usize,
    pub claims: Vec<ClaimLine>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct ClaimLine {
    pub id: String,
    pub verdict: String,
    pub stage: String,
    pub expected: Option<String>,
    pub found: Option<String>,
    #[serde(default)]
    pub why: String,
}
