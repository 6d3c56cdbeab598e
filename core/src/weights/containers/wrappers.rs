//! Finds a network in what a weight file holds. Trainers wrap a network's tensors twice: in dicts (`state_dict`, `model`,
//! `state_dict_backbone`, beside epochs and optimizers), and in names (`module.`, `backbone.`, `_orig_mod.`, `model.`, `net.`,
//! `features.module.`). No list of either is needed: every dict of tensors is tried, with every beginning behind which a wanted
//! name stands, and only what fits *exactly* counts. A beginning is cut at the front of a name and nowhere else; names without
//! it are left out (MagFace: `fc.weight` is the head, `features.module.fc.weight` the network's).

pub use super::misfit::{Misfit, NearMiss};
use super::{
    WeightFile,
    value::{Element, Key, TensorRef, Value},
};
use crate::domain::{
    Result,
    text::{count, printable, shorten},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A tensor that a network has: its name and its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'w> {
    /// As weight files of its family call it.
    pub name: &'w str,
    /// Its sizes, the slowest first.
    pub shape: &'w [usize],
}

/// A dict of a file that has tensors under names.
#[derive(Debug)]
pub struct TensorDict<'v> {
    /// The keys that lead to it, `a.b[0]`; empty: the file's own.
    pub place: String,
    /// By name.
    pub tensors: BTreeMap<&'v str, &'v TensorRef>,
}

/// The dicts of tensors in a file, and what else was seen.
#[derive(Debug, Default)]
pub struct Survey<'v> {
    /// Dicts that have tensors themselves, in the file's order.
    pub dicts: Vec<TensorDict<'v>>,
    /// Where states of optimizers are. Their tensors are shaped like weights, and are none.
    pub optimizers: Vec<String>,
    /// Objects of classes that are not read: place and class.
    pub objects: Vec<(String, &'v str)>,
}

/// Looks through a file's dicts and lists.
pub fn survey(root: &Value) -> Survey<'_> {
    let mut survey = Survey::default();
    let mut left = vec![(String::new(), root)];
    while let Some((place, value)) = left.pop() {
        match value {
            Value::Object(class) => survey.objects.push((place, class)),
            Value::List(items) => {
                left.extend(
                    items
                        .iter()
                        .enumerate()
                        .rev()
                        .filter(|(_, item)| is_nest(item))
                        .map(|(i, item)| (format!("{place}[{i}]"), item)),
                );
            }
            Value::Dict(_) if value.get("state").is_some() && value.get("param_groups").is_some() => {
                survey.optimizers.push(place);
            }
            Value::Dict(entries) => {
                let named = entries.iter().filter_map(|(key, value)| match (key, value) {
                    (Key::Text(name), Value::Tensor(tensor)) => Some((name.as_str(), tensor)),
                    _ => None,
                });
                let tensors: BTreeMap<&str, &TensorRef> = named.collect();
                left.extend(
                    entries.iter().rev().filter(|(_, value)| is_nest(value)).map(|(key, value)| (below(&place, key), value)),
                );
                if !tensors.is_empty() {
                    survey.dicts.push(TensorDict { place, tensors });
                }
            }
            _ => {}
        }
    }
    survey
}

/// Looks through a file that should have tensors under names.
///
/// # Errors
/// It has none; what it has in their place.
pub fn with_tensors(root: &Value) -> std::result::Result<Survey<'_>, Misfit> {
    let survey = survey(root);
    if survey.dicts.is_empty() { Err(without_tensors(root, &survey)) } else { Ok(survey) }
}

impl<'v> TensorDict<'v> {
    /// The beginning behind which most of these names are; none at all where no name is there.
    pub fn prefix(&self, names: &BTreeSet<&str>) -> &'v str {
        prefixes(self, names).first().copied().unwrap_or("")
    }
}

fn is_nest(value: &Value) -> bool {
    matches!(value, Value::Dict(_) | Value::List(_) | Value::Object(_))
}

fn below(place: &str, key: &Key) -> String {
    let key = match key {
        Key::Text(text) => text.clone(),
        Key::Int(number) => number.to_string(),
        Key::Other(what) => format!("<{what}>"),
    };
    let key = printable(&shorten(&key, 80));
    if place.is_empty() { key } else { format!("{place}.{key}") }
}

/// Where in a file a network is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The dict; empty: the file's own.
    pub dict: String,
    /// What comes before the network's own names.
    pub prefix: String,
}

