//! The digests of a page, each once: a list of results names every digest several times, and digests do not deflate. In the lists `"#7"`
//! stands for the eighth digest of the table; a text that begins with `#` itself has another before it.

use super::packing::UnpackFault;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::HashMap;
use visavis_core::domain::Digest;

/// The results of a study of twenty thousand cells name some tens of thousands. In base64 a digest takes 43 letters at most.
const MOST_DIGESTS: usize = 1_000_000;

#[derive(Default)]
pub(super) struct DigestTable {
    digests: Vec<Digest>,
    places: HashMap<Digest, usize>,
}

impl DigestTable {
    /// As it stands on a page: 32 bytes a digest, base64.
    pub(super) fn to_text(&self) -> String {
        STANDARD.encode(self.digests.iter().flat_map(|digest| *digest.as_bytes()).collect::<Vec<u8>>())
    }

    /// `None` of what is no table.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(Some(text).filter(|text| text.len() <= MOST_DIGESTS * 43)?).ok()?;
        let (digests, rest) = bytes.as_chunks::<32>();
        let digests = digests.iter().map(|bytes| Digest::from_bytes(*bytes)).collect();
        rest.is_empty().then_some(DigestTable { digests, places: HashMap::new() })
    }

    /// Its place in the table, which it has from now on.
    pub(super) fn place(&mut self, digest: Digest) -> usize {
        *self.places.entry(digest).or_insert_with(|| {
            self.digests.push(digest);
            self.digests.len() - 1
        })
    }

    pub(super) fn get(&self, place: usize) -> Option<Digest> {
        self.digests.get(place).copied()
    }

    /// JSON with places for digests.
    pub(super) fn shorten(&mut self, json: &str) -> String {
        with_texts(json, |text, out| match text.parse::<Digest>() {
            Ok(digest) => *out += &format!("#{}", self.place(digest)),
            Err(_) if text.starts_with('#') => out.extend(["#", text]),
            Err(_) => *out += text,
        })
    }

    /// JSON with digests for places again, of at most `most` bytes.
    ///
    /// # Errors
    /// A place that the table does not have, or more than that.
    pub(super) fn expand(&self, json: &str, most: u64) -> Result<String, UnpackFault> {
        let mut fault = None;
        let expanded = with_texts(json, |text, out| {
            if out.len() as u64 > most {
                fault = Some(UnpackFault::TooMuch(most));
            }
            match text.strip_prefix('#') {
                _ if fault.is_some() => {}
                Some(own) if own.starts_with('#') => *out += own,
                Some(place) => match place.parse().ok().and_then(|place| self.get(place)) {
                    Some(digest) => *out += &digest.to_string(),
                    None => fault = Some(UnpackFault::NoDigest),
                },
                None => *out += text,
            }
        });
        match fault {
            Some(fault) => Err(fault),
            None if expanded.len() as u64 > most => Err(UnpackFault::TooMuch(most)),
            None => Ok(expanded),
        }
    }
}

/// JSON with each of its texts, as it stands between its quotes, written anew.
fn with_texts(json: &str, mut write: impl FnMut(&str, &mut String)) -> String {
    let (mut out, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(start) = rest.find('"') {
        out += &rest[..=start];
        rest = &rest[start + 1..];
        let bytes = rest.as_bytes();
        let mut end = 0;
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(rest.len());
        // Behind a backslash that ends the text a letter may be cut in two: what is no JSON is no JSON afterwards either.
        let end = (end..=rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        write(&rest[..end], &mut out);
        rest = &rest[end..];
        if rest.starts_with('"') {
            out.push('"');
            rest = &rest[1..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_as_it_was() {
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let json = format!(
            "[{{\"key\":\"{one}\",\"#\":\"#7\",\"##\":\"a \\\"{other}\\\"\"}},\"{other}\",\"{one}\",\"\\\\\",\"é\\\\\",7]"
        );
        let mut table = DigestTable::default();
        let short = table.shorten(&json);
        assert_eq!(
            short,
            format!("[{{\"key\":\"#0\",\"##\":\"##7\",\"###\":\"a \\\"{other}\\\"\"}},\"#1\",\"#0\",\"\\\\\",\"é\\\\\",7]")
        );
        let table = DigestTable::of_text(&table.to_text()).unwrap();
        assert_eq!(table.expand(&short, json.len() as u64).unwrap(), json);
        assert_eq!(table.expand(&short, json.len() as u64 - 1).unwrap_err(), UnpackFault::TooMuch(json.len() as u64 - 1));
    }

    #[test]
    fn what_names_no_digest_is_told() {
        let table = DigestTable::default();
        for text in ["\"#0\"", "\"#x\"", "\"#\"", "\"#-1\""] {
            assert_eq!(table.expand(text, 100).unwrap_err(), UnpackFault::NoDigest, "{text}");
        }
        for text in ["", "\"", "\"\\", "\"\\é", "x\"#", "[]"] {
            _ = table.expand(text, 100);
        }
        assert!(DigestTable::of_text("AAAA").is_none() && DigestTable::of_text("?").is_none());
    }

    #[test]
    fn short_places_that_become_long_digests_are_bounded() {
        let mut table = DigestTable::default();
        table.place(Digest::of(b"one"));
        let many = format!("[{}]", vec!["\"#0\""; 100_000].join(","));
        assert_eq!(table.expand(&many, 1_000_000).unwrap_err(), UnpackFault::TooMuch(1_000_000));
    }
}
