//! The register of claims: a number enters with where it comes from and leaves as an id; only the templates' `claim(id)` turns it into
//! text. So every number on the page can be found again by an audit.

use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use visavis_core::domain::{
    Key,
    claim::{Claim, ClaimSource, NumberForm},
    score::{Estimate, Spread},
};

/// The id of a number that was entered: all that a template is given of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ClaimId(String);

/// A score with its interval; without one of too few.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct EstimateClaims {
    pub value: ClaimId,
    pub low: Option<ClaimId>,
    pub high: Option<ClaimId>,
}

/// A median with its range, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SpreadClaims {
    pub median: ClaimId,
    pub low: Option<ClaimId>,
    pub high: Option<ClaimId>,
}

/// Clones are of one register.
#[derive(Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<Register>>);

#[derive(Default)]
struct Register {
    claims: Vec<Claim>,
    /// Places in `claims`: a number that is shown twice is one claim.
    known: BTreeMap<(String, String), usize>,
    shown: BTreeSet<usize>,
}

/// An output that numbers are taken from.
#[derive(Clone)]
pub(crate) struct OutputSource {
    pub key: Key,
    pub output: &'static str,
    /// Whose numbers they are, in words.
    pub of: String,
}

impl Claims {
    fn register(&self) -> MutexGuard<'_, Register> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a number; returns its id.
    pub(crate) fn enter(&self, source: &OutputSource, pointer: &str, what: &str, form: NumberForm, value: f64) -> ClaimId {
        let mut register = self.register();
        let place = (format!("{} {} {form:?}", source.key, source.output), pointer.to_owned());
        let next = register.claims.len();
        let number = *register.known.entry(place).or_insert(next);
        let id = format!("c{number}");
        if number == next {
            let from = ClaimSource { key: source.key, output: source.output.to_owned(), pointer: pointer.to_owned() };
            register.claims.push(Claim { id: id.clone(), what: format!("{}, {what}", source.of), form, value, from });
        }
        ClaimId(id)
    }

    /// Enters a number of things.
    pub(crate) fn count(&self, source: &OutputSource, pointer: &str, what: &str, value: usize) -> ClaimId {
        self.enter(source, pointer, what, NumberForm::Count, value as f64)
    }

    /// Value, low and high of an estimate that stands at `pointer`; of too few the value alone.
    pub(crate) fn estimate(
        &self,
        source: &OutputSource,
        pointer: &str,
        what: &str,
        form: NumberForm,
        estimate: Estimate,
    ) -> EstimateClaims {
        let enter =
            |name: &str, value: f64| self.enter(source, &format!("{pointer}/{name}"), &format!("{what}: {name}"), form, value);
        EstimateClaims {
            value: enter("value", estimate.value),
            low: estimate.low().map(|low| enter("low", low)),
            high: estimate.high().map(|high| enter("high", high)),
        }
    }

    /// Median and range of scores that stand at `pointer`.
    pub(crate) fn spread(&self, source: &OutputSource, pointer: &str, what: &str, spread: Spread) -> SpreadClaims {
        let enter = |name: &str, value: f64| {
            self.enter(source, &format!("{pointer}/{name}"), &format!("{what}: {name}"), NumberForm::Score, value)
        };
        SpreadClaims {
            median: enter("median", spread.median),
            low: Some(enter("low", spread.low)),
            high: Some(enter("high", spread.high)),
        }
    }

    /// `claim(id="…")` for templates.
    pub(crate) fn printer(&self) -> impl tera::Function + 'static {
        let claims = self.clone();
        move |arguments: &HashMap<String, tera::Value>| {
            let id = arguments.get("id").and_then(tera::Value::as_str).ok_or("claim needs an id")?;
            let mut register = claims.register();
            let number = id
                .strip_prefix('c')
                .and_then(|number| number.parse::<usize>().ok())
                .filter(|number| *number < register.claims.len())
                .ok_or("no such claim")?;
            register.shown.insert(number);
            let claim = &register.claims[number];
            Ok(tera::Value::String(format!("<data data-claim=\"{id}\">{}</data>", claim.form.show(claim.value))))
        }
    }

    /// The claims that the page came to show.
    pub(crate) fn shown(&self) -> Vec<Claim> {
        let register = self.register();
        register.shown.iter().map(|&number| register.claims[number].clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::stage::ScoreViews;

    fn source() -> OutputSource {
        OutputSource { key: "a".repeat(64).parse().unwrap(), output: ScoreViews::SCORES, of: "pixels".to_owned() }
    }

    #[test]
    fn a_number_that_is_entered_twice_is_one_claim() {
        let claims = Claims::default();
        let first = claims.enter(&source(), "/views/0/b/value", "AUC", NumberForm::Score, 0.871);
        assert_eq!(first, claims.enter(&source(), "/views/0/b/value", "AUC again", NumberForm::Score, 0.871));
        assert_ne!(first, claims.enter(&source(), "/views/0/b/value", "AUC", NumberForm::Percent, 0.871));
    }

    #[test]
    fn evidence_holds_what_is_printed_and_nothing_else() {
        let claims = Claims::default();
        let estimate = claims.estimate(&source(), "/b", "AUC", NumberForm::Score, Estimate::new(0.8, 0.7, 0.9));
        assert!(claims.shown().is_empty());
        let print = claims.printer();
        let call = |id: &str| tera::Function::call(&print, &[("id".to_owned(), tera::Value::from(id))].into());
        assert_eq!(call(&estimate.value.0).unwrap(), "<data data-claim=\"c0\">0.800</data>");
        let shown = claims.shown();
        assert_eq!((shown.len(), shown[0].from.pointer.as_str(), shown[0].what.as_str()), (1, "/b/value", "pixels, AUC: value"));
        assert!(call("c9").is_err() && call("x").is_err());
    }

    #[test]
    fn an_estimate_of_too_few_has_no_interval() {
        let too_few = Claims::default().estimate(&source(), "/b", "AUC", NumberForm::Score, Estimate::bare(1.0));
        assert_eq!((too_few.low, too_few.high), (None, None));
    }
}
