//! A model that is ready to run: pictures in, one array a layer out.

use crate::library;
use half::f16;
use ort::{
    session::{Session, builder::GraphOptimizationLevel},
    value::{DynValue, TensorElementType, TensorRef},
};
use std::{borrow::Cow, collections::BTreeMap, path::Path, sync::Arc};
use visavis_core::{
    dataset::prepare::Scale,
    domain::{
        Fault, Result,
        stage::ONNXRUNTIME,
        study::Preparation,
        text::{printable, shorten},
    },
    weights::{
        onnx::{self, Layout, PictureInput},
        whole::layout_of_map,
    },
};

/// A model's session and what it is read at.
pub struct OnnxNetwork {
    session: Session,
    input: PictureInput,
    /// The tensors that are read, one a layer.
    tensors: Vec<String>,
    layers: Vec<String>,
    size: usize,
    scale: [(f32, f32); 3],
}

/// What a model is, and what is to be read of it.
pub struct OnnxSource<'a> {
    /// The bytes of the model's file.
    pub bytes: Vec<u8>,
    /// Bytes of files beside it that hold its weights, by the names that it has for them.
    pub beside: Vec<(String, Vec<u8>)>,
    /// The file, for messages.
    pub path: &'a Path,
    /// The layers, in the order in which they are given.
    pub layers: &'a [String],
    /// Layer → tensor or node.
    pub reads: &'a BTreeMap<String, String>,
}

/// What onnxruntime refuses of a model is wrong with the model.
fn refused(doing: &str, message: &str, path: &Path) -> Fault {
    let line = message.lines().next().unwrap_or_default();
    let lacks = [
        "NOT_IMPLEMENTED",
        "Could not find an implementation",
        "is not a registered function",
        "Unrecognized",
        "No Op registered",
    ];
    let next = if lacks.iter().any(|words| message.contains(words)) {
        "the library lacks an operator of the model: export it with ONNX's own operators, or a lower opset"
    } else {
        "does it run in Python? onnx.checker.check_model(PATH) says more"
    };
    Fault::asked(format!("onnxruntime {ONNXRUNTIME} {doing}: {}", printable(&shorten(line, 400)))).in_file(path).next(next)
}

impl OnnxNetwork {
    /// Opens a model for pictures that are prepared so.
    ///
    /// # Errors
    /// No onnxruntime of the right version; a model that does not take these pictures, lacks a layer, or that the library refuses.
    pub fn open(source: OnnxSource, preparation: &Preparation, threads: usize) -> Result<Self> {
        let OnnxSource { bytes, beside, path, layers, reads } = source;
        let model = onnx::of_bytes(&bytes, path)?;
        if let Some(absent) = model.external.iter().find(|name| beside.iter().all(|(there, _)| there != *name)) {
            let what = format!("the model has weights in `{}`, which is not here", printable(&shorten(absent, 120)));
            return Err(Fault::missing(what).in_file(path).next("copy that file beside the model"));
        }
        let read = |layer: &String| reads.get(layer).ok_or_else(|| Fault::unexpected(format!("nothing is read at {layer}")));
        let reads: Vec<&String> = layers.iter().map(read).collect::<Result<_>>()?;
        let at = |fault: Fault| fault.in_file(path);
        model
            .check(preparation.size, layers.iter().zip(&reads).map(|(layer, read)| (layer.as_str(), read.as_str())))
            .map_err(at)?;
        let input = model.picture_input().map_err(at)?;
        let tensors: Vec<String> = reads.iter().map(|read| model.tensor(read).map(str::to_owned)).collect::<Result<_>>()?;
        let mut added: Vec<&str> = tensors.iter().map(String::as_str).collect();
        added.retain(|name| model.outputs.iter().all(|output| output.name != *name));
        added.sort_unstable();
        added.dedup();
        let bytes = onnx::with_outputs(bytes, added);
        let environment = library::open()?;
        let wrong = |message: &str| refused("cannot be set up", message, path);
        let mut builder = Session::builder(&environment)
            .map_err(|error| wrong(error.message()))?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(|error| wrong(error.message()))?
            .with_intra_threads(threads)
            .map_err(|error| wrong(error.message()))?
            .with_inter_threads(1)
            .map_err(|error| wrong(error.message()))?
            // Threads that wait by spinning slow down whoever else has work, loaders among them.
            .with_intra_op_spinning(false)
            .map_err(|error| wrong(error.message()))?;
        for (name, bytes) in beside {
            let bytes: Arc<[u8]> = bytes.into();
            builder = builder.with_external_initializer_file_in_memory(&name, bytes).map_err(|error| wrong(error.message()))?;
        }
        let session = builder.commit_from_memory(&bytes).map_err(|error| refused("refuses the model", error.message(), path))?;
        let (size, scale) = (preparation.size, Scale::of(preparation).linear());
        Ok(OnnxNetwork { session, input, tensors, layers: layers.to_vec(), size, scale })
    }

