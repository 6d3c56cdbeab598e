//! The words of Visavis, each with one sentence: what the report, the screens' help and `docs/glossary.md` show.

/// A word as people read it, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The word or phrase, as it stands in sentences.
    pub word: &'static str,
    /// One sentence.
    pub definition: &'static str,
}

const fn term(word: &'static str, definition: &'static str) -> Term {
    Term { word, definition }
}

/// Every word, sorted without regard to case.
pub const GLOSSARY: &[Term] = &[
    term(
        "above chance",
        "The AUC on the evaluation half is higher than permuted labels explain, at 5 % over all cells that are tested together.",
    ),
    term(
        "adjusted",
        "Of an AUC: each image is held only against images of the other class that are alike in a nuisance, such as the background's colour.",
    ),
    term(
        "altered",
        "Of an image: changed on purpose before a network sees it, such as made grey or blurred, to learn what the network goes by.",
    ),
    term("attribute", "A labelled property of an image: yes or no, one of several values, or a quantity."),
    term(
        "AUC",
        "The probability that an image of the first class scores higher than one of the second, where a score is the balanced share \
         of the first class among an image's nearest neighbours; 0.5 is chance, 1 is perfect.",
    ),
    term(
        "average precision",
        "The mean, over the images that are wanted, of the share of wanted images among those ranked no later: 1 is perfect, and a random \
         order has about the prevalence.",
    ),
    term("axis", "One coordinate of a projection, numbered from 1."),
    term("base rate", "The share of labelled images, of a group or of all, that are in a class."),
    term("baseline", "Features that no training made: pixels, colours, or a network with random weights."),
    term("ceiling", "The highest AUC that the labels of synthetic faces allow, since some labels are wrong on purpose."),
    term("cell", "One model, one layer, one view and one comparison."),
    term(
        "claim",
        "A sentence that the study file states before the results are there, with the test that decides on it: supported, refuted or inconclusive.",
    ),
    term(
        "comparison",
        "Two or more classes of images that a view should separate, or a quantity that should vary along an axis.",
    ),
    term("contrast", "Two models, or two sets of trainings, scored on the same images and compared."),
    term(
        "control",
        "An altered picture with every patch at its place, and with the borders that shuffling makes: what it loses is lost to the \
         borders, not to the order of patches.",
    ),
    term(
        "corrected",
        "Of a lower bound or a test: it allows for all cells tested together, which are those that the selection half chose, one a \
         model and comparison, or all ranked cells where another one is named.",
    ),
    term(
        "effective number of images",
        "As many independent images as would give an equally exact rate: fewer than there are, because images of one identity are alike.",
    ),
    term("evaluation half", "Half B of the identities: its scores are quoted, and it has no part in choosing views."),
    term("features", "The numbers that a network, or a file, gives for an image at one layer."),
    term(
        "held out",
        "The score of a figure when the images that are scored were not in the projection's fit, but placed in it: one measure of robustness.",
    ),
    term(
        "identity",
        "Who or what is in an image, such as a person; halves, folds and intervals are over identities, and one identity is never divided.",
    ),
    term("inconclusive", "The evidence is too weak for a verdict after correcting for the number of tests."),
    term("inflated", "The view scores higher than its features do: part of what it shows is made by the projection."),
    term(
        "label noise",
        "The score of a figure when a given share of its labels is replaced at random: one measure of robustness.",
    ),
    term("layer", "The place in a network where features are read: layer1 to layer4, or embedding."),
    term("ledger", "The list of all cells with their ranks, and why each is shown or not."),
    term("linear probe", "A logistic regression on the features: what the features hold, whatever a view shows of them."),
    term("lost", "The view scores lower than its features do: the projection hides what the features hold."),
    term("map", "A two-dimensional picture by t-SNE or UMAP, whose axes have no meaning of their own."),
    term("nuisance", "What might explain a cluster instead of an attribute: background colour, brightness, sharpness, pose."),
    term("other settings", "The score of a figure when the projection's parameters are changed: one measure of robustness."),
    term(
        "over-adjusted",
        "Of an adjusted AUC: the nuisance that is held nearly is the attribute, so holding it takes away what is asked about.",
    ),
    term("positive", "An image of the class that a rate is about; the other images are negative."),
    term("prevalence", "The share of images that a query wants, among those whose labels say whether it does."),
    term("projection", "A method that maps features to few coordinates, such as PCA, ICA, t-SNE or UMAP."),
    term(
        "q",
        "The false discovery rate at which a test is significant (Benjamini and Hochberg): a p-value corrected for many tests.",
    ),
    term("re-projection", "The score of a figure when a subsample of identities is projected again: one measure of robustness."),
    term("reference", "The group with most images: gaps of the other groups are measured from it."),
    term("retained", "The share of an AUC above 0.5 that is left when the images are altered."),
    term("seed", "The number that all random choices of a study or a training follow from."),
    term("selection half", "Half A of the identities: views are chosen by their scores on it."),
    term("separates", "The corrected lower bound of the AUC on the evaluation half reaches the study's threshold."),
    term(
        "simultaneous",
        "The word of statistics for corrected: a bound or a test that holds for all cells tested together, by the distribution of \
         their largest score under permuted labels (max-T).",
    ),
    term("verification", "Deciding whether two images show the same identity, by the distance of their embeddings."),
    term(
        "verification set",
        "Given pairs of images that each network is asked of, whether they show one identity, by the protocol of LFW.",
    ),
    term("view", "What one figure shows: one axis or two axes of a projection, or a map."),
    term(
        "worst served",
        "Of groups: the one in which a model's probe tells the classes worst, by its AUC, among groups with enough images of both classes.",
    ),
];

