//! Names of images that do not fit: both sides side by side, and what tells them apart.

use crate::domain::text::{printable, shorten};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The name of an image as data sets have it: `./a\b.png` → `a/b.png`.
pub(crate) fn plain_id(id: &str) -> Cow<'_, str> {
    let plain = id.strip_prefix("./").or_else(|| id.strip_prefix(".\\")).unwrap_or(id);
    if plain.contains('\\') { Cow::Owned(plain.replace('\\', "/")) } else { Cow::Borrowed(plain) }
}

const ENDINGS: [&str; 9] = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif", "ppm"];

/// Does the name end as names of pictures do?
pub(crate) fn looks_like_a_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The first three, and whether there are more.
pub(crate) fn three<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names.by_ref().take(3).map(|name| format!("`{}`", shorten(&printable(name), 60))).collect();
    if names.next().is_some() {
        shown.push("…".to_owned());
    }
    if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") }
}

/// Three of each side, and how theirs would become ours where that can be seen: `(what, what to do)`.
pub(crate) fn misfit<'a>(
    theirs: impl Iterator<Item = &'a str> + Clone,
    ours: impl Iterator<Item = &'a str> + Clone,
    whose: &str,
) -> (String, String) {
    let what = format!("here {}; {whose} {}", three(theirs.clone()), three(ours.clone()));
    (
        what,
        cure(theirs, ours)
            .unwrap_or_else(|| "is this the table of these images? Names must be equal, endings and folders too".into()),
    )
}

/// What two spellings of one picture have in common: neither folder, nor ending, nor leading zeros, nor case.
fn core(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = if looks_like_a_picture(file) { file.rsplit_once('.').map_or(file, |(stem, _)| stem) } else { file };
    let core = stem.trim_start_matches('0').to_lowercase();
    if core.is_empty() && !stem.is_empty() { "0".to_owned() } else { core }
}

fn cure<'a>(theirs: impl Iterator<Item = &'a str>, ours: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for name in ours {
        known.entry(core(name)).or_insert(name);
    }
    let (their, our) = theirs.take(1000).find_map(|name| Some((name, *known.get(&core(name))?)))?;
    let split = |name: &'a str| {
        let (folder, file) = name.rfind(['/', '\\']).map_or(("", name), |at| name.split_at(at + 1));
        let ending = if looks_like_a_picture(file) { file.rfind('.').unwrap_or(file.len()) } else { file.len() };
        (folder, &file[..ending], &file[ending..])
    };
    let (t, o) = (split(their), split(our));
    let mut ways = Vec::new();
    match (t.0, o.0) {
        (a, b) if a == b => {}
        ("", b) => ways.push(format!("`{b}` before it")),
        (a, "") => ways.push(format!("`{a}` taken off")),
        (a, b) => ways.push(format!("`{b}` in place of `{a}`")),
    }
    if t.1 != o.1 {
        let zeros = t.1.trim_start_matches('0') == o.1.trim_start_matches('0');
        ways.push(if zeros { "its leading zeros" } else { "letters of the same case" }.to_owned());
    }
    match (t.2, o.2) {
        (a, b) if a == b => {}
        ("", b) => ways.push(format!("the ending `{b}`")),
        (a, "") => ways.push(format!("the ending `{a}` taken off")),
        (a, b) => ways.push(format!("the ending `{b}` in place of `{a}`")),
    }
    let shown = |name: &str| shorten(&printable(name), 60);
    Some(format!("write `{}` as `{}`: with {}", shown(their), shown(our), ways.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(theirs: &[&str], ours: &[&str]) -> String {
        misfit(theirs.iter().copied(), ours.iter().copied(), "the data set").1
    }

    #[test]
    fn both_sides_are_shown_and_the_cure_is_named() {
        let (what, next) = misfit(["1", "2", "3", "4"].into_iter(), ["000001.jpg", "000002.jpg"].into_iter(), "the data set");
        assert_eq!(what, "here `1`, `2`, `3`, …; the data set `000001.jpg`, `000002.jpg`");
        assert_eq!(next, "write `1` as `000001.jpg`: with its leading zeros, the ending `.jpg`");
    }

    #[test]
    fn folders_endings_and_case_are_told_apart() {
        assert_eq!(next(&["faces/a.png"], &["a.png"]), "write `faces/a.png` as `a.png`: with `faces/` taken off");
        assert_eq!(
            next(&["a.png"], &["train/a.jpg"]),
            "write `a.png` as `train/a.jpg`: with `train/` before it, the ending `.jpg` in place of `.png`"
        );
        assert_eq!(next(&["A.PNG"], &["a.PNG"]), "write `A.PNG` as `a.PNG`: with letters of the same case");
        assert!(next(&["x1"], &["a.png"]).contains("is this the table of these images?"));
    }

    #[test]
    fn a_dot_and_backslashes_are_one_way_of_writing_a_name() {
        assert_eq!(plain_id("./a.png"), "a.png");
        assert_eq!(plain_id(".\\faces\\a.png"), "faces/a.png");
    }
}
