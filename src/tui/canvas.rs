//! Dots in a terminal: two by four to a character (braille), one by two (half blocks), or one sign a character.

use super::{
    drawing::DrawingMode,
    theme::{Theme, sign},
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// At most so many classes, each with its colour, in one picture.
const KINDS: usize = 8;

/// A picture in dots. In each character the class with the most points gives its colour.
pub(crate) struct TextCanvas {
    area: Rect,
    across: usize,
    down: usize,
    drawing: DrawingMode,
    dots: Vec<u8>,
    votes: Vec<[u16; KINDS]>,
}

impl TextCanvas {
    pub(crate) fn new(area: Rect, drawing: DrawingMode, theme: Theme) -> Self {
        // Without colours, signs tell classes apart.
        let drawing = match (drawing, theme) {
            (_, Theme::Plain) => DrawingMode::Ascii,
            (DrawingMode::Kitty | DrawingMode::Sixel | DrawingMode::Iterm, _) => DrawingMode::Braille,
            (own, _) => own,
        };
        let (across, down) = match drawing {
            DrawingMode::Blocks => (1, 2),
            DrawingMode::Ascii => (1, 1),
            _ => (2, 4),
        };
        let cells = usize::from(area.width) * usize::from(area.height);
        TextCanvas {
            area,
            across,
            down,
            drawing,
            dots: vec![0; cells],
            votes: vec![[0; KINDS]; if drawing == DrawingMode::Blocks { 2 * cells } else { cells }],
        }
    }

    /// For curves: braille whatever figures are drawn in, or letters.
    pub(crate) fn of_lines(area: Rect, drawing: DrawingMode) -> Self {
        let drawing = if drawing == DrawingMode::Ascii { DrawingMode::Ascii } else { DrawingMode::Braille };
        TextCanvas::new(area, drawing, Theme::Dark)
    }

    /// Dots across and down.
    pub(crate) fn size(&self) -> (usize, usize) {
        (usize::from(self.area.width) * self.across, usize::from(self.area.height) * self.down)
    }

    pub(crate) fn dot(&mut self, x: usize, y: usize, kind: usize) {
        let (wide, high) = self.size();
        if x >= wide || y >= high {
            return;
        }
        let cell = y / self.down * usize::from(self.area.width) + x / self.across;
        /// Unicode's order of braille dots: two columns of three, and the fourth row last.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        self.dots[cell] |= match self.drawing {
            DrawingMode::Blocks => 1 << (y % 2),
            DrawingMode::Ascii => 1,
            _ => BITS[y % 4][x % 2],
        };
        let vote = if self.drawing == DrawingMode::Blocks { 2 * cell + y % 2 } else { cell };
        let votes = &mut self.votes[vote][kind % KINDS];
        *votes = votes.saturating_add(1);
    }

    /// A straight line (Bresenham 1965).
    pub(crate) fn line(&mut self, from: (i64, i64), to: (i64, i64), kind: usize) {
        let (dx, dy) = ((to.0 - from.0).abs(), -(to.1 - from.1).abs());
        let (sx, sy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let (mut x, mut y) = from;
        let mut error = dx + dy;
        loop {
            if x >= 0 && y >= 0 {
                self.dot(x as usize, y as usize, kind);
            }
            if (x, y) == to {
                return;
            }
            let doubled = 2 * error;
            if doubled >= dy {
                error += dy;
                x += sx;
            }
            if doubled <= dx {
                error += dx;
                y += sy;
            }
        }
    }

    pub(crate) fn draw(&self, buffer: &mut Buffer, style: &dyn Fn(usize) -> Style) {
        let most = |votes: &[u16; KINDS]| (0..KINDS).max_by_key(|&kind| (votes[kind], KINDS - kind)).unwrap_or(0);
        for (cell, &dots) in self.dots.iter().enumerate().filter(|(_, dots)| **dots > 0) {
            let (x, y) = (cell % usize::from(self.area.width), cell / usize::from(self.area.width));
            let place = (self.area.x + x as u16, self.area.y + y as u16);
            let Some(square) = buffer.cell_mut(place) else { continue };
            match self.drawing {
                DrawingMode::Blocks => {
                    let (upper, lower) = (style(most(&self.votes[2 * cell])), style(most(&self.votes[2 * cell + 1])));
                    match dots {
                        1 => square.set_char('▀').set_style(upper),
                        2 => square.set_char('▄').set_style(lower),
                        _ => {
                            let under = lower.fg.map_or(upper, |ground| upper.bg(ground));
                            square.set_char('▀').set_style(under)
                        }
                    };
                }
                DrawingMode::Ascii => {
                    let kind = most(&self.votes[cell]);
                    square.set_char(sign(kind)).set_style(style(kind));
                }
                _ => {
                    let letter = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
                    square.set_char(letter).set_style(style(most(&self.votes[cell])));
                }
            }
        }
    }
}

/// The ends of an axis that holds all of these values with a margin; `None`: no value is finite.
pub(crate) fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let room = if high > low { (high - low) * 0.02 } else { low.abs().max(1.0) * 0.1 };
    Some((low - room, high + room))
}

/// A number on an axis, in few characters.
pub(crate) fn tick(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        v if v >= 1e6 => format!("{:.1}M", value / 1e6),
        v if v >= 1e4 => format!("{:.0}k", value / 1e3),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.2}"),
        v if v >= 0.001 => format!("{value:.3}"),
        _ => format!("{value:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_dots_are_one_letter() {
        let area = Rect::new(0, 0, 2, 1);
        let mut canvas = TextCanvas::new(area, DrawingMode::Braille, Theme::Dark);
        (0..4).for_each(|y| (0..2).for_each(|x| canvas.dot(x, y, 0)));
        canvas.dot(2, 3, 1);
        canvas.dot(99, 99, 1);
        let mut buffer = Buffer::empty(area);
        canvas.draw(&mut buffer, &|_| Style::new());
        assert_eq!((buffer[(0, 0)].symbol(), buffer[(1, 0)].symbol()), ("⣿", "⡀"));
    }

    #[test]
    fn a_line_reaches_both_ends() {
        let area = Rect::new(0, 0, 10, 5);
        let mut canvas = TextCanvas::new(area, DrawingMode::Braille, Theme::Dark);
        canvas.line((0, 0), (19, 19), 0);
        let mut buffer = Buffer::empty(area);
        canvas.draw(&mut buffer, &|_| Style::new());
        assert_eq!((buffer[(0, 0)].symbol(), buffer[(9, 4)].symbol()), ("⠑", "⢄"));
    }

    #[test]
    fn an_axis_of_one_value_has_room() {
        assert!(bounds([2.0, 2.0].into_iter()).is_some_and(|(low, high)| low < 2.0 && high > 2.0));
        assert_eq!(bounds([f64::NAN].into_iter()), None);
    }
}