    /// How many pictures it takes at a time, where it takes no other number.
    pub fn batch(&self) -> Option<usize> {
        self.input.batch
    }

    /// What the model gives for pictures of bytes, N × 3 × size × size: N rows a layer. A map becomes the mean over its places.
    ///
    /// # Errors
    /// A model that fails on them, or that gives something else than rows.
    pub fn layers(&mut self, pixels: &[u8]) -> Result<Vec<Vec<f32>>> {
        let numbers = 3 * self.size * self.size;
        let rows = pixels.len() / numbers.max(1);
        // Where it takes a number of pictures only, the last are filled up with zeros and what these give is left out.
        let given = self.input.batch.unwrap_or(rows).max(rows);
        let mut prepared = self.prepared(pixels);
        prepared.resize(given * numbers, 0.0);
        let [wide, high] = [self.size; 2];
        let shape = match self.input.layout {
            Layout::ChannelsFirst => [given, 3, high, wide],
            Layout::ChannelsLast => [given, high, wide, 3],
        };
        let failed = |message: &str| refused("fails on pictures", message, Path::new(""));
        let half: Vec<f16>;
        let outputs = if self.input.is_half {
            half = prepared.iter().map(|value| f16::from_f32(*value)).collect();
            let tensor = TensorRef::from_array_view((shape, &half[..])).map_err(|error| failed(error.message()))?;
            self.session.run(ort::inputs![self.input.name.as_str() => tensor])
        } else {
            let tensor = TensorRef::from_array_view((shape, &prepared[..])).map_err(|error| failed(error.message()))?;
            self.session.run(ort::inputs![self.input.name.as_str() => tensor])
        };
        let outputs = outputs.map_err(|error| {
            let mut fault = failed(error.message());
            fault.place = None;
            fault
        })?;
        let layers = self.tensors.iter().zip(&self.layers).map(|(tensor, layer)| {
            let value = outputs.get(tensor).ok_or_else(|| Fault::unexpected(format!("the model gave nothing at {layer}")))?;
            let mut values = rows_of(value, given).map_err(|mut fault| {
                fault.what = format!("layer `{layer}`: {}", fault.what);
                fault
            })?;
            values.truncate(values.len() / given.max(1) * rows);
            Ok(values)
        });
        layers.collect()
    }

    /// Pictures of bytes as the model is given them.
    fn prepared(&self, pixels: &[u8]) -> Vec<f32> {
        let places = self.size * self.size;
        let scaled = |channel: usize, value: u8| {
            let (factor, offset) = self.scale[channel];
            f32::from(value) * factor + offset
        };
        let mut prepared = Vec::with_capacity(pixels.len());
        for picture in pixels.chunks_exact(3 * places) {
            match self.input.layout {
                Layout::ChannelsFirst => {
                    for (channel, plane) in picture.chunks_exact(places).enumerate() {
                        prepared.extend(plane.iter().map(|value| scaled(channel, *value)));
                    }
                }
                Layout::ChannelsLast => {
                    let numbers = (0..places).flat_map(|place| (0..3).map(move |channel| (channel, channel * places + place)));
                    prepared.extend(numbers.map(|(channel, at)| scaled(channel, picture[at])));
                }
            }
        }
        prepared
    }
}

const READ_ANOTHER: &str =
    "read another tensor: a map (N × C × H × W or N × H × W × C), tokens (N × T × C) or rows (N × C), of floats";

