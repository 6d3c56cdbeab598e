//! What a study asks of its labels, held against the labels there are.

use crate::{
    config::{StudyFile, Text},
    dataset::{Survey, celeba},
    domain::{
        Fault, Result,
        comparison::{Expression, Measured},
        image::Images,
        nearest::suggestion,
        study::{Dataset, Study},
    },
};
use std::collections::BTreeSet;

/// Warnings; an attribute that nobody has is an error.
pub fn check(file: &StudyFile, survey: &Survey) -> Result<Vec<String>> {
    let (study, text) = (&file.study, &file.text);
    let Some(known) = attributes(study, survey) else { return Ok(vec![]) };
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut warnings = Vec::new();
    for comparison in &study.comparisons {
        let at = |key: &str| Spot { text, path: ["comparisons", &comparison.name, key].map(str::to_owned).to_vec() };
        match &comparison.question.measured {
            Measured::Quantity(attribute) => quantity(attribute, &known, survey, &at("quantity"))?,
            Measured::Classes(classes) => {
                for (name, class) in comparison.classes.iter().zip(classes) {
                    expression(class, &known, survey, &at(name))?;
                }
            }
        }
        if let Some(within) = &comparison.question.within {
            expression(within, &known, survey, &at("within"))?;
        }
        if let (Measured::Classes(classes), Some(images)) = (&comparison.question.measured, &survey.images) {
            let members = |class: &Expression| members(class, comparison.question.within.as_ref(), images, survey);
            let members: Vec<Option<BTreeSet<&str>>> = classes.iter().map(members).collect();
            warnings.extend(oddities(&comparison.name, &comparison.classes, classes, &members, survey));
        }
    }
    for (place, group) in study.fairness.groups.iter().enumerate() {
        if !known.contains(&group.as_str()) {
            let path = vec![config_key("fairness"), config_key("groups"), crate::config::Step::Index(place)];
            let (line, column) = text.position(&path, false);
            return Err(Fault::asked(format!("fairness.groups: there is no attribute `{group}`"))
                .at(&text.path, line, column)
                .next(suggestion(group, &known)));
        }
    }
    Ok(warnings)
}

fn config_key(key: &str) -> crate::config::Step {
    crate::config::Step::Key(key.to_owned())
}

/// Every attribute that can be asked for; `None` while that cannot be known.
fn attributes(study: &Study, survey: &Survey) -> Option<BTreeSet<String>> {
    let mut known: BTreeSet<String> = survey.labels.names().map(str::to_owned).collect();
    match study.evaluation.dataset.as_ref().map(|name| &study.datasets[name]) {
        Some(Dataset::CelebA { .. }) => known.extend(celeba::ATTRIBUTES.map(str::to_owned)),
        Some(Dataset::Images { labels: Some(file), .. }) if !file.exists() => return None,
        Some(Dataset::Images { .. }) | None => {}
        Some(Dataset::Vggface2 { .. } | Dataset::Folders { .. }) => return None,
    }
    known.extend(study.evaluation.labels.iter().map(|file| file.attribute.clone()));
    Some(known)
}

struct Spot<'a> {
    text: &'a Text,
    path: Vec<String>,
}

impl Spot<'_> {
    fn wrong(&self, what: &str) -> Fault {
        let path: Vec<_> = self.path.iter().map(|key| config_key(key)).collect();
        let (line, column) = self.text.position(&path, false);
        Fault::asked(format!("{}: {what}", self.path.join("."))).at(&self.text.path, line, column)
    }
}

fn expression(expression: &Expression, known: &[&str], survey: &Survey, spot: &Spot) -> Result<()> {
    for (attribute, value) in expression.asked() {
        if !known.contains(&attribute) {
            return Err(spot.wrong(&format!("there is no attribute `{attribute}`")).next(suggestion(attribute, known)));
        }
        if let (None, Some(column)) = (value, survey.labels.get(attribute))
            && !column.is_binary()
        {
            let values = column.values();
            let some: Vec<&str> = values.iter().copied().take(6).collect();
            let more = if values.len() > some.len() { ", …" } else { "" };
            return Err(spot
                .wrong(&format!("`{attribute}` is not a yes-or-no attribute"))
                .next(format!("say which value: {attribute}=VALUE, of {}{more}", some.join(", "))));
        }
    }
    Ok(())
}

fn quantity(attribute: &str, known: &[&str], survey: &Survey, spot: &Spot) -> Result<()> {
    if !known.contains(&attribute) {
        return Err(spot.wrong(&format!("there is no attribute `{attribute}`")).next(suggestion(attribute, known)));
    }
    let Some(column) = survey.labels.get(attribute) else { return Ok(()) };
    match column.iter().find(|(_, value)| !value.parse::<f64>().is_ok_and(f64::is_finite)) {
        Some((image, value)) => Err(spot
            .wrong(&format!("`{attribute}` is no quantity: the image `{image}` has `{value}`"))
            .next("a quantity's values are numbers; compare values as classes instead")),
        None => Ok(()),
    }
}

/// The members of a class, once every attribute it names has labels.
fn members<'a>(
    class: &Expression,
    within: Option<&Expression>,
    images: &'a Images,
    survey: &Survey,
) -> Option<BTreeSet<&'a str>> {
    let there = class
        .asked()
        .into_iter()
        .chain(within.map(Expression::asked).unwrap_or_default())
        .all(|(attribute, _)| survey.labels.contains(attribute));
    there.then(|| {
        let is = |id: &&str| {
            let label = |attribute: &str| survey.labels.of(attribute, id);
            class.holds(&label) == Some(true) && within.is_none_or(|within| within.holds(&label) == Some(true))
        };
        images.ids().filter(is).collect()
    })
}

fn oddities(
    comparison: &str,
    names: &[String],
    classes: &[Expression],
    members: &[Option<BTreeSet<&str>>],
    survey: &Survey,
) -> Vec<String> {
    let mut found = Vec::new();
    for (i, of) in members.iter().enumerate() {
        let Some(of) = of else { continue };
        if of.is_empty() {
            let hint = classes[i].asked().into_iter().find_map(|(attribute, value)| {
                let column = survey.labels.get(attribute)?;
                let value = value.filter(|value| !column.values().contains(value))?;
                Some(format!(
                    "; `{attribute}` is never `{value}`: {}",
                    suggestion(value, &column.values().into_iter().collect::<Vec<_>>())
                ))
            });
            found.push(format!(
                "{comparison}: no image is in the class `{}`, so its cells are undefined{}",
                names[i],
                hint.unwrap_or_default()
            ));
        } else if let Some(twin) = members[..i].iter().position(|other| other.as_ref() == Some(of)) {
            found.push(format!(
                "{comparison}: the classes `{}` and `{}` hold the same {} images",
                names[twin],
                names[i],
                of.len()
            ));
        }
    }
    found
}
