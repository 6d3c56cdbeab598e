//! Hair: behind the head, above the face, and on it.

use super::{
    canvas::{Canvas, CanvasPoint},
    person::{Beard, HairTexture, Person},
    rng::FaceRng,
    sitting::Sitting,
    tones::Tones,
};

const TOP: f32 = -77.0;

/// How far down it falls.
fn end(person: &Person) -> f32 {
    -14.0 + person.hair_length * 112.0
}

/// The part that falls behind neck and shoulders.
pub(crate) fn behind(canvas: &mut Canvas, person: &Person, tones: &Tones, rng: &mut FaceRng) {
    if person.bald {
        return;
    }
    let (w, end, long) = (person.hair_width(), end(person), person.hair_length > 0.28);
    if !long {
        canvas.fill(&side_to_side(w + 3.0, -20.0, 2.0 + end.max(-12.0), 1.0, person, rng), tones.hair, 1.0);
        return;
    }
    let spread = if person.texture == HairTexture::Straight { 7.0 } else { 13.0 };
    let outline = side_to_side(w + spread, -24.0, end, 1.0, person, rng);
    canvas.fill(&outline, tones.hair.darker(0.15), 1.0);
    strands(canvas, person, tones, w + spread, end, rng);
}

/// A mass of hair from the top of the head down to `end` on both sides.
fn side_to_side(half: f32, from: f32, end: f32, narrow: f32, person: &Person, rng: &mut FaceRng) -> Vec<CanvasPoint> {
    const STEPS: usize = 8;
    let wave = if person.texture == HairTexture::Wavy { 6.0 } else { 0.8 };
    let mut right = vec![(0.0, TOP), (half * 0.62, TOP + 7.0), (half * 0.93, TOP + 24.0)];
    for step in 0..=STEPS {
        let share = step as f32 / STEPS as f32;
        let bump = if step % 2 == 0 { wave } else { -wave * 0.6 };
        right.push((half * (1.0 - (1.0 - narrow) * share) + bump + rng.between(-0.8, 0.8), from + (end - from) * share));
    }
    right.push((half * 0.45, end + if person.texture == HairTexture::Wavy { 5.0 } else { 1.0 }));
    let left: Vec<CanvasPoint> = right[1..].iter().rev().map(|&(x, y)| (-x - rng.between(-1.0, 1.0), y)).collect();
    right.into_iter().chain(left).collect()
}

/// What tells straight hair from wavy: the strands.
fn strands(canvas: &mut Canvas, person: &Person, tones: &Tones, half: f32, end: f32, rng: &mut FaceRng) {
    let (light, dark) = (tones.hair.lighter(0.42), tones.hair.darker(0.5));
    let amplitude = match person.texture {
        HairTexture::Neither => return,
        HairTexture::Straight => 0.0,
        HairTexture::Wavy => 3.6,
    };
    for side in [-1.0, 1.0] {
        for strand in 0..5 {
            let x = side * (half - 2.5 - strand as f32 * 4.4);
            let phase = rng.between(0.0, 1.0);
            let line: Vec<CanvasPoint> = (0..=12)
                .map(|i| {
                    let share = i as f32 / 12.0;
                    let y = -34.0 + (end + 32.0) * share;
                    let sway = libm::sinf((share * (end + 34.0) / 22.0 + phase) * std::f32::consts::TAU) * amplitude;
                    (x + sway, y)
                })
                .collect();
            canvas.line(&line, 2.1, if strand % 2 == 0 { light } else { dark }, 0.9);
        }
    }
}

