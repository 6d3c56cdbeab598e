//! Verdicts and lists in the words of the report's sentences.

use crate::study::CellVerdict;
use visavis_core::domain::score::{Estimate, Interval};

/// `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [some @ .., last] => {
            let some: Vec<&str> = some.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", some.join(", "), last.as_ref())
        }
    }
}

/// `a, b and others`: no more than so many names.
pub(crate) fn list_of_some<T: AsRef<str>>(names: &[T], at_most: usize) -> String {
    if names.len() <= at_most {
        return list(names);
    }
    let some: Vec<&str> = names[..at_most].iter().map(AsRef::as_ref).collect();
    format!("{} and others", some.join(", "))
}

/// The text with a capital letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Why a probe was not fitted again with weights, in plain words. A result names the class by its place.
pub(crate) fn refusal_of_reweighing(reason: &str, classes: &[String]) -> String {
    let group = |start: &str, end: &str| reason.strip_prefix(start)?.strip_suffix(end);
    let first = classes.first().map_or("the first class", String::as_str);
    let second = if let [_, second] = classes { second } else { "the other classes" };
    if let Some(group) = group("nobody of ", " is in the first class") {
        format!("the group {group} has no image of {first}")
    } else if let Some(group) = group("nobody of ", " is in the second class") {
        format!("the group {group} has no image of {second}")
    } else if let Some(group) = group("", " has too few of the first class to say") {
        format!("the group {group} has fewer than thirty images of {first}")
    } else {
        reason.to_owned()
    }
}

/// The sign of a verdict in tables; nothing where it is inconclusive.
pub(crate) fn sign(verdict: CellVerdict) -> Option<&'static str> {
    match verdict {
        CellVerdict::Separates => Some("●"),
        CellVerdict::AboveChance => Some("○"),
        CellVerdict::Inconclusive => None,
    }
}

/// What was found of an attribute whose truth is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Detection {
    pub is_ranked: bool,
    /// Strokes of the synthetic faces show it.
    pub is_drawn: bool,
    /// It is drawn, or something drawn correlates with it.
    pub is_detectable: bool,
    /// By the chosen view of some model.
    pub separates: bool,
    pub is_above_chance: bool,
    /// By the best linear probe.
    pub by_probe: bool,
}

impl Detection {
    pub(crate) fn words(self) -> &'static str {
        let Detection { is_ranked, is_drawn, is_detectable, separates, is_above_chance, by_probe } = self;
        match (is_drawn, is_above_chance) {
            _ if !is_ranked => "not ranked",
            _ if !is_detectable && (is_above_chance || by_probe) => "false detection: nothing drawn correlates with it",
            (true, _) if separates => "separates",
            (true, true) => "above chance",
            (true, false) if by_probe => "detected by a probe only",
            (true, false) => "not detected",
            (false, true) => "not drawn; above chance through correlated attributes",
            (false, false) if by_probe => "not drawn; detected by a probe through correlated attributes",
            (false, false) => "not drawn; not detected",
        }
    }
}

/// The better side of a contrast, in the words of its heading.
pub(crate) fn contrast(higher: &[String], lower: &[String]) -> String {
    let some = |word: &str, names: &[String]| (!names.is_empty()).then(|| format!("{word} on {}", list(names)));
    let parts: Vec<String> = [some("higher", higher), some("lower", lower)].into_iter().flatten().collect();
    if parts.is_empty() { "inconclusive".to_owned() } else { parts.join("; ") }
}

/// What a difference between two sides may be called.
pub(crate) fn attribution(differs: &[String], names_factor: bool) -> String {
    if differs.is_empty() {
        return "The sides differ in nothing that the study names, so they may be the same model.".to_owned();
    }
    let what = list(differs);
    if names_factor {
        format!("The sides differ in {what}. Each side has several trainings, so a difference is attributed to {what}.")
    } else {
        format!(
            "The sides differ in {what}. One side has fewer than three trainings, so a difference says nothing about its cause."
        )
    }
}

/// A training accuracy from which on a model that verifies no better than a baseline is said to have learned its images only.
const HIGH_ACCURACY: f64 = 0.95;

