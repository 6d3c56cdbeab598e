//! Roles of inputs that several stages consume. A role that one stage alone knows stands at its definition.
//!
//! A role is part of a key and of a stored result: it never changes.

/// The images of the evaluation, as [`super::IndexImages`] leaves them.
pub const IMAGES: &str = "images";
/// Images × columns, float32.
pub const FEATURES: &str = "features";
/// Coordinates of one projection, images × axes.
pub const POINTS: &str = "points";
/// Who is on each image, as a column.
pub const IDENTITIES: &str = "identities";
/// Five points of the face in each picture, as a column: x and y of each, separated by blanks.
pub const LANDMARKS: &str = "landmarks";
/// A box around the face in each picture, as a column: left, top, width and height, separated by blanks.
pub const BOXES: &str = "boxes";

/// Coordinates of a projection, one input a seed: what begins so, by the place of the seed.
pub const POINTS_BY_SEED: &str = "points/";
/// Scores of projections, one input a slot: what begins so, by the place of the slot.
pub const SCORES: &str = "scores/";
/// Of features, one input a feature space: what begins so, by the place of the space.
pub const SPACES: &str = "spaces/";
/// Columns of labels: what begins so, by the attribute.
pub const LABELS: &str = "labels/";

/// What each annotator of an attribute labelled: what begins so, by the attribute.
pub const ANNOTATORS: &str = "annotators/";

/// The role of the input at a place among those that begin so.
pub fn numbered(prefix: &str, place: usize) -> String {
    format!("{prefix}{place}")
}

/// The role of an attribute's labels.
pub fn labels(attribute: &str) -> String {
    format!("{LABELS}{attribute}")
}

/// The role of what each annotator of an attribute labelled.
pub fn annotators(attribute: &str) -> String {
    format!("{ANNOTATORS}{attribute}")
}

#[cfg(test)]
mod tests {
    use super::super::*;

    /// Change nothing here: stored results and keys have these.
    #[test]
    fn roles_are_what_stored_results_say() {
        let roles = [
            role::IMAGES,
            role::FEATURES,
            role::POINTS,
            role::IDENTITIES,
            role::LANDMARKS,
            role::BOXES,
            &role::numbered(role::POINTS_BY_SEED, 0),
            &role::numbered(role::SCORES, 1),
            &role::numbered(role::SPACES, 2),
            &role::labels("age"),
            &role::annotators("age"),
            IndexImages::LISTING,
            FeatureImport::ARRAY,
            FeatureImport::ROWS,
            Training::PICTURES,
            Training::CLASSES,
            HashPictures::PICTURES,
            MakeThumbnails::PICTURES,
            FindOverlap::HASHES,
            FindOverlap::LEARNED,
            FindOverlap::LEARNED_HASHES,
            Extraction::WEIGHTS,
            ProjectFeatures::OFFSETS,
            GroupFairness::DECISIONS,
            GroupFairness::BASELINE,
            VerifyIdentities::FEATURES,
            VerifyPairs::PAIRS,
            Simultaneous::RANKS,
            Simultaneous::PERMUTED,
            Ranking::TESTS,
            Ranking::TRUTH,
            Figure::FREQUENCIES,
            Figure::CURVES,
        ];
        let words = "images features points identities landmarks boxes points/0 scores/1 spaces/2 labels/age annotators/age listing array rows pictures classes \
                     pictures pictures hashes learned learned hashes weights offsets decisions baseline decisions points/0 pairs ranks/ permuted/ grid truth frequencies curves";
        assert_eq!(roles.join(" "), words);
    }
}
