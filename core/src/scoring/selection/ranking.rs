//! The rule that picks figures, and the ledger that records it.
//!
//! For every model and comparison the view that is best on half A is chosen. Chosen views are picked in the order of their score on A, if
//! their lower bound on half B, simultaneous over the chosen views, reaches `separates_at`. Text quotes B. Of all ranked cells the
//! median, the worst and one drawn by the seed are shown too.

use crate::{
    domain::{
        index::{ComparisonIx, ModelIx, ProjectionIx},
        ledger::{Candidate, CellId, Ledger, LedgerRow, ModelStanding, ProjectionStanding, ShownAs},
        score::TOO_FEW,
        simultaneous::{CellTest, SimultaneousTests},
        text::count,
    },
    numeric::{PhiloxStream, Purpose, sum},
};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// The ledger of all candidates: ranks, reasons, and which are shown. `tests`: of every ranked cell; `show`: how many are picked at most.
pub fn ledger(candidates: Vec<Candidate>, tests: &SimultaneousTests, separates_at: f64, show: usize, seed: u64) -> Ledger {
    let chosen: BTreeSet<CellId> = chosen(&candidates).into_iter().collect();
    let test_of: BTreeMap<CellId, &CellTest> = tests.cells.iter().map(|test| (test.cell, test)).collect();
    let row = |candidate: Candidate| {
        let low = test_of.get(&candidate.cell).map(|test| test.claimed().low).filter(|_| unrankable(&candidate).is_none());
        let chosen = chosen.contains(&candidate.cell);
        LedgerRow { candidate, rank: None, picked: false, chosen, low, shown_as: vec![], reason: String::new() }
    };
    let mut rows: Vec<LedgerRow> = candidates.into_iter().map(row).collect();
    let mut ranked: Vec<usize> = (0..rows.len()).filter(|&i| unrankable(&rows[i].candidate).is_none()).collect();
    ranked.sort_by(|&i, &j| order(&rows[i].candidate, &rows[j].candidate));

    ranked.iter().enumerate().for_each(|(index, &i)| rows[i].rank = Some(index + 1));
    let low = |row: &LedgerRow| row.low.unwrap_or(f64::NEG_INFINITY);
    let passing: Vec<usize> = ranked.iter().copied().filter(|&i| rows[i].chosen && low(&rows[i]) >= separates_at).collect();
    for &i in passing.iter().take(show) {
        rows[i].picked = true;
        rows[i].shown_as.push(ShownAs::Best);
    }
    if show > 0 && !ranked.is_empty() {
        let drawn = PhiloxStream::new(seed, Purpose::RandomFigure, 0).below(ranked.len() as u64) as usize;
        for (shown_as, index) in
            [(ShownAs::Median, (ranked.len() - 1) / 2), (ShownAs::Worst, ranked.len() - 1), (ShownAs::Random, drawn)]
        {
            rows[ranked[index]].shown_as.push(shown_as);
        }
    }
    for row in &mut rows {
        row.reason = reason(row, low(row) >= separates_at, tests.chosen.cells);
    }
    let mut standings: BTreeMap<ModelIx, ModelStanding> = BTreeMap::new();
    for row in &rows {
        let model = row.candidate.cell.model;
        let standing = standings.entry(model).or_insert(ModelStanding { model, ..ModelStanding::default() });
        standing.compared += usize::from(row.chosen);
        standing.separates += usize::from(row.chosen && low(row) >= separates_at);
    }
    let optimism: Vec<f64> =
        rows.iter().filter(|row| row.chosen).filter_map(|row| Some(row.candidate.a?.value - row.candidate.b?.value)).collect();
    Ledger {
        format: 1,
        cells: rows.len(),
        ranked: ranked.len(),
        unranked: rows.len() - ranked.len(),
        picked: rows.iter().filter(|row| row.picked).count(),
        optimism: (!optimism.is_empty()).then(|| sum::mean(&optimism)),
        projections: projections(&rows, |row| test_of.get(&row.candidate.cell).is_some_and(|test| test.all.low >= separates_at)),
        standings: standings.into_values().collect(),
        rows,
    }
}

