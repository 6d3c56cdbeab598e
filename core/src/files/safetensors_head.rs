//! What is asked of the head of a safetensors file beside what the format's own library asks: that it is short, and names nothing twice.

use serde::{
    Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use std::{collections::HashSet, fmt};

/// More than the head of any network has: 100 bytes for each of 160,000 tensors.
pub(crate) const LONGEST_HEAD: u64 = 16 << 20;

/// Looks at the text of a head, which begins with the ninth byte of the file.
///
/// # Errors
/// Why it is refused, in words that are not fit for a terminal yet: it is too long, it is no map of JSON, or it has a name twice (of which the library takes one).
pub(crate) fn check(head: &[u8]) -> Result<(), String> {
    if head.len() as u64 > LONGEST_HEAD {
        return Err(format!("its head has {} bytes, and {LONGEST_HEAD} are read at most", head.len()));
    }
    // A head may be filled up with blanks.
    let mut json = serde_json::Deserializer::from_slice(head);
    json.deserialize_map(NamesOnce).map_err(|error| error.to_string())
}

struct NamesOnce;

impl<'de> Visitor<'de> for NamesOnce {
    type Value = ();

    fn expecting(&self, words: &mut fmt::Formatter) -> fmt::Result {
        words.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            if seen.contains(&name) {
                return Err(A::Error::custom(format!(
                    "its head has the name `{}` twice",
                    name.chars().take(60).collect::<String>()
                )));
            }
            seen.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_names_nothing_twice_and_is_short() {
        let tensor = r#"{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        assert_eq!(check(format!("{{\"a\":{tensor},\"b\":{tensor}}}   ").as_bytes()), Ok(()));
        assert!(check(format!("{{\"a\":{tensor},\"a\":{tensor}}}").as_bytes()).unwrap_err().contains("`a` twice"));
        assert!(check(b"{\"a\":").is_err() && check(b"[]").is_err());
        let long = format!("{{\"a\":{tensor}{}}}", " ".repeat(LONGEST_HEAD as usize));
        assert!(check(long.as_bytes()).unwrap_err().contains("are read at most"));
    }
}
