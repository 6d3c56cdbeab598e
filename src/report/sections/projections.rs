//! What one projection separates and another does not.

use crate::report::{claims::ClaimId, source::ReportSource};
use serde::Serialize;
use visavis_core::domain::ledger::ProjectionStanding;

#[derive(Serialize)]
pub(crate) struct Projections {
    names: Vec<String>,
    rows: Vec<ProjectionRow>,
}

#[derive(Serialize)]
struct ProjectionRow {
    name: String,
    separates: ClaimId,
    compared: ClaimId,
    /// By projection, in the order of the names: how many it separates that the other does not; nothing beside itself.
    alone: Vec<Option<ClaimId>>,
}

impl Projections {
    pub(crate) fn of(source: &ReportSource) -> Self {
        let standings = &source.outcome.ledger.projections;
        let name = |of: &ProjectionStanding| source.study().projections[of.projection].name.clone();
        let row = |(place, of): (usize, &ProjectionStanding)| {
            let count = |field: &str, what: &str, value: usize| {
                let pointer = format!("/projections/{place}/{field}");
                source.claims.count(&source.ledger_output(), &pointer, &format!("{}: {what}", name(of)), value)
            };
            let alone = |other: &ProjectionStanding| {
                let value = *of.rescues.get(other.projection).filter(|_| other.projection != of.projection)?;
                let what = format!("separates what {} does not", name(other));
                Some(count(&format!("rescues/{}", other.projection), &what, value))
            };
            ProjectionRow {
                name: name(of),
                separates: count("separates", "separated", of.separates),
                compared: count("compared", "comparisons of models", of.compared),
                alone: standings.iter().map(alone).collect(),
            }
        };
        Projections { names: standings.iter().map(name).collect(), rows: standings.iter().enumerate().map(row).collect() }
    }
}
