//! Expressions as study files and commands write them.
//!
//! ```text
//! expression = term { "or" term }
//! term       = factor { "and" factor }
//! factor     = "not" factor | "(" expression ")" | name [ "=" value ]
//! ```
//! A name or value is a run of letters, digits and `_ . + -`, or anything in double quotes.

use super::Expression;
use std::fmt;

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

pub(super) fn is_word(c: char) -> bool {
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