impl Place {
    /// Is it the file's own dict, with the network's own names?
    pub fn is_the_file(&self) -> bool {
        self.dict.is_empty() && self.prefix.is_empty()
    }

    /// "`state_dict`, names beginning with `module.`".
    pub fn words(&self) -> String {
        let dict = if self.dict.is_empty() { "the file itself".to_owned() } else { format!("`{}`", self.dict) };
        let prefix = printable(&shorten(&self.prefix, 80));
        if prefix.is_empty() { dict } else { format!("{dict}, names beginning with `{prefix}`") }
    }
}

/// A network that was found: every wanted tensor is there, in its shape.
#[derive(Debug)]
pub struct Fit<'v> {
    /// Where it is.
    pub place: Place,
    /// By the network's own names.
    pub tensors: BTreeMap<String, &'v TensorRef>,
    /// Names behind the prefix that the network does not have, such as a head's.
    pub left_over: Vec<String>,
    /// Names of the same dict without the prefix.
    pub outside: Vec<String>,
    /// Integers such as `num_batches_tracked`, which no number depends on: passed by.
    pub counters: usize,
}

/// Finds the one place that has every wanted tensor in its shape.
///
/// # Errors
/// None, or several that are not the same tensors.
pub fn fit<'v>(root: &'v Value, wanted: &[Wanted]) -> std::result::Result<Fit<'v>, Misfit> {
    let survey = with_tensors(root)?;
    let names: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.name).collect();
    let mut fits: Vec<Fit> = Vec::new();
    let mut nearest: Option<Box<NearMiss>> = None;
    for dict in &survey.dicts {
        for prefix in prefixes(dict, &names) {
            let place = Place { dict: dict.place.clone(), prefix: prefix.to_owned() };
            match hold(dict, place, wanted, &names) {
                Ok(found) => fits.push(found),
                Err(near) => {
                    let is_nearer = |best: &NearMiss| near.nearness() > best.nearness();
                    if nearest.as_deref().is_none_or(is_nearer) {
                        nearest = Some(near);
                    }
                }
            }
        }
    }
    // Places that name the same tensors are one network under several names.
    fits.sort_by(|a, b| (a.place.prefix.len(), &a.place).cmp(&(b.place.prefix.len(), &b.place)));
    if fits.is_empty() {
        return Err(Misfit::Near(nearest.expect("a file with tensors has a place, and each place is tried")));
    }
    let first = fits.remove(0);
    if fits.iter().any(|other| other.tensors != first.tensors) {
        let places = std::iter::once(first.place).chain(fits.into_iter().map(|fit| fit.place)).collect();
        return Err(Misfit::Several(places));
    }
    Ok(first)
}

/// Beginnings worth trying: each behind which a wanted name stands, those of most names first; and none at all.
fn prefixes<'v>(dict: &TensorDict<'v>, names: &BTreeSet<&str>) -> Vec<&'v str> {
    /// A network of another shape has many beginnings of few names each; those with most are enough.
    const MOST: usize = 32;
    let mut votes: HashMap<&str, usize> = HashMap::from([("", 0)]);
    for name in dict.tensors.keys() {
        let starts = name.match_indices('.').map(|(dot, _)| dot + 1);
        for start in std::iter::once(0).chain(starts).filter(|start| names.contains(&name[*start..])) {
            *votes.entry(&name[..start]).or_default() += 1;
        }
    }
    let mut ranked: Vec<(&str, usize)> = votes.into_iter().collect();
    ranked.sort_by(|(a, x), (b, y)| (y, a.len(), a).cmp(&(x, b.len(), b)));
    ranked.into_iter().take(MOST).map(|(prefix, _)| prefix).collect()
}

/// Integers that count batches, or anything else that is no weight by its type.
pub(in crate::weights) fn is_counter(name: &str, tensor: &TensorRef) -> bool {
    name.ends_with("num_batches_tracked") || !tensor.element.is_fraction()
}

