//! Discrete Fourier transforms of sixteen sequences at once, one a lane (Stockham's autosort: Cochran et al. 1967; Swarztrauber
//! 1982), and convolutions on a square grid made of them. No lane sees another, so the bits do not depend on lanes or threads.

use super::{
    lanes::{LANES, Lanes},
    multiversion::multiversion,
};
use rayon::prelude::*;

/// One row of sixteen lanes.
pub type LaneRow = [f32; LANES];

/// The transform of one length: a product of 2, 3, 4 and 5.
struct Transform {
    length: usize,
    /// Radix and the twiddle factors of each stage: for every p, those of the outputs 1 … radix − 1.
    stages: Vec<(usize, Vec<[f32; 2]>)>,
}

/// Sixteen complex sequences, and room for them to be moved to and fro.
struct Sequences {
    re: Vec<LaneRow>,
    im: Vec<LaneRow>,
    other_re: Vec<LaneRow>,
    other_im: Vec<LaneRow>,
}

impl Sequences {
    fn new(length: usize) -> Self {
        let rows = || vec![[0.0; LANES]; length];
        Sequences { re: rows(), im: rows(), other_re: rows(), other_im: rows() }
    }
}

impl Transform {
    fn new(length: usize) -> Self {
        let (mut rest, mut radices) = (length, vec![]);
        for radix in [4, 5, 3, 2] {
            while rest.is_multiple_of(radix) {
                rest /= radix;
                radices.push(radix);
            }
        }
        assert_eq!(rest, 1, "a length of factors 2, 3 and 5");
        let mut n = length;
        let stages = radices.into_iter().map(|radix| {
            let root_of_unity = |k: usize| {
                let angle = -std::f64::consts::TAU * (k % n) as f64 / n as f64;
                [libm::cos(angle) as f32, libm::sin(angle) as f32]
            };
            let twiddles =
                (0..n / radix).flat_map(|p| (1..radix).map(move |j| (p, j))).map(|(p, j)| root_of_unity(p * j)).collect();
            n /= radix;
            (radix, twiddles)
        });
        let stages = stages.collect();
        Transform { length, stages }
    }

    fn forward(&self, sequences: &mut Sequences) {
        let mut stride = 1;
        for (radix, twiddles) in &self.stages {
            let rest = self.length / stride / radix;
            let (x, y) = ((&sequences.re, &sequences.im), (&mut sequences.other_re, &mut sequences.other_im));
            let stage = match radix {
                2 => by_two,
                3 => by_three,
                4 => by_four,
                _ => by_five,
            };
            stage(rest, stride, twiddles, x.0, x.1, y.0, y.1);
            std::mem::swap(&mut sequences.re, &mut sequences.other_re);
            std::mem::swap(&mut sequences.im, &mut sequences.other_im);
            stride *= radix;
        }
    }

    /// Not divided by the length.
    fn backward(&self, sequences: &mut Sequences) {
        std::mem::swap(&mut sequences.re, &mut sequences.im);
        std::mem::swap(&mut sequences.other_re, &mut sequences.other_im);
        self.forward(sequences);
        std::mem::swap(&mut sequences.re, &mut sequences.im);
        std::mem::swap(&mut sequences.other_re, &mut sequences.other_im);
    }
}

type Complex<L> = [L; 2];

#[inline(always)]
fn add<L: Lanes>(a: Complex<L>, b: Complex<L>) -> Complex<L> {
    [a[0].add(b[0]), a[1].add(b[1])]
}

#[inline(always)]
fn sub<L: Lanes>(a: Complex<L>, b: Complex<L>) -> Complex<L> {
    [a[0].sub(b[0]), a[1].sub(b[1])]
}

/// a + factor · b
#[inline(always)]
fn add_scaled<L: Lanes>(a: Complex<L>, factor: f32, b: Complex<L>) -> Complex<L> {
    let factor = L::splat(factor);
    [factor.fused(b[0], a[0]), factor.fused(b[1], a[1])]
}

/// −i a
#[inline(always)]
fn times_minus_i<L: Lanes>(a: Complex<L>) -> Complex<L> {
    [a[1], L::splat(0.0).sub(a[0])]
}

