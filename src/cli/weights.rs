//! `visavis weights …`: weight files, without libtorch.

use super::{
    Context,
    output::{remark, say, say_json},
    whole_networks,
};
use clap::Subcommand;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};
use visavis_core::{
    domain::{
        Digest, Fault, Result,
        model::{Architecture, WeightFamily},
        text::{count, printable, shorten},
    },
    weights::{
        self, Inspected, Tensor,
        containers::{self, Format},
        families::{self, Input},
    },
};

#[derive(Subcommand)]
pub(crate) enum WeightsCommand {
    /// Say which network a weight file is of, what it lacks or has too much, and how a study names it
    Inspect {
        /// A .safetensors file, a file of torch.save (.pth, .pt, .ckpt), a pickle of NumPy arrays (.pkl), an ONNX model or a TorchScript
        /// module; nothing in it is run
        file: PathBuf,
    },
    /// Write a network's tensors as a .safetensors file, under the names of its family
    Convert {
        /// A file that `inspect` finds a whole network in
        file: PathBuf,
        /// The file to write, which must not be there yet
        out: PathBuf,
    },
    /// Write random weights in the layout of a family, to rehearse a study before its weights are there
    Draw {
        /// An architecture, such as resnet50
        architecture: String,
        /// The file to write, which must not be there yet
        out: PathBuf,
        /// Whose names, shapes and arithmetic, such as torchvision
        #[arg(long)]
        family: String,
        /// All widths of the network, as a share of the full ones
        #[arg(long, default_value_t = 1.0)]
        width: f64,
        /// Another seed draws other weights
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

impl WeightsCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        match self {
            WeightsCommand::Inspect { file } => inspect(file, context),
            WeightsCommand::Convert { file, out } => convert(file, out, context),
            WeightsCommand::Draw { architecture, out, family, width, seed } => {
                let network = Architecture { word: architecture.clone(), width: *width };
                draw(&network, &WeightFamily::of(family), *seed, out, context)
            }
        }
    }
}

fn inspect(path: &Path, context: &Context) -> Result<()> {
    if let Some(found) = whole_networks::inspect(path)? {
        if context.json {
            say_json(&found.json);
        } else {
            found.lines.iter().for_each(say);
            found.yaml.iter().for_each(|yaml| say_yaml(yaml));
        }
        return Ok(());
    }
    let file = containers::read(path)?;
    let found = weights::inspect(&file)?;
    let digest = file.digest()?;
    let yaml = match (&found.architecture, &found.family) {
        (Some(architecture), Some(family)) if found.is_whole() => {
            Some(suggested(path, (architecture, family), &found.same_tensors, digest))
        }
        _ => None,
    };
    if context.json {
        let beside: serde_json::Map<_, _> = found.beside.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        say_json(&json!({
            "format": 1, "family": found.family, "architecture": found.architecture.as_ref().map(ToString::to_string),
            "container": file.format.word(), "same_tensors": found.same_tensors, "tensors": found.tensors, "dict": found.dict,
            "elements": found.elements, "prefix": found.prefix, "needless": found.needless, "missing": found.missing,
            "differing": found.differing, "unusable": found.unusable, "extra": found.extra, "outside": found.outside, "several": found.several,
            "beside": beside, "digest": digest.to_string(), "yaml": yaml,
        }));
        return usable(&found, path);
    }
    lines(&found, file.format).iter().for_each(say);
    say(format!("  blake3 {digest}"));
    if let Some(yaml) = yaml {
        say_yaml(&yaml);
    }
    usable(&found, path)
}

fn say_yaml(yaml: &str) {
    say(format!("\nin a study file (the path is seen from the study's folder):\n\n{}", yaml.trim_end()));
}

/// What was found, for people.
fn lines(found: &Inspected, format: Format) -> Vec<String> {
    let tensors = count(found.tensors, "tensor");
    let format = format.words();
    let mut lines = vec![match (&found.family, &found.architecture) {
        (Some(family), Some(architecture)) => format!("{architecture} of the family {family}, {tensors} ({format})"),
        _ => format!("{tensors} of no family that is known here ({format})"),
    }];
    let mut say = |line: String| lines.push(format!("  {line}"));
    for other in &found.same_tensors {
        say(format!("or of the family {other}: it has the same tensors and computes otherwise, so only you can tell"));
    }
    if !found.dict.is_empty() {
        say(format!("in `{}`", found.dict));
    }
    if !found.prefix.is_empty() {
        say(format!("all names begin with `{}`, which is left out", printable(&found.prefix)));
    }
    for (word, kind) in [("float16", "half"), ("bfloat16", "half"), ("float64", "double")] {
        if let Some(n) = found.elements.get(word) {
            say(format!("{} of {kind} precision ({word}), read as single", count(*n, "tensor")));
        }
    }
    if found.needless > 0 {
        say(format!("{} of a head or counter, which features do not need", count(found.needless, "tensor")));
    }
    if let Some(first) = found.outside.first() {
        say(format!("{} beside the network left out, such as {}", count(found.outside.len(), "tensor"), name(first)));
    }
    for (word, names) in [
        ("lacks", &found.missing),
        ("has otherwise", &found.differing),
        ("has numbers that are no weights in", &found.unusable),
        ("has too much", &found.extra),
    ] {
        if let Some(first) = names.first() {
            say(format!("{word}: {}, such as {}", count(names.len(), "tensor"), name(first)));
        }
    }
    if !found.several.is_empty() {
        say(format!("several networks fit, with different numbers, and none is taken: {}", found.several.join("; ")));
    }
    if !found.beside.is_empty() {
        let beside = found.beside.iter().take(8).map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>();
        say(format!("beside the tensors: {}", beside.join(", ")));
    }
    lines
}

