//! The nearest right spelling of a wrong word.

/// The candidate that `word` most likely meant, if any is near enough to be worth saying.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let word = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().min(word.chars().count()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ` — did you mean "x"?`, or the choices when there are few, or nothing.
pub fn suggestion(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if candidates.is_empty() => "none is known here".to_owned(),
        None if candidates.len() <= 16 => format!("expected one of: {}", candidates.join(", ")),
        None => format!("expected one of {} names, such as {}", candidates.len(), candidates[..8].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_and_a_stranger_finds_none() {
        assert_eq!(nearest("compariosns", ["comparisons", "contrasts"]), Some("comparisons"));
        assert_eq!(nearest("wavy hair", ["Wavy_Hair", "Straight_Hair"]), Some("Wavy_Hair"));
        assert_eq!(nearest("zebra", ["comparisons", "contrasts"]), None);
    }
}
