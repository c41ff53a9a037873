//! Who gives up a profit for what others cannot pay.

use crate::closing::allocate::{Allocation, allocate};
use crate::closing::deleverage::{Sharing, Wanted, Winners, deleverage};
use crate::closing::quanta::{to_lots, to_quanta};
use crate::closing::rank::Standing;
use crate::closing::settle::Settlement;
use crate::closing::share_out::Payer;
use crate::error::Result;
use crate::formulas::{exposure, mark_to_market};
use crate::live::market::Market;
use crate::replay::close::Closing;
use crate::replay::exposure::gain_of;
use crate::replay::record::{Event, EventKind};
use crate::replay::run::Replay;

/// Columns of winners, as [`Standing`] borrows them.
#[derive(Debug, Default)]
struct Columns {
    rows: Vec<u32>,
    profit: Vec<f64>,
    entry_value: Vec<f64>,
    value: Vec<f64>,
    wallet: Vec<f64>,
    equity: Vec<f64>,
    maintenance_margin: Vec<f64>,
    leverage: Vec<f64>,
    key: Vec<i64>,
    lots: Vec<i64>,
    pool: Vec<u32>,
}

impl Replay {
    /// Unrealized profit of a row at the mark; NaN without one.
    pub(crate) fn profit(&self, market: &Market<'_>, row: u32) -> f64 {
        let code = self.book.instrument(row);
        let contract = market.contract(code);
        let quantity = self.book.quantity(row);
        let (size, direction) = (
            exposure::size(quantity, contract.contract_size),
            exposure::direction(quantity, contract.long_direction()),
        );
        let entry = contract.coordinate(self.book.resident.entry_price[row as usize]);
        mark_to_market::unrealized_pnl(direction, size, contract.coordinate(market.mark(code)), entry)
    }

    /// Value of a row at the mark.
    pub(crate) fn value(&self, market: &Market<'_>, row: u32) -> f64 {
        let code = self.book.instrument(row);
        let contract = market.contract(code);
        let size = exposure::size(self.book.quantity(row), contract.contract_size);
        exposure::value(size, contract.coordinate(market.mark(code)))
    }

    /// Rows in profit on the other side of a pool, ascending.
    pub(crate) fn winners_of_pool(&self, market: &Market<'_>, pool: u32, closing: &Closing) -> Vec<u32> {
        let rows = self.book.rows_of_instrument[(pool / 2) as usize].iter().copied();
        rows.filter(|&row| {
            let side = (self.book.quantity(row) > 0.0) == (pool % 2 == 1);
            side && self.wins(market, row, closing)
        })
        .collect()
    }

    fn wins(&self, market: &Market<'_>, row: u32, closing: &Closing) -> bool {
        self.is_open(row) && self.profit(market, row) > 0.0 && closing.rows.binary_search(&row).is_err()
    }

    /// Rows in profit with their profits in quanta, where a loss may be spread over them.
    pub(crate) fn gains(&self, market: &Market<'_>, closing: &Closing) -> Result<Vec<(u32, i64)>> {
        if !self.rules.payers.contains(&Payer::Socialised) {
            return Ok(Vec::new());
        }
        let rows = (0..self.book.cross.len() as u32).filter(|&row| self.wins(market, row, closing));
        rows.map(|row| Ok((row, to_quanta(self.profit(market, row), self.rules.per_unit)?))).collect()
    }

    /// Takes from winners what they pay by a settlement; rows that it changes are added to `touched`.
    pub(crate) fn take_from_winners(
        &mut self,
        market: &mut Market<'_>,
        closing: &Closing,
        settled: &Settlement,
        touched: &mut Vec<u32>,
    ) -> Result<()> {
        let pools = 2 * market.instruments();
        let (mut lots, mut amount) = (vec![0_i64; pools], vec![0_i64; pools]);
        for (place, &pool) in closing.pool.iter().enumerate() {
            lots[pool as usize] += settled.payments.lots[place];
            amount[pool as usize] += settled.payments.paid[Payer::Deleveraging as usize][place];
        }
        if lots.iter().any(|&lots| lots > 0) {
            let mut winners = Columns::default();
            for pool in (0..pools as u32).filter(|&pool| lots[pool as usize] > 0) {
                self.stand(market, pool, closing, &mut winners)?;
            }
            self.deleverage(market, &winners, &Wanted { lots: &lots, amount: &amount }, touched)?;
        }
        let spread = settled.payments.paid[Payer::Socialised as usize].iter().sum::<i64>();
        if spread > 0 {
            self.socialise(market, closing, spread, touched)?;
        }
        Ok(())
    }

