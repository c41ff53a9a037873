//! Forced sales that move the price and force further sales.

use crate::closing::impact::Impact;
use crate::closing::quanta::{fitting_lots, to_lots};
use crate::error::{Error, Result};
use crate::memory::with_room;

/// Positions of one instrument and side.
#[derive(Debug, Clone, Copy)]
pub struct Stack<'a> {
    /// Contracts of each position; positive.
    pub quantity: &'a [f64],
    /// Its trigger, a price; NaN where it has none.
    pub trigger: &'a [f64],
    /// Whether these positions lose as the price falls, and are sold.
    pub falls: bool,
}

/// One round of a cascade: what the price of the round before has triggered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    /// How many positions it closes.
    pub positions: u64,
    /// Lots that are closed by its end, of all waves.
    pub lots: i64,
    /// Average price at which it is filled.
    pub fill: f64,
    /// Price after it.
    pub price: f64,
}

/// A cascade to its end.
#[derive(Debug, Default)]
pub struct Cascade {
    /// Its waves, the first first.
    pub waves: Vec<Wave>,
    /// Wave of each position, counted from 0; `u32::MAX` of one that is not reached.
    pub wave: Vec<u32>,
}

/// Runs a cascade from a price to its fixed point.
///
/// # Formula
///
/// With `Q(p)` the lots whose trigger `p` has reached and `m` the impact, `p_{k+1} = start * (1 - m(Q(p_k)))`, plus where prices rise. `Q` never
/// falls, so there are at most as many waves as positions; it ends when a wave would be empty. The fill of a wave is
/// `start * (1 - (cost(Q_k) - cost(Q_{k-1})) / (Q_k - Q_{k-1}))`. Quantities are summed in whole lots, so their order is no matter.
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths, [`Error::Domain`] for a start that is no price, a quantity that is no number of lots, or
/// where the impact leaves no price.
pub fn cascade(stack: &Stack<'_>, start: f64, impact: &Impact<'_>, lots_per_unit: f64) -> Result<Cascade> {
    let rows = stack.quantity.len();
    if stack.trigger.len() != rows {
        return Err(Error::Length { argument: "trigger", expected: rows, found: stack.trigger.len() });
    }
    if !(start > 0.0 && start.is_finite()) {
        return Err(Error::Domain { argument: "start", expected: "a price", found: start });
    }
    impact.check()?;
    let sign = if stack.falls { -1.0 } else { 1.0 };
    let mut order: Vec<(f64, usize)> = with_room(rows)?;
    order.extend(stack.trigger.iter().map(|&trigger| sign * trigger).zip(0..).filter(|(key, _)| !key.is_nan()));
    order.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let mut found = Cascade { waves: Vec::new(), wave: vec![u32::MAX; rows] };
    let (mut price, mut reached, mut lots, mut spent) = (start, 0, 0_i128, 0.0);
    loop {
        let first = reached;
        let before = lots;
        while reached < order.len() && order[reached].0 <= sign * price {
            let row = order[reached].1;
            lots += i128::from(to_lots(stack.quantity[row], lots_per_unit)?);
            found.wave[row] = found.waves.len() as u32;
            reached += 1;
        }
        if reached == first {
            return Ok(found);
        }
        let (quantity, closed) = (lots as f64 / lots_per_unit, (lots - before) as f64 / lots_per_unit);
        let cost = impact.cost(quantity)?;
        let fill = if closed > 0.0 { start * (1.0 + sign * ((cost - spent) / closed)) } else { price };
        price = start * (1.0 + sign * impact.at(quantity)?);
        spent = cost;
        if !(price > 0.0 && fill > 0.0) {
            return Err(Error::Domain { argument: "impact", expected: "an impact that leaves a price", found: price });
        }
        found.waves.push(Wave { positions: (reached - first) as u64, lots: fitting_lots(lots)?, fill, price });
    }
}
