//! The fields of each form, their completions, and the change that they amount to.

use crate::{
    study::{LOSSES, draft::Change, matrix_snapshot::MatrixSnapshot, projection_words},
    tui::levels::{known, losses, projections},
};
use std::borrow::Cow;
use visavis_core::domain::model::BaselineKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adding {
    Comparison,
    Architecture,
    Loss,
    TrainedOn,
    Preparation,
    Weights,
    Features,
    Baseline,
    Projection,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FormField {
    pub name: &'static str,
    pub hint: &'static str,
    pub value: String,
    /// What it may be completed to.
    pub options: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    pub adding: Adding,
    pub fields: Vec<FormField>,
    pub cursor: usize,
    /// Why the change could not be made.
    pub fault: String,
}

impl Adding {
    pub(crate) const ALL: [Adding; 9] = [
        Adding::Comparison,
        Adding::Projection,
        Adding::Loss,
        Adding::Architecture,
        Adding::TrainedOn,
        Adding::Preparation,
        Adding::Baseline,
        Adding::Weights,
        Adding::Features,
    ];

    pub(crate) fn words(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Adding::Comparison => "a comparison: classes held against each other",
            Adding::Projection => return format!("a projection: {}", projection_words().join(", ")).into(),
            Adding::Loss => "a loss to the matrix",
            Adding::Architecture => "an architecture to the matrix",
            Adding::TrainedOn => "a training set to the matrix",
            Adding::Preparation => "a preparation to the matrix",
            Adding::Baseline => "a baseline: pixels, colours, untrained",
            Adding::Weights => "a model whose weights are there",
            Adding::Features => "a model whose features are there",
        })
    }

    /// The factor of the matrix that it is a level of.
    fn factor(self) -> Option<&'static str> {
        match self {
            Adding::Architecture => Some("architecture"),
            Adding::Loss => Some("loss"),
            Adding::TrainedOn => Some("trained_on"),
            Adding::Preparation => Some("prepare"),
            _ => None,
        }
    }
}

impl Form {
    pub(crate) fn new(adding: Adding, matrix_snapshot: &MatrixSnapshot) -> Self {
        let field = |name, hint, options: Vec<String>| FormField { name, hint, value: String::new(), options };
        let name = || field("name", "its name in tables and figures", vec![]);
        // `Smiling`, and of an attribute with several values each: `digit=3`.
        let attributes = || {
            let named = |(name, values): &(String, Vec<String>)| match values.len() {
                0 => vec![name.clone()],
                _ => values.iter().map(|value| format!("{}={}", bare(name), bare(value))).collect(),
            };
            let words: Vec<String> = matrix_snapshot.attributes.iter().flat_map(named).collect();
            let not: Vec<String> = words.iter().map(|word| format!("not {word}")).collect();
            [words, not].concat()
        };
        let prepare = || field("prepare", "a preparation of the study", matrix_snapshot.offers.preparations.clone());
        let architecture = || {
            field(
                "architecture",
                "such as resnet34",
                known(matrix_snapshot, "architecture").into_iter().filter(|word| !word.contains(' ')).collect(),
            )
        };
        let fields = match adding {
            Adding::Comparison => vec![
                name(),
                field("first class", "what it is called: Smiling", vec![]),
                field("who is in it", "attributes with and, or, not; one of several values: digit=3", attributes()),
                field("second class", "Not smiling", vec![]),
                field("who is in it", "not Smiling", attributes()),
                field("within", "only images for which this holds; may stay empty", attributes()),
            ],
            Adding::Projection => vec![field("projection", "a method with its parameters", projections())],
            Adding::Baseline => vec![
                name(),
                field(
                    "baseline",
                    "what takes no training",
                    BaselineKind::ALL.iter().map(BaselineKind::to_string).chain(["untrained".to_owned()]).collect(),
                ),
                field("architecture", "of an untrained one only", known(matrix_snapshot, "architecture")),
                prepare(),
            ],
            Adding::Weights => vec![
                name(),
                architecture(),
                field("loss", "a label", LOSSES.iter().map(|of| of.word.to_owned()).collect()),
                field("trained on", "a label: vggface2", vec![]),
                prepare(),
                field("weights", "a file, seen from the study's folder: ../weights/x.pth", vec![]),
                field("family", "how its tensors are named", matrix_snapshot.offers.families.clone()),
            ],
            Adding::Features => vec![
                name(),
                field("features", "N × D, .npy or .safetensors: ../data/mine.npy", vec![]),
                field("images", "ids, one a line: ../data/mine.txt", vec![]),
            ],
            Adding::Loss => vec![field("level", "as the study file writes it", losses(&matrix_snapshot.offers.losses))],
            _ => vec![field("level", "as the study file writes it", known(matrix_snapshot, adding.factor().unwrap_or("loss")))],
        };
        Form { adding, fields, cursor: 0, fault: String::new() }
    }

