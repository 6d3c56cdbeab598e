//! Which tensors a network has: names, shapes and roles, in the order of the forward pass. The one place that says so: files
//! are held against it, and networks are built from it.
//!
//! ResNet: He, Zhang, Ren and Sun (CVPR 2016), torchvision's names. Squeeze and excitation: Hu, Shen and Sun (CVPR 2018),
//! timm's names and its rounding of the squeezed width.

use crate::domain::{
    Fault, Result,
    model::{Architecture, BUILT, WeightFamily},
};

#[derive(Clone, Debug, PartialEq)]
pub struct TensorEntry {
    pub name: String,
    pub shape: Vec<usize>,
    pub role: Role,
}

/// What a tensor is to the network: how it is drawn at the start, and whether it learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// out × in × height × width.
    Convolution,
    /// out × in.
    Linear,
    Bias,
    /// A batch normalisation's.
    Scale,
    Shift,
    RunningMean,
    RunningVariance,
}

impl Role {
    pub fn learns(self) -> bool {
        !matches!(self, Role::RunningMean | Role::RunningVariance)
    }
}

/// The shape of a residual network.
#[derive(Clone, Debug, PartialEq)]
pub struct Residual {
    /// Blocks and channels of each stage.
    pub stages: Vec<(usize, usize)>,
    /// Do blocks weigh their channels?
    pub excites: bool,
    /// Width of a linear layer after the last stage; without, the mean over the map is the embedding.
    pub neck: Option<usize>,
}

/// ResNet-34's stages: blocks and channels.
const STAGES: [(usize, usize); 4] = [(3, 64), (4, 128), (6, 256), (3, 512)];

impl Residual {
    /// # Errors
    /// An architecture that is not built here.
    pub fn of(architecture: &Architecture, family: WeightFamily) -> Result<Self> {
        let word = architecture.word.as_str();
        if !BUILT.iter().any(|(built, _)| *built == word) {
            return Err(Fault::missing(format!("networks of the architecture {word} are not built here")));
        }
        let excites = word.starts_with("se");
        let stages = STAGES.map(|(blocks, channels)| (blocks, narrowed(channels, architecture.width)));
        Ok(Residual {
            stages: stages.into(),
            excites,
            neck: (family == WeightFamily::Visavis).then(|| embedding_width(architecture.width)),
        })
    }

    /// How many numbers the layer gives an image.
    pub fn columns(&self, layer: &str) -> usize {
        match ["layer1", "layer2", "layer3", "layer4"].iter().position(|name| *name == layer) {
            Some(stage) => self.stages[stage].1,
            None => self.neck.unwrap_or(self.stages[3].1),
        }
    }

    /// Channels between the two layers that weigh channels: a sixteenth, in eights, as timm rounds.
    pub fn squeezed(channels: usize) -> usize {
        ((channels as f64 / 16.0 + 4.0) as usize / 8 * 8).max(8)
    }
}

/// Channels at a width, in eights.
fn narrowed(channels: usize, width: f64) -> usize {
    ((channels as f64 * width / 8.0).round() as usize * 8).max(8)
}

fn embedding_width(width: f64) -> usize {
    narrowed(512, width).max(32)
}

