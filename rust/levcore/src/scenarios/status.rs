//! What became of the rows and accounts of a portfolio margin: two closed vocabularies of codes.

use crate::codes::vocabulary::vocabulary;

vocabulary! {
    /// Verdict on a row that keeps its account from being evaluated; names shared with [`Status`](crate::codes::Status) share its codes.
    pub enum RowStatus: u8 {
        InvalidQuantity = 32, "INVALID_QUANTITY", "quantity is NaN or infinite";
        UnknownInstrument = 34, "UNKNOWN_INSTRUMENT", "no scenario array is given for the instrument";
        IncompleteArray = 64, "INCOMPLETE_ARRAY", "a scenario of the instrument holds no finite number";
        MissingOptionValue = 65, "MISSING_OPTION_VALUE", "the option value of the instrument is NaN or infinite";
    }
}

vocabulary! {
    /// Verdict on an account.
    pub enum AccountStatus: u8 {
        Ok = 0, "OK", "every measure that was asked for is valid";
        Incomplete = 1, "INCOMPLETE", "a leg failed, an adjustment is NaN or a sum overflowed: every measure is NaN";
        MissingEquity = 2, "MISSING_EQUITY", "the equity is NaN: equity, surplus and margin ratio are NaN";
        InvalidEquity = 3, "INVALID_EQUITY", "the equity is infinite: equity, surplus and margin ratio are NaN";
    }
}
