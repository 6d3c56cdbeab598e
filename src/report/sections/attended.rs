//! What each model attends to: what it still knows of pictures without their colour, texture, shape or background.

use super::{Section, attention_contrasts::AttentionRow};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, OutputSource},
        source::ReportSource,
    },
    study::ModelRetained,
};
use serde::Serialize;
use visavis_core::domain::{
    Result,
    alteration::{Alteration, Cue, MaskedBy},
    claim::NumberForm,
    retained::{AlteredAnswer, CueShare, NothingToRetain, RetainedAnswer},
};

#[derive(Serialize)]
pub(crate) struct Attended {
    /// A row a model and layer.
    models: Vec<AttendedModel>,
    /// The cues that alterations speak for, as column headings.
    cues: Vec<CueHeading>,
    /// A table a model, of its last layer.
    tables: Vec<RetainedTable>,
    /// Sides of contrasts, held against each other.
    contrasts: Vec<AttentionRow>,
    /// How backgrounds were masked.
    masks: Vec<MaskedPictures>,
    /// Models whose pictures are not altered.
    without: Vec<String>,
}

#[derive(Serialize)]
struct CueHeading {
    cue: &'static str,
    by: &'static str,
}

#[derive(Serialize)]
struct AttendedModel {
    model: String,
    layer: String,
    /// One a heading.
    lost: Vec<Option<EstimateClaims>>,
    /// Comparisons that count, and those of which there is nothing to retain.
    counted: ClaimId,
    left_out: ClaimId,
    /// In words; nothing where no interval is clear of 0.
    reading: Option<&'static str>,
}

#[derive(Serialize)]
struct RetainedTable {
    model: String,
    layer: String,
    alterations: Vec<&'static str>,
    rows: Vec<RetainedRow>,
}

#[derive(Serialize)]
struct RetainedRow {
    comparison: String,
    auc: Option<EstimateClaims>,
    /// Why nothing is said.
    nothing: Option<&'static str>,
    cells: Vec<RetainedCell>,
}

#[derive(Serialize)]
struct RetainedCell {
    auc: Option<ClaimId>,
    retained: Option<EstimateClaims>,
    beyond_control: Option<EstimateClaims>,
}

#[derive(Serialize)]
struct MaskedPictures {
    model: String,
    by: &'static str,
    images: ClaimId,
    share: ClaimId,
}

impl Section for Attended {
    const ANCHOR: &'static str = "attended";
    const TITLE: &'static str = "What each model attends to";
    const TEMPLATE: &'static str = "attended.html";
}

impl Attended {
    /// `None` where the study alters no pictures, or none were altered yet.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let (study, names) = (source.study(), source.names());
        let retained = source.outcome.results.retained()?;
        if retained.is_empty() {
            return Ok(None);
        }
        let carried_out = Alteration::with_control(&study.alterations);
        let spoken: Vec<(Cue, Alteration)> =
            Cue::ALL.into_iter().filter_map(|cue| Some((cue, cue.spoken_for(&carried_out)?))).collect();
        let cues = spoken.iter().map(|(cue, by)| CueHeading { cue: cue.word(), by: by.title() }).collect();
        let (mut models, mut tables) = (Vec::new(), Vec::new());
        for of in &retained {
            let output = source.output(&of.retained, names.model_and_layer(of.model, of.layer));
            models.push(attended(source, &output, of, &spoken));
            if of.is_last_layer {
                tables.push(table(source, &output, of));
            }
        }
        let without = study.models.iter_enumerated().filter(|(place, _)| study.alterations_of(*place).is_empty());
        let without = without.map(|(_, model)| model.name.clone()).collect();
        let contrasts = source.outcome.results.attention()?.map_or(vec![], |of| AttentionRow::all(source, &of));
        Ok(Some(Attended { models, cues, tables, contrasts, masks: masks(source), without }))
    }
}

