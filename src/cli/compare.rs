//! `visavis compare STUDY [LEFT RIGHT]`: models face to face, on the same images.

use super::{
    Context,
    output::{TextColumns, say, say_json},
};
use crate::study::{self, OnSharedCrop, StudyOutcome};
use serde_json::json;
use std::path::PathBuf;
use visavis_core::domain::{
    Fault, Result,
    claim::NumberForm,
    contrast::ContrastSides,
    index::{ModelIx, PairSetIx},
    pairs::{OverFolds, PairVerification},
    score::TOO_FEW,
    simultaneous::{Difference, DifferenceVerdict, Verdicts},
    spelling::suggestion,
    text::{count, printable},
};

#[derive(clap::Args)]
pub(crate) struct CompareCommand {
    /// The study file
    study: PathBuf,
    /// Two models, or beginnings of their names, that a contrast of the study compares (default: every contrast)
    #[arg(num_args = 0..=2, value_name = "MODEL")]
    models: Vec<String>,
}

impl CompareCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        let plan = study::plan(&opened, &context.workspace)?.as_it_stands()?;
        let outcome = StudyOutcome::load(&plan)?;
        if outcome.held.is_empty() {
            return Err(Fault::asked("the study compares no models with each other")
                .in_file(&self.study)
                .next("name some: contrasts: { loss: { factor: loss } }, or { pair: [one, another] }"));
        }
        let wanted: Vec<usize> = (0..outcome.held.len()).filter(|&place| self.means(&outcome, &outcome.held[place])).collect();
        if wanted.is_empty() {
            let names: Vec<&str> =
                outcome.held.iter().flat_map(|held| [&held.left, &held.right]).map(|side| outcome.names().side(side)).collect();
            return Err(Fault::asked(format!("no contrast is of {}", self.models.join(" and ")))
                .next(suggestion(self.models.first().map_or("", String::as_str), &names)));
        }
        if context.json {
            let all: Vec<serde_json::Value> = wanted.iter().flat_map(|&place| rows(&outcome, place)).collect();
            let pairs: Vec<serde_json::Value> =
                wanted.iter().map(|&place| pairs_rows(&outcome, place)).collect::<Result<Vec<_>>>()?.concat();
            say_json(&json!({ "format": 1, "study": plan.study.name, "differences": all, "verification": pairs }));
            return Ok(());
        }
        say(
            "AUC of each side's view chosen on the selection half, on the same images of the evaluation half; right less left with its 95 % interval",
        );
        for place in wanted {
            print(&outcome, place);
            print_pairs(&outcome, place)?;
        }
        Ok(())
    }

    /// Is every model that was named one of its sides?
    fn means(&self, outcome: &StudyOutcome, held: &ContrastSides) -> bool {
        let models = &outcome.plan.study.models;
        let is = |side: &[ModelIx], name: &String, whole: bool| {
            let own = outcome.names().side(side);
            let named = |text: &str| if whole { text == name } else { text.starts_with(name.as_str()) };
            named(own) || side.iter().any(|&model| named(&models[model].name))
        };
        let meant = |whole: bool| match &self.models[..] {
            [] => true,
            [one] => is(&held.left, one, whole) || is(&held.right, one, whole),
            [one, other, ..] => {
                is(&held.left, one, whole) && is(&held.right, other, whole)
                    || is(&held.right, one, whole) && is(&held.left, other, whole)
            }
        };
        let side = |model: &String| outcome.held.iter().any(|of| is(&of.left, model, true) || is(&of.right, model, true));
        let known = |model: &String| models.iter().any(|of| of.name == *model) || side(model);
        meant(true) || (!self.models.iter().all(known) && meant(false))
    }
}

