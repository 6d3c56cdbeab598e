//! Shape taken away: the patches of a grid, each put elsewhere; and the control, in which patches stay and only get the borders that
//! shuffling makes.

use super::square::Square;
use crate::{
    domain::Digest,
    numeric::{PhiloxStream, Purpose},
};

/// Patches a side; fewer where a patch would have fewer than [`LEAST`] pixels a side.
const PATCHES: usize = 8;
const LEAST: usize = 4;
/// The frame that the control changes is this part of a patch wide, at least a pixel.
const FRAME: usize = 14;

/// Patches a side, and pixels a side of each. What is left over at the right and below stays as it is.
fn grid(size: usize) -> (usize, usize) {
    let patches = PATCHES.min(size / LEAST).max(1);
    (patches, size / patches)
}

/// Which patch comes to each place.
fn order(patches: usize, picture: &Digest) -> Vec<usize> {
    let seed = u64::from_le_bytes(std::array::from_fn(|place| picture.as_bytes()[place]));
    let mut order: Vec<usize> = (0..patches * patches).collect();
    PhiloxStream::new(seed, Purpose::PatchOrder, 0).shuffle(&mut order);
    order
}

pub(super) fn shuffle(square: &mut Square, picture: &Digest) {
    move_patches(square, picture, |_, _, _| true);
}

pub(super) fn frames(square: &mut Square, picture: &Digest) {
    move_patches(square, picture, |x, y, side| {
        let frame = (side / FRAME).max(1);
        [x, y].into_iter().any(|at| at < frame || at >= side - frame)
    });
}

/// `moves`: does the pixel at a place inside its patch, of so many a side, come from the patch that is put there?
fn move_patches(square: &mut Square, picture: &Digest, moves: impl Fn(usize, usize, usize) -> bool) {
    let size = square.size;
    let (patches, side) = grid(size);
    let order = order(patches, picture);
    for plane in square.planes.chunks_exact_mut(size * size) {
        let before = plane.to_vec();
        for (place, &from) in order.iter().enumerate() {
            let corner = |patch: usize| patch / patches * side * size + patch % patches * side;
            let inside = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
            for (x, y) in inside.filter(|&(x, y)| moves(x, y, side)) {
                plane[corner(place) + y * size + x] = before[corner(from) + y * size + x];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataset::alteration::tests::{SIZE, altered, lively, of_picture, painted},
        domain::alteration::Alteration,
    };

    #[test]
    fn a_shuffled_picture_has_the_same_patches_elsewhere() {
        let (patches, side) = grid(SIZE);
        assert_eq!((patches, side), (8, 4));
        // A patch is its number.
        let rgb = painted(SIZE, |x, y| [(y / side * patches + x / side) as u8; 3]);
        let shuffled = altered(&rgb, Alteration::PatchShuffled);
        let at = |place: usize| shuffled[place / patches * side * SIZE + place % patches * side];
        let mut found: Vec<u8> = (0..64).map(at).collect();
        assert!(found.iter().enumerate().filter(|(place, of)| *place == usize::from(**of)).count() < 8);
        for place in 0..64 {
            let corner = place / patches * side * SIZE + place % patches * side;
            assert!((0..16).all(|inside| shuffled[corner + inside / 4 * SIZE + inside % 4] == at(place)), "patches stay whole");
        }
        found.sort_unstable();
        assert_eq!(found, (0..64).collect::<Vec<u8>>());
    }

    #[test]
    fn each_picture_has_its_own_order_and_always_the_same() {
        let rgb = painted(SIZE, lively);
        let of = |picture: &[u8]| of_picture(&rgb, Alteration::PatchShuffled, picture);
        assert_eq!(of(b"one"), of(b"one"));
        assert_ne!(of(b"one"), of(b"other"));
    }

    #[test]
    fn the_control_has_the_borders_of_the_shuffled_picture_and_the_rest_of_the_picture() {
        let rgb = painted(64, lively);
        let [shuffled, control] = [Alteration::PatchShuffled, Alteration::EdgeArtefact].map(|of| altered(&rgb, of));
        let (_, side) = grid(64);
        for (place, value) in control.iter().enumerate() {
            let (x, y) = (place % 64 % side, place / 64 % 64 % side);
            let is_frame = [x, y].iter().any(|at| *at == 0 || *at == side - 1);
            assert_eq!(*value, if is_frame { shuffled[place] } else { rgb[place] });
        }
    }

    #[test]
    fn what_is_left_over_stays_and_the_smallest_pictures_have_a_grid() {
        assert_eq!([8, 20, 37, 112, 224].map(grid), [(2, 4), (5, 4), (8, 4), (8, 14), (8, 28)]);
        let rgb = painted(37, lively);
        let shuffled = altered(&rgb, Alteration::PatchShuffled);
        assert!((0..3 * 37 * 37).all(|at| (at % 37 < 32 && at / 37 % 37 < 32) || shuffled[at] == rgb[at]));
    }
}