#[inline(always)]
fn times<L: Lanes>(a: Complex<L>, [re, im]: [f32; 2]) -> Complex<L> {
    let (re, im, minus) = (L::splat(re), L::splat(im), L::splat(-im));
    [a[0].fused(re, a[1].mul(minus)), a[0].fused(im, a[1].mul(re))]
}

trait Butterfly<const RADIX: usize> {
    fn transform<L: Lanes>(x: [Complex<L>; RADIX]) -> [Complex<L>; RADIX];
}

struct Two;
struct Three;
struct Four;
struct Five;

impl Butterfly<2> for Two {
    #[inline(always)]
    fn transform<L: Lanes>([a, b]: [Complex<L>; 2]) -> [Complex<L>; 2] {
        [add(a, b), sub(a, b)]
    }
}

impl Butterfly<3> for Three {
    #[inline(always)]
    fn transform<L: Lanes>([a, b, c]: [Complex<L>; 3]) -> [Complex<L>; 3] {
        const SINE: f32 = 0.866_025_4;
        let (sum, difference) = (add(b, c), times_minus_i(sub(b, c)));
        let middle = add_scaled(a, -0.5, sum);
        [add(a, sum), add_scaled(middle, SINE, difference), add_scaled(middle, -SINE, difference)]
    }
}

impl Butterfly<4> for Four {
    #[inline(always)]
    fn transform<L: Lanes>([a, b, c, d]: [Complex<L>; 4]) -> [Complex<L>; 4] {
        let (even, odd) = (add(a, c), sub(a, c));
        let (sum, difference) = (add(b, d), times_minus_i(sub(b, d)));
        [add(even, sum), add(odd, difference), sub(even, sum), sub(odd, difference)]
    }
}

impl Butterfly<5> for Five {
    #[inline(always)]
    fn transform<L: Lanes>([a, b, c, d, e]: [Complex<L>; 5]) -> [Complex<L>; 5] {
        // cos and sin of 72° and 144°.
        const COSINE: [f32; 2] = [0.309_017, -0.809_017];
        const SINE: [f32; 2] = [0.951_056_54, 0.587_785_24];
        let (outer, inner) = (add(b, e), add(c, d));
        let (outer_rotated, inner_rotated) = (times_minus_i(sub(b, e)), times_minus_i(sub(c, d)));
        let near = add_scaled(add_scaled(a, COSINE[0], outer), COSINE[1], inner);
        let far = add_scaled(add_scaled(a, COSINE[1], outer), COSINE[0], inner);
        let zero = [L::splat(0.0); 2];
        let near_rotated = add_scaled(add_scaled(zero, SINE[0], outer_rotated), SINE[1], inner_rotated);
        let far_rotated = add_scaled(add_scaled(zero, SINE[1], outer_rotated), -SINE[0], inner_rotated);
        [
            add(a, add(outer, inner)),
            add(near, near_rotated),
            add(far, far_rotated),
            sub(far, far_rotated),
            sub(near, near_rotated),
        ]
    }
}

macro_rules! stages {
    ($($name:ident, $kernel:ident: $butterfly:ident, $radix:literal;)*) => {
        $(
            multiversion! {
                fn $name(
                    rest: usize, stride: usize, twiddles: &[[f32; 2]],
                    re: &[LaneRow], im: &[LaneRow], out_re: &mut [LaneRow], out_im: &mut [LaneRow],
                ) = lanes $kernel
            }

            #[inline(always)]
            fn $kernel<L: Lanes>(
                rest: usize,
                stride: usize,
                twiddles: &[[f32; 2]],
                re: &[LaneRow],
                im: &[LaneRow],
                out_re: &mut [LaneRow],
                out_im: &mut [LaneRow],
            ) {
                stage::<L, $butterfly, $radix>(rest, stride, twiddles, [re, im], [out_re, out_im]);
            }
        )*
    };
}

stages! {
    by_two, by_two_kernel: Two, 2;
    by_three, by_three_kernel: Three, 3;
    by_four, by_four_kernel: Four, 4;
    by_five, by_five_kernel: Five, 5;
}

