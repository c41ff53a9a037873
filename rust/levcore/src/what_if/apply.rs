//! A change applied to the ledger, or refused with a reason.

use crate::codes::change::{ChangeKind, ChangeStatus, ReleaseRule};
use crate::what_if::changes::Change;
use crate::what_if::fills::{Fill, Filled, fill};
use crate::what_if::ledger::Ledger;
use crate::what_if::position::{Position, Terms};

/// What a change is about: rows and accounts, where it has them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Touched {
    /// The position changed: of a transfer the one that it becomes.
    pub row: Option<u32>,
    /// Its account: of an isolated position the one that pays.
    pub account: Option<u32>,
    /// Account that a transfer leaves.
    pub source: Option<u32>,
    /// Whether the row was appended for this change.
    pub opens: bool,
    /// Row that a transfer empties.
    from: Option<u32>,
}

/// Money that a change moved, in settlement currency.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moved {
    pub realized: f64,
    pub fee: f64,
    pub cash_flow: f64,
}

type Applied<T> = Result<T, ChangeStatus>;

/// Finds what a change is about. A position that it opens is appended, without contracts.
pub(crate) fn locate(ledger: &mut Ledger<'_>, change: &Change) -> Applied<Touched> {
    match change.kind {
        ChangeKind::Wallet | ChangeKind::Collateral => {
            Ok(Touched { account: Some(change.account.ok_or(ChangeStatus::UnknownAccount)?), ..Touched::default() })
        }
        ChangeKind::Transfer => locate_transfer(ledger, change),
        ChangeKind::Order => match named_row(ledger, change)? {
            Some(row) => at_row(ledger, change, row),
            None => open(ledger, change),
        },
        ChangeKind::None if change.row.is_none() && change.instrument.is_none() => {
            Ok(Touched { account: Some(change.account.ok_or(ChangeStatus::UnknownRow)?), ..Touched::default() })
        }
        _ => match named_row(ledger, change)? {
            Some(row) => at_row(ledger, change, row),
            None if change.account.is_some() && change.instrument.is_some() => Err(ChangeStatus::NoPosition),
            None => Err(ChangeStatus::UnknownRow),
        },
    }
}

/// Row that a change names, by its number or as the leg of an account in an instrument.
fn named_row(ledger: &Ledger<'_>, change: &Change) -> Applied<Option<u32>> {
    if let Some(row) = change.row {
        let position = ledger.position(row).ok_or(ChangeStatus::UnknownRow)?;
        if change.instrument.is_some_and(|code| ledger.base_of(code) != ledger.base_of(position.instrument)) {
            return Err(ChangeStatus::UnknownInstrument);
        }
        return Ok(Some(row));
    }
    match (change.account, change.instrument) {
        (Some(account), Some(instrument)) if change.cross => {
            // Without a quantity either side will do.
            let side = if change.quantity.is_nan() { 1.0 } else { change.quantity };
            let found = ledger.leg(account, instrument, side);
            let other = || if change.quantity.is_nan() { ledger.leg(account, instrument, -side) } else { None };
            Ok(found.or_else(other))
        }
        _ => Ok(None),
    }
}

fn at_row(ledger: &Ledger<'_>, change: &Change, row: u32) -> Applied<Touched> {
    let position = ledger.position(row).ok_or(ChangeStatus::UnknownRow)?;
    if position.account.is_some_and(|own| change.account.is_some_and(|given| given != own)) {
        return Err(ChangeStatus::UnknownAccount);
    }
    refuse_other_currency(ledger, change.account, &position)?;
    Ok(Touched { row: Some(row), account: position.account.or(change.account), ..Touched::default() })
}

