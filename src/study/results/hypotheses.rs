//! The study's claims, tested: what its numbers say of each sentence, part by part.

use super::{HeldNuisances, ModelRetained, Sourced, StudyOutcome, StudyResults, most_held};
use visavis_core::domain::{
    Result,
    alteration::Cue,
    attention::{AttentionContrasts, AttentionDifference},
    contrast::ContrastSides,
    hypothesis::{Hypothesis, HypothesisTest, HypothesisVerdict, Separation},
    index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
    nuisance::Nuisance,
    score::Estimate,
    simultaneous::{Difference, DifferenceVerdict},
    study::Contrast,
};

/// A sentence, its verdict, and the parts that decide on it.
pub struct TestedHypothesis<'a> {
    pub hypothesis: &'a Hypothesis,
    pub verdict: HypothesisVerdict,
    pub parts: Vec<HypothesisPart>,
}

/// The numbers that claims are tested by, beside the ledger and the tests of all cells.
pub struct ClaimNumbers {
    pub nuisances: Vec<HeldNuisances>,
    pub retained: Vec<ModelRetained>,
    pub attention: Option<Sourced<AttentionContrasts>>,
}

impl StudyResults<'_> {
    /// # Errors
    /// A result that is damaged.
    pub fn claim_numbers(&self) -> Result<ClaimNumbers> {
        Ok(ClaimNumbers { nuisances: self.nuisances()?, retained: self.retained()?, attention: self.attention()? })
    }
}

/// One number that a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HypothesisPart {
    pub of: PartOf,
    pub verdict: HypothesisVerdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOf {
    /// A row of the ledger, by its place: the view that the selection half prefers.
    Cell { row: usize },
    /// A model and a comparison of which nothing is ranked.
    NotRanked { model: ModelIx, comparison: ComparisonIx },
    /// A difference of the simultaneous tests, by its place; `turned`: left less right.
    Difference { place: usize, turned: bool },
    /// A nuisance in the view that the selection half prefers: the places of the result among those of nuisances, of the view and of the nuisance.
    Nuisance { result: usize, view: usize, nuisance: usize },
    /// A model in which the nuisance was not looked for.
    NoNuisance { model: ModelIx },
    /// What a model loses without a cue: the place of the result among those of what models retain, and of the cue's share.
    Attended { result: usize, share: usize },
    /// A model whose pictures were not altered, or that knows nothing to lose.
    NotAltered { model: ModelIx },
    /// What two sides lose without a cue: the places of the pair of sides and of the cue; `turned`: left less right.
    Attention { contrast: usize, cue: usize, turned: bool },
    /// What one projection separates and another does not, and the other way round: places of their standings in the ledger.
    Projections { own: usize, other: usize },
}

