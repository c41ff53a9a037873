//! What the formulas are written over: one number, or several side by side that an operation takes together.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A number, or several side by side. Every operation is that of IEEE 754 on each of them alone, so all kinds give the same bits.
pub trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// What a comparison says of each number.
    type Mask: Copy + BitAnd<Output = Self::Mask> + BitOr<Output = Self::Mask> + Not<Output = Self::Mask>;

    /// What a comparison says that holds for none.
    fn none() -> Self::Mask;

    /// The same number everywhere.
    fn all(number: f64) -> Self;

    /// The magnitude.
    fn abs(self) -> Self;

    /// The square root, rounded as IEEE 754 says.
    fn sqrt(self) -> Self;

    /// `self > other`; false with NaN, as every comparison here.
    fn is_above(self, other: Self) -> Self::Mask;

    /// `self >= other`.
    fn is_at_least(self, other: Self) -> Self::Mask;

    /// `self == other`.
    fn equals(self, other: Self) -> Self::Mask;

    /// Whether it is no number.
    fn is_nan(self) -> Self::Mask;

    /// Whether a comparison holds for any.
    fn any(mask: Self::Mask) -> bool;

    /// One of two, by what a comparison said.
    fn choose(condition: Self::Mask, then: Self, otherwise: Self) -> Self;

    /// `self < other`.
    #[inline(always)]
    fn is_below(self, other: Self) -> Self::Mask {
        other.is_above(self)
    }

    /// Whether it is above zero and not infinite.
    #[inline(always)]
    fn is_positive(self) -> Self::Mask
    where
        Self::Mask: std::ops::BitAnd<Output = Self::Mask>,
    {
        self.is_above(Self::all(0.0)) & self.is_below(Self::all(f64::INFINITY))
    }

    /// No number.
    #[inline(always)]
    fn nan() -> Self {
        Self::all(f64::NAN)
    }
}

impl Number for f64 {
    type Mask = bool;

    #[inline(always)]
    fn none() -> bool {
        false
    }

    #[inline(always)]
    fn all(number: f64) -> Self {
        number
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn is_above(self, other: Self) -> bool {
        self > other
    }

    #[inline(always)]
    fn is_at_least(self, other: Self) -> bool {
        self >= other
    }

    #[inline(always)]
    fn equals(self, other: Self) -> bool {
        self == other
    }

    #[inline(always)]
    fn is_nan(self) -> bool {
        self.is_nan()
    }

    #[inline(always)]
    fn any(mask: bool) -> bool {
        mask
    }

    #[inline(always)]
    fn choose(condition: bool, then: Self, otherwise: Self) -> Self {
        if condition { then } else { otherwise }
    }
}
