//! Tables with tiers side by side: constants by line, thresholds in whole vectors, nothing that depends on a position.

use crate::error::Result;
use crate::machine::baseline::Baseline;
use crate::machine::vector::{HalfLine, LANES, SINGLES, Vector, half_lines_at};
use crate::rules::line::{KEYS, Line, SEARCHED, Screen, Step};
use crate::rules::one_table::{Columns, OneTable};
use crate::rules::table::{Factors, Scale};
use crate::rules::tiers::{TierKey, TierTable};

/// Rows whose lines are looked up one after the other, so that no look-up waits for the one before.
pub(crate) const ROWS: usize = 64;

/// Tables side by side: their lines, and where each line takes over from the one below.
///
/// Lines cross where one takes over from the other, so the largest line is that of the tier which holds the value. Every table has the
/// same `width`, whole vectors: the last line is repeated, thresholds are padded with infinity.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    width: usize,
    /// What the lines hold, key by key and table by table, in half a cache line each: the two numbers of the line, the threshold of the next
    /// one, and the highest leverage of its tier. Rows that lie apart find what they need in few cache lines, and these lie close to each
    /// other, so that they do not push each other out of the cache.
    lines: Vec<HalfLine>,
    thresholds: Vec<Thresholds>,
    /// The thresholds once more, rounded; of use where one vector of them is a whole table.
    screens: Vec<Screen>,
    /// Lines of each table, one table after the other.
    steps: Vec<Step>,
    /// Where the steps of each table start; one more than there are tables.
    starts: Vec<usize>,
    /// What the lines hold once more, number by number; empty unless every table can be searched in registers.
    columns: Vec<Columns>,
}

/// Thresholds that are compared at once: a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Thresholds([f64; LANES]);

/// What a threshold is compared with.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
pub(crate) enum Key {
    /// The value of the position, or what else selects the tier.
    Value = 0,
    /// What a gaining position needs: its thresholds are `floor (1 - r) + c`.
    Gaining = 1,
    /// What a losing position needs, with the sign turned: `floor (1 + r) - c`.
    Losing = 2,
}

