//! Rows and accounts evaluated where they stand, and the bounds that follow.

use crate::accounts::cross::{ValuedLegs, value_legs};
use crate::accounts::reader::AccountReader;
use crate::accounts::verdict::{Sums, Verdict, judge_wallet};
use crate::codes::measures::Measure;
use crate::codes::status::{AccountStatus, FIRST_FAILURE, FIRST_PARTIAL, Status};
use crate::job::context::{Job, PolicyPart};
use crate::job::isolated::isolated_tile;
use crate::live::bounds::{Bounds, GUARD, Judgement, Zeros, is_of_price, is_ordinary};
use crate::live::subjects::Account;
use crate::live::verdicts::{AccountVerdicts, LegMemory, RowVerdict};
use crate::machine::compare::{Compare, ROWS};
use crate::machine::instruction_set::Work;
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::table::Table;
use crate::tiles::kernel;
use crate::tiles::marked::{MarkedInstruments, spread_instruments};
use crate::tiles::prices;
use crate::tiles::tile::{Place, Tile};

/// Isolated rows, at most a tile of them.
pub(crate) struct RowWork<'w, 'j, 'p> {
    pub job: &'w Job<'j>,
    pub part: &'w PolicyPart<'p>,
    pub tile: &'w mut Tile,
    pub rows: &'w [u32],
    pub found: &'w mut Vec<RowVerdict>,
}

impl Work for RowWork<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<C: Compare>(self) {
        let Self { job, part, tile, rows, found } = self;
        let policy = part.policy;
        isolated_tile::<C>(job, part, tile, Place::Scattered(rows));
        let first = found.len();
        for slot in 0..rows.len() {
            found.push(RowVerdict {
                state: tile.state[slot] as u8,
                status: tile.status[slot] as u8,
                liquidation_price: tile.results[Measure::LiquidationPrice][slot],
                equity: tile.results[Measure::Equity][slot],
                maintenance_margin: tile.results[Measure::MaintenanceMargin][slot],
                margin_ratio: tile.results[Measure::MarginRatio][slot],
                bounds: Bounds::NONE,
            });
        }
        // A requirement at the mark moves with the mark.
        let given = policy.rules.requirement_isolated;
        let basis = if given == Basis::Mark { Basis::Price } else { given };
        kernel::judge_isolated(tile, policy, basis);
        for slot in 0..rows.len() {
            let magnitude = tile.cash[slot].abs() + tile.entry_value[slot] + tile.value[slot] + tile.requirement[slot];
            tile.needed[slot] += Judgement::of(found[first + slot].state).sign() * (GUARD * magnitude);
        }
        prices::find_prices::<C>(tile, policy, &part.instruments, basis, false);
        prices::bound_prices(tile);
        let mut ordinary = [false; ROWS];
        for slot in 0..rows.len() {
            let held = tile.cash[slot].abs() + tile.entry_value[slot] + tile.requirement[slot];
            ordinary[slot] = is_ordinary(tile.value[slot]) && is_ordinary(held) && is_ordinary(tile.size[slot]);
        }
        let without_fees = policy.isolated_fees.basis == FeeBasis::None && policy.cross_fees.price_fee == 0.0;
        let solved = given != Basis::Mark || without_fees;
        for slot in 0..rows.len() {
            let RowVerdict { state, status, .. } = found[first + slot];
            found[first + slot].bounds =
                bounds_of_row(tile, slot, &part.instruments, state, status, solved && ordinary[slot]);
        }
    }
}

#[inline(always)]
fn bounds_of_row(
    tile: &Tile,
    slot: usize,
    instruments: &MarkedInstruments<'_>,
    state: u8,
    status: u8,
    solved: bool,
) -> Bounds {
    let mark = tile.mark[slot];
    if status == Status::Flat as u8 {
        return Bounds::NONE;
    }
    if status >= FIRST_PARTIAL {
        return if is_of_price(status) { Bounds::at(mark) } else { Bounds::NONE };
    }
    if !solved {
        return Bounds::at(mark);
    }
    bounds_of_zeros(tile, slot, instruments, Judgement::of(state))
}

