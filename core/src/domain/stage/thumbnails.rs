//! `thumbnails`: pictures made small, side by side on sheets, for people to look at.

use super::Stage;
use crate::domain::{canonical::Value, image::Take, vocabulary::vocabulary};
use serde::{Deserialize, Serialize};

vocabulary! {
    /// What thumbnails are put on.
    pub enum ThumbnailForm {
        /// JPEG sheets: [`MakeThumbnails::sheet`]. A sample stands in the order in which it was drawn: its first sheets are a sample, too.
        Sheets = "sheets",
        /// One row in the order of the list, as a picture of a report: [`Figure::SVG`](super::Figure::SVG).
        Row = "row",
    }
}

/// [`MakeThumbnails::PICTURES`] with where they are → sheets or a row, and [`MakeThumbnails::SHOWN`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MakeThumbnails {
    /// Pixels a side of each thumbnail.
    pub side: usize,
    /// `None`: all pictures, in the order of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Take>,
    /// What they are put on.
    pub form: ThumbnailForm,
}

/// A row is at most so many pixels wide.
const WIDEST_ROW: usize = 2048;
/// Thumbnails in a row of a sheet, and rows of a sheet: a page loads a sheet when a face of it is seen, and keeps none of its pixels but the face's.
const SIDE_OF_A_SHEET: usize = 16;

impl MakeThumbnails {
    /// Input: a list of images, with where their pictures are.
    pub const PICTURES: &str = "pictures";
    /// The images shown, in the order of their places, as a list of images is written.
    pub const SHOWN: &str = "images";
    /// Of a set of more pictures a sample of so many is made small, where a study does not ask for all.
    pub const MOST: usize = 25_000;
    /// Thumbnails of a whole sheet.
    pub const OF_A_SHEET: usize = SIDE_OF_A_SHEET * SIDE_OF_A_SHEET;

    /// Output: the JPEG sheet of this number, from 0. Thumbnails stand in rows from the left, without gaps.
    pub fn sheet(number: usize) -> String {
        format!("sheet-{}.jpg", number + 1)
    }

    /// How wide a thumbnail of so many pictures is.
    pub const fn side_of(pictures: usize) -> usize {
        match pictures {
            0..=4096 => 64,
            4097..=8192 => 48,
            _ => 32,
        }
    }

    /// Thumbnails in a row.
    pub const fn columns(&self) -> usize {
        match self.form {
            ThumbnailForm::Sheets => SIDE_OF_A_SHEET,
            ThumbnailForm::Row => WIDEST_ROW / self.side,
        }
    }
}

impl Stage for MakeThumbnails {
    fn version(&self) -> u32 {
        2
    }

    fn seed(&self) -> Option<u64> {
        self.sample.as_ref().map(|take| take.seed)
    }

    fn canonical(&self) -> Value {
        let MakeThumbnails { side, sample, form } = self;
        Value::map()
            .with("side", Value::count(*side))
            .optional("sample", sample.as_ref().map(Take::canonical))
            .with("form", Value::text(form.word()))
            .done()
    }
}
