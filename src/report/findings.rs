//! What the numbers support, in words, each with its evidence; and "not shown" where they do not.

use super::{claims::OutputSource, sections::ReportPage};
use serde_json::{Value, json};
use visavis_core::domain::{
    claim::NumberForm,
    score::Estimate,
    simultaneous::{DISCOVERY, Difference, DifferenceVerdict, Family, Interaction, ViewBesideFeatures},
    stage::Simultaneous,
};

impl ReportPage<'_> {
    fn grid_source(&self, of: String) -> OutputSource {
        OutputSource { key: self.outcome.gridded, output: Simultaneous::TESTS, of }
    }

    /// Per model: what it separates, surest first, and what it was not shown to.
    pub(super) fn findings(&self) -> Value {
        let (ledger, study) = (&self.outcome.ledger, &self.outcome.plan.study);
        let mut models = Vec::new();
        for (model, of) in study.models.iter().enumerate() {
            let mut chosen: Vec<usize> = self.outcome.chosen_of(model).map(|(row, _)| row).collect();
            let low = |row: &usize| ledger.rows[*row].low.unwrap_or(f64::NEG_INFINITY);
            chosen.sort_by(|x, y| low(y).total_cmp(&low(x)).then(x.cmp(y)));
            let (separates, not): (Vec<usize>, Vec<usize>) =
                chosen.into_iter().partition(|row| self.outcome.separates(&ledger.rows[*row]));
            let name = |row: &usize| study.comparisons[ledger.rows[*row].candidate.cell.comparison].name.clone();
            let sure = |row: &usize| {
                let cell = &ledger.rows[*row].candidate.cell;
                json!({
                    "comparison": name(row),
                    "noise": self.noise(cell.comparison),
                    "view": format!("{}, {}", self.layer(cell.model, cell.layer), self.view(cell)),
                    "b": self.half(*row, "b", ledger.rows[*row].candidate.b),
                    "low": self.simultaneous(*row),
                })
            };
            let (beyond, not): (Vec<usize>, Vec<usize>) = not.into_iter().partition(|row| self.outcome.tells(&ledger.rows[*row]));
            if separates.len() + beyond.len() + not.len() > 0 {
                models.push(json!({
                    "model": of.name,
                    "separates": separates.iter().map(sure).collect::<Vec<_>>(),
                    "beyond": beyond.iter().map(sure).collect::<Vec<_>>(),
                    "not": not.iter().map(name).collect::<Vec<_>>(),
                }));
            }
        }
        json!(models)
    }

    /// How many cells a row of the ledger is spoken of beside.
    pub(super) fn family(&self, row: usize) -> Value {
        let (grid, of) = (&self.outcome.grid, &self.outcome.ledger.rows[row]);
        let Some(sure) = self.outcome.sureness(&of.candidate.cell) else { return Value::Null };
        let family = if sure.chosen.is_some() { "chosen" } else { "all" };
        let source = self.grid_source("the grid".to_owned());
        json!(self.book.count(&source, &format!("/{family}/cells"), "cells of the family", grid.family(sure)))
    }

    /// The lower bound that holds beside all other cells of its family.
    pub(super) fn simultaneous(&self, row: usize) -> Value {
        let of = &self.outcome.ledger.rows[row];
        let source = OutputSource { of: self.words(&of.candidate.cell), ..self.ledger_source() };
        let enter = |low| {
            self.book.enter(&source, &format!("/rows/{row}/low"), "simultaneous lower bound on half B", NumberForm::Score, low)
        };
        of.low.map_or(Value::Null, |low| json!(enter(low)))
    }

    /// How far the luckiest cell comes without any signal, in standard deviations; and what it takes to be told from that.
    pub(super) fn critical(&self) -> Value {
        let (grid, source) = (&self.outcome.grid, self.grid_source("the grid".to_owned()));
        let what = "95th percentile of the largest studentised score";
        let critical = |name: &str, of: &Family| {
            of.critical.map(|critical| self.book.enter(&source, &format!("/{name}/critical"), what, NumberForm::Score, critical))
        };
        json!({
            "chosen": self.book.count(&source, "/chosen/cells", "cells that half A chose", grid.chosen.cells),
            "all": self.book.count(&source, "/all/cells", "ranked cells", grid.all.cells),
            "critical": critical("chosen", &grid.chosen), "of_all": critical("all", &grid.all),
            "permutations": self.book.count(&source, "/permutations", "permutations", grid.permutations),
            "auc": grid.detectable.auc.map(|auc| self.book.spread(&source, "/detectable/auc", "AUC that is told beyond chance", auc)),
            "difference": grid.detectable.difference.map(|of| self.book.spread(&source, "/detectable/difference", "difference that is shown", of)),
        })
    }

    /// Every two sides that the study holds against each other.
    pub(super) fn contrasts(&self) -> Value {
        let (study, grid) = (&self.outcome.plan.study, &self.outcome.grid);
        let mut contrasts: Vec<(usize, Vec<Value>)> = Vec::new();
        for (place, held) in self.outcome.held.iter().enumerate() {
            let rows: Vec<(usize, &Difference)> =
                grid.differences.iter().enumerate().filter(|(_, of)| of.held == place).collect();
            if rows.is_empty() {
                continue;
            }
            let (left, right) = (self.outcome.side(&held.left), self.outcome.side(&held.right));
            let of_sides = |comparison: usize| format!("{left} → {right} · {}", study.comparisons[comparison].name);
            let row = |&(place, of): &(usize, &Difference)| {
                let source = self.grid_source(of_sides(of.comparison));
                let at = |name: &str| format!("/differences/{place}/{name}");
                let estimate = |name: &str, what: &str, estimate: Option<Estimate>| {
                    self.book.estimate(&source, &at(name), what, NumberForm::Difference, estimate)
                };
                json!({
                    "comparison": study.comparisons[of.comparison].name,
                    "left": self.book.enter(&source, &at("left"), "AUC of the left side on half B", NumberForm::Score, of.left),
                    "right": self.book.enter(&source, &at("right"), "AUC of the right side on half B", NumberForm::Score, of.right),
                    "difference": estimate("difference", "right less left", Some(of.difference)),
                    "q": self.book.enter(&source, &at("q"), "false discovery rate", NumberForm::Score, of.q),
                    "beyond": estimate("beyond", "right less left, beyond the probes", of.beyond),
                    "shown": of.is_shown(), "verdict": self.outcome.verdicts[place].word(),
                })
            };
            let all: Vec<Value> = rows.iter().map(row).collect();
            let of = |verdict: DifferenceVerdict| -> Vec<&Value> {
                all.iter().filter(|row| row["verdict"] == verdict.word()).collect()
            };
            let interaction = |(at, of): (usize, &Interaction)| {
                let name = &study.comparisons[of.within].name;
                let source = self.grid_source(format!("{left} → {right} · {name}"));
                let at = |what: &str| format!("/interactions/{at}/{what}");
                json!({
                    "within": name, "whole": study.comparisons[of.whole].name,
                    "difference": self.book.estimate(&source, &at("difference"), "within less over all", NumberForm::Difference, Some(of.difference)),
                    "q": self.book.enter(&source, &at("q"), "false discovery rate", NumberForm::Score, of.q),
                    "shown": of.q <= DISCOVERY,
                })
            };
            let interactions: Vec<Value> =
                grid.interactions.iter().enumerate().filter(|(_, of)| of.held == place).map(interaction).collect();
            let differs = held.differences(study);
            let pair = json!({
                "interactions": interactions,
                "left": left, "right": right,
                "differs": if differs.is_empty() { "nothing that the study names".to_owned() } else { differs.join(", ").replace('_', " ") },
                "names_factor": held.names_factor(),
                "factor": differs.first().map(|factor| factor.replace('_', " ")),
                "higher": of(DifferenceVerdict::Higher), "lower": of(DifferenceVerdict::Lower), "unknown": of(DifferenceVerdict::Neither), "rows": all,
            });
            match contrasts.iter_mut().find(|(contrast, _)| *contrast == held.contrast) {
                Some((_, pairs)) => pairs.push(pair),
                None => contrasts.push((held.contrast, vec![pair])),
            }
        }
        let named = |(contrast, pairs): (usize, Vec<Value>)| json!({ "name": study.contrasts[contrast].name(), "pairs": pairs });
        json!(contrasts.into_iter().map(named).collect::<Vec<_>>())
    }

    /// The chosen views beside their features: what the pictures lost, or made up.
    pub(super) fn kept(&self) -> Value {
        let study = &self.outcome.plan.study;
        let row = |(place, of): (usize, &ViewBesideFeatures)| {
            let source = self.grid_source(self.words(&of.cell));
            let at = |name: &str| format!("/beside/{place}/{name}");
            let score = |name: &str, what: &str, value: Option<f64>| {
                value.map(|value| self.book.enter(&source, &at(name), what, NumberForm::Score, value))
            };
            json!({
                "model": study.models[of.model].name,
                "comparison": study.comparisons[of.comparison].name,
                "view": format!("{}, {}", self.layer(of.model, of.cell.layer), self.view(&of.cell)),
                "features": score("features", "AUC of the features on half B", of.features),
                "probe": score("probe", "AUC of the probe on half B", of.probe),
                "kept": self.book.estimate(&source, &at("kept"), "view less the better of both", NumberForm::Difference, Some(of.kept)),
                "word": of.word(),
            })
        };
        json!(self.outcome.grid.beside.iter().enumerate().map(row).collect::<Vec<_>>())
    }

    /// What one projection separates where another does not.
    pub(super) fn rescues(&self) -> Value {
        let (study, ledger) = (&self.outcome.plan.study, &self.outcome.ledger);
        let source = self.ledger_source();
        let names: Vec<String> = ledger.projections.iter().map(|of| study.projections[of.projection].name.clone()).collect();
        let row = |(place, of): (usize, &visavis_core::domain::ledger::ProjectionStanding)| {
            let count = |pointer: &str, what: &str, value: usize| {
                self.book.count(&source, &format!("/projections/{place}/{pointer}"), &format!("{}: {what}", names[place]), value)
            };
            let rescue = |other: &visavis_core::domain::ledger::ProjectionStanding| {
                let value = *of.rescues.get(other.projection)?;
                let what = format!("separates what {} does not", study.projections[other.projection].name);
                (other.projection != of.projection).then(|| count(&format!("rescues/{}", other.projection), &what, value))
            };
            json!({
                "name": names[place],
                "compared": count("compared", "comparisons of models", of.compared),
                "separates": count("separates", "separated", of.separates),
                "rescues": ledger.projections.iter().map(rescue).collect::<Vec<_>>(),
            })
        };
        json!({ "names": names, "rows": ledger.projections.iter().enumerate().map(row).collect::<Vec<_>>() })
    }
}
