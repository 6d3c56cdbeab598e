//! The ledger: every cell with its rank, and why it is shown or not.

use super::Section;
use crate::report::{
    claims::{ClaimId, EstimateClaims},
    phrase::Phrase,
    source::{Half, MadeElsewhere, ReportSource},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzEncoder};
use serde::Serialize;
use std::{io::Read, path::Path};

/// Rows that the page itself shows, and those that are picked; the table beside it holds all.
const MOST_ROWS: usize = 200;
/// Bytes from which on a table is compressed; smaller ones open in any program.
const LARGE_TABLE: usize = 200_000;

/// Where the strip of scores begins, and how wide it is.
const STRIP: (f64, f64) = (0.3, 1000.0);

#[derive(Serialize)]
pub(crate) struct LedgerSection {
    picked: ClaimId,
    ranked: ClaimId,
    /// More rows than the page shows.
    is_cut: bool,
    rows: Vec<LedgerRow>,
    /// Every ranked cell, at its score on the selection half.
    ticks: Vec<Tick>,
    /// Where the threshold is on the strip.
    threshold_at: i64,
    tables: Vec<Table>,
    /// As command lines name it.
    study_file: String,
    elsewhere: MadeElsewhere,
}

#[derive(Serialize)]
struct LedgerRow {
    rank: Option<ClaimId>,
    model: String,
    layer: String,
    view: Phrase,
    comparison: String,
    selection: Option<EstimateClaims>,
    evaluation: Option<EstimateClaims>,
    lower_bound: Option<ClaimId>,
    picked: bool,
    reason: Phrase,
}

#[derive(Serialize)]
struct Tick {
    x: i64,
    picked: bool,
}

/// A table that is handed out with the page.
#[derive(Serialize)]
pub(crate) struct Table {
    pub name: String,
    /// The same as it reads.
    pub shown: Phrase,
    /// Its bytes as an address.
    pub address: String,
}

impl Table {
    pub(crate) fn of(study: &str, what: &str, bytes: &[u8]) -> Self {
        let (end, kind, bytes) = match bytes.len() {
            ..LARGE_TABLE => ("csv", "text/csv", bytes.to_vec()),
            _ => ("csv.gz", "application/gzip", compressed(bytes)),
        };
        Table {
            name: format!("{study}-{what}.{end}"),
            shown: Phrase::name(study) + format!("-{what}.{end}").as_str(),
            address: format!("data:{kind};base64,{}", STANDARD.encode(bytes)),
        }
    }
}

/// By gzip, without a time.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut encoder = GzEncoder::new(bytes, Compression::best());
    encoder.read_to_end(&mut packed).expect("reading from memory does not fail");
    packed
}

impl Section for LedgerSection {
    const ANCHOR: &'static str = "ledger";
    const TITLE: &'static str = "Ledger";
    const TEMPLATE: &'static str = "ledger.html";
}

impl LedgerSection {
    pub(crate) fn of(source: &ReportSource, tables: Vec<Table>, study_file: &Path) -> Self {
        let ledger = &source.outcome.ledger;
        let count = |pointer: &str, what: &str, value| source.claims.count(&source.ledger_output(), pointer, what, value);
        let mut order: Vec<usize> = (0..ledger.rows.len()).collect();
        order.sort_by_key(|&row| (ledger.rows[row].rank.unwrap_or(usize::MAX), row));
        let shown = order.iter().enumerate().filter(|&(place, &row)| place < MOST_ROWS || ledger.rows[row].picked);
        let tick = |&row: &usize| {
            let ranked = &ledger.rows[row];
            ranked.rank.map(|_| Tick { x: ranked.candidate.a.map_or(0, |a| on_strip(a.value)), picked: ranked.picked })
        };
        LedgerSection {
            picked: count("/picked", "figures picked", ledger.picked),
            ranked: source.ranked_cells(),
            is_cut: ledger.rows.len() > MOST_ROWS,
            rows: shown.map(|(_, &row)| LedgerRow::of(source, row)).collect(),
            ticks: order.iter().filter_map(tick).collect(),
            threshold_at: on_strip(source.study().statistics.separates_at),
            tables,
            study_file: source.study_file(study_file),
            elsewhere: source.made_elsewhere(source.study().models.keys()),
        }
    }
}

impl LedgerRow {
    fn of(source: &ReportSource, row: usize) -> Self {
        let listed = &source.outcome.ledger.rows[row];
        let cell = &listed.candidate.cell;
        LedgerRow {
            rank: source.rank(row),
            model: source.model(cell),
            layer: source.layer(cell.model, cell.layer),
            view: source.view(cell),
            comparison: source.comparison(cell),
            selection: source.half(row, Half::Selection),
            evaluation: source.half(row, Half::Evaluation),
            lower_bound: source.lower_bound(row),
            picked: listed.picked,
            reason: source.outcome.reason_in_pieces(listed).into_iter().collect(),
        }
    }
}

/// The place of a score on the strip.
fn on_strip(score: f64) -> i64 {
    let (from, width) = STRIP;
    (width * ((score - from) / (1.0 - from)).clamp(0.0, 1.0)).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn a_row_says_why_its_cell_is_shown_or_not() {
        let text = Fixture::new().text(|source| Some(LedgerSection::of(source, vec![], Path::new("experiments/tiny.yaml"))));
        for sentence in [
            "All 4 ranked cells on one line. Each tick is a cell at its AUC on the selection half, from left to right; the 1 that the rule picks",
            "1 pixels embedding pca axis 1 zero or one 0.950 0.900 (0.850–0.950) 0.800 picked: separates",
            "pixels: not stated: detector, alignment, size, mean, scale, channels, flip, weights; blocks: not stated",
            "even or odd 0.560 0.510 (0.460–0.560) 0.450 not picked: the corrected lower bound is below the threshold",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }

    #[test]
    fn the_strip_begins_below_chance() {
        assert_eq!([0.0, 0.3, 0.65, 1.0].map(on_strip), [0, 0, 500, 1000]);
    }
}
