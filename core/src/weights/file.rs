//! Weight files: safetensors, read strictly. Every tensor that the network has must be there in its shape, and every one
//! that is there must be the network's: a file that fits only nearly would run, and give numbers that mean nothing.

use super::{
    families::{candidates, with_the_same_tensors},
    layout::{Role, TensorEntry, layout},
};
use crate::domain::{
    Fault, Result,
    file_kind::{ExpectedFile, FileKind},
    model::{Architecture, WeightFamily},
    spelling::suggestion,
    text::{count, printable},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// A tensor of single precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its sizes, the slowest first.
    pub shape: Vec<usize>,
    /// Its numbers, row-major.
    pub values: Vec<f32>,
}

/// The tensors of a network, by name; and what was done to make them so.
#[derive(Debug)]
pub struct Strict {
    /// All that the network has and no others, by the network's own names.
    pub tensors: BTreeMap<String, Tensor>,
    /// What was left out or converted, in sentences.
    pub remarks: Vec<String>,
    /// What the names in the file begin with, and which was left out.
    pub prefix: String,
}

/// Names that a head has, and counters: nothing that features depend on, unless it is a tensor of the network.
fn is_of_a_head_or_counter(name: &str) -> bool {
    const HEADS: [&str; 7] = ["fc", "head", "head.fc", "classifier", "classifier.fc", "logits", "last_linear"];
    let is_head = |part: &str| name.strip_suffix(part).is_some_and(|head| HEADS.contains(&head));
    name.ends_with("num_batches_tracked") || is_head(".weight") || is_head(".bias")
}

fn open<'a>(bytes: &'a [u8], path: &Path) -> Result<SafeTensors<'a>> {
    let kind = FileKind::of(bytes);
    if kind != FileKind::Safetensors {
        return Err(Fault::asked(format!("not weights: the file is {}", kind.words()))
            .in_file(path)
            .next(kind.advice(ExpectedFile::Weights)));
    }
    SafeTensors::deserialize(bytes).map_err(|error| {
        Fault::asked(format!("not a readable safetensors file ({} bytes), cut short or damaged: {error}", bytes.len()))
            .in_file(path)
            .next(
                "copy or download it again; PyTorch makes one of its own: safetensors.torch.save_file(model.state_dict(), path)",
            )
    })
}

/// What comes before the network's own names in a file: a wrapper's, such as `module.`, `_orig_mod.`, `backbone.` or `model.`, or
/// the key of a nest, `state_dict.`, or several of them. Found by what follows: the beginning behind which most of `wanted` is.
///
/// # Errors
/// The beginnings of several networks, each of them whole.
fn prefix<'a>(names: &[&'a str], wanted: &[TensorEntry]) -> std::result::Result<&'a str, Vec<&'a str>> {
    let there: BTreeSet<&str> = names.iter().copied().collect();
    let Some(first) = wanted.first() else { return Ok("") };
    let starts: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix(first.name.as_str()))
        .filter(|start| start.is_empty() || start.ends_with('.'))
        .collect();
    let count = |start: &str| wanted.iter().filter(|entry| there.contains(format!("{start}{}", entry.name).as_str())).count();
    let counted: Vec<(usize, &str)> = starts.into_iter().map(|start| (count(start), start)).collect();
    let whole: Vec<&str> = counted.iter().filter(|(count, _)| *count == wanted.len()).map(|(_, start)| *start).collect();
    match whole[..] {
        [only] => Ok(only),
        // The network by itself is meant, whatever copies of it are beside it.
        _ if whole.contains(&"") => Ok(""),
        [] => Ok(counted.into_iter().max_by_key(|(count, start)| (*count, Reverse(start.len()))).map_or("", |(_, start)| start)),
        _ => Err(whole),
    }
}

/// The names behind the prefix, and those that stand beside it, as they are.
fn behind<'a>(names: &[&'a str], prefix: &str) -> BTreeSet<&'a str> {
    names.iter().map(|name| name.strip_prefix(prefix).unwrap_or(name)).collect()
}

