//! Runs a kernel with the machine's fused multiply-add where it has one.
//!
//! `f64::mul_add` rounds once by definition, so its bits do not depend on the machine; but without the instruction it is
//! a slow function call. A kernel is written once, `#[inline(always)]`, and `multiversion!` compiles it again for machines with
//! AVX2 and FMA, and for those with AVX-512. Which of them runs changes the time and never a bit.

use std::sync::atomic::{AtomicU8, Ordering};

/// The instructions that a kernel may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstructionSet {
    /// What every x86-64 has.
    Plain,
    /// AVX2 and FMA.
    Fma,
    /// AVX-512 as well.
    Wide,
}

impl InstructionSet {
    /// From the lowest to the highest.
    pub const ALL: [InstructionSet; 3] = [InstructionSet::Plain, InstructionSet::Fma, InstructionSet::Wide];

    /// In lower case, for messages.
    pub fn word(self) -> &'static str {
        ["plain", "fma", "wide"][self as usize]
    }
}

/// The level in use once it is known; [`UNKNOWN`] before.
static LEVEL: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = u8::MAX;

/// From now on no kernel uses more than this level: to check that it changes no bit.
pub fn limit(level: InstructionSet) {
    LEVEL.store(found().min(level) as u8, Ordering::Relaxed);
}

/// The level that kernels use: the highest that the machine has, unless it was limited.
#[inline(always)]
pub fn level() -> InstructionSet {
    match InstructionSet::ALL.get(usize::from(LEVEL.load(Ordering::Relaxed))) {
        Some(level) => *level,
        None => first(),
    }
}

#[cold]
fn first() -> InstructionSet {
    let found = found();
    match LEVEL.compare_exchange(UNKNOWN, found as u8, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => found,
        // Another thread limited it meanwhile.
        Err(limited) => InstructionSet::ALL[usize::from(limited)],
    }
}

#[cfg(target_arch = "x86_64")]
fn found() -> InstructionSet {
    match std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        true if std::is_x86_feature_detected!("avx512f") => InstructionSet::Wide,
        true => InstructionSet::Fma,
        false => InstructionSet::Plain,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn found() -> InstructionSet {
    InstructionSet::Plain
}

/// `multiversion!(fn name(arguments) = kernel)`: a function that runs `kernel`, compiled for the machine's level. `fma: other` names a kernel
/// of the same bits that suits sixteen registers better than the thirty-two of AVX-512. `= lanes kernel` is for a kernel over
/// [`Lanes`](super::lanes::Lanes).
macro_rules! multiversion {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) = lanes $kernel:ident) => {
        $crate::numeric::multiversion::multiversion!($(#[$doc])* $visibility fn $name($($argument: $type),*) =
            $kernel::<$crate::numeric::lanes::Wide>, fma: $kernel::<$crate::numeric::lanes::Fma>,
            plain: $kernel::<$crate::numeric::lanes::Plain>);
    };
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $kernel:expr) => {
        $crate::numeric::multiversion::multiversion!($(#[$doc])* $visibility fn $name($($argument: $type),*) = $kernel, fma: $kernel);
    };
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $kernel:expr, fma: $narrow:expr) => {
        $crate::numeric::multiversion::multiversion!($(#[$doc])* $visibility fn $name($($argument: $type),*) = $kernel, fma: $narrow, plain: $narrow);
    };
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) =
        $kernel:expr, fma: $narrow:expr, plain: $plain:expr) => {
        $(#[$doc])*
        $visibility fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                use $crate::numeric::multiversion::{InstructionSet, level};

                #[target_feature(enable = "avx512f,avx2,fma")]
                #[expect(unsafe_code, reason = "compiled for instructions that the caller has looked for")]
                unsafe fn wide($($argument: $type),*) {
                    $kernel($($argument),*)
                }
                #[target_feature(enable = "avx2,fma")]
                #[expect(unsafe_code, reason = "compiled for instructions that the caller has looked for")]
                unsafe fn with_fma($($argument: $type),*) {
                    $narrow($($argument),*)
                }
                #[expect(unsafe_code, reason = "the features were just found")]
                match level() {
                    InstructionSet::Wide => return unsafe { wide($($argument),*) },
                    InstructionSet::Fma => return unsafe { with_fma($($argument),*) },
                    InstructionSet::Plain => {}
                }
            }
            $plain($($argument),*)
        }
    };
}

pub(crate) use multiversion;

/// Runs a test at each level, and leaves the highest set. Tests that run at the same time see other levels, and must give the same bits.
#[cfg(test)]
pub fn each_level(mut test: impl FnMut(InstructionSet)) {
    for level in InstructionSet::ALL {
        limit(level);
        test(level);
    }
}
