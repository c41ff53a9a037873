//! Changes of a book that have not happened yet: their kinds, and what became of each.

use crate::codes::vocabulary::vocabulary;

vocabulary! {
    /// What a change does.
    pub enum ChangeKind: u8 {
        None = 0, "none", "nothing: the position and its account as they are";
        Order = 1, "order", "an order of a signed quantity fills at a price: it opens, adds, reduces, closes or flips";
        Close = 2, "close", "the position is closed at a price";
        Flip = 3, "flip", "the position is closed at a price and opened as large on the other side";
        Leverage = 4, "leverage", "the leverage of the position becomes another one";
        Margin = 5, "margin", "an amount is added to the margin of an isolated position; negative: withdrawn";
        Wallet = 6, "wallet", "an amount is paid into the wallet of an account; negative: withdrawn";
        Collateral = 7, "collateral", "units of an asset are paid into an account with balances; negative: withdrawn";
        Transfer = 8, "transfer", "the position moves to a cross account, at a price";
        Tiers = 9, "tiers", "the tier table of an instrument is replaced";
    }
}

vocabulary! {
    /// What became of a change; codes from 32: refused, nothing changes and its results are NaN.
    pub enum ChangeStatus: u8 {
        Applied = 0, "APPLIED", "applied and evaluated; the status of row and account say how that went";
        UnknownRow = 32, "UNKNOWN_ROW", "the book has no such row, or none was named";
        UnknownAccount = 33, "UNKNOWN_ACCOUNT", "the book has no such account, none was named, or the row belongs to another one";
        UnknownInstrument = 34, "UNKNOWN_INSTRUMENT", "the policy has no such instrument, or none was named";
        UnknownAsset = 35, "UNKNOWN_ASSET", "no such asset, or the account has a wallet and no balances";
        UnknownTable = 36, "UNKNOWN_TABLE", "there is no such replacement of the instrument's tier table";
        InvalidQuantity = 37, "INVALID_QUANTITY", "the quantity of the order is NaN, infinite or zero";
        InvalidPrice = 38, "INVALID_PRICE", "the price is infinite, zero or negative, or absent where there is no mark";
        InvalidFee = 39, "INVALID_FEE", "the fee rate is NaN, infinite, or not between -1 and 1";
        InvalidLeverage = 40, "INVALID_LEVERAGE", "the leverage is NaN, infinite, zero or negative";
        InvalidAmount = 41, "INVALID_AMOUNT", "the amount is NaN or infinite";
        MissingMargin = 42, "MISSING_MARGIN", "an isolated position has neither a margin nor a leverage to take one from";
        NoPosition = 43, "NO_POSITION", "there is no position to change: flat, or its quantity or entry price is not valid";
        NotIsolated = 44, "NOT_ISOLATED", "a cross position has no margin of its own";
        MixedSettlement = 45, "MIXED_SETTLEMENT", "the account is one wallet, and the position settles in another currency than its legs";
        IsolatedOnly = 46, "ISOLATED_ONLY", "the venue lists the contract for isolated margin alone, and the position would be a cross one";
    }
}

vocabulary! {
    /// What reducing an isolated position gives back.
    pub enum ReleaseRule: u8 {
        Share = 0, "share", "the share of the margin that the closed part had; profit, loss and fees go to the wallet";
        Nothing = 1, "nothing", "the margin stays; profit, loss and fees go into it";
    }
}

vocabulary! {
    /// What open orders ask for beside the position in their instrument.
    pub enum OrderRule: u8 {
        None = 0, "none", "nothing";
        LargerSide = 1, "larger_side", "the worse of all buys filled and all sells filled";
        Sum = 2, "sum", "every order, none netted";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_refusals_start_at_32() {
        assert!(ChangeKind::TABLE.iter().enumerate().all(|(code, word)| word.value as usize == code));
        assert!(ChangeStatus::TABLE.is_sorted_by(|one, next| (one.value as u8) < next.value as u8));
        assert!(ChangeStatus::TABLE[1..].iter().all(|word| word.value as u8 >= 32));
    }
}
