//! Given features and the images that are evaluated, held against each other: rows that nobody asked for are left out and
//! counted, images without a row stop the study or are left out for every model alike.

use super::{
    row_list::GivenRows,
    tables::{misfit, three},
};
use crate::{
    domain::{
        Fault, Result,
        image::{Images, Take},
        study::OnMissing,
        text::{count, thousands},
    },
    numeric::{PhiloxStream, Purpose},
};
use std::{
    borrow::Cow,
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// A list of rows, and the models whose features are in its order.
#[derive(Debug)]
pub(super) struct RowList {
    pub models: Vec<String>,
    pub file: PathBuf,
    pub rows: GivenRows,
}

impl RowList {
    fn who(&self) -> String {
        three(self.models.iter().map(String::as_str))
    }

    fn has(&self) -> &'static str {
        if self.models.len() == 1 { "has" } else { "have" }
    }
}

/// The images that are left, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Matched {
    pub images: Images,
    pub warnings: Vec<String>,
    pub notes: Vec<String>,
}

/// The images of the study, as many as it takes, drawn by its seed.
///
/// # Errors
/// More than there are.
pub fn taken<'a>(images: &'a Images, take: Option<&Take>) -> Result<Cow<'a, Images>> {
    let Some(take) = take else { return Ok(Cow::Borrowed(images)) };
    let mut images = drawn(images, take)?;
    images.0.sort();
    Ok(Cow::Owned(images))
}

/// The same in the order in which they are drawn.
///
/// # Errors
/// More than there are.
pub fn drawn(images: &Images, take: &Take) -> Result<Images> {
    if take.images > images.len() {
        return Err(Fault::asked(format!("the study takes {} images, the data set has {}", take.images, images.len()))
            .next("lower `evaluation.take.images`, or leave `take` out"));
    }
    let mut images = images.clone();
    PhiloxStream::new(take.seed, Purpose::Take, 0).shuffle(&mut images.0);
    images.0.truncate(take.images);
    Ok(images)
}

/// # Errors
/// Images without features where that stops the study; features of other images altogether; more taken than there are.
pub(super) fn matched(images: Images, take: Option<&Take>, on_missing: OnMissing, lists: &[RowList]) -> Result<Matched> {
    let mut warnings = Vec::new();
    let images = match on_missing {
        OnMissing::Stop => images,
        OnMissing::LeaveOut => common(images, lists, &mut warnings)?,
    };
    let evaluated = taken(&images, take)?;
    let notes = held_against(&images, &evaluated, lists)?;
    drop(evaluated);
    Ok(Matched { images, warnings, notes })
}

/// Every list has a row of every image that is evaluated; what else it has is counted.
fn held_against(all: &Images, evaluated: &Images, lists: &[RowList]) -> Result<Vec<String>> {
    if lists.is_empty() {
        return Ok(vec![]);
    }
    let known: BTreeSet<&str> = evaluated.ids().collect();
    let mut notes = Vec::new();
    for list in lists {
        lacks_nothing(list, evaluated, &known, all)?;
        let others = list.rows.ids().filter(|id| !known.contains(id)).count();
        if others > 0 {
            notes.push(format!(
                "{}: {} of {} rows of features are of images that are not evaluated; they are left out",
                list.who(),
                thousands(others),
                thousands(list.rows.len())
            ));
        }
    }
    Ok(notes)
}

/// The images that every model has features of.
fn common(images: Images, lists: &[RowList], warnings: &mut Vec<String>) -> Result<Images> {
    let before = images.len();
    let without: Vec<usize> = lists.iter().map(|list| images.ids().filter(|id| !list.rows.has(id)).count()).collect();
    if let Some(place) = without.iter().position(|without| *without == before && before > 0) {
        return Err(of_others(&lists[place], &images));
    }
    let images = Images(images.0.into_iter().filter(|(id, _)| lists.iter().all(|list| list.rows.has(id))).collect());
    if images.is_empty() {
        return Err(Fault::asked("no image has features of every model, so there is nothing to evaluate")
            .next("leave a model out, or make the features that are missing"));
    }
    let left_out = before - images.len();
    if left_out > 0 {
        let lacks = |(list, without): (&RowList, &usize)| {
            (*without > 0).then(|| format!("{} {} none of {}", list.who(), list.has(), thousands(*without)))
        };
        warnings.push(format!(
            "{} of {} left out for all models alike, as `on_missing: leave_out` asks, for features of them are missing: {}",
            thousands(left_out),
            count(before, "image") + if left_out == 1 { " is" } else { " are" },
            lists.iter().zip(&without).filter_map(lacks).collect::<Vec<_>>().join("; ")
        ));
    }
    Ok(images)
}

