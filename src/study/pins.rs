//! Figures that people want in the report of a study, as the store has them.

use super::open_store;
use visavis_core::{
    domain::{Fault, Result, pin::Pin, text::printable},
    store::{Index, Workspace},
};

/// What people pinned, or why nobody knows.
#[derive(Default)]
pub struct Pins {
    pub found: Vec<Pin>,
    /// Why nobody knows what is pinned. It keeps nobody from what results say.
    pub unread: Option<Fault>,
}

impl Pins {
    /// Those of a study; none where there is no store.
    pub fn read(index: Option<&Index>, study: &str) -> Self {
        Self::of(index.map_or(Ok(vec![]), |index| index.pins(study)))
    }

    /// Looks at the store for them, which is brought up to date first: see [`open_store()`].
    pub fn stored(workspace: &Workspace, study: &str) -> Self {
        Self::of(open_store(workspace).and_then(|looked| looked.index.map_or(Ok(vec![]), |index| index.pins(study))))
    }

    fn of(pins: Result<Vec<Pin>>) -> Self {
        match pins {
            // A note may come from a journal of somebody else's, and is shown on screens and in pages.
            Ok(found) => {
                let shown = |pin: Pin| Pin { note: printable(&pin.note), ..pin };
                Pins { found: found.into_iter().map(shown).collect(), unread: None }
            }
            Err(fault) => Pins { found: vec![], unread: Some(fault) },
        }
    }
}
