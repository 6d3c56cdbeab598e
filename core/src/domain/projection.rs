//! Projections, as asked for: a method with its parameters, and the views it gives.
//!
//! A method is data here: a word and numbers. Which methods there are, what each takes and what carries it out is said by the register in
//! `projection/`, so that a new method changes nothing in this file.

use super::{canonical::Value, comparison::Question};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
    ser::SerializeMap,
};
use std::{collections::BTreeMap, fmt};

/// N × D features → N × k coordinates, by this method with these parameters. In JSON `{"pca": {"axes": 10}}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    word: String,
    /// Of the method's code.
    version: u32,
    /// By name; what a parameter of that name may be is for the register to say.
    parameters: BTreeMap<String, ParameterValue>,
}

/// What a parameter of a method is set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterValue {
    /// A whole number.
    Count(usize),
    /// Any finite number.
    Number(f64),
    /// How far apart two images are.
    Metric(Metric),
    /// One of a method's own words, such as a kernel's.
    Word(Word),
}

/// A word of lower-case letters, digits and `_`, 24 letters at most.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Word {
    letters: [u8; Self::LONGEST],
    length: u8,
}

impl Word {
    const LONGEST: usize = 24;

    /// `None` for other letters, too many of them or none.
    pub const fn new(text: &str) -> Option<Word> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > Self::LONGEST {
            return None;
        }
        let mut letters = [0; Self::LONGEST];
        let mut at = 0;
        while at < bytes.len() {
            if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'_') {
                return None;
            }
            letters[at] = bytes[at];
            at += 1;
        }
        Some(Word { letters, length: at as u8 })
    }

    /// The word as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.letters[..usize::from(self.length)]).expect("letters of ASCII")
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl Method {
    /// The parameter that says how many axes a method gives. A method without it gives a map of two coordinates.
    pub const AXES: &str = "axes";
    /// What JSON and keys call the version; no parameter has that name.
    pub const VERSION: &str = "version";

    /// Version 1 of the method, without parameters. `word`: lower-case letters, digits, `_`.
    pub fn new(word: &str) -> Self {
        Method { word: word.to_owned(), version: 1, parameters: BTreeMap::new() }
    }

    /// The method with this parameter; of two values of one parameter the later stays.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<ParameterValue>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// The method at this version of its code.
    #[must_use]
    pub fn of_version(self, version: u32) -> Self {
        Method { version, ..self }
    }

    /// What study files, results and keys call the method.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Of its code: 1, and raised whenever the same parameters give other bits.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The parameters that were given, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, ParameterValue)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The value of that parameter; `None` where it was not given.
    pub fn parameter(&self, name: &str) -> Option<ParameterValue> {
        self.parameters.get(name).copied()
    }

    /// How many axes are asked for; `None` of a map.
    fn axes_asked(&self) -> Option<usize> {
        match self.parameter(Self::AXES)? {
            ParameterValue::Count(axes) => Some(axes),
            _ => None,
        }
    }

    /// How many columns its coordinates have, at most.
    pub fn axes(&self) -> usize {
        self.axes_asked().unwrap_or(2)
    }

    /// Does it look at angles between features, for which it matters where 0 is?
    pub fn is_of_cosines(&self) -> bool {
        self.parameters.values().any(|value| *value == ParameterValue::Metric(Metric::Cosine))
    }

    /// What of it enters a key: word, version (unless 1), and the parameters that were given.
    pub fn canonical(&self) -> Value {
        let Method { word, version, parameters } = self;
        let map = Value::map().with("method", Value::text(word));
        let map = map.unless(Self::VERSION, Value::Int(i64::from(*version)), &Value::Int(1));
        parameters.iter().fold(map, |map, (name, value)| map.with(name.clone(), value.canonical())).done()
    }
}

impl ParameterValue {
    fn canonical(self) -> Value {
        match self {
            ParameterValue::Count(count) => Value::count(count),
            ParameterValue::Number(number) => Value::Float(number),
            ParameterValue::Metric(metric) => Value::text(metric.word()),
            ParameterValue::Word(word) => Value::text(word.as_str()),
        }
    }
}

impl From<usize> for ParameterValue {
    fn from(count: usize) -> Self {
        ParameterValue::Count(count)
    }
}

impl From<f64> for ParameterValue {
    fn from(number: f64) -> Self {
        ParameterValue::Number(number)
    }
}

impl From<Word> for ParameterValue {
    /// A metric's word is always a [`ParameterValue::Metric`], whatever the parameter: as JSON is read.
    fn from(word: Word) -> Self {
        let metric = Metric::ALL.into_iter().find(|metric| metric.word() == word.as_str());
        metric.map_or(ParameterValue::Word(word), ParameterValue::Metric)
    }
}

