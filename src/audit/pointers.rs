//! Numbers of a JSON text by their pointers (RFC 6901), read as the text goes by: what no pointer leads to is passed over, so that a
//! large text takes no more memory than itself.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, cell::Cell, cmp::Ordering, collections::HashSet, fmt, ops::Range};

/// What each pointer leads to, if that is a number.
///
/// # Errors
/// A text that is no JSON, or that holds a key on the way twice: which of the two is meant, nobody can say.
pub(crate) fn numbers(json: &[u8], pointers: &[&str]) -> Result<Vec<Option<f64>>, String> {
    looked_up(json, pointers, &Cell::new(0))
}

/// The same; how many bytes of pointers are looked at on the way is added to `work`.
fn looked_up(json: &[u8], pointers: &[&str], work: &Cell<usize>) -> Result<Vec<Option<f64>>, String> {
    let is_pointer = |place: &usize| pointers[*place].is_empty() || pointers[*place].starts_with('/');
    let mut order: Vec<usize> = (0..pointers.len()).filter(is_pointer).collect();
    order.sort_unstable_by(|one, other| pointers[*one].split('/').cmp(pointers[*other].split('/')));
    let mut found = vec![None; pointers.len()];
    let mut json = serde_json::Deserializer::from_slice(json);
    let walk = PointerWalk { pointers, order: &order, at: 0, found: &mut found, work };
    walk.deserialize(&mut json).and_then(|()| json.end()).map_err(|error| error.to_string())?;
    Ok(found)
}

/// The place in a list that a part of a pointer names: digits, without noughts before them.
fn list_place(part: &str) -> Option<usize> {
    let is_plain = part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    part.parse().ok().filter(|_| is_plain)
}

/// One value of the text.
struct PointerWalk<'a> {
    pointers: &'a [&'a str],
    /// Those that lead to this value or into it, sorted by their parts.
    order: &'a [usize],
    /// How much of these pointers leads here.
    at: usize,
    found: &'a mut [Option<f64>],
    /// How many bytes of pointers were looked at.
    work: &'a Cell<usize>,
}

impl PointerWalk<'_> {
    /// The next part of a pointer; `None` if it leads just here.
    fn part(&self, place: usize) -> Option<&str> {
        let rest = self.pointers[place][self.at..].strip_prefix('/');
        let part = rest.map(|rest| rest.split_once('/').map_or(rest, |(part, _)| part));
        self.work.set(self.work.get() + 1 + part.map_or(0, str::len));
        part
    }

    /// How the next part of a pointer stands to `part`. No more of the pointer is looked at than that has: a pointer may be long, and
    /// this is asked for every key of a map.
    fn beside(&self, place: usize, part: &str) -> Ordering {
        let Some(rest) = self.pointers[place].as_bytes()[self.at..].strip_prefix(b"/") else { return Ordering::Less };
        let start = &rest[..rest.len().min(part.len() + 1)];
        self.work.set(self.work.get() + 1 + start.len());
        start[..start.iter().position(|byte| *byte == b'/').unwrap_or(start.len())].cmp(part.as_bytes())
    }

    /// The part of this value that a pointer's `part` names.
    fn inside(&mut self, part: &str) -> PointerWalk<'_> {
        let start = self.order.partition_point(|place| self.beside(*place, part).is_lt());
        let length = self.order[start..].partition_point(|place| self.beside(*place, part).is_eq());
        self.those(start..start + length, part.len())
    }

    /// The places of a list that pointers lead to, from the first on, each with its pointers. Found once for a list: an element that no
    /// pointer leads to costs nothing but passing over it.
    fn places(&self) -> Vec<(usize, Range<usize>)> {
        let mut places = Vec::new();
        let mut start = self.order.partition_point(|place| self.part(*place).is_none());
        while start < self.order.len() {
            let part = self.part(self.order[start]);
            let end = start + self.order[start..].partition_point(|place| self.part(*place) == part);
            places.extend(part.and_then(list_place).map(|place| (place, start..end)));
            start = end;
        }
        places.sort_unstable_by_key(|(place, _)| *place);
        places
    }

    fn at_place(&mut self, place: usize, pointers: Range<usize>) -> PointerWalk<'_> {
        let digits = place.checked_ilog10().unwrap_or(0) as usize + 1;
        self.those(pointers, digits)
    }

    /// Those of the pointers whose next part, of so many bytes, is one and the same.
    fn those(&mut self, pointers: Range<usize>, part: usize) -> PointerWalk<'_> {
        PointerWalk {
            pointers: self.pointers,
            order: &self.order[pointers],
            at: self.at + 1 + part,
            found: self.found,
            work: self.work,
        }
    }

    fn is(self, number: f64) {
        let here = self.order.partition_point(|place| self.part(*place).is_none());
        for place in &self.order[..here] {
            self.found[*place] = Some(number);
        }
    }
}

