//! Given numbers in the single precision that features are kept in, without losing what tells images apart.
//!
//! Single precision holds 24 bits. Where a column lies far from 0 for its spread (a time in seconds, an id, a sum of pixels), the
//! differences between images would be lost in its offset; such a column is centred in double precision first. Distances, axes
//! and probes do not know where the origin is; cosines do, so the offsets are kept and said.

use super::numbers::{NumberKind, Numbers};
use crate::numeric::Matrix;

/// How much of a column's spread (the distance of its quartiles) single precision may cost.
const LOSS: f64 = 1e-6;
/// So many spreads from 0, rounding to single precision (by up to 2⁻²⁴ of a value) costs more than that.
const FAR: f64 = 16.0;

/// Features in single precision.
#[derive(Debug)]
pub(super) struct Narrowed {
    pub matrix: Matrix,
    /// Columns that were centred, and what was taken from them.
    pub offsets: Vec<(usize, f64)>,
}

/// A number that single precision does not hold: its row and column in the file, from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unheld {
    pub row: usize,
    pub column: usize,
    pub value: f64,
    pub because: Because,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    NotFinite,
    /// Beyond ±3.4e38.
    Overflow,
    /// The column's differences are smaller than the smallest numbers there are.
    Underflow,
}

/// These rows of the array, in this order.
///
/// # Errors
/// The first number that cannot be kept.
pub(super) fn narrow(numbers: &Numbers, rows: &[usize]) -> Result<Narrowed, Unheld> {
    if let Some((row, column, value)) = numbers.first_not_finite(rows.iter().copied()) {
        return Err(Unheld { row, column, value, because: Because::NotFinite });
    }
    let reader = ValueReader::new(numbers, rows);
    let origins =
        if numbers.kind().fits_single() { vec![None; numbers.columns()] } else { Columns::of(&reader, rows).origins(&reader) };
    let mut values = Vec::with_capacity(rows.len() * numbers.columns());
    let mut row_values = Vec::with_capacity(numbers.columns());
    for &row in rows {
        reader.row(row, &mut row_values);
        for (column, (value, origin)) in row_values.iter().zip(&origins).enumerate() {
            let single = match origin {
                Some(origin) => (value - origin) as f32,
                None => reader.single(row, column, *value),
            };
            if !single.is_finite() {
                return Err(Unheld { row, column, value: reader.whole(column, *value), because: Because::Overflow });
            }
            values.push(single);
        }
    }
    let matrix = Matrix::new(rows.len(), numbers.columns(), values).expect("as many rows as were asked for");
    if !numbers.kind().fits_single() {
        underflow(&reader, rows)?;
    }
    let offset = |(column, origin): (usize, &Option<f64>)| Some((column, reader.whole(column, (*origin)?)));
    let offsets = origins.iter().enumerate().filter_map(offset).collect();
    Ok(Narrowed { matrix, offsets })
}

/// Gives values in double precision without loss: whole numbers of 64 bits, which that does not hold, as differences from the first
/// row's.
struct ValueReader<'a> {
    numbers: &'a Numbers<'a>,
    /// What values of a column are told from: 0 for everything but such whole numbers.
    base: Vec<i128>,
}

impl<'a> ValueReader<'a> {
    fn new(numbers: &'a Numbers<'a>, rows: &[usize]) -> Self {
        let first = |column: usize| rows.first().and_then(|row| numbers.integer(*row, column)).unwrap_or(0);
        ValueReader { numbers, base: (0..numbers.columns()).map(first).collect() }
    }

    fn row(&self, row: usize, into: &mut Vec<f64>) {
        self.numbers.row(row, into);
        if !matches!(self.numbers.kind(), NumberKind::I64 | NumberKind::U64) {
            return;
        }
        for (column, value) in into.iter_mut().enumerate() {
            if let Some(whole) = self.numbers.integer(row, column) {
                *value = (whole - self.base[column]) as f64;
            }
        }
    }

    /// The value itself, as near as double precision comes.
    fn whole(&self, column: usize, value: f64) -> f64 {
        self.base[column] as f64 + value
    }

    fn single(&self, row: usize, column: usize, value: f64) -> f32 {
        self.numbers.integer(row, column).map_or(value as f32, |whole| whole as f32)
    }

    /// What single precision costs the value as it is.
    fn loss(&self, row: usize, column: usize, value: f64) -> f64 {
        match self.numbers.integer(row, column) {
            Some(whole) => (whole - whole as f32 as i128).unsigned_abs() as f64,
            None => (value - f64::from(value as f32)).abs(),
        }
    }
}

