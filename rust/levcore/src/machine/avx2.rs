//! Registers of 256 bits. Values of these types exist only below `InstructionSet::run`, which has asked the processor for them.
#![allow(unsafe_code, reason = "vector instructions of a set that `InstructionSet::run` has checked")]

use std::arch::x86_64::{
    __m128d, __m256d, _CMP_EQ_OQ, _CMP_GE_OQ, _CMP_GT_OQ, _CMP_LT_OQ, _CMP_UNORD_Q, _mm_cvtsi128_si32, _mm_loadu_pd,
    _mm_packus_epi16, _mm_packus_epi32, _mm_storeu_ps, _mm_storeu_si128, _mm256_add_pd, _mm256_and_pd,
    _mm256_andnot_pd, _mm256_blendv_pd, _mm256_castpd128_pd256, _mm256_cmp_pd, _mm256_cmp_ps, _mm256_cvtpd_ps,
    _mm256_cvttpd_epi32, _mm256_div_pd, _mm256_insertf128_pd, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_movemask_pd,
    _mm256_movemask_ps, _mm256_mul_pd, _mm256_or_pd, _mm256_permute2f128_pd, _mm256_set1_pd, _mm256_set1_ps,
    _mm256_sqrt_pd, _mm256_storeu_pd, _mm256_stream_pd, _mm256_sub_pd, _mm256_unpackhi_pd, _mm256_unpacklo_pd,
    _mm256_xor_pd,
};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use crate::machine::number::Number;
use crate::machine::several::{Halves, Register};
use crate::machine::vector::SINGLES;

/// Eight numbers in two registers.
pub(crate) type Avx2 = Halves<Four>;

/// Four numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Four(__m256d);

/// What a comparison said of each of them: all bits of a number, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask(__m256d);

/// Instructions of AVX on registers alone.
macro_rules! on_registers {
    ($instructions:expr) => {
        // SAFETY: `InstructionSet::run` uses this type only on processors with AVX2; no memory is touched.
        unsafe { $instructions }
    };
}

macro_rules! operators {
    ($($Operation:ident $operate:ident $Type:ident $instruction:ident),+) => {$(
        impl $Operation for $Type {
            type Output = Self;

            #[inline(always)]
            fn $operate(self, other: Self) -> Self {
                Self(on_registers!($instruction(self.0, other.0)))
            }
        }
    )+};
}
operators!(Add add Four _mm256_add_pd, Sub sub Four _mm256_sub_pd, Mul mul Four _mm256_mul_pd, Div div Four _mm256_div_pd);
operators!(BitAnd bitand Mask _mm256_and_pd, BitOr bitor Mask _mm256_or_pd);

impl Neg for Four {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(on_registers!(_mm256_xor_pd(self.0, _mm256_set1_pd(-0.0))))
    }
}

impl Not for Mask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(on_registers!(_mm256_xor_pd(self.0, _mm256_set1_pd(f64::from_bits(u64::MAX)))))
    }
}

impl Number for Four {
    type Mask = Mask;

    #[inline(always)]
    fn none() -> Mask {
        Mask(on_registers!(_mm256_set1_pd(0.0)))
    }

    #[inline(always)]
    fn all(number: f64) -> Self {
        Self(on_registers!(_mm256_set1_pd(number)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(on_registers!(_mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0)))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(on_registers!(_mm256_sqrt_pd(self.0)))
    }

    #[inline(always)]
    fn is_above(self, other: Self) -> Mask {
        Mask(on_registers!(_mm256_cmp_pd::<_CMP_GT_OQ>(self.0, other.0)))
    }

    #[inline(always)]
    fn is_at_least(self, other: Self) -> Mask {
        Mask(on_registers!(_mm256_cmp_pd::<_CMP_GE_OQ>(self.0, other.0)))
    }

    #[inline(always)]
    fn equals(self, other: Self) -> Mask {
        Mask(on_registers!(_mm256_cmp_pd::<_CMP_EQ_OQ>(self.0, other.0)))
    }

    #[inline(always)]
    fn is_nan(self) -> Mask {
        Mask(on_registers!(_mm256_cmp_pd::<_CMP_UNORD_Q>(self.0, self.0)))
    }

    #[inline(always)]
    fn any(mask: Mask) -> bool {
        Self::bits(mask) != 0
    }

    #[inline(always)]
    fn choose(condition: Mask, then: Self, otherwise: Self) -> Self {
        Self(on_registers!(_mm256_blendv_pd(otherwise.0, then.0, condition.0)))
    }
}

/// Two numbers one after the other, from this one on.
#[inline(always)]
fn two(numbers: &[f64], first: usize) -> __m128d {
    let numbers = &numbers[first..first + 2];
    // SAFETY: as above, and the slice holds two numbers.
    unsafe { _mm_loadu_pd(numbers.as_ptr()) }
}

/// Two numbers of a row and two of another one, from this one on.
#[inline(always)]
fn two_and_two(row: &[f64], other: &[f64], first: usize) -> __m256d {
    on_registers!(_mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(two(row, first)), two(other, first)))
}

