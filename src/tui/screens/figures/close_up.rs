//! A figure looked at closely: what of its map is shown, where the cursor stands, and which images are selected. Pure.

use crate::{
    study::{
        make_up::{MakeUpLine, make_up},
        map_images::MapImages,
    },
    tui::{command::ScreenCommand, movement},
};
use image::RgbImage;
use std::sync::Arc;
use visavis_core::domain::ledger::CellId;

/// The cursor moves by this share of what is shown.
const STEP: f64 = 1.0 / 40.0;
/// One step of enlarging, and how far it goes.
const ENLARGE: f64 = 1.5;
const MOST_ENLARGED: f64 = 100.0;
/// Faces that are shown of a selection, and how many stand beside each other.
const FACES: usize = 12;
pub(super) const FACES_BESIDE: usize = 6;

pub(crate) struct CloseUp {
    pub cell: CellId,
    /// In shares of the map, from the left and from below: the middle of what is shown, and the cursor.
    middle: [f64; 2],
    pub cursor: [f64; 2],
    pub zoom: f64,
    /// Where a rectangle begins that is not ended yet.
    corner: Option<[f64; 2]>,
    /// Two opposite corners of one that is.
    rectangle: Option<[[f64; 2]; 2]>,
    pub selected: Option<Selected>,
}

/// What lies in the rectangle.
pub(crate) struct Selected {
    pub is_selected: Vec<bool>,
    pub images: usize,
    pub lines: Vec<MakeUpLine>,
    /// Those nearest to the middle of the rectangle.
    pub faces: Option<Arc<RgbImage>>,
}

impl CloseUp {
    pub(crate) fn new(cell: CellId) -> Self {
        let middle = [0.5; 2];
        CloseUp { cell, middle, cursor: middle, zoom: 1.0, corner: None, rectangle: None, selected: None }
    }

    /// The part of the map that is shown: from and to, along each axis.
    pub(crate) fn window(&self) -> [[f64; 2]; 2] {
        let half = 0.5 / self.zoom;
        self.middle.map(|middle| [middle - half, middle + half])
    }

    /// The rectangle: its lower left and its upper right corner.
    pub(crate) fn frame(&self) -> Option<[[f64; 2]; 2]> {
        let [one, other] = self.corner.map(|corner| [corner, self.cursor]).or(self.rectangle)?;
        let pick = |of: fn(f64, f64) -> f64| [0, 1].map(|axis| of(one[axis], other[axis]));
        Some([pick(f64::min), pick(f64::max)])
    }

    /// Does a command; `false` where it is none of a map that is looked at closely. `map`: once it is read.
    pub(crate) fn update(&mut self, command: ScreenCommand, map: Option<&MapImages>) -> bool {
        let along = movement::columns(command).map(|by| [by as f64, 0.0]);
        let up = match command {
            ScreenCommand::Up => Some([0.0, 1.0]),
            ScreenCommand::Down => Some([0.0, -1.0]),
            _ => None,
        };
        let before = (self.frame(), self.corner.is_some());
        match (command, along.or(up)) {
            (_, Some(by)) => {
                let step = STEP / self.zoom;
                self.put([0, 1].map(|axis| self.cursor[axis] + by[axis] * step));
            }
            (ScreenCommand::ZoomIn, _) => self.enlarge(ENLARGE),
            (ScreenCommand::ZoomOut, _) => self.enlarge(1.0 / ENLARGE),
            (ScreenCommand::WholeMap, _) => self.enlarge(0.0),
            (ScreenCommand::SelectArea | ScreenCommand::Enter, _) => match self.corner.take() {
                None => (self.corner, self.rectangle) = (Some(self.cursor), None),
                Some(corner) => self.rectangle = Some([corner, self.cursor]),
            },
            _ => return false,
        }
        if before != (self.frame(), self.corner.is_some()) {
            self.select(map);
        }
        true
    }

    /// Takes back one thing: the rectangle; `false` where there is none.
    pub(crate) fn back(&mut self) -> bool {
        let had = self.frame().is_some();
        (self.corner, self.rectangle, self.selected) = (None, None, None);
        had
    }

    /// Puts the cursor somewhere; what is shown goes with it.
    pub(crate) fn put(&mut self, at: [f64; 2]) {
        self.cursor = at.map(|share| share.clamp(0.0, 1.0));
        let half = 0.5 / self.zoom;
        for axis in 0..2 {
            self.middle[axis] = self.middle[axis].clamp(self.cursor[axis] - half, self.cursor[axis] + half);
        }
    }