/// Columns whose differences single precision would round away altogether.
fn underflow(reader: &ValueReader, rows: &[usize]) -> Result<(), Unheld> {
    let mut largest = vec![(0.0f64, 0usize, 0.0f64); reader.base.len()];
    let (mut first, mut values) = (Vec::new(), Vec::new());
    if let Some(&row) = rows.first() {
        reader.row(row, &mut first);
    }
    for &row in rows {
        reader.row(row, &mut values);
        for ((value, first), most) in values.iter().zip(&first).zip(&mut largest) {
            let size = (value - first).abs();
            if size > most.0 {
                *most = (size, row, *value);
            }
        }
    }
    // Below the smallest normal number steps are as wide as 1.4e-45: of a column this small they are not 1e-6 any more.
    let small = f64::from(f32::from_bits(1)) / LOSS;
    match largest.iter().position(|(size, ..)| *size > 0.0 && *size < small) {
        Some(column) => {
            let (_, row, value) = largest[column];
            Err(Unheld { row, column, value, because: Because::Underflow })
        }
        None => Ok(()),
    }
}

/// What is to be known of each column before it is narrowed.
struct Columns {
    /// Of every column the middle and the distance of the quartiles, of rows spread evenly over all.
    middles: Vec<f64>,
    quartiles: Vec<f64>,
    least: Vec<f64>,
    most: Vec<f64>,
    /// The most that narrowing costs a value as it is.
    losses: Vec<f64>,
}

/// So many rows say where a column lies.
const SAMPLE: usize = 1023;

impl Columns {
    fn of(reader: &ValueReader, rows: &[usize]) -> Self {
        let columns = reader.base.len();
        let mut measured = Columns {
            middles: vec![0.0; columns],
            quartiles: vec![0.0; columns],
            least: vec![f64::INFINITY; columns],
            most: vec![f64::NEG_INFINITY; columns],
            losses: vec![0.0; columns],
        };
        let mut values = Vec::new();
        for &row in rows {
            reader.row(row, &mut values);
            for (column, value) in values.iter().enumerate() {
                measured.least[column] = measured.least[column].min(*value);
                measured.most[column] = measured.most[column].max(*value);
                measured.losses[column] = measured.losses[column].max(reader.loss(row, column, *value));
            }
        }
        let sample = rows.len().min(SAMPLE);
        let mut sampled: Vec<Vec<f64>> = vec![Vec::with_capacity(sample); columns];
        for place in 0..sample {
            reader.row(rows[place * rows.len() / sample], &mut values);
            sampled.iter_mut().zip(&values).for_each(|(column, value)| column.push(*value));
        }
        for (column, mut values) in sampled.into_iter().enumerate().filter(|(_, values)| !values.is_empty()) {
            values.sort_unstable_by(f64::total_cmp);
            let last = values.len() - 1;
            measured.middles[column] = values[last / 2];
            measured.quartiles[column] = values[last - last / 4] - values[last / 4];
        }
        measured
    }

