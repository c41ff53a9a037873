//! Closing at one instant, and what becomes of the money.

use crate::closing::loss_parts::Closings;
use crate::closing::quanta::{to_lots, to_quanta};
use crate::closing::settle::{Batch, Settlement, settle};
use crate::closing::share_out::{Payer, Pools};
use crate::error::Result;
use crate::live::index::Change;
use crate::live::market::Market;
use crate::replay::exposure::gain_of;
use crate::replay::liquidations::Close;
use crate::replay::record::{Event, EventKind};
use crate::replay::run::Replay;

/// Columns of what is closed, as [`Batch`] borrows them.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    pub rows: Vec<u32>,
    /// Contracts that are closed, and those that stay, with the sign of the position.
    pub quantity: Vec<f64>,
    pub stays: Vec<f64>,
    pub gain: Vec<f64>,
    pub entry: Vec<f64>,
    pub trigger: Vec<f64>,
    pub fill: Vec<f64>,
    pub fee_rate: Vec<f64>,
    pub trigger_price: Vec<f64>,
    pub fill_price: Vec<f64>,
    pub lots: Vec<i64>,
    pub pool: Vec<u32>,
    pub purse: Vec<u32>,
    pub served: Vec<u32>,
    /// First row of each purse.
    pub first: Vec<u32>,
    pub margin: Vec<i64>,
    pub ends: Vec<bool>,
    pub to_fund: Vec<bool>,
    pub owner: Vec<u32>,
}

impl Closing {
    fn batch(&self) -> Batch<'_> {
        let closings = Closings {
            gain: &self.gain,
            entry: &self.entry,
            trigger: &self.trigger,
            fill: &self.fill,
            fee_rate: &self.fee_rate,
        };
        Batch {
            closings,
            lots: &self.lots,
            pool: &self.pool,
            purse: &self.purse,
            served: &self.served,
            margin: &self.margin,
            ends: &self.ends,
            to_fund: &self.to_fund,
            owner: &self.owner,
            other_money: &[0],
        }
    }
}

impl Replay {
    /// Closes rows, ascending, in part or whole, and looks anew at whom that touches.
    pub(crate) fn close(
        &mut self,
        market: &mut Market<'_>,
        kind: EventKind,
        rows: &[Close],
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let closing = self.closing(market, kind, rows)?;
        let settlement = self.settle(market, &closing)?;
        let mut touched = closing.rows.clone();
        self.apply(market, kind, &closing, &settlement)?;
        let unpaid: i64 = settlement.payments.unpaid.iter().sum();
        self.unpaid += unpaid;
        self.take_from_winners(market, &closing, &settlement, &mut touched)?;
        self.index.renew(&self.book.resident.book(), market, &touched, changes);
        Ok(())
    }

    fn closing(&self, market: &Market<'_>, kind: EventKind, rows: &[Close]) -> Result<Closing> {
        let (rules, mut closing) = (&self.rules, Closing::default());
        let mut purse_of_account = std::collections::HashMap::new();
        for (place, &Close { row, quantity, trigger, taken_over }) in rows.iter().enumerate() {
            let (code, held) = (self.book.instrument(row), self.book.quantity(row));
            let mark = market.mark(code);
            let trigger = if trigger.is_nan() { mark } else { trigger };
            let liquidated = kind == EventKind::Liquidation;
            let slippage = if liquidated { rules.slippage } else { 0.0 };
            let fill = mark * if quantity < 0.0 { 1.0 + slippage } else { 1.0 - slippage };
            closing.rows.push(row);
            closing.quantity.push(quantity);
            closing.stays.push(if quantity == held { 0.0 } else { held - quantity });
            closing.gain.push(gain_of(market.contract(code), quantity));
            closing.entry.push(market.coordinate(code, self.book.resident.entry_price[row as usize]));
            closing.trigger.push(market.coordinate(code, trigger));
            closing.fill.push(market.coordinate(code, fill));
            closing.trigger_price.push(trigger);
            closing.fill_price.push(fill);
            closing.fee_rate.push(if liquidated { rules.fee_rate } else { 0.0 });
            closing.lots.push(to_lots(quantity.abs(), rules.lots_per_unit)?);
            closing.pool.push(2 * code + u32::from(quantity < 0.0));
            closing.served.push(place as u32);
            let next = closing.first.len() as u32;
            let purse = if self.book.cross[row as usize] {
                *purse_of_account.entry(self.book.account[row as usize]).or_insert(next)
            } else {
                next
            };
            if purse == next {
                closing.first.push(row);
                closing.margin.push(self.book.purse(row));
                closing.to_fund.push(rules.to_fund && kind != EventKind::Delisting || taken_over);
                closing.owner.push(0);
            }
            closing.purse.push(purse);
        }
        self.keep_open(&mut closing);
        Ok(closing)
    }

