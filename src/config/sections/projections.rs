//! The section `projections`: methods with their parameters, and the names that tell two of one method apart.

use super::no_two;
use crate::config::{
    reader::{Fields, StudyNode},
    written::Written,
};
use visavis_core::{
    domain::{
        Result,
        projection::{Method, Metric, ParameterValue, Projection},
    },
    projection::{METHODS, MethodSpec, ParameterKind, ParameterSpec, word, words},
};

pub(super) fn projections(node: &StudyNode) -> Result<Vec<Projection>> {
    let (specs, mut projections): (Vec<_>, Vec<_>) =
        node.list()?.iter().map(projection).collect::<Result<Vec<_>>>()?.into_iter().unzip();
    if projections.is_empty() {
        return Err(node.wrong("the study has no projections").next("such as `- pca: { axes: 10 }`"));
    }
    // Two of one method are told apart by what differs from the first.
    let parts: Vec<Vec<String>> =
        specs.iter().zip(&projections).map(|(spec, projection)| parameters(spec, &projection.method)).collect();
    for i in 0..projections.len() {
        let rivals: Vec<&Vec<String>> =
            parts.iter().zip(&specs).filter(|(_, spec)| spec.word == specs[i].word).map(|(parts, _)| parts).collect();
        let differs = |place: usize| rivals.iter().any(|other| other[place] != rivals[0][place]);
        let own = parts[i].iter().enumerate().filter(|(place, _)| differs(*place)).map(|(_, part)| format!("-{part}"));
        projections[i].name = format!("{}{}", specs[i].word, own.collect::<String>());
    }
    for (i, projection) in projections.iter().enumerate() {
        if projections[..i].iter().any(|other| other.name == projection.name) {
            return Err(node.list()?[i]
                .wrong(format!("the projection {} is written twice", projection.name))
                .next("change a parameter, or remove one"));
        }
    }
    Ok(projections)
}

/// As names have them, in the method's order: what a method takes is always there.
fn parameters(spec: &MethodSpec, method: &Method) -> Vec<String> {
    let value = |of: &ParameterSpec| match method.parameter(of.name).unwrap_or_else(|| of.default()) {
        ParameterValue::Metric(metric) => metric.word().to_owned(),
        ParameterValue::Word(word) => word.as_str().to_owned(),
        value => format!("{}{value}", of.name),
    };
    spec.parameters.iter().map(value).collect()
}

fn projection(node: &StudyNode) -> Result<(&'static MethodSpec, Projection)> {
    let (name, parameters) = node.variant(&words())?;
    let spec = METHODS.iter().copied().find(|of| of.word == name).unwrap_or(METHODS[0]);
    let empty = Written::Map(vec![]);
    let node = parameters.unwrap_or_else(|| StudyNode { value: &empty, ..node.clone() });
    let gives_axes = spec.usual().parameter(Method::AXES).is_some();
    let own = spec.parameters.iter().map(|of| of.name);
    let known: Vec<&str> = own.chain(gives_axes.then_some("pairs")).chain(spec.seeds.map(|_| "seeds")).collect();
    let fields = node.fields(&known)?;
    let values = spec.parameters.iter().map(|of| parameter(&fields, of)).collect::<Result<Vec<_>>>()?;
    let method = spec.method(&values);
    let pairs = match method.axes() {
        _ if !gives_axes => vec![],
        axes => fields.or("pairs", if axes >= 2 { vec![(1, 2)] } else { vec![] }, |node| pairs(node, axes))?,
    };
    let seeds = spec.seeds.map_or(Ok(1), |usual| fields.or("seeds", usual, |node| node.count(1..=100)))?;
    Ok((spec, Projection { name: name.to_owned(), method, pairs, seeds }))
}

fn parameter(fields: &Fields, of: &ParameterSpec) -> Result<ParameterValue> {
    fields.or(of.name, of.default(), |node| {
        Ok(match of.kind {
            ParameterKind::Count { least, most, .. } => node.count(least as u64..=most as u64)?.into(),
            ParameterKind::Number { least, most, .. } => node.number(least..=most)?.into(),
            ParameterKind::Metric { default } => {
                let word = node.word(&Metric::ALL.map(Metric::word))?;
                Metric::ALL.into_iter().find(|metric| metric.word() == word).unwrap_or(default).into()
            }
            ParameterKind::Word { words } => word(node.word(words)?),
        })
    })
}

fn pairs(node: &StudyNode, axes: usize) -> Result<Vec<(usize, usize)>> {
    let nodes = node.list()?;
    let pairs = nodes.iter().map(|node| pair(node, axes)).collect::<Result<Vec<_>>>()?;
    let one = |(first, second): &(usize, usize)| (*first.min(second), *first.max(second));
    no_two(&nodes, &pairs, one, |(a, b), (first, second)| {
        let mirrored = if a == first { "" } else { ", the other way round" };
        (format!("the axes {a} and {b} are listed twice{mirrored}: [{first}, {second}]"), "remove one: both are one view")
    })?;
    Ok(pairs)
}

fn pair(node: &StudyNode, axes: usize) -> Result<(usize, usize)> {
    let list = node.list()?;
    let [first, second] = list.as_slice() else {
        return Err(node.wrong(format!("{}: expected two axes, such as [1, 2]", node.name())));
    };
    let (first, second) = (first.count(1..=axes as u64)?, second.count(1..=axes as u64)?);
    if first == second {
        return Err(node.wrong(format!("{}: an axis against itself", node.name())));
    }
    Ok((first, second))
}
