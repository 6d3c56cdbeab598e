//! Comparisons: classes held against each other, each by an expression over attributes; or a quantity.
//!
//! ```text
//! expression = term { "or" term }
//! term       = factor { "and" factor }
//! factor     = "not" factor | "(" expression ")" | name [ "=" value ]
//! ```
//! A name or value is a run of letters, digits and `_ . + -`, or anything in double quotes.

use super::canonical::Value;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The classes or the quantity.
    pub measured: Measured,
    /// Only images for which this holds take part.
    pub within: Option<Expression>,
}

/// What an image has of the question: some of its classes, or a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// At least two classes; an image may be in several (members are then compared where exclusive).
    Classes(Vec<Expression>),
    /// An attribute whose values are numbers.
    Quantity(String),
}

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

impl Question {
    /// Is the same asked of the same images, however it is written and whichever class comes first?
    pub fn asks_the_same(&self, other: &Self) -> bool {
        let sorted = |classes: &[Expression]| {
            let mut classes: Vec<Expression> = classes.iter().map(Expression::normal).collect();
            classes.sort();
            classes
        };
        let measured = match (&self.measured, &other.measured) {
            (Measured::Classes(one), Measured::Classes(other)) => sorted(one) == sorted(other),
            (Measured::Quantity(one), Measured::Quantity(other)) => one == other,
            _ => false,
        };
        measured && self.within.as_ref().map(Expression::normal) == other.within.as_ref().map(Expression::normal)
    }

    /// Every attribute whose labels decide who takes part, sorted.
    pub fn attributes(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        match &self.measured {
            Measured::Classes(classes) => classes.iter().for_each(|class| class.collect(&mut names)),
            Measured::Quantity(attribute) => {
                names.insert(attribute.as_str());
            }
        }
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
    /// is in no class. For [`super::membership`] alone, which knows what else decides. `label` gives the image's value of an attribute (binary ones as `0` and `1`).
    pub(super) fn holds<'a>(&self, label: &impl Fn(&str) -> Option<&'a str>) -> Option<bool> {
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
        let value = |text: &str| if super::missing::is_usual(text) { format!("\"{text}\"") } else { word(text) };
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

/// Why an expression could not be read, and at which character (from 0).
#[derive(Debug, PartialEq, Eq)]
pub struct Misread {
    /// In characters, from 0; the text's length where it ends too early.
    pub offset: usize,
    /// A sentence for people.
    pub why: String,
}

impl std::str::FromStr for Expression {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0, end: text.chars().count() };
        let expression = parser.or()?;
        match parser.peek() {
            None => Ok(expression),
            Some(token) => Err(parser.wrong(format!("expected `and`, `or` or the end, found {token}"))),
        }
    }
}

/// Every `attribute="value"` of an expression whose value stands in quotes.
pub fn quoted_values(text: &str) -> Vec<(String, String)> {
    let tokens = tokens(text).unwrap_or_default();
    let quoted = |three: &[(usize, Token)]| match three {
        [(_, Token::Word(attribute) | Token::Quoted(attribute)), (_, Token::Equals), (_, Token::Quoted(value))] => {
            Some((attribute.clone(), value.clone()))
        }
        _ => None,
    };
    tokens.windows(3).filter_map(quoted).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-')
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Equals,
    Open,
    Close,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) | Token::Quoted(word) => write!(f, "`{word}`"),
            Token::Equals => f.write_str("`=`"),
            Token::Open => f.write_str("`(`"),
            Token::Close => f.write_str("`)`"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Misread> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let start = at;
        let token = match chars[at] {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '=' => Token::Equals,
            '(' => Token::Open,
            ')' => Token::Close,
            '"' => {
                let length = chars[at + 1..].iter().position(|&c| c == '"');
                let length = length.ok_or(Misread { offset: at, why: "this quote is never closed".into() })?;
                at += length + 1;
                Token::Quoted(chars[start + 1..at].iter().collect())
            }
            c if is_word(c) => {
                while at + 1 < chars.len() && is_word(chars[at + 1]) {
                    at += 1;
                }
                Token::Word(chars[start..=at].iter().collect())
            }
            c => {
                return Err(Misread {
                    offset: at,
                    why: format!("`{c}` means nothing here; put names with unusual characters in double quotes"),
                });
            }
        };
        at += 1;
        tokens.push((start, token));
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
    end: usize,
}

