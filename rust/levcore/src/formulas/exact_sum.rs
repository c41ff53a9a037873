//! Sums that are exact until they are rounded once, so that no order, batch, shard or number of threads changes a bit.
//!
//! # Formula
//!
//! Every finite float64 is a whole number of `2^-1074`, below `2^2098` of them. The sum is kept as such a whole number, in digits of
//! 32 bits that may run over their size for a while, and rounded to nearest, ties to even, when it is asked for: what `math.fsum` of
//! Python returns.
//!
//! # What is no number
//!
//! NaN, or infinities of both signs, give NaN; infinities of one sign give that infinity. A sum beyond the range of float64 is infinite;
//! sums on the way to it have no such bound, so `1e308 + 1e308 - 1e308` is `1e308` (`math.fsum` raises `OverflowError`). The sum of
//! nothing, and one that cancels, is `+0.0`, also where every number added was `-0.0`.

use crate::error::{Error, Result};

/// Bits of a digit.
const BITS: usize = 32;
/// Digits for `2^63` of the largest numbers.
const DIGITS: usize = 68;
const MASK: i64 = (1 << BITS) - 1;
/// Additions, each below `2^32` in every digit, after which a digit still fits.
const ADDITIONS: u32 = 1 << 30;
/// Bits of the fraction that float64 stores.
const FRACTION: usize = 52;
const INFINITE: u64 = f64::INFINITY.to_bits();
/// Bytes of a sum as a whole number.
const WHOLE: usize = (DIGITS + 1) * size_of::<u32>();

/// A sum of float64 without rounding.
///
/// # Examples
///
/// ```
/// use levcore::ExactSum;
///
/// let (mut one, other): (ExactSum, ExactSum) = ([1e16, 1.0].into_iter().collect(), [1.0, -1e16].into_iter().collect());
/// one.merge(&other);
/// assert_eq!(one.value(), 2.0);
/// ```
#[derive(Debug, Clone)]
pub struct ExactSum {
    /// Digits, the lowest first; each counts `2^32` of the one below, the lowest one `2^-1074`.
    digits: [i64; DIGITS],
    /// Additions since the digits were last carried.
    additions: u32,
    /// Plain sum of what was not finite.
    not_finite: f64,
}

impl Default for ExactSum {
    fn default() -> Self {
        Self { digits: [0; DIGITS], additions: 0, not_finite: 0.0 }
    }
}

impl ExactSum {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, number: f64) {
        let bits = number.to_bits();
        let exponent = (bits >> FRACTION) as usize & 0x7ff;
        let fraction = bits & ((1 << FRACTION) - 1);
        if exponent == 0x7ff {
            self.not_finite += number;
            return;
        }
        // Numbers with the exponent 0 have no leading one, and the size of those with the exponent 1.
        let (whole, shift) = if exponent == 0 { (fraction, 0) } else { (fraction | 1 << FRACTION, exponent - 1) };
        let placed = u128::from(whole) << (shift % BITS);
        let negative = number.is_sign_negative();
        for (place, digit) in self.digits[shift / BITS..][..3].iter_mut().enumerate() {
            let part = (placed >> (place * BITS)) as i64 & MASK;
            *digit += if negative { -part } else { part };
        }
        self.additions += 1;
        if self.additions == ADDITIONS {
            self.carry();
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        other.carry();
        self.carry();
        for (digit, added) in self.digits.iter_mut().zip(other.digits) {
            *digit += added;
        }
        self.additions = 1;
        self.not_finite += other.not_finite;
    }

    /// The sum, rounded to nearest, ties to even.
    #[must_use]
    pub fn value(&self) -> f64 {
        if self.not_finite.is_nan() {
            return f64::NAN;
        }
        if self.not_finite != 0.0 {
            return self.not_finite;
        }
        let mut sum = self.clone();
        sum.carry();
        let negative = sum.digits[DIGITS - 1] < 0;
        if negative {
            sum.digits = sum.digits.map(|digit| -digit);
            sum.carry();
        }
        let magnitude = sum.rounded();
        if negative { -magnitude } else { magnitude }
    }

