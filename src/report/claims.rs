//! The register of claims: a number enters with where it comes from and leaves as an id; only the templates' `claim(id)` turns it into
//! text, and only their `range(…)` draws it. So every number on the page can be found again by an audit.

use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tera::Value;
use visavis_core::{
    domain::{
        Key,
        claim::{Claim, ClaimSource, NumberForm},
        score::{Estimate, Spread},
    },
    plot::{self, RangeMark, RangeScale},
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

impl Register {
    /// The claim of an id, which the page now shows.
    fn show(&mut self, id: &str) -> tera::Result<&Claim> {
        let number = id.strip_prefix('c').and_then(|number| number.parse::<usize>().ok());
        let number = number.filter(|number| *number < self.claims.len()).ok_or("no such claim")?;
        self.shown.insert(number);
        Ok(&self.claims[number])
    }

    /// The same, as a mark of a chart has it: id and number.
    fn mark<'a>(&mut self, id: &'a Value) -> tera::Result<(&'a str, f64)> {
        let id = id.as_str().ok_or("a mark needs the id of a claim")?;
        Ok((id, self.show(id)?.value))
    }
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
        move |arguments: &HashMap<String, Value>| {
            let id = arguments.get("id").and_then(Value::as_str).ok_or("claim needs an id")?;
            let mut register = claims.register();
            let claim = register.show(id)?;
            Ok(Value::String(format!("<data data-claim=\"{id}\">{}</data>", claim.form.show(claim.value))))
        }
    }

    /// `range(scale="auc", of=estimate)` for templates: a row of a chart ([`plot::range()`]). `scale` and `of`, an estimate, are needed;
    /// `threshold` and `diamond` are an id or nothing, `others` a list of ids.
    pub(crate) fn range_printer(&self) -> impl tera::Function + 'static {
        let claims = self.clone();
        move |arguments: &HashMap<String, Value>| {
            let scale = scale_of(arguments)?;
            let of = arguments.get("of").and_then(Value::as_object).ok_or("range needs an estimate")?;
            let mut register = claims.register();
            let mut marks: Vec<(RangeMark, Vec<(&str, f64)>)> = vec![];
            for (name, mark) in
                [("threshold", RangeMark::Threshold), ("others", RangeMark::Ring), ("diamond", RangeMark::Diamond)]
            {
                let ids = match arguments.get(name) {
                    None | Some(Value::Null) => vec![],
                    Some(Value::Array(ids)) => ids.iter().collect(),
                    Some(id) => vec![id],
                };
                for id in ids {
                    marks.push((mark, vec![register.mark(id)?]));
                }
            }
            let known = |name: &str| of.get(name).filter(|id| !id.is_null());
            if let (Some(low), Some(high)) = (known("low"), known("high")) {
                marks.push((RangeMark::Interval, vec![register.mark(low)?, register.mark(high)?]));
            }
            let value = known("value").ok_or("an estimate needs a value")?;
            marks.push((RangeMark::Value, vec![register.mark(value)?]));
            Ok(Value::String(plot::range(scale, &marks)))
        }
    }

    /// `lines(scale="auc", of=lines)` for templates: a chart of lines ([`plot::lines()`]), each a list of ids, or nothing, by step.
    pub(crate) fn lines_printer(&self) -> impl tera::Function + 'static {
        let claims = self.clone();
        move |arguments: &HashMap<String, Value>| {
            let scale = scale_of(arguments)?;
            let lines = arguments.get("of").and_then(Value::as_array).ok_or("lines needs lists of ids")?;
            let mut register = claims.register();
            let mut drawn: Vec<Vec<Option<(&str, f64)>>> = vec![];
            for line in lines.iter().take(plot::MOST_LINES) {
                let mut steps = vec![];
                for step in line.as_array().ok_or("a line needs a list of ids")? {
                    steps.push(if step.is_null() { None } else { Some(register.mark(step)?) });
                }
                drawn.push(steps);
            }
            Ok(Value::String(plot::lines(scale, &drawn)))
        }
    }

    /// The claims that the page came to show.
    pub(crate) fn shown(&self) -> Vec<Claim> {
        let register = self.register();
        register.shown.iter().map(|&number| register.claims[number].clone()).collect()
    }
}

fn scale_of(arguments: &HashMap<String, Value>) -> tera::Result<RangeScale> {
    let word = arguments.get("scale").and_then(Value::as_str);
    Ok(word.and_then(RangeScale::of_word).ok_or("a chart needs a scale")?)
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
    fn a_row_of_a_chart_is_drawn_from_claims_which_are_evidence_then() {
        let claims = Claims::default();
        let estimate = claims.estimate(&source(), "/b", "AUC", NumberForm::Score, Estimate::new(0.8, 0.7, 0.9));
        let threshold = claims.enter(&source(), "/t", "threshold", NumberForm::Score, 0.7);
        let draw = claims.range_printer();
        let arguments = |scale: &str| {
            [("scale", Value::from(scale)), ("of", serde_json::to_value(&estimate).unwrap()), ("threshold", Value::from("c3"))]
                .map(|(name, value)| (name.to_owned(), value))
                .into()
        };
        assert_eq!(threshold.0, "c3");
        let drawn = tera::Function::call(&draw, &arguments("auc")).unwrap();
        assert!(drawn.as_str().unwrap().contains("data-claim=\"c1 c2\""), "{drawn}");
        assert_eq!(claims.shown().len(), 4);
        assert!(tera::Function::call(&draw, &arguments("x")).is_err());
    }

    #[test]
    fn an_estimate_of_too_few_has_no_interval() {
        let too_few = Claims::default().estimate(&source(), "/b", "AUC", NumberForm::Score, Estimate::bare(1.0));
        assert_eq!((too_few.low, too_few.high), (None, None));
    }
}
