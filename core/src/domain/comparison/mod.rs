//! Comparisons: classes held against each other, each by an expression over attributes; or a quantity.

mod expression;
mod parser;

#[cfg(test)]
mod tests;

use super::canonical::Value;
pub use expression::{Expression, yes_or_no};
pub use parser::{Misread, quoted_values};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One question asked of every view, with the names people read.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The study's name for it, which reports and commands use.
    pub name: String,
    /// One a class; the quantity itself otherwise.
    pub classes: Vec<String>,
    /// What decides who is compared with whom.
    pub question: Question,
    /// The study says that a value asked for may be one that no image has.
    pub may_be_absent: bool,
}

/// What is asked, without what it is called: names never enter keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Question {
    /// The classes or the quantity.
    pub measured: Measured,
    /// Only images for which this holds take part.
    pub within: Option<Expression>,
}

/// What an image has of the question: some of its classes, or a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// At least two classes; an image may be in several (members are then compared where exclusive).
    Classes(Vec<Expression>),
    /// An attribute whose values are numbers.
    Quantity(String),
}

impl Question {
    /// Is the same asked of the same images, however it is written and whichever class comes first?
    pub fn asks_the_same(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }

    /// The question in one way of writing it: equal for questions that ask the same.
    #[must_use]
    pub fn normal(&self) -> Self {
        let measured = match &self.measured {
            Measured::Classes(classes) => {
                let mut classes: Vec<Expression> = classes.iter().map(Expression::normal).collect();
                classes.sort();
                Measured::Classes(classes)
            }
            Measured::Quantity(attribute) => Measured::Quantity(attribute.clone()),
        };
        Question { measured, within: self.within.as_ref().map(Expression::normal) }
    }

    /// The attributes that are measured, sorted; those that only say which images take part are not.
    pub fn asked(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        match &self.measured {
            Measured::Classes(classes) => classes.iter().for_each(|class| class.collect(&mut names)),
            Measured::Quantity(attribute) => {
                names.insert(attribute.as_str());
            }
        }
        names
    }

    /// Every attribute whose labels decide who takes part, sorted.
    pub fn attributes(&self) -> BTreeSet<&str> {
        let mut names = self.asked();
        if let Some(within) = &self.within {
            within.collect(&mut names);
        }
        names
    }

    /// The same of labels as they are kept; see [`Expression::of_labels`].
    #[must_use]
    pub fn of_labels(self, binary: &impl Fn(&str) -> bool) -> Self {
        let measured = match self.measured {
            Measured::Classes(classes) => Measured::Classes(classes.into_iter().map(|class| class.of_labels(binary)).collect()),
            quantity @ Measured::Quantity(_) => quantity,
        };
        Question { measured, within: self.within.map(|within| within.of_labels(binary)) }
    }

    /// How many classes; a quantity has one.
    pub fn width(&self) -> usize {
        match &self.measured {
            Measured::Classes(classes) => classes.len(),
            Measured::Quantity(_) => 1,
        }
    }

    /// The attributes whose presence the classes are, over all images: the one that is held against its absence, or one a class;
    /// none for any other question.
    pub fn presences(&self) -> Vec<&str> {
        fn of(class: &Expression) -> Option<&str> {
            match class {
                Expression::Has(attribute) => Some(attribute),
                _ => None,
            }
        }
        match (&self.measured, self.presence()) {
            (_, Some(attribute)) => vec![attribute],
            (Measured::Classes(classes), None) if self.within.is_none() => {
                classes.iter().map(of).collect::<Option<_>>().unwrap_or_default()
            }
            _ => vec![],
        }
    }

    /// The attribute that is held against its absence, over all images; `None` for any other question.
    fn presence(&self) -> Option<&str> {
        let Measured::Classes(classes) = &self.measured else { return None };
        let [first, second] = &classes[..] else { return None };
        let negates = |one: &'_ Expression, other: &'_ Expression| match other {
            Expression::Not(inner) => **inner == *one,
            _ => false,
        };
        let (Expression::Has(attribute), true) =
            (if negates(first, second) { first } else { second }, negates(first, second) || negates(second, first))
        else {
            return None;
        };
        self.within.is_none().then_some(attribute)
    }

    /// What of the question enters a key.
    pub fn canonical(&self) -> Value {
        let Question { measured, within } = self;
        let map = match measured {
            Measured::Classes(classes) => Value::map().with("classes", Value::list(classes, Expression::canonical)),
            Measured::Quantity(attribute) => Value::map().with("quantity", Value::text(attribute)),
        };
        map.optional("within", within.as_ref().map(Expression::canonical)).done()
    }
}
