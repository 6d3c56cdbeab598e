//! TorchScript modules as they are: pictures in, one array a layer out. What is read must be given by the module: an output of its
//! `forward`, by place or name, or a method of its own. libtorch has no way to what is inside of it.

use crate::feed::Scaler;
use std::{collections::BTreeMap, path::Path};
use tch::{CModule, Device, IValue, Kind, TchError, Tensor};
use visavis_core::{
    domain::{
        Fault, Result,
        study::{Precision, Preparation},
        text::{printable, shorten},
    },
    weights::{
        onnx::Layout,
        torchscript::{self, ScriptModule},
        whole::layout_of_map,
    },
};

/// A module that is ready to run.
pub(crate) struct ScriptNetwork {
    module: CModule,
    about: ScriptModule,
    /// What is read, one a layer.
    reads: Vec<String>,
    layers: Vec<String>,
    scaler: Scaler,
    size: i64,
    /// Pictures at a time.
    batch: usize,
}

/// What libtorch says of a module that it refuses: its first line that is no place in code.
fn refused(doing: &str, error: &TchError) -> Fault {
    let text = error.to_string();
    let says = |line: &&str| {
        !line.trim().is_empty() && !line.starts_with("Traceback") && !line.contains("The following operation failed")
    };
    let errors = text.lines().find(|line| line.contains("Error: ")).or_else(|| text.lines().find(says)).unwrap_or_default();
    Fault::asked(format!("libtorch {doing}: {}", printable(&shorten(errors.trim(), 300))))
        .next("does it run in Python? torch.jit.load(PATH)(pictures); saved on a card, it may need one")
}

impl ScriptNetwork {
    /// Opens a module for pictures that are prepared so, and sees how many it takes at a time: `most`, or one.
    ///
    /// # Errors
    /// A file that is no TorchScript module, one that lacks what is to be read, or that takes no such pictures.
    pub(crate) fn open(
        bytes: &[u8],
        path: &Path,
        layers: &[String],
        reads: &BTreeMap<String, String>,
        preparation: &Preparation,
        device: Device,
        most: usize,
    ) -> Result<Self> {
        let wrong = |fault: Fault| fault.in_file(path);
        let about = torchscript::of_bytes(bytes, path)?;
        let read =
            |layer: &String| reads.get(layer).cloned().ok_or_else(|| Fault::unexpected(format!("nothing is read at {layer}")));
        let reads: Vec<String> = layers.iter().map(read).collect::<Result<_>>()?;
        about.check(layers.iter().map(String::as_str).zip(reads.iter().map(String::as_str))).map_err(wrong)?;
        // Rearranged by what was run before, a module would give other bits.
        tch::jit::set_graph_executor_optimize(false);
        let module = CModule::load_data_on_device(&mut &bytes[..], device);
        let mut module = module.map_err(|error| wrong(refused("refuses the module", &error)))?;
        module.f_set_eval().map_err(|error| wrong(refused("cannot set the module to evaluation", &error)))?;
        let size = preparation.size as i64;
        let scaler = Scaler::new(preparation, Precision::Single, device);
        let mut network = ScriptNetwork { module, about, reads, layers: layers.to_vec(), scaler, size, batch: most };
        // A number of pictures that was traced is written into the module's code.
        let black = |pictures: i64| Tensor::zeros([pictures, 3, size, size], (Kind::Uint8, Device::Cpu));
        match network.tensors(&black(2)) {
            Ok(of_two) => {
                let alone = network.tensors(&black(1)).unwrap_or(of_two);
                let beside = network.tensors(&Tensor::cat(&[black(1), black(1).bitwise_not()], 0)).map_err(wrong)?;
                if alone.iter().zip(&beside).any(|(alone, beside)| differ(&alone.get(0), &beside.get(0))) {
                    let what =
                        "what the module gives for a picture depends on the pictures beside it: it was saved in training mode";
                    return Err(wrong(Fault::asked(what).next("call model.eval() before torch.jit.trace")));
                }
            }
            Err(of_two) => {
                network.batch = 1;
                if let Err(of_one) = network.tensors(&black(1)) {
                    // What it gives is wrong whatever the number, or it takes another number.
                    if of_one.what == of_two.what {
                        return Err(wrong(of_one));
                    }
                    let what =
                        format!("the module takes neither two pictures of {size} × {size} at a time nor one: {}", of_two.what);
                    return Err(wrong(Fault { what, ..of_two }));
                }
            }
        }
        Ok(network)
    }

