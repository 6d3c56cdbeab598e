//! Textures and objects: a training set without a single face, as large as those with.

use super::{
    canvas::{Canvas, CanvasPoint},
    colour::{Colour, Style},
    portrait::{HEIGHT, WIDTH},
    rng::FaceRng,
    scene,
    sitting::{Pose, Sitting},
};
use crate::numeric::Purpose;
use tiny_skia::Transform;

/// What a class has in common.
pub(super) struct Texture {
    kind: usize,
    colours: [Colour; 3],
    /// Of stripes, dots, tiles: pixels from one to the next.
    period: f32,
    /// Turns.
    angle: f32,
    /// Corners of an object, and how deep it is notched.
    corners: usize,
    depth: f32,
    object: bool,
}

impl Texture {
    pub(crate) fn draw(style: &Style, rng: &mut FaceRng) -> Self {
        Texture {
            kind: rng.below(6),
            colours: [style.any(rng, (0.15, 0.45)), style.any(rng, (0.55, 0.85)), style.any(rng, (0.3, 0.7))],
            period: rng.between(9.0, 34.0),
            angle: rng.between(0.0, 0.5),
            corners: 3 + rng.below(6),
            depth: rng.between(0.35, 1.0),
            object: rng.chance(0.5),
        }
    }

    /// One picture of it; pose and light are the sitting's.
    pub(super) fn picture(&self, sitting: &Sitting, style: &Style) -> Vec<u8> {
        let mut canvas = Canvas::new(WIDTH, HEIGHT);
        canvas.stroke = style.stroke;
        let mut rng = FaceRng::new(sitting.things.seed, Purpose::DrawnTexture, 0);
        scene::background(&mut canvas, &sitting.things.background, &mut rng);
        let Pose { yaw, pitch, roll, scale, off } = sitting.pose;
        let frame = Transform::from_translate(89.0 + off.0 * 3.0 + yaw * 14.0, 109.0 + off.1 * 3.0 + pitch * 14.0)
            .pre_scale(scale, scale * (1.0 - 0.15 * yaw.abs()))
            .pre_concat(Transform::from_rotate(roll * 2.5 + if self.object { 0.0 } else { self.angle * 360.0 }));
        if !self.object {
            canvas.within(frame, |canvas| self.fill(canvas, 170.0, &mut rng));
            return scene::light(&canvas.pixels, sitting, style);
        }
        canvas.outline = style.outline;
        canvas.within(frame, |canvas| {
            canvas.fill(&self.outline(84.0), self.colours[0], 1.0);
            canvas.fill(&self.outline(66.0), self.colours[1], 1.0);
            canvas.outline = 0.0;
            self.fill(canvas, 44.0, &mut rng);
        });
        scene::light(&canvas.pixels, sitting, style)
    }

    fn outline(&self, radius: f32) -> Vec<CanvasPoint> {
        let n = self.corners * 2;
        let point = |i: usize| {
            let (turn, reach) =
                (i as f32 / n as f32 * std::f32::consts::TAU, if i.is_multiple_of(2) { radius } else { radius * self.depth });
            (reach * libm::cosf(turn), reach * libm::sinf(turn))
        };
        (0..n).map(point).collect()
    }

    fn fill(&self, canvas: &mut Canvas, reach: f32, rng: &mut FaceRng) {
        let [dark, light, third] = self.colours;
        let square = [(-reach, -reach), (reach, -reach), (reach, reach), (-reach, reach)];
        canvas.polygon(&square, light, 1.0);
        let n = (reach / self.period) as i32 + 1;
        for row in -n..=n {
            let y = row as f32 * self.period;
            match self.kind {
                0 => canvas.line(&[(-reach, y), (reach, y)], self.period * 0.36, dark, 1.0),
                1 => {
                    let wave: Vec<CanvasPoint> =
                        (-8..=8).map(|i| (i as f32 / 8.0 * reach, y + if i % 2 == 0 { 4.0 } else { -4.0 })).collect();
                    canvas.line(&wave, self.period * 0.25, dark, 1.0);
                }
                2 => {
                    canvas.ellipse(
                        (0.0, 0.0),
                        (y.abs().max(1.0), y.abs().max(1.0)),
                        if row % 2 == 0 { dark } else { third },
                        0.3,
                    );
                }
                _ => {
                    for column in -n..=n {
                        let (x, jitter) = (column as f32 * self.period, rng.between(-1.5, 1.5));
                        match self.kind {
                            3 => canvas.ellipse((x + jitter, y), (self.period * 0.3, self.period * 0.3), dark, 1.0),
                            4 if (row + column) % 2 == 0 => {
                                let p = self.period / 2.0;
                                canvas.polygon(&[(x - p, y - p), (x + p, y - p), (x + p, y + p), (x - p, y + p)], dark, 1.0);
                            }
                            5 => canvas.line(
                                &[(x, y - self.period * 0.3), (x + jitter, y + self.period * 0.3)],
                                2.6,
                                if column % 2 == 0 { dark } else { third },
                                1.0,
                            ),
                            _ => {}
                        }
                    }
                }
            }
        }
    }
}