/// What lies on the head and frames the face.
pub(crate) fn above(canvas: &mut Canvas, person: &Person, sitting: &Sitting, tones: &Tones, rng: &mut FaceRng) {
    if person.bald {
        return;
    }
    let w = person.hair_width();
    let hairline = if person.receding { -63.0 } else { -49.0 };
    let parting = person.shape.parting * 12.0;
    let bump =
        |rng: &mut FaceRng| if person.texture == HairTexture::Wavy { rng.between(1.5, 5.5) } else { rng.between(-0.4, 0.6) };
    let mut cap: Vec<CanvasPoint> = Vec::new();
    // Over the head, from one temple to the other.
    for step in 0..=10 {
        let angle = std::f32::consts::PI * (1.0 - step as f32 / 10.0);
        let (rx, ry) = (w + 4.0, 58.0);
        let out = 1.0 + bump(rng) / 60.0 * if step % 2 == 0 { 1.0 } else { -0.5 };
        cap.push((rx * out * libm::cosf(angle), -20.0 - ry * out * libm::sinf(angle)));
    }
    let inner: Vec<CanvasPoint> = if person.receding {
        // High at the temples, a tongue left in the middle.
        vec![
            (w * 0.95, -24.0),
            (w * 0.88, -46.0),
            (w * 0.56, -69.0),
            (w * 0.24, -62.0),
            (0.0, -57.0),
            (-w * 0.24, -62.0),
            (-w * 0.56, -69.0),
            (-w * 0.88, -46.0),
            (-w * 0.95, -24.0),
        ]
    } else {
        vec![
            (w * 0.93, -22.0),
            (w * 0.80, -42.0),
            (w * 0.42 + parting * 0.4, hairline),
            (parting, hairline - 5.0),
            (-w * 0.42 + parting * 0.4, hairline),
            (-w * 0.80, -42.0),
            (-w * 0.93, -22.0),
        ]
    };
    cap.extend(inner);
    canvas.fill(&cap, tones.hair, 1.0);
    let shine = tones.hair.lighter(0.22);
    canvas.line(&[(-w * 0.7, -56.0), (-w * 0.3, -71.0), (parting, -73.0)], 2.2, shine, 0.45);
    texture_above(canvas, person, tones, w, rng);
    if person.hair_length > 0.28 {
        locks(canvas, person, tones, w, rng);
    }
    if sitting.bangs {
        bangs(canvas, person, tones, w, rng);
    }
    if person.sideburns {
        for side in [-1.0, 1.0] {
            let strip = [
                (side * (w + 0.5), -26.0),
                (side * (w - 8.0), -24.0),
                (side * (w - 9.5), 14.0),
                (side * (w - 3.0), 21.0),
                (side * (w - 0.5), 4.0),
            ];
            canvas.polygon(&strip, tones.hair, 0.97);
        }
    }
}

fn texture_above(canvas: &mut Canvas, person: &Person, tones: &Tones, w: f32, rng: &mut FaceRng) {
    let (light, dark) = (tones.hair.lighter(0.42), tones.hair.darker(0.5));
    match person.texture {
        HairTexture::Neither => {}
        HairTexture::Straight => {
            for strand in -5i32..=5 {
                let x = strand as f32 / 5.0;
                let line = [
                    (x * w * 0.55, TOP + 4.0 + 6.0 * x * x),
                    (x * w * 0.78, -64.0 + 7.0 * x * x),
                    (x * w * 0.94, -50.0 + 14.0 * x * x),
                ];
                canvas.line(&line, 1.9, if strand % 2 == 0 { light } else { dark }, 0.9);
            }
        }
        HairTexture::Wavy => {
            for curl in 0..12 {
                let angle = std::f32::consts::PI * (0.06 + 0.88 * curl as f32 / 11.0);
                let (reach, y) = (rng.between(0.80, 1.0), rng.between(-1.5, 1.5));
                let (x, y) = ((w + 1.0) * reach * libm::cosf(angle), -20.0 - 52.0 * reach * libm::sinf(angle) + y);
                let line = [(x - 5.0, y + 2.5), (x - 1.5, y - 3.0), (x + 2.0, y + 2.5), (x + 5.0, y - 2.0)];
                canvas.line(&line, 2.0, if curl % 2 == 0 { light } else { dark }, 0.9);
            }
        }
    }
}

/// Long hair comes before the ears.
fn locks(canvas: &mut Canvas, person: &Person, tones: &Tones, w: f32, rng: &mut FaceRng) {
    let end = end(person).min(58.0);
    let wave = if person.texture == HairTexture::Wavy { 4.2 } else { 0.5 };
    for side in [-1.0, 1.0] {
        let mut outer = vec![(side * w * 0.86, -40.0)];
        let mut inner = Vec::new();
        for step in 0..=6 {
            let (share, bump) = (step as f32 / 6.0, if step % 2 == 0 { wave } else { -wave });
            let y = -30.0 + (end + 30.0) * share;
            outer.push((side * (w + 6.0 + bump), y));
            inner.push((side * (w - 6.0 + 1.5 * share + bump * 0.6), y));
        }
        outer.extend(inner.into_iter().rev());
        canvas.fill(&outer, tones.hair, 1.0);
        if person.texture != HairTexture::Neither {
            let phase = rng.between(0.0, 1.0);
            for strand in 0..2 {
                let line: Vec<CanvasPoint> = (0..=10)
                    .map(|i| {
                        let share = i as f32 / 10.0;
                        let sway = libm::sinf((share * 2.6 + phase) * std::f32::consts::TAU) * wave * 0.8;
                        (side * (w - 2.0 + 5.0 * strand as f32 + sway), -34.0 + (end + 32.0) * share)
                    })
                    .collect();
                canvas.line(&line, 2.1, if strand == 0 { tones.hair.lighter(0.42) } else { tones.hair.darker(0.5) }, 0.9);
            }
        }
    }
}

