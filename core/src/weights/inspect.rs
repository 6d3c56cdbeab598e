//! Which network a weight file is of, for people who have a file and no description of it; and the same weights as a safetensors file.

use super::{
    containers::{
        TensorRef, WeightFile,
        wrappers::{self, Misfit, NearMiss, Place, Survey, TensorDict},
    },
    families::{candidates, with_the_same_tensors},
    file::{self, Strict, heads_and_others, wanted},
    layout::{Role, TensorEntry, layout},
};
use crate::domain::{
    Fault, Result,
    model::{Architecture, WeightFamily},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// What a weight file is.
#[derive(Debug, Default, PartialEq)]
pub struct Inspected {
    /// `None`: of no family that is known here.
    pub family: Option<WeightFamily>,
    /// The network with its width; `None` where the family is not known.
    pub architecture: Option<Architecture>,
    /// Other families whose network of this architecture has the same tensors: the file may be of them.
    pub same_tensors: Vec<WeightFamily>,
    /// How many tensors are in the dict that has the network; where none is known, in the one that has most.
    pub tensors: usize,
    /// The keys that lead to that dict; empty: the file's own.
    pub dict: String,
    /// How many of its tensors are of each type, such as `float16`.
    pub elements: BTreeMap<&'static str, usize>,
    /// What all the network's names begin with, and which is left out.
    pub prefix: String,
    /// Tensors of a head and counters.
    pub needless: usize,
    /// Names of the network's tensors that the file lacks.
    pub missing: Vec<String>,
    /// Tensors of another shape or type than the network's, each as a clause.
    pub differing: Vec<String>,
    /// Tensors whose numbers are no weights, each as a clause; looked for where all shapes fit.
    pub unusable: Vec<String>,
    /// Names behind the prefix that are no tensor of the network.
    pub extra: Vec<String>,
    /// Names in the same dict without the prefix: a trainer's own.
    pub outside: Vec<String>,
    /// Places of several such networks with different numbers, none of which is taken; else empty.
    pub several: Vec<String>,
    /// Small values beside the tensors, such as `epoch`.
    pub beside: Vec<(String, String)>,
}

impl Inspected {
    /// Whether extraction would read it: all is there, and nothing too much.
    pub fn is_whole(&self) -> bool {
        self.family.is_some()
            && [&self.missing, &self.differing, &self.unusable, &self.extra, &self.several].iter().all(|names| names.is_empty())
    }
}

/// Widths that a file may have.
const WIDTHS: RangeInclusive<f64> = 0.01..=8.0;

fn survey<'f>(file: &'f WeightFile) -> Result<Survey<'f>> {
    wrappers::with_tensors(&file.root).map_err(|misfit| misfit.fault("a network").in_file(file.path()))
}

/// A network that a file may be of, by names alone.
struct Candidate<'v> {
    architecture: Architecture,
    family: WeightFamily,
    /// Other families whose network has the same tensors.
    same_tensors: Vec<WeightFamily>,
    dict: &'v TensorDict<'v>,
    /// Names missing, and names too much.
    wrong: usize,
}

/// The candidate whose names fit best. Networks are tried in the order of the register; one that comes later must fit better.
fn nearest<'v>(survey: &'v Survey<'v>) -> Result<Option<Candidate<'v>>> {
    let mut best: Option<Candidate> = None;
    for (word, family) in candidates() {
        let layout = layout(&Architecture { word: word.to_owned(), width: 1.0 }, &family)?;
        let names: BTreeSet<&str> = layout.iter().map(|entry| entry.name.as_str()).collect();
        for dict in &survey.dicts {
            let prefix = dict.prefix(&names);
            let behind = || dict.tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)));
            let right = behind().filter(|(name, _)| names.contains(name)).count();
            let others = behind().filter(|(name, tensor)| !names.contains(name) && !wrappers::is_counter(name, tensor));
            let (_, extra) = heads_and_others(&others.map(|(name, _)| name.to_owned()).collect::<Vec<_>>());
            let wrong = names.len() - right + extra.len();
            if right * 2 <= names.len() || best.as_ref().is_some_and(|best| best.wrong <= wrong) {
                continue;
            }
            let width = width(word, &family, &|name| dict.tensors.get(format!("{prefix}{name}").as_str()).copied())?;
            let architecture = Architecture { word: word.to_owned(), width };
            best = Some(Candidate { architecture, family: family.clone(), same_tensors: vec![], dict, wrong });
        }
    }
    let Some(mut best) = best else { return Ok(None) };
    best.same_tensors = with_the_same_tensors(&best.architecture.word, &best.family)?;
    if let Some(place) = best.same_tensors.iter().position(|other| Some(other.word()) == told_by_the_head(best.dict)) {
        std::mem::swap(&mut best.family, &mut best.same_tensors[place]);
    }
    Ok(Some(best))
}

