//! Sums of lines that begin and end at coordinates of their own, kept for any number of questions.

use crate::machine::vector::prefetch;
use crate::stress::bins::{AMOUNTS, Amount, Line, Lines, LongSum};
use crate::stress::sorted::Sorted;

/// A line that begins, or with the sign -1 ends, at a coordinate, and a position with it.
#[derive(Debug, Clone, Copy)]
struct Event {
    at: f64,
    line: Line,
    sign: f64,
    count: i64,
}

/// What goes on from a coordinate to the next.
#[derive(Debug, Clone, Copy, Default)]
struct Rung {
    lines: Lines,
    count: i64,
}

/// One amount of the positions of an instrument at every coordinate.
#[derive(Debug, Default)]
struct Ladder {
    /// Where rungs begin, rising; the first rung holds before all of them.
    at: Sorted,
    rungs: Vec<Rung>,
}

impl Ladder {
    fn new(base: Rung, mut events: Vec<Event>) -> Self {
        // Equal ones in any order that is the same for the same events: the sort has no chance in it.
        events.sort_unstable_by(|one, other| one.at.total_cmp(&other.at));
        let (mut at, mut rungs, mut all) =
            (Vec::with_capacity(events.len()), Vec::with_capacity(events.len() + 1), base);
        rungs.push(all);
        for event in &events {
            all.lines.add(&event.line, event.sign);
            all.count += event.count;
            at.push(event.at);
            rungs.push(all);
        }
        Self { at: Sorted::new(at), rungs }
    }

    /// What goes on at each of some coordinates, which rise.
    fn at(&self, coordinates: &[f64]) -> impl Iterator<Item = &Rung> {
        let begun = self.at.count_up_to(coordinates);
        for &place in &begun {
            // A rung may stand in two cache lines.
            prefetch(self.rungs.as_ptr(), place as usize);
            prefetch(self.rungs.as_ptr(), place as usize + 1);
        }
        begun.into_iter().map(|place| &self.rungs[place as usize])
    }
}

/// Amounts and numbers of the positions of an instrument while they are put together.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    base: [Rung; AMOUNTS],
    events: [Vec<Event>; AMOUNTS],
}

impl Draft {
    /// A line, and `count` positions, from a coordinate on, or from before all of them, up to another one, or for good.
    pub(crate) fn hold(&mut self, amount: Amount, from: Option<f64>, until: Option<f64>, line: &Line, count: i64) {
        let place = amount as usize;
        match from {
            None => {
                self.base[place].lines.add(line, 1.0);
                self.base[place].count += count;
            }
            Some(at) => self.events[place].push(Event { at, line: *line, sign: 1.0, count }),
        }
        if let Some(at) = until {
            self.events[place].push(Event { at, line: *line, sign: -1.0, count: -count });
        }
    }

    pub(crate) fn ladders(self) -> Ladders {
        let Self { base, events } = self;
        let mut of_amounts = events.into_iter().zip(base).map(|(events, base)| Ladder::new(base, events));
        Ladders(std::array::from_fn(|_| of_amounts.next().unwrap_or_default()))
    }
}

/// The amounts of an instrument.
#[derive(Debug)]
pub(crate) struct Ladders([Ladder; AMOUNTS]);

/// What an instrument comes to at a coordinate.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    pub amounts: [LongSum; AMOUNTS],
    pub liquidated: i64,
    pub not_judged: i64,
}

impl Ladders {
    /// Sums at coordinates, which rise.
    pub(crate) fn at(&self, coordinates: &[f64]) -> Vec<Sums> {
        let mut sums = vec![Sums::default(); coordinates.len()];
        for (amount, ladder) in self.0.iter().enumerate() {
            for ((sums, &coordinate), rung) in sums.iter_mut().zip(coordinates).zip(ladder.at(coordinates)) {
                let counted = amount == Amount::Shortfall as usize || amount == Amount::LiquidatedNotional as usize;
                // An amount of nobody is nothing, to the last bit.
                if !counted || rung.count != 0 {
                    rung.lines.add_to(&mut sums.amounts[amount], coordinate);
                }
                if amount == Amount::LiquidatedNotional as usize {
                    sums.liquidated = rung.count;
                }
                if amount == Amount::Equity as usize {
                    sums.not_judged = rung.count;
                }
            }
        }
        sums
    }
}

/// The first float of a range that a rule does not hold for, which holds up to some float; `None` where it holds for all.
///
/// A guess that is near saves looking.
pub(crate) fn turn(guess: f64, lowest: f64, highest: f64, holds: impl Fn(f64) -> bool) -> Option<f64> {
    if holds(highest) {
        return None;
    }
    if !holds(lowest) {
        return Some(lowest);
    }
    // Positive floats are in the order of their bits. The rule holds at `low` and not at `high`.
    let (mut low, mut high) = (lowest.to_bits(), highest.to_bits());
    let near = if guess >= lowest && guess <= highest { guess.to_bits() } else { low };
    let mut width = 2;
    for bits in [near.saturating_sub(width), near.saturating_add(width)] {
        narrow(bits, &mut low, &mut high, &holds);
    }
    while high - low > 2 * width && width < 1 << 40 {
        width *= 1 << 8;
        for bits in [near.saturating_sub(width), near.saturating_add(width)] {
            narrow(bits, &mut low, &mut high, &holds);
        }
    }
    while high - low > 1 {
        narrow(low + (high - low) / 2, &mut low, &mut high, &holds);
    }
    Some(f64::from_bits(high))
}

fn narrow(bits: u64, low: &mut u64, high: &mut u64, holds: impl Fn(f64) -> bool) {
    if bits > *low && bits < *high {
        if holds(f64::from_bits(bits)) {
            *low = bits;
        } else {
            *high = bits;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_found_whatever_was_guessed() {
        for edge in [1.0, 1.5, 1.0 + f64::EPSILON, 7.25, 9.999_999] {
            for guess in [0.0, 1.0, 1.5, edge, 9.0, 20.0, f64::NAN, f64::INFINITY] {
                assert_eq!(turn(guess, 0.5, 10.0, |each| each < edge), Some(edge));
            }
        }
        assert_eq!(turn(2.0, 0.5, 10.0, |each| each < 11.0), None);
        assert_eq!(turn(2.0, 0.5, 10.0, |each| each < 0.1), Some(0.5));
    }

    #[test]
    fn a_line_holds_from_where_it_begins() {
        let mut draft = Draft::default();
        draft.hold(Amount::Equity, None, Some(3.0), &Line { slope: 2.0, at_zero: [1.0, 0.5] }, 0);
        draft.hold(Amount::Equity, Some(3.0), None, &Line { slope: 0.0, at_zero: [0.0; 2] }, 1);
        draft.hold(Amount::LiquidatedNotional, Some(2.0), Some(2.5), &Line { slope: 10.0, at_zero: [0.0; 2] }, 1);
        let sums = draft.ladders().at(&[1.0, 2.0, 2.4, 2.5, 3.0, 4.0]);
        let equity: Vec<f64> = sums.iter().map(|each| each.amounts[0].value()).collect();
        assert_eq!(equity, [3.5, 5.5, 6.3, 6.5, 0.0, 0.0]);
        let liquidated: Vec<f64> = sums.iter().map(|each| each.amounts[3].value()).collect();
        assert_eq!(liquidated, [0.0, 20.0, 24.0, 0.0, 0.0, 0.0]);
        assert_eq!(sums.iter().map(|each| each.liquidated).collect::<Vec<_>>(), [0, 1, 1, 0, 0, 0]);
        assert_eq!(sums.iter().map(|each| each.not_judged).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1]);
    }
}
