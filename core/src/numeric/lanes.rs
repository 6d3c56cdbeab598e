//! Sixteen `f32` in lanes, for kernels whose speed must not depend on whether a compiler vectorises a loop. Every operation rounds as IEEE
//! 754 prescribes, in each lane by itself, so the three implementations below differ in time and never in a bit. `multiversion!`
//! chooses one.

/// Lanes of one value.
pub const LANES: usize = 16;

/// Sixteen `f32` and what can be done with them, lane by lane.
pub trait Lanes: Copy {
    /// The value in all lanes.
    fn splat(value: f32) -> Self;
    /// Each value in four neighbouring lanes.
    fn broadcast4(values: [f32; LANES / 4]) -> Self;
    /// From memory.
    fn load(from: &[f32; LANES]) -> Self;
    /// To memory.
    fn store(self, to: &mut [f32; LANES]);
    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// `self − other`.
    fn sub(self, other: Self) -> Self;
    /// `self · other`.
    fn mul(self, other: Self) -> Self;
    /// `self / other`.
    fn div(self, other: Self) -> Self;
    /// `self · factor + term`, rounded once.
    fn fused(self, factor: Self, term: Self) -> Self;
    /// The greater; `other` where either is NaN.
    fn max(self, other: Self) -> Self;
    /// The lesser; `other` where either is NaN.
    fn min(self, other: Self) -> Self;
    /// By lane, from the lowest bit on: whether it is at most the other's; not where either is NaN.
    fn at_most(self, other: Self) -> u16;
    /// A positive normal number as m · 2ⁿ with m in [1, 2): m and n.
    fn split(self) -> (Self, Self);
    /// 2ⁿ for whole n from −126 to 127.
    fn power_of_two(self) -> Self;
    /// The first and the second numbers of the pairs at these indices; an index beyond the last pair is the last. There is at least one pair.
    fn gather(from: &[[f32; 2]], indices: &[u32; LANES]) -> [Self; 2];

    /// The sum of all lanes: halves are added to each other until one is left.
    #[inline(always)]
    fn sum(self) -> f32 {
        let mut lanes = [0.0; LANES];
        self.store(&mut lanes);
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
        }
        lanes[0]
    }

    /// The sum of each four neighbouring lanes: (0 + 2) + (1 + 3).
    #[inline(always)]
    fn sum4(self) -> [f32; LANES / 4] {
        let mut lanes = [0.0; LANES];
        self.store(&mut lanes);
        let mut sums = [0.0; LANES / 4];
        for (sum, four) in sums.iter_mut().zip(lanes.as_chunks::<4>().0) {
            *sum = (four[0] + four[2]) + (four[1] + four[3]);
        }
        sums
    }
}

/// An array, for every machine.
#[derive(Clone, Copy)]
pub struct Plain([f32; LANES]);

impl Plain {
    #[inline(always)]
    fn zip_with(self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = self;
        for (a, b) in out.0.iter_mut().zip(other.0) {
            *a = operation(*a, b);
        }
        out
    }
}

impl Lanes for Plain {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Plain([value; LANES])
    }
    #[inline(always)]
    fn broadcast4(values: [f32; LANES / 4]) -> Self {
        Plain(std::array::from_fn(|lane| values[lane / 4]))
    }
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        Plain(*from)
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip_with(other, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip_with(other, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip_with(other, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip_with(other, |a, b| a / b)
    }
    #[inline(always)]
    fn fused(self, factor: Self, term: Self) -> Self {
        let mut out = term;
        for i in 0..LANES {
            out.0[i] = self.0[i].mul_add(factor.0[i], term.0[i]);
        }
        out
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip_with(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip_with(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn at_most(self, other: Self) -> u16 {
        (0..LANES).fold(0, |mask, lane| mask | u16::from(self.0[lane] <= other.0[lane]) << lane)
    }
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        let (mut part, mut power) = (self, self);
        for (part, power) in part.0.iter_mut().zip(&mut power.0) {
            let bits = part.to_bits();
            *power = ((bits >> 23) as i32 - 127) as f32;
            *part = f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000);
        }
        (part, power)
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        self.zip_with(self, |n, _| f32::from_bits(((n as i32 + 127) as u32) << 23))
    }
    #[inline(always)]
    fn gather(from: &[[f32; 2]], places: &[u32; LANES]) -> [Self; 2] {
        let mut out = [Plain([0.0; LANES]); 2];
        for (lane, place) in places.iter().enumerate() {
            let [x, y] = from[(*place as usize).min(from.len() - 1)];
            (out[0].0[lane], out[1].0[lane]) = (x, y);
        }
        out
    }
}

#[cfg(target_arch = "x86_64")]
pub use machine::{Fma, Wide};

#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "instructions that `multiversion!` has checked for; loads and stores of arrays of exactly that size"
)]
mod machine {
    use super::{LANES, Lanes};
    use std::arch::x86_64::*;