impl<'a> StudyOutcome<'a> {
    /// Every claim of the study, in its order.
    pub fn hypotheses(&self, numbers: &ClaimNumbers) -> Vec<TestedHypothesis<'a>> {
        self.plan.study.claims.iter().map(|hypothesis| self.tested(hypothesis, numbers)).collect()
    }

    fn tested(&self, hypothesis: &'a Hypothesis, numbers: &ClaimNumbers) -> TestedHypothesis<'a> {
        let turned = |part: HypothesisPart| HypothesisPart { verdict: part.verdict.turned(), ..part };
        let is_some = |own: usize, _| if own > 0 { HypothesisVerdict::Supported } else { HypothesisVerdict::Inconclusive };
        let parts: Vec<HypothesisPart> = match &hypothesis.test {
            HypothesisTest::Separates(of) => self.separated(of),
            HypothesisTest::Misses(of) => self.separated(of).into_iter().map(turned).collect(),
            HypothesisTest::Higher { contrast, level, on } => self.higher(*contrast, level, on),
            HypothesisTest::Follows { models, nuisance, at_least } => {
                models.iter().map(|&model| follows(&numbers.nuisances, model, nuisance, *at_least)).collect()
            }
            HypothesisTest::Attends { models, cue, at_least } => {
                models.iter().map(|&model| attends(&numbers.retained, model, *cue, *at_least)).collect()
            }
            HypothesisTest::AttendsMore { contrast, level, cue } => {
                numbers.attention.iter().flat_map(|of| self.attends_more(&of.value, *contrast, level, *cue)).collect()
            }
            HypothesisTest::BetterThan { projection, others } => self.beside(*projection, others, HypothesisVerdict::of_more),
            HypothesisTest::Rescues { projection, others } => self.beside(*projection, others, is_some),
        };
        let verdicts = parts.iter().map(|part| part.verdict);
        let verdict = match &hypothesis.test {
            HypothesisTest::Higher { .. } | HypothesisTest::AttendsMore { .. } => HypothesisVerdict::of_most(verdicts),
            _ => HypothesisVerdict::of_all(verdicts),
        };
        TestedHypothesis { hypothesis, verdict, parts }
    }

    /// A part for each model and comparison.
    fn separated(&self, of: &Separation) -> Vec<HypothesisPart> {
        let pairs = of.models.iter().flat_map(|&model| of.comparisons.iter().map(move |&comparison| (model, comparison)));
        let part = |(model, comparison)| match self.preferred(of, model, comparison) {
            None => HypothesisPart { of: PartOf::NotRanked { model, comparison }, verdict: HypothesisVerdict::Inconclusive },
            Some(row) => {
                let (tested, threshold) = (&self.ledger.rows[row], self.plan.study.statistics.separates_at);
                let high = tested.candidate.b.and_then(Estimate::high);
                let verdict = HypothesisVerdict::of_bounds(tested.low, high, threshold);
                HypothesisPart { of: PartOf::Cell { row }, verdict }
            }
        };
        pairs.map(part).collect()
    }

    /// The place in the ledger of the view that the selection half prefers, of those that the test is about; of equals the first.
    fn preferred(&self, of: &Separation, model: ModelIx, comparison: ComparisonIx) -> Option<usize> {
        let layers = self.plan.study.models[model].layers(self.plan.study.layers.as_deref());
        let is_of = |layer: LayerIx| of.layer.as_ref().is_none_or(|asked| layers.get(layer) == Some(asked));
        let rows = self.ledger.rows.iter().enumerate().filter(|(_, row)| {
            let cell = &row.candidate.cell;
            row.rank.is_some()
                && (cell.model, cell.comparison) == (model, comparison)
                && is_of(cell.layer)
                && of.projection.is_none_or(|projection| cell.projection == projection)
        });
        rows.map(|(place, _)| place).reduce(|best, place| if self.is_preferred(place, best) { place } else { best })
    }

    /// A part for each difference of the contrast in which one side has this level.
    fn higher(&self, contrast: usize, level: &str, on: &[ComparisonIx]) -> Vec<HypothesisPart> {
        let differences = self.grid.differences.iter().zip(&self.verdicts).enumerate();
        let part = |(place, (of, verdict)): (usize, (&Difference, &DifferenceVerdict))| {
            let held = self.held.get(of.held).filter(|held| self.is_of(held, contrast))?;
            let [is_left, is_right] = [&held.left, &held.right].map(|side| self.has_level(contrast, side, level));
            let is_asked = on.is_empty() || on.contains(&of.comparison);
            let of_right = match verdict {
                DifferenceVerdict::Higher => HypothesisVerdict::Supported,
                DifferenceVerdict::Lower => HypothesisVerdict::Refuted,
                DifferenceVerdict::NotShown | DifferenceVerdict::Neither => HypothesisVerdict::Inconclusive,
            };
            let verdict = if is_left { of_right.turned() } else { of_right };
            (is_asked && is_left != is_right)
                .then_some(HypothesisPart { of: PartOf::Difference { place, turned: is_left }, verdict })
        };
        differences.filter_map(part).collect()
    }

    /// A part for each pair of sides of the contrast in which one side has this level.
    fn attends_more(&self, of: &AttentionContrasts, contrast: usize, level: &str, cue: Cue) -> Vec<HypothesisPart> {
        let mut parts = Vec::new();
        for (place, pair) in of.contrasts.iter().enumerate() {
            let Some(held) = self.held.get(pair.held).filter(|held| self.is_of(held, contrast)) else { continue };
            let [is_left, is_right] = [&held.left, &held.right].map(|side| self.has_level(contrast, side, level));
            let difference = pair.cues.iter().position(|of| of.cue == cue);
            let (Some(at), true) = (difference, is_left != is_right) else { continue };
            let of_right = match &pair.cues[at] {
                difference if !difference.is_shown() => HypothesisVerdict::Inconclusive,
                AttentionDifference { difference, .. } if difference.value > 0.0 => HypothesisVerdict::Supported,
                _ => HypothesisVerdict::Refuted,
            };
            let verdict = if is_left { of_right.turned() } else { of_right };
            parts.push(HypothesisPart { of: PartOf::Attention { contrast: place, cue: at, turned: is_left }, verdict });
        }
        parts
    }

    /// A part for each projection that one is held against. `verdict`: of the pairs of a model and a comparison that one of both alone
    /// separates.
    fn beside(
        &self,
        projection: ProjectionIx,
        others: &[ProjectionIx],
        verdict: impl Fn(usize, usize) -> HypothesisVerdict,
    ) -> Vec<HypothesisPart> {
        let standings = &self.ledger.projections;
        let place = |of: ProjectionIx| standings.iter().position(|standing| standing.projection == of);
        let part = |&other: &ProjectionIx| {
            let (own, other) = (place(projection)?, place(other)?);
            let alone = |of: usize, beside: usize| standings[of].rescues.get(standings[beside].projection).copied();
            let verdict = verdict(alone(own, other)?, alone(other, own)?);
            Some(HypothesisPart { of: PartOf::Projections { own, other }, verdict })
        };
        others.iter().filter_map(part).collect()
    }

    /// Does a contrast ask for this pair of sides? A pair with the baseline that another contrast holds already is held there.
    pub fn is_of(&self, held: &ContrastSides, contrast: usize) -> bool {
        let study = &self.plan.study;
        match &study.contrasts[contrast] {
            Contrast::Baseline { model, .. } => {
                held.left.iter().chain(&held.right).any(|place| study.models[*place].name == *model)
            }
            Contrast::Pair { .. } | Contrast::Factor { .. } => held.contrast == contrast,
        }
    }

    fn has_level(&self, contrast: usize, side: &[ModelIx], level: &str) -> bool {
        let study = &self.plan.study;
        match &study.contrasts[contrast] {
            // A side of several trainings has several names.
            Contrast::Pair { .. } | Contrast::Baseline { .. } => side.iter().any(|&model| study.models[model].name == level),
            Contrast::Factor { factor, .. } => {
                side.iter().all(|&model| study.models[model].factors().get(factor.as_str()).is_some_and(|of| of == level))
            }
        }
    }
}

