//! A portrait: person and sitting → 178 × 218 pixels, eyes and mouth where CelebA's alignment has them.

use super::{
    canvas::{Canvas, CanvasPoint},
    colour::{Colour, Style},
    hair,
    person::{Beard, HairColour, Person},
    rng::FaceRng,
    scene,
    sitting::Sitting,
    tones::{Landmarks, Tones},
    wear,
};
use crate::numeric::Purpose;
use tiny_skia::Transform;

pub(super) const WIDTH: u32 = 178;
pub(super) const HEIGHT: u32 = 218;

/// The middle of the face, between eyes and mouth, in an aligned picture.
const MIDDLE: CanvasPoint = (88.5, 127.0);

pub(super) struct Portrait {
    /// Red, green, blue, a row after the other.
    pub rgb: Vec<u8>,
    pub landmarks: Landmarks,
    pub tones: Tones,
}

pub(super) fn portrait(person: &Person, sitting: &Sitting, style: &Style) -> Portrait {
    let tones = Tones::of(person);
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    canvas.stroke = style.stroke;
    let (pose, things) = (&sitting.pose, &sitting.things);
    let mut rng = FaceRng::new(things.seed, Purpose::DrawnBackground, 0);
    scene::background(&mut canvas, &things.background, &mut rng);

    canvas.outline = style.outline;
    let body = Transform::from_translate(MIDDLE.0 + pose.off.0, MIDDLE.1 + pose.off.1).pre_scale(pose.scale, pose.scale);
    let head = body.pre_concat(Transform::from_rotate_at(pose.roll, 0.0, 40.0));
    // Features are nearer than the head's outline: they move more when it turns.
    let front = head.pre_translate(pose.yaw * 6.0, pose.pitch * 4.0).pre_scale(1.0 - 0.08 * pose.yaw.abs(), 1.0);

    let mut strands = FaceRng::new(things.seed, Purpose::DrawnHair, 0);
    canvas.within(head, |canvas| hair::behind(canvas, person, &tones, &mut strands));
    canvas.within(body, |canvas| {
        neck(canvas, person, &tones);
        wear::clothes(canvas, sitting);
        if sitting.necklace {
            wear::necklace(canvas, sitting);
        }
    });
    canvas.within(head, |canvas| {
        skull(canvas, person, &tones, pose.yaw);
        if person.double_chin {
            double_chin(canvas, person, &tones);
        }
    });
    canvas.within(front, |canvas| {
        if person.pale {
            veins(canvas);
        }
        cheeks(canvas, sitting, &tones);
        hair::beard(canvas, person, &tones, &mut strands);
        mouth(canvas, person, sitting, &tones);
        if matches!(person.beard, Beard::Mustache | Beard::GoateeAndMustache | Beard::Full) {
            hair::mustache(canvas, person, &tones);
        }
        nose(canvas, person, &tones);
        eyes(canvas, person, sitting, &tones);
        brows(canvas, person, &tones);
        if !person.young {
            age(canvas, &tones);
        }
        if let Some(at) = person.shape.mole {
            canvas.ellipse(at, (1.1, 1.1), tones.line, 0.9);
        }
    });
    canvas.within(head, |canvas| {
        hair::above(canvas, person, sitting, &tones, &mut strands);
        if sitting.hat {
            wear::hat(canvas, person, sitting);
        }
        if sitting.earrings {
            wear::earrings(canvas, person, sitting);
        }
    });
    if sitting.glasses {
        canvas.within(front, |canvas| wear::glasses(canvas, person, sitting));
    }

    let shape = &person.shape;
    let corner = if sitting.smiling { -4.0 } else { 0.5 };
    let mut landmarks = [
        (-shape.eye_distance, -16.0),
        (shape.eye_distance, -16.0),
        (0.0, shape.nose_length - 14.0),
        (-shape.mouth_width, shape.mouth_height + corner),
        (shape.mouth_width, shape.mouth_height + corner),
    ]
    .map(|(x, y)| tiny_skia::Point::from_xy(x, y));
    front.map_points(&mut landmarks);
    let rgb = scene::light(&canvas.pixels, sitting, style);
    Portrait { rgb, landmarks: landmarks.map(|point| (point.x, point.y)), tones }
}

