//! How places of pictures are written.

use std::path::{Component, Path};

/// What stands between the path of a file and the part of it that a message is about.
pub(super) const INSIDE: &str = ", ";

/// Is the id a path that stays below its folder?
pub(in crate::dataset) fn is_plain(id: &str) -> bool {
    Path::new(id).components().all(|part| matches!(part, Component::Normal(_)))
}