/// Each projection by its own best view on half A, per model and comparison. These are not the chosen views, so `separates` is simultaneous
/// over all cells, and no projection has an advantage.
fn projections(rows: &[LedgerRow], separates: impl Fn(&LedgerRow) -> bool) -> Vec<ProjectionStanding> {
    let mut best: BTreeMap<(ProjectionIx, ModelIx, ComparisonIx), &LedgerRow> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.rank.is_some()) {
        let cell = row.candidate.cell;
        let leader = best.entry((cell.projection, cell.model, cell.comparison)).or_insert(row);
        if row.rank < leader.rank {
            *leader = row;
        }
    }
    let projections: BTreeSet<ProjectionIx> = best.keys().map(|(projection, ..)| *projection).collect();
    let standing = |&projection: &ProjectionIx| {
        let own = best.iter().filter(|((of, ..), _)| *of == projection);
        let fails = |other: ProjectionIx, (_, model, comparison): &(ProjectionIx, ModelIx, ComparisonIx)| {
            best.get(&(other, *model, *comparison)).is_some_and(|row| !separates(row))
        };
        ProjectionStanding {
            projection,
            compared: own.clone().count(),
            separates: own.clone().filter(|(_, row)| separates(row)).count(),
            rescues: (0..=projections.last().copied().map_or(0, usize::from))
                .map(ProjectionIx::from)
                .map(|other| own.clone().filter(|(key, row)| separates(row) && fails(other, key)).count())
                .collect(),
        }
    };
    projections.iter().map(standing).collect()
}

/// Per model and comparison the ranked view that is best on half A; ties go to the first.
pub fn chosen(candidates: &[Candidate]) -> Vec<CellId> {
    let mut best: BTreeMap<(ModelIx, ComparisonIx), &Candidate> = BTreeMap::new();
    for candidate in candidates.iter().filter(|candidate| unrankable(candidate).is_none()) {
        let key = (candidate.cell.model, candidate.cell.comparison);
        let leader = best.entry(key).or_insert(candidate);
        if order(candidate, leader) == Ordering::Less {
            *leader = candidate;
        }
    }
    best.into_values().map(|candidate| candidate.cell).collect()
}

/// Best on half A first.
fn order(a: &Candidate, b: &Candidate) -> Ordering {
    let score = |candidate: &Candidate| candidate.a.map_or(f64::NEG_INFINITY, |a| a.value);
    score(b).total_cmp(&score(a)).then(a.cell.cmp(&b.cell))
}

/// Why a candidate is not ranked; `None` if it is.
pub fn unrankable(candidate: &Candidate) -> Option<String> {
    match (&candidate.unranked, candidate.a, candidate.b) {
        (Some(why), ..) => Some(why.clone()),
        (None, None, _) => Some("undefined: the projection has no such axis, or a class has no image of its own".into()),
        (None, _, None) => Some("undefined on half B".into()),
        (None, Some(_), Some(b)) if b.interval.is_none() => Some(format!("{TOO_FEW} on half B")),
        (None, Some(_), Some(_)) => None,
    }
}

