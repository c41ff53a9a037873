//! Reading accounts whose parts move together into a [`Pool`], account by account.

use crate::accounts::cross::ValuedLegs;
use crate::accounts::hedge;
use crate::accounts::holding::Holding;
use crate::accounts::leg::Leg;
use crate::accounts::numbering::Numbering;
use crate::accounts::pool::Pool;
use crate::accounts::verdict::{Totals, Verdict, judge};
use crate::book::pooled_accounts::PooledAccount;
use crate::codes::status::{AccountStatus, FIRST_FAILURE, Status};
use crate::formulas::{exposure, margin};
use crate::job::context::{Job, PolicyPart};
use crate::rules::collateral::Asset;
use crate::rules::curve::{Curve, InitialCurve};
use crate::rules::parameters::{Basis, HedgeRule};
use crate::rules::policy::Instrument;
use crate::rules::table::Lookup;

/// What is known of a leg besides its amounts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LegRow {
    pub row: usize,
    /// Code of its instrument.
    pub instrument: usize,
    pub status: u8,
    /// Whether it is one of the pool's legs; flat ones without funding are not.
    pub pooled: bool,
    /// Whether it takes part in any move: flat legs do not.
    pub moves: bool,
    /// Number of its mover in the account.
    pub mover: usize,
}

/// What is known of a balance besides its holding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BalanceRow {
    pub row: usize,
    pub status: u8,
    pub holding: usize,
}

/// Reads accounts into pools, one after the other; the memory is used again.
pub(crate) struct AccountReader<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    pub pool: Pool<'a>,
    pub legs: Vec<LegRow>,
    pub balances: Vec<BalanceRow>,
    /// Mover of each holding; wallets have none.
    pub mover_of_holding: Vec<usize>,
    pub movers: Numbering,
    groups: Numbering,
    holdings: Numbering,
    instruments: Numbering,
    /// Long and short legs of each instrument.
    sides: Vec<[u32; 2]>,
    pub has_balances: bool,
    /// Place of the leg that the accounts are read without.
    left_out: Option<usize>,
}

/// No mover.
pub(crate) const STILL: usize = usize::MAX;

impl<'a> AccountReader<'a> {
    pub(crate) fn new(job: &'a Job<'a>, part: &'a PolicyPart<'a>) -> Self {
        Self {
            job,
            part,
            pool: Pool::default(),
            legs: Vec::new(),
            balances: Vec::new(),
            mover_of_holding: Vec::new(),
            movers: Numbering::default(),
            groups: Numbering::default(),
            holdings: Numbering::default(),
            instruments: Numbering::default(),
            sides: Vec::new(),
            has_balances: false,
            left_out: None,
        }
    }

    /// Reads the next accounts without the leg at this place among theirs.
    pub(crate) fn leave_out(&mut self, leg: Option<usize>) {
        self.left_out = leg;
    }

    /// Row of the leg at this place among those of an account.
    pub(crate) fn row(&self, account: &PooledAccount, leg: usize) -> usize {
        self.job.layout.pooled.rows[account.legs.clone()][leg] as usize
    }

    /// Whether no two of these rows have exposure to one instrument.
    pub(crate) fn holds_each_once(&mut self, rows: &[u32]) -> bool {
        self.instruments.clear();
        self.count_sides(rows);
        self.sides.iter().all(|[long, short]| long + short <= 1)
    }

    /// Reads an account, whose legs lie in `valued` from `first` on, and judges it.
    #[inline(always)]
    pub(crate) fn judge(
        &mut self,
        account: &PooledAccount,
        valued: &ValuedLegs<'_>,
        first: usize,
    ) -> (Totals, Verdict) {
        let policy = self.part.policy;
        self.read(account, valued, first);
        let totals = self.pool.total(policy, self.groups.len());
        let verdict = judge(&totals, self.status(account), policy);
        (totals, verdict)
    }

    /// Reads an account, whose legs lie in `valued` from `first` on.
    fn read(&mut self, account: &PooledAccount, valued: &ValuedLegs<'_>, first: usize) {
        self.begin(account);
        let layout = self.job.layout;
        let rows = &layout.pooled.rows[account.legs.clone()];
        self.count_sides(rows);
        for (leg, &row) in rows.iter().enumerate() {
            if self.left_out != Some(leg) {
                self.read_leg(row as usize, valued, first + leg);
            }
        }
        hedge::cover(&mut self.pool.legs, self.part.policy, self.groups.len());
    }