    /// What is taken from each column; nothing where it is narrowed as it is.
    fn origins(&self, reader: &ValueReader) -> Vec<Option<f64>> {
        let origin = |column: usize| {
            let (middle, range) = (self.middles[column], self.most[column] - self.least[column]);
            let far = reader.whole(column, middle).abs();
            // Single outliers do not make a column wide; one that is mostly the same is as wide as its exceptions.
            let spread = if self.quartiles[column] > 0.0 { self.quartiles[column] } else { range };
            // A column that is the same everywhere stays the same; it is moved only where single precision has no such number.
            let moves =
                if range > 0.0 { self.losses[column] > LOSS * spread && far > FAR * spread } else { !(far as f32).is_finite() };
            // Whole numbers are measured from a whole one, exactly.
            moves.then_some(if middle.abs() >= 1.0 { middle.round() } else { middle })
        };
        (0..self.middles.len()).map(origin).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// An array of double precision, or of whole numbers, with one column.
    fn column(word: &str, values: &[[u8; 8]]) -> Vec<u8> {
        let mut header = format!("{{'descr': '{word}', 'fortran_order': False, 'shape': ({}, 1), }}", values.len());
        header.push_str(&" ".repeat((64 - (header.len() + 11) % 64) % 64));
        header.push('\n');
        [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &values.concat()].concat()
    }

    fn doubles(values: &[f64]) -> Result<Narrowed, Unheld> {
        let bytes = column("<f8", &values.iter().map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        narrow(&Numbers::of_npy(&bytes, Path::new("x.npy")).unwrap(), &(0..values.len()).collect::<Vec<_>>())
    }

    fn wholes(values: &[i64]) -> Narrowed {
        let bytes = column("<i8", &values.iter().map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        narrow(&Numbers::of_npy(&bytes, Path::new("x.npy")).unwrap(), &(0..values.len()).collect::<Vec<_>>()).unwrap()
    }

    /// What tells the images apart, whatever was taken from the column.
    fn differences(narrowed: &Narrowed) -> Vec<f64> {
        let first = f64::from(narrowed.matrix.values()[0]);
        narrowed.matrix.values().iter().map(|value| f64::from(*value) - first).collect()
    }

    #[test]
    fn a_column_far_from_0_keeps_its_differences() {
        for offset in [1e4f64, 1.7e9, -1.7e9, 1e12, 1e30] {
            let step = (offset.abs() * 1e-9).max(1e-3);
            let near: Vec<f64> = (0..50).map(|i| offset + step * f64::from(i * i % 17)).collect();
            let narrowed = doubles(&near).unwrap();
            assert_eq!(narrowed.offsets.len(), 1, "{offset}");
            for (found, value) in differences(&narrowed).iter().zip(&near) {
                assert!((found - (value - near[0])).abs() <= 1e-5 * step, "{offset}: {found}");
            }
        }
        let times: Vec<i64> = (0..40).map(|i| 1_700_000_000_000_000_000 + i * 3 % 7).collect();
        let narrowed = wholes(&times);
        assert_eq!(differences(&narrowed), times.iter().map(|time| (time - times[0]) as f64).collect::<Vec<_>>());
        assert!((narrowed.offsets[0].1 - 1.7e18).abs() < 1e4);
    }

    #[test]
    fn a_column_that_loses_nothing_is_left_where_it_is() {
        let usual: Vec<f64> = (0..50).map(|i| f64::from(i * 7 % 13) / 3.0 - 1.0).collect();
        let exact: Vec<f64> = (0..50).map(|i| 1e6 + f64::from(i % 3)).collect();
        for values in [&usual, &exact, &vec![0.1; 50], &vec![1e-60; 50], &vec![0.0; 50]] {
            let narrowed = doubles(values).unwrap();
            assert!(narrowed.offsets.is_empty());
            assert!(narrowed.matrix.values().iter().zip(values).all(|(single, value)| *single == *value as f32));
        }
        assert!(wholes(&[1 << 24, 3, -5]).offsets.is_empty());
    }

    #[test]
    fn what_single_precision_does_not_hold_is_said_as_what_it_is() {
        let at = |values: &[f64]| {
            let unheld = doubles(values).unwrap_err();
            (unheld.row, unheld.value, unheld.because)
        };
        assert_eq!(at(&[1.0, 2.0, 1e300]), (2, 1e300, Because::Overflow));
        assert_eq!(at(&[1.7e308, -1.7e308]).2, Because::Overflow);
        assert_eq!(at(&[1e-60, 3e-60, 2e-60]), (1, 3e-60, Because::Underflow));
        assert_eq!(at(&[0.0, f64::INFINITY]), (1, f64::INFINITY, Because::NotFinite));
        // Very small numbers among others lose nothing that matters; a column that is the same everywhere neither.
        assert!(doubles(&[1e-60, 1.0, 2.0]).is_ok() && doubles(&[1e300; 4]).is_ok());
    }

    #[test]
    fn an_outlier_does_not_hide_what_a_column_would_lose() {
        let mut values: Vec<f64> = (0..400).map(|i| 1.7e9 + f64::from(i % 5)).collect();
        values[7] = 0.0;
        let narrowed = doubles(&values).unwrap();
        assert_eq!(narrowed.offsets.len(), 1);
        for (place, found) in differences(&narrowed).iter().enumerate().filter(|(place, _)| *place != 7) {
            assert_eq!(*found, (place % 5) as f64);
        }
    }

    #[test]
    fn a_wide_column_around_0_with_a_far_value_is_left_where_it_is() {
        let mut values: Vec<f64> = (0..400).map(|i| f64::from(i % 50) / 7.0).collect();
        values[7] = 1e9 / 3.0;
        assert!(doubles(&values).unwrap().offsets.is_empty());
    }
}
