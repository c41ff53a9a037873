//! The one operation that the compiler does not turn into vectors by itself: how many thresholds lie below a number.
//!
//! Everything else is plain loops. This one would end in eight conditional additions; every instruction set has a comparison that gives
//! a mask, and a mask has a population count.

/// Rows of a tile: every loop over rows has this length, a multiple of any vector's.
pub(crate) const ROWS: usize = 64;

/// Thresholds compared at once.
pub(crate) const LANES: usize = 8;

/// Counts thresholds with the means of one instruction set.
pub(crate) trait Compare {
    /// How many of the thresholds lie below the number; NaN has none below it.
    fn count_below(thresholds: &[f64; LANES], number: f64) -> usize;
}

/// What every processor of the target has.
pub(crate) struct Baseline;

impl Compare for Baseline {
    #[inline(always)]
    fn count_below(thresholds: &[f64; LANES], number: f64) -> usize {
        let mut count = 0;
        for threshold in thresholds {
            count += usize::from(number > *threshold);
        }
        count
    }
}

/// 256-bit vectors; use it only where the processor has AVX2.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Compare for Avx2 {
    #[inline(always)]
    #[allow(unsafe_code, reason = "vector instructions of a set that the caller has checked")]
    fn count_below(thresholds: &[f64; LANES], number: f64) -> usize {
        use std::arch::x86_64::{_CMP_GT_OQ, _mm256_cmp_pd, _mm256_loadu_pd, _mm256_movemask_pd, _mm256_set1_pd};
        let (low, high) = thresholds.split_at(LANES / 2);
        // SAFETY: both halves hold four numbers; `InstructionSet::run` uses this type only on processors with AVX2.
        let mask = unsafe {
            let number = _mm256_set1_pd(number);
            let low = _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(number, _mm256_loadu_pd(low.as_ptr())));
            let high = _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(number, _mm256_loadu_pd(high.as_ptr())));
            low | high << (LANES / 2)
        };
        mask.count_ones() as usize
    }
}

/// 512-bit vectors; use it only where the processor has AVX-512.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx512;

#[cfg(target_arch = "x86_64")]
impl Compare for Avx512 {
    #[inline(always)]
    #[allow(unsafe_code, reason = "vector instructions of a set that the caller has checked")]
    fn count_below(thresholds: &[f64; LANES], number: f64) -> usize {
        use std::arch::x86_64::{_CMP_GT_OQ, _mm512_cmp_pd_mask, _mm512_loadu_pd, _mm512_set1_pd};
        // SAFETY: the array holds eight numbers; `InstructionSet::run` uses this type only on processors with AVX-512.
        let mask =
            unsafe { _mm512_cmp_pd_mask::<_CMP_GT_OQ>(_mm512_set1_pd(number), _mm512_loadu_pd(thresholds.as_ptr())) };
        mask.count_ones() as usize
    }
}