/// Holds the tensors behind a prefix against the wanted ones.
fn hold<'v>(
    dict: &TensorDict<'v>,
    place: Place,
    wanted: &[Wanted],
    names: &BTreeSet<&str>,
) -> std::result::Result<Fit<'v>, Box<NearMiss>> {
    let mut behind: BTreeMap<&str, &TensorRef> = BTreeMap::new();
    let (mut left_over, mut outside, mut counters) = (Vec::new(), Vec::new(), 0);
    for (name, tensor) in &dict.tensors {
        match name.strip_prefix(place.prefix.as_str()) {
            Some(own) if names.contains(own) => _ = behind.insert(own, tensor),
            _ if is_counter(name, tensor) => counters += 1,
            Some(own) => left_over.push(own.to_owned()),
            None => outside.push((*name).to_owned()),
        }
    }
    let (mut tensors, mut missing, mut differing) = (BTreeMap::new(), Vec::new(), Vec::new());
    for Wanted { name, shape } in wanted {
        match behind.get(name) {
            None => missing.push((*name).to_owned()),
            Some(tensor) if tensor.shape() != *shape => {
                differing.push(format!("`{name}` is {:?} and should be {shape:?}", tensor.shape()));
            }
            Some(tensor) if !tensor.element.is_fraction() => {
                differing.push(format!("`{name}` is of type {}", tensor.element.word()));
            }
            Some(tensor) => _ = tensors.insert((*name).to_owned(), *tensor),
        }
    }
    if missing.is_empty() && differing.is_empty() {
        return Ok(Fit { place, tensors, left_over, outside, counters });
    }
    Err(Box::new(NearMiss { place, missing, differing, left_over, outside, counters, right: tensors.len() }))
}

/// Keys under which people pickle a whole module.
const MODULE_KEYS: [&str; 7] = ["model", "net", "network", "module", "backbone", "ema", "state_dict"];

/// What a file without tensors is.
fn without_tensors(root: &Value, survey: &Survey) -> Misfit {
    let is_module = |(place, _): &&(String, &str)| place.is_empty() || MODULE_KEYS.contains(&place.as_str());
    if let Some((place, class)) = survey.objects.iter().find(is_module) {
        return Misfit::WholeModule { class: (*class).to_owned(), place: place.clone() };
    }
    if !survey.optimizers.is_empty() {
        return Misfit::OptimizerOnly { places: survey.optimizers.clone() };
    }
    let keys = match root {
        Value::Dict(entries) => entries.iter().take(8).map(|(key, _)| below("", key)).collect(),
        _ => vec![],
    };
    Misfit::NoTensors { keys }
}

/// Small values that a file has beside its tensors, such as `epoch` and `arch`: key and value, in the file's order.
pub fn beside(root: &Value) -> Vec<(String, String)> {
    let Value::Dict(entries) = root else { return vec![] };
    let said = |(key, value): &(Key, Value)| {
        let value = match value {
            Value::Bool(value) => if *value { "true" } else { "false" }.to_owned(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Text(text) => printable(&shorten(text, 60)),
            _ => return None,
        };
        Some((below("", key), value))
    };
    entries.iter().filter_map(said).collect()
}

/// The numbers of a network, by its own names.
#[derive(Debug)]
pub struct Numbers {
    /// Shape, and the numbers in C order.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    /// What was done to make them so.
    pub conversions: Conversions,
}

/// How many tensors were turned into single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversions {
    /// float16 and bfloat16, exactly.
    pub widened: usize,
    /// float64, rounded.
    pub rounded: usize,
}

impl Conversions {
    /// One sentence each.
    pub fn remarks(self) -> Vec<String> {
        let widened =
            (self.widened > 0).then(|| format!("{} of half precision widened to single", count(self.widened, "tensor")));
        let rounded =
            (self.rounded > 0).then(|| format!("{} of double precision rounded to single", count(self.rounded, "tensor")));
        widened.into_iter().chain(rounded).collect()
    }
}

impl Fit<'_> {
    /// Reads the network's numbers from its file.
    ///
    /// # Errors
    /// Numbers that are not those that were written, and a file that changed since it was looked through.
    pub fn numbers(&self, file: &WeightFile) -> Result<Numbers> {
        let mut numbers = Numbers { tensors: BTreeMap::new(), conversions: Conversions::default() };
        file.check(self.tensors.values().copied())?;
        for (name, tensor) in &self.tensors {
            match tensor.element {
                Element::F16 | Element::BF16 => numbers.conversions.widened += 1,
                Element::F64 => numbers.conversions.rounded += 1,
                _ => {}
            }
            numbers.tensors.insert(name.clone(), (tensor.shape().to_vec(), file.numbers(tensor)?));
        }
        Ok(numbers)
    }
}