/// Bounds by the zeros that the tile holds.
#[inline(always)]
fn bounds_of_zeros(tile: &Tile, slot: usize, instruments: &MarkedInstruments<'_>, judgement: Judgement) -> Bounds {
    let marked = instruments.of_row(tile, slot);
    let inverse = marked.instrument.contract.is_inverse();
    let table = marked.instrument.table(tile.quantity[slot]);
    let (own, initial) = (table.cap_of_value(), marked.instrument.initial.as_ref());
    let opening = initial.map_or(f64::INFINITY, Table::cap_of_value);
    let cap = if opening < own { opening } else { own };
    let zeros = Zeros {
        lower: tile.results[Measure::LiquidationPriceLower][slot],
        upper: tile.results[Measure::LiquidationPriceUpper][slot],
        room_in_tiers: cap / tile.value[slot],
    };
    Bounds::around(marked.mark, judgement, &zeros, inverse)
}

/// Accounts with all their legs.
pub(crate) struct AccountWork<'w, 'j, 'p> {
    pub job: &'w Job<'j>,
    pub part: &'w PolicyPart<'p>,
    pub tile: &'w mut Tile,
    pub legs: &'w mut LegMemory,
    pub accounts: &'w [&'w Account],
    pub steepest: &'w [[f64; 2]],
    /// Whether no closed form gives the bounds of a leg.
    pub fallback: bool,
    pub found: &'w mut AccountVerdicts,
}

impl Work for AccountWork<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<C: Compare>(self) {
        let Self { job, part, tile, legs, accounts, steepest, fallback, found } = self;
        let count = legs.rows.len();
        for first in (0..count).step_by(ROWS) {
            let last = if first + ROWS < count { first + ROWS } else { count };
            let mut valued =
                ValuedLegs { amounts: &mut legs.amounts, released: &mut legs.released, status: &mut legs.status };
            value_legs::<C>(job, part, tile, &mut valued, first, Place::Scattered(&legs.rows[first..last]));
            for leg in first..last {
                let slot = leg - first;
                let [profit, requirement, ..] = legs.amounts[leg];
                legs.value[leg] = tile.value[slot];
                legs.magnitude[leg] = tile.value[slot] + tile.entry_value[slot] + requirement + profit.abs();
            }
        }
        judge_all(job, part, legs, accounts, found);
        for first in (0..count).step_by(ROWS) {
            let last = if first + ROWS < count { first + ROWS } else { count };
            solve_legs::<C>(job, part, tile, legs, first, last, found);
        }
        refine(job, part, legs, accounts, steepest, fallback, found);
    }
}

/// Judges accounts in turn, and gives each leg its share of the surplus, by its value.
#[inline(never)]
fn judge_all(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    legs: &mut LegMemory,
    accounts: &[&Account],
    found: &mut AccountVerdicts,
) {
    let mut reader = AccountReader::new(job, part);
    let mut first = 0;
    for account in accounts {
        let last = first + account.legs.len();
        let wallet = job.book.wallet_balance[account.code as usize];
        let verdict = match account.pooled {
            Some(place) => {
                let valued =
                    ValuedLegs { amounts: &mut legs.amounts, released: &mut legs.released, status: &mut legs.status };
                let verdict = reader.judge(&job.layout.pooled.accounts[place], &valued, first).1;
                for leg in &reader.legs {
                    let place = legs.rows[first..last].iter().position(|&row| row as usize == leg.row);
                    place.into_iter().for_each(|place| legs.status[first + place] = leg.status);
                }
                verdict
            }
            None => {
                let mut sums = Sums::default();
                legs.amounts[first..last].iter().for_each(|leg| sums.add(leg));
                judge_wallet(wallet, job.book.status_of_account(account.code as usize), &sums, part.policy)
            }
        };
        share_surplus(legs, first..last, wallet, &verdict);
        found.verdicts.push(verdict);
        first = last;
    }
}

