//! A table of columns, written as CSV, JSON lines or Parquet.

use polars::prelude::{Column, DataFrame, NamedFrom, ParquetWriter, Series};
use serde_json::Value;
use visavis_core::{
    domain::{Fault, Result, text::no_formula},
    numeric::Matrix,
};

#[derive(Clone, Copy)]
pub(crate) enum ExportFormat {
    Csv,
    JsonLines,
    Parquet,
}

#[derive(Default)]
pub(crate) struct ExportTable {
    columns: Vec<(String, Values)>,
}

enum Values {
    Text(Vec<Option<String>>),
    Number(Vec<Option<f64>>),
    Whole(Vec<Option<i64>>),
    /// Whole numbers of which some are 2⁶³ or more.
    Unsigned(Vec<Option<u64>>),
    Flag(Vec<bool>),
}

impl ExportTable {
    pub(crate) fn text(&mut self, name: &str, values: impl Iterator<Item = Option<String>>) {
        self.columns.push((name.to_owned(), Values::Text(values.collect())));
    }

    pub(crate) fn number(&mut self, name: &str, values: impl Iterator<Item = Option<f64>>) {
        self.columns.push((name.to_owned(), Values::Number(values.collect())));
    }

    /// A column for each of a matrix: `a1`, `a2` and so on.
    pub(crate) fn axes(&mut self, matrix: &Matrix) {
        for axis in 0..matrix.columns() {
            self.number(&format!("a{}", axis + 1), matrix.column(axis).into_iter().map(|value| Some(f64::from(value))));
        }
    }

    pub(crate) fn whole(&mut self, name: &str, values: impl Iterator<Item = Option<usize>>) {
        self.columns.push((name.to_owned(), Values::Whole(values.map(|value| value.map(|n| n as i64)).collect())));
    }

    /// Numbers that use all 64 bits, such as seeds.
    pub(crate) fn unsigned(&mut self, name: &str, values: impl Iterator<Item = Option<u64>>) {
        self.columns.push((name.to_owned(), Values::Unsigned(values.collect())));
    }

    pub(crate) fn flag(&mut self, name: &str, values: impl Iterator<Item = bool>) {
        self.columns.push((name.to_owned(), Values::Flag(values.collect())));
    }

    /// What the columns are called.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The same with numbers to six decimals.
    pub(crate) fn rounded(mut self) -> Self {
        for (_, values) in &mut self.columns {
            if let Values::Number(numbers) = values {
                numbers.iter_mut().flatten().for_each(|number| *number = (*number * 1e6).round() / 1e6 + 0.0);
            }
        }
        self
    }

    /// The same without a column.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.columns.retain(|(own, _)| own != name);
        self
    }

    pub(crate) fn write(&self, format: ExportFormat) -> Result<Vec<u8>> {
        match format {
            ExportFormat::Csv => self.csv(),
            ExportFormat::JsonLines => Ok(self.json_lines()),
            ExportFormat::Parquet => self.parquet(),
        }
        .map_err(|error| Fault::unexpected(format!("cannot write the table: {error}")))
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| match values {
            Values::Text(values) => values.len(),
            Values::Number(values) => values.len(),
            Values::Whole(values) => values.len(),
            Values::Unsigned(values) => values.len(),
            Values::Flag(values) => values.len(),
        })
    }

    fn value(&self, column: usize, row: usize) -> Value {
        match &self.columns[column].1 {
            Values::Text(values) => values[row].clone().into(),
            Values::Number(values) => values[row].into(),
            Values::Whole(values) => values[row].into(),
            Values::Unsigned(values) => values[row].into(),
            Values::Flag(values) => values[row].into(),
        }
    }

    fn csv(&self) -> std::result::Result<Vec<u8>, String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let told = |error: csv::Error| error.to_string();
        writer.write_record(self.columns.iter().map(|(name, _)| no_formula(name.clone()))).map_err(told)?;
        for row in 0..self.rows() {
            let field = |column: usize| match self.value(column, row) {
                Value::Null => String::new(),
                Value::String(text) => no_formula(text),
                other => other.to_string(),
            };
            writer.write_record((0..self.columns.len()).map(field)).map_err(told)?;
        }
        writer.into_inner().map_err(|error| error.to_string())
    }

    fn json_lines(&self) -> Vec<u8> {
        let row = |row: usize| {
            let fields = self.columns.iter().enumerate().map(|(column, (name, _))| (name.clone(), self.value(column, row)));
            format!("{}\n", Value::Object(fields.collect()))
        };
        (0..self.rows()).map(row).collect::<String>().into_bytes()
    }

    fn parquet(&self) -> std::result::Result<Vec<u8>, String> {
        let series = |(name, values): &(String, Values)| -> Column {
            let name = name.as_str().into();
            match values {
                Values::Text(values) => Series::new(name, values),
                Values::Number(values) => Series::new(name, values),
                Values::Whole(values) => Series::new(name, values),
                Values::Unsigned(values) => Series::new(name, values),
                Values::Flag(values) => Series::new(name, values),
            }
            .into()
        };
        let mut frame =
            DataFrame::new(self.rows(), self.columns.iter().map(series).collect()).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(table: &ExportTable) -> String {
        String::from_utf8(table.write(ExportFormat::Csv).unwrap()).unwrap()
    }

    #[test]
    fn a_name_that_starts_a_formula_is_no_formula_in_a_spreadsheet() {
        let mut table = ExportTable::default();
        table.text("model", ["=cmd|' /C calc'!A0", "plain", "-1.5"].iter().map(|name| Some((*name).to_owned())));
        table.number("value", [Some(-0.5), None, None].into_iter());
        assert_eq!(csv(&table), "model,value\n'=cmd|' /C calc'!A0,-0.5\nplain,\n-1.5,\n");
        let lines = String::from_utf8(table.write(ExportFormat::JsonLines).unwrap()).unwrap();
        assert!(lines.starts_with("{\"model\":\"=cmd|"), "JSON has no formulas: {lines}");
    }

    #[test]
    fn a_table_for_a_page_is_rounded_and_lacks_what_nobody_reads() {
        let mut table = ExportTable::default();
        table.number("value", [Some(0.123_456_789), Some(-1e-9), None].into_iter());
        table.text("key", (0..3).map(|key| Some(key.to_string())));
        assert_eq!(csv(&table.rounded().without("key")), "value\n0.123457\n0.0\n\"\"\n");
    }

    #[test]
    fn a_seed_of_64_bits_is_exported_as_it_is() {
        let mut table = ExportTable::default();
        table.unsigned("seed", [Some(u64::MAX), Some(1 << 63), None].into_iter());
        assert_eq!(csv(&table), "seed\n18446744073709551615\n9223372036854775808\n\"\"\n");
        let lines = String::from_utf8(table.write(ExportFormat::JsonLines).unwrap()).unwrap();
        assert!(lines.starts_with("{\"seed\":18446744073709551615}\n"), "{lines}");
        assert!(table.write(ExportFormat::Parquet).unwrap().starts_with(b"PAR1"));
    }
}
