//! Figures in pixels, where a terminal shows pictures: kitty's protocol, sixel, iTerm2's.

use super::{drawing::DrawingMode, theme::Theme};
use crate::study::picture::FigurePoints;
use image::{DynamicImage, RgbImage, Rgba, RgbaImage};
use ratatui::{Frame, layout::Rect};
use ratatui_image::{
    Image, Resize,
    picker::{Picker, ProtocolType},
    protocol::Protocol,
};
use std::{collections::HashMap, sync::Arc};

/// Pictures that were encoded, by their points' address, their place and how they were drawn.
#[derive(Default)]
pub(crate) struct Pixels {
    /// Columns and rows of pixels in a character.
    font: Option<(u16, u16)>,
    encoded: HashMap<(usize, Rect, usize), (Protocol, Arc<FigurePoints>)>,
    /// The photograph that was encoded last.
    photograph: Option<(Rect, DrawingMode, Arc<RgbImage>, Protocol)>,
}

impl Pixels {
    /// `font`: how many pixels a character has; `None` where the terminal does not say: ten by twenty, then.
    pub(crate) fn new(font: Option<(u16, u16)>) -> Self {
        Pixels { font, ..Pixels::default() }
    }

    /// Draws a figure; false where it cannot be encoded.
    pub(crate) fn draw(
        &mut self,
        frame: &mut Frame,
        area: Rect,
        picture: &Arc<FigurePoints>,
        drawing: DrawingMode,
        theme: Theme,
    ) -> bool {
        let key = (Arc::as_ptr(picture) as usize, area, drawing as usize * 8 + theme as usize);
        if self.encoded.len() > 32 {
            self.encoded.clear();
        }
        if !self.encoded.contains_key(&key) {
            let Some(made) = self.encode(area, picture, drawing, theme) else { return false };
            // The points are kept too: the key holds their address, which must not be used again.
            self.encoded.insert(key, (made, Arc::clone(picture)));
        }
        if let Some((protocol, _)) = self.encoded.get(&key) {
            frame.render_widget(Image::new(protocol), area);
        }
        true
    }

    /// Draws a photograph as large as fits, its proportions kept; false where it cannot be encoded.
    pub(crate) fn photograph(&mut self, frame: &mut Frame, area: Rect, picture: &Arc<RgbImage>, drawing: DrawingMode) -> bool {
        let is_same = |(place, mode, own, _): &(Rect, DrawingMode, Arc<RgbImage>, Protocol)| {
            *place == area && *mode == drawing && Arc::ptr_eq(own, picture)
        };
        if !self.photograph.as_ref().is_some_and(is_same) {
            let image = DynamicImage::ImageRgb8(picture.as_ref().clone());
            let made = self.picker(drawing).new_protocol(image, area.into(), Resize::Scale(None)).ok();
            self.photograph = made.map(|protocol| (area, drawing, Arc::clone(picture), protocol));
        }
        let Some((.., protocol)) = &self.photograph else { return false };
        frame.render_widget(Image::new(protocol), area);
        true
    }

    fn encode(&self, area: Rect, picture: &FigurePoints, drawing: DrawingMode, theme: Theme) -> Option<Protocol> {
        let (across, down) = self.font.unwrap_or(FONT);
        let size = (u32::from(area.width) * u32::from(across), u32::from(area.height) * u32::from(down));
        let image = painted(picture, size, theme);
        self.picker(drawing).new_protocol(DynamicImage::ImageRgba8(image), area.into(), Resize::Fit(None)).ok()
    }

    fn picker(&self, drawing: DrawingMode) -> Picker {
        let (across, down) = self.font.unwrap_or(FONT);
        #[allow(deprecated, reason = "asking the terminal for its size of letters would read keys that people typed")]
        let mut picker = Picker::from_fontsize((across, down).into());
        picker.set_protocol_type(match drawing {
            DrawingMode::Kitty => ProtocolType::Kitty,
            DrawingMode::Sixel => ProtocolType::Sixel,
            _ => ProtocolType::Iterm2,
        });
        picker
    }
}

/// Pixels of a character where the terminal does not say.
const FONT: (u16, u16) = (10, 20);

/// Discs of a class's colour; the ground is left to the terminal.
fn painted(picture: &FigurePoints, (wide, high): (u32, u32), theme: Theme) -> RgbaImage {
    let mut image = RgbaImage::from_pixel(wide.max(1), high.max(1), Rgba([0, 0, 0, 0]));
    let along = |axis: usize| super::canvas::bounds(picture.points.iter().map(|(point, _)| f64::from(point[axis])));
    let (Some(x), y) = (along(0), along(1)) else { return image };
    let place = |value: f32, (low, top): (f64, f64), pixels: u32| {
        ((f64::from(value) - low) / (top - low) * f64::from(pixels.saturating_sub(1))) as i64
    };
    // Fewer points are drawn larger.
    let radius = if picture.points.len() > 2000 { 2_i64 } else { 3 };
    for (number, (point, class)) in picture.points.iter().enumerate() {
        let (r, g, b) = theme.pixel(usize::from(*class));
        let across = place(point[0], x, wide);
        let down = match y.filter(|_| !picture.one_axis) {
            Some(y) => i64::from(high) - 1 - place(point[1], y, high),
            // Along one axis: a strip a class, spread by a sequence that fills it evenly (Weyl 1916).
            None => {
                let strip = i64::from(high) / picture.classes.len().max(1) as i64;
                let spread = (number as f64 * 0.618_033_988_75).fract();
                i64::from(*class) * strip + (spread * (strip - 4).max(1) as f64) as i64 + 2
            }
        };
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                let (px, py) = (across + dx, down + dy);
                if dx * dx + dy * dy <= radius * radius && px >= 0 && py >= 0 && px < i64::from(wide) && py < i64::from(high) {
                    image.put_pixel(px as u32, py as u32, Rgba([r, g, b, 230]));
                }
            }
        }
    }
    image
}
