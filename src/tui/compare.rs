//! Models face to face: a table of scores, and two of them paired on the same images.

use super::{
    filter::Filter,
    table::{ScreenTable, TableValue, by_number},
};
use crate::study::matrix_snapshot::{Best, Board};
use std::collections::{BTreeSet, HashMap};
use visavis_core::domain::{
    contrast::ContrastSides,
    model::{Model, differences},
    score::Estimate,
    simultaneous::{Difference, DifferenceVerdict, Verdicts},
};

#[derive(Default)]
pub struct CompareState {
    pub cursor: usize,
    pub column: usize,
    pub sorted: Option<(usize, bool)>,
    pub hidden: BTreeSet<usize>,
    pub filter: String,
    pub table: ScreenTable,
    /// Rows as they are shown.
    pub order: Vec<usize>,
    /// By row: the models that are its trainings.
    pub families: Vec<Vec<usize>>,
    /// Only where two marked models differ.
    pub diff: bool,
}

pub const HEADS: [&str; 16] = [
    "model",
    "auc",
    "best",
    "best on",
    "separates",
    "probe",
    "features",
    "verification",
    "tar",
    "accuracy",
    "last",
    "seeds",
    "architecture",
    "loss",
    "trained on",
    "prepare",
];

/// Fields of a filter: the columns, and the comparisons that they are means over.
pub const FIELDS: [&str; HEADS.len() + 1] = {
    let mut fields = ["comparison"; HEADS.len() + 1];
    let mut at = 0;
    while at < HEADS.len() {
        fields[at] = HEADS[at];
        at += 1;
    }
    fields
};

/// What a column holds, in a line.
pub fn explained(column: usize) -> &'static str {
    match HEADS[column] {
        "auc" => {
            "mean over comparisons of the view that is best on half A, quoted on half B; over training seeds with its 95 % interval"
        }
        "best" => "of the comparison that is best on half A, quoted on half B",
        "best on" => "the comparison that is best on half A",
        "separates" => "comparisons whose bound beside all chosen cells reaches the mark",
        "probe" => "a linear probe of the features, mean over comparisons, half B",
        "features" => "nearest neighbours in the features, mean over comparisons, half B",
        "verification" => "are two pictures of the same person? AUC over pairs",
        "tar" => "pairs of one person accepted where one pair of two in a hundred is",
        "accuracy" => "on its training set, the best epoch's",
        "last" => "on its training set, the last epoch's",
        "seeds" => "trainings of the same recipe",
        _ => "",
    }
}

impl CompareState {
    /// Makes the table anew.
    pub fn rebuild(&mut self, board: &Board) {
        let filter = Filter::parse(&self.filter, &FIELDS).unwrap_or_default();
        // A comparison that the filter names restricts what scores are means of; it takes no model away.
        let (asked, filter) = (filter.only("comparison"), filter.without("comparison"));
        let named = |place: &usize| asked.holds("", &|_| TableValue::from(board.study.comparisons[*place].name.as_str()));
        let comparisons: Vec<usize> = (0..board.study.comparisons.len()).filter(named).collect();
        let best = best_by_model(board);
        self.families = board.trainings().into_values().collect();
        let rows = self.families.iter().map(|models| row(board, models, &comparisons, &best)).collect();
        self.table = ScreenTable { title: "models face to face".to_owned(), heads: HEADS.to_vec(), rows };
        let holds = |row: &usize| {
            let cells = &self.table.rows[*row];
            let field = |name: &str| match HEADS.iter().position(|head| *head == name) {
                Some(column) => cells[column].clone(),
                None => TableValue::Empty,
            };
            filter.holds(&cells[0].text(), &field)
        };
        let mut order: Vec<usize> = (0..self.table.rows.len()).filter(holds).collect();
        if let Some((column, least)) = self.sorted {
            let rows = &self.table.rows;
            order.sort_by(|&a, &b| {
                let (a, b) = (&rows[a][column], &rows[b][column]);
                by_number(a.number(), b.number(), least).then_with(|| a.text().cmp(&b.text()))
            });
        }
        self.order = order;
        self.cursor = self.cursor.min(self.order.len().saturating_sub(1));
    }

    /// Columns that hold anything, less those that a person hid.
    pub fn columns(&self) -> Vec<usize> {
        let holds = |column: &usize| self.table.rows.iter().any(|row| row[*column] != TableValue::Empty);
        (0..self.table.heads.len()).filter(|column| !self.hidden.contains(column)).filter(holds).collect()
    }