/// Every tensor of the network, its head aside.
///
/// # Errors
/// An architecture that is not built here.
pub fn layout(architecture: &Architecture, family: WeightFamily) -> Result<Vec<TensorEntry>> {
    let plan = Residual::of(architecture, family)?;
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: Vec<usize>, role: Role| tensors.push(TensorEntry { name, shape, role });
    fn normalisation(add: &mut impl FnMut(String, Vec<usize>, Role), name: &str, channels: usize) {
        add(format!("{name}.weight"), vec![channels], Role::Scale);
        add(format!("{name}.bias"), vec![channels], Role::Shift);
        add(format!("{name}.running_mean"), vec![channels], Role::RunningMean);
        add(format!("{name}.running_var"), vec![channels], Role::RunningVariance);
    }
    let mut before = plan.stages[0].1;
    add("conv1.weight".into(), vec![before, 3, 7, 7], Role::Convolution);
    normalisation(&mut add, "bn1", before);
    for (stage, &(blocks, channels)) in plan.stages.iter().enumerate() {
        for block in 0..blocks {
            let at = format!("layer{}.{block}", stage + 1);
            add(format!("{at}.conv1.weight"), vec![channels, before, 3, 3], Role::Convolution);
            normalisation(&mut add, &format!("{at}.bn1"), channels);
            add(format!("{at}.conv2.weight"), vec![channels, channels, 3, 3], Role::Convolution);
            normalisation(&mut add, &format!("{at}.bn2"), channels);
            if plan.excites {
                let squeezed = Residual::squeezed(channels);
                add(format!("{at}.se.fc1.weight"), vec![squeezed, channels, 1, 1], Role::Convolution);
                add(format!("{at}.se.fc1.bias"), vec![squeezed], Role::Bias);
                add(format!("{at}.se.fc2.weight"), vec![channels, squeezed, 1, 1], Role::Convolution);
                add(format!("{at}.se.fc2.bias"), vec![channels], Role::Bias);
            }
            // The first block of a stage halves the map, but for the first stage's, which stays as it is.
            if block == 0 && stage > 0 {
                add(format!("{at}.downsample.0.weight"), vec![channels, before, 1, 1], Role::Convolution);
                normalisation(&mut add, &format!("{at}.downsample.1"), channels);
            }
            before = channels;
        }
    }
    if let Some(width) = plan.neck {
        add("embedding.weight".into(), vec![width, before], Role::Linear);
        normalisation(&mut add, "embedding_bn", width);
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(word: &str, width: f64, family: WeightFamily) -> usize {
        let architecture = Architecture { word: word.into(), width };
        let learns = |entry: &&TensorEntry| entry.role.learns();
        layout(&architecture, family).unwrap().iter().filter(learns).map(|entry| entry.shape.iter().product::<usize>()).sum()
    }

    #[test]
    fn a_resnet_34_has_the_parameters_the_field_says() {
        // torchvision: 21,797,672 with its head of 512 × 1000 + 1000.
        assert_eq!(parameters("resnet34", 1.0, WeightFamily::Torchvision), 21_797_672 - 513_000);
        // One block's layers are 2 · c · s + s + c numbers.
        let excites: usize =
            STAGES.iter().map(|&(blocks, c)| blocks * (2 * c * Residual::squeezed(c) + Residual::squeezed(c) + c)).sum();
        assert_eq!(parameters("seresnet34", 1.0, WeightFamily::Timm), 21_797_672 - 513_000 + excites);
    }

    #[test]
    fn a_narrow_network_keeps_its_shape() {
        let plan = Residual::of(&Architecture { word: "resnet34".into(), width: 0.25 }, WeightFamily::Visavis).unwrap();
        assert_eq!(plan.stages, [(3, 16), (4, 32), (6, 64), (3, 128)]);
        assert_eq!((plan.columns("layer2"), plan.columns("embedding")), (32, 128));
        assert_eq!([64, 128, 256, 512].map(Residual::squeezed), [8, 8, 16, 32]);
    }

    /// Weights are drawn by a tensor's place in this order: another order is other networks.
    #[test]
    fn the_order_of_the_tensors_is_pinned() {
        let digest = |word: &str, family: WeightFamily| {
            let layout = layout(&Architecture { word: word.into(), width: 0.5 }, family).unwrap();
            let lines = layout.iter().map(|TensorEntry { name, shape, role }| format!("{name} {shape:?} {role:?}\n"));
            crate::domain::Digest::of(lines.collect::<String>().as_bytes()).short()
        };
        let found = [
            digest("resnet34", WeightFamily::Torchvision),
            digest("resnet34", WeightFamily::Visavis),
            digest("seresnet34", WeightFamily::Timm),
            digest("seresnet34", WeightFamily::Visavis),
        ];
        assert_eq!(found, ["f23a6ca0", "dd2e2e95", "4250aef3", "cc24b747"]);
    }
}
