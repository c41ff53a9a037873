//! Cross accounts with one wallet each: legs valued in many scenarios side by side, summed in the order of rows, judged.

use std::ops::Range;

use crate::accounts::cross::{ValuePass, ValuedLegs};
use crate::accounts::verdict::Amounts;
use crate::codes::status::{AccountStatus, FIRST_FAILURE, Status};
use crate::formulas::contract;
use crate::job::context::{Job, PolicyPart};
use crate::machine::instruction_set::Work;
use crate::machine::vector::Vector;
use crate::rules::curve::Curve;
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::policy::Policy;
use crate::rules::table::{Lookup, Table};
use crate::rules::tables::ROWS;
use crate::stress::evaluated::{Evaluated, LegPass};
use crate::stress::judged::{Account, OfGroup, Verdict, Worst};
use crate::stress::legs::{
    LANES, Lanes, Leg, LegSums, SCENARIOS_OF_A_STRIP, Tier, add_leg, frozen_margin, margin_between,
};
use crate::tiles::pass::{Stage, go_over_rows};

/// Coordinates of every instrument under every policy: by group of scenarios, then by pair; the last of the scenarios fill a group.
pub(crate) struct Coordinates {
    pub groups: Vec<Vec<Lanes>>,
    /// Lowest and highest of each pair.
    pub range: Vec<(f64, f64)>,
}

/// What becomes of some accounts.
pub(crate) struct Found {
    pub groups: Vec<OfGroup>,
    pub worst: Vec<Worst>,
}

/// Accounts of one policy, in all scenarios.
pub(crate) struct AccountsWork<'w, 'j, 'p> {
    pub job: &'w Job<'j>,
    pub part: &'w PolicyPart<'p>,
    pub policy: usize,
    pub accounts: Range<usize>,
    /// Counted by account.
    pub rows_of_legs: &'w [u32],
    pub coordinates: &'w Coordinates,
    /// By pair of policy and instrument.
    pub currencies: &'w [usize],
    /// By code of the account; negative: none.
    pub of_account: &'w [i64],
    pub currency_count: usize,
    pub count: usize,
    pub stage: &'w mut Stage,
}

impl Work for AccountsWork<'_, '_, '_> {
    type Output = Found;

    #[inline(always)]
    fn run<V: Vector>(self) -> Found {
        let mut prepared = Prepared { legs: Vec::new(), tiers: Vec::new(), accounts: Vec::new() };
        let mut rows = Vec::new();
        list_accounts(&self, &mut prepared.accounts, &mut rows);
        let Self { job, part, policy, coordinates, currency_count, count, stage, .. } = self;
        let pairs = Pairs { first: policy * part.instruments.list.len(), coordinates };
        for rows in rows.chunks(ROWS) {
            prepare_legs::<V>(job, part, &pairs, stage, rows, &mut prepared);
        }
        settle_accounts(&rows, job, &pairs, self.currencies, &mut prepared);
        let mut groups = vec![OfGroup::nothing(currency_count); coordinates.groups.len()];
        let mut worst: Vec<Worst> = Vec::new();
        for account in &prepared.accounts {
            worst.push(Worst { code: account.code, scenario: -1, equity: f64::INFINITY, liquidations: 0 });
        }
        for (number, lanes) in coordinates.groups.iter().enumerate() {
            let first = number * LANES;
            let used = if count - first < LANES { count - first } else { LANES };
            for (account, worst) in prepared.accounts.iter().zip(&mut worst) {
                let legs = &prepared.legs[account.legs.clone()];
                if !account.known {
                    groups[number].leave_out(legs.len());
                    continue;
                }
                let mut verdict = Verdict::new(part.policy, account);
                for strip in 0..used.div_ceil(SCENARIOS_OF_A_STRIP) {
                    let mut sums = LegSums::<V>::nothing();
                    for leg in legs {
                        add_leg(leg, &prepared.tiers, &lanes[leg.coordinates as usize].0[strip], &mut sums);
                    }
                    verdict.judge(&sums, strip, &mut groups[number]);
                }
                verdict.note(first, used, worst);
            }
        }
        for worst in &mut worst {
            worst.equity = if worst.scenario < 0 { f64::NAN } else { worst.equity };
        }
        Found { groups, worst }
    }
}

/// Legs of accounts, ready to be valued.
struct Prepared<'a> {
    legs: Vec<Leg<'a>>,
    tiers: Vec<Tier>,
    accounts: Vec<Account>,
}

/// Where the coordinates of the instruments of a policy are; those of the pair after the last are all 1.
struct Pairs<'a> {
    first: usize,
    coordinates: &'a Coordinates,
}

