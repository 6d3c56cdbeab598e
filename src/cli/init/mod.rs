//! `visavis init DIR`: a workspace, and a study file of what a person points at.

mod found;
mod text;

use super::{
    Context,
    check::CheckCommand,
    data_labels::AddedLabels,
    output::{say, say_json},
};
use std::path::{Path, PathBuf};
use text::FoundStudy;
use visavis_core::{
    domain::{
        Fault, Result,
        text::{count, printable},
    },
    store::{Workspace, make_folder, write_whole},
};

#[derive(clap::Args)]
pub(crate) struct InitCommand {
    /// The folder to make
    dir: PathBuf,
    /// Pictures to compare models on: CelebA, UTKFace, RecordIO, a folder a class, or plain pictures; or a label table alone
    #[arg(long, value_name = "PATH")]
    faces: Option<PathBuf>,
    #[command(flatten)]
    labels: AddedLabels,
    /// Pictures that networks learn from: a folder a person, VGGFace2, RecordIO, CelebA (repeatable)
    #[arg(long, value_name = "PATH", requires = "faces")]
    learn: Vec<PathBuf>,
    /// Features that were made elsewhere, .npy or .safetensors (repeatable)
    #[arg(long, value_name = "FILE", requires = "faces")]
    features: Vec<PathBuf>,
    /// The image of each row of all `--features` (default: a .txt or .csv of the array's name beside it)
    #[arg(long, value_name = "FILE", requires = "features")]
    rows: Option<PathBuf>,
    /// Weights of a network (repeatable)
    #[arg(long, value_name = "FILE", requires = "faces")]
    weights: Vec<PathBuf>,
    /// What to call the study
    #[arg(long, value_name = "NAME", default_value = "first")]
    study: String,
}

/// A study to start from: complete, commented, and checked by a test.
const FIRST: &str = include_str!("../../../templates/first.yaml");

impl InitCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let Some(faces) = &self.faces else { return self.of_nothing(context) };
        let is_plain = self.study.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_plain || self.study.starts_with(['.', '-']) || !(1..=100).contains(&self.study.len()) {
            let what = "a study is called by letters from A to Z, digits, `-`, `_` and `.`, and begins with a letter or digit";
            return Err(Fault::asked(what).next("--study my-study"));
        }
        let file = self.dir.join(format!("experiments/{}.yaml", self.study));
        if file.symlink_metadata().is_ok() {
            return Err(Fault::asked("the study file is there already").in_file(file).next("give another name with --study"));
        }
        // What is odd about the data is said once, when the study is checked.
        let silent = Context { quiet: true, ..context.beside(context.workspace.clone()) };
        let found = FoundStudy {
            name: self.study.clone(),
            faces: found::faces(&silent, faces, &self.labels)?,
            labels: self.labels.file().map(|file| written(file, &self.dir)),
            identities: self.labels.identities_column().map(str::to_owned),
            training: self.learn.iter().map(|path| found::training(path)).collect::<Result<_>>()?,
            features: self.features.iter().map(|path| found::features(path, self.rows.as_deref())).collect::<Result<_>>()?,
            weights: self.weights.iter().map(|path| found::weights(path)).collect::<Result<_>>()?,
        }
        .with_names_of_its_own();
        self.make_folders()?;
        write_whole(&file, text::study(&found, &|path| written(path, &self.dir)).as_bytes())?;
        if context.json {
            say_json(&as_json(&found, &file));
        } else {
            tell(&found);
        }
        let beside = context.beside(Workspace::new(self.dir.clone(), None)?);
        if !context.json {
            say(format!("\n{}", printable(&file.display().to_string())));
        }
        if let Err(fault) = CheckCommand::of(&file).run(&beside) {
            // What cannot be used is not left behind: the same command line, mended, writes it again.
            std::fs::remove_file(&file).map_err(|error| Fault::io("remove", &file, &error))?;
            return Err(fault);
        }
        if context.json {
            return Ok(());
        }
        let dir = printable(&self.dir.display().to_string());
        let name = &self.study;
        say(format!(
            "\nnext: cd {dir} && visavis run experiments/{name}.yaml\n  or  visavis plan experiments/{name}.yaml, which says how long that takes; `visavis` alone shows it on a screen"
        ));
        Ok(())
    }

    fn of_nothing(&self, context: &Context) -> Result<()> {
        write_if_absent(&self.dir.join("experiments/first.yaml"), FIRST.as_bytes())?;
        self.make_folders()?;
        let dir = printable(&self.dir.display().to_string());
        if context.json {
            say_json(&serde_json::json!({ "format": 1, "study": self.dir.join("experiments/first.yaml").display().to_string() }));
            return Ok(());
        }
        say(format!(
            "{dir} is a workspace now:\n  experiments/first.yaml  a study to edit: name your features and labels in it\n  data/                   what you bring, and what Visavis keeps\n  reports/                what you hand out\n\nnext: cd {dir} && visavis plan experiments/first.yaml\n  or point at what you have: visavis init {dir} --study mine --faces PICTURES --labels TABLE.csv --learn PICTURES --features ARRAY.npy"
        ));
        Ok(())
    }

    fn make_folders(&self) -> Result<()> {
        ["data", "reports", "experiments"].iter().try_for_each(|folder| make_folder(&self.dir.join(folder)))
    }
}

/// A path as a study in `dir/experiments` writes it: from there where it lies in `dir`, else whole.
fn written(path: &Path, dir: &Path) -> String {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    let (path, dir) = (whole(path), whole(dir));
    let near = path.strip_prefix(&dir).map_or_else(|_| path.clone(), |rest| Path::new("..").join(rest));
    text::quoted(&near.to_string_lossy())
}

/// What was found, and the study file that says it.
fn as_json(found: &FoundStudy, file: &Path) -> serde_json::Value {
    let faces = &found.faces;
    let attributes: Vec<&str> = faces.attributes.iter().map(|of| of.name.as_str()).collect();
    let set = |set: &found::FoundTraining| serde_json::json!({ "name": set.name, "kind": set.kind, "images": set.images, "classes": set.classes });
    serde_json::json!({
        "format": 1,
        "study": file.display().to_string(),
        "faces": { "kind": faces.kind, "images": faces.images, "identities": faces.identities, "attributes": attributes },
        "learn": found.training.iter().map(set).collect::<Vec<_>>(),
        "features": found.features.iter().map(|of| of.name.as_str()).collect::<Vec<_>>(),
        "weights": found.weights.iter().map(|of| of.name.as_str()).collect::<Vec<_>>(),
    })
}

/// What was found, in lines.
fn tell(found: &FoundStudy) {
    let faces = &found.faces;
    let kind = faces.kind.as_deref().unwrap_or("a label table");
    let known = faces.identities.map_or("identities unknown".to_owned(), |n| format!("{n} identities"));
    say(format!("faces: {kind}, {}, {known}, {}", count(faces.images, "image"), count(faces.attributes.len(), "attribute")));
    for set in &found.training {
        say(format!(
            "to learn from: {}, {}, {} of {} classes",
            printable(&set.name),
            set.kind,
            count(set.images, "image"),
            set.classes
        ));
    }
    for of in &found.features {
        say(format!("features: {}, rows named by {}", printable(&of.name), printable(&of.rows.display().to_string())));
    }
    for of in &found.weights {
        say(format!("weights: {}, {} of the family {}", printable(&of.name), of.architecture, of.family));
    }
}

/// Writes a file that is not there; one that is there is left as it is.
pub(crate) fn write_if_absent(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.exists() || path.is_symlink() {
        return Ok(());
    }
    write_whole(path, bytes)
}
