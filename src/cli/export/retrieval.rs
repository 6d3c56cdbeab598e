//! `visavis export STUDY --what retrieval`: how well each query is met by the features of each model and layer.

use super::table::ExportTable;
use crate::study::StudyResults;
use visavis_core::domain::{
    Fault, Result,
    retrieval::{AskedBy, FoundBy, GroupRetrieval, QueryRetrieval},
    score::Estimate,
};

struct RetrievalRow {
    /// Model, layer, query, how it is asked, whose examples, key.
    text: [String; 6],
    of: QueryRetrieval,
    rankings: usize,
    average_precision: Option<Estimate>,
    found: Option<FoundBy>,
}

/// One row a layer, query and way of asking; then one a group of people, of the single examples that are of it. A query without a score has
/// one row that says why.
pub(super) fn retrieval(results: &StudyResults) -> Result<ExportTable> {
    let study = results.study();
    if study.queries.is_empty() {
        return Err(Fault::asked("the study looks for nothing").next("such as `queries: { hats: \"Wearing_Hat\" }` in its file"));
    }
    let names = results.names();
    let mut rows = Vec::new();
    for of in results.retrieval()? {
        for (place, query) in study.queries.iter().enumerate() {
            let Some((_, asked)) = of.query(place) else { continue };
            let text = |by: &str, group: String| {
                let (model, layer) = (names.model(of.model).to_owned(), names.layer(of.model, of.layer));
                [model, layer, query.name.clone(), by.to_owned(), group, of.key.to_string()]
            };
            let row = |text, rankings, average_precision, found| RetrievalRow {
                text,
                of: asked.clone(),
                rankings,
                average_precision,
                found,
            };
            if asked.unscored.is_some() {
                rows.push(row(text("", String::new()), 0, None, None));
            }
            let way = |found: &FoundBy| {
                row(text(found.by.word(), String::new()), found.rankings, found.average_precision, Some(found.clone()))
            };
            rows.extend(asked.found.iter().map(way));
            let group = |of: &GroupRetrieval| {
                let members: Vec<String> = of.group.iter().map(|(attribute, value)| format!("{attribute} = {value}")).collect();
                row(text(AskedBy::Example.word(), members.join(" and ")), of.examples, of.average_precision, None)
            };
            rows.extend(asked.groups.iter().map(group));
        }
    }
    let mut table = ExportTable::default();
    for (column, name) in ["model", "layer", "query", "asked_by", "group"].into_iter().enumerate() {
        table.text(name, rows.iter().map(|row| Some(row.text[column].clone())));
    }
    table.number("average_precision", rows.iter().map(|row| Some(row.average_precision?.value)));
    table.number("low", rows.iter().map(|row| row.average_precision?.low()));
    table.number("high", rows.iter().map(|row| row.average_precision?.high()));
    table.number("prevalence", rows.iter().map(|row| row.of.prevalence));
    table.number("by_chance", rows.iter().map(|row| row.of.by_chance));
    table.number("lift", rows.iter().map(|row| row.found.as_ref()?.lift));
    for (place, first) in visavis_core::domain::retrieval::FIRST.into_iter().enumerate() {
        let at = |row: &RetrievalRow| row.found.as_ref()?.first.get(place).copied();
        table.number(&format!("recall_{first}"), rows.iter().map(|row| Some(at(row)?.recall)));
        table.number(&format!("precision_{first}"), rows.iter().map(|row| Some(at(row)?.precision)));
    }
    table.whole("rankings", rows.iter().map(|row| Some(row.rankings)));
    table.whole("labelled", rows.iter().map(|row| Some(row.of.labelled)));
    table.whole("wanted", rows.iter().map(|row| Some(row.of.wanted)));
    table.whole("identities", rows.iter().map(|row| Some(row.of.identities)));
    table.text("unscored", rows.iter().map(|row| row.of.unscored.map(|why| why.told().to_owned())));
    table.text("key", rows.iter().map(|row| Some(row.text[5].clone())));
    Ok(table)
}
