//! What training sets share with the evaluation, and what nobody can compare.

use crate::report::{
    claims::{ClaimId, Claims, OutputSource},
    source::ReportSource,
};
use serde::Serialize;
use visavis_core::domain::{
    Key, Result,
    model::{Source, Weights},
    overlap::{IdentityNames, Overlap, PicturePair, SharedPictures},
    stage::FindOverlap,
};

#[derive(Serialize)]
pub(super) struct SharedWithTraining {
    sets: Vec<SetOverlap>,
    /// Training sets that nobody has looked at yet.
    open: Vec<String>,
    /// Models that learned elsewhere, or of which nobody knows whether they did.
    elsewhere: Vec<String>,
}

/// One training set beside the evaluation.
#[derive(Serialize)]
struct SetOverlap {
    name: String,
    pictures: SideClaims,
    same: PictureClaims,
    /// `None` where pictures are so alike that it was not looked for.
    near: Option<NearClaims>,
    /// `None` where the evaluation says of nobody who it is.
    names: Option<NameClaims>,
    /// Pictures that are too plain to be compared by what they show, where there are any.
    plain: Option<SideClaims>,
    /// Names that are plain numbers, where both sets have any.
    numbers: Option<ClaimId>,
}

/// A number of the evaluation, and one of the training set.
#[derive(Serialize)]
struct SideClaims {
    evaluated: ClaimId,
    learned: ClaimId,
}

#[derive(Serialize)]
struct PictureClaims {
    shared: SideClaims,
    first: Vec<PicturePair>,
    more: bool,
}

#[derive(Serialize)]
struct NearClaims {
    pictures: PictureClaims,
    radius: ClaimId,
    of_all: ClaimId,
}

#[derive(Serialize)]
struct NameClaims {
    /// The names are those of folders, which may be of anything.
    are_folders: bool,
    known: SideClaims,
    shared: ClaimId,
    pictures: ClaimId,
    first: Vec<String>,
    more: bool,
}

impl SharedWithTraining {
    /// # Errors
    /// A result that is damaged.
    pub(super) fn of(source: &ReportSource) -> Result<Self> {
        let study = source.study();
        let mut shared = SharedWithTraining { sets: vec![], open: vec![], elsewhere: vec![] };
        for of in source.outcome.results.overlaps()? {
            let name = study.dataset(of.set).map_or(String::new(), |(name, _)| name.to_owned());
            match &of.found {
                Some(found) => shared.sets.push(SetOverlap::of(source.claims, found.key, &name, &found.value)),
                None => shared.open.push(name),
            }
        }
        let is_elsewhere = |model: &Source| match model {
            Source::Given(_) => true,
            Source::Network(network) => matches!(network.weights, Weights::File { .. } | Weights::Whole(_)),
            Source::Baseline { .. } => false,
        };
        if !study.pretends() {
            let models = study.models.iter().filter(|model| is_elsewhere(&model.source));
            shared.elsewhere = models.map(|model| model.name.clone()).collect();
        }
        Ok(shared)
    }
}

