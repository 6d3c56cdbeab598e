//! Networks: what `visavis_core::weights` describes, operation by operation, carried out by libtorch.

use crate::parameters::Parameters;
use tch::{Kind, Tensor};
use visavis_core::{
    domain::{
        Result,
        model::{Architecture, WeightFamily},
    },
    weights::{self, Convolution, Normalisation, Operation},
};

/// What batch normalisations weigh a new mean with in training; PyTorch's.
const MOMENTUM: f64 = 0.1;

/// A network with its tensors.
pub struct TorchNetwork {
    operations: Vec<TorchOperation>,
    layers: Vec<&'static str>,
}

/// An [`Operation`] with its tensors.
enum TorchOperation {
    Convolution(TorchConvolution),
    Normalisation(TorchNormalisation),
    Relu,
    Prelu(Tensor),
    MaxPool { size: i64, stride: i64, padding: i64, partial: bool },
    Excitation { reduce: TorchConvolution, expand: TorchConvolution },
    Residual { body: Vec<TorchOperation>, shortcut: Vec<TorchOperation> },
    Branches(Vec<Vec<TorchOperation>>),
    Times(f64),
    GlobalMean,
    Flatten,
    Linear { weight: Tensor, bias: Option<Tensor> },
    UnitVector,
    Layer,
}

struct TorchConvolution {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: i64,
    padding: [i64; 2],
}

struct TorchNormalisation {
    /// Neither is there unless it is affine.
    scale: Option<Tensor>,
    shift: Option<Tensor>,
    mean: Tensor,
    variance: Tensor,
    epsilon: f64,
}

/// Does the network learn, or is it read?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Learns,
    IsRead,
}

impl TorchNetwork {
    /// Built of the parameters, which it shares.
    ///
    /// # Errors
    /// An architecture that is not built here.
    pub fn new(architecture: &Architecture, family: &WeightFamily, parameters: &Parameters) -> Result<Self> {
        let description = weights::describe(architecture, family)?;
        Ok(TorchNetwork { operations: built(description.operations(), parameters), layers: description.layers() })
    }

    /// The same network for reading alone: normalisations become part of the convolutions before them, which saves a pass over
    /// every map.
    #[must_use]
    pub fn folded(self) -> Self {
        TorchNetwork { operations: folded(self.operations), layers: self.layers }
    }

    /// Names of its layers, in order of depth.
    pub fn layer_names(&self) -> &[&'static str] {
        &self.layers
    }

    /// N × 3 × H × W → what each layer gives, N × columns: of a map the mean of each channel.
    pub fn layers(&self, images: &Tensor, mode: Mode) -> Vec<Tensor> {
        let mut layers = Vec::with_capacity(self.layers.len());
        let _last = run(&self.operations, images, mode, &mut layers);
        layers
    }

    /// N × 3 × H × W → the last layer, N × columns.
    pub fn embedding(&self, images: &Tensor, mode: Mode) -> Tensor {
        self.layers(images, mode).pop().expect("the last layer of a network is its embedding")
    }
}

/// The operations with their tensors.
fn built(operations: &[Operation], parameters: &Parameters) -> Vec<TorchOperation> {
    let tensor = |name: &str, part: &str| parameters.get(&format!("{name}.{part}"));
    let convolution = |Convolution { name, stride, padding, bias, .. }: &Convolution| TorchConvolution {
        weight: tensor(name, "weight"),
        bias: bias.then(|| tensor(name, "bias")),
        stride: *stride as i64,
        padding: padding.map(|places| places as i64),
    };
    let operation = |operation: &Operation| match operation {
        Operation::Convolution(of) => TorchOperation::Convolution(convolution(of)),
        Operation::Normalisation(Normalisation { name, epsilon, affine, .. }) => {
            TorchOperation::Normalisation(TorchNormalisation {
                scale: affine.then(|| tensor(name, "weight")),
                shift: affine.then(|| tensor(name, "bias")),
                mean: tensor(name, "running_mean"),
                variance: tensor(name, "running_var"),
                epsilon: *epsilon,
            })
        }
        Operation::Relu => TorchOperation::Relu,
        Operation::Prelu { name, .. } => TorchOperation::Prelu(tensor(name, "weight")),
        Operation::MaxPool { size, stride, padding, partial } => {
            TorchOperation::MaxPool { size: *size as i64, stride: *stride as i64, padding: *padding as i64, partial: *partial }
        }
        Operation::Excitation { reduce, expand } => {
            TorchOperation::Excitation { reduce: convolution(reduce), expand: convolution(expand) }
        }
        Operation::Residual { body, shortcut } => {
            TorchOperation::Residual { body: built(body, parameters), shortcut: built(shortcut, parameters) }
        }
        Operation::Branches(branches) => {
            TorchOperation::Branches(branches.iter().map(|branch| built(branch, parameters)).collect())
        }
        Operation::Times(factor) => TorchOperation::Times(*factor),
        Operation::GlobalMean => TorchOperation::GlobalMean,
        Operation::Flatten => TorchOperation::Flatten,
        Operation::Linear { name, bias, .. } => {
            TorchOperation::Linear { weight: tensor(name, "weight"), bias: bias.then(|| tensor(name, "bias")) }
        }
        Operation::UnitVector => TorchOperation::UnitVector,
        Operation::Layer(_) => TorchOperation::Layer,
    };
    operations.iter().map(operation).collect()
}

