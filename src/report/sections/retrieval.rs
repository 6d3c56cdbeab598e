//! Finding faces: how soon the images that the study looks for come in rankings by each model's features.

use super::{
    Section,
    fairness::{group_name, group_phrase, is_by_definition},
};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, OutputSource},
        phrase::Phrase,
        source::ReportSource,
    },
    study::LayerRetrieval,
};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    comparison::Expression,
    retrieval::{AskedBy, AtFirst, FoundBy, GroupRetrieval, QueryRetrieval, Unscored},
    stage::RetrieveImages,
};

#[derive(Serialize)]
pub(crate) struct Retrieval {
    queries: Vec<QueryPart>,
}

#[derive(Serialize)]
struct QueryPart {
    query: String,
    /// The condition on labels.
    wanted: String,
    /// Images and identities that are wanted, images whose labels say so or not.
    counts: [ClaimId; 3],
    /// Why nothing is scored, in a sentence.
    unscored: Option<&'static str>,
    prevalence: Option<ClaimId>,
    by_chance: Option<ClaimId>,
    rows: Vec<LayerRow>,
    /// Of the row that is highest by one example.
    best: Option<BestLayer>,
}

/// The features of one model at one layer.
#[derive(Serialize)]
struct LayerRow {
    at: Phrase,
    /// By one example, by five, by a probe.
    ways: Vec<Option<EstimateClaims>>,
    lift: Option<ClaimId>,
    /// The shares of the first that are wanted, and of what is wanted that is among the first: by one example.
    first: Vec<ClaimId>,
    /// Why this row has no numbers.
    unscored: Option<&'static str>,
}

#[derive(Serialize)]
struct BestLayer {
    at: Phrase,
    rows: Vec<GroupRow>,
}

/// The single examples of one group of people.
#[derive(Serialize)]
struct GroupRow {
    group: Phrase,
    examples: ClaimId,
    identities: ClaimId,
    average_precision: Option<EstimateClaims>,
}

impl Section for Retrieval {
    const ANCHOR: &'static str = "finding-faces";
    const TITLE: &'static str = "Finding faces";
    const TEMPLATE: &'static str = "retrieval.html";
}

impl Retrieval {
    /// `None` where the study looks for nothing, or nothing was looked for yet.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let all = source.outcome.results.retrieval()?;
        let query = |place: usize| {
            let of = &source.study().queries[place];
            let asked = |of| AskedLayer::of(source, of, place);
            let layers: Vec<AskedLayer> = all.iter().filter_map(asked).collect();
            part(&of.name, &of.wanted, &layers)
        };
        let queries: Vec<QueryPart> = (0..source.study().queries.len()).filter_map(query).collect();
        Ok((!queries.is_empty()).then_some(Retrieval { queries }))
    }
}

/// One query, put to the features of one layer.
struct AskedLayer<'a> {
    source: &'a ReportSource<'a>,
    output: OutputSource,
    at: Phrase,
    /// Among the queries of the output.
    place: usize,
    of: &'a QueryRetrieval,
}

impl<'a> AskedLayer<'a> {
    fn of(source: &'a ReportSource<'a>, layer: &'a LayerRetrieval, query: usize) -> Option<Self> {
        let names = source.names();
        let (place, of) = layer.query(query)?;
        let at = Phrase::name(names.model(layer.model)) + " · " + Phrase::name(&names.layer(layer.model, layer.layer));
        let output = OutputSource {
            key: layer.key,
            output: RetrieveImages::RETRIEVAL,
            of: names.model_and_layer(layer.model, layer.layer),
        };
        Some(AskedLayer { source, output, at, place, of })
    }

    fn pointer(&self, to: &str) -> String {
        format!("/queries/{}/{to}", self.place)
    }

    fn count(&self, to: &str, what: &str, n: usize) -> ClaimId {
        self.source.claims.count(&self.output, &self.pointer(to), what, n)
    }

