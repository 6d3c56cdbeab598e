//! `visavis weights inspect` of files that hold a whole network: what it takes and gives, and how a study names it.

use serde_json::{Value as Json, json};
use std::path::Path;
use visavis_core::{
    dataset::DigestCache,
    domain::{
        Digest, Result,
        model::ModelFormat,
        text::{count, printable, shorten, size},
    },
    weights::{
        onnx::{self, OnnxModel, PictureInput, TensorType},
        torchscript::{self, ScriptModule},
    },
};

/// What there is to say of a whole network.
pub(super) struct WholeFound {
    pub(super) json: Json,
    pub(super) lines: Vec<String>,
    /// Lines for a study file; `None` where no study can read it.
    pub(super) yaml: Option<String>,
}

/// Looks through a file that holds a whole network; `None`: it holds weights, or nothing.
///
/// # Errors
/// A model that is damaged.
pub(super) fn inspect(path: &Path) -> Result<Option<WholeFound>> {
    if onnx::is_model(path) {
        let model = onnx::read(path)?;
        let beside = onnx::external_files(path)?.into_iter().map(|(name, path)| (name, path.is_file())).collect();
        return Ok(Some(of_onnx(path, &model, beside, digest(path)?)));
    }
    if torchscript::is_module(path) {
        let module = torchscript::read(path)?;
        return Ok(Some(of_script(path, &module, digest(path)?)));
    }
    Ok(None)
}

fn digest(path: &Path) -> Result<Digest> {
    DigestCache::none().of(path)
}

fn named(name: &str) -> String {
    printable(&shorten(name, 160))
}

fn of_onnx(path: &Path, model: &OnnxModel, beside: Vec<(String, bool)>, digest: Digest) -> WholeFound {
    let ends = onnx::stage_ends(model);
    let input = model.picture_input();
    let opsets = model.opsets.iter().map(|(domain, version)| match domain.as_str() {
        "" | "ai.onnx" => format!("opset {version}"),
        other => format!("{} {version}", named(other)),
    });
    let about =
        [if model.producer.is_empty() { "of no named producer".to_owned() } else { format!("of {}", named(&model.producer)) }];
    let about: Vec<String> = about.into_iter().chain(opsets).collect();
    let mut lines = vec![format!(
        "ONNX model {}, {}, {}",
        about.join(", "),
        count(model.nodes.len(), "node"),
        count(model.weights.len(), "weight")
    )];
    let tensors = |word: &str, of: &[TensorType]| {
        of.iter().map(|of| format!("  {word} {}: {}", named(&of.name), of.words())).collect::<Vec<_>>()
    };
    lines.extend(tensors("takes", &model.inputs));
    lines.extend(tensors("gives", &model.outputs));
    match &input {
        Ok(PictureInput { batch, is_half, size, .. }) => {
            if size.contains(&None) {
                lines.push("  takes pictures of any size: write the size that it was trained with".to_owned());
            }
            lines.extend(batch.map(|batch| format!("  takes {} at a time, and no other number", count(batch, "picture"))));
            lines.extend(is_half.then(|| "  computes in half precision (float16)".to_owned()));
        }
        Err(fault) => lines.push(format!("  cannot be used: {}", fault.what)),
    }
    for (name, is_here) in &beside {
        let is_here = if *is_here { "" } else { ", which is not here: copy it there; a study waits for it" };
        lines.push(format!("  has weights in the file {} beside it{is_here}", named(name)));
    }
    for domain in model.opsets.iter().map(|(domain, _)| domain).filter(|domain| !KNOWN_DOMAINS.contains(&domain.as_str())) {
        lines.push(format!("  has operators of {}, which are not ONNX's: onnxruntime may lack them", named(domain)));
    }
    let layers = ends.layers();
    lines.extend(layers.iter().map(|(layer, tensor)| format!("  read as {layer}: {}", named(tensor))));
    if ends.is_before_classes {
        lines.push("  its output looks like scores of classes: the embedding is what the last linear layer takes".to_owned());
    }
    lines.push(CHANNELS.to_owned());
    lines.push(format!("  blake3 {digest}"));
    let yaml = match &input {
        Ok(input) => Some(yaml(path, ModelFormat::Onnx, &preparation_of(model, input), &layers, digest)),
        Err(_) => None,
    };
    let types = |of: &[TensorType]| of.iter().map(|of| json!({ "name": of.name, "type": of.words() })).collect::<Vec<_>>();
    let opsets: serde_json::Map<_, _> = model.opsets.iter().map(|(domain, version)| (domain.clone(), json!(version))).collect();
    let nodes = model.nodes.iter().map(|node| json!({ "op": node.op, "name": node.name, "outputs": node.outputs }));
    let beside: serde_json::Map<_, _> = beside.into_iter().map(|(name, is_here)| (name, json!(is_here))).collect();
    let json = json!({
        "format": 1, "container": "onnx", "producer": model.producer, "opsets": opsets, "inputs": types(&model.inputs),
        "outputs": types(&model.outputs), "weights": model.weights.len(), "beside": beside, "nodes": nodes.collect::<Vec<_>>(),
        "layers": as_map(&layers), "before_classes": ends.is_before_classes, "refused": input.err().map(|fault| fault.what),
        "digest": digest.to_string(), "yaml": yaml,
    });
    WholeFound { json, lines, yaml }
}