fn bangs(canvas: &mut Canvas, person: &Person, tones: &Tones, w: f32, rng: &mut FaceRng) {
    let mut fringe = vec![(-w * 0.94, -30.0), (-w * 0.8, -52.0), (0.0, -66.0), (w * 0.8, -52.0), (w * 0.94, -30.0)];
    for tooth in 0..9 {
        let x = w * (0.8 - 0.2 * tooth as f32);
        fringe.push((x, if tooth % 2 == 0 { -33.5 } else { -39.5 } + rng.between(-1.0, 1.0)));
    }
    canvas.fill(&fringe, tones.hair, 1.0);
    for strand in -4i32..=4 {
        let x = strand as f32 / 4.0 * w * 0.78;
        let bend = if person.texture == HairTexture::Wavy { 3.0 } else { 0.0 };
        canvas.line(&[(x * 0.75, -62.0), (x * 0.9 + bend, -50.0), (x, -38.0)], 1.1, tones.hair.darker(0.4), 0.7);
    }
}

/// What grows on jaw and chin.
pub(crate) fn beard(canvas: &mut Canvas, person: &Person, tones: &Tones, rng: &mut FaceRng) {
    let (w, chin, mouth) = (person.hair_width(), person.shape.chin, person.shape.mouth_height);
    let hair = if person.bald { tones.hair.mix(tones.line, 0.3) } else { tones.hair };
    match person.beard {
        Beard::None | Beard::Mustache => {}
        Beard::Shadow => {
            let grey = tones.skin.mix(super::colour::Colour::hex(0x2c3038), 0.55);
            for (x, y) in stubble(w, mouth, chin, rng) {
                canvas.ellipse((x, y), (0.85, 0.85), grey.darker(0.25), 0.8);
            }
        }
        Beard::Goatee | Beard::GoateeAndMustache => {
            let patch = [
                (-11.0, mouth + 10.0),
                (0.0, mouth + 8.5),
                (11.0, mouth + 10.0),
                (12.5, chin - 8.0),
                (6.0, chin + 3.0),
                (0.0, chin + 5.0),
                (-6.0, chin + 3.0),
                (-12.5, chin - 8.0),
            ];
            canvas.fill(&patch, hair, 0.96);
        }
        Beard::Full => {
            let jaw = person.shape.jaw * if person.chubby { 1.12 } else { 1.0 };
            let right = [(w * 0.98, -4.0), (w * 0.96, 17.0), (w * jaw + 2.0, 38.0), (w * 0.42, chin + 1.0)];
            let inner = [(w * 0.60, mouth - 3.0), (w * 0.82, 8.0)];
            let mut shape: Vec<CanvasPoint> = right.to_vec();
            shape.push((0.0, chin + 6.0));
            shape.extend(right.iter().rev().map(|&(x, y)| (-x, y)));
            shape.extend(inner.iter().rev().map(|&(x, y)| (-x, y)));
            shape.extend([(-w * 0.44, mouth - 8.0), (0.0, mouth - 9.0), (w * 0.44, mouth - 8.0)]);
            shape.extend(inner);
            canvas.fill(&shape, hair, 0.95);
        }
    }
}

/// Where a shaven beard would be.
fn stubble(w: f32, mouth: f32, chin: f32, rng: &mut FaceRng) -> Vec<CanvasPoint> {
    (0..430)
        .map(|_| (rng.between(-w * 0.92, w * 0.92), rng.between(mouth - 12.0, chin - 1.0)))
        .filter(|(x, y)| {
            let low = (y - mouth + 12.0) / (chin - mouth + 12.0);
            let edge = w * (0.86 - 0.5 * low * low);
            let inner = w * 0.62 * (1.0 - low * 1.3);
            x.abs() < edge && (x.abs() > inner || *y < mouth - 5.0 && x.abs() < 15.0 || *y > mouth + 8.0)
        })
        .collect()
}

pub(super) fn mustache(canvas: &mut Canvas, person: &Person, tones: &Tones) {
    let (y, half) = (person.shape.mouth_height - 5.4, person.shape.mouth_width + 2.0);
    let shape = [
        (-half, y + 4.2),
        (-half * 0.55, y - 2.6),
        (0.0, y - 3.6),
        (half * 0.55, y - 2.6),
        (half, y + 4.2),
        (half * 0.4, y + 2.4),
        (0.0, y + 1.4),
        (-half * 0.4, y + 2.4),
    ];
    canvas.fill(&shape, if person.bald { tones.hair.mix(tones.line, 0.3) } else { tones.hair }, 0.97);
}
