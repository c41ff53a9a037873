//! Accounts whose parts move together, settled one by one: the verdict, then the prices of their movers for legs and balances.

use crate::accounts::cross::ValuedLegs;
use crate::accounts::leg::Leg;
use crate::accounts::leg_results::{LegResults, ToldAccount, ToldLeg, prices, results_of_flat, status_of_balance};
use crate::accounts::movers::{MovedAccount, MoverTile, MoverZeros, MovingLeg};
use crate::accounts::pool::Move;
use crate::accounts::reader::{AccountReader, BalanceRow, LegRow, STILL};
use crate::accounts::verdict::Verdict;
use crate::book::pooled_accounts::PooledAccount;
use crate::codes::measures::{BalanceMeasure, Measure};
use crate::codes::state::State;
use crate::codes::status::{AccountStatus, FIRST_FAILURE, Status};
use crate::formulas::ray::Zeros;
use crate::formulas::state::as_code;
use crate::job::context::{Job, PolicyPart};
use crate::job::rows::BY_ACCOUNT;
use crate::machine::instruction_set::InstructionSet;
use crate::machine::vector::{HalfLine, LANES};

/// No zero.
const NOWHERE: MoverZeros = HalfLine([f64::NAN; 4]);
/// Movers that are sooner solved one by one than side by side.
const FEW: usize = 2;

/// Settles accounts one after the other; the memory is used again.
pub(crate) struct SettleAlone<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    reader: AccountReader<'a>,
    set: InstructionSet,
    moves: Vec<Move>,
    zeros: Vec<MoverZeros>,
    tile: MoverTile<'a>,
}

impl<'a> SettleAlone<'a> {
    pub(crate) fn new(job: &'a Job<'a>, part: &'a PolicyPart<'a>, set: InstructionSet) -> Self {
        let reader = AccountReader::new(job, part);
        Self { job, part, reader, set, moves: Vec::new(), zeros: Vec::new(), tile: MoverTile::default() }
    }

    /// Evaluates an account, whose legs lie in `valued` from `first` on.
    pub(crate) fn account(&mut self, account: &PooledAccount, valued: &ValuedLegs<'_>, first: usize) {
        let policy = self.part.policy;
        let (_, verdict) = self.reader.judge(account, valued, first);
        let Verdict { measures, state, status, .. } = verdict;
        self.job.outputs.accounts.store(account.code, measures, state, status as u8);
        if verdict.status != AccountStatus::Ok {
            self.withhold();
            return;
        }
        self.reader.pool.freeze(policy);
        self.group_moves();
        self.find_zeros(&verdict);
        let mut moving = self.reader.pool.legs.iter();
        for known in &self.reader.legs {
            match known.pooled.then(|| moving.next()).flatten() {
                Some(leg) if known.moves => self.store_leg(known, leg, &verdict),
                _ => self.store_flat(known, &verdict),
            }
        }
        self.store_charged_margins();
        for balance in &self.reader.balances {
            self.store_balance(balance, &verdict);
        }
    }

    /// Finds the zeros of each mover: side by side where they are simple and bear upon the same holding, else one by one.
    fn find_zeros(&mut self, verdict: &Verdict) {
        let count = self.reader.movers.len();
        self.zeros.clear();
        self.zeros.resize(count, NOWHERE);
        let mut shared = None;
        for mover in 0..count {
            match self.reader.pool.simple_holding(&self.moves[mover]) {
                Some(holding) if *shared.get_or_insert(holding) == holding => {
                    self.line_up(mover, holding, verdict);
                    if self.tile.count == LANES {
                        self.solve_tile(verdict);
                    }
                }
                _ => self.solve(mover, verdict),
            }
        }
        self.solve_tile(verdict);
    }

    /// Puts a simple mover, whose legs settle in this holding, beside the others.
    fn line_up(&mut self, mover: usize, holding: usize, verdict: &Verdict) {
        let (pool, legs) = (&self.reader.pool, &self.moves[mover].legs);
        let moving = |&(number, _): &(usize, f64)| {
            let leg = &pool.legs[number];
            let place = leg.curve.place_of_lines().unwrap_or_default();
            MovingLeg { gain: leg.direction * leg.value, terms: leg.terms(), place }
        };
        let Verdict { surplus, equity, .. } = *verdict;
        let account = MovedAccount { surplus, equity, settlement: Some(&pool.holdings[holding]) };
        match &legs[..] {
            [one, other] => self.tile.push(mover, &account, &[moving(one), moving(other)], None),
            few => few.iter().for_each(|one| self.tile.push(mover, &account, &[moving(one)], None)),
        }
    }

