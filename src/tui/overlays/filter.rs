//! The filter of a screen's rows, applied while it is typed.

use super::{editing::typed, state::Overlay};
use crate::tui::{command::ScreenCommand, filter::Filter, screen::Screen, shared::Shared};

pub(crate) fn update(shared: &mut Shared, screen: &mut dyn Screen, text: String, command: ScreenCommand) {
    if command == ScreenCommand::Enter {
        // One that is wrong is not kept: the fault is shown next to it.
        if fault(screen, &text).is_some() {
            shared.overlay = Some(Overlay::Filter(text));
        }
        return;
    }
    let text = typed(text, command);
    screen.set_filter(shared, text.clone());
    shared.overlay = Some(Overlay::Filter(text));
}

/// What is wrong with a filter of this screen, if anything.
pub(crate) fn fault(screen: &dyn Screen, text: &str) -> Option<String> {
    let (_, fields) = screen.filter()?;
    Filter::parse(text, fields).err()
}
