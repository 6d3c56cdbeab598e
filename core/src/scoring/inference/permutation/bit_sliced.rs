//! 512 permutations beside each other, one bit each: who has met its fifth neighbour of a class, how far away that was, and what
//! score comes of it, in sums and differences of bits (bit-slicing; Biham 1997).

#![expect(clippy::needless_range_loop, reason = "loops over words side by side are what becomes lanes")]

use super::order::{NeighborKey, Places};
use crate::numeric::{multiversion::multiversion, special::log2_lane};
use std::cmp::Ordering;

pub const LANES: usize = 512;
const WORDS: usize = LANES / 64;
/// One bit a permutation.
pub type PermutationBits = [u64; WORDS];

/// The neighbour of a class that a score asks for.
pub const NEIGHBOUR: usize = 5;

/// A class's fifth is kept in so many bits, as quanta around what is expected of it; there are 256 in the range of scores.
const PLANES: usize = 9;
const QUANTA: f64 = 256.0;
/// A score, the difference of two fifths, is kept in so many, in two's complement.
const WIDE: usize = 12;
const FARTHEST_SHIFT: f64 = 1500.0;

/// Scores are counted in so many steps, which are met equally often.
pub const STEPS: usize = 64;

/// Score and own label of every permutation: the lower bits, then the upper ones and the label. See [`turn`].
pub type ScoreCodes = [[[u8; 64]; 8]; 2];

/// Which permutation `codes[…][row][column]` is of.
pub fn turn(row: usize, column: usize) -> usize {
    column * 8 + row
}

/// Counts to five, a bit each: who has met so many.
#[derive(Clone, Copy)]
pub struct CountToFive<const W: usize>([[u64; W]; NEIGHBOUR]);

impl<const W: usize> CountToFive<W> {
    pub const NONE: Self = CountToFive([[0; W]; NEIGHBOUR]);

    /// One more for these; who meets the fifth now.
    #[inline(always)]
    pub fn meet(&mut self, these: &[u64; W]) -> [u64; W] {
        let [one, two, three, four, five] = &mut self.0;
        let mut now = [0; W];
        for word in 0..W {
            let bits = these[word];
            now[word] = four[word] & bits & !five[word];
            five[word] |= four[word] & bits;
            four[word] |= three[word] & bits;
            three[word] |= two[word] & bits;
            two[word] |= one[word] & bits;
            one[word] |= bits;
        }
        now
    }

    pub fn all(&self) -> bool {
        self.missing().iter().all(|word| *word == 0)
    }

    pub fn missing(&self) -> [u64; W] {
        self.0[NEIGHBOUR - 1].map(|word| !word)
    }
}

/// How scores are cut, in log₂ of squared distances, whose differences they are.
pub struct ScoreQuantizer {
    quantum: f64,
    /// What the very place counts as.
    nought: f64,
    /// By code, both bytes of it: step and label.
    steps: Vec<u8>,
    has_tie: bool,
}

impl ScoreQuantizer {
    /// From fifths of some members under some permutations, of the second class and the first: there is one at least.
    pub fn of(fifths: &[[f64; 2]]) -> Self {
        // Who is at the very place is nearer than anybody else by more than these differ among themselves.
        let elsewhere = sorted(fifths.iter().flatten().copied().filter(|log| *log > NOWHERE));
        let nought = match (middle(&elsewhere), fifths.iter().flatten().any(|log| *log <= NOWHERE)) {
            (Some([low, high]), true) => low - (high - low) - 1.0,
            (Some(_), false) => NOWHERE,
            (None, _) => 0.0,
        };
        let score = |[second, first]: &[f64; 2]| second.max(nought) - first.max(nought);
        let scores = sorted(fifths.iter().map(score));
        let tie = tie(&scores);
        // What most have says nothing of how the others differ: these alone tell the range, as far as from the tie.
        let others: Vec<f64> = scores.iter().copied().filter(|score| Some(*score) != tie).collect();
        let range = middle(&others)
            .map_or(0.0, |[low, high]| tie.map_or(high, |tie| tie.max(high)) - tie.map_or(low, |tie| tie.min(low)));
        let quantum = (range / QUANTA).max(1e-9);
        let place = |score: f64| (score / quantum).clamp(-2048.0, 2047.0).round() as i32;
        let steps = Steps::new(others.iter().map(|score| place(*score)).collect(), tie.map(place));
        let step = |code: usize| steps.of(((code << 20) as i32) >> 20);
        let steps = (0..2 << WIDE).map(|code| step(code & ((1 << WIDE) - 1)) << 1 | (code >> WIDE) as u8).collect();
        ScoreQuantizer { quantum, nought, steps, has_tie: tie.is_some() }
    }

