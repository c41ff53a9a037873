//! The legs of consecutive accounts that can be added, next to each other, and what they need of their instruments.

use crate::error::Result;
use crate::memory;
use crate::scenarios::inputs::{AddOns, Legs, ScenarioArrays};
use crate::scenarios::status::RowStatus;

/// A leg with an exposure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldLeg {
    pub quantity: f64,
    /// Place of its instrument in the arrays.
    pub place: u32,
    /// Rank of its group.
    pub group: u32,
}

/// Place of an instrument that no leg can be added of.
pub(crate) const NO_PLACE: u32 = u32::MAX;
/// What a leg needs of its instrument, in one look-up.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    /// Place in the arrays; [`NO_PLACE`] where no quantity can mend what is missing.
    pub place: u32,
    /// Rank of its group.
    pub group: u32,
}

/// What legs need of the book's instruments, and of a code that is none.
pub(crate) fn hold(
    legs: &Legs<'_>,
    arrays: &ScenarioArrays<'_>,
    add_ons: &AddOns<'_>,
    ranks: &[u32],
) -> Result<Vec<Held>> {
    let mut held = memory::filled(Held { place: NO_PLACE, group: 0 }, legs.places.len() + 1)?;
    for (held, &place) in held.iter_mut().zip(legs.places) {
        if let Some(known) = place
            && missing(arrays, add_ons, place).is_none()
        {
            *held = Held { place: known as u32, group: ranks[arrays.group[known] as usize] };
        }
    }
    Ok(held)
}

/// What no quantity of an instrument can mend.
pub(crate) fn missing(arrays: &ScenarioArrays<'_>, add_ons: &AddOns<'_>, place: Option<usize>) -> Option<RowStatus> {
    let Some(place) = place else { return Some(RowStatus::UnknownInstrument) };
    if !arrays.profits_of(place).iter().all(|profit| profit.is_finite()) {
        Some(RowStatus::IncompleteArray)
    } else if add_ons.option_value.is_some_and(|values| !values[place].is_finite()) {
        Some(RowStatus::MissingOptionValue)
    } else {
        None
    }
}

/// A leg of an instrument with this code, whatever it is.
#[inline(always)]
pub(crate) fn held_leg(of_code: &[Held], quantity: f64, code: u32) -> HeldLeg {
    let (code, none) = (code as usize, of_code.len() - 1);
    let Held { place, group } = of_code[if code < none { code } else { none }];
    HeldLeg { quantity, place, group }
}

/// Whether a leg can be added and has an exposure.
#[inline(always)]
pub(crate) fn is_ordinary(leg: &HeldLeg) -> bool {
    // As a whole number, the magnitude of what is neither zero nor infinite nor NaN lies between those of the first two.
    let magnitude = leg.quantity.abs().to_bits();
    (magnitude.wrapping_sub(1) < f64::INFINITY.to_bits() - 1) & (leg.place != NO_PLACE)
}

/// Legs by account, those of an account in the order of rows; the memory is used again.
#[derive(Debug, Default)]
pub(crate) struct HeldLegs {
    /// More than there are.
    legs: Vec<HeldLeg>,
    count: usize,
    /// Where the legs of each account end, and whether all of its rows are among them that ask for anything.
    accounts: Vec<(u32, bool)>,
}

impl HeldLegs {
    /// Begins anew, with room for so many legs.
    pub(crate) fn begin(&mut self, legs: usize) -> Result<()> {
        let none = HeldLeg { quantity: 0.0, place: 0, group: 0 };
        // One place more, where a leg is put that does not count.
        if self.legs.len() <= legs {
            let more = legs + 1 - self.legs.len();
            memory::reserve(&mut self.legs, more)?;
            self.legs.resize(legs + 1, none);
        }
        self.count = 0;
        self.accounts.clear();
        Ok(())
    }

    /// The next legs, all of which count, to be written.
    #[inline(always)]
    pub(crate) fn next(&mut self, legs: usize) -> &mut [HeldLeg] {
        &mut self.legs[self.count..self.count + legs]
    }

    /// Ends an account with so many legs, all of which were written.
    #[inline(always)]
    pub(crate) fn end_whole(&mut self, legs: usize) {
        self.count += legs;
        self.end(true);
    }

    /// Puts a leg behind the others, where it is overwritten unless it counts: most do, and those that do not follow no pattern.
    #[inline(always)]
    pub(crate) fn push(&mut self, leg: HeldLeg, counts: bool) {
        self.legs[self.count] = leg;
        self.count += usize::from(counts);
    }

    /// Ends an account.
    #[inline(always)]
    pub(crate) fn end(&mut self, complete: bool) {
        self.accounts.push((self.count as u32, complete));
    }

    /// Legs of an account by its number here, and whether none of its rows failed.
    #[inline(always)]
    pub(crate) fn of(&self, number: usize) -> (&[HeldLeg], bool) {
        let first = if number == 0 { 0 } else { self.accounts[number - 1].0 as usize };
        let (end, complete) = self.accounts[number];
        (&self.legs[first..end as usize], complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_that_do_not_count_are_left_out() {
        let leg = |quantity: f64| HeldLeg { quantity, place: 0, group: 0 };
        let mut held = HeldLegs::default();
        for _ in 0..2 {
            held.begin(3).unwrap();
            held.push(leg(1.0), true);
            held.push(leg(0.0), false);
            held.end(true);
            held.end(true);
            held.push(leg(2.0), true);
            held.end(false);
            let quantities = |number: usize| held.of(number).0.iter().map(|leg| leg.quantity).collect::<Vec<_>>();
            assert_eq!([0, 1, 2].map(quantities), [vec![1.0], vec![], vec![2.0]]);
            assert_eq!([0, 1, 2].map(|number| held.of(number).1), [true, true, false]);
        }
    }
}
