//! Residual networks: ResNet-34 (He et al., CVPR 2016) and with squeeze and excitation (Hu et al., CVPR 2018), of any width.

use crate::parameters::Parameters;
use tch::{Kind, Tensor};
use visavis_core::{
    domain::{
        Result,
        model::{Architecture, LAYERS, WeightFamily},
    },
    weights::Residual,
};

/// torchvision's.
const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;

pub struct TorchNetwork {
    stem: Layer,
    stages: Vec<Vec<ResidualBlock>>,
    neck: Option<(Tensor, Normalisation)>,
}

struct ResidualBlock {
    layers: [Layer; 2],
    excitation: Option<[Tensor; 4]>,
    shortcut: Option<Layer>,
}

/// A convolution with its normalisation, or with that folded into it.
struct Layer {
    weight: Tensor,
    after: After,
    stride: i64,
    padding: i64,
}

enum After {
    Normalisation(Normalisation),
    Bias(Tensor),
}

struct Normalisation {
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
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
    pub fn new(architecture: &Architecture, family: WeightFamily, parameters: &Parameters) -> Result<Self> {
        let plan = Residual::of(architecture, family)?;
        let normalisation = |name: &str| Normalisation {
            scale: parameters.get(&format!("{name}.weight")),
            shift: parameters.get(&format!("{name}.bias")),
            mean: parameters.get(&format!("{name}.running_mean")),
            variance: parameters.get(&format!("{name}.running_var")),
        };
        let layer = |conv: &str, after: &str, stride: i64, padding: i64| Layer {
            weight: parameters.get(&format!("{conv}.weight")),
            after: After::Normalisation(normalisation(after)),
            stride,
            padding,
        };
        let block = |stage: usize, block: usize| {
            let at = |name: &str| format!("layer{}.{block}.{name}", stage + 1);
            let halves = block == 0 && stage > 0;
            let stride = if halves { 2 } else { 1 };
            let excitation = ["se.fc1.weight", "se.fc1.bias", "se.fc2.weight", "se.fc2.bias"];
            ResidualBlock {
                layers: [layer(&at("conv1"), &at("bn1"), stride, 1), layer(&at("conv2"), &at("bn2"), 1, 1)],
                excitation: plan.excites.then(|| excitation.map(|name| parameters.get(&at(name)))),
                shortcut: halves.then(|| layer(&at("downsample.0"), &at("downsample.1"), 2, 0)),
            }
        };
        let stages = plan.stages.iter().enumerate();
        Ok(TorchNetwork {
            stem: layer("conv1", "bn1", 2, 3),
            stages: stages.map(|(stage, (blocks, _))| (0..*blocks).map(|number| block(stage, number)).collect()).collect(),
            neck: plan.neck.map(|_| (parameters.get("embedding.weight"), normalisation("embedding_bn"))),
        })
    }

    /// The same network for reading alone: normalisations become part of the convolutions before them, which saves a pass over
    /// every map.
    #[must_use]
    pub fn folded(self) -> Self {
        let block = |block: ResidualBlock| ResidualBlock {
            layers: block.layers.map(Layer::folded),
            excitation: block.excitation,
            shortcut: block.shortcut.map(Layer::folded),
        };
        let stages = self.stages.into_iter().map(|stage| stage.into_iter().map(block).collect());
        TorchNetwork { stem: self.stem.folded(), stages: stages.collect(), neck: self.neck }
    }

    /// N × 3 × H × W → what each layer gives, N × columns: the mean over the map after each stage, and the embedding.
    pub fn layers(&self, images: &Tensor, mode: Mode) -> [Tensor; LAYERS.len()] {
        let mut x = self.stem.of(images, mode).relu_().max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        let mut maps = Vec::with_capacity(LAYERS.len());
        for stage in &self.stages {
            for block in stage {
                x = block.of(&x, mode);
            }
            maps.push(x.mean_dim(&[2i64, 3][..], false, Kind::Float));
        }
        let last = &maps[maps.len() - 1];
        let embedding = match &self.neck {
            Some((weight, normalisation)) => normalisation.of(&last.linear(weight, None::<&Tensor>), mode),
            None => last.shallow_clone(),
        };
        maps.push(embedding);
        maps.try_into().expect("a map a stage, and the embedding")
    }

    pub fn embedding(&self, images: &Tensor, mode: Mode) -> Tensor {
        let [.., embedding] = self.layers(images, mode);
        embedding
    }
}

