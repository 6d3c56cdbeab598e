//! `visavis weights …`: weight files, without libtorch.

use super::{
    Context, learned_weights,
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
        study::PreparationField,
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
    /// Write the weights that a model of a study learned here, for other studies
    Save {
        /// The study file
        study: PathBuf,
        /// The file to write (.safetensors), which must not be there yet
        out: PathBuf,
        /// The model (default: the only one that is trained here)
        #[arg(long)]
        model: Option<String>,
        /// In half precision: half as large, every number rounded
        #[arg(long)]
        half: bool,
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
            WeightsCommand::Save { study, out, model, half } => {
                let width = if *half { StoredWidth::Half } else { StoredWidth::Single };
                learned_weights::save(study, model.as_deref(), out, width, context)
            }
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
        let trained =
            families::input_of(other).map_or(String::new(), |input| format!(", and was trained with {}", in_words(&input)));
        say(format!(
            "or of the family {other}, which has the same tensors and computes otherwise{trained}: no file can tell, you must"
        ));
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
        say(format!(
            "{} not needed for features: heads for classes, and counters of batch normalisation",
            count(found.needless, "tensor")
        ));
    }
    let mut listed = |what: &str, names: &[String]| match names {
        [] => {}
        [one] => say(format!("{what}: 1 tensor, {}", name(one))),
        [first, ..] => say(format!("{what}: {}, such as {}", count(names.len(), "tensor"), name(first))),
    };
    listed("left out, because it is beside the network", &found.outside);
    listed("missing", &found.missing);
    listed("of another shape or type", &found.differing);
    listed("of numbers that are no weights", &found.unusable);
    listed("too much", &found.extra);
    if !found.several.is_empty() {
        say(format!("several networks fit, with different numbers, and none is taken: {}", found.several.join("; ")));
    }
    if let (Some(family), "net.") = (&found.family, found.prefix.as_str())
        && family.word() == "adaface"
    {
        say("names as CVLface has them: its model's configuration says in which order it takes channels (color_space)".to_owned());
    }
    if found.family.is_none() {
        let known = families::family_words().join(", ");
        say(format!("families that are known here: {known}; any other network can be read from an ONNX export of it"));
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

/// What a family was trained with: `crop aligned, size 112, scale symmetric, channels bgr`.
fn in_words(input: &Input) -> String {
    input.preparation().phrase(PreparationField::TRAINED)
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
        Some(input) => {
            format!("      # Without `prepare`, pictures are prepared as the family was trained: {}.\n", in_words(&input))
        }
        None => "      prepare: NAME          # the preparation that the network was trained with\n".to_owned(),
    };
    let file = json!(path.to_string_lossy());
    let others: String = others.iter().map(|other| format!("# Or of the family {other}: no file can tell.\n")).collect();
    // `loss` and `trained_on` are labels here.
    format!(
        "{others}models:\n  named:\n    {word}:\n      architecture: {network}\n      loss: softmax          # a label: what it was trained \
         with\n      trained_on: unknown    # a label: the data set\n{prepare}      weights: {{ file: {file}, family: {family}, blake3: \
         \"{digest}\" }}\n"
    )
}

/// In how many bits a file holds each number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StoredWidth {
    Half,
    Single,
}

/// Writes weights to a file that is not there yet, and gives its digest.
pub(super) fn write_new(tensors: &BTreeMap<String, Tensor>, width: StoredWidth, out: &Path) -> Result<Digest> {
    let there = || Fault::asked("the file is there already").in_file(out).next("name another, or move it away");
    if out.symlink_metadata().is_ok() {
        return Err(there());
    }
    let named = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor));
    let bytes = match width {
        StoredWidth::Half => weights::write_half(named)?,
        StoredWidth::Single => weights::write(named)?,
    };
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
pub(super) fn written(
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
    let digest = write_new(&strict.tensors, StoredWidth::Single, out)?;
    written((&architecture, &family), strict.tensors.len(), &strict.remarks, out, digest, context);
    Ok(())
}

fn draw(architecture: &Architecture, family: &WeightFamily, seed: u64, out: &Path, context: &Context) -> Result<()> {
    if !(architecture.width.is_finite() && (0.01..=4.0).contains(&architecture.width)) {
        return Err(Fault::asked(format!("the width {} is not between 0.01 and 4", architecture.width)));
    }
    let tensors = weights::draw(architecture, family, seed)?;
    let digest = write_new(&tensors, StoredWidth::Single, out)?;
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
    if found.family.is_none() || found.is_whole() {
        return Ok(());
    }
    let wrong = [
        (found.missing.len(), "missing"),
        (found.differing.len(), "of another shape or type"),
        (found.unusable.len(), "of numbers that are no weights"),
        (found.extra.len(), "too much"),
    ];
    let wrong = wrong.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(n, "tensor")));
    let wrong: Vec<String> = wrong.chain((!found.several.is_empty()).then(|| "several networks fit".to_owned())).collect();
    Err(Fault::asked(format!("no study can use these weights as they are: {}", wrong.join(", ")))
        .in_file(file)
        .next("every tensor of the network must be there, in its shape, and no other: is the file whole, and of this network?"))
}
