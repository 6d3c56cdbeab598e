//! What is made of the embedding of a network before it is kept: how face recognition compares pictures.

use super::{canonical::Value, vocabulary::vocabulary};
use serde::{Deserialize, Serialize};
use std::fmt;

vocabulary! {
    /// What the mirrored picture adds.
    pub enum Flip {
        /// Its embedding is added to that of the picture.
        Sum = "sum",
    }
}

vocabulary! {
    /// What an embedding is divided by.
    pub enum Norm {
        /// Its length, √Σx². One of zeros stays.
        L2 = "l2",
    }
}

/// What is made of an embedding, in this order. The default: nothing, it is kept as the network gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingForm {
    /// What the mirrored picture adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip: Option<Flip>,
    /// What the sum, or the embedding alone, is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norm: Option<Norm>,
}

impl EmbeddingForm {
    /// What pairs of a verification set are told apart by: the sum of both ways, whose length is brought to 1 when pairs are compared.
    pub const OF_PAIRS: EmbeddingForm = EmbeddingForm { flip: Some(Flip::Sum), norm: None };

    /// Is the embedding kept as the network gives it?
    pub fn is_plain(&self) -> bool {
        *self == EmbeddingForm::default()
    }

    /// What of it enters a key; `None`: nothing, as before there were forms.
    pub fn canonical(&self) -> Option<Value> {
        let EmbeddingForm { flip, norm } = self;
        let value = Value::map()
            .optional("flip", flip.map(|of| Value::text(of.word())))
            .optional("norm", norm.map(|of| Value::text(of.word())))
            .done();
        (!self.is_plain()).then_some(value)
    }

    /// Makes it of embeddings, `pictures` rows, row-major: `straight` of the pictures, `mirrored` of their mirror images, if they are summed.
    /// Sums are of single precision, lengths of double.
    pub fn apply(&self, straight: &mut [f32], mirrored: Option<&[f32]>, pictures: usize) {
        if let Some(mirrored) = mirrored {
            straight.iter_mut().zip(mirrored).for_each(|(sum, value)| *sum += value);
        }
        if self.norm.is_none() || straight.is_empty() {
            return;
        }
        for row in straight.chunks_exact_mut((straight.len() / pictures.max(1)).max(1)) {
            let length = row.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
            if length > 0.0 {
                row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
            }
        }
    }
}

impl fmt::Display for EmbeddingForm {
    /// As a study file has it: `flip sum, norm l2`; `as it is` where nothing is made of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flip = self.flip.map(|of| format!("flip {of}"));
        let norm = self.norm.map(|of| format!("norm {of}"));
        let parts: Vec<String> = flip.into_iter().chain(norm).collect();
        f.write_str(if parts.is_empty() { "as it is" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLIPPED: EmbeddingForm = EmbeddingForm { flip: Some(Flip::Sum), norm: Some(Norm::L2) };

    #[test]
    fn a_picture_and_its_mirror_image_are_summed_and_then_have_length_one() {
        let mut rows = [1.0, 2.0, 0.0, 0.0];
        FLIPPED.apply(&mut rows, Some(&[2.0, 2.0, 0.0, 0.0]), 2);
        assert_eq!(rows, [0.6, 0.8, 0.0, 0.0], "one of zeros stays");
        let mut rows = [1.0, 2.0];
        EmbeddingForm { norm: None, ..FLIPPED }.apply(&mut rows, Some(&[2.0, 2.0]), 1);
        assert_eq!(rows, [3.0, 4.0]);
        let mut rows = [3.0, 4.0];
        EmbeddingForm { flip: None, ..FLIPPED }.apply(&mut rows, None, 1);
        assert_eq!(rows, [0.6, 0.8]);
    }

    #[test]
    fn an_embedding_that_is_kept_as_it_is_enters_no_key() {
        assert_eq!(EmbeddingForm::default().canonical(), None);
        assert_eq!(serde_json::to_string(&EmbeddingForm::default()).unwrap(), "{}");
        assert!(FLIPPED.canonical().is_some());
        assert_eq!((FLIPPED.to_string(), EmbeddingForm::default().to_string()), ("flip sum, norm l2".into(), "as it is".into()));
    }
}