impl ResidualBlock {
    fn of(&self, x: &Tensor, mode: Mode) -> Tensor {
        let [first, second] = &self.layers;
        let y = second.of(&first.of(x, mode).relu_(), mode);
        let y = match &self.excitation {
            Some([down, down_bias, up, up_bias]) => {
                let squeezed = y.mean_dim(&[2i64, 3][..], true, y.kind());
                let squeezed = convolution(&squeezed, down, Some(down_bias), 1, 0).relu_();
                y * convolution(&squeezed, up, Some(up_bias), 1, 0).sigmoid()
            }
            None => y,
        };
        let mut y = match &self.shortcut {
            Some(shortcut) => y + shortcut.of(x, mode),
            None => y + x,
        };
        y.relu_()
    }
}

impl Layer {
    fn of(&self, x: &Tensor, mode: Mode) -> Tensor {
        match &self.after {
            After::Normalisation(normalisation) => {
                normalisation.of(&convolution(x, &self.weight, None, self.stride, self.padding), mode)
            }
            After::Bias(bias) => convolution(x, &self.weight, Some(bias), self.stride, self.padding),
        }
    }

    /// w ← w · γ/√(σ² + ε), b ← β − μ · γ/√(σ² + ε), in double precision.
    fn folded(self) -> Self {
        let After::Normalisation(Normalisation { scale, shift, mean, variance }) = &self.after else { return self };
        tch::no_grad(|| {
            let double = |tensor: &Tensor| tensor.to_kind(Kind::Double);
            let factor = double(scale) / (double(variance) + EPSILON).sqrt();
            let weight = (double(&self.weight) * factor.reshape([-1, 1, 1, 1])).to_kind(Kind::Float);
            let bias = (double(shift) - double(mean) * &factor).to_kind(Kind::Float);
            Layer { weight, after: After::Bias(bias), ..self }
        })
    }
}

impl Normalisation {
    fn of(&self, x: &Tensor, mode: Mode) -> Tensor {
        let Normalisation { scale, shift, mean, variance } = self;
        let cudnn = matches!(x.device(), tch::Device::Cuda(_));
        x.batch_norm(Some(scale), Some(shift), Some(mean), Some(variance), mode == Mode::Learns, MOMENTUM, EPSILON, cudnn)
    }
}

/// Weights are kept in single precision and cast to that of the maps: autocast's precision cannot be set from here.
fn convolution(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, stride: i64, padding: i64) -> Tensor {
    let bias = bias.map(|bias| bias.to_kind(x.kind()));
    x.conv2d(&weight.to_kind(x.kind()), bias.as_ref(), [stride; 2], [padding; 2], [1, 1], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tch::Device;
    use visavis_core::{
        domain::model::{Architecture, BUILT},
        weights::{self, Role, TensorEntry, layout},
    };

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
            Role::Convolution => spread((6.0 / (shape[0] * shape[2] * shape[3]) as f64).sqrt(), 0.0),
            Role::Linear => spread((6.0 / shape[0] as f64).sqrt(), 0.0),
        };
        (name, weights::Tensor { shape, values })
    }

    #[test]
    fn every_layer_is_pytorchs() {
        let answers: serde_json::Value = serde_json::from_str(include_str!("../../tests/fixtures/torch/layers.json")).unwrap();
        let pictures: Vec<f32> = numbers("pictures", 2 * 3 * 112 * 112).into_iter().map(|u| u as f32).collect();
        let pictures = Tensor::from_slice(&pictures).reshape([2, 3, 112, 112]);
        for (word, family) in BUILT {
            let architecture = Architecture { word: word.into(), width: 1.0 };
            let tensors: BTreeMap<_, _> = layout(&architecture, family).unwrap().into_iter().map(filled).collect();
            // Through a file, as a user's weights come.
            let bytes = weights::write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
            let strict = weights::read(&bytes, std::path::Path::new("w.safetensors"), &architecture, family).unwrap();
            let parameters = Parameters::of(&strict.tensors, Device::Cpu);
            let network = || TorchNetwork::new(&architecture, family, &parameters).unwrap();
            let [plain, folded] = [network(), network().folded()].map(|of| tch::no_grad(|| of.layers(&pictures, Mode::IsRead)));
            for (name, layer) in LAYERS.iter().zip(&plain).chain(LAYERS.iter().zip(&folded)) {
                let wanted: Vec<f64> = serde_json::from_value(answers[word][name].clone()).unwrap();
                let found = Vec::<f32>::try_from(&layer.flatten(0, -1)).unwrap();
                assert_eq!(found.len(), wanted.len(), "{word} {name}");
                let size = wanted.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
                let off = found.iter().zip(&wanted).map(|(found, wanted)| (f64::from(*found) - wanted).abs()).fold(0.0, f64::max);
                println!("{word} {name}: off by {:.1e} of the largest value", off / size);
                assert!(off <= 1e-5 * size, "{word} {name}: off by {off} of {size}");
            }
        }
    }
}
