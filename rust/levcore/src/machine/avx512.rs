//! Registers of 512 bits. Values of this type exist only below `InstructionSet::run`, which has asked the processor for them.
#![allow(unsafe_code, reason = "vector instructions of a set that `InstructionSet::run` has checked")]

use std::arch::x86_64::{
    __m256d, __m512d, __m512i, _CMP_EQ_OQ, _CMP_GE_OQ, _CMP_GT_OQ, _CMP_LT_OQ, _CMP_UNORD_Q, _mm_cvtsi128_si64,
    _mm_loadu_pd, _mm256_cvtepi32_epi8, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_storeu_ps, _mm256_storeu_si256,
    _mm512_abs_pd, _mm512_add_epi32, _mm512_add_pd, _mm512_castpd_si512, _mm512_castpd128_pd512,
    _mm512_castpd256_pd512, _mm512_castpd512_pd256, _mm512_castps256_ps512, _mm512_castsi512_pd,
    _mm512_castsi512_si256, _mm512_cmp_pd_mask, _mm512_cmp_ps_mask, _mm512_cvtepu32_epi64, _mm512_cvtpd_ps,
    _mm512_cvttpd_epi32, _mm512_div_pd, _mm512_extractf64x4_pd, _mm512_extracti32x8_epi32, _mm512_fpclass_pd_mask,
    _mm512_insertf32x8, _mm512_insertf64x2, _mm512_insertf64x4, _mm512_loadu_pd, _mm512_loadu_ps,
    _mm512_mask_add_epi32, _mm512_mask_blend_pd, _mm512_mask_permutexvar_ps, _mm512_maskz_set1_epi32, _mm512_mul_pd,
    _mm512_permutex2var_pd, _mm512_permutex2var_ps, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_set1_pd,
    _mm512_set1_ps, _mm512_shuffle_f64x2, _mm512_sqrt_pd, _mm512_storeu_pd, _mm512_stream_pd, _mm512_sub_pd,
    _mm512_unpackhi_pd, _mm512_unpacklo_pd, _mm512_xor_si512,
};
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::machine::number::Number;
use crate::machine::vector::{LANES, SINGLES, Vector};

/// Eight numbers in one register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(__m512d);

/// Places in sixteen numbers; of each, only the lowest four bits count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places(__m512i);

/// Instructions of AVX-512 on registers alone.
macro_rules! on_registers {
    ($instructions:expr) => {
        // SAFETY: `InstructionSet::run` uses this type only on processors with AVX-512 (F, DQ, VL, BW); no memory is touched.
        unsafe { $instructions }
    };
}

macro_rules! operators {
    ($($Operation:ident $operate:ident $instruction:ident),+) => {$(
        impl $Operation for Avx512 {
            type Output = Self;

            #[inline(always)]
            fn $operate(self, other: Self) -> Self {
                Self(on_registers!($instruction(self.0, other.0)))
            }
        }
    )+};
}
operators!(Add add _mm512_add_pd, Sub sub _mm512_sub_pd, Mul mul _mm512_mul_pd, Div div _mm512_div_pd);

impl Neg for Avx512 {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        let sign = i64::MIN;
        Self(on_registers!(_mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(self.0), _mm512_set1_epi64(sign)))))
    }
}

impl Number for Avx512 {
    type Mask = u8;

    #[inline(always)]
    fn none() -> u8 {
        0
    }