fn masks(source: &ReportSource) -> Vec<MaskedPictures> {
    let masked = source.outcome.results.masked_backgrounds();
    let row = |of: crate::study::MaskedBackground| {
        let model = source.names().model(of.model).to_owned();
        let output = OutputSource { key: of.key, output: "facts", of: format!("{model} · background masked") };
        let at = |place: usize| format!("/{}{}/{place}", visavis_core::domain::stage::MASKED_BY, of.by);
        MaskedPictures {
            by: match of.by {
                MaskedBy::Landmarks => "an ellipse around the head, placed by the landmarks of the face",
                MaskedBy::Box => "an ellipse around the box of the face",
                MaskedBy::Border => "a border an eighth of the side wide, since nothing says where the face is",
            },
            images: source.claims.count(&output, &at(0), &format!("images masked by {}", of.by), of.facts[0] as usize),
            share: source.claims.enter(&output, &at(1), "share of the square that is masked", NumberForm::Percent, of.facts[1]),
            model,
        }
    };
    masked.into_iter().map(row).collect()
}

fn attended(source: &ReportSource, output: &OutputSource, of: &ModelRetained, spoken: &[(Cue, Alteration)]) -> AttendedModel {
    let cues = &of.retained.value.cues;
    let lost_without = |cue: Cue| Some(lost(source, of, cues.shares.iter().position(|share| share.cue == cue)?));
    AttendedModel {
        model: source.names().model(of.model).to_owned(),
        layer: source.names().layer(of.model, of.layer),
        lost: spoken.iter().map(|(cue, _)| lost_without(*cue)).collect(),
        counted: source.claims.count(output, "/cues/counted", "comparisons that count", cues.counted),
        left_out: source.claims.count(output, "/cues/left_out", "comparisons with nothing to retain", cues.left_out),
        reading: reading(&cues.shares),
    }
}

/// What is lost without a cue; `share`: its place.
pub(super) fn lost(source: &ReportSource, of: &ModelRetained, share: usize) -> EstimateClaims {
    let output = source.output(&of.retained, source.names().model_and_layer(of.model, of.layer));
    let CueShare { cue, lost, .. } = of.retained.value.cues.shares[share];
    let (pointer, what) = (format!("/cues/shares/{share}/lost"), format!("known by {cue}"));
    source.claims.estimate(&output, &pointer, &what, NumberForm::Score, lost)
}

/// The cue without which most is lost, if its interval is clear of 0 and of the next one's.
fn reading(shares: &[CueShare]) -> Option<&'static str> {
    let mut shares: Vec<&CueShare> = shares.iter().collect();
    shares.sort_by(|a, b| b.lost.value.total_cmp(&a.lost.value));
    let first = shares.first()?;
    let low = first.lost.low()?;
    let next = shares.get(1).and_then(|next| next.lost.high()).unwrap_or(0.0);
    (low > 0.0 && low > next).then_some(match first.cue {
        Cue::Colour => "mostly colour",
        Cue::Texture => "mostly fine texture",
        Cue::Shape => "mostly shape",
        Cue::Background => "mostly the background",
    })
}

