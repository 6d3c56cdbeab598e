//! Data sets of one folder a class: ImageNet's, VGGFace2's, and whatever else is sorted so.

use super::{collection::Collection, pictures};
use crate::domain::{
    Fault, Result,
    image::Column,
    text::{printable, shorten},
};
use std::{fs, path::Path};

/// One folder a class; the class index is the place of the folder's name among the sorted names.
pub fn collect(root: &Path) -> Result<Collection> {
    let mut set = Collection { pictures: root.to_owned(), ..Collection::default() };
    set.take(pictures::names(root)?);
    let classes: Column = set.ids.iter().filter_map(|id| Some((id.as_str(), id.split_once('/')?.0))).collect();
    for id in set.ids.iter().filter(|id| classes.get(id).is_none()) {
        let fault = Fault::asked("a picture beside the folders is in no class").in_file(root.join(id));
        set.defects.fatal("no-class", fault.next("put it into the folder of its class, or take it away"));
    }
    let known = classes.values();
    for entry in fs::read_dir(root).map_err(|error| Fault::io("list", root, &error))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_class = entry.path().is_dir() && !name.starts_with('.');
        if is_class && !known.contains(name.as_str()) {
            set.defects.note("empty-class", 1, Fault::asked("a class without a picture: it is left out").in_file(entry.path()));
        }
    }
    drop(known);
    set.classes = Some(classes);
    Ok(set)
}

/// Does the folder hold people named as VGGFace2 does, `n000001`?
pub fn is_vggface2(folder: &Path) -> bool {
    let names =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.take(100).any(|name| is_person(&name))
}

fn is_person(name: &str) -> bool {
    name.len() == 7 && name.starts_with('n') && name.bytes().skip(1).all(|digit| digit.is_ascii_digit())
}

/// VGGFace2 (Cao, Shen, Xie, Parkhi and Zisserman, FG 2018): `train/n000001/0019_01.jpg`, and `identity_meta.csv`.
pub fn collect_vggface2(root: &Path, split: &str) -> Result<Collection> {
    let mut set = collect(&root.join(split))?;
    set.identities.clone_from(&set.classes);
    let meta = root.join("identity_meta.csv");
    if let Some(classes) = set.classes.clone().filter(|_| meta.is_file()) {
        let text = fs::read(&meta).map_err(|error| Fault::io("read", &meta, &error))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut male = std::collections::BTreeMap::new();
        for (line, row) in text.lines().enumerate().skip(1) {
            // A name may hold commas: what follows it is counted from the end, where a row may have a comma more.
            let fields: Vec<&str> = row.trim_end().trim_end_matches(',').split(',').map(str::trim).collect();
            match (fields.first(), fields.last()) {
                (Some(person), Some(&gender @ ("m" | "f"))) if is_person(person) && fields.len() >= 5 => {
                    male.insert((*person).to_owned(), if gender == "m" { "1" } else { "0" });
                }
                _ => {
                    let what = format!("not `Class_ID, Name, Sample_Num, Flag, Gender`: {}", shorten(&printable(row), 60));
                    set.defects.note("wrong-row", 1, Fault::asked(what).at(&meta, line + 1, 1));
                }
            }
        }
        let of = |(id, person)| Some((id, *male.get(person)?));
        set.labels.insert("Male".to_owned(), classes.iter().filter_map(of).collect());
    }
    Ok(set)
}
