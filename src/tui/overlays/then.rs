//! What follows from a command in an overlay.

use crate::tui::{command::ScreenCommand, event::Effect};

#[derive(Debug, PartialEq)]
pub(crate) enum Then {
    Effects(Vec<Effect>),
    /// A command that was chosen in the palette.
    Command(ScreenCommand),
}

impl Then {
    pub(crate) fn nothing() -> Self {
        Then::Effects(vec![])
    }
}