    /// The sum as a whole number of `2^-1074`, little-endian and in two's complement, and the plain sum of what was not finite:
    /// what another process needs to add its own sums to this one.
    #[must_use]
    pub fn whole(&self) -> ([u8; WHOLE], f64) {
        let mut sum = self.clone();
        sum.carry();
        let mut bytes = [0; WHOLE];
        let (places, highest) = bytes.split_at_mut(WHOLE - size_of::<i64>());
        for (place, digit) in places.chunks_exact_mut(size_of::<u32>()).zip(sum.digits) {
            place.copy_from_slice(&digit.to_le_bytes()[..size_of::<u32>()]);
        }
        highest.copy_from_slice(&sum.digits[DIGITS - 1].to_le_bytes());
        (bytes, self.not_finite)
    }

    /// Carries what runs over from digit to digit: all but the highest one are then in `[0, 2^32)`.
    fn carry(&mut self) {
        let mut carried = 0;
        for digit in &mut self.digits[..DIGITS - 1] {
            let full = *digit + carried;
            *digit = full & MASK;
            carried = full >> BITS;
        }
        self.digits[DIGITS - 1] += carried;
        self.additions = 0;
    }

    /// Rounds carried digits that are not negative.
    fn rounded(&self) -> f64 {
        let Some(highest) = self.digits.iter().rposition(|&digit| digit != 0) else { return 0.0 };
        let lowest = highest.saturating_sub(2);
        let parts = self.digits[lowest..=highest].iter().rev();
        let leading = parts.fold(0_u128, |leading, &digit| leading << BITS | u128::from(digit.unsigned_abs()));
        let length = u128::BITS as usize - leading.leading_zeros() as usize;
        // What float64 has no place for; there is none below the lowest number, so a small sum is exact.
        let surplus = length.saturating_sub(FRACTION + 1);
        let dropped = leading & ((1 << surplus) - 1);
        let half = (1 << surplus) >> 1;
        let more = self.digits[..lowest].iter().any(|&digit| digit != 0);
        let kept = (leading >> surplus) as u64;
        let up = surplus > 0 && (dropped > half || dropped == half && (more || kept & 1 == 1));
        // The stored exponent and fraction of `kept * 2^shift` lie side by side, so that a carry of the one raises the other.
        let shift = (lowest * BITS + surplus) as u64;
        let bits = (shift << FRACTION) + kept + u64::from(up);
        f64::from_bits(bits.min(INFINITE))
    }
}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, numbers: I) {
        numbers.into_iter().for_each(|number| self.add(number));
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        let mut sum = Self::default();
        sum.extend(numbers);
        sum
    }
}

/// Exact sums by group, rounded once; a group without numbers has the sum `0.0`.
///
/// `groups` holds the group of each number, and numbers of negative groups are left out; `None`: all are of group 0. `count` is the number
/// of groups.
///
/// # Errors
///
/// [`Error::Length`] for a group column of another length, [`Error::Code`] for a group not below `count`.
pub fn exact_sums(values: &[f64], groups: Option<&[i64]>, count: usize) -> Result<Vec<f64>> {
    grouped(values, groups, count, ExactSum::value)
}

/// The sums of [`exact_sums`] before they are rounded, each as [`ExactSum::whole`] gives it.
///
/// # Errors
///
/// As [`exact_sums`].
pub fn exact_wholes(values: &[f64], groups: Option<&[i64]>, count: usize) -> Result<Vec<([u8; WHOLE], f64)>> {
    grouped(values, groups, count, ExactSum::whole)
}

/// What `finish` makes of the sum of each group.
fn grouped<T>(values: &[f64], groups: Option<&[i64]>, count: usize, finish: impl Fn(&ExactSum) -> T) -> Result<Vec<T>> {
    let finished = |numbers: &[f64]| finish(&numbers.iter().copied().collect());
    let Some(groups) = groups else {
        if count == 0 && !values.is_empty() {
            return Err(Error::Code { argument: "groups", row: 0, found: 0, limit: 0 });
        }
        return Ok((0..count).map(|group| finished(if group == 0 { values } else { &[] })).collect());
    };
    if groups.len() != values.len() {
        return Err(Error::Length { argument: "groups", expected: values.len(), found: groups.len() });
    }
    let (starts, sorted) = by_group(values, groups, count)?;
    Ok(starts.windows(2).map(|range| finished(&sorted[range[0]..range[1]])).collect())
}