/// Both sides of the face: the shape drawn for the right, and mirrored.
fn both(points: &[CanvasPoint]) -> [Vec<CanvasPoint>; 2] {
    [points.to_vec(), points.iter().map(|&(x, y)| (-x, y)).collect()]
}

fn neck(canvas: &mut Canvas, person: &Person, tones: &Tones) {
    let half = if person.male { 27.0 } else { 18.5 } * if person.chubby { 1.15 } else { 1.0 };
    canvas.polygon(&[(-half, 30.0), (half, 30.0), (half * 1.05, 96.0), (-half * 1.05, 96.0)], tones.shade, 1.0);
    canvas.fill(
        &[(-half, 40.0), (half, 40.0), (half * 0.9, 64.0), (0.0, 70.0), (-half * 0.9, 64.0)],
        tones.shade.darker(0.16),
        0.8,
    );
}

fn skull(canvas: &mut Canvas, person: &Person, tones: &Tones, yaw: f32) {
    let (w, shape) = (person.width(), &person.shape);
    let ear = 10.5 * shape.ear;
    for (side, hidden) in [(-1.0, yaw > 0.55), (1.0, yaw < -0.55)] {
        if !hidden {
            canvas.ellipse((side * (w + 1.0), -6.0), (5.5 * shape.ear, ear), tones.skin, 1.0);
            canvas.ellipse((side * (w + 1.5), -6.0), (2.6, ear * 0.55), tones.shade, 0.8);
        }
    }
    let jaw = shape.jaw * if person.chubby { 1.15 } else { 1.0 };
    let fullness = if person.chubby { 1.02 } else { 0.93 };
    let chin_half = if person.male { 0.44 } else { 0.22 } * w;
    let right = [
        (0.0, -66.0),
        (w * 0.60, -58.0),
        (w * 0.95, -34.0),
        (w, -8.0),
        (w * fullness, 16.0),
        (w * jaw, 36.0),
        (chin_half, shape.chin - 4.0),
    ];
    let left = right[1..].iter().rev().map(|&(x, y)| (-x, y));
    let outline: Vec<CanvasPoint> = right.iter().copied().chain([(0.0, shape.chin)]).chain(left).collect();
    canvas.fill(&outline, tones.skin, 1.0);
    if person.male {
        for side in both(&[(w * jaw - 2.0, 30.0), (w * jaw - 6.0, 40.0), (chin_half, shape.chin - 6.0)]) {
            canvas.line(&side, 2.0, tones.line, 0.5);
        }
        canvas.line(&[(0.0, shape.chin - 9.0), (0.6, shape.chin - 3.0)], 1.6, tones.line, 0.7);
    }
    if person.bald {
        canvas.glow((-14.0, -50.0), (14.0, 7.0), tones.skin.lighter(0.6), 0.5);
    }
}

fn double_chin(canvas: &mut Canvas, person: &Person, tones: &Tones) {
    let (w, chin) = (person.width() * 0.62, person.shape.chin);
    canvas.fill(
        &[(-w, chin - 12.0), (w, chin - 12.0), (w * 0.8, chin + 6.0), (0.0, chin + 12.0), (-w * 0.8, chin + 6.0)],
        tones.skin,
        1.0,
    );
    canvas.line(&[(-w * 0.62, chin - 6.0), (0.0, chin + 1.5), (w * 0.62, chin - 6.0)], 2.4, tones.line, 0.9);
    canvas.line(
        &[(-w * 0.9, chin + 3.0), (-w * 0.5, chin + 10.0), (0.0, chin + 13.0), (w * 0.5, chin + 10.0), (w * 0.9, chin + 3.0)],
        2.2,
        tones.line,
        0.85,
    );
}

/// What shows through skin that is very pale.
fn veins(canvas: &mut Canvas) {
    let blue = Colour::hex(0x7d8fd0);
    for side in both(&[(39.0, -30.0), (34.0, -24.0), (37.0, -18.0), (32.0, -9.0)]) {
        canvas.line(&side, 1.7, blue, 0.8);
    }
    for side in both(&[(36.0, 8.0), (31.0, 15.0), (32.0, 23.0), (26.0, 31.0)]) {
        canvas.line(&side, 1.5, blue, 0.65);
    }
}

