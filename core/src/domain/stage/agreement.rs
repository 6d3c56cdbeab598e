//! `agreement`: how far annotators agree.

use super::{Stage, role};
use crate::domain::canonical::Value;
use serde::{Deserialize, Serialize};

/// `images`, one [`MeasureAgreement::ANNOTATORS`] an attribute → [`MeasureAgreement::AGREEMENT`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureAgreement {
    /// The attributes that annotators labelled by name.
    pub attributes: Vec<String>,
}

impl MeasureAgreement {
    /// Inputs: what each annotator labelled, as [`annotators_to_text`](crate::domain::annotation::annotators_to_text) has it: what begins
    /// so, by the attribute.
    pub const ANNOTATORS: &str = role::ANNOTATORS;
    /// An [`Agreements`](crate::domain::agreement::Agreements).
    pub const AGREEMENT: &str = "agreement.json";
}

impl Stage for MeasureAgreement {
    fn version(&self) -> u32 {
        1
    }

    fn canonical(&self) -> Value {
        let MeasureAgreement { attributes } = self;
        Value::map().with("attributes", Value::list(attributes, Value::text)).done()
    }
}
