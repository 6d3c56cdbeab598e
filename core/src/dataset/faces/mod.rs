//! Faces drawn here: a data set in CelebA's own format whose truth is known, and the sets that networks learn from.
//!
//! Same arguments, same bytes: every picture is a function of the seed, who is on it, and which of that person's pictures
//! it is. Nothing is a caricature; nobody is shown.

mod attributes;
mod canvas;
mod colour;
mod files;
mod hair;
mod person;
mod portrait;
mod rng;
mod scene;
mod set;
mod sheet;
mod sitting;
mod texture;
mod tones;
mod truth;
mod wear;

pub use attributes::Level;
pub use set::{DrawnKind, Request, draw, is_drawn, is_there};
pub use sitting::{Twin, Variety};
pub use truth::{Planted, Truth};

/// Some picture, for tests.
#[cfg(test)]
pub fn a_jpeg() -> Vec<u8> {
    files::jpeg(&[90; (portrait::WIDTH * portrait::HEIGHT * 3) as usize]).unwrap()
}
