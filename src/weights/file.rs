//! Weight files: safetensors, read strictly. Every tensor that the network has must be there in its shape, and every one
//! that is there must be the network's: a file that fits only nearly would run, and give numbers that mean nothing.

use super::layout::{Entry, Role, layout};
use crate::domain::{
    Fault, Result,
    model::{Architecture, BUILT, OWN_FAMILY},
    nearest::suggestion,
    text::count,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// A tensor of single precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The tensors of a network, by name; and what was done to make them so.
#[derive(Debug)]
pub struct Strict {
    pub tensors: BTreeMap<String, Tensor>,
    pub remarks: Vec<String>,
}

/// Names that a head has, and counters: nothing that features depend on.
fn needless(name: &str) -> bool {
    name.ends_with("num_batches_tracked") || matches!(name, "fc.weight" | "fc.bias" | "head.weight" | "head.bias")
}

fn open<'a>(bytes: &'a [u8], path: &Path) -> Result<SafeTensors<'a>> {
    SafeTensors::deserialize(bytes).map_err(|error| {
        Fault::asked(format!("not a readable safetensors file: {error}"))
            .in_file(path)
            .next("PyTorch makes one of its own: safetensors.torch.save_file(model.state_dict(), path)")
    })
}

/// Reads the weights of this architecture; `path` is for messages.
///
/// # Errors
/// A file that is no safetensors, lacks a tensor, has one too many, or one of another shape or of a type that is no number
/// with a fraction.
pub fn read(bytes: &[u8], path: &Path, architecture: &Architecture, family: &str) -> Result<Strict> {
    let wanted = layout(architecture, family)?;
    let file = open(bytes, path)?;
    let (missing, extra) = held_against(&file, &wanted);
    let wrong = |what: String| Fault::asked(what).in_file(path);
    if let Some(first) = missing.first() {
        let names = file.names();
        return Err(wrong(format!(
            "the weights lack {} of {architecture} ({family}), such as `{first}`",
            count(missing.len(), "tensor")
        ))
        .next(suggestion(first, &names)));
    }
    if let Some(first) = extra.first() {
        let what = format!(
            "{} in the weights {} no part of {architecture} ({family}), such as `{first}`",
            count(extra.len(), "tensor"),
            if extra.len() == 1 { "is" } else { "are" }
        );
        return Err(wrong(what).next("is it another architecture, another width, or another family?"));
    }
    let mut strict = Strict { tensors: BTreeMap::new(), remarks: Vec::new() };
    let mut widened = 0;
    for Entry { name, shape, role } in wanted {
        let tensor = file.tensor(&name).map_err(|error| wrong(format!("cannot read `{name}`: {error}")))?;
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
    if widened > 0 {
        strict.remarks.push(format!("{} of half precision widened to single", count(widened, "tensor")));
    }
    let heads = file.names().into_iter().filter(|name| needless(name)).count();
    if heads > 0 {
        strict.remarks.push(format!("{} of a head or counter left out", count(heads, "tensor")));
    }
    Ok(strict)
}

/// Every tensor of a file of single precision, whatever their names; `None` for anything else.
pub fn tensors(bytes: &[u8]) -> Option<BTreeMap<String, Tensor>> {
    let file = SafeTensors::deserialize(bytes).ok()?;
    let tensor =
        |(name, view): (String, TensorView)| Some((name, Tensor { shape: view.shape().to_vec(), values: values(&view)? }));
    file.tensors().into_iter().map(tensor).collect()
}

/// What the file lacks, and what it has too much.
fn held_against(file: &SafeTensors, wanted: &[Entry]) -> (Vec<String>, Vec<String>) {
    let there: BTreeSet<String> = file.names().into_iter().map(str::to_owned).collect();
    let wanted: BTreeSet<String> = wanted.iter().map(|entry| entry.name.clone()).collect();
    let missing = wanted.difference(&there).cloned().collect();
    let extra = there.difference(&wanted).filter(|name| !needless(name)).cloned().collect();
    (missing, extra)
}

/// The family and width that fit a file best, with what is missing and too much there.
///
/// # Errors
/// No safetensors file.
pub fn inspect(bytes: &[u8], path: &Path) -> Result<Inspected> {
    let file = open(bytes, path)?;
    let names: BTreeSet<&str> = file.names().into_iter().collect();
    let (word, others) = BUILT[usize::from(names.iter().any(|name| name.contains(".se.fc1.")))];
    let family = if names.contains("embedding.weight") { OWN_FAMILY } else { others };
    let channels = file.tensor("conv1.weight").ok().and_then(|tensor| tensor.shape().first().copied());
    let architecture = Architecture { word: word.to_owned(), width: channels.map_or(1.0, |channels| channels as f64 / 64.0) };
    let (missing, extra) = held_against(&file, &layout(&architecture, family)?);
    let known = missing.len() * 2 < names.len();
    Ok(Inspected {
        family: known.then(|| family.to_owned()),
        architecture: known.then(|| architecture.to_string()),
        tensors: names.len(),
        missing: if known { missing } else { vec![] },
        extra: if known { extra } else { vec![] },
    })
}

/// What a weight file is.
#[derive(Debug, PartialEq, Eq)]
pub struct Inspected {
    /// `None`: of no family that is known here.
    pub family: Option<String>,
    pub architecture: Option<String>,
    pub tensors: usize,
    pub missing: Vec<String>,
    pub extra: Vec<String>,
}

/// The numbers of a tensor in single precision; `None` when they are no such numbers.
fn values(tensor: &TensorView) -> Option<Vec<f32>> {
    let data = tensor.data();
    let two = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]);
    Some(match tensor.dtype() {
        Dtype::F32 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Dtype::F64 => data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("eight bytes")) as f32).collect(),
        Dtype::BF16 => data.chunks_exact(2).map(|b| f32::from_bits(u32::from(two(b)) << 16)).collect(),
        Dtype::F16 => data.chunks_exact(2).map(|b| from_half(two(b))).collect(),
        _ => return None,
    })
}

