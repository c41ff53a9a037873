//! Vectors of eight made of smaller registers: a vector is two halves, and so is a half until it fits a register. No loop over registers:
//! what the compiler must unroll and take apart again costs it far more time than what is written as two.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use crate::machine::number::Number;
use crate::machine::vector::{LANES, SINGLES, Vector};

/// Some of the eight numbers: those of a register, or of several. What it reads and writes are the first numbers of what it is given.
pub(crate) trait Register: Number {
    /// How many numbers it holds.
    const NUMBERS: usize;

    /// How many of them are in one register of the processor.
    const IN_REGISTER: usize;

    /// Reads numbers.
    fn load(numbers: &[f64]) -> Self;

    /// Writes its numbers.
    fn store(self, into: &mut [f64]);

    /// Writes its numbers past the cache, if the processor can.
    ///
    /// # Safety
    ///
    /// `target` is aligned to the size of the register, and its numbers may be written there.
    #[allow(unsafe_code, reason = "writes through a pointer")]
    unsafe fn stream(self, target: *mut f64);

    /// What a comparison said, the first number in the lowest bit.
    fn bits(mask: Self::Mask) -> u8;

    /// Writes whole numbers from 0 to 255 as they are stored.
    fn store_codes(self, into: &mut [u8]);

    /// Writes its numbers rounded to single precision.
    fn store_singles(self, into: &mut [f32]);

    /// Writes whole numbers that are places in a list.
    fn store_places(self, into: &mut [u32]);

    /// Which of sixteen thresholds lie below the number, a bit each.
    fn screen(thresholds: &[f32; SINGLES], number: f32) -> u16;

    /// Two columns of rows that lie apart.
    fn columns_of_pairs(rows: &[&[f64; 2]]) -> [Self; 2];

    /// Four columns of rows that lie apart.
    fn columns_of_fours(rows: &[&[f64; 4]]) -> [Self; 4];

    /// Writes four columns as rows.
    fn store_rows_of_fours(columns: [Self; 4], into: &mut [[f64; 4]]);
}

/// One number is the register that every processor has.
#[cfg(any(test, not(target_arch = "x86_64")))]
impl Register for f64 {
    const NUMBERS: usize = 1;
    const IN_REGISTER: usize = 1;

    #[inline(always)]
    fn load(numbers: &[f64]) -> Self {
        numbers[0]
    }

    #[inline(always)]
    fn store(self, into: &mut [f64]) {
        into[0] = self;
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "writes through a pointer")]
    unsafe fn stream(self, target: *mut f64) {
        // SAFETY: the caller says that the number may be written there.
        unsafe { target.write(self) }
    }

    #[inline(always)]
    fn bits(mask: bool) -> u8 {
        u8::from(mask)
    }

    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "codes are whole numbers from 0 to 255")]
    fn store_codes(self, into: &mut [u8]) {
        into[0] = self as i32 as u8;
    }

    #[inline(always)]
    fn store_singles(self, into: &mut [f32]) {
        into[0] = self as f32;
    }

    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "a place in a list")]
    fn store_places(self, into: &mut [u32]) {
        into[0] = self as u32;
    }

    #[inline(always)]
    fn screen(thresholds: &[f32; SINGLES], number: f32) -> u16 {
        let mut bits = 0;
        for (place, &threshold) in thresholds.iter().enumerate() {
            bits |= u16::from(threshold < number) << place;
        }
        bits
    }

    #[inline(always)]
    fn columns_of_pairs(rows: &[&[f64; 2]]) -> [Self; 2] {
        *rows[0]
    }

    #[inline(always)]
    fn columns_of_fours(rows: &[&[f64; 4]]) -> [Self; 4] {
        *rows[0]
    }

    #[inline(always)]
    fn store_rows_of_fours(columns: [Self; 4], into: &mut [[f64; 4]]) {
        into[0] = columns;
    }
}

/// Numbers in two registers, or in twice as many as a half has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Halves<R>(R, R);

/// What a comparison said of either half.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Masks<M>(M, M);