impl Tables {
    pub(crate) fn new(tables: &[&TierTable], scale: Scale) -> Result<Self> {
        let longest = tables.iter().map(|table| table.rates.len()).max().unwrap_or(1);
        let width = longest.next_multiple_of(SINGLES);
        let (lines, thresholds, screens, steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut all = Self { width, lines, thresholds, screens, steps, starts: vec![0], columns: Vec::new() };
        for table in tables {
            all.push(table, scale)?;
        }
        // One more for rows without a table: there is then no margin, which is not a margin of zero.
        let nothing = Line::new(f64::NAN, 0.0, 0.0, Factors::of(f64::NAN), f64::INFINITY);
        all.steps.push(Step { above: [f64::NEG_INFINITY; SEARCHED], line: nothing });
        all.starts.push(all.steps.len());
        all.lay_out();
        Ok(all)
    }

    fn push(&mut self, table: &TierTable, scale: Scale) -> Result<()> {
        for (tier, (&rate, &deduction)) in table.rates.iter().zip(&table.deductions).enumerate() {
            let (floor, trigger_deduction) = (table.floors[tier], deduction * scale.trigger);
            let scaled = scale.rate(rate)?;
            let max_leverage = table.max_leverage.get(tier).copied().unwrap_or(f64::INFINITY);
            let line = Line::new(rate, deduction, trigger_deduction, Factors::of(scaled), max_leverage);
            let gaining = floor * (1.0 - scaled) + trigger_deduction;
            let losing = floor * (1.0 + scaled) - trigger_deduction;
            // Nothing lies below the first line, and what selects the tier of a flat table does not move with the price.
            let above = match (tier, table.key) {
                (0, _) => [f64::NEG_INFINITY; SEARCHED],
                (_, TierKey::Value) => [floor, gaining, losing],
                _ => [floor; SEARCHED],
            };
            self.steps.push(Step { above, line });
        }
        self.starts.push(self.steps.len());
        Ok(())
    }

    /// Lays out all tables, filled up to the same width.
    fn lay_out(&mut self) {
        for key in 0..SEARCHED {
            for ends in self.starts.windows(2) {
                let steps = &self.steps[ends[0]..ends[1]];
                let thresholds: Vec<f64> = steps[1..].iter().map(|step| step.above[key]).collect();
                let padding = std::iter::repeat(f64::INFINITY);
                let padded: Vec<f64> = thresholds.iter().copied().chain(padding).take(self.width).collect();
                self.thresholds.extend(padded.as_chunks().0.iter().copied().map(Thresholds));
                self.screens.push(Screen::of(&thresholds));
                let filled = steps.iter().chain(std::iter::repeat(&steps[steps.len() - 1])).take(self.width);
                let with_next = filled.zip(padded).map(|(step, next)| {
                    let [first, second] = step.line.0[key];
                    HalfLine([first, second, next, step.line.max_leverage()])
                });
                self.lines.extend(with_next);
            }
        }
        let ascend = |ends: &[usize]| Step::ascend(&self.steps[ends[0] + 1..ends[1]]);
        if self.width == SINGLES && self.starts.windows(2).all(ascend) {
            self.columns = self.starts.windows(2).map(|ends| Columns::of(&self.steps[ends[0]..ends[1]])).collect();
        }
    }

    /// How many tables there are.
    #[inline(always)]
    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Place of the table for rows that have none.
    pub(crate) fn of_none(&self) -> usize {
        self.starts.len() - 2
    }

    /// Values above which the lines of a table apply, the first line's left out.
    pub(crate) fn floors(&self, place: usize) -> impl Iterator<Item = f64> {
        self.steps_of(place)[1..].iter().map(|step| step.above[Key::Value as usize])
    }

    /// Rates of the table at this place.
    pub(crate) fn rates(&self, place: usize) -> impl Iterator<Item = f64> {
        self.steps_of(place).iter().map(|step| step.line.rate())
    }

    #[inline(always)]
    fn steps_of(&self, place: usize) -> &[Step] {
        &self.steps[self.starts[place]..self.starts[place + 1]]
    }

    /// The table at this place, for many rows at once.
    #[inline(always)]
    pub(crate) fn one(&self, place: usize) -> OneTable<'_> {
        let screen = |key: Key| &self.screens[place + key as usize * self.count()];
        let screens = || [screen(Key::Value), screen(Key::Gaining), screen(Key::Losing)];
        OneTable::new(self.steps_of(place), self.columns.get(place).map(|columns| (columns, screens())))
    }

    /// Where tables stand that are looked up by what positions need; those looked up by what is a [`Key::Value`] stand at their places.
    #[inline(always)]
    pub(crate) fn by_need<V: Vector>(&self, places: V, gains: V::Mask) -> V {
        let count = self.count() as f64;
        let (gaining, losing) = (f64::from(Key::Gaining as u8) * count, f64::from(Key::Losing as u8) * count);
        places + V::choose(gains, V::all(gaining), V::all(losing))
    }

    #[inline(always)]
    fn vectors(&self, table: usize) -> &[Thresholds] {
        let vectors = self.width / LANES;
        &self.thresholds[table * vectors..(table + 1) * vectors]
    }

    /// Whether one vector of rounded thresholds is a whole table.
    #[inline(always)]
    pub(crate) fn are_screened(&self) -> bool {
        self.width == SINGLES
    }

    /// Where the lines stand that apply to so many numbers, each in a table of its own; `singles` are the same numbers rounded. A number that
    /// is equal to a threshold once both are rounded may find a line below its own: [`Tables::lines`] sees that. Tables that are
    /// [screened](Tables::are_screened) need no more than the rounded numbers.
    #[inline(always)]
    pub(crate) fn find_each<V: Vector, const COUNT: usize>(
        &self,
        rows: usize,
        table: &[u32; COUNT],
        numbers: &[f64; COUNT],
        singles: &[f32; COUNT],
        found: &mut [u32; COUNT],
    ) {
        let rows = rows.min(COUNT);
        if self.are_screened() {
            let tiles = table.as_chunks::<LANES>().0.iter().zip(singles.as_chunks::<LANES>().0);
            for ((table, singles), found) in tiles.zip(found.as_chunks_mut::<LANES>().0).take(rows.div_ceil(LANES)) {
                for lane in 0..LANES {
                    let below = V::screen(&self.screens[table[lane] as usize].0, singles[lane]);
                    found[lane] = table[lane] * SINGLES as u32 + below.count_ones();
                }
            }
        } else {
            for slot in 0..rows {
                found[slot] = self.find_in::<V>(table[slot] as usize, numbers[slot]) as u32;
            }
        }
    }

