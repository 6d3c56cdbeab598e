//! Whatever digit of a report is changed, its audit finds it: ten thousand, drawn by chance, with `make test-long`.

use super::carried::alone;
use crate::audit::{Examination, MARK, Rendered, Verdict, seal};
use std::{ops::Range, path::Path};
use visavis_core::domain::Digest;

const SAMPLE: &str = include_str!("../../../reports/sample.html");
const SEAL: &str = "name=\"visavis-seal\" content=\"";

/// What finds a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FoundBy {
    /// The page is no report any more, or not one of these claims.
    Reading,
    /// The page does not agree with itself: a number with its claim, a chart with its numbers, words with what they may say.
    Agreement,
    /// It is not the page that its evidence gives.
    Rendering,
    Nothing,
}

/// The page, sealed anew: whoever changes a page can do that, too.
fn sealed(page: &str) -> String {
    let at = page.find(SEAL).unwrap() + SEAL.len();
    let end = at + page[at..].find('"').unwrap();
    format!("{}{}{}", &page[..at], seal(page), &page[end..])
}

fn examined(page: &str) -> Option<Examination> {
    Examination::of_page(page, Path::new("report.html"), &|| false).ok()
}

/// `rendered`: what the evidence gives, if it is the sample's own.
fn found_by(page: &str, rendered: Option<&Rendered>) -> FoundBy {
    let differs = |examination: Examination| examination.conclude_alone().checked.iter().any(|of| of.verdict == Verdict::Differs);
    let Some(first) = examined(page) else { return FoundBy::Reading };
    let evidence = first.shared_evidence();
    if differs(first) {
        return FoundBy::Agreement;
    }
    let again = rendered.cloned().unwrap_or_else(|| alone(page, &evidence));
    let Some(mut examination) = examined(page) else { return FoundBy::Reading };
    examination.rendered(page, &again);
    // A page that cannot be rendered any more is not called identical either.
    if differs(examination) || matches!(again, Rendered::Not(_)) { FoundBy::Rendering } else { FoundBy::Nothing }
}

#[test]
fn a_changed_digit_is_found_wherever_it_stands() {
    let changes = if std::env::var_os("VISAVIS_LONG").is_some() { 10_000 } else { 40_u64 };
    let start = SAMPLE.find(MARK).unwrap() + MARK.len();
    let evidence = start..start + SAMPLE[start..].find("</script>").unwrap();
    let digits = |of: Range<usize>| of.filter(|at| SAMPLE.as_bytes()[*at].is_ascii_digit()).collect::<Vec<usize>>();
    // The seal is written anew by whoever changes a page.
    let seal = SAMPLE.find(SEAL).unwrap() + SEAL.len();
    let shown = [digits(0..seal), digits(seal + 64..evidence.start)].concat();
    let carried = digits(evidence.clone());
    let own = alone(SAMPLE, &examined(SAMPLE).unwrap().shared_evidence());
    assert_eq!(found_by(SAMPLE, Some(&own)), FoundBy::Nothing, "the sample itself");
    let changed = |change: u64| {
        let drawn = Digest::of(&change.to_le_bytes()).to_string();
        let number = |place: usize| u64::from_str_radix(&drawn[16 * place..16 * (place + 1)], 16).unwrap();
        let digits = if change.is_multiple_of(2) { &shown } else { &carried };
        let at = digits[(number(0) % digits.len() as u64) as usize];
        let mut page = SAMPLE.as_bytes().to_vec();
        // Another of the ten.
        page[at] = b'0' + (page[at] - b'0' + 1 + (number(1) % 9) as u8) % 10;
        let page = String::from_utf8(page).unwrap();
        let page = if number(2).is_multiple_of(2) { sealed(&page) } else { page };
        (at, found_by(&page, (at < evidence.start).then_some(&own)))
    };
    // Threads of their own: a rendering waits for those of rayon.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let found: Vec<(usize, FoundBy)> = std::thread::scope(|scope| {
        let part = |first: usize| (first as u64..changes).step_by(threads).map(changed).collect::<Vec<_>>();
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(move || part(first))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    for (part, is_part) in [("shown", true), ("evidence", false)] {
        let by = |by: FoundBy| found.iter().filter(|(at, found)| (*at < evidence.start) == is_part && *found == by).count();
        println!(
            "{part}: {} found by reading, {} by agreement, {} by rendering",
            by(FoundBy::Reading),
            by(FoundBy::Agreement),
            by(FoundBy::Rendering)
        );
    }
    let lost = found.iter().filter(|(_, by)| *by == FoundBy::Nothing);
    let lost: Vec<&str> = lost.map(|(at, _)| SAMPLE.get(at.saturating_sub(40)..at + 10).unwrap_or_default()).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