/// Reads the weights of this architecture; `path` is for messages.
///
/// # Errors
/// A file that is no safetensors, lacks a tensor, has one too many, or one of another shape or of a type that is no number
/// with a fraction.
pub fn read(bytes: &[u8], path: &Path, architecture: &Architecture, family: &WeightFamily) -> Result<Strict> {
    let wanted = layout(architecture, family)?;
    let file = open(bytes, path)?;
    let wrong = |what: String| Fault::asked(what).in_file(path);
    let names = file.names();
    let prefix = prefix(&names, &wanted).map_err(|several| {
        let several = several.iter().map(|start| format!("`{}`", printable(start))).collect::<Vec<_>>().join(" and ");
        wrong(format!("the file holds several networks of {architecture} ({family}), whose names begin with {several}"))
            .next("save the one that is meant by itself")
    })?;
    let there = behind(&names, prefix);
    let Difference { missing, extra, needless } = Difference::of(&there, &wanted);
    let begin = if prefix.is_empty() { String::new() } else { format!(" (all names begin with `{}`)", printable(prefix)) };
    if let Some(first) = missing.first() {
        let what =
            format!("the weights lack {} of {architecture} ({family}), such as `{first}`{begin}", count(missing.len(), "tensor"));
        let running = |name: &String| name.ends_with("running_mean") || name.ends_with("running_var");
        let next = if missing.iter().all(running) {
            "these are what batch normalisation gathered in training: save model.state_dict(), not only its parameters".to_owned()
        } else {
            suggestion(first, &there.iter().copied().collect::<Vec<_>>())
        };
        return Err(wrong(what).next(next));
    }
    if let Some(first) = extra.first() {
        let what = format!(
            "{} in the weights {} no part of {architecture} ({family}), such as `{first}`{begin}",
            count(extra.len(), "tensor"),
            if extra.len() == 1 { "is" } else { "are" }
        );
        return Err(wrong(what).next("is it another architecture, another width, or another family?"));
    }
    let mut strict = Strict { tensors: BTreeMap::new(), remarks: Vec::new(), prefix: prefix.to_owned() };
    let mut widened = 0;
    for TensorEntry { name, shape, role } in wanted {
        let tensor = file.tensor(&format!("{prefix}{name}")).map_err(|error| wrong(format!("cannot read `{name}`: {error}")))?;
        if tensor.shape() != shape {
            return Err(wrong(format!("`{name}` is {:?}, {architecture} has {shape:?} there", tensor.shape()))
                .next("a shape that could be stretched to fit is another network's all the same"));
        }
        let values = values(&tensor).ok_or_else(|| wrong(format!("`{name}` is of type {:?}: no weights", tensor.dtype())))?;
        widened += usize::from(matches!(tensor.dtype(), Dtype::F16 | Dtype::BF16));
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(wrong(format!("`{name}` holds {value}")).next("the network diverged, or the file is damaged"));
        }
        if role == Role::RunningVariance && values.iter().any(|value| *value < 0.0) {
            return Err(wrong(format!("`{name}` holds a variance below zero")));
        }
        strict.tensors.insert(name, Tensor { shape, values });
    }
    if !prefix.is_empty() {
        strict.remarks.push(format!("the names of the weights begin with `{}`, which is left out", printable(prefix)));
    }
    if widened > 0 {
        strict.remarks.push(format!("{} of half precision widened to single", count(widened, "tensor")));
    }
    if needless > 0 {
        strict.remarks.push(format!("{} of a head or counter left out", count(needless, "tensor")));
    }
    Ok(strict)
}

/// What reading the weights in a file shows: remarks.
///
/// # Errors
/// As [`read`].
pub fn examine(path: &Path, architecture: &Architecture, family: &WeightFamily) -> Result<Vec<String>> {
    let bytes = crate::files::read(path).map_err(|error| Fault::io("read the weights", path, &error))?;
    Ok(read(&bytes, path, architecture, family)?.remarks)
}

/// Every tensor of a file of single precision, whatever their names; `None` for anything else.
pub fn tensors(bytes: &[u8]) -> Option<BTreeMap<String, Tensor>> {
    let file = SafeTensors::deserialize(bytes).ok()?;
    let tensor =
        |(name, view): (String, TensorView)| Some((name, Tensor { shape: view.shape().to_vec(), values: values(&view)? }));
    file.tensors().into_iter().map(tensor).collect()
}

