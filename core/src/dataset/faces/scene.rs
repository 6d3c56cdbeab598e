//! Around and upon what is drawn: background, light, blur, grain.

use super::{
    canvas::Canvas,
    colour::{Colour, Style},
    rng::FaceRng,
    sitting::Sitting,
};
use crate::numeric::{PhiloxStream, Purpose};
use tiny_skia::Pixmap;

/// One colour running into another, and out-of-focus things.
pub(crate) fn background(canvas: &mut Canvas, [from, to, thing]: &[Colour; 3], rng: &mut FaceRng) {
    let (width, height) = (canvas.pixels.width() as f32, canvas.pixels.height() as f32);
    const BANDS: usize = 36;
    for band in 0..BANDS {
        let (top, share) = (height * band as f32 / BANDS as f32, band as f32 / (BANDS - 1) as f32);
        let below = height * (band + 1) as f32 / BANDS as f32 + 1.0;
        canvas.polygon(&[(0.0, top), (width, top), (width, below), (0.0, below)], from.mix(*to, share), 1.0);
    }
    if from == to {
        return;
    }
    for _ in 0..5 {
        let (at, size) = ((rng.between(0.0, width), rng.between(0.0, height)), rng.between(12.0, 46.0));
        let colour = thing.mix(*to, rng.between(0.0, 0.7));
        if rng.chance(0.5) {
            canvas.glow(at, (size, size * rng.between(0.6, 1.3)), colour, 0.8);
        } else {
            let (x, tall) = (at.0, rng.between(40.0, height));
            canvas.polygon(
                &[
                    (x, at.1 - tall / 2.0),
                    (x + size * 0.7, at.1 - tall / 2.0),
                    (x + size * 0.7, at.1 + tall / 2.0),
                    (x, at.1 + tall / 2.0),
                ],
                colour,
                0.45,
            );
        }
    }
}

/// The picture as a camera has it: lit from a side, a little warm or cold, with grain; blurred where it is out of focus.
pub(super) fn light(pixels: &Pixmap, sitting: &Sitting, style: &Style) -> Vec<u8> {
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let mut rgb: Vec<f32> =
        pixels.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).map(f32::from).collect();
    if sitting.blurry {
        // Three boxes come near a Gaussian of σ ≈ 3 pixels.
        for _ in 0..3 {
            rgb = boxed(&rgb, width, height, 2);
        }
    }
    let light = &sitting.light;
    // What is out of focus is hazy too.
    let haze = light.veil + if sitting.blurry { 0.16 } else { 0.0 };
    let curve: [f32; 256] = std::array::from_fn(|value| 255.0 * libm::powf(value as f32 / 255.0, light.gamma));
    let curved = |value: f32| curve[value.clamp(0.0, 255.0) as usize];
    let turn = light.from * std::f32::consts::TAU;
    let (dx, dy) = (libm::cosf(turn), libm::sinf(turn) * 0.6);
    let tint = [1.0 + light.warmth, 1.0 + light.green, 1.0 - light.warmth];
    let mut noise = PhiloxStream::new(sitting.things.seed, Purpose::DrawnGrain, 0);
    let mut bytes = Vec::with_capacity(rgb.len());
    for (place, pixel) in rgb.chunks_exact(3).enumerate() {
        let (x, y) = ((place % width) as f32 / width as f32 - 0.5, (place / width) as f32 / height as f32 - 0.5);
        let gain = light.gain * (1.0 + light.fall * (x * dx + y * dy));
        // Four uniform numbers of 16 bits come near a normal one.
        let bits = noise.bits();
        let sum: f32 = (0..4).map(|part| (bits >> (16 * part) & 0xffff) as f32 / 65535.0).sum();
        let grain = (sum - 2.0) * 1.732 * style.grain * 255.0;
        let gray = 0.2126 * pixel[0] + 0.7152 * pixel[1] + 0.0722 * pixel[2];
        let seen = |(value, tint): (&f32, f32)| {
            (curved(gray + (value - gray) * light.saturation) * (1.0 - haze) + 150.0 * haze) * gain * tint + grain
        };
        bytes.extend(pixel.iter().zip(tint).map(|channel| seen(channel).clamp(0.0, 255.0) as u8));
    }
    bytes
}

/// The mean over a square of 2·`reach` + 1 pixels, rows then columns.
fn boxed(rgb: &[f32], width: usize, height: usize, reach: usize) -> Vec<f32> {
    let pass = |from: &[f32], along: usize, across: usize, step: usize, line: usize| {
        let mut to = vec![0.0; from.len()];
        for other in 0..across {
            for at in 0..along {
                let (low, high) = (at.saturating_sub(reach), (at + reach).min(along - 1));
                for channel in 0..3 {
                    let sum: f32 = (low..=high).map(|near| from[(other * line + near * step) * 3 + channel]).sum();
                    to[(other * line + at * step) * 3 + channel] = sum / (high - low + 1) as f32;
                }
            }
        }
        to
    };
    let rows = pass(rgb, width, height, 1, width);
    pass(&rows, height, width, width, 1)
}
