//! `hashes`: what pictures show, in few bits, by which pictures of two sets are compared.

use super::Stage;
use crate::domain::canonical::Value;
use serde::{Deserialize, Serialize};

/// [`HashPictures::PICTURES`] → [`HashPictures::HASHES`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HashPictures {
    /// The version of the hash.
    pub hash: u32,
}

impl HashPictures {
    /// Input: a list of images, with where their pictures are.
    pub const PICTURES: &str = "pictures";
    /// 33 bytes an image, in the order of the list: 1, and the 256 bits of the hash; of a picture that is too plain all 0.
    pub const HASHES: &str = "hashes.bin";
}

impl Stage for HashPictures {
    fn version(&self) -> u32 {
        1
    }

    fn canonical(&self) -> Value {
        let HashPictures { hash } = self;
        Value::map().with("hash", Value::Int((*hash).into())).done()
    }
}
