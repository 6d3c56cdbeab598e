//! What is remembered from one session to the next.

use serde::{Deserialize, Serialize};

/// Each screen reads and writes its own fields (`Screen::restore`, `Screen::remember`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenLayout {
    pub screen: String,
    /// The axes of the matrix's rows and columns.
    pub rows: String,
    pub columns: String,
    /// The level of each other axis of the matrix, by name.
    pub fixed: Vec<Option<String>>,
    pub marked: Vec<String>,
    /// `None`: what the terminal's environment says.
    pub theme: Option<String>,
    /// Of curves.
    pub logarithmic: bool,
    pub smoothing: usize,
}