fn as_map(layers: &[(String, String)]) -> serde_json::Map<String, Json> {
    layers.iter().map(|(layer, read)| (layer.clone(), json!(read))).collect()
}

fn of_script(path: &Path, module: &ScriptModule, digest: Digest) -> WholeFound {
    let layers = module.layers();
    let mut lines = vec![
        format!("TorchScript module of class {}, {} of tensors", named(&module.class), size(module.bytes)),
        "  a program with its weights: libtorch runs it with your rights, so take it only from whom you trust".to_owned(),
        format!("  forward gives {}", named(&module.gives)),
    ];
    if module.gives.starts_with("Dict[") {
        lines.push("  what the dict holds is known only when it runs: name its keys as layers".to_owned());
    }
    lines.extend(layers.iter().map(|(layer, read)| format!("  read as {layer}: {}", named(read))));
    lines.push("  layers inside of it cannot be read: let its forward give them, or export it as ONNX".to_owned());
    lines.push(CHANNELS.to_owned());
    lines.push(format!("  blake3 {digest}"));
    let shown = if layers.is_empty() { vec![("embedding".to_owned(), "KEY".to_owned())] } else { layers.clone() };
    let guess = Preparation { crop: "whole", size: 224, scale: "imagenet", why: GUESS };
    let yaml = yaml(path, ModelFormat::TorchScript, &guess, &shown, digest);
    let json = json!({
        "format": 1, "container": "torchscript", "class": module.class, "gives": module.gives, "methods": module.methods,
        "bytes": module.bytes, "layers": as_map(&layers), "digest": digest.to_string(), "yaml": yaml,
    });
    WholeFound { json, lines, yaml: Some(yaml) }
}

/// A preparation to begin with.
struct Preparation {
    crop: &'static str,
    size: u64,
    scale: &'static str,
    why: &'static str,
}

/// Where the operators come from that onnxruntime has.
const KNOWN_DOMAINS: [&str; 5] = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"];

const CHANNELS: &str =
    "  channels: not stated; no file says whether red or blue is first, so write `channels` in the preparation (without: rgb)";

const GUESS: &str = "The file does not say how its pictures were prepared: this is a guess, write what it was trained with";

/// A preparation that fits a model's input.
fn preparation_of(model: &OnnxModel, input: &PictureInput) -> Preparation {
    let size = input.size[0].unwrap_or(224);
    if model.normalises_itself() {
        let why = "The model begins with a normalisation of its own, so it seems to take numbers of 0 to 255";
        return Preparation { crop: if size == 112 { "aligned" } else { "whole" }, size, scale: "raw", why };
    }
    // Networks of faces take 112 pixels.
    let (crop, scale) = if size == 112 { ("aligned", "symmetric") } else { ("whole", "imagenet") };
    Preparation { crop, size, scale, why: GUESS }
}

/// How a study file names a whole network.
fn yaml(path: &Path, format: ModelFormat, of: &Preparation, layers: &[(String, String)], digest: Digest) -> String {
    let Preparation { crop, size, scale, why } = of;
    let name = path.file_stem().map_or("network".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).take(60).collect();
    let file = json!(path.to_string_lossy());
    let layers: Vec<String> = layers.iter().map(|(layer, read)| format!("        {layer}: {}\n", json!(read))).collect();
    // Architecture, loss and training set are labels here.
    format!(
        "# {why}.\npreparations:\n  for_{name}: {{ crop: {crop}, size: {size}, scale: {scale} }}   # and channels: rgb, or bgr\nmodels:\n  named:\n    \
         {name}:\n      architecture: {name}   # a label\n      loss: softmax          # a label: what it was trained with\n      \
         trained_on: unknown    # a label: the data set\n      prepare: for_{name}\n      weights: {{ file: {file}, family: {format}, \
         blake3: \"{digest}\" }}\n      layers:\n{}",
        layers.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_quoted_so_that_any_name_of_a_tensor_is_text() {
        let layers = [("layer1".to_owned(), "/a: \"b\"".to_owned()), ("embedding".to_owned(), "683".to_owned())];
        let of = Preparation { crop: "whole", size: 112, scale: "raw", why: GUESS };
        let yaml = yaml(Path::new("a dir/w600k.r50.onnx"), ModelFormat::Onnx, &of, &layers, Digest::of(b"x"));
        assert!(yaml.contains("        layer1: \"/a: \\\"b\\\"\"\n        embedding: \"683\"\n"), "{yaml}");
        assert!(yaml.contains("w600k_r50:\n") && yaml.contains("file: \"a dir/w600k.r50.onnx\", family: onnx"), "{yaml}");
    }
}