    /// What the field may be completed to, those that begin as it does first.
    pub(crate) fn completions(&self) -> Vec<&str> {
        let field = &self.fields[self.cursor];
        // Of an expression, the last word.
        let typed = field.value.rsplit(['(', ' ']).next().unwrap_or("").to_lowercase();
        let whole = field.value.to_lowercase();
        let fits = |option: &&String| {
            let option = option.to_lowercase();
            option != whole
                && (option.starts_with(&whole) || !typed.is_empty() && !option.contains(' ') && option.starts_with(&typed))
        };
        field.options.iter().filter(fits).map(String::as_str).collect()
    }

    /// Takes the first completion.
    pub(crate) fn complete(&mut self) {
        let Some(first) = self.completions().first().map(|first| (*first).to_owned()) else { return };
        let value = &mut self.fields[self.cursor].value;
        if first.to_lowercase().starts_with(&value.to_lowercase()) {
            *value = first;
        } else {
            let keep = value.rfind(['(', ' ']).map_or(0, |at| at + 1);
            value.truncate(keep);
            *value += &first;
        }
    }

    /// # Errors
    /// Which field is empty.
    pub(crate) fn change(&self) -> Result<Change, String> {
        let value = |place: usize| self.fields[place].value.trim();
        let need = |place: usize| match value(place) {
            "" => Err(format!("{} is empty", self.fields[place].name)),
            text => Ok(text.to_owned()),
        };
        let plain = |text: &str| quoted(text);
        Ok(match self.adding {
            Adding::Comparison => {
                let within = if value(5).is_empty() { String::new() } else { format!(", within: {}", plain(value(5))) };
                let body = format!(
                    "{{ {}: {}, {}: {}{within} }}",
                    plain(&need(1)?),
                    plain(&need(2)?),
                    plain(&need(3)?),
                    plain(&need(4)?)
                );
                Change::AddComparison { name: need(0)?, body }
            }
            Adding::Projection => Change::AddProjection { projection: need(0)? },
            Adding::Baseline => {
                let architecture = match value(2) {
                    "" => String::new(),
                    of if of.contains(':') => format!(", architecture: {{ {of} }}"),
                    of => format!(", architecture: {of}"),
                };
                Change::AddModel {
                    name: need(0)?,
                    body: format!("{{ baseline: {}{architecture}, prepare: {} }}", plain(&need(1)?), plain(&need(3)?)),
                }
            }
            Adding::Weights => Change::AddModel {
                name: need(0)?,
                body: format!(
                    "{{ architecture: {}, loss: {}, trained_on: {}, prepare: {}, weights: {{ file: {}, family: {} }} }}",
                    plain(&need(1)?),
                    plain(&need(2)?),
                    plain(&need(3)?),
                    plain(&need(4)?),
                    plain(&need(5)?),
                    plain(&need(6)?)
                ),
            },
            Adding::Features => Change::AddModel {
                name: need(0)?,
                body: format!("{{ features: {{ embedding: {}, images: {} }} }}", plain(&need(1)?), plain(&need(2)?)),
            },
            level => Change::AddLevel { factor: level.factor().unwrap_or("loss").to_owned(), level: need(0)? },
        })
    }
}

/// A name as an expression takes it: in quotes, unless it is a plain word.
fn bare(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.+-".contains(c));
    if plain && !["and", "or", "not"].contains(&name) { name.to_owned() } else { format!("\"{name}\"") }
}

/// A scalar in double quotes, as YAML reads it in flow style.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completion_takes_words_of_an_expression() {
        let field = |options: &[&str]| FormField {
            name: "x",
            hint: "",
            value: String::new(),
            options: options.iter().map(|of| (*of).to_owned()).collect(),
        };
        let mut form = Form {
            adding: Adding::Comparison,
            fields: vec![field(&["Smiling", "Young", "not Young"])],
            cursor: 0,
            fault: String::new(),
        };
        form.fields[0].value = "Smiling and yo".into();
        form.complete();
        assert_eq!(form.fields[0].value, "Smiling and Young");
        form.fields[0].value = "not".into();
        form.complete();
        assert_eq!(form.fields[0].value, "not Young");
    }
}
