//! Tables with tiers side by side: constants by line, thresholds in whole vectors, nothing that depends on a position.

use crate::error::Result;
use crate::machine::vector::{LANES, Vector};
use crate::rules::table::{Factors, Scale};
use crate::rules::tiers::{TierKey, TierTable};

/// Rows whose lines are looked up one after the other, so that no look-up waits for the one before.
pub(crate) const ROWS: usize = 64;

/// One line of a table with everything that does not depend on the position; it fills a cache line and shares it with none. What is needed
/// together stands together: rate and deduction, then deduction and factor of the line that triggers liquidation, by [`Key`].
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Line([[f64; 2]; 4]);

impl Line {
    fn new(rate: f64, deduction: f64, trigger_deduction: f64, factors: Factors, max_leverage: f64) -> Self {
        let (gaining, losing) = factors.both();
        Self([[rate, deduction], [trigger_deduction, gaining], [trigger_deduction, losing], [max_leverage, 0.0]])
    }

    /// Highest leverage that its tier allows; infinite where that is not stated.
    pub(crate) fn max_leverage(&self) -> f64 {
        self.0[3][0]
    }

    /// The same as the first of two numbers that are read together.
    #[inline(always)]
    pub(crate) fn pair_of_max_leverage(&self) -> &[f64; 2] {
        &self.0[3]
    }

    pub(crate) fn rate(&self) -> f64 {
        self.0[0][0]
    }

    pub(crate) fn deduction(&self) -> f64 {
        self.0[0][1]
    }
}

/// The same line with the thresholds from which on it applies, by [`Key`]: of use where many rows share a table.
#[derive(Debug, Clone, Copy)]
struct Step {
    above: [f64; KEYS],
    line: Line,
}

/// Tables side by side: their lines, and where each line takes over from the one below.
///
/// Lines cross where one takes over from the other, so the largest line is that of the tier which holds the value. Every table has the
/// same `width`, whole vectors: the last line is repeated, thresholds are padded with infinity.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    width: usize,
    lines: Vec<Line>,
    thresholds: Vec<Thresholds>,
    /// Lines of each table above the first, one table after the other.
    steps: Vec<Step>,
    /// Where the steps of each table start; one more than there are tables.
    starts: Vec<usize>,
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

const KEYS: usize = 3;

impl Tables {
    pub(crate) fn new(tables: &[&TierTable], scale: Scale) -> Result<Self> {
        let longest = tables.iter().map(|table| table.rates.len()).max().unwrap_or(1);
        let width = longest.next_multiple_of(LANES);
        let mut all = Self { width, lines: Vec::new(), thresholds: Vec::new(), steps: Vec::new(), starts: vec![0] };
        for table in tables {
            all.push(table, scale)?;
        }
        // One more for rows without a table: there is then no margin, which is not a margin of zero.
        let nothing = Line::new(f64::NAN, 0.0, 0.0, Factors::of(f64::NAN), f64::INFINITY);
        all.close(nothing, [const { Vec::new() }; KEYS]);
        Ok(all)
    }

    fn push(&mut self, table: &TierTable, scale: Scale) -> Result<()> {
        let mut keys = [const { Vec::new() }; KEYS];
        for (tier, (&rate, &deduction)) in table.rates.iter().zip(&table.deductions).enumerate() {
            let (floor, trigger_deduction) = (table.floors[tier], deduction * scale.trigger);
            let scaled = scale.rate(rate)?;
            let max_leverage = table.max_leverage.get(tier).copied().unwrap_or(f64::INFINITY);
            let line = Line::new(rate, deduction, trigger_deduction, Factors::of(scaled), max_leverage);
            if tier > 0 {
                let gaining = floor * (1.0 - scaled) + trigger_deduction;
                let losing = floor * (1.0 + scaled) - trigger_deduction;
                // What selects the tier of a flat table does not move with the price.
                let above = if table.key == TierKey::Value { [floor, gaining, losing] } else { [floor; KEYS] };
                for (key, threshold) in keys.iter_mut().zip(above) {
                    key.push(threshold);
                }
                self.steps.push(Step { above, line });
            }
            self.lines.push(line);
        }
        self.close(self.lines[self.lines.len() - 1], keys);
        Ok(())
    }

    /// Fills a table up to the width of all.
    fn close(&mut self, last: Line, keys: [Vec<f64>; KEYS]) {
        self.starts.push(self.steps.len());
        self.lines
            .resize(self.lines.len().next_multiple_of(self.width).max((self.starts.len() - 1) * self.width), last);
        for mut thresholds in keys {
            thresholds.resize(self.width, f64::INFINITY);
            self.thresholds.extend(thresholds.as_chunks().0.iter().copied().map(Thresholds));
        }
    }

