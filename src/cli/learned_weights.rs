//! `visavis weights save`: what a model learned in a study, as a file that other studies can name.

use super::{
    Context,
    chosen::place,
    weights::{StoredWidth, write_new, written},
};
use crate::study::{self, Step, StudyNames};
use std::path::Path;
use visavis_core::{
    domain::{
        Fault, Result,
        index::ModelIx,
        model::{Source, WeightFamily},
        stage::Training,
        text::count,
    },
    weights,
};

pub(super) fn save(path: &Path, model: Option<&str>, out: &Path, width: StoredWidth, context: &Context) -> Result<()> {
    let opened = study::open(path, &context.workspace)?;
    let plan = study::plan(&opened, &context.workspace)?.as_it_stands()?;
    let names = StudyNames::of(&plan.study);
    let trained: Vec<ModelIx> =
        plan.study.models.iter_enumerated().filter(|(_, of)| of.recipe().is_some()).map(|(at, _)| at).collect();
    if trained.is_empty() {
        return Err(Fault::asked("no model of the study is trained here").in_file(path));
    }
    let trained_names: Vec<&str> = trained.iter().map(|model| names.model(*model)).collect();
    let model = trained[place("--model", model, &trained_names)?];
    let Source::Network(network) = &plan.study.models[model].source else { unreachable!("a recipe is of a network") };
    let bytes = plan.bytes(Step::Train { model }, Training::WEIGHTS)?.ok_or_else(|| {
        Fault::missing(format!("{} has not been trained yet", names.model(model)))
            .next(format!("run the study first: {}", context.line(&["run", &path.display().to_string()])))
    })?;
    let family = WeightFamily::own();
    let strict = weights::read(&bytes, out, &network.architecture, &family)?;
    let digest = write_new(&strict.tensors, width, out)?;
    let numbers: usize = strict.tensors.values().map(|tensor| tensor.values.len()).sum();
    let mut remarks = strict.remarks;
    if width == StoredWidth::Half {
        remarks.push(format!("{} rounded to half precision, 11 of 24 bits", count(numbers, "number")));
    }
    written((&network.architecture, &family), strict.tensors.len(), &remarks, out, digest, context);
    Ok(())
}