    /// AVX2 and FMA: two registers. Only `multiversion!` makes one, where these were found.
    #[derive(Clone, Copy)]
    pub struct Fma([__m256; 2]);

    /// AVX-512: one register.
    #[derive(Clone, Copy)]
    pub struct Wide(__m512);

    macro_rules! by_halves {
        ($($name:ident($($other:ident),*) = $of:ident;)*) => {
            $(#[inline(always)]
            fn $name(self, $($other: Self),*) -> Self {
                unsafe { Fma([$of(self.0[0], $($other.0[0]),*), $of(self.0[1], $($other.0[1]),*)]) }
            })*
        };
    }

    impl Lanes for Fma {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            unsafe { Fma([_mm256_set1_ps(value); 2]) }
        }
        #[inline(always)]
        fn broadcast4([a, b, c, d]: [f32; LANES / 4]) -> Self {
            let two = |a: f32, b: f32| unsafe { _mm256_set_m128(_mm_set1_ps(b), _mm_set1_ps(a)) };
            Fma([two(a, b), two(c, d)])
        }
        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            let at = from.as_ptr();
            unsafe { Fma([_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))]) }
        }
        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            let at = to.as_mut_ptr();
            unsafe {
                _mm256_storeu_ps(at, self.0[0]);
                _mm256_storeu_ps(at.add(8), self.0[1]);
            }
        }
        by_halves! {
            add(other) = _mm256_add_ps;
            sub(other) = _mm256_sub_ps;
            mul(other) = _mm256_mul_ps;
            div(other) = _mm256_div_ps;
            fused(factor, term) = _mm256_fmadd_ps;
            max(other) = _mm256_max_ps;
            min(other) = _mm256_min_ps;
        }
        #[inline(always)]
        fn at_most(self, other: Self) -> u16 {
            let half =
                |half: usize| unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LE_OQ>(self.0[half], other.0[half])) as u16 };
            half(0) | half(1) << 8
        }
        #[inline(always)]
        fn split(self) -> (Self, Self) {
            let split = |of: __m256| unsafe {
                let bits = _mm256_castps_si256(of);
                let power = _mm256_sub_epi32(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(127));
                let part =
                    _mm256_or_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0x007F_FFFF)), _mm256_set1_epi32(0x3F80_0000));
                (_mm256_castsi256_ps(part), _mm256_cvtepi32_ps(power))
            };
            let (low, high) = (split(self.0[0]), split(self.0[1]));
            (Fma([low.0, high.0]), Fma([low.1, high.1]))
        }
        #[inline(always)]
        fn power_of_two(self) -> Self {
            let power = |n: __m256| unsafe {
                let n = _mm256_add_epi32(_mm256_cvttps_epi32(n), _mm256_set1_epi32(127));
                _mm256_castsi256_ps(_mm256_slli_epi32(n, 23))
            };
            Fma([power(self.0[0]), power(self.0[1])])
        }
        #[inline(always)]
        fn gather(from: &[[f32; 2]], places: &[u32; LANES]) -> [Self; 2] {
            assert!(!from.is_empty());
            let (at, last) = (from.as_ptr().cast::<f32>(), from.len().min(1 << 30) as i32 - 1);
            let half = |first: usize| unsafe {
                let places = _mm256_loadu_si256(places.as_ptr().add(first).cast());
                let places = _mm256_min_epu32(places, _mm256_set1_epi32(last));
                (_mm256_i32gather_ps::<8>(at, places), _mm256_i32gather_ps::<8>(at.add(1), places))
            };
            let (low, high) = (half(0), half(8));
            [Fma([low.0, high.0]), Fma([low.1, high.1])]
        }
    }

    macro_rules! whole {
        ($($name:ident($($other:ident),*) = $of:ident;)*) => {
            $(#[inline(always)]
            fn $name(self, $($other: Self),*) -> Self {
                unsafe { Wide($of(self.0, $($other.0),*)) }
            })*
        };
    }

    impl Lanes for Wide {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            unsafe { Wide(_mm512_set1_ps(value)) }
        }
        #[inline(always)]
        fn broadcast4(values: [f32; LANES / 4]) -> Self {
            unsafe {
                let places = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
                Wide(_mm512_permutexvar_ps(places, _mm512_castps128_ps512(_mm_loadu_ps(values.as_ptr()))))
            }
        }
        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            unsafe { Wide(_mm512_loadu_ps(from.as_ptr())) }
        }
        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
        }
        whole! {
            add(other) = _mm512_add_ps;
            sub(other) = _mm512_sub_ps;
            mul(other) = _mm512_mul_ps;
            div(other) = _mm512_div_ps;
            fused(factor, term) = _mm512_fmadd_ps;
            max(other) = _mm512_max_ps;
            min(other) = _mm512_min_ps;
        }
        #[inline(always)]
        fn at_most(self, other: Self) -> u16 {
            unsafe { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(self.0, other.0) }
        }
        #[inline(always)]
        fn split(self) -> (Self, Self) {
            unsafe {
                let bits = _mm512_castps_si512(self.0);
                let power = _mm512_sub_epi32(_mm512_srli_epi32(bits, 23), _mm512_set1_epi32(127));
                let part =
                    _mm512_or_si512(_mm512_and_si512(bits, _mm512_set1_epi32(0x007F_FFFF)), _mm512_set1_epi32(0x3F80_0000));
                (Wide(_mm512_castsi512_ps(part)), Wide(_mm512_cvtepi32_ps(power)))
            }
        }
        #[inline(always)]
        fn power_of_two(self) -> Self {
            unsafe {
                let n = _mm512_add_epi32(_mm512_cvttps_epi32(self.0), _mm512_set1_epi32(127));
                Wide(_mm512_castsi512_ps(_mm512_slli_epi32(n, 23)))
            }
        }
        #[inline(always)]
        fn gather(from: &[[f32; 2]], places: &[u32; LANES]) -> [Self; 2] {
            assert!(!from.is_empty());
            let (at, last) = (from.as_ptr().cast::<f32>(), from.len().min(1 << 30) as i32 - 1);
            unsafe {
                let places = _mm512_loadu_si512(places.as_ptr().cast());
                let places = _mm512_min_epu32(places, _mm512_set1_epi32(last));
                [Wide(_mm512_i32gather_ps::<8>(places, at)), Wide(_mm512_i32gather_ps::<8>(places, at.add(1)))]
            }
        }
    }
}