    #[inline(always)]
    fn all(number: f64) -> Self {
        Self(on_registers!(_mm512_set1_pd(number)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(on_registers!(_mm512_abs_pd(self.0)))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(on_registers!(_mm512_sqrt_pd(self.0)))
    }

    #[inline(always)]
    fn is_above(self, other: Self) -> u8 {
        on_registers!(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, other.0))
    }

    #[inline(always)]
    fn is_at_least(self, other: Self) -> u8 {
        on_registers!(_mm512_cmp_pd_mask::<_CMP_GE_OQ>(self.0, other.0))
    }

    #[inline(always)]
    fn equals(self, other: Self) -> u8 {
        on_registers!(_mm512_cmp_pd_mask::<_CMP_EQ_OQ>(self.0, other.0))
    }

    #[inline(always)]
    fn is_nan(self) -> u8 {
        on_registers!(_mm512_cmp_pd_mask::<_CMP_UNORD_Q>(self.0, self.0))
    }

    #[inline(always)]
    fn is_positive(self) -> u8 {
        // One instruction for: quiet NaN, zeros, infinities, negative, signalling NaN.
        !on_registers!(_mm512_fpclass_pd_mask::<0b1101_1111>(self.0))
    }

    #[inline(always)]
    fn any(mask: u8) -> bool {
        mask != 0
    }

    #[inline(always)]
    fn choose(condition: u8, then: Self, otherwise: Self) -> Self {
        Self(on_registers!(_mm512_mask_blend_pd(condition, otherwise.0, then.0)))
    }
}

/// Two rows of two numbers each, in the lower half of what they are inserted in.
#[inline(always)]
fn pair(row: &[f64; 2]) -> std::arch::x86_64::__m128d {
    // SAFETY: as for the instructions on registers, and the row holds two numbers.
    unsafe { _mm_loadu_pd(row.as_ptr()) }
}

#[inline(always)]
fn four(row: &[f64; 4]) -> __m256d {
    // SAFETY: as for the instructions on registers, and the row holds four numbers.
    unsafe { _mm256_loadu_pd(row.as_ptr()) }
}

/// Two rows of four numbers, one after the other.
#[inline(always)]
fn two_fours(lower: &[f64; 4], upper: &[f64; 4]) -> __m512d {
    on_registers!(_mm512_insertf64x4::<1>(_mm512_castpd256_pd512(four(lower)), four(upper)))
}

/// Four rows of two numbers, one after the other.
#[inline(always)]
fn four_pairs(rows: [&[f64; 2]; 4]) -> __m512d {
    on_registers!({
        let pairs = _mm512_castpd128_pd512(pair(rows[0]));
        let pairs = _mm512_insertf64x2::<1>(pairs, pair(rows[1]));
        let pairs = _mm512_insertf64x2::<2>(pairs, pair(rows[2]));
        _mm512_insertf64x2::<3>(pairs, pair(rows[3]))
    })
}

impl Vector for Avx512 {
    const FUSED: bool = true;

