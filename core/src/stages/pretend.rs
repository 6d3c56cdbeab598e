//! Networks that only pretend to learn, for studies whose `numerics.device` is `pretend`: they take a moment, tell how they
//! go on, and give numbers that mean nothing. The device is in every key, so that what they leave can never pass for the
//! work of a network. With them everything around networks can be tried: queue, devices, retries, curves.

use super::{Inputs, Listener, StageOutput};
use crate::{
    domain::{
        Digest, Fault, Result,
        alteration::Alteration,
        stage::{Extraction, Training, role},
        study::{DeviceClass, Numerics},
    },
    numeric::{Matrix, PhiloxStream, Purpose},
};
use std::time::Duration;

const STEPS_AN_EPOCH: u64 = 10;
const STEP: Duration = Duration::from_millis(2);
const COLUMNS: usize = 8;

pub(super) fn train(training: &Training, listener: &dyn Listener) -> Result<StageOutput> {
    only_pretends(&training.numerics)?;
    let Training { architecture, loss, .. } = training;
    let network = format!("{architecture} {loss} {}", training.pretended.as_deref().unwrap_or("nothing"));
    listener.line(&format!("pretending to train {network} from seed {}", training.seed));
    let mut noise = PhiloxStream::new(training.seed, Purpose::PretendedLoss, 0);
    for step in 0..training.recipe.epochs as u64 * STEPS_AN_EPOCH {
        std::thread::sleep(STEP);
        let progress = step as f64 / STEPS_AN_EPOCH as f64;
        listener.point("loss", step, 2.0 / (1.0 + progress) + 0.1 * noise.uniform());
        if (step + 1).is_multiple_of(STEPS_AN_EPOCH) {
            listener.point("accuracy", step, 1.0 - 1.0 / (2.0 + progress));
            listener.line(&format!("epoch {} of {}", (step + 1) / STEPS_AN_EPOCH, training.recipe.epochs));
        }
    }
    let epochs = training.recipe.epochs;
    let weights = format!("{network} {}\n{}\n{epochs}\n", training.preparation.canonical().digest(), training.seed);
    Ok(StageOutput::default().with(Training::WEIGHTS, weights.into_bytes()).fact("epochs", vec![epochs as f64]))
}

pub(super) fn extract(extraction: &Extraction, inputs: &Inputs, listener: &dyn Listener) -> Result<StageOutput> {
    only_pretends(&extraction.numerics)?;
    let (images, weights) = (inputs.images(role::IMAGES)?, inputs.bytes(Extraction::WEIGHTS)?);
    let mut made = StageOutput::default();
    for layer in &extraction.layers {
        let mut values = Vec::with_capacity(images.len() * COLUMNS);
        for id in images.ids() {
            let altered = extraction.alteration.map_or("", Alteration::word);
            let digest = Digest::of(&[&weights[..], layer.as_bytes(), b"\n", id.as_bytes(), altered.as_bytes()].concat());
            let seed = u64::from_le_bytes(std::array::from_fn(|place| digest.as_bytes()[place]));
            let mut noise = PhiloxStream::new(seed, Purpose::PretendedFeatures, 0);
            values.extend((0..COLUMNS).map(|_| noise.uniform() as f32));
        }
        let features = Matrix::new(images.len(), COLUMNS, values)
            .ok_or_else(|| Fault::unexpected("pretended features have another shape than they should"))?;
        made = made.with_features(layer, &features);
    }
    listener.point("images", 0, images.len() as f64);
    Ok(made)
}

fn only_pretends(numerics: &Numerics) -> Result<()> {
    if numerics.device == DeviceClass::Pretend {
        return Ok(());
    }
    Err(Fault::missing("networks run in visavis-torch, which is not this program"))
}
