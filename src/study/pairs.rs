//! Verification sets of a study: whether their pairs can be verified, by which models, and how their pictures are prepared.

use crate::config::{PathStep, StudyFile};
use visavis_core::{
    dataset::Survey,
    domain::{
        Fault, Result,
        model::Model,
        study::{Crop, Study, VerificationSet},
    },
    scoring,
};

/// Refuses sets whose pairs cannot be cut into the folds of the protocol.
pub(crate) fn check(file: &StudyFile, survey: &Survey) -> Result<()> {
    let (study, text) = (&file.study, &file.text);
    for (place, set) in &survey.verification {
        let name = &study.verification.sets[*place].name;
        scoring::can_verify(&set.pairs.is_same).map_err(|error| {
            let path = ["verification", "sets", name].map(|key| PathStep::Key(key.to_owned()));
            let (line, column) = text.position(&path, false);
            Fault::asked(format!("verification.sets.{name}: {error}"))
                .at(&text.path, line, column)
                .next("the protocol takes the pairs in their order, and every tenth of them needs pairs of both kinds")
        })?;
    }
    Ok(())
}

/// What is odd about a study whose verification sets no model can be asked of.
pub(crate) fn warning(study: &Study) -> Option<String> {
    let asks_nobody = !study.verification.sets.is_empty() && without(study).len() == study.models.len();
    asks_nobody
        .then(|| "`verification`: no model of the study is a network that can be asked of pairs, so none are verified".to_owned())
}

/// The models that cannot be asked of pairs, each with the reason; none where the study has no verification sets.
pub fn without(study: &Study) -> Vec<(&Model, &'static str)> {
    let models = study.models.iter().filter(|_| !study.verification.sets.is_empty());
    models.filter_map(|model| Some((model, model.gives_no_embeddings()?))).collect()
}

/// What is worth knowing of the study's verification sets.
pub(crate) fn notes(study: &Study) -> Vec<String> {
    let without = without(study).into_iter().map(|(model, why)| format!("pairs cannot be verified by `{}`: {why}", model.name));
    without.chain(taken_whole(study).iter().map(told)).collect()
}

/// A set whose pictures are taken whole, since nothing says where the faces are in them, and the models whose own crop needs to know.
pub struct TakenWhole<'a> {
    pub set: &'a VerificationSet,
    pub models: Vec<(&'a Model, Crop)>,
}

/// The sets whose pictures are taken whole by models that crop others.
pub fn taken_whole(study: &Study) -> Vec<TakenWhole<'_>> {
    let whole = study.verification.sets.iter().map(|set| {
        let asked = study.models.iter().filter(|model| model.gives_no_embeddings().is_none());
        let others = asked.filter_map(|model| {
            let own = study.preparations.get(model.prepared_by()?)?;
            (set.preparation(own) != *own).then_some((model, own.crop))
        });
        TakenWhole { set, models: others.collect() }
    });
    whole.filter(|of| !of.models.is_empty()).collect()
}

fn told(whole: &TakenWhole) -> String {
    let models: Vec<String> = whole.models.iter().map(|(model, crop)| format!("`{}` (crop {crop})", model.name)).collect();
    format!(
        "verification.sets.{}: its pictures are taken whole, since nothing says where the faces are in them, also by {}",
        whole.set.name,
        models.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, study::testing::with_verification};
    use visavis_core::{
        dataset::PicturePairs,
        domain::{image::Images, index::PairSetIx, pairs::Pairs},
    };

    #[test]
    fn what_cannot_be_asked_and_what_is_taken_whole_is_said() {
        let mut study = with_verification();
        let said = notes(&study);
        assert_eq!(said.len(), 2, "given features and pixels: {said:?}");
        assert!(said[0].contains("by `given`: its features are given") && said[1].contains("by `pixels`"), "{said:?}");
        study.preparations.get_mut("small").unwrap().crop = Crop::Aligned;
        let said = notes(&study);
        assert!(said[2].contains("verification.sets.lfw: its pictures are taken whole"), "{said:?}");
        assert!(said[2].contains("`trained` (crop aligned), `untrained` (crop aligned)") && said.len() == 3, "{said:?}");
    }

    fn file(models: &str) -> StudyFile {
        let source = format!(
            "format: 1\nstudy: s\ndatasets: {{ f: {{ folders: {{ root: f }} }} }}\nevaluation: {{ dataset: f }}\n\
             preparations: {{ p: {{}} }}\nmodels: {{ named: {{ {models} }} }}\nprojections: [pca]\n\
             comparisons: {{ x: {{ A: a, B: b }} }}\nverification:\n  sets: {{ lfw: lfw.bin }}\n"
        );
        config::parse(config::Text { path: "s.yaml".into(), source }).unwrap()
    }

    #[test]
    fn pairs_that_make_no_folds_are_refused_at_their_place() {
        let file = file("m: { baseline: untrained, architecture: resnet34, prepare: p }");
        let of = |is_same: Vec<bool>| {
            let pairs = Pairs { rows: vec![[0, 0]; is_same.len()], is_same };
            let set = PicturePairs { pictures: "lfw.bin".into(), images: Images::default(), pairs, marks: Default::default() };
            let survey = Survey { verification: [(PairSetIx(0), set)].into(), ..Survey::default() };
            check(&file, &survey).map_err(|fault| fault.to_string())
        };
        assert!(of([true, false].repeat(10)).is_ok());
        let few = of([true, false].repeat(4)).unwrap_err();
        assert!(few.contains("verification.sets.lfw: fewer than ten pairs") && few.contains("s.yaml:10:"), "{few}");
        let halves = of([vec![true; 50], vec![false; 50]].concat()).unwrap_err();
        assert!(halves.contains("fold 1 or the rest has no pairs"), "{halves}");
    }

    #[test]
    fn a_study_without_a_network_is_told_that_no_pairs_are_verified() {
        assert!(warning(&file("m: { baseline: pixels, prepare: p }").study).is_some());
        assert_eq!(warning(&with_verification()), None);
        let study = crate::study::testing::study();
        assert_eq!((warning(&study), notes(&study)), (None, vec![]), "it has no verification sets");
    }
}