/// The differences of what is held at a place, with what is said of each.
fn of<'a>(outcome: &'a StudyOutcome, place: usize) -> impl Iterator<Item = (&'a Difference, DifferenceVerdict)> + use<'a> {
    outcome.grid.differences.iter().zip(outcome.verdicts.iter().copied()).filter(move |(of, _)| of.held == place)
}

/// The same on the shared crop, if its crops differ.
fn on_shared_crop<'a>(
    outcome: &'a StudyOutcome,
    place: usize,
) -> impl Iterator<Item = (&'a Difference, DifferenceVerdict)> + use<'a> {
    outcome.shared_crops.differences(place).map(|(_, of, verdict)| (of, verdict))
}

fn rows(outcome: &StudyOutcome, place: usize) -> Vec<serde_json::Value> {
    let (study, names, held) = (&outcome.plan.study, outcome.names(), &outcome.held[place]);
    let crops = OnSharedCrop::of(held, study);
    let row = |(of, verdict): (&Difference, DifferenceVerdict), crop: String| {
        json!({
            "contrast": study.contrasts[held.contrast].name(), "left": names.side(&held.left), "right": names.side(&held.right),
            "differs": held.differences(study), "trainings": held.left.len().min(held.right.len()), "names_factor": held.names_factor(study),
            "comparison": names.comparison(of.comparison), "left_value": of.left, "right_value": of.right,
            "difference": of.difference, "p": of.p, "q": of.q, "beyond_probes": of.beyond, "shown": of.is_shown(), "verdict": verdict.word(),
            "crop": crop, "crops": crops.phrase(),
        })
    };
    let shared = crops.shared().map_or(String::new(), |shared| format!("shared: {shared}"));
    let own = self::of(outcome, place).map(|of| row(of, "own".to_owned()));
    own.chain(on_shared_crop(outcome, place).map(|of| row(of, shared.clone()))).collect()
}

fn print(outcome: &StudyOutcome, place: usize) {
    let (study, names, held) = (&outcome.plan.study, outcome.names(), &outcome.held[place]);
    let (left, right) = (names.side(&held.left), names.side(&held.right));
    let differs = held.differences(study).join(", ").replace('_', " ");
    say("");
    say(printable(&format!(
        "{}: {left} → {right}, which differ in {}",
        study.contrasts[held.contrast].name(),
        if differs.is_empty() { "nothing that the study names" } else { &differs }
    )));
    say(if held.names_factor(study) {
        "each side has several trainings: a difference is attributed to what the sides differ in".to_owned()
    } else {
        format!(
            "{} a side: a difference is one between these models, and is not attributed to what they differ in",
            count(held.left.len().min(held.right.len()), "training")
        )
    });
    for &model in held.left.iter().chain(&held.right) {
        if let Some(how) = study.how_made(model) {
            say(printable(&format!("features of {}, as the study says it: {how}", names.model(model))));
        }
    }
    print_differences(outcome, self::of(outcome, place));
    let counted: Verdicts = self::of(outcome, place).map(|(_, verdict)| verdict).collect();
    say(printable(&format!("  {right} against {left}: {}", counted.words())));
    let crops = OnSharedCrop::of(held, study);
    if let Some(phrase) = crops.phrase() {
        say(printable(&phrase));
    }
    let counted: Verdicts = on_shared_crop(outcome, place).map(|(_, verdict)| verdict).collect();
    if let Some(shared) = crops.shared().filter(|_| counted.of > 0) {
        say(printable(&format!("on a shared crop ({shared}):")));
        print_differences(outcome, on_shared_crop(outcome, place));
        say(printable(&format!("  {right} against {left}, on a shared crop: {}", counted.words())));
    }
}

/// One row a verification set that models of both sides were asked of.
struct PairsOfSides<'a> {
    set: &'a str,
    /// Of each training.
    left: Vec<PairVerification>,
    right: Vec<PairVerification>,
}

fn pairs_of<'a>(outcome: &'a StudyOutcome, place: usize) -> Result<Vec<PairsOfSides<'a>>> {
    let (study, held, all) = (&outcome.plan.study, &outcome.held[place], outcome.results.pairs()?);
    let side = |set: PairSetIx, models: &[ModelIx]| -> Vec<PairVerification> {
        let of = |model: &ModelIx| all.iter().find(|of| of.set == set && of.model == *model);
        models.iter().filter_map(of).map(|of| of.verified.value.clone()).collect()
    };
    let sets = study.verification.sets.iter_enumerated();
    let sets = sets.map(|(set, of)| PairsOfSides { set: &of.name, left: side(set, &held.left), right: side(set, &held.right) });
    Ok(sets.filter(|of| !of.left.is_empty() && !of.right.is_empty()).collect())
}