fn name(name: &str) -> String {
    printable(&shorten(name, 160))
}

/// How a study file names these weights, and prepares pictures for them.
fn suggested(
    path: &Path,
    (architecture, family): (&Architecture, &WeightFamily),
    others: &[WeightFamily],
    digest: Digest,
) -> String {
    let word = &architecture.word;
    let network =
        if architecture.width == 1.0 { word.clone() } else { format!("{{ {word}: {{ width: {} }} }}", architecture.width) };
    let prepare = match families::input_of(family) {
        Some(Input { size, channels, scale, crop }) => format!(
            "      # Without `prepare`, pictures are prepared as the family was trained: crop {crop}, size {size}, scale {scale}, channels \
             {channels}.\n"
        ),
        None => "      prepare: NAME          # the preparation that the network was trained with\n".to_owned(),
    };
    let file = json!(path.to_string_lossy());
    let others: String = others
        .iter()
        .map(|other| format!("# Or of the family {other}, which takes other pictures: only you can tell.\n"))
        .collect();
    // `loss` and `trained_on` are labels here.
    format!(
        "{others}models:\n  named:\n    {word}:\n      architecture: {network}\n      loss: softmax          # a label: what it was trained \
         with\n      trained_on: unknown    # a label: the data set\n{prepare}      weights: {{ file: {file}, family: {family}, blake3: \
         \"{digest}\" }}\n"
    )
}

/// Writes weights to a file that is not there yet, and gives its digest.
fn write_new(tensors: &BTreeMap<String, Tensor>, out: &Path) -> Result<Digest> {
    let there = || Fault::asked("the file is there already").in_file(out).next("name another, or move it away");
    if out.symlink_metadata().is_ok() {
        return Err(there());
    }
    let bytes = weights::write(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)))?;
    let mut new = File::create_new(out).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => there(),
        _ => Fault::io("write", out, &error),
    })?;
    if let Err(error) = new.write_all(&bytes).and_then(|()| new.sync_all()) {
        // Half a file would look like weights.
        std::fs::remove_file(out).ok();
        return Err(Fault::io("write", out, &error));
    }
    Ok(Digest::of(&bytes))
}

/// What was written, for people and programs.
fn written(
    (architecture, family): (&Architecture, &WeightFamily),
    tensors: usize,
    remarks: &[String],
    out: &Path,
    digest: Digest,
    context: &Context,
) {
    if context.json {
        say_json(&json!({
            "format": 1, "family": family, "architecture": architecture.to_string(), "tensors": tensors, "remarks": remarks,
            "file": out.to_string_lossy(), "digest": digest.to_string(),
        }));
        return;
    }
    remarks.iter().for_each(|line| remark(context, format!("note: {line}")));
    say(format!("{architecture} of the family {family}, {}, written", count(tensors, "tensor")));
    say(format!("  {}", printable(&out.to_string_lossy())));
    say(format!("  blake3 {digest}"));
}

fn convert(path: &Path, out: &Path, context: &Context) -> Result<()> {
    let file = containers::read(path)?;
    let (architecture, family, strict) = weights::recognised(&file)?;
    let digest = write_new(&strict.tensors, out)?;
    written((&architecture, &family), strict.tensors.len(), &strict.remarks, out, digest, context);
    Ok(())
}

fn draw(architecture: &Architecture, family: &WeightFamily, seed: u64, out: &Path, context: &Context) -> Result<()> {
    if !(architecture.width.is_finite() && (0.01..=4.0).contains(&architecture.width)) {
        return Err(Fault::asked(format!("the width {} is not between 0.01 and 4", architecture.width)));
    }
    let tensors = weights::draw(architecture, family, seed)?;
    let digest = write_new(&tensors, out)?;
    written(
        (architecture, family),
        tensors.len(),
        &["the weights are random: nothing was learned".to_owned()],
        out,
        digest,
        context,
    );
    Ok(())
}

/// # Errors
/// Tensors that no network can be run with.
fn usable(found: &Inspected, file: &Path) -> Result<()> {
    let Some(first) = found.differing.iter().chain(&found.unusable).next() else { return Ok(()) };
    let tensors = count(found.differing.len() + found.unusable.len(), "tensor");
    Err(Fault::asked(format!("the weights cannot be used: {tensors} of another shape or of no numbers; {first}"))
        .in_file(file)
        .next("a study with this file is refused: name the architecture and width it is of, or download it again"))
}
