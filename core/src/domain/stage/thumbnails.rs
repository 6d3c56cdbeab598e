//! `thumbnails`: pictures made small, side by side on sheets, for people to look at.

use super::Stage;
use crate::domain::{canonical::Value, image::Take, vocabulary::vocabulary};
use serde::{Deserialize, Serialize};

vocabulary! {
    /// What thumbnails are put on.
    pub enum ThumbnailForm {
        /// JPEG sheets: [`MakeThumbnails::sheet`].
        Sheets = "sheets",
        /// One row, as a picture of a report: [`Figure::SVG`](super::Figure::SVG).
        Row = "row",
    }
}

/// [`MakeThumbnails::PICTURES`] with where they are → sheets or a row, and [`MakeThumbnails::SHOWN`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MakeThumbnails {
    /// Pixels a side of each thumbnail.
    pub side: usize,
    /// `None`: all pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Take>,
    /// What they are put on.
    pub form: ThumbnailForm,
}

/// A sheet is at most so many pixels wide and high: what any browser decodes.
const LARGEST_SHEET: usize = 2048;

impl MakeThumbnails {
    /// Input: a list of images, with where their pictures are.
    pub const PICTURES: &str = "pictures";
    /// The images shown, in the order of their places, as a list of images is written.
    pub const SHOWN: &str = "images";
    /// Of a set of more pictures only a sample is made small.
    pub const MOST: usize = 25_000;

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

    /// Thumbnails in a row of a sheet.
    pub const fn columns(&self) -> usize {
        LARGEST_SHEET / self.side
    }

    /// Thumbnails of a whole sheet.
    pub const fn of_a_sheet(&self) -> usize {
        self.columns() * self.columns()
    }
}

impl Stage for MakeThumbnails {
    fn version(&self) -> u32 {
        1
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
