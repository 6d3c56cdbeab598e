//! A map with all its images, for whoever looks at it closely and selects images by eye. What is selected so is looked at, and no finding.

use super::{
    Plan,
    explorer::columns_of,
    steps::{Step, projected},
    watch::Watch,
};
use image::{ImageFormat, RgbImage, imageops};
use rayon::prelude::*;
use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::OnceLock,
};
use visavis_core::{
    dataset::array,
    domain::{
        Fault, Result,
        comparison::Measured,
        image::{Column, Images, Labels},
        ledger::CellId,
        membership::Members,
        stage::{MakeThumbnails, ProjectFeatures, ThumbnailForm},
    },
    numeric::Matrix,
    store::write_new,
};

/// An attribute of more values than this is no set of classes.
const MOST_VALUES: usize = 40;
/// Of each axis left free at both ends, in shares of its length.
const MARGIN: f32 = 0.02;

/// Every image of a study on one map. Images are in the study's order.
#[derive(Clone, Debug, PartialEq)]
pub struct MapImages {
    pub cell: CellId,
    pub names: Vec<String>,
    /// Where each stands, in shares of the map: from the left, and from below. `None`: the map has no place for it.
    pub places: Vec<Option<[f32; 2]>>,
    /// Its class in the figure's comparison; `None`: it is in none, or in several.
    pub classes: Vec<Option<u8>>,
    /// Name and number of images, class by class; none where the comparison is of a quantity.
    pub class_names: Vec<(String, usize)>,
    /// Who is on each: equal numbers are one identity. An image of which nobody knows is an identity by itself.
    pub identities: Vec<u32>,
    /// What is known of the images.
    pub conditions: Vec<MapCondition>,
    /// Attributes that have more values than a person reads.
    pub left_out: usize,
    pub faces: Option<MapFaces>,
}

/// A condition as studies write it (`Smiling`, `hair=brown`), and of which images it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct MapCondition {
    pub name: String,
    /// `None`: the label is missing.
    pub of: Vec<Option<bool>>,
}

/// A selection that was written as labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSelection {
    /// Seen from the workspace's root.
    pub file: PathBuf,
    /// Its column.
    pub attribute: String,
}

/// Small pictures of images.
#[derive(Clone, Debug, PartialEq)]
pub struct MapFaces {
    /// Pixels.
    side: u32,
    /// In a row of a sheet.
    columns: u32,
    /// JPEGs.
    sheets: Vec<Vec<u8>>,
    /// Sheets that were looked at, unless they are very many.
    decoded: Vec<OnceLock<Option<RgbImage>>>,
    /// By image: its place on the sheets.
    place: Vec<Option<u32>>,
}

impl Watch {
    /// # Errors
    /// Coordinates that are not there yet, or are damaged; a projection of one axis.
    pub fn map(&self, cell: CellId) -> Result<MapImages> {
        MapImages::of(self.plan.as_ref().ok_or_else(absent)?, cell)
    }

    /// Writes a selection as labels, into a file of its own.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn save_selection(&self, map: &MapImages, is_selected: &[bool]) -> Result<SavedSelection> {
        let plan = self.plan.as_ref().ok_or_else(absent)?;
        let workspace = plan.workspace();
        for number in 1.. {
            let file = PathBuf::from(format!("selections/{}-{number}.csv", plan.study.name));
            let (at, attribute) = (workspace.locate(&file), format!("Chosen_{number}"));
            // Of two who write at once, each has a file.
            if write_new(&at, map.labels_of(is_selected, &attribute).as_bytes())? {
                return Ok(SavedSelection { file, attribute });
            }
        }
        Err(Fault::unexpected("no name is free for the selection"))
    }
}

fn absent() -> Fault {
    Fault::missing("this projection was not made yet").next("r runs the study")
}

