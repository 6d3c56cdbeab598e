//! A photograph in characters: half blocks in colour, braille dots, or letters.

use crate::tui::{
    drawing::DrawingMode,
    pixels::Pixels,
    theme::{Theme, rgb},
};
use image::{
    RgbImage,
    imageops::{self, FilterType},
};
use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style},
    text::{Line, Span},
    widgets::Paragraph,
};
use std::sync::Arc;

/// Draws a photograph in the middle of an area, as large as fits: in pixels where the terminal shows them, else in characters.
pub(in crate::tui) fn photograph(
    frame: &mut Frame,
    area: Rect,
    picture: &Arc<RgbImage>,
    drawing: DrawingMode,
    theme: Theme,
    pixels: &mut Pixels,
) {
    if drawing.is_pixels() && pixels.photograph(frame, area, picture, drawing) {
        return;
    }
    let drawing = if drawing.is_pixels() { DrawingMode::Blocks } else { in_text(drawing, theme) };
    let lines = lines(picture, area.width, area.height, drawing, theme);
    let (rows, columns) = (lines.len() as u16, lines.first().map_or(0, |line| line.spans.len() as u16));
    let centred = Rect {
        x: area.x + area.width.saturating_sub(columns) / 2,
        y: area.y + area.height.saturating_sub(rows) / 2,
        width: columns.min(area.width),
        height: rows.min(area.height),
    };
    frame.render_widget(Paragraph::new(lines), centred);
}

/// From dark to light.
const LETTERS: &[u8] = b" .:-=+*#%@";
/// Thresholds of ordered dithering (Bayer 1973), four by four.
const BAYER: [[u8; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

/// What a mode draws photographs in: pixels are drawn elsewhere, and without colours only letters tell dark from light.
pub(super) fn in_text(drawing: DrawingMode, theme: Theme) -> DrawingMode {
    match (drawing, theme) {
        (_, Theme::Plain) => DrawingMode::Ascii,
        (DrawingMode::Braille | DrawingMode::Ascii, _) => drawing,
        _ => DrawingMode::Blocks,
    }
}

/// The picture in at most so many columns and rows, as large as fits, its proportions kept (a character is twice as high as wide).
pub(super) fn lines(picture: &RgbImage, columns: u16, rows: u16, drawing: DrawingMode, theme: Theme) -> Vec<Line<'static>> {
    let drawing = in_text(drawing, theme);
    let (across, down) = match drawing {
        DrawingMode::Braille => (2, 4),
        _ => (1, 2),
    };
    let room = (u32::from(columns) * across, u32::from(rows) * down);
    if room.0 == 0 || room.1 == 0 || picture.width() == 0 || picture.height() == 0 {
        return vec![];
    }
    let scale = (f64::from(room.0) / f64::from(picture.width())).min(f64::from(room.1) / f64::from(picture.height()));
    let part = |length: u32, most: u32| ((f64::from(length) * scale).round() as u32).clamp(1, most);
    let (wide, high) = (part(picture.width(), room.0), part(picture.height(), room.1));
    let small = imageops::resize(picture, wide, high, if scale < 1.0 { FilterType::Triangle } else { FilterType::Nearest });
    let pixel = |x: u32, y: u32| (x < wide && y < high).then(|| small.get_pixel(x, y).0);
    let rows = (0..high.div_ceil(down)).map(|row| {
        let cells = (0..wide.div_ceil(across)).map(|column| {
            let (x, y) = (column * across, row * down);
            match drawing {
                DrawingMode::Braille => braille(&pixel, x, y, theme),
                DrawingMode::Ascii => letter(&pixel, x, y),
                _ => half_block(&pixel, x, y, theme),
            }
        });
        Line::from(cells.collect::<Vec<Span>>())
    });
    rows.collect()
}

type Pixel<'a> = &'a dyn Fn(u32, u32) -> Option<[u8; 3]>;

/// Two pixels, one above the other.
fn half_block(pixel: Pixel, x: u32, y: u32, theme: Theme) -> Span<'static> {
    let colour = |y: u32| {
        pixel(x, y).map(|[r, g, b]| match theme {
            Theme::Sixteen => grey(luminance([r, g, b]), x, y),
            _ => rgb((r, g, b)),
        })
    };
    let style = colour(y).map_or(Style::new(), |colour| Style::new().fg(colour));
    Span::styled("▀", colour(y + 1).map_or(style, |colour| style.bg(colour)))
}

