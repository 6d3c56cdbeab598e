//! Features: what a network gives for every image, at all layers in one pass.

use crate::{
    feed::Scaler,
    network::{Mode, TorchNetwork},
    parameters::Parameters,
};
use std::sync::Arc;
use tch::{Device, Kind, Tensor};
use visavis_core::{
    dataset::{Album, Loader},
    domain::{
        Fault, Result,
        stage::{Extraction, WEIGHTS_PREFIX, role},
    },
    numeric::Matrix,
    stages::{Inputs, Listener, Outcome, StageOutput, because},
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
    let reader = FeatureReader::open(of, inputs, device, listener).map_err(because)?;
    let album = Arc::new(inputs.album(role::IMAGES, &of.preparation).map_err(because)?);
    reader.read(&album, threads, listener).map_err(because)
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
        let order: Vec<usize> = (0..album.images.len()).collect();
        let size = self.of.preparation.size as i64;
        let mut columns: Vec<Vec<f32>> = vec![vec![]; self.of.layers.len()];
        let (mut done, mut turned) = (0, 0);
        for batch in Loader::start(album, &order, BATCH, threads) {
            let batch = batch?;
            let pixels = Tensor::from_slice(&batch.pixels).reshape([-1, 3, size, size]);
            let layers = tch::no_grad(|| self.network.layers(&self.scaler.scaled(&pixels), Mode::IsRead));
            let layers: Vec<Vec<f32>> = layers.iter().map(numbers).collect();
            for (column, layer) in columns.iter_mut().zip(&self.of.layers) {
                let place = self.network.layer_names().iter().position(|known| known == layer);
                column.extend(&layers[place.ok_or_else(|| Fault::asked(format!("a network has no layer `{layer}`")))?]);
            }
            done += batch.places.len();
            turned += batch.turned;
            listener.point("images", done as u64, done as f64);
        }
        let mut made = StageOutput::default().turned(turned, listener);
        if !self.prefix.is_empty() {
            made = made.fact(&format!("{WEIGHTS_PREFIX}{}", self.prefix), vec![1.0]);
        }
        for (layer, values) in self.of.layers.iter().zip(columns) {
            let wide = values.len() / order.len().max(1);
            if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                let image = &album.images.0[place / wide].0;
                return Err(Fault::failed(format!("the features of the image {image} at {layer} are no numbers")));
            }
            let matrix = Matrix::new(order.len(), wide, values);
            let matrix = matrix.ok_or_else(|| Fault::unexpected("features of another shape than they should be"))?;
            made = made.with_features(layer, &matrix);
        }
        Ok(made)
    }
}

fn numbers(layer: &Tensor) -> Vec<f32> {
    let flat = layer.to_kind(Kind::Float).to_device(Device::Cpu).contiguous().flatten(0, -1);
    Vec::<f32>::try_from(&flat).expect("a flat tensor of single precision on the processor")
}
