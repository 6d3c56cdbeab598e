//! A screen as a table, for scripts and where there is no terminal: plain text, JSON, CSV.

use super::text;
use std::cmp::Ordering;
use visavis_core::domain::{
    claim::NumberForm,
    pairs::OverFolds,
    score::Estimate,
    text::{no_formula, printable},
};

#[derive(Clone, Debug, PartialEq)]
pub enum TableValue {
    Empty,
    Text(String),
    Count(usize),
    Number(f64),
    Estimate(Estimate),
    OverFolds(OverFolds),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScreenTable {
    pub title: String,
    pub heads: Vec<&'static str>,
    pub rows: Vec<Vec<TableValue>>,
}

impl From<&str> for TableValue {
    fn from(text: &str) -> Self {
        if text.is_empty() { TableValue::Empty } else { TableValue::Text(text.to_owned()) }
    }
}

impl From<String> for TableValue {
    fn from(text: String) -> Self {
        if text.is_empty() { TableValue::Empty } else { TableValue::Text(text) }
    }
}

impl TableValue {
    pub fn of<T: Into<TableValue>>(value: Option<T>) -> Self {
        value.map_or(TableValue::Empty, Into::into)
    }

    /// What rows are sorted and filtered by.
    pub fn number(&self) -> Option<f64> {
        match self {
            TableValue::Count(n) => Some(*n as f64),
            TableValue::Number(x) => Some(*x),
            TableValue::Estimate(of) => Some(of.value),
            TableValue::OverFolds(of) => Some(of.mean),
            TableValue::Empty | TableValue::Text(_) => None,
        }
    }

    pub fn text(&self) -> String {
        match self {
            TableValue::Empty => String::new(),
            TableValue::Text(text) => printable(text),
            TableValue::Count(n) => n.to_string(),
            TableValue::Number(x) => text::score(*x),
            TableValue::Estimate(of) => of.show(NumberForm::Score),
            TableValue::OverFolds(of) => of.show(),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            TableValue::Empty => serde_json::Value::Null,
            TableValue::Text(text) => text.clone().into(),
            TableValue::Count(n) => (*n).into(),
            TableValue::Number(x) => (*x).into(),
            TableValue::Estimate(of) => serde_json::json!({ "value": of.value, "low": of.low(), "high": of.high() }),
            TableValue::OverFolds(of) => serde_json::json!({ "value": of.mean, "deviation": of.deviation }),
        }
    }
}

impl From<f64> for TableValue {
    fn from(number: f64) -> Self {
        if number.is_finite() { TableValue::Number(number) } else { TableValue::Empty }
    }
}

impl From<usize> for TableValue {
    fn from(count: usize) -> Self {
        TableValue::Count(count)
    }
}

impl From<Estimate> for TableValue {
    fn from(estimate: Estimate) -> Self {
        TableValue::Estimate(estimate)
    }
}

/// The order of two rows by a number: the greatest first unless `least`; rows without a number come last.
pub(crate) fn by_number(a: Option<f64>, b: Option<f64>, least: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if least => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

impl ScreenTable {
    pub fn plain(&self) -> String {
        let shown: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(TableValue::text).collect()).collect();
        let width = |column: usize| {
            let cells = shown.iter().filter_map(|row| row.get(column)).map(|cell| text::width(cell));
            cells.max().unwrap_or(0).max(text::width(self.heads[column]))
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let line = |cells: &[String]| {
            let padded =
                cells.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - text::width(cell))));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let heads: Vec<String> = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let lines = std::iter::once(line(&heads)).chain(shown.iter().map(|row| line(row)));
        format!("{}\n\n{}", printable(&self.title), lines.collect::<Vec<_>>().join("\n"))
    }

    pub fn json(&self, study: Option<&str>) -> serde_json::Value {
        let row = |row: &Vec<TableValue>| {
            self.heads.iter().zip(row).map(|(head, value)| ((*head).to_owned(), value.json())).collect::<serde_json::Map<_, _>>()
        };
        serde_json::json!({ "format": 1, "study": study, "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }

    /// An estimate takes three columns: value, low, high.
    pub fn csv(&self) -> String {
        let wide = |column: usize| self.rows.iter().any(|row| matches!(row.get(column), Some(TableValue::Estimate(_))));
        let wide: Vec<bool> = (0..self.heads.len()).map(wide).collect();
        let mut lines = Vec::new();
        let mut heads = Vec::new();
        for (head, wide) in self.heads.iter().zip(&wide) {
            heads.push((*head).to_owned());
            heads.extend(["low", "high"].iter().filter(|_| *wide).map(|end| format!("{head} {end}")));
        }
        lines.push(heads);
        for row in &self.rows {
            let mut cells = Vec::new();
            for (value, wide) in row.iter().zip(&wide) {
                match value {
                    TableValue::Estimate(of) => {
                        let ends = [Some(of.value), of.low(), of.high()];
                        cells.extend(ends.map(|x| x.map_or(String::new(), |x| x.to_string())));
                    }
                    TableValue::Number(x) | TableValue::OverFolds(OverFolds { mean: x, .. }) => cells.push(x.to_string()),
                    other => cells.push(other.text()),
                }
                cells.extend((0..2).filter(|_| *wide && !matches!(value, TableValue::Estimate(_))).map(|_| String::new()));
            }
            lines.push(cells);
        }
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for cells in lines {
            writer.write_record(cells.into_iter().map(no_formula)).expect("memory takes every row, of whatever length");
        }
        String::from_utf8(writer.into_inner().expect("memory takes every row")).expect("cells are UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_in_three_ways() {
        let estimate = Estimate::new(0.9, 0.85, 0.95);
        let rows = vec![vec!["a,\"b\"".into(), TableValue::Estimate(estimate)], vec!["=x\u{1b}".into(), TableValue::Empty]];
        let table = ScreenTable { title: "t".into(), heads: vec!["model", "auc"], rows };
        assert_eq!(table.plain(), "t\n\nmodel     auc\na,\"b\"     0.900 (0.850–0.950)\n=x\\u{1b}");
        assert_eq!(table.csv(), "model,auc,auc low,auc high\n\"a,\"\"b\"\"\",0.9,0.85,0.95\n'=x\\u{1b},,,\n");
        assert_eq!(table.json(Some("s"))["rows"][0]["auc"]["low"], 0.85);
    }

    #[test]
    fn a_row_of_one_empty_cell_is_still_a_row_of_its_csv() {
        let table = ScreenTable { title: "t".into(), heads: vec!["note"], rows: vec![vec!["".into()], vec!["-1.5".into()]] };
        assert_eq!(table.csv(), "note\n\"\"\n-1.5\n");
    }
}
