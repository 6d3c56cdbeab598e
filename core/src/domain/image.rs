//! Images and their labels, as sets that do not depend on how a data set spells them on disk.

pub use super::{column::Column, image_index::ImageIndex, labels::Labels};

use super::{Digest, canonical::Value};
use serde::{Deserialize, Serialize};

/// The name of an image inside its data set: a relative path with forward slashes, free of control characters.
pub type ImageId = String;

/// Images in their canonical order (sorted by id), each with the digest of its picture where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images(pub Vec<(ImageId, Option<Digest>)>);

impl Images {
    /// How many images.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there no image?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(id, _)| id.as_str())
    }

    /// One line an image: id, tab, digest or `-`.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * 80);
        for (id, digest) in &self.0 {
            text.push_str(id);
            match digest {
                Some(digest) => text.push_str(&format!("\t{digest}\n")),
                None => text.push_str("\t-\n"),
            }
        }
        text
    }

    /// `None` when the text is not what [`Images::to_text`] writes.
    pub fn from_text(text: &str) -> Option<Self> {
        let line = |line: &str| {
            let (id, digest) = line.split_once('\t')?;
            Some((id.to_owned(), if digest == "-" { None } else { Some(digest.parse().ok()?) }))
        };
        text.lines().map(line).collect::<Option<_>>().map(Images)
    }
}

/// How many images to take, drawn by the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// How many; all where there are not so many.
    pub images: usize,
    /// The seed of the draw.
    pub seed: u64,
}

impl Take {
    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let Take { images, seed } = self;
        Value::map().with("images", Value::count(*images)).with("seed", Value::seed(*seed)).done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_columns_survive_their_text() {
        let images = Images(vec![("0/a.png".into(), Some(Digest::of(b"a"))), ("b".into(), None)]);
        assert_eq!(Images::from_text(&images.to_text()), Some(images));
        assert_eq!(Images::from_text("no tab"), None);
        let column: Column = [("a", "1"), ("b", "")].into_iter().collect();
        assert_eq!(Column::from_text(&column.to_text()), Some(column));
    }
}