/// Where each group starts, with one place more for the end, and the numbers by group: a sum takes half a kilobyte, so that one at a time
/// is better than one a group.
fn by_group(values: &[f64], groups: &[i64], count: usize) -> Result<(Vec<usize>, Vec<f64>)> {
    let mut starts = vec![0; count + 1];
    for (row, &group) in groups.iter().enumerate() {
        match usize::try_from(group) {
            Ok(place) if place < count => starts[place + 1] += 1,
            Ok(_) => return Err(Error::Code { argument: "groups", row, found: group, limit: count }),
            Err(_) => {}
        }
    }
    for place in 0..count {
        starts[place + 1] += starts[place];
    }
    let mut free = starts.clone();
    let mut sorted = vec![0.0; starts[count]];
    for (&value, &group) in values.iter().zip(groups) {
        if let Ok(place) = usize::try_from(group) {
            sorted[free[place]] = value;
            free[place] += 1;
        }
    }
    Ok((starts, sorted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(numbers: &[f64]) -> f64 {
        numbers.iter().copied().collect::<ExactSum>().value()
    }

    #[test]
    fn what_float64_would_drop_is_kept() {
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum(&[1e308, 1e308, -1e308]), 1e308);
        assert_eq!(sum(&[5e-324, 1e308, -1e308]), 5e-324);
        assert_eq!(sum(&[f64::MAX, -f64::MAX, 2.5e-320, -5e-324]), 2.5e-320 - 5e-324);
    }

    #[test]
    fn ties_go_to_even_and_a_bit_far_below_decides_them() {
        let (one, half) = (1.0, f64::EPSILON / 2.0);
        assert_eq!(sum(&[one, half]), 1.0);
        assert_eq!(sum(&[one, half, 5e-324]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[one + f64::EPSILON, half]), 1.0 + 2.0 * f64::EPSILON);
        assert_eq!(sum(&[one + f64::EPSILON, half, -5e-324]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[-one, -half, -5e-324]), -1.0 - f64::EPSILON);
    }

    #[test]
    fn the_edge_of_the_range_rounds_as_a_number_does() {
        // Half of the last place above the largest number is where infinity begins.
        let half = (f64::MAX - f64::MAX.next_down()) / 2.0;
        assert_eq!(sum(&[f64::MAX, half]), f64::INFINITY);
        assert_eq!(sum(&[f64::MAX, half, -5e-324]), f64::MAX);
        assert_eq!(sum(&[-f64::MAX, -f64::MAX]), f64::NEG_INFINITY);
        assert_eq!(sum(&[f64::MIN_POSITIVE, -5e-324]), f64::MIN_POSITIVE - 5e-324);
    }

    #[test]
    fn what_is_no_number_stays_none() {
        assert!(sum(&[1.0, f64::NAN]).is_nan() && sum(&[f64::INFINITY, 1.0, f64::NEG_INFINITY]).is_nan());
        assert_eq!(sum(&[f64::INFINITY, -1e308]), f64::INFINITY);
        assert_eq!(sum(&[f64::NEG_INFINITY, f64::NEG_INFINITY]), f64::NEG_INFINITY);
        for nothing in [&[][..], &[-0.0, -0.0], &[1.5, -1.5]] {
            assert_eq!(sum(nothing).to_bits(), 0.0_f64.to_bits());
        }
    }

    #[test]
    fn carries_go_through_all_digits() {
        let mut sum = ExactSum::default();
        for _ in 0..1000 {
            sum.add(-f64::MAX);
            sum.carry();
        }
        for _ in 0..999 {
            sum.add(f64::MAX);
        }
        sum.add(f64::MAX);
        sum.add(-5e-324);
        assert_eq!(sum.value(), -5e-324);
    }

    #[test]
    fn the_whole_number_counts_the_smallest_ones() {
        let (bytes, not_finite) = [5e-324, f64::INFINITY, 1e-323].into_iter().collect::<ExactSum>().whole();
        assert_eq!((bytes[0], &bytes[1..], not_finite), (3, &[0; WHOLE - 1][..], f64::INFINITY));
        let (bytes, not_finite) = [-5e-324].into_iter().collect::<ExactSum>().whole();
        assert_eq!((bytes, not_finite), ([0xff; WHOLE], 0.0));
        // 1 is 2^1074 of them.
        let (bytes, _) = ExactSum::from_iter([1.0]).whole();
        assert_eq!((bytes[134], bytes.iter().filter(|&&byte| byte != 0).count()), (1 << 2, 1));
    }

    #[test]
    fn groups_are_summed_apart_and_negative_ones_left_out() {
        let values = [1e16, 7.0, 1.0, f64::NAN, -1e16, 0.5];
        assert_eq!(exact_sums(&values, Some(&[2, 0, 2, -1, 2, 0]), 4), Ok(vec![7.5, 0.0, 1.0, 0.0]));
        assert_eq!(exact_sums(&[1.0, 2.0], None, 1), Ok(vec![3.0]));
        let refused = Err(Error::Code { argument: "groups", row: 1, found: 4, limit: 4 });
        assert_eq!(exact_sums(&[1.0, 2.0], Some(&[0, 4]), 4), refused);
        assert_eq!(exact_sums(&[1.0], None, 0), Err(Error::Code { argument: "groups", row: 0, found: 0, limit: 0 }));
        let refused = Err(Error::Length { argument: "groups", expected: 1, found: 0 });
        assert_eq!(exact_sums(&[1.0], Some(&[]), 4), refused);
    }

    /// Numbers of every size, more of them than chance would give near each other and near their negatives.
    fn numbers() -> impl Strategy<Value = Vec<f64>> {
        let any = any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |number| number.is_finite());
        let near =
            (-1_i64 << 53..1 << 53, 0_u64..80).prop_map(|(whole, size)| whole as f64 / (1_u64 << (size % 60)) as f64);
        prop::collection::vec(prop_oneof![any, near], 0..60)
    }

    proptest! {
        #[test]
        fn no_order_changes_a_bit((numbers, shuffled) in numbers().prop_flat_map(|numbers| {
            (Just(numbers.clone()), Just(numbers).prop_shuffle())
        })) {
            prop_assert_eq!(sum(&numbers).to_bits(), sum(&shuffled).to_bits());
        }

        #[test]
        fn parts_merge_to_the_whole(numbers in numbers(), cut in any::<prop::sample::Index>()) {
            let (one, other) = numbers.split_at(cut.index(numbers.len() + 1));
            let mut merged: ExactSum = one.iter().copied().collect();
            merged.merge(&other.iter().copied().collect());
            prop_assert_eq!(merged.value().to_bits(), sum(&numbers).to_bits());
        }

        #[test]
        fn a_number_and_two_are_what_the_processor_makes_of_them(left in any::<f64>(), right in any::<f64>()) {
            // One rounding is correct by the standard; the sign of zero is the only difference.
            prop_assert_eq!(sum(&[left]), left);
            prop_assert_eq!(sum(&[left, right]), left + right);
        }

        #[test]
        fn what_is_taken_away_again_leaves_the_rest(numbers in numbers(), rest in -1e9..1e9) {
            let mut all: ExactSum = numbers.iter().copied().collect();
            all.add(rest);
            all.extend(numbers.iter().map(|number| -number));
            prop_assert_eq!(all.value(), rest);
        }

        #[test]
        fn whole_numbers_are_summed_as_integers(numbers in prop::collection::vec(-1_i64 << 53..1 << 53, 0..60)) {
            let exact: i128 = numbers.iter().map(|&number| i128::from(number)).sum();
            // The conversion of an integer rounds to nearest, ties to even.
            let numbers: Vec<f64> = numbers.iter().map(|&number| number as f64).collect();
            prop_assert_eq!(sum(&numbers), exact as f64);
        }
    }
}
