//! Arrays as other people save them: `.npy` of any version, order and type of numbers, and tensors of safetensors files. What
//! holds no numbers is called what it is.

use super::npy_header::{ElementType, NpyHeader};
use crate::{
    domain::{
        Fault, Result,
        file_kind::{ExpectedFile, FileKind},
        spelling::suggestion,
        text::{count, printable, shorten},
    },
    files::safetensors_head,
    numeric::Matrix,
};
use std::path::Path;

/// N × D numbers in a file's bytes, read as they are asked for.
#[derive(Debug)]
pub struct Numbers<'a> {
    bytes: &'a [u8],
    kind: NumberKind,
    /// Most significant byte first.
    is_big: bool,
    /// Column by column.
    is_fortran: bool,
    rows: usize,
    columns: usize,
    /// What people should know of the file, though it is read.
    pub remarks: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    BF16,
    F32,
    F64,
}

impl NumberKind {
    pub fn bytes(self) -> usize {
        match self {
            NumberKind::Bool | NumberKind::I8 | NumberKind::U8 => 1,
            NumberKind::I16 | NumberKind::U16 | NumberKind::F16 | NumberKind::BF16 => 2,
            NumberKind::I32 | NumberKind::U32 | NumberKind::F32 => 4,
            NumberKind::I64 | NumberKind::U64 | NumberKind::F64 => 8,
        }
    }

    /// Does single precision hold every such number exactly?
    pub fn fits_single(self) -> bool {
        !matches!(self, NumberKind::I32 | NumberKind::U32 | NumberKind::I64 | NumberKind::U64 | NumberKind::F64)
    }

    fn of_npy(word: &str) -> Option<Self> {
        Some(match word {
            "b1" => NumberKind::Bool,
            "i1" => NumberKind::I8,
            "u1" => NumberKind::U8,
            "i2" => NumberKind::I16,
            "u2" => NumberKind::U16,
            "i4" => NumberKind::I32,
            "u4" => NumberKind::U32,
            "i8" => NumberKind::I64,
            "u8" => NumberKind::U64,
            "f2" => NumberKind::F16,
            "f4" => NumberKind::F32,
            "f8" => NumberKind::F64,
            _ => return None,
        })
    }

    fn of_safetensors(dtype: safetensors::Dtype) -> Option<Self> {
        use safetensors::Dtype;
        Some(match dtype {
            Dtype::BOOL => NumberKind::Bool,
            Dtype::I8 => NumberKind::I8,
            Dtype::U8 => NumberKind::U8,
            Dtype::I16 => NumberKind::I16,
            Dtype::U16 => NumberKind::U16,
            Dtype::I32 => NumberKind::I32,
            Dtype::U32 => NumberKind::U32,
            Dtype::I64 => NumberKind::I64,
            Dtype::U64 => NumberKind::U64,
            Dtype::F16 => NumberKind::F16,
            Dtype::BF16 => NumberKind::BF16,
            Dtype::F32 => NumberKind::F32,
            Dtype::F64 => NumberKind::F64,
            _ => return None,
        })
    }
}

impl<'a> Numbers<'a> {
    /// The array of an `.npy` file; `path` is for messages.
    ///
    /// # Errors
    /// A file that is none, that is cut short, or whose array holds no numbers or has no two dimensions.
    pub fn of_npy(bytes: &'a [u8], path: &Path) -> Result<Self> {
        let wrong = |what: String| Fault::asked(what).in_file(path);
        if !bytes.starts_with(b"\x93NUMPY") {
            return Err(not_an_array(bytes, path));
        }
        let unreadable = |why: &str| wrong(format!("not a readable .npy file: {why}")).next("copy or save it again");
        if let Some(version) = bytes.get(6).filter(|version| !(1..=3).contains(*version)) {
            return Err(unreadable(&format!("it is of version {version} of the format, and versions 1 to 3 are known")));
        }
        let header = header_of_npy(bytes).ok_or_else(|| unreadable("its header is cut short, or no text"))?;
        let NpyHeader { element, is_fortran, shape } = NpyHeader::parse(header).map_err(|why| unreadable(&why))?;
        let descr = match element {
            ElementType::Single(word) => word,
            ElementType::Columns(names) => return Err(of_columns(&names).in_file(path)),
        };
        let (is_big, kind) = numbers_named(descr).map_err(|(what, next)| wrong(what).next(next))?;
        let mut remarks = Vec::new();
        let (rows, columns) = two_dimensions(&shape, &mut remarks).map_err(|(what, next)| wrong(what).next(next))?;
        let is_fortran = is_fortran && rows > 1 && columns > 1;
        let data = data_of_npy(bytes).ok_or_else(|| unreadable("its header is cut short"))?;
        let wanted = rows.checked_mul(columns).and_then(|numbers| numbers.checked_mul(kind.bytes()));
        let Some(numbers) = wanted.and_then(|wanted| data.get(..wanted)) else {
            let descr = printable(descr);
            return Err(wrong(format!(
                "the header says {rows} × {columns} of {descr}, the file has {} bytes: it is cut short or damaged",
                bytes.len()
            ))
            .next("copy or save it again"));
        };
        let rest = data.len() - numbers.len();
        if rest > 0 {
            let what = if data[numbers.len()..].starts_with(b"\x93NUMPY") { "a second array" } else { "something else" };
            remarks.push(format!("{rest} bytes follow the array: {what}, which is not read"));
        }
        Ok(Numbers { bytes: numbers, kind, is_big, is_fortran, rows, columns, remarks })
    }