    #[inline(always)]
    fn load(numbers: &[f64; LANES]) -> Self {
        // SAFETY: as for the instructions on registers, and the array holds eight numbers.
        Self(unsafe { _mm512_loadu_pd(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, into: &mut [f64; LANES]) {
        // SAFETY: as for the instructions on registers, and the array holds eight numbers.
        unsafe { _mm512_storeu_pd(into.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, target: *mut f64) {
        // SAFETY: as above, and the caller says that eight numbers may be written there and how they are aligned.
        unsafe { _mm512_stream_pd(target, self.0) }
    }

    #[inline(always)]
    fn bits(mask: u8) -> u8 {
        mask
    }

    #[inline(always)]
    fn codes(self) -> [u8; LANES] {
        on_registers!(_mm_cvtsi128_si64(_mm256_cvtepi32_epi8(_mm512_cvttpd_epi32(self.0)))).to_ne_bytes()
    }

    #[inline(always)]
    fn store_singles(self, into: &mut [f32; LANES]) {
        // SAFETY: as for the instructions on registers, and the array holds eight numbers.
        unsafe { _mm256_storeu_ps(into.as_mut_ptr(), _mm512_cvtpd_ps(self.0)) }
    }

    #[inline(always)]
    fn store_places(self, into: &mut [u32; LANES]) {
        // SAFETY: as for the instructions on registers, and the array holds eight numbers.
        unsafe { _mm256_storeu_si256(into.as_mut_ptr().cast(), _mm512_cvttpd_epi32(self.0)) }
    }

    #[inline(always)]
    fn screen(thresholds: &[f32; SINGLES], number: f32) -> u16 {
        // SAFETY: as for the instructions on registers, and the array holds sixteen numbers.
        let (thresholds, number) = unsafe { (_mm512_loadu_ps(thresholds.as_ptr()), _mm512_set1_ps(number)) };
        on_registers!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(thresholds, number))
    }

    #[inline(always)]
    fn count_below(thresholds: &[f64; LANES], number: f64) -> usize {
        Self::all(number).is_above(Self::load(thresholds)).count_ones() as usize
    }

    const SEARCHES: bool = true;

    type Places = Places;

    /// Halves the thresholds four times, for all numbers at once.
    #[inline(always)]
    fn search(thresholds: [&[f32; SINGLES]; 3], numbers: Self, gains: u8, others: Self) -> Option<[Self::Places; 2]> {
        // SAFETY: as for the instructions on registers, and the arrays hold sixteen numbers.
        let [first, gaining, losing] = unsafe {
            let [first, gaining, losing] = thresholds;
            [_mm512_loadu_ps(first.as_ptr()), _mm512_loadu_ps(gaining.as_ptr()), _mm512_loadu_ps(losing.as_ptr())]
        };
        on_registers!({
            let halves = _mm512_castps256_ps512(_mm512_cvtpd_ps(numbers.0));
            let numbers = _mm512_insertf32x8::<1>(halves, _mm512_cvtpd_ps(others.0));
            // The second eight look into the table after the first.
            let second = 0xff00;
            let lose = u16::from(!gains) << LANES;
            let mut places = _mm512_maskz_set1_epi32(second, 16);
            for step in [8, 4, 2, 1] {
                let probe = _mm512_add_epi32(places, _mm512_set1_epi32(step - 1));
                let threshold = _mm512_permutex2var_ps(first, probe, gaining);
                let threshold = _mm512_mask_permutexvar_ps(threshold, lose, probe, losing);
                let below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(threshold, numbers);
                places = _mm512_mask_add_epi32(places, below, places, _mm512_set1_epi32(step));
            }
            let next = _mm512_mask_permutexvar_ps(_mm512_permutex2var_ps(first, places, gaining), lose, places, losing);
            if _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(next, numbers) != 0 {
                return None;
            }
            let upper = _mm512_extracti32x8_epi32::<1>(places);
            Some([Places(_mm512_cvtepu32_epi64(_mm512_castsi512_si256(places))), Places(_mm512_cvtepu32_epi64(upper))])
        })
    }

    #[inline(always)]
    fn pick(column: &[f64; SINGLES], places: Places) -> Self {
        // SAFETY: as for the instructions on registers, and the column holds sixteen numbers.
        let (lower, upper) = unsafe { (_mm512_loadu_pd(column.as_ptr()), _mm512_loadu_pd(column.as_ptr().add(LANES))) };
        Self(on_registers!(_mm512_permutex2var_pd(lower, places.0, upper)))
    }

    #[inline(always)]
    fn columns_of_pairs(rows: [&[f64; 2]; LANES]) -> [Self; 2] {
        let even = four_pairs([rows[0], rows[2], rows[4], rows[6]]);
        let odd = four_pairs([rows[1], rows[3], rows[5], rows[7]]);
        on_registers!([Self(_mm512_unpacklo_pd(even, odd)), Self(_mm512_unpackhi_pd(even, odd))])
    }

    #[inline(always)]
    fn rows_of_fours([first, second, third, fourth]: [Self; 4]) -> [[f64; 4]; LANES] {
        let mut rows = [[0.0; 4]; LANES];
        let (even, odd) = on_registers!((
            [_mm512_unpacklo_pd(first.0, second.0), _mm512_unpacklo_pd(third.0, fourth.0)],
            [_mm512_unpackhi_pd(first.0, second.0), _mm512_unpackhi_pd(third.0, fourth.0)],
        ));
        for (parity, [left, right]) in [even, odd].into_iter().enumerate() {
            let (lower, upper) = on_registers!((
                _mm512_shuffle_f64x2::<0b01_00_01_00>(left, right),
                _mm512_shuffle_f64x2::<0b11_10_11_10>(left, right),
            ));
            for (half, pairs) in [lower, upper].into_iter().enumerate() {
                let fours = on_registers!(_mm512_shuffle_f64x2::<0b11_01_10_00>(pairs, pairs));
                let row = 4 * half + parity;
                // SAFETY: as for the instructions on registers, and a row holds four numbers.
                unsafe {
                    _mm256_storeu_pd(rows[row].as_mut_ptr(), _mm512_castpd512_pd256(fours));
                    _mm256_storeu_pd(rows[row + 2].as_mut_ptr(), _mm512_extractf64x4_pd::<1>(fours));
                }
            }
        }
        rows
    }

    #[inline(always)]
    fn columns_of_fours(rows: [&[f64; 4]; LANES]) -> [Self; 4] {
        let (even, odd) = (two_fours(rows[0], rows[2]), two_fours(rows[1], rows[3]));
        let (even_upper, odd_upper) = (two_fours(rows[4], rows[6]), two_fours(rows[5], rows[7]));
        on_registers!({
            let (first, second) = (_mm512_unpacklo_pd(even, odd), _mm512_unpackhi_pd(even, odd));
            let (third, fourth) =
                (_mm512_unpacklo_pd(even_upper, odd_upper), _mm512_unpackhi_pd(even_upper, odd_upper));
            [
                Self(_mm512_shuffle_f64x2::<0b10_00_10_00>(first, third)),
                Self(_mm512_shuffle_f64x2::<0b10_00_10_00>(second, fourth)),
                Self(_mm512_shuffle_f64x2::<0b11_01_11_01>(first, third)),
                Self(_mm512_shuffle_f64x2::<0b11_01_11_01>(second, fourth)),
            ]
        })
    }
}
