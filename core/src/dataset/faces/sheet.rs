//! Contact sheets: for every attribute that is drawn, pictures that have it, and below each the same picture without it.

use super::{
    attributes::{UNDRAWN, flip},
    files::{sized_jpeg, write},
    portrait::{HEIGHT, WIDTH, portrait},
    sitting::DrawnPicture,
    truth::DrawnSet,
};
use crate::{dataset::readers::celeba::ATTRIBUTES, domain::Result};
use rayon::prelude::*;
use std::path::Path;

const IN_A_ROW: usize = 8;

pub(super) fn sheets(folder: &Path, made: &DrawnSet) -> Result<()> {
    let drawn: Vec<(usize, &str)> = ATTRIBUTES.into_iter().enumerate().filter(|(_, name)| !UNDRAWN.contains(name)).collect();
    drawn.par_iter().try_for_each(|&(place, name)| {
        let having = made.pictures.iter().zip(made.drawn).filter(|(_, drawn)| drawn.has[place]);
        let with: Vec<&DrawnPicture> = having.map(|(picture, _)| picture).take(IN_A_ROW).collect();
        let shown = with.iter().map(|picture| drawing(picture)).collect();
        let turned = with.iter().map(|picture| {
            let (mut person, mut sitting) = (picture.person.clone(), picture.sitting.clone());
            flip(name, &mut person, &mut sitting);
            portrait(&person, &sitting, &picture.style).rgb
        });
        write(&folder.join(format!("{name}.jpg")), &sheet(&[shown, turned.collect()])?)
    })?;
    let any: Vec<Vec<Vec<u8>>> = made.pictures.chunks(IN_A_ROW).take(5).map(|row| row.iter().map(drawing).collect()).collect();
    write(&folder.join("all.jpg"), &sheet(&any)?)
}

fn drawing(picture: &DrawnPicture) -> Vec<u8> {
    portrait(&picture.person, &picture.sitting, &picture.style).rgb
}

fn sheet(rows: &[Vec<Vec<u8>>]) -> Result<Vec<u8>> {
    let (width, height) = (WIDTH as usize, HEIGHT as usize);
    let line = width * IN_A_ROW * 3;
    let mut rgb = vec![255; line * height * rows.len()];
    for (down, row) in rows.iter().enumerate() {
        for (along, drawn) in row.iter().enumerate() {
            for (y, pixels) in drawn.chunks_exact(width * 3).enumerate() {
                let at = (down * height + y) * line + along * width * 3;
                rgb[at..at + width * 3].copy_from_slice(pixels);
            }
        }
    }
    sized_jpeg(&rgb, (width * IN_A_ROW) as u32, (height * rows.len()) as u32)
}
