//! Labels as columns: a word an image, kept as small numbers over an index of image names that all columns of a table share.

use super::{
    Digest,
    image::{ImageId, Images},
    image_index::ImageIndex,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The labels of one attribute: image → value, missing ones absent. Binary values are `0` and `1` however the file
/// spelled them (−1 and 1, true and false, yes and no).
#[derive(Clone, Debug, Default)]
pub struct Column {
    index: Arc<ImageIndex>,
    /// Every value that occurs, once, sorted.
    words: Vec<String>,
    codes: WordCodes,
    labelled: usize,
}

/// Which word each image of the index has.
#[derive(Clone, Debug)]
enum WordCodes {
    /// Two words at most: a bit an image for "is labelled", and one for "has the second word".
    Bits { known: Vec<u64>, second: Vec<u64> },
    /// The place of the word, from 1; 0 is a missing label.
    Places(Vec<u32>),
}

impl Default for WordCodes {
    fn default() -> Self {
        WordCodes::Bits { known: vec![], second: vec![] }
    }
}

fn bit(bits: &[u64], row: usize) -> bool {
    bits[row / 64] >> (row % 64) & 1 == 1
}

impl WordCodes {
    fn word(&self, row: usize) -> Option<usize> {
        match self {
            WordCodes::Bits { known, second } => bit(known, row).then(|| usize::from(bit(second, row))),
            WordCodes::Places(places) => (places[row] as usize).checked_sub(1),
        }
    }
}

impl Column {
    /// `codes` has, for each row of the index, the place of its word, or `None` where the label is missing. Words may stand in
    /// any order, repeat, or be without an image.
    ///
    /// # Panics
    /// When there are not as many codes as rows, or a place is beyond the words.
    pub fn coded(index: Arc<ImageIndex>, words: &[impl AsRef<str>], codes: impl IntoIterator<Item = Option<usize>>) -> Self {
        let codes: Vec<Option<usize>> = codes.into_iter().collect();
        assert_eq!(codes.len(), index.len(), "a code an image");
        let mut occurs = vec![false; words.len()];
        codes.iter().flatten().for_each(|&place| occurs[place] = true);
        let there = |place: &usize| occurs[*place];
        let used: BTreeSet<&str> = (0..words.len()).filter(there).map(|place| words[place].as_ref()).collect();
        let sorted: Vec<&str> = used.into_iter().collect();
        let places: Vec<usize> = words.iter().map(|word| sorted.binary_search(&word.as_ref()).unwrap_or_default()).collect();
        let labelled = codes.iter().flatten().count();
        let codes = if sorted.len() <= 2 {
            let (mut known, mut second) = (vec![0; codes.len().div_ceil(64)], vec![0; codes.len().div_ceil(64)]);
            for (row, place) in codes.iter().enumerate().filter_map(|(row, code)| Some((row, places[(*code)?]))) {
                known[row / 64] |= 1 << (row % 64);
                second[row / 64] |= (place as u64) << (row % 64);
            }
            WordCodes::Bits { known, second }
        } else {
            WordCodes::Places(codes.iter().map(|code| code.map_or(0, |code| places[code] as u32 + 1)).collect())
        };
        Column { index, words: sorted.into_iter().map(str::to_owned).collect(), codes, labelled }
    }

    /// Every labelled row of the index, and the place of its word.
    fn coded_rows(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.index.len()).filter_map(|row| Some((row, self.codes.word(row)?)))
    }

    /// The value of an image; `None` where its label is missing.
    pub fn get(&self, image: &str) -> Option<&str> {
        self.at(self.index.row(image)?)
    }

    fn at(&self, row: usize) -> Option<&str> {
        self.codes.word(row).map(|word| self.words[word].as_str())
    }

    /// Every labelled image and its value, in the order of the images.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.coded_rows().map(|(row, word)| (self.index.name(row), self.words[word].as_str()))
    }

    /// Every labelled image, in order.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(image, _)| image)
    }

    /// The images that rows of the column are of, labelled or not.
    pub(super) fn index(&self) -> &Arc<ImageIndex> {
        &self.index
    }

    /// How many images are labelled.
    pub fn len(&self) -> usize {
        self.labelled
    }

    /// Is no image labelled?
    pub fn is_empty(&self) -> bool {
        self.labelled == 0
    }

    /// The value of each of these images, in their order.
    pub fn aligned(&self, images: &Images) -> Vec<Option<&str>> {
        self.aligned_to(images.ids())
    }

    /// The value of each of these images, in their order.
    pub fn aligned_to<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<Option<&str>> {
        self.index.rows(ids).into_iter().map(|row| self.at(row?)).collect()
    }

    /// The labels of these images alone.
    pub fn restricted(&self, images: &Images) -> Self {
        let to = Restriction::new(&self.index, images);
        self.onto(&to)
    }

    pub(super) fn onto(&self, to: &Restriction) -> Self {
        if Arc::ptr_eq(&to.index, &self.index) {
            return self.clone();
        }
        Column::coded(to.index.clone(), &self.words, to.rows.iter().map(|&row| self.codes.word(row)))
    }

    /// The values there are, each once, sorted.
    pub fn values(&self) -> BTreeSet<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// The values there are, and how many images have each.
    pub fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = vec![0; self.words.len()];
        self.coded_rows().for_each(|(_, word)| counts[word] += 1);
        self.words.iter().map(String::as_str).zip(counts).collect()
    }

    /// Is every value that occurs `0` or `1`? Yes where none does.
    pub fn is_binary(&self) -> bool {
        self.words.iter().all(|value| value == "0" || value == "1")
    }

    /// One line a labelled image: id, tab, value.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.index.bytes() + 4 * self.index.len());
        for (image, value) in self.iter() {
            [image, "\t", value, "\n"].into_iter().for_each(|part| text.push_str(part));
        }
        text
    }

    /// `None` when the text is not what [`Column::to_text`] writes.
    pub fn from_text(text: &str) -> Option<Self> {
        let pairs: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('\t')).collect::<Option<_>>()?;
        Some(Column::of_pairs(pairs))
    }

    /// Of two pairs with one image the later counts.
    fn of_pairs<I: AsRef<str>, V: AsRef<str>>(mut pairs: Vec<(I, V)>) -> Self {
        let ascends = |pair: &[(I, V)]| pair[0].0.as_ref() < pair[1].0.as_ref();
        if !pairs.windows(2).all(ascends) {
            pairs.reverse();
            pairs.sort_by(|one, other| one.0.as_ref().cmp(other.0.as_ref()));
            pairs.dedup_by(|later, first| later.0.as_ref() == first.0.as_ref());
        }
        let index = ImageIndex::from_sorted(pairs.iter().map(|(image, _)| image.as_ref())).unwrap_or_default();
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        let mut words = Vec::new();
        let mut codes = Vec::with_capacity(pairs.len());
        for (_, value) in &pairs {
            let next = words.len();
            let place = *known.entry(value.as_ref()).or_insert(next);
            if place == next {
                words.push(value.as_ref());
            }
            codes.push(Some(place));
        }
        Column::coded(Arc::new(index), &words, codes)
    }

    /// BLAKE3 of [`Column::to_text`].
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_text().as_bytes())
    }
}

