//! Runs a kernel with the machine's fused multiply-add where it has one.
//!
//! `f64::mul_add` rounds once by definition, so its bits do not depend on the machine; but without the instruction it is
//! a slow function call. A kernel is written once, `#[inline(always)]`, and `fused!` compiles it a second time for
//! machines with AVX2 and FMA.

/// `fused!(fn name(arguments) = kernel)`: a function that runs `kernel` with AVX2 and FMA where they are found.
macro_rules! fused {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $kernel:path) => {
        $(#[$doc])*
        $visibility fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                #[expect(unsafe_code, reason = "compiled for instructions that the caller has looked for")]
                unsafe fn with_fma($($argument: $type),*) {
                    $kernel($($argument),*)
                }
                if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
                    #[expect(unsafe_code, reason = "both features were just found")]
                    return unsafe { with_fma($($argument),*) };
                }
            }
            $kernel($($argument),*)
        }
    };
}

pub(crate) use fused;
