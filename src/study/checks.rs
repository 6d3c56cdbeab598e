//! What a study asks of its labels, held against the labels there are.

use crate::{
    config::{StudyFile, Text},
    dataset::{Survey, celeba},
    domain::{
        Fault, Result,
        comparison::{Comparison, Expression, Measured},
        image::Images,
        membership::Members,
        nearest::suggestion,
        study::{Dataset, Study},
        text::{count, thousands},
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
        if let (Measured::Classes(_), Some(images)) = (&comparison.question.measured, &survey.images)
            && comparison.question.attributes().into_iter().all(|attribute| survey.labels.contains(attribute))
        {
            let members = Members::of(images, &survey.labels, &comparison.question);
            warnings.extend(oddities(comparison, &members, images, survey));
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

/// What is odd about the classes of a comparison, of which every label is there.
fn oddities(comparison: &Comparison, members: &Members, images: &Images, survey: &Survey) -> Vec<String> {
    let Comparison { name, classes: names, question } = comparison;
    let Measured::Classes(classes) = &question.measured else { return vec![] };
    let mut found = Vec::new();
    let sizes = members.sizes();
    if let Some(&first) = members.lacking.first() {
        found.push(format!(
            "{name}: {}, such as `{}`, would be in a class, and take no part: a label that another class needs is missing. \
             What is compared: {}",
            count(members.lacking.len(), "image"),
            images.0[first].0,
            names.iter().zip(&sizes).map(|(name, size)| format!("{name} {}", thousands(*size))).collect::<Vec<_>>().join(", ")
        ));
    }
    for (i, class) in members.classes.iter().enumerate() {
        if sizes[i] == 0 {
            let hint = classes[i].asked().into_iter().find_map(|(attribute, value)| {
                let column = survey.labels.get(attribute)?;
                let value = value.filter(|value| !column.values().contains(value))?;
                Some(format!(
                    "; `{attribute}` is never `{value}`: {}",
                    suggestion(value, &column.values().into_iter().collect::<Vec<_>>())
                ))
            });
            found.push(format!(
                "{name}: no image is in the class `{}`, so its cells are undefined{}",
                names[i],
                hint.unwrap_or_default()
            ));
        } else if let Some(twin) = members.classes[..i].iter().position(|other| other == class) {
            found.push(format!("{name}: the classes `{}` and `{}` hold the same {} images", names[twin], names[i], sizes[i]));
        }
    }
    found
}