    /// Adds the winners of a pool with all that a ranking asks for.
    fn stand(&self, market: &mut Market<'_>, pool: u32, closing: &Closing, winners: &mut Columns) -> Result<()> {
        let rows = self.winners_of_pool(market, pool, closing);
        let standings = self.index.standings(&self.book.resident.book(), market, &rows);
        for (&row, [equity, maintenance, _]) in rows.iter().zip(standings) {
            let (place, code, profit) = (row as usize, self.book.instrument(row), self.profit(market, row));
            let contract = market.contract(code);
            let (quantity, value) = (self.book.quantity(row), self.value(market, row));
            let cross = self.book.cross[place];
            let wallet = self.book.resident.wallet_balance.get(self.book.account[place] as usize);
            let leverage = self.book.resident.leverage.as_ref().map_or(f64::NAN, |column| column[place]);
            winners.rows.push(row);
            winners.profit.push(profit);
            winners.entry_value.push(value - exposure::direction(quantity, contract.long_direction()) * profit);
            winners.value.push(value);
            winners.wallet.push(if cross { wallet.copied().unwrap_or(f64::NAN) } else { equity - profit });
            winners.equity.push(equity);
            winners.maintenance_margin.push(maintenance);
            winners.leverage.push(leverage);
            winners.key.push(self.book.key[place]);
            winners.lots.push(to_lots(quantity.abs(), self.rules.lots_per_unit)?);
            winners.pool.push(pool);
        }
        Ok(())
    }

    fn deleverage(
        &mut self,
        market: &Market<'_>,
        of: &Columns,
        wanted: &Wanted<'_>,
        touched: &mut Vec<u32>,
    ) -> Result<()> {
        let standing = Standing {
            profit: &of.profit,
            entry_value: &of.entry_value,
            value: &of.value,
            wallet: &of.wallet,
            equity: &of.equity,
            maintenance_margin: &of.maintenance_margin,
            leverage: &of.leverage,
            key: &of.key,
        };
        let winners = Winners { standing, lots: &of.lots, pool: &of.pool };
        let (rules, seed) = (&self.rules, self.rules.seed);
        let found = deleverage(rules.ranking, Sharing::Queue, &winners, wanted, rules.per_unit, seed)?;
        for (place, &winner) in found.winner.iter().enumerate() {
            let winner = winner as usize;
            let (row, lots) = (of.rows[winner], found.lots[place]);
            self.close_winner(market, row, lots, of.lots[winner], found.amount[place])?;
            touched.push(row);
        }
        Ok(())
    }

    /// Closes lots of a winner at the mark, less what it gives; what a whole position then has returns to its trader.
    fn close_winner(&mut self, market: &Market<'_>, row: u32, lots: i64, of: i64, gives: i64) -> Result<()> {
        let (code, held) = (self.book.instrument(row), self.book.quantity(row));
        let (contract, mark) = (*market.contract(code), market.mark(code));
        let whole = lots == of;
        let left = if whole { 0.0 } else { held - (lots as f64 / self.rules.lots_per_unit).copysign(held) };
        let closed = held - left;
        let entry = contract.coordinate(self.book.resident.entry_price[row as usize]);
        let gain = gain_of(&contract, closed);
        let profit = to_quanta(gain * (contract.coordinate(mark) - entry), self.rules.per_unit)?;
        self.book.pay(row, profit - gives);
        self.money += i128::from(profit) - i128::from(gives);
        let (mut returned, mut unpaid) = (0, 0);
        if whole && !self.book.cross[row as usize] {
            let money = self.book.purse(row);
            (returned, unpaid) = (money.max(0), (-money).max(0));
            self.book.set_purse(row, 0);
            self.money -= i128::from(money);
            self.unpaid += unpaid;
        }
        self.reduce(market, row, left);
        self.events.push(Event {
            kind: EventKind::Deleveraging,
            step: self.steps,
            row,
            quantity: closed,
            trigger: mark,
            fill: mark,
            to_trigger: -profit,
            past_trigger: 0,
            fees: 0,
            left: returned,
            kept_by_fund: 0,
            fund: 0,
            deleveraging: -gives,
            socialised: 0,
            unpaid,
            fund_after: self.fund,
        });
        Ok(())
    }

    fn socialise(&mut self, market: &Market<'_>, closing: &Closing, amount: i64, touched: &mut Vec<u32>) -> Result<()> {
        let gains = self.gains(market, closing)?;
        let weight: Vec<i64> = gains.iter().map(|&(_, gain)| gain).collect();
        let shares = allocate(amount, &weight, &weight, Allocation::ProRata, false)?;
        for (&(row, _), share) in gains.iter().zip(shares) {
            if share == 0 {
                continue;
            }
            let mark = market.mark(self.book.instrument(row));
            self.book.pay(row, -share);
            self.money -= i128::from(share);
            touched.push(row);
            self.events.push(Event {
                kind: EventKind::Socialisation,
                step: self.steps,
                row,
                quantity: 0.0,
                trigger: mark,
                fill: mark,
                to_trigger: 0,
                past_trigger: 0,
                fees: 0,
                left: 0,
                kept_by_fund: 0,
                fund: 0,
                deleveraging: 0,
                socialised: -share,
                unpaid: 0,
                fund_after: self.fund,
            });
        }
        Ok(())
    }
}