    /// Are more than half of the scores the same?
    pub fn has_tie(&self) -> bool {
        self.has_tie
    }

    /// Twice the step, and the label.
    #[inline(always)]
    pub fn step(&self, [low, high]: [u8; 2]) -> usize {
        usize::from(self.steps[usize::from(low) | usize::from(high) << 8]) % (2 * STEPS)
    }
}

/// Which step each place on the scale is: as many scores meet each. What more than half of the scores are has a step of its own.
struct Steps {
    below: Vec<i32>,
    tie: Option<(i32, usize)>,
    above: Vec<i32>,
}

impl Steps {
    /// `places`: of all scores but the tie's, sorted.
    fn new(places: Vec<i32>, tie: Option<i32>) -> Self {
        let Some(tie) = tie else { return Steps { below: places, tie: None, above: vec![] } };
        let (mut below, mut above) = (places.clone(), places);
        below.retain(|place| *place < tie);
        above.retain(|place| *place > tie);
        let step = (STEPS - 1) * below.len() / (below.len() + above.len()).max(1);
        Steps { below, tie: Some((tie, step.clamp(1, STEPS - 2))), above }
    }

    fn of(&self, place: i32) -> u8 {
        let step = match self.tie {
            None => evenly(&self.below, place, STEPS),
            Some((tie, step)) => match place.cmp(&tie) {
                Ordering::Less => evenly(&self.below, place, step),
                Ordering::Equal => step,
                Ordering::Greater => step + 1 + evenly(&self.above, place, STEPS - 1 - step),
            },
        };
        step as u8
    }
}

/// Which of so many steps a place is, if as many of the sorted `places` are to meet each.
fn evenly(places: &[i32], place: i32, steps: usize) -> usize {
    let (below, through) = (places.partition_point(|of| *of < place), places.partition_point(|of| *of <= place));
    ((below + through) * steps / (2 * places.len()).max(1)).min(steps - 1)
}

/// What more than half of the sorted scores are, if there is such a score.
fn tie(sorted: &[f64]) -> Option<f64> {
    let middle = *sorted.get(sorted.len() / 2)?;
    let with = sorted.partition_point(|score| *score <= middle) - sorted.partition_point(|score| *score < middle);
    (2 * with > sorted.len()).then_some(middle)
}

/// log₂ of less than any squared distance that is not nought.
const NOWHERE: f64 = -1000.0;

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// All but the outermost hundredths.
fn middle(sorted: &[f64]) -> Option<[f64; 2]> {
    let out = sorted.len() / 100;
    Some([*sorted.get(out)?, sorted[sorted.len() - 1 - out]])
}

/// One member's neighbours, nearest first: what permutations walk along.
#[derive(Default)]
pub struct NeighborPath {
    keys: Vec<NeighborKey>,
    pub neighbours: Vec<u32>,
    /// log₂ of the squared distance.
    pub logs: Vec<f64>,
    /// The same in quanta, by class (second, first).
    values: [Vec<u16>; 2],
    shift: i32,
}

impl NeighborPath {
    /// To as many as `far` neighbours.
    pub fn follow(&mut self, places: &Places, member: usize, far: usize) {
        let NeighborPath { keys, neighbours, logs, .. } = self;
        places.nearest(member, far, keys);
        neighbours.clear();
        neighbours.extend(keys.iter().map(|key| places.member(*key)));
        logs.clear();
        logs.extend(keys.iter().map(|key| places.square(*key)));
        log2_all(logs);
    }

