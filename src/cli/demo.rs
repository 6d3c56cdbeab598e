//! `visavis demo`: the digits study, whole, from files that ship inside the program.

use super::{Context, init::write_if_absent, output::remark, report, run::Run};
use crate::domain::Result;

/// The study and a sample of scikit-learn's scanned digits (UCI, CC BY 4.0; see data/digits/SOURCE.md).
const FILES: [(&str, &[u8]); 7] = [
    ("experiments/digits.yaml", include_bytes!("../../experiments/digits.yaml")),
    ("data/digits/SOURCE.md", include_bytes!("../../data/digits/SOURCE.md")),
    ("data/digits/labels.csv", include_bytes!("../../data/digits/labels.csv")),
    ("data/digits/images.txt", include_bytes!("../../data/digits/images.txt")),
    ("data/digits/pixels.npy", include_bytes!("../../data/digits/pixels.npy")),
    ("data/digits/blocks.npy", include_bytes!("../../data/digits/blocks.npy")),
    ("data/digits/noisy.npy", include_bytes!("../../data/digits/noisy.npy")),
];

pub fn demo(context: &Context) -> Result<()> {
    let root = context.workspace.root();
    for (name, bytes) in FILES {
        write_if_absent(&root.join(name), bytes)?;
    }
    let study = root.join(FILES[0].0);
    Run::of(&study).execute(context)?;
    let file = report::write(context, &study, None)?;
    remark(context, format!("\nopen {} in a browser; check it with: visavis audit {}", file.display(), file.display()));
    Ok(())
}
