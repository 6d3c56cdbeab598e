//! `visavis data …`: data sets.

use super::{
    Context,
    data_labels::{self, AddedLabels},
    data_stats::Stats,
    deep_check::{DeepCheck, DeepFindings},
    output::{remark, say, say_json, warn},
};
use clap::{Subcommand, ValueEnum};
use rayon::prelude::*;
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::{
        self, Collection, Defects, DigestCache, Finding, PictureSource, SAY_IDENTITIES, Severity, Target, UNKNOWN_IDENTITIES,
        faces::{self, DrawnKind, Request, Twin, Variety},
    },
    domain::{
        Fault, Result,
        study::Dataset,
        text::{count, printable, thousands},
    },
};

#[derive(Subcommand)]
pub(crate) enum DataCommand {
    /// Draw synthetic faces with a known truth, in CelebA's own format, or a training set
    Draw(Draw),
    /// Look for what is wrong with a data set: its tables, and every picture
    Check(Check),
    /// Count a data set's images, identities and labels; which attributes go together; how large identities are
    Stats(Stats),
    /// Write a data set of classes into another container, with the bytes of its pictures as they are; or labels as one table
    Convert(Convert),
}

#[derive(clap::Args)]
pub(crate) struct Convert {
    /// One folder a class, a tar archive of such folders, VGGFace2, or a RecordIO set; for a table: any data set, a label table, or Parquet
    src: PathBuf,
    /// The folder to make, or the table to write: a name that ends in .csv or .parquet
    dst: PathBuf,
    #[command(flatten)]
    added: AddedLabels,
    /// What to write; without it folders of a RecordIO set, and else RecordIO
    #[arg(long, value_enum, value_name = "CONTAINER")]
    to: Option<WhichContainer>,
}

#[derive(Clone, Copy, ValueEnum)]
enum WhichContainer {
    /// train.rec, train.idx and property, as InsightFace has them, and train.lst with the pictures' names
    Recordio,
    /// One folder a class
    Folders,
}

#[derive(clap::Args)]
pub(crate) struct Folder {
    /// The folder that holds it: CelebA, VGGFace2, UTKFace, RecordIO, one folder a class, or plain pictures; a `.rec` file or a `.tar` archive by itself; `check` takes a label table too
    dir: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    deep: DeepCheck,
}

#[derive(clap::Args)]
pub(crate) struct Draw {
    /// The folder to make
    dir: PathBuf,
    /// Identities (classes, of textures) in the set
    #[arg(long, value_name = "P", default_value_t = 100)]
    identities: usize,
    /// What --identities was called
    #[arg(long, hide = true, value_parser = renamed)]
    people: Option<usize>,
    /// Pictures, as many of each as of any
    #[arg(long, value_name = "N", default_value_t = 2000)]
    images: usize,
    /// Another seed draws other identities
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// In twin `a` the necktie follows a dark background, in `b` not
    #[arg(long, value_enum, default_value_t = WhichTwin::A, conflicts_with = "train")]
    twin: WhichTwin,
    /// Draw a training set instead, one folder a class
    #[arg(long, value_enum, value_name = "WHAT")]
    train: Option<DrawnTrainingSet>,
}

#[derive(Clone, Copy, ValueEnum)]
enum WhichTwin {
    A,
    B,
}

#[derive(Clone, Copy, ValueEnum)]
enum DrawnTrainingSet {
    /// Faces in many poses and lights
    Varied,
    /// Faces in one pose and one light
    Uniform,
    /// Textures and objects, and no face
    Textures,
}

impl DataCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        match self {
            DataCommand::Draw(draw) => draw.run(context),
            DataCommand::Check(check) => check.folder.check(context, &check.deep),
            DataCommand::Stats(stats) => stats.run(context),
            DataCommand::Convert(convert) => convert.run(context),
        }
    }
}

impl Convert {
    fn run(&self, context: &Context) -> Result<()> {
        if let (None, Some(format)) = (self.to, data_labels::table_format(&self.dst)) {
            return data_labels::convert(context, &self.added, (&self.src, &self.dst), format);
        }
        self.added.none_of(&self.dst)?;
        let (dataset, set) = opened(&self.src)?;
        if let Some(fault) = set.defects.first_fatal() {
            return Err(fault);
        }
        let target = match (self.to, &dataset) {
            (Some(WhichContainer::Folders), _) | (None, Dataset::RecordIo { .. }) => Target::Folders,
            (Some(WhichContainer::Recordio), _) | (None, _) => Target::RecordIo,
        };
        let made = dataset::convert(&set, &self.dst, target)?;
        let to = match target {
            Target::RecordIo => "recordio",
            Target::Folders => "folders",
        };
        if context.json {
            say_json(&json!({
                "format": 1, "from": dataset.word(), "to": to, "images": made.images, "classes": made.classes, "left_out": made.left_out,
                "attributes_left_out": made.attributes_left_out.iter().map(|(name, labels)| json!({ "attribute": name, "labels": labels })).collect::<Vec<_>>(),
                "partitions": made.partitions.iter().cloned().collect::<BTreeMap<_, _>>(),
                "folder": self.dst.to_string_lossy(),
            }));
            return Ok(());
        }
        say(format!(
            "wrote {} of {} as {to} in {}",
            count(made.images, "image"),
            count(made.classes, "class"),
            printable(&self.dst.to_string_lossy())
        ));
        if made.left_out > 0 {
            warn(context, &[format!("{} without a class left out", count(made.left_out, "image"))]);
        }
        if !made.partitions.is_empty() {
            let of = |(name, images): &(String, usize)| format!("`{}` ({})", printable(name), thousands(*images));
            let of: Vec<String> = made.partitions.iter().map(of).collect();
            let what = format!("pictures of {} are together now: {}", count(of.len(), "partition"), of.join(", "));
            warn(context, &[format!("{what}; a study that trains on this set learns from all of them")]);
        }
        if let Some(what) = attributes_left_out(&made.attributes_left_out) {
            let next = format!("a table has them: visavis data convert {} labels.csv", printable(&self.src.to_string_lossy()));
            warn(context, &[format!("{what}; {next}")]);
        }
        count_findings(context, &set);
        Ok(())
    }
}