/// One stage of Stockham's: `rest` groups of `stride` butterflies.
#[inline(always)]
fn stage<L: Lanes, B: Butterfly<RADIX>, const RADIX: usize>(
    rest: usize,
    stride: usize,
    twiddles: &[[f32; 2]],
    [re, im]: [&[LaneRow]; 2],
    [out_re, out_im]: [&mut [LaneRow]; 2],
) {
    for p in 0..rest {
        let twiddles = &twiddles[p * (RADIX - 1)..][..RADIX - 1];
        for q in 0..stride {
            let mut x = [[L::splat(0.0); 2]; RADIX];
            for (k, x) in x.iter_mut().enumerate() {
                let at = q + stride * (p + rest * k);
                *x = [L::load(&re[at]), L::load(&im[at])];
            }
            let y = B::transform(x);
            for (j, y) in y.iter().enumerate() {
                let at = q + stride * (RADIX * p + j);
                let [re, im] = if j == 0 { *y } else { times(*y, twiddles[j - 1]) };
                re.store(&mut out_re[at]);
                im.store(&mut out_im[at]);
            }
        }
    }
}

/// The next multiple of the lanes that transforms fast.
fn padded(least: usize) -> usize {
    let smooth = |mut n: usize| {
        for factor in [2, 3, 5] {
            while n.is_multiple_of(factor) {
                n /= factor;
            }
        }
        n == 1
    };
    (least.div_ceil(LANES)..).find(|&n| smooth(n)).expect("a power of two at the latest") * LANES
}

/// A convolution on a square grid of real charges with three real kernels, one even in both directions (its field is asked for
/// as an energy alone), two that are the components of a force: odd in their own direction, even in the other.
pub struct Convolution {
    /// Places along a side of the grid, a multiple of the lanes.
    side: usize,
    transform: Transform,
    /// The even kernel's transform (real), and the components' (imaginary), by strip of sixteen frequencies along y.
    spectrum: Vec<[LaneRow; 3]>,
}

/// Values on a grid, by strips of sixteen places along x: strip · side + y.
pub type Grid = Vec<LaneRow>;

impl Convolution {
    /// `kernel(dx, dy)`: the even kernel, and the force along x; along y it is that of (dy, dx). Steps of the grid, of either sign.
    /// `sharpened` multiplies what goes through at an angle a step, along each axis.
    pub fn new(least_side: usize, kernel: impl Fn(f64, f64) -> [f64; 2] + Sync, sharpened: impl Fn(f64) -> f64 + Sync) -> Self {
        let side = padded(least_side);
        // Twice as long, so that nothing comes around the edge.
        let length = 2 * side;
        let transform = Transform::new(length);
        let wrapped = |i: usize| if i <= length / 2 { i as f64 } else { i as f64 - length as f64 };
        let strips = length / LANES;
        // The force's two components are one complex number: their transforms are imaginary, so they stay apart.
        let along_y = |strip: usize, which: usize| {
            let mut sequences = Sequences::new(length);
            for y in 0..length {
                for lane in 0..LANES {
                    let (dx, dy) = (wrapped(strip * LANES + lane), wrapped(y));
                    // The farthest place stands for both signs: an odd kernel is 0 there.
                    let far = |i: f64| i as usize * 2 == length;
                    if which == 0 {
                        sequences.re[y][lane] = kernel(dx, dy)[0] as f32;
                    } else {
                        sequences.re[y][lane] = if far(dx) { 0.0 } else { kernel(dx, dy)[1] as f32 };
                        sequences.im[y][lane] = if far(dy) { 0.0 } else { kernel(dy, dx)[1] as f32 };
                    }
                }
            }
            transform.forward(&mut sequences);
            (sequences.re, sequences.im)
        };
        let planes: Vec<Vec<(Vec<LaneRow>, Vec<LaneRow>)>> =
            (0..2).map(|which| (0..strips).into_par_iter().map(|strip| along_y(strip, which)).collect()).collect();
        let along_x = |strip: usize, which: usize| {
            let mut sequences = Sequences::new(length);
            gather(&planes[which], strip, length, &mut sequences);
            transform.forward(&mut sequences);
            (sequences.re, sequences.im)
        };
        let sharpened: Vec<f32> =
            (0..length).map(|k| sharpened(std::f64::consts::TAU * k as f64 / length as f64) as f32).collect();
        let sharpened = &sharpened;
        let spectrum = (0..strips).into_par_iter().flat_map_iter(|strip| {
            let ((even, _), (re, im)) = (along_x(strip, 0), along_x(strip, 1));
            // i A − B: A is the transform of the force along x over i, B of that along y.
            let factor = move |k: usize, lane: usize| sharpened[k] * sharpened[strip * LANES + lane];
            let scaled = move |k: usize, sign: f32, row: LaneRow| std::array::from_fn(|lane| sign * factor(k, lane) * row[lane]);
            let rows = even.into_iter().zip(im).zip(re).enumerate();
            rows.map(move |(k, ((even, x), y))| [scaled(k, 1.0, even), scaled(k, 1.0, x), scaled(k, -1.0, y)])
        });
        let spectrum = spectrum.collect();
        Convolution { side, transform, spectrum }
    }

