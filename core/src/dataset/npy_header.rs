//! The header of an `.npy` file: a Python dictionary of three keys. Read here, in time that grows with its length alone: a parser of all
//! of Python's literals takes twice as long for each bracket in a bracket.

/// What a header says.
#[derive(Debug, PartialEq)]
pub(super) struct NpyHeader<'a> {
    pub element: ElementType<'a>,
    /// Column by column.
    pub is_fortran: bool,
    /// The sizes of the array, the slowest first.
    pub shape: Vec<u64>,
}

/// What an element of an array is.
#[derive(Debug, PartialEq)]
pub(super) enum ElementType<'a> {
    /// One value, such as `<f4`.
    Single(&'a str),
    /// Several, by the first few of their names.
    Columns(Vec<&'a str>),
}

/// The longest header that is read; NumPy refuses one of more than 10,000 characters.
const LONGEST: usize = 1 << 16;
/// The most dimensions of an array, as in NumPy.
const MOST_DIMENSIONS: usize = 64;
/// Names of columns that are told.
const MOST_NAMES: usize = 12;

impl<'a> NpyHeader<'a> {
    /// # Errors
    /// What is no such dictionary, in a few words.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("its header has {} bytes, and {LONGEST} are read at most", text.len()));
        }
        let (mut element, mut is_fortran, mut shape) = (None, None, None);
        let mut rest = Rest(text);
        rest.take('{')?;
        while !rest.has('}') {
            let key = rest.quoted()?;
            rest.take(':')?;
            match key {
                "descr" => element = Some(rest.element()?),
                "fortran_order" => is_fortran = Some(rest.flag()?),
                "shape" => shape = Some(rest.shape()?),
                _ => return Err("its header has a key that no array has".to_owned()),
            }
            if !rest.has(',') {
                rest.take('}')?;
                break;
            }
        }
        let lacks = |key: &str| format!("its header lacks `{key}`");
        Ok(NpyHeader {
            element: element.ok_or_else(|| lacks("descr"))?,
            is_fortran: is_fortran.ok_or_else(|| lacks("fortran_order"))?,
            shape: shape.ok_or_else(|| lacks("shape"))?,
        })
    }
}

/// What of a header is not read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Is this next? Then it is read.
    fn has(&mut self, what: char) -> bool {
        self.0 = self.0.trim_start();
        let rest = self.0.strip_prefix(what);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn take(&mut self, what: char) -> Result<(), String> {
        if self.has(what) { Ok(()) } else { Err(format!("its header lacks a `{what}`")) }
    }

    fn quoted(&mut self) -> Result<&'a str, String> {
        self.0 = self.0.trim_start();
        let quote = self.0.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let inside = quote.and_then(|quote| self.0[1..].split_once(quote));
        let (word, rest) = inside.ok_or("its header lacks a text in quotes")?;
        self.0 = rest;
        Ok(word)
    }

    fn flag(&mut self) -> Result<bool, String> {
        self.0 = self.0.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Ok(value);
            }
        }
        Err("`fortran_order` of its header is neither True nor False".to_owned())
    }

    /// `(3, 2)`, `(3,)`, `()`; Python 2 wrote `3L`.
    fn shape(&mut self) -> Result<Vec<u64>, String> {
        let mut sides = Vec::new();
        self.take('(')?;
        while !self.has(')') {
            self.0 = self.0.trim_start();
            let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
            let side = self.0[..digits].parse().map_err(|_| "the shape in its header is none".to_owned())?;
            sides.push(side);
            self.0 = &self.0[digits..];
            self.has('L');
            if sides.len() > MOST_DIMENSIONS {
                return Err(format!("its array has more than {MOST_DIMENSIONS} dimensions"));
            }
            if !self.has(',') {
                self.take(')')?;
                break;
            }
        }
        Ok(sides)
    }

    /// A type in quotes; or a list of named ones, of which only the names are looked at.
    fn element(&mut self) -> Result<ElementType<'a>, String> {
        self.0 = self.0.trim_start();
        if self.0.starts_with(['\'', '"']) {
            return self.quoted().map(ElementType::Single);
        }
        if !self.0.starts_with(['[', '(']) {
            return Err("`descr` of its header is no type".to_owned());
        }
        let (mut names, mut depth, mut is_first) = (Vec::new(), 0usize, false);
        loop {
            self.0 = self.0.trim_start();
            match self.0.chars().next() {
                Some('[' | '(') => (depth, is_first) = (depth + 1, true),
                Some(']' | ')') => (depth, is_first) = (depth - 1, false),
                Some('\'' | '"') => {
                    let word = self.quoted()?;
                    // A column is a tuple of its name and its type, in the list.
                    if is_first && depth == 2 && names.len() < MOST_NAMES {
                        names.push(word);
                    }
                    is_first = false;
                    continue;
                }
                Some(_) => is_first = false,
                None => return Err("its header breaks off".to_owned()),
            }
            self.0 = &self.0[self.0.chars().next().map_or(0, char::len_utf8)..];
            if depth == 0 {
                return Ok(ElementType::Columns(names));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(text: &str) -> (&str, bool, Vec<u64>) {
        let header = NpyHeader::parse(text).unwrap();
        let ElementType::Single(word) = header.element else { panic!("{header:?}") };
        (word, header.is_fortran, header.shape)
    }

    #[test]
    fn headers_are_read_in_any_order_and_either_quotes() {
        assert_eq!(single("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }   \n"), ("<f4", false, vec![3, 2]));
        assert_eq!(single("{\"shape\":(3L,),\"descr\":\"|b1\",\"fortran_order\":True}"), ("|b1", true, vec![3]));
        assert_eq!(single("{'descr': '>i8', 'fortran_order': False, 'shape': ()}").2, Vec::<u64>::new());
        let table = "{'descr': [('x', '<f4'), ('y', [('in', '<f4')], (3,))], 'fortran_order': False, 'shape': (4,)}";
        assert_eq!(NpyHeader::parse(table).unwrap().element, ElementType::Columns(vec!["x", "y"]));
    }

    #[test]
    fn brackets_in_brackets_cost_no_more_than_their_length() {
        let nested = |depth: usize| {
            let (open, close) = ("[('a', ".repeat(depth), ")]".repeat(depth));
            format!("{{'descr': {open}'<f4'{close}, 'fortran_order': False, 'shape': (4,)}}")
        };
        let begun = std::time::Instant::now();
        for depth in [1, 12, 3000] {
            assert_eq!(NpyHeader::parse(&nested(depth)).unwrap().element, ElementType::Columns(vec!["a"]));
        }
        assert!(begun.elapsed().as_secs() < 2);
        assert!(NpyHeader::parse(&nested(10_000)).unwrap_err().contains("bytes"), "longer than any header");
    }

    #[test]
    fn what_is_no_header_is_refused_wherever_it_breaks_off() {
        let whole = "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (3, 2)}";
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(NpyHeader::parse(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
        for odd in [
            "{'descr': 3, 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
            "{'fortran_order': False, 'shape': (3,)}",
            "{'descr': ')', 'descr': )(, 'shape': (3,)}",
            "[]",
        ] {
            assert!(NpyHeader::parse(odd).is_err(), "{odd}");
        }
        let many = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({})}}", "1, ".repeat(70));
        assert!(NpyHeader::parse(&many).unwrap_err().contains("dimensions"));
    }
}
