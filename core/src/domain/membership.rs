//! Which images are in which class of a comparison: the one definition, for scores, figures, counts, frequencies and screens.
//!
//! An image takes part if `within` holds and every label that any class needs is there: were it asked class by class, one whose
//! label for another class is missing would be counted where it cannot be compared.

use super::{
    comparison::{Measured, Question},
    image::{Images, Labels},
    score::Counts,
};
use std::collections::BTreeSet;

/// The images of one question, by rows of the images they are among.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members {
    /// Rows that take part and are in a class, ascending.
    pub rows: Vec<usize>,
    /// Per class, per entry of `rows`: is it a member?
    pub classes: Vec<Vec<bool>>,
    /// Per entry of `rows`: the quantity, for such a question.
    pub quantity: Option<Vec<f64>>,
    /// Rows that take part and are in no class, ascending.
    pub none: Vec<usize>,
    /// Rows that would be in a class by its own labels, and lack a label that another class needs: they take no part.
    pub lacking: Vec<usize>,
}

impl Members {
    /// The members among these images. An attribute without labels leaves the classes empty.
    pub fn of(images: &Images, labels: &Labels, question: &Question) -> Self {
        let Question { measured, within } = question;
        let mut members = Members { classes: vec![vec![]; question.width()], ..Members::default() };
        let mut quantity = Vec::new();
        let columns: Vec<(&str, Vec<Option<&str>>)> = question
            .attributes()
            .into_iter()
            .filter_map(|attribute| Some((attribute, labels.get(attribute)?.aligned(images))))
            .collect();
        let mut holds = Vec::with_capacity(members.classes.len());
        for row in 0..images.len() {
            let label = |attribute: &str| columns.iter().find(|(name, _)| *name == attribute).and_then(|(_, values)| values[row]);
            if within.as_ref().is_some_and(|within| within.holds(&label) != Some(true)) {
                continue;
            }
            holds.clear();
            match measured {
                Measured::Quantity(attribute) => {
                    let value = label(attribute).and_then(|text| text.parse::<f64>().ok()).filter(|value| value.is_finite());
                    let Some(value) = value else { continue };
                    quantity.push(value);
                    holds.push(Some(true));
                }
                Measured::Classes(classes) => holds.extend(classes.iter().map(|class| class.holds(&label))),
            }
            if holds.contains(&None) {
                members.lacking.extend(holds.contains(&Some(true)).then_some(row));
            } else if holds.contains(&Some(true)) {
                members.rows.push(row);
                members.classes.iter_mut().zip(&holds).for_each(|(class, holds)| class.push(*holds == Some(true)));
            } else {
                members.none.push(row);
            }
        }
        if matches!(measured, Measured::Quantity(_)) {
            members.quantity = Some(quantity);
        }
        members
    }

    /// Images in each class; one number for a quantity.
    pub fn sizes(&self) -> Vec<usize> {
        self.classes.iter().map(|class| class.iter().filter(|is| **is).count()).collect()
    }

    /// The rows of a class, ascending.
    pub fn rows_of(&self, class: usize) -> impl Iterator<Item = usize> {
        self.rows.iter().zip(&self.classes[class]).filter(|(_, is)| **is).map(|(row, _)| *row)
    }

    /// The classes that a member is in.
    pub fn classes_of(&self, member: usize) -> impl Iterator<Item = usize> {
        (0..self.classes.len()).filter(move |&class| self.classes[class][member])
    }

    /// Of each of so many images: the member it is, if it is in a class.
    pub fn by_row(&self, images: usize) -> Vec<Option<usize>> {
        let mut by_row = vec![None; images];
        self.rows.iter().enumerate().for_each(|(member, &row)| by_row[row] = Some(member));
        by_row
    }

    /// Of each of so many images: whether it is in the class, if it takes part.
    pub fn is_in(&self, class: usize, images: usize) -> Vec<Option<bool>> {
        let mut is_in = vec![None; images];
        self.none.iter().for_each(|&row| is_in[row] = Some(false));
        self.rows.iter().zip(&self.classes[class]).for_each(|(&row, &is)| is_in[row] = Some(is));
        is_in
    }

    /// Counts over the members that `takes` says take part; `group` is by row.
    pub fn counts(&self, group: &[usize], takes: impl Fn(usize) -> bool) -> Counts {
        let part: Vec<usize> = (0..self.rows.len()).filter(|&i| takes(i)).collect();
        let rows_in = |set: &[bool]| part.iter().copied().filter(|&i| set[i]).collect::<Vec<_>>();
        let people = |rows: &[usize]| rows.iter().map(|&i| group[self.rows[i]]).collect::<BTreeSet<_>>().len();
        let width = self.classes.len();
        let alone = |p: usize| {
            (0..width)
                .filter(|&q| q != p)
                .map(|q| rows_in(&self.exclusive(p, q)))
                .min_by_key(Vec::len)
                .unwrap_or_else(|| rows_in(&self.classes[p]))
        };
        let exclusive: Vec<Vec<usize>> = (0..width).map(alone).collect();
        Counts {
            n: part.len(),
            classes: self.classes.iter().map(|class| rows_in(class).len()).collect(),
            exclusive: exclusive.iter().map(Vec::len).collect(),
            identities: exclusive.iter().map(|rows| people(rows)).collect(),
            people: people(&part),
            several: part.iter().filter(|&&i| self.classes.iter().filter(|class| class[i]).count() > 1).count(),
            none: self.none.len(),
        }
    }

