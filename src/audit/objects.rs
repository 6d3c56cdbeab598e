//! The objects of a page. A large one is packed by itself; small ones, which are many and alike, are packed together: of each a line with the
//! place of its digest among the page's digests and its number of bytes, and these bytes.

use super::{
    digest_table::DigestTable,
    evidence::LARGEST_OBJECT,
    packing::{UnpackFault, pack, unpack, unpacked_digest},
};
use std::collections::BTreeMap;
use visavis_core::domain::{
    Digest, Fault, Result,
    text::{size, thousands},
};

/// Bytes up to which an object is small.
const SMALL: usize = 64 << 10;
/// All small objects, inflated: those of a study of twenty thousand cells have 40 MB.
const MOST_SMALL: u64 = 64 << 20;
/// How many small objects are read: a study of twenty thousand cells has some thousands.
const MOST_OBJECTS: usize = 400_000;

/// An object that a page carries.
#[derive(Clone, Debug, PartialEq)]
pub enum EmbeddedObject {
    /// Deflated and base64.
    Packed(String),
    /// As it is; on a page it is packed together with others.
    Small(Vec<u8>),
}

/// An embedded object as it was found.
pub struct OpenedObject {
    pub bytes: Result<Vec<u8>>,
    /// How many bytes were inflated, also of one that is broken.
    pub inflated: u64,
}

impl EmbeddedObject {
    /// With these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.len() <= SMALL { EmbeddedObject::Small(bytes.to_vec()) } else { EmbeddedObject::Packed(pack(bytes)) }
    }

    /// Its bytes, if they are what it is named by. One that is larger than any that is read ends as *missing*, a broken one as *differs*.
    /// `said`: how many bytes its result says it has.
    pub(super) fn open(&self, digest: Digest, said: Option<u64>) -> OpenedObject {
        let most = said.unwrap_or(LARGEST_OBJECT).min(LARGEST_OBJECT);
        let mut inflated = 0;
        let bytes = match self {
            EmbeddedObject::Packed(packed) => unpack(packed, most, &mut inflated),
            EmbeddedObject::Small(bytes) => {
                inflated = bytes.len() as u64;
                if inflated > most { Err(UnpackFault::TooMuch(most)) } else { Ok(bytes.clone()) }
            }
        };
        let is_genuine = |bytes: &Vec<u8>| Digest::of(bytes) == digest;
        let bytes = bytes
            .map_err(|why| unopened(digest, most, &why))
            .and_then(|bytes| if is_genuine(&bytes) { Ok(bytes) } else { Err(broken(digest, &other())) });
        OpenedObject { bytes, inflated }
    }

    /// Is it what it is named by? See [`super::Evidence::verified`].
    pub(super) fn verify(&self, digest: Digest, said: Option<u64>, room: u64) -> (Result<()>, u64) {
        let most = said.unwrap_or(LARGEST_OBJECT).min(LARGEST_OBJECT);
        let mut inflated = 0;
        let found = match self {
            EmbeddedObject::Packed(packed) => unpacked_digest(packed, most.min(room), &mut inflated),
            EmbeddedObject::Small(bytes) => {
                inflated = bytes.len() as u64;
                if inflated > most.min(room) { Err(UnpackFault::TooMuch(most)) } else { Ok(Digest::of(bytes)) }
            }
        };
        if room < most && matches!(found, Err(UnpackFault::TooMuch(_))) {
            // Also where that shows before anything is inflated.
            inflated = room + 1;
        }
        let found = found
            .map_err(|why| unopened(digest, most, &why))
            .and_then(|found| if found == digest { Ok(()) } else { Err(broken(digest, &other())) });
        (found, inflated)
    }
}

/// Objects as they stand on a page: large ones by name, and the others packed together.
pub(super) fn packed(
    objects: &BTreeMap<Digest, EmbeddedObject>,
    digests: &mut DigestTable,
) -> (BTreeMap<Digest, String>, String) {
    let (mut large, mut small) = (BTreeMap::new(), Vec::new());
    for (digest, object) in objects {
        match object {
            EmbeddedObject::Packed(packed) => _ = large.insert(*digest, packed.clone()),
            EmbeddedObject::Small(bytes) => small.push((bytes.as_slice(), *digest)),
        }
    }
    // Those that begin alike stand together, where they deflate best.
    small.sort_unstable();
    let mut together = Vec::new();
    for (bytes, digest) in small {
        together.extend_from_slice(format!("{} {}\n", digests.place(digest), bytes.len()).as_bytes());
        together.extend_from_slice(bytes);
    }
    (large, pack(&together))
}

