//! `visavis data check --deep`: pictures that are alike, in a set and between two.

use super::{
    Context,
    data::{note_picture, opened},
    output::{TextColumns, say},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::{
        self, Collection, DigestCache, PictureSource,
        duplicates::{Alike, Compared, ComparedSet, HashCache, Likeness, Looked, Side, compare, findings, look},
    },
    domain::{
        Fault, Result,
        study::{Dataset, FaceFiles, Identities, Vggface2Split},
        text::{printable, thousands},
    },
};

#[derive(clap::Args)]
pub(crate) struct DeepCheck {
    /// Also look for pictures that are alike, by bytes and by what they show, under two identities or in two partitions
    #[arg(long)]
    deep: bool,
    /// And for pictures and identities that this data set has too, such as the one that models are evaluated on
    #[arg(long, value_name = "DIR2", requires = "deep")]
    against: Option<PathBuf>,
}

/// What was found, in numbers; examples are among the set's defects.
pub(super) struct DeepFindings {
    alike: Alike,
    /// Pictures of the set, and those that an earlier check had looked at.
    pictures: usize,
    known: usize,
    against: Option<PathBuf>,
}

impl DeepCheck {
    pub(super) fn is_asked(&self) -> bool {
        self.deep
    }

    /// A table of labels has no pictures.
    pub(super) fn refuse_table(&self, path: &Path) -> Result<()> {
        if !self.deep {
            return Ok(());
        }
        Err(Fault::asked("a label table has no pictures to look at: --deep is about pictures").in_file(path))
    }

    /// Looks at every picture, and adds what is wrong to the set's defects.
    pub(super) fn run(&self, context: &Context, dataset: &Dataset, set: &mut Collection) -> Result<DeepFindings> {
        let other = self.against.as_ref().map(|against| opened(against)).transpose()?;
        let mut digests = DigestCache::open(context.workspace.digests());
        let mut cache = HashCache::open(&digests);
        // Both of VGGFace2's partitions are looked at, although a study reads one.
        let whole = whole_vggface2(dataset, &mut digests)?;
        let source = source_of(whole.as_ref().unwrap_or(set))?;
        let own = ComparedSet::new(whole.as_ref().unwrap_or(set), &source, is_of_people(dataset));
        let looked = look_at_all(context, "looking at pictures", &own, &source, &mut cache);
        for (place, fault) in &looked.faults {
            note_picture(&mut set.defects, || source.place(&own.ids[*place]), Err(fault.clone()));
        }
        for (id, seen) in own.ids.iter().zip(&looked.pictures) {
            if let Some(seen) = seen {
                note_picture(&mut set.defects, || source.place(id), Ok((seen.is_turned, seen.is_transparent)));
            }
        }
        let (mut pictures, mut places) = own.known(&looked, Side::Own);
        let against = match &other {
            Some((dataset, other)) => Some((source_of(other)?, is_of_people(dataset), other)),
            None => None,
        };
        let against = against.as_ref().map(|(source, people, other)| (source, ComparedSet::new(other, source, *people)));
        if let Some((source, against)) = &against {
            let looked = look_at_all(context, "looking at the other set", against, source, &mut cache);
            if let Some((_, fault)) = looked.faults.first() {
                let fault = Fault::asked(format!("a picture of the other set cannot be read: {}", fault.what));
                set.defects.note("unreadable-in-other-set", looked.faults.len(), fault);
            }
            let (more, more_places) = against.known(&looked, Side::Against);
            pictures.extend(more);
            places.extend(more_places);
        }
        context.workspace.sign_user_cache();
        let alike = compare(&pictures);
        let compared =
            Compared { pictures: &pictures, places: &places, own: &own, against: against.as_ref().map(|(_, against)| against) };
        findings(&alike, &compared, &mut set.defects);
        Ok(DeepFindings { alike, pictures: own.ids.len(), known: looked.known, against: self.against.clone() })
    }
}

/// The source of a set's pictures; a folder that is absent has none of them.
fn source_of(set: &Collection) -> Result<PictureSource> {
    if PictureSource::is_here(&set.pictures) {
        return PictureSource::open(&set.pictures);
    }
    Err(Fault::missing("the pictures are not here").in_file(&set.pictures))
}

/// Does the format say that folders are identities?
fn is_of_people(dataset: &Dataset) -> bool {
    matches!(dataset, Dataset::Vggface2 { .. })
}

/// Both partitions of VGGFace2, where both are there.
fn whole_vggface2(dataset: &Dataset, digests: &mut DigestCache) -> Result<Option<Collection>> {
    let Dataset::Vggface2 { root, .. } = dataset else { return Ok(None) };
    if Vggface2Split::ALL.iter().any(|split| !root.join(split.word()).is_dir()) {
        return Ok(None);
    }
    let folders = Dataset::Folders { root: root.clone(), identities: Identities::Unsaid, faces: FaceFiles::default() };
    let mut whole = dataset::collect(&folders, digests)?;
    let in_split = |id: &String| Vggface2Split::ALL.iter().any(|split| id.starts_with(&format!("{}/", split.word())));
    whole.ids.retain(in_split);
    Ok(Some(whole))
}

fn look_at_all(context: &Context, what: &str, set: &ComparedSet, source: &PictureSource, cache: &mut HashCache) -> Looked {
    let shown = !context.quiet && !context.json && std::io::stderr().is_terminal();
    let bar = if shown { ProgressBar::new(set.ids.len() as u64) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("  {msg} {bar:28} {pos} of {len} · {elapsed}, {eta} to go") {
        bar.set_style(style.progress_chars("━━╌"));
    }
    bar.set_message(what.to_owned());
    let looked = look(source, &set.ids, cache, |pictures| bar.inc(pictures as u64));
    bar.finish_and_clear();
    looked
}

impl DeepFindings {
    fn rows(&self) -> impl Iterator<Item = (Likeness, u64)> {
        let is_asked = |likeness: &Likeness| self.against.is_some() || !likeness.is_between_sets();
        let count = |likeness| (likeness, self.alike.found.get(&likeness).map_or(0, |found| found.count));
        Likeness::ALL.into_iter().filter(is_asked).map(count)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let found: serde_json::Map<String, serde_json::Value> =
            self.rows().map(|(likeness, count)| (likeness.word().to_owned(), json!(count))).collect();
        json!({
            "pictures": self.pictures, "looked_at_before": self.known, "against": self.against, "radius": self.alike.radius, "found": found,
        })
    }

    pub(super) fn say_table(&self) {
        if let Some(against) = &self.against {
            say(format!("  held against {}", printable(&against.to_string_lossy())));
        }
        let mut grid = TextColumns::new(&["alike", ">found"]);
        for (likeness, count) in self.rows() {
            grid.row(&[likeness.about().to_owned(), thousands(count as usize)]);
        }
        grid.print("  ");
    }
}
