//! The `comparisons` section: classes by expressions, quantities, and `within`.

use super::reader::StudyNode;
use std::collections::{BTreeMap, BTreeSet};
use visavis_core::domain::{
    Result,
    comparison::{Comparison, Expression, Measured, Question, quoted_values},
};

pub(crate) fn comparisons(node: &StudyNode) -> Result<Vec<Comparison>> {
    let mut comparisons: Vec<Comparison> = Vec::new();
    for (name, node) in node.entries()? {
        let name = node.name_of("comparison", &name)?;
        comparisons.push(comparison(name, &node)?);
    }
    let mut firsts: BTreeMap<Question, &Comparison> = BTreeMap::new();
    for (place, one) in comparisons.iter().enumerate() {
        if let Some(first) = firsts.insert(one.question.normal(), one) {
            let (_, node) = &node.entries()?[place];
            return Err(node
                .wrong_key(format!("the comparisons `{}` and `{}` ask the same", first.name, one.name))
                .next("remove one: every cell of it would be scored, ranked and corrected for twice"));
        }
    }
    if comparisons.is_empty() {
        return Err(node
            .wrong("the study has no comparisons")
            .next("such as `gender: { Male: \"Male\", Female: \"not Male\" }`"));
    }
    Ok(comparisons)
}

/// The values that expressions ask for in quotes, by attribute.
pub(crate) fn quoted(node: &StudyNode) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut quoted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, comparison) in node.entries()? {
        for (key, child) in comparison.entries()? {
            let text = if matches!(key.as_str(), "quantity" | "may_be_absent") { String::new() } else { child.text()? };
            for (attribute, value) in quoted_values(&text) {
                quoted.entry(attribute).or_default().insert(value);
            }
        }
    }
    Ok(quoted)
}

fn comparison(name: String, node: &StudyNode) -> Result<Comparison> {
    let (mut names, mut classes, mut quantity, mut within) = (Vec::new(), Vec::<Expression>::new(), None, None);
    let (mut normals, mut may_be_absent) = (Vec::<Expression>::new(), false);
    for (key, child) in node.entries()? {
        match key.as_str() {
            "may_be_absent" => may_be_absent = child.flag()?,
            "within" => within = Some(expression(&child)?),
            "quantity" => quantity = Some(child.name_of("quantity", &child.text()?)?),
            _ => {
                let name = child.name_of("class", &key)?;
                let class = expression(&child)?;
                let normal = class.normal();
                if let Some(same) = normals.iter().position(|other| *other == normal) {
                    return Err(child
                        .wrong(format!("the classes `{}` and `{name}` of {} are the same: {class}", names[same], node.name()))
                        .next("a class held against itself says nothing: change one of them"));
                }
                names.push(name);
                classes.push(class);
                normals.push(normal);
            }
        }
    }
    let measured = match (quantity, classes.len()) {
        (Some(attribute), 0) => {
            names = vec![attribute.clone()];
            Measured::Quantity(attribute)
        }
        (Some(_), _) => return Err(node.wrong_key(format!("{} has both a quantity and classes: one of them", node.name()))),
        (None, 0 | 1) => return Err(node.wrong_key(format!("{} needs two classes or more, or a `quantity`", node.name()))),
        (None, _) => Measured::Classes(classes),
    };
    Ok(Comparison { name, classes: names, question: Question { measured, within }, may_be_absent })
}

/// A condition on labels.
///
/// # Errors
/// A text that is none, with the place in it.
pub(super) fn expression(node: &StudyNode) -> Result<Expression> {
    let text = node.text()?;
    text.parse::<Expression>().map_err(|misread| {
        let next = "such as `Young and not Male`, `race=asian` or `Grey_Hair or Bald`";
        node.wrong_within(format!("{}: {}", node.name(), misread.why), misread.offset).next(next)
    })
}
