//! The sections of the page: results and names in, ids of claims out.

use super::{
    Extras,
    claims::{Book, OutputSource},
    groups::{by_definition, named},
    is_axis, paths,
};
use crate::study::{People, ScoreOf, Step, StudyOutcome};
use serde_json::{Value, json};
use visavis_core::domain::{
    Digest, Result,
    claim::NumberForm,
    comparison::Measured,
    ledger::{CellId, Rate, ShownAs},
    model::Source as Made,
    score::{Estimate, FigureRobustness, ViewScore},
    stage::{Figure, Kind, ProjectFeatures, Ranking, Robustness, ScoreViews, WEIGHTS_PREFIX},
    text::shell,
};

/// Rows of the ledger that the page itself shows; the table beside it holds all.
const LEDGER_ROWS: usize = 400;

/// Models that the summary names of those that tell one comparison.
const TELLERS: usize = 6;

pub fn context(outcome: &StudyOutcome, book: &Book, extras: &Extras) -> Result<tera::Context> {
    let page = ReportPage { outcome, book };
    let missing_labels = page.missing_labels(extras);
    let study = &outcome.plan.study;
    let mut context = tera::Context::new();
    context.insert("study", &study.name);
    context.insert("about", &page.shareable(&study.about));
    context.insert("file", &format!("{}.html", study.name));
    // It stands in command lines.
    context.insert("study_file", &shell(&outcome.plan.workspace().shareable(extras.study_file).display().to_string()));
    context.insert("study_digest", &Digest::of(extras.study_text.as_bytes()).to_string());
    context.insert("answer", &page.answer());
    context.insert("matrix", &page.matrix());
    context.insert("gradients", &page.gradients());
    context.insert("asked", &page.asked());
    context.insert("data", &page.data()?);
    context.insert("missing_labels", &missing_labels);
    context.insert("remarks", &outcome.plan.remarks);
    context.insert("people_unknown", &(outcome.plan.people == People::Unknown));
    context.insert("models", &page.models());
    context.insert("learned", &page.learned()?);
    context.insert("planted", &page.planted()?);
    context.insert("faithful", &page.faithful()?);
    context.insert("figures", &page.figures()?);
    context.insert("lost_pins", &outcome.plan.lost_pins().collect::<Vec<_>>());
    context.insert("ledger", &page.ledger());
    context.insert("fairness", &page.fairness());
    context.insert("findings", &page.findings());
    context.insert("critical", &page.critical());
    context.insert("contrasts", &page.contrasts());
    context.insert("kept", &page.kept());
    context.insert("rescues", &page.rescues());
    context.insert("groups", &page.groups()?);
    context.insert("reproduce", &page.reproduce());
    Ok(context)
}

pub(super) struct ReportPage<'a> {
    pub(super) outcome: &'a StudyOutcome<'a>,
    pub(super) book: &'a Book,
}

