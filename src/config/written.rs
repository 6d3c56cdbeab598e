//! A study file's values with every scalar in the letters it was written in: `1.10` as a name is `1.10`, `No` is `No`, and as a
//! number `1.10` is still 1.1.
//!
//! A YAML reader turns `1.10` into a number before anybody can say that a name was meant. So the text is read twice by the same
//! reader: once for its shape and for what each scalar would be, and once for the letters of each scalar.

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Visitor},
};
use std::{cell::Cell, collections::HashSet, fmt};
use yaml_serde::Number;

#[derive(Clone, Debug)]
pub(crate) enum Written {
    Scalar(Scalar),
    List(Vec<Written>),
    /// In the file's order; no key twice.
    Map(Vec<(String, Written)>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scalar {
    /// Without quotes and escapes.
    pub text: String,
    pub meaning: Meaning,
}

/// What YAML takes a scalar for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    Nothing,
    Flag(bool),
    Number(Number),
    Text,
}

/// Maps are equal whatever the order of their entries.
impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Written::Scalar(one), Written::Scalar(other)) => one == other,
            (Written::List(one), Written::List(other)) => one == other,
            (Written::Map(one), Written::Map(map)) => {
                one.len() == map.len() && one.iter().all(|(key, value)| other.get(key) == Some(value))
            }
            _ => false,
        }
    }
}

impl Written {
    /// Text in quotes, or in letters that are nothing else.
    pub(crate) fn text(text: &str) -> Self {
        Written::Scalar(Scalar { text: text.to_owned(), meaning: Meaning::Text })
    }

    pub(crate) fn parse(source: &str) -> Result<Self, yaml_serde::Error> {
        if source.contains('*') && holds_long_number(source) {
            return Err(Error::custom(format!("a number of more than {LONGEST_NUMBER} letters")));
        }
        let counted = Counted::default();
        let shape = ShapeVisitor(&counted).deserialize(yaml_serde::Deserializer::from_str(source))?;
        if let WrittenShape::Scalar(Meaning::Nothing) = shape {
            return Ok(Written::Scalar(Scalar { text: String::new(), meaning: Meaning::Nothing }));
        }
        Letters(&shape, &Counted::default()).deserialize(yaml_serde::Deserializer::from_str(source))
    }

