//! A folder of pictures → the images in it.

use super::DigestCache;
use crate::domain::{Fault, Result, image::Images, text::is_steering};
use std::{
    fs,
    path::{Component, Path},
};

/// Every picture below `root`, sorted by id, with its digest. An id is the path below `root`, with forward slashes.
pub fn list(root: &Path, digests: &mut DigestCache) -> Result<Images> {
    let found = names(root)?;
    if found.is_empty() {
        return Err(Fault::asked("the folder holds no pictures (.png, .jpg, .jpeg)").in_file(root));
    }
    digested(root, found, digests)
}

/// These pictures below `root`, with their digests.
pub fn digested(root: &Path, ids: Vec<String>, digests: &mut DigestCache) -> Result<Images> {
    let paths: Vec<_> = ids.iter().map(|id| root.join(id)).collect();
    let digests = digests.of_all(&paths)?;
    Ok(Images(ids.into_iter().zip(digests.into_iter().map(Some)).collect()))
}

/// Is the id a path that stays below its folder?
pub fn is_plain(id: &str) -> bool {
    Path::new(id).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The ids of every picture below `root`, sorted.
pub fn names(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    walk(root, "", &mut found, 0)?;
    found.sort_unstable();
    Ok(found)
}

/// Deeper than any data set; a folder that links to itself ends here.
const DEEPEST: usize = 16;

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>, depth: usize) -> Result<()> {
    let refused = |error| Fault::io("list the folder of pictures", folder, &error);
    if depth > DEEPEST {
        return Err(Fault::asked(format!("folders nested more than {DEEPEST} deep"))
            .in_file(folder)
            .next("does a link lead back to its own folder?"));
    }
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        let steers = path.to_str().is_none() || name.chars().any(is_steering);
        if path.is_dir() {
            if steers {
                return Err(Fault::asked("the name of a folder of pictures holds control characters or is not UTF-8")
                    .in_file(path)
                    .next("rename the folder"));
            }
            walk(&path, &format!("{prefix}{name}/"), found, depth + 1)?;
        } else if is_picture(&path) && (path.is_file() || !path.exists()) {
            if steers {
                return Err(Fault::asked("the name of a picture holds control characters or is not UTF-8")
                    .in_file(path)
                    .next("rename the picture"));
            }
            found.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
    matches!(ending.as_str(), "png" | "jpg" | "jpeg")
}
