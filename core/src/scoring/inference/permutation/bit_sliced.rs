//! 512 permutations at once, one bit each: whether the fifth neighbour of a class is met, how far away it was, and the score that follows, by
//! addition and subtraction of bit planes (bit-slicing; Biham 1997).

#![expect(clippy::needless_range_loop, reason = "loops over words of several arrays are what the compiler turns into lanes")]

use super::order::{NeighborKey, NeighborOrder};
use crate::numeric::{multiversion::multiversion, special::log2_lane};
use std::cmp::Ordering;

/// Permutations of a block.
pub(super) const LANES: usize = 512;
const WORDS: usize = LANES / 64;
/// One bit a permutation.
pub(super) type PermutationBits = [u64; WORDS];

/// Which nearest neighbour of each class a score is made of.
pub(super) const NEIGHBOUR: usize = 5;

/// Bits of the log distance of a class's fifth neighbour, in quanta around its expected value.
const PLANES: usize = 9;
/// Quanta in the range of scores.
const QUANTA: f64 = 256.0;
/// Bits of a score, the difference of two such distances, in two's complement.
const SCORE_PLANES: usize = 12;
/// The greatest difference of both expected values, in quanta.
const FARTHEST_SHIFT: f64 = 1500.0;

/// Scores are rounded to so many steps, which are equally frequent.
pub(super) const STEPS: usize = 64;

/// Score and own label under every permutation: the lower byte of the score, then its upper bits and the label. See [`permutation_at`].
pub(super) type ScoreCodes = [[[u8; 64]; 8]; 2];

/// The permutation that `codes[…][row][column]` belongs to.
pub(super) fn permutation_at(row: usize, column: usize) -> usize {
    column * 8 + row
}

/// Counts to five in every bit: the k-th array holds the bits that were set k times or more.
#[derive(Clone, Copy)]
pub(super) struct CountToFive<const W: usize>([[u64; W]; NEIGHBOUR]);

impl<const W: usize> CountToFive<W> {
    /// All counts 0.
    pub(super) const NONE: Self = CountToFive([[0; W]; NEIGHBOUR]);

    /// Counts one more in the bits of `these`; returns the bits that reach five now.
    #[inline(always)]
    pub(super) fn meet(&mut self, these: &[u64; W]) -> [u64; W] {
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

    /// Whether all bits have reached five.
    pub(super) fn all(&self) -> bool {
        self.missing().iter().all(|word| *word == 0)
    }

    /// The bits that have not reached five.
    pub(super) fn missing(&self) -> [u64; W] {
        self.0[NEIGHBOUR - 1].map(|word| !word)
    }
}

/// Rounds scores to steps. A score is a difference of two log₂ of squared distances.
pub(super) struct ScoreQuantizer {
    quantum: f64,
    /// What log₂ 0 counts as.
    log_of_zero: f64,
    /// By both bytes of a code: twice the step, plus the label.
    steps: Vec<u8>,
    has_tie: bool,
}

impl ScoreQuantizer {
    /// From a sample of members under some permutations: log₂ of the squared distances to the fifth of the second class, and of the first. There
    /// is one at least.
    pub(super) fn new(fifths: &[[f64; 2]]) -> Self {
        // A neighbour at distance 0 counts as nearer than all others by more than these differ among themselves.
        let not_zero = sorted(fifths.iter().flatten().copied().filter(|log| *log > LOG_OF_ZERO));
        let log_of_zero = match (trimmed_range(&not_zero), fifths.iter().flatten().any(|log| *log <= LOG_OF_ZERO)) {
            (Some([low, high]), true) => low - (high - low) - 1.0,
            (Some(_), false) => LOG_OF_ZERO,
            (None, _) => 0.0,
        };
        let score = |[second, first]: &[f64; 2]| second.max(log_of_zero) - first.max(log_of_zero);
        let scores = sorted(fifths.iter().map(score));
        let tie = tie(&scores);
        // The range is that of the scores that are not tied, extended to the tie.
        let others: Vec<f64> = scores.iter().copied().filter(|score| Some(*score) != tie).collect();
        let range = trimmed_range(&others)
            .map_or(0.0, |[low, high]| tie.map_or(high, |tie| tie.max(high)) - tie.map_or(low, |tie| tie.min(low)));
        let quantum = (range / QUANTA).max(1e-9);
        let quanta = |score: f64| (score / quantum).clamp(-2048.0, 2047.0).round() as i32;
        let steps = Steps::new(others.iter().map(|score| quanta(*score)).collect(), tie.map(quanta));
        let step = |code: usize| steps.of(((code << 20) as i32) >> 20);
        let steps = (0..2 << SCORE_PLANES)
            .map(|code| step(code & ((1 << SCORE_PLANES) - 1)) << 1 | (code >> SCORE_PLANES) as u8)
            .collect();
        ScoreQuantizer { quantum, log_of_zero, steps, has_tie: tie.is_some() }
    }