/// Columns of pairs: of those in the first half and those in the second.
#[inline(always)]
fn turned(even: __m256d, odd: __m256d) -> [Four; 2] {
    on_registers!([Four(_mm256_unpacklo_pd(even, odd)), Four(_mm256_unpackhi_pd(even, odd))])
}

impl Register for Four {
    const NUMBERS: usize = 4;
    const IN_REGISTER: usize = 4;

    #[inline(always)]
    fn load(numbers: &[f64]) -> Self {
        let numbers = &numbers[..4];
        // SAFETY: as above, and the slice holds four numbers.
        Self(unsafe { _mm256_loadu_pd(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, into: &mut [f64]) {
        let into = &mut into[..4];
        // SAFETY: as above, and the slice holds four numbers.
        unsafe { _mm256_storeu_pd(into.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, target: *mut f64) {
        // SAFETY: as above, and the caller says that four numbers may be written there and how they are aligned.
        unsafe { _mm256_stream_pd(target, self.0) }
    }

    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "four bits of a mask")]
    fn bits(mask: Mask) -> u8 {
        on_registers!(_mm256_movemask_pd(mask.0)) as u8
    }

    #[inline(always)]
    fn store_codes(self, into: &mut [u8]) {
        let codes = on_registers!({
            let codes = _mm256_cvttpd_epi32(self.0);
            let codes = _mm_packus_epi32(codes, codes);
            _mm_cvtsi128_si32(_mm_packus_epi16(codes, codes))
        });
        into[..4].copy_from_slice(&codes.to_ne_bytes());
    }

    #[inline(always)]
    fn store_singles(self, into: &mut [f32]) {
        let into = &mut into[..4];
        // SAFETY: as above, and the slice holds four numbers.
        unsafe { _mm_storeu_ps(into.as_mut_ptr(), _mm256_cvtpd_ps(self.0)) }
    }

    #[inline(always)]
    fn store_places(self, into: &mut [u32]) {
        let into = &mut into[..4];
        // SAFETY: as above, and the slice holds four numbers.
        unsafe { _mm_storeu_si128(into.as_mut_ptr().cast(), _mm256_cvttpd_epi32(self.0)) }
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "eight bits of a mask each")]
    fn screen(thresholds: &[f32; SINGLES], number: f32) -> u16 {
        // SAFETY: as above, and the array holds twice eight numbers.
        let (lower, upper) =
            unsafe { (_mm256_loadu_ps(thresholds.as_ptr()), _mm256_loadu_ps(thresholds[8..].as_ptr())) };
        let [below, below_upper] = on_registers!({
            let number = _mm256_set1_ps(number);
            [
                _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(lower, number)),
                _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(upper, number)),
            ]
        });
        (below | below_upper << 8) as u16
    }

    #[inline(always)]
    fn columns_of_pairs(rows: &[&[f64; 2]]) -> [Self; 2] {
        turned(two_and_two(rows[0], rows[2], 0), two_and_two(rows[1], rows[3], 0))
    }

    #[inline(always)]
    fn columns_of_fours(rows: &[&[f64; 4]]) -> [Self; 4] {
        let [first, second] = turned(two_and_two(rows[0], rows[2], 0), two_and_two(rows[1], rows[3], 0));
        let [third, fourth] = turned(two_and_two(rows[0], rows[2], 2), two_and_two(rows[1], rows[3], 2));
        [first, second, third, fourth]
    }

    #[inline(always)]
    fn store_rows_of_fours([first, second, third, fourth]: [Self; 4], into: &mut [[f64; 4]]) {
        // The first halves of rows 0 and 2, of rows 1 and 3; then their second halves.
        let (left, right) = (turned(first.0, second.0), turned(third.0, fourth.0));
        for row in 0..2 {
            let (lower, upper) = on_registers!((
                _mm256_permute2f128_pd::<0x20>(left[row].0, right[row].0),
                _mm256_permute2f128_pd::<0x31>(left[row].0, right[row].0),
            ));
            Self(lower).store(&mut into[row]);
            Self(upper).store(&mut into[row + 2]);
        }
    }
}
