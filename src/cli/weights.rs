//! `visavis weights …`: weight files, without libtorch.

use super::{
    Context,
    output::{say, say_json},
};
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};
use visavis_core::{
    domain::{
        Digest, Fault, Result,
        text::{count, printable},
    },
    weights,
};

#[derive(Subcommand)]
pub(crate) enum WeightsCommand {
    /// Say which network a weight file is of, and what it lacks or has too much
    Inspect {
        /// A .safetensors file
        file: PathBuf,
    },
}

impl WeightsCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let WeightsCommand::Inspect { file } = self;
        let bytes = visavis_core::files::read(file).map_err(|error| Fault::io("read the weights", file, &error))?;
        let found = weights::inspect(&bytes, file)?;
        let digest = Digest::of(&bytes).to_string();
        if context.json {
            say_json(&json!({
                "format": 1, "family": found.family, "architecture": found.architecture, "container": "safetensors",
                "same_tensors": found.same_tensors, "tensors": found.tensors, "prefix": found.prefix, "needless": found.needless, "missing": found.missing, "extra": found.extra,
                "misshapen": found.misshapen, "unusable": found.unusable, "digest": digest,
            }));
            return usable(&found, file);
        }
        match (&found.family, &found.architecture) {
            (Some(family), Some(architecture)) => {
                say(format!("{architecture} of the family {family}, {}", count(found.tensors, "tensor")));
            }
            _ => say(format!("{} of no family that is known here", count(found.tensors, "tensor"))),
        }
        for other in &found.same_tensors {
            say(format!("  or of the family {other}: it has the same tensors and computes otherwise, so only you can tell"));
        }
        if !found.prefix.is_empty() {
            say(format!("  all names begin with `{}`, which is left out", printable(&found.prefix)));
        }
        if found.needless > 0 {
            say(format!("  {} of a head or counter, which features do not need", count(found.needless, "tensor")));
        }
        for (word, names) in [("lacks", &found.missing), ("has too much", &found.extra)] {
            if let Some(first) = names.first() {
                say(format!("  {word}: {}, such as {}", count(names.len(), "tensor"), printable(first)));
            }
        }
        for (word, lines) in [("of another shape", &found.misshapen), ("whose numbers are no weights", &found.unusable)] {
            if let Some(first) = lines.first() {
                say(format!("  {} {word}, such as {}", count(lines.len(), "tensor"), printable(first)));
            }
        }
        say(format!("  blake3 {digest}"));
        usable(&found, file)
    }
}

/// # Errors
/// Tensors that no network can be run with.
fn usable(found: &weights::Inspected, file: &Path) -> Result<()> {
    let Some(first) = found.misshapen.iter().chain(&found.unusable).next() else { return Ok(()) };
    let tensors = count(found.misshapen.len() + found.unusable.len(), "tensor");
    Err(Fault::asked(format!("the weights cannot be used: {tensors} of another shape or of no numbers; {first}"))
        .in_file(file)
        .next("a study with this file is refused: name the architecture and width it is of, or download it again"))
}