/// The width of a network whose convolutions have so many channels: channels are in eights, so several widths give the same. The one
/// of fewest decimals; 1 where no width gives these, and where it is one that no network has: then tensors are told to be of other shapes.
fn width<'v>(word: &str, family: &WeightFamily, tensor: &dyn Fn(&str) -> Option<&'v TensorRef>) -> Result<f64> {
    let [one, two] = [1.0, 2.0].map(|width| layout(&Architecture { word: word.to_owned(), width }, family));
    let (mut low, mut high, mut exact, mut widest) = (*WIDTHS.start(), *WIDTHS.end(), 1.0f64, 0.0);
    for (TensorEntry { name, shape, role }, doubled) in one?.iter().zip(&two?) {
        let (full, is_scaled) = (shape[0] as f64, *role == Role::Convolution && doubled.shape[0] == 2 * shape[0]);
        let Some(channels) = tensor(name).and_then(|tensor| tensor.shape().first()).filter(|_| is_scaled) else { continue };
        let channels = *channels as f64;
        if full > widest {
            (exact, widest) = (channels / full, full);
        }
        high = f64::min(high, (channels + 4.0) / full);
        // Eight is the least, whatever the width.
        if channels > 8.0 {
            low = f64::max(low, (channels - 4.0) / full);
        }
    }
    let fits = |width: &f64| (low..high).contains(width);
    let of_decimals = |decimals: i32| (low * 10f64.powi(decimals)).ceil() / 10f64.powi(decimals);
    let is_short = (exact * 1000.0).fract() == 0.0;
    Ok(Some(exact).filter(|exact| is_short && fits(exact)).or_else(|| (1..=4).map(of_decimals).find(fits)).unwrap_or(1.0))
}

/// The architecture, width and family that fit a file best, with what is missing and too much there. Names decide.
///
/// # Errors
/// A file without tensors under names: the state of an optimizer, a whole module.
pub fn inspect(file: &WeightFile) -> Result<Inspected> {
    let survey = survey(file)?;
    let best = nearest(&survey)?;
    let largest = survey.dicts.iter().rev().max_by_key(|dict| dict.tensors.len());
    let mut found = Inspected { beside: wrappers::beside(&file.root), ..Inspected::default() };
    let Some(Candidate { architecture, family, same_tensors, dict, .. }) = best else {
        if let Some(dict) = largest {
            let (names, counters) = names(dict);
            found.needless = heads_and_others(&names).0 + counters;
            found.describe(dict);
        }
        return Ok(found);
    };
    let layout = layout(&architecture, &family)?;
    (found.architecture, found.family, found.same_tensors) = (Some(architecture), Some(family), same_tensors);
    let is_at = |place: &Place| survey.dicts.iter().find(|dict| dict.place == place.dict);
    let (place, left_over, counters) = match wrappers::fit(&file.root, &wanted(&layout)) {
        Ok(fit) => {
            for TensorEntry { name, role, .. } in &layout {
                found.unusable.extend(file::unusable(name, *role, &file.numbers(fit.tensors[name])?));
            }
            found.outside = fit.outside;
            (fit.place, fit.left_over, fit.counters)
        }
        Err(Misfit::Near(near)) => {
            let NearMiss { place, missing, differing, left_over, outside, counters, .. } = *near;
            (found.missing, found.differing, found.outside) = (missing, differing, outside);
            (place, left_over, counters)
        }
        Err(Misfit::Several(places)) => {
            found.several = places.iter().map(Place::words).collect();
            found.describe(dict);
            return Ok(found);
        }
        Err(other) => return Err(other.fault("a network").in_file(file.path())),
    };
    found.describe(is_at(&place).unwrap_or(dict));
    let (heads, extra) = heads_and_others(&left_over);
    (found.needless, found.extra, found.prefix) = (heads + counters, extra, place.prefix);
    Ok(found)
}