/// How much of the nuisance the model's view holds that holds most of it on the selection half.
fn follows(held: &[HeldNuisances], model: ModelIx, nuisance: &Nuisance, at_least: f64) -> HypothesisPart {
    let of_model = |of: &HeldNuisances| of.model == model && of.projection.is_some();
    match most_held(held, nuisance, of_model) {
        None => HypothesisPart { of: PartOf::NoNuisance { model }, verdict: HypothesisVerdict::Inconclusive },
        Some([result, view, nuisance]) => {
            let b = held[result].scores.views[view].scores[nuisance].b;
            let [low, high] = [b.and_then(Estimate::low), b.and_then(Estimate::high)];
            let verdict = HypothesisVerdict::of_bounds(low, high, at_least);
            HypothesisPart { of: PartOf::Nuisance { result, view, nuisance }, verdict }
        }
    }
}

/// How much of what the model knows at its last layer is lost without the cue.
fn attends(retained: &[ModelRetained], model: ModelIx, cue: Cue, at_least: f64) -> HypothesisPart {
    let result = retained.iter().position(|of| of.model == model && of.is_last_layer);
    let share = |result: usize| retained[result].retained.value.cues.shares.iter().position(|of| of.cue == cue);
    match result.and_then(|result| Some((result, share(result)?))) {
        None => HypothesisPart { of: PartOf::NotAltered { model }, verdict: HypothesisVerdict::Inconclusive },
        Some((result, share)) => {
            let lost = retained[result].retained.value.cues.shares[share].lost;
            let verdict = HypothesisVerdict::of_bounds(lost.low(), lost.high(), at_least);
            HypothesisPart { of: PartOf::Attended { result, share }, verdict }
        }
    }
}