    /// The tensor `name` of a safetensors file, or its only one.
    ///
    /// # Errors
    /// As for an `.npy` file; a tensor that is not there.
    pub fn of_safetensors(bytes: &'a [u8], name: &str, path: &Path) -> Result<Self> {
        let wrong = |what: String| Fault::asked(what).in_file(path);
        if FileKind::of(bytes) != FileKind::Safetensors {
            return Err(not_an_array(bytes, path));
        }
        let unreadable = |why: String| {
            wrong(format!("not a readable safetensors file: {}", printable(&shorten(&why, 200)))).next("copy or save it again")
        };
        let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
        let head = usize::try_from(length).ok().and_then(|length| bytes.get(8..8_usize.checked_add(length)?)).unwrap_or_default();
        safetensors_head::check(head).map_err(unreadable)?;
        let file = safetensors::SafeTensors::deserialize(bytes).map_err(|error| unreadable(error.to_string()))?;
        let names = file.names();
        let only = if let [only] = names[..] { only } else { name };
        let tensor =
            file.tensor(only).map_err(|_| wrong(format!("there is no tensor `{name}`")).next(suggestion(name, &names)))?;
        let Some(kind) = NumberKind::of_safetensors(tensor.dtype()) else {
            return Err(wrong(format!("features of the type {:?} are not read", tensor.dtype())).next("save them as float32"));
        };
        let mut remarks = Vec::new();
        if only != name {
            remarks.push(format!("the only tensor of the file is called `{}`, not `{name}`: it is taken", printable(only)));
        }
        let shape: Vec<u64> = tensor.shape().iter().map(|&side| side as u64).collect();
        let (rows, columns) = two_dimensions(&shape, &mut remarks).map_err(|(what, next)| wrong(what).next(next))?;
        // The crate has held the length of the data against the shape.
        Ok(Numbers { bytes: tensor.data(), kind, is_big: false, is_fortran: false, rows, columns, remarks })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The type of the numbers in the file.
    pub fn kind(&self) -> NumberKind {
        self.kind
    }

    fn place(&self, row: usize, column: usize) -> usize {
        if self.is_fortran { column * self.rows + row } else { row * self.columns + column }
    }

    fn raw<const N: usize>(&self, place: usize) -> [u8; N] {
        let mut raw = [0; N];
        raw.copy_from_slice(&self.bytes[place * N..(place + 1) * N]);
        if self.is_big {
            raw.reverse();
        }
        raw
    }

    fn gather<const N: usize>(&self, row: usize, into: &mut Vec<f64>, number: impl Fn([u8; N]) -> f64) {
        into.clear();
        into.extend((0..self.columns).map(|column| number(self.raw(self.place(row, column)))));
    }

    /// A row in double precision, which holds every kind exactly but integers of 64 bits: see [`Numbers::integer`].
    pub fn row(&self, row: usize, into: &mut Vec<f64>) {
        match self.kind {
            NumberKind::Bool => self.gather(row, into, |[byte]| f64::from(u8::from(byte != 0))),
            NumberKind::I8 => self.gather(row, into, |raw| f64::from(i8::from_le_bytes(raw))),
            NumberKind::U8 => self.gather(row, into, |raw| f64::from(u8::from_le_bytes(raw))),
            NumberKind::I16 => self.gather(row, into, |raw| f64::from(i16::from_le_bytes(raw))),
            NumberKind::U16 => self.gather(row, into, |raw| f64::from(u16::from_le_bytes(raw))),
            NumberKind::I32 => self.gather(row, into, |raw| f64::from(i32::from_le_bytes(raw))),
            NumberKind::U32 => self.gather(row, into, |raw| f64::from(u32::from_le_bytes(raw))),
            NumberKind::I64 => self.gather(row, into, |raw| i64::from_le_bytes(raw) as f64),
            NumberKind::U64 => self.gather(row, into, |raw| u64::from_le_bytes(raw) as f64),
            NumberKind::F16 => self.gather(row, into, |raw| half::f16::from_le_bytes(raw).to_f64()),
            NumberKind::BF16 => self.gather(row, into, |raw| half::bf16::from_le_bytes(raw).to_f64()),
            NumberKind::F32 => self.gather(row, into, |raw| f64::from(f32::from_le_bytes(raw))),
            NumberKind::F64 => self.gather(row, into, f64::from_le_bytes),
        }
    }

    /// All rows × columns, each number in single precision by itself: of samples that are known to fit.
    pub fn in_single(&self) -> Matrix {
        let (mut row, mut values) = (Vec::new(), Vec::with_capacity(self.rows * self.columns));
        for at in 0..self.rows {
            self.row(at, &mut row);
            values.extend(row.iter().map(|number| *number as f32));
        }
        Matrix::new(self.rows, self.columns, values).expect("a row has as many numbers as columns")
    }

    /// A whole number of 64 bits as it is, which double precision may not hold; `None` for other kinds.
    pub fn integer(&self, row: usize, column: usize) -> Option<i128> {
        let place = self.place(row, column);
        match self.kind {
            NumberKind::I64 => Some(i64::from_le_bytes(self.raw(place)).into()),
            NumberKind::U64 => Some(u64::from_le_bytes(self.raw(place)).into()),
            _ => None,
        }
    }

    /// The first number of these rows that is not finite: its row and column from 0, and what it is.
    pub fn first_not_finite(&self, rows: impl Iterator<Item = usize>) -> Option<(usize, usize, f64)> {
        if !matches!(self.kind, NumberKind::F16 | NumberKind::BF16 | NumberKind::F32 | NumberKind::F64) {
            return None;
        }
        let mut values = Vec::with_capacity(self.columns);
        for row in rows {
            self.row(row, &mut values);
            // Zero times what is not finite is no number, and a sum keeps that.
            if values.iter().map(|value| value * 0.0).sum::<f64>() != 0.0
                && let Some(column) = values.iter().position(|value| !value.is_finite())
            {
                return Some((row, column, values[column]));
            }
        }
        None
    }
}

/// A file that is no array of the kind its name says.
fn not_an_array(bytes: &[u8], path: &Path) -> Fault {
    let kind = FileKind::of(bytes);
    Fault::asked(format!("not an array: the file is {}", kind.words())).in_file(path).next(kind.advice(ExpectedFile::Array))
}

type Refused = (String, String);

/// A type that is no single one: a table of named columns.
fn of_columns(names: &[&str]) -> Fault {
    let names = shorten(&printable(&names.join(", ")), 60);
    let of = if names.is_empty() { "columns without names".to_owned() } else { format!("the named columns {names}") };
    Fault::asked(format!("a structured array, a table of {of}, not a matrix"))
        .next("save the columns side by side: np.save(path, np.stack([x[name] for name in x.dtype.names], 1))")
}

/// The header of an `.npy` file, a Python dictionary.
fn header_of_npy(bytes: &[u8]) -> Option<&str> {
    let data = data_of_npy(bytes)?;
    let header = &bytes[8..bytes.len() - data.len()];
    std::str::from_utf8(&header[if bytes[6] == 1 { 2 } else { 4 }..]).ok()
}

/// Which numbers a type of NumPy's holds, and whether the most significant byte comes first.
fn numbers_named(word: &str) -> std::result::Result<(bool, NumberKind), Refused> {
    let (is_big, word) = (word.starts_with('>'), word.trim_start_matches(['<', '>', '|', '=']));
    if let Some(kind) = NumberKind::of_npy(word) {
        return Ok((is_big, kind));
    }
    let as_single = "save them as float32: np.save(path, x.astype(np.float32))";
    let (what, next) = match word.chars().next() {
        Some('O') => (
            "an object array: pickled Python objects, not numbers".to_owned(),
            "save the numbers: np.save(path, np.stack(x).astype(np.float32)); where that fails, the rows differ in length",
        ),
        Some('c') => ("complex numbers".to_owned(), "save what is to be compared: their real parts, or np.abs(x)"),
        Some('U' | 'S' | 'a') => ("text, not numbers".to_owned(), as_single),
        Some('M' | 'm') => ("dates or times".to_owned(), "save them as numbers: np.save(path, x.astype(np.int64))"),
        Some('f') => (
            format!("floating-point numbers of the type {word}, which only some machines have"),
            "save them as float64: np.save(path, x.astype(np.float64))",
        ),
        _ => (format!("features of the type {} are not read", shorten(&printable(word), 40)), as_single),
    };
    Err((what, next.to_owned()))
}

/// Where the numbers of an `.npy` file begin: behind a header whose length is of two bytes, of four since version 2.
fn data_of_npy(bytes: &[u8]) -> Option<&[u8]> {
    let start = match bytes.get(6)? {
        1 => 10 + usize::from(u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?)),
        2 | 3 => 12 + u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize,
        _ => return None,
    };
    bytes.get(start..)
}

