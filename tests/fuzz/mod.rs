//! Files of other people, damaged at random: each reader answers each within two seconds and 500 MB, and none panics.
//!
//! A few hundred inputs a reader; a minute each with `VISAVIS_LONG=1`. `VISAVIS_FUZZ=NAME` asks for one reader alone, `VISAVIS_FUZZ_SEED` for
//! other inputs. `seeds/` holds files of formats that no other test has one of.

mod driver;
mod targets;

use driver::{Fuzzed, fuzz, kept_at};
use std::time::Duration;

#[test]
fn damaged_files_are_told_and_never_a_panic() {
    let is_long = std::env::var_os("VISAVIS_LONG").is_some();
    let (time, most) = if is_long { (Duration::from_secs(60), u64::MAX) } else { (Duration::from_secs(5), 300) };
    let asked = std::env::var("VISAVIS_FUZZ").ok();
    let seed = std::env::var("VISAVIS_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut failures = Vec::new();
    for target in targets::targets() {
        if asked.as_ref().is_some_and(|name| name != target.name) {
            continue;
        }
        let Fuzzed { inputs, seconds, answers, slowest, largest, found } = fuzz(&target, seed, time, most);
        let name = target.name;
        let (a_second, slowest, largest) = (inputs as f64 / seconds, slowest.as_secs_f64(), largest / 1_000_000);
        // The line of the table in docs/security.md.
        println!("| {name} | {inputs} | {a_second:.0} | {answers} | {slowest:.2} | {largest} | {} |", found.len());
        assert!(answers > 1, "{name}: every input is answered alike, so nothing is tried");
        for (place, (why, input)) in found.iter().enumerate() {
            let kept = kept_at(name, &place.to_string());
            std::fs::write(&kept, input).unwrap();
            failures.push(format!("{name}: {why}; the input is in {}", kept.display()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