    /// Finds the zeros of the movers of the tile, and empties it.
    fn solve_tile(&mut self, verdict: &Verdict) {
        if self.tile.count < FEW {
            let MoverTile { count, numbers, .. } = std::mem::take(&mut self.tile);
            numbers[..count].iter().for_each(|&mover| self.solve(mover, verdict));
            return;
        }
        self.tile.solve(self.part.policy, self.set, &mut self.zeros);
    }

    /// Finds the zeros of one mover.
    fn solve(&mut self, mover: usize, verdict: &Verdict) {
        let (pool, policy, moved) = (&mut self.reader.pool, self.part.policy, &self.moves[mover]);
        let surplus = pool.zeros_of_surplus(policy, self.set, verdict.surplus, moved, f64::INFINITY);
        let equity = pool.zeros_of_equity(policy, verdict.equity, moved);
        self.zeros[mover] = HalfLine([surplus.lower, surplus.upper, equity.lower, equity.upper]);
    }

    /// Stores the margins of legs that cover each other over those that each has alone.
    fn store_charged_margins(&self) {
        for leg in self.reader.pool.legs.iter().filter(|leg| leg.covered) {
            let row = self.reader.legs[leg.known].row;
            self.store(row, Measure::InitialMargin, leg.initial_margin);
            self.store(row, Measure::MaintenanceMargin, leg.maintenance_margin);
        }
    }

    /// What moves with each mover: its legs and balances at its own pace, and what its legs settle in, whose price stands still.
    fn group_moves(&mut self) {
        let reader = &mut self.reader;
        for &mover in &reader.mover_of_holding {
            if mover != STILL {
                reader.movers.number(mover);
            }
        }
        let count = reader.movers.len();
        if self.moves.len() < count {
            self.moves.resize_with(count, Move::default);
        }
        self.moves[..count].iter_mut().for_each(Move::clear);
        for (number, leg) in reader.pool.legs.iter().enumerate() {
            let known = &reader.legs[leg.known];
            if known.moves {
                let moved = &mut self.moves[known.mover];
                moved.legs.push((number, 1.0));
                moved.holdings.push((leg.holding, 0.0));
            }
        }
        for (number, &mover) in reader.mover_of_holding.iter().enumerate() {
            if mover != STILL {
                self.moves[reader.movers.number(mover)].holdings.push((number, 1.0));
            }
        }
        for moved in &mut self.moves[..count] {
            moved.merge_holdings();
        }
    }

    /// Stores that an account could not be judged: failed rows have no number, the others none that depends on the account.
    fn withhold(&self) {
        for known in &self.reader.legs {
            let failed = known.status >= FIRST_FAILURE;
            if failed {
                Measure::TABLE.iter().for_each(|word| self.store(known.row, word.value, f64::NAN));
            } else {
                BY_ACCOUNT.iter().for_each(|&measure| self.store(known.row, measure, f64::NAN));
            }
            let status = if failed { known.status } else { Status::AccountIncomplete as u8 };
            self.store_codes(known.row, State::Incomplete as u8, status);
        }
        self.store_charged_margins();
        for balance in &self.reader.balances {
            let failed = balance.status >= FIRST_FAILURE;
            let status = if failed { balance.status } else { Status::AccountIncomplete as u8 };
            self.job.outputs.balances.store(balance.row, [f64::NAN; BalanceMeasure::COUNT], status);
        }
    }

    fn store_leg(&self, known: &LegRow, leg: &Leg<'_>, verdict: &Verdict) {
        let (part, row) = (self.part, known.row);
        let marked = &part.instruments.list[known.instrument];
        let HalfLine([lower, upper, low, high]) = self.zeros[known.mover];
        let told = ToldLeg {
            mark: marked.mark,
            reciprocal_mark: marked.reciprocal_mark,
            cap: marked.instrument.table(self.job.book.quantity[row]).cap_of_value(),
            value: leg.value,
            charged: leg.charged,
            reciprocal: leg.reciprocal,
            in_coin: Some(!self.reader.has_balances && marked.instrument.contract.is_inverse()),
            finding: f64::from(known.status),
        };
        let account = ToldAccount {
            equity: verdict.equity,
            margin_ratio: verdict.margin_ratio,
            state: f64::from(verdict.state),
            price: self.reader.pool.holdings[leg.holding].price,
            surplus_zeros: Zeros { lower, upper },
            equity_zeros: Zeros { lower: low, upper: high },
        };
        let results = LegResults::of(&told, &account, part.policy.moves_in_cross());
        self.store_results(row, results.measures);
        self.store_codes(row, verdict.state, as_code(results.status));
    }

