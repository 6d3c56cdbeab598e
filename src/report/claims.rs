//! The book of claims: a number enters with where it comes from and leaves as an id; only the template's `claim(id)` turns
//! it into text.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};
use visavis_core::domain::{
    Key,
    claim::{Claim, ClaimSource, NumberForm},
    score::{Estimate, Spread},
};

#[derive(Clone, Default)]
pub struct Book(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    claims: Vec<Claim>,
    /// Places in `claims`: a number that is shown twice is one claim.
    known: BTreeMap<(String, String), usize>,
    shown: BTreeSet<usize>,
}

/// An output that numbers are taken from.
#[derive(Clone)]
pub struct OutputSource {
    pub key: Key,
    pub output: &'static str,
    /// Whose numbers they are, in words.
    pub of: String,
}

impl Book {
    /// Enters a number; returns its id.
    pub fn enter(&self, source: &OutputSource, pointer: &str, what: &str, form: NumberForm, value: f64) -> String {
        let mut pages = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let place = (format!("{} {} {form:?}", source.key, source.output), pointer.to_owned());
        let next = pages.claims.len();
        let number = *pages.known.entry(place).or_insert(next);
        if number == next {
            let from = ClaimSource { key: source.key, output: source.output.to_owned(), pointer: pointer.to_owned() };
            pages.claims.push(Claim { id: id(number), what: format!("{}, {what}", source.of), form, value, from });
        }
        id(number)
    }

    pub fn count(&self, source: &OutputSource, pointer: &str, what: &str, value: usize) -> String {
        self.enter(source, pointer, what, NumberForm::Count, value as f64)
    }

    /// Value, low and high of an estimate that stands at `pointer`; of too few the value alone.
    pub fn estimate(
        &self,
        source: &OutputSource,
        pointer: &str,
        what: &str,
        form: NumberForm,
        estimate: Option<Estimate>,
    ) -> serde_json::Value {
        let Some(estimate) = estimate else { return serde_json::Value::Null };
        let parts = [("value", Some(estimate.value)), ("low", estimate.low()), ("high", estimate.high())];
        self.parts(source, pointer, what, form, parts.into_iter().filter_map(|(name, part)| Some((name, part?))))
    }

    /// Median and range of AUCs that stand at `pointer`.
    pub fn spread(&self, source: &OutputSource, pointer: &str, what: &str, spread: Spread) -> serde_json::Value {
        let Spread { median, low, high } = spread;
        self.parts(source, pointer, what, NumberForm::Score, [("median", median), ("low", low), ("high", high)].into_iter())
    }

    fn parts(
        &self,
        source: &OutputSource,
        pointer: &str,
        what: &str,
        form: NumberForm,
        parts: impl Iterator<Item = (&'static str, f64)>,
    ) -> serde_json::Value {
        let enter = |(name, value): (&str, f64)| {
            let id = self.enter(source, &format!("{pointer}/{name}"), &format!("{what}: {name}"), form, value);
            (name.to_owned(), serde_json::Value::String(id))
        };
        serde_json::Value::Object(parts.map(enter).collect())
    }

    /// `claim(id="…")` for templates.
    pub fn printer(&self) -> impl tera::Function + 'static {
        let book = self.clone();
        move |arguments: &HashMap<String, tera::Value>| {
            let id = arguments.get("id").and_then(tera::Value::as_str).ok_or("claim needs an id")?;
            let mut pages = book.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let number = id
                .strip_prefix('c')
                .and_then(|number| number.parse::<usize>().ok())
                .filter(|number| *number < pages.claims.len())
                .ok_or("no such claim")?;
            pages.shown.insert(number);
            let claim = &pages.claims[number];
            Ok(tera::Value::String(format!("<data data-claim=\"{id}\">{}</data>", claim.form.show(claim.value))))
        }
    }

    /// The claims that the page came to show.
    pub fn shown(&self) -> Vec<Claim> {
        let pages = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        pages.shown.iter().map(|&number| pages.claims[number].clone()).collect()
    }
}

fn id(number: usize) -> String {
    format!("c{number}")
}