fn open(ledger: &mut Ledger<'_>, change: &Change) -> Applied<Touched> {
    let instrument = change.instrument.ok_or(ChangeStatus::UnknownInstrument)?;
    let account = if change.cross { Some(change.account.ok_or(ChangeStatus::UnknownAccount)?) } else { None };
    let policy = policy_in(ledger, account).or(change.policy).ok_or(ChangeStatus::UnknownInstrument)?;
    let position = Position::flat(instrument, policy, account);
    refuse_contract(ledger, &position)?;
    refuse_other_currency(ledger, change.account, &position)?;
    let row = ledger.open(position);
    Ok(Touched { row: Some(row), account: account.or(change.account), opens: true, ..Touched::default() })
}

/// A policy lists what it knows, some of it for isolated margin alone.
fn refuse_contract(ledger: &Ledger<'_>, position: &Position) -> Applied<()> {
    ledger.instrument(position).ok_or(ChangeStatus::UnknownInstrument)?;
    if ledger.must_be_isolated(position) { Err(ChangeStatus::IsolatedOnly) } else { Ok(()) }
}

/// A wallet in one currency holds and pays nothing in another.
fn refuse_other_currency(ledger: &Ledger<'_>, account: Option<u32>, position: &Position) -> Applied<()> {
    let apart = account.is_some_and(|account| ledger.settles_apart(account, position));
    if apart { Err(ChangeStatus::MixedSettlement) } else { Ok(()) }
}

/// Policy of the legs of an account, or the one that its balances name, if it has any.
fn policy_in(ledger: &Ledger<'_>, account: Option<u32>) -> Option<u32> {
    let account = account?;
    let of_leg = ledger.legs(account).next().and_then(|row| ledger.position(row)).map(|position| position.policy);
    of_leg.or_else(|| ledger.policy_of_balances(account))
}

fn locate_transfer(ledger: &mut Ledger<'_>, change: &Change) -> Applied<Touched> {
    let from = change.row.ok_or(ChangeStatus::UnknownRow)?;
    let position = ledger.position(from).ok_or(ChangeStatus::UnknownRow)?;
    let target = change.account.ok_or(ChangeStatus::UnknownAccount)?;
    if position.account == Some(target) {
        return Err(ChangeStatus::UnknownAccount);
    }
    if !position.is_open() {
        return Err(ChangeStatus::NoPosition);
    }
    let touched = Touched { account: Some(target), source: position.account, from: Some(from), ..Touched::default() };
    if let Some(row) = ledger.leg(target, position.instrument, position.quantity) {
        return Ok(Touched { row: Some(row), ..touched });
    }
    let policy = policy_in(ledger, Some(target)).unwrap_or(position.policy);
    let flat = Position::flat(position.instrument, policy, Some(target));
    refuse_contract(ledger, &flat)?;
    refuse_other_currency(ledger, Some(target), &flat)?;
    Ok(Touched { row: Some(ledger.open(flat)), opens: true, ..touched })
}

