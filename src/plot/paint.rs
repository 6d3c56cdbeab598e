//! What all figures share: the SVG sheet, text, and rasters.

use super::{Drawn, palette::FOREGROUND};
use base64::Engine;
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

pub type Sheet<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Draws on a new sheet and returns its SVG, sized by its view box, without XML preamble.
pub fn sheet(width: u32, height: u32, draw: impl FnOnce(&Sheet) -> Result<String, String>) -> Drawn {
    let mut svg = String::new();
    let raster = {
        let root = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        let raster = draw(&root)?;
        root.present().map_err(told)?;
        raster
    };
    let body = svg.find("xmlns").ok_or("the drawing has no root")?;
    let start = svg[body..].find('>').ok_or("the drawing has no root")? + body + 1;
    let end = svg.rfind("</svg>").ok_or("the drawing has no end")?;
    let foreground = format!("#{:02X}{:02X}{:02X}", FOREGROUND.0, FOREGROUND.1, FOREGROUND.2);
    let vector = svg[start..end].replace(&foreground, "currentColor");
    Ok(format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, sans-serif\">{raster}{}</svg>\n", vector.trim()))
}

pub fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A text style in the page's colour.
pub fn ink(size: u32, opacity: f64) -> TextStyle<'static> {
    ("system-ui, sans-serif", size).into_font().color(&FOREGROUND.mix(opacity))
}

pub fn anchored(style: TextStyle<'static>, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    style.pos(Pos::new(horizontal, vertical))
}

/// Twice the sheet's resolution, for sharp points on dense screens.
pub const SCALE: f64 = 2.0;

/// A transparent raster of `width` × `height` sheet units, painted and placed at (x, y) as an SVG image.
pub fn raster((x, y): (i32, i32), (width, height): (u32, u32), paint: impl FnOnce(&mut tiny_skia::Pixmap)) -> Drawn {
    let scaled = |length: u32| (f64::from(length) * SCALE) as u32;
    let mut pixels = tiny_skia::Pixmap::new(scaled(width), scaled(height)).ok_or("the figure has no area")?;
    paint(&mut pixels);
    let png = pixels.encode_png().map_err(told)?;
    let data = base64::engine::general_purpose::STANDARD.encode(png);
    Ok(format!("<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" href=\"data:image/png;base64,{data}\"/>"))
}

/// Fills a polygon given in sheet units.
pub fn fill(pixels: &mut tiny_skia::Pixmap, outline: &[(f64, f64)], colour: RGBColor, alpha: f64) {
    let mut path = tiny_skia::PathBuilder::new();
    for (i, (x, y)) in outline.iter().enumerate() {
        let (x, y) = ((x * SCALE) as f32, (y * SCALE) as f32);
        if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path.close();
    let Some(path) = path.finish() else { return };
    let mut paint = tiny_skia::Paint { anti_alias: true, ..tiny_skia::Paint::default() };
    paint.set_color_rgba8(colour.0, colour.1, colour.2, (alpha * 255.0) as u8);
    pixels.fill_path(&path, &paint, tiny_skia::FillRule::Winding, tiny_skia::Transform::identity(), None);
}
