//! `visavis demo`: a whole study from nothing. On faces that are drawn here, with networks that learn here and two that learned before; or,
//! where there is no libtorch, on scanned digits that ship inside the program.

use super::{
    Context,
    init::write_if_absent,
    output::{remark, say},
    report::{self, OnPage},
    run::RunCommand,
};
use crate::study;
use visavis_core::{
    dataset::faces::{self, DrawnKind, Request, Twin, Variety},
    domain::{Fault, Result},
};

#[derive(clap::Args)]
pub(crate) struct DemoCommand {
    /// Less of everything: a minute instead of five
    #[arg(long)]
    quick: bool,
    /// Scanned digits and given features instead of faces: needs no libtorch, takes seconds
    #[arg(long, conflicts_with = "quick")]
    digits: bool,
    /// Write the study and the data it needs, and run nothing
    #[arg(long)]
    prepare: bool,
}

/// A sample of scikit-learn's scanned digits (UCI, CC BY 4.0; see data/digits/SOURCE.md), and its study.
const DIGITS: [(&str, &[u8]); 7] = [
    ("experiments/digits.yaml", include_bytes!("../../experiments/digits.yaml")),
    ("data/digits/SOURCE.md", include_bytes!("../../data/digits/SOURCE.md")),
    ("data/digits/labels.csv", include_bytes!("../../data/digits/labels.csv")),
    ("data/digits/images.txt", include_bytes!("../../data/digits/images.txt")),
    ("data/digits/pixels.npy", include_bytes!("../../data/digits/pixels.npy")),
    ("data/digits/blocks.npy", include_bytes!("../../data/digits/blocks.npy")),
    ("data/digits/noisy.npy", include_bytes!("../../data/digits/noisy.npy")),
];

/// A study with the sets it needs drawn: folder, kind, people, images, seed. Training sets have as many classes and images
/// each as any other.
struct Faces {
    study: (&'static str, &'static [u8]),
    /// Weights that the study names, and what they are.
    given: &'static [(&'static str, &'static [u8])],
    sets: &'static [(&'static str, DrawnKind, usize, usize, u64)],
}

const WHOLE: Faces = Faces {
    study: ("experiments/demo.yaml", include_bytes!("../../experiments/demo.yaml")),
    given: &[
        ("data/pretrained/README.md", include_bytes!("../../data/pretrained/README.md")),
        ("data/pretrained/softmax.safetensors", include_bytes!("../../data/pretrained/softmax.safetensors")),
        ("data/pretrained/arcface.safetensors", include_bytes!("../../data/pretrained/arcface.safetensors")),
    ],
    sets: &[
        ("data/drawn/faces", DrawnKind::Faces(Twin::A), 300, 1500, 1),
        ("data/drawn/varied", DrawnKind::Training(Variety::Varied), 250, 2000, 2),
        ("data/drawn/textures", DrawnKind::Textures, 250, 2000, 2),
    ],
};

const QUICK: Faces = Faces {
    study: ("experiments/demo-quick.yaml", include_bytes!("../../experiments/demo-quick.yaml")),
    given: &[],
    sets: &[
        ("data/drawn-quick/faces", DrawnKind::Faces(Twin::A), 150, 600, 1),
        ("data/drawn-quick/varied", DrawnKind::Training(Variety::Varied), 100, 800, 2),
        ("data/drawn-quick/textures", DrawnKind::Textures, 100, 800, 2),
    ],
};

impl DemoCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let root = context.workspace.root();
        let study = match (self.digits, self.quick) {
            (true, _) => {
                DIGITS.iter().try_for_each(|(name, bytes)| write_if_absent(&root.join(name), bytes))?;
                DIGITS[0].0
            }
            (false, true) => draw(context, &QUICK)?,
            (false, false) => draw(context, &WHOLE)?,
        };
        let study = root.join(study);
        if self.prepare {
            say(format!("{} is there, with its data", study.display()));
            return Ok(());
        }
        RunCommand::of(&study).execute(context)?;
        let file = report::write(context, &study, None, OnPage::default())?.file;
        let audit = context.line(&["audit", &file.display().to_string()]);
        remark(context, format!("\nopen {} in a browser; check it with: {audit}", file.display()));
        Ok(())
    }
}

/// Draws what is not there yet.
fn draw(context: &Context, faces: &Faces) -> Result<&'static str> {
    if study::WorkerProgram::Torch.path().is_none() {
        return Err(Fault::missing("the demo trains networks, and visavis-torch, which can, is not beside this program")
            .next("`make build` makes it; `visavis demo --digits` does without"));
    }
    let root = context.workspace.root();
    for (name, bytes) in std::iter::once(&faces.study).chain(faces.given) {
        write_if_absent(&root.join(name), bytes)?;
    }
    for &(folder, kind, people, images, seed) in faces.sets {
        let path = root.join(folder);
        if !faces::is_there(&path) {
            if !context.quiet && !context.json {
                say(format!("drawing {images} pictures in {folder}"));
            }
            faces::draw(&path, &Request { kind, people, images, seed })?;
        }
    }
    Ok(faces.study.0)
}
