//! Features that take no network: what a network must beat before it can be said to have learned.

use super::{Inputs, Listener, StageOutput};
use crate::{
    dataset::Loader,
    domain::{
        Fault, Result,
        model::{BaselineKind, EMBEDDING},
        stage::{Baseline, role},
    },
    numeric::Matrix,
};
use std::sync::Arc;

/// Pictures are looked at this small: what is left is where light and dark are.
const SIDE: usize = 16;
/// Bins a channel of a colour histogram.
const BINS: usize = 4;
const BATCH: usize = 32;

pub(super) fn baseline(stage: &Baseline, inputs: &Inputs, listener: &dyn Listener) -> Result<StageOutput> {
    let mut preparation = stage.preparation.clone();
    preparation.size = preparation.size.min(SIDE);
    let album = Arc::new(inputs.album(role::IMAGES, &preparation)?);
    let place = preparation.size * preparation.size;
    let columns = match stage.word {
        BaselineKind::Pixels => 3 * place,
        BaselineKind::Colours => BINS * BINS * BINS,
    };
    let order: Vec<usize> = (0..album.images.len()).collect();
    let mut values = Vec::with_capacity(order.len() * columns);
    let mut turned = 0;
    for batch in Loader::start(&album, &order, BATCH, rayon::current_num_threads()) {
        let batch = batch?;
        turned += batch.turned;
        for picture in batch.pixels.chunks_exact(3 * place) {
            match stage.word {
                BaselineKind::Pixels => values.extend(picture.iter().map(|value| f32::from(*value) / 255.0)),
                BaselineKind::Colours => values.extend(histogram(picture, place)),
            }
        }
    }
    let features = Matrix::new(order.len(), columns, values).ok_or_else(|| Fault::unexpected("a baseline of another shape"))?;
    Ok(StageOutput::default().with_features(EMBEDDING, &features).turned(turned, listener))
}

/// The share of places with each colour, square-rooted, so that Euclid's distance is Hellinger's.
fn histogram(picture: &[u8], place: usize) -> [f32; BINS * BINS * BINS] {
    let mut counts = [0u32; BINS * BINS * BINS];
    let bin = |channel: usize, at: usize| usize::from(picture[channel * place + at]) * BINS / 256;
    for at in 0..place {
        counts[(bin(0, at) * BINS + bin(1, at)) * BINS + bin(2, at)] += 1;
    }
    counts.map(|count| (count as f32 / place as f32).sqrt())
}