    /// How many pictures it is given at a time.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    /// What the module gives for pictures of bytes, N × 3 × size × size: N rows a layer. A map becomes the mean over its places.
    ///
    /// # Errors
    /// A module that fails on them, or that gives something else than rows.
    pub(crate) fn layers(&self, pixels: &[u8]) -> Result<Vec<Vec<f32>>> {
        let pixels = Tensor::from_slice(pixels).reshape([-1, 3, self.size, self.size]);
        let numbers = |tensor: &Tensor| {
            let flat = tensor.to_kind(Kind::Float).to_device(Device::Cpu).contiguous().flatten(0, -1);
            Vec::<f32>::try_from(&flat).map_err(|error| Fault::unexpected(error.to_string()))
        };
        self.tensors(&pixels)?.iter().map(numbers).collect()
    }

    /// The same as tensors, N × columns.
    fn tensors(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        tch::no_grad(|| {
            let given = self.scaler.scaled(pixels);
            let pictures = given.size()[0];
            let failed = |error: &TchError| refused("fails on pictures", error);
            let run = |method: Option<&str>| {
                let given = [IValue::Tensor(given.shallow_clone())];
                match method {
                    None => self.module.forward_is(&given),
                    Some(method) => self.module.method_is(method, &given),
                }
            };
            let is_method = |read: &String| self.about.methods.contains(read);
            let forward = match self.reads.iter().all(is_method) {
                true => IValue::None,
                false => run(None).map_err(|error| failed(&error))?,
            };
            let of = |(read, layer): (&String, &String)| {
                let value = match is_method(read) {
                    true => tensor_of(run(Some(read)).map_err(|error| failed(&error))?),
                    false => output(&forward, read),
                };
                let tensor = value.ok_or_else(|| wrong(layer, &format!("`forward` gives no tensor `{}`", printable(read))))?;
                rows(&tensor, pictures).map_err(|why| wrong(layer, &why))
            };
            self.reads.iter().zip(&self.layers).map(of).collect()
        })
    }
}

fn wrong(layer: &str, why: &str) -> Fault {
    Fault::asked(format!("layer `{}`: {why}", printable(layer)))
        .next("let the module give a map (N × C × H × W or N × H × W × C), tokens (N × T × C) or rows (N × C), of floats")
}

/// By more than 1e-2 of the largest value? What libtorch rounds otherwise in another batch, in half precision or on a card, is less.
fn differ(one: &Tensor, other: &Tensor) -> bool {
    if one.size() != other.size() || one.numel() == 0 {
        return one.size() != other.size();
    }
    let most = |tensor: &Tensor| tensor.abs().max().double_value(&[]);
    most(&(one - other)) > 1e-2 * most(one).max(most(other))
}

fn tensor_of(value: IValue) -> Option<Tensor> {
    match value {
        IValue::Tensor(tensor) => Some(tensor),
        _ => None,
    }
}

/// An output of `forward`, by its place or its key.
fn output(forward: &IValue, read: &str) -> Option<Tensor> {
    let tensor = |value: &IValue| match value {
        IValue::Tensor(tensor) => Some(tensor.shallow_clone()),
        _ => None,
    };
    match forward {
        IValue::GenericDict(entries) => entries
            .iter()
            .find_map(|(key, value)| matches!(key, IValue::String(key) if key == read).then(|| tensor(value)).flatten()),
        IValue::Tuple(values) | IValue::GenericList(values) => values.get(read.parse::<usize>().ok()?).and_then(tensor),
        IValue::TensorList(tensors) => tensors.get(read.parse::<usize>().ok()?).map(Tensor::shallow_clone),
        IValue::Tensor(only) if read == "0" => Some(only.shallow_clone()),
        _ => None,
    }
}