/// One of the four greys that a terminal of sixteen colours has, dithered.
fn grey(light: u8, x: u32, y: u32) -> Color {
    const GREYS: [Color; 4] = [Color::Black, Color::DarkGray, Color::Gray, Color::White];
    let shifted = u32::from(light) * 3 * 16 / 255 + u32::from(BAYER[(y % 4) as usize][(x % 4) as usize]);
    GREYS[(shifted / 16).min(3) as usize]
}

/// Eight dots; on a light ground the dark ones are dots.
fn braille(pixel: Pixel, x: u32, y: u32, theme: Theme) -> Span<'static> {
    const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let mut sign = 0x2800;
    for (dx, column) in DOTS.iter().enumerate() {
        for (dy, dot) in column.iter().enumerate() {
            let (x, y) = (x + dx as u32, y + dy as u32);
            let Some(colour) = pixel(x, y) else { continue };
            let is_light = u32::from(luminance(colour)) > 8 + 16 * u32::from(BAYER[(y % 4) as usize][(x % 4) as usize]);
            if is_light != (theme == Theme::Light) {
                sign |= dot;
            }
        }
    }
    Span::raw(char::from_u32(sign).unwrap_or(' ').to_string())
}

fn letter(pixel: Pixel, x: u32, y: u32) -> Span<'static> {
    let both: Vec<u32> = [y, y + 1].into_iter().filter_map(|y| pixel(x, y)).map(|colour| u32::from(luminance(colour))).collect();
    let light = both.iter().sum::<u32>() / both.len().max(1) as u32;
    Span::raw(char::from(LETTERS[light as usize * (LETTERS.len() - 1) / 255]).to_string())
}

/// As bright as it looks (Rec. 709), 0 to 255.
fn luminance([r, g, b]: [u8; 3]) -> u8 {
    ((2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b)) / 10_000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn text(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| line.spans.iter().map(|span| span.content.as_ref()).collect()).collect()
    }

    /// Black on the left, white on the right.
    fn halves(wide: u32, high: u32) -> RgbImage {
        RgbImage::from_fn(wide, high, |x, _| Rgb(if x < wide / 2 { [0; 3] } else { [255; 3] }))
    }

    #[test]
    fn letters_show_what_is_dark_and_what_is_light() {
        assert_eq!(text(&lines(&halves(8, 8), 8, 4, DrawingMode::Ascii, Theme::Dark)), ["    @@@@"; 4]);
    }

    #[test]
    fn half_blocks_keep_the_colours_and_the_proportions() {
        let drawn = lines(&halves(178, 218), 80, 20, DrawingMode::Blocks, Theme::Dark);
        assert_eq!((drawn.len(), drawn[0].spans.len()), (20, 33));
        let [first, .., last] = &drawn[3].spans[..] else { panic!() };
        assert_eq!((first.style.fg, last.style.bg), (Some(Color::Rgb(0, 0, 0)), Some(Color::Rgb(255, 255, 255))));
    }

    #[test]
    fn dots_are_light_on_a_dark_ground_and_dark_on_a_light_one() {
        let of = |theme| text(&lines(&halves(4, 4), 2, 1, DrawingMode::Braille, theme));
        assert_eq!((of(Theme::Dark), of(Theme::Light)), (vec!["⠀⣿".to_owned()], vec!["⣿⠀".to_owned()]));
    }

    #[test]
    fn sixteen_colours_show_greys_and_no_colours_show_letters() {
        let drawn = lines(&halves(8, 8), 8, 4, DrawingMode::Kitty, Theme::Sixteen);
        assert_eq!((drawn[0].spans[0].style.fg, drawn[0].spans[7].style.fg), (Some(Color::Black), Some(Color::White)));
        assert_eq!(in_text(DrawingMode::Kitty, Theme::Plain), DrawingMode::Ascii);
    }

    #[test]
    fn a_picture_without_room_or_without_pixels_is_no_line() {
        assert!(lines(&halves(8, 8), 0, 9, DrawingMode::Blocks, Theme::Dark).is_empty());
        assert!(lines(&RgbImage::new(0, 5), 9, 9, DrawingMode::Blocks, Theme::Dark).is_empty());
        assert_eq!(lines(&halves(1, 5000), 9, 9, DrawingMode::Blocks, Theme::Dark).len(), 9);
    }
}
