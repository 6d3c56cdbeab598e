//! What the two sides of contrasts attend to, held against each other: of what both know, the share that each loses without a cue.

use crate::{
    report::{
        claims::{ClaimId, EstimateClaims},
        source::ReportSource,
    },
    study::Sourced,
};
use serde::Serialize;
use visavis_core::domain::{
    attention::{AttentionContrasts, AttentionDifference},
    claim::NumberForm,
};

/// A pair of sides and a cue.
#[derive(Serialize)]
pub(crate) struct AttentionRow {
    pub left: String,
    pub right: String,
    pub cue: &'static str,
    /// What each side loses.
    left_lost: ClaimId,
    right_lost: ClaimId,
    /// Right less left.
    pub difference: EstimateClaims,
    pub q: ClaimId,
    /// Comparisons that both sides know.
    counted: ClaimId,
    is_shown: bool,
    /// Of the right side.
    verdict: &'static str,
}

impl AttentionRow {
    /// Of every pair of sides and cue.
    pub(crate) fn all(source: &ReportSource, attention: &Sourced<AttentionContrasts>) -> Vec<Self> {
        let pairs = attention.value.contrasts.iter().enumerate();
        let at = pairs.flat_map(|(place, pair)| (0..pair.cues.len()).map(move |cue| [place, cue]));
        at.map(|at| AttentionRow::of(source, attention, at)).collect()
    }

    /// `at`: places of the pair of sides, and of the cue.
    pub(crate) fn of(source: &ReportSource, attention: &Sourced<AttentionContrasts>, at: [usize; 2]) -> Self {
        let [place, cue] = at;
        let pair = &attention.value.contrasts[place];
        let (of, held) = (&pair.cues[cue], &source.outcome.held[pair.held]);
        let [left, right] = [&held.left, &held.right].map(|side| source.names().side(side).to_owned());
        let output = source.output(attention, format!("{left} → {right}, without {}", of.cue));
        let pointer = |field: &str| format!("/contrasts/{place}/cues/{cue}/{field}");
        let number =
            |field: &str, what: &str, value| source.claims.enter(&output, &pointer(field), what, NumberForm::Score, value);
        AttentionRow {
            cue: of.cue.word(),
            left_lost: number("left", "lost by the left side", of.left),
            right_lost: number("right", "lost by the right side", of.right),
            difference: source.claims.estimate(
                &output,
                &pointer("difference"),
                "right less left",
                NumberForm::Difference,
                of.difference,
            ),
            q: number("q", "false discovery rate", of.q),
            counted: source.claims.count(
                &output,
                &format!("/contrasts/{place}/counted"),
                "comparisons that both sides know",
                pair.counted,
            ),
            is_shown: of.is_shown(),
            verdict: verdict(of),
            left,
            right,
        }
    }
}

fn verdict(of: &AttentionDifference) -> &'static str {
    match (of.is_shown(), of.difference.value > 0.0) {
        (false, _) => "inconclusive",
        (true, true) => "attends more to it",
        (true, false) => "attends less to it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{claims::Claims, fixture::Fixture};
    use visavis_core::domain::{
        alteration::{Alteration, Cue},
        attention::AttentionContrast,
        index::ModelIx,
        score::Estimate,
        stage::ContrastAttention,
    };

    fn difference(value: f64, q: f64) -> AttentionDifference {
        let difference = Estimate::new(value, value - 0.1, value + 0.1);
        AttentionDifference { cue: Cue::Colour, by: Alteration::Grey, left: 0.2, right: 0.2 + value, difference, p: q, q }
    }

    #[test]
    fn who_attends_more_is_said_of_the_right_side_and_only_where_it_is_shown() {
        assert_eq!(verdict(&difference(0.3, 0.01)), "attends more to it");
        assert_eq!(verdict(&difference(-0.3, 0.01)), "attends less to it");
        assert_eq!(verdict(&difference(0.3, 0.2)), "inconclusive");
        let fixture = Fixture::new();
        let value = AttentionContrasts {
            format: 1,
            contrasts: vec![AttentionContrast {
                held: 0,
                models: vec![ModelIx(0), ModelIx(1)],
                questions: vec![1],
                counted: 1,
                left_out: 1,
                cues: vec![difference(0.3, 0.01)],
            }],
        };
        let attention = Sourced { key: "a".repeat(64).parse().unwrap(), output: ContrastAttention::ATTENTION, value };
        let (outcome, claims) = (fixture.outcome(), Claims::default());
        let row = AttentionRow::all(&ReportSource { outcome: &outcome, claims: &claims }, &attention).remove(0);
        assert_eq!([&row.left, &row.right], ["pixels", "blocks"]);
        assert_eq!((row.cue, row.verdict, row.is_shown), ("colour", "attends more to it", true));
    }
}