    /// Place of the table for rows that have none.
    pub(crate) fn of_none(&self) -> usize {
        self.starts.len() - 2
    }

    /// Values above which the lines of a table apply, the first line's left out.
    pub(crate) fn floors(&self, place: usize) -> impl Iterator<Item = f64> {
        self.one(place).steps.iter().map(|step| step.above[Key::Value as usize])
    }

    /// Rates of the table at this place.
    pub(crate) fn rates(&self, place: usize) -> impl Iterator<Item = f64> {
        let OneTable { lowest, steps } = self.one(place);
        std::iter::once(lowest.rate()).chain(steps.iter().map(|step| step.line.rate()))
    }

    /// The table at this place, for many rows at once.
    #[inline(always)]
    pub(crate) fn one(&self, place: usize) -> OneTable<'_> {
        OneTable {
            lowest: &self.lines[place * self.width],
            steps: &self.steps[self.starts[place]..self.starts[place + 1]],
        }
    }

    #[inline(always)]
    fn vectors(&self, place: usize, key: Key) -> &[Thresholds] {
        let vectors = self.width / LANES;
        let first = (place * KEYS + key as usize) * vectors;
        &self.thresholds[first..first + vectors]
    }

    /// Where among all lines the ones stand that apply to so many numbers, each in a table and by a key of its own.
    #[inline(always)]
    pub(crate) fn find_each<V: Vector>(
        &self,
        rows: usize,
        place: &[u32; ROWS],
        key: &[u32; ROWS],
        number: &[f64; ROWS],
        found: &mut [u32; ROWS],
    ) {
        match self.width / LANES {
            1 => self.count_each::<V, 1>(rows, place, key, number, found),
            2 => self.count_each::<V, 2>(rows, place, key, number, found),
            vectors => {
                for slot in 0..rows.min(ROWS) {
                    let first = (place[slot] as usize * KEYS + key[slot] as usize) * vectors;
                    let count = count_until::<V>(&self.thresholds[first..first + vectors], number[slot]);
                    found[slot] = place[slot] * self.width as u32 + count as u32;
                }
            }
        }
    }

    /// The same for short tables: they are compared whole, since whether the first vector would do, half of the rows would mispredict.
    #[inline(always)]
    fn count_each<V: Vector, const VECTORS: usize>(
        &self,
        rows: usize,
        place: &[u32; ROWS],
        key: &[u32; ROWS],
        number: &[f64; ROWS],
        found: &mut [u32; ROWS],
    ) {
        let (tables, _) = self.thresholds.as_chunks::<VECTORS>();
        for slot in 0..rows.min(ROWS) {
            let mut count = 0;
            for vector in &tables[(place[slot] * KEYS as u32 + key[slot]) as usize] {
                count += V::count_below(&vector.0, number[slot]);
            }
            found[slot] = place[slot] * (VECTORS * LANES) as u32 + count as u32;
        }
    }

    /// Where among all lines the one stands that applies to a number.
    #[inline(always)]
    pub(crate) fn find<V: Vector>(&self, place: usize, key: Key, number: f64) -> usize {
        place * self.width + count_until::<V>(self.vectors(place, key), number)
    }

    /// The line that [`Tables::find`] found.
    #[inline(always)]
    pub(crate) fn found(&self, place: usize) -> &Line {
        &self.lines[place]
    }

    /// What the lines found hold for these keys: rate and deduction, or deduction and factor of what triggers.
    #[inline(always)]
    pub(crate) fn numbers<V: Vector>(&self, found: &[u32; LANES], key: &[u32; LANES]) -> [V; 2] {
        let mut rows = [&self.lines[0].0[0]; LANES];
        for lane in 0..LANES {
            rows[lane] = &self.lines[found[lane] as usize].0[key[lane] as usize & 3];
        }
        V::columns_of_pairs(rows)
    }
}

/// A table that many rows share: every line in turn takes the rows above its threshold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneTable<'a> {
    lowest: &'a Line,
    steps: &'a [Step],
}

