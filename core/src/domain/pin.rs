//! Pins: figures that a person wants in the report, beside those the rule picks.

use super::{Digest, ledger::CellId};

/// A figure by what people call it (`model · layer · umap map · comparison`) and by what it is, so that it is found again when the
/// study's order or its names change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// What people called it when they pinned it.
    pub figure: String,
    /// Why, in the person's words; may be empty.
    pub note: String,
    /// Milliseconds since 1970 at which it was pinned.
    pub at: u64,
    /// The digest of what it is: model, layer, projection, view and question, without their names. Pins of earlier releases have none.
    pub definition: Option<Digest>,
}

/// A pin, and the figure of the study that it means now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// As it was recorded.
    pub pin: Pin,
    /// `None`: it is lost, for the study has no such figure any more.
    pub cell: Option<CellId>,
    /// What the figure is called now; of a lost one, what it was called.
    pub name: String,
}

/// What is said of a pin that is lost.
pub const LOST: &str = "lost: names no figure of this study";

/// A figure that the study has: its place, its name, and the digest of what it is.
pub struct KnownFigure {
    /// Its place in the study.
    pub cell: CellId,
    /// What people call it now.
    pub name: String,
    /// The digest of model, layer, projection, view and question, without their names.
    pub definition: Digest,
}

/// Finds what is pinned among the figures there are: by what it is, of several such by its name; else by its name alone.
pub fn find(pins: Vec<Pin>, figures: &[KnownFigure]) -> Vec<Pinned> {
    let found = |pin: Pin| {
        let named = |of: &&KnownFigure| of.name == pin.figure;
        let is = |of: &&KnownFigure| pin.definition == Some(of.definition);
        let same = figures.iter().filter(is).find(named).or_else(|| figures.iter().find(is));
        match same.or_else(|| figures.iter().find(named)) {
            Some(of) => Pinned { cell: Some(of.cell), name: of.name.clone(), pin },
            None => Pinned { cell: None, name: pin.figure.clone(), pin },
        }
    };
    pins.into_iter().map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::index::{ComparisonIx, LayerIx, ProjectionIx};
    use crate::domain::projection::View;

    fn known(model: usize, name: &str, definition: &str) -> KnownFigure {
        let cell = CellId {
            model: model.into(),
            layer: LayerIx(0),
            projection: ProjectionIx(0),
            view: View::Map,
            comparison: ComparisonIx(0),
        };
        KnownFigure { cell, name: name.into(), definition: Digest::of(definition.as_bytes()) }
    }

    fn pin(figure: &str, definition: Option<&str>) -> Pin {
        Pin { figure: figure.into(), note: String::new(), at: 0, definition: definition.map(|of| Digest::of(of.as_bytes())) }
    }

    #[test]
    fn a_pin_follows_what_it_was_set_on() {
        let figures = [known(0, "new name", "a"), known(1, "b", "b"), known(2, "twin", "b"), known(3, "old name", "c")];
        let pins = vec![
            pin("old name", Some("a")),
            pin("twin", Some("b")),
            pin("gone", Some("b")),
            pin("b", None),
            pin("b", Some("made otherwise since")),
            pin("gone", Some("gone")),
            pin("gone", None),
        ];
        let found: Vec<Option<usize>> = find(pins, &figures).into_iter().map(|of| Some(of.cell?.model.into())).collect();
        // Renamed, though another has its name now; one of twins, by name; the first of them; by name alone, twice; lost, twice.
        assert_eq!(found, [Some(0), Some(2), Some(1), Some(1), Some(1), None, None]);
    }
}