/// Attributes that are not written, with the number of their labels; the first few by name.
fn attributes_left_out(attributes: &[(String, usize)]) -> Option<String> {
    const NAMED: usize = 5;
    let labels: usize = attributes.iter().map(|(_, labels)| labels).sum();
    let named = attributes.iter().take(NAMED).map(|(name, labels)| format!("`{}` ({})", printable(name), thousands(*labels)));
    let more = if attributes.len() > NAMED { ", …" } else { "" };
    let named = named.collect::<Vec<_>>().join(", ");
    (labels > 0).then(|| {
        format!(
            "{} of {} left out, for containers have classes only: {named}{more}",
            count(labels, "label"),
            count(attributes.len(), "attribute")
        )
    })
}

/// Warns of defects, each kind with its first.
pub(super) fn count_findings(context: &Context, set: &Collection) {
    for found in set.defects.all().filter(|found| found.severity != Severity::Note) {
        let example = found.examples.first().map_or(String::new(), |fault| format!(": {}", told(fault)));
        warn(context, &[format!("{} × {}{example}", thousands(found.count), found.word)]);
    }
}

/// A data set by what it holds: a folder, or a file that holds pictures.
pub(super) fn opened(path: &Path) -> Result<(Dataset, Collection)> {
    if !PictureSource::is_here(path) {
        return Err(Fault::asked("the data set is not a folder, a RecordIO file (.rec) or a tar archive (.tar)").in_file(path));
    }
    let dataset = dataset::recognise(path);
    let set = dataset::collect(&dataset, &mut DigestCache::none())?;
    Ok((dataset, set))
}

impl Folder {
    fn open(&self, context: &Context) -> Result<(Dataset, Collection)> {
        let (dataset, set) = opened(&self.dir)?;
        if set.identities.is_none() {
            warn(context, &[format!("{UNKNOWN_IDENTITIES}; in a study {SAY_IDENTITIES}")]);
        }
        Ok((dataset, set))
    }

    fn check(&self, context: &Context, deep: &DeepCheck) -> Result<()> {
        if self.dir.is_file() && !PictureSource::is_here(&self.dir) {
            deep.refuse_table(&self.dir)?;
            let set = dataset::label_table(&self.dir)?;
            return self.tell(context, "labels", &set, None);
        }
        let (dataset, mut set) = self.open(context)?;
        for link in dataset::broken_links(&self.dir) {
            let to = std::fs::read_link(&link).unwrap_or_default();
            let what = format!("the link leads nowhere, or back to where it is: to {}", to.display());
            set.defects.fatal("broken-link", || Fault::asked(what).in_file(link));
        }
        if deep.is_asked() {
            let found = deep.run(context, &dataset, &mut set)?;
            return self.tell(context, dataset.word(), &set, Some(&found));
        }
        if PictureSource::is_here(&set.pictures) {
            let source = PictureSource::open(&set.pictures)?;
            let there: Vec<&String> = set.ids.iter().filter(|id| source.has(id)).collect();
            let open =
                |id: &&String| dataset::examine_picture(&source, id).map(|picture| (picture.lies(), picture.is_transparent));
            let opened: Vec<Result<(bool, bool)>> = there.par_iter().map(open).collect();
            for (id, opened) in there.into_iter().zip(opened) {
                note_picture(&mut set.defects, || source.place(id), opened);
            }
        }
        self.tell(context, dataset.word(), &set, None)
    }

