//! Marginal tables side by side: constants by line, thresholds in whole vectors, nothing that depends on a position.

use crate::error::Result;
use crate::machine::compare::{Compare, LANES, ROWS};
use crate::rules::table::{Factors, Scale};
use crate::rules::tiers::TierTable;

/// One line of a marginal table with everything that does not depend on the position; it fills a cache line and shares it with none.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Line {
    pub rate: f64,
    pub deduction: f64,
    /// Deduction of the line that triggers liquidation: scaled by the liquidation level.
    pub trigger_deduction: f64,
    pub factors: Factors,
    /// Highest leverage that its tier allows; infinite where that is not stated.
    pub max_leverage: f64,
}

/// Marginal tables side by side: their lines, and where each line takes over from the one below.
///
/// Lines cross where one takes over from the other, so the largest line is that of the tier which holds the value. Every table has the
/// same `width`, whole vectors: the last line is repeated, thresholds are padded with infinity.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    width: usize,
    lines: Vec<Line>,
    thresholds: Vec<Thresholds>,
    /// Lines of each table: its own number, made odd, so that those above the first come in pairs.
    lengths: Vec<usize>,
}

/// Thresholds that are compared at once: a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Thresholds([f64; LANES]);

/// What a threshold is compared with.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
pub(crate) enum Key {
    /// The value of the position.
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
        // At least one more than the lines, so that a number made odd still fits.
        let width = (longest + 1).next_multiple_of(LANES);
        let mut all = Self { width, lines: Vec::new(), thresholds: Vec::new(), lengths: Vec::new() };
        for table in tables {
            all.push(table, scale)?;
        }
        // One more for rows without a table: there is then no margin, which is not a margin of zero.
        let nothing = Line {
            rate: f64::NAN,
            deduction: 0.0,
            trigger_deduction: 0.0,
            factors: Factors::of(f64::NAN),
            max_leverage: f64::INFINITY,
        };
        all.lines.resize(all.lines.len() + width, nothing);
        all.lengths.push(1);
        all.thresholds.resize(all.thresholds.len() + KEYS * width / LANES, Thresholds([f64::INFINITY; LANES]));
        Ok(all)
    }

    fn push(&mut self, table: &TierTable, scale: Scale) -> Result<()> {
        let mut keys = [const { Vec::new() }; KEYS];
        let first = self.lines.len();
        for (tier, (&rate, &deduction)) in table.rates.iter().zip(&table.deductions).enumerate() {
            let (floor, trigger_deduction) = (table.floors[tier], deduction * scale.trigger);
            let scaled = scale.rate(rate)?;
            let max_leverage = table.max_leverage.get(tier).copied().unwrap_or(f64::INFINITY);
            self.lines.push(Line { rate, deduction, trigger_deduction, factors: Factors::of(scaled), max_leverage });
            if tier > 0 {
                keys[Key::Value as usize].push(floor);
                keys[Key::Gaining as usize].push(floor * (1.0 - scaled) + trigger_deduction);
                keys[Key::Losing as usize].push(floor * (1.0 + scaled) - trigger_deduction);
            }
        }
        self.lengths.push(table.rates.len() | 1);
        let last = self.lines[self.lines.len() - 1];
        self.lines.resize(first + self.width, last);
        for mut thresholds in keys {
            thresholds.resize(self.width, f64::INFINITY);
            self.thresholds.extend(thresholds.as_chunks().0.iter().copied().map(Thresholds));
        }
        Ok(())
    }

    /// Place of the table for rows that have none.
    pub(crate) fn of_none(&self) -> usize {
        self.lines.len() / self.width - 1
    }

    /// Lines of the table at this place.
    #[inline(always)]
    pub(crate) fn lines(&self, place: usize) -> &[Line] {
        &self.lines[place * self.width..place * self.width + self.lengths[place]]
    }

    /// Thresholds of the table at this place: the one of line `k` at `k - 1`.
    #[inline(always)]
    pub(crate) fn thresholds(&self, place: usize, key: Key) -> impl Iterator<Item = f64> + Clone {
        self.vectors(place, key).iter().flat_map(|vector| vector.0)
    }

    #[inline(always)]
    fn vectors(&self, place: usize, key: Key) -> &[Thresholds] {
        let vectors = self.width / LANES;
        let first = (place * KEYS + key as usize) * vectors;
        &self.thresholds[first..first + vectors]
    }

    /// Where among all lines the ones stand that apply to the numbers of a tile, each in a table and by a key of its own.
    #[inline(always)]
    pub(crate) fn find_each<C: Compare>(
        &self,
        place: &[u32; ROWS],
        key: &[u32; ROWS],
        number: &[f64; ROWS],
    ) -> [u32; ROWS] {
        let (width, mut searched, mut found) = (self.width as u32, [0; ROWS], [0; ROWS]);
        for slot in 0..ROWS {
            searched[slot] = place[slot] * KEYS as u32 + key[slot];
            found[slot] = place[slot] * width;
        }
        match self.width / LANES {
            1 => self.count_each::<C, 1>(&searched, number, &mut found),
            2 => self.count_each::<C, 2>(&searched, number, &mut found),
            vectors => {
                for slot in 0..ROWS {
                    let first = searched[slot] as usize * vectors;
                    found[slot] += count_until::<C>(&self.thresholds[first..first + vectors], number[slot]) as u32;
                }
            }
        }
        found
    }

    /// Adds how many thresholds lie below each number. A short table is compared whole: whether its first vector would do, half of the
    /// rows would mispredict.
    #[inline(always)]
    fn count_each<C: Compare, const VECTORS: usize>(
        &self,
        searched: &[u32; ROWS],
        number: &[f64; ROWS],
        found: &mut [u32; ROWS],
    ) {
        let (tables, _) = self.thresholds.as_chunks::<VECTORS>();
        for slot in 0..ROWS {
            for vector in &tables[searched[slot] as usize] {
                found[slot] += C::count_below(&vector.0, number[slot]) as u32;
            }
        }
    }

    /// Where among all lines the one stands that applies to a number.
    #[inline(always)]
    pub(crate) fn find<C: Compare>(&self, place: usize, key: Key, number: f64) -> usize {
        place * self.width + count_until::<C>(self.vectors(place, key), number)
    }

    /// The line that [`Tables::find`] found.
    #[inline(always)]
    pub(crate) fn found(&self, place: usize) -> &Line {
        &self.lines[place]
    }
}

