//! Contact sheets: for every attribute that is drawn, a row of pictures that have it and a row of those that do not.

use super::{
    attributes::UNDRAWN,
    portrait::{HEIGHT, WIDTH, portrait},
    set::{Picture, sized_jpeg, write},
    truth::Made,
};
use crate::{dataset::celeba::ATTRIBUTES, domain::Result};
use rayon::prelude::*;
use std::path::Path;

const IN_A_ROW: usize = 8;

pub fn sheets(folder: &Path, made: &Made) -> Result<()> {
    let drawn: Vec<(usize, &str)> = ATTRIBUTES.into_iter().enumerate().filter(|(_, name)| !UNDRAWN.contains(name)).collect();
    drawn.par_iter().try_for_each(|&(place, name)| {
        let row = |wanted: bool| -> Vec<&Picture> {
            let of = made.pictures.iter().zip(made.drawn).filter(|(_, drawn)| drawn.has[place] == wanted);
            of.map(|(picture, _)| picture).take(IN_A_ROW).collect()
        };
        write(&folder.join(format!("{name}.jpg")), &sheet(&[row(true), row(false)])?)
    })?;
    let any: Vec<Vec<&Picture>> = made.pictures.chunks(IN_A_ROW).take(5).map(|row| row.iter().collect()).collect();
    write(&folder.join("all.jpg"), &sheet(&any)?)
}

fn sheet(rows: &[Vec<&Picture>]) -> Result<Vec<u8>> {
    let (width, height) = (WIDTH as usize, HEIGHT as usize);
    let line = width * IN_A_ROW * 3;
    let mut rgb = vec![255; line * height * rows.len()];
    for (down, row) in rows.iter().enumerate() {
        for (along, picture) in row.iter().enumerate() {
            let drawn = portrait(&picture.person, &picture.sitting, &picture.style).rgb;
            for (y, pixels) in drawn.chunks_exact(width * 3).enumerate() {
                let at = (down * height + y) * line + along * width * 3;
                rgb[at..at + width * 3].copy_from_slice(pixels);
            }
        }
    }
    sized_jpeg(&rgb, (width * IN_A_ROW) as u32, (height * rows.len()) as u32)
}
