//! Registers of 128 bits, which every x86-64 processor has.
#![allow(unsafe_code, reason = "vector instructions that are part of x86-64")]

use std::arch::x86_64::{
    __m128d, __m128i, _mm_add_pd, _mm_and_pd, _mm_andnot_pd, _mm_castps_si128, _mm_cmpeq_pd, _mm_cmpge_pd,
    _mm_cmpgt_pd, _mm_cmplt_ps, _mm_cmpunord_pd, _mm_cvtpd_ps, _mm_cvtsi128_si64, _mm_cvttpd_epi32, _mm_div_pd,
    _mm_loadu_pd, _mm_loadu_ps, _mm_movemask_epi8, _mm_movemask_pd, _mm_mul_pd, _mm_or_pd, _mm_packs_epi16,
    _mm_packs_epi32, _mm_set1_pd, _mm_set1_ps, _mm_setzero_ps, _mm_sqrt_pd, _mm_storeu_pd, _mm_stream_pd, _mm_sub_pd,
    _mm_unpackhi_pd, _mm_unpacklo_pd, _mm_xor_pd,
};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use crate::machine::number::Number;
use crate::machine::several::Register;
use crate::machine::vector::SINGLES;

/// Two numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Two(__m128d);

/// What a comparison said of both: all bits of a number, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask(__m128d);

/// Instructions of SSE2 on registers alone.
macro_rules! on_registers {
    ($instructions:expr) => {
        // SAFETY: SSE2 is part of x86-64; no memory is touched.
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
operators!(Add add Two _mm_add_pd, Sub sub Two _mm_sub_pd, Mul mul Two _mm_mul_pd, Div div Two _mm_div_pd);
operators!(BitAnd bitand Mask _mm_and_pd, BitOr bitor Mask _mm_or_pd);

impl Neg for Two {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(on_registers!(_mm_xor_pd(self.0, _mm_set1_pd(-0.0))))
    }
}

impl Not for Mask {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(on_registers!(_mm_xor_pd(self.0, _mm_set1_pd(f64::from_bits(u64::MAX)))))
    }
}

impl Number for Two {
    type Mask = Mask;

    #[inline(always)]
    fn none() -> Mask {
        Mask(on_registers!(_mm_set1_pd(0.0)))
    }

    #[inline(always)]
    fn all(number: f64) -> Self {
        Self(on_registers!(_mm_set1_pd(number)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(on_registers!(_mm_andnot_pd(_mm_set1_pd(-0.0), self.0)))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(on_registers!(_mm_sqrt_pd(self.0)))
    }

    #[inline(always)]
    fn is_above(self, other: Self) -> Mask {
        Mask(on_registers!(_mm_cmpgt_pd(self.0, other.0)))
    }

    #[inline(always)]
    fn is_at_least(self, other: Self) -> Mask {
        Mask(on_registers!(_mm_cmpge_pd(self.0, other.0)))
    }

    #[inline(always)]
    fn equals(self, other: Self) -> Mask {
        Mask(on_registers!(_mm_cmpeq_pd(self.0, other.0)))
    }

    #[inline(always)]
    fn is_nan(self) -> Mask {
        Mask(on_registers!(_mm_cmpunord_pd(self.0, self.0)))
    }

    #[inline(always)]
    fn any(mask: Mask) -> bool {
        Self::bits(mask) != 0
    }

    #[inline(always)]
    fn choose(condition: Mask, then: Self, otherwise: Self) -> Self {
        Self(on_registers!(_mm_or_pd(_mm_and_pd(condition.0, then.0), _mm_andnot_pd(condition.0, otherwise.0))))
    }
}

/// Two numbers one after the other, from this one on.
#[inline(always)]
fn two(numbers: &[f64], first: usize) -> __m128d {
    let numbers = &numbers[first..first + 2];
    // SAFETY: the slice holds two numbers.
    unsafe { _mm_loadu_pd(numbers.as_ptr()) }
}

/// Columns of two rows of two numbers.
#[inline(always)]
fn turned(first: __m128d, second: __m128d) -> [Two; 2] {
    on_registers!([Two(_mm_unpacklo_pd(first, second)), Two(_mm_unpackhi_pd(first, second))])
}

/// What four comparisons of four numbers each said.
#[inline(always)]
#[allow(clippy::cast_sign_loss, reason = "sixteen bits of a mask")]
fn bits_of_sixteen([first, second, third, fourth]: [__m128i; 4]) -> u16 {
    on_registers!(_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(first, second), _mm_packs_epi32(third, fourth))))
        as u16
}