/// The objects of a page.
///
/// # Errors
/// More than are read, or small ones that are damaged.
pub(super) fn unpacked(
    large: BTreeMap<Digest, String>,
    small: &str,
    digests: &DigestTable,
) -> Result<BTreeMap<Digest, EmbeddedObject>> {
    let refused = |what: String| Err(Fault::asked(format!("the page is refused: {what}")));
    let damaged = |why: &str| Fault::differs(format!("the report's evidence was damaged: its small objects: {why}"));
    let mut objects: BTreeMap<Digest, EmbeddedObject> =
        large.into_iter().map(|(digest, packed)| (digest, EmbeddedObject::Packed(packed))).collect();
    if small.is_empty() {
        return Ok(objects);
    }
    let together = match unpack(small, MOST_SMALL, &mut 0) {
        Err(UnpackFault::TooMuch(most)) => {
            return refused(format!("inflated, its small objects have more than the {} that are read", size(most)));
        }
        together => together.map_err(|why| damaged(&why.to_string()))?,
    };
    let mut rest = together.as_slice();
    while !rest.is_empty() {
        if objects.len() >= MOST_OBJECTS {
            return refused(format!("its evidence has more than the {} objects that are read", thousands(MOST_OBJECTS)));
        }
        let (digest, bytes, behind) =
            first(rest, digests).ok_or_else(|| damaged("they are not written as a report writes them"))?;
        if objects.insert(digest, EmbeddedObject::Small(bytes.to_vec())).is_some() {
            return Err(damaged("one stands there twice"));
        }
        rest = behind;
    }
    Ok(objects)
}

/// The first of small objects, and those behind it.
fn first<'a>(text: &'a [u8], digests: &DigestTable) -> Option<(Digest, &'a [u8], &'a [u8])> {
    let end = text.iter().take(50).position(|byte| *byte == b'\n')?;
    let (place, length) = std::str::from_utf8(&text[..end]).ok()?.split_once(' ')?;
    let (bytes, behind) = text[end + 1..].split_at_checked(length.parse().ok()?)?;
    Some((digests.get(place.parse().ok()?)?, bytes, behind))
}

fn other() -> String {
    "its bytes are not those it is named by".to_owned()
}

fn broken(digest: Digest, why: &str) -> Fault {
    Fault::differs(format!("the embedded object {} is not what it is named by: {why}", digest.short()))
}

/// What is wrong with an object of which no more than `most` bytes are read. One that is larger than any that is read is not called broken:
/// a study may be so large. One that is larger than its result says is.
fn unopened(digest: Digest, most: u64, why: &UnpackFault) -> Fault {
    if most == LARGEST_OBJECT && matches!(why, UnpackFault::TooMuch(_)) {
        return Fault::missing(format!("the embedded object {} is not read: {why}", digest.short()));
    }
    broken(digest, &why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(all: &[&[u8]]) -> BTreeMap<Digest, EmbeddedObject> {
        all.iter().map(|bytes| (Digest::of(bytes), EmbeddedObject::of(bytes))).collect()
    }

    #[test]
    fn objects_come_back_as_they_were() {
        let large = vec![7; SMALL + 1];
        let objects = named(&[b"", b"{}", b"7 2\n", b"\x93NUMPY", &large]);
        let mut digests = DigestTable::default();
        let (by_name, together) = packed(&objects, &mut digests);
        assert_eq!(by_name.len(), 1);
        assert_eq!(unpacked(by_name, &together, &digests).unwrap(), objects);
        assert_eq!(unpacked(BTreeMap::new(), "", &digests).unwrap(), BTreeMap::new());
    }

    #[test]
    fn small_objects_that_are_damaged_or_too_many_are_refused() {
        let mut digests = DigestTable::default();
        digests.place(Digest::of(b"{}"));
        let read = |text: &[u8]| unpacked(BTreeMap::new(), &pack(text), &digests);
        assert_eq!(read(b"0 2\n{}").unwrap(), named(&[b"{}"]));
        for damaged in [
            &b"0 2\n{}0 2\n{}"[..],
            b"0 3\n{}",
            b"1 2\n{}",
            b"0 2{}",
            b"x 2\n{}",
            b"0 -2\n{}",
            b"0 2\n{}0",
            b"0 99999999999999999999\n",
        ] {
            assert!(read(damaged).unwrap_err().what.contains("damaged: its small objects"), "{damaged:?}");
        }
        let bomb = read(&vec![b' '; MOST_SMALL as usize + 1]).unwrap_err().what;
        assert!(bomb.contains("its small objects have more than the 67.1 MB"), "{bomb}");
        // One that is not what it is named by is found where it is opened.
        let forged = read(b"0 2\n[]").unwrap();
        assert!(
            forged[&Digest::of(b"{}")].open(Digest::of(b"{}"), None).bytes.unwrap_err().what.contains("not those it is named by")
        );
    }
}