impl ReportPage<'_> {
    pub(super) fn ledger_source(&self) -> OutputSource {
        OutputSource { key: self.outcome.ranked, output: Ranking::LEDGER, of: "ledger".to_owned() }
    }

    /// A text that a person wrote, without absolute paths.
    fn shareable(&self, text: &str) -> String {
        paths::shareable_text(text, &|path| self.outcome.plan.workspace().shareable(path))
    }

    fn frequencies_source(&self) -> OutputSource {
        OutputSource { key: self.outcome.ranked, output: Ranking::FREQUENCIES, of: "labels".to_owned() }
    }

    pub(super) fn model(&self, cell: &CellId) -> String {
        self.outcome.plan.study.models[cell.model].name.clone()
    }

    pub(super) fn layer(&self, model: usize, layer: usize) -> String {
        let study = &self.outcome.plan.study;
        study.models[model].layers(study.layers.as_deref())[layer].clone()
    }

    pub(super) fn view(&self, cell: &CellId) -> String {
        format!("{} {}", self.outcome.plan.study.projections[cell.projection].name, cell.view)
    }

    fn comparison(&self, cell: &CellId) -> String {
        self.outcome.plan.study.comparisons[cell.comparison].name.clone()
    }

    pub(super) fn words(&self, cell: &CellId) -> String {
        format!("{} · {} · {} · {}", self.model(cell), self.layer(cell.model, cell.layer), self.view(cell), self.comparison(cell))
    }

    /// The numbers of one row of the ledger, by its place.
    pub(super) fn half(&self, row: usize, half: &str, estimate: Option<Estimate>) -> Value {
        let cell = &self.outcome.ledger.rows[row].candidate.cell;
        let source = OutputSource { of: self.words(cell), ..self.ledger_source() };
        self.book.estimate(
            &source,
            &format!("/rows/{row}/candidate/{half}"),
            &format!("AUC on half {}", half.to_uppercase()),
            NumberForm::Score,
            estimate,
        )
    }

    /// The answer, in a few lines with numbers.
    fn answer(&self) -> Value {
        let (ledger, study) = (&self.outcome.ledger, &self.outcome.plan.study);
        let source = self.ledger_source();
        let number = |pointer: &str, what: &str, value| self.book.count(&source, pointer, what, value);
        let mut standings: Vec<(usize, _)> = ledger.standings.iter().enumerate().collect();
        standings.sort_by_key(|(_, standing)| std::cmp::Reverse(standing.separates));
        let standing = |(place, standing): (usize, &visavis_core::domain::ledger::ModelStanding)| {
            let separated = self.outcome.chosen_of(standing.model).filter(|(_, row)| self.outcome.separates(row));
            let names = separated.map(|(_, row)| self.comparison(&row.candidate.cell));
            json!({
                "model": study.models[standing.model].name, "names": names.collect::<Vec<_>>(),
                "separates": number(&format!("/standings/{place}/separates"), "comparisons separated", standing.separates),
                "compared": number(&format!("/standings/{place}/compared"), "comparisons ranked", standing.compared),
            })
        };
        let ranked = self.outcome.chosen.values().filter_map(|&row| Some((row, ledger.rows[row].rank?)));
        let best = ranked.min_by_key(|(_, rank)| *rank);
        let cell = |(row, _): (usize, usize)| {
            let cell = &ledger.rows[row].candidate.cell;
            json!({ "model": self.model(cell), "view": self.view(cell), "comparison": self.comparison(cell), "b": self.half(row, "b", ledger.rows[row].candidate.b) })
        };
        let (some, nothing): (Vec<_>, Vec<_>) = standings.into_iter().partition(|(_, of)| of.separates > 0);
        let (some, nothing) = (some.into_iter(), nothing.into_iter());
        // By comparison: who tells it.
        let (mut told, mut untold) = (Vec::new(), Vec::new());
        for (comparison, of) in study.comparisons.iter().enumerate() {
            let asked = self.outcome.chosen_on(comparison).count();
            let models = self.tellers(comparison);
            match (asked > 0, models.is_empty()) {
                (true, false) => {
                    let (some, more) = (&models[..models.len().min(TELLERS)], models.len() > TELLERS);
                    let all = models.len() == asked;
                    told.push(json!({ "comparison": of.name, "models": some, "more": more, "all": all }));
                }
                (true, true) => untold.push(of.name.clone()),
                (false, _) => {}
            }
        }
        json!({
            "cells": number("/cells", "cells", ledger.cells),
            "ranked": number("/ranked", "cells ranked", ledger.ranked),
            "picked": number("/picked", "figures picked", ledger.picked),
            "none_picked": ledger.picked == 0,
            "standings": some.map(standing).collect::<Vec<_>>(),
            "nothing": nothing.map(|(_, of)| study.models[of.model].name.clone()).collect::<Vec<_>>(),
            "told": told, "untold": untold, "unlearned": self.unlearned(),
            "best": best.map(cell),
            "optimism": ledger.optimism.map(|value| self.book.enter(&source, "/optimism", "mean of A − B over chosen views", NumberForm::Difference, value)),
            "separates_at": self.parameter("/rank/separates_at", "the mark", NumberForm::Score, study.statistics.separates_at),
        })
    }

    /// Models whose chosen view tells the comparison beyond chance.
    pub(super) fn tellers(&self, comparison: usize) -> Vec<String> {
        let telling = self.outcome.chosen_on(comparison).filter(|(_, row)| self.outcome.tells(row));
        telling.map(|(_, row)| self.model(&row.candidate.cell)).collect()
    }

    /// Comparisons of which the best probe on half A is of features that nothing was learned for, where others were learned.
    fn unlearned(&self) -> Vec<Value> {
        let study = &self.outcome.plan.study;
        let nothing = |model: usize| study.models[model].source.learned_nothing();
        let best = |comparison: usize| {
            let asked = self.outcome.scores.iter().filter(|(of, _)| of.projection.is_none() && of.comparison == comparison);
            let probes = asked.filter_map(|(of, scored)| Some((of.model, scored.probe.as_ref()?.a?.value)));
            probes.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(model, _)| model)
        };
        if (0..study.models.len()).all(nothing) {
            return vec![];
        }
        let comparisons = (0..study.comparisons.len()).filter(|&comparison| self.outcome.chosen_on(comparison).next().is_some());
        comparisons
            .filter_map(|comparison| Some((comparison, best(comparison).filter(|model| nothing(*model))?)))
            .map(|(comparison, model)| json!({ "comparison": study.comparisons[comparison].name, "model": study.models[model].name }))
            .collect()
    }

    /// A parameter of the rank stage, as its manifest records it.
    fn parameter(&self, pointer: &str, what: &str, form: NumberForm, value: f64) -> String {
        let source = OutputSource { key: self.outcome.ranked, output: "work", of: "the rule".to_owned() };
        self.book.enter(&source, pointer, what, form, value)
    }

    /// Models by comparisons: the view chosen on A, quoted on B.
    fn matrix(&self) -> Value {
        let (ledger, study) = (&self.outcome.ledger, &self.outcome.plan.study);
        let chosen = &self.outcome.chosen;
        let ranked: Vec<usize> =
            (0..study.comparisons.len()).filter(|comparison| chosen.keys().any(|(_, of)| of == comparison)).collect();
        let cell = |model: usize, comparison: usize| {
            let Some(&row) = chosen.get(&(model, comparison)) else { return Value::Null };
            let of = &ledger.rows[row];
            let Some(b) = of.candidate.b else { return Value::Null };
            json!({
                "b": self.half(row, "b", Some(b)), "view": self.view(&of.candidate.cell), "heat": heat(b.value),
                "separates": self.outcome.separates(of), "told": self.outcome.tells(of),
                "features": self.features(model, of.candidate.cell.layer, comparison),
            })
        };
        let models: Vec<usize> = (0..study.models.len()).filter(|model| chosen.keys().any(|(of, _)| of == model)).collect();
        let model = |&model: &usize| json!({ "name": study.models[model].name, "noise": null });
        let comparison = |&c: &usize| json!({ "name": study.comparisons[c].name, "noise": self.noise(c) });
        let named = [models.iter().map(model).collect::<Vec<_>>(), ranked.iter().map(comparison).collect::<Vec<_>>()];
        // The more of the two go down the page.
        let (columns, rows): (Vec<Value>, Vec<Value>) = if models.len() > ranked.len() {
            let cells = |of: &usize| ranked.iter().map(|&comparison| cell(*of, comparison)).collect::<Vec<_>>();
            let rows = models.iter().zip(&named[0]).map(|(of, name)| json!({ "of": name, "cells": cells(of) })).collect();
            (named[1].clone(), rows)
        } else {
            let cells = |of: &usize| models.iter().map(|&model| cell(model, *of)).collect::<Vec<_>>();
            let rows = ranked.iter().zip(&named[1]).map(|(of, name)| json!({ "of": name, "cells": cells(of) })).collect();
            (named[0].clone(), rows)
        };
        let unranked: Vec<Value> = (0..study.comparisons.len())
            .filter(|comparison| !ranked.contains(comparison))
            .map(|comparison| {
                let why = ledger
                    .rows
                    .iter()
                    .find(|row| row.candidate.cell.comparison == comparison)
                    .map_or("its cells wait for something missing".to_owned(), |row| self.outcome.reason(row));
                json!({ "comparison": study.comparisons[comparison].name, "why": why.trim_start_matches("not ranked: ") })
            })
            .collect();
        json!({ "columns": columns, "rows": rows, "unranked": unranked })
    }

    /// The same question asked of the features themselves at a layer: by nearest neighbours, and by a linear probe.
    pub(super) fn features(&self, model: usize, layer: usize, comparison: usize) -> Value {
        let Some(of) = self.outcome.scores.get(&ScoreOf { model, layer, projection: None, comparison }) else {
            return Value::Null;
        };
        let study = &self.outcome.plan.study;
        let words = format!(
            "{} · {} · features · {}",
            study.models[model].name,
            self.layer(model, layer),
            study.comparisons[comparison].name
        );
        let source = OutputSource { key: of.key, output: of.output, of: words };
        let near = of.scores.views.first().and_then(|view| view.b);
        let at = of.pointer.trim_end_matches("/scores");
        let probe = of.probe.as_ref();
        json!({
            "near": self.book.estimate(&source, &format!("{}/views/0/b", of.pointer), "AUC on half B", NumberForm::Score, near),
            "probe": self.book.estimate(&source, &format!("{at}/probe/b"), "AUC of the probe on half B", NumberForm::Score, probe.and_then(|probe| probe.b)),
        })
    }

    /// Along single axes: the largest lower bound per model and comparison.
    fn gradients(&self) -> Value {
        let study = &self.outcome.plan.study;
        let mut rows = Vec::new();
        for comparison in 0..study.comparisons.len() {
            for model in 0..study.models.len() {
                let low = |view: &ViewScore| {
                    view.monotone.map_or(f64::NEG_INFINITY, |estimate| estimate.low().unwrap_or(f64::NEG_INFINITY))
                };
                let enough = |scores: &visavis_core::domain::score::Scores| {
                    scores.counts.exclusive.iter().all(|n| *n >= study.statistics.min_positives)
                };
                let of_model = self
                    .outcome
                    .scores
                    .iter()
                    .filter(|(of, _)| of.model == model && of.comparison == comparison && of.projection.is_some())
                    .filter(|(_, scored)| enough(&scored.scores));
                let views = of_model.flat_map(|(of, scored)| {
                    scored.scores.views.iter().enumerate().map(move |(place, view)| (of, &scored.key, place, view))
                });
                let Some((of, key, place, view)) = views
                    .filter(|(.., view)| view.monotone.is_some())
                    .max_by(|a, b| low(a.3).total_cmp(&low(b.3)).then(b.2.cmp(&a.2)))
                else {
                    continue;
                };
                let cell = CellId { model, layer: of.layer, projection: of.projection.unwrap_or(0), view: view.view, comparison };
                let source = OutputSource { key: *key, output: ScoreViews::SCORES, of: self.words(&cell) };
                let quantity = matches!(study.comparisons[comparison].question.measured, Measured::Quantity(_));
                let what = if quantity { "Spearman's ρ" } else { "monotone AUC" };
                rows.push(json!({ "comparison": self.comparison(&cell), "model": self.model(&cell), "view": self.view(&cell), "what": what, "score": self.book.estimate(&source, &format!("/views/{place}/monotone"), what, NumberForm::Score, view.monotone) }));
            }
        }
        json!(rows)
    }

    /// Comparisons in words, with who takes part.
    fn asked(&self) -> Value {
        let study = &self.outcome.plan.study;
        let comparison = |(place, of): (usize, &visavis_core::domain::comparison::Comparison)| {
            let scored = self.outcome.scores.iter().find(|(score, _)| score.comparison == place);
            let count = |class: usize| {
                scored.map(|(_, scored)| {
                    let source = OutputSource { key: scored.key, output: scored.output, of: of.name.clone() };
                    self.book.count(
                        &source,
                        &format!("{}/counts/classes/{class}", scored.pointer),
                        &format!("images of {}", of.classes[class]),
                        scored.scores.counts.classes[class],
                    )
                })
            };
            let is = |class: usize| match &of.question.measured {
                Measured::Classes(classes) => classes[class].to_string(),
                Measured::Quantity(attribute) => format!("{attribute} (a quantity)"),
            };
            let classes: Vec<Value> = (0..of.classes.len())
                .map(|class| json!({ "name": of.classes[class], "is": is(class), "n": count(class) }))
                .collect();
            json!({ "name": of.name, "classes": classes, "within": of.question.within.as_ref().map(ToString::to_string) })
        };
        json!(study.comparisons.iter().enumerate().map(comparison).collect::<Vec<_>>())
    }

    fn rate(&self, pointer: &str, what: &str, rate: &Rate) -> Value {
        let source = self.frequencies_source();
        json!({
            "positives": self.book.count(&source, &format!("{pointer}/positives"), &format!("{what}: images"), rate.positives),
            "n": self.book.count(&source, &format!("{pointer}/n"), &format!("{what}: images labelled"), rate.n),
            "share": self.book.estimate(&source, &format!("{pointer}/share"), what, NumberForm::Percent, rate.share),
            "few": rate.is_few(),
        })
    }

    fn data(&self) -> Result<Value> {
        let (plan, counted) = (self.outcome.plan, &self.outcome.frequencies);
        let source = self.frequencies_source();
        let attributes: Vec<Value> = counted.attributes.iter().enumerate().map(|(place, frequency)| {
            let name = frequency.value.as_ref().map_or(frequency.attribute.clone(), |value| format!("{} = {value}", frequency.attribute));
            json!({ "rate": self.rate(&format!("/attributes/{place}/rate"), &format!("share of {name}"), &frequency.rate), "name": name })
        }).collect();
        let provenance: Vec<Value> = plan
            .study
            .evaluation
            .labels
            .iter()
            .map(|file| json!({ "attribute": file.attribute, "provenance": file.provenance }))
            .collect();
        Ok(json!({
            "name": plan.study.evaluation.dataset,
            "images": self.book.count(&source, "/images", "images", counted.images),
            "identities": self.book.count(&source, "/identities", "identities", counted.identities),
            "own": plan.people != People::Known,
            "assumed": plan.people == People::Unknown,
            "attributes": attributes,
            "provenance": provenance,
            "celebas": self.labels_are_celebas(),
            "figure": self.drawing(Step::DrawFrequencies)?,
        }))
    }

    /// Attributes that some images have no label of, and how files spell that.
    fn missing_labels(&self, extras: &Extras) -> Vec<Value> {
        let counted = &self.outcome.frequencies;
        let source = self.frequencies_source();
        let mut told: Vec<&str> = vec![];
        let mut missing = Vec::new();
        for (place, frequency) in counted.attributes.iter().enumerate() {
            let attribute = frequency.attribute.as_str();
            if frequency.rate.n >= counted.images || told.contains(&attribute) {
                continue;
            }
            told.push(attribute);
            let spelled = extras.missing_labels.get(attribute).map(|of| &of.spelled);
            let words: Vec<&String> =
                spelled.into_iter().flatten().map(|(word, _)| word).filter(|word| !word.is_empty()).collect();
            let what = format!("images with a label of {attribute}");
            missing.push(json!({
                "attribute": attribute,
                "n": self.book.count(&source, &format!("/attributes/{place}/rate/n"), &what, frequency.rate.n),
                "words": words,
                "empty": spelled.is_some_and(|spelled| spelled.contains_key("")),
            }));
        }
        missing
    }

    /// A figure's picture with its result's key.
    pub(super) fn drawing(&self, step: Step) -> Result<Value> {
        let svg = self.outcome.plan.bytes(step, Figure::SVG)?;
        Ok(match (svg, self.outcome.plan.result(step)) {
            (Some(svg), Some(manifest)) => {
                json!({ "svg": String::from_utf8_lossy(&svg), "key": manifest.key, "short": manifest.key.short() })
            }
            _ => Value::Null,
        })
    }

    fn models(&self) -> Value {
        let study = &self.outcome.plan.study;
        let model = |(place, of): (usize, &visavis_core::domain::model::Model)| {
            let made = match &of.source {
                Made::Given(_) => "features that were given".to_owned(),
                Made::Baseline { word, prepare } => format!("{word} of the pictures, no network, prepare {prepare}"),
                Made::Network(_) => {
                    of.factors().iter().map(|(factor, level)| format!("{factor} {level}")).collect::<Vec<_>>().join(", ")
                }
            };
            let layers: Vec<Value> = of.layers(study.layers.as_deref()).into_iter().enumerate().map(|(layer, name)| {
                let manifest = self.outcome.plan.result(crate::study::features(study, place, layer));
                let fact = if matches!(of.source, Made::Given(_)) { "shape" } else { name.as_str() };
                let shape = manifest.filter(|m| m.fact(fact).len() == 2).map(|m| {
                    let source = OutputSource { key: m.key, output: "facts", of: format!("{} · {name}", of.name) };
                    json!({ "rows": self.book.count(&source, &format!("/{fact}/0"), "rows of features", m.fact(fact)[0] as usize), "columns": self.book.count(&source, &format!("/{fact}/1"), "columns of features", m.fact(fact)[1] as usize) })
                });
                // What was done to features on the way, where anything was.
                let counted = |fact: &str, what: &str| manifest.filter(|m| m.fact(fact).len() == 1).map(|m| {
                    let source = OutputSource { key: m.key, output: "facts", of: format!("{} · {name}", of.name) };
                    self.book.count(&source, &format!("/{fact}/0"), what, m.fact(fact)[0] as usize)
                });
                let (centred, turned) = (counted("centred", "columns centred"), counted("turned", "pictures turned"));
                let prefix = manifest.and_then(|m| m.facts.keys().find_map(|fact| fact.strip_prefix(WEIGHTS_PREFIX)));
                json!({ "name": name, "shape": shape, "centred": centred, "turned": turned, "prefix": prefix })
            }).collect();
            json!({ "name": of.name, "made": made, "layers": layers })
        };
        json!(study.models.iter().enumerate().map(model).collect::<Vec<_>>())
    }

    fn figures(&self) -> Result<Value> {
        let study = &self.outcome.plan.study;
        let mut figures = Vec::new();
        for (cell, shown_as) in &self.outcome.shown {
            let drawing = self.drawing(Step::Draw(*cell))?;
            let Some(row) = self.outcome.ledger.rows.iter().position(|row| row.candidate.cell == *cell) else { continue };
            let Some((scored, view)) = self.outcome.cell(cell) else { continue };
            let (of, scores) = (&self.outcome.ledger.rows[row], &scored.scores);
            let source = OutputSource { key: scored.key, output: scored.output, of: self.words(cell) };
            let score = |name: &str, estimate| {
                self.book.estimate(&source, &format!("/views/{view}/{name}"), name, NumberForm::Score, estimate)
            };
            let counts: Vec<Value> = scores.counts_b.exclusive.iter().enumerate().map(|(class, n)| json!({ "name": study.comparisons[cell.comparison].classes[class], "n": self.book.count(&source, &format!("/counts_b/exclusive/{class}"), "images on half B", *n) })).collect();
            figures.push(json!({
                "model": self.model(cell), "layer": self.layer(cell.model, cell.layer), "view": self.view(cell), "comparison": self.comparison(cell),
                "classes": study.comparisons[cell.comparison].classes.join(" / "), "noise": self.noise(cell.comparison),
                "picked": of.picked, "shown_as": shown_as.iter().map(|shown| shown.word()).collect::<Vec<_>>().join(", "), "beside": !shown_as.contains(&ShownAs::Best),
                "reason": self.outcome.reason(of), "note": self.outcome.plan.note(*cell).filter(|note| !note.is_empty()).map(|note| self.shareable(note)), "rank": of.rank.map(|rank| self.book.count(&self.ledger_source(), &format!("/rows/{row}/rank"), &format!("rank of {}", self.words(cell)), rank)),
                "a": self.half(row, "a", of.candidate.a), "b": self.half(row, "b", of.candidate.b), "low": self.simultaneous(row), "family": self.family(row), "steady": self.steady(cell)?,
                "whole": score("whole", scores.views[view].whole), "monotone": score("monotone", scores.views[view].monotone), "least": score("least", scores.views[view].least),
                "features": self.features(cell.model, cell.layer, cell.comparison), "counts": counts, "drawing": drawing, "axis": is_axis(cell.view),
                "points": self.outcome.projected(cell).and_then(|m| m.output(ProjectFeatures::COORDINATES)).map(|output| output.digest.short()),
            }));
        }
        Ok(json!(figures))
    }

    /// What a figure has beside its score: measures that rank nothing, and what it comes to when it is projected again.
    fn steady(&self, cell: &CellId) -> Result<Value> {
        let step = Step::Robustness(*cell);
        let (Some(manifest), Some(steady)) =
            (self.outcome.plan.result(step), self.outcome.plan.json::<FigureRobustness>(step, Robustness::FIGURE)?)
        else {
            return Ok(Value::Null);
        };
        let source = OutputSource { key: manifest.key, output: Robustness::FIGURE, of: self.words(cell) };
        let again = steady.again.map(|again| self.book.spread(&source, "/again", "AUC when projected again", again));
        let times = self.book.count(&source, "/times", "projected again", steady.times);
        let other = steady.other.iter().enumerate().map(|(place, of)| {
            let auc = self.book.enter(
                &source,
                &format!("/other/{place}/auc"),
                &format!("AUC on half B, {}", of.method),
                NumberForm::Score,
                of.auc,
            );
            json!({ "method": of.method, "auc": auc })
        });
        let mislabelled = steady.mislabelled.iter().enumerate().map(|(place, of)| {
            let at = format!("/mislabelled/{place}");
            let share =
                self.book.enter(&source, &format!("{at}/share"), "labels taken to be wrong", NumberForm::Percent, of.share);
            let again = self.book.spread(&source, &format!("{at}/again"), "AUC on half B when labels are wrong", of.again);
            json!({ "share": share, "again": again })
        });
        let (other, mislabelled) = (other.collect::<Vec<_>>(), mislabelled.collect::<Vec<_>>());
        let of = steady.beside.unwrap_or_default();
        let measures = [
            ("distance consistency", "distance_consistency", of.distance_consistency),
            ("purity of neighbours", "purity", of.purity),
            ("silhouette", "silhouette", of.silhouette),
            ("Davies–Bouldin", "davies_bouldin", of.davies_bouldin),
            ("Fisher’s ratio", "fisher", of.fisher),
            ("compactness", "compactness", of.compactness),
            ("average precision", "average_precision", of.average_precision),
            ("where chance has", "prevalence", of.prevalence),
            ("LISI", "lisi", of.lisi),
            ("mutual information", "mutual_information", of.mutual_information),
        ];
        let shown = measures.into_iter().filter_map(|(name, field, value)| {
            Some(json!({ "name": name, "value": self.book.enter(&source, &format!("/beside/{field}"), name, NumberForm::Score, value?) }))
        });
        Ok(json!({
            "again": again, "times": times, "other": other, "mislabelled": mislabelled,
            "measures": shown.collect::<Vec<_>>(),
        }))
    }

    fn ledger(&self) -> Value {
        let ledger = &self.outcome.ledger;
        let mut order: Vec<usize> = (0..ledger.rows.len()).collect();
        order.sort_by_key(|&row| (ledger.rows[row].rank.unwrap_or(usize::MAX), row));
        let row = |&row: &usize| {
            let of = &ledger.rows[row];
            let cell = &of.candidate.cell;
            json!({
                "rank": of.rank.map(|rank| self.book.count(&self.ledger_source(), &format!("/rows/{row}/rank"), &format!("rank of {}", self.words(cell)), rank)),
                "model": self.model(cell), "layer": self.layer(cell.model, cell.layer), "view": self.view(cell), "comparison": self.comparison(cell),
                "a": self.half(row, "a", of.candidate.a), "b": self.half(row, "b", of.candidate.b), "low": self.simultaneous(row), "picked": of.picked, "reason": self.outcome.reason(of),
            })
        };
        // The strip: every ranked cell at its score on A, across a width of a thousand.
        let strip = |row: &&usize| ledger.rows[**row].rank.is_some();
        let mark = |row: &usize| {
            let of = &ledger.rows[*row];
            let x = of.candidate.a.map_or(0.0, |a| 1000.0 * ((a.value - 0.3) / 0.7).clamp(0.0, 1.0));
            json!({ "x": x.round() as i64, "picked": of.picked })
        };
        json!({
            "rows": order.iter().take(LEDGER_ROWS).map(row).collect::<Vec<_>>(),
            "cut": ledger.rows.len() > LEDGER_ROWS,
            "strip": order.iter().filter(strip).map(mark).collect::<Vec<_>>(),
            "mark": (1000.0 * (self.outcome.plan.study.statistics.separates_at - 0.3) / 0.7).round() as i64,
        })
    }

    /// Counts and label base rates per group.
    fn fairness(&self) -> Value {
        let (counted, study) = (&self.outcome.frequencies, &self.outcome.plan.study);
        let source = self.frequencies_source();
        let table = |(comparison, of): (usize, &visavis_core::domain::comparison::Comparison)| {
            if matches!(of.question.measured, Measured::Quantity(_)) {
                return None;
            }
            let asked = of.question.attributes();
            let row = |(place, group): (usize, &visavis_core::domain::ledger::Group)| {
                let name = named(&group.members);
                let rates: Vec<Value> = group.rates[comparison]
                    .iter()
                    .enumerate()
                    .map(|(class, rate)| {
                        self.rate(
                            &format!("/groups/{place}/rates/{comparison}/{class}"),
                            &format!("share of {} in {name}", of.classes[class]),
                            rate,
                        )
                    })
                    .collect();
                json!({
                    "name": name, "rates": rates, "empty": group.n == 0,
                    "n": self.book.count(&source, &format!("/groups/{place}/n"), &format!("images in {name}"), group.n),
                    "identities": self.book.count(&source, &format!("/groups/{place}/identities"), &format!("identities in {name}"), group.identities),
                })
            };
            let groups = counted.groups.iter().enumerate().filter(|(_, group)| !by_definition(&group.members, &asked));
            Some(json!({ "comparison": of.name, "classes": of.classes, "rows": groups.map(row).collect::<Vec<_>>() }))
        };
        let tables: Vec<Value> = study.comparisons.iter().enumerate().filter_map(table).collect();
        json!({ "groups": study.fairness.groups, "tables": if counted.groups.is_empty() { vec![] } else { tables } })
    }

    fn reproduce(&self) -> Value {
        let plan = self.outcome.plan;
        let results: Vec<Value> = plan.results().map(|(step, m)| json!({ "label": step.label(&plan.study), "key": m.key.short(), "content": m.content().short(), "version": m.version })).collect();
        let sources: Vec<Value> =
            plan.source_digests().into_iter().map(|(role, digest)| json!({ "role": role, "digest": digest })).collect();
        let mut made: Vec<String> = plan
            .results()
            .map(|(_, m)| format!("{}, {}, {}", m.provenance.program, m.provenance.cpu, m.provenance.system))
            .collect();
        made.sort();
        made.dedup();
        let kinds: Vec<&str> =
            Kind::ALL.into_iter().filter(|kind| plan.results().any(|(_, m)| m.stage == *kind)).map(Kind::word).collect();
        json!({ "results": results, "sources": sources, "environment": made, "kinds": kinds.join(", ") })
    }
}

/// One of ten steps of the heat scale: .5 and below is the first.
fn heat(value: f64) -> usize {
    ((value - 0.5) / 0.5 * 9.0).round().clamp(0.0, 9.0) as usize
}
