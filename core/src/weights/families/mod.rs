//! Families of networks, one file a family. A family is what a weight file's names come from: `family: torchvision`.
//!
//! To add a family: a file with its [`NetworkFamily`], and its row in [`FAMILIES`]. To add a network to a family: a [`NetworkSpec`].
//! Only arithmetic that no network had before needs more: a kind of [`Operation`], and its place in `torch/src/network.rs`.

mod adaface;
mod arcface_torch;
mod cydonia;
mod face_evolve;
mod facenet_pytorch;
mod ir;
mod iresnet;
mod magface;
mod residual;
mod timm;
mod torchvision;
mod treb1en;

use super::operation::{NetworkDescription, Operation, normalisation};
use crate::domain::{
    Fault, Result,
    model::{Architecture, EMBEDDING, WeightFamily},
    study::{Channels, Crop, PixelScale, Preparation},
};

/// A family of networks whose weight files name tensors in the same way.
pub struct NetworkFamily {
    /// In study files, results and keys: never changed. Lower-case letters, digits, `_`.
    pub word: &'static str,
    /// The networks of the family that are built here.
    pub networks: &'static [NetworkSpec],
    /// Names of the layers of all its networks, in order of depth; the last is [`EMBEDDING`].
    pub layers: &'static [&'static str],
    /// What its weights were trained with.
    pub input: Input,
    /// Whether its networks can also be trained here. They then get `own_ending`, and are of the family [`WeightFamily::OWN`].
    pub trained_here: bool,
    /// What comes behind the trunk in the family's weight files: from maps of that many channels to the embedding.
    ending: fn(channels: usize, width: f64) -> Vec<Operation>,
}

/// How the pictures were prepared that a family's weights were trained with. Weights that are given others still run, and mean less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Pixels a side.
    pub size: usize,
    /// The order of channels.
    pub channels: Channels,
    /// What numbers of 0 … 255 became.
    pub scale: PixelScale,
    /// Which part of a picture was seen.
    pub crop: Crop,
}

impl Input {
    /// A preparation like it; pictures are mirrored at their edges, as usual. The order of channels is always said.
    pub fn preparation(&self) -> Preparation {
        let Input { size, channels, scale, crop } = *self;
        Preparation { scale, channels: Some(channels), ..Preparation::of(crop, size) }
    }
}

/// A network of a family.
pub struct NetworkSpec {
    /// In study files, results and keys: never changed. Lower-case letters and digits.
    pub word: &'static str,
    /// From pictures to the last layer before the embedding.
    trunk: fn(width: f64) -> Trunk,
}

/// What families with different endings share of a network.
struct Trunk {
    operations: Vec<Operation>,
    /// Channels of the maps that it gives.
    channels: usize,
}

/// The register of families. Of two networks with the same tensors, the one that comes first is recognised in a file.
pub const FAMILIES: [&NetworkFamily; 9] = [
    &torchvision::FAMILY,
    &timm::FAMILY,
    &arcface_torch::FAMILY,
    &treb1en::FAMILY,
    &face_evolve::FAMILY,
    &adaface::FAMILY,
    &cydonia::FAMILY,
    &facenet_pytorch::FAMILY,
    &magface::FAMILY,
];

/// The layers of networks of four stages: after each stage, and the embedding.
const FOUR_STAGES: [&str; 5] = ["layer1", "layer2", "layer3", "layer4", EMBEDDING];

/// The epsilon of batch normalisation that PyTorch has unless it is given another.
const EPSILON: f64 = 1e-5;

/// Channels at a width, in eights.
fn narrowed(channels: usize, width: f64) -> usize {
    ((channels as f64 * width / 8.0).round() as usize * 8).max(8)
}

/// The embedding of networks that are trained here: the mean over the map, a linear layer, a normalisation; as ArcFace's networks have
/// one (Deng et al., CVPR 2019).
fn own_ending(channels: usize, width: f64) -> Vec<Operation> {
    let outputs = narrowed(512, width).max(32);
    vec![
        Operation::GlobalMean,
        Operation::Linear { name: "embedding".into(), inputs: channels, outputs, bias: false },
        normalisation("embedding_bn", outputs, EPSILON),
        Operation::Layer(EMBEDDING),
    ]
}

/// The embedding of networks that have no layer for it: the mean over the last map.
fn mean(_: usize, _: f64) -> Vec<Operation> {
    vec![Operation::GlobalMean, Operation::Layer(EMBEDDING)]
}

/// Every network that is built here with its family, in the order of the register.
fn built() -> impl Iterator<Item = (&'static NetworkFamily, &'static NetworkSpec)> {
    FAMILIES.into_iter().flat_map(|family| family.networks.iter().map(move |network| (family, network)))
}

/// The words of architectures that can be trained here, in the order of the register.
pub fn trained_words() -> Vec<&'static str> {
    distinct(built().filter(|(family, _)| family.trained_here).map(|(_, network)| network.word))
}