/// Applies a change to what it is about; refused, the ledger is as before.
pub(crate) fn apply(ledger: &mut Ledger<'_>, change: &Change, touched: &Touched) -> Applied<Moved> {
    let amount = || finite(change.amount).ok_or(ChangeStatus::InvalidAmount);
    match (change.kind, touched.row, touched.account) {
        (ChangeKind::Wallet, _, Some(account)) => {
            let amount = amount()?;
            if ledger.has_balances(account) {
                return Err(ChangeStatus::UnknownAccount);
            }
            ledger.deposit(account, amount);
            Ok(Moved { cash_flow: amount, ..Moved::default() })
        }
        (ChangeKind::Collateral, _, Some(account)) => {
            let asset = change.asset.ok_or(ChangeStatus::UnknownAsset)?;
            let amount = amount()?;
            if !ledger.has_balances(account) {
                return Err(ChangeStatus::UnknownAsset);
            }
            ledger.receive(account, asset, amount);
            Ok(Moved { cash_flow: amount, ..Moved::default() })
        }
        (ChangeKind::None, ..) => Ok(Moved::default()),
        (kind, Some(row), account) => {
            let position = ledger.position(row).ok_or(ChangeStatus::UnknownRow)?;
            match kind {
                ChangeKind::Leverage => change_leverage(ledger, change, row, &position, account),
                ChangeKind::Margin => change_margin(ledger, change, row, &position, account),
                ChangeKind::Tiers => replace_tiers(ledger, change, row, &position),
                ChangeKind::Transfer => transfer(ledger, change, touched, row, &position),
                _ => trade(ledger, change, row, &position, account),
            }
        }
        _ => Err(ChangeStatus::UnknownRow),
    }
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

fn positive(number: f64) -> bool {
    number > 0.0 && number < f64::INFINITY
}

/// An order, a close or a flip.
fn trade(
    ledger: &mut Ledger<'_>,
    change: &Change,
    row: u32,
    position: &Position,
    account: Option<u32>,
) -> Applied<Moved> {
    let quantity = match change.kind {
        ChangeKind::Close => -position.quantity,
        ChangeKind::Flip => -2.0 * position.quantity,
        _ => change.quantity,
    };
    if change.kind != ChangeKind::Order && !position.is_open() {
        return Err(ChangeStatus::NoPosition);
    }
    if !(quantity.is_finite() && quantity != 0.0) {
        return Err(ChangeStatus::InvalidQuantity);
    }
    let price = if change.price.is_nan() { ledger.mark(position) } else { change.price };
    let filled = filled(ledger, change, position, quantity, price)?;
    ledger.set(row, filled.position);
    Ok(settle(ledger, &filled, account))
}

/// Fills an order on a position, checked.
fn filled(ledger: &Ledger<'_>, change: &Change, position: &Position, quantity: f64, price: f64) -> Applied<Filled> {
    if !position.is_valid() {
        return Err(ChangeStatus::NoPosition);
    }
    if !positive(price) {
        return Err(ChangeStatus::InvalidPrice);
    }
    if !(change.fee_rate.abs() < 1.0) {
        return Err(ChangeStatus::InvalidFee);
    }
    if !change.leverage.is_nan() && !positive(change.leverage) {
        return Err(ChangeStatus::InvalidLeverage);
    }
    if !change.amount.is_nan() && !change.amount.is_finite() {
        return Err(ChangeStatus::InvalidAmount);
    }
    let terms = terms_of(ledger, position)?;
    let Change { fee_rate, leverage, amount, release, .. } = *change;
    let order = Fill { quantity, price, fee_rate, leverage, amount, release };
    let mut filled = fill(position, &terms, &order);
    if !change.risk_limit.is_nan() {
        filled.position.risk_limit = change.risk_limit;
    }
    let isolated = position.account.is_none();
    if isolated && (filled.cash_flow.is_nan() || filled.position.held_margin(&terms).is_nan()) {
        return Err(ChangeStatus::MissingMargin);
    }
    Ok(filled)
}

fn terms_of<'a>(ledger: &Ledger<'a>, position: &Position) -> Applied<Terms<'a>> {
    let instrument = ledger.instrument(position).ok_or(ChangeStatus::UnknownInstrument)?;
    let policy = ledger.policies[position.policy as usize].policy;
    Ok(Terms { contract: &instrument.contract, rules: &policy.rules, mark: ledger.mark(position) })
}

/// Pays what a fill gave or took.
fn settle(ledger: &mut Ledger<'_>, filled: &Filled, account: Option<u32>) -> Moved {
    let Filled { position, realized, fee, cash_flow } = filled;
    if let Some(account) = account {
        ledger.credit(account, position, *cash_flow);
    }
    Moved { realized: *realized, fee: *fee, cash_flow: *cash_flow }
}