/// What the ledger says of a row. `chosen`: the number of chosen cells.
fn reason(row: &LedgerRow, separates: bool, chosen: usize) -> String {
    if let Some(why) = unrankable(&row.candidate) {
        return format!("not ranked: {why}");
    }
    let standing = match (row.picked, row.chosen, separates) {
        (true, ..) => "picked: separates on half B".to_owned(),
        (false, false, _) => "another view of its model is better at this comparison on half A".to_owned(),
        (false, true, false) => {
            format!(
                "left out: its lower bound on half B, beside the {} that half A chose, is below the mark",
                count(chosen, "cell")
            )
        }
        (false, true, true) => "left out: separates, but there are enough better ones".to_owned(),
    };
    let also_shown: Vec<&str> = row.shown_as.iter().filter(|shown| **shown != ShownAs::Best).map(|shown| shown.word()).collect();
    if also_shown.is_empty() { standing } else { format!("{standing}; shown as the {}", also_shown.join(" and the ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::index::LayerIx;
    use crate::domain::{
        projection::View,
        score::Estimate,
        simultaneous::{Detectable, Family, Familywise},
    };

    fn candidate(model: ModelIx, axis: usize, a: f64, low_b: f64) -> Candidate {
        let cell =
            CellId { model, layer: LayerIx(0), projection: ProjectionIx(0), view: View::Axis(axis), comparison: ComparisonIx(0) };
        let estimate = |value: f64, low| Some(Estimate::new(value, low, 1.0));
        Candidate { cell, a: estimate(a, 0.0), b: estimate(a - 0.02, low_b), unranked: None }
    }

    /// As if every cell were tested by itself.
    fn ranked(candidates: Vec<Candidate>) -> Ledger {
        let best = chosen(&candidates);
        let test = |of: &Candidate| {
            let own = Familywise { adjusted: 1.0, low: of.b.and_then(Estimate::low).unwrap_or(0.0) };
            // The bound that is simultaneous over all cells is lower.
            let all = Familywise { low: own.low - 0.1, ..own };
            CellTest { cell: of.cell, z: 0.0, p: 1.0, q: 1.0, all, chosen: best.contains(&of.cell).then_some(own) }
        };
        let tests = SimultaneousTests {
            format: 1,
            permutations: 0,
            chosen: Family { cells: best.len(), critical: None },
            all: Family { cells: candidates.len(), critical: None },
            cells: candidates.iter().map(test).collect(),
            differences: vec![],
            interactions: vec![],
            beside: vec![],
            detectable: Detectable::default(),
        };
        ledger(candidates, &tests, 0.7, 12, 1)
    }

    #[test]
    fn the_best_view_on_a_is_picked_if_b_separates() {
        let ledger =
            ranked(vec![candidate(0.into(), 1, 0.8, 0.75), candidate(0.into(), 2, 0.9, 0.72), candidate(1.into(), 1, 0.95, 0.6)]);
        assert_eq!(ledger.rows.iter().map(|row| row.rank).collect::<Vec<_>>(), [Some(3), Some(2), Some(1)]);
        assert_eq!(ledger.rows.iter().map(|row| row.picked).collect::<Vec<_>>(), [false, true, false]);
        assert!((ledger.optimism.unwrap() - 0.02).abs() < 1e-12);
        assert!(ledger.rows[2].reason.starts_with("left out: its lower bound on half B, beside the 2 cells that half A chose"));
        assert!(ledger.rows[0].shown_as.contains(&ShownAs::Worst));
    }

    #[test]
    fn noise_picks_nothing_and_the_ledger_says_why() {
        let ledger = ranked((0..9).map(|axis| candidate(0.into(), axis, 0.5, 0.4)).collect());
        assert_eq!(ledger.picked, 0);
        assert!(ledger.rows.iter().all(|row| !row.reason.is_empty()));
    }

    #[test]
    fn cells_that_half_a_did_not_choose_and_projections_have_bounds_over_all_cells() {
        let ledger = ranked(vec![candidate(0.into(), 1, 0.8, 0.75), candidate(0.into(), 2, 0.9, 0.75)]);
        let lows: Vec<f64> = ledger.rows.iter().filter_map(|row| row.low).collect();
        assert!((lows[0] - 0.65).abs() < 1e-12 && lows[1] == 0.75, "{lows:?}");
        // The chosen view separates among the chosen ones; among all it does not, and nor does its projection.
        assert_eq!((ledger.standings[0].separates, ledger.projections[0].separates), (1, 0));
    }

    #[test]
    fn a_score_without_an_interval_is_not_ranked() {
        let without_interval = Candidate { b: Some(Estimate::bare(1.0)), ..candidate(0.into(), 1, 1.0, 0.9) };
        let ledger = ranked(vec![without_interval]);
        assert_eq!((ledger.ranked, ledger.rows[0].low), (0, None));
        assert!(ledger.rows[0].reason.starts_with("not ranked: too few to say"), "{}", ledger.rows[0].reason);
    }

    #[test]
    fn no_candidates_make_an_empty_ledger() {
        assert_eq!(ranked(vec![]).cells, 0);
    }
}
