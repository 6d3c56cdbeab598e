//! A page beside the same page rendered again: byte for byte, for a report is a function of its study and results.

use super::{
    container::start,
    verdict::{Audit, Checked, Verdict},
};

/// What a page was rendered again from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenderedFrom {
    /// The results of a workspace, and the study file there.
    Results,
    /// What the page itself carries as evidence.
    Evidence,
}

impl RenderedFrom {
    fn words(self) -> &'static str {
        match self {
            RenderedFrom::Results => "the results",
            RenderedFrom::Evidence => "its own evidence",
        }
    }
}

/// The page as it was rendered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    Page {
        page: String,
        from: RenderedFrom,
    },
    /// It cannot be rendered again, and why.
    Not(String),
}

const ID: &str = "whole page";

/// Enters what the comparison of a page with its rendering comes to; are they the same?
pub fn compare(page: &str, rendered: &Rendered, audit: &mut Audit) -> bool {
    let checked = |verdict: Verdict, why: String| Checked {
        id: ID.to_owned(),
        verdict,
        stage: "page".to_owned(),
        expected: None,
        found: None,
        reason: why.clone(),
        why,
    };
    let found = match rendered {
        Rendered::Page { page: again, from } if again == page => {
            checked(Verdict::Identical, format!("rendered again from {}: the same bytes", from.words()))
        }
        Rendered::Page { page: again, from } => {
            let difference = difference(page, again);
            let others = match difference.others {
                0 => String::new(),
                others => format!("; {others} more lines differ"),
            };
            let line = difference.line;
            let (own, other) = (&difference.found, &difference.expected);
            let why =
                format!("line {line}: rendered again from {}, the page has `{other}` where `{own}` stands{others}", from.words());
            Checked { expected: Some(difference.expected), found: Some(difference.found), ..checked(Verdict::Differs, why) }
        }
        Rendered::Not(why) => {
            audit.lacks.push(format!("the page was not rendered again: {why}"));
            return false;
        }
    };
    let is_same = found.verdict == Verdict::Identical;
    audit.checked.push(found);
    is_same
}

/// The first difference of two texts that are not the same.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    /// Of the page, counted from 1.
    line: usize,
    /// What stands there, from a little before the first byte that differs.
    expected: String,
    found: String,
    /// How many further lines differ.
    others: usize,
}

/// What is quoted before a difference.
const BEFORE: usize = 20;

fn difference(page: &str, again: &str) -> Difference {
    let pairs = || page.split('\n').zip(again.split('\n'));
    let line = pairs().position(|(own, other)| own != other).unwrap_or_else(|| pairs().count().saturating_sub(1));
    let (own, other) = (page.split('\n').nth(line).unwrap_or(""), again.split('\n').nth(line).unwrap_or(""));
    let same = own.bytes().zip(other.bytes()).take_while(|(own, other)| own == other).count();
    let quoted = |text: &str| {
        let from = (0..=same.saturating_sub(BEFORE)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        start(&text[from..])
    };
    let lines = |text: &str| text.split('\n').count();
    let others = pairs().skip(line + 1).filter(|(own, other)| own != other).count() + lines(page).abs_diff(lines(again));
    Difference { line: line + 1, expected: quoted(other), found: quoted(own), others }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(page: &str, rendered: &Rendered) -> (Verdict, Audit) {
        let mut audit = Audit::default();
        compare(page, rendered, &mut audit);
        (audit.verdict(), audit)
    }

    fn again(page: &str) -> Rendered {
        Rendered::Page { page: page.to_owned(), from: RenderedFrom::Results }
    }

    #[test]
    fn the_same_bytes_are_identical_and_no_others() {
        assert_eq!(told("<p>a</p>\n", &again("<p>a</p>\n")).0, Verdict::Identical);
        for other in ["<p>a</p>", "<p>b</p>\n", "<p>a</p>\n\n", "", "<p>a</p> \n"] {
            assert_eq!(told("<p>a</p>\n", &again(other)).0, Verdict::Differs, "{other:?}");
        }
    }

    #[test]
    fn a_page_that_was_not_rendered_again_is_never_called_identical() {
        let (verdict, audit) = told("x", &Rendered::Not("no results".to_owned()));
        assert_eq!((verdict, audit.lacks.len()), (Verdict::Unchecked, 1));
    }

    #[test]
    fn the_first_difference_is_named_by_its_line_and_what_stands_there() {
        let (page, other) = ("a\nthe model pixels separates 0.871 é\nb\nc", "a\nthe model pixels separates 0.971 é\nx\nc");
        let found = difference(page, other);
        assert_eq!((found.line, found.others), (2, 1));
        assert_eq!((&*found.found, &*found.expected), (" pixels separates 0.871 é", " pixels separates 0.971 é"));
        let longer = difference("a\nb", "a\nb\nc\nd");
        assert_eq!((longer.line, longer.others), (2, 2));
        // A difference within a letter of several bytes.
        assert_eq!(difference("éa", "èa").found, "éa");
    }
}