    /// Whether more than half of the scores are equal.
    pub(super) fn has_tie(&self) -> bool {
        self.has_tie
    }

    /// Twice the step, plus the label.
    #[inline(always)]
    pub(super) fn step(&self, [low, high]: [u8; 2]) -> usize {
        usize::from(self.steps[usize::from(low) | usize::from(high) << 8]) % (2 * STEPS)
    }
}

/// Equally frequent steps. A score that more than half of the sample has gets a step of its own.
struct Steps {
    /// The sample's scores below the tie, in quanta, sorted; all scores where there is no tie.
    below: Vec<i32>,
    /// The tied score and its step.
    tie: Option<(i32, usize)>,
    /// The scores above the tie.
    above: Vec<i32>,
}

impl Steps {
    /// `scores`: all but the tied ones, sorted.
    fn new(scores: Vec<i32>, tie: Option<i32>) -> Self {
        let Some(tie) = tie else { return Steps { below: scores, tie: None, above: vec![] } };
        let (mut below, mut above) = (scores.clone(), scores);
        below.retain(|score| *score < tie);
        above.retain(|score| *score > tie);
        let step = (STEPS - 1) * below.len() / (below.len() + above.len()).max(1);
        Steps { below, tie: Some((tie, step.clamp(1, STEPS - 2))), above }
    }

    /// The step of a score.
    fn of(&self, score: i32) -> u8 {
        let step = match self.tie {
            None => evenly(&self.below, score, STEPS),
            Some((tie, step)) => match score.cmp(&tie) {
                Ordering::Less => evenly(&self.below, score, step),
                Ordering::Equal => step,
                Ordering::Greater => step + 1 + evenly(&self.above, score, STEPS - 1 - step),
            },
        };
        step as u8
    }
}

/// The step of a score, of so many that are equally frequent among the sorted `scores`.
fn evenly(scores: &[i32], score: i32, steps: usize) -> usize {
    let (below, through) = (scores.partition_point(|other| *other < score), scores.partition_point(|other| *other <= score));
    ((below + through) * steps / (2 * scores.len()).max(1)).min(steps - 1)
}

/// The score that more than half of the sorted scores have, if there is one.
fn tie(sorted: &[f64]) -> Option<f64> {
    let middle = *sorted.get(sorted.len() / 2)?;
    let tied = sorted.partition_point(|score| *score <= middle) - sorted.partition_point(|score| *score < middle);
    (2 * tied > sorted.len()).then_some(middle)
}

/// Below log₂ of any squared distance that is not 0.
const LOG_OF_ZERO: f64 = -1000.0;

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The least and the greatest without the outermost hundredth on each side.
fn trimmed_range(sorted: &[f64]) -> Option<[f64; 2]> {
    let cut = sorted.len() / 100;
    Some([*sorted.get(cut)?, sorted[sorted.len() - 1 - cut]])
}

/// One member's neighbours, nearest first, that permutations walk along.
#[derive(Default)]
pub(super) struct NeighborPath {
    keys: Vec<NeighborKey>,
    /// Members.
    pub neighbours: Vec<u32>,
    /// log₂ of their squared distances.
    pub logs: Vec<f64>,
    /// The same in quanta, by class (second, first), each around its expected value.
    values: [Vec<u16>; 2],
    /// The difference of both expected values, in quanta.
    shift: i32,
}

impl NeighborPath {
    /// Sets the path to that of a member, of at most `far` neighbours.
    pub(super) fn follow(&mut self, order: &NeighborOrder, member: usize, far: usize) {
        let NeighborPath { keys, neighbours, logs, .. } = self;
        order.nearest(member, far, keys);
        neighbours.clear();
        neighbours.extend(keys.iter().map(|key| order.member(*key)));
        logs.clear();
        logs.extend(keys.iter().map(|key| order.square(*key)));
        log2_all(logs);
    }

