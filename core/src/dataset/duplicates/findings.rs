//! What is alike, in words: a defect where bytes or names prove it, a note where only a hash or the name of a folder says so.

use super::{
    compare::{Alike, Example, KnownPicture, Likeness, Side},
    compared_set::ComparedSet,
    names::SharedNames,
    picture_hash::RADII,
};
use crate::{
    dataset::defects::Defects,
    domain::{Fault, text::printable},
};

impl Likeness {
    /// The kind of finding.
    pub fn word(self) -> &'static str {
        match self {
            Likeness::Same => "same-picture",
            Likeness::SameTwoIdentities => "same-picture-two-identities",
            Likeness::SameTwoPartitions => "same-picture-two-partitions",
            Likeness::SameInBoth => "picture-in-both-sets",
            Likeness::Near => "near-duplicate",
            Likeness::NearTwoIdentities => "near-duplicate-two-identities",
            Likeness::NearTwoPartitions => "near-duplicate-two-partitions",
            Likeness::NearInBoth => "near-duplicate-in-both-sets",
        }
    }

    /// What is counted, for people.
    pub fn about(self) -> &'static str {
        match self {
            Likeness::Same => "pictures that occur more than once (by bytes)",
            Likeness::SameTwoIdentities => "… under more than one identity",
            Likeness::SameTwoPartitions => "… in more than one partition",
            Likeness::SameInBoth => "pictures that the other set has too (by bytes)",
            Likeness::Near => "pairs of pictures that look alike",
            Likeness::NearTwoIdentities => "… of two identities",
            Likeness::NearTwoPartitions => "… in two partitions",
            Likeness::NearInBoth => "pairs across the two sets that look alike",
        }
    }

    /// Does it take a second set?
    pub fn is_between_sets(self) -> bool {
        matches!(self, Likeness::SameInBoth | Likeness::NearInBoth)
    }

    /// Is it wrong for sure?
    fn is_defect(self) -> bool {
        matches!(self, Likeness::SameTwoIdentities | Likeness::SameTwoPartitions | Likeness::SameInBoth)
    }
}

/// The pictures that were compared, and the sets they are of.
pub struct Compared<'a> {
    /// Those of the own set, then those of the other.
    pub pictures: &'a [KnownPicture],
    /// The place of each among the ids of its set.
    pub places: &'a [usize],
    /// The set that is checked.
    pub own: &'a ComparedSet<'a>,
    /// The set that it is held against.
    pub against: Option<&'a ComparedSet<'a>>,
}

impl Compared<'_> {
    fn of(&self, picture: usize) -> (&ComparedSet<'_>, &str) {
        let set = match self.pictures[picture].side {
            Side::Own => self.own,
            Side::Against => self.against.unwrap_or(self.own),
        };
        (set, &set.ids[self.places[picture]])
    }

    fn fault(&self, likeness: Likeness, example: &Example) -> Fault {
        let ((own, one), (set, other)) = (self.of(example.one), self.of(example.other));
        let alike = match example {
            Example { distance: 0, mirrored: false, .. }
                if self.pictures[example.one].digest == self.pictures[example.other].digest =>
            {
                "byte for byte".to_owned()
            }
            Example { distance, mirrored, .. } => {
                let mirrored = if *mirrored { ", mirrored" } else { "" };
                format!("to the eye ({distance} of 256 bits differ{mirrored})")
            }
        };
        let there = if likeness.is_between_sets() { " of the other set" } else { "" };
        let mut what = format!("{alike} the picture `{}`{there}", printable(other));
        match likeness {
            Likeness::SameTwoIdentities | Likeness::NearTwoIdentities => {
                what += &format!(" of `{}`; this one is of `{}`", printable(set.who(other)), printable(own.who(one)));
            }
            Likeness::SameTwoPartitions | Likeness::NearTwoPartitions => {
                what += &format!(" in `{}`; this one is in `{}`", printable(set.partition(other)), printable(own.partition(one)));
            }
            _ => {}
        }
        Fault::asked(what).in_file(own.place(one))
    }
}

/// Adds what was found.
pub fn findings(alike: &Alike, compared: &Compared, defects: &mut Defects) {
    for (&likeness, found) in &alike.found {
        for (place, example) in found.examples.iter().enumerate() {
            let count = if place == 0 { found.count as usize + 1 - found.examples.len() } else { 1 };
            let fault = compared.fault(likeness, example);
            match likeness.is_defect() {
                true => defects.defect(likeness.word(), count, fault),
                false => defects.note(likeness.word(), count, fault),
            }
        }
    }
    if alike.plain > 0 {
        let what = "a picture of one colour, or nearly: what it looks like is not compared";
        defects.note("too-plain-to-compare", alike.plain, Fault::asked(what));
    }
    let narrowed = match alike.radius {
        None => Some("the pictures are so alike that near duplicates are not looked for".to_owned()),
        Some(radius) if radius < RADII[0] => Some(format!(
            "the pictures are so alike that near duplicates are looked for among those whose 64 lowest bits differ in at most {radius}, not {}",
            RADII[0]
        )),
        Some(_) => None,
    };
    if let Some(what) = narrowed {
        defects.note("near-duplicates-narrowed", 1, Fault::asked(what));
    }
    parted(compared.own, defects);
    if let Some(against) = compared.against {
        shared(compared.own, against, defects);
    }
}