    fn share(&self, to: &str, what: &str, value: f64) -> ClaimId {
        self.source.claims.enter(&self.output, &self.pointer(to), what, NumberForm::Score, value)
    }

    fn way(&self, by: AskedBy) -> Option<(usize, &FoundBy)> {
        self.of.found.iter().enumerate().find(|(_, found)| found.by == by)
    }

    fn row(&self) -> LayerRow {
        let estimate = |by: AskedBy| {
            let (way, found) = self.way(by)?;
            let (at, what) =
                (self.pointer(&format!("found/{way}/average_precision")), format!("average precision, {}", by.word()));
            Some(self.source.claims.estimate(&self.output, &at, &what, NumberForm::Score, found.average_precision?))
        };
        let example = self.way(AskedBy::Example);
        let first = |(way, found): (usize, &FoundBy)| {
            let [precision, recall] = ["precision", "recall"].map(|what| {
                let number = |(place, at): (usize, &AtFirst)| {
                    let value = if what == "recall" { at.recall } else { at.precision };
                    self.share(&format!("found/{way}/first/{place}/{what}"), &format!("{what} in the first {}", at.first), value)
                };
                found.first.iter().enumerate().map(number).collect::<Vec<_>>()
            });
            [precision.into_iter().take(1).collect(), recall].concat()
        };
        LayerRow {
            at: self.at.clone(),
            ways: AskedBy::ALL.map(estimate).into(),
            lift: example.and_then(|(way, found)| {
                Some(self.share(&format!("found/{way}/lift"), "average precision over prevalence", found.lift?))
            }),
            first: example.map(first).unwrap_or_default(),
            unscored: self.of.unscored.filter(|why| *why == Unscored::NotFinite).map(Unscored::told),
        }
    }

    fn by_example(&self) -> Option<f64> {
        Some(self.way(AskedBy::Example)?.1.average_precision?.value)
    }

    /// Its groups, but for those of an attribute that is asked: they are wanted or not by definition.
    fn best(&self, asked: &BTreeSet<&str>) -> BestLayer {
        let row = |(place, group): (usize, &GroupRetrieval)| {
            let (at, name) = (format!("groups/{place}"), group_name(&group.group));
            let estimate = |of| {
                let what = format!("average precision, examples of {name}");
                let pointer = self.pointer(&format!("{at}/average_precision"));
                self.source.claims.estimate(&self.output, &pointer, &what, NumberForm::Score, of)
            };
            GroupRow {
                group: group_phrase(self.source.study(), &group.group),
                examples: self.count(&format!("{at}/examples"), &format!("examples of {name}"), group.examples),
                identities: self.count(&format!("{at}/identities"), &format!("identities of {name}"), group.identities),
                average_precision: group.average_precision.map(estimate),
            }
        };
        let is_told = |group: &GroupRetrieval| group.examples > 0 && !is_by_definition(&group.group, asked);
        let groups = self.of.groups.iter().enumerate().filter(|(_, group)| is_told(group));
        BestLayer { at: self.at.clone(), rows: groups.map(row).collect() }
    }
}

