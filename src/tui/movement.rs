//! How commands move a cursor along a list.

use super::command::ScreenCommand;

/// How many rows a command goes down (up: negative); `None`: it does not move. `page`: rows that fit on the screen.
pub(crate) fn rows(command: ScreenCommand, page: usize) -> Option<isize> {
    let half = (page as isize / 2).max(1);
    Some(match command {
        ScreenCommand::Up | ScreenCommand::Previous => -1,
        ScreenCommand::Down | ScreenCommand::Next => 1,
        ScreenCommand::PageUp => -half,
        ScreenCommand::PageDown => half,
        ScreenCommand::First => isize::MIN / 2,
        ScreenCommand::Last => isize::MAX / 2,
        _ => return None,
    })
}

/// How many columns a command goes to the right (left: negative); `None`: it does not move sideways.
pub(crate) fn columns(command: ScreenCommand) -> Option<isize> {
    match command {
        ScreenCommand::Left => Some(-1),
        ScreenCommand::Right => Some(1),
        _ => None,
    }
}

/// A place so many further, within a list of `count`.
pub(crate) fn moved(place: usize, by: isize, count: usize) -> usize {
    place.saturating_add_signed(by).min(count.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stays_in_its_list() {
        assert_eq!((moved(0, -1, 3), moved(2, 1, 3), moved(1, 1, 3), moved(5, 1, 0)), (0, 2, 2, 0));
        let last = rows(ScreenCommand::Last, 10).unwrap();
        let first = rows(ScreenCommand::First, 10).unwrap();
        assert_eq!((moved(1, last, 9), moved(8, first, 9)), (8, 0));
    }

    #[test]
    fn a_page_is_half_of_what_fits() {
        assert_eq!(rows(ScreenCommand::PageDown, 10), Some(5));
        assert_eq!(rows(ScreenCommand::PageUp, 1), Some(-1));
        assert_eq!(rows(ScreenCommand::Enter, 10), None);
    }
}