    /// `expected`: places at which the fifth of each class is expected.
    pub fn scale(&mut self, scale: &ScoreQuantizer, expected: [usize; 2]) {
        self.logs.iter_mut().for_each(|log| *log = log.max(scale.nought));
        let centres = expected.map(|place| self.logs[place.min(self.logs.len() - 1)]);
        for (values, centre) in self.values.iter_mut().zip(centres) {
            values.clear();
            values.resize(self.logs.len(), 0);
            in_quanta(&self.logs, centre, 1.0 / scale.quantum, values);
        }
        let shift = (centres[0] - centres[1]) / scale.quantum;
        self.shift = shift.clamp(-FARTHEST_SHIFT, FARTHEST_SHIFT).round() as i32;
    }

    /// Into `codes`: the score of the member whose path this is and whose labels are `own`, by permutation. `labels`: of every
    /// member, the first class or the second.
    pub fn walk(&mut self, labels: &[PermutationBits], own: &PermutationBits, codes: &mut ScoreCodes) {
        let mut classes = [ClassCounts::NONE; 2];
        let mut at = 0;
        // Both classes, until the commoner has been met five times by all; then the rarer.
        while at < self.neighbours.len() && !classes.iter().any(|class| class.met.all()) {
            let to = (at + 8).min(self.neighbours.len());
            along_both(&self.neighbours[at..to], [&self.values[0][at..to], &self.values[1][at..to]], labels, &mut classes);
            at = to;
        }
        for ((class, values), turned) in classes.iter_mut().zip(&self.values).zip([u64::MAX, 0]) {
            if !class.met.all() {
                along(&self.neighbours[at..], &values[at..], labels, turned, class);
            }
            class.mark(&class.met.missing(), values.last().copied().unwrap_or(0));
        }
        encode(&classes[0].planes, &classes[1].planes, self.shift, own, codes);
    }
}

/// Who has met five of a class, and how far away the fifth was: bit k of every permutation's distance in plane k.
#[derive(Clone, Copy)]
struct ClassCounts {
    met: CountToFive<WORDS>,
    planes: [PermutationBits; PLANES],
}

/// By three bits of a number: all ones where the bit is set.
const MASKS: [[u64; 3]; 8] = {
    let mut masks = [[0; 3]; 8];
    let mut at = 0;
    while at < 24 {
        if ((at / 3) >> (at % 3)) & 1 == 1 {
            masks[at / 3][at % 3] = u64::MAX;
        }
        at += 1;
    }
    masks
};

impl ClassCounts {
    const NONE: Self = ClassCounts { met: CountToFive::NONE, planes: [[0; WORDS]; PLANES] };

    #[inline(always)]
    fn meet(&mut self, these: &PermutationBits, value: u16) {
        let now = self.met.meet(these);
        self.mark(&now, value);
    }

    #[inline(always)]
    fn mark(&mut self, these: &PermutationBits, value: u16) {
        for plane in 0..PLANES {
            let mask = MASKS[usize::from(value >> (plane / 3 * 3)) & 7][plane % 3];
            for word in 0..WORDS {
                self.planes[plane][word] |= these[word] & mask;
            }
        }
    }
}

multiversion! { fn along_both(neighbours: &[u32], values: [&[u16]; 2], labels: &[PermutationBits], classes: &mut [ClassCounts; 2]) = along_both_kernel }
multiversion! {
    /// `turned`: all ones for the class of those whose bit is not set.
    fn along(neighbours: &[u32], values: &[u16], labels: &[PermutationBits], turned: u64, class: &mut ClassCounts) = along_kernel
}
multiversion! { fn encode(second: &[PermutationBits; PLANES], first: &[PermutationBits; PLANES], shift: i32, own: &PermutationBits, codes: &mut ScoreCodes) = encode_kernel }
multiversion! { fn log2_all(values: &mut [f64]) = log2_all_kernel }
multiversion! { fn in_quanta(logs: &[f64], centre: f64, per_log: f64, values: &mut [u16]) = in_quanta_kernel }

