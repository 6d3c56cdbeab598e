//! 512 permutations beside each other, one bit each: who has met its fifth neighbour of a class, how far away that was, and what
//! score comes of it, in sums and differences of bits (bit-slicing; Biham 1997).

#![expect(clippy::needless_range_loop, reason = "loops over words side by side are what becomes lanes")]

use super::order::{Key, Places};
use crate::numeric::{fused::fused, special::log2_lane};

pub const LANES: usize = 512;
const WORDS: usize = LANES / 64;
/// One bit a permutation.
pub type Bits = [u64; WORDS];

/// Of a class.
pub const NEIGHBOUR: usize = 5;

/// Steps into which scores are sorted.
pub const STEPS: usize = 64;
/// A distance is kept in fourths of a step: 128 steps around what is expected of its class.
const FOURTHS: f64 = 4.0;
const PLANES: usize = 9;
/// A difference of two distances, shifted: in two's complement.
const WIDE: usize = 12;
const FARTHEST_SHIFT: f64 = 1500.0;

/// Step and own label of every permutation: see [`turn`].
pub type Codes = [[u8; 64]; 8];
/// The label is the lowest bit of a code.
pub const CODES: usize = 2 * STEPS;

/// Which permutation `codes[row][column]` is of.
pub fn turn(row: usize, column: usize) -> usize {
    column * 8 + row
}

/// Counts to five, a bit each: who has met so many.
#[derive(Clone, Copy)]
pub struct Met<const W: usize>([[u64; W]; NEIGHBOUR]);

impl<const W: usize> Met<W> {
    pub const NONE: Self = Met([[0; W]; NEIGHBOUR]);

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

/// How distances are cut into steps: in log₂ of their squares, of which a score is the difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    lowest: f64,
    fourth: f64,
}

impl Scale {
    /// Over all but the outermost hundredths of these scores; there is one at least.
    pub fn of(scores: &mut [f64]) -> Self {
        scores.sort_unstable_by(f64::total_cmp);
        let out = scores.len() / 100;
        let (lowest, highest) = (scores[out], scores[scores.len() - 1 - out]);
        Scale { lowest, fourth: ((highest - lowest) / (STEPS as f64 * FOURTHS)).max(1e-9) }
    }
}

/// One member's neighbours, nearest first: what permutations walk along.
#[derive(Default)]
pub struct Path {
    keys: Vec<Key>,
    pub neighbours: Vec<u32>,
    /// log₂ of the squared distance.
    pub logs: Vec<f64>,
    /// The same in fourths of a step, by class (second, first).
    values: [Vec<u16>; 2],
    shift: i32,
}

impl Path {
    /// To as many as `far` neighbours.
    pub fn follow(&mut self, places: &Places, member: usize, far: usize) {
        let Path { keys, neighbours, logs, .. } = self;
        places.nearest(member, far, keys);
        neighbours.clear();
        neighbours.extend(keys.iter().map(|key| places.member(*key)));
        // Who is at the very place has no logarithm: a tenth as far as the nearest elsewhere, so that steps stay narrow.
        let squares = keys.iter().map(|key| places.square(*key));
        let least = squares.clone().find(|square| *square > 0.0).map_or(0.0, |square| square / 100.0);
        logs.clear();
        logs.extend(squares.map(|square| square.max(least)));
        log2_all(logs);
    }

    /// `expected`: places at which the fifth of each class is expected.
    pub fn scale(&mut self, scale: &Scale, expected: [usize; 2]) {
        let centres = expected.map(|place| self.logs[place.min(self.logs.len() - 1)]);
        for (values, centre) in self.values.iter_mut().zip(centres) {
            values.clear();
            values.resize(self.logs.len(), 0);
            in_fourths(&self.logs, centre, 1.0 / scale.fourth, values);
        }
        let shift = (centres[0] - centres[1] - scale.lowest) / scale.fourth;
        self.shift = shift.clamp(-FARTHEST_SHIFT, FARTHEST_SHIFT).round() as i32;
    }

