//! Text that is typed, and cursors and scrolls of overlays.

use crate::tui::command::ScreenCommand;

/// A text with what was typed.
pub(crate) fn typed(mut text: String, command: ScreenCommand) -> String {
    match command {
        ScreenCommand::Type(letter) => text.push(letter),
        ScreenCommand::Erase => _ = text.pop(),
        ScreenCommand::EraseWord => {
            let end = text.trim_end().rfind(' ').map_or(0, |at| at + 1);
            text.truncate(end);
        }
        ScreenCommand::EraseAll => text.clear(),
        _ => {}
    }
    text
}

/// The first line shown of a long text.
pub(crate) fn scrolled(scroll: usize, command: ScreenCommand) -> usize {
    match command {
        ScreenCommand::Down => scroll + 1,
        ScreenCommand::Up => scroll.saturating_sub(1),
        ScreenCommand::PageDown => scroll + 10,
        ScreenCommand::PageUp => scroll.saturating_sub(10),
        _ => scroll,
    }
}

/// A cursor in a list of so many; from the last it goes to the first, and back.
pub(crate) fn moved(cursor: usize, count: usize, command: ScreenCommand) -> usize {
    let last = count.saturating_sub(1);
    match command {
        ScreenCommand::Down | ScreenCommand::Complete if cursor >= last => 0,
        ScreenCommand::Down | ScreenCommand::Complete => cursor + 1,
        ScreenCommand::Up if cursor == 0 => last,
        ScreenCommand::Up => cursor - 1,
        ScreenCommand::PageDown => (cursor + 10).min(last),
        ScreenCommand::PageUp => cursor.saturating_sub(10),
        _ => cursor.min(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ScreenCommand as C;

    #[test]
    fn letters_are_added_and_erased_at_the_end() {
        assert_eq!(typed("ab".to_owned(), C::Type('c')), "abc");
        assert_eq!(typed("ab".to_owned(), C::Erase), "a");
        assert_eq!(typed("loss=arcface auc".to_owned(), C::EraseWord), "loss=arcface ");
        assert_eq!(typed("loss".to_owned(), C::EraseWord), "");
        assert_eq!(typed("loss=arcface auc".to_owned(), C::EraseAll), "");
        assert_eq!(typed("ab".to_owned(), C::Down), "ab");
    }

    #[test]
    fn a_cursor_goes_round() {
        assert_eq!((moved(2, 3, C::Down), moved(0, 3, C::Up), moved(0, 0, C::Up)), (0, 2, 0));
        assert_eq!((moved(0, 3, C::PageDown), moved(9, 3, C::Enter)), (2, 2));
    }

    #[test]
    fn a_text_is_not_scrolled_before_its_beginning() {
        assert_eq!((scrolled(0, C::Up), scrolled(3, C::PageUp), scrolled(0, C::Down)), (0, 0, 1));
    }
}
