//! `thumbnails`: pictures made small, side by side.

use super::{Inputs, Listener, StageOutput};
use crate::{
    dataset::{Album, Loader, drawn, taken},
    domain::{
        Fault, Result,
        image::Take,
        stage::{Figure, MakeThumbnails, ThumbnailForm},
        study::{Crop, Preparation},
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};
use std::sync::Arc;

/// What a face at 64 pixels can be told by, at 1.4 kB each.
const QUALITY: u8 = 75;
const LARGEST_SIDE: usize = 256;
const BATCH: usize = 64;

pub(super) fn thumbnails(stage: &MakeThumbnails, inputs: &Inputs, listener: &dyn Listener) -> Result<StageOutput> {
    if !(8..=LARGEST_SIDE).contains(&stage.side) {
        return Err(Fault::asked(format!("thumbnails of {} pixels; they have 8 to {LARGEST_SIDE}", stage.side)));
    }
    let listed = inputs.images(MakeThumbnails::PICTURES)?;
    let shown = match (&stage.sample, stage.form) {
        (Some(of), ThumbnailForm::Sheets) => drawn(&listed, &Take { images: of.images.min(listed.len()), ..*of })?,
        (sample, _) => taken(&listed, sample.as_ref())?.into_owned(),
    };
    let mut made = StageOutput::default().with(MakeThumbnails::SHOWN, shown.to_text().into_bytes());
    let path = inputs.path(MakeThumbnails::PICTURES)?;
    let album = Arc::new(Album::new(&path, shown, Preparation::of(Crop::Whole, stage.side), None)?);
    let order: Vec<usize> = (0..album.images.len()).collect();
    let mut turned = 0;
    let mut done = 0;
    let of_a_sheet = match stage.form {
        ThumbnailForm::Sheets => MakeThumbnails::OF_A_SHEET,
        ThumbnailForm::Row => stage.columns(),
    };
    for (number, places) in order.chunks(of_a_sheet).enumerate() {
        let mut sheet = Sheet::new(stage, places.len());
        for batch in Loader::start(&album, places, BATCH, rayon::current_num_threads()) {
            let batch = batch?;
            turned += batch.turned;
            batch.pixels.chunks_exact(3 * stage.side * stage.side).for_each(|planes| sheet.add(planes));
            done += batch.pixels.len() / (3 * stage.side * stage.side);
            listener.point("images", done as u64, done as f64);
        }
        made = match stage.form {
            ThumbnailForm::Sheets => made.with(&MakeThumbnails::sheet(number), sheet.to_jpeg()?),
            ThumbnailForm::Row if number == 0 => made.with(Figure::SVG, sheet.to_svg()?.into_bytes()),
            ThumbnailForm::Row => return Err(Fault::asked(format!("more than the {of_a_sheet} thumbnails of a row"))),
        };
    }
    Ok(made.fact("images", vec![order.len() as f64]).turned(turned, listener))
}

struct Sheet {
    side: usize,
    columns: usize,
    rows: usize,
    rgb: Vec<u8>,
    filled: usize,
}

impl Sheet {
    fn new(stage: &MakeThumbnails, thumbnails: usize) -> Self {
        let columns = stage.columns().min(thumbnails);
        let rows = thumbnails.div_ceil(columns.max(1));
        let rgb = vec![255; 3 * columns * rows * stage.side * stage.side];
        Sheet { side: stage.side, columns, rows, rgb, filled: 0 }
    }

    /// `planes`: 3 × side × side.
    fn add(&mut self, planes: &[u8]) {
        let (row, column) = (self.filled / self.columns, self.filled % self.columns);
        let place = self.side * self.side;
        for y in 0..self.side {
            for x in 0..self.side {
                let at = (row * self.side + y) * self.columns * self.side + column * self.side + x;
                for channel in 0..3 {
                    self.rgb[3 * at + channel] = planes[channel * place + y * self.side + x];
                }
            }
        }
        self.filled += 1;
    }

    fn to_jpeg(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode(&self.rgb, (self.columns * self.side) as u32, (self.rows * self.side) as u32, ExtendedColorType::Rgb8)
            .map_err(|error| Fault::unexpected(format!("cannot encode thumbnails: {error}")))?;
        Ok(bytes)
    }

    /// The sheet as a picture of a page.
    fn to_svg(&self) -> Result<String> {
        let (width, height) = (self.columns * self.side, self.rows * self.side);
        let jpeg = STANDARD.encode(self.to_jpeg()?);
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
             <image href=\"data:image/jpeg;base64,{jpeg}\" width=\"{width}\" height=\"{height}\"/>\n</svg>\n"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataset::faces,
        domain::{
            Digest,
            image::Images,
            stage::{Input, Location, Task, Work},
        },
    };

    /// A folder of a red, a green and a blue picture, and then drawn faces: each stands at its place.
    #[test]
    fn every_picture_stands_at_its_own_place() {
        let folder = tempfile::tempdir().unwrap();
        let colours = [[250u8, 10, 10], [10, 250, 10], [10, 10, 250]];
        let mut images = Vec::new();
        for number in 0..40usize {
            let bytes = if number == 39 {
                faces::a_jpeg()
            } else {
                let mut bytes = Vec::new();
                let rgb: Vec<u8> = std::iter::repeat_n(colours[number % 3], 40 * 40).flatten().collect();
                JpegEncoder::new(&mut bytes).encode(&rgb, 40, 40, ExtendedColorType::Rgb8).unwrap();
                bytes
            };
            let id = format!("{number:03}.jpg");
            std::fs::write(folder.path().join(&id), &bytes).unwrap();
            images.push(format!("{id}\t{}\n", Digest::of(&bytes)));
        }
        let listing = images.concat().into_bytes();
        let made = |sample: Option<Take>, form: ThumbnailForm| {
            let input = Input {
                role: MakeThumbnails::PICTURES.into(),
                digest: Digest::of(&listing),
                at: Location::Pictures(folder.path().to_owned()),
            };
            let task = Task { work: Work::Thumbnails(MakeThumbnails { side: 64, sample, form }), inputs: vec![input] };
            let read = |_: &Input| Ok(listing.clone());
            super::super::carry_out(&task, &read, None, &()).unwrap()
        };
        let all = made(None, ThumbnailForm::Sheets);
        let names: Vec<&str> = all.outputs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [MakeThumbnails::SHOWN, "sheet-1.jpg"]);
        let sheet = image::load_from_memory(&all.outputs[1].1).unwrap().to_rgb8();
        assert_eq!(sheet.dimensions(), (16 * 64, 3 * 64));
        for number in 0..39u32 {
            let pixel = sheet.get_pixel(number % 16 * 64 + 32, number / 16 * 64 + 32).0;
            let brightest = (0..3).max_by_key(|channel| pixel[*channel]).unwrap();
            assert_eq!(brightest, number as usize % 3, "{number}");
        }
        // A sample is some of the same pictures, in the order drawn: that of a smaller one begins a larger one. A row has the order of the list.
        let some = made(Some(Take { images: 6, seed: 1 }), ThumbnailForm::Sheets);
        let shown = Images::from_text(std::str::from_utf8(&some.outputs[0].1).unwrap()).unwrap();
        assert_eq!(shown.len(), 6);
        let of = |made: &StageOutput| Images::from_text(std::str::from_utf8(&made.outputs[0].1).unwrap()).unwrap().0;
        let all = of(&made(Some(Take { images: 99, seed: 1 }), ThumbnailForm::Sheets));
        assert_eq!((all.len(), &all[..6]), (40, &shown.0[..]));
        let sheet = image::load_from_memory(&some.outputs[1].1).unwrap().to_rgb8();
        assert_eq!(sheet.dimensions(), (6 * 64, 64));
        let row = made(Some(Take { images: 6, seed: 1 }), ThumbnailForm::Row);
        let mut sorted = shown.0.clone();
        sorted.sort();
        assert_eq!((of(&row), row.outputs[1].0.as_str()), (sorted, Figure::SVG));
        let svg = String::from_utf8(row.outputs[1].1.clone()).unwrap();
        assert!(svg.contains("data:image/jpeg;base64,") && svg.contains("viewBox=\"0 0 384 64\""));
        for (place, id) in shown.ids().enumerate().filter(|(_, id)| *id != "039.jpg") {
            let pixel = sheet.get_pixel(place as u32 * 64 + 32, 32).0;
            let brightest = (0..3).max_by_key(|channel| pixel[*channel]).unwrap();
            assert_eq!(brightest, id[..3].parse::<usize>().unwrap() % 3, "{id}");
        }
    }
}
