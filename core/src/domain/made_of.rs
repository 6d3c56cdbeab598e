//! What a report was made of, in three digests that stand in its head: whether it is still of what there is now is read from
//! these, and never from the times of files.

use super::{Digest, canonical::Value, pin::Pinned, result::Manifest};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// What decides whether a report is out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeOf {
    /// Every result that it shows, by key and content.
    pub results: Digest,
    /// The study file's text.
    pub study: Digest,
    /// Figures that people want in it, with their notes.
    pub pins: Digest,
}

impl MadeOf {
    /// From results in any order, the study file's text, and the pins.
    pub fn new<'a>(results: impl Iterator<Item = &'a Manifest>, study: &str, pins: &[Pinned]) -> Self {
        let pin = |of: &Pinned| Value::List(vec![Value::text(&of.name), Value::text(&of.pin.note)]);
        MadeOf { results: together(results), study: Digest::of(study.as_bytes()), pins: Value::list(pins, pin).digest() }
    }

    /// In what it is not what there is `now`.
    pub fn changed(&self, now: &MadeOf) -> Vec<&'static str> {
        let parts = [
            (self.study != now.study, "the study file was edited"),
            (self.results != now.results, "results are other ones"),
            (self.pins != now.pins, "pins were changed"),
        ];
        parts.into_iter().filter(|(changed, _)| *changed).map(|(_, words)| words).collect()
    }
}

/// The digest of results taken together, in whatever order and however often each is named.
pub fn together<'a>(results: impl Iterator<Item = &'a Manifest>) -> Digest {
    let by_key: BTreeMap<_, _> = results.map(|of| (of.key, of.content())).collect();
    Value::list(&by_key, |(key, content)| Value::List(vec![Value::Digest(key.0), Value::Digest(*content)])).digest()
}

impl fmt::Display for MadeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.results, self.study, self.pins)
    }
}

/// The text was not three digests.
#[derive(Debug)]
pub struct NotThree;

impl FromStr for MadeOf {
    type Err = NotThree;

    fn from_str(text: &str) -> Result<Self, NotThree> {
        let digests: Result<Vec<Digest>, _> = text.split(' ').map(str::parse).collect();
        match digests.map_err(|_| NotThree)?[..] {
            [results, study, pins] => Ok(MadeOf { results, study, pins }),
            _ => Err(NotThree),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pin::Pin;

    #[test]
    fn what_changed_is_told_apart() {
        let at = |at: u64, note: &str| {
            let pin = Pin { figure: "f".into(), note: note.into(), at, definition: None };
            Pinned { name: pin.figure.clone(), cell: None, pin }
        };
        let pin = |note: &str| at(5, note);
        let made = MadeOf::new([].into_iter(), "study: x", &[pin("why")]);
        assert_eq!(made.to_string().parse::<MadeOf>().unwrap(), made);
        assert_eq!(made.changed(&made), [""; 0]);
        assert_eq!(made.changed(&MadeOf::new([].into_iter(), "study: x", &[at(6, "why")])), [""; 0], "no times");
        assert_eq!(made.changed(&MadeOf::new([].into_iter(), "study: y", &[pin("why")])), ["the study file was edited"]);
        assert_eq!(made.changed(&MadeOf::new([].into_iter(), "study: x", &[pin("no")])), ["pins were changed"]);
        assert_eq!(made.changed(&MadeOf { results: Digest::of(b"1"), ..made }), ["results are other ones"]);
        for text in ["", "a b c", &made.to_string()[..130], &format!("{made} {}", made.pins)] {
            assert!(text.parse::<MadeOf>().is_err(), "{text}");
        }
    }
}
