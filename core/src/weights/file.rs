//! The weights of a network, read strictly from a file of any format that [`containers`] reads. Every tensor that the network has
//! must be there in its shape, and every one beside them must be the network's too or a head's: a file that fits only nearly would
//! run, and give numbers that mean nothing.
//!
//! A trainer's wrapper may hold more than the network. What stands behind the network's own prefix is held against the network; what
//! stands elsewhere (`head.kernel` beside `model.conv1.weight`) is the trainer's, and is left out and said.

use super::{
    containers::{
        self, Value, WeightFile,
        wrappers::{self, Fit, Wanted},
    },
    layout::{Role, TensorEntry, layout},
};
use crate::domain::{
    Fault, Result,
    model::{Architecture, WeightFamily},
    text::{count, printable, shorten},
};
use safetensors::{Dtype, tensor::TensorView};
use std::{collections::BTreeMap, path::Path};

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

/// A name that a head has: nothing that features depend on, unless it is a tensor of the network.
fn is_of_a_head(name: &str) -> bool {
    const HEADS: [&str; 7] = ["fc", "head", "head.fc", "classifier", "classifier.fc", "logits", "last_linear"];
    let is_head = |part: &str| name.strip_suffix(part).is_some_and(|head| HEADS.contains(&head));
    is_head(".weight") || is_head(".bias")
}

/// Names that a network does not have: how many are of a head, and the others.
pub(super) fn heads_and_others(left_over: &[String]) -> (usize, Vec<String>) {
    let (heads, others): (Vec<&String>, Vec<&String>) = left_over.iter().partition(|name| is_of_a_head(name));
    (heads.len(), others.into_iter().cloned().collect())
}

/// Names and shapes of a network's tensors, as a file is held against them.
pub(super) fn wanted(layout: &[TensorEntry]) -> Vec<Wanted<'_>> {
    layout.iter().map(|entry| Wanted { name: &entry.name, shape: &entry.shape }).collect()
}

/// Reads the weights of this architecture; `path` is for messages.
///
/// # Errors
/// A file that is no weight file, lacks a tensor, has one too many, or one of another shape or of a type that is no number
/// with a fraction; and one that holds several such networks with different numbers.
pub fn read(bytes: &[u8], path: &Path, architecture: &Architecture, family: &WeightFamily) -> Result<Strict> {
    strict(&containers::of_bytes(bytes, path)?, architecture, family)
}

/// What reading the weights in a file shows: remarks.
///
/// # Errors
/// As [`read`].
pub fn examine(path: &Path, architecture: &Architecture, family: &WeightFamily) -> Result<Vec<String>> {
    Ok(strict(&containers::read(path)?, architecture, family)?.remarks)
}

/// The weights of this architecture in a file that was looked through.
///
/// # Errors
/// As [`read`].
pub(super) fn strict(file: &WeightFile, architecture: &Architecture, family: &WeightFamily) -> Result<Strict> {
    let layout = layout(architecture, family)?;
    let network = format!("{architecture} ({family})");
    let wrong = |fault: Fault| fault.in_file(file.path());
    let fit = wrappers::fit(&file.root, &wanted(&layout)).map_err(|misfit| wrong(misfit.fault(&network)))?;
    let (heads, extra) = heads_and_others(&fit.left_over);
    if let Some(first) = extra.first() {
        let begin = if fit.place.is_the_file() { String::new() } else { format!(" ({})", fit.place.words()) };
        let are = if extra.len() == 1 { "is" } else { "are" };
        let what = format!(
            "{} in the weights {are} no part of {network}, such as `{}`{begin}",
            count(extra.len(), "tensor"),
            printable(&shorten(first, 80))
        );
        return Err(wrong(Fault::asked(what)).next("is it another architecture, another width, or another family?"));
    }
    let numbers = fit.numbers(file)?;
    let remarks = remarks(&fit, heads, numbers.conversions.remarks());
    let tensors: BTreeMap<String, Tensor> =
        numbers.tensors.into_iter().map(|(name, (shape, values))| (name, Tensor { shape, values })).collect();
    for TensorEntry { name, role, .. } in &layout {
        let values = &tensors[name].values;
        if let Some(why) = unusable(name, *role, values) {
            return Err(wrong(Fault::asked(why)).next("the network diverged, or the file is damaged"));
        }
    }
    Ok(Strict { tensors, remarks, prefix: fit.place.prefix })
}

/// Why the numbers of a tensor are no weights.
pub(super) fn unusable(name: &str, role: Role, values: &[f32]) -> Option<String> {
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return Some(format!("`{name}` holds {value}"));
    }
    let is_below_zero = role == Role::RunningVariance && values.iter().any(|value| *value < 0.0);
    is_below_zero.then(|| format!("`{name}` holds a variance below zero"))
}

/// What was left out or converted, in sentences.
fn remarks(fit: &Fit, heads: usize, converted: Vec<String>) -> Vec<String> {
    let mut remarks = Vec::new();
    if !fit.place.dict.is_empty() {
        remarks.push(format!("the weights are in `{}`", fit.place.dict));
    }
    if !fit.place.prefix.is_empty() {
        let prefix = printable(&fit.place.prefix);
        remarks.push(format!("the names of the weights begin with `{prefix}`, which is left out"));
    }
    remarks.extend(converted);
    if heads + fit.counters > 0 {
        remarks.push(format!("{} of a head or counter left out", count(heads + fit.counters, "tensor")));
    }
    if let Some(first) = fit.outside.first() {
        let first = printable(&shorten(first, 80));
        remarks.push(format!("{} beside the network left out, such as `{first}`", count(fit.outside.len(), "tensor")));
    }
    remarks
}

