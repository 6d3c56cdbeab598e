//! Contrasts whose crops differ: what is said of them, and their differences on a shared crop.

use super::{Sourced, StudyResults};
use crate::study::names::{Piece, text_of};
use visavis_core::domain::{
    Result,
    contrast::ContrastSides,
    shared_crop::{FieldOfView, SharedContrast, SharedCrops, SideCrops},
    simultaneous::{Difference, DifferenceVerdict, SimultaneousTests},
    study::Study,
};

/// The differences of all contrasts that are scored on a shared crop.
#[derive(Default)]
pub struct SharedCropOutcome {
    contrasts: Vec<SharedContrast>,
    /// `None` where no contrast needs it, or before it is made.
    pub tests: Option<Sourced<SimultaneousTests>>,
    verdicts: Vec<DifferenceVerdict>,
}

/// What is known of a contrast on a shared crop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OnSharedCrop {
    /// Its pictures are cropped alike, as far as the study says: there is nothing more to compare.
    NotNeeded,
    /// Features are given. `differ`: the study says that the crops differ; otherwise it says nothing of them.
    Given { differ: bool },
    /// On the shared crop both sides are one model.
    OneModel { fields: [FieldOfView; 2], shared: FieldOfView },
    /// It is scored on that crop; whether the scores are there is another matter.
    Scored { fields: [FieldOfView; 2], shared: FieldOfView },
}

impl OnSharedCrop {
    /// What holds of these sides.
    pub fn of(sides: &ContrastSides, study: &Study) -> Self {
        let crops = SideCrops::of(sides, study);
        match (crops, crops.shared()) {
            (SideCrops::Given { differ }, _) => OnSharedCrop::Given { differ },
            (SideCrops::Differ { fields, is_one_model: true }, Some(shared)) => OnSharedCrop::OneModel { fields, shared },
            (SideCrops::Differ { fields, is_one_model: false }, Some(shared)) => OnSharedCrop::Scored { fields, shared },
            (SideCrops::Alike | SideCrops::Differ { .. }, _) => OnSharedCrop::NotNeeded,
        }
    }

    /// The crop that both sides are scored on.
    pub fn shared(self) -> Option<FieldOfView> {
        if let OnSharedCrop::Scored { shared, .. } = self { Some(shared) } else { None }
    }

    /// In a phrase, for pages, tables and terminals alike; nothing where nothing is to be said.
    pub fn phrase(self) -> Option<String> {
        self.in_pieces().map(|pieces| text_of(&pieces))
    }

    /// The same, its names told from its words.
    pub(crate) fn in_pieces(self) -> Option<Vec<Piece>> {
        let differ = |[left, right]: [FieldOfView; 2], shared: FieldOfView, before: &str, after: &str| {
            let name = |of: FieldOfView| Piece::name(of.to_string());
            let sides = [Piece::words("crops differ ("), name(left), Piece::words(" and "), name(right)];
            [sides.into(), vec![Piece::words(format!("); {before} (")), name(shared), Piece::words(format!("){after}"))]].concat()
        };
        match self {
            OnSharedCrop::NotNeeded => None,
            OnSharedCrop::Given { differ } => {
                let crops = if differ { "crops differ" } else { "crops may differ" };
                Some(vec![Piece::words(format!("{crops}, not compared on a shared crop: features are given"))])
            }
            OnSharedCrop::OneModel { fields, shared } => {
                let after = " both sides are one model, so all of a difference is the crop's";
                Some(differ(fields, shared, "on the shared crop", after))
            }
            OnSharedCrop::Scored { fields, shared } => Some(differ(fields, shared, "also compared on a shared crop", "")),
        }
    }
}

impl SharedCropOutcome {
    /// What is there of it.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(super) fn load(results: &StudyResults) -> Result<Self> {
        Ok(Self::new(SharedCrops::of(results.study).contrasts, results.on_shared_crops()?))
    }

    pub(crate) fn new(contrasts: Vec<SharedContrast>, tests: Option<Sourced<SimultaneousTests>>) -> Self {
        let sides: Vec<ContrastSides> = contrasts.iter().map(|of| of.sides.clone()).collect();
        let verdicts = tests.as_ref().map_or(vec![], |tests| tests.value.verdicts_of_chosen(&sides));
        SharedCropOutcome { contrasts, tests, verdicts }
    }

    /// The differences of the contrast at a place among all that are held, each with its place among the tests and what is said of it.
    pub fn differences(&self, held: usize) -> impl Iterator<Item = (usize, &Difference, DifferenceVerdict)> {
        let place = self.contrasts.iter().position(|of| of.held == held);
        let all = self.tests.iter().flat_map(|tests| &tests.value.differences).zip(&self.verdicts).enumerate();
        all.filter(move |(_, (of, _))| Some(of.held) == place).map(|(at, (of, verdict))| (at, of, *verdict))
    }

    /// Where each difference stands that there is: among all contrasts that are held.
    pub fn all(&self) -> impl Iterator<Item = (usize, &Difference, DifferenceVerdict)> {
        let all = self.tests.iter().flat_map(|tests| &tests.value.differences).zip(&self.verdicts);
        all.filter_map(|(of, verdict)| Some((self.contrasts.get(of.held)?.held, of, *verdict)))
    }
}