impl MapImages {
    fn of(plan: &Plan, cell: CellId) -> Result<Self> {
        let bytes = plan.bytes(projected(cell), ProjectFeatures::COORDINATES)?.ok_or_else(absent)?;
        let points = array::from_npy(&bytes, Path::new(ProjectFeatures::COORDINATES))?;
        let images = plan.listed_images()?.ok_or_else(absent)?;
        // A cell from before the study file was edited may be of nothing.
        let comparison = plan.study.comparisons.get(cell.comparison).ok_or_else(absent)?;
        let [x, y] = columns_of(cell.view);
        if images.len() != points.rows() {
            return Err(absent());
        }
        if x.max(y) >= points.columns() {
            return Err(Fault::asked("this projection has a single axis: it has no map"));
        }
        let names: Vec<String> = images.ids().map(str::to_owned).collect();
        let wanted = comparison.question.attributes();
        let labels: Labels =
            wanted.iter().filter_map(|attribute| Some(((*attribute).to_owned(), plan.labels(attribute)?.clone()))).collect();
        let (classes, class_names) = match &comparison.question.measured {
            Measured::Quantity(_) => (vec![None; names.len()], vec![]),
            Measured::Classes(_) => {
                let classes = classes(&Members::of(&images, &labels, &comparison.question), names.len());
                let count = |class: usize| classes.iter().filter(|of| **of == Some(class as u8)).count();
                let named = comparison.classes.iter().enumerate().map(|(class, name)| (name.clone(), count(class))).collect();
                (classes, named)
            }
        };
        let known = plan.attributes().filter_map(|attribute| Some((attribute, plan.labels(attribute)?)));
        let known: Vec<(&str, Option<Vec<MapCondition>>)> =
            known.map(|(attribute, column)| (attribute, conditions(attribute, column, &names))).collect();
        Ok(MapImages {
            cell,
            places: places(&points, [x, y]),
            classes,
            class_names,
            identities: identities(plan.identities(), &names),
            left_out: known.iter().filter(|(_, conditions)| conditions.is_none()).count(),
            conditions: known.into_iter().filter_map(|(_, conditions)| conditions).flatten().collect(),
            faces: MapFaces::of(plan, &images)?,
            names,
        })
    }

    /// A table that a study reads as labels: 1 of the images that are selected, 0 of the others, nothing of those without a place.
    pub fn labels_of(&self, is_selected: &[bool], attribute: &str) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |row: [&str; 2]| writer.write_record(row).expect("memory takes every row");
        write(["image_id", attribute]);
        for ((name, place), is_selected) in self.names.iter().zip(&self.places).zip(is_selected) {
            write([name, place.map_or("", |_| if *is_selected { "1" } else { "0" })]);
        }
        String::from_utf8(writer.into_inner().expect("memory is flushed")).expect("names are UTF-8")
    }
}

/// Shares of the map, which has a margin; `None` of what is not finite.
fn places(points: &Matrix, columns: [usize; 2]) -> Vec<Option<[f32; 2]>> {
    let at: Vec<Option<[f32; 2]>> = (0..points.rows())
        .map(|row| Some(columns.map(|column| points.row(row)[column])).filter(|at| at.iter().all(|value| value.is_finite())))
        .collect();
    let ends = [0, 1].map(|axis| {
        let values = at.iter().flatten().map(|at| at[axis]);
        values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    });
    // Halves first: the length of an axis may be beyond single precision.
    let share = |value: f32, (low, high): (f32, f32)| {
        let length = high / 2.0 - low / 2.0;
        let share = if length > 0.0 { (value / 2.0 - low / 2.0) / length } else { 0.5 };
        MARGIN + (1.0 - 2.0 * MARGIN) * share
    };
    at.into_iter().map(|at| at.map(|[x, y]| [share(x, ends[0]), share(y, ends[1])])).collect()
}

/// An image in several classes is in none here.
fn classes(members: &Members, images: usize) -> Vec<Option<u8>> {
    let mut found = vec![None; images];
    for (member, &row) in members.rows.iter().enumerate() {
        let mut classes = members.classes_of(member);
        found[row] = classes.next().filter(|_| classes.next().is_none()).map(|class| class.min(255) as u8);
    }
    found
}

/// `None` of an attribute of too many values.
fn conditions(attribute: &str, column: &Column, names: &[String]) -> Option<Vec<MapCondition>> {
    let values: Vec<Option<&str>> = names.iter().map(|name| column.get(name)).collect();
    let words: BTreeSet<&str> = values.iter().flatten().copied().collect();
    if words.len() > MOST_VALUES {
        return None;
    }
    let condition =
        |name: String, word: &str| MapCondition { name, of: values.iter().map(|of| of.map(|of| of == word)).collect() };
    let is_binary = words.iter().all(|word| ["0", "1"].contains(word));
    Some(match is_binary {
        true => vec![condition(attribute.to_owned(), "1")],
        false => words.iter().map(|word| condition(format!("{attribute}={word}"), word)).collect(),
    })
}

fn identities(column: Option<&Column>, names: &[String]) -> Vec<u32> {
    let (mut known, mut last): (HashMap<&str, u32>, u32) = (HashMap::new(), 0);
    let mut fresh = || {
        last += 1;
        last - 1
    };
    let of = |name: &String| match column.and_then(|column| column.get(name)) {
        Some(identity) => *known.entry(identity).or_insert_with(&mut fresh),
        None => fresh(),
    };
    names.iter().map(of).collect()
}

