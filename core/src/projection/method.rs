//! What a projection method says of itself: one [`MethodSpec`] a method, in the method's own file.

use super::Projector;
use crate::domain::{
    Fault, Result,
    projection::{Method, Metric, ParameterValue, Word},
};

/// A projection method: what a study file may ask of it, how people are told of it, and what carries it out.
pub struct MethodSpec {
    /// In study files, results and keys: never changed. Lower-case letters, digits, `_`.
    pub word: &'static str,
    /// In sentences and figures: `t-SNE`.
    pub title: &'static str,
    /// For the report's Methods, in HTML: what it computes and whose method it is.
    pub about: &'static str,
    /// 1, and raised whenever the method gives other bits for the same parameters.
    pub version: u32,
    /// In the order in which study files have them. With [`Method::AXES`] it gives that many axes, without it a map of two coordinates.
    pub parameters: &'static [ParameterSpec],
    /// Whether it looks at labels ([`super::Supervision`]): such coordinates are never ranked beside those that do not.
    pub supervised: bool,
    /// How many seeds a study takes unless it says so; `None`: its coordinates do not depend on a seed that is looked at.
    pub seeds: Option<usize>,
    /// # Errors
    /// Parameters that the method does not take.
    pub(super) build: fn(&MethodParameters) -> Result<Box<dyn Projector>>,
}

/// A parameter of a method.
pub struct ParameterSpec {
    /// As study files, results and keys write it: never changed.
    pub name: &'static str,
    /// What it may be.
    pub kind: ParameterKind,
    /// Results were made before the parameter was there: its default is left out of methods, so that their keys stay.
    pub added_later: bool,
    /// Whether the robustness of a shown figure is measured by other values of it.
    pub(super) variation: Variation,
}

/// What a parameter may be in a study file, and what it is if it is left out.
#[expect(missing_docs, reason = "`default`, `least` and `most` say what they are")]
pub enum ParameterKind {
    /// A whole number, `least..=most`.
    Count { default: usize, least: usize, most: usize },
    /// A number, `least..=most`.
    Number { default: f64, least: f64, most: f64 },
    /// A word for the distance between features.
    Metric { default: Metric },
    /// One of these words; the first is the default.
    Word { words: &'static [&'static str] },
}

pub(super) enum Variation {
    None,
    /// Half and twice the value, which is told in these words: `{} neighbours`.
    HalfAndTwice(&'static str),
    /// The other metric.
    OtherMetric,
}

impl ParameterSpec {
    /// The number of axes of a method that gives axes.
    pub const AXES: ParameterSpec = ParameterSpec {
        name: Method::AXES,
        kind: ParameterKind::Count { default: 10, least: 1, most: 1000 },
        added_later: false,
        variation: Variation::None,
    };
    /// How far apart two images are, of a method that asks for the nearest.
    pub const METRIC: ParameterSpec = ParameterSpec {
        name: "metric",
        kind: ParameterKind::Metric { default: Metric::Euclidean },
        added_later: true,
        variation: Variation::OtherMetric,
    };

    /// Its value where a study file leaves it out.
    pub fn default(&self) -> ParameterValue {
        match self.kind {
            ParameterKind::Count { default, .. } => default.into(),
            ParameterKind::Number { default, .. } => default.into(),
            ParameterKind::Metric { default } => default.into(),
            ParameterKind::Word { words } => word(words[0]),
        }
    }

    fn is_of_kind(&self, value: ParameterValue) -> bool {
        if let ParameterKind::Word { words } = &self.kind {
            return as_word(value).is_some_and(|word| words.contains(&word.as_str()));
        }
        matches!(
            (&self.kind, value),
            (ParameterKind::Count { .. }, ParameterValue::Count(_))
                | (ParameterKind::Number { .. }, ParameterValue::Number(_))
                | (ParameterKind::Metric { .. }, ParameterValue::Metric(_))
        )
    }

