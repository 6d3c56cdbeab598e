//! `index`: the images of the evaluation, sorted, and taken by seed.

use super::Stage;
use crate::domain::{canonical::Value, image::Take};
use serde::{Deserialize, Serialize};

/// [`IndexImages::LISTING`] → [`IndexImages::IMAGES`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexImages {
    /// `None`: all of them.
    pub take: Option<Take>,
}

impl IndexImages {
    /// Input: every image that there is, in the form of [`IndexImages::IMAGES`].
    pub const LISTING: &str = "listing";
    /// Ids and picture digests, one image a line, sorted by id.
    pub const IMAGES: &str = "images";
}

impl Stage for IndexImages {
    fn version(&self) -> u32 {
        match self.take {
            None => 1,
            // 2: random numbers by purpose.
            Some(_) => 2,
        }
    }

    fn seed(&self) -> Option<u64> {
        self.take.as_ref().map(|take| take.seed)
    }

    fn canonical(&self) -> Value {
        let IndexImages { take } = self;
        Value::map().optional("take", take.as_ref().map(Take::canonical)).done()
    }
}