impl MapFaces {
    /// `None` where no thumbnails were made.
    fn of(plan: &Plan, images: &Images) -> Result<Option<Self>> {
        let Some(listed) = plan.bytes(Step::Thumbnails, MakeThumbnails::SHOWN)? else { return Ok(None) };
        let Some(listed) = Images::from_text(&String::from_utf8_lossy(&listed)) else { return Ok(None) };
        let on_sheets: HashMap<&str, u32> = listed.ids().zip(0..).collect();
        let side = MakeThumbnails::side_of(images.len());
        let columns = MakeThumbnails { side, sample: None, form: ThumbnailForm::Sheets }.columns();
        let mut sheets = Vec::new();
        while let Some(sheet) = plan.bytes(Step::Thumbnails, &MakeThumbnails::sheet(sheets.len()))? {
            sheets.push(sheet);
        }
        let few = on_sheets.len() <= MakeThumbnails::MOST;
        let decoded = vec![OnceLock::new(); if few { sheets.len() } else { 0 }];
        let place = images.ids().map(|id| on_sheets.get(id).copied()).collect();
        Ok(Some(MapFaces { side: side as u32, columns: columns as u32, sheets, decoded, place }))
    }

    /// These images beside and below each other, as far as there are faces of them. `None`: of none.
    pub fn side_by_side(&self, images: &[usize], across: usize) -> Option<RgbImage> {
        let faces: Vec<RgbImage> = images.par_iter().filter_map(|image| self.face(*image)).collect();
        let across = across.min(faces.len()).max(1);
        let rows = faces.len().div_ceil(across);
        let mut strip = RgbImage::new(self.side * across as u32, self.side * rows as u32);
        for (place, face) in faces.iter().enumerate() {
            let (column, row) = (place % across, place / across);
            imageops::replace(&mut strip, face, i64::from(self.side) * column as i64, i64::from(self.side) * row as i64);
        }
        (!faces.is_empty()).then_some(strip)
    }

    /// Is there a face of it?
    pub fn has(&self, image: usize) -> bool {
        self.place.get(image).is_some_and(Option::is_some)
    }

    fn face(&self, image: usize) -> Option<RgbImage> {
        let place = (*self.place.get(image)?)?;
        let (sheet, at) = (place as usize / MakeThumbnails::OF_A_SHEET, place % MakeThumbnails::OF_A_SHEET as u32);
        let [x, y] = [at % self.columns, at / self.columns].map(|at| at * self.side);
        let decode = || Some(image::load_from_memory_with_format(self.sheets.get(sheet)?, ImageFormat::Jpeg).ok()?.to_rgb8());
        let crop = |sheet: &RgbImage| {
            let is_there = x + self.side <= sheet.width() && y + self.side <= sheet.height();
            is_there.then(|| imageops::crop_imm(sheet, x, y, self.side, self.side).to_image())
        };
        match self.decoded.get(sheet) {
            Some(kept) => crop(kept.get_or_init(decode).as_ref()?),
            None => crop(&decode()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shares_of_the_map_and_what_is_nowhere_has_none() {
        let points = Matrix::new(4, 2, vec![-1.0, 5.0, 3.0, 5.0, f32::NAN, 0.0, 1.0, 5.0]).unwrap();
        let wanted = [Some([0.02, 0.5]), Some([0.98, 0.5]), None, Some([0.5_f32, 0.5])];
        for (found, wanted) in places(&points, [0, 1]).into_iter().zip(wanted) {
            assert_eq!(found.is_some(), wanted.is_some());
            let apart = found.iter().flatten().zip(wanted.iter().flatten()).map(|(a, b)| (a - b).abs());
            assert!(apart.fold(0.0, f32::max) < 1e-6, "{found:?} {wanted:?}");
        }
        let far = Matrix::new(2, 2, vec![f32::MIN, 0.0, f32::MAX, 1.0]).unwrap();
        assert!(places(&far, [0, 1]).iter().flatten().flatten().all(|share| (0.0..=1.0).contains(share)));
    }

    #[test]
    fn labels_become_conditions_as_studies_write_them() {
        let column = |pairs: &[(&str, &str)]| -> Column {
            pairs.iter().map(|(image, word)| ((*image).to_owned(), (*word).to_owned())).collect()
        };
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let smiling = conditions("Smiling", &column(&[("a", "1"), ("c", "0")]), &names).unwrap();
        assert_eq!(smiling, [MapCondition { name: "Smiling".to_owned(), of: vec![Some(true), None, Some(false)] }]);
        let hair = conditions("hair", &column(&[("a", "red"), ("b", "black"), ("c", "red")]), &names).unwrap();
        assert_eq!(hair.iter().map(|of| of.name.as_str()).collect::<Vec<_>>(), ["hair=black", "hair=red"]);
        assert_eq!(hair[1].of, [Some(true), Some(false), Some(true)]);
        let many: Vec<(String, String)> = (0..41).map(|image| (image.to_string(), format!("value {image}"))).collect();
        let names: Vec<String> = many.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(conditions("serial", &many.into_iter().collect(), &names), None);
        assert_eq!(
            identities(Some(&column(&[("a", "anna"), ("c", "anna")])), &["a", "b", "c", "d"].map(str::to_owned)),
            [0, 1, 0, 2]
        );
    }
}
