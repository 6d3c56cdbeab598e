//! What a person points at: recognised by what is in it, and counted.

use crate::cli::{
    Context,
    data::opened,
    data_labels::{AddedLabels, LabelledSet},
};
use std::path::{Path, PathBuf};
use visavis_core::{
    domain::{
        Fault, Result,
        image::Column,
        model::{Architecture, WeightFamily},
        text::printable,
    },
    weights::{self, containers, families},
};

/// A class of fewer images is not compared: too few to say.
pub(super) const FEWEST: usize = 30;
/// Values of an attribute above which it is no classes.
const MOST_CLASSES: usize = 12;

/// The images that models are compared on, with their labels.
pub(super) struct FoundFaces {
    /// How study files call its kind; `None`: a label table alone.
    pub kind: Option<String>,
    pub root: PathBuf,
    pub images: usize,
    /// `None`: nobody knows who is who.
    pub identities: Option<usize>,
    pub attributes: Vec<FoundAttribute>,
}

pub(super) struct FoundAttribute {
    pub name: String,
    pub values: AttributeValues,
}

/// What an attribute says, with how many images.
pub(super) enum AttributeValues {
    Binary {
        present: usize,
        absent: usize,
    },
    Classes(Vec<(String, usize)>),
    Quantity(usize),
    /// Too many values for classes: names, dates, notes.
    Free,
}

pub(super) struct FoundTraining {
    pub name: String,
    pub kind: String,
    pub root: PathBuf,
    pub images: usize,
    pub classes: usize,
}

pub(super) struct FoundFeatures {
    pub name: String,
    pub file: PathBuf,
    pub rows: PathBuf,
}

pub(super) struct FoundWeights {
    pub name: String,
    pub file: PathBuf,
    pub digest: String,
    pub architecture: Architecture,
    pub family: WeightFamily,
    /// The family says how pictures are prepared.
    pub is_prepared: bool,
}

pub(super) fn faces(context: &Context, path: &Path, labels: &AddedLabels) -> Result<FoundFaces> {
    let LabelledSet { kind, set } = labels.opened(context, path)?;
    if set.ids.is_empty() {
        let fault = Fault::asked("there is neither a picture nor a label table that is known here").in_file(path);
        return Err(fault.next("point at a folder of pictures, a data set, or a CSV that starts image_id,<attribute>"));
    }
    let attribute = |(name, column): (&str, &Column)| FoundAttribute { name: name.to_owned(), values: values(column) };
    Ok(FoundFaces {
        kind: (kind != "labels").then_some(kind),
        root: path.to_owned(),
        images: set.ids.len(),
        identities: set.identities.as_ref().map(|column| column.values().len()),
        attributes: set.labels.iter().map(attribute).collect(),
    })
}

fn values(column: &Column) -> AttributeValues {
    let counts = column.counts();
    if column.is_binary() {
        let of = |value: &str| counts.get(value).copied().unwrap_or_default();
        return AttributeValues::Binary { present: of("1"), absent: of("0") };
    }
    if counts.len() <= MOST_CLASSES {
        let mut classes: Vec<(String, usize)> = counts.into_iter().map(|(value, n)| (value.to_owned(), n)).collect();
        classes.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        return AttributeValues::Classes(classes);
    }
    let are_numbers = counts.keys().all(|value| value.parse::<f64>().is_ok_and(f64::is_finite));
    if are_numbers { AttributeValues::Quantity(column.len()) } else { AttributeValues::Free }
}

pub(super) fn training(path: &Path) -> Result<FoundTraining> {
    let (dataset, set) = opened(path)?;
    let classes = set.classes.as_ref().or(set.identities.as_ref()).map(|column| column.values().len());
    let Some(classes) = classes.filter(|classes| *classes > 1) else {
        let fault = Fault::asked("a network cannot learn from it: its pictures are in no classes").in_file(path);
        return Err(fault.next("give each person a folder of their own, or name a RecordIO set, VGGFace2 or CelebA"));
    };
    Ok(FoundTraining {
        name: name_of(path),
        kind: dataset.word().to_owned(),
        root: path.to_owned(),
        images: set.ids.len(),
        classes,
    })
}

/// The image of each row is named by `rows`, or by a file of the array's own name.
pub(super) fn features(file: &Path, rows: Option<&Path>) -> Result<FoundFeatures> {
    if !file.is_file() {
        return Err(Fault::asked("there is no such array of features").in_file(file).next("name an .npy or .safetensors file"));
    }
    let beside = || ["txt", "csv"].iter().map(|ending| file.with_extension(ending)).find(|path| path.is_file());
    let rows = rows.map(Path::to_owned).or_else(beside).ok_or_else(|| {
        Fault::asked("nothing says which image each row is of")
            .in_file(file)
            .next(format!("name the file with --rows, or put it beside the array: {}", file.with_extension("txt").display()))
    })?;
    Ok(FoundFeatures { name: name_of(file), file: file.to_owned(), rows })
}

pub(super) fn weights(path: &Path) -> Result<FoundWeights> {
    let file = containers::read(path)?;
    let found = weights::inspect(&file)?;
    let (Some(architecture), Some(family)) = (&found.architecture, &found.family) else {
        return Err(Fault::asked("the weights are of no network that is known here")
            .in_file(path)
            .next(format!("visavis weights inspect {} says what is in them", path.display())));
    };
    Ok(FoundWeights {
        name: name_of(path),
        file: path.to_owned(),
        digest: file.digest()?.to_string(),
        architecture: architecture.clone(),
        family: family.clone(),
        is_prepared: families::input_of(family).is_some(),
    })
}

/// What a study calls a file or a folder: its name, without what names may not hold.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map_or_else(|| "set".to_owned(), |stem| printable(&stem.to_string_lossy()));
    let plain: String = stem.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    if plain.is_empty() { "set".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_what_its_values_are() {
        let column = |values: &[&str]| -> Column {
            values.iter().enumerate().map(|(place, value)| (format!("{place:03}.jpg"), (*value).to_owned())).collect()
        };
        assert!(matches!(values(&column(&["1", "0", "1"])), AttributeValues::Binary { present: 2, absent: 1 }));
        let AttributeValues::Classes(classes) = values(&column(&["red", "blue", "red"])) else { panic!("no classes") };
        assert_eq!(classes, [("red".to_owned(), 2), ("blue".to_owned(), 1)]);
        let many: Vec<String> = (0..40).map(|n| format!("{n}.5")).collect();
        assert!(matches!(values(&column(&many.iter().map(String::as_str).collect::<Vec<_>>())), AttributeValues::Quantity(40)));
        let names: Vec<String> = (0..40).map(|n| format!("x{n}")).collect();
        assert!(matches!(values(&column(&names.iter().map(String::as_str).collect::<Vec<_>>())), AttributeValues::Free));
    }

    #[test]
    fn a_name_is_of_letters_that_names_may_hold() {
        assert_eq!(name_of(Path::new("/data/my faces: v2/")), "my-faces--v2");
        assert_eq!(name_of(Path::new("w600k_r50.npy")), "w600k_r50");
    }
}
