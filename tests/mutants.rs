//! Study files as fingers and disks damage them: never a panic, always one clear error with its place, or a study.
//! 300 mutants; `make test-long` tries 10,000.

use crate::desk::{Desk, SMALL};
use std::panic::{AssertUnwindSafe, catch_unwind};
use visavis::study;
use visavis_core::{numeric::PhiloxStream, store::Workspace};

const WORDS: [&str; 24] = [
    "", " ", "\n", "\t", ":", "- ", "{", "}", "[", "]", "\"", "'", "&a", "*a", "!!int", "null", "~", "1e400", "-1", "0x7",
    "\u{0}", "\u{202e}", "<<", "---\n",
];

#[test]
fn a_damaged_study_file_is_told_and_never_a_panic() {
    let desk = Desk::with_digits();
    let mutants = if std::env::var_os("VISAVIS_LONG").is_some() { 10_000 } else { 300 };
    let workspace = Workspace::new(desk.path("."), None).unwrap();
    let source = std::fs::read_to_string(format!("{}/experiments/face-attributes.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (mut refused, mut read) = (0, 0);
    for mutant in 0..mutants {
        let mut stream = PhiloxStream::for_test(99, mutant);
        let mut text = if mutant % 3 == 0 { source.clone() } else { SMALL.to_owned() };
        for _ in 0..=stream.below(3) {
            mutate(&mut text, &mut stream);
        }
        let name = "experiments/mutant.yaml";
        desk.write(name, text.as_bytes());
        let path = desk.path(name);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            study::open(&path, &workspace).and_then(|opened| study::plan(&opened, &workspace).map(|_| ()))
        }));
        match outcome.unwrap_or_else(|_| panic!("mutant {mutant} made a panic:\n{text}")) {
            Ok(()) => read += 1,
            Err(fault) => {
                refused += 1;
                assert!(!fault.what.is_empty() && fault.place.is_some(), "mutant {mutant}: {fault}\n{text}");
                assert!(!fault.to_string().contains('\u{0}'), "mutant {mutant}");
            }
        }
    }
    assert!(refused > mutants / 3 && read > mutants / 50, "{refused} refused, {read} read: the mutants are too tame or too wild");
}

fn mutate(text: &mut String, stream: &mut PhiloxStream) {
    let chars: Vec<char> = text.chars().collect();
    let lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    let at = stream.below(chars.len() as u64) as usize;
    let line = stream.below(lines.len() as u64) as usize;
    let word = WORDS[stream.below(WORDS.len() as u64) as usize];
    *text = match stream.below(7) {
        0 => chars[..at].iter().chain(&chars[(at + 1).min(chars.len())..]).collect(),
        1 => chars[..at].iter().copied().chain(word.chars()).chain(chars[at..].iter().copied()).collect(),
        2 => chars[..at].iter().collect(),
        3 => lines.iter().enumerate().filter(|(i, _)| *i != line).map(|(_, line)| line.as_str()).collect(),
        4 => {
            lines.iter().enumerate().flat_map(|(i, of)| std::iter::repeat_n(of.as_str(), if i == line { 2 } else { 1 })).collect()
        }
        5 => lines.iter().enumerate().map(|(i, of)| if i == line { format!("  {of}") } else { of.clone() }).collect(),
        _ => {
            let other = char::from_u32(stream.below(0x3000) as u32).unwrap_or('?');
            chars.iter().enumerate().map(|(i, c)| if i == at { other } else { *c }).collect()
        }
    };
    if text.is_empty() {
        text.push('x');
    }
}
