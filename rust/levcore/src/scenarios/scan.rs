//! Sums over the scenarios and the worst of them, eight scenarios at a time.

use crate::machine::vector::{LANES, Vector};

/// Eight scenarios, on a cache line of their own. Behind the last scenario of all it is repeated: that changes neither the lowest profit nor
/// where it comes first.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Chunk(pub [f64; LANES]);

impl Chunk {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);
}

/// Largest loss over scenarios.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scan {
    pub risk: f64,
    pub scenario: u32,
}

/// Chunks of which a word holds a bit a scenario.
const CHUNKS_OF_A_WORD: usize = u64::BITS as usize / LANES;

/// Adds the profits of a leg in each scenario.
#[inline(always)]
pub(crate) fn add_leg<V: Vector>(sums: &mut [Chunk], profits: &[Chunk], quantity: f64) {
    let quantity = V::all(quantity);
    for (sum, profit) in sums.iter_mut().zip(profits) {
        let added = V::load(&sum.0) + quantity * V::load(&profit.0);
        added.store(&mut sum.0);
    }
}

/// Adds the profits of a group to those of its pool: losses in full, gains by a fraction.
#[inline(always)]
pub(crate) fn add_group<V: Vector>(sums: &mut [Chunk], profits: &[Chunk], offset: f64) {
    let (offset, zero) = (V::all(offset), V::all(0.0));
    for (sum, profit) in sums.iter_mut().zip(profits) {
        let profit = V::load(&profit.0);
        let counted = V::choose(profit.is_above(zero), profit * offset, profit);
        (V::load(&sum.0) + counted).store(&mut sum.0);
    }
}

/// Profits by chunk, of which the compiler knows how many there are where they are few: then nothing loops.
macro_rules! with_known_width {
    ($profits:ident, $result:expr) => {
        match $profits.len() {
            1 => {
                let $profits = &$profits[..1];
                $result
            }
            2 => {
                let $profits = &$profits[..2];
                $result
            }
            _ => $result,
        }
    };
}

/// Worst loss of profits by scenario, 0 if there is none, and the first scenario with the lowest profit.
#[inline(always)]
pub(crate) fn scan<V: Vector>(profits: &[Chunk]) -> Scan {
    let lowest = with_known_width!(profits, lowest::<V>(profits));
    Scan { risk: loss(lowest), scenario: with_known_width!(profits, first_with::<V>(profits, lowest)) }
}

/// Worst loss of profits by scenario alone.
#[inline(always)]
pub(crate) fn scan_risk<V: Vector>(profits: &[Chunk]) -> f64 {
    loss(with_known_width!(profits, lowest::<V>(profits)))
}

#[inline(always)]
fn loss(lowest: f64) -> f64 {
    if lowest < 0.0 { -lowest } else { 0.0 }
}

#[inline(always)]
fn lowest<V: Vector>(profits: &[Chunk]) -> f64 {
    let mut lowest = V::all(f64::INFINITY);
    for chunk in profits {
        let profit = V::load(&chunk.0);
        lowest = V::choose(profit.is_below(lowest), profit, lowest);
    }
    smallest(lowest.array())
}

/// Whether no sum has overflowed.
#[inline(always)]
pub(crate) fn all_finite<V: Vector>(profits: &[Chunk]) -> bool {
    with_known_width!(profits, {
        let (infinity, mut finite) = (V::all(f64::INFINITY), !V::none());
        for chunk in profits {
            finite = finite & V::load(&chunk.0).abs().is_below(infinity);
        }
        V::bits(finite) == u8::MAX
    })
}

/// The smallest of eight numbers.
#[inline(always)]
fn smallest(mut lanes: [f64; LANES]) -> f64 {
    for half in [4, 2, 1] {
        for lane in 0..half {
            let other = lanes[lane + half];
            lanes[lane] = if other < lanes[lane] { other } else { lanes[lane] };
        }
    }
    lanes[0]
}

/// The first scenario with this profit. Scenarios are looked through a word at a time: a search for the chunk would mispredict its end.
#[inline(always)]
fn first_with<V: Vector>(profits: &[Chunk], profit: f64) -> u32 {
    let profit = V::all(profit);
    let mut first = 0;
    for chunks in profits.chunks(CHUNKS_OF_A_WORD) {
        let mut word = 0;
        for (number, chunk) in chunks.iter().enumerate() {
            word |= u64::from(V::bits(V::load(&chunk.0).equals(profit))) << (number * LANES);
        }
        if word != 0 {
            return first + word.trailing_zeros();
        }
        first += u64::BITS;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::baseline::Baseline;

    /// Twenty scenarios in three chunks, the last one repeated.
    fn chunks(profit: impl Fn(usize) -> f64) -> [Chunk; 3] {
        std::array::from_fn(|chunk| Chunk(std::array::from_fn(|lane| profit((chunk * LANES + lane).min(19)))))
    }

    #[test]
    fn the_first_of_equal_losses_is_named() {
        let worst = |place: usize| if place == 9 || place >= 17 { -5.0 } else { 1.0 };
        assert_eq!(scan::<Baseline>(&chunks(worst)), Scan { risk: 5.0, scenario: 9 });
        let last = |place: usize| if place == 19 { -5.0 } else { 1.0 };
        assert_eq!(scan::<Baseline>(&chunks(last)), Scan { risk: 5.0, scenario: 19 });
    }

    #[test]
    fn what_never_loses_has_no_risk_but_a_worst_scenario() {
        let gains = |place: usize| 20.0 - place as f64;
        assert_eq!(scan::<Baseline>(&chunks(gains)), Scan { risk: 0.0, scenario: 19 });
    }

    #[test]
    fn a_sum_that_overflowed_is_seen() {
        for (number, finite) in [(f64::NAN, false), (f64::INFINITY, false), (-f64::INFINITY, false), (f64::MAX, true)] {
            let profits = chunks(|place| if place == 7 { number } else { 1.0 });
            assert_eq!(all_finite::<Baseline>(&profits), finite, "{number}");
        }
    }

    #[test]
    fn gains_offset_by_their_fraction_and_losses_count_in_full() {
        let mut sums = chunks(|_| 0.0);
        add_group::<Baseline>(&mut sums, &chunks(|place| if place == 0 { 8.0 } else { -8.0 }), 0.25);
        assert_eq!((sums[0].0[0], sums[0].0[1]), (2.0, -8.0));
        add_leg::<Baseline>(&mut sums, &chunks(|_| 3.0), -2.0);
        assert_eq!((sums[0].0[0], sums[2].0[7]), (-4.0, -14.0));
    }
}