/// Deeper nesting than anybody writes; it bounds the parser's stack, and the depth of a task as JSON.
const DEEPEST: usize = 24;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.take(&Token::Word(word.to_owned()))
    }

    fn wrong(&self, why: String) -> Misread {
        Misread { offset: self.tokens.get(self.next).map_or(self.end, |(offset, _)| *offset), why }
    }

    fn or(&mut self) -> Result<Expression, Misread> {
        self.chain("or", Self::and, Expression::Or)
    }

    fn and(&mut self) -> Result<Expression, Misread> {
        self.chain("and", Self::factor, Expression::And)
    }

    /// Parts joined by a word.
    fn chain(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Expression, Misread>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression, Misread> {
        let mut parts = vec![part(self)?];
        while self.keyword(word) {
            parts.push(part(self)?);
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        Ok(join(parts))
    }

    fn factor(&mut self) -> Result<Expression, Misread> {
        if self.depth == DEEPEST {
            return Err(self.wrong("nested too deeply".into()));
        }
        self.depth += 1;
        let factor = self.unnested_factor();
        self.depth -= 1;
        factor
    }

    fn unnested_factor(&mut self) -> Result<Expression, Misread> {
        if self.keyword("not") {
            return Ok(Expression::Not(Box::new(self.factor()?)));
        }
        if self.take(&Token::Open) {
            let inner = self.or()?;
            return if self.take(&Token::Close) { Ok(inner) } else { Err(self.wrong("expected `)`".into())) };
        }
        let name = self.name("an attribute's name")?;
        if self.take(&Token::Equals) {
            return Ok(Expression::Equals(name, self.name("a value")?));
        }
        Ok(Expression::Has(name))
    }

    fn name(&mut self, expected: &str) -> Result<String, Misread> {
        let word = match self.peek() {
            Some(Token::Word(word)) if !matches!(word.as_str(), "and" | "or" | "not") => word.clone(),
            Some(Token::Quoted(word)) => word.clone(),
            Some(token) => return Err(self.wrong(format!("expected {expected}, found {token}"))),
            None => return Err(self.wrong(format!("expected {expected}, found the end"))),
        };
        self.next += 1;
        Ok(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Expression {
        text.parse().unwrap()
    }

    #[test]
    fn not_binds_tighter_than_and_and_tighter_than_or() {
        assert_eq!(parse("a or not b and c"), parse("a or ((not b) and c)"));
        assert_eq!(parse("race=caucasian and not Male").to_string(), "race=caucasian and not Male");
    }

    #[test]
    fn values_in_quotes_are_told_from_words() {
        let quoted = |text: &str| {
            quoted_values(text).into_iter().map(|(attribute, value)| format!("{attribute}:{value}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(quoted("region=\"NA\" and not (\"eye colour\"=\"n/a\" or x=NA)"), "region:NA eye colour:n/a");
        assert_eq!(quoted("region=NA or \"region\"=NA or \"x\""), "");
        assert_eq!(parse("region=\"NA\"").to_string(), "region=\"NA\"", "printed as it must be written");
        assert_eq!(parse("region=\"EU\"").to_string(), "region=EU");
    }

    #[test]
    fn a_missing_label_puts_an_image_in_no_class() {
        let labels = |name: &str| match name {
            "Young" => Some("1"),
            "digit" => Some("7"),
            _ => None,
        };
        assert_eq!(parse("Young").holds(&labels), Some(true));
        assert_eq!(parse("not Young or digit=7").holds(&labels), Some(true));
        assert_eq!(parse("Young or Bald").holds(&labels), None);
        assert_eq!(parse("not Bald").holds(&labels), None);
    }

    #[test]
    fn questions_are_one_however_they_are_written() {
        let question = |classes: &[&str], within: Option<&str>| Question {
            measured: Measured::Classes(classes.iter().map(|class| parse(class)).collect()),
            within: within.map(parse),
        };
        let one = question(&["a and b", "not a"], Some("c or d"));
        assert!(one.asks_the_same(&question(&["not a", "b and a and b"], Some("(d or c) or d"))));
        assert!(one.asks_the_same(&question(&["b and a", "not not not a"], Some("not not (c or d)"))));
        assert!(!one.asks_the_same(&question(&["a and b", "not a"], None)));
        assert!(!one.asks_the_same(&question(&["a or b", "not a"], Some("c or d"))));
        assert!(!one.asks_the_same(&question(&["a and b", "not a", "c"], Some("c or d"))));
    }

    #[test]
    fn spellings_of_yes_and_no_are_one_question_of_a_yes_or_no_attribute() {
        let binary = |name: &str| name != "race";
        let rewritten = |text: &str| parse(text).of_labels(&binary).to_string();
        for yes in ["smile=yes", "smile=YES", "smile=True", "smile=1", "smile=1.0", "not smile=no", "not smile=-1", "smile"] {
            assert_eq!(rewritten(yes), "smile", "{yes}");
        }
        for no in ["smile=No", "smile=false", "smile=0", "smile=-1", "smile=-1.0", "not smile=True", "not smile"] {
            assert_eq!(rewritten(no), "not smile", "{no}");
        }
        assert_eq!(rewritten("race=no and (smile=no or hat=YES)"), "race=no and (not smile or hat)");
        assert_eq!(rewritten("smile=maybe"), "smile=maybe", "left for whoever knows the values");
    }

    #[test]
    fn a_misread_says_where() {
        let misread = |text: &str| text.parse::<Expression>().unwrap_err().offset;
        assert_eq!(misread("Young and"), 9);
        assert_eq!(misread("Young Male"), 6);
        assert_eq!(misread("(Young"), 6);
        assert_eq!(misread("a & b"), 2);
        assert_eq!(misread("\"a"), 0);
        assert_eq!(misread(""), 0);
        assert!("not ".repeat(500).parse::<Expression>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(text in "[abn() =\"ot]{0,24}") {
            if let Ok(expression) = text.parse::<Expression>() {
                // A quoted word may hold anything but a quote, so printing is exact.
                prop_assert_eq!(expression.to_string().parse::<Expression>().unwrap().canonical(), regroup(&expression).canonical());
            }
        }
    }

    /// Printing drops redundant grouping of equal operators (`a or (b or c)`); compare with the grouping that reads back.
    fn regroup(expression: &Expression) -> Expression {
        expression.to_string().parse().unwrap()
    }
}
