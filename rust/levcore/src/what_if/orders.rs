//! Open orders of cross accounts: what they ask for beside the positions.

use crate::book::grouped::{Grouped, by_account};
use crate::codes::change::OrderRule;
use crate::codes::status::Status;
use crate::error::{Error, Result};
use crate::formulas::exposure;
use crate::formulas::order_margin::{both_sides, order_loss, order_margin, worst_side};
use crate::job::context::PolicyAtMarks;
use crate::what_if::changeable_book::ChangeableBook;
use crate::what_if::changes::UNKNOWN;
use crate::what_if::ledger::Ledger;
use crate::what_if::position::Position;

/// Open orders, one a row; codes as in [`Codes`](crate::what_if::Codes).
#[derive(Debug, Clone, Copy)]
pub struct Orders<'a> {
    /// Account of each order.
    pub account: &'a [u32],
    /// Its instrument.
    pub instrument: &'a [u32],
    /// Policy of an account without positions.
    pub policy: &'a [u32],
    /// Signed contracts: positive buys.
    pub quantity: &'a [f64],
    /// Limit price, quote per base.
    pub price: &'a [f64],
    /// Leverage that the position would have; NaN: that of the position.
    pub leverage: &'a [f64],
    /// Whether it can only reduce a position, and so asks for nothing.
    pub reduce_only: &'a [bool],
    /// By the code of the policy.
    pub rule: &'a [OrderRule],
    /// By the code of the policy, whether the loss that orders would open with is charged.
    pub loss_counts: &'a [bool],
}

/// Columns that are written: the status of each order; margin and loss of the orders of each account.
#[derive(Debug)]
pub struct OrderOutputs<'a> {
    /// Codes of [`Status`].
    pub status: &'a mut [u8],
    /// Margin that the orders of an account ask for, in settlement currency; NaN where one of them failed.
    pub margin: &'a mut [f64],
    /// Loss at the mark that they would open with, where it is charged.
    pub loss: &'a mut [f64],
}

/// Orders of one account in one instrument.
pub(crate) struct Group {
    instrument: u32,
    leverage: f64,
    signed_value: f64,
    buys: f64,
    sells: f64,
    rule: OrderRule,
}

/// Sums the orders of each account, in the order of rows; groups of one instrument follow their first order.
///
/// # Errors
///
/// [`Error::Length`] and [`Error::Code`] for columns that do not fit.
pub fn margin_of_orders(
    book: &ChangeableBook<'_>,
    policies: &[PolicyAtMarks<'_>],
    orders: &Orders<'_>,
    outputs: &mut OrderOutputs<'_>,
) -> Result<()> {
    book.check_against(policies)?;
    let accounts = book.members.accounts;
    for (argument, found, expected) in [
        ("out", outputs.status.len(), orders.quantity.len()),
        ("out.accounts", outputs.margin.len(), accounts),
        ("out.accounts", outputs.loss.len(), accounts),
    ] {
        if found != expected {
            return Err(Error::Length { argument, expected, found });
        }
    }
    let ledger = Ledger::new(book, policies);
    let orders = OrdersByAccount::new(book, policies, orders)?;
    let mut groups = Vec::new();
    for account in 0..accounts {
        let status = |row: usize, status: Status| outputs.status[row] = status as u8;
        let sums = orders.charge(&ledger, account as u32, &mut groups, status);
        [outputs.margin[account], outputs.loss[account]] = sums;
    }
    Ok(())
}

/// Orders with those of each account, checked.
pub(crate) struct OrdersByAccount<'a> {
    orders: &'a Orders<'a>,
    rows: Grouped,
}