impl From<Metric> for ParameterValue {
    fn from(metric: Metric) -> Self {
        ParameterValue::Metric(metric)
    }
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterValue::Count(count) => count.fmt(f),
            ParameterValue::Number(number) => number.fmt(f),
            ParameterValue::Metric(metric) => f.write_str(metric.word()),
            ParameterValue::Word(word) => f.write_str(word.as_str()),
        }
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut inner = self.parameters.clone();
        if self.version != 1 {
            inner.insert(Self::VERSION.to_owned(), ParameterValue::Count(self.version as usize));
        }
        let mut outer = serializer.serialize_map(Some(1))?;
        outer.serialize_entry(&self.word, &inner)?;
        outer.end()
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let outer = BTreeMap::<String, BTreeMap<String, ParameterValue>>::deserialize(deserializer)?;
        let mut entries = outer.into_iter();
        let (Some((word, mut parameters)), None) = (entries.next(), entries.next()) else {
            return Err(D::Error::custom("a projection method is one word with its parameters"));
        };
        if let Some(strange) = [&word].into_iter().chain(parameters.keys()).find(|name| !is_word(name)) {
            return Err(D::Error::custom(format!("`{}` is no word of a projection method", strange.escape_debug())));
        }
        let version = match parameters.remove(Self::VERSION) {
            None => 1,
            Some(ParameterValue::Count(version)) => u32::try_from(version).map_err(D::Error::custom)?,
            Some(_) => return Err(D::Error::custom("the version of a projection method is a whole number")),
        };
        Ok(Method { word, version, parameters })
    }
}

/// Of lower-case letters, digits and `_`: what is read from a page of somebody else's is printed.
fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

impl Serialize for ParameterValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ParameterValue::Count(count) => count.serialize(serializer),
            ParameterValue::Number(number) => number.serialize(serializer),
            ParameterValue::Metric(metric) => metric.serialize(serializer),
            ParameterValue::Word(word) => serializer.serialize_str(word.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for ParameterValue {
    /// A number with a point or an exponent is a [`ParameterValue::Number`], as JSON is written here.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = ParameterValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, a number, a metric or a word")
            }
            fn visit_u64<E: Error>(self, count: u64) -> Result<ParameterValue, E> {
                usize::try_from(count).map(ParameterValue::Count).map_err(E::custom)
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<ParameterValue, E> {
                Ok(ParameterValue::Number(number))
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<ParameterValue, E> {
                Word::new(word)
                    .map(ParameterValue::from)
                    .ok_or_else(|| E::custom("a parameter's word has up to 24 lower-case letters, digits and `_`"))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// How far apart two images' features are, for methods that ask for the nearest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The length of the difference.
    #[default]
    Euclidean,
    /// One less the cosine of the angle.
    Cosine,
}

impl Metric {
    /// Both metrics.
    pub const ALL: [Metric; 2] = [Metric::Euclidean, Metric::Cosine];

    /// As study files write it.
    pub fn word(self) -> &'static str {
        match self {
            Metric::Euclidean => "euclidean",
            Metric::Cosine => "cosine",
        }
    }

    /// The other of the two.
    pub fn other(self) -> Self {
        match self {
            Metric::Euclidean => Metric::Cosine,
            Metric::Cosine => Metric::Euclidean,
        }
    }
}

/// A projection of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// `pca`, or what tells two of one method apart: `tsne-perplexity50`.
    pub name: String,
    /// What makes the coordinates.
    pub method: Method,
    /// What a supervised method learns to tell apart; `None` of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LearnedLabels>,
    /// Pairs of axes to look at together, counted from 1 (many-axis methods only).
    pub pairs: Vec<(usize, usize)>,
    /// How many projection seeds; 1 for methods that need none.
    pub seeds: usize,
}

/// The labels that a supervised method learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LearnedLabels {
    /// Who is on the image.
    Identity,
    /// Which class of a comparison it is in. An image in several, in none or of unknown label is not learned from.
    Classes(Question),
}

impl LearnedLabels {
    /// The attributes whose labels are needed.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            LearnedLabels::Identity => vec![],
            LearnedLabels::Classes(question) => question.attributes().into_iter().collect(),
        }
    }

    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        match self {
            LearnedLabels::Identity => Value::text("identity"),
            LearnedLabels::Classes(question) => question.canonical(),
        }
    }
}

/// What one figure shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The features themselves: scored as the yardstick for their projections, never drawn.
    Features,
    /// One axis, counted from 1.
    Axis(usize),
    /// Two axes, counted from 1.
    Pair(usize, usize),
    /// The two coordinates of a map (t-SNE, UMAP).
    Map,
}

