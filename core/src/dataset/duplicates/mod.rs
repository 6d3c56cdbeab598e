//! Faults between pictures: the same picture twice, under two identities or in two partitions, and what two sets share.
//!
//! By bytes (digests), nearly (a hash of what a picture shows), and by the names of identities. What decides is pure:
//! [`PictureHash`], `compare`, `overlap` and [`SharedNames`]; `look` reads the pictures and keeps their hashes.

mod arrangement;
mod compare;
mod compared_set;
mod findings;
mod hamming_index;
mod hash_cache;
mod hash_list;
mod look;
mod names;
mod near_search;
mod overlap;
mod picture_hash;

pub use compare::{Alike, AlikeCount, Example, KnownPicture, Likeness, Side, compare};
pub use compared_set::ComparedSet;
pub use findings::{Compared, findings};
pub use hash_cache::{HashCache, SeenPicture};
pub use hash_list::{hashes_from_bytes, hashes_to_bytes};
pub use look::{Looked, hashes_of, look};
pub use names::SharedNames;
pub use overlap::{HashedSet, KnownNames, overlap};
pub use picture_hash::PictureHash;