    /// A purse goes on while positions of it stay.
    fn keep_open(&self, closing: &mut Closing) {
        let closes = |row: u32| closing.rows.binary_search(&row).is_ok_and(|place| closing.stays[place] == 0.0);
        closing.ends = closing
            .first
            .iter()
            .map(|&row| {
                let legs = &self.book.legs_of_account;
                let legs = if self.book.cross[row as usize] {
                    legs[self.book.account[row as usize] as usize].as_slice()
                } else {
                    std::slice::from_ref(&row)
                };
                legs.iter().all(|&leg| !self.is_open(leg) || closes(leg))
            })
            .collect();
    }

    /// Settles: the fund is asked alone first; where it suffices nobody looks for winners.
    fn settle(&self, market: &mut Market<'_>, closing: &Closing) -> Result<Settlement> {
        let (rules, batch) = (&self.rules, closing.batch());
        let mut lots = vec![0; 2 * market.instruments()];
        let alone = if rules.payers.first() == Some(&Payer::Fund) { &rules.payers[..1] } else { &[] };
        let pools = Pools { fund: rules.fund(self.fund), lots: &lots, winners_pay: true, gains: 0 };
        let settled = settle(&batch, &pools, alone, rules.per_unit)?;
        if rules.payers.len() == alone.len() || settled.payments.unpaid.iter().all(|&unpaid| unpaid == 0) {
            return Ok(settled);
        }
        let mut asked = vec![false; lots.len()];
        for (place, &pool) in closing.pool.iter().enumerate() {
            if settled.payments.unpaid[place] > 0 && !std::mem::replace(&mut asked[pool as usize], true) {
                for row in self.winners_of_pool(market, pool, closing) {
                    lots[pool as usize] += to_lots(self.book.quantity(row).abs(), rules.lots_per_unit)?;
                }
            }
        }
        let gains = self.gains(market, closing)?.iter().map(|&(_, gain)| i128::from(gain)).sum::<i128>();
        let gains = i64::try_from(gains).unwrap_or(i64::MAX).min(1 << 62);
        let pools = Pools { fund: rules.fund(self.fund), lots: &lots, winners_pay: rules.winners_pay, gains };
        settle(&batch, &pools, &rules.payers, rules.per_unit)
    }

    /// Moves the money, closes the positions, and notes the events.
    fn apply(&mut self, market: &Market<'_>, kind: EventKind, closing: &Closing, settled: &Settlement) -> Result<()> {
        let mut told = vec![false; closing.first.len()];
        for (purse, &row) in closing.first.iter().enumerate() {
            let left = settled.left[purse];
            let kept = if closing.ends[purse] { 0 } else { left };
            self.money += i128::from(kept) - i128::from(closing.margin[purse]);
            self.book.set_purse(row, kept);
            if closing.ends[purse] && closing.to_fund[purse] {
                self.fund += left.max(0);
            }
        }
        for (place, &row) in closing.rows.iter().enumerate() {
            let (purse, pay) = (closing.purse[place] as usize, &settled.payments);
            let first = !std::mem::replace(&mut told[purse], true);
            let left = if first && closing.ends[purse] { settled.left[purse].max(0) } else { 0 };
            self.fund -= pay.paid[Payer::Fund as usize][place];
            self.events.push(Event {
                kind,
                step: self.steps,
                row,
                quantity: closing.quantity[place],
                trigger: closing.trigger_price[place],
                fill: closing.fill_price[place],
                to_trigger: settled.loss.to_trigger[place],
                past_trigger: settled.loss.past_trigger[place],
                fees: settled.loss.fees[place],
                left,
                kept_by_fund: if closing.to_fund[purse] { left } else { 0 },
                fund: pay.paid[Payer::Fund as usize][place],
                deleveraging: pay.paid[Payer::Deleveraging as usize][place],
                socialised: pay.paid[Payer::Socialised as usize][place],
                unpaid: pay.unpaid[place],
                fund_after: self.fund,
            });
            if kind == EventKind::Liquidation {
                self.liquidated += to_quanta(closing.gain[place].abs() * closing.fill[place], self.rules.per_unit)?;
            }
            self.reduce(market, row, closing.stays[place]);
        }
        Ok(())
    }

    /// Leaves a row with so many contracts.
    pub(crate) fn reduce(&mut self, market: &Market<'_>, row: u32, quantity: f64) {
        let (code, held) = (self.book.instrument(row), self.book.quantity(row));
        let entry = market.coordinate(code, self.book.resident.entry_price[row as usize]);
        let exposure = &mut self.exposures[code as usize];
        exposure.change(gain_of(market.contract(code), held), entry, -1.0);
        self.book.resident.quantity[row as usize] = quantity;
        if quantity == 0.0 {
            self.open -= 1;
        } else {
            exposure.change(gain_of(market.contract(code), quantity), entry, 1.0);
        }
    }
}
