//! What is drawn on: smooth shapes and strokes in a frame of their own.

use super::colour::Colour;
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

/// A place in the current frame.
pub(super) type CanvasPoint = (f32, f32);

pub(super) struct Canvas {
    pub pixels: Pixmap,
    /// From the frame that is drawn in to pixels.
    pub frame: Transform,
    /// Width of the line around filled shapes.
    pub outline: f32,
    /// What stroke widths are multiplied with.
    pub stroke: f32,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let pixels = Pixmap::new(width, height).expect("pictures have an area");
        Canvas { pixels, frame: Transform::identity(), outline: 0.0, stroke: 1.0 }
    }

    /// Draws with another frame.
    pub(super) fn within(&mut self, frame: Transform, draw: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.frame, frame);
        draw(self);
        self.frame = before;
    }

    pub(super) fn fill(&mut self, points: &[CanvasPoint], colour: Colour, opacity: f32) {
        self.fill_path(smooth(points, true), colour, opacity);
    }

    pub(super) fn polygon(&mut self, points: &[CanvasPoint], colour: Colour, opacity: f32) {
        let mut path = PathBuilder::new();
        for (place, &(x, y)) in points.iter().enumerate() {
            if place == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path.close();
        self.fill_path(path.finish(), colour, opacity);
    }

    pub(super) fn ellipse(&mut self, (x, y): CanvasPoint, (rx, ry): CanvasPoint, colour: Colour, opacity: f32) {
        let bounds = tiny_skia::Rect::from_xywh(x - rx, y - ry, 2.0 * rx.max(0.1), 2.0 * ry.max(0.1));
        self.fill_path(bounds.and_then(PathBuilder::from_oval), colour, opacity);
    }

    /// An ellipse that fades towards its edge.
    pub(super) fn glow(&mut self, at: CanvasPoint, (rx, ry): CanvasPoint, colour: Colour, opacity: f32) {
        const RINGS: usize = 6;
        let outline = std::mem::replace(&mut self.outline, 0.0);
        for ring in 0..RINGS {
            let size = 1.0 - ring as f32 / RINGS as f32;
            self.ellipse(at, (rx * size, ry * size), colour, opacity / RINGS as f32 * 1.4);
        }
        self.outline = outline;
    }

    pub(super) fn line(&mut self, points: &[CanvasPoint], width: f32, colour: Colour, opacity: f32) {
        let Some(path) = smooth(points, false) else { return };
        let stroke =
            Stroke { width: width * self.stroke, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(colour, opacity), &stroke, self.frame, None);
    }

    fn fill_path(&mut self, path: Option<Path>, colour: Colour, opacity: f32) {
        let Some(path) = path else { return };
        self.pixels.fill_path(&path, &paint(colour, opacity), FillRule::Winding, self.frame, None);
        if self.outline > 0.0 && opacity > 0.9 {
            let stroke = Stroke { width: self.outline, ..Stroke::default() };
            self.pixels.stroke_path(&path, &paint(colour.darker(0.45), 0.8), &stroke, self.frame, None);
        }
    }
}

fn paint(Colour([red, green, blue]): Colour, opacity: f32) -> Paint<'static> {
    let colour =
        tiny_skia::Color::from_rgba(red.clamp(0.0, 1.0), green.clamp(0.0, 1.0), blue.clamp(0.0, 1.0), opacity.clamp(0.0, 1.0));
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(colour.expect("channels are within 0 … 1"));
    paint
}

/// A curve through all points: Catmull and Rom's spline (1974) as Bézier curves.
fn smooth(points: &[CanvasPoint], closed: bool) -> Option<Path> {
    let n = points.len() as isize;
    let at = |i: isize| points[if closed { i.rem_euclid(n) } else { i.clamp(0, n - 1) } as usize];
    let mut path = PathBuilder::new();
    path.move_to(points.first()?.0, points[0].1);
    for i in 0..if closed { n } else { n - 1 } {
        let (before, from, to, after) = (at(i - 1), at(i), at(i + 1), at(i + 2));
        path.cubic_to(
            from.0 + (to.0 - before.0) / 6.0,
            from.1 + (to.1 - before.1) / 6.0,
            to.0 - (after.0 - from.0) / 6.0,
            to.1 - (after.1 - from.1) / 6.0,
            to.0,
            to.1,
        );
    }
    if closed {
        path.close();
    }
    path.finish()
}