    /// Places along a side of the grid.
    pub fn side(&self) -> usize {
        self.side
    }

    /// A grid of zeros.
    pub fn empty(&self) -> Grid {
        vec![[0.0; LANES]; self.side / LANES * self.side]
    }

    /// The charges' energy in the even kernel (every pair twice, and each with itself), and the two components of the force on a
    /// unit charge at every place.
    pub fn forces(&self, charges: &Grid) -> (f64, Vec<[LaneRow; 2]>) {
        let (side, length) = (self.side, self.transform.length);
        let along_y: Vec<(Vec<LaneRow>, Vec<LaneRow>)> = charges
            .par_chunks(side)
            .map_init(
                || Sequences::new(length),
                |of, strip| {
                    of.re[..side].copy_from_slice(strip);
                    of.re[side..].fill([0.0; LANES]);
                    of.im.fill([0.0; LANES]);
                    self.transform.forward(of);
                    (of.re.clone(), of.im.clone())
                },
            )
            .collect();
        let along_x: Vec<(f64, Vec<LaneRow>, Vec<LaneRow>)> = (0..length / LANES)
            .into_par_iter()
            .map_init(
                || Sequences::new(length),
                |of, strip| {
                    gather(&along_y, strip, side, of);
                    self.transform.forward(of);
                    let mut energy = 0.0;
                    multiply(&self.spectrum[strip * length..][..length], &mut of.re, &mut of.im, &mut energy);
                    self.transform.backward(of);
                    (energy, of.re[..side].to_vec(), of.im[..side].to_vec())
                },
            )
            .collect();
        let energy = along_x.iter().map(|(energy, ..)| energy).sum::<f64>() / (length * length) as f64;
        let planes: Vec<(Vec<LaneRow>, Vec<LaneRow>)> = along_x.into_iter().map(|(_, re, im)| (re, im)).collect();
        let scale = 1.0 / (length * length) as f32;
        let forces = (0..side / LANES).into_par_iter().map_init(
            || Sequences::new(length),
            |of, strip| {
                gather(&planes, strip, length, of);
                self.transform.backward(of);
                let scaled = |row: &LaneRow| row.map(|value| value * scale);
                of.re[..side].iter().zip(&of.im[..side]).map(|(re, im)| [scaled(re), scaled(im)]).collect::<Vec<_>>()
            },
        );
        (energy, forces.collect::<Vec<_>>().concat())
    }
}

/// Sixteen sequences across the strips: place `i` of lane `l` is what the strips hold at `i`, in row 16 `strip` + `l`. What lies
/// beyond `filled` is 0.
fn gather(planes: &[(Vec<LaneRow>, Vec<LaneRow>)], strip: usize, filled: usize, sequences: &mut Sequences) {
    for (plane, (re, im)) in planes.iter().enumerate() {
        let rows = strip * LANES..(strip + 1) * LANES;
        transpose(&re[rows.clone()], &mut sequences.re[plane * LANES..]);
        transpose(&im[rows], &mut sequences.im[plane * LANES..]);
    }
    sequences.re[filled..].fill([0.0; LANES]);
    sequences.im[filled..].fill([0.0; LANES]);
}

fn transpose(from: &[LaneRow], to: &mut [LaneRow]) {
    for (i, to) in to[..LANES].iter_mut().enumerate() {
        for (value, from) in to.iter_mut().zip(from) {
            *value = from[i];
        }
    }
}

multiversion! {
    /// Charges' transform times the force's, in place; adds the energy.
    fn multiply(spectrum: &[[LaneRow; 3]], re: &mut [LaneRow], im: &mut [LaneRow], energy: &mut f64) = lanes multiply_kernel
}