fn lacks_nothing(list: &RowList, evaluated: &Images, known: &BTreeSet<&str>, all: &Images) -> Result<()> {
    let missing: Vec<&str> = evaluated.ids().filter(|id| !list.rows.has(id)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if missing.len() == evaluated.len() {
        return Err(of_others(list, evaluated));
    }
    let mut what = format!(
        "{} {} no features of {} of the {} that are evaluated: {}",
        list.who(),
        list.has(),
        thousands(missing.len()),
        count(evaluated.len(), "image"),
        three(missing)
    );
    // A row of an image that nobody knows may be one of them, misspelt.
    let everything: BTreeSet<&str> = all.ids().collect();
    let fault = match list.rows.in_order().find(|(id, _)| !known.contains(id) && !everything.contains(id)) {
        Some((id, line)) => {
            what += &format!("; its list names images that the evaluation does not know, such as `{id}`");
            Fault::asked(what).at(&list.file, line, 1)
        }
        None => Fault::asked(what).in_file(&list.file),
    };
    Err(fault.next(
        "make features of them, or write `on_missing: leave_out` under `evaluation`: then the images that every model has are evaluated",
    ))
}

fn of_others(list: &RowList, images: &Images) -> Fault {
    let named: Vec<&str> = list.rows.in_order().map(|(id, _)| id).collect();
    let (sides, next) = misfit(named.iter().copied(), images.0.iter().map(|(id, _)| id.as_str()), "the evaluation has");
    Fault::asked(format!("the features of {} are of other images: {sides}", list.who())).in_file(&list.file).next(next)
}

/// Where a list of rows is read from, unless it was read for another model before.
pub(super) fn list_of<'l>(lists: &'l mut [RowList], file: &Path) -> Option<&'l mut RowList> {
    lists.iter_mut().find(|list| list.file == file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::row_list::read_rows;

    fn images(ids: &[&str]) -> Images {
        Images(ids.iter().map(|id| ((*id).to_owned(), None)).collect())
    }

    fn list(model: &str, ids: &[&str]) -> RowList {
        let file = PathBuf::from(format!("{model}.txt"));
        let rows = read_rows(ids.join("\n").as_bytes(), &file, None).unwrap();
        RowList { models: vec![model.to_owned()], file, rows }
    }

    #[test]
    fn rows_that_nobody_asked_for_are_counted_and_left_out() {
        let matched = matched(images(&["a", "c"]), None, OnMissing::Stop, &[list("m", &["c", "b", "a", "d"])]).unwrap();
        assert_eq!(matched.images, images(&["a", "c"]));
        assert_eq!(matched.notes, ["`m`: 2 of 4 rows of features are of images that are not evaluated; they are left out"]);
        assert!(matched.warnings.is_empty());
    }

    #[test]
    fn images_that_are_not_taken_need_no_features() {
        let all = images(&["a", "b", "c", "d"]);
        let take = Take { images: 2, seed: 3 };
        let two = taken(&all, Some(&take)).unwrap();
        let ids: Vec<&str> = two.ids().collect();
        assert!(matched(all.clone(), Some(&take), OnMissing::Stop, &[list("m", &ids)]).is_ok());
        let told = matched(all.clone(), Some(&take), OnMissing::Stop, &[list("m", &ids[1..])]).unwrap_err().to_string();
        assert!(told.contains(&format!("`m` has no features of 1 of the 2 images that are evaluated: `{}`", ids[0])), "{told}");
        assert!(taken(&all, Some(&Take { images: 5, seed: 3 })).is_err());
    }

    #[test]
    fn what_one_model_lacks_is_left_out_for_all() {
        let lists = [list("m", &["a", "b", "c"]), list("n", &["d", "c", "b"])];
        let all = images(&["a", "b", "c", "d"]);
        assert!(matched(all.clone(), None, OnMissing::Stop, &lists).unwrap_err().to_string().contains("leave_out"));
        let left = matched(all, None, OnMissing::LeaveOut, &lists).unwrap();
        assert_eq!(left.images, images(&["b", "c"]));
        assert!(left.warnings[0].contains("2 of 4 images are left out for all models alike"), "{:?}", left.warnings);
        assert!(left.warnings[0].ends_with("`m` has none of 1; `n` has none of 1"), "{:?}", left.warnings);
    }

    #[test]
    fn features_of_other_images_are_shown_beside_those_there_are() {
        for on_missing in [OnMissing::Stop, OnMissing::LeaveOut] {
            let told = matched(images(&["a", "b"]), None, on_missing, &[list("m", &["z", "y", "x", "w"])]).unwrap_err();
            assert!(told.to_string().contains("here `z`, `y`, `x`, …; the evaluation has `a`, `b`"), "{told}");
        }
        let lists = [list("m", &["a"]), list("n", &["b"])];
        assert!(matched(images(&["a", "b"]), None, OnMissing::LeaveOut, &lists).unwrap_err().to_string().contains("every model"));
        let misspelt = matched(images(&["a", "b"]), None, OnMissing::Stop, &[list("m", &["a", "B"])]).unwrap_err();
        assert!(misspelt.to_string().contains("m.txt:2:1") && misspelt.to_string().contains("such as `B`"), "{misspelt}");
    }
}