/// Each convolution that a normalisation follows takes it in.
fn folded(operations: Vec<TorchOperation>) -> Vec<TorchOperation> {
    let mut done: Vec<TorchOperation> = Vec::with_capacity(operations.len());
    for operation in operations {
        match (done.pop(), operation) {
            (Some(TorchOperation::Convolution(before)), TorchOperation::Normalisation(of)) => {
                done.push(TorchOperation::Convolution(before.with(&of)));
            }
            (before, operation) => {
                done.extend(before);
                done.push(match operation {
                    TorchOperation::Residual { body, shortcut } => {
                        TorchOperation::Residual { body: folded(body), shortcut: folded(shortcut) }
                    }
                    TorchOperation::Branches(branches) => TorchOperation::Branches(branches.into_iter().map(folded).collect()),
                    other => other,
                });
            }
        }
    }
    done
}

/// What the operations make of maps or vectors; what layers give joins `layers`.
fn run(operations: &[TorchOperation], input: &Tensor, mode: Mode, layers: &mut Vec<Tensor>) -> Tensor {
    let mut x = input.shallow_clone();
    for (place, operation) in operations.iter().enumerate() {
        x = match operation {
            TorchOperation::Convolution(of) => of.of(&x),
            TorchOperation::Normalisation(of) => of.of(&x, mode),
            // What comes from outside, or is a layer, is used again there.
            TorchOperation::Relu if place == 0 || matches!(operations[place - 1], TorchOperation::Layer) => x.relu(),
            TorchOperation::Relu => x.relu_(),
            TorchOperation::Prelu(slopes) => x.prelu(&slopes.to_kind(x.kind())),
            TorchOperation::MaxPool { size, stride, padding, partial } => {
                x.max_pool2d([*size; 2], [*stride; 2], [*padding; 2], [1, 1], *partial)
            }
            TorchOperation::Excitation { reduce, expand } => {
                let means = x.mean_dim(&[2i64, 3][..], true, x.kind());
                let factors = expand.of(&reduce.of(&means).relu_()).sigmoid();
                x * factors
            }
            TorchOperation::Residual { body, shortcut } => {
                let body = run(body, &x, mode, layers);
                body + run(shortcut, &x, mode, layers)
            }
            TorchOperation::Branches(branches) => {
                let maps: Vec<Tensor> = branches.iter().map(|branch| run(branch, &x, mode, layers)).collect();
                Tensor::cat(&maps, 1)
            }
            TorchOperation::Times(factor) => x * *factor,
            TorchOperation::GlobalMean => means(&x),
            TorchOperation::Flatten => x.to_kind(Kind::Float).flatten(1, -1),
            TorchOperation::Linear { weight, bias } => x.linear(weight, bias.as_ref()),
            // A vector of zeros stays one.
            TorchOperation::UnitVector => &x / x.norm_scalaropt_dim(2, [1i64], true).clamp_min(1e-12),
            TorchOperation::Layer => {
                layers.push(if x.dim() == 4 { means(&x) } else { x.shallow_clone() });
                x
            }
        };
    }
    x
}

