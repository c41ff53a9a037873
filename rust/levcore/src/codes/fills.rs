//! What became of a position that fills made: a closed vocabulary of codes.

use crate::codes::vocabulary::vocabulary;

vocabulary! {
    /// Verdict on the fills of one position. Codes below 16 are findings, from 16 on some of its numbers are NaN, from 32 on all are.
    pub enum FillStatus: u8 {
        Ok = 0, "OK", "a position is open";
        Flat = 1, "FLAT", "the fills end at a quantity of zero: no entry and no break-even price";
        MissingMarkPrice = 16, "MISSING_MARK_PRICE", "no valid mark price: the unrealized and the net profit are NaN";
        InvalidFee = 17, "INVALID_FEE", "a fee is NaN or infinite: fees, net profit and break-even price are NaN";
        InvalidQuantity = 32, "INVALID_QUANTITY", "the quantity of a fill is NaN or infinite";
        InvalidPrice = 33, "INVALID_PRICE", "the price of a fill is NaN, infinite, zero or negative";
        UnknownInstrument = 34, "UNKNOWN_INSTRUMENT", "the instruments given have no such name";
        NumericOverflow = 45, "NUMERIC_OVERFLOW", "a result exceeds the range of float64";
    }
}