/// The family that a dict's other tensors tell, where networks of several have the same: VGGFace2 has 8,631 identities; MagFace's
/// trainer has its network under `features.` and its head beside it.
fn told_by_the_head(dict: &TensorDict) -> Option<&'static str> {
    let classes = dict.tensors.iter().find(|(name, _)| name.ends_with("fc.weight")).and_then(|(_, head)| head.shape().first());
    let is_magface = dict.tensors.keys().any(|name| name.contains("features.") && name.contains("layer1."));
    if classes == Some(&8631) { Some("cydonia") } else { is_magface.then_some("magface") }
}

/// All names of a dict that are no counters', and how many are.
fn names(dict: &TensorDict) -> (Vec<String>, usize) {
    let names: Vec<String> = dict
        .tensors
        .iter()
        .filter(|(name, tensor)| !wrappers::is_counter(name, tensor))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let counters = dict.tensors.len() - names.len();
    (names, counters)
}

impl Inspected {
    fn describe(&mut self, dict: &TensorDict) {
        (self.tensors, self.dict) = (dict.tensors.len(), dict.place.clone());
        for tensor in dict.tensors.values() {
            *self.elements.entry(tensor.element.word()).or_default() += 1;
        }
    }
}

/// The weights of the network that a file is of, read as extraction reads them, and that network.
///
/// # Errors
/// A file of no network that is known here, and one that extraction would refuse.
pub fn recognised(file: &WeightFile) -> Result<(Architecture, WeightFamily, Strict)> {
    let survey = survey(file)?;
    let Some(Candidate { architecture, family, .. }) = nearest(&survey)? else {
        let fault = Fault::asked("the tensors are of no network that is known here");
        return Err(fault.in_file(file.path()).next("`visavis weights inspect` says what the file holds"));
    };
    let strict = file::strict(file, &architecture, &family)?;
    Ok((architecture, family, strict))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            containers, draw,
            file::{Tensor, tests::file_of, write},
        },
        *,
    };
    use std::path::Path;

    fn inspected(bytes: &[u8]) -> Inspected {
        inspect(&containers::of_bytes(bytes, Path::new("w")).unwrap()).unwrap()
    }

    #[test]
    fn every_network_of_the_register_is_recognised_in_a_file() {
        for (word, family) in candidates() {
            let architecture = Architecture { word: word.to_owned(), width: 0.25 };
            let found = inspected(&file_of(&architecture, &family, &["bn1.num_batches_tracked"]));
            let found_it = found.family.iter().chain(&found.same_tensors).any(|one| *one == family);
            assert!(found_it, "{word} of {family}: {:?} {:?}", found.family, found.same_tensors);
            assert_eq!(found.architecture, Some(architecture));
            assert_eq!((found.missing.len(), found.extra.len(), found.needless), (0, 0, 1), "{word} {family}");
        }
    }

    #[test]
    fn shapes_and_numbers_are_held_against_the_network() {
        let inspected = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
            let mut changed = draw(&Architecture { word: "resnet34".into(), width: 0.125 }, &WeightFamily::own(), 1).unwrap();
            change(&mut changed);
            super::tests::inspected(&write(changed.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap())
        };
        let whole = inspected(&|_| {});
        assert_eq!((whole.differing, whole.unusable), (vec![], vec![]));
        let shape = inspected(&|tensors| _ = tensors.insert("bn1.weight".into(), Tensor { shape: vec![1], values: vec![1.0] }));
        assert_eq!(shape.differing, ["`bn1.weight` is [1] and should be [8]"]);
        // No numbers at all, and a side that no network has.
        let endless = Tensor { shape: vec![usize::MAX >> 1, 0], values: vec![] };
        let endless = inspected(&|tensors| _ = tensors.insert("conv1.weight".into(), endless.clone()));
        assert!(endless.differing.iter().any(|line| line.contains("9223372036854775807")), "{:?}", endless.differing);
        let nan = inspected(&|tensors| tensors.get_mut("bn1.bias").unwrap().values[0] = f32::NAN);
        assert_eq!(nan.unusable, ["`bn1.bias` holds NaN"]);
        let below = inspected(&|tensors| tensors.get_mut("bn1.running_var").unwrap().values[0] = -1.0);
        assert_eq!(below.unusable, ["`bn1.running_var` holds a variance below zero"]);
    }

    #[test]
    fn a_head_tells_families_apart_that_have_the_same_tensors() {
        let family = |names: &dyn Fn(&str) -> String, head: (&str, usize), word: &str| {
            let drawn = draw(&Architecture { word: word.into(), width: 0.125 }, &candidate(word), 1).unwrap();
            let mut tensors: BTreeMap<String, Tensor> = drawn.into_iter().map(|(name, tensor)| (names(&name), tensor)).collect();
            tensors.insert(head.0.into(), Tensor { shape: vec![head.1, 1], values: vec![0.5; head.1] });
            let found = inspected(&write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap());
            (found.family.unwrap().word().to_owned(), found.same_tensors.len())
        };
        assert_eq!(family(&str::to_owned, ("fc.weight", 1000), "resnet50"), ("torchvision".to_owned(), 1));
        assert_eq!(family(&str::to_owned, ("fc.weight", 8631), "resnet50"), ("cydonia".to_owned(), 1));
        let wrapped = |name: &str| format!("features.module.{name}");
        assert_eq!(family(&wrapped, ("module.fc.weight", 10), "iresnet50"), ("magface".to_owned(), 1));
    }

    fn candidate(word: &str) -> WeightFamily {
        candidates().find(|(other, _)| *other == word).unwrap().1
    }

    #[test]
    fn the_width_of_a_network_is_found_although_channels_are_in_eights() {
        for width in [0.1, 0.125, 0.2, 0.25, 0.3, 0.5, 1.0, 1.5] {
            let architecture = Architecture { word: "seresnet34".into(), width };
            let found = inspected(&file_of(&architecture, &WeightFamily::own(), &[]));
            assert_eq!((found.architecture, found.differing.len()), (Some(architecture), 0));
        }
    }

    #[test]
    fn a_file_of_no_network_is_of_no_family() {
        let one = Tensor { shape: vec![1], values: vec![1.0] };
        let bytes = write([("a", &one), ("b.fc.weight", &one)].into_iter()).unwrap();
        let found = inspected(&bytes);
        assert_eq!((found.family, found.architecture, found.tensors), (None, None, 2));
    }

    #[test]
    fn a_recognised_network_is_read_as_extraction_reads_it() {
        let architecture = Architecture { word: "resnet18".into(), width: 0.125 };
        let family = WeightFamily::of("torchvision");
        let bytes = file_of(&architecture, &family, &["fc.weight"]);
        let file = containers::of_bytes(&bytes, Path::new("w")).unwrap();
        let (found, of, strict) = recognised(&file).unwrap();
        assert_eq!((found, of), (architecture.clone(), family.clone()));
        let written = write(strict.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
        let again = file::read(&written, Path::new("w"), &architecture, &family).unwrap();
        assert!(again.tensors == strict.tensors && again.remarks.is_empty());
        let nothing = write([("a", &Tensor { shape: vec![1], values: vec![1.0] })].into_iter()).unwrap();
        let fault = recognised(&containers::of_bytes(&nothing, Path::new("w")).unwrap()).unwrap_err();
        assert!(fault.what.contains("no network that is known here"), "{fault}");
    }
}