/// The accounts of a task, and the rows of their legs in their order.
fn list_accounts(work: &AccountsWork<'_, '_, '_>, accounts: &mut Vec<Account>, rows: &mut Vec<u32>) {
    let layout = work.job.layout;
    for account in work.accounts.clone() {
        let legs = layout.legs_of_account[account] as usize..layout.legs_of_account[account + 1] as usize;
        let first = rows.len();
        rows.extend_from_slice(&work.rows_of_legs[legs]);
        let code = layout.accounts[account];
        accounts.push(Account {
            legs: first..rows.len(),
            wallet: work.job.book.wallet_balance[code as usize],
            known: work.job.book.status_of_account(code as usize) == AccountStatus::Ok,
            code,
            currency: usize::try_from(work.of_account[code as usize]).ok(),
            value_currency: None,
        });
    }
}

/// Says of accounts what their legs do.
fn settle_accounts(rows: &[u32], job: &Job<'_>, pairs: &Pairs<'_>, currencies: &[usize], prepared: &mut Prepared<'_>) {
    let Prepared { legs, accounts, .. } = prepared;
    for account in accounts {
        for place in account.legs.clone() {
            account.known &= !legs[place].size.is_nan();
            if legs[place].size != 0.0 && account.value_currency.is_none() {
                account.value_currency =
                    Some(currencies[pairs.first + job.book.instrument[rows[place] as usize] as usize]);
            }
        }
    }
}

/// Values legs by the kernel at their lowest coordinates, and keeps what does not depend on these.
#[inline(always)]
fn prepare_legs<'p, V: Vector>(
    job: &Job<'_>,
    part: &PolicyPart<'p>,
    pairs: &Pairs<'_>,
    stage: &mut Stage,
    rows: &[u32],
    prepared: &mut Prepared<'p>,
) {
    let (mut amounts, mut released, mut status) = ([Amounts::default(); ROWS], [0.0; ROWS], [0; ROWS]);
    let mut valued = ValuedLegs { amounts: &mut amounts, released: &mut released, status: &mut status };
    let mut found = Evaluated::default();
    let mut pass = LegPass { legs: ValuePass::any(job, part, &mut valued), found: &mut found };
    go_over_rows::<V>(&mut pass, &part.instruments, job.keyed(), stage, rows);
    for slot in 0..rows.len() {
        let leg = prepare_leg(part, pairs, &found, slot, status[slot], prepared);
        prepared.legs.push(leg);
    }
}

/// A leg; its size is NaN where it fails in every scenario.
fn prepare_leg<'p>(
    part: &PolicyPart<'p>,
    pairs: &Pairs<'_>,
    tile: &Evaluated,
    slot: usize,
    status: u8,
    prepared: &mut Prepared<'p>,
) -> Leg<'p> {
    let policy: &'p Policy = part.policy;
    let fees = &policy.cross_fees;
    let idle = Leg {
        coordinates: pairs.coordinates.range.len() as u32 - 1,
        size: if status >= FIRST_FAILURE { f64::NAN } else { 0.0 },
        direction: 1.0,
        entry: 0.0,
        funding: tile.funding[slot],
        fee_rate: 0.0,
        fixed_fee: 0.0,
        margin: frozen_margin(0.0, &mut prepared.tiers),
        cap: f64::INFINITY,
    };
    // What overflows at one coordinate may not at another: the sums of each scenario say so.
    let of_scenario = status == Status::NumericOverflow as u8 && tile.entry_value[slot].is_finite();
    if status >= FIRST_FAILURE && !of_scenario || status == Status::Flat as u8 {
        return idle;
    }
    let instrument = part.instruments.list[tile.instrument[slot] as usize].instrument;
    let (quantity, size, pair) = (tile.quantity[slot], tile.size[slot], pairs.first + tile.instrument[slot] as usize);
    let (lowest, highest) = pairs.coordinates.range[pair];
    let table = instrument.table(quantity);
    let lookup = Lookup { quantity, risk_limit: tile.risk_limit[slot], size };
    let opening = instrument.initial.as_ref().map_or(f64::INFINITY, Table::cap_of_value);
    let own = table.cap_of_value();
    let cap = if opening < own { opening } else { own };
    let moves = fees.basis == FeeBasis::Price || fees.basis == FeeBasis::Mark;
    let contract = &instrument.contract;
    Leg {
        coordinates: pair as u32,
        size,
        direction: tile.direction[slot],
        entry: contract::coordinate(tile.entry_price[slot], contract.multiplier, contract.is_inverse()),
        funding: tile.funding[slot],
        fee_rate: if moves { fees.rate } else { 0.0 },
        fixed_fee: if fees.fixed && !moves { tile.fixed_fee[slot] } else { 0.0 },
        margin: match policy.rules.requirement_cross {
            Basis::Price | Basis::Mark => {
                let curve = Curve::new(table, &policy.tables, &lookup);
                margin_between(curve, size * lowest, size * highest, &mut prepared.tiers)
            }
            Basis::Entry | Basis::Bankruptcy => frozen_margin(tile.maintenance[slot], &mut prepared.tiers),
        },
        cap: if size * highest > cap { cap } else { f64::INFINITY },
    }
}