/// `None` where no layer was asked.
fn part(query: &str, wanted: &Expression, layers: &[AskedLayer]) -> Option<QueryPart> {
    let mut asked = BTreeSet::new();
    wanted.collect(&mut asked);
    let first = layers.first()?;
    let all = first.of;
    let counts = [
        first.count("wanted", "images wanted", all.wanted),
        first.count("identities", "identities wanted", all.identities),
        first.count("labelled", "images with labels", all.labelled),
    ];
    // What is said of the query itself holds for every layer.
    let unscored = all.unscored.filter(|why| *why != Unscored::NotFinite);
    let by_example = |layer: &&AskedLayer| layer.by_example().unwrap_or(f64::NEG_INFINITY);
    // The first of the highest.
    let best = layers.iter().rev().max_by(|one, other| by_example(one).total_cmp(&by_example(other)));
    Some(QueryPart {
        query: query.to_owned(),
        wanted: wanted.to_string(),
        counts,
        unscored: unscored.map(Unscored::told),
        prevalence: all.prevalence.map(|value| first.share("prevalence", "prevalence", value)),
        by_chance: all.by_chance.map(|value| first.share("by_chance", "average precision by chance", value)),
        rows: if unscored.is_some() { vec![] } else { layers.iter().map(AskedLayer::row).collect() },
        best: best.filter(|layer| layer.by_example().is_some()).map(|layer| layer.best(&asked)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Fixture, output};
    use visavis_core::domain::score::Estimate;

    fn asked(average_precision: f64) -> QueryRetrieval {
        let way = |by: AskedBy, estimate: Option<Estimate>| FoundBy {
            by,
            rankings: 30,
            average_precision: estimate,
            lift: estimate.map(|of| of.value / 0.25),
            first: vec![
                AtFirst { first: 20, recall: 0.125, precision: 0.625 },
                AtFirst { first: 100, recall: 0.375, precision: 0.5 },
            ],
        };
        let around = Estimate::new(average_precision, average_precision - 0.125, average_precision + 0.125);
        let group = |value: &str, examples| GroupRetrieval {
            group: vec![("Male".to_owned(), value.to_owned())],
            examples,
            identities: examples,
            average_precision: (examples > 0).then(|| Estimate::bare(average_precision)),
        };
        QueryRetrieval {
            labelled: 400,
            wanted: 100,
            identities: 60,
            prevalence: Some(0.25),
            by_chance: Some(0.26),
            unscored: None,
            found: vec![
                way(AskedBy::Example, Some(around)),
                way(AskedBy::FiveExamples, None),
                way(AskedBy::Probe, Some(Estimate::bare(0.875))),
            ],
            groups: vec![group("0", 14), group("1", 16), group("?", 0)],
        }
    }

    fn text(asked: &[QueryRetrieval]) -> String {
        Fixture::new().text(|source| {
            let layer = |(number, of)| {
                let at = Phrase::name(["pixels", "blocks"][number]) + " · " + Phrase::name("embedding");
                AskedLayer { source, output: output(), at, place: number, of }
            };
            let layers: Vec<AskedLayer> = asked.iter().enumerate().map(layer).collect();
            Some(Retrieval { queries: vec![part("curly hats", &"Curly and Hat".parse().unwrap(), &layers).unwrap()] })
        })
    }

    #[test]
    fn a_layer_has_its_precision_by_each_way_and_the_best_its_groups() {
        let text = text(&[asked(0.5), asked(0.75)]);
        assert!(
            text.contains("pixels · embedding 0.500 (0.375–0.625) 2.000 undefined 0.875 (too few to say) 0.625 0.125 0.375"),
            "{text}"
        );
        assert!(text.contains("blocks · embedding 0.750"), "{text}");
        assert!(text.contains("Male = 1 16 16 0.750") && !text.contains("Male = ?"), "of the higher layer: {text}");
        assert!(text.contains("100 of 400 images"), "{text}");
    }

    #[test]
    fn a_query_that_nobody_meets_is_said_and_has_no_rows() {
        let none = QueryRetrieval {
            unscored: Some(Unscored::Nobody),
            wanted: 0,
            found: vec![],
            groups: vec![],
            by_chance: None,
            ..asked(0.5)
        };
        let text = text(&[none]);
        assert!(text.contains("no image meets it") && !text.contains("pixels · embedding"), "{text}");
    }

    #[test]
    fn features_that_are_no_numbers_are_said_in_their_row_alone() {
        let broken = QueryRetrieval { unscored: Some(Unscored::NotFinite), found: vec![], groups: vec![], ..asked(0.5) };
        let text = text(&[broken, asked(0.5)]);
        assert!(text.contains("pixels · embedding the features are not all finite numbers"), "{text}");
        assert!(text.contains("blocks · embedding 0.500"), "{text}");
    }
}