#[inline(always)]
fn multiply_kernel<L: Lanes>(spectrum: &[[LaneRow; 3]], re: &mut [LaneRow], im: &mut [LaneRow], energy: &mut f64) {
    for (([even, x, y], re), im) in spectrum.iter().zip(re).zip(im) {
        let (a, b) = (L::load(re), L::load(im));
        *energy += f64::from(a.fused(a, b.mul(b)).mul(L::load(even)).sum());
        // (a + i b)(i x − y)
        let (x, y) = (L::load(x), L::load(y));
        let zero = L::splat(0.0);
        zero.sub(a.fused(y, b.mul(x))).store(re);
        a.fused(x, zero.sub(b.mul(y))).store(im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    #[test]
    fn a_transform_is_what_it_is_defined_as() {
        for length in [16, 48, 80, 240, 64] {
            let mut stream = PhiloxStream::for_test(1, length as u64);
            let mut sequences = Sequences::new(length);
            for i in 0..length {
                for lane in 0..LANES {
                    (sequences.re[i][lane], sequences.im[i][lane]) =
                        (stream.uniform() as f32 - 0.5, stream.uniform() as f32 - 0.5);
                }
            }
            let (re, im) = (sequences.re.clone(), sequences.im.clone());
            let transform = Transform::new(length);
            transform.forward(&mut sequences);
            for k in [0, 1, length / 3, length - 1] {
                for lane in [0, 7] {
                    let term = |i: usize| {
                        let angle = -std::f64::consts::TAU * ((i * k) % length) as f64 / length as f64;
                        let (re, im) = (f64::from(re[i][lane]), f64::from(im[i][lane]));
                        [re * angle.cos() - im * angle.sin(), re * angle.sin() + im * angle.cos()]
                    };
                    let sum = (0..length).map(term).fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
                    assert!((f64::from(sequences.re[k][lane]) - sum[0]).abs() < 1e-5, "{length} {k}");
                    assert!((f64::from(sequences.im[k][lane]) - sum[1]).abs() < 1e-5, "{length} {k}");
                }
            }
            transform.backward(&mut sequences);
            assert!(
                (sequences.re[3][2] / length as f32 - re[3][2]).abs() < 1e-6
                    && (sequences.im[5][9] / length as f32 - im[5][9]).abs() < 1e-6
            );
        }
    }

    #[test]
    fn a_convolution_is_a_sum_over_pairs() {
        let kernel = |dx: f64, dy: f64| {
            let q = 1.0 / (1.0 + 0.01 * (dx * dx + dy * dy));
            [q, dx * q * q]
        };
        let convolution = Convolution::new(70, kernel, |_| 1.0);
        let side = convolution.side();
        let mut charges = convolution.empty();
        let mut stream = PhiloxStream::for_test(5, 5);
        let places: Vec<(usize, usize, f64)> =
            (0..40).map(|_| (stream.below(side as u64) as usize, stream.below(side as u64) as usize, stream.uniform())).collect();
        for &(x, y, charge) in &places {
            charges[x / LANES * side + y][x % LANES] += charge as f32;
        }
        let (energy, forces) = convolution.forces(&charges);
        let delta = |a: usize, b: usize| a as f64 - b as f64;
        let pairs = || places.iter().flat_map(|a| places.iter().map(move |b| (a, b)));
        let expected: f64 = pairs().map(|(a, b)| a.2 * b.2 * kernel(delta(a.0, b.0), delta(a.1, b.1))[0]).sum();
        assert!((energy / expected - 1.0).abs() < 1e-5, "{energy} {expected}");
        for (x, y) in [(0, 0), (17, 3), (side - 1, side / 2)] {
            let sum = places.iter().fold([0.0; 2], |sum, place| {
                let (dx, dy) = (delta(x, place.0), delta(y, place.1));
                [sum[0] + place.2 * kernel(dx, dy)[1], sum[1] + place.2 * kernel(dy, dx)[1]]
            });
            let found = forces[x / LANES * side + y].map(|row| f64::from(row[x % LANES]));
            assert!((found[0] - sum[0]).abs() < 1e-4 && (found[1] - sum[1]).abs() < 1e-4, "{found:?} {sum:?}");
        }
    }
}
