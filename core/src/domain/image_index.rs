//! The names of images, and at which row each stands.

/// The names of images: sorted, each once, in one piece of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageIndex {
    text: String,
    /// Where each name ends in the text.
    ends: Vec<usize>,
}

impl ImageIndex {
    /// `None` unless every name sorts after the one before.
    pub fn from_sorted<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut index = ImageIndex::default();
        for name in names {
            if index.len().checked_sub(1).is_some_and(|last| index.name(last) >= name) {
                return None;
            }
            index.text.push_str(name);
            index.ends.push(index.text.len());
        }
        Some(index)
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes all names take.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Does it name no image?
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name at a row, from 0. Panics beyond the last.
    pub fn name(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }

    /// Every name, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|row| self.name(row))
    }

    /// The row of an image.
    pub fn row(&self, name: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// The row of each of these images, in their order. As long as they are sorted, which they are as a rule, this is one pass
    /// along both.
    pub fn rows<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<Option<usize>> {
        let (mut at, mut last) = (0, "");
        let row = |name: &'a str| {
            if name < last {
                return self.row(name);
            }
            last = name;
            while at < self.len() && self.name(at) < name {
                at += 1;
            }
            (at < self.len() && self.name(at) == name).then_some(at)
        };
        names.into_iter().map(row).collect()
    }
}