/// Of several trainings their mean; of one, its deviation over folds, too.
fn of_trainings(verified: &[PairVerification], of: fn(&PairVerification) -> OverFolds) -> (f64, Option<f64>) {
    let folds: Vec<OverFolds> = verified.iter().map(of).collect();
    match folds[..] {
        [one] => (one.mean, Some(one.deviation)),
        _ => (folds.iter().map(|of| of.mean).sum::<f64>() / folds.len() as f64, None),
    }
}

fn pairs_rows(outcome: &StudyOutcome, place: usize) -> Result<Vec<serde_json::Value>> {
    let (study, names, held) = (&outcome.plan.study, outcome.names(), &outcome.held[place]);
    let value = |(mean, deviation): (f64, Option<f64>)| json!({ "mean": mean, "deviation": deviation });
    let row = |of: PairsOfSides| {
        let sides = |pick: fn(&PairVerification) -> OverFolds| json!({ "left": value(of_trainings(&of.left, pick)), "right": value(of_trainings(&of.right, pick)) });
        json!({
            "contrast": study.contrasts[held.contrast].name(), "left": names.side(&held.left), "right": names.side(&held.right),
            "set": of.set, "protocol": "insightface", "far": study.verification.far,
            "accuracy": sides(|of| of.accuracy), "tar": sides(|of| of.tar),
        })
    };
    Ok(pairs_of(outcome, place)?.into_iter().map(row).collect())
}

/// How well both sides tell the pairs of verification sets apart; nothing where none was asked.
fn print_pairs(outcome: &StudyOutcome, place: usize) -> Result<()> {
    let rows = pairs_of(outcome, place)?;
    if rows.is_empty() {
        return Ok(());
    }
    say(format!(
        "verification sets, by InsightFace's protocol over ten folds (± standard deviation; no test of the difference), TAR at FAR {}:",
        NumberForm::Rate.show(outcome.plan.study.verification.far)
    ));
    let show = |verified: &[PairVerification], of: fn(&PairVerification) -> OverFolds| match of_trainings(verified, of) {
        (mean, Some(deviation)) => OverFolds { mean, deviation }.show(),
        (mean, None) => format!("{} (mean of {})", NumberForm::Score.show(mean), count(verified.len(), "training")),
    };
    let mut grid = TextColumns::new(&["set", ">left accuracy", ">right accuracy", ">left TAR", ">right TAR"]);
    for PairsOfSides { set, left, right } in rows {
        let [left_accuracy, right_accuracy] = [&left, &right].map(|of| show(of, |of| of.accuracy));
        let [left_tar, right_tar] = [&left, &right].map(|of| show(of, |of| of.tar));
        grid.row(&[set.to_owned(), left_accuracy, right_accuracy, left_tar, right_tar]);
    }
    grid.print("  ");
    Ok(())
}

fn print_differences<'a>(outcome: &StudyOutcome, differences: impl Iterator<Item = (&'a Difference, DifferenceVerdict)>) {
    let names = outcome.names();
    let mut grid =
        TextColumns::new(&["comparison", ">left", ">right", ">right − left", "95 %", ">q", ">less the probes'", "verdict"]);
    let signed = |value: f64| NumberForm::Difference.show(value);
    for (of, verdict) in differences {
        grid.row(&[
            names.comparison(of.comparison).to_owned(),
            NumberForm::Score.show(of.left),
            NumberForm::Score.show(of.right),
            signed(of.difference.value),
            of.difference.interval.map_or(TOO_FEW.to_owned(), |of| format!("{} to {}", signed(of.low), signed(of.high))),
            NumberForm::Score.show(of.q),
            of.beyond.map_or(String::new(), |beyond| signed(beyond.value)),
            verdict.word().to_owned(),
        ]);
    }
    grid.print("  ");
}
