//! `features`: given features, brought into the order of the images.

use super::Stage;
use crate::domain::canonical::Value;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// [`FeatureImport::ARRAY`], [`FeatureImport::ROWS`], [`role::IMAGES`](super::role::IMAGES) → [`FeatureImport::FEATURES`], [`FeatureImport::OFFSETS`]. Columns that single precision would spoil
/// are centred.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureImport {
    /// Results of the first release call it `tap`.
    #[serde(alias = "tap")]
    pub layer: String,
    /// Of the file that is read.
    pub format: ArrayFormat,
}

/// Formats that given features can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArrayFormat {
    /// One NumPy array, N × D.
    Npy,
    /// Tensors by name, of which one is N × D.
    Safetensors,
}

impl ArrayFormat {
    /// By the ending of a file's name.
    pub fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|ending| ending == "npy") { ArrayFormat::Npy } else { ArrayFormat::Safetensors }
    }
}

impl FeatureImport {
    /// Input: the file of the array.
    pub const ARRAY: &str = "array";
    /// Input: the file that says which image each row of the array is.
    pub const ROWS: &str = "rows";
    /// Images × columns, float32.
    pub const FEATURES: &str = "features.npy";
    /// What was taken from the columns before they were narrowed, where anything was: `[[column, offset], …]`.
    pub const OFFSETS: &str = "offsets.json";
}

impl Stage for FeatureImport {
    fn version(&self) -> u32 {
        // 2: given columns that single precision would spoil are centred.
        2
    }

    fn canonical(&self) -> Value {
        let FeatureImport { layer, format } = self;
        match format {
            // An .npy file holds one array, whatever the study calls it.
            ArrayFormat::Npy => Value::map().done(),
            // The name of a tensor inside a safetensors file.
            ArrayFormat::Safetensors => Value::map().with("tensor", Value::text(layer)).done(),
        }
    }
}
