//! Features that are given: their files, and the lists that name their rows.

use super::found::{Absent, Need, Survey};
use crate::{
    dataset::{
        matching::{RowList, list_of},
        row_list::read_rows,
    },
    domain::{
        Fault, Result,
        image::{ImageIndex, Images},
        model::Source,
        study::Study,
    },
};

/// Files of models whose features are given, and the lists of their rows.
pub(crate) fn given(study: &Study, survey: &mut Survey) -> Result<Vec<RowList>> {
    let mut lists: Vec<RowList> = Vec::new();
    let known = survey.images.as_ref().and_then(|images| ImageIndex::from_sorted(images.ids()));
    for (place, model) in study.models.iter_enumerated() {
        let Source::Given(given) = &model.source else { continue };
        let files = given.layers.iter().map(|(layer, file)| (format!("features of `{}` at {layer}", model.name), file));
        for (input, file) in files.chain([(format!("image list of `{}`", model.name), &given.images)]) {
            if !file.exists() {
                match survey.missing.iter_mut().find(|absent| absent.expected_at.as_ref() == Some(file)) {
                    Some(Absent { need: Need::Models(models), .. }) => _ = models.insert(place),
                    _ => {
                        survey.missing.push(Absent {
                            input,
                            expected_at: Some(file.clone()),
                            need: Need::Models([place].into()),
                        });
                    }
                }
            }
        }
        match list_of(&mut lists, &given.images) {
            Some(list) => list.models.push(model.name.clone()),
            None if given.images.exists() => {
                let bytes = crate::files::read_up_to(&given.images, crate::files::LARGEST_TEXT)
                    .map_err(|error| Fault::io("read the list of images", &given.images, &error))?;
                let rows = read_rows(&bytes, &given.images, known.as_ref())?;
                survey.notes.extend(rows.notes.iter().map(|note| note.told(&given.images)));
                lists.push(RowList { models: vec![model.name.clone()], file: given.images.clone(), rows });
            }
            None => {}
        }
    }
    if study.evaluation.dataset.is_none()
        && let Some(list) = lists.first()
    {
        survey.images = Some(Images(list.rows.ids().map(|id| (id.to_owned(), None)).collect()));
    }
    Ok(lists)
}