impl<'a> OrdersByAccount<'a> {
    pub(crate) fn new(
        book: &ChangeableBook<'_>,
        policies: &[PolicyAtMarks<'_>],
        orders: &'a Orders<'a>,
    ) -> Result<Self> {
        check(book, policies, orders)?;
        let rows = orders.account.iter().enumerate().map(|(row, &account)| (row as u32, account));
        Ok(Self { orders, rows: by_account(rows, book.members.accounts)? })
    }

    /// Margin and loss of the orders of an account beside its positions as the ledger has them; NaN where one of them failed.
    pub(crate) fn charge(
        &self,
        ledger: &Ledger<'_>,
        account: u32,
        groups: &mut Vec<Group>,
        mut note: impl FnMut(usize, Status),
    ) -> [f64; 2] {
        let (orders, mut margin, mut loss) = (self.orders, 0.0, 0.0);
        groups.clear();
        for &row in self.rows.of(account as usize) {
            let row = row as usize;
            let instrument = orders.instrument[row];
            let leg = ledger.leg(account, instrument, orders.quantity[row]).and_then(|leg| ledger.position(leg));
            let status = judge(ledger, orders, row, leg.as_ref());
            note(row, status);
            if status != Status::Ok {
                (margin, loss) = (f64::NAN, f64::NAN);
                continue;
            }
            if orders.reduce_only[row] {
                continue;
            }
            let policy = policy_of(ledger, orders, row);
            let place = groups.iter().position(|group| group.instrument == instrument).unwrap_or_else(|| {
                groups.push(open_group(ledger, orders, row, leg.as_ref(), policy));
                groups.len() - 1
            });
            let opening_loss = add(ledger, orders, row, policy, &mut groups[place]);
            if orders.loss_counts[policy as usize] {
                loss += opening_loss;
            }
        }
        for group in groups.iter() {
            margin += group.margin();
        }
        [margin, loss]
    }
}

impl Group {
    fn margin(&self) -> f64 {
        let whole = match self.rule {
            OrderRule::None => return 0.0,
            OrderRule::LargerSide => worst_side(self.signed_value, self.buys, self.sells),
            OrderRule::Sum => both_sides(self.signed_value, self.buys, self.sells),
        };
        order_margin(whole, self.signed_value, self.leverage)
    }
}

fn policy_of(ledger: &Ledger<'_>, orders: &Orders<'_>, row: usize) -> u32 {
    let mut legs = ledger.legs(orders.account[row]);
    let of_leg = legs.next().and_then(|leg| ledger.position(leg)).map(|position| position.policy);
    of_leg.or_else(|| ledger.policy_of_balances(orders.account[row])).unwrap_or(orders.policy[row])
}

/// A position without contracts where the order would open one.
fn flat(ledger: &Ledger<'_>, orders: &Orders<'_>, row: usize) -> Position {
    Position::flat(orders.instrument[row], policy_of(ledger, orders, row), Some(orders.account[row]))
}

/// Why an order cannot be charged, else [`Status::Ok`]; the first rule that applies decides.
fn judge(ledger: &Ledger<'_>, orders: &Orders<'_>, row: usize, leg: Option<&Position>) -> Status {
    let positive = |number: f64| number > 0.0 && number < f64::INFINITY;
    let (quantity, mark) = (orders.quantity[row], ledger.mark(&flat(ledger, orders, row)));
    if !quantity.is_finite() || quantity == 0.0 || leg.is_some_and(|leg| !leg.quantity.is_finite()) {
        return Status::InvalidQuantity;
    }
    if ledger.instrument(&flat(ledger, orders, row)).is_none() {
        return Status::UnknownInstrument;
    }
    if mark.is_nan() {
        return Status::MissingMarkPrice;
    }
    if !positive(mark) {
        return Status::InvalidMarkPrice;
    }
    if !positive(orders.price[row]) {
        return Status::InvalidEntryPrice;
    }
    let leverage = leverage_of(orders, row, leg);
    if leverage.is_nan() {
        return Status::MissingLeverage;
    }
    if positive(leverage) { Status::Ok } else { Status::InvalidLeverage }
}

fn leverage_of(orders: &Orders<'_>, row: usize, leg: Option<&Position>) -> f64 {
    if orders.leverage[row].is_nan() { leg.map_or(f64::NAN, |leg| leg.leverage) } else { orders.leverage[row] }
}

fn open_group(ledger: &Ledger<'_>, orders: &Orders<'_>, row: usize, leg: Option<&Position>, policy: u32) -> Group {
    let mut signed_value = 0.0;
    if let Some((leg, instrument)) = leg.and_then(|leg| Some((leg, ledger.instrument(leg)?))) {
        let size = exposure::size(leg.quantity, instrument.contract.contract_size);
        let value = exposure::value(size, instrument.contract.coordinate(ledger.mark(leg)));
        signed_value = if leg.quantity < 0.0 { -value } else { value };
    }
    let leverage = leverage_of(orders, row, leg);
    let rule = orders.rule[policy as usize];
    Group { instrument: orders.instrument[row], leverage, signed_value, buys: 0.0, sells: 0.0, rule }
}

/// Adds an order to its side; returns the loss that it would open with.
fn add(ledger: &Ledger<'_>, orders: &Orders<'_>, row: usize, policy: u32, group: &mut Group) -> f64 {
    let position = Position { policy, ..flat(ledger, orders, row) };
    let Some(instrument) = ledger.instrument(&position) else { return f64::NAN };
    let (contract, quantity) = (&instrument.contract, orders.quantity[row]);
    let size = exposure::size(quantity, contract.contract_size);
    let x = contract.coordinate(orders.price[row]);
    let value = exposure::value(size, x);
    if quantity > 0.0 {
        group.buys += value;
    } else {
        group.sells += value;
    }
    let direction = exposure::direction(quantity, contract.long_direction());
    order_loss(direction, size, contract.coordinate(ledger.mark(&position)), x)
}

fn check(book: &ChangeableBook<'_>, policies: &[PolicyAtMarks<'_>], orders: &Orders<'_>) -> Result<()> {
    let expected = orders.quantity.len();
    let columns = [
        ("orders.account", orders.account.len(), expected),
        ("orders.instrument", orders.instrument.len(), expected),
        ("orders.policy", orders.policy.len(), expected),
        ("orders.price", orders.price.len(), expected),
        ("orders.leverage", orders.leverage.len(), expected),
        ("orders.reduce_only", orders.reduce_only.len(), expected),
        ("orders.rule", orders.rule.len(), policies.len()),
        ("orders.loss_counts", orders.loss_counts.len(), policies.len()),
    ];
    if let Some((argument, found, expected)) = columns.into_iter().find(|(_, found, expected)| found != expected) {
        return Err(Error::Length { argument, expected, found });
    }
    let codes = [
        ("orders.account", orders.account, book.members.accounts),
        ("orders.instrument", orders.instrument, book.base_of.len()),
        ("orders.policy", orders.policy, policies.len()),
    ];
    for (argument, column, limit) in codes {
        if let Some(row) = column.iter().position(|&code| code as usize >= limit.min(UNKNOWN as usize)) {
            return Err(Error::Code { argument, row, found: i64::from(column[row]), limit });
        }
    }
    Ok(())
}