/// The names of a file, held against those of a network.
struct Difference {
    missing: Vec<String>,
    extra: Vec<String>,
    /// How many names are of a head or a counter.
    needless: usize,
}

impl Difference {
    fn of(there: &BTreeSet<&str>, wanted: &[TensorEntry]) -> Self {
        let wanted: BTreeSet<&str> = wanted.iter().map(|entry| entry.name.as_str()).collect();
        let missing = wanted.difference(there).map(|name| (*name).to_owned()).collect();
        let (needless, extra): (Vec<&str>, Vec<&str>) = there.difference(&wanted).partition(|name| is_of_a_head_or_counter(name));
        Difference { missing, extra: extra.into_iter().map(str::to_owned).collect(), needless: needless.len() }
    }
}

/// The architecture, width and family that fit a file best, with what is missing and too much there. Networks are tried in the order of
/// the register; one that comes later must fit better. Names alone decide.
///
/// # Errors
/// No safetensors file.
pub fn inspect(bytes: &[u8], path: &Path) -> Result<Inspected> {
    let file = open(bytes, path)?;
    let names = file.names();
    let mut best: Option<(Architecture, WeightFamily, &str, Difference)> = None;
    for (word, family) in candidates() {
        let mut architecture = Architecture { word: word.to_owned(), width: 1.0 };
        let wanted = layout(&architecture, &family)?;
        let prefix = prefix(&names, &wanted).unwrap_or_else(|several| several[0]);
        let difference = Difference::of(&behind(&names, prefix), &wanted);
        let wrong = |of: &Difference| of.missing.len() + of.extra.len();
        if best.as_ref().is_some_and(|(.., before)| wrong(before) <= wrong(&difference)) {
            continue;
        }
        // The first tensor is that of a convolution: channels after, channels before, height, width.
        let first = file.tensor(&format!("{prefix}{}", wanted[0].name)).ok();
        if let Some(channels) = first.and_then(|tensor| tensor.shape().first().copied()) {
            architecture.width = channels as f64 / wanted[0].shape[0] as f64;
        }
        best = Some((architecture, family, prefix, difference));
    }
    let known = best.filter(|(.., difference)| difference.missing.len() * 2 < names.len());
    let Some((architecture, family, prefix, Difference { missing, extra, needless })) = known else {
        let needless = names.iter().filter(|name| is_of_a_head_or_counter(name)).count();
        let unusable = names.iter().filter_map(|name| unusable(name, &file.tensor(name).ok()?, None)).collect();
        return Ok(Inspected { tensors: names.len(), needless, unusable, ..Inspected::default() });
    };
    let (misshapen, unusable) = misfits(&file, prefix, &layout(&sound(&architecture), &family)?);
    Ok(Inspected {
        misshapen,
        unusable,
        same_tensors: with_the_same_tensors(&architecture.word, &family)?,
        family: Some(family),
        architecture: Some(architecture.to_string()),
        tensors: names.len(),
        prefix: prefix.to_owned(),
        needless,
        missing,
        extra,
    })
}

/// What a weight file is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    /// `None`: of no family that is known here.
    pub family: Option<WeightFamily>,
    /// The network with its width, as [`Architecture`] displays it; `None` where the family is not known.
    pub architecture: Option<String>,
    /// Other families whose network of this architecture has the same tensors: the file may be of them.
    pub same_tensors: Vec<WeightFamily>,
    /// How many the file holds.
    pub tensors: usize,
    /// What all the network's names begin with, and which is left out.
    pub prefix: String,
    /// Tensors of a head and counters.
    pub needless: usize,
    /// Names of the network's tensors that the file lacks.
    pub missing: Vec<String>,
    /// Names in the file that are no tensor of the network.
    pub extra: Vec<String>,
    /// Tensors of another shape than the network's, a sentence each.
    pub misshapen: Vec<String>,
    /// Tensors whose numbers are no weights, a sentence each.
    pub unusable: Vec<String>,
}

/// The architecture, at its usual width where a file claims one that no network has: then its tensors are told to be of another shape.
fn sound(architecture: &Architecture) -> Architecture {
    let width = if (0.01..=8.0).contains(&architecture.width) { architecture.width } else { 1.0 };
    Architecture { word: architecture.word.clone(), width }
}