#[inline(always)]
#[allow(clippy::cast_sign_loss, reason = "bits, not a number")]
fn low_half(bits: i64) -> u32 {
    bits as u32
}

impl Register for Two {
    const NUMBERS: usize = 2;
    const IN_REGISTER: usize = 2;

    #[inline(always)]
    fn load(numbers: &[f64]) -> Self {
        Self(two(numbers, 0))
    }

    #[inline(always)]
    fn store(self, into: &mut [f64]) {
        let into = &mut into[..2];
        // SAFETY: the slice holds two numbers.
        unsafe { _mm_storeu_pd(into.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    unsafe fn stream(self, target: *mut f64) {
        // SAFETY: the caller says that two numbers may be written there and how they are aligned.
        unsafe { _mm_stream_pd(target, self.0) }
    }

    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "two bits of a mask")]
    fn bits(mask: Mask) -> u8 {
        on_registers!(_mm_movemask_pd(mask.0)) as u8
    }

    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "codes are whole numbers from 0 to 255")]
    fn store_codes(self, into: &mut [u8]) {
        let both = on_registers!(_mm_cvtsi128_si64(_mm_cvttpd_epi32(self.0)));
        (into[0], into[1]) = (both as u8, (both >> 32) as u8);
    }

    #[inline(always)]
    fn store_singles(self, into: &mut [f32]) {
        let rounded = on_registers!(_mm_cvtsi128_si64(_mm_castps_si128(_mm_cvtpd_ps(self.0))));
        (into[0], into[1]) = (f32::from_bits(low_half(rounded)), f32::from_bits(low_half(rounded >> 32)));
    }

    #[inline(always)]
    fn store_places(self, into: &mut [u32]) {
        let places = on_registers!(_mm_cvtsi128_si64(_mm_cvttpd_epi32(self.0)));
        (into[0], into[1]) = (low_half(places), low_half(places >> 32));
    }

    #[inline(always)]
    fn screen(thresholds: &[f32; SINGLES], number: f32) -> u16 {
        let mut fours = [on_registers!(_mm_setzero_ps()); 4];
        for (four, numbers) in fours.iter_mut().zip(thresholds.as_chunks::<4>().0) {
            // SAFETY: the array holds four numbers.
            *four = unsafe { _mm_loadu_ps(numbers.as_ptr()) };
        }
        let number = on_registers!(_mm_set1_ps(number));
        bits_of_sixteen(fours.map(|four| on_registers!(_mm_castps_si128(_mm_cmplt_ps(four, number)))))
    }

    #[inline(always)]
    fn columns_of_pairs(rows: &[&[f64; 2]]) -> [Self; 2] {
        turned(two(rows[0], 0), two(rows[1], 0))
    }

    #[inline(always)]
    fn columns_of_fours(rows: &[&[f64; 4]]) -> [Self; 4] {
        let [first, second] = turned(two(rows[0], 0), two(rows[1], 0));
        let [third, fourth] = turned(two(rows[0], 2), two(rows[1], 2));
        [first, second, third, fourth]
    }

    #[inline(always)]
    fn store_rows_of_fours([first, second, third, fourth]: [Self; 4], into: &mut [[f64; 4]]) {
        let (left, right) = (turned(first.0, second.0), turned(third.0, fourth.0));
        for row in 0..2 {
            left[row].store(&mut into[row]);
            right[row].store(&mut into[row][2..]);
        }
    }
}
