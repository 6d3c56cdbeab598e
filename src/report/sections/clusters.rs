//! Clusters of views: images that lie together, found without labels, and how sure that is.

use super::Section;
use crate::report::{
    claims::{ClaimId, OutputSource},
    phrase::Phrase,
    source::ReportSource,
};
use serde::Serialize;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    clusters::{Cluster, ViewClusters},
    stage::FindClusters,
};

#[derive(Serialize)]
pub(crate) struct Clusters {
    /// In sentences: `Gaussian mixture`.
    method: &'static str,
    /// Subsamples that clusters are looked for in again.
    resamples: ClaimId,
    /// Images that clusters were found among, and all.
    images: [ClaimId; 2],
    rows: Vec<ClustersRow>,
}

#[derive(Serialize)]
struct ClustersRow {
    model: String,
    layer: String,
    view: Phrase,
    found: ClaimId,
    /// Images in the largest.
    largest: Option<ClaimId>,
    in_none: ClaimId,
    stability: Option<ClaimId>,
    /// Of the cluster that comes back least.
    weakest: Option<ClaimId>,
    between_seeds: Option<ClaimId>,
}

impl Section for Clusters {
    const ANCHOR: &'static str = "clusters";
    const TITLE: &'static str = "Clusters without labels";
    const TEMPLATE: &'static str = "clusters.html";
}

impl Clusters {
    /// `None` where the study looks for none, or none were looked for yet.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let Some(method) = source.study().clusters else { return Ok(None) };
        let (mut rows, mut first) = (Vec::new(), None);
        for of in &source.outcome.results.clusters()? {
            let names = source.names();
            let (layer, projection) = (names.layer(of.model, of.layer), names.projection(of.projection));
            let named = format!("{} · {projection}", names.model_and_layer(of.model, of.layer));
            let output = OutputSource { key: of.key, output: FindClusters::CLUSTERS, of: named };
            first.get_or_insert_with(|| {
                let count = |name: &str, what: &str, n| source.claims.count(&output, &format!("/{name}"), what, n);
                let resamples = count("resamples", "subsamples", of.found.resamples);
                let (fitted, images) = (of.found.fitted, of.found.images);
                (resamples, [count("fitted", "images clustered", fitted), count("images", "images", images)])
            });
            let row = |(place, view): (usize, &ViewClusters)| ClustersRow {
                model: names.model(of.model).to_owned(),
                layer: layer.clone(),
                view: Phrase::name(projection) + format!(" {}", view.view).as_str(),
                ..numbers(source, &output, place, view)
            };
            rows.extend(of.found.views.iter().enumerate().map(row));
        }
        Ok(first.map(|(resamples, images)| Clusters { method: method.title(), resamples, images, rows }))
    }
}

/// A row without its names.
fn numbers(source: &ReportSource, output: &OutputSource, place: usize, view: &ViewClusters) -> ClustersRow {
    let at = |name: &str| format!("/views/{place}/{name}");
    let count = |name: &str, what: &str, n| source.claims.count(output, &at(name), what, n);
    let score = |name: &str, what: &str, value| source.claims.enter(output, &at(name), what, NumberForm::Score, value);
    let least = |(_, a): &(usize, f64), (_, b): &(usize, f64)| a.total_cmp(b);
    let weakest = view.clusters.iter().map(|Cluster { stability, .. }| *stability).enumerate();
    let weakest = weakest.filter_map(|(cluster, stability)| Some((cluster, stability?))).min_by(least);
    ClustersRow {
        model: String::new(),
        layer: String::new(),
        view: Phrase::default(),
        found: count("found", "clusters", view.found),
        largest: view.clusters.first().map(|largest| count("clusters/0/images", "images in the largest", largest.images)),
        in_none: count("in_none", "images in no cluster", view.in_none),
        stability: view.stability.map(|value| score("stability", "agreement with subsamples", value)),
        weakest: weakest.map(|(cluster, value)| score(&format!("clusters/{cluster}/stability"), "least stable cluster", value)),
        between_seeds: view.between_seeds.map(|value| score("between_seeds", "agreement between seeds", value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Fixture, output};
    use visavis_core::domain::projection::View;

    #[test]
    fn a_view_says_how_many_clusters_it_has_and_how_well_they_come_back() {
        let cluster = |images, stability| Cluster { images, stability };
        let view = |clusters: Vec<Cluster>, stability| ViewClusters {
            view: View::Map,
            found: clusters.len(),
            clusters,
            in_none: 7,
            tried: vec![],
            stability,
            between_seeds: None,
        };
        let two = view(vec![cluster(60, Some(0.95)), cluster(33, Some(0.5))], Some(0.75));
        let text = Fixture::new().text(|source| {
            let row = |place: usize, view: &ViewClusters| ClustersRow {
                model: "pixels".to_owned(),
                layer: "embedding".to_owned(),
                view: Phrase::name("tsne") + " map",
                ..numbers(source, &output(), place, view)
            };
            let count = |name: &str, n| source.claims.count(&output(), name, "x", n);
            let images = [count("/fitted", 100), count("/images", 100)];
            let rows = vec![row(0, &two), row(1, &view(vec![], None))];
            Some(Clusters { method: "Gaussian mixture", resamples: count("/resamples", 20), images, rows })
        });
        assert!(text.contains("pixels · embedding tsne map 2 60 7 0.750 0.500 –"), "{text}");
        assert!(text.contains("pixels · embedding tsne map 0 – 7 – – –"), "none is no fault: {text}");
    }
}