    /// What the lines hold that [`Tables::find_each`] found for numbers in these tables: rate and deduction, or deduction and factor of what
    /// triggers; the threshold of the next line; the highest leverage of the tier.
    #[inline(always)]
    pub(crate) fn lines<V: Vector>(&self, found: &[u32; LANES], table: &[u32; LANES], numbers: V) -> [V; 4] {
        let lines = V::columns_of_fours(half_lines_at(&self.lines, found));
        if V::bits(numbers.is_above(lines[2])) == 0 {
            return lines;
        }
        let found = self.find_exactly(table, &numbers.array());
        V::columns_of_fours(half_lines_at(&self.lines, &found))
    }

    /// Where the lines stand that apply to numbers, of which one is a threshold but for its rounding.
    #[cold]
    #[inline(never)]
    fn find_exactly(&self, table: &[u32; LANES], numbers: &[f64; LANES]) -> [u32; LANES] {
        let mut found = [0; LANES];
        for lane in 0..LANES {
            found[lane] = self.find_in::<Baseline>(table[lane] as usize, numbers[lane]) as u32;
        }
        found
    }

    #[inline(always)]
    fn find_in<V: Vector>(&self, table: usize, number: f64) -> usize {
        table * self.width + count_until::<V>(self.vectors(table), number)
    }

    /// Where the line stands that applies to a value, or to what else selects the tier.
    #[inline(always)]
    pub(crate) fn find<V: Vector>(&self, place: usize, number: f64) -> usize {
        self.find_in::<V>(place, number)
    }

    /// The line that [`Tables::find`] found.
    #[inline(always)]
    pub(crate) fn found(&self, line: usize) -> Line {
        let mut pairs = [[0.0; 2]; KEYS];
        for key in 0..SEARCHED {
            let [first, second, _, max_leverage] = self.lines[line + key * self.count() * self.width].0;
            (pairs[key], pairs[SEARCHED]) = ([first, second], [max_leverage, 0.0]);
        }
        Line(pairs)
    }
}

