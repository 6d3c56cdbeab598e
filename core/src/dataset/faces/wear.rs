//! What is put on: clothes, hats, glasses, jewellery.

use super::{
    canvas::{Canvas, CanvasPoint},
    colour::Colour,
    person::Person,
    sitting::{Garment, Sitting},
};

pub(super) fn clothes(canvas: &mut Canvas, sitting: &Sitting) {
    let things = &sitting.things;
    let cloth = things.cloth;
    canvas.fill(
        &[
            (-96.0, 110.0),
            (-84.0, 84.0),
            (-46.0, 71.0),
            (-22.0, 66.0),
            (0.0, 84.0),
            (22.0, 66.0),
            (46.0, 71.0),
            (84.0, 84.0),
            (96.0, 110.0),
        ],
        cloth,
        1.0,
    );
    let shirt = things.shirt;
    match things.garment {
        Garment::Round => canvas.line(&[(-22.0, 67.0), (0.0, 83.5), (22.0, 67.0)], 2.2, cloth.darker(0.3), 0.9),
        Garment::Pointed => {
            canvas.polygon(&[(-17.0, 66.0), (17.0, 66.0), (0.0, 96.0)], shirt, 1.0);
            canvas.line(&[(-18.0, 65.0), (0.0, 97.0)], 1.8, cloth.darker(0.3), 0.9);
            canvas.line(&[(18.0, 65.0), (0.0, 97.0)], 1.8, cloth.darker(0.3), 0.9);
        }
        Garment::Stripes => {
            for stripe in -6i32..=6 {
                let x = stripe as f32 * 14.0;
                canvas.line(&[(x * 0.75, 70.0 + (x * 0.13).abs()), (x, 150.0)], 4.0, shirt, 0.8);
            }
        }
        Garment::Collar | Garment::Jacket => {
            canvas.polygon(&[(-20.0, 64.0), (0.0, 82.0), (20.0, 64.0), (25.0, 150.0), (-25.0, 150.0)], shirt, 1.0);
            if !sitting.necktie {
                // A row of buttons where a tie would hang.
                canvas.line(&[(0.0, 80.0), (0.0, 150.0)], 1.4, shirt.darker(0.35), 0.9);
                for button in 0..4 {
                    canvas.ellipse((0.0, 84.0 + button as f32 * 7.0), (1.6, 1.6), shirt.darker(0.5), 1.0);
                }
            }
            for side in [-1.0, 1.0] {
                canvas.polygon(
                    &[(side * 25.0, 61.0), (side * 3.0, 76.0), (side * 15.0, 87.0), (side * 30.0, 70.0)],
                    shirt.darker(0.08),
                    1.0,
                );
                if things.garment == Garment::Jacket {
                    canvas.polygon(
                        &[(side * 30.0, 66.0), (side * 9.0, 150.0), (side * 44.0, 150.0), (side * 40.0, 70.0)],
                        cloth.darker(0.18),
                        1.0,
                    );
                }
            }
        }
    }
    if sitting.necktie {
        let (dark, light) = things.tie;
        canvas.polygon(&[(-6.8, 71.0), (6.8, 71.0), (4.8, 79.0), (-4.8, 79.0)], dark.darker(0.25), 1.0);
        canvas.polygon(&[(-4.8, 79.0), (4.8, 79.0), (11.0, 150.0), (-11.0, 150.0)], dark, 1.0);
        for stripe in 0..5 {
            let y = 80.5 + stripe as f32 * 6.4;
            canvas.line(&[(-5.5 - stripe as f32 * 0.6, y + 3.2), (5.5 + stripe as f32 * 0.6, y)], 1.6, light, 0.95);
        }
    }
}

pub(super) fn necklace(canvas: &mut Canvas, sitting: &Sitting) {
    let metal = sitting.things.metal;
    let place = |share: f32| -> CanvasPoint { (share * 23.0, 66.0 + 15.0 * (1.0 - share * share)) };
    let line: Vec<CanvasPoint> = (-4..=4).map(|i| place(i as f32 / 4.0)).collect();
    canvas.line(&line, 1.4, metal.darker(0.25), 1.0);
    for bead in -5i32..=5 {
        let (x, y) = place(bead as f32 / 5.0);
        canvas.ellipse((x, y), (2.9, 2.9), metal, 1.0);
        canvas.ellipse((x - 0.9, y - 0.9), (1.1, 1.1), metal.lighter(0.7), 0.9);
    }
    canvas.ellipse((0.0, 86.0), (4.6, 5.2), metal.lighter(0.1), 1.0);
}

pub(super) fn earrings(canvas: &mut Canvas, person: &Person, sitting: &Sitting) {
    let metal = sitting.things.metal;
    let x = person.width() + 2.5;
    for side in [-1.0, 1.0] {
        canvas.line(&[(side * x, 3.0), (side * (x + 0.4), 8.5)], 1.3, metal.darker(0.3), 1.0);
        canvas.ellipse((side * (x + 0.4), 12.5), (5.4, 6.6), metal, 1.0);
        canvas.ellipse((side * (x + 0.4) - 1.2, 11.0), (1.3, 1.5), metal.lighter(0.75), 0.95);
    }
}

