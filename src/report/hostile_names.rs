//! Pages of studies whose names are full of digits, signs and markup: an audit that does not render them again finds nothing wrong in their
//! words, and finds a number that was put beside a name.

use super::{Extras, fixture::Fixture, page::render};
use crate::audit::{Examination, seal};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{
    cell::Cell,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};
use visavis_core::domain::text::is_steering;

/// What names are put together of.
const FRAGMENTS: [&str; 36] = [
    "resnet34-width0.0625",
    "min_dist: 1e-3",
    "<b>95.5 %</b>",
    "&lt;",
    "&#46;871",
    "\"",
    "'",
    "−.871",
    "0,871",
    "12.3 %",
    "９９",
    ".٨٧١",
    "א",
    "שלום",
    "مرحبا",
    "e\u{301}",
    "\u{301}",
    ".𝟖𝟕𝟏",
    "·",
    "{{ claim(id=1) }}",
    "{% raw %}",
    "<bdi>",
    "</bdi>",
    "“0.125”",
    "@",
    "#",
    "$HOME",
    "a/b",
    " /home/me/x",
    "\\\\server\\x",
    "\\",
    "<data data-claim=\"c0\">",
    "<!--",
    ". ",
    ", ",
    "_",
];

/// Names as a study file may hold them.
fn name() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        4 => proptest::sample::select(&FRAGMENTS[..]).prop_map(str::to_owned),
        2 => "[-+]?[0-9]{0,3}[.,][0-9]{1,5} ?%?",
        1 => "\\PC{1,6}",
    ];
    proptest::collection::vec(fragment, 1..5).prop_map(|fragments| {
        let name: String = fragments.concat().chars().filter(|c| !is_steering(*c)).take(100).collect();
        name.trim().to_owned()
    })
}

/// A study's names, each its own.
fn names() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(name(), 9).prop_map(|names| {
        // A number at the end of each tells equal ones apart, and is one that looks like a score.
        let apart = |(place, name): (usize, String)| {
            let name = if name.is_empty() { format!("0.{place}71") } else { name };
            if place % 2 == 0 { format!("{name} .{place}12") } else { format!("{place}{name}") }
        };
        names.into_iter().enumerate().map(apart).collect::<Vec<_>>()
    })
}

fn faults(page: &str) -> Vec<String> {
    let examined = Examination::of_page(page, Path::new("r.html"), &|| false).unwrap();
    // Nothing is rendered again, and nothing made again.
    let audit = examined.conclude_alone();
    audit.differs().filter(|found| found.id == "page").map(|found| format!("{} {:?}", found.why, found.found)).collect()
}

fn sealed(page: &str) -> String {
    const SEAL: &str = "name=\"visavis-seal\" content=\"";
    let at = page.find(SEAL).unwrap() + SEAL.len();
    let end = at + page[at..].find('"').unwrap();
    format!("{}{}{}", &page[..at], seal(page), &page[end..])
}

fn page_of(names: &[String]) -> Option<String> {
    Some(page_of_fixture(Fixture::named(names)?))
}

fn page_of_fixture(fixture: Fixture) -> String {
    let fixture = fixture.with_scores();
    let missing_labels = Default::default();
    let extras = Extras::of_text(&missing_labels, Path::new("experiments/tiny.yaml"), fixture.study_text());
    render(&fixture.outcome(), &extras).unwrap()
}

#[test]
fn names_of_any_kind_are_names_and_a_number_beside_one_is_found() {
    let cases = if std::env::var_os("VISAVIS_LONG").is_some() { 2000 } else { 60 };
    let (made, changed) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&(names(), any::<prop::sample::Index>()), |(names, place)| {
        let Some(page) = page_of(&names) else { return Ok(()) };
        let found = faults(&page);
        prop_assert!(found.is_empty(), "{names:?}: {found:#?}");
        made.set(made.get() + 1);
        // A number that is put beside any of its names, and one that stands in a claim's place and passes itself off as a name.
        let marked: Vec<usize> = page.match_indices("</bdi>").map(|(at, mark)| at + mark.len()).collect();
        let at = *place.get(&marked);
        let beside = sealed(&format!("{} .912{}", &page[..at], &page[at..]));
        prop_assert!(
            !faults(&beside).is_empty(),
            "{names:?}: .912 after {}",
            &page[..at].chars().rev().take(80).collect::<String>()
        );
        let from = page.find("<data data-claim=").unwrap();
        let to = from + page[from..].find("</data>").unwrap() + "</data>".len();
        for number in ["AUC .912", "“.912”"] {
            let told = faults(&sealed(&format!("{}<bdi>{number}</bdi>{}", &page[..from], &page[to..])));
            prop_assert!(told.iter().any(|why| why.contains("holds no such name")), "{number}: {told:?}");
        }
        changed.set(changed.get() + 1);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(made.get() > cases / 2 && changed.get() == made.get(), "{} of {cases} names made a study", made.get());
}

#[test]
fn a_study_may_be_called_by_a_number() {
    for study in ["0.125", "9", "1.10", "tiny", "resnet34-width0.0625"] {
        let page = page_of_fixture(Fixture::called(study).unwrap());
        assert_eq!(faults(&page), [""; 0], "{study}");
        let other = sealed(&page.replace(&format!("<title>{study} "), "<title>0.912 "));
        assert!(faults(&other).iter().any(|why| why.contains("holds no such name")), "{study}");
    }
}

/// Reading may be stopped anywhere: then there is no verdict, and none that something differs.
#[test]
fn a_page_that_was_not_read_to_its_end_is_no_page_that_differs() {
    let names: Vec<String> = (0..9).map(|place| format!("a{place} .912")).collect();
    let page = page_of(&names).unwrap();
    let calls = AtomicUsize::new(0);
    let read = |most: usize| {
        calls.store(0, Ordering::Relaxed);
        Examination::of_page(&page, Path::new("r.html"), &|| calls.fetch_add(1, Ordering::Relaxed) >= most)
    };
    assert!(read(usize::MAX).is_ok());
    let all = calls.load(Ordering::Relaxed);
    for most in 0..all {
        let stopped = read(most).map(|examined| examined.conclude_alone().differs().count());
        assert!(stopped.is_err_and(|fault| fault.what.contains("too long")), "stopped at {most} of {all}");
    }
}