    /// Members of class `p` that are not in class `q`: what a pair compares.
    pub fn exclusive(&self, p: usize, q: usize) -> Vec<bool> {
        self.classes[p].iter().zip(&self.classes[q]).map(|(p, q)| *p && !*q).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::image::Column;
    use proptest::prelude::*;

    fn question(classes: &[&str], within: Option<&str>) -> Question {
        let parse = |text: &str| text.parse().unwrap();
        Question { measured: Measured::Classes(classes.iter().map(|class| parse(class)).collect()), within: within.map(parse) }
    }

    fn labels(columns: &[(&str, &[(&str, &str)])]) -> Labels {
        columns.iter().map(|(name, pairs)| (*name, pairs.iter().copied().collect::<Column>())).collect()
    }

    fn images(ids: &[&str]) -> Images {
        Images(ids.iter().map(|id| ((*id).to_owned(), None)).collect())
    }

    /// Two label files: `a` lacks `old`, `e` lacks `beard`.
    #[test]
    fn an_image_without_a_label_that_some_class_needs_takes_no_part_in_any() {
        let labels = labels(&[
            ("beard", &[("a", "1"), ("b", "1"), ("c", "0"), ("d", "0")]),
            ("old", &[("b", "0"), ("c", "1"), ("d", "0"), ("e", "1")]),
        ]);
        let members = Members::of(&images(&["a", "b", "c", "d", "e", "f"]), &labels, &question(&["beard", "old"], None));
        assert_eq!(members.rows, [1, 2]);
        assert_eq!(members.sizes(), [1, 1]);
        assert_eq!((members.none.clone(), members.lacking.clone()), (vec![3], vec![0, 4]));
        assert_eq!(members.is_in(0, 6), [None, Some(true), Some(false), Some(false), None, None]);
        assert_eq!(members.by_row(6), [None, Some(0), Some(1), None, None, None]);
    }

    #[test]
    fn within_needs_its_label_and_nothing_else_of_an_image() {
        let labels = labels(&[("x", &[("a", "1"), ("b", "0"), ("c", "1")]), ("w", &[("a", "1"), ("b", "1"), ("d", "1")])]);
        let members = Members::of(&images(&["a", "b", "c", "d"]), &labels, &question(&["x", "not x"], Some("w")));
        assert_eq!((members.rows.clone(), members.sizes(), members.lacking.clone()), (vec![0, 1], vec![1, 1], vec![]));
    }

    proptest! {
        /// Whatever the labels: every way of asking gives the same.
        #[test]
        fn sizes_counts_and_rows_agree(
            table in prop::collection::vec((prop::option::of(any::<bool>()), prop::option::of(any::<bool>())), 0..40)
        ) {
            let ids: Vec<String> = (0..table.len()).map(|i| format!("{i:02}")).collect();
            let (x, y): (Vec<_>, Vec<_>) = table.iter().copied().unzip();
            let column = |values: &[Option<bool>]| -> Column {
                let entries = ids.iter().zip(values).filter_map(|(id, value)| Some((id.clone(), if (*value)? { "1" } else { "0" })));
                entries.collect()
            };
            let labels: Labels = [("x", column(&x)), ("y", column(&y))].into_iter().collect();
            let images = Images(ids.iter().map(|id| (id.clone(), None)).collect());
            let members = Members::of(&images, &labels, &question(&["x", "y"], None));
            let counts = members.counts(&(0..ids.len()).collect::<Vec<_>>(), |_| true);
            prop_assert_eq!(&counts.classes, &members.sizes());
            for class in 0..2 {
                let is_in = members.is_in(class, ids.len());
                prop_assert_eq!(is_in.iter().filter(|is| **is == Some(true)).count(), counts.classes[class]);
                prop_assert_eq!(is_in.iter().flatten().count(), counts.n + counts.none);
                prop_assert_eq!(members.rows_of(class).count(), counts.classes[class]);
            }
            let both = table.iter().filter(|(x, y)| x.is_some() && y.is_some()).count();
            prop_assert_eq!(counts.n + counts.none, both);
            let half = |row: &&(Option<bool>, Option<bool>)| matches!(row, (Some(true), None) | (None, Some(true)));
            prop_assert_eq!(members.lacking.len(), table.iter().filter(half).count());
        }
    }
}
