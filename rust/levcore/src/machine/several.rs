//! Vectors of eight made of several registers.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use crate::machine::number::Number;
use crate::machine::vector::{LANES, Vector};

/// A register: some of the eight numbers.
pub(crate) trait Register: Number {
    /// Reads the first numbers of a slice.
    fn load(numbers: &[f64]) -> Self;

    /// Writes the first numbers of a slice.
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
}

/// One number is the register that every processor has.
impl Register for f64 {
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
}

/// Eight numbers in so many registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Several<R, const REGISTERS: usize>([R; REGISTERS]);

/// What a comparison said of each of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Masks<M, const REGISTERS: usize>([M; REGISTERS]);

/// Does the same with every register of two vectors.
macro_rules! by_register {
    ($($Operation:ident $operate:ident $of:ident $bound:ident),+) => {$(
        impl<R: $bound<Output = R> + Copy, const REGISTERS: usize> $Operation for $of<R, REGISTERS> {
            type Output = Self;

            #[inline(always)]
            fn $operate(mut self, other: Self) -> Self {
                for register in 0..REGISTERS {
                    self.0[register] = self.0[register].$operate(other.0[register]);
                }
                self
            }
        }
    )+};
}
by_register!(Add add Several Add, Sub sub Several Sub, Mul mul Several Mul, Div div Several Div);
by_register!(BitAnd bitand Masks BitAnd, BitOr bitor Masks BitOr);

impl<R: Neg<Output = R> + Copy, const REGISTERS: usize> Neg for Several<R, REGISTERS> {
    type Output = Self;

    #[inline(always)]
    fn neg(mut self) -> Self {
        for register in 0..REGISTERS {
            self.0[register] = -self.0[register];
        }
        self
    }
}

impl<M: Not<Output = M> + Copy, const REGISTERS: usize> Not for Masks<M, REGISTERS> {
    type Output = Self;

    #[inline(always)]
    fn not(mut self) -> Self {
        for register in 0..REGISTERS {
            self.0[register] = !self.0[register];
        }
        self
    }
}

/// Compares register by register.
macro_rules! compared_by_register {
    ($($compare:ident),+) => {$(
        #[inline(always)]
        fn $compare(self, other: Self) -> Self::Mask {
            let mut masks = Masks([self.0[0].$compare(other.0[0]); REGISTERS]);
            for register in 1..REGISTERS {
                masks.0[register] = self.0[register].$compare(other.0[register]);
            }
            masks
        }
    )+};
}

impl<R: Register, const REGISTERS: usize> Number for Several<R, REGISTERS> {
    type Mask = Masks<R::Mask, REGISTERS>;

    compared_by_register!(is_above, is_at_least, equals);

    #[inline(always)]
    fn none() -> Self::Mask {
        Masks([R::none(); REGISTERS])
    }

    #[inline(always)]
    fn all(number: f64) -> Self {
        Self([R::all(number); REGISTERS])
    }

    #[inline(always)]
    fn abs(mut self) -> Self {
        for register in 0..REGISTERS {
            self.0[register] = self.0[register].abs();
        }
        self
    }

    #[inline(always)]
    fn sqrt(mut self) -> Self {
        for register in 0..REGISTERS {
            self.0[register] = self.0[register].sqrt();
        }
        self
    }

    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        let mut masks = Masks([self.0[0].is_nan(); REGISTERS]);
        for register in 1..REGISTERS {
            masks.0[register] = self.0[register].is_nan();
        }
        masks
    }

    #[inline(always)]
    fn any(mask: Self::Mask) -> bool {
        let mut any = false;
        for register in 0..REGISTERS {
            any |= R::any(mask.0[register]);
        }
        any
    }

    #[inline(always)]
    fn choose(condition: Self::Mask, mut then: Self, otherwise: Self) -> Self {
        for register in 0..REGISTERS {
            then.0[register] = R::choose(condition.0[register], then.0[register], otherwise.0[register]);
        }
        then
    }
}

impl<R: Register, const REGISTERS: usize> Vector for Several<R, REGISTERS> {
    #[inline(always)]
    fn load(numbers: &[f64; LANES]) -> Self {
        let mut loaded = Self([R::load(numbers); REGISTERS]);
        for register in 1..REGISTERS {
            loaded.0[register] = R::load(&numbers[register * (LANES / REGISTERS)..]);
        }
        loaded
    }

    #[inline(always)]
    fn store(self, into: &mut [f64; LANES]) {
        for register in 0..REGISTERS {
            self.0[register].store(&mut into[register * (LANES / REGISTERS)..]);
        }
    }

    #[inline(always)]
    #[allow(unsafe_code, reason = "writes through a pointer")]
    unsafe fn stream(self, target: *mut f64) {
        for register in 0..REGISTERS {
            // SAFETY: a cache line is a whole number of registers, all of which may be written.
            unsafe { self.0[register].stream(target.add(register * (LANES / REGISTERS))) }
        }
    }

    #[inline(always)]
    fn bits(mask: Self::Mask) -> u8 {
        let mut bits = 0;
        for register in 0..REGISTERS {
            bits |= R::bits(mask.0[register]) << (register * (LANES / REGISTERS));
        }
        bits
    }

    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "codes are whole numbers from 0 to 255")]
    fn codes(self) -> [u8; LANES] {
        let (numbers, mut codes) = (self.array(), [0; LANES]);
        for lane in 0..LANES {
            // Through a wider type, so that several numbers are turned at once.
            codes[lane] = numbers[lane] as i32 as u8;
        }
        codes
    }

    #[inline(always)]
    fn count_below(thresholds: &[f64; LANES], number: f64) -> usize {
        let (above, mut count) = (Self::all(number).is_above(Self::load(thresholds)), 0);
        for register in 0..REGISTERS {
            count += R::bits(above.0[register]).count_ones() as usize;
        }
        count
    }

    #[inline(always)]
    fn columns_of_pairs(rows: [&[f64; 2]; LANES]) -> [Self; 2] {
        let mut columns = [[0.0; LANES]; 2];
        for lane in 0..LANES {
            columns[0][lane] = rows[lane][0];
            columns[1][lane] = rows[lane][1];
        }
        [Self::load(&columns[0]), Self::load(&columns[1])]
    }

    #[inline(always)]
    fn rows_of_fours(columns: [Self; 4]) -> [[f64; 4]; LANES] {
        let mut rows = [[0.0; 4]; LANES];
        for column in 0..4 {
            let numbers = columns[column].array();
            for lane in 0..LANES {
                rows[lane][column] = numbers[lane];
            }
        }
        rows
    }

    #[inline(always)]
    fn columns_of_fours(rows: [&[f64; 4]; LANES]) -> [Self; 4] {
        let mut columns = [[0.0; LANES]; 4];
        for lane in 0..LANES {
            for column in 0..4 {
                columns[column][lane] = rows[lane][column];
            }
        }
        [Self::load(&columns[0]), Self::load(&columns[1]), Self::load(&columns[2]), Self::load(&columns[3])]
    }
}

/// Eight numbers in what every processor of the target has.
pub(crate) type Baseline = Several<f64, LANES>;
