//! Reading what the next changes need before they are applied.
//!
//! Changes name rows at random, and a value that is not in the cache is a hundred nanoseconds away. One change after the other waits for
//! each of them; read for many changes in one loop that does nothing else, they arrive together.

use std::hint::black_box;

use crate::what_if::changeable_book::ChangeableBook;
use crate::what_if::changes::{Changes, NONE};

/// Changes whose values are read together: what they read stays in the nearest caches until it is used.
pub(crate) const AHEAD: usize = 64;

/// Reads the rows and accounts that changes name, at most [`AHEAD`] of them.
pub(crate) fn read_ahead(book: &ChangeableBook<'_>, changes: &Changes<'_>, rows: impl Iterator<Item = usize>) {
    let mut accounts = [NONE; AHEAD];
    let mut seen = 0;
    for (change, account) in rows.zip(&mut accounts) {
        let row = changes.codes.row[change] as usize;
        *account = changes.codes.account[change];
        if row < book.rows() {
            seen ^= read_row(book, row);
            if book.cross.is_some_and(|cross| cross[row]) {
                *account = book.account[row];
            }
        }
    }
    // An account that a transfer leaves is read when it is met.
    let legs_of = |account: u32| {
        let known = (account as usize) < book.members.accounts;
        if known { book.members.legs.of(account as usize) } else { &[] }
    };
    for account in accounts {
        let wallet = book.columns.wallet_balance.get(account as usize);
        let balances = book.members.balances.starts.get(account as usize).copied().unwrap_or_default();
        seen ^= wallet.map_or(0, |wallet| wallet.to_bits()) ^ u64::from(balances) ^ legs_of(account).len() as u64;
    }
    for account in accounts {
        let legs = legs_of(account);
        for place in (0..legs.len()).step_by(2 * LINE) {
            seen ^= u64::from(legs[place]);
        }
        seen ^= legs.last().map_or(0, |&leg| u64::from(leg));
    }
    for account in accounts {
        // Of legs that are neighbours one in a cache line is enough.
        let mut line = usize::MAX;
        for &leg in legs_of(account) {
            if leg as usize / LINE != line {
                line = leg as usize / LINE;
                seen ^= read_row(book, leg as usize);
            }
        }
    }
    black_box(seen);
}

/// Values of a column in a cache line.
const LINE: usize = 8;

/// Reads the columns of a row.
#[inline]
fn read_row(book: &ChangeableBook<'_>, row: usize) -> u64 {
    let columns = &book.columns;
    let always = columns.quantity[row].to_bits() ^ columns.entry_price[row].to_bits();
    let codes = columns.instrument[row] ^ book.policy.map_or(0, |policy| policy[row]);
    let optional = [columns.isolated_margin, columns.leverage, columns.accrued_funding, columns.risk_limit];
    let rest = optional.into_iter().flatten().fold(0, |seen, column| seen ^ column[row].to_bits());
    always ^ u64::from(codes) ^ rest
}