/// How many thresholds lie below a number, up to the first vector that has some above it.
#[inline(always)]
fn count_until<V: Vector>(vectors: &[Thresholds], number: f64) -> usize {
    let mut below = 0;
    for vector in vectors {
        let count = V::count_below(&vector.0, number);
        below += count;
        if count < LANES {
            break;
        }
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::baseline::Baseline;
    use crate::machine::number::Number;

    const PLAIN: Scale = Scale { price_fee: 0.0, trigger: 1.0 };

    /// 1/64 up to 1,024 and 1/32 above; the deduction is 1,024 * (1/32 - 1/64) = 16.
    fn two_tiers() -> TierTable {
        TierTable::new(TierKey::Value, &[0.0, 1024.0], &[1.0 / 64.0, 1.0 / 32.0], &[0.0, 16.0], 1e6).unwrap()
    }

    #[test]
    fn thresholds_are_where_the_zeros_of_both_lines_meet() {
        let tables = Tables::new(&[&two_tiers()], PLAIN).unwrap();
        let first = |key: Key| tables.vectors(key as usize * tables.count())[0].0[0];
        assert_eq!(first(Key::Value), 1024.0);
        // Gaining: y = V (1 - 1/64) = 1,024 - 16 by the first line, 1,024 - 32 + 16 by the second.
        assert_eq!(first(Key::Gaining), 1008.0);
        // Losing: y = V (1 + 1/64) = 1,024 + 16 by the first line, 1,024 + 32 - 16 by the second.
        assert_eq!(first(Key::Losing), 1040.0);
        assert!(tables.vectors(0)[0].0[1..].iter().all(|&padding| padding == f64::INFINITY));
    }

    #[test]
    fn a_threshold_belongs_to_the_tier_below_it() {
        let tables = Tables::new(&[&two_tiers()], PLAIN).unwrap();
        let tier = |key: Key, number: f64| {
            let (mut found, numbers, singles) = ([0; ROWS], [number; ROWS], [number as f32; ROWS]);
            let table = key as usize * tables.count();
            tables.find_each::<Baseline, ROWS>(1, &[table as u32; ROWS], &numbers, &singles, &mut found);
            let places = [table as u32; LANES];
            let [first, second, ..] = tables.lines(&[found[0]; LANES], &places, Baseline::all(number));
            let exact = tables.find_in::<Baseline>(table, number);
            let [expected_first, expected_second, ..] = tables.lines[exact].0;
            assert_eq!((first.array()[0], second.array()[0]), (expected_first, expected_second));
            exact - table * tables.width
        };
        // Both sides of a threshold are the same number once they are rounded.
        for (key, threshold) in [(Key::Value, 1024.0_f64), (Key::Gaining, 1008.0), (Key::Losing, 1040.0)] {
            assert_eq!(tier(key, threshold), 0);
            assert_eq!(tier(key, threshold.next_up()), 1);
        }
        for number in [f64::NAN, f64::NEG_INFINITY, 0.0] {
            assert_eq!(tier(Key::Value, number), 0);
        }
        assert_eq!((tier(Key::Value, f64::MAX), tier(Key::Value, f64::INFINITY)), (1, 1));
        assert!(tables.found(tables.find::<Baseline>(tables.of_none(), 1.0)).rate().is_nan());
    }

    #[test]
    fn fee_and_level_scale_what_triggers_and_not_what_is_reported() {
        // (1/64 + 1/64) / 0.5 = 1/16, (1/32 + 1/64) / 0.5 = 3/32; the deduction of the trigger is 16 / 0.5.
        let tables = Tables::new(&[&two_tiers()], Scale { price_fee: 1.0 / 64.0, trigger: 2.0 }).unwrap();
        let (first, second) = (tables.found(0).0, tables.found(1).0);
        assert_eq!((first[0][0], second[0]), (1.0 / 64.0, [1.0 / 32.0, 16.0]));
        assert_eq!(
            (first[Key::Gaining as usize][1], first[Key::Losing as usize][1]),
            (1.0 / (1.0 - 1.0 / 16.0), -1.0 / (1.0 + 1.0 / 16.0))
        );
        assert_eq!(second[Key::Losing as usize], [32.0, -1.0 / (1.0 + 3.0 / 32.0)]);
        // 1,024 (1 - 3/32) + 32.
        assert_eq!(tables.vectors(Key::Gaining as usize * tables.count())[0].0[0], 960.0);
        assert!(Tables::new(&[&two_tiers()], Scale { price_fee: 0.5, trigger: 2.0 }).is_err());
    }

    #[test]
    fn tiles_and_single_numbers_are_looked_up_alike_in_tables_of_any_length() {
        for tiers in [1_usize, 3, 8, 9, 16, 17, 30] {
            let floors: Vec<f64> = (0..tiers).map(|tier| tier as f64 * 64.0).collect();
            let rates: Vec<f64> = (0..tiers).map(|tier| (tier + 1) as f64 / 1024.0).collect();
            let mut deductions = vec![0.0; tiers];
            for tier in 1..tiers {
                deductions[tier] = deductions[tier - 1] + floors[tier] * (rates[tier] - rates[tier - 1]);
            }
            let table = TierTable::new(TierKey::Value, &floors, &rates, &deductions, f64::INFINITY).unwrap();
            let tables = Tables::new(&[&two_tiers(), &table], PLAIN).unwrap();
            let values: [f64; ROWS] = std::array::from_fn(|slot| slot as f64 * 40.0);
            let (mut found, singles) = ([0; ROWS], values.map(|value| value as f32));
            tables.find_each::<Baseline, ROWS>(ROWS, &[1; ROWS], &values, &singles, &mut found);
            for (place, value) in found.into_iter().zip(values) {
                assert_eq!(place as usize, tables.find::<Baseline>(1, value));
                let tier = floors.iter().rposition(|&floor| value > floor).unwrap_or(0);
                assert_eq!(tables.found(place as usize).rate(), rates[tier], "{tiers} tiers, value {value}");
                let [rate, deduction, _] = tables.one(1).by_value(None, Baseline::all(value));
                assert_eq!((rate.array()[0], deduction.array()[0]), (rates[tier], deductions[tier]));
            }
        }
    }
}
