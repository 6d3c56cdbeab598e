//! Damages inputs and gives them to a target until its time is over. Without coverage: an input is kept for further damage if the target
//! answers it as it answered none before. The same seed makes the same inputs.

use std::{
    collections::HashSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use visavis_core::numeric::PhiloxStream;

/// What reads a file of other people.
pub(crate) struct FuzzTarget {
    pub name: &'static str,
    pub seeds: Vec<Vec<u8>>,
    /// Words that its inputs are made of.
    pub words: &'static [&'static [u8]],
    /// Reads an input; what it came to, in words.
    pub read: fn(&[u8]) -> String,
}

/// What a target made of its inputs.
pub(crate) struct Fuzzed {
    pub inputs: u64,
    pub seconds: f64,
    /// Answers of different kinds.
    pub answers: usize,
    /// The longest that one input took.
    pub slowest: Duration,
    /// The most memory that one input took, in bytes. Other tests of this process count, too.
    pub largest: u64,
    /// What panicked, or took too long or too much: why, and the input.
    pub found: Vec<(String, Vec<u8>)>,
}

/// A hostile input is refused in two seconds; other programs run beside the tests.
const TOO_LONG: Duration = Duration::from_secs(2);
const TOO_MUCH: u64 = 500_000_000;
const LONGEST: usize = 1 << 20;
const MOST_KEPT: usize = 4000;
const MOST_FOUND: usize = 5;

/// Where an input of a target is kept.
pub(crate) fn kept_at(target: &str, what: &str) -> PathBuf {
    std::env::temp_dir().join(format!("visavis-fuzz-{}-{what}", target.replace(' ', "-")))
}

/// Where the input is that is read: in memory where that can be, for it is written thousands of times.
fn last_at(target: &str) -> PathBuf {
    let on_disk = kept_at(target, "last");
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() { in_memory.join(on_disk.file_name().unwrap_or_default()) } else { on_disk }
}

/// Gives a target damaged inputs, for so long or so many. The input that is read lies in a file (`/dev/shm/visavis-fuzz-NAME-last`):
/// where the process itself ends, that one ended it.
pub(crate) fn fuzz(target: &FuzzTarget, seed: u64, time: Duration, most: u64) -> Fuzzed {
    let begun = Instant::now();
    let mut kept = target.seeds.clone();
    let (mut answers, mut found, mut slowest, mut largest, mut inputs) = (HashSet::new(), vec![], Duration::ZERO, 0, 0);
    let last = last_at(target.name);
    while inputs < most && begun.elapsed() < time && found.len() < MOST_FOUND {
        let mut stream = PhiloxStream::for_test(seed, inputs);
        let input = match kept.get(inputs as usize).filter(|_| inputs < target.seeds.len() as u64) {
            Some(whole) => whole.clone(),
            None => damaged(&kept, target.words, &mut stream),
        };
        inputs += 1;
        fs::write(&last, &input).unwrap();
        let Reading { answer, took, memory } = read(target, &input);
        slowest = slowest.max(took);
        largest = largest.max(memory);
        // Other programs run beside this one: what was long once and is not again was another's fault.
        let is_long = || took > TOO_LONG && read(target, &input).took > TOO_LONG;
        let is_much = || memory > TOO_MUCH && read(target, &input).memory > TOO_MUCH;
        match answer {
            Err(panic) => {
                let said = panic.downcast_ref::<String>().cloned();
                let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
                found.push((format!("a panic: {}", said.unwrap_or_default()), input));
            }
            Ok(_) if is_long() => found.push((format!("{took:?}"), input)),
            Ok(_) if is_much() => found.push((format!("{} MB", memory / 1_000_000), input)),
            Ok(answer) => {
                let kind: String = answer.chars().filter(|c| !c.is_numeric()).take(80).collect();
                if answers.insert(kind) && kept.len() < MOST_KEPT {
                    kept.push(input);
                }
            }
        }
    }
    fs::remove_file(&last).ok();
    Fuzzed { inputs, seconds: begun.elapsed().as_secs_f64(), answers: answers.len(), slowest, largest, found }
}

/// What reading an input came to.
struct Reading {
    answer: std::thread::Result<String>,
    took: Duration,
    memory: u64,
}

fn read(target: &FuzzTarget, input: &[u8]) -> Reading {
    // Forgets how much memory the process ever held.
    fs::write("/proc/self/clear_refs", "5").ok();
    let before = held("VmRSS:");
    let begun = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(|| (target.read)(input)));
    Reading { answer, took: begun.elapsed(), memory: held("VmHWM:").saturating_sub(before) }
}

/// Memory of this process in bytes, by a line of its status: `VmRSS:` now, `VmHWM:` at most.
fn held(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = status.lines().find_map(|of| of.strip_prefix(line)?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    of.unwrap_or(0) * 1024
}

fn damaged(kept: &[Vec<u8>], words: &[&[u8]], stream: &mut PhiloxStream) -> Vec<u8> {
    let mut input = kept[stream.below(kept.len() as u64) as usize].clone();
    for _ in 0..=stream.below(4) {
        damage(&mut input, kept, words, stream);
    }
    input.truncate(LONGEST);
    input
}

/// Numbers at which lengths and counts go wrong.
const NUMBERS: [u64; 12] = [0, 1, 127, 128, 255, 65_535, 0x7fff_ffff, 0xffff_ffff, 1 << 40, u64::MAX >> 1, 1 << 63, u64::MAX];

fn damage(input: &mut Vec<u8>, kept: &[Vec<u8>], words: &[&[u8]], stream: &mut PhiloxStream) {
    let mut below = |most: usize| stream.below(most.max(1) as u64) as usize;
    let at = below(input.len());
    let to = (at + 1 + below(32)).min(input.len());
    match below(11) {
        _ if input.is_empty() => input.push(below(256) as u8),
        0 => input[at] ^= 1 << below(8),
        1 => input[at] = below(256) as u8,
        2 => _ = input.drain(at..to),
        3 => input.truncate(at),
        4 => {
            let part = input[at..to].to_vec();
            let most = if below(8) == 0 { 2000 } else { 4 };
            let times = 1 + below(most);
            input.splice(at..at, part.repeat(times));
        }
        5 => {
            let bytes = NUMBERS[below(NUMBERS.len())].to_le_bytes();
            let width = [1, 2, 4, 8][below(4)].min(input.len() - at);
            input[at..at + width].copy_from_slice(&bytes[..width]);
        }
        6 => {
            // A number in letters becomes another.
            let digits = |byte: &u8| byte.is_ascii_digit();
            let Some(start) = input[at..].iter().position(digits).map(|start| at + start) else { return };
            let end = input[start..].iter().position(|byte| !digits(byte)).map_or(input.len(), |end| start + end);
            input.splice(start..end, NUMBERS[below(NUMBERS.len())].to_string().into_bytes());
        }
        7 => {
            let other = &kept[below(kept.len())];
            let from = below(other.len());
            let part = other[from..(from + below(200)).min(other.len())].to_vec();
            input.splice(at..to, part);
        }
        8 => {
            let (one, other) = (below(input.len()), below(input.len()));
            input.swap(one, other);
        }
        _ if words.is_empty() => input[at] = 0,
        9 => _ = input.splice(at..at, words[below(words.len())].iter().copied()),
        _ => _ = input.splice(at..to, words[below(words.len())].iter().copied()),
    }
}