/// How many thresholds lie below a number, up to the first vector that has some above it.
#[inline(always)]
fn count_until<C: Compare>(vectors: &[Thresholds], number: f64) -> usize {
    let mut below = 0;
    for vector in vectors {
        let count = C::count_below(&vector.0, number);
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
    use crate::machine::compare::Baseline;
    use crate::rules::tiers::TierKey;

    const PLAIN: Scale = Scale { price_fee: 0.0, trigger: 1.0 };

    /// 1/64 up to 1,024 and 1/32 above; the deduction is 1,024 * (1/32 - 1/64) = 16.
    fn two_tiers() -> TierTable {
        TierTable::new(TierKey::Value, &[0.0, 1024.0], &[1.0 / 64.0, 1.0 / 32.0], &[0.0, 16.0], 1e6).unwrap()
    }

    #[test]
    fn thresholds_are_where_the_zeros_of_both_lines_meet() {
        let tables = Tables::new(&[&two_tiers()], PLAIN).unwrap();
        let first = |key| tables.thresholds(0, key).next();
        assert_eq!(first(Key::Value), Some(1024.0));
        // Gaining: y = V (1 - 1/64) = 1,024 - 16 by the first line, 1,024 - 32 + 16 by the second.
        assert_eq!(first(Key::Gaining), Some(1008.0));
        // Losing: y = V (1 + 1/64) = 1,024 + 16 by the first line, 1,024 + 32 - 16 by the second.
        assert_eq!(first(Key::Losing), Some(1040.0));
        assert!(tables.thresholds(0, Key::Value).skip(1).all(|padding| padding == f64::INFINITY));
    }

    #[test]
    fn a_threshold_belongs_to_the_tier_below_it() {
        let tables = Tables::new(&[&two_tiers()], PLAIN).unwrap();
        let rate = |key, number: f64| tables.found(tables.find::<Baseline>(0, key, number)).rate;
        for (key, threshold) in [(Key::Value, 1024.0_f64), (Key::Gaining, 1008.0), (Key::Losing, 1040.0)] {
            assert_eq!(rate(key, threshold), 1.0 / 64.0);
            assert_eq!(rate(key, threshold.next_up()), 1.0 / 32.0);
        }
        assert_eq!(rate(Key::Value, f64::NAN), 1.0 / 64.0);
        assert!(tables.found(tables.of_none() * tables.width).rate.is_nan());
    }

    #[test]
    fn fee_and_level_scale_what_triggers_and_not_what_is_reported() {
        // (1/64 + 1/64) / 0.5 = 1/16, (1/32 + 1/64) / 0.5 = 3/32; the deduction of the trigger is 16 / 0.5.
        let tables = Tables::new(&[&two_tiers()], Scale { price_fee: 1.0 / 64.0, trigger: 2.0 }).unwrap();
        let [first, second, ..] = tables.lines(0) else { panic!("two tiers have two lines") };
        assert_eq!((first.rate, second.rate, second.deduction), (1.0 / 64.0, 1.0 / 32.0, 16.0));
        assert_eq!(second.trigger_deduction, 32.0);
        assert_eq!(first.factors.both(), (1.0 / (1.0 - 1.0 / 16.0), -1.0 / (1.0 + 1.0 / 16.0)));
        assert_eq!(second.factors.along(-1.0), -1.0 / (1.0 + 3.0 / 32.0));
        // 1,024 (1 - 3/32) + 32.
        assert_eq!(tables.thresholds(0, Key::Gaining).next(), Some(960.0));
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
            let found = tables.find_each::<Baseline>(&[1; ROWS], &[Key::Value as u32; ROWS], &values);
            for (place, value) in found.into_iter().zip(values) {
                assert_eq!(place as usize, tables.find::<Baseline>(1, Key::Value, value));
                let tier = floors.iter().rposition(|&floor| value > floor).unwrap_or(0);
                assert_eq!(tables.found(place as usize).rate, rates[tier], "{tiers} tiers, value {value}");
            }
        }
    }
}
