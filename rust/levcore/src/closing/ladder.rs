//! How much of one instrument is liquidated at each price, from sums over positions sorted by their triggers.

use crate::closing::quanta::{fitting, to_quanta};
use crate::error::{Error, Result};
use crate::memory::with_room;

/// Positions of one side; prices are coordinates.
#[derive(Debug, Clone, Copy)]
pub struct LadderSide<'a> {
    /// Size of each position; positive.
    pub size: &'a [f64],
    /// Coordinate of its entry price.
    pub entry: &'a [f64],
    /// Coordinate of its trigger.
    pub trigger: &'a [f64],
    /// Coordinate of its bankruptcy price; NaN where there is none.
    pub bankruptcy: &'a [f64],
    /// Whether these positions lose as the coordinate falls.
    pub falls: bool,
}

/// What is liquidated at a price, if all of it is filled there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// How many positions.
    pub positions: u64,
    /// Their value at the price.
    pub notional: f64,
    /// What their traders have lost since entry; negative: gained.
    pub loss: f64,
    /// What those past their bankruptcy price are short of.
    pub shortfall: f64,
}

/// Sums over the positions that a price has passed, the first passed first.
#[derive(Debug)]
struct Sums {
    /// Where each position is passed, as its distance from below: ascending for sides that lose as the coordinate falls.
    passed: Vec<f64>,
    /// Running sums of sizes and of `size * level`, in quanta; one more than positions.
    size: Vec<i64>,
    value: Vec<i64>,
}

/// One side of a market, built once, asked at any price.
#[derive(Debug)]
pub struct Ladder {
    triggers: Sums,
    bankruptcies: Sums,
    falls: bool,
    per_unit: f64,
}

impl Ladder {
    /// Sorts and sums.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for columns of several lengths, [`Error::Domain`] where a size or value is no number of quanta.
    pub fn new(side: &LadderSide<'_>, per_unit: f64) -> Result<Self> {
        let expected = side.size.len();
        let columns = [("entry", side.entry), ("trigger", side.trigger), ("bankruptcy", side.bankruptcy)];
        for (argument, column) in columns {
            if column.len() != expected {
                return Err(Error::Length { argument, expected, found: column.len() });
            }
        }
        Ok(Self {
            triggers: Sums::new(side.trigger, side.entry, side, per_unit)?,
            bankruptcies: Sums::new(side.bankruptcy, side.bankruptcy, side, per_unit)?,
            falls: side.falls,
            per_unit,
        })
    }

    /// What is liquidated by the time the coordinate is `x`.
    ///
    /// # Formula
    ///
    /// Over the positions whose trigger `x` has reached: `notional = x * sum of sizes`, `loss = d * (sum of size * entry - notional)`;
    /// over those whose bankruptcy price it has passed: `shortfall = d * (sum of size * bankruptcy - x * sum of sizes)`; `d = 1` where the
    /// side loses as the coordinate falls, else `-1`. Sums are of whole quanta, so that their order is no matter.
    #[must_use]
    pub fn at(&self, x: f64) -> Rung {
        let (direction, key) = if self.falls { (1.0, -x) } else { (-1.0, x) };
        let (positions, size, value) = self.triggers.up_to(key);
        let notional = x * (size as f64 / self.per_unit);
        let loss = direction * (value as f64 / self.per_unit - notional);
        let (_, size, value) = self.bankruptcies.up_to(key);
        let shortfall = direction * (value as f64 / self.per_unit - x * (size as f64 / self.per_unit));
        Rung { positions: positions as u64, notional, loss, shortfall }
    }
}

impl Sums {
    fn new(levels: &[f64], values: &[f64], side: &LadderSide<'_>, per_unit: f64) -> Result<Self> {
        let mut order: Vec<(f64, u32)> = with_room(levels.len())?;
        let sign = if side.falls { -1.0 } else { 1.0 };
        let keys = levels.iter().map(|&level| sign * level).zip(0_u32..);
        order.extend(keys.filter(|(key, _)| !key.is_nan()));
        order.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let mut sums = Self {
            passed: with_room(order.len())?,
            size: with_room(order.len() + 1)?,
            value: with_room(order.len() + 1)?,
        };
        let (mut size, mut value) = (0_i128, 0_i128);
        sums.size.push(0);
        sums.value.push(0);
        for (key, row) in order {
            let row = row as usize;
            size += i128::from(to_quanta(side.size[row], per_unit)?);
            value += i128::from(to_quanta(side.size[row] * values[row], per_unit)?);
            sums.passed.push(key);
            sums.size.push(fitting(size)?);
            sums.value.push(fitting(value)?);
        }
        Ok(sums)
    }

    /// How many levels lie at or before `key`, and the sums over them.
    fn up_to(&self, key: f64) -> (usize, i64, i64) {
        let count = self.passed.partition_point(|&passed| passed <= key);
        (count, self.size[count], self.value[count])
    }
}