/// Rows and columns of a shape; further dimensions may be there if they have one place each.
fn two_dimensions(shape: &[u64], remarks: &mut Vec<String>) -> std::result::Result<(usize, usize), Refused> {
    let size = |side: u64| usize::try_from(side).unwrap_or(usize::MAX);
    let told = format!("{shape:?}").replace(['[', ']'], "");
    if let [rows, columns] = *shape {
        return Ok((size(rows), size(columns)));
    }
    let Some((&rows, rest)) = shape.split_first() else {
        return Err(("a single number, not an array".into(), "features are N × D: a row an image".into()));
    };
    if rest.is_empty() {
        let what = format!("features are N × D, this array has one dimension ({})", count(size(rows), "number"));
        return Err((what, "for one number an image: np.save(path, x.reshape(-1, 1)); else stack the images' rows".into()));
    }
    let mut wide = rest.iter().copied().filter(|side| *side != 1);
    let columns = wide.next().unwrap_or(1);
    if wide.next().is_some() {
        let what = format!("features are N × D, this array has {} dimensions ({told})", shape.len());
        return Err((
            what,
            "for maps, take the mean over their places: x.mean((2, 3)); else np.save(path, x.reshape(len(x), -1))".into(),
        ));
    }
    remarks.push(format!("the array has {} dimensions ({told}); those of one place are left out", shape.len()));
    Ok((size(rows), size(columns)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An `.npy` file, of this version.
    fn npy(version: u8, descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
        while (header.len() + 13) % 16 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let length = if version == 1 {
            (header.len() as u16).to_le_bytes().to_vec()
        } else {
            (header.len() as u32).to_le_bytes().to_vec()
        };
        [b"\x93NUMPY", &[version, 0][..], &length, header.as_bytes(), data].concat()
    }

    fn rows(bytes: &[u8]) -> Vec<Vec<f64>> {
        let numbers = Numbers::of_npy(bytes, Path::new("x.npy")).unwrap();
        let mut row = Vec::new();
        (0..numbers.rows())
            .map(|at| {
                numbers.row(at, &mut row);
                row.clone()
            })
            .collect()
    }

    #[test]
    fn every_kind_of_numbers_in_either_order_of_bytes_is_read() {
        let wanted = vec![vec![0.0, 1.0, 0.0], vec![1.0, 1.0, 0.0]];
        let flat: Vec<f64> = wanted.concat();
        let whole = |bytes: usize| flat.iter().flat_map(|x| (*x as u64).to_le_bytes()[..bytes].to_vec()).collect::<Vec<u8>>();
        let mut files = vec![("|b1", whole(1))];
        for (bytes, words) in [(1, ["|i1", "|u1"]), (2, ["<i2", "<u2"]), (4, ["<i4", "<u4"]), (8, ["<i8", "<u8"])] {
            words.iter().for_each(|word| files.push((word, whole(bytes))));
        }
        files.push(("<f2", flat.iter().flat_map(|x| half::f16::from_f64(*x).to_le_bytes()).collect()));
        files.push(("<f4", flat.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect()));
        files.push(("<f8", flat.iter().flat_map(|x| x.to_le_bytes()).collect()));
        for (word, data) in files {
            let size = data.len() / 6;
            let big: Vec<u8> = data.chunks(size).flat_map(|number| number.iter().rev().copied().collect::<Vec<_>>()).collect();
            let columnwise: Vec<u8> = [0, 3, 1, 4, 2, 5].iter().flat_map(|at| data[at * size..][..size].to_vec()).collect();
            let read_as = |word: &str, fortran, data: &[u8]| rows(&npy(1, &format!("'{word}'"), fortran, "(2, 3)", data));
            assert_eq!(read_as(word, false, &data), wanted, "{word}");
            assert_eq!(read_as(word, true, &columnwise), wanted, "{word}, column by column");
            assert_eq!(read_as(&word.replace('<', ">"), false, &big), wanted, "{word}, most significant byte first");
        }
    }

    #[test]
    fn every_version_is_read_and_dimensions_of_one_place_are_left_out() {
        let data: Vec<u8> = [1f32, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        for version in 1..=3 {
            assert_eq!(rows(&npy(version, "'<f4'", false, "(2, 1)", &data)), [[1.0], [2.0]], "version {version}");
        }
        let deep = npy(1, "'<f4'", false, "(1, 2, 1, 1)", &data);
        let numbers = Numbers::of_npy(&deep, Path::new("x.npy")).unwrap();
        assert_eq!((numbers.rows(), numbers.columns(), numbers.remarks.len()), (1, 2, 1));
        let twice = [npy(1, "'<f4'", false, "(2, 1)", &data), npy(1, "'<f4'", false, "(2, 1)", &data)].concat();
        assert!(Numbers::of_npy(&twice, Path::new("x.npy")).unwrap().remarks[0].contains("a second array"));
    }

    #[test]
    fn what_holds_no_numbers_is_called_what_it_is() {
        let refused = |bytes: &[u8], what: &str, next: &str| {
            let fault = Numbers::of_npy(bytes, Path::new("x.npy")).unwrap_err();
            assert!(fault.what.contains(what) && fault.next.as_ref().is_some_and(|of| of.contains(next)), "{fault}");
        };
        let array = |descr: &str, shape: &str| npy(1, descr, false, shape, &[0; 64]);
        refused(&array("'|O'", "(2, 2)"), "object array", "np.stack");
        refused(&array("'<c8'", "(2, 2)"), "complex", "real");
        refused(&array("'<U4'", "(2, 2)"), "text", "float32");
        refused(&array("'<M8[ns]'", "(2, 2)"), "dates", "int64");
        refused(&array("'<f16'", "(2, 2)"), "f16", "float64");
        refused(&array("[('x', '<f4'), ('y', '<f4')]", "(4,)"), "named columns x, y", "np.stack");
        refused(&array("'<f4'", "(4,)"), "one dimension", "reshape(-1, 1)");
        refused(&array("'<f4'", "(2, 2, 2)"), "3 dimensions (2, 2, 2)", "mean");
        refused(&array("'<f8'", "(9, 9)"), "cut short", "again");
        refused(b"PK\x03\x04\x14\0\0\0\0\0a.npy", ".npz", "np.load");
        refused(b"", "empty", "again");
        refused(b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull");
        refused(b"<html><body>Sign in</body></html>", "HTML", "download");
        let lying = npy(1, "'<f4'", false, "(9999999999999, 99999999)", &[]);
        assert!(Numbers::of_npy(&lying, Path::new("x.npy")).is_err());
        assert!(Numbers::of_safetensors(&[255; 40], "x", Path::new("x.safetensors")).is_err());
    }

    #[test]
    fn a_number_that_is_not_finite_is_found_in_the_rows_that_are_asked_for() {
        let data: Vec<u8> = [1.0, 2.0, f64::NAN, 3.0, f64::INFINITY, 0.0].iter().flat_map(|x: &f64| x.to_le_bytes()).collect();
        let bytes = npy(1, "'<f8'", false, "(3, 2)", &data);
        let numbers = Numbers::of_npy(&bytes, Path::new("x.npy")).unwrap();
        assert_eq!(numbers.first_not_finite([0].into_iter()), None);
        assert_eq!(numbers.first_not_finite([0, 2].into_iter()), Some((2, 0, f64::INFINITY)));
        assert!(numbers.first_not_finite(0..3).is_some_and(|(row, column, value)| (row, column) == (1, 0) && value.is_nan()));
    }
}