/// Hands the guarded surplus of an account out to its legs; what is missing of a liquidatable one, likewise.
fn share_surplus(legs: &mut LegMemory, of: std::ops::Range<usize>, wallet: f64, verdict: &Verdict) {
    let magnitude = legs.magnitude[of.clone()].iter().fold(wallet.abs(), |sum, each| sum + each);
    let value: f64 = legs.value[of.clone()].iter().fold(0.0, |sum, each| sum + each);
    let sign = Judgement::of(verdict.state).sign();
    let handed_out = sign * (verdict.surplus * sign - GUARD * magnitude);
    // The guard swallows it: no share, and the zero of each leg is the mark.
    let handed_out = if handed_out * sign > 0.0 { handed_out } else { f64::NAN };
    for leg in of {
        legs.share[leg] = handed_out * (legs.value[leg] / value);
    }
}

/// Prices at which legs have used up their shares.
#[inline(always)]
fn solve_legs<C: Compare>(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    tile: &mut Tile,
    legs: &LegMemory,
    first: usize,
    last: usize,
    found: &mut AccountVerdicts,
) {
    let place = Place::Scattered(&legs.rows[first..last]);
    place.load(job.book.instrument, &mut tile.instrument);
    place.load(job.book.quantity, &mut tile.quantity);
    if let Some(column) = job.book.risk_limit {
        place.load(column, &mut tile.risk_limit);
    }
    spread_instruments(tile, &part.instruments);
    let (mut share, mut released) = ([0.0; ROWS], [0.0; ROWS]);
    share[..last - first].copy_from_slice(&legs.share[first..last]);
    released[..last - first].copy_from_slice(&legs.released[first..last]);
    kernel::need_of_legs(tile, &share, &released);
    prices::find_prices::<C>(tile, part.policy, &part.instruments, part.policy.rules.requirement_cross, true);
    prices::bound_prices(tile);
    for slot in 0..last - first {
        // A share of NaN has no zero; the sign of what is handed out says which side of the verdict the account is on.
        let judgement = if share[slot].is_nan() {
            Judgement::Unknown
        } else if share[slot] < 0.0 {
            Judgement::Liquidatable
        } else {
            Judgement::Safe
        };
        found.bounds.push(bounds_of_zeros(tile, slot, &part.instruments, judgement));
    }
}

/// Bounds that no closed form gives: of legs that have none, of accounts that are not known, of those whose legs are charged together.
#[inline(never)]
fn refine(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    legs: &LegMemory,
    accounts: &[&Account],
    steepest: &[[f64; 2]],
    fallback: bool,
    found: &mut AccountVerdicts,
) {
    let mut first = 0;
    for (account, verdict) in accounts.iter().zip(&found.verdicts) {
        let last = first + account.legs.len();
        let failed = |status: u8| status >= FIRST_FAILURE && !is_of_price(status);
        let known = matches!(verdict.status, AccountStatus::Ok | AccountStatus::Incomplete);
        let hopeless = !known || legs.status[first..last].iter().any(|&status| failed(status));
        for leg in first..last {
            let row = legs.rows[leg] as usize;
            let marked = &part.instruments.list[job.book.instrument[row] as usize];
            if hopeless || legs.status[leg] == Status::Flat as u8 {
                found.bounds[leg] = Bounds::NONE;
            } else if Judgement::of(verdict.state) == Judgement::Unknown
                || !is_ordinary(legs.value[leg])
                || !is_ordinary(legs.magnitude[leg])
            {
                found.bounds[leg] = Bounds::at(marked.mark);
            } else if fallback || account.pooled.is_some() {
                let contract = &marked.instrument.contract;
                let short = usize::from(job.book.quantity[row] < 0.0);
                let slope = 1.0 + steepest[job.book.instrument[row] as usize][short];
                let size = legs.value[leg] / marked.coordinate;
                let reach = legs.share[leg].abs() / (size * slope);
                let own = marked.instrument.table(job.book.quantity[row]).cap_of_value();
                let mut bounds = Bounds::within(marked.mark, marked.coordinate, reach, contract.is_inverse());
                bounds.keep_within_tiers(marked.mark, own / legs.value[leg], contract.is_inverse());
                found.bounds[leg] = bounds;
            }
        }
        first = last;
    }
}