    /// As it is shown: filtered, sorted, without hidden columns.
    pub fn shown(&self) -> ScreenTable {
        let columns = self.columns();
        ScreenTable {
            title: self.table.title.clone(),
            heads: columns.iter().map(|&column| self.table.heads[column]).collect(),
            rows: self
                .order
                .iter()
                .map(|&row| columns.iter().map(|&column| self.table.rows[row][column].clone()).collect())
                .collect(),
        }
    }

    pub fn at(&self, row: usize) -> Option<&str> {
        match self.table.rows.get(*self.order.get(row)?)?.first()? {
            TableValue::Text(name) => Some(name),
            _ => None,
        }
    }
}

type BestViews = HashMap<(usize, usize), Best>;

/// By model and comparison: the view that is best on half A, of any layer and projection.
fn best_by_model(board: &Board) -> BestViews {
    let mut best: BestViews = HashMap::new();
    for cell in &board.cells {
        let Some(of) = cell.best.filter(|best| best.ranked) else { continue };
        best.entry((cell.model, cell.comparison)).and_modify(|own| *own = own.better(of)).or_insert(of);
    }
    best
}

fn row(board: &Board, models: &[usize], comparisons: &[usize], best: &BestViews) -> Vec<TableValue> {
    let study = &board.study;
    let first = &study.models[models[0]];
    let of_seed = |model: &usize| {
        let chosen: Vec<Estimate> =
            comparisons.iter().filter_map(|&of| best.get(&(*model, of)).map(|best| best.quoted)).collect();
        (!chosen.is_empty()).then(|| chosen.iter().map(|of| of.value).sum::<f64>() / chosen.len() as f64)
    };
    let seeds: Vec<f64> = models.iter().filter_map(of_seed).collect();
    let single = match (models, comparisons) {
        ([model], [comparison]) => best.get(&(*model, *comparison)).map(|best| best.quoted),
        _ => None,
    };
    let auc = single.map(TableValue::Estimate).unwrap_or_else(|| over_seeds(&seeds));
    // Chosen on half A, over its trainings; quoted on half B.
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let told = |comparison: &usize| {
        let of: Vec<&Best> = models.iter().filter_map(|&model| best.get(&(model, *comparison))).collect();
        let a = mean(of.iter().map(|best| best.a).collect());
        let quoted = match of[..] {
            [] => return None,
            [one] => TableValue::Estimate(one.quoted),
            _ => over_seeds(&of.iter().map(|best| best.quoted.value).collect::<Vec<_>>()),
        };
        Some((*comparison, a, quoted))
    };
    let top = comparisons.iter().filter_map(told).reduce(|own, other| if other.1 > own.1 { other } else { own });
    let separates = board.found.as_ref().map(|found| {
        let holds = |row: &&visavis_core::domain::ledger::LedgerRow| {
            row.chosen
                && models.contains(&row.candidate.cell.model)
                && comparisons.contains(&row.candidate.cell.comparison)
                && row.low.is_some_and(|low| low >= study.statistics.separates_at)
        };
        let told: BTreeSet<usize> = found.ledger.rows.iter().filter(holds).map(|row| row.candidate.cell.comparison).collect();
        told.len()
    });
    let space = |probe: bool| {
        let each = models.iter().filter_map(|&model| {
            let layer = crate::study::last_layer(study, model);
            let of = comparisons.iter().filter_map(|&comparison| {
                let (features, of) = board.space(model, layer, comparison)?;
                if probe { of?.b.map(|b| b.value) } else { features.map(|features| features.value) }
            });
            let values: Vec<f64> = of.collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        });
        over_seeds(&each.collect::<Vec<_>>())
    };
    let verified: Vec<_> = models.iter().filter_map(|model| board.verified.get(model)).collect();
    let mean = |of: &dyn Fn(&visavis_core::domain::score::Verification) -> Estimate| match &verified[..] {
        [one] => TableValue::Estimate(of(one)),
        many => over_seeds(&many.iter().map(|one| of(one).value).collect::<Vec<_>>()),
    };
    let learned = |of: fn(&[f64]) -> Option<f64>| {
        over_seeds(&models.iter().filter_map(|model| of(board.accuracy.get(model)?)).collect::<Vec<_>>())
    };
    let factors = first.factors();
    let factor = |name: &str| TableValue::of(factors.get(name).map(String::as_str));
    vec![
        board.families[models[0]].0.as_str().into(),
        auc,
        top.as_ref().map_or(TableValue::Empty, |(_, _, quoted)| quoted.clone()),
        TableValue::of(top.map(|(comparison, ..)| study.comparisons[comparison].name.as_str())),
        TableValue::of(separates),
        space(true),
        space(false),
        mean(&|of| of.auc),
        mean(&|of| of.tar),
        learned(|of| of.iter().copied().reduce(f64::max)),
        learned(|of| of.last().copied()),
        TableValue::Count(models.len()),
        factor("architecture"),
        factor("loss"),
        factor("trained_on"),
        factor("prepare"),
    ]
}

