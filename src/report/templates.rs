//! The page's templates, and how strictly they are read: a field that a template names and its struct lacks is an error, also in a
//! condition, where Tera by itself would take it for false.

use super::{claims::Claims, phrase::NameFilter};
use serde::Serialize;
use tera::{Context, Error, Tera, Value};
use visavis_core::domain::{Fault, Result};

/// Every template with its text: the page, the macros that print numbers, and one a section.
const TEMPLATES: [(&str, &str); 27] = [
    ("page.html", include_str!("../../templates/report.html")),
    ("numbers.html", include_str!("../../templates/report/numbers.html")),
    ("attended.html", include_str!("../../templates/report/attended.html")),
    ("claims_tested.html", include_str!("../../templates/report/claims_tested.html")),
    ("comparisons.html", include_str!("../../templates/report/comparisons.html")),
    ("contrasts.html", include_str!("../../templates/report/contrasts.html")),
    ("data.html", include_str!("../../templates/report/data.html")),
    ("fairness.html", include_str!("../../templates/report/fairness.html")),
    ("figures.html", include_str!("../../templates/report/figures.html")),
    ("findings.html", include_str!("../../templates/report/findings.html")),
    ("known_truth.html", include_str!("../../templates/report/known_truth.html")),
    ("layers_and_axes.html", include_str!("../../templates/report/layers_and_axes.html")),
    ("ledger.html", include_str!("../../templates/report/ledger.html")),
    ("methods.html", include_str!("../../templates/methods.html")),
    ("models.html", include_str!("../../templates/report/models.html")),
    ("nuisances.html", include_str!("../../templates/report/nuisances.html")),
    ("overlap.html", include_str!("../../templates/report/overlap.html")),
    ("clicks.html", include_str!("../../templates/report/clicks.html")),
    ("clusters.html", include_str!("../../templates/report/clusters.html")),
    ("quality.html", include_str!("../../templates/report/quality.html")),
    ("retrieval.html", include_str!("../../templates/report/retrieval.html")),
    ("reproduction.html", include_str!("../../templates/report/reproduction.html")),
    ("scores.html", include_str!("../../templates/report/scores.html")),
    ("summary.html", include_str!("../../templates/report/summary.html")),
    ("training.html", include_str!("../../templates/report/training.html")),
    ("verification_sets.html", include_str!("../../templates/report/verification_sets.html")),
    ("words.html", include_str!("../../templates/report/words.html")),
];

pub(crate) struct Templates(Tera);

impl Templates {
    /// Templates that print the claims of this register.
    ///
    /// # Errors
    /// A template that is wrong.
    pub(crate) fn new(claims: &Claims) -> Result<Self> {
        let mut tera = Tera::default();
        tera.add_raw_templates(TEMPLATES).map_err(|error| wrong(&error))?;
        tera.register_function("claim", claims.printer());
        tera.register_function("range", claims.range_printer());
        tera.register_function("lines", claims.lines_printer());
        tera.register_filter("name", NameFilter);
        strict(&mut tera);
        Ok(Templates(tera))
    }

    /// A template with the fields of a struct, and nothing else.
    ///
    /// # Errors
    /// A template that names what the struct lacks.
    pub(crate) fn render(&self, template: &str, fields: &impl Serialize) -> Result<String> {
        let context = Context::from_serialize(fields).map_err(|error| wrong(&error))?;
        self.0.render(template, &context).map_err(|error| wrong(&error))
    }
}

fn wrong(error: &Error) -> Fault {
    Fault::unexpected(format!("the report's template is wrong: {error:?}"))
}

/// What conditions ask: `is some` (not null), `is yes` (true), `is filled` (a list or a text with something in it). Each refuses what
/// is not there, or is of another kind.
fn strict(tera: &mut Tera) {
    let known = |value: Option<&Value>| value.cloned().ok_or_else(|| Error::msg("a condition names no field"));
    tera.register_tester("some", move |value: Option<&Value>, _: &[Value]| known(value).map(|value| !value.is_null()));
    tera.register_tester("yes", move |value: Option<&Value>, _: &[Value]| {
        known(value)?.as_bool().ok_or_else(|| Error::msg("`is yes` is of true and false"))
    });
    tera.register_tester("filled", move |value: Option<&Value>, _: &[Value]| match known(value)? {
        Value::Array(list) => Ok(!list.is_empty()),
        Value::String(text) => Ok(!text.is_empty()),
        _ => Err(Error::msg("`is filled` is of lists and texts")),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, fields: &Value) -> std::result::Result<String, Error> {
        let mut tera = Tera::default();
        tera.add_raw_template("x.html", text).unwrap();
        strict(&mut tera);
        tera.render("x.html", &Context::from_value(fields.clone()).unwrap())
    }

    #[test]
    fn a_misspelt_field_is_an_error_wherever_it_stands() {
        let fields = serde_json::json!({ "row": { "low": null, "picked": true, "names": ["a"] } });
        for fine in [
            "{% if row.low is some %}x{% endif %}",
            "{% if row.picked is yes %}x{% endif %}",
            "{% for name in row.names %}{{ name }}{% endfor %}",
        ] {
            assert!(rendered(fine, &fields).is_ok(), "{fine}");
        }
        for misspelt in [
            "{{ row.nmae }}",
            "{% for name in row.nmaes %}{{ name }}{% endfor %}",
            "{% if row.lwo is some %}x{% endif %}",
            "{% if row.low is not some and row.pciked is yes %}x{% endif %}",
            "{% if row.names is yes %}x{% endif %}",
            "{% if row.low is filled %}x{% endif %}",
        ] {
            assert!(rendered(misspelt, &fields).is_err(), "{misspelt}");
        }
    }

    /// Tera takes what a bare condition names and nobody gave for false.
    #[test]
    fn no_template_has_a_condition_that_could_pass_over_a_misspelt_field() {
        let mut conditions = 0;
        for (name, text) in TEMPLATES {
            assert!(!text.contains("default("), "{name}: `default` hides what is not there");
            for tag in text.split("{%").skip(1).map(|rest| rest.split("%}").next().unwrap().trim_matches(['-', ' '])) {
                let Some(condition) = tag.strip_prefix("if ").or_else(|| tag.strip_prefix("elif ")) else { continue };
                for part in condition.split(" and ").flat_map(|part| part.split(" or ")) {
                    conditions += 1;
                    let words: Vec<&str> = part.split_whitespace().collect();
                    let is_strict = match words[..] {
                        ["not", of] | [of] => of.starts_with("loop."),
                        [_, "is", test] | [_, "is", "not", test] => ["some", "yes", "filled"].contains(&test),
                        _ => false,
                    };
                    assert!(is_strict, "{name}: {{% {tag} %}}");
                }
            }
        }
        assert!(conditions > 50, "{conditions}");
    }

    /// A caption stands before its table, so it stays in view where a wide table is scrolled.
    #[test]
    fn every_table_has_a_caption_of_its_own() {
        let mut tables = 0;
        for (name, text) in TEMPLATES {
            for before in text.split("<table").collect::<Vec<_>>().split_last().unwrap().1 {
                tables += 1;
                let own = before.rsplit("<figure class=\"table\">").next().unwrap();
                assert!(own.matches("</figcaption>").count() == 1 && !own.contains("</table>"), "{name}: {own}");
            }
        }
        assert!(tables > 12, "{tables}");
    }

    #[test]
    fn all_templates_are_read() {
        assert!(Templates::new(&Claims::default()).is_ok());
    }
}