/// Every tensor of a safetensors file of fractions, in single precision, whatever their names; `None` for anything else.
pub fn tensors(bytes: &[u8]) -> Option<BTreeMap<String, Tensor>> {
    let file = containers::of_bytes(bytes, Path::new("")).ok().filter(|file| file.format == containers::Format::Safetensors)?;
    let Value::Dict(entries) = &file.root else { return None };
    let tensor = |(key, value): &(containers::Key, Value)| {
        let (containers::Key::Text(name), Value::Tensor(tensor)) = (key, value) else { return None };
        Some((name.clone(), Tensor { shape: tensor.shape().to_vec(), values: file.numbers(tensor).ok()? }))
    };
    entries.iter().map(tensor).collect()
}

/// Tensors as the bytes of a safetensors file, in single precision; equal tensors give equal bytes.
///
/// # Errors
/// Two tensors of one name, or values that do not fill their shape.
pub fn write<'a>(tensors: impl Iterator<Item = (&'a str, &'a Tensor)>) -> Result<Vec<u8>> {
    serialized(tensors, Dtype::F32, |values| values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// The same in half precision: half as large, each number rounded to the nearest that sixteen bits hold.
///
/// # Errors
/// As [`write()`]; a number that is too large for half precision.
pub fn write_half<'a>(tensors: impl Iterator<Item = (&'a str, &'a Tensor)> + Clone) -> Result<Vec<u8>> {
    let is_too_large = |value: &f32| value.is_finite() && half::f16::from_f32(*value).is_infinite();
    for (name, tensor) in tensors.clone() {
        if let Some(value) = tensor.values.iter().find(|value| is_too_large(value)) {
            let what = format!("`{name}` holds {value}, which is too large for half precision");
            return Err(Fault::asked(what).next("write the weights in single precision"));
        }
    }
    let halves = |values: &[f32]| values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect();
    serialized(tensors, Dtype::F16, halves)
}

fn serialized<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a Tensor)>,
    element: Dtype,
    bytes: impl Fn(&[f32]) -> Vec<u8>,
) -> Result<Vec<u8>> {
    let bytes: Vec<(&str, &[usize], Vec<u8>)> =
        tensors.map(|(name, tensor)| (name, tensor.shape.as_slice(), bytes(&tensor.values))).collect();
    let views = bytes.iter().map(|(name, shape, bytes)| Ok((*name, TensorView::new(element, shape.to_vec(), bytes)?)));
    let refused = |error: safetensors::SafeTensorError| Fault::unexpected(format!("cannot write weights: {error}"));
    let views = views.collect::<std::result::Result<Vec<_>, _>>().map_err(refused)?;
    safetensors::serialize(views, None).map_err(refused)
}

#[cfg(test)]
pub(super) mod tests {
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
        assert!(stretched.contains("1 tensor of the weights differs from that of resnet34-width0.125 (visavis): `bn1.weight` is [1] and should be [8]"), "{stretched}");
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
    pub(in crate::weights) fn file_of(architecture: &Architecture, family: &WeightFamily, beside: &[&str]) -> Vec<u8> {
        let tensor = |TensorEntry { name, shape, .. }| {
            let values = vec![0.5; shape.iter().product()];
            (name, Tensor { shape, values })
        };
        let mut tensors: BTreeMap<String, Tensor> = layout(architecture, family).unwrap().into_iter().map(tensor).collect();
        tensors.extend(beside.iter().map(|name| ((*name).to_owned(), Tensor { shape: vec![1], values: vec![1.0] })));
        write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap()
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
    fn two_networks_in_a_file_are_not_guessed_between() {
        let mut two = renamed(&|name| format!("student.{name}"));
        two.extend(renamed(&|name| format!("teacher.{name}")));
        let fault = read_back(&two).unwrap_err();
        assert!(
            fault.what.contains("beginning with `student.`; ") && fault.what.contains("beginning with `teacher.`"),
            "{fault}"
        );
        // Nor where one of them has no prefix, unless both are the same tensors of the file.
        let mut averaged = tensors();
        averaged.extend(renamed(&|name| format!("ema.{name}")));
        let fault = read_back(&averaged).unwrap_err();
        assert!(fault.what.contains("the file itself; the file itself, names beginning with `ema.`"), "{fault}");
    }

    #[test]
    fn what_a_trainer_has_beside_its_network_is_left_out_and_said() {
        let mut wrapped = renamed(&|name| format!("model.{name}"));
        wrapped.insert("head.kernel".to_owned(), Tensor { shape: vec![2], values: vec![0.0; 2] });
        let strict = read_back(&wrapped).unwrap();
        assert!(strict.remarks.contains(&"1 tensor beside the network left out, such as `head.kernel`".to_owned()));
        // Behind the network's own prefix it is of another network.
        wrapped.insert("model.layer1.0.se.weight".to_owned(), Tensor { shape: vec![2], values: vec![0.0; 2] });
        let fault = read_back(&wrapped).unwrap_err();
        assert!(
            fault.what.contains("1 tensor in the weights is no part") && fault.what.contains("`layer1.0.se.weight`"),
            "{fault}"
        );
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
        refused(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "cut short", "again");
        refused(b"\x1f\x8b\x08\0", "gzip", "gunzip");
        refused(b"", "empty", "again");
        let bytes = write(tensors().iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
        refused(&bytes[..bytes.len() / 2], "cut short", "again");
    }
}