pub(super) fn glasses(canvas: &mut Canvas, person: &Person, sitting: &Sitting) {
    let (kind, frame) = sitting.things.frame;
    let thick = [2.6, 1.9, 3.2][kind];
    let (rx, ry) = [(13.0, 9.5), (11.5, 10.5), (13.5, 8.5)][kind];
    for side in [-1.0, 1.0] {
        let (x, y) = (side * person.shape.eye_distance, -15.0);
        let rim: Vec<CanvasPoint> = if kind == 1 {
            (0..=16)
                .map(|i| i as f32 / 16.0 * std::f32::consts::TAU)
                .map(|a| (x + rx * libm::cosf(a), y + ry * libm::sinf(a)))
                .collect()
        } else {
            vec![
                (x - rx, y - ry * 0.4),
                (x - rx * 0.75, y - ry),
                (x + rx * 0.75, y - ry),
                (x + rx, y - ry * 0.4),
                (x + rx * 0.8, y + ry * 0.85),
                (x, y + ry),
                (x - rx * 0.8, y + ry * 0.85),
                (x - rx, y - ry * 0.4),
            ]
        };
        canvas.fill(&rim, Colour::hex(0xdfeaf2), 0.16);
        canvas.line(&rim, thick, frame, 1.0);
        canvas.line(&[(x - rx * 0.4, y - ry * 0.6), (x - rx * 0.7, y + ry * 0.2)], 1.6, Colour::WHITE, 0.55);
        canvas.line(&[(x + side * rx, y - 3.0), (side * (person.shape.width + 1.0), y - 3.5)], thick * 0.8, frame, 1.0);
    }
    let inner = person.shape.eye_distance - rx;
    canvas.line(&[(-inner, -16.0), (0.0, -18.5), (inner, -16.0)], thick, frame, 1.0);
}

pub(super) fn hat(canvas: &mut Canvas, person: &Person, sitting: &Sitting) {
    let w = person.hair_width() + 6.0;
    let (kind, cloth) = sitting.things.hat;
    let band = if cloth.luminance() > 0.4 { cloth.darker(0.45) } else { cloth.lighter(0.4) };
    match kind {
        // A knitted cap with a rolled edge.
        0 => {
            canvas.fill(
                &[
                    (-w, -40.0),
                    (-w * 0.95, -66.0),
                    (-w * 0.5, -88.0),
                    (0.0, -93.0),
                    (w * 0.5, -88.0),
                    (w * 0.95, -66.0),
                    (w, -40.0),
                    (0.0, -45.0),
                ],
                cloth,
                1.0,
            );
            canvas.fill(
                &[(-w - 1.5, -53.0), (0.0, -59.0), (w + 1.5, -53.0), (w + 1.5, -39.0), (0.0, -45.0), (-w - 1.5, -39.0)],
                band,
                1.0,
            );
            for rib in -5i32..=5 {
                let x = rib as f32 / 5.0 * w * 0.92;
                canvas.line(&[(x, -55.0), (x, -44.0)], 0.9, band.darker(0.35), 0.7);
            }
        }
        // A cap with a peak.
        1 => {
            canvas.fill(
                &[
                    (-w, -44.0),
                    (-w * 0.95, -70.0),
                    (-w * 0.5, -88.0),
                    (0.0, -91.0),
                    (w * 0.5, -88.0),
                    (w * 0.95, -70.0),
                    (w, -44.0),
                    (0.0, -50.0),
                ],
                cloth,
                1.0,
            );
            canvas.fill(
                &[(-w * 0.85, -47.0), (0.0, -55.0), (w * 0.85, -47.0), (w * 0.62, -37.0), (0.0, -34.0), (-w * 0.62, -37.0)],
                band,
                1.0,
            );
            canvas.line(&[(0.0, -90.0), (0.0, -56.0)], 1.2, cloth.darker(0.35), 0.8);
        }
        // A hat with a brim.
        _ => {
            canvas.fill(
                &[
                    (-w * 0.8, -52.0),
                    (-w * 0.78, -80.0),
                    (-w * 0.4, -96.0),
                    (0.0, -91.0),
                    (w * 0.4, -96.0),
                    (w * 0.78, -80.0),
                    (w * 0.8, -52.0),
                ],
                cloth,
                1.0,
            );
            canvas.polygon(&[(-w * 0.8, -64.0), (w * 0.8, -64.0), (w * 0.83, -53.0), (-w * 0.83, -53.0)], band, 1.0);
            canvas.ellipse((0.0, -49.0), (w * 1.45, 8.0), cloth.darker(0.12), 1.0);
        }
    }
}
