//! Counter-based random numbers: Philox 4×32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", SC 2011). The n-th number of a stream is a function of (seed, stream, n), so any thread can draw any of them.

use super::{multiversion::multiversion, purpose::Purpose, special::ln};

/// One independent sequence of random numbers.
#[derive(Clone, Debug)]
pub struct PhiloxStream {
    key: [u32; 2],
    stream: u64,
    /// The next position, and above it the purpose's domain: see [`super::purpose`].
    block: u64,
    /// Numbers that are made and not yet drawn: the last `left` of these.
    buffer: [u64; 2],
    left: usize,
}

impl PhiloxStream {
    /// The sequence of this purpose and index under a seed. Tests draw theirs by [`PhiloxStream::for_test`].
    ///
    /// # Panics
    /// If the purpose has no sequence of this index.
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let range = purpose.range();
        assert!(index < range.most, "{purpose:?} has {} sequences, not one numbered {index}", range.most);
        PhiloxStream { block: u64::from(range.domain) << POSITION, ..PhiloxStream::for_test(seed, range.first + index) }
    }

    /// A sequence that is not registered, for made-up data of tests and benches. What the program draws has a [`Purpose`].
    pub fn for_test(seed: u64, stream: u64) -> Self {
        PhiloxStream { key: [seed as u32, (seed >> 32) as u32], stream, block: 0, buffer: [0; 2], left: 0 }
    }

    /// What is enciphered at a position.
    #[cfg(test)]
    pub(super) fn counter(&self, position: u64) -> [u32; 4] {
        counter(self.block + position, self.stream)
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        if self.left == 0 {
            let mut block = [[0; 2]];
            blocks_kernel(self.block, self.stream, self.key, &mut block);
            [self.buffer] = block;
            self.left = 2;
            self.block += 1;
        }
        self.left -= 1;
        self.buffer[1 - self.left]
    }

    /// Uniform on 0 … n − 1 without bias (Lemire 2019).
    pub fn below(&mut self, n: u64) -> u64 {
        let mut product = u128::from(self.bits()) * u128::from(n);
        // The division is only for the few products that could be biased.
        if (product as u64) < n {
            while (product as u64) < n.wrapping_neg() % n {
                product = u128::from(self.bits()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// Draws `n` times one of 0 … n − 1, and calls `drawn` with each (Lemire 2019, on 32 bits, two from 64). `n` is below 2³².
    pub fn with_replacement(&mut self, n: usize, mut drawn: impl FnMut(usize)) {
        debug_assert!((n as u64) < 1 << 32);
        let (mut left, n) = (n, n as u64);
        let mut use_bits = |bits: u64| {
            for half in [bits & 0xFFFF_FFFF, bits >> 32] {
                let product = half * n;
                // The division is only for the few products that could be biased.
                if left > 0 && (product & 0xFFFF_FFFF >= n || product & 0xFFFF_FFFF >= (1 << 32) % n) {
                    drawn((product >> 32) as usize);
                    left -= 1;
                }
            }
            left.div_ceil(2)
        };
        let mut wanted = (n as usize).div_ceil(2);
        let mut many = [[0; 2]; 32];
        while wanted > 0 {
            let blocks = (wanted / 2).min(many.len());
            if self.left > 0 || blocks == 0 {
                wanted = use_bits(self.bits());
                continue;
            }
            blocks_of(self.block, self.stream, self.key, &mut many[..blocks]);
            self.block += blocks as u64;
            many[..blocks].iter().flatten().for_each(|bits| wanted = use_bits(*bits));
        }
    }

    /// Uniform on [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Two independent normal numbers of mean 0 and this standard deviation (Box and Muller 1958).
    pub fn normals(&mut self, deviation: f64) -> [f64; 2] {
        let radius = (-2.0 * ln(1.0 - self.uniform())).sqrt() * deviation;
        let angle = std::f64::consts::TAU * self.uniform();
        [radius * libm::cos(angle), radius * libm::sin(angle)]
    }

    /// A uniform permutation (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

/// The 64 random bits at a position of a sequence: SplitMix64 (Steele, Lea and Flood 2014). For millions of draws of little weight each;
/// otherwise use a [`PhiloxStream`].
#[inline(always)]
pub fn mixed(sequence: u64, position: u64) -> u64 {
    let mut bits = sequence.wrapping_add(position.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}

/// Bits of a position in a sequence: more than can be drawn in a day.
const POSITION: u32 = 48;

multiversion! { fn blocks_of(first: u64, stream: u64, key: [u32; 2], blocks: &mut [[u64; 2]]) = blocks_kernel }

#[inline(always)]
fn blocks_kernel(first: u64, stream: u64, key: [u32; 2], blocks: &mut [[u64; 2]]) {
    for (at, block) in (first..).zip(blocks) {
        let [a, b, c, d] = philox(counter(at, stream), key).map(u64::from);
        *block = [a << 32 | b, c << 32 | d];
    }
}

#[inline(always)]
fn counter(block: u64, stream: u64) -> [u32; 4] {
    [block as u32, (block >> 32) as u32, stream as u32, (stream >> 32) as u32]
}

#[inline(always)]
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let (a, b) = (u64::from(counter[0]) * 0xD251_1F53, u64::from(counter[2]) * 0xCD9E_8D57);
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers from the authors' Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// The number that follows does not depend on how the numbers before it were drawn.
    #[test]
    fn draws_with_replacement_are_the_stream_in_halves() {
        for n in [0, 1, 2, 3, 64, 127, 128, 129, 1000, 1131] {
            for before in 0..3 {
                let (mut one, mut other) = (PhiloxStream::for_test(3, n), PhiloxStream::for_test(3, n));
                (0..before).for_each(|_| assert_eq!(one.bits(), other.bits()));
                let mut drawn = vec![];
                one.with_replacement(n as usize, |of| drawn.push(of as u64));
                let words = (0..n.div_ceil(2)).map(|_| other.bits()).collect::<Vec<_>>();
                let halves = words.iter().flat_map(|word| [word & 0xFFFF_FFFF, word >> 32]);
                assert_eq!(drawn, halves.map(|half| (half * n) >> 32).take(n as usize).collect::<Vec<_>>());
                assert_eq!(one.bits(), other.bits());
            }
        }
    }

    #[test]
    fn streams_are_uniform_and_do_not_repeat_each_other() {
        let draw = |stream| {
            let mut stream = PhiloxStream::for_test(7, stream);
            (0..6000).map(|_| stream.below(6)).collect::<Vec<_>>()
        };
        let (one, other) = (draw(0), draw(1));
        assert_ne!(one, other);
        for face in 0..6 {
            let count = one.iter().filter(|&&drawn| drawn == face).count();
            assert!((850..1150).contains(&count), "face {face}: {count} of 6000");
        }
    }
}