fn cheeks(canvas: &mut Canvas, sitting: &Sitting, tones: &Tones) {
    let blush = tones.skin.mix(Colour::hex(0xe0405a), 0.75);
    if sitting.rosy {
        for side in [-1.0, 1.0] {
            canvas.glow((side * 25.0, 9.0), (9.5, 8.0), blush, 0.6);
        }
    }
}

fn mouth(canvas: &mut Canvas, person: &Person, sitting: &Sitting, tones: &Tones) {
    let (half, y) = (person.shape.mouth_width + if sitting.smiling { 2.5 } else { 0.0 }, person.shape.mouth_height);
    let bend = if sitting.smiling { 7.0 } else { -1.8 };
    let thick = if person.big_lips { 7.6 } else { 2.7 };
    let gap = if sitting.mouth_open { 6.0 } else { 0.0 };
    let bare = tones.skin.mix(Colour::hex(0xa03c48), if tones.skin.luminance() < 0.25 { 0.40 } else { 0.42 }).darker(0.05);
    // What is pale has no blood in its lips.
    let bare = if person.pale { Colour::hex(0x9c93b4) } else { bare };
    let lip = if sitting.lipstick { sitting.things.lip } else { bare };
    let corner = y - bend * 0.75;
    let upper = [
        (-half, corner),
        (-half * 0.45, y + bend * 0.1 - thick * 0.95),
        (0.0, y + bend * 0.2 - thick * 0.7),
        (half * 0.45, y + bend * 0.1 - thick * 0.95),
        (half, corner),
        (half * 0.5, y + bend * 0.35 + gap * 0.1),
        (0.0, y + bend * 0.5),
        (-half * 0.5, y + bend * 0.35 + gap * 0.1),
    ];
    let lower = [
        (-half, corner),
        (-half * 0.5, y + bend * 0.35 + gap * 0.8),
        (0.0, y + bend * 0.5 + gap),
        (half * 0.5, y + bend * 0.35 + gap * 0.8),
        (half, corner),
        (half * 0.55, y + bend * 0.75 + gap + thick * 0.9),
        (0.0, y + bend * 0.9 + gap + thick * 1.25),
        (-half * 0.55, y + bend * 0.75 + gap + thick * 0.9),
    ];
    if sitting.mouth_open {
        let inside = [
            (-half * 0.92, corner + 0.8),
            (0.0, y + bend * 0.4 - 0.5),
            (half * 0.92, corner + 0.8),
            (half * 0.5, y + bend * 0.5 + gap),
            (0.0, y + bend * 0.6 + gap + 0.8),
            (-half * 0.5, y + bend * 0.5 + gap),
        ];
        canvas.fill(&inside, Colour::hex(0x3b1018), 1.0);
        let teeth = [
            (-half * 0.68, corner + 1.6 + bend * 0.3),
            (0.0, y + bend * 0.45 - 0.4),
            (half * 0.68, corner + 1.6 + bend * 0.3),
            (0.0, y + bend * 0.5 + gap * 0.45),
        ];
        canvas.fill(&teeth, Colour::hex(0xf4f1ea), 1.0);
    }
    let outline = std::mem::replace(&mut canvas.outline, 0.0);
    canvas.fill(&lower, lip, 1.0);
    canvas.fill(&upper, lip.darker(0.12), 1.0);
    canvas.outline = outline;
    if !sitting.mouth_open {
        canvas.line(&[(-half, corner), (0.0, y + bend * 0.55), (half, corner)], 1.1, tones.line.darker(0.3), 0.9);
    }
    if sitting.smiling {
        for side in both(&[(half + 2.5, corner - 3.0), (half + 4.2, corner + 1.5), (half + 2.0, corner + 5.0)]) {
            canvas.line(&side, 1.7, tones.line, 0.75);
        }
    }
}