    /// Into `codes`: the score of the member whose path this is and whose labels are `own`, by permutation. `labels`: of every
    /// member, the first class or the second.
    pub fn walk(&mut self, labels: &[Bits], own: &Bits, codes: &mut Codes) {
        let mut classes = [Class::NONE; 2];
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
struct Class {
    met: Met<WORDS>,
    planes: [Bits; PLANES],
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

impl Class {
    const NONE: Self = Class { met: Met::NONE, planes: [[0; WORDS]; PLANES] };

    #[inline(always)]
    fn meet(&mut self, these: &Bits, value: u16) {
        let now = self.met.meet(these);
        self.mark(&now, value);
    }

    #[inline(always)]
    fn mark(&mut self, these: &Bits, value: u16) {
        for plane in 0..PLANES {
            let mask = MASKS[usize::from(value >> (plane / 3 * 3)) & 7][plane % 3];
            for word in 0..WORDS {
                self.planes[plane][word] |= these[word] & mask;
            }
        }
    }
}

fused! { fn along_both(neighbours: &[u32], values: [&[u16]; 2], labels: &[Bits], classes: &mut [Class; 2]) = along_both_kernel }
fused! {
    /// `turned`: all ones for the class of those whose bit is not set.
    fn along(neighbours: &[u32], values: &[u16], labels: &[Bits], turned: u64, class: &mut Class) = along_kernel
}
fused! { fn encode(second: &[Bits; PLANES], first: &[Bits; PLANES], shift: i32, own: &Bits, codes: &mut Codes) = encode_kernel }
fused! { fn log2_all(values: &mut [f64]) = log2_all_kernel }
fused! { fn in_fourths(logs: &[f64], centre: f64, per_log: f64, values: &mut [u16]) = in_fourths_kernel }

// The classes are copied, so that they stay in registers.
#[inline(always)]
fn along_both_kernel(neighbours: &[u32], values: [&[u16]; 2], labels: &[Bits], classes: &mut [Class; 2]) {
    let [mut second, mut first] = *classes;
    for ((neighbour, of_second), of_first) in neighbours.iter().zip(values[0]).zip(values[1]) {
        let bits = &labels[*neighbour as usize];
        first.meet(bits, *of_first);
        second.meet(&bits.map(|word| !word), *of_second);
    }
    *classes = [second, first];
}

#[inline(always)]
fn along_kernel(neighbours: &[u32], values: &[u16], labels: &[Bits], turned: u64, class: &mut Class) {
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
fn in_fourths_kernel(logs: &[f64], centre: f64, per_log: f64, values: &mut [u16]) {
    const MIDDLE: f64 = (1 << (PLANES - 1)) as f64;
    for (value, log) in values.iter_mut().zip(logs) {
        *value = ((log - centre) * per_log + (MIDDLE + 0.5)).clamp(0.0, 2.0 * MIDDLE - 1.0) as i32 as u16;
    }
}

/// Adds a term plane by plane, and `carry` to the lowest: a full adder of every bit.
#[inline(always)]
fn add(sum: &mut [Bits; WIDE], term: impl Fn(usize) -> Bits, carry: u64) {
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
fn encode_kernel(second: &[Bits; PLANES], first: &[Bits; PLANES], shift: i32, own: &Bits, codes: &mut Codes) {
    const ALL: u64 = u64::MAX;
    let mut score = [[0; WORDS]; WIDE];
    score[..PLANES].copy_from_slice(second);
    // Less is plus all bits turned, and one.
    add(&mut score, |plane| first.get(plane).map_or([ALL; WORDS], |first| first.map(|word| !word)), ALL);
    add(&mut score, |plane| [if (shift >> plane) & 1 == 1 { ALL } else { 0 }; WORDS], 0);
    // Fourths go; what is below the first step is in the first, what is above the last in the last.
    let mut rows = [[0; WORDS]; 8];
    rows[0] = *own;
    for word in 0..WORDS {
        let (below, above) = (score[11][word], score[8][word] | score[9][word] | score[10][word]);
        for bit in 0..6 {
            rows[bit + 1][word] = (score[bit + 2][word] | above) & !below;
        }
    }
    // Eight rows of bits become eight columns (Warren, Hacker's Delight, 7-3): one byte a permutation.
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
