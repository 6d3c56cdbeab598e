//! The register of randomness: every purpose that random numbers are drawn for, and which sequences of a seed belong to it.
//!
//! A sequence of [`super::PhiloxStream`] is named by seed, purpose and index: a resample's number, an epoch, an image. Philox counts in 128
//! bits, which are laid out so that two purposes never meet, whatever the seed and however much is drawn:
//!
//! ```text
//! bits 0–47: position in the sequence   48–63: the purpose's domain   64–127: number of the sequence, from `first`
//! ```
//! A purpose that comes later gets a domain of its own. Drawn faces share domain 0, each with its own range of numbers: those they had
//! before there were domains, so that the same seed draws the same faces.

/// Where a purpose's sequences are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub domain: u16,
    pub first: u64,
    /// How many sequences there may be; indices beyond are a mistake of the program.
    pub most: u64,
}

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $domain:literal $(, $first:expr, $most:expr)?;)*) => {
        /// What random numbers are drawn for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Purpose { $($(#[$doc])* $name,)* }

        impl Purpose {
            /// In the order of registration.
            pub const ALL: &[Purpose] = &[$(Purpose::$name,)*];

            pub(super) const fn range(self) -> Range {
                match self {
                    $(Purpose::$name => purposes!(@range $domain $(, $first, $most)?),)*
                }
            }
        }
    };
    (@range $domain:literal) => { Range { domain: $domain, first: 0, most: u64::MAX } };
    (@range $domain:literal, $first:expr, $most:expr) => { Range { domain: $domain, first: $first, most: $most } };
}

/// More pictures, or identities, than a set can have: CelebA's names hold 999,999.
const PICTURES: u64 = 1 << 20;
/// A person's sequences: their own, then one a picture.
pub const OF_PERSON: u64 = 1 << 32;

purposes! {
    // Drawn sets, as they are numbered since the first release.
    /// Drawn identities (`person * OF_PERSON`) and their pictures (the numbers after).
    DrawnPeople = 0, 0, PICTURES * OF_PERSON;
    /// The same for training sets, which have identities of their own.
    DrawnTrainingPeople = 0, 1 << 62, PICTURES * OF_PERSON;
    /// Textures, by class.
    DrawnTextures = 0, 3 << 61, PICTURES;
    /// Labels of attributes that are random, by image.
    DrawnAttributes = 0, 1 << 63, PICTURES;
    /// Annotators' mistakes, by image.
    DrawnMistakes = 0, 3 << 62, PICTURES;
    /// The order in which labels of tone are given.
    DrawnTones = 0, u64::MAX - 1, 1;
    /// Which picture is whose.
    DrawnIdentities = 0, u64::MAX, 1;

    /// The images that an evaluation takes.
    Take = 1;
    /// Losses of a network that pretends to learn.
    PretendedLoss = 2;
    /// Its features; the seed is a digest of network and image.
    PretendedFeatures = 3;
    /// A network's first weights, by tensor.
    FirstWeights = 4;
    /// The order of pictures in an epoch of training.
    TrainingOrder = 5;
    /// Which pictures of a step are mirrored.
    Mirrored = 6;
    /// Where an eigenvector is looked for, by how many were found before.
    Eigenvector = 7;
    /// The same for UMAP's graph.
    SpectralStart = 8;
    /// ICA's first directions, by start.
    IcaStart = 9;
    /// The noise that takes equal images apart at the start of a map.
    MapStart = 10;
    /// The order in which UMAP's points are moved.
    UmapOrder = 11;
    /// The others that push, by pass.
    UmapPushes = 12;
    /// The others that its objective is estimated by.
    UmapObjective = 13;
    /// Who is in which half and fold.
    Split = 14;
    /// Identities drawn with replacement, by replicate: all of them.
    ResampledWhole = 15;
    /// Those of the selection half.
    ResampledSelection = 16;
    /// Those of the evaluation half.
    ResampledEvaluation = 17;
    /// For all cells of a study together.
    ResampledGrid = 18;
    /// For groups of the fairness appendix.
    ResampledGroups = 19;
    /// For verification.
    ResampledPairs = 20;
    /// Partners of an image in verification, by image.
    VerificationPartners = 21;
    /// Labels given to other identities, by permutation.
    Permuted = 22;
    /// The images that a projection's quality is measured on.
    QualitySample = 23;
    /// The figure that is shown at random.
    RandomFigure = 24;
    /// The identities that a figure is projected again from, by replicate.
    Subsample = 25;
    /// Labels taken to be wrong, by share and replicate.
    LabelNoise = 26;
    /// The order in which a figure's points are drawn, on paper and on screens.
    DrawingOrder = 27;
    /// The stages that an audit makes again.
    AuditSample = 28;
    /// What is around a drawn face. Its pictures have seeds of their own, which may be as small as a set's.
    DrawnBackground = 29;
    /// Strands of its hair.
    DrawnHair = 30;
    /// The grain of a drawn picture.
    DrawnGrain = 31;
    /// What is on the picture of a texture.
    DrawnTexture = 32;
    /// Worlds of which the truth is known, for simulations of statistics.
    Simulation = 33;
    /// Which identities, and which of their pictures, are together in balanced batches, by epoch.
    BalancedOrder = 34;
    /// The classes that a step of Partial FC looks at, by step.
    SampledClasses = 35;
    /// The order in which pictures are shown to annotators.
    Labelling = 36;
    /// Images that clusters are found among, and subsamples of them.
    ClusterSample = 80;
    /// First means of clusters, by their number.
    ClusterStart = 81;
    /// Which patch of a picture comes to each place, where patches are shuffled: the seed is the picture's digest.
    PatchOrder = 88;
    /// Identities drawn for what models attend to, over all questions together.
    ResampledCues = 89;

    /// Images that are shown as examples of what is looked for, where there are many; then those that are examples together.
    RetrievalExamples = 85;
    /// The images that a simulated person looks at, by draw and way of choosing them.
    SimulatedClicks = 86;
    /// Identities drawn with replacement, for queries.
    ResampledQueries = 87;

    /// Where factor analysis starts to look for its first factors.
    FactorStart = 60;
    /// The same for the axes of kernel PCA.
    KernelStart = 61;
    /// The images that a kernel is compared with, where there are too many for all.
    KernelLandmarks = 62;
    /// Directions of a random projection, by axis.
    RandomDirections = 63;

    /// The images that stand for all in methods of distances.
    Landmarks = 73;
    /// Where the axes of a matrix of distances are looked for.
    DistanceAxes = 74;
    /// The same for a graph's random walk.
    WalkAxes = 75;
    /// The same for LLE's weights.
    LleAxes = 76;

    /// The images at a middle distance that PaCMAP pairs an image with, by image.
    PacmapMiddle = 65;
    /// The images that it pushes it away from, by image.
    PacmapFar = 66;
    /// The images that TriMap's triplets of an image are made of, by image.
    TrimapTriplets = 67;
    /// The images that PHATE diffuses between where there are too many for all.
    PhateLandmarks = 68;
    /// The fitted images that push an image which UMAP places later, by epoch.
    UmapPlacedPushes = 69;
    /// The identities among whom labels are permuted, where there are very many; an index a pair of classes.
    PermutedSample = 70;
    /// The identities of a training set that are held out of training.
    HeldOutIdentities = 90;
}

