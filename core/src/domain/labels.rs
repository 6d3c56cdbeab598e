//! The labels of images: a column an attribute.

use super::{
    Digest,
    column::{Column, Restriction},
    image::Images,
    image_index::ImageIndex,
};
use std::{collections::BTreeMap, sync::Arc};

/// The labels an image set has, by attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<String, Column>);

impl Labels {
    /// A column of saved labels that says which images they are of: [`Labels::mark_of`].
    pub const MARK: &str = "visavis_images";

    /// What saved labels of these images say that they are of: their pictures and names, or, where pictures are not here, names alone.
    pub fn mark_of(images: &Images) -> String {
        let (kind, digest) = if images.0.iter().all(|(_, picture)| picture.is_some()) {
            ("pictures", Digest::of(images.to_text().as_bytes()))
        } else {
            ("names", Digest::of_parts(images.ids().flat_map(|id| [id.as_bytes(), b"\n"])))
        };
        format!("{kind}-{}", &digest.to_string()[..16])
    }

    /// Do two marks tell that the images are others? A mark of pictures says nothing beside one of names.
    pub fn are_of_others(one: &str, other: &str) -> bool {
        let kind = |mark: &str| mark.split('-').next().unwrap_or_default().to_owned();
        one != other && kind(one) == kind(other)
    }

    /// An image's value of an attribute; `None` where either is unknown or the label is missing.
    pub fn of<'a>(&'a self, attribute: &str, image: &str) -> Option<&'a str> {
        self.get(attribute)?.get(image)
    }

    /// The labels of one attribute.
    pub fn get(&self, attribute: &str) -> Option<&Column> {
        self.0.get(attribute)
    }

    /// Is there a column of this attribute?
    pub fn contains(&self, attribute: &str) -> bool {
        self.0.contains_key(attribute)
    }

    /// The column that was there before, if any.
    pub fn insert(&mut self, attribute: String, column: Column) -> Option<Column> {
        self.0.insert(attribute, column)
    }

    /// Takes an attribute's column out.
    pub fn remove(&mut self, attribute: &str) -> Option<Column> {
        self.0.remove(attribute)
    }

    /// Every attribute and its labels, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.0.iter().map(|(attribute, column)| (attribute.as_str(), column))
    }

    /// The attributes, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many attributes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there no attribute?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The labels of these images alone.
    pub fn restricted(&self, images: &Images) -> Self {
        // Columns of one table share their index: its rows are looked up once.
        let mut last: Option<(&Arc<ImageIndex>, Restriction)> = None;
        let mut kept = BTreeMap::new();
        for (attribute, column) in &self.0 {
            let same = last.as_ref().is_some_and(|(index, _)| Arc::ptr_eq(index, column.index()));
            if !same {
                last = Some((column.index(), Restriction::new(column.index(), images)));
            }
            if let Some((_, to)) = &last {
                kept.insert(attribute.clone(), column.onto(to));
            }
        }
        Labels(kept)
    }
}

impl<N: Into<String>> FromIterator<(N, Column)> for Labels {
    fn from_iter<T: IntoIterator<Item = (N, Column)>>(columns: T) -> Self {
        Labels(columns.into_iter().map(|(attribute, column)| (attribute.into(), column)).collect())
    }
}