/// ln x of positive normal numbers, to within 2e-7 of itself or of 1: the power apart, and Horner's scheme for
/// 2 artanh((m − 1) / (m + 1)) with m in [√½, √2).
#[inline(always)]
pub fn ln<L: Lanes>(x: L) -> L {
    let (part, power) = x.split();
    // m > √2 is halved; a comparison without a branch: min and max of a step.
    let over = part.sub(L::splat(std::f32::consts::SQRT_2)).mul(L::splat(1e30)).max(L::splat(0.0)).min(L::splat(1.0));
    let (part, power) = (over.mul(L::splat(-0.5)).fused(part, part), power.add(over));
    let s = part.sub(L::splat(1.0)).div(part.add(L::splat(1.0)));
    let squared = s.mul(s);
    let series = squared.fused(L::splat(2.0 / 9.0), L::splat(2.0 / 7.0));
    let series = series.fused(squared, L::splat(2.0 / 5.0));
    let series = series.fused(squared, L::splat(2.0 / 3.0));
    let series = series.fused(squared, L::splat(2.0)).mul(s);
    power.fused(L::splat(std::f32::consts::LN_2), series)
}

/// eˣ to within 2e-7 of itself, x held to ±87.
#[inline(always)]
pub fn exp<L: Lanes>(x: L) -> L {
    // 1.5 · 2²³: adding it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let x = x.max(L::splat(-87.0)).min(L::splat(87.0));
    let n = x.fused(L::splat(std::f32::consts::LOG2_E), L::splat(ROUND)).sub(L::splat(ROUND));
    let r = n.fused(L::splat(-0.693_359_4), x);
    let r = n.fused(L::splat(2.121_944_4e-4), r);
    let series = r.fused(L::splat(1.0 / 5040.0), L::splat(1.0 / 720.0));
    let series = series.fused(r, L::splat(1.0 / 120.0));
    let series = series.fused(r, L::splat(1.0 / 24.0));
    let series = series.fused(r, L::splat(1.0 / 6.0));
    let series = series.fused(r, L::splat(0.5));
    let series = series.fused(r, L::splat(1.0));
    series.fused(r, L::splat(1.0)).mul(n.power_of_two())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::multiversion::{each_level, multiversion};

    multiversion! { fn try_all(x: &[f32; LANES], out: &mut [[f32; LANES]; 7]) = lanes try_all_kernel }

    #[inline(always)]
    fn try_all_kernel<L: Lanes>(x: &[f32; LANES], out: &mut [[f32; LANES]; 7]) {
        let lanes = L::load(x);
        ln(lanes).store(&mut out[0]);
        exp(lanes.sub(L::splat(40.0))).store(&mut out[1]);
        lanes.max(L::splat(3.0)).min(L::splat(9.0)).div(L::splat(7.0)).store(&mut out[2]);
        out[3][0] = lanes.fused(lanes, L::splat(0.1)).sum();
        out[3][1..5].copy_from_slice(&lanes.sum4());
        let pairs: [[f32; 2]; 9] = std::array::from_fn(|i| [x[i], -x[i + 1]]);
        let places = std::array::from_fn(|i| [7, 0, 8, 1_000_000, u32::MAX][i % 5]);
        let [left, right] = L::gather(&pairs, &places);
        left.store(&mut out[4]);
        right.store(&mut out[5]);
        L::broadcast4([x[0], x[1], x[2], x[3]]).store(&mut out[6]);
        out[3][5] = f32::from(lanes.at_most(L::broadcast4([x[1], x[6], x[11], f32::NAN])));
    }

    #[test]
    fn every_level_gives_the_same_bits_and_functions_are_close() {
        for step in 0..2_000 {
            let x: [f32; LANES] = std::array::from_fn(|i| 1e-6 + (step * LANES + i) as f32 * 0.0037);
            let mut first = None;
            each_level(|level| {
                let mut out = [[0.0; LANES]; 7];
                try_all(&x, &mut out);
                let bits = out.map(|lanes| lanes.map(f32::to_bits));
                assert_eq!(*first.get_or_insert(bits), bits, "{level:?}");
            });
            let values = first.unwrap().map(|lanes| lanes.map(f32::from_bits));
            assert_eq!((values[4][0], values[4][1], values[5][2], values[4][3], values[5][4]), (x[7], x[0], -x[9], x[8], -x[9]));
            assert_eq!(values[3][5] as u16, 0b0000_1111_0111_0011);
            for (i, &x) in x.iter().enumerate() {
                let ln = libm::log(f64::from(x));
                assert!((f64::from(values[0][i]) - ln).abs() < 2.5e-7 * ln.abs().max(1.0), "ln {x}: {} {ln}", values[0][i]);
                let exp = libm::exp(f64::from(x - 40.0));
                assert!((f64::from(values[1][i]) / exp - 1.0).abs() < 3e-7, "exp {}: {} {exp}", x - 40.0, values[1][i]);
            }
        }
    }
}