/// IEEE 754 binary16 → binary32, exactly.
fn from_half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (u32::from(bits >> 15) << 31, u32::from(bits >> 10 & 0x1f), u32::from(bits & 0x3ff));
    match exponent {
        0 => f32::from_bits(sign | (fraction as f32 * 2f32.powi(-24)).to_bits()),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// Tensors as the bytes of a safetensors file; equal tensors give equal bytes.
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
        let tensor = |Entry { name, shape, .. }| {
            let values = vec![0.5; shape.iter().product()];
            (name, Tensor { shape, values })
        };
        layout(&narrow(), "visavis").unwrap().into_iter().map(tensor).collect()
    }

    fn read_back(tensors: &BTreeMap<String, Tensor>) -> Result<Strict> {
        let bytes = write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))).unwrap();
        read(&bytes, Path::new("w.safetensors"), &narrow(), "visavis")
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
        assert!(stretched.contains("`bn1.weight` is [1], resnet34-width0.125 has [8] there"), "{stretched}");
        let nan = fault(&|tensors| tensors.get_mut("bn1.bias").unwrap().values[0] = f32::NAN);
        assert!(nan.contains("`bn1.bias` holds NaN"), "{nan}");
    }

    #[test]
    fn half_precision_is_widened_and_said() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x0001, 5.960_464_5e-8), (0x7bff, 65504.0), (0x8000, -0.0)] {
            assert_eq!(from_half(bits).to_bits(), f32::to_bits(value), "{bits:x}");
        }
        let half = [0x3c00u16, 0x3800].map(u16::to_le_bytes).concat();
        let view = TensorView::new(Dtype::F16, vec![2], &half).unwrap();
        assert_eq!(values(&view), Some(vec![1.0, 0.5]));
    }
}
