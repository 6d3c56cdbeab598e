//! What forms may offer beside what a study has: what this program can run here, and nothing that would only be refused or wait.

use visavis_core::{
    dataset::face_table,
    domain::{
        loss::LOSSES,
        study::{DeviceClass, FaceMark, Study},
    },
    weights::families,
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offers {
    pub losses: Vec<String>,
    /// Names of data sets that networks can learn from here.
    pub training_sets: Vec<String>,
    pub preparations: Vec<String>,
    /// Families of weight files that can be read.
    pub families: Vec<String>,
}

impl Offers {
    pub fn of(study: &Study) -> Self {
        // Pretending takes no pictures and no libtorch.
        let pretends = study.numerics.device == DeviceClass::Pretend;
        let evaluated = |name: &String| Some(name) == study.evaluation.dataset.as_ref();
        let sets = study.datasets.iter().filter(|(name, set)| !evaluated(name) && (pretends || set.is_here()));
        // Boxes and landmarks are of the evaluation's pictures; what lacks them would be refused, or wait.
        let known = |kind: FaceMark| {
            let evaluated = study.evaluation.dataset.as_ref().map(|name| &study.datasets[name]);
            evaluated.and_then(|set| face_table(set, kind).ok().flatten()).is_some_and(|file| file.is_file())
        };
        // Others are made of these, for the models that name them.
        let is_in_file = |name: &String| study.origins.get(name).is_none_or(|of| of.name.as_ref() == Some(name));
        let prepared = study.preparations.iter().filter(|(name, _)| is_in_file(name));
        let prepared = prepared.filter(|(_, of)| pretends || of.crop.needs().is_none_or(known));
        let families = families::family_words().into_iter().filter(|_| !pretends);
        Offers {
            losses: LOSSES.iter().map(|of| of.word.to_owned()).collect(),
            training_sets: sets.map(|(name, _)| name.clone()).collect(),
            preparations: prepared.map(|(name, _)| name.clone()).collect(),
            families: families.map(str::to_owned).collect(),
        }
    }
}