/// The tensors of the network that are there and do not fit: those of another shape, and those whose numbers are no weights.
fn misfits(file: &SafeTensors, prefix: &str, wanted: &[TensorEntry]) -> (Vec<String>, Vec<String>) {
    let (mut misshapen, mut bad) = (Vec::new(), Vec::new());
    for TensorEntry { name, shape, role } in wanted {
        let Ok(tensor) = file.tensor(&format!("{prefix}{name}")) else { continue };
        if tensor.shape() != *shape {
            misshapen.push(format!("`{name}` is {:?}, the network has {shape:?} there", tensor.shape()));
        }
        bad.extend(unusable(name, &tensor, Some(*role)));
    }
    (misshapen, bad)
}

/// Why the numbers of a tensor are no weights. `role`: `None` of a tensor of no network that is known.
fn unusable(name: &str, tensor: &TensorView, role: Option<Role>) -> Option<String> {
    let name = printable(name);
    match values(tensor) {
        None if role.is_none() => None,
        None => Some(format!("`{name}` is of type {:?}: no weights", tensor.dtype())),
        Some(values) => match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Some(format!("`{name}` holds {value}")),
            None if role == Some(Role::RunningVariance) && values.iter().any(|value| *value < 0.0) => {
                Some(format!("`{name}` holds a variance below zero"))
            }
            None => None,
        },
    }
}

/// The numbers of a tensor in single precision; `None` when they are no such numbers.
fn values(tensor: &TensorView) -> Option<Vec<f32>> {
    let data = tensor.data();
    let two = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]);
    Some(match tensor.dtype() {
        Dtype::F32 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Dtype::F64 => data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("eight bytes")) as f32).collect(),
        Dtype::BF16 => data.chunks_exact(2).map(|b| half::bf16::from_bits(two(b)).to_f32()).collect(),
        Dtype::F16 => data.chunks_exact(2).map(|b| half::f16::from_bits(two(b)).to_f32()).collect(),
        _ => return None,
    })
}