/// Does the same with both halves of two vectors.
macro_rules! by_halves {
    ($($Operation:ident $operate:ident $of:ident),+) => {$(
        impl<R: $Operation<Output = R>> $Operation for $of<R> {
            type Output = Self;

            #[inline(always)]
            fn $operate(self, other: Self) -> Self {
                Self(self.0.$operate(other.0), self.1.$operate(other.1))
            }
        }
    )+};
}
by_halves!(Add add Halves, Sub sub Halves, Mul mul Halves, Div div Halves, BitAnd bitand Masks, BitOr bitor Masks);

impl<R: Neg<Output = R>> Neg for Halves<R> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0, -self.1)
    }
}

impl<M: Not<Output = M>> Not for Masks<M> {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0, !self.1)
    }
}

/// Compares half by half.
macro_rules! compared_by_halves {
    ($($compare:ident),+) => {$(
        #[inline(always)]
        fn $compare(self, other: Self) -> Self::Mask {
            Masks(self.0.$compare(other.0), self.1.$compare(other.1))
        }
    )+};
}

impl<R: Register> Number for Halves<R> {
    type Mask = Masks<R::Mask>;

    compared_by_halves!(is_above, is_at_least, equals);

    #[inline(always)]
    fn none() -> Self::Mask {
        Masks(R::none(), R::none())
    }

    #[inline(always)]
    fn all(number: f64) -> Self {
        Self(R::all(number), R::all(number))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs(), self.1.abs())
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt(), self.1.sqrt())
    }

    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        Masks(self.0.is_nan(), self.1.is_nan())
    }

    #[inline(always)]
    fn any(mask: Self::Mask) -> bool {
        R::any(mask.0) || R::any(mask.1)
    }

    #[inline(always)]
    fn choose(condition: Self::Mask, then: Self, otherwise: Self) -> Self {
        Self(R::choose(condition.0, then.0, otherwise.0), R::choose(condition.1, then.1, otherwise.1))
    }
}

impl<R: Register> Register for Halves<R> {
    const NUMBERS: usize = 2 * R::NUMBERS;
    const IN_REGISTER: usize = R::IN_REGISTER;

    #[inline(always)]
    fn load(numbers: &[f64]) -> Self {
        Self(R::load(numbers), R::load(&numbers[R::NUMBERS..]))
    }

    #[inline(always)]
    fn store(self, into: &mut [f64]) {
        self.0.store(into);
        self.1.store(&mut into[R::NUMBERS..]);
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "writes through a pointer")]
    unsafe fn stream(self, target: *mut f64) {
        // SAFETY: the caller says so of both halves, and the second one is as well aligned as the first.
        unsafe {
            self.0.stream(target);
            self.1.stream(target.add(R::NUMBERS));
        }
    }

    #[inline(always)]
    fn bits(mask: Self::Mask) -> u8 {
        R::bits(mask.0) | R::bits(mask.1) << R::NUMBERS
    }

    #[inline(always)]
    fn store_codes(self, into: &mut [u8]) {
        self.0.store_codes(into);
        self.1.store_codes(&mut into[R::NUMBERS..]);
    }

    #[inline(always)]
    fn store_singles(self, into: &mut [f32]) {
        self.0.store_singles(into);
        self.1.store_singles(&mut into[R::NUMBERS..]);
    }

    #[inline(always)]
    fn store_places(self, into: &mut [u32]) {
        self.0.store_places(into);
        self.1.store_places(&mut into[R::NUMBERS..]);
    }

    #[inline(always)]
    fn screen(thresholds: &[f32; SINGLES], number: f32) -> u16 {
        R::screen(thresholds, number)
    }

    #[inline(always)]
    fn columns_of_pairs(rows: &[&[f64; 2]]) -> [Self; 2] {
        let [first, second] = R::columns_of_pairs(rows);
        let [first_half, second_half] = R::columns_of_pairs(&rows[R::NUMBERS..]);
        [Self(first, first_half), Self(second, second_half)]
    }

    #[inline(always)]
    fn columns_of_fours(rows: &[&[f64; 4]]) -> [Self; 4] {
        let ([a, b, c, d], [e, f, g, h]) = (R::columns_of_fours(rows), R::columns_of_fours(&rows[R::NUMBERS..]));
        [Self(a, e), Self(b, f), Self(c, g), Self(d, h)]
    }

    #[inline(always)]
    fn store_rows_of_fours([a, b, c, d]: [Self; 4], into: &mut [[f64; 4]]) {
        R::store_rows_of_fours([a.0, b.0, c.0, d.0], into);
        R::store_rows_of_fours([a.1, b.1, c.1, d.1], &mut into[R::NUMBERS..]);
    }
}

