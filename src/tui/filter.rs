//! The language of filters: `loss=arcface auc>0.8 gender`. All terms must hold; a bare word is looked for in names.
//!
//! ```text
//! filter = term { " " term }
//! term   = [ "-" ] ( word | field ( "=" | "!=" | ">" | ">=" | "<" | "<=" | ":" ) value )
//! ```
//! `=` takes a field's whole text, `:` a part of it; either may be quoted with `"`. `-` negates a term.

use super::table::TableValue;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter(Vec<FilterTerm>);

#[derive(Clone, Debug, PartialEq)]
struct FilterTerm {
    not: bool,
    field: Option<(String, Operator)>,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Is,
    IsNot,
    Holds,
    More,
    AtLeast,
    Less,
    AtMost,
}

/// The longest first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("!=", Operator::IsNot),
    ("=", Operator::Is),
    (":", Operator::Holds),
    (">", Operator::More),
    ("<", Operator::Less),
];

impl Filter {
    /// # Errors
    /// What is wrong: an unknown field, or a value that is not a number.
    pub(crate) fn parse(text: &str, fields: &[&str]) -> Result<Self, String> {
        let terms =
            words(&tightened(text)).into_iter().map(|word| term(&word, fields)).collect::<Result<Vec<FilterTerm>, _>>()?;
        // A term without a value is still being typed.
        Ok(Filter(terms.into_iter().filter(|term| !term.value.is_empty()).collect()))
    }

    /// The terms of one field, and those of all else.
    pub(crate) fn only(&self, field: &str) -> Self {
        Filter(self.0.iter().filter(|term| term.is_of(field)).cloned().collect())
    }

    pub(crate) fn without(&self, field: &str) -> Self {
        Filter(self.0.iter().filter(|term| !term.is_of(field)).cloned().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `names`: what bare words are looked for in.
    pub(crate) fn holds(&self, names: &str, field: &dyn Fn(&str) -> TableValue) -> bool {
        let names = names.to_lowercase();
        self.0.iter().all(|term| term.holds(&names, field) != term.not)
    }
}

impl FilterTerm {
    fn is_of(&self, field: &str) -> bool {
        self.field.as_ref().is_some_and(|(name, _)| name == field)
    }

    fn holds(&self, names: &str, field: &dyn Fn(&str) -> TableValue) -> bool {
        let Some((name, operator)) = &self.field else { return names.contains(&self.value) };
        let found = field(name);
        let by_number = |holds: fn(f64, f64) -> bool| match (found.number(), self.value.parse::<f64>()) {
            (Some(found), Ok(value)) => holds(found, value),
            _ => false,
        };
        let text = || found.text().to_lowercase();
        match operator {
            Operator::Is => text() == self.value || by_number(|a, b| a == b),
            Operator::IsNot => text() != self.value && !by_number(|a, b| a == b),
            Operator::Holds => text().contains(&self.value),
            Operator::More => by_number(|a, b| a > b),
            Operator::AtLeast => by_number(|a, b| a >= b),
            Operator::Less => by_number(|a, b| a < b),
            Operator::AtMost => by_number(|a, b| a <= b),
        }
    }
}

/// Without spaces around operators: `auc > 0.8` is one term.
fn tightened(text: &str) -> String {
    let mut tight = String::new();
    let mut quoted = false;
    let operator = |c: char| "=<>!:".contains(c);
    for letter in text.chars() {
        quoted ^= letter == '"';
        if !quoted && operator(letter) {
            tight.truncate(tight.trim_end().len());
        }
        if letter == ' ' && !quoted && tight.ends_with(operator) {
            continue;
        }
        tight.push(letter);
    }
    tight
}

/// Words between spaces, quotes kept together.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn term(word: &str, fields: &[&str]) -> Result<FilterTerm, String> {
    let (not, word) = word.strip_prefix('-').filter(|rest| !rest.is_empty()).map_or((false, word), |rest| (true, rest));
    let cut = |(sign, operator): &(&str, Operator)| word.find(sign).filter(|at| *at > 0).map(|at| (at, sign.len(), *operator));
    let Some((at, length, operator)) = OPERATORS.iter().filter_map(cut).min_by_key(|(at, length, _)| (*at, usize::MAX - length))
    else {
        return Ok(FilterTerm { not, field: None, value: word.to_lowercase() });
    };
    let (name, value) = (word[..at].to_lowercase().replace('_', " "), word[at + length..].to_lowercase());
    if !fields.contains(&name.as_str()) {
        let known: Vec<&str> = fields.to_vec();
        return Err(format!("no field `{name}`: {}", visavis_core::domain::spelling::suggestion(&name, &known)));
    }
    let is_number = matches!(operator, Operator::More | Operator::AtLeast | Operator::Less | Operator::AtMost);
    if is_number && !value.is_empty() && value.parse::<f64>().is_err() {
        return Err(format!("`{value}` is not a number"));
    }
    Ok(FilterTerm { not, field: Some((name, operator)), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 3] = ["loss", "auc", "trained on"];

    fn holds(text: &str) -> bool {
        let field = |name: &str| match name {
            "loss" => TableValue::from("arcface"),
            "auc" => TableValue::Number(0.85),
            _ => TableValue::from("VGGFace2 clean"),
        };
        Filter::parse(text, &FIELDS).unwrap().holds("r34-arcface-vggface2", &field)
    }

    #[test]
    fn terms_are_all_to_hold() {
        assert!(holds("") && holds("r34") && holds("loss=arcface auc>0.8") && holds("trained_on:vgg auc<=.85"));
        assert!(!holds("auc>0.85") && !holds("-r34") && holds("-r50") && holds("loss!=softmax") && !holds("r34 r50"));
        assert!(holds("trained_on=\"vggface2 clean\"") && holds("auc > 0.8 loss = arcface") && !holds("auc < 0.8"));
        assert!(holds("auc>"), "somebody is still typing");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(Filter::parse("lss=arcface", &FIELDS).unwrap_err().contains("loss"));
        assert_eq!(Filter::parse("auc>high", &FIELDS).unwrap_err(), "`high` is not a number");
        assert!(Filter::parse("auc>", &FIELDS).is_ok(), "somebody is still typing");
    }
}