/// Two columns are the same that give the same images the same values, whatever else their indices name.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.labelled == other.labelled && self.iter().eq(other.iter())
    }
}

impl Eq for Column {}

/// From pairs in any order; of two with one image the later counts.
impl<I: Into<ImageId>, V: Into<String>> FromIterator<(I, V)> for Column {
    fn from_iter<T: IntoIterator<Item = (I, V)>>(pairs: T) -> Self {
        Column::of_pairs(pairs.into_iter().map(|(image, value)| (image.into(), value.into())).collect::<Vec<(String, String)>>())
    }
}

/// The images of an index that are kept: their own index, and the row each had.
pub(super) struct Restriction {
    index: Arc<ImageIndex>,
    rows: Vec<usize>,
}

impl Restriction {
    pub(super) fn new(from: &Arc<ImageIndex>, images: &Images) -> Self {
        let mut rows: Vec<usize> = from.rows(images.ids()).into_iter().flatten().collect();
        if rows.len() == from.len() {
            return Restriction { index: from.clone(), rows };
        }
        rows.sort_unstable();
        rows.dedup();
        let index = ImageIndex::from_sorted(rows.iter().map(|&row| from.name(row))).unwrap_or_default();
        Restriction { index: Arc::new(index), rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn images(ids: &[&str]) -> Images {
        Images(ids.iter().map(|id| ((*id).to_owned(), None)).collect())
    }

    proptest! {
        /// A column is the map it was made of, whatever it is kept as.
        #[test]
        fn a_column_is_a_map(pairs in proptest::collection::vec(("[a-d]{1,3}", "[x-z]?"), 0..40), wanted in proptest::collection::btree_set("[a-d]{1,3}", 0..20)) {
            let map: BTreeMap<String, String> = pairs.iter().cloned().collect();
            let column: Column = pairs.into_iter().collect();
            prop_assert!(column.iter().eq(map.iter().map(|(image, value)| (image.as_str(), value.as_str()))));
            prop_assert_eq!(column.len(), map.len());
            prop_assert_eq!(Column::from_text(&column.to_text()), Some(column.clone()));
            let text: String = map.iter().map(|(image, value)| format!("{image}\t{value}\n")).collect();
            prop_assert_eq!(column.digest(), Digest::of(text.as_bytes()));
            prop_assert_eq!(column.counts().values().sum::<usize>(), map.len());
            let some = Images(wanted.iter().map(|id| (id.clone(), None)).collect());
            let values: Vec<Option<&str>> = wanted.iter().map(|id| map.get(id).map(String::as_str)).collect();
            prop_assert_eq!(column.aligned(&some), values.clone());
            prop_assert_eq!(wanted.iter().map(|id| column.get(id)).collect::<Vec<_>>(), values);
            let kept: Column = map.iter().filter(|(id, _)| wanted.contains(*id)).map(|(id, value)| (id.as_str(), value.as_str())).collect();
            let restricted = column.restricted(&some);
            prop_assert_eq!(restricted.values(), kept.values());
            prop_assert_eq!(restricted, kept);
        }
    }

    #[test]
    fn images_out_of_order_are_found_too() {
        let column: Column = [("a", "1"), ("b", "0"), ("c", "1")].into_iter().collect();
        assert_eq!(column.aligned(&images(&["c", "a", "x", "b"])), [Some("1"), Some("1"), None, Some("0")]);
        assert_eq!(column.restricted(&images(&["c", "a"])).to_text(), "a\t1\nc\t1\n");
    }

    #[test]
    fn columns_with_other_indices_are_equal_where_their_labels_are() {
        let index = Arc::new(ImageIndex::from_sorted(["a", "b", "c"]).unwrap());
        let column = Column::coded(index, &["yes", "never"], [Some(0), None, Some(0)]);
        assert_eq!(column, [("c", "yes"), ("a", "yes")].into_iter().collect());
        assert_eq!(column.values(), ["yes"].into());
        assert_eq!(ImageIndex::from_sorted(["b", "a"]), None);
    }
}