impl OneTable<'_> {
    /// Rate and deduction that apply to each number.
    #[inline(always)]
    pub(crate) fn margin<V: Vector>(&self, number: V) -> [V; 2] {
        let [lowest, ..] = self.lowest.0;
        let (mut rate, mut deduction) = (V::all(lowest[0]), V::all(lowest[1]));
        for step in self.steps {
            let applies = number.is_above(V::all(step.above[0]));
            rate = V::choose(applies, V::all(step.line.rate()), rate);
            deduction = V::choose(applies, V::all(step.line.deduction()), deduction);
        }
        [rate, deduction]
    }

    /// Highest leverage of the tier of each value.
    #[inline(always)]
    pub(crate) fn max_leverage<V: Vector>(&self, value: V) -> V {
        let mut highest = V::all(self.lowest.max_leverage());
        for step in self.steps {
            highest = V::choose(value.is_above(V::all(step.above[0])), V::all(step.line.max_leverage()), highest);
        }
        highest
    }

    /// Deduction and factor of the line that triggers, by what gaining and losing positions need.
    #[inline(always)]
    pub(crate) fn trigger<V: Vector>(&self, gains: V::Mask, needed: V) -> [V; 2] {
        let [_, gaining, losing, _] = self.lowest.0;
        let (mut deduction, mut factor) = (V::all(gaining[0]), by_side::<V>(gains, gaining[1], losing[1]));
        for step in self.steps {
            let applies = needed.is_above(by_side::<V>(gains, step.above[1], step.above[2]));
            let [_, gaining, losing, _] = step.line.0;
            deduction = V::choose(applies, V::all(gaining[0]), deduction);
            factor = V::choose(applies, by_side::<V>(gains, gaining[1], losing[1]), factor);
        }
        [deduction, factor]
    }
}

#[inline(always)]
fn by_side<V: Vector>(gains: V::Mask, gaining: f64, losing: f64) -> V {
    V::choose(gains, V::all(gaining), V::all(losing))
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
    use crate::machine::number::Number;
    use crate::machine::several::Baseline;

    const PLAIN: Scale = Scale { price_fee: 0.0, trigger: 1.0 };

    /// 1/64 up to 1,024 and 1/32 above; the deduction is 1,024 * (1/32 - 1/64) = 16.
    fn two_tiers() -> TierTable {
        TierTable::new(TierKey::Value, &[0.0, 1024.0], &[1.0 / 64.0, 1.0 / 32.0], &[0.0, 16.0], 1e6).unwrap()
    }

    #[test]
    fn thresholds_are_where_the_zeros_of_both_lines_meet() {
        let tables = Tables::new(&[&two_tiers()], PLAIN).unwrap();
        let first = |key| tables.vectors(0, key)[0].0[0];
        assert_eq!(first(Key::Value), 1024.0);
        // Gaining: y = V (1 - 1/64) = 1,024 - 16 by the first line, 1,024 - 32 + 16 by the second.
        assert_eq!(first(Key::Gaining), 1008.0);
        // Losing: y = V (1 + 1/64) = 1,024 + 16 by the first line, 1,024 + 32 - 16 by the second.
        assert_eq!(first(Key::Losing), 1040.0);
        assert!(tables.vectors(0, Key::Value)[0].0[1..].iter().all(|&padding| padding == f64::INFINITY));
    }

    #[test]
    fn a_threshold_belongs_to_the_tier_below_it() {
        let tables = Tables::new(&[&two_tiers()], PLAIN).unwrap();
        let rate = |key, number: f64| tables.found(tables.find::<Baseline>(0, key, number)).rate();
        for (key, threshold) in [(Key::Value, 1024.0_f64), (Key::Gaining, 1008.0), (Key::Losing, 1040.0)] {
            assert_eq!(rate(key, threshold), 1.0 / 64.0);
            assert_eq!(rate(key, threshold.next_up()), 1.0 / 32.0);
        }
        assert_eq!(rate(Key::Value, f64::NAN), 1.0 / 64.0);
        assert!(tables.found(tables.of_none() * tables.width).rate().is_nan());
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
        assert_eq!(tables.vectors(0, Key::Gaining)[0].0[0], 960.0);
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
            let mut found = [0; ROWS];
            tables.find_each::<Baseline>(ROWS, &[1; ROWS], &[Key::Value as u32; ROWS], &values, &mut found);
            for (place, value) in found.into_iter().zip(values) {
                assert_eq!(place as usize, tables.find::<Baseline>(1, Key::Value, value));
                let tier = floors.iter().rposition(|&floor| value > floor).unwrap_or(0);
                assert_eq!(tables.found(place as usize).rate(), rates[tier], "{tiers} tiers, value {value}");
                let [rate, deduction] = tables.one(1).margin(Baseline::all(value));
                assert_eq!((rate.array()[0], deduction.array()[0]), (rates[tier], deductions[tier]));
            }
        }
    }
}