/// A model's verification of new identities beside the best of what was not trained; nothing of too few.
pub(crate) fn verification(own: Estimate, baseline: (&str, Estimate), accuracy: Option<f64>) -> Option<String> {
    let (name, baseline) = baseline;
    let (Interval { low, high }, of) = (own.interval?, baseline.interval?);
    Some(if low > of.high {
        format!("better than {name}")
    } else if accuracy.is_some_and(|accuracy| accuracy >= HIGH_ACCURACY) {
        format!("memorised: high training accuracy, no gain over {name} shown on new identities")
    } else if high < of.low {
        format!("worse than {name}")
    } else {
        format!("inconclusive against {name}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!((list::<&str>(&[]), list(&["a"]), list(&["a", "b", "c"])), (String::new(), "a".into(), "a, b and c".into()));
        assert_eq!(list_of_some(&["a", "b", "c"], 2), "a, b and others");
        assert_eq!(list_of_some(&["a", "b"], 2), "a and b");
    }

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(
            (sentence("not picked: x"), sentence("élan"), sentence("")),
            ("Not picked: x".into(), "Élan".into(), String::new())
        );
    }

    #[test]
    fn a_refusal_of_reweighing_has_one_cause_and_names_the_class() {
        let classes = ["Zero", "One"].map(str::to_owned);
        let worded = |reason: &str| refusal_of_reweighing(reason, &classes);
        assert_eq!(worded("nobody of even = 0 is in the first class"), "the group even = 0 has no image of Zero");
        assert_eq!(worded("nobody of even = 1 is in the second class"), "the group even = 1 has no image of One");
        assert_eq!(
            worded("bold = 0 has too few of the first class to say"),
            "the group bold = 0 has fewer than thirty images of Zero"
        );
        assert_eq!(worded("as it is"), "as it is");
    }

    #[test]
    fn only_what_is_shown_has_a_sign() {
        assert_eq!(
            [CellVerdict::Separates, CellVerdict::AboveChance, CellVerdict::Inconclusive].map(sign),
            [Some("●"), Some("○"), None]
        );
    }

    #[test]
    fn what_is_drawn_and_found_is_told_from_what_is_found_through_something_else() {
        let drawn = Detection { is_ranked: true, is_drawn: true, is_detectable: true, ..Detection::default() };
        assert_eq!(drawn.words(), "not detected");
        assert_eq!(Detection { by_probe: true, ..drawn }.words(), "detected by a probe only");
        assert_eq!(Detection { is_above_chance: true, ..drawn }.words(), "above chance");
        assert_eq!(Detection { is_above_chance: true, separates: true, ..drawn }.words(), "separates");
        let undrawn = Detection { is_drawn: false, is_above_chance: true, ..drawn };
        assert_eq!(undrawn.words(), "not drawn; above chance through correlated attributes");
        assert_eq!(Detection { is_detectable: false, ..undrawn }.words(), "false detection: nothing drawn correlates with it");
        assert_eq!(Detection::default().words(), "not ranked");
    }

    #[test]
    fn a_contrast_without_a_difference_is_inconclusive() {
        let name = |name: &str| vec![name.to_owned()];
        assert_eq!(contrast(&name("hat"), &name("smile")), "higher on hat; lower on smile");
        assert_eq!(contrast(&[], &name("smile")), "lower on smile");
        assert_eq!(contrast(&[], &[]), "inconclusive");
    }

    #[test]
    fn only_several_trainings_name_a_factor() {
        let loss = ["loss".to_owned()];
        assert!(attribution(&loss, true).ends_with("a difference is attributed to loss."));
        assert!(attribution(&loss, false).contains("fewer than three trainings"));
        assert!(attribution(&[], false).starts_with("The sides differ in nothing that the study names"));
    }

    #[test]
    fn verification_is_judged_by_intervals_that_do_not_overlap() {
        let pixels = ("pixels", Estimate::new(0.65, 0.6, 0.7));
        let judged = |low: f64, high: f64, accuracy| verification(Estimate::new(0.6, low, high), pixels, accuracy).unwrap();
        assert_eq!(judged(0.8, 0.95, Some(0.99)), "better than pixels");
        assert_eq!(judged(0.5, 0.58, None), "worse than pixels");
        assert_eq!(judged(0.55, 0.65, Some(0.5)), "inconclusive against pixels");
        assert!(judged(0.55, 0.65, Some(0.99)).starts_with("memorised"));
        assert_eq!(verification(Estimate::bare(1.0), pixels, None), None);
    }
}