fn nose(canvas: &mut Canvas, person: &Person, tones: &Tones) {
    let (tip, big) = (person.shape.nose_length - 12.0, person.big_nose);
    let half = if big { 16.5 } else { 6.4 };
    canvas.line(&[(3.0, -14.0), (4.0, tip - 8.0), (half * 0.75, tip - 2.0)], 1.3, tones.shade, 0.9);
    canvas.line(&[(-3.0, -14.0), (-3.2, tip - 8.0)], 1.0, tones.shade, 0.45);
    let wing = if big { 7.4 } else { 2.6 };
    for side in [-1.0, 1.0] {
        if big {
            canvas.ellipse((side * (half - 2.2), tip + 0.5), (wing, wing * 0.95), tones.skin.mix(tones.shade, 0.55), 0.95);
        }
        canvas.line(
            &[(side * half, tip - 2.5), (side * (half + 0.8), tip + 1.2), (side * (half - 1.5), tip + 3.6)],
            1.2,
            tones.line,
            0.8,
        );
        canvas.ellipse(
            (side * half * 0.48, tip + 3.4),
            (if big { 4.2 } else { 1.5 }, if big { 2.3 } else { 1.2 }),
            tones.line.darker(0.35),
            0.95,
        );
    }
    if person.pointy_nose {
        // A long wedge with a lit and a dark side: a tip, where others have a ball.
        let (low, base) = (tip + 12.0, 8.2);
        canvas.polygon(&[(0.0, tip - 22.0), (base, tip + 1.5), (0.0, low)], tones.skin.mix(tones.line, 0.55), 1.0);
        canvas.polygon(&[(0.0, tip - 22.0), (-base, tip + 1.5), (0.0, low)], tones.skin.lighter(0.42), 1.0);
        canvas.line(&[(-base, tip + 1.8), (0.0, low + 0.4), (base, tip + 1.8)], 2.2, tones.line.darker(0.2), 1.0);
    } else {
        canvas.glow((0.0, tip), (half * 0.55, 4.5), tones.skin.lighter(0.5), 0.4);
        canvas.line(&[(-half * 0.55, tip + 4.6), (0.0, tip + 6.0), (half * 0.55, tip + 4.6)], 1.2, tones.line, 0.7);
    }
}

fn eyes(canvas: &mut Canvas, person: &Person, sitting: &Sitting, tones: &Tones) {
    let shape = &person.shape;
    let half = 9.0 * shape.eye_size;
    let open = if person.narrow_eyes { 1.4 } else { 5.4 } * shape.eye_size;
    let brown = person.tone > 5.0 || shape.iris < 0.5;
    let iris =
        if brown { Colour::hsl(0.06, 0.5, 0.12 + 0.16 * shape.iris) } else { Colour::hsl(0.2 + 0.4 * shape.iris, 0.38, 0.40) };
    let lashes = !person.male || sitting.makeup;
    for side in [-1.0, 1.0] {
        let (x, y) = (side * shape.eye_distance, -16.0);
        let slant = shape.eye_slant;
        if sitting.bags {
            let under = [
                (x - half * 0.95, y + open + 1.5),
                (x, y + open + 5.0),
                (x + half * 0.95, y + open + 1.5),
                (x + half * 0.7, y + open + 8.5),
                (x, y + open + 11.0),
                (x - half * 0.7, y + open + 8.5),
            ];
            canvas.fill(&under, tones.shade.mix(Colour::hex(0x4a3350), 0.35), 0.55);
            canvas.line(&under[3..], 2.2, tones.line, 0.9);
        }
        if sitting.makeup {
            let lid = [(x - half * 1.15, y - 1.0), (x, y - open - 7.5), (x + half * 1.25, y - 4.0 - slant), (x, y - open * 0.6)];
            canvas.fill(&lid, sitting.things.shadow, 0.78);
        }
        let (inner, outer) = ((x - side * half, y + 0.8), (x + side * half, y - slant * 0.6));
        let almond = [
            inner,
            (x - side * half * 0.4, y - open * 0.9),
            (x + side * half * 0.35, y - open),
            outer,
            (x + side * half * 0.3, y + open * 0.75),
            (x - side * half * 0.4, y + open * 0.7),
        ];
        canvas.fill(&almond, Colour::hex(0xf5f3ee), 1.0);
        let round = open.min(4.1 * shape.eye_size);
        canvas.ellipse((x, y - open * 0.08), (round.clamp(2.6, 4.1), round), iris, 1.0);
        canvas.ellipse((x, y - open * 0.08), (round * 0.46, round * 0.46), Colour::BLACK, 1.0);
        canvas.ellipse((x - 1.2, y - open * 0.35), (0.9, 0.9 * open / 4.6), Colour::WHITE, 0.95);
        let lid = [inner, (x - side * half * 0.4, y - open * 0.9), (x + side * half * 0.35, y - open), outer];
        let liner = if sitting.makeup {
            2.5
        } else if lashes {
            1.6
        } else {
            1.2
        };
        canvas.line(&lid, liner, Colour::hex(0x1d1416), 0.95);
        canvas.line(
            &[outer, (x + side * half * 0.3, y + open * 0.75), inner],
            if sitting.makeup { 1.2 } else { 0.7 },
            tones.line.darker(0.2),
            0.7,
        );
        if lashes {
            let long = if sitting.makeup { 4.8 } else { 2.8 };
            for (at, up) in [(0.45, 1.0), (0.75, 0.85), (1.0, 0.45)] {
                let (fx, fy) = (x + side * half * at, y - open * (1.05 - 0.75 * at * at) - slant * at * 0.6);
                canvas.line(&[(fx, fy), (fx + side * long * 0.6, fy - long * up)], 1.0, Colour::hex(0x1d1416), 0.95);
            }
        }
        if !person.narrow_eyes {
            canvas.line(
                &[(x - half * 0.8, y - open - 1.6), (x, y - open - 3.4), (x + half * 0.8, y - open - 1.6)],
                0.9,
                tones.line,
                0.5,
            );
        }
    }
}

