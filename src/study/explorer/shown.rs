//! Which images an explorer shows, in which order, and where their faces are.

use super::packed;
use crate::study::{plan::Plan, steps::Step};
use std::{collections::HashMap, path::Path};
use visavis_core::{
    dataset::array,
    domain::{
        Digest, Fault, Result,
        image::Images,
        stage::{MakeThumbnails, ThumbnailForm},
        text::{count, thousands},
    },
    numeric::Matrix,
};

/// Where the faces of an explorer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FacesPlace {
    /// On its page, which shows a sample of very many images.
    Page,
    /// In a folder of this name beside the page, which shows all images.
    Folder(String),
}

/// The sheets of faces that lie beside a page, and the folder's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FacesFolder {
    pub name: String,
    /// In their order.
    pub sheets: Vec<Digest>,
}

impl FacesFolder {
    /// Under which name a sheet of this digest lies in it.
    pub fn file(sheet: Digest) -> String {
        format!("{}.jpg", &sheet.to_string()[..16])
    }

    /// Where the page finds it.
    fn address(&self, sheet: Digest) -> String {
        let folder: String = self.name.bytes().map(escaped).collect();
        format!("{folder}/{}", Self::file(sheet))
    }
}

/// A byte of a name as addresses have it (RFC 3986).
fn escaped(byte: u8) -> String {
    let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// The images on the page: what chance drew first stands first.
pub(super) struct Shown {
    /// Their rows in features and coordinates.
    pub rows: Vec<usize>,
    pub ids: Vec<String>,
    /// Pixels of a thumbnail.
    pub side: usize,
    /// The sheets that are shown.
    sheets: usize,
}

impl Shown {
    /// Those of the sheets; without sheets all, or a sample.
    ///
    /// # Errors
    /// A folder is asked for, and thumbnails were made of a sample alone.
    pub(super) fn of(plan: &Plan, images: &Images, place: &FacesPlace, has_faces: bool) -> Result<Self> {
        let listed = plan.bytes(Step::Thumbnails, MakeThumbnails::SHOWN)?.filter(|_| has_faces);
        let listed = listed.and_then(|bytes| Images::from_text(&String::from_utf8_lossy(&bytes)));
        let row_of: HashMap<&str, usize> = images.ids().enumerate().map(|(row, id)| (id, row)).collect();
        let on_sheets: Option<Vec<usize>> = listed.and_then(|of| of.ids().map(|id| row_of.get(id).copied()).collect());
        let has_sheets = on_sheets.is_some();
        let mut rows = on_sheets.unwrap_or_else(|| by_chance(images.ids(), plan.study.seed));
        match place {
            FacesPlace::Page => rows.truncate(most(rows.len())),
            FacesPlace::Folder(_) if rows.len() < images.len() => {
                let (some, all) = (thousands(rows.len()), count(images.len(), "image"));
                return Err(Fault::missing(format!("thumbnails were made of {some} of {all}"))
                    .next("write `thumbnails: all` under `evaluation:` in the study file and run it: only they are made then"));
            }
            FacesPlace::Folder(_) => {}
        }
        let ids = rows.iter().map(|row| images.0[*row].0.clone()).collect();
        let sheets = if has_sheets { rows.len().div_ceil(MakeThumbnails::OF_A_SHEET) } else { 0 };
        Ok(Shown { rows, ids, side: MakeThumbnails::side_of(images.len()), sheets })
    }

    /// Thumbnails in a row of a sheet, and rows of one.
    pub(super) fn columns(&self) -> usize {
        MakeThumbnails { side: self.side, sample: None, form: ThumbnailForm::Sheets }.columns()
    }

    /// Their rows of an array of all images.
    ///
    /// # Errors
    /// An array that is damaged, or has fewer rows.
    pub(super) fn taken(&self, npy: &[u8], name: &str) -> Result<Matrix> {
        let all: Matrix = array::from_npy(npy, Path::new(name))?;
        self.held_by(all.rows(), name)?;
        Ok(all.take(&self.rows))
    }

    /// # Errors
    /// An array of so many rows has not all of them.
    pub(super) fn held_by(&self, rows: usize, name: &str) -> Result<()> {
        if self.rows.iter().any(|row| *row >= rows) {
            return Err(Fault::differs(format!("`{name}` is of other images")));
        }
        Ok(())
    }

    /// Where the page finds its sheets, and which of them lie beside it.
    pub(super) fn sheets(&self, plan: &Plan, place: &FacesPlace) -> Result<(Vec<String>, FacesFolder)> {
        let outputs = (0..self.sheets).map(MakeThumbnails::sheet);
        match place {
            FacesPlace::Page => {
                let on_page = |output: String| -> Result<String> {
                    let sheet = plan.bytes(Step::Thumbnails, &output)?.ok_or_else(|| lost(&output))?;
                    Ok(format!("data:image/jpeg;base64,{}", packed::bytes(&sheet)))
                };
                Ok((outputs.map(on_page).collect::<Result<_>>()?, FacesFolder::default()))
            }
            FacesPlace::Folder(name) => {
                let made = plan.result(Step::Thumbnails);
                let digest = |output: String| {
                    made.and_then(|made| made.output(&output)).map(|sheet| sheet.digest).ok_or_else(|| lost(&output))
                };
                let folder = FacesFolder { name: name.clone(), sheets: outputs.map(digest).collect::<Result<_>>()? };
                Ok((folder.sheets.iter().map(|sheet| folder.address(*sheet)).collect(), folder))
            }
        }
    }
}

fn lost(output: &str) -> Fault {
    Fault::differs(format!("the thumbnails lack `{output}`"))
}

/// Of so many images so many are on one page: whole sheets of a sample.
fn most(images: usize) -> usize {
    const WHOLE: usize = MakeThumbnails::MOST / MakeThumbnails::OF_A_SHEET * MakeThumbnails::OF_A_SHEET;
    if images <= MakeThumbnails::MOST { images } else { WHOLE }
}

/// Places of names in an order that the seed draws, and that no other name moves.
fn by_chance<'a>(names: impl Iterator<Item = &'a str>, seed: u64) -> Vec<usize> {
    let mut drawn: Vec<(Digest, usize)> =
        names.enumerate().map(|(place, name)| (Digest::of(format!("{seed} {name}").as_bytes()), place)).collect();
    drawn.sort_unstable();
    drawn.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_all_or_whole_sheets_of_a_sample() {
        assert_eq!([0, 3, 25_000, 25_001, 202_599].map(most), [0, 3, 25_000, 24_832, 24_832]);
    }

    #[test]
    fn an_address_holds_nothing_but_a_name() {
        let folder = FacesFolder { name: "a b/../#é-faces".to_owned(), sheets: vec![] };
        let address = folder.address(Digest::of(b"x"));
        assert!(address.starts_with("a%20b%2F..%2F%23%C3%A9-faces/") && address.ends_with(".jpg"), "{address}");
        assert_eq!(address.len(), "a%20b%2F..%2F%23%C3%A9-faces/".len() + 20);
    }

    #[test]
    fn chance_draws_an_order_that_no_other_name_moves() {
        let three = by_chance(["a", "b", "c"].into_iter(), 1);
        let two: Vec<usize> = by_chance(["a", "b"].into_iter(), 1);
        assert_eq!(three.into_iter().filter(|place| *place < 2).collect::<Vec<_>>(), two);
    }
}