fn change_leverage(
    ledger: &mut Ledger<'_>,
    change: &Change,
    row: u32,
    position: &Position,
    account: Option<u32>,
) -> Applied<Moved> {
    if !positive(change.leverage) {
        return Err(ChangeStatus::InvalidLeverage);
    }
    let after = Position { leverage: change.leverage, ..*position };
    let mut cash_flow = 0.0;
    if position.account.is_none() && position.isolated_margin.is_nan() && position.is_open() {
        let terms = terms_of(ledger, position)?;
        let held = position.held_margin(&terms);
        // A position that had neither margin nor leverage held nothing that is known.
        cash_flow = if held.is_nan() { 0.0 } else { held - after.held_margin(&terms) };
    }
    ledger.set(row, after);
    if let Some(account) = account.filter(|_| position.account.is_none()) {
        ledger.credit(account, &after, cash_flow);
    }
    Ok(Moved { cash_flow, ..Moved::default() })
}

fn change_margin(
    ledger: &mut Ledger<'_>,
    change: &Change,
    row: u32,
    position: &Position,
    account: Option<u32>,
) -> Applied<Moved> {
    if position.account.is_some() {
        return Err(ChangeStatus::NotIsolated);
    }
    let amount = finite(change.amount).ok_or(ChangeStatus::InvalidAmount)?;
    let terms = terms_of(ledger, position)?;
    let isolated_margin = position.held_margin(&terms) + amount;
    if isolated_margin.is_nan() {
        return Err(ChangeStatus::MissingMargin);
    }
    ledger.set(row, Position { isolated_margin, ..*position });
    if let Some(account) = account {
        ledger.credit(account, position, -amount);
    }
    Ok(Moved { cash_flow: -amount, ..Moved::default() })
}

/// Puts a position, or all legs of its account in the instrument, under another table.
fn replace_tiers(ledger: &mut Ledger<'_>, change: &Change, row: u32, position: &Position) -> Applied<Moved> {
    let base = ledger.base_of(position.instrument);
    let replacement = change.replacement.filter(|&code| ledger.base_of(code) == base);
    let instrument = replacement.ok_or(ChangeStatus::UnknownTable)?;
    if ledger.must_be_isolated(&Position { instrument, ..*position }) {
        return Err(ChangeStatus::IsolatedOnly);
    }
    let rows = match position.account {
        None => vec![row],
        Some(account) => ledger.legs(account).collect(),
    };
    for row in rows {
        if let Some(leg) = ledger.position(row).filter(|leg| ledger.base_of(leg.instrument) == base) {
            ledger.set(row, Position { instrument, ..leg });
        }
    }
    Ok(Moved::default())
}

/// Closes a position in its account and opens it in another, at one price.
fn transfer(
    ledger: &mut Ledger<'_>,
    change: &Change,
    touched: &Touched,
    row: u32,
    target: &Position,
) -> Applied<Moved> {
    let from = touched.from.ok_or(ChangeStatus::UnknownRow)?;
    let leaving = ledger.position(from).ok_or(ChangeStatus::UnknownRow)?;
    let price = if change.price.is_nan() { leaving.entry_price } else { change.price };
    let none = f64::NAN;
    let release = ReleaseRule::Share;
    let closing = Change { fee_rate: 0.0, amount: none, leverage: none, risk_limit: none, release, ..*change };
    let out = filled(ledger, &closing, &leaving, -leaving.quantity, price)?;
    let kept = |own: f64, given: f64| if given.is_nan() && target.quantity == 0.0 { own } else { given };
    let arriving = Change {
        leverage: kept(leaving.leverage, change.leverage),
        risk_limit: kept(leaving.risk_limit, change.risk_limit),
        ..*change
    };
    let mut entered = filled(ledger, &arriving, target, leaving.quantity, price)?;
    entered.position.funding = target.funding + leaving.funding;
    ledger.set(from, Position { funding: 0.0, isolated_margin: f64::NAN, ..out.position });
    ledger.set(row, entered.position);
    // An isolated position takes its margin with it, into the wallet of the account that it joins.
    if let Some(source) = leaving.account {
        ledger.credit(source, &leaving, out.cash_flow);
    } else {
        entered.cash_flow += out.cash_flow;
    }
    entered.realized += out.realized;
    Ok(settle(ledger, &entered, touched.account))
}