    /// A leg without exposure: what it is told of its account.
    fn store_flat(&self, known: &LegRow, verdict: &Verdict) {
        self.store_results(known.row, results_of_flat(verdict.equity, verdict.margin_ratio));
        self.store_codes(known.row, verdict.state, known.status);
    }

    fn store_balance(&self, balance: &BalanceRow, verdict: &Verdict) {
        let holding = &self.reader.pool.holdings[balance.holding];
        let mover = self.reader.movers.known(self.reader.mover_of_holding[balance.holding]);
        let HalfLine([lower, upper, ..]) = self.zeros[mover];
        let prices = prices(Zeros { lower, upper }, holding.price, None);
        let status = status_of_balance(f64::from(verdict.state), prices);
        self.job.outputs.balances.store(balance.row, holding.results(prices), status);
    }

    fn store_results(&self, row: usize, results: [f64; BY_ACCOUNT.len()]) {
        for (measure, result) in BY_ACCOUNT.into_iter().zip(results) {
            self.store(row, measure, result);
        }
    }

    fn store(&self, row: usize, measure: Measure, result: f64) {
        if let Some(column) = self.job.outputs.columns.get(measure as usize) {
            column.write_consecutive(row, &[result]);
        }
    }

    fn store_codes(&self, row: usize, state: u8, status: u8) {
        self.job.outputs.state.write_consecutive(row, &[state]);
        self.job.outputs.status.write_consecutive(row, &[status]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::columns::Book;
    use crate::book::keys::{Codes, Keys};
    use crate::book::layout::Layout;
    use crate::codes::measures::{AccountMeasure, ByMeasure};
    use crate::formulas::contract::{Contract, Payoff};
    use crate::job::context::PolicyAtMarks;
    use crate::job::outputs::{AccountOutputs, BalanceOutputs, Outputs};
    use crate::rules::parameters::Rules;
    use crate::rules::policy::{Policy, Terms};
    use crate::rules::tiers::TierTable;

    /// What is stored of one account with 2 long and 1 short of one instrument, both opened at the mark of 128, at a rate of 1/64.
    struct Settled {
        rows: [[f64; 2]; Measure::COUNT],
        account: [f64; AccountMeasure::COUNT],
        state: [u8; 3],
        status: [u8; 3],
    }

    /// Settles the account with this wallet; the second leg may come as failed from the first pass.
    fn settled(wallet: f64, failure: Option<Status>) -> Settled {
        let contract = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
        let terms = Terms::new(contract, TierTable::single_rate(1.0 / 64.0).unwrap());
        let policy = Policy::new(Rules::plain(), &[terms]).unwrap();
        let wallets = [wallet];
        let book = Book {
            instrument: &[0, 0],
            quantity: &[2.0, -1.0],
            entry_price: &[128.0, 128.0],
            isolated_margin: None,
            leverage: None,
            accrued_funding: None,
            risk_limit: None,
            wallet_balance: &wallets,
            account_status: None,
            balances: None,
        };
        let account = Codes { of_row: &[0, 0], labels: 1 };
        let keys = Keys { cross: Some(&[true, true]), account, hedge: true, ..Keys::isolated(&[0, 0], 1) };
        let layout = Layout::new(&keys).unwrap();
        let policies = [PolicyAtMarks {
            policy: &policy,
            places: &[Some(0)],
            marks: &[128.0],
            places_of_assets: &[],
            asset_prices: &[],
        }];
        let mut found = Settled {
            rows: [[77.0; 2]; Measure::COUNT],
            account: [77.0; AccountMeasure::COUNT],
            state: [77; 3],
            status: [77; 3],
        };
        let mut rows = found.rows.iter_mut().map(|column| &mut column[..]);
        let mut measures = found.account.iter_mut().map(std::slice::from_mut);
        let (state, account_state) = found.state.split_at_mut(2);
        let (status, account_status) = found.status.split_at_mut(2);
        let of_account = std::array::from_fn(|_| measures.next().unwrap());
        let accounts = AccountOutputs::new(of_account, account_state, account_status);
        let columns = ByMeasure::from_fn(|_| rows.next());
        let outputs = Outputs::new(columns, state, status, accounts, BalanceOutputs::none());
        let job = Job::new(&book, &layout, &policies, &outputs).unwrap();
        // The first pass: profit, requirement, initial and maintenance margin; the requirement moves, so all of it is given back.
        let mut amounts = [[0.0, 4.0, f64::NAN, 4.0], [0.0, 2.0, f64::NAN, 2.0]];
        let (mut released, mut codes) = ([4.0, 2.0], [Status::Ok as u8, failure.unwrap_or(Status::Ok) as u8]);
        let valued = ValuedLegs { amounts: &mut amounts, released: &mut released, status: &mut codes };
        SettleAlone::new(&job, &job.parts[0], InstructionSet::Baseline).account(&layout.pooled.accounts[0], &valued, 0);
        found
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-14 * expected.abs(), "{found}, by hand {expected}");
    }

    #[test]
    fn a_hedged_account_by_hand() {
        let Settled { rows, account, state, status } = settled(50.0, None);
        let of_account = |measure: AccountMeasure| account[measure as usize];
        assert_eq!((of_account(AccountMeasure::Equity), of_account(AccountMeasure::MaintenanceMargin)), (50.0, 6.0));
        assert_eq!((of_account(AccountMeasure::MarginRatio), of_account(AccountMeasure::Surplus)), (0.12, 44.0));
        assert!(of_account(AccountMeasure::InitialMargin).is_nan() && of_account(AccountMeasure::FreeMargin).is_nan());
        // 50 + 128 (s - 1) = 6 s at s = 39/61, below the mark: of the long leg the loss, of the short one it would be a gain.
        for leg in [0, 1] {
            let of_row = |measure: Measure| rows[measure as usize][leg];
            assert_close(of_row(Measure::LiquidationPrice), 128.0 * 39.0 / 61.0);
            assert_close(of_row(Measure::LiquidationPriceLower), 128.0 * 39.0 / 61.0);
            assert!(of_row(Measure::LiquidationPriceUpper).is_nan());
            // 50 + 128 (s - 1) = 0 at the price 78.
            assert_close(of_row(Measure::BankruptcyPrice), 78.0);
            assert_close(of_row(Measure::DistanceToLiquidation), 22.0 / 61.0);
            assert_eq!(of_row(Measure::Equity), 50.0);
        }
        assert_eq!(rows[Measure::EffectiveLeverage as usize], [256.0 / 50.0, 128.0 / 50.0]);
        // The first pass has stored what does not depend on the account; settling leaves it.
        assert_eq!(rows[Measure::Notional as usize], [77.0, 77.0]);
        assert_eq!((state, status), ([State::Healthy as u8; 3], [Status::Ok as u8; 3]));
    }

    #[test]
    fn an_account_past_its_level_says_so_on_every_leg() {
        // 6 of requirement against 6 of equity.
        let Settled { state, status, .. } = settled(6.0, None);
        assert_eq!(state, [State::Liquidation as u8; 3]);
        assert_eq!(status[..2], [Status::AlreadyLiquidatable as u8; 2]);
    }

    #[test]
    fn a_failed_leg_leaves_no_number_that_depends_on_the_account() {
        let Settled { rows, account, state, status } = settled(50.0, Some(Status::InvalidEntryPrice));
        assert!(account.iter().all(|measure| measure.is_nan()));
        assert_eq!(state, [State::Incomplete as u8; 3]);
        let incomplete = AccountStatus::Incomplete as u8;
        assert_eq!(status, [Status::AccountIncomplete as u8, Status::InvalidEntryPrice as u8, incomplete]);
        assert!(rows[Measure::LiquidationPrice as usize].iter().all(|price| price.is_nan()));
        // The failed leg has no number at all, the other one what it has alone.
        assert_eq!(rows[Measure::Notional as usize][0], 77.0);
        assert!(rows[Measure::Notional as usize][1].is_nan());
    }

    #[test]
    fn an_account_without_a_wallet_is_not_judged() {
        let Settled { account, status, .. } = settled(f64::NAN, None);
        assert!(account.iter().all(|measure| measure.is_nan()));
        assert_eq!(status[2], AccountStatus::MissingWalletBalance as u8);
    }
}