impl<'de> DeserializeSeed<'de> for PointerWalk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.order.is_empty() {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PointerWalk<'_> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.is(number as f64);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.is(number as f64);
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.is(number);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut reached = 0;
        for (place, pointers) in self.places() {
            for _ in reached..place {
                if list.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
            }
            if list.next_element_seed(self.at_place(place, pointers))?.is_none() {
                return Ok(());
            }
            reached = place + 1;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut met = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let part = if key.contains(['~', '/']) {
                Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
            } else {
                Cow::Borrowed(&*key)
            };
            let value = self.inside(&part);
            if !value.order.is_empty() && !met.insert(value.order[0]) {
                return Err(A::Error::custom("a key is written twice"));
            }
            map.next_value_seed(value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn pointers_lead_where_those_of_a_whole_value_lead() {
        let text = r#"{"a":[1,-2,{"b":0.1}],"a/b":3,"m~n":{"":4.5},"a!":5,"big":18446744073709551615,"huge":1e300,"no":[null,true,"7"],"":6,
            "deep":[[[8]],[9]]}"#;
        let whole: Value = serde_json::from_str(text).unwrap();
        #[rustfmt::skip]
        let pointers = [
            "/a/0", "/a/1", "/a/2/b", "/a/2", "/a", "/a/3", "/a/00", "/a/-", "/a~1b", "/m~0n/", "/a!", "/big", "/huge", "/no/0", "/no/1",
            "/no/2", "/", "", "/deep/0/0/0", "/deep/1/0", "/deep/1", "/deep/1/0/0", "a", "/a/0", "/none/1",
        ];
        let expected: Vec<Option<f64>> = pointers.iter().map(|of| whole.pointer(of).and_then(Value::as_f64)).collect();
        assert!(expected.iter().flatten().count() > 10);
        assert_eq!(numbers(text.as_bytes(), &pointers).unwrap(), expected);
        assert_eq!(numbers(b" 7 ", &["", "/0"]).unwrap(), [Some(7.0), None]);
        assert_eq!(numbers(b"[1]", &[]).unwrap(), []);
    }

    /// What looking these up takes, in bytes of pointers.
    fn work(text: &str, pointers: &[&str]) -> usize {
        let work = Cell::new(0);
        looked_up(text.as_bytes(), pointers, &work).unwrap();
        work.get()
    }

    #[test]
    fn an_element_that_no_pointer_leads_to_costs_nothing() {
        let list = |length: usize| format!("[{}0]", "0,".repeat(length));
        let asked = ["/0", "/7", "/70", "/19"];
        assert_eq!(work(&list(100), &asked), work(&list(20_000), &asked));
    }

    #[test]
    fn a_key_costs_no_more_than_its_own_length_however_long_a_pointer_is() {
        let keys: Vec<String> = (0..2000).map(|key| format!("\"k{key}\":0")).collect();
        let text = format!("{{{}}}", keys.join(","));
        let long = format!("/{}", "a".repeat(200_000));
        assert!(work(&text, &[&long]) < 10 * text.len(), "{}", work(&text, &[&long]));
        // Keys and parts that begin alike are told apart.
        let text = br#"{"a":1,"ab":2,"abc":3,"a!":4,"a0":5,"b":{"a":6,"ab":7}}"#;
        let pointers = ["/a", "/ab", "/abc", "/abcd", "/a!", "/a0", "/b/a", "/b/ab", "/b/abc", "/b"];
        let whole: Value = serde_json::from_slice(text).unwrap();
        let expected: Vec<Option<f64>> = pointers.iter().map(|of| whole.pointer(of).and_then(Value::as_f64)).collect();
        assert_eq!(numbers(text, &pointers).unwrap(), expected);
    }

    #[test]
    fn places_of_a_long_list_are_met_in_its_order() {
        let text = format!("[{}]", (0..20_000).map(|number| number.to_string()).collect::<Vec<_>>().join(","));
        let asked: Vec<usize> = [19_999, 0, 10, 2, 100, 1, 20_000, 7, 70, 700].into();
        let pointers: Vec<String> = asked.iter().map(|place| format!("/{place}")).collect();
        let found = numbers(text.as_bytes(), &pointers.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        let expected: Vec<Option<f64>> = asked.iter().map(|place| (*place < 20_000).then_some(*place as f64)).collect();
        assert_eq!(found, expected);
        assert_eq!(
            numbers(b"[1,2,3]", &["/01", "/+1", "/", "/1", "/99999999999999999999999"]).unwrap(),
            [None, None, None, Some(2.0), None]
        );
        assert_eq!(numbers(b"[[1,2],[3]]", &["/1/0", "/0/1", "/1/0", "/1"]).unwrap(), [Some(3.0), Some(2.0), Some(3.0), None]);
    }

    #[test]
    fn what_is_no_json_or_means_two_things_is_refused() {
        for text in ["", "[1", "[1]]", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1},\"a\":{}}"] {
            assert!(numbers(text.as_bytes(), &["/a/b", "/a"]).is_err(), "{text}");
        }
        // What nobody asks for may stand there twice, and nested as deep as it likes is refused, not suffered.
        assert_eq!(numbers(b"{\"a\":1,\"c\":2,\"c\":3}", &["/a"]).unwrap(), [Some(1.0)]);
        let (deep, pointer) = (format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)), "/0".repeat(100_000));
        assert!(numbers(deep.as_bytes(), &[&pointer]).is_err());
    }
}
