//! Pins: figures that a person wants in the report, beside those the rule picks.

/// A figure by what people call it (`model · tap · umap map · comparison`), which stays when the study's order changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    pub figure: String,
    /// Why, in the person's words; may be empty.
    pub note: String,
    /// Milliseconds since 1970 at which it was pinned.
    pub at: u64,
}
