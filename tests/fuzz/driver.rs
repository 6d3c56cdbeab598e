//! Damages inputs and gives them to a target until its time is over. Without coverage: an input is kept for further damage if the target
//! answers it as it answered none before. The same seed makes the same inputs.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
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
    /// What panicked, or took too long: why, and the input.
    pub found: Vec<(String, Vec<u8>)>,
}

/// A hostile input is refused in two seconds; other programs run beside the tests.
const TOO_LONG: Duration = Duration::from_secs(2);
const LONGEST: usize = 1 << 20;
const MOST_KEPT: usize = 4000;
const MOST_FOUND: usize = 5;

/// Gives a target damaged inputs, for so long or so many.
pub(crate) fn fuzz(target: &FuzzTarget, seed: u64, time: Duration, most: u64) -> Fuzzed {
    let begun = Instant::now();
    let mut kept = target.seeds.clone();
    let (mut answers, mut found, mut slowest, mut inputs) = (HashSet::new(), vec![], Duration::ZERO, 0);
    while inputs < most && begun.elapsed() < time && found.len() < MOST_FOUND {
        let mut stream = PhiloxStream::for_test(seed, inputs);
        let input = match kept.get(inputs as usize).filter(|_| inputs < target.seeds.len() as u64) {
            Some(whole) => whole.clone(),
            None => damaged(&kept, target.words, &mut stream),
        };
        inputs += 1;
        let one = Instant::now();
        let answer = catch_unwind(AssertUnwindSafe(|| (target.read)(&input)));
        let took = one.elapsed();
        slowest = slowest.max(took);
        match answer {
            Err(panic) => {
                let said = panic.downcast_ref::<String>().cloned();
                let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
                found.push((format!("a panic: {}", said.unwrap_or_default()), input));
            }
            Ok(_) if took > TOO_LONG && again(target, &input) > TOO_LONG => found.push((format!("{took:?}"), input)),
            Ok(answer) => {
                let kind: String = answer.chars().filter(|c| !c.is_numeric()).take(80).collect();
                if answers.insert(kind) && kept.len() < MOST_KEPT {
                    kept.push(input);
                }
            }
        }
    }
    Fuzzed { inputs, seconds: begun.elapsed().as_secs_f64(), answers: answers.len(), slowest, found }
}

/// How long an input takes when it is read once more.
fn again(target: &FuzzTarget, input: &[u8]) -> Duration {
    let begun = Instant::now();
    (target.read)(input);
    begun.elapsed()
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