    /// Says what was found; what is read rightly does not fail a check.
    fn tell(&self, context: &Context, kind: &str, set: &Collection, deep: Option<&DeepFindings>) -> Result<()> {
        let counts = [set.ids.len(), identities(set), set.labels.len()];
        let (notes, defects): (Vec<Finding>, Vec<Finding>) =
            set.defects.all().partition(|found| found.severity == Severity::Note);
        if context.json {
            let json = |of: &Finding| {
                let examples: Vec<String> = of.examples.iter().map(told).collect();
                json!({ "defect": of.word, "count": of.count, "examples": examples })
            };
            let mut said = json!({
                "format": 1, "kind": kind, "images": counts[0], "identities": counts[1], "identities_known": set.identities.is_some(), "attributes": counts[2],
                "defects": defects.iter().map(json).collect::<Vec<_>>(), "notes": notes.iter().map(json).collect::<Vec<_>>(),
            });
            if let Some(deep) = deep {
                said["deep"] = deep.json();
            }
            say_json(&said);
        } else {
            say(summary(kind, set));
            if let Some(deep) = deep {
                deep.say_table();
            }
            let list = |found: &[Finding]| {
                for of in found {
                    say(format!("  {} × {}", thousands(of.count), of.word));
                    of.examples.iter().for_each(|fault| say(format!("    {}", told(fault))));
                }
            };
            list(&defects);
            if !notes.is_empty() {
                say("  read rightly, and worth knowing:");
                list(&notes);
            }
        }
        if defects.is_empty() {
            return Ok(());
        }
        let kinds = match defects.len() {
            1 => "a defect of one kind".to_owned(),
            n => format!("defects of {n} kinds"),
        };
        Err(Fault::asked(format!("the data set has {kinds}")).in_file(&self.dir))
    }
}

/// Takes down what was found of a picture when it was opened: whether it is to be turned, and transparent.
pub(super) fn note_picture(defects: &mut Defects, place: impl Fn() -> PathBuf, opened: Result<(bool, bool)>) {
    let (lies, is_transparent) = match opened {
        Ok(found) => found,
        Err(fault) => {
            let word = if fault.what.contains("cut short") { "truncated" } else { "unreadable" };
            defects.fatal(word, || fault);
            return;
        }
    };
    let mut note = |word: &str, what: &str| defects.note(word, 1, Fault::asked(what).in_file(place()));
    if lies {
        note("turned", "the camera noted how the picture is to be turned (EXIF): it is, unless a study says otherwise");
    }
    if is_transparent {
        note("transparent", "the picture is transparent in places: the colours below are taken");
    }
}

pub(super) fn identities(set: &Collection) -> usize {
    set.identities.as_ref().map_or(set.ids.len(), |identities| identities.values().len())
}

pub(super) fn summary(kind: &str, set: &Collection) -> String {
    let who = match (&set.identities, &set.classes) {
        (Some(identities), _) => format!(" of {}", count(identities.values().len(), "identity")),
        (None, Some(classes)) => format!(" in {}", count(classes.values().len(), "class")),
        (None, None) => String::new(),
    };
    format!("{kind}: {}{who}, {}", count(set.ids.len(), "image"), count(set.labels.len(), "attribute"))
}

/// `--people` is told its new name.
fn renamed(_: &str) -> std::result::Result<usize, &'static str> {
    Err("it is called --identities now")
}

/// What is wrong, and where, on one line.
fn told(fault: &Fault) -> String {
    let place = fault.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
    format!("{}{place}", printable(&fault.what))
}

impl Draw {
    fn run(&self, context: &Context) -> Result<()> {
        let kind = match (self.train, self.twin) {
            (None, WhichTwin::A) => DrawnKind::Faces(Twin::A),
            (None, WhichTwin::B) => DrawnKind::Faces(Twin::B),
            (Some(DrawnTrainingSet::Varied), _) => DrawnKind::Training(Variety::Varied),
            (Some(DrawnTrainingSet::Uniform), _) => DrawnKind::Training(Variety::Uniform),
            (Some(DrawnTrainingSet::Textures), _) => DrawnKind::Textures,
        };
        faces::draw(&self.dir, &Request { kind, people: self.identities, images: self.images, seed: self.seed })?;
        let dir = self.dir.display();
        if context.json {
            say_json(
                &json!({ "format": 1, "drawn": self.images, "identities": self.identities, "seed": self.seed, "folder": self.dir.to_string_lossy() }),
            );
            return Ok(());
        }
        match kind {
            DrawnKind::Faces(_) => {
                say(format!("drew {} pictures of {} identities in {dir}", self.images, self.identities));
                remark(
                    context,
                    format!("  the known truth about them: {dir}/truth.json · pictures of them: {dir}/sheets/all.jpg"),
                );
            }
            _ => say(format!("drew {} pictures of {} classes to train on in {dir}", self.images, self.identities)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_a_container_lacks_are_said_with_counts() {
        let of = |names: &[&str]| attributes_left_out(&names.iter().map(|name| ((*name).to_owned(), 1000)).collect::<Vec<_>>());
        let said = "2,000 labels of 2 attributes left out, for containers have classes only: `label2` (1,000), `label3` (1,000)";
        assert_eq!((of(&["label2", "label3"]).as_deref(), of(&[])), (Some(said), None));
        let of_six = of(&["a", "b", "c", "d", "e", "f"]).unwrap();
        assert!(of_six.ends_with("`e` (1,000), …"), "{of_six}");
    }
}
