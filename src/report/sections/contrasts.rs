//! Two sides of a contrast on the same images: what is higher, what is lower, what is inconclusive.

use super::Section;
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, OutputSource},
        phrase::Phrase,
        source::{MadeElsewhere, ReportSource},
        words::{self, list},
    },
    study::{OnSharedCrop, Seen},
};
use serde::Serialize;
use visavis_core::domain::{
    claim::NumberForm,
    index::ComparisonIx,
    score::Estimate,
    simultaneous::{DISCOVERY, Difference, DifferenceVerdict, Interaction},
};

#[derive(Serialize)]
pub(crate) struct Contrasts {
    contrasts: Vec<Contrast>,
}

#[derive(Serialize)]
struct Contrast {
    name: String,
    /// Another contrast holds pairs with this baseline, too.
    has_others: bool,
    pairs: Vec<Pair>,
}

#[derive(Serialize)]
struct Pair {
    left: String,
    right: String,
    /// `higher on …; lower on …`, of the right side.
    verdict: Phrase,
    attribution: String,
    /// Comparisons on which scores differ and neither side is above chance.
    neither: Option<Phrase>,
    rows: Vec<DifferenceRow>,
    interactions: Vec<InteractionRow>,
    elsewhere: MadeElsewhere,
    /// Where crops differ, or may.
    crops: Option<PairCrops>,
    /// The same comparisons on a shared crop, where crops differ.
    shared: Option<OnShared>,
}

/// What is said of the crops of two sides.
#[derive(Serialize)]
struct PairCrops {
    phrase: Phrase,
    /// They are known to differ, and what they are.
    are_known: bool,
    /// They are to be scored on a shared crop, and were not yet.
    is_to_come: bool,
}

#[derive(Serialize)]
struct OnShared {
    /// Which crop it is.
    crop: String,
    verdict: Phrase,
    rows: Vec<DifferenceRow>,
}

#[derive(Serialize)]
struct DifferenceRow {
    comparison: Phrase,
    left: ClaimId,
    right: ClaimId,
    difference: EstimateClaims,
    q: ClaimId,
    /// Less the difference of the probes.
    beyond: Option<EstimateClaims>,
    is_shown: bool,
    verdict: &'static str,
}

#[derive(Serialize)]
struct InteractionRow {
    within: String,
    whole: String,
    difference: EstimateClaims,
    q: ClaimId,
    is_shown: bool,
}

/// What is said of a pair of sides in the summary.
#[derive(Serialize)]
pub(crate) struct PairVerdict {
    left: String,
    right: String,
    verdict: Phrase,
}

impl Section for Contrasts {
    const ANCHOR: &'static str = "contrasts";
    const TITLE: &'static str = "Model against model";
    const TEMPLATE: &'static str = "contrasts.html";
}

impl Contrasts {
    /// `None` where no two sides have a comparison in common.
    pub(crate) fn of(source: &ReportSource) -> Option<Self> {
        let mut contrasts: Vec<(usize, Contrast)> = Vec::new();
        for (place, held) in source.outcome.held.iter().enumerate() {
            let Some(pair) = Pair::of(source, place) else { continue };
            match contrasts.iter_mut().find(|(contrast, _)| *contrast == held.contrast) {
                Some((_, contrast)) => contrast.pairs.push(pair),
                None => {
                    let name = source.study().contrasts[held.contrast].name().to_owned();
                    contrasts.push((held.contrast, Contrast { name, pairs: vec![pair], has_others: false }));
                }
            }
        }
        let contrasts: Vec<Contrast> = contrasts
            .into_iter()
            .map(|(place, contrast)| Contrast {
                has_others: source.outcome.held.iter().any(|held| held.contrast != place && source.outcome.is_of(held, place)),
                ..contrast
            })
            .collect();
        (!contrasts.is_empty()).then_some(Contrasts { contrasts })
    }

    /// How many pairs of sides there are.
    pub(crate) fn pairs(&self) -> usize {
        self.contrasts.iter().map(|contrast| contrast.pairs.len()).sum()
    }

    /// The verdicts on the first pairs, in the order of the study.
    pub(crate) fn verdicts(&self, at_most: usize) -> Vec<PairVerdict> {
        let pairs = self.contrasts.iter().flat_map(|contrast| &contrast.pairs).take(at_most);
        let verdict =
            |pair: &Pair| PairVerdict { left: pair.left.clone(), right: pair.right.clone(), verdict: pair.verdict.clone() };
        pairs.map(verdict).collect()
    }
}

impl Pair {
    fn of(source: &ReportSource, place: usize) -> Option<Self> {
        let (outcome, study) = (source.outcome, source.study());
        let held = &outcome.held[place];
        let all = outcome.grid.differences.iter().enumerate().filter(|(_, of)| of.held == place);
        let differences: Vec<(usize, &Difference)> = all.collect();
        if differences.is_empty() {
            return None;
        }
        let (left, right) = (source.names().side(&held.left).to_owned(), source.names().side(&held.right).to_owned());
        let output = |comparison: ComparisonIx| source.difference_output(held, comparison);
        let names = |verdict: DifferenceVerdict| -> Vec<Phrase> {
            let judged_so = differences.iter().filter(|(at, _)| outcome.verdicts[*at] == verdict);
            judged_so.map(|(_, of)| Phrase::name(&study.comparisons[of.comparison].name)).collect()
        };
        let neither = names(DifferenceVerdict::Neither);
        let differs: Vec<String> = held.differences(study).iter().map(|factor| factor.replace('_', " ")).collect();
        let row =
            |&(at, of): &(usize, &Difference)| DifferenceRow::of(source, &output(of.comparison), at, of, outcome.verdicts[at]);
        let shared = OnShared::of(source, place);
        let interactions = outcome.grid.interactions.iter().enumerate().filter(|(_, of)| of.held == place);
        let interaction = |(at, of): (usize, &Interaction)| InteractionRow::of(source, &output(of.within), at, of);
        Some(Pair {
            verdict: words::contrast(&names(DifferenceVerdict::Higher), &names(DifferenceVerdict::Lower)),
            attribution: words::attribution(&differs, held.has_trainings()),
            crops: PairCrops::of(OnSharedCrop::of(held, study), shared.is_some()),
            neither: (!neither.is_empty()).then(|| list(&neither)),
            rows: differences.iter().map(row).collect(),
            interactions: interactions.map(interaction).collect(),
            elsewhere: source.made_elsewhere(held.left.iter().chain(&held.right).copied()),
            shared,
            left,
            right,
        })
    }
}

