//! `visavis show STUDY`

use super::{
    Context, open_store,
    output::{TextColumns, remark, say, say_json, tell_about},
};
use crate::study::{self, OnSharedCrop, StudyOutcome, Timeline, pairs::without};
use std::path::PathBuf;
use visavis_core::domain::{
    Ending, Result,
    claim::NumberForm,
    pin::LOST,
    score::TOO_FEW,
    simultaneous::Verdicts,
    text::{count, printable, thousands},
};

#[derive(clap::Args)]
pub(crate) struct ShowCommand {
    /// The study file
    study: PathBuf,
    /// Every result with its key and the digest of its content
    #[arg(long)]
    results: bool,
    /// Show it again whenever it changes, until the run ends
    #[arg(long, short)]
    follow: bool,
}

impl ShowCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        if self.follow {
            let told = std::cell::Cell::new(false);
            return open_store::follow(context, |index| {
                // Early in a run there is no ledger yet: what there is, is said. What is odd about the data is said once.
                match self.once(context, !told.replace(true)) {
                    Err(fault) if fault.ending == Ending::Missing => remark(context, printable(&fault.what)),
                    shown => shown?,
                }
                Timeline::goes_on(index, &context.workspace)
            });
        }
        self.once(context, true)
    }

    fn once(&self, context: &Context, tell: bool) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        if tell {
            tell_about(context, &opened);
        }
        let plan = study::plan(&opened, &context.workspace)?.as_it_stands()?;
        if self.results || context.json {
            self.results(context, &plan);
            return Ok(());
        }
        matrix(&StudyOutcome::load(&plan)?)
    }

    fn results(&self, context: &Context, plan: &study::Plan) {
        if context.json {
            let result = |(step, m): (study::Step, &visavis_core::domain::result::Manifest)| serde_json::json!({ "kind": m.stage.word(), "label": step.label(&plan.study), "key": m.key, "content": m.content(), "outputs": m.outputs });
            say_json(
                &serde_json::json!({ "format": 1, "study": plan.study.name, "results": plan.results().map(result).collect::<Vec<_>>(), "lost_pins": plan.lost_pins().collect::<Vec<_>>() }),
            );
            return;
        }
        let mut grid = TextColumns::new(&["result", "key", "content"]);
        for (step, manifest) in plan.results() {
            grid.row(&[step.label(&plan.study), manifest.key.short(), manifest.content().short()]);
        }
        grid.print("  ");
    }
}

/// By model and comparison the view chosen on the selection half, scored on the evaluation half.
fn matrix(outcome: &StudyOutcome) -> Result<()> {
    let (study, names) = (&outcome.plan.study, outcome.names());
    say(printable(&study.title()));
    say("balanced kNN AUC of the view chosen on the selection half, on the evaluation half, with its 95 % interval");
    say(format!(
        "separates: the lower bound, corrected for all {}, reaches {}",
        count(outcome.grid.chosen.cells, "cell"),
        NumberForm::Score.show(study.statistics.separates_at)
    ));
    say("");
    let mut grid = TextColumns::new(&["model", "comparison", ">AUC", "95 %", "view", "verdict"]);
    for row in outcome.ledger.rows.iter().filter(|row| row.chosen) {
        let cell = row.candidate.cell;
        let Some(b) = row.candidate.b else { continue };
        let show = |value| NumberForm::Score.show(value);
        grid.row(&[
            names.model(cell.model).to_owned(),
            names.comparison(cell.comparison).to_owned(),
            show(b.value),
            b.interval.map_or(TOO_FEW.to_owned(), |of| format!("{}–{}", show(of.low), show(of.high))),
            names.view(&cell),
            outcome.marked(&cell, outcome.verdict(row).word().to_owned()),
        ]);
    }
    grid.print("  ");
    for model in study.models.keys() {
        if let Some(how) = study.how_made(model) {
            say(printable(&format!("  features of {}, as the study says it: {how}", names.model(model))));
        }
    }
    for (place, comparison) in study.comparisons.iter_enumerated() {
        let mut rows = outcome.ledger.rows.iter().filter(|row| row.candidate.cell.comparison == place).peekable();
        let why = match rows.peek() {
            None => "its cells wait for a missing input; see `visavis plan`".to_owned(),
            Some(first) => outcome.reason(first),
        };
        if !rows.any(|row| row.chosen) {
            say(printable(&format!("  {}: {why}", comparison.name)));
        }
    }
    crops(outcome);
    pairs(outcome)?;
    say("");
    for name in outcome.plan.lost_pins() {
        say(printable(&format!("pinned: {name} · {LOST}; `visavis unpin` takes it off")));
    }
    say(format!(
        "{} of {} ranked, {} picked for the report",
        outcome.ledger.ranked,
        count(outcome.ledger.cells, "cell"),
        outcome.ledger.picked
    ));
    Ok(())
}

/// Verification sets: which model tells their pairs apart how well, and which cannot be asked.
fn pairs(outcome: &StudyOutcome) -> Result<()> {
    let (study, names) = (&outcome.plan.study, outcome.names());
    if study.verification.sets.is_empty() {
        return Ok(());
    }
    say("");
    say(format!(
        "verification sets, by InsightFace's protocol: accuracy and TAR at FAR {} over ten folds, mean ± standard deviation",
        NumberForm::Rate.show(study.verification.far)
    ));
    let mut grid = TextColumns::new(&["set", "model", ">pairs", ">accuracy", ">TAR", ">FAR"]);
    for of in outcome.results.pairs()? {
        let verified = &of.verified.value;
        grid.row(&[
            names.pair_set(of.set).to_owned(),
            names.model(of.model).to_owned(),
            thousands(verified.same + verified.different),
            verified.accuracy.show(),
            verified.tar.show(),
            NumberForm::Rate.show(verified.far),
        ]);
    }
    grid.print("  ");
    for (model, why) in without(study) {
        say(printable(&format!("  pairs cannot be verified by {}: {why}", model.name)));
    }
    Ok(())
}

/// Contrasts whose crops differ: what is found on the shared crop beside what is found on each side's own.
fn crops(outcome: &StudyOutcome) {
    let (study, names) = (&outcome.plan.study, outcome.names());
    for (place, held) in outcome.held.iter().enumerate() {
        let crops = OnSharedCrop::of(held, study);
        let Some(phrase) = crops.phrase() else { continue };
        let (contrast, left, right) = (study.contrasts[held.contrast].name(), names.side(&held.left), names.side(&held.right));
        say(printable(&format!("  contrast {contrast}, {left} → {right}: {phrase}")));
        let own = outcome.grid.differences.iter().zip(&outcome.verdicts).filter(|(of, _)| of.held == place);
        let own: Verdicts = own.map(|(_, verdict)| *verdict).collect();
        let on_shared: Verdicts = outcome.shared_crops.differences(place).map(|(.., verdict)| verdict).collect();
        if crops.shared().is_some() && on_shared.of > 0 {
            say(printable(&format!(
                "    {right} against {left}, each on its own crop: {}; on a shared crop: {}",
                own.words(),
                on_shared.words()
            )));
        }
    }
}
