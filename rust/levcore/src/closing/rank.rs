//! Who is deleveraged first.

use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};

vocabulary! {
    /// Score by which positions are deleveraged, the highest first.
    pub enum Ranking: u8 {
        ProfitTimesMarginRatio = 0, "profit_share_times_margin_ratio",
            "Binance: max(0, profit) / max(1, wallet), times maintenance margin over equity (0 where there is none)";
        ProfitTimesEffectiveLeverage = 1, "profit_share_times_effective_leverage",
            "BitMEX, MEXC: profit over entry value, times value over equity where it is a profit, divided by it where it is a loss";
        PriceRatioTimesLeverage = 2, "price_ratio_times_leverage",
            "Hyperliquid, long positions: mark over entry, times value over account value";
        ProfitTimesLeverage = 3, "profit_share_times_leverage",
            "Gate, ZUBR: profit over entry value, times the leverage of the position";
        Random = 4, "random", "an order that a seed settles";
    }
}

/// What a ranking asks of a position, in settlement currency.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Unrealized profit.
    pub profit: &'a [f64],
    /// Value at entry.
    pub entry_value: &'a [f64],
    /// Value at the mark.
    pub value: &'a [f64],
    /// Balance without unrealized profit.
    pub wallet: &'a [f64],
    /// Equity of the position or its account.
    pub equity: &'a [f64],
    /// Its maintenance margin.
    pub maintenance_margin: &'a [f64],
    /// Leverage that the trader chose.
    pub leverage: &'a [f64],
    /// Number of the account, the same however rows are ordered.
    pub key: &'a [i64],
}

/// Score of each position.
///
/// # Formula
///
/// That of [`Ranking`], operations from left to right.
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths.
pub fn scores(ranking: Ranking, standing: &Standing<'_>, seed: u64) -> Result<Vec<f64>> {
    let rows = standing.key.len();
    let columns = [
        ("profit", standing.profit),
        ("entry_value", standing.entry_value),
        ("value", standing.value),
        ("wallet", standing.wallet),
        ("equity", standing.equity),
        ("maintenance_margin", standing.maintenance_margin),
        ("leverage", standing.leverage),
    ];
    for (argument, column) in columns {
        if column.len() != rows {
            return Err(Error::Length { argument, expected: rows, found: column.len() });
        }
    }
    Ok((0..rows).map(|row| score(ranking, standing, row, seed)).collect())
}

fn score(ranking: Ranking, of: &Standing<'_>, row: usize, seed: u64) -> f64 {
    let (profit, equity, value) = (of.profit[row], of.equity[row], of.value[row]);
    match ranking {
        Ranking::ProfitTimesMarginRatio => {
            let gain = if profit > 0.0 { profit } else { 0.0 };
            let wallet = if of.wallet[row] > 1.0 { of.wallet[row] } else { 1.0 };
            let ratio = if equity > 0.0 { of.maintenance_margin[row] / equity } else { 0.0 };
            gain / wallet * ratio
        }
        Ranking::ProfitTimesEffectiveLeverage => {
            let (share, leverage) = (profit / of.entry_value[row], value / equity);
            if share > 0.0 { share * leverage } else { share / leverage }
        }
        Ranking::PriceRatioTimesLeverage => value / of.entry_value[row] * (value / equity),
        Ranking::ProfitTimesLeverage => profit / of.entry_value[row] * of.leverage[row],
        Ranking::Random => drawn(seed, of.key[row]),
    }
}

/// A number in [0, 1) for a key: SplitMix64, of which the upper 53 bits count.
fn drawn(seed: u64, key: i64) -> f64 {
    let mut state = seed.wrapping_add(key.cast_unsigned().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    (state >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Places of positions in the order in which they are deleveraged, the first first.
///
/// Ties go to the smaller key, then the larger quantity, then the lower entry value: an order in which rows stand nowhere, so that the
/// same positions in another order are deleveraged alike.
#[must_use]
pub fn ranked(score: &[f64], key: &[i64], lots: &[i64], entry_value: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0_u32..).take(score.len()).collect();
    order.sort_by(|&one, &other| {
        let (one, other) = (one as usize, other as usize);
        let by_score = score[other].total_cmp(&score[one]);
        let by_lots = lots[other].cmp(&lots[one]);
        let by_value = entry_value[one].total_cmp(&entry_value[other]);
        by_score.then(key[one].cmp(&key[other])).then(by_lots).then(by_value)
    });
    order
}