/// A layer as rows, one a picture.
fn rows(tensor: &Tensor, pictures: i64) -> std::result::Result<Tensor, String> {
    let shape = tensor.size();
    if !matches!(tensor.kind(), Kind::Float | Kind::Half | Kind::BFloat16 | Kind::Double) {
        return Err("it holds no numbers with a fraction".to_owned());
    }
    if shape.first() != Some(&pictures) {
        return Err(format!("it has the shape {shape:?} for {pictures} pictures: its first axis is not theirs"));
    }
    let tensor = tensor.to_kind(Kind::Float);
    match shape.len() {
        1 => Ok(tensor.unsqueeze(1)),
        2 => Ok(tensor),
        3 => Ok(tensor.mean_dim([1i64].as_slice(), false, Kind::Float)),
        4 => {
            let places = match layout_of_map([1, 2, 3].map(|axis| shape[axis] as usize)).map_err(|fault| fault.what)? {
                Layout::ChannelsFirst => [2i64, 3],
                Layout::ChannelsLast => [1, 2],
            };
            Ok(tensor.mean_dim(places.as_slice(), false, Kind::Float))
        }
        _ => Err(format!("it has the shape {shape:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::study::{Crop, PixelScale};

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/whole").join(name)
    }

    fn open(name: &str, reads: &[(&str, &str)]) -> Result<ScriptNetwork> {
        let layers: Vec<String> = reads.iter().map(|(layer, _)| (*layer).to_owned()).collect();
        let reads = reads.iter().map(|(layer, read)| ((*layer).to_owned(), (*read).to_owned())).collect();
        let preparation = Preparation { scale: PixelScale::Symmetric, ..Preparation::of(Crop::Whole, 16) };
        let bytes = std::fs::read(fixture(name)).unwrap();
        ScriptNetwork::open(&bytes, &fixture(name), &layers, &reads, &preparation, Device::Cpu, 32)
    }

    /// The pictures of `make.py`.
    fn pixels() -> Vec<u8> {
        (0..3 * 3 * 16 * 16u64).map(|place| ((7 * place * place + 13 * place) / 5 % 256) as u8).collect()
    }

    #[test]
    fn outputs_by_place_by_name_and_by_method_are_what_pytorch_gives() {
        let answers: serde_json::Value = serde_json::from_slice(&std::fs::read(fixture("answers.json")).unwrap()).unwrap();
        let expected = |layer: &str| -> Vec<f64> {
            let rows = answers["faces.onnx"]["torch"][layer].as_array().unwrap();
            rows.iter().flat_map(|row| row.as_array().unwrap().iter().map(|value| value.as_f64().unwrap())).collect()
        };
        /// Layers, and what each is read at.
        type Reads = &'static [(&'static str, &'static str)];
        let modules: [(&str, Reads, usize); 4] = [
            ("tuple.pt", &[("layer1", "0"), ("layer2", "1"), ("embedding", "2")], 32),
            ("dict.pt", &[("layer1", "layer1"), ("layer2", "tap_layer2"), ("embedding", "embedding")], 32),
            ("methods.pt", &[("layer1", "tap_layer1"), ("layer2", "tap_layer2"), ("embedding", "0")], 32),
            ("fixed.pt", &[("embedding", "0")], 1),
        ];
        for (file, reads, batch) in modules {
            let network = open(file, reads).unwrap();
            assert_eq!(network.batch(), batch, "{file}");
            let mut layers: Vec<Vec<f32>> = vec![vec![]; reads.len()];
            for part in pixels().chunks(batch * 3 * 16 * 16) {
                network.layers(part).unwrap().into_iter().zip(&mut layers).for_each(|(values, layer)| layer.extend(values));
            }
            for ((layer, _), values) in reads.iter().zip(&layers) {
                let expected = expected(layer);
                assert_eq!(values.len(), expected.len(), "{file} {layer}");
                let largest = expected.iter().fold(0.0f64, |most, value| most.max(value.abs()));
                let apart = values.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
                assert!(apart <= 1e-5 * largest, "{file} {layer}: {apart} of {largest}");
            }
        }
    }

    #[test]
    fn the_places_of_a_map_are_its_square_axes() {
        let numbers = Tensor::arange(90i64, (Kind::Float, Device::Cpu)).reshape([2, 5, 3, 3]);
        let first = rows(&numbers, 2).unwrap();
        let last = rows(&numbers.permute([0, 2, 3, 1]), 2).unwrap();
        assert_eq!(first.size(), [2, 5]);
        assert!(!differ(&first, &last));
        assert!(rows(&numbers.reshape([2, 5, 9, 1]), 2).unwrap_err().contains("not square"));
    }

    #[test]
    fn a_module_that_was_traced_in_training_mode_is_refused() {
        let told = open("training.pt", &[("embedding", "0")]).err().expect("it is refused").to_string();
        assert!(told.contains("depends on the pictures beside it") && told.contains("model.eval()"), "{told}");
    }

    #[test]
    fn what_a_module_does_not_give_is_refused_with_the_reason() {
        let told = |file: &str, reads: &[(&str, &str)]| open(file, reads).err().expect("it is refused").to_string();
        assert!(told("tuple.pt", &[("layer9", "3")]).contains("has no output 3"));
        assert!(told("methods.pt", &[("layer1", "tap_layer9")]).contains("did you mean `tap_layer1`?"));
        let key = told("dict.pt", &[("layer1", "layer9")]);
        assert!(key.contains("layer `layer1`") && key.contains("`layer9`") && key.contains("dict.pt"), "{key}");
        assert!(told("residual.onnx", &[("embedding", "0")]).contains("not a TorchScript module: the file is an ONNX model"));
    }
}