impl Projection {
    /// Each axis alone and every pair asked for; or the map.
    pub fn views(&self) -> Vec<View> {
        let pairs = self.pairs.iter().map(|&(i, j)| View::Pair(i, j));
        match self.method.axes_asked() {
            Some(axes) => (1..=axes).map(View::Axis).chain(pairs).collect(),
            None => vec![View::Map],
        }
    }

    /// The views that are held beside the features themselves: those of two axes, where there are any.
    pub fn pictures(&self) -> Vec<View> {
        let views = self.views();
        let flat: Vec<View> = views.iter().copied().filter(|view| !matches!(view, View::Axis(_))).collect();
        if flat.is_empty() { views } else { flat }
    }
}

impl View {
    /// The columns of the coordinates it shows, from 0.
    pub fn columns(&self, width: usize) -> Vec<usize> {
        match *self {
            View::Features => (0..width).collect(),
            View::Axis(i) => vec![i - 1],
            View::Pair(i, j) => vec![i - 1, j - 1],
            View::Map => vec![0, 1],
        }
    }

    /// Spelled out here, so that people may be told of views in other words without a change of keys.
    pub fn canonical(&self) -> Value {
        Value::text(match self {
            View::Features => "features".to_owned(),
            View::Axis(i) => format!("axis {i}"),
            View::Pair(i, j) => format!("axes {i}-{j}"),
            View::Map => "map".to_owned(),
        })
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            View::Features => f.write_str("features"),
            View::Axis(i) => write!(f, "axis {i}"),
            View::Pair(i, j) => write!(f, "axes {i}-{j}"),
            View::Map => f.write_str("map"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Method, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_method_is_in_json_what_it_was_when_each_had_a_type_of_its_own() {
        let umap = Method::new("umap").with("neighbors", 15).with("min_dist", 0.0).with("metric", Metric::Cosine);
        let json = serde_json::to_string(&umap).unwrap();
        assert_eq!(json, r#"{"umap":{"metric":"cosine","min_dist":0.0,"neighbors":15}}"#);
        assert_eq!(read(&json).unwrap(), umap);
        let later = Method::new("pca").with("axes", 3).of_version(2);
        assert_eq!(serde_json::to_string(&later).unwrap(), r#"{"pca":{"axes":3,"version":2}}"#);
        assert_eq!(read(r#"{"pca":{"axes":3,"version":2}}"#).unwrap(), later);
        assert_ne!(later.canonical(), Method::new("pca").with("axes", 3).canonical());
    }

    #[test]
    fn a_methods_own_words_are_read_as_they_were_written() {
        let lle = Method::new("lle").with("variant", Word::new("modified").unwrap());
        let json = serde_json::to_string(&lle).unwrap();
        assert_eq!(json, r#"{"lle":{"variant":"modified"}}"#);
        assert_eq!(read(&json).unwrap(), lle);
        assert_ne!(lle.canonical(), Method::new("lle").with("variant", Word::new("standard").unwrap()).canonical());
        assert_eq!((Word::new(""), Word::new("Two words")), (None, None));
        // A kernel may be called as a metric is.
        let kernel = Method::new("kernel_pca").with("kernel", Word::new("cosine").unwrap());
        assert_eq!(read(&serde_json::to_string(&kernel).unwrap()).unwrap(), kernel);
        assert!(kernel.is_of_cosines());
    }

    #[test]
    fn what_is_no_method_is_refused() {
        for json in [
            r#"{}"#,
            r#"{"pca":{"axes":3},"ica":{"axes":3}}"#,
            r#"{"<b>":{"axes":3}}"#,
            r#"{"pca":{"axes":"Many axes"}}"#,
            r#"{"pca":{"axes":"a_word_of_more_than_24_letters"}}"#,
            r#"{"pca":{"version":0.5}}"#,
            r#"{"pca":{"version":4294967296}}"#,
            r#"{"pca":{"Axes":3}}"#,
            r#"{"pca":{"axes":null}}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn axes_are_looked_at_alone_and_in_pairs_and_a_map_as_a_whole() {
        let projection = |method, pairs| Projection { name: "x".into(), method, labels: None, pairs, seeds: 1 };
        let pca = projection(Method::new("pca").with("axes", 2), vec![(1, 2)]);
        assert_eq!(pca.views(), [View::Axis(1), View::Axis(2), View::Pair(1, 2)]);
        assert_eq!(pca.pictures(), [View::Pair(1, 2)]);
        let map = projection(Method::new("tsne").with("perplexity", 30.0), vec![]);
        assert_eq!((map.views(), map.method.axes()), (vec![View::Map], 2));
    }
}
