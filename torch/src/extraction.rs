//! Features: what a network gives for every image, at all layers in one pass.

use crate::{
    feed::Scaler,
    network::{Mode, TorchNetwork},
    parameters::Parameters,
    script::ScriptNetwork,
};
use std::sync::Arc;
use tch::{Device, Kind, Tensor};
use visavis_core::{
    dataset::Album,
    domain::{
        Fault, Result,
        model::ModelFormat,
        stage::{Extraction, WEIGHTS_PREFIX, WholeNetwork},
    },
    stages::{Inputs, Listener, Outcome, StageOutput, because, read_features},
    weights,
};

/// Pictures at a time.
const BATCH: usize = 32;

/// A network that is ready to be read.
pub struct FeatureReader<'a> {
    of: &'a Extraction,
    network: TorchNetwork,
    scaler: Scaler,
    /// What the names of the weights begin with in their file.
    prefix: String,
}

/// Features of the task's images.
///
/// # Errors
/// Weights that do not fit, pictures that cannot be read, features that are no numbers.
pub fn extract(
    of: &Extraction,
    inputs: &Inputs,
    device: Device,
    threads: usize,
    listener: &dyn Listener,
) -> Outcome<StageOutput> {
    if let Some(whole) = &of.whole {
        return of_script(of, whole, inputs, device, threads, listener).map_err(because);
    }
    let reader = FeatureReader::open(of, inputs, device, listener).map_err(because)?;
    let album = Arc::new(inputs.album_of(of).map_err(because)?);
    reader.read(&album, threads, listener).map_err(because)
}

/// The same of a TorchScript module.
fn of_script(
    of: &Extraction,
    whole: &WholeNetwork,
    inputs: &Inputs,
    device: Device,
    threads: usize,
    listener: &dyn Listener,
) -> Result<StageOutput> {
    if whole.format != ModelFormat::TorchScript {
        return Err(Fault::unexpected(format!("a network of the format {} came to visavis-torch", whole.format)));
    }
    let path = inputs.path(Extraction::WEIGHTS)?;
    let bytes = inputs.bytes(Extraction::WEIGHTS)?;
    let network = ScriptNetwork::open(&bytes, &path, &of.layers, &whole.reads, &of.preparation, device, BATCH)?;
    if network.batch() == 1 {
        listener.line("the module was traced with one picture, and takes one at a time");
    }
    let album = Arc::new(inputs.album_of(of)?);
    let features = read_features(&album, &of.layers, of.embedding, network.batch(), threads, listener, |batch| {
        network.layers(&batch.pixels).map_err(|fault| if fault.place.is_none() { fault.in_file(&path) } else { fault })
    });
    Ok(features?.fact("pictures_at_a_time", vec![network.batch() as f64]))
}

impl<'a> FeatureReader<'a> {
    /// # Errors
    /// Weights that do not fit.
    pub fn open(of: &'a Extraction, inputs: &Inputs, device: Device, listener: &dyn Listener) -> Result<Self> {
        let mut prefix = String::new();
        let parameters = match of.untrained {
            Some(seed) => Parameters::draw(&of.architecture, &of.family, seed, device)?,
            None => {
                let strict = weights::read(
                    &inputs.bytes(Extraction::WEIGHTS)?,
                    &inputs.path(Extraction::WEIGHTS)?,
                    &of.architecture,
                    &of.family,
                )?;
                strict.remarks.iter().for_each(|remark| listener.line(remark));
                prefix = strict.prefix;
                Parameters::of(&strict.tensors, device)
            }
        };
        let network = TorchNetwork::new(&of.architecture, &of.family, &parameters)?.folded();
        let scaler = Scaler::new(&of.preparation, of.numerics.precision, device);
        Ok(FeatureReader { of, network, scaler, prefix })
    }

    /// What the network gives for the pictures, one array a layer; the next are loaded while it works on some.
    ///
    /// # Errors
    /// Pictures that cannot be read, features that are no numbers.
    pub fn read(&self, album: &Arc<Album>, threads: usize, listener: &dyn Listener) -> Result<StageOutput> {
        let size = self.of.preparation.size as i64;
        let known = self.network.layer_names();
        let place = |layer: &String| known.iter().position(|known| known == layer);
        let places = self
            .of
            .layers
            .iter()
            .map(|layer| place(layer).ok_or_else(|| Fault::asked(format!("a network has no layer `{layer}`"))));
        let places: Vec<usize> = places.collect::<Result<_>>()?;
        let mut made = read_features(album, &self.of.layers, self.of.embedding, BATCH, threads, listener, |batch| {
            let pixels = Tensor::from_slice(&batch.pixels).reshape([-1, 3, size, size]);
            let layers = tch::no_grad(|| self.network.layers(&self.scaler.scaled(&pixels), Mode::IsRead));
            let mut layers: Vec<Vec<f32>> = layers.iter().map(numbers).collect();
            Ok(places.iter().map(|&place| std::mem::take(&mut layers[place])).collect())
        })?;
        if !self.prefix.is_empty() {
            made = made.fact(&format!("{WEIGHTS_PREFIX}{}", self.prefix), vec![1.0]);
        }
        Ok(made)
    }
}

fn numbers(layer: &Tensor) -> Vec<f32> {
    let flat = layer.to_kind(Kind::Float).to_device(Device::Cpu).contiguous().flatten(0, -1);
    Vec::<f32>::try_from(&flat).expect("a flat tensor of single precision on the processor")
}
