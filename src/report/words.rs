//! Verdicts and lists in the words of the report's sentences.

use super::phrase::Phrase;
use crate::study::CellVerdict;
use visavis_core::domain::score::{Estimate, Interval};

/// `a, b and c`.
pub(crate) fn list(names: &[Phrase]) -> Phrase {
    match names {
        [some @ .., last] if !some.is_empty() => separated(some) + " and " + last.clone(),
        names => separated(names),
    }
}

/// `a, b and others`: no more than so many names.
pub(crate) fn list_of_some(names: &[Phrase], at_most: usize) -> Phrase {
    if names.len() <= at_most { list(names) } else { separated(&names[..at_most]) + " and others" }
}

fn separated(names: &[Phrase]) -> Phrase {
    names.iter().cloned().reduce(|some, name| some + ", " + name).unwrap_or_default()
}

/// `a, b and c`, of this program's own words.
pub(crate) fn list_of_words(words: &[&str]) -> String {
    match words {
        [some @ .., last] if !some.is_empty() => format!("{} and {last}", some.join(", ")),
        words => words.concat(),
    }
}

/// Why a probe was not fitted again with weights, in plain words. A result names the class by its place.
pub(crate) fn refusal_of_reweighing(reason: &str, classes: &[String]) -> Phrase {
    let group = |start: &str, end: &str| reason.strip_prefix(start)?.strip_suffix(end);
    let told = |group: &str, what: &str, class: Phrase| Phrase::words("the group ") + Phrase::name(group) + what + class;
    let first = || classes.first().map_or_else(|| Phrase::words("the first class"), |first| Phrase::name(first));
    let second = || if let [_, second] = classes { Phrase::name(second) } else { Phrase::words("the other classes") };
    if let Some(group) = group("nobody of ", " is in the first class") {
        told(group, " has no image of ", first())
    } else if let Some(group) = group("nobody of ", " is in the second class") {
        told(group, " has no image of ", second())
    } else if let Some(group) = group("", " has too few of the first class to say") {
        told(group, " has fewer than thirty images of ", first())
    } else {
        Phrase::words(reason)
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
pub(crate) fn contrast(higher: &[Phrase], lower: &[Phrase]) -> Phrase {
    let some = |word: &str, names: &[Phrase]| (!names.is_empty()).then(|| Phrase::words(word) + " on " + list(names));
    let parts = [some("higher", higher), some("lower", lower)].into_iter().flatten();
    parts.reduce(|one, other| one + "; " + other).unwrap_or_else(|| Phrase::words("inconclusive"))
}

/// What a difference between two sides may be called.
pub(crate) fn attribution(differs: &[String], has_trainings: bool) -> String {
    if differs.is_empty() {
        return "The sides differ in nothing that the study names, so they may be the same model.".to_owned();
    }
    let what = list_of_words(&differs.iter().map(String::as_str).collect::<Vec<_>>());
    if has_trainings && differs.len() > 1 {
        format!("The sides differ in {what}. Each side has several trainings; which of these makes a difference cannot be told.")
    } else if has_trainings {
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
pub(crate) fn verification(own: Estimate, baseline: (&str, Estimate), accuracy: Option<f64>) -> Option<Phrase> {
    let (name, baseline) = (Phrase::name(baseline.0), baseline.1);
    let (Interval { low, high }, of) = (own.interval?, baseline.interval?);
    Some(if low > of.high {
        Phrase::words("better than ") + name
    } else if accuracy.is_some_and(|accuracy| accuracy >= HIGH_ACCURACY) {
        Phrase::words("memorised: high training accuracy, no gain over ") + name + " shown on new identities"
    } else if high < of.low {
        Phrase::words("worse than ") + name
    } else {
        Phrase::words("inconclusive against ") + name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        let words = |words: &[&str]| words.iter().map(|word| Phrase::words(word)).collect::<Vec<_>>();
        for (of, listed) in [(&[][..], ""), (&["a"][..], "a"), (&["a", "b"][..], "a and b"), (&["a", "b", "c"][..], "a, b and c")]
        {
            assert_eq!((list(&words(of)), list_of_words(of)), (Phrase::words(listed), listed.to_owned()));
        }
        assert_eq!(list_of_some(&words(&["a", "b", "c"]), 2), Phrase::words("a, b and others"));
        assert_eq!(list_of_some(&words(&["a", "b"]), 2), Phrase::words("a and b"));
    }

    #[test]
    fn a_refusal_of_reweighing_has_one_cause_and_names_the_class() {
        let classes = ["Zero", "One"].map(str::to_owned);
        let worded = |reason: &str| refusal_of_reweighing(reason, &classes);
        let told =
            |group: &str, what: &str, class: &str| Phrase::words("the group ") + Phrase::name(group) + what + Phrase::name(class);
        assert_eq!(worded("nobody of even = 0 is in the first class"), told("even = 0", " has no image of ", "Zero"));
        assert_eq!(worded("nobody of even = 1 is in the second class"), told("even = 1", " has no image of ", "One"));
        assert_eq!(
            worded("bold = 0 has too few of the first class to say"),
            told("bold = 0", " has fewer than thirty images of ", "Zero")
        );
        assert_eq!(worded("as it is"), Phrase::words("as it is"));
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
        let name = |name: &str| vec![Phrase::words(name)];
        assert_eq!(contrast(&name("hat"), &name("smile")), Phrase::words("higher on hat; lower on smile"));
        assert_eq!(contrast(&[], &name("smile")), Phrase::words("lower on smile"));
        assert_eq!(contrast(&[], &[]), Phrase::words("inconclusive"));
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
        let named = || Phrase::name("pixels");
        assert_eq!(judged(0.8, 0.95, Some(0.99)), Phrase::words("better than ") + named());
        assert_eq!(judged(0.5, 0.58, None), Phrase::words("worse than ") + named());
        assert_eq!(judged(0.55, 0.65, Some(0.5)), Phrase::words("inconclusive against ") + named());
        let memorised = Phrase::words("memorised: high training accuracy, no gain over ");
        assert_eq!(judged(0.55, 0.65, Some(0.99)), memorised + named() + " shown on new identities");
        assert_eq!(verification(Estimate::bare(1.0), pixels, None), None);
    }
}