impl SetOverlap {
    fn of(claims: &Claims, key: Key, name: &str, found: &Overlap) -> Self {
        let output = OutputSource { key, output: FindOverlap::OVERLAP, of: format!("{name} · overlap") };
        let count = |pointer: &str, what: &str, value: usize| claims.count(&output, pointer, what, value);
        let sides = |pointer: &str, what: &str, [evaluated, learned]: [usize; 2]| SideClaims {
            evaluated: count(&format!("/evaluated/{pointer}"), &format!("{what} of the evaluation"), evaluated),
            learned: count(&format!("/learned/{pointer}"), &format!("{what} of the training set"), learned),
        };
        let pictures = |at: &str, what: &str, shared: &SharedPictures| PictureClaims {
            shared: SideClaims {
                evaluated: count(&format!("{at}/evaluated"), &format!("{what} of the evaluation"), shared.evaluated),
                learned: count(&format!("{at}/learned"), &format!("{what} of the training set"), shared.learned),
            },
            more: shared.evaluated > shared.first.len(),
            first: shared.first.clone(),
        };
        let (identities, plain) = (&found.identities, [found.evaluated.plain, found.learned.plain]);
        let names = || NameClaims {
            are_folders: identities.by == IdentityNames::Folders,
            known: sides("names", "names", [found.evaluated.names, found.learned.names]),
            shared: count("/identities/shared", "names in both sets", identities.shared),
            pictures: count("/identities/pictures", "images of the evaluation of names in both sets", identities.pictures),
            more: identities.shared > identities.first.len(),
            first: identities.first.clone(),
        };
        SetOverlap {
            name: name.to_owned(),
            pictures: sides("pictures", "pictures", [found.evaluated.pictures, found.learned.pictures]),
            same: pictures("/same", "pictures that the other set has", &found.same),
            near: found.near.as_ref().map(|near| NearClaims {
                pictures: pictures("/near", "pictures that look like one of the other set", &near.shared),
                radius: count("/near/radius", "bits of the lowest 64 that may differ", near.radius as usize),
                of_all: count("/near/of_all", "bits of all that may differ", near.of_all as usize),
            }),
            names: (identities.by != IdentityNames::Nothing).then(names),
            plain: (plain != [0, 0]).then(|| sides("plain", "pictures too plain to compare", plain)),
            numbers: (identities.numbers > 0).then(|| count("/identities/numbers", "numbers in both sets", identities.numbers)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Fixture, output, rendered};
    use visavis_core::domain::overlap::{NearPictures, OverlapSide, SharedIdentities};

    fn read(of: &Overlap) -> (String, Vec<String>) {
        let claims = Claims::default();
        let set = SetOverlap::of(&claims, output().key, "people", of);
        let shared =
            SharedWithTraining { sets: vec![set], open: vec!["other".to_owned()], elsewhere: vec!["ArcFace".to_owned()] };
        let text = rendered("overlap.html", &serde_json::json!({ "overlap": shared }), &claims);
        (text, claims.shown().into_iter().map(|claim| claim.from.pointer).collect())
    }

    fn pictures(evaluated: usize, learned: usize, one: &str, other: &str) -> SharedPictures {
        let pair = PicturePair { evaluated: one.to_owned(), learned: other.to_owned() };
        SharedPictures { evaluated, learned, first: vec![pair] }
    }

    #[test]
    fn what_is_shared_is_counted_and_named_and_what_was_not_compared_is_said() {
        let side = |pictures, plain, names| OverlapSide { pictures, plain, names };
        let mut of = Overlap {
            format: 1,
            evaluated: side(3392, 2, 500),
            learned: side(240_000, 0, 8000),
            same: pictures(50, 51, "a/1.jpg", "b/2.jpg"),
            near: Some(NearPictures { radius: 11, of_all: 40, shared: pictures(1, 3, "a/7.jpg", "c/9.jpg") }),
            identities: SharedIdentities {
                by: IdentityNames::Identities,
                shared: 2,
                pictures: 14,
                first: vec!["Ann".to_owned(), "Bob".to_owned()],
                numbers: 7,
            },
        };
        let (text, claims) = read(&of);
        for words in [
            "What the training set people shares with the evaluation. Of 3,392 images that are evaluated and 240,000 that networks learn from",
            "byte for byte 50 51 a/1.jpg is b/2.jpg; …",
            "looks the same 1 3 a/7.jpg is like c/9.jpg",
            "identities of one name 2 of 500, with 14 images 2 of 8,000 Ann, Bob",
            "2 images of the evaluation and 0 of the training set are of one colour",
            "7 names are plain numbers",
            "Not compared: faces.",
            "training set other shares with the evaluation was not looked at",
            "What ArcFace learned from, if anything, is not part of this study",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
        for pointer in ["/same/evaluated", "/near/learned", "/near/radius", "/identities/pictures", "/evaluated/plain"] {
            assert!(claims.iter().any(|of| of == pointer), "{pointer} {claims:?}");
        }
        (of.near, of.identities.by, of.identities.numbers) = (None, IdentityNames::Nothing, 0);
        let (text, _) = read(&of);
        assert!(text.contains("were not looked for") && text.contains("does not say who is on its pictures"), "{text}");
        assert!(!text.contains("of one name") && !text.contains("plain numbers"), "{text}");
    }

    #[test]
    fn given_features_may_have_learned_from_anything() {
        let text = Fixture::new().text(|source| Some(super::super::Data::of(source, &Default::default()).unwrap()));
        assert!(text.contains("What pixels, blocks learned from, if anything, is not part of this study"), "{text}");
    }
}