    /// Forgets the account before, and reads the holdings of this one.
    pub(crate) fn begin(&mut self, account: &PooledAccount) {
        self.pool.clear();
        self.legs.clear();
        self.balances.clear();
        self.mover_of_holding.clear();
        for numbering in [&mut self.movers, &mut self.groups, &mut self.holdings, &mut self.instruments] {
            numbering.clear();
        }
        self.has_balances = !account.balances.is_empty();
        self.read_holdings(account);
    }

    fn read_holdings(&mut self, account: &PooledAccount) {
        let job = self.job;
        if !self.has_balances {
            let wallet = job.book.wallet_balance[account.code];
            self.pool.holdings.push(Holding::new(&self.part.wallet, 1.0, self.part.policy, wallet, 0.0));
            self.mover_of_holding.push(STILL);
            return;
        }
        let Some(balances) = &job.book.balances else { return };
        for &row in &job.layout.pooled.balances[account.balances.clone()] {
            let row = row as usize;
            let optional = |column: Option<&[f64]>| column.map_or(0.0, |column| column[row]);
            let held = balances.balance[row];
            let (liability, interest) = (optional(balances.liability), optional(balances.interest));
            let owed = liability + interest;
            let place = self.part.places_of_assets[balances.asset[row] as usize];
            let valid = held.is_finite() && owed.is_finite() && liability >= 0.0 && interest >= 0.0;
            let status = match place {
                None => Status::UnknownAsset,
                Some(place) => self.part.price_status(place),
            };
            // A second holding of one asset would be weighed by itself, and no number would point to it.
            let repeated = place.is_some_and(|place| self.holdings.knows(place));
            let status = if status == Status::Ok && (!valid || repeated) { Status::InvalidBalance } else { status };
            let holding = match place {
                Some(place) if status == Status::Ok => self.add_holding(place, held, owed),
                _ => STILL,
            };
            self.balances.push(BalanceRow { row, status: status as u8, holding });
        }
    }

    fn add_holding(&mut self, place: usize, held: f64, owed: f64) -> usize {
        let asset: &'a Asset = &self.part.policy.assets[place];
        let number = self.holdings.number(place);
        self.pool.holdings.push(Holding::new(asset, self.part.asset_prices[place], self.part.policy, held, owed));
        self.mover_of_holding.push(self.part.policy.mover_of_asset[place] as usize);
        number
    }

    /// Counts the legs of each instrument by side; rows without a quantity are none.
    fn count_sides(&mut self, rows: &[u32]) {
        self.sides.clear();
        for (leg, &row) in rows.iter().enumerate() {
            if self.left_out == Some(leg) {
                continue;
            }
            let number = self.instruments.number(self.job.book.instrument[row as usize] as usize);
            if number == self.sides.len() {
                self.sides.push([0, 0]);
            }
            let quantity = self.job.book.quantity[row as usize];
            self.sides[number][0] += u32::from(quantity > 0.0);
            self.sides[number][1] += u32::from(quantity < 0.0);
        }
    }

    fn is_duplicate(&mut self, row: usize) -> bool {
        let number = self.instruments.number(self.job.book.instrument[row] as usize);
        let [long, short] = self.sides[number];
        let quantity = self.job.book.quantity[row];
        if !self.job.layout.pooled.hedge {
            return quantity != 0.0 && long + short > 1;
        }
        quantity > 0.0 && long > 1 || quantity < 0.0 && short > 1
    }