fn table(source: &ReportSource, output: &OutputSource, of: &ModelRetained) -> RetainedTable {
    let signal = &of.retained.value;
    let row = |(place, answer): (usize, &RetainedAnswer)| {
        let comparison = of.comparisons.get(place)?;
        let name = source.names().comparison(*comparison);
        let cells = answer.altered.iter().zip(&signal.alterations).enumerate();
        let cell = |(at, (altered, by)): (usize, (&AlteredAnswer, &Alteration))| {
            let pointer = |field: &str| format!("/answers/{place}/altered/{at}/{field}");
            let what = |of: &str| format!("{name}, {}: {of}", by.title());
            let estimate = |field: &str, of: &str, form, estimate| {
                source.claims.estimate(output, &pointer(field), &what(of), form, estimate)
            };
            RetainedCell {
                auc: altered
                    .auc
                    .map(|auc| source.claims.enter(output, &pointer("auc/value"), &what("AUC"), NumberForm::Score, auc.value)),
                retained: altered.retained.map(|of| estimate("retained", "retained", NumberForm::Score, of)),
                beyond_control: altered
                    .beyond_control
                    .map(|of| estimate("beyond_control", "beyond the control", NumberForm::Difference, of)),
            }
        };
        let pointer = format!("/answers/{place}/auc");
        let auc = |auc| source.claims.estimate(output, &pointer, &format!("{name}: AUC of the probe"), NumberForm::Score, auc);
        Some(RetainedRow {
            comparison: name.to_owned(),
            auc: answer.auc.map(auc),
            nothing: answer.nothing.map(NothingToRetain::phrase),
            cells: cells.map(cell).collect(),
        })
    };
    RetainedTable {
        model: source.names().model(of.model).to_owned(),
        layer: source.names().layer(of.model, of.layer),
        alterations: signal.alterations.iter().map(|of| of.title()).collect(),
        rows: signal.answers.iter().enumerate().filter_map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::fixture::Fixture, study::Sourced};
    use visavis_core::domain::{
        index::{ComparisonIx, LayerIx, ModelIx},
        retained::{AttendedCues, RetainedSignal},
        score::Estimate,
        stage::MeasureRetained,
    };

    fn signal() -> RetainedSignal {
        let of = |value: f64| Some(Estimate::new(value, value - 0.05, value + 0.05));
        let altered = |retained: f64, beyond_control| AlteredAnswer { auc: of(0.6), retained: of(retained), beyond_control };
        let alterations = vec![Alteration::Grey, Alteration::PatchShuffled, Alteration::EdgeArtefact];
        let nothing = AlteredAnswer { auc: of(0.5), retained: None, beyond_control: None };
        let share = |cue, by, lost: f64| CueShare { cue, by, lost: of(lost).unwrap() };
        RetainedSignal {
            format: 1,
            answers: vec![
                RetainedAnswer {
                    auc: of(0.9),
                    nothing: None,
                    altered: vec![altered(0.25, None), altered(0.8, of(0.15)), altered(0.95, None)],
                },
                RetainedAnswer { auc: of(0.52), nothing: Some(NothingToRetain::NotKnown), altered: vec![nothing; 3] },
            ],
            cues: AttendedCues {
                questions: vec![0],
                counted: 1,
                left_out: 1,
                shares: vec![share(Cue::Colour, Alteration::Grey, 0.75), share(Cue::Shape, Alteration::PatchShuffled, 0.15)],
            },
            alterations,
        }
    }

    #[test]
    fn a_model_says_what_it_loses_and_of_what_there_is_nothing_to_lose() {
        let text = Fixture::new().text(|source| {
            let retained = Sourced { key: "a".repeat(64).parse().unwrap(), output: MeasureRetained::RETAINED, value: signal() };
            let comparisons = vec![ComparisonIx(0), ComparisonIx(1)];
            let of = ModelRetained { model: ModelIx(0), layer: LayerIx(0), retained, comparisons, is_last_layer: true };
            let output = source.output(&of.retained, "pixels".to_owned());
            let spoken = [(Cue::Colour, Alteration::Grey), (Cue::Shape, Alteration::PatchShuffled)];
            Some(Attended {
                cues: spoken.iter().map(|(cue, by)| CueHeading { cue: cue.word(), by: by.title() }).collect(),
                models: vec![attended(source, &output, &of, &spoken)],
                tables: vec![table(source, &output, &of)],
                contrasts: vec![],
                masks: vec![],
                without: vec!["blocks".to_owned()],
            })
        });
        assert!(text.contains("0.750 (0.700 to 0.800)") && text.contains("mostly colour"), "{text}");
        assert!(text.contains("zero or one") && text.contains("0.250 (0.200 to 0.300)"), "{text}");
        assert!(text.contains("+0.150") && text.contains("nothing to retain: the interval reaches chance"), "{text}");
        assert!(text.contains("not altered: blocks"), "{text}");
    }

    #[test]
    fn a_cue_is_named_only_where_its_interval_is_clear_of_the_next() {
        let share = |cue, low: f64, high: f64| CueShare {
            cue,
            by: Alteration::Grey,
            lost: Estimate::new(f64::midpoint(low, high), low, high),
        };
        let of = |shares: &[CueShare]| reading(shares);
        assert_eq!(of(&[share(Cue::Colour, 0.1, 0.3), share(Cue::Shape, 0.4, 0.6)]), Some("mostly shape"));
        assert_eq!(of(&[share(Cue::Colour, 0.1, 0.5), share(Cue::Shape, 0.4, 0.6)]), None);
        assert_eq!(of(&[share(Cue::Colour, -0.1, 0.3)]), None);
        assert_eq!(of(&[]), None);
    }
}