/// The mean over training seeds, with Student's interval from two on.
fn over_seeds(values: &[f64]) -> TableValue {
    /// The 97.5th percentile of Student's t, by degrees of freedom.
    const T: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    match values.len() {
        0 => TableValue::Empty,
        1 => TableValue::Number(mean),
        count => {
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let half = T.get(count - 2).copied().unwrap_or(1.96 + 2.6 / (n - 1.0)) * (variance / n).sqrt();
            TableValue::Estimate(Estimate::new(mean, mean - half, mean + half))
        }
    }
}

/// One comparison of two models.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedRow {
    pub comparison: String,
    pub left: f64,
    pub right: f64,
    /// Right less left, and what is said of it; `None` where the study's grid holds no such difference.
    pub difference: Option<(Estimate, DifferenceVerdict)>,
}

/// Two models on the same images, as `visavis compare` has them: right less left.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    pub left: String,
    pub right: String,
    /// Factor, and what each side has of it.
    pub differs: Vec<(String, String, String)>,
    /// What is said of the right one beside the left; `None`: the study does not hold these two against each other.
    pub verdicts: Option<Verdicts>,
    /// The median of right less left.
    pub median: f64,
    pub rows: Vec<PairedRow>,
}

/// Two models, by what their trainings have in common. Their sides are those of the study's contrast, else in the study's order.
pub fn paired(board: &Board, one: &str, other: &str) -> Option<Paired> {
    let side = |name: &str| board.trainings().into_values().find(|models| board.families[models[0]].0 == name);
    let (one, other) = (side(one)?, side(other)?);
    let found = board.found.as_ref();
    let held = found.and_then(|found| {
        let is = |of: &ContrastSides| of.left == one && of.right == other || of.left == other && of.right == one;
        found.held.iter().position(is)
    });
    let (left, right) = match (held.zip(found), one[0] < other[0]) {
        (Some((place, found)), _) => (found.held[place].left.clone(), found.held[place].right.clone()),
        (None, true) => (one, other),
        (None, false) => (other, one),
    };
    let best = best_by_model(board);
    let mean = |models: &[usize], comparison: usize| {
        let values: Vec<f64> = models.iter().filter_map(|&model| Some(best.get(&(model, comparison))?.quoted.value)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let difference = |comparison: usize| {
        let (place, found) = (held?, found?);
        let of = found.grid.differences.iter().zip(&found.verdicts);
        of.into_iter().find(|(of, _)| of.held == place && of.comparison == comparison)
    };
    let mut rows = Vec::new();
    for (place, comparison) in board.study.comparisons.iter().enumerate() {
        let comparison = comparison.name.clone();
        if let Some((of, verdict)) = difference(place) {
            let Difference { left, right, difference, .. } = *of;
            rows.push(PairedRow { comparison, left, right, difference: Some((difference, *verdict)) });
        } else if let (Some(left), Some(right)) = (mean(&left, place), mean(&right, place)) {
            rows.push(PairedRow { comparison, left, right, difference: None });
        }
    }
    let mut differences: Vec<f64> = rows.iter().map(|row| row.right - row.left).collect();
    differences.sort_by(f64::total_cmp);
    let median = if differences.is_empty() {
        f64::NAN
    } else {
        f64::midpoint(differences[(differences.len() - 1) / 2], differences[differences.len() / 2])
    };
    Some(Paired {
        left: board.families[left[0]].0.clone(),
        right: board.families[right[0]].0.clone(),
        differs: differing(&board.study.models[left[0]], &board.study.models[right[0]]),
        verdicts: held.map(|_| rows.iter().filter_map(|row| Some(row.difference?.1)).collect()),
        median,
        rows,
    })
}

fn differing(left: &Model, right: &Model) -> Vec<(String, String, String)> {
    let (a, b) = (left.factors(), right.factors());
    let of = |factors: &std::collections::BTreeMap<&'static str, String>, name: &str| {
        factors.get(name).cloned().unwrap_or_else(|| "–".to_owned())
    };
    differences(left, right).into_iter().map(|name| (name.replace('_', " "), of(&a, name), of(&b, name))).collect()
}