fn brows(canvas: &mut Canvas, person: &Person, tones: &Tones) {
    let colour = match person.hair {
        HairColour::Blond => tones.hair.darker(0.38),
        HairColour::Gray => tones.hair.darker(0.3),
        _ => tones.hair.darker(0.2),
    };
    let colour = if colour.luminance() > tones.skin.luminance() - 0.1 { tones.line } else { colour };
    let (thick, lift) = (if person.bushy_brows { 6.8 } else { 2.3 }, if person.arched_brows { 8.2 } else { 0.4 });
    let y = -16.0 - person.shape.brow_height;
    for side in [-1.0, 1.0] {
        let x = side * person.shape.eye_distance;
        let line = [
            (x - side * 10.5, y + 1.6),
            (x - side * 3.0, y + 0.8 - lift * 0.55),
            (x + side * 4.5, y + 0.8 - lift),
            (x + side * 11.5, y + 3.2),
        ];
        canvas.line(&line, thick, colour, 0.92);
        if person.bushy_brows {
            for place in 0..7 {
                let at = place as f32 / 6.0;
                let (hx, hy) =
                    (x + side * (-10.5 + 21.0 * at), y + 1.6 - lift * (1.0 - (2.0 * at - 1.25).powi(2)).max(0.0) * 0.9);
                canvas.line(&[(hx, hy + 1.5), (hx + side * 1.8, hy - 5.6)], 1.6, colour.darker(0.15), 0.9);
            }
        }
    }
}

/// Lines that years leave: on the forehead, beside nose, eyes and mouth.
fn age(canvas: &mut Canvas, tones: &Tones) {
    for (place, y) in [-54.0, -47.5, -41.0].into_iter().enumerate() {
        let half = 23.0 - place as f32 * 1.5;
        canvas.line(&[(-half, y + 1.4), (-half * 0.3, y - 0.8), (half * 0.35, y), (half, y + 1.6)], 2.2, tones.line, 0.85);
    }
    for side in both(&[(12.5, 6.0), (20.0, 14.0), (24.5, 26.0), (23.0, 38.0)]) {
        canvas.line(&side, 2.8, tones.line, 0.9);
    }
    for side in both(&[(30.0, 2.0), (33.0, 12.0), (33.5, 23.0)]) {
        canvas.line(&side, 2.0, tones.line, 0.75);
    }
    for lean in [-4.5, 0.5, 5.5] {
        for side in both(&[(30.5, -15.0 + lean * 0.4), (39.5, -15.5 + lean * 1.5)]) {
            canvas.line(&side, 1.8, tones.line, 0.9);
        }
    }
}