/// The words that a reader of a report needs first, in the order in which they explain each other.
pub const FIRST_WORDS: [&str; 13] = [
    "features",
    "layer",
    "projection",
    "view",
    "comparison",
    "cell",
    "identity",
    "selection half",
    "evaluation half",
    "AUC",
    "corrected",
    "separates",
    "above chance",
];

/// What is said of a word.
pub fn definition(word: &str) -> Option<&'static str> {
    GLOSSARY.iter().find(|of| of.word == word).map(|of| of.definition)
}

/// The glossary as `docs/glossary.md` has it.
pub fn markdown() -> String {
    let rows = GLOSSARY.iter().map(|of| format!("| {} | {} |\n", of.word, of.definition));
    format!(
        "# Glossary\n\nWritten from `core/src/domain/glossary.rs`; `VISAVIS_BLESS=1 cargo test -p visavis-core glossary` writes it anew.\n\n\
         | word | meaning |\n|---|---|\n{}",
        rows.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_each_is_there_once() {
        for pair in GLOSSARY.windows(2) {
            assert!(pair[0].word.to_lowercase() < pair[1].word.to_lowercase(), "{} before {}", pair[0].word, pair[1].word);
        }
    }

    #[test]
    fn the_first_words_are_words_of_the_glossary() {
        for word in FIRST_WORDS {
            assert!(definition(word).is_some(), "{word}");
        }
    }

    #[test]
    fn a_definition_is_one_sentence() {
        for Term { word, definition } in GLOSSARY {
            let inner = definition.strip_suffix('.').unwrap_or_else(|| panic!("{word}: no full stop"));
            assert!(!inner.contains(". ") && !definition.contains("  "), "{word}: {definition}");
            assert!(definition.chars().next().is_some_and(char::is_uppercase), "{word}: {definition}");
        }
    }

    #[test]
    fn the_document_is_written_from_here() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/glossary.md");
        if std::env::var_os("VISAVIS_BLESS").is_some() {
            std::fs::write(&file, markdown()).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(written == markdown(), "docs/glossary.md is not as its source: run with VISAVIS_BLESS=1");
    }

    #[test]
    fn a_word_is_found() {
        assert!(definition("selection half").is_some_and(|of| of.contains("Half A")) && definition("told").is_none());
    }
}