    /// Sets distances in quanta. `expected`: the neighbour at which the fifth of each class is expected.
    pub(super) fn quantize(&mut self, quantizer: &ScoreQuantizer, expected: [usize; 2]) {
        self.logs.iter_mut().for_each(|log| *log = log.max(quantizer.log_of_zero));
        let centres = expected.map(|index| self.logs[index.min(self.logs.len() - 1)]);
        for (values, centre) in self.values.iter_mut().zip(centres) {
            values.clear();
            values.resize(self.logs.len(), 0);
            in_quanta(&self.logs, centre, 1.0 / quantizer.quantum, values);
        }
        let shift = (centres[0] - centres[1]) / quantizer.quantum;
        self.shift = shift.clamp(-FARTHEST_SHIFT, FARTHEST_SHIFT).round() as i32;
    }

    /// Writes into `codes` the score, by permutation, of the member whose path this is and whose labels are `own`. `labels`: by member, the
    /// bit is set for the first class.
    pub(super) fn walk(&mut self, labels: &[PermutationBits], own: &PermutationBits, codes: &mut ScoreCodes) {
        let mut classes = [ClassCounts::NONE; 2];
        let mut at = 0;
        // Both classes, until all permutations have met five of the commoner; then the rarer alone.
        while at < self.neighbours.len() && !classes.iter().any(|class| class.met.all()) {
            let to = (at + 8).min(self.neighbours.len());
            along_both(&self.neighbours[at..to], [&self.values[0][at..to], &self.values[1][at..to]], labels, &mut classes);
            at = to;
        }
        for ((class, values), flip) in classes.iter_mut().zip(&self.values).zip([u64::MAX, 0]) {
            if !class.met.all() {
                along(&self.neighbours[at..], &values[at..], labels, flip, class);
            }
            class.mark(&class.met.missing(), values.last().copied().unwrap_or(0));
        }
        encode(&classes[0].planes, &classes[1].planes, self.shift, own, codes);
    }
}

/// Which permutations have met five of a class, and how far away the fifth was: bit k of the distance is in plane k.
#[derive(Clone, Copy)]
struct ClassCounts {
    met: CountToFive<WORDS>,
    planes: [PermutationBits; PLANES],
}

/// By a number of three bits: for each bit all ones if it is set, else 0.
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
    /// `flip`: all ones for the second class, whose bit is not set.
    fn along(neighbours: &[u32], values: &[u16], labels: &[PermutationBits], flip: u64, class: &mut ClassCounts) = along_kernel
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
fn along_kernel(neighbours: &[u32], values: &[u16], labels: &[PermutationBits], flip: u64, class: &mut ClassCounts) {
    let mut one = *class;
    for (neighbour, value) in neighbours.iter().zip(values) {
        one.meet(&labels[*neighbour as usize].map(|word| word ^ flip), *value);
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

/// Adds a term plane by plane, and `carry` to the lowest: a full adder in every bit.
#[inline(always)]
fn add(sum: &mut [PermutationBits; SCORE_PLANES], term: impl Fn(usize) -> PermutationBits, carry: u64) {
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

/// The score: the log distance to the fifth of the second class less that of the first, plus `shift`.
#[inline(always)]
fn encode_kernel(
    second: &[PermutationBits; PLANES],
    first: &[PermutationBits; PLANES],
    shift: i32,
    own: &PermutationBits,
    codes: &mut ScoreCodes,
) {
    const ALL: u64 = u64::MAX;
    let mut score = [[0; WORDS]; SCORE_PLANES];
    score[..PLANES].copy_from_slice(second);
    // −x = !x + 1.
    add(&mut score, |plane| first.get(plane).map_or([ALL; WORDS], |first| first.map(|word| !word)), ALL);
    add(&mut score, |plane| [if (shift >> plane) & 1 == 1 { ALL } else { 0 }; WORDS], 0);
    for (part, codes) in codes.iter_mut().enumerate() {
        let mut rows = [[0; WORDS]; 8];
        for (row, plane) in rows.iter_mut().zip(8 * part..SCORE_PLANES) {
            *row = score[plane];
        }
        if part == 1 {
            rows[SCORE_PLANES - 8] = *own;
        }
        transpose(rows, codes);
    }
}

/// Transposes blocks of 8 × 8 bits (Warren, Hacker's Delight, 7-3): one byte a permutation.
#[inline(always)]
fn transpose(mut rows: [PermutationBits; 8], codes: &mut [[u8; 64]; 8]) {
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