impl PairCrops {
    fn of(crops: OnSharedCrop, is_scored: bool) -> Option<Self> {
        Some(PairCrops {
            phrase: crops.in_pieces()?.into_iter().collect(),
            are_known: !matches!(crops, OnSharedCrop::Given { .. }),
            is_to_come: crops.shared().is_some() && !is_scored,
        })
    }
}

impl OnShared {
    /// `None` where crops do not differ, or its scores are not there.
    fn of(source: &ReportSource, place: usize) -> Option<Self> {
        let (outcome, study, held) = (source.outcome, source.study(), &source.outcome.held[place]);
        let crop = OnSharedCrop::of(held, study).shared()?.to_string();
        let tests = outcome.shared_crops.tests.as_ref()?;
        let differences: Vec<(usize, &Difference, DifferenceVerdict)> = outcome.shared_crops.differences(place).collect();
        let names = |wanted: DifferenceVerdict| -> Vec<Phrase> {
            let judged_so = differences.iter().filter(|(.., verdict)| *verdict == wanted);
            judged_so.map(|(_, of, _)| Phrase::name(&study.comparisons[of.comparison].name)).collect()
        };
        let [left, right] = [&held.left, &held.right].map(|side| source.names().side(side));
        let output = |of: ComparisonIx| {
            source.output(tests, format!("{left} → {right} on the crop {crop} · {}", study.comparisons[of].name))
        };
        let row = |&(at, of, verdict): &(usize, &Difference, DifferenceVerdict)| {
            let mut row = DifferenceRow::of(source, &output(of.comparison), at, of, verdict);
            // The shared crop is one side's own: what that side does not see, none does.
            let models = held.left.iter().chain(&held.right);
            let mut seen = models.filter_map(|model| outcome.visibility.of(*model, of.comparison));
            if let Some(mark) = seen.find_map(Seen::mark_in_pieces) {
                row.comparison = row.comparison + " (" + Phrase::from_iter(mark) + ")";
            }
            row
        };
        (!differences.is_empty()).then(|| OnShared {
            verdict: words::contrast(&names(DifferenceVerdict::Higher), &names(DifferenceVerdict::Lower)),
            rows: differences.iter().map(row).collect(),
            crop: crop.clone(),
        })
    }
}

impl DifferenceRow {
    fn of(source: &ReportSource, output: &OutputSource, place: usize, of: &Difference, verdict: DifferenceVerdict) -> Self {
        let at = |field: &str| format!("/differences/{place}/{field}");
        let score = |field: &str, what: &str, value: f64| source.claims.enter(output, &at(field), what, NumberForm::Score, value);
        let difference =
            |field: &str, what: &str, of: Estimate| source.claims.estimate(output, &at(field), what, NumberForm::Difference, of);
        DifferenceRow {
            comparison: Phrase::name(&source.study().comparisons[of.comparison].name),
            left: score("left", "AUC of the left side on the evaluation half", of.left),
            right: score("right", "AUC of the right side on the evaluation half", of.right),
            difference: difference("difference", "right less left", of.difference),
            q: score("q", "false discovery rate", of.q),
            beyond: of.beyond.map(|of| difference("beyond", "right less left, less the difference of the probes", of)),
            is_shown: of.is_shown(),
            verdict: verdict.word(),
        }
    }
}

impl InteractionRow {
    fn of(source: &ReportSource, output: &OutputSource, place: usize, of: &Interaction) -> Self {
        let at = |field: &str| format!("/interactions/{place}/{field}");
        let name = |comparison: ComparisonIx| source.study().comparisons[comparison].name.clone();
        InteractionRow {
            within: name(of.within),
            whole: name(of.whole),
            difference: source.claims.estimate(
                output,
                &at("difference"),
                "subset less all images",
                NumberForm::Difference,
                of.difference,
            ),
            q: source.claims.enter(output, &at("q"), "false discovery rate", NumberForm::Score, of.q),
            is_shown: of.q <= DISCOVERY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn a_pair_says_which_side_is_higher_on_what_and_of_what_that_may_be_said() {
        let text = Fixture::new().text(Contrasts::of);
        for sentence in [
            "pixels → blocks: lower on zero or one.",
            "One side has fewer than three trainings, so a difference says nothing about its cause.",
            "zero or one 0.900 0.700 −0.200 (−0.250 to −0.150) 0.010 undefined lower",
            "even or odd 0.520 0.510 −0.010 (−0.060 to +0.040) 0.800 undefined inconclusive",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }

    #[test]
    fn without_a_contrast_there_is_no_section() {
        let mut fixture = Fixture::new();
        fixture.grid.differences.clear();
        assert_eq!(fixture.text(Contrasts::of), "");
    }
}