/// N × channels: the mean of each channel of a map, in single precision.
fn means(maps: &Tensor) -> Tensor {
    maps.mean_dim(&[2i64, 3][..], false, Kind::Float)
}

impl TorchConvolution {
    /// Weights are kept in single precision and cast to that of the maps: autocast's precision cannot be set from here.
    fn of(&self, x: &Tensor) -> Tensor {
        let bias = self.bias.as_ref().map(|bias| bias.to_kind(x.kind()));
        x.conv2d(&self.weight.to_kind(x.kind()), bias.as_ref(), [self.stride; 2], self.padding, [1, 1], 1)
    }

    /// The convolution with a normalisation behind it, as one convolution: w ← w · γ/√(σ² + ε), b ← β + (b − μ) · γ/√(σ² + ε), in double
    /// precision.
    fn with(self, TorchNormalisation { scale, shift, mean, variance, epsilon }: &TorchNormalisation) -> Self {
        tch::no_grad(|| {
            let double = |tensor: &Tensor| tensor.to_kind(Kind::Double);
            let deviation = (double(variance) + *epsilon).sqrt();
            let factor = scale.as_ref().map_or_else(|| deviation.reciprocal(), |scale| double(scale) / &deviation);
            let weight = (double(&self.weight) * factor.reshape([-1, 1, 1, 1])).to_kind(Kind::Float);
            let mean = match &self.bias {
                Some(bias) => double(mean) - double(bias),
                None => double(mean),
            };
            let moved = mean * &factor;
            let bias = shift.as_ref().map_or_else(|| moved.neg(), |shift| double(shift) - &moved).to_kind(Kind::Float);
            TorchConvolution { weight, bias: Some(bias), ..self }
        })
    }
}