/// A tensor as rows, one a picture.
fn rows_of(value: &DynValue, pictures: usize) -> Result<Vec<f32>> {
    let wrong = |what: String| Fault::asked(what).next(READ_ANOTHER);
    let element = value.dtype().tensor_type();
    let (shape, numbers): (Vec<i64>, Cow<[f32]>) = match element {
        Some(TensorElementType::Float32) => {
            let (shape, numbers) = value.try_extract_tensor::<f32>().map_err(|error| wrong(error.message().to_owned()))?;
            (shape.to_vec(), Cow::Borrowed(numbers))
        }
        Some(TensorElementType::Float16) => {
            let (shape, numbers) = value.try_extract_tensor::<f16>().map_err(|error| wrong(error.message().to_owned()))?;
            (shape.to_vec(), numbers.iter().map(|number| number.to_f32()).collect::<Vec<f32>>().into())
        }
        Some(TensorElementType::Float64) => {
            let (shape, numbers) = value.try_extract_tensor::<f64>().map_err(|error| wrong(error.message().to_owned()))?;
            (shape.to_vec(), numbers.iter().map(|number| *number as f32).collect::<Vec<f32>>().into())
        }
        _ => return Err(wrong("it holds no numbers with a fraction".to_owned())),
    };
    if shape.first() != Some(&(pictures as i64)) {
        return Err(wrong(format!("it has the shape {shape:?} for {pictures} pictures: its first axis is not theirs")));
    }
    let sizes: Vec<usize> = shape[1..].iter().map(|size| *size as usize).collect();
    pooled(numbers, &sizes).map_err(|fault| wrong(fault.what))
}

/// Numbers of pictures that have these sizes each, as rows: means over places, or over tokens.
fn pooled(numbers: Cow<[f32]>, sizes: &[usize]) -> Result<Vec<f32>> {
    match *sizes {
        [] | [_] => Ok(numbers.into_owned()),
        [tokens, columns] => Ok(means(&numbers, tokens, columns, |column, token, _| token * columns + column)),
        [first, second, third] => Ok(match layout_of_map([first, second, third])? {
            Layout::ChannelsFirst => means(&numbers, second * third, first, |channel, place, places| channel * places + place),
            Layout::ChannelsLast => means(&numbers, first * second, third, |channel, place, _| place * third + channel),
        }),
        _ => Err(Fault::asked(format!("it has {} axes beside the pictures'", sizes.len()))),
    }
}

/// Columns that are summed at a time: additions of one column wait for each other, those of several do not.
const LANES: usize = 8;

/// The mean of each column over the places of a picture, summed in double precision, in order.
fn means(numbers: &[f32], places: usize, columns: usize, at: impl Fn(usize, usize, usize) -> usize) -> Vec<f32> {
    let mean = |sum: f64| (sum / places as f64) as f32;
    let mut means = Vec::with_capacity(numbers.len() / places.max(1));
    for picture in numbers.chunks_exact((places * columns).max(1)) {
        let number = |column: usize, place: usize| f64::from(picture[at(column, place, places)]);
        let whole = columns / LANES * LANES;
        for first in (0..whole).step_by(LANES) {
            let mut sums = [0.0; LANES];
            for place in 0..places {
                for (lane, sum) in sums.iter_mut().enumerate() {
                    *sum += number(first + lane, place);
                }
            }
            means.extend(sums.map(mean));
        }
        means.extend((whole..columns).map(|column| mean((0..places).map(|place| number(column, place)).sum())));
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_becomes_the_mean_over_its_places_and_tokens_likewise() {
        // Two pictures of two channels of two places.
        let numbers = [1.0, 3.0, 10.0, 20.0, 5.0, 5.0, 0.0, 1.0];
        assert_eq!(means(&numbers, 2, 2, |column, place, places| column * places + place), [2.0, 15.0, 5.0, 0.5]);
        assert_eq!(means(&numbers, 2, 2, |column, token, _| token * 2 + column), [5.5, 11.5, 2.5, 3.0]);
    }

    #[test]
    fn a_map_with_channels_last_has_a_column_a_channel_too() {
        // Three channels at four places.
        let value = |channel: usize, place: usize| (channel * 10 + place) as f32;
        let first: Vec<f32> = (0..12).map(|at| value(at / 4, at % 4)).collect();
        let last: Vec<f32> = (0..12).map(|at| value(at % 3, at / 3)).collect();
        for (numbers, sizes) in [(&first, [3, 2, 2]), (&last, [2, 2, 3])] {
            assert_eq!(pooled(numbers.into(), &sizes).unwrap(), [1.5, 11.5, 21.5], "{sizes:?}");
        }
        assert_eq!(pooled((&first).into(), &[12, 1, 1]).unwrap(), first);
        assert_eq!(pooled((&first).into(), &[1, 1, 12]).unwrap(), first);
        assert!(pooled((&first).into(), &[2, 6, 1]).unwrap_err().what.contains("not square"));
    }

    #[test]
    fn an_operator_that_is_lacking_is_told_apart_from_other_refusals() {
        let told = |message: &str| refused("refuses the model", message, Path::new("m.onnx")).to_string();
        assert!(told("NOT_IMPLEMENTED : Could not find an implementation for Foo(1)\nmore").contains("lacks an operator"));
        assert!(told("Invalid model").contains("check_model") && !told("first\nsecond").contains("second"));
    }
}
