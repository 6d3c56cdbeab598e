//! UTKFace (Zhang, Song and Qi, CVPR 2017): pictures whose names say what they show, `[age]_[gender]_[race]_[time].jpg`.

use crate::{
    dataset::{collection::Collection, pictures, source::PictureSource},
    domain::{
        Fault, Result,
        image::Column,
        missing::MissingLabels,
        study::{Dataset, FaceFiles, Identities},
        text::printable,
    },
};
use std::{fs, path::Path};

/// The attributes that a name says.
pub const ATTRIBUTES: [&str; 3] = ["age", "gender", "race"];

/// By the number in the name.
const GENDERS: [&str; 2] = ["Male", "Female"];
const RACES: [&str; 5] = ["White", "Black", "Asian", "Indian", "Others"];

/// The greatest age that is believed.
const OLDEST: u32 = 150;

/// So many names are looked at to recognise a folder.
const LOOKED_AT: usize = 100;

/// What stands in place of the labels of a picture whose name is malformed.
const MALFORMED: &str = "malformed name";

/// What a name says, in the order of [`ATTRIBUTES`].
type Said = [String; 3];

/// Reads the last part of an id.
///
/// # Errors
/// What is wrong with the name.
fn said(id: &str) -> std::result::Result<Said, String> {
    let name = id.rsplit('/').next().unwrap_or(id);
    let stem = name.split('.').next().unwrap_or(name).trim();
    let fields: Vec<&str> = stem.split('_').collect();
    let [age, gender, race, time] = fields[..] else {
        let s = if fields.len() == 1 { "" } else { "s" };
        return Err(format!("{} field{s} where `[age]_[gender]_[race]_[time]` has 4", fields.len()));
    };
    let number = |field: &str| field.parse::<u32>().ok().filter(|_| field.bytes().all(|byte| byte.is_ascii_digit()));
    let of =
        |field: &str, words: &[&str]| number(field).and_then(|place| words.get(place as usize).map(|word| (*word).to_owned()));
    let wrong = |what: &str, field: &str, expected: &str| format!("the {what} is `{}`, and {expected}", printable(field));
    let age = number(age).filter(|age| *age <= OLDEST).ok_or_else(|| wrong("age", age, "years are from 0 to 150"))?;
    let gender = of(gender, &GENDERS).ok_or_else(|| wrong("gender", gender, "0 is male, 1 female"))?;
    let race = of(race, &RACES).ok_or_else(|| wrong("race", race, "races are 0 to 4"))?;
    if time.is_empty() || !time.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("time", time, "it is a number"));
    }
    Ok([age.to_string(), gender, race])
}

/// A folder or archive most of whose first names are well-formed; its pictures may lie one folder deeper (`part1`, `part2`, `part3`).
pub(super) fn recognise(root: &Path) -> Option<Dataset> {
    let names = if root.is_file() {
        match PictureSource::open(root) {
            Ok(PictureSource::Tar(archive)) => archive.paths().take(LOOKED_AT).map(str::to_owned).collect(),
            _ => vec![],
        }
    } else {
        let below = |folder: &Path| -> Vec<(String, bool)> {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(LOOKED_AT);
            entries
                .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir()))
                .filter(|(name, _)| !name.starts_with('.'))
                .collect()
        };
        let here = below(root);
        if here.iter().all(|(_, is_folder)| *is_folder) {
            here.iter().take(5).flat_map(|(name, _)| below(&root.join(name))).map(|(name, _)| name).collect()
        } else {
            here.into_iter().filter(|(_, is_folder)| !is_folder).map(|(name, _)| name).collect::<Vec<_>>()
        }
    };
    let well_formed = names.iter().filter(|name| said(name).is_ok()).count();
    (2 * well_formed > names.len()).then(|| Dataset::UtkFace {
        root: root.to_owned(),
        identities: Identities::Unsaid,
        faces: FaceFiles::default(),
    })
}