impl TorchNormalisation {
    fn of(&self, x: &Tensor, mode: Mode) -> Tensor {
        let TorchNormalisation { scale, shift, mean, variance, epsilon } = self;
        let cudnn = matches!(x.device(), tch::Device::Cuda(_));
        x.batch_norm(scale.as_ref(), shift.as_ref(), Some(mean), Some(variance), mode == Mode::Learns, MOMENTUM, *epsilon, cudnn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tch::Device;
    use visavis_core::{
        domain::{
            embedding::{EmbeddingForm, Flip, Norm},
            model::Architecture,
        },
        weights::{Role, TensorEntry, families::FAMILIES, layout},
    };

    /// So many numbers of a layer are in the file of answers: of more, every second, third, … one.
    const KEPT: usize = 64;

    /// The numbers that `tests/fixtures/torch/make.py` gives a name.
    fn numbers(name: &str, count: usize) -> Vec<f64> {
        let hash =
            name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let mixed = |place: u64| {
            let x = hash.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((x ^ x >> 31) >> 40) as f64 / 8_388_608.0 - 1.0
        };
        (0..count as u64).map(mixed).collect()
    }

    fn filled(TensorEntry { name, shape, role }: TensorEntry) -> (String, weights::Tensor) {
        let spread =
            |by: f64, middle: f64| numbers(&name, shape.iter().product()).into_iter().map(|u| (middle + by * u) as f32).collect();
        let values = match role {
            Role::RunningVariance => spread(0.5, 1.0),
            Role::RunningMean | Role::Bias | Role::Shift => spread(0.1, 0.0),
            Role::Scale => spread(0.2, 1.0),
            Role::Slope => spread(0.2, 0.25),
            // As in `make.py`: small where excitations begin.
            Role::Convolution => {
                let by = if shape[0] * 16 <= shape[1] { 0.01 } else { 1.0 };
                spread(by * (6.0 / (shape[0] * shape[2] * shape[3]) as f64).sqrt(), 0.0)
            }
            Role::Linear => spread((6.0 / shape[0] as f64).sqrt(), 0.0),
        };
        (name, weights::Tensor { shape, values })
    }

    fn answers() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/fixtures/torch/layers.json")).unwrap()
    }

    /// Holds every layer of every network of a family against what PyTorch made of the same weights and pictures.
    fn every_layer_is_pytorchs(word: &str) {
        let answers = &answers()["families"][word];
        let side = answers["side"].as_i64().unwrap();
        let pictures: Vec<f32> = numbers("pictures", (2 * 3 * side * side) as usize).into_iter().map(|u| u as f32).collect();
        let pictures = Tensor::from_slice(&pictures).reshape([2, 3, side, side]);
        let of = FAMILIES.into_iter().find(|of| of.word == word).unwrap();
        let family = &WeightFamily::of(word);
        for network in of.networks {
            let architecture = Architecture { word: network.word.into(), width: 1.0 };
            let tensors: BTreeMap<_, _> = layout(&architecture, family).unwrap().into_iter().map(filled).collect();
            // Through a file, as a user's weights come.
            let bytes = weights::write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
            let strict = weights::read(&bytes, std::path::Path::new("w.safetensors"), &architecture, family).unwrap();
            let parameters = Parameters::of(&strict.tensors, Device::Cpu);
            let built = || TorchNetwork::new(&architecture, family, &parameters).unwrap();
            let [plain, folded] = [built(), built().folded()].map(|of| tch::no_grad(|| of.layers(&pictures, Mode::IsRead)));
            assert_eq!(plain.len(), of.layers.len(), "{word} {}", network.word);
            for (name, layer) in of.layers.iter().zip(&plain).chain(of.layers.iter().zip(&folded)) {
                let told = format!("{word} {} {name}", network.word);
                let wanted: Vec<f64> = serde_json::from_value(answers["networks"][network.word][name].clone()).unwrap();
                let all = Vec::<f32>::try_from(&layer.flatten(0, -1)).unwrap();
                let found: Vec<f32> = all.iter().step_by((all.len() / KEPT).max(1)).copied().collect();
                assert_eq!(found.len(), wanted.len(), "{told}");
                let size = wanted.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
                let off = found.iter().zip(&wanted).map(|(found, wanted)| (f64::from(*found) - wanted).abs()).fold(0.0, f64::max);
                println!("{told}: off by {:.1e} of the largest value", off / size);
                assert!(off <= 1e-5 * size, "{told}: off by {off} of {size}");
            }
        }
    }

    /// The embedding of pictures and of their mirror images, summed, and of length 1.
    #[test]
    fn an_embedding_of_both_ways_is_pytorchs() {
        let answers: serde_json::Value = serde_json::from_str(include_str!("../../tests/fixtures/torch/flipped.json")).unwrap();
        let answers = answers.as_object().unwrap();
        assert_eq!(answers.len(), 3);
        for (word, of) in answers {
            let (side, network) = (of["side"].as_i64().unwrap(), of["network"].as_str().unwrap());
            let pictures: Vec<f32> = numbers("pictures", (2 * 3 * side * side) as usize).into_iter().map(|u| u as f32).collect();
            let pictures = Tensor::from_slice(&pictures).reshape([2, 3, side, side]);
            let (architecture, family) = (Architecture { word: network.into(), width: 1.0 }, WeightFamily::of(word));
            let tensors: BTreeMap<_, _> = layout(&architecture, &family).unwrap().into_iter().map(filled).collect();
            let network = TorchNetwork::new(&architecture, &family, &Parameters::of(&tensors, Device::Cpu)).unwrap().folded();
            let embedding = |pictures: &Tensor| {
                let layers = tch::no_grad(|| network.layers(pictures, Mode::IsRead));
                Vec::<f32>::try_from(&layers.last().unwrap().flatten(0, -1)).unwrap()
            };
            let mirrored = embedding(&pictures.flip([3]));
            for (answer, norm) in [("sum", None), ("unit", Some(Norm::L2))] {
                let mut all = embedding(&pictures);
                EmbeddingForm { flip: Some(Flip::Sum), norm }.apply(&mut all, Some(&mirrored), 2);
                let wanted: Vec<f64> = serde_json::from_value(of[answer].clone()).unwrap();
                let found: Vec<f32> = all.iter().step_by((all.len() / KEPT).max(1)).copied().collect();
                assert_eq!(found.len(), wanted.len(), "{word}");
                let size = wanted.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
                let off = found.iter().zip(&wanted).map(|(found, wanted)| (f64::from(*found) - wanted).abs()).fold(0.0, f64::max);
                println!("{word} {answer}: off by {:.1e} of the largest value", off / size);
                assert!(off <= 1e-5 * size, "{word} {answer}: off by {off} of {size}");
            }
        }
    }

    /// A test for each family, so that they run side by side.
    macro_rules! parity {
        ($($family:ident)*) => {
            const TESTED: &[&str] = &[$(stringify!($family)),*];
            mod parity {
                $(#[test] fn $family() { super::every_layer_is_pytorchs(stringify!($family)) })*
            }
        };
    }

    parity! { torchvision timm arcface_torch treb1en face_evolve adaface cydonia facenet_pytorch magface }

    #[test]
    fn every_family_is_held_against_pytorch() {
        let answers = answers();
        for family in FAMILIES {
            assert!(TESTED.contains(&family.word), "`parity!` lacks {}", family.word);
            // No answer is left over.
            let answered = answers["families"][family.word]["networks"].as_object().unwrap();
            assert_eq!(answered.len(), family.networks.len(), "{}", family.word);
        }
        assert_eq!(answers["families"].as_object().unwrap().len(), FAMILIES.len());
    }

    /// A normalisation that only standardises, behind a convolution: alone and taken in by it.
    #[test]
    fn a_normalisation_without_scale_and_shift_is_folded_all_the_same() {
        let tensor = |shape: &[i64], name: &str| {
            let values: Vec<f32> = numbers(name, shape.iter().product::<i64>() as usize).into_iter().map(|u| u as f32).collect();
            Tensor::from_slice(&values).reshape(shape)
        };
        let built = || {
            let (weight, bias) = (tensor(&[4, 3, 1, 1], "w"), Some(tensor(&[4], "b")));
            let (mean, variance) = (tensor(&[4], "m"), tensor(&[4], "v").square() + 0.5);
            vec![
                TorchOperation::Convolution(TorchConvolution { weight, bias, stride: 1, padding: [0, 0] }),
                TorchOperation::Normalisation(TorchNormalisation { scale: None, shift: None, mean, variance, epsilon: 1e-5 }),
            ]
        };
        let maps = tensor(&[2, 3, 5, 5], "x");
        let of = |operations: &[TorchOperation]| run(operations, &maps, Mode::IsRead, &mut vec![]);
        let folded = folded(built());
        assert_eq!(folded.len(), 1);
        let off = (of(&built()) - of(&folded)).abs().max().double_value(&[]);
        assert!(off < 1e-6, "{off}");
    }

    #[test]
    fn a_unit_vector_has_length_one_and_one_of_zeros_stays() {
        let vectors = Tensor::from_slice(&[3.0f32, -4.0, 0.0, 0.0]).reshape([2, 2]);
        let of = run(&[TorchOperation::UnitVector], &vectors, Mode::IsRead, &mut vec![]);
        assert_eq!(Vec::<f32>::try_from(&of.flatten(0, -1)).unwrap(), [0.6, -0.8, 0.0, 0.0]);
    }

    /// In bfloat16 maps are rounded to eight bits, and weights and their slopes stay in single precision.
    #[test]
    fn a_network_learns_in_bfloat16_nearly_what_it_learns_in_single_precision() {
        let architecture = Architecture { word: "seresnet34".into(), width: 0.25 };
        let family = WeightFamily::own();
        let pictures: Vec<f32> = numbers("pictures", 8 * 3 * 64 * 64).into_iter().map(|u| u as f32).collect();
        let pictures = Tensor::from_slice(&pictures).reshape([8, 3, 64, 64]);
        let learned = |kind: Kind| {
            let parameters = Parameters::draw(&architecture, &family, 1, Device::Cpu).unwrap();
            let network = TorchNetwork::new(&architecture, &family, &parameters).unwrap();
            let embedding = network.embedding(&pictures.to_kind(kind), Mode::Learns);
            assert_eq!(embedding.kind(), Kind::Float);
            embedding.square().sum(Kind::Float).backward();
            for (name, tensor) in parameters.learning() {
                assert!(tensor.kind() == Kind::Float && tensor.grad().kind() == Kind::Float, "{name}");
                assert!(tensor.grad().isfinite().all().int64_value(&[]) == 1, "{name}");
            }
            embedding.detach().flatten(0, -1)
        };
        let (single, brain) = (learned(Kind::Float), learned(Kind::BFloat16));
        let cosine = single.dot(&brain).double_value(&[]) / (single.norm() * brain.norm()).double_value(&[]);
        assert!(cosine > 0.98 && single != brain, "{cosine}");
    }
}