#[cfg(test)]
mod tests {
    use super::{super::PhiloxStream, *};
    use proptest::prelude::*;
    use std::path::Path;

    /// Two ranges of numbers in one domain have nothing in common, and no range passes the end.
    #[test]
    fn no_two_purposes_share_a_sequence() {
        for (place, one) in Purpose::ALL.iter().enumerate() {
            let range = one.range();
            let end = u128::from(range.first) + u128::from(range.most);
            assert!(range.most > 0 && end <= 1 << 64, "{one:?} goes beyond the last sequence");
            for other in &Purpose::ALL[place + 1..] {
                let other_range = other.range();
                let before = end <= u128::from(other_range.first);
                let after = u128::from(other_range.first) + u128::from(other_range.most) <= u128::from(range.first);
                assert!(range.domain != other_range.domain || before || after, "{one:?} and {other:?} share sequences");
            }
        }
        // What comes after drawn faces needs no arithmetic.
        assert!(Purpose::ALL.iter().all(|purpose| purpose.range().domain != 0 || format!("{purpose:?}").starts_with("Drawn")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        /// Philox is a bijection of its counter under one key, so streams are disjoint if counters are.
        #[test]
        fn counters_are_equal_only_for_equal_purpose_index_and_position(
            places in prop::array::uniform2(0..Purpose::ALL.len()),
            indices in prop::array::uniform2(prop_oneof![0u64..3, Just(u64::MAX - 1), Just(1 << 32), Just(1 << 40), any::<u64>()]),
            positions in prop::array::uniform2(prop_oneof![0u64..3, Just((1 << 48) - 1), 0u64..1 << 48]),
        ) {
            let drawn = [0, 1].map(|k| {
                let purpose = Purpose::ALL[places[k]];
                (purpose, indices[k] % purpose.range().most, positions[k])
            });
            let counters = drawn.map(|(purpose, index, position)| PhiloxStream::new(1, purpose, index).counter(position));
            prop_assert_eq!(drawn[0] == drawn[1], counters[0] == counters[1], "{:?}", drawn);
        }
    }

    /// First and last sequences of every purpose, really drawn.
    #[test]
    fn the_ends_of_all_purposes_give_different_numbers() {
        let mut seen = std::collections::BTreeSet::new();
        let mut count = 0;
        for &purpose in Purpose::ALL {
            let most = purpose.range().most;
            for index in
                [0, 1, most / 2, most - 1].into_iter().filter(|index| *index < most).collect::<std::collections::BTreeSet<_>>()
            {
                let mut stream = PhiloxStream::new(2019, purpose, index);
                seen.insert([stream.bits(), stream.bits()]);
                count += 1;
            }
        }
        assert_eq!(seen.len(), count);
    }

    #[test]
    #[should_panic(expected = "DrawnTones has 1 sequences, not one numbered 1")]
    fn an_index_beyond_a_purpose_is_refused() {
        let _ = PhiloxStream::new(1, Purpose::DrawnTones, 1);
    }

    /// Sequences without a purpose are for tests and benches: in the program every one is registered.
    #[test]
    fn the_program_draws_for_registered_purposes_alone() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let mut folders = ["src", "core/src", "torch/src"].map(|folder| root.join(folder)).to_vec();
        let mut read = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let program = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
                    // Modules that are tests as a whole say so where they are declared.
                    let tests_only = [
                        "tests.rs",
                        "degenerate.rs",
                        "simulations.rs",
                        "simulation/mod.rs",
                        "projection/peers.rs",
                        "projection/linear_tests.rs",
                        "probe/peer.rs",
                        "purpose.rs",
                        "random.rs",
                    ];
                    let whole = tests_only.iter().any(|name| path.ends_with(name));
                    assert!(whole || !program.contains("Stream::for_test"), "{}", path.display());
                    assert!(!program.contains("philox(") || path.ends_with("random.rs"), "{}", path.display());
                    read += 1;
                }
            }
        }
        assert!(read > 150, "{read}");
    }
}