    fn read_leg(&mut self, row: usize, valued: &ValuedLegs<'_>, leg: usize) {
        let (book, part) = (self.job.book, self.part);
        let mut status = valued.status[leg];
        let [profit, requirement, initial_margin, maintenance_margin] = valued.amounts[leg];
        if status < FIRST_FAILURE && self.is_duplicate(row) {
            status = Status::DuplicateLeg as u8;
        }
        let code = book.instrument[row] as usize;
        let marked = &part.instruments.list[code];
        let flat = status == Status::Flat as u8;
        let mut known = LegRow { row, instrument: code, status, pooled: false, moves: false, mover: STILL };
        if status >= FIRST_FAILURE || flat && profit == 0.0 {
            self.legs.push(known);
            return;
        }
        let holding = match self.settle_in(marked.instrument.settlement) {
            Ok(holding) => holding,
            Err(failure) => {
                known.status = failure as u8;
                self.legs.push(known);
                return;
            }
        };
        let quantity = book.quantity[row];
        let optional = |column: Option<&[f64]>| column.map_or(f64::NAN, |column| column[row]);
        let (risk_limit, leverage) = (optional(book.risk_limit), optional(book.leverage));
        let contract = &marked.instrument.contract;
        let size = exposure::size(quantity, contract.contract_size);
        let lookup = Lookup { quantity, risk_limit, size };
        let value = if flat { 0.0 } else { exposure::value(size, marked.coordinate) };
        let own = marked.instrument.mover as usize;
        let mover = if self.has_balances { own } else { code };
        let mover = if flat { STILL } else { self.movers.number(mover) };
        (known.pooled, known.moves, known.mover) = (true, !flat, mover);
        let by_side = part.policy.rules.grouping() == HedgeRule::LargerSide;
        // The instrument of a flat leg may be unknown; it asks for nothing, in a group of its own.
        let key = if by_side { own } else { code };
        let group = self.groups.number(if flat { 0 } else { key + 1 });
        self.legs.push(known);
        let direction = exposure::direction(quantity, contract.long_direction());
        let entry_value = if flat { 0.0 } else { exposure::value(size, contract.coordinate(book.entry_price[row])) };
        let required_on = match part.policy.rules.requirement_cross {
            Basis::Entry => entry_value,
            Basis::Bankruptcy if !flat => margin::bankruptcy_value_of_leverage(entry_value, direction, leverage),
            Basis::Price | Basis::Mark | Basis::Bankruptcy => value,
        };
        self.pool.legs.push(Leg {
            known: self.legs.len() - 1,
            is_long: quantity > 0.0,
            direction,
            size,
            value,
            entry_value,
            required_on,
            profit,
            requirement,
            initial_margin,
            maintenance_margin,
            released: valued.released[leg],
            curve: Curve::new(marked.instrument.table(quantity), &part.policy.tables, &lookup),
            initial: self.initial_curve(marked.instrument, &lookup, leverage),
            holding,
            group,
            reciprocal: self.has_balances && !flat && contract.is_inverse(),
            covered: false,
            charged: 1.0,
            frozen: f64::NAN,
        });
    }

    fn initial_curve(&self, instrument: &'a Instrument, lookup: &Lookup, leverage: f64) -> InitialCurve<'a> {
        let policy = self.part.policy;
        match &instrument.initial {
            _ if !policy.rules.initial_from_table => InitialCurve::Leverage(leverage),
            Some(table) => InitialCurve::Table(Curve::new(table, &policy.initial_tables, lookup)),
            None => InitialCurve::Leverage(f64::NAN),
        }
    }

    /// Holding that a leg settles in.
    pub(crate) fn settle_in(&mut self, settlement: Option<usize>) -> Result<usize, Status> {
        if !self.has_balances {
            return Ok(0);
        }
        let place = settlement.ok_or(Status::UnknownSettlement)?;
        match self.part.price_status(place) {
            Status::Ok if self.holdings.knows(place) => Ok(self.holdings.number(place)),
            Status::Ok => Ok(self.add_holding(place, 0.0, 0.0)),
            failure => Err(failure),
        }
    }

    /// Place of a holding's asset in the policy; a wallet has none.
    pub(crate) fn place_of_holding(&self, holding: usize) -> Option<usize> {
        self.has_balances.then(|| self.holdings.key(holding))
    }

    /// Number of the holding in the asset at this place of the policy, if the account has one.
    pub(crate) fn holding_of(&self, asset: usize) -> Option<usize> {
        (self.has_balances && self.holdings.knows(asset)).then(|| self.holdings.known(asset))
    }

    /// Why the account cannot be judged, if so.
    pub(crate) fn status(&self, account: &PooledAccount) -> AccountStatus {
        if !self.has_balances {
            let status = self.job.book.status_of_account(account.code);
            if status != AccountStatus::Ok {
                return status;
            }
        }
        let failed = self.legs.iter().any(|leg| leg.status >= FIRST_FAILURE)
            || self.balances.iter().any(|balance| balance.status >= FIRST_FAILURE);
        if failed { AccountStatus::Incomplete } else { AccountStatus::Ok }
    }
}