/// Tensors as the bytes of a safetensors file; equal tensors give equal bytes.
///
/// # Errors
/// Two tensors of one name, or values that do not fill their shape.
pub fn write<'a>(tensors: impl Iterator<Item = (&'a str, &'a Tensor)>) -> Result<Vec<u8>> {
    let bytes: Vec<(&str, &[usize], Vec<u8>)> = tensors
        .map(|(name, tensor)| {
            (name, tensor.shape.as_slice(), tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)));
    let refused = |error: safetensors::SafeTensorError| Fault::unexpected(format!("cannot write weights: {error}"));
    let views = views.collect::<std::result::Result<Vec<_>, _>>().map_err(refused)?;
    safetensors::serialize(views, None).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow() -> Architecture {
        Architecture { word: "resnet34".into(), width: 0.125 }
    }

    fn tensors() -> BTreeMap<String, Tensor> {
        let tensor = |TensorEntry { name, shape, .. }| {
            let values = vec![0.5; shape.iter().product()];
            (name, Tensor { shape, values })
        };
        layout(&narrow(), &WeightFamily::own()).unwrap().into_iter().map(tensor).collect()
    }

    fn read_back(tensors: &BTreeMap<String, Tensor>) -> Result<Strict> {
        let bytes = write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
        read(&bytes, Path::new("w.safetensors"), &narrow(), &WeightFamily::own())
    }

    #[test]
    fn weights_survive_their_file() {
        let tensors = tensors();
        assert!(read_back(&tensors).unwrap().tensors == tensors);
    }

    #[test]
    fn inspecting_names_shapes_and_values_that_do_not_fit() {
        let inspected = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
            let mut changed = tensors();
            change(&mut changed);
            let bytes = write(changed.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
            inspect(&bytes, Path::new("w.safetensors")).unwrap()
        };
        let whole = inspected(&|_| {});
        assert_eq!((whole.misshapen, whole.unusable), (vec![], vec![]));
        let shape = inspected(&|tensors| _ = tensors.insert("bn1.weight".into(), Tensor { shape: vec![1], values: vec![1.0] }));
        assert_eq!(shape.misshapen, ["`bn1.weight` is [1], the network has [8] there"]);
        // No numbers at all, and a side that no network has.
        let endless = Tensor { shape: vec![usize::MAX >> 1, 0], values: vec![] };
        let endless = inspected(&|tensors| _ = tensors.insert("conv1.weight".into(), endless.clone()));
        assert!(endless.misshapen.iter().any(|line| line.contains("9223372036854775807")), "{:?}", endless.misshapen);
        let nan = inspected(&|tensors| tensors.get_mut("bn1.bias").unwrap().values[0] = f32::NAN);
        assert_eq!(nan.unusable, ["`bn1.bias` holds NaN"]);
        let below = inspected(&|tensors| tensors.get_mut("bn1.running_var").unwrap().values[0] = -1.0);
        assert_eq!(below.unusable, ["`bn1.running_var` holds a variance below zero"]);
        let other = BTreeMap::from([("x".to_owned(), Tensor { shape: vec![1], values: vec![f32::INFINITY] })]);
        let bytes = write(other.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
        assert_eq!(inspect(&bytes, Path::new("w.safetensors")).unwrap().unusable, ["`x` holds inf"]);
    }

    #[test]
    fn a_tensor_missing_or_extra_or_of_a_shape_that_would_stretch_is_refused() {
        let fault = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
            let mut changed = tensors();
            change(&mut changed);
            read_back(&changed).unwrap_err().what
        };
        let missing = fault(&|tensors| _ = tensors.remove("bn1.running_var"));
        assert!(missing.contains("lack 1 tensor") && missing.contains("bn1.running_var"), "{missing}");
        let one = Tensor { shape: vec![1], values: vec![1.0] };
        let extra = fault(&|tensors| _ = tensors.insert("layer9.0.conv1.weight".into(), one.clone()));
        assert!(extra.contains("1 tensor in the weights is no part") && extra.contains("layer9"), "{extra}");
        let stretched = fault(&|tensors| _ = tensors.insert("bn1.weight".into(), one.clone()));
        assert!(stretched.contains("`bn1.weight` is [1], resnet34-width0.125 has [8] there"), "{stretched}");
        let nan = fault(&|tensors| tensors.get_mut("bn1.bias").unwrap().values[0] = f32::NAN);
        assert!(nan.contains("`bn1.bias` holds NaN"), "{nan}");
    }

    /// The tensors under other names.
    fn renamed(with: &dyn Fn(&str) -> String) -> BTreeMap<String, Tensor> {
        tensors().into_iter().map(|(name, tensor)| (with(&name), tensor)).collect()
    }

    #[test]
    fn what_wrappers_put_before_the_names_is_left_out_and_said() {
        let starts =
            ["module.", "_orig_mod.", "backbone.", "model.", "state_dict.", "state_dict.module.", "_orig_mod.module.encoder."];
        for start in starts {
            let strict = read_back(&renamed(&|name| format!("{start}{name}"))).unwrap();
            assert!(strict.tensors == tensors() && strict.prefix == start, "{start}");
            assert!(strict.remarks.iter().any(|remark| remark.contains(&format!("`{start}`"))), "{:?}", strict.remarks);
        }
        let mut with_head = renamed(&|name| format!("backbone.{name}"));
        for name in ["head.weight", "backbone.fc.bias", "backbone.bn1.num_batches_tracked"] {
            with_head.insert(name.to_owned(), Tensor { shape: vec![2], values: vec![0.0; 2] });
        }
        assert!(read_back(&with_head).unwrap().tensors == tensors());
    }

    /// A file of all tensors of a network, and of what its own `state_dict` has beside them.
    fn file_of(architecture: &Architecture, family: &WeightFamily, beside: &[&str]) -> Vec<u8> {
        let tensor = |TensorEntry { name, shape, .. }| {
            let values = vec![0.5; shape.iter().product()];
            (name, Tensor { shape, values })
        };
        let mut tensors: BTreeMap<String, Tensor> = layout(architecture, family).unwrap().into_iter().map(tensor).collect();
        tensors.extend(beside.iter().map(|name| ((*name).to_owned(), Tensor { shape: vec![1], values: vec![1.0] })));
        write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap()
    }

    #[test]
    fn every_network_of_the_register_is_recognised_in_a_file() {
        for (word, family) in candidates() {
            let architecture = Architecture { word: word.to_owned(), width: 0.25 };
            let found = inspect(&file_of(&architecture, &family, &["bn1.num_batches_tracked"]), Path::new("w")).unwrap();
            let of = found.family.iter().chain(&found.same_tensors).find(|of| **of == family);
            assert!(of.is_some(), "{word} of {family}: {:?} {:?}", found.family, found.same_tensors);
            assert_eq!(found.architecture, Some(architecture.to_string()));
            assert_eq!((found.missing.len(), found.extra.len(), found.needless), (0, 0, 1), "{word} {family}");
        }
    }

    #[test]
    fn a_tensor_of_the_network_is_no_head_although_it_is_called_like_one() {
        let architecture = Architecture { word: "iresnet18".into(), width: 0.125 };
        let family = WeightFamily::of("arcface_torch");
        let strict = read(&file_of(&architecture, &family, &[]), Path::new("w"), &architecture, &family).unwrap();
        assert!(strict.tensors.contains_key("fc.weight") && strict.remarks.is_empty(), "{:?}", strict.remarks);
        // Elsewhere it is one.
        let resnet = Architecture { word: "resnet18".into(), width: 0.125 };
        let torchvision = WeightFamily::of("torchvision");
        let bytes = file_of(&resnet, &torchvision, &["fc.weight", "fc.bias"]);
        let strict = read(&bytes, Path::new("w"), &resnet, &torchvision).unwrap();
        assert_eq!(strict.remarks, ["2 tensors of a head or counter left out"]);
    }

    #[test]
    fn a_file_of_no_network_is_of_no_family() {
        let one = Tensor { shape: vec![1], values: vec![1.0] };
        let bytes = write([("a", &one), ("b.fc.weight", &one)].into_iter()).unwrap();
        let found = inspect(&bytes, Path::new("w")).unwrap();
        assert_eq!((found.family, found.architecture, found.tensors), (None, None, 2));
    }

    #[test]
    fn two_networks_in_a_file_are_not_guessed_between() {
        let mut two = renamed(&|name| format!("student.{name}"));
        two.extend(renamed(&|name| format!("teacher.{name}")));
        let fault = read_back(&two).unwrap_err();
        assert!(fault.what.contains("`student.` and `teacher.`"), "{fault}");
    }

    #[test]
    fn what_a_wrapped_network_lacks_is_told_by_its_own_names() {
        let mut lacks = renamed(&|name| format!("module.{name}"));
        lacks.remove("module.bn1.weight");
        let fault = read_back(&lacks).unwrap_err();
        assert!(
            fault.what.contains("lack 1 tensor") && fault.what.contains("`bn1.weight`") && fault.what.contains("`module.`"),
            "{fault}"
        );
        let mut parameters = tensors();
        parameters.retain(|name, _| !name.contains("running"));
        let fault = read_back(&parameters).unwrap_err();
        assert!(fault.next.as_ref().unwrap().contains("state_dict()"), "{fault}");
    }

    #[test]
    fn a_file_that_holds_no_weights_is_called_what_it_is() {
        let refused = |bytes: &[u8], what: &str, next: &str| {
            let fault = read(bytes, Path::new("w.safetensors"), &narrow(), &WeightFamily::own()).unwrap_err();
            assert!(fault.what.contains(what) && fault.next.as_ref().unwrap().contains(next), "{fault}");
        };
        refused(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer", "git lfs pull");
        refused(b"<!doctype html><title>Google Drive - Virus scan warning</title>", "HTML page", "download it again");
        refused(b"PK\x03\x04\0\0\0\0archive/data.pkl", "torch.save", "save_file");
        refused(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "before PyTorch 1.6", "save_file");
        refused(b"\x1f\x8b\x08\0", "gzip", "gunzip");
        refused(b"", "empty", "again");
        let bytes = write(tensors().iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
        refused(&bytes[..bytes.len() / 2], "cut short", "again");
    }

    #[test]
    fn half_precision_is_widened_and_said() {
        let half = [0x3c00u16, 0xc000, 0x0001, 0x7bff, 0x8000].map(u16::to_le_bytes).concat();
        let view = TensorView::new(Dtype::F16, vec![5], &half).unwrap();
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert_eq!(values(&view).map(bits), Some(bits(vec![1.0, -2.0, 5.960_464_5e-8, 65504.0, -0.0])));
    }
}