    fn enlarge(&mut self, by: f64) {
        self.zoom = (self.zoom * by).clamp(1.0, MOST_ENLARGED);
        let half = 0.5 / self.zoom;
        self.middle = self.cursor.map(|share| share.clamp(half, 1.0 - half));
    }

    /// Counts what lies in the rectangle; once that is ended, also what these images have in common.
    pub(crate) fn select(&mut self, map: Option<&MapImages>) {
        let (Some([low, high]), Some(map)) = (self.frame(), map) else {
            self.selected = None;
            return;
        };
        let holds = |at: [f32; 2]| (0..2).all(|axis| (low[axis]..=high[axis]).contains(&f64::from(at[axis])));
        let is_selected: Vec<bool> = map.places.iter().map(|at| at.is_some_and(holds)).collect();
        let images = is_selected.iter().filter(|is| **is).count();
        let is_ended = self.corner.is_none() && images > 0;
        let middle = [0, 1].map(|axis| f64::midpoint(low[axis], high[axis]));
        self.selected = Some(Selected {
            images,
            lines: if is_ended { make_up(map, &is_selected) } else { vec![] },
            faces: if is_ended { faces(map, &is_selected, middle) } else { None },
            is_selected,
        });
    }
}

/// Those of the selected images that are nearest to a place, of images that have a face.
fn faces(map: &MapImages, is_selected: &[bool], middle: [f64; 2]) -> Option<Arc<RgbImage>> {
    let faces = map.faces.as_ref()?;
    let apart = |image: &usize| {
        let at = map.places[*image].unwrap_or_default();
        (0..2).map(|axis| (f64::from(at[axis]) - middle[axis]).powi(2)).sum::<f64>()
    };
    let mut images: Vec<usize> = (0..is_selected.len()).filter(|image| is_selected[*image] && faces.has(*image)).collect();
    let nearer = |one: &usize, other: &usize| apart(one).total_cmp(&apart(other));
    if images.len() > FACES {
        images.select_nth_unstable_by(FACES, nearer);
        images.truncate(FACES);
    }
    images.sort_by(nearer);
    faces.side_by_side(&images, FACES_BESIDE).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::make_up::tests::map;
    use ScreenCommand as C;

    fn after(commands: &[C]) -> CloseUp {
        let map = map();
        let mut close_up = CloseUp::new(map.cell);
        commands.iter().for_each(|command| assert!(close_up.update(*command, Some(&map)), "{command:?}"));
        close_up
    }

    #[test]
    fn a_rectangle_selects_what_lies_in_it_and_says_what_that_has_in_common() {
        // From the middle a little up, to the left end and below the row.
        let left = [C::Left; 30];
        let close_up = after(&[&[C::Up, C::SelectArea][..], &left, &[C::Down, C::Down, C::SelectArea]].concat());
        let selected = close_up.selected.as_ref().unwrap();
        assert_eq!((selected.images, selected.lines[0].condition.as_str()), (50, "smiles"));
        assert!(selected.is_selected[..50].iter().all(|is| *is) && !selected.is_selected[50]);
        assert!(close_up.corner.is_none() && close_up.frame().is_some());
        // A new one replaces it at once; Escape takes it off, and is then the screen's.
        let mut close_up = after(&[C::SelectArea, C::Left, C::SelectArea, C::SelectArea]);
        assert!(close_up.corner.is_some() && close_up.back() && close_up.selected.is_none() && !close_up.back());
    }

    #[test]
    fn the_cursor_stays_in_the_map_and_what_is_shown_goes_with_it() {
        let close_up = after(&[C::ZoomIn; 5]);
        assert!((close_up.zoom - 7.59375).abs() < 1e-9 && close_up.window()[0][0] > 0.4);
        let close_up = after(&[&[C::ZoomIn; 30][..], &[C::Right; 5000]].concat());
        let [[from, to], _] = close_up.window();
        assert_eq!((close_up.cursor[0], close_up.zoom), (1.0, 100.0));
        assert!(from < 1.0 && to >= 1.0 - 1e-9, "{from} {to}");
        let close_up = after(&[C::ZoomIn, C::ZoomIn, C::WholeMap]);
        assert_eq!((close_up.zoom, close_up.window()), (1.0, [[0.0, 1.0]; 2]));
        assert!(!CloseUp::new(map().cell).update(C::Pin, None), "other commands are the screen's");
    }
}