/// [`Vector::search`] number by number.
fn search_one_by_one(
    [first, gaining, losing]: [&[f32; SINGLES]; 3],
    numbers: [f32; LANES],
    gains: u8,
    others: [f32; LANES],
) -> Option<[[u32; LANES]; 2]> {
    let mut places = [[0; LANES]; 2];
    for lane in 0..LANES {
        let of_other = if gains >> lane & 1 == 1 { gaining } else { losing };
        for (place, (thresholds, number)) in [(first, numbers[lane]), (of_other, others[lane])].into_iter().enumerate()
        {
            if thresholds.contains(&number) {
                return None;
            }
            places[place][lane] = thresholds.iter().filter(|&&threshold| threshold < number).count() as u32;
        }
    }
    Some(places)
}

impl<R: Register> Vector for Halves<R> {
    const SEARCHES: bool = false;

    type Places = [u32; LANES];

    fn search(
        thresholds: [&[f32; SINGLES]; 3],
        numbers: Self,
        gains: Self::Mask,
        others: Self,
    ) -> Option<[Self::Places; 2]> {
        let (mut singles, mut other_singles) = ([0.0; LANES], [0.0; LANES]);
        Vector::store_singles(numbers, &mut singles);
        Vector::store_singles(others, &mut other_singles);
        search_one_by_one(thresholds, singles, <Self as Vector>::bits(gains), other_singles)
    }

    fn pick(column: &[f64; SINGLES], places: Self::Places) -> Self {
        Vector::load(&places.map(|place| column[place as usize]))
    }

    // What is not fused is compiled without the instruction set of its caller: registers of two numbers need none.
    const FUSED: bool = R::NUMBERS == R::IN_REGISTER;

    #[inline(always)]
    fn load(numbers: &[f64; LANES]) -> Self {
        Register::load(numbers)
    }

    #[inline(always)]
    fn store(self, into: &mut [f64; LANES]) {
        Register::store(self, into);
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "writes through a pointer")]
    unsafe fn stream(self, target: *mut f64) {
        // SAFETY: a cache line is a whole number of registers, all of which the caller says may be written.
        unsafe { Register::stream(self, target) }
    }

    #[inline(always)]
    fn bits(mask: Self::Mask) -> u8 {
        <Self as Register>::bits(mask)
    }

    #[inline(always)]
    fn codes(self) -> [u8; LANES] {
        let mut codes = [0; LANES];
        self.store_codes(&mut codes);
        codes
    }

    #[inline(always)]
    fn store_singles(self, into: &mut [f32; LANES]) {
        Register::store_singles(self, into);
    }

    #[inline(always)]
    fn store_places(self, into: &mut [u32; LANES]) {
        Register::store_places(self, into);
    }

    #[inline(always)]
    fn screen(thresholds: &[f32; SINGLES], number: f32) -> u16 {
        R::screen(thresholds, number)
    }

    #[inline(always)]
    fn count_below(thresholds: &[f64; LANES], number: f64) -> usize {
        let above = Self::all(number).is_above(Register::load(thresholds));
        <Self as Register>::bits(above).count_ones() as usize
    }

    #[inline(always)]
    fn columns_of_pairs(rows: [&[f64; 2]; LANES]) -> [Self; 2] {
        Register::columns_of_pairs(&rows)
    }

    #[inline(always)]
    fn rows_of_fours(columns: [Self; 4]) -> [[f64; 4]; LANES] {
        let mut rows = [[0.0; 4]; LANES];
        Register::store_rows_of_fours(columns, &mut rows);
        rows
    }

    #[inline(always)]
    fn columns_of_fours(rows: [&[f64; 4]; LANES]) -> [Self; 4] {
        Register::columns_of_fours(&rows)
    }
}

/// Eight numbers one by one, on any processor.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(crate) type OneByOne = Halves<Halves<Halves<f64>>>;