    /// Other values, in words. Whether the method takes them is for the method to say.
    fn other_values(&self, value: ParameterValue) -> Vec<(String, ParameterValue)> {
        let told = |words: &str, value: ParameterValue| (words.replace("{}", &value.to_string()), value);
        match (&self.variation, value, &self.kind) {
            (Variation::HalfAndTwice(words), ParameterValue::Count(count), ParameterKind::Count { least, .. }) => {
                vec![told(words, (count / 2).max(*least).into()), told(words, (count * 2).into())]
            }
            (Variation::HalfAndTwice(words), ParameterValue::Number(number), _) => {
                vec![told(words, (number / 2.0).into()), told(words, (number * 2.0).into())]
            }
            (Variation::OtherMetric, ParameterValue::Metric(metric), _) => vec![told("{}", metric.other().into())],
            _ => vec![],
        }
    }
}

/// A value that is a word, also where a metric is called so.
fn as_word(value: ParameterValue) -> Option<Word> {
    match value {
        ParameterValue::Word(word) => Some(word),
        ParameterValue::Metric(metric) => Word::new(metric.word()),
        ParameterValue::Count(_) | ParameterValue::Number(_) => None,
    }
}

/// A word of the register as a value.
pub fn word(text: &str) -> ParameterValue {
    Word::new(text).expect("a word of the register, held by a test").into()
}

impl MethodSpec {
    /// The method with these values, one a parameter, in the order of [`MethodSpec::parameters`].
    pub fn method(&self, values: &[ParameterValue]) -> Method {
        let given = self.parameters.iter().zip(values).filter(|(of, value)| !(of.added_later && of.default() == **value));
        given.fold(Method::new(self.word).of_version(self.version), |method, (of, value)| method.with(of.name, *value))
    }

    /// The method with all that is usual.
    pub fn usual(&self) -> Method {
        self.method(&self.parameters.iter().map(ParameterSpec::default).collect::<Vec<_>>())
    }

    /// The value of each parameter, in their order.
    ///
    /// # Errors
    /// Another version of the method; parameters that it does not have, lacks or has of another kind.
    pub(super) fn values(&self, method: &Method) -> Result<MethodParameters> {
        let (title, version) = (self.title, method.version());
        if version != self.version {
            return Err(Fault::asked(format!(
                "{title} of version {version} is asked for, and this program has version {}",
                self.version
            )));
        }
        if let Some((name, _)) = method.parameters().find(|(name, _)| self.parameters.iter().all(|of| of.name != *name)) {
            return Err(Fault::asked(format!("{title} has no parameter `{name}`")));
        }
        let value = |of: &ParameterSpec| {
            let value = method.parameter(of.name).or_else(|| of.added_later.then(|| of.default()));
            let value = value.ok_or_else(|| Fault::asked(format!("{title} lacks its parameter `{}`", of.name)))?;
            if of.is_of_kind(value) {
                Ok((of.name, value))
            } else {
                Err(Fault::asked(format!("{title} does not take `{}: {value}`", of.name)))
            }
        };
        self.parameters.iter().map(value).collect::<Result<_>>().map(MethodParameters)
    }

    /// The method with one parameter changed, in every way that tells whether a picture hangs on it.
    pub(super) fn other_settings(&self, method: &Method) -> Vec<(String, Method)> {
        let Ok(MethodParameters(values)) = self.values(method) else { return vec![] };
        let of_place = |place: usize| {
            let values = &values;
            self.parameters[place].other_values(values[place].1).into_iter().map(move |(words, other)| {
                let changed: Vec<ParameterValue> =
                    values.iter().enumerate().map(|(at, (_, value))| if at == place { other } else { *value }).collect();
                (words, self.method(&changed))
            })
        };
        (0..self.parameters.len()).flat_map(of_place).collect()
    }
}

/// Values of a method's parameters, each of its kind.
pub(super) struct MethodParameters(Vec<(&'static str, ParameterValue)>);

impl MethodParameters {
    fn get<T>(&self, name: &str, of_kind: impl Fn(ParameterValue) -> Option<T>) -> Result<T> {
        let found = self.0.iter().find(|(of, _)| *of == name).and_then(|(_, value)| of_kind(*value));
        found.ok_or_else(|| Fault::unexpected(format!("the method does not declare its parameter `{name}`")))
    }

    /// # Errors
    /// A count that the method does not declare; so of the others.
    pub(super) fn count(&self, name: &str) -> Result<usize> {
        self.get(name, |value| if let ParameterValue::Count(count) = value { Some(count) } else { None })
    }

    pub(super) fn number(&self, name: &str) -> Result<f64> {
        self.get(name, |value| if let ParameterValue::Number(number) = value { Some(number) } else { None })
    }

    /// One of the words that the parameter declares.
    pub(super) fn word(&self, name: &str) -> Result<Word> {
        self.get(name, as_word)
    }

    pub(crate) fn metric(&self, name: &str) -> Result<crate::numeric::neighbours::NeighbourMetric> {
        use crate::numeric::neighbours;
        self.get(name, |value| match value {
            ParameterValue::Metric(Metric::Euclidean) => Some(neighbours::NeighbourMetric::Euclidean),
            ParameterValue::Metric(Metric::Cosine) => Some(neighbours::NeighbourMetric::Cosine),
            _ => None,
        })
    }
}
