//! Faces side by side, for a command that shows some and ends: where the terminal stands, without taking the screen.

use super::{
    drawing::DrawingMode,
    labelling::{Loaded, picture::photograph},
    pixels::Pixels,
    terminal::font,
    text::fit,
    theme::Theme,
};
use image::{
    RgbImage,
    codecs::jpeg::JpegEncoder,
    imageops::{self, FilterType},
};
use ratatui::{
    Frame, Terminal, TerminalOptions, Viewport,
    backend::CrosstermBackend,
    layout::Rect,
    style::{Modifier, Style},
    text::Line,
};
use std::io;

/// A face to be shown, or why it cannot be.
pub struct ShownFace {
    pub picture: Loaded,
    /// Below it.
    pub caption: String,
    /// Told apart from the others: by bold type.
    pub is_marked: bool,
}

/// Columns of a face, and one that is left free.
const WIDE: u16 = 12;
const PITCH: u16 = WIDE + 1;
/// Rows of a picture; the caption is below.
const HIGH: u16 = 7;

/// Prints faces below what the terminal shows, as many beside each other as there is room for.
///
/// # Errors
/// A terminal that cannot be written.
pub fn show_faces(faces: &[ShownFace], drawing: DrawingMode, theme: Theme) -> io::Result<()> {
    let (width, height) = ratatui::crossterm::terminal::size()?;
    if width < PITCH || height < 3 {
        return Ok(());
    }
    let mut pixels = Pixels::new(font());
    for row in faces.chunks(beside(width)) {
        let viewport = Viewport::Inline((HIGH + 1).min(height.saturating_sub(1)));
        let mut terminal = Terminal::with_options(CrosstermBackend::new(io::stdout()), TerminalOptions { viewport })?;
        terminal.draw(|frame| draw(frame, row, drawing, theme, &mut pixels))?;
        // Below the strip, in the first column.
        println!();
    }
    Ok(())
}

/// A JPEG of a picture, at most 256 pixels on the longer side.
pub fn small_jpeg(picture: &RgbImage) -> Option<Vec<u8>> {
    const SIDE: u32 = 256;
    let side = picture.width().max(picture.height());
    let part = |length: u32| (u64::from(length) * u64::from(SIDE) / u64::from(side)).max(1) as u32;
    let (wide, high) = if side > SIDE { (part(picture.width()), part(picture.height())) } else { picture.dimensions() };
    let small = if side > SIDE { imageops::resize(picture, wide, high, FilterType::Triangle) } else { picture.clone() };
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&small).ok()?;
    Some(bytes)
}

/// How many faces stand beside each other in so many columns.
fn beside(width: u16) -> usize {
    usize::from(((width + 1) / PITCH).max(1))
}

fn draw(frame: &mut Frame, faces: &[ShownFace], drawing: DrawingMode, theme: Theme, pixels: &mut Pixels) {
    let all = frame.area();
    for (place, face) in (0u16..).zip(faces) {
        let left = all.x + place * PITCH;
        if left + WIDE > all.right() || all.height < 2 {
            return;
        }
        let area = Rect { x: left, y: all.y, width: WIDE, height: all.height - 1 };
        match &face.picture {
            Ok(picture) => photograph(frame, area, picture, drawing, theme, pixels),
            Err(_) => frame.render_widget(Line::styled("no picture", Style::new().add_modifier(Modifier::DIM)), area),
        }
        let style = if face.is_marked { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        let below = Rect { y: all.bottom() - 1, height: 1, ..area };
        frame.render_widget(Line::styled(fit(&face.caption, usize::from(WIDE)), style), below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use ratatui::backend::TestBackend;
    use std::sync::Arc;

    fn drawn(width: u16, faces: usize, drawing: DrawingMode, theme: Theme) -> Vec<String> {
        let picture = Arc::new(RgbImage::from_fn(40, 40, |x, _| Rgb(if x < 20 { [0; 3] } else { [255; 3] })));
        let face = |number: usize| ShownFace {
            picture: if number == 2 { Err("it is broken".to_owned()) } else { Ok(Arc::clone(&picture)) },
            caption: format!("{number} a very long name"),
            is_marked: number == 1,
        };
        let faces: Vec<ShownFace> = (1..=faces).map(face).collect();
        let mut terminal = Terminal::new(TestBackend::new(width, HIGH + 1)).unwrap();
        let row = &faces[..beside(width).min(faces.len())];
        terminal.draw(|frame| draw(frame, row, drawing, theme, &mut Pixels::new(None))).unwrap();
        let buffer = terminal.backend().buffer();
        let line = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
        (0..HIGH + 1).map(line).collect()
    }

    #[test]
    fn as_many_faces_stand_beside_each_other_as_there_is_room_for() {
        assert_eq!([12, 25, 80, 120].map(beside), [1, 2, 6, 9]);
        for (width, faces) in [(80, 6), (120, 9)] {
            let lines = drawn(width, 20, DrawingMode::Blocks, Theme::Dark);
            assert_eq!(lines.last().unwrap().matches("a very").count(), faces, "{lines:?}");
            assert!(lines[3].contains('▀') && lines.concat().contains("no picture"));
        }
    }

    #[test]
    fn without_colours_faces_are_letters() {
        let lines = drawn(80, 1, DrawingMode::Blocks, Theme::Plain);
        assert!(lines.concat().contains('@') && !lines.concat().contains('▀'), "{lines:?}");
    }
}
