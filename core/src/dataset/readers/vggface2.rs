//! VGGFace2 (Cao, Shen, Xie, Parkhi and Zisserman, FG 2018): `train/n000001/0019_01.jpg`, and `identity_meta.csv`.

use super::folders;
use crate::{
    dataset::{collection::Collection, tables::TableReader},
    domain::{
        Result,
        study::{Dataset, FaceFiles, Vggface2Split},
    },
};
use std::{collections::BTreeMap, fs, path::Path};

/// A folder whose `train` or `test` holds people named as VGGFace2 does.
pub(super) fn recognise(root: &Path) -> Option<Dataset> {
    let split = Vggface2Split::ALL.into_iter().find(|split| holds_people(&root.join(split.word())))?;
    Some(Dataset::Vggface2 { root: root.to_owned(), split, faces: FaceFiles::default() })
}

/// Does the folder hold people named as VGGFace2 does, `n000001`?
fn holds_people(folder: &Path) -> bool {
    let names =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.take(100).any(|name| is_person(&name))
}

fn is_person(name: &str) -> bool {
    name.len() == 7 && name.starts_with('n') && name.bytes().skip(1).all(|digit| digit.is_ascii_digit())
}

/// The pictures of a split, who is on them, and which gender the release says these people have.
///
/// # Errors
/// A folder that cannot be listed, a table that cannot be opened.
pub(super) fn collect(root: &Path, split: Vggface2Split) -> Result<Collection> {
    let mut set = folders::collect(&root.join(split.word()))?;
    set.identities.clone_from(&set.classes);
    let meta = root.join("identity_meta.csv");
    if let Some(classes) = set.classes.clone().filter(|_| meta.exists()) {
        let male = genders(&meta, &mut set)?;
        let is_male = |(id, person): (_, &str)| Some((id, *male.get(person)?));
        set.labels.insert("Male".to_owned(), classes.iter().filter_map(is_male).collect());
        set.labelled_in = Some(meta);
    }
    Ok(set)
}

/// Person → is male, as `0` and `1`: `n000001, "14th_Dalai_Lama",424,0, m,`.
fn genders(meta: &Path, set: &mut Collection) -> Result<BTreeMap<String, &'static str>> {
    let mut male = BTreeMap::new();
    let mut rows = TableReader::open(meta, b',', 0)?;
    let mut first = true;
    while let Some(row) = rows.next()? {
        // A name may hold commas, and its quote stands behind a blank: what follows it is counted from the end, where a row may
        // have a comma more.
        let fields: Vec<&[u8]> = row.fields().collect();
        let last = fields.iter().rposition(|field| !field.is_empty()).unwrap_or_default();
        let person = String::from_utf8_lossy(fields[0]).into_owned();
        match fields[last] {
            gender @ (b"m" | b"f") if is_person(&person) && last >= 4 => {
                male.insert(person, if gender == b"m" { "1" } else { "0" });
            }
            _ if first && !is_person(&person) => {}
            _ if row.is_empty() => {}
            _ => {
                let what = format!("not `Class_ID, Name, Sample_Num, Flag, Gender`: it starts `{}`", row.shown(0));
                set.defects.defect("wrong-row", 1, row.wrong(0, what));
            }
        }
        first = false;
    }
    Ok(male)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_quotes_and_rows_without_a_header_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let meta = folder.path().join("identity_meta.csv");
        let rows =
            "n000001, \"14th_Dalai_Lama\",424,0, m,\nn000002,\"Smith, \"\"Jo\"\"\",3,1,f\nn000003, \"Doe, J., Jr.\",3,1, m,\n";
        let read = |text: String| {
            fs::write(&meta, text).unwrap();
            let mut set = Collection::default();
            let male = genders(&meta, &mut set).unwrap();
            let found: Vec<usize> = set.defects.all().map(|found| found.count).collect();
            (male.into_iter().map(|(person, is)| format!("{person}={is}")).collect::<Vec<_>>().join(" "), found)
        };
        let all = "n000001=1 n000002=0 n000003=1".to_owned();
        assert_eq!(read(format!("Class_ID, Name, Sample_Num, Flag, Gender\n{rows}")), (all.clone(), vec![]));
        assert_eq!(read(rows.replace('\n', "\r\n")), (all.clone(), vec![]));
        assert_eq!(read(format!("{rows}n000004, \"x\",1,1, maybe,\n")), (all, vec![1]));
    }
}
