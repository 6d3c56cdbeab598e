//! Data sets on disk → images, labels, identities, given features. Nothing here is trusted: every file is checked as it
//! is read, and every refusal says which line.

pub mod array;
mod collection;
mod convert;
mod decode;
mod defects;
mod digests;
pub mod duplicates;
pub mod faces;
mod features;
mod identities;
mod jpeg;
mod loader;
mod marks;
mod matching;
mod narrow;
mod npy_header;
mod numbers;
mod pair_sets;
mod pictures;
pub mod prepare;
mod readers;
mod row_list;
mod similarity;
mod source;
mod survey;
mod tables;
mod visibility;

pub use collection::Collection;
pub use convert::{Converted, Target, convert};
pub use decode::Picture;
pub use defects::{Defects, Finding, Severity};
pub use digests::DigestCache;
pub use features::{GivenArray, examine_given, read_given};
pub use identities::{People, SAY as SAY_IDENTITIES, UNKNOWN as UNKNOWN_IDENTITIES};
pub use loader::{Album, Batch, Loader, examine_picture, open_picture};
pub use marks::{Mark, Marks};
pub use matching::taken;
pub use numbers::Numbers;
pub use pair_sets::{PairSet, pair_set};
pub use pictures::{broken_links, list as list_pictures};
pub use readers::{celeba, collect, face_table, labels::label_table, recognise, utkface};
pub use row_list::{ListedImages, read_order, read_rows};
pub use source::{PairFile, PictureSource, RecordFile, TarFile, doubt};
pub use survey::{FaceMarks, Need, PicturePairs, Survey, TrainingSet, survey};
pub use visibility::{KnownFaces, visible_shares};