/// The words of architectures that a study file may use.
pub fn architecture_words() -> Vec<&'static str> {
    distinct(built().map(|(_, network)| network.word))
}

/// The words of families that weight files can be of.
pub fn family_words() -> Vec<&'static str> {
    distinct(FAMILIES.map(|family| family.word).into_iter().chain([WeightFamily::OWN]))
}

/// The layers of all networks, in order of depth: those of the first family, then what others have beside them; the embedding is the last.
pub fn all_layers() -> Vec<&'static str> {
    let inner = FAMILIES.iter().flat_map(|family| family.layers.iter().copied()).filter(|layer| *layer != EMBEDDING);
    distinct(inner.chain([EMBEDDING]))
}

fn distinct(words: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut found = Vec::new();
    for word in words {
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

/// Whether a network of this word is built here, of some family.
fn is_built(word: &str) -> bool {
    built().any(|(_, network)| network.word == word)
}

/// The network of a word and a family of weights, if it is built here.
pub fn find(word: &str, family: &WeightFamily) -> Option<(&'static NetworkFamily, &'static NetworkSpec)> {
    let is_of = |of: &NetworkFamily| of.word == family.word() || of.trained_here && family.is_own();
    built().find(|(of, network)| network.word == word && is_of(of))
}

/// What weights of a family were trained with; `None` of those that are trained here, whose studies say it themselves.
pub fn input_of(family: &WeightFamily) -> Option<Input> {
    FAMILIES.iter().find(|of| of.word == family.word()).map(|of| of.input)
}

/// The layers of the network, in order of depth; of networks that are not built here, those that most networks have.
pub fn layers_of(word: &str, family: &WeightFamily) -> &'static [&'static str] {
    find(word, family).map_or(&FOUR_STAGES, |(family, _)| family.layers)
}

/// What the network computes, and with which tensors.
///
/// # Errors
/// An architecture that is not built here, or not of that family.
pub fn describe(architecture: &Architecture, family: &WeightFamily) -> Result<NetworkDescription> {
    let word = architecture.word.as_str();
    let (of, network) = find(word, family).ok_or_else(|| {
        Fault::missing(if is_built(word) {
            format!("{word} of the family {family} is not built here")
        } else {
            format!("networks of the architecture {word} are not built here")
        })
    })?;
    let Trunk { mut operations, channels } = (network.trunk)(architecture.width);
    let ending = if family.is_own() { own_ending } else { of.ending };
    operations.extend(ending(channels, architecture.width));
    Ok(NetworkDescription { title: format!("{architecture} ({family})"), operations })
}

/// Other families with a network of the same tensors: no file tells them apart, and they compute otherwise.
///
/// # Errors
/// An architecture that is not built here, or not of that family.
pub(super) fn with_the_same_tensors(word: &str, family: &WeightFamily) -> Result<Vec<WeightFamily>> {
    let tensors = |word: &str, family: &WeightFamily| -> Result<_> {
        Ok(describe(&Architecture { word: word.to_owned(), width: 1.0 }, family)?.tensors())
    };
    let wanted = tensors(word, family)?;
    let mut same = Vec::new();
    for (other, of) in candidates().filter(|(_, of)| of != family) {
        if tensors(other, &of)? == wanted {
            same.push(of);
        }
    }
    Ok(same)
}

/// Every pair of an architecture's word and a family that weight files can be of, in the order of the register; those that are trained
/// here also with our own names.
pub(super) fn candidates() -> impl Iterator<Item = (&'static str, WeightFamily)> {
    built().flat_map(|(family, network)| {
        let own = family.trained_here.then(WeightFamily::own);
        [WeightFamily::of(family.word)].into_iter().chain(own).map(|family| (network.word, family))
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::layout::{Role, TensorEntry},
        *,
    };
    use std::collections::BTreeSet;

    fn is_a_word(word: &str) -> bool {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }

    fn all(width: f64) -> Vec<NetworkDescription> {
        candidates().map(|(word, family)| describe(&Architecture { word: word.into(), width }, &family).unwrap()).collect()
    }

    #[test]
    fn words_are_words_and_unique() {
        let families: BTreeSet<&str> = FAMILIES.iter().map(|family| family.word).collect();
        assert_eq!(families.len(), FAMILIES.len());
        assert!(!families.contains(WeightFamily::OWN));
        let pairs: Vec<(&str, String)> = candidates().map(|(word, family)| (word, family.to_string())).collect();
        assert!(pairs.iter().all(|(word, family)| is_a_word(word) && is_a_word(family)));
        assert_eq!(pairs.iter().collect::<BTreeSet<_>>().len(), pairs.len(), "a network twice: {pairs:?}");
    }

    /// What earlier releases read in study files.
    #[test]
    fn no_word_of_a_study_file_was_lost() {
        let words = [
            "resnet34",
            "resnet50",
            "seresnet34",
            "seresnet50",
            "senet50",
            "iresnet34",
            "iresnet50",
            "iresnet100",
            "ir50",
            "irse50",
        ];
        assert!(words.iter().all(|word| architecture_words().contains(word)));
        let families = ["torchvision", "cydonia", "timm", "arcface_torch", "treb1en", "visavis"];
        assert!(families.iter().all(|word| family_words().contains(word)));
    }

    #[test]
    fn every_layer_of_a_family_has_one_depth() {
        let known = all_layers();
        for family in FAMILIES {
            let depths: Vec<_> = family.layers.iter().map(|layer| known.iter().position(|of| of == layer).unwrap()).collect();
            assert!(depths.is_sorted(), "{}: {:?} in {known:?}", family.word, family.layers);
        }
    }

    #[test]
    fn every_network_has_the_layers_its_family_says_whatever_its_width() {
        for width in [0.01, 0.1, 0.25, 1.0, 1.5] {
            for ((word, family), of) in candidates().zip(all(width)) {
                assert_eq!(of.layers(), layers_of(word, &family), "{}", of.title);
                assert_eq!(of.layers().last(), Some(&EMBEDDING));
                // All operations fit together.
                let side = input_of(&family).map_or(112, |input| input.size);
                let columns = of.columns(side).unwrap();
                assert!(columns.iter().all(|(_, columns)| *columns >= 8), "{}: {columns:?}", of.title);
            }
        }
    }

    #[test]
    fn every_tensor_has_a_name_of_its_own_and_numbers_in_it() {
        for of in all(1.0) {
            let tensors = of.tensors();
            let names: BTreeSet<&str> = tensors.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(names.len(), tensors.len(), "{}", of.title);
            assert!(tensors.iter().all(|entry| !entry.shape.is_empty() && !entry.shape.contains(&0)), "{}", of.title);
            // A tensor of rank 1 begins no network: the width of a network in a file is seen at its first tensor.
            assert_eq!(tensors[0].shape.len(), 4, "{}", of.title);
        }
    }

    /// The entries of PyTorch's state_dict, a counter for each normalisation among them, and the numbers that learn; both without a head.
    pub(super) fn size(word: &str, family: &str) -> (usize, usize) {
        let tensors = describe(&Architecture { word: word.into(), width: 1.0 }, &WeightFamily::of(family)).unwrap().tensors();
        let counters = tensors.iter().filter(|entry| entry.role == Role::RunningMean).count();
        let learns = |entry: &&TensorEntry| entry.role.learns();
        let numbers = tensors.iter().filter(learns).map(|entry| entry.shape.iter().product::<usize>()).sum();
        (tensors.len() + counters, numbers)
    }

    #[test]
    fn a_narrow_network_keeps_its_shape() {
        let of = |width| describe(&Architecture { word: "resnet34".into(), width }, &WeightFamily::own()).unwrap();
        let columns = |width| of(width).columns(64).unwrap().into_iter().map(|(_, columns)| columns).collect::<Vec<_>>();
        assert_eq!(columns(0.25), [16, 32, 64, 128, 128]);
        assert_eq!(columns(0.01), [8, 8, 8, 8, 32]);
    }

    #[test]
    fn families_that_no_file_tells_apart_are_known() {
        let same = |word: &str, family: &str| {
            let found = with_the_same_tensors(word, &WeightFamily::of(family)).unwrap();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(same("resnet50", "torchvision"), ["cydonia"]);
        assert_eq!(same("resnet50", "cydonia"), ["torchvision"]);
        assert_eq!(same("iresnet50", "arcface_torch"), ["magface"]);
        assert_eq!(same("irse50", "treb1en"), ["face_evolve"]);
        assert!(same("ir50", "adaface").is_empty());
        assert!(same("resnet34", "visavis").is_empty());
    }

    /// What a network of these weights is given, unless a study says otherwise.
    #[test]
    fn every_network_takes_what_its_family_was_trained_with() {
        for (word, family) in candidates().filter(|(_, family)| !family.is_own()) {
            let of = describe(&Architecture { word: word.into(), width: 1.0 }, &family).unwrap();
            assert!(of.columns(input_of(&family).unwrap().size).is_ok(), "{}", of.title);
        }
        assert_eq!(input_of(&WeightFamily::own()), None);
    }

    #[test]
    fn a_network_of_another_family_is_refused() {
        let asked = |word: &str, family: &str| {
            describe(&Architecture { word: word.into(), width: 1.0 }, &WeightFamily::of(family)).unwrap_err().what
        };
        assert_eq!(asked("resnet34", "timm"), "resnet34 of the family timm is not built here");
        assert_eq!(asked("irse50", "torchvision"), "irse50 of the family torchvision is not built here");
        assert_eq!(asked("irse51", "treb1en"), "networks of the architecture irse51 are not built here");
    }
}