/// The pictures, and what their names say. A picture with a malformed name has no label.
///
/// # Errors
/// A folder that cannot be listed.
pub(super) fn collect(root: &Path) -> Result<Collection> {
    let mut set = Collection { pictures: root.to_owned(), ..Collection::default() };
    set.take(pictures::names(root)?);
    let mut rows: Vec<(&str, Said)> = Vec::new();
    for id in &set.ids {
        match said(id) {
            Ok(labels) => rows.push((id, labels)),
            Err(what) => set.defects.defect(
                "malformed-name",
                1,
                Fault::asked(format!("`{}` says nothing: {what}; the picture has no label", printable(id)))
                    .in_file(root)
                    .next("write its name anew, or give its labels in a file"),
            ),
        }
    }
    let malformed = set.ids.len() - rows.len();
    if rows.is_empty() && malformed > 0 {
        set.defects.fatal("no-utkface", || {
            let fault = Fault::asked("no picture is named `[age]_[gender]_[race]_[time].jpg`").in_file(root);
            fault.next("a folder of other pictures is `images: { root: …, labels: … }`")
        });
    }
    for (place, attribute) in ATTRIBUTES.into_iter().enumerate() {
        let column: Column = rows.iter().map(|(id, labels)| (*id, labels[place].as_str())).collect();
        set.labels.insert(attribute.to_owned(), column);
        let mut missing = MissingLabels { rows: set.ids.len(), ..MissingLabels::default() };
        if malformed > 0 {
            missing.spelled.insert(MALFORMED.to_owned(), malformed);
        }
        set.missing.insert(attribute.to_owned(), missing);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::defects::Severity;

    #[test]
    fn a_name_says_age_gender_and_race() {
        let of = |name: &str| said(name).map(|labels| labels.join(" "));
        assert_eq!(of("26_0_3_20170116184028385.jpg"), Ok("26 Male Indian".to_owned()));
        assert_eq!(of("part1/001_1_4_20170104165020320.jpg.chip.jpg"), Ok("1 Female Others".to_owned()));
        assert_eq!(of("24_0_1_20170116220224657 .jpg.chip.jpg"), Ok("24 Male Black".to_owned()));
    }

    #[test]
    fn malformed_names_are_told_by_what_is_wrong() {
        for (name, words) in [
            ("39_1_20170116174525125.jpg.chip.jpg", "3 fields"),
            ("53__0_20170116184028385.jpg", "gender is ``"),
            ("44_1_.jpg", "3 fields"),
            ("44_2_0_20170116184028385.jpg", "gender is `2`"),
            ("44_1_5_20170116184028385.jpg", "race is `5`"),
            ("999_1_1_20170116184028385.jpg", "age is `999`"),
            ("+4_1_1_20170116184028385.jpg", "age is `+4`"),
            ("4_1_1_.jpg", "time is ``"),
            ("4_1_1_2_3.jpg", "5 fields"),
            ("face.jpg", "1 field "),
        ] {
            let what = said(name).unwrap_err();
            assert!(what.contains(words), "{name}: {what}");
        }
    }

    #[test]
    fn malformed_names_are_counted_and_their_pictures_have_no_label() {
        let folder = tempfile::tempdir().unwrap();
        let files =
            ["1_0_0_20170101.jpg", "30_1_2_20170102.jpg", "70_0_4_20170103.jpg", "39_1_20170104.jpg", "61_3_1_20170105.jpg"];
        files.iter().for_each(|name| fs::write(folder.path().join(name), b"").unwrap());
        assert!(matches!(recognise(folder.path()), Some(Dataset::UtkFace { .. })));
        let set = collect(folder.path()).unwrap();
        let text = |attribute: &str| set.labels.get(attribute).unwrap().to_text();
        assert_eq!(set.ids.len(), 5);
        assert_eq!(text("race"), "1_0_0_20170101.jpg\tWhite\n30_1_2_20170102.jpg\tAsian\n70_0_4_20170103.jpg\tOthers\n");
        assert_eq!(set.missing["age"].sentence(), "2 of 5 labels are missing (2 `malformed name`)");
        let found: Vec<(&str, usize, Severity)> = set.defects.all().map(|of| (of.word, of.count, of.severity)).collect();
        assert_eq!(found, [("malformed-name", 2, Severity::Defect)]);
        let names: Vec<String> = set.defects.all().flat_map(|of| of.examples.iter().map(|fault| fault.what.clone())).collect();
        assert!(names[0].contains("`39_1_20170104.jpg`") && names[1].contains("`61_3_1_20170105.jpg`"), "{names:?}");
    }

    #[test]
    fn a_folder_of_other_pictures_is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("face_1.jpg"), b"").unwrap();
        assert_eq!(recognise(folder.path()), None);
        assert!(collect(folder.path()).unwrap().defects.first_fatal().is_some());
    }
}