/// Identities in two partitions.
fn parted(own: &ComparedSet, defects: &mut Defects) {
    for (name, one, other) in own.in_two_partitions() {
        let (here, there) = (own.partition(one), own.partition(other));
        let what =
            format!("`{}` is in `{here}` (`{}`) and in `{there}` (`{}`)", printable(name), printable(one), printable(other));
        match own.says_who() {
            true => defects.defect("identity-in-two-partitions", 1, Fault::asked(what)),
            false => defects.note("folder-in-two-partitions", 1, Fault::asked(what)),
        }
    }
}

/// Identities of two sets, by name.
fn shared(own: &ComparedSet, against: &ComparedSet, defects: &mut Defects) {
    let (names, others) = (own.names(), against.names());
    let SharedNames { named, numbers } = SharedNames::of(&names, &others);
    let surely = own.says_who() && against.says_who();
    for name in named {
        match surely {
            true => defects.defect("identity-in-both-sets", 1, Fault::asked(format!("both sets have `{}`", printable(name)))),
            false => {
                let what = format!("both sets have `{}`; whether folders are identities is not known", printable(name));
                defects.note("identity-in-both-sets", 1, Fault::asked(what));
            }
        }
    }
    for name in numbers {
        let what = format!("both sets have an identity called {name}; a number may be each set's own");
        defects.note("identity-number-in-both-sets", 1, Fault::asked(what));
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{compare::compare, picture_hash::PictureHash},
        *,
    };
    use crate::{
        dataset::{collection::Collection, defects::Severity, source::PictureSource},
        domain::{Digest, image::Column},
    };
    use std::path::PathBuf;

    fn told(defects: &Defects) -> Vec<(String, usize, bool, String)> {
        let line = |found: crate::dataset::defects::Finding| {
            let is_defect = found.severity == Severity::Defect;
            (found.word.to_owned(), found.count, is_defect, found.examples[0].what.clone())
        };
        defects.all().map(line).collect()
    }

    /// A set of images `a/1`, … with identities by folder, and what its pictures hold.
    fn set<'a>(source: &'a PictureSource, ids: &[&str], says: bool) -> ComparedSet<'a> {
        let who: Column = ids.iter().map(|id| (*id, id.split_once('/').unwrap().0)).collect();
        let own: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let set = match says {
            true => Collection { identities: Some(who), ..Collection::default() },
            false => Collection { classes: Some(who), ..Collection::default() },
        };
        let mut set = ComparedSet::new(&set, source, false);
        set.ids = own;
        set
    }

    #[test]
    fn what_bytes_and_names_prove_is_a_defect_and_what_a_hash_says_is_a_note() {
        let source = PictureSource::Folder(PathBuf::from("x"));
        let (own, other) = (set(&source, &["Ann/1", "Bob/1", "7/1"], true), set(&source, &["Ann/9", "7/2"], true));
        let hash = |byte: u8| Some(PictureHash::from_bytes([byte; 32]));
        let picture = |side, bytes: &str, hash, identity| KnownPicture {
            side,
            digest: Digest::of(bytes.as_bytes()),
            hash,
            identity: Some(identity),
            partition: None,
        };
        let pictures = [
            picture(Side::Own, "p", hash(1), 0),
            picture(Side::Own, "p", hash(1), 1),
            picture(Side::Own, "q", None, 2),
            picture(Side::Against, "r", hash(1), 0),
            picture(Side::Against, "q", None, 0),
        ];
        let compared = Compared { pictures: &pictures, places: &[0, 1, 2, 0, 1], own: &own, against: Some(&other) };
        let mut defects = Defects::default();
        findings(&compare(&pictures), &compared, &mut defects);
        let line = |word: &str, is_defect, what: &str| (word.to_owned(), 1, is_defect, what.to_owned());
        let expected = [
            line("identity-in-both-sets", true, "both sets have `Ann`"),
            line("identity-number-in-both-sets", false, "both sets have an identity called 7; a number may be each set's own"),
            line("near-duplicate-in-both-sets", false, "to the eye (0 of 256 bits differ) the picture `Ann/9` of the other set"),
            line("picture-in-both-sets", true, "byte for byte the picture `7/2` of the other set"),
            line("same-picture", false, "byte for byte the picture `Bob/1`"),
            line("same-picture-two-identities", true, "byte for byte the picture `Bob/1` of `Bob`; this one is of `Ann`"),
            line("too-plain-to-compare", false, "a picture of one colour, or nearly: what it looks like is not compared"),
        ];
        assert_eq!(told(&defects), expected);
    }

    #[test]
    fn folders_that_may_be_of_anything_are_only_worth_a_note() {
        let source = PictureSource::Folder(PathBuf::from("x"));
        let (own, other) = (set(&source, &["cat/1", "dog/1"], false), set(&source, &["dog/9", "cow/1"], true));
        let mut defects = Defects::default();
        let compared = Compared { pictures: &[], places: &[], own: &own, against: Some(&other) };
        findings(&compare(&[]), &compared, &mut defects);
        let told = told(&defects);
        assert_eq!((told.len(), told[0].0.as_str(), told[0].2), (1, "identity-in-both-sets", false));
        assert!(told[0].3.contains("`dog`"), "{told:?}");
    }
}
