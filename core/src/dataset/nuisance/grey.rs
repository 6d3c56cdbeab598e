//! A picture's grey levels (ITU-R BT.601), in thousandths of a level: whole numbers, so that their sums are exact.

use crate::dataset::decode::Picture;

/// White.
pub(super) const WHITE: f64 = 255_000.0;

/// Grey levels, row by row.
pub(super) struct Grey {
    pub width: usize,
    pub height: usize,
    levels: Vec<i32>,
}

impl Grey {
    pub(super) fn of(picture: &Picture) -> Self {
        let level = |[red, green, blue]: &[u8; 3]| 299 * i32::from(*red) + 587 * i32::from(*green) + 114 * i32::from(*blue);
        let levels = picture.rgb.as_chunks::<3>().0.iter().map(level).collect();
        Grey { width: picture.width, height: picture.height, levels }
    }

    /// From 0 to 1 each.
    pub(super) fn mean_and_deviation(&self) -> (f64, f64) {
        let n = self.levels.len() as f64;
        let mean = self.levels.iter().map(|level| f64::from(*level)).sum::<f64>() / n;
        let squares = self.levels.iter().map(|level| (f64::from(*level) - mean).powi(2)).sum::<f64>();
        (mean / WHITE, (squares / n).sqrt() / WHITE)
    }

    /// What a filter of 3 × 3 says at every pixel that has neighbours on all sides; given row by row, from above and from the left.
    pub(super) fn filtered(&self, filter: [[i32; 3]; 3]) -> impl Iterator<Item = i32> {
        let inner = |length: usize| 1..length.saturating_sub(1).max(1);
        inner(self.height).flat_map(move |y| {
            inner(self.width).map(move |x| {
                let row = |line: usize| {
                    let at = (y + line - 1) * self.width + x;
                    let (of, levels) = (filter[line], &self.levels[at - 1..at + 2]);
                    of[0] * levels[0] + of[1] * levels[1] + of[2] * levels[2]
                };
                row(0) + row(1) + row(2)
            })
        })
    }
}
