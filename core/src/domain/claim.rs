//! Claims: every number a report shows, with where it comes from, so that an audit can check each.

use super::Key;
use serde::{Deserialize, Serialize};

/// One number on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// `c` and a number, counted from 0 on each page.
    pub id: String,
    /// What the number is, in words.
    pub what: String,
    /// How the number is written, and so to how many decimals an audit compares it.
    pub form: NumberForm,
    /// The unrounded number: a percentage is kept as a share.
    pub value: f64,
    /// Where an audit looks it up.
    pub from: ClaimSource,
}

/// Where a claim's number stands: an output of a result (or its `facts`, or its `work`), and a JSON pointer into it (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimSource {
    /// The result.
    pub key: Key,
    /// The file's name among the result's outputs, or `facts`, or `work`.
    pub output: String,
    /// Begins with `/`; empty for the whole output.
    pub pointer: String,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberForm {
    /// `0.871`
    Score,
    /// `1,797`
    Count,
    /// `12.3 %`
    Percent,
    /// `+0.024`
    Difference,
    /// `0.001`, `0.000125`: a share that may be small, with six decimals less the zeros at its end.
    Rate,
}

impl NumberForm {
    /// The text for people; of a share as a percentage, of a count without its fraction.
    pub fn show(self, value: f64) -> String {
        match self {
            NumberForm::Score => unsigned(value),
            NumberForm::Difference => format!("{}{}", if value < 0.0 { "−" } else { "+" }, unsigned(value.abs())),
            NumberForm::Count => super::text::thousands(value as usize),
            NumberForm::Percent => format!("{:.1} %", 100.0 * value),
            NumberForm::Rate => {
                let text = format!("{value:.6}");
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        }
    }

    /// Is the text how a number is written, or how early reports wrote it, without the zero before the point?
    pub fn is_shown_as(self, value: f64, text: &str) -> bool {
        let shown = self.show(value);
        let early = match self {
            NumberForm::Score | NumberForm::Difference => without_leading_zero(&shown),
            NumberForm::Count | NumberForm::Percent | NumberForm::Rate => None,
        };
        text == shown || early.is_some_and(|early| text == early)
    }
}

/// `−0.250` → `−.250`; nothing where the whole part is not zero.
fn without_leading_zero(shown: &str) -> Option<String> {
    let (sign, digits) = shown.split_at(shown.find(|c: char| c.is_ascii_digit())?);
    digits.strip_prefix("0.").map(|decimals| format!("{sign}.{decimals}"))
}

/// Three decimals: `0.871`, `1.000`, `−0.250`.
fn unsigned(value: f64) -> String {
    let text = format!("{value:.3}");
    match text.strip_prefix('-') {
        Some("0.000") => "0.000".to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_field_writes_them() {
        assert_eq!(NumberForm::Score.show(0.8714), "0.871");
        assert_eq!(NumberForm::Score.show(1.0), "1.000");
        assert_eq!(NumberForm::Score.show(-0.25), "−0.250");
        assert_eq!(NumberForm::Difference.show(-0.024), "−0.024");
        assert_eq!(NumberForm::Score.show(-0.0001), "0.000");
        let early = |value: f64, text: &str| NumberForm::Difference.is_shown_as(value, text);
        assert!(early(0.024, "+0.024") && early(0.024, "+.024") && !early(0.024, ".024") && !early(10.024, "+1.024"));
        assert!(NumberForm::Score.is_shown_as(-0.25, "−.250") && !NumberForm::Score.is_shown_as(0.25, ".25"));
        assert_eq!(NumberForm::Count.show(202_599.0), "202,599");
        assert_eq!(NumberForm::Percent.show(0.1234), "12.3 %");
        let rates = [0.001, 1.0 / 8000.0, 1.0 / 3.0, 0.0, 1.0].map(|rate| NumberForm::Rate.show(rate));
        assert_eq!(rates, ["0.001", "0.000125", "0.333333", "0", "1"]);
    }
}