// The classes are copied, so that they stay in registers.
#[inline(always)]
fn along_both_kernel(neighbours: &[u32], values: [&[u16]; 2], labels: &[PermutationBits], classes: &mut [ClassCounts; 2]) {
    let [mut second, mut first] = *classes;
    for ((neighbour, of_second), of_first) in neighbours.iter().zip(values[0]).zip(values[1]) {
        let bits = &labels[*neighbour as usize];
        first.meet(bits, *of_first);
        second.meet(&bits.map(|word| !word), *of_second);
    }
    *classes = [second, first];
}

#[inline(always)]
fn along_kernel(neighbours: &[u32], values: &[u16], labels: &[PermutationBits], turned: u64, class: &mut ClassCounts) {
    let mut one = *class;
    for (neighbour, value) in neighbours.iter().zip(values) {
        one.meet(&labels[*neighbour as usize].map(|word| word ^ turned), *value);
    }
    *class = one;
}

#[inline(always)]
fn log2_all_kernel(values: &mut [f64]) {
    values.iter_mut().for_each(|value| *value = log2_lane(*value));
}

#[inline(always)]
fn in_quanta_kernel(logs: &[f64], centre: f64, per_log: f64, values: &mut [u16]) {
    const MIDDLE: f64 = (1 << (PLANES - 1)) as f64;
    for (value, log) in values.iter_mut().zip(logs) {
        *value = ((log - centre) * per_log + (MIDDLE + 0.5)).clamp(0.0, 2.0 * MIDDLE - 1.0) as i32 as u16;
    }
}

/// Adds a term plane by plane, and `carry` to the lowest: a full adder of every bit.
#[inline(always)]
fn add(sum: &mut [PermutationBits; WIDE], term: impl Fn(usize) -> PermutationBits, carry: u64) {
    let mut carry = [carry; WORDS];
    for (plane, sum) in sum.iter_mut().enumerate() {
        let term = term(plane);
        for word in 0..WORDS {
            let (a, b) = (sum[word], term[word]);
            sum[word] = a ^ b ^ carry[word];
            carry[word] = (a & b) | (carry[word] & (a ^ b));
        }
    }
}

/// The score is how much farther the fifth of the second class is than that of the first, shifted.
#[inline(always)]
fn encode_kernel(
    second: &[PermutationBits; PLANES],
    first: &[PermutationBits; PLANES],
    shift: i32,
    own: &PermutationBits,
    codes: &mut ScoreCodes,
) {
    const ALL: u64 = u64::MAX;
    let mut score = [[0; WORDS]; WIDE];
    score[..PLANES].copy_from_slice(second);
    // Less is plus all bits turned, and one.
    add(&mut score, |plane| first.get(plane).map_or([ALL; WORDS], |first| first.map(|word| !word)), ALL);
    add(&mut score, |plane| [if (shift >> plane) & 1 == 1 { ALL } else { 0 }; WORDS], 0);
    for (part, codes) in codes.iter_mut().enumerate() {
        let mut rows = [[0; WORDS]; 8];
        for (row, plane) in rows.iter_mut().zip(8 * part..WIDE) {
            *row = score[plane];
        }
        if part == 1 {
            rows[WIDE - 8] = *own;
        }
        turn_over(rows, codes);
    }
}

/// Eight rows of bits become eight columns (Warren, Hacker's Delight, 7-3): one byte a permutation.
#[inline(always)]
fn turn_over(mut rows: [PermutationBits; 8], codes: &mut [[u8; 64]; 8]) {
    for (step, mask) in [(4, 0x0F0F_0F0F_0F0F_0F0F), (2, 0x3333_3333_3333_3333), (1, 0x5555_5555_5555_5555)] {
        for row in (0..8).filter(|row| row & step == 0) {
            for word in 0..WORDS {
                let swapped = ((rows[row][word] >> step) ^ rows[row + step][word]) & mask;
                rows[row + step][word] ^= swapped;
                rows[row][word] ^= swapped << step;
            }
        }
    }
    for (codes, row) in codes.iter_mut().zip(rows) {
        for (codes, word) in codes.as_chunks_mut::<8>().0.iter_mut().zip(row) {
            *codes = word.to_le_bytes();
        }
    }
}
