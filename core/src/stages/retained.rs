//! `retained`, of features at one layer: what they still hold when their pictures are altered.

use super::{Inputs, StageOutput};
use crate::{
    dataset::array,
    domain::{
        Result,
        stage::{MeasureRetained, role},
    },
    scoring::{self, Setting},
};

pub(super) fn retained(stage: &MeasureRetained, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    // One after the other: of many images each is large.
    let altered = |place: usize| inputs.matrix(&role::numbered(MeasureRetained::ALTERED, place));
    let features = inputs.matrix(role::FEATURES)?;
    let (signal, resampled) = scoring::retained_signal(&setting, &features, stage, altered)?;
    Ok(StageOutput::default()
        .with_json(MeasureRetained::RETAINED, &signal)?
        .with(MeasureRetained::RESAMPLED, array::to_npy(&resampled)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataset::{Album, Batch, DigestCache, list_pictures},
        domain::{
            Digest,
            alteration::{Alteration, Cue},
            comparison::{Measured, Question},
            embedding::EmbeddingForm,
            image::Column,
            model::EMBEDDING,
            retained::RetainedSignal,
            score::Statistics,
            stage::{Input, Location, Task, Work, features_at},
            study::{Crop, Preparation},
        },
        stages::read_features,
    };
    use std::{collections::HashMap, path::Path, sync::Arc};

    const SIDE: usize = 64;
    const IMAGES: usize = 240;
    const BORDER: usize = SIDE / 8;
    const CUES: [Cue; 4] = Cue::ALL;

    /// Does the image have what is planted in a cue?
    fn has(image: usize, cue: usize) -> bool {
        image >> cue & 1 == 1
    }

    /// Each image has a colour, a texture of single pixels, a light square in one of two corners, and a light or dark border: each by itself.
    fn painted(image: usize) -> Vec<[u8; 3]> {
        let colour = |x: usize, y: usize| {
            // As light as each other; and each picture a little lighter or darker, so that no two are one.
            let base: [i32; 3] = if has(image, 0) { [150, 100, 100] } else { [90, 131, 100] };
            let base = base.map(|value| value + image as i32 / 16 - 7);
            let is_border = [x, y].iter().any(|at| *at < BORDER || *at >= SIDE - BORDER);
            let of = [x, y].map(|at| if has(image, 2) { at } else { SIDE - 1 - at });
            let is_square = of.iter().all(|at| (BORDER + 4..SIDE / 2 - 4).contains(at));
            let texture = if (x + y).is_multiple_of(2) { 12 } else { -12 };
            let more = match (is_border, is_square) {
                (true, _) => {
                    if has(image, 3) {
                        30
                    } else {
                        -30
                    }
                }
                (false, true) => 60,
                (false, false) => 0,
            };
            let more = more + if has(image, 1) && !is_border { texture } else { 0 };
            base.map(|value| (value + more) as u8)
        };
        (0..SIDE * SIDE).map(|at| colour(at % SIDE, at / SIDE)).collect()
    }

    /// A bitmap of 24 bits, its rows from below.
    fn bitmap(pixels: &[[u8; 3]]) -> Vec<u8> {
        let side = SIDE as u32;
        let mut bytes = b"BM".to_vec();
        let head = [54 + 3 * side * side, 0, 54, 40, side, side, 24 << 16 | 1, 0, 3 * side * side, 0, 0, 0, 0];
        head.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        let rows = pixels.chunks_exact(SIDE).rev().flatten();
        bytes.extend(rows.flat_map(|[red, green, blue]| [*blue, *green, *red]));
        bytes
    }

    /// A network that sees each cue by itself: redness, contrast of neighbours, which corner is light, and how light the border is.
    fn seen(batch: &Batch) -> Vec<f32> {
        let of_picture = |planes: &[u8]| {
            let value = |channel: usize, x: usize, y: usize| f64::from(planes[(channel * SIDE + y) * SIDE + x]);
            let places = || (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
            let is_border = |(x, y): &(usize, usize)| [x, y].iter().any(|at| **at < BORDER || **at >= SIDE - BORDER);
            let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
            let light = |(x, y): (usize, usize)| 0.3 * value(0, x, y) + 0.59 * value(1, x, y) + 0.11 * value(2, x, y);
            let inside = || places().filter(|at| !is_border(at));
            let half = |first: bool| mean(inside().filter(|(x, y)| (x + y < SIDE) == first).map(light).collect());
            [
                mean(places().map(|(x, y)| value(0, x, y) - value(1, x, y)).collect()),
                mean(inside().map(|(x, y)| (light((x, y)) - light((x + 1, y))).abs().min(30.0)).collect()),
                half(true) - half(false),
                mean(places().filter(is_border).map(light).collect()),
            ]
        };
        batch.pixels.chunks_exact(3 * SIDE * SIDE).flat_map(of_picture).map(|value| value as f32).collect()
    }

    fn features(folder: &Path, alteration: Option<Alteration>) -> Vec<u8> {
        let images = list_pictures(folder, &mut DigestCache::none()).unwrap();
        let album = Album::new(folder, images, Preparation::of(Crop::Whole, SIDE), None).unwrap();
        let album = Arc::new(if let Some(of) = alteration { album.altered(of, None) } else { album });
        let layers = [EMBEDDING.to_owned()];
        let made = read_features(&album, &layers, EmbeddingForm::default(), 16, 2, &(), |batch| Ok(vec![seen(batch)])).unwrap();
        if alteration == Some(Alteration::BackgroundMasked) {
            assert_eq!(made.facts["masked by border"], [IMAGES as f64, 1.0 - 0.75 * 0.75]);
        }
        made.outputs.into_iter().find(|(name, _)| *name == features_at(EMBEDDING)).unwrap().1
    }

    /// What is planted in one cue of painted pictures is lost without it, and kept without any other.
    #[test]
    fn a_cue_that_tells_is_found_out_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("set");
        std::fs::create_dir(&set).unwrap();
        let id = |image: usize| format!("{image:03}.bmp");
        for image in 0..IMAGES {
            std::fs::write(set.join(id(image)), bitmap(&painted(image))).unwrap();
        }
        let alterations = Alteration::with_control(&[
            Alteration::Grey,
            Alteration::HueTurned,
            Alteration::Blurred,
            Alteration::PatchShuffled,
            Alteration::BackgroundMasked,
        ]);
        let (mut objects, mut inputs) = (HashMap::new(), Vec::new());
        let mut put = |role: String, bytes: Vec<u8>| {
            let digest = Digest::of(&bytes);
            objects.insert(digest, bytes);
            inputs.push(Input { role, digest, at: Location::Object });
        };
        let images = list_pictures(&set, &mut DigestCache::none()).unwrap();
        put(role::IMAGES.to_owned(), images.to_text().into_bytes());
        put(role::FEATURES.to_owned(), features(&set, None));
        for (place, alteration) in alterations.iter().enumerate() {
            put(role::numbered(MeasureRetained::ALTERED, place), features(&set, Some(*alteration)));
        }
        for (place, cue) in CUES.iter().enumerate() {
            let column: Column = (0..IMAGES).map(|image| (id(image), u8::from(has(image, place)).to_string())).collect();
            put(role::labels(cue.word()), column.to_text().into_bytes());
        }
        let classes = |of: &str| Measured::Classes(vec![of.parse().unwrap(), format!("not {of}").parse().unwrap()]);
        let questions = CUES.map(|cue| Question { measured: classes(cue.word()), within: None });
        let statistics = Statistics { bootstraps: 100, ..Statistics::default() };
        let stage = MeasureRetained { questions: questions.into(), alterations: alterations.clone(), statistics, seed: 1 };
        let task = Task { work: Work::Retained(stage), inputs };
        let made = crate::stages::carry_out(&task, &|input| Ok(objects[&input.digest].clone()), None, &()).unwrap();
        let signal: RetainedSignal = serde_json::from_slice(&made.outputs[0].1).unwrap();
        let retained = |cue: Cue, by: Alteration| {
            let place = alterations.iter().position(|of| *of == by).unwrap();
            signal.answers[CUES.iter().position(|of| *of == cue).unwrap()].altered[place].retained.unwrap().value
        };
        for cue in CUES {
            for by in alterations.iter().copied().filter(|of| *of != Alteration::HueTurned) {
                let is_taken = cue.taken_by().contains(&by);
                let of = retained(cue, by);
                assert!(if is_taken { of < 0.4 } else { of > 0.8 }, "{cue} {by}: {of}");
            }
        }
        assert!(retained(Cue::Colour, Alteration::HueTurned) < -0.9, "the other colour is taken for the one");
        let shares: Vec<(Cue, f64)> = signal.cues.shares.iter().map(|of| (of.cue, of.lost.value)).collect();
        assert_eq!(shares.len(), 4);
        assert!(shares.iter().all(|(_, lost)| (lost - 0.25).abs() < 0.1), "a quarter each: {shares:?}");
    }
}
