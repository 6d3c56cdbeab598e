//! What all figures share: the SVG sheet, text, and rasters.

use super::{DrawingResult, palette::FOREGROUND};
use base64::Engine;
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::collections::BTreeMap;

pub(super) type Sheet<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Draws on a new sheet, titled for those who cannot see it, and returns its SVG, sized by its view box, without XML preamble.
pub(super) fn sheet(title: &str, width: u32, height: u32, draw: impl FnOnce(&Sheet) -> Result<String, String>) -> DrawingResult {
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
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"system-ui, sans-serif\"><title>{}</title>{raster}{}</svg>\n",
        escaped(title),
        vector.trim()
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

pub(super) fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A text style in the page's colour.
pub(super) fn ink(size: u32, opacity: f64) -> TextStyle<'static> {
    ("system-ui, sans-serif", size).into_font().color(&FOREGROUND.mix(opacity))
}

pub(super) fn anchored(style: &TextStyle<'static>, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    style.pos(Pos::new(horizontal, vertical))
}

/// Twice the sheet's resolution, for sharp points on dense screens.
pub(super) const SCALE: f64 = 2.0;

/// A transparent raster of `width` × `height` sheet units, painted and placed at (x, y) as an SVG image.
pub(super) fn raster(
    (x, y): (i32, i32),
    (width, height): (u32, u32),
    paint: impl FnOnce(&mut tiny_skia::Pixmap),
) -> DrawingResult {
    let scaled = |length: u32| (f64::from(length) * SCALE) as u32;
    let mut pixels = tiny_skia::Pixmap::new(scaled(width), scaled(height)).ok_or("the figure has no area")?;
    paint(&mut pixels);
    let png = png(&pixels)?;
    let data = base64::engine::general_purpose::STANDARD.encode(png);
    Ok(format!("<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" href=\"data:image/png;base64,{data}\"/>"))
}

/// A palette PNG: the 255 most frequent colours after rounding to sixteen levels, the others by their nearest. A quarter
/// of the bytes of a full one, and nobody sees the difference in a cloud of points.
fn png(pixels: &tiny_skia::Pixmap) -> Result<Vec<u8>, String> {
    let rounded: Vec<[u8; 4]> = pixels
        .pixels()
        .iter()
        .map(|pixel| {
            let colour = pixel.demultiply();
            let level = |channel: u8| (channel & 0xf0) | (channel >> 4);
            if level(colour.alpha()) == 0 {
                [0; 4]
            } else {
                [colour.red(), colour.green(), colour.blue(), colour.alpha()].map(level)
            }
        })
        .collect();
    let mut counts: BTreeMap<[u8; 4], usize> = BTreeMap::new();
    rounded.iter().for_each(|colour| *counts.entry(*colour).or_default() += 1);
    let mut frequent: Vec<([u8; 4], usize)> =
        counts.iter().map(|(colour, count)| (*colour, *count)).filter(|(colour, _)| colour[3] > 0).collect();
    frequent.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let palette: Vec<[u8; 4]> = [[0; 4]].into_iter().chain(frequent.into_iter().map(|(colour, _)| colour).take(255)).collect();
    let far = |a: &[u8; 4], b: &[u8; 4]| a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(*b)).pow(2)).sum::<i32>();
    let place = |colour: &[u8; 4]| (0..palette.len()).min_by_key(|&i| (far(&palette[i], colour), i)).unwrap_or(0) as u8;
    let places: BTreeMap<[u8; 4], u8> = counts.keys().map(|colour| (*colour, place(colour))).collect();

    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect::<Vec<u8>>());
    encoder.set_trns(palette.iter().map(|colour| colour[3]).collect::<Vec<u8>>());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().map_err(told)?;
    writer.write_image_data(&rounded.iter().map(|colour| places[colour]).collect::<Vec<u8>>()).map_err(told)?;
    writer.finish().map_err(told)?;
    Ok(bytes)
}

/// Fills a polygon given in sheet units.
pub(super) fn fill(pixels: &mut tiny_skia::Pixmap, outline: &[(f64, f64)], colour: RGBColor, alpha: f64) {
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
