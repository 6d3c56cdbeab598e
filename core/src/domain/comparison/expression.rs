//! Conditions on an image's labels.

use super::parser::is_word;
use crate::domain::{canonical::Value, missing};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// A condition on one image's labels. It displays as the study language writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Expression {
    /// A binary attribute is present.
    Has(String),
    /// An attribute of several classes has this value.
    Equals(String, String),
    /// Holds where the inner one does not; unknown labels stay unknown.
    Not(Box<Expression>),
    /// All of these, two or more; flat, so that a long list is not a deep tree.
    And(Vec<Expression>),
    /// Any of these, two or more.
    Or(Vec<Expression>),
}

impl Expression {
    /// One form of what is the same but for the order of parts, parts written twice, and doubled negations.
    pub fn normal(&self) -> Self {
        let joined = |parts: &[Expression], is: fn(Expression) -> Vec<Expression>, join: fn(Vec<Expression>) -> Expression| {
            let mut parts: Vec<Expression> = parts.iter().flat_map(|part| is(part.normal())).collect();
            parts.sort();
            parts.dedup();
            if parts.len() == 1 { parts.remove(0) } else { join(parts) }
        };
        match self {
            Expression::Has(_) | Expression::Equals(..) => self.clone(),
            Expression::Not(inner) => match inner.normal() {
                Expression::Not(inner) => *inner,
                inner => Expression::Not(Box::new(inner)),
            },
            Expression::And(parts) => {
                let flat = |part| if let Expression::And(parts) = part { parts } else { vec![part] };
                joined(parts, flat, Expression::And)
            }
            Expression::Or(parts) => {
                let flat = |part| if let Expression::Or(parts) = part { parts } else { vec![part] };
                joined(parts, flat, Expression::Or)
            }
        }
    }

    /// Whether an image is in the class: `None` when a label that the expression names is missing, for then the image
    /// is in no class. For [`crate::domain::membership`] alone, which knows what else decides. `label` gives the image's value of an attribute (binary ones as `0` and `1`).
    pub(in crate::domain) fn holds<'a>(&self, label: &impl Fn(&str) -> Option<&'a str>) -> Option<bool> {
        Some(match self {
            Expression::Has(attribute) => label(attribute)? == "1",
            Expression::Equals(attribute, value) => label(attribute)? == value,
            Expression::Not(inner) => !inner.holds(label)?,
            Expression::And(parts) => {
                parts.iter().map(|part| part.holds(label)).collect::<Option<Vec<bool>>>()?.into_iter().all(|holds| holds)
            }
            Expression::Or(parts) => {
                parts.iter().map(|part| part.holds(label)).collect::<Option<Vec<bool>>>()?.into_iter().any(|holds| holds)
            }
        })
    }

    /// The attributes it names.
    pub fn collect<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Expression::Has(attribute) | Expression::Equals(attribute, _) => {
                names.insert(attribute);
            }
            Expression::Not(inner) => inner.collect(names),
            Expression::And(parts) | Expression::Or(parts) => parts.iter().for_each(|part| part.collect(names)),
        }
    }

    /// Every `attribute = value` asked for, `None` where the attribute is taken as binary.
    pub fn asked(&self) -> Vec<(&str, Option<&str>)> {
        match self {
            Expression::Has(attribute) => vec![(attribute, None)],
            Expression::Equals(attribute, value) => vec![(attribute, Some(value))],
            Expression::Not(inner) => inner.asked(),
            Expression::And(parts) | Expression::Or(parts) => parts.iter().flat_map(Expression::asked).collect(),
        }
    }

    /// The same of labels as they are kept: `smile=yes`, `smile=-1` and `smile=False` of a yes-or-no attribute are its presence and
    /// its absence, however the label file spelled them. `binary` says which attributes are such.
    #[must_use]
    pub fn of_labels(self, binary: &impl Fn(&str) -> bool) -> Self {
        let all = |parts: Vec<Expression>| parts.into_iter().map(|part| part.of_labels(binary)).collect();
        match self {
            Expression::Equals(attribute, value) if binary(&attribute) => match yes_or_no(&value) {
                Some(true) => Expression::Has(attribute),
                Some(false) => Expression::Not(Box::new(Expression::Has(attribute))),
                None => Expression::Equals(attribute, value),
            },
            Expression::Has(_) | Expression::Equals(..) => self,
            Expression::Not(inner) => match inner.of_labels(binary) {
                // `not smile=no` and `smile` are one question, and have one key.
                Expression::Not(twice) => *twice,
                inner => Expression::Not(Box::new(inner)),
            },
            Expression::And(parts) => Expression::And(all(parts)),
            Expression::Or(parts) => Expression::Or(all(parts)),
        }
    }

    /// An operator's word, then its parts: what enters a key.
    pub fn canonical(&self) -> Value {
        let list = |op: &str, parts: Vec<Value>| Value::List([vec![Value::text(op)], parts].concat());
        match self {
            Expression::Has(attribute) => list("has", vec![Value::text(attribute)]),
            Expression::Equals(attribute, value) => list("=", vec![Value::text(attribute), Value::text(value)]),
            Expression::Not(inner) => list("not", vec![inner.canonical()]),
            Expression::And(parts) => list("and", parts.iter().map(Expression::canonical).collect()),
            Expression::Or(parts) => list("or", parts.iter().map(Expression::canonical).collect()),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &str| {
            let plain = !text.is_empty() && text.chars().all(is_word) && !matches!(text, "not" | "and" | "or");
            if plain { text.to_owned() } else { format!("\"{text}\"") }
        };
        // A word that would be a missing label is a value in quotes alone.
        let value = |text: &str| if missing::is_usual(text) { format!("\"{text}\"") } else { word(text) };
        match self {
            Expression::Has(attribute) => write!(f, "{}", word(attribute)),
            Expression::Equals(attribute, wanted) => write!(f, "{}={}", word(attribute), value(wanted)),
            Expression::Not(inner) => match **inner {
                Expression::And(_) | Expression::Or(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Expression::And(parts) => {
                let side =
                    |part: &Expression| if matches!(part, Expression::Or(_)) { format!("({part})") } else { part.to_string() };
                f.write_str(&parts.iter().map(side).collect::<Vec<_>>().join(" and "))
            }
            Expression::Or(parts) => f.write_str(&parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")),
        }
    }
}

/// What a word says of a yes-or-no attribute, in any case: label files and study files spell it in many ways.
pub fn yes_or_no(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "yes" | "true" => Some(true),
        "0" | "0.0" | "-1" | "-1.0" | "no" | "false" => Some(false),
        _ => None,
    }
}
