//! Changes as borrowed columns, one change a row.

use crate::codes::change::{ChangeKind, ChangeStatus, ReleaseRule};
use crate::error::{Error, Result};

/// Code of what is not named.
pub const NONE: u32 = u32::MAX;
/// Code of a name that the book does not know: the change is refused.
pub const UNKNOWN: u32 = u32::MAX - 1;

/// What a change names, as codes; [`NONE`] where it names nothing.
#[derive(Debug, Clone, Copy)]
pub struct Codes<'a> {
    /// Row of the book, or one past its rows for each position that the same sequence has opened.
    pub row: &'a [u32],
    /// Account: of the position, of the wallet that an isolated position is paid from, or where a transfer goes.
    pub account: &'a [u32],
    /// Instrument, for what names no row.
    pub instrument: &'a [u32],
    /// Policy of a position that is opened in an account without positions.
    pub policy: &'a [u32],
    /// Asset paid in.
    pub asset: &'a [u32],
    /// Instrument code under which the replaced table stands.
    pub replacement: &'a [u32],
}

/// Changes, one a row; a number that does not matter to a change is NaN.
#[derive(Debug, Clone, Copy)]
pub struct Changes<'a> {
    /// Codes of [`ChangeKind`].
    pub kind: &'a [u8],
    /// What is named.
    pub codes: Codes<'a>,
    /// Whether a position that is opened is a cross one.
    pub cross: &'a [bool],
    /// Signed contracts of an order.
    pub quantity: &'a [f64],
    /// Price, quote per base; NaN: the mark, of a transfer the entry price.
    pub price: &'a [f64],
    /// Fee of a fill as a fraction of its value.
    pub fee_rate: &'a [f64],
    /// Leverage of the changed position; NaN: as it is.
    pub leverage: &'a [f64],
    /// Amount paid in, or margin that comes with an isolated order; NaN there: what its leverage asks for.
    pub amount: &'a [f64],
    /// Risk limit of the changed position; NaN: as it is.
    pub risk_limit: &'a [f64],
    /// Changes in the order in which they are applied; empty: each is a sequence of its own.
    pub order: &'a [u32],
    /// Where each sequence starts in `order`, and the end of the last.
    pub starts: &'a [u32],
    /// What reducing an isolated position gives back.
    pub release: ReleaseRule,
}

/// One change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub kind: ChangeKind,
    pub row: Option<u32>,
    pub account: Option<u32>,
    pub instrument: Option<u32>,
    pub policy: Option<u32>,
    pub asset: Option<u32>,
    pub replacement: Option<u32>,
    pub cross: bool,
    pub quantity: f64,
    pub price: f64,
    pub fee_rate: f64,
    pub leverage: f64,
    pub amount: f64,
    pub risk_limit: f64,
    pub release: ReleaseRule,
}

impl Changes<'_> {
    /// Number of changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kind.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kind.is_empty()
    }

    /// Number of sequences.
    pub(crate) fn sequences(&self) -> usize {
        if self.order.is_empty() { self.len() } else { self.starts.len() - 1 }
    }

    /// Why the change at a row is refused whatever the book holds: it names what nobody knows.
    pub(crate) fn unknown(&self, row: usize) -> Option<ChangeStatus> {
        let codes = &self.codes;
        let named = [
            (codes.row, ChangeStatus::UnknownRow),
            (codes.account, ChangeStatus::UnknownAccount),
            (codes.instrument, ChangeStatus::UnknownInstrument),
            (codes.policy, ChangeStatus::UnknownInstrument),
            (codes.asset, ChangeStatus::UnknownAsset),
            (codes.replacement, ChangeStatus::UnknownTable),
        ];
        named.into_iter().find(|(column, _)| column[row] == UNKNOWN).map(|(_, status)| status)
    }

    /// The change at a row, whose kind was checked.
    pub(crate) fn at(&self, row: usize) -> Change {
        let named = |column: &[u32]| (column[row] != NONE).then_some(column[row]);
        let codes = &self.codes;
        Change {
            kind: ChangeKind::TABLE[usize::from(self.kind[row])].value,
            row: named(codes.row),
            account: named(codes.account),
            instrument: named(codes.instrument),
            policy: named(codes.policy),
            asset: named(codes.asset),
            replacement: named(codes.replacement),
            cross: self.cross[row],
            quantity: self.quantity[row],
            price: self.price[row],
            fee_rate: self.fee_rate[row],
            leverage: self.leverage[row],
            amount: self.amount[row],
            risk_limit: self.risk_limit[row],
            release: self.release,
        }
    }

    /// Refuses columns of another length, codes of no kind, and sequences that are no permutation of the changes.
    pub(crate) fn check(&self) -> Result<()> {
        let expected = self.len();
        let codes = &self.codes;
        let named = [
            ("changes.row", codes.row.len()),
            ("changes.account", codes.account.len()),
            ("changes.instrument", codes.instrument.len()),
            ("changes.policy", codes.policy.len()),
            ("changes.asset", codes.asset.len()),
            ("changes.replacement", codes.replacement.len()),
            ("changes.margin_mode", self.cross.len()),
            ("changes.quantity", self.quantity.len()),
            ("changes.price", self.price.len()),
            ("changes.fee_rate", self.fee_rate.len()),
            ("changes.leverage", self.leverage.len()),
            ("changes.amount", self.amount.len()),
            ("changes.risk_limit", self.risk_limit.len()),
        ];
        if let Some((argument, found)) = named.into_iter().find(|&(_, found)| found != expected) {
            return Err(Error::Length { argument, expected, found });
        }
        if let Some(row) = self.kind.iter().position(|&kind| usize::from(kind) >= ChangeKind::COUNT) {
            let (found, limit) = (i64::from(self.kind[row]), ChangeKind::COUNT);
            return Err(Error::Code { argument: "changes.kind", row, found, limit });
        }
        self.check_order()
    }

    fn check_order(&self) -> Result<()> {
        if self.order.is_empty() {
            return Ok(());
        }
        let mut seen = vec![false; self.len()];
        for (row, &place) in self.order.iter().enumerate() {
            match seen.get_mut(place as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => {
                    let (found, limit) = (i64::from(place), self.len());
                    return Err(Error::Code { argument: "changes.sequence", row, found, limit });
                }
            }
        }
        let ends = (self.starts.first(), self.starts.last());
        let whole = ends == (Some(&0), Some(&(self.order.len() as u32))) && self.starts.is_sorted();
        if !whole || self.order.len() != self.len() {
            let (expected, found) = (self.len(), self.order.len());
            return Err(Error::Length { argument: "changes.sequence", expected, found });
        }
        Ok(())
    }
}