    /// `null`, `~`, or nothing at all.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Written::Scalar(Scalar { meaning: Meaning::Nothing, .. }))
    }

    /// Not a letter behind the key.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Written::Scalar(Scalar { text, meaning: Meaning::Nothing }) if text.is_empty())
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self, Written::Map(_))
    }

    /// The letters of any scalar, whatever YAML takes it for.
    pub(crate) fn letters(&self) -> Option<&str> {
        match self {
            Written::Scalar(scalar) if !self.is_empty() => Some(&scalar.text),
            _ => None,
        }
    }

    /// What YAML, too, takes for text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Written::Scalar(Scalar { text, meaning: Meaning::Text }) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<&Number> {
        match self {
            Written::Scalar(Scalar { meaning: Meaning::Number(number), .. }) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn as_flag(&self) -> Option<bool> {
        match self {
            Written::Scalar(Scalar { meaning: Meaning::Flag(flag), .. }) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Written]> {
        match self {
            Written::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[(String, Written)]> {
        match self {
            Written::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Written> {
        self.as_map()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Written> {
        match self {
            Written::Map(entries) => entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Adds its keys, and its texts that hold a letter.
    pub(crate) fn add_names<'w>(&'w self, names: &mut HashSet<&'w str>) {
        match self {
            Written::Scalar(_) => names.extend(self.as_text().filter(|text| text.contains(char::is_alphabetic))),
            Written::List(items) => items.iter().for_each(|item| item.add_names(names)),
            Written::Map(entries) => {
                for (key, value) in entries {
                    names.insert(key);
                    value.add_names(names);
                }
            }
        }
    }

    /// The keys of a map, in the file's order; none of anything else.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.as_map().unwrap_or_default().iter().map(|(key, _)| key.as_str())
    }
}

/// What stands where, without the letters.
enum WrittenShape {
    Scalar(Meaning),
    List(Vec<WrittenShape>),
    Map(Vec<WrittenShape>),
}

/// No study has so many values; a short file of aliases in aliases would make any number.
const MOST_VALUES: usize = 500_000;

/// And so many bytes of letters: a short file of aliases to one long word would make any number of these, too. A study file has 4 MiB.
const MOST_LETTERS: usize = 16 << 20;

/// A number's letters are not counted while shapes are read, for they are not seen there; so none that an alias could repeat is long.
const LONGEST_NUMBER: usize = 1000;

/// Does a run of the signs that numbers are written in, digits among them, have more than a number may?
fn holds_long_number(source: &str) -> bool {
    let is_of_number = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b'_' | b'+' | b'-' | b'x' | b'o');
    let mut runs = source.as_bytes().split(|byte| !is_of_number(byte));
    runs.any(|run| run.len() > LONGEST_NUMBER && run.iter().any(u8::is_ascii_digit))
}

/// How much was read, what aliases repeat counted as often as it is repeated.
#[derive(Default)]
struct Counted {
    values: Cell<usize>,
    letters: Cell<usize>,
}

impl Counted {
    fn value<E: Error>(&self) -> Result<(), E> {
        Self::count(&self.values, 1, MOST_VALUES, "values")
    }

    fn letters<E: Error>(&self, text: &str) -> Result<(), E> {
        Self::count(&self.letters, text.len(), MOST_LETTERS, "bytes of letters")
    }

    fn count<E: Error>(count: &Cell<usize>, more: usize, most: usize, what: &str) -> Result<(), E> {
        count.set(count.get() + more);
        if count.get() > most {
            return Err(E::custom(format!("more than {most} {what}, those that aliases repeat among them")));
        }
        Ok(())
    }
}

/// Reads shapes, and counts the values and the letters of all of them.
#[derive(Clone, Copy)]
struct ShapeVisitor<'c>(&'c Counted);

impl<'de> DeserializeSeed<'de> for ShapeVisitor<'_> {
    type Value = WrittenShape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<WrittenShape, D::Error> {
        self.0.value::<D::Error>()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ShapeVisitor<'_> {
    type Value = WrittenShape;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value of a study file")
    }

    fn visit_unit<E>(self) -> Result<WrittenShape, E> {
        Ok(WrittenShape::Scalar(Meaning::Nothing))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<WrittenShape, E> {
        Ok(WrittenShape::Scalar(Meaning::Flag(flag)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<WrittenShape, E> {
        Ok(WrittenShape::Scalar(Meaning::Number(number.into())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<WrittenShape, E> {
        Ok(WrittenShape::Scalar(Meaning::Number(number.into())))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<WrittenShape, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<WrittenShape, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E>(self, number: f64) -> Result<WrittenShape, E> {
        Ok(WrittenShape::Scalar(Meaning::Number(number.into())))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<WrittenShape, E> {
        self.0.letters::<E>(text)?;
        Ok(WrittenShape::Scalar(Meaning::Text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<WrittenShape, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(WrittenShape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<WrittenShape, A::Error> {
        let (mut keys, mut map) = (HashSet::new(), Vec::new());
        // A key asked for as text comes in its letters: `1.1` and `1.10` are two, `1` and `"1"` are one.
        while let Some(key) = entries.next_key::<String>()? {
            self.0.letters::<A::Error>(&key)?;
            if keys.contains(&key) {
                return Err(A::Error::custom(format!("{REPEATED}{key}")));
            }
            keys.insert(key);
            map.push(entries.next_value_seed(self)?);
        }
        Ok(WrittenShape::Map(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<WrittenShape, A::Error> {
        let (tag, _) = tagged.variant::<String>()?;
        Err(A::Error::custom(format!("a study file has no tags, and here is `!{tag}`")))
    }
}

/// How the reader's error about a repeated key starts.
pub(super) const REPEATED: &str = "repeated key ";

/// Reads the letters of what has this shape, and counts them: those of numbers, too.
struct Letters<'s>(&'s WrittenShape, &'s Counted);

impl<'de> DeserializeSeed<'de> for Letters<'_> {
    type Value = Written;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Written, D::Error> {
        match self.0 {
            WrittenShape::Scalar(_) => deserializer.deserialize_str(self),
            WrittenShape::List(_) => deserializer.deserialize_seq(self),
            WrittenShape::Map(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Letters<'_> {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("what was read before")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
        self.1.letters::<E>(text)?;
        match self.0 {
            WrittenShape::Scalar(meaning) => Ok(Written::Scalar(Scalar { text: text.to_owned(), meaning: meaning.clone() })),
            WrittenShape::List(_) | WrittenShape::Map(_) => Err(E::custom("read in two ways")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Written, A::Error> {
        let WrittenShape::List(shapes) = self.0 else { return Err(A::Error::custom("read in two ways")) };
        let mut list = Vec::new();
        for shape in shapes {
            list.extend(items.next_element_seed(Letters(shape, self.1))?);
        }
        // The end is read too.
        items.next_element::<String>()?;
        Ok(Written::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Written, A::Error> {
        let WrittenShape::Map(shapes) = self.0 else { return Err(A::Error::custom("read in two ways")) };
        let mut map = Vec::new();
        for shape in shapes {
            if let Some(key) = entries.next_key::<String>()? {
                self.1.letters::<A::Error>(&key)?;
                map.push((key, entries.next_value_seed(Letters(shape, self.1))?));
            }
        }
        entries.next_key::<String>()?;
        Ok(Written::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Written {
        Written::parse(source).unwrap()
    }

    #[test]
    fn scalars_keep_their_letters_and_what_they_mean() {
        for (letters, meaning) in [
            ("1.10", Meaning::Number(1.1.into())),
            ("2e3", Meaning::Number(2000.0.into())),
            ("0x10", Meaning::Number(16.into())),
            ("007", Meaning::Text),
            ("1_000", Meaning::Text),
            ("+5", Meaning::Number(5.into())),
            ("true", Meaning::Flag(true)),
            ("No", Meaning::Text),
            ("on", Meaning::Text),
            ("~", Meaning::Nothing),
            ("Null", Meaning::Nothing),
            ("2024-10-01", Meaning::Text),
            ("12:30:45", Meaning::Text),
            (".5", Meaning::Number(0.5.into())),
            ("1e400", Meaning::Number(f64::INFINITY.into())),
            ("36893488147419103232", Meaning::Number(36893488147419103232.0.into())),
        ] {
            let expected = Written::Scalar(Scalar { text: letters.to_owned(), meaning });
            let Written::Map(both) = read(&format!("{letters}: {letters}")) else { panic!("{letters}") };
            assert_eq!(both[0].0, letters, "as a key");
            // What a number that does not fit is taken for does not matter here; its letters do.
            assert_eq!(both[0].1.letters(), Some(letters), "as a value");
            if letters != "1e400" {
                assert_eq!(both[0].1, expected, "{letters}");
            }
            let list = read(&format!("[[{letters}], {{a: {letters}}}]"));
            assert_eq!(list.as_list().unwrap()[0].as_list().unwrap()[0].letters(), Some(letters));
            assert_eq!(list.as_list().unwrap()[1].get("a").unwrap().letters(), Some(letters));
        }
        assert_eq!(read("'1.10'"), Written::text("1.10"));
        assert_eq!(read("a: \"x\\ty\""), Written::Map(vec![("a".into(), Written::text("x\ty"))]));
        assert!(read("a:").get("a").unwrap().is_empty() && !read("a: ~").get("a").unwrap().is_empty());
        assert_eq!(read("a: &x [1.10]\nb: *x").get("b"), read("- [1.10]").as_list().map(|list| &list[0]));
    }

    #[test]
    fn keys_that_are_equal_numbers_are_two_and_equal_letters_are_one() {
        assert_eq!(read("1.1: a\n1.10: b\n1e0: c\n1: d").keys().collect::<Vec<_>>(), ["1.1", "1.10", "1e0", "1"]);
        for twice in ["1: a\n\"1\": b", "{ 2e3: a, '2e3': b }", "no: a\nno: b", "~: a\n~: b"] {
            assert!(Written::parse(twice).unwrap_err().to_string().contains(REPEATED), "{twice}");
        }
    }

    #[test]
    fn names_are_keys_and_texts_with_a_letter() {
        let mut names = HashSet::new();
        let value = read("about: AUC .777\nseparates_at: .871\nquoted: '.872'\nnamed: { 0.125: x, '.126': [y 0.127, z .128] }\n");
        value.add_names(&mut names);
        let mut names: Vec<&str> = names.into_iter().filter(|name| name.contains(char::is_numeric)).collect();
        names.sort_unstable();
        assert_eq!(names, [".126", "0.125", "AUC .777", "y 0.127", "z .128"]);
    }

    #[test]
    fn aliases_that_multiply_are_counted_and_refused() {
        let many = format!("a: &a [{}]\nb: [{}]\n", "1, ".repeat(10_000), "*a, ".repeat(10_000));
        assert!(Written::parse(&many).unwrap_err().to_string().contains("more than 500000 values"));
        let some = format!("a: &a [{}]\nb: [{}]\n", "1, ".repeat(100), "*a, ".repeat(100));
        assert_eq!(read(&some).get("b").and_then(Written::as_list).map(<[Written]>::len), Some(100));
    }

    #[test]
    fn letters_that_aliases_multiply_are_counted_and_refused() {
        let word = "z".repeat(1 << 20);
        let told = |source: &str| Written::parse(source).unwrap_err().to_string();
        let of = |word: &str| format!("a: &a {word}\nb: [{}]\n", "*a, ".repeat(16));
        let most = "more than 16777216 bytes of letters";
        assert!(told(&of(&word)).contains(most), "{}", told(&of(&word)));
        assert!(told(&format!("a: &a {{ ? {word} : 1 }}\nb: [{}]\n", "*a, ".repeat(16))).contains(most), "keys, too");
        assert_eq!(read(&of("z")).get("b").and_then(Written::as_list).map(<[Written]>::len), Some(16));
        // Reading a long number a hundred thousand times takes long, too.
        assert!(told(&of(&format!("1.{}", "0".repeat(2000)))).contains("a number of more than 1000 letters"));
        assert!(Written::parse(&of(&"z".repeat(2000))).is_ok() && Written::parse(&of(&"1".repeat(500))).is_ok());
    }

    #[test]
    fn what_is_no_study_file_is_refused() {
        for wrong in ["a: !x y", "[a]: b", "a: [", "a: *b", "- a\nb: c", "a: 1\n---\nb: 2", "a: &a [*a]"] {
            assert!(Written::parse(wrong).is_err(), "{wrong}");
        }
    }
}
