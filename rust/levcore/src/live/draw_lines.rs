//! Lines of accounts, drawn at the marks at which they have just been evaluated.

use std::ops::Range;

use crate::accounts::verdict::Verdict;
use crate::codes::status::{AccountStatus, Status};
use crate::formulas::exposure;
use crate::job::context::{Job, PolicyPart};
use crate::live::bounds::{GUARD, Judgement, is_ordinary, smaller};
use crate::live::lines::{AccountLine, LINE_GUARD, LegLine, MOST_LEGS, ROOM};
use crate::live::subjects::Account;
use crate::live::verdicts::{AccountVerdicts, LegMemory};
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::policy::Policy;
use crate::rules::table::{Kind, Table};
use crate::tiles::marked::MarkedInstrument;

/// What is not flat has a weight, however little it is worth.
const LEAST_WEIGHT: f64 = 1e-30;

/// Draws the lines of accounts and of their legs, where they have any; whether all have.
#[inline(never)]
pub(super) fn draw_lines(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    legs: &LegMemory,
    accounts: &[&Account],
    found: &mut AccountVerdicts,
) -> bool {
    let (mut first, mut all) = (0, true);
    for (account, verdict) in accounts.iter().zip(&found.verdicts) {
        let of = first..first + account.legs.len();
        first = of.end;
        let drawn = draw(job, part, legs, account, of.clone(), verdict, &mut found.lines_of_legs);
        all &= drawn.is_some();
        found.lines_of_legs.resize(of.end, LegLine::UNKNOWN);
        found.lines.push(drawn.unwrap_or(AccountLine::UNKNOWN));
    }
    all
}

/// Bounds of the legs of those accounts that have a line.
#[inline(never)]
pub(super) fn bound_by_lines(part: &PolicyPart<'_>, accounts: &[&Account], found: &mut AccountVerdicts) {
    let mut first = 0;
    for ((account, verdict), line) in accounts.iter().zip(&found.verdicts).zip(&found.lines) {
        let of = first..first + account.legs.len();
        first = of.end;
        if line.guard.is_nan() {
            continue;
        }
        let weights = found.lines_of_legs[of.clone()].iter().fold(0.0, |sum, leg| sum + f64::from(leg.weight));
        let part_of_weight = (line.sign * verdict.surplus - line.guard) / weights;
        for leg in of {
            let of_leg = &found.lines_of_legs[leg];
            let marked = &part.instruments.list[of_leg.instrument as usize];
            found.bounds[leg] = of_leg.bounds(part_of_weight * f64::from(of_leg.weight), marked, line.sign);
        }
    }
}

/// Lines of the legs of an account, and its own; none where no line gives the surplus of one of them, or where the guard swallows it.
fn draw(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    legs: &LegMemory,
    account: &Account,
    of: Range<usize>,
    verdict: &Verdict,
    drawn: &mut Vec<LegLine>,
) -> Option<AccountLine> {
    if account.pooled.is_some() || verdict.status != AccountStatus::Ok || of.len() > MOST_LEGS {
        return None;
    }
    let wallet = job.book.wallet_balance[account.code as usize];
    let guard = LINE_GUARD * legs.magnitude_of_account(of.clone(), wallet);
    let sign = Judgement::of(verdict.state).sign();
    if !(sign * verdict.surplus > guard) {
        return None;
    }
    let mut constant = verdict.surplus;
    for leg in of {
        if legs.status[leg] == Status::Flat as u8 {
            drawn.push(LegLine::FLAT);
            continue;
        }
        let row = legs.rows[leg] as usize;
        let instrument = job.book.instrument[row];
        let marked = &part.instruments.list[instrument as usize];
        if !is_ordinary(legs.value[leg]) || !is_ordinary(legs.magnitude[leg]) {
            return None;
        }
        let line = draw_leg(part.policy, marked, job.book.quantity[row], legs.value[leg], legs.rate[leg])?;
        constant -= line.slope * marked.coordinate;
        let weight = legs.weight[leg].max(LEAST_WEIGHT) as f32;
        drawn.push(LegLine { instrument, weight, ..line });
    }
    Some(AccountLine::of(constant, guard, sign))
}

/// The line of a leg of a value, whose tier has this rate; its weight and its instrument are left to the caller.
fn draw_leg(policy: &Policy, marked: &MarkedInstrument<'_>, quantity: f64, value: f64, rate: f64) -> Option<LegLine> {
    let (contract, table, fees) = (&marked.instrument.contract, marked.instrument.table(quantity), &policy.cross_fees);
    let moves = matches!(policy.rules.requirement_cross, Basis::Price | Basis::Mark);
    let fee = if matches!(fees.basis, FeeBasis::Price | FeeBasis::Mark) { fees.rate } else { 0.0 };
    let scaled = |rate: f64| (if moves { rate + fee } else { fee }) * policy.trigger;
    let tier = match table.kind {
        Kind::Marginal(place) if moves => Tier::of(policy, place, value, rate),
        Kind::Marginal(_) | Kind::Flat(..) => Tier { floor: 0.0, end: f64::INFINITY, highest_rate: rate },
        Kind::Growing(_) | Kind::Unit(_) => return None,
    };
    let size = value / marked.coordinate;
    let gains = exposure::direction(quantity, contract.long_direction()) > 0.0;
    let (slope, steep) = if gains {
        (size - scaled(rate) * size, size)
    } else {
        (-size - scaled(rate) * size, size * (1.0 + scaled(tier.highest_rate)))
    };
    let initial = marked.instrument.initial.as_ref().map_or(f64::INFINITY, Table::cap_of_value);
    let cap = smaller(table.cap_of_value(), initial);
    let room = smaller(ROOM, cap / value * (1.0 - GUARD));
    let line =
        LegLine { slope, steep: up(steep), ..along_price(marked.mark, contract.is_inverse(), value, &tier, room) };
    let whole = scaled(tier.highest_rate) < 1.0 && line.steep < f32::INFINITY && line.holds_at(marked.mark);
    whole.then_some(line)
}

/// Where the values of a tier, and that of the limit, are reached: prices, rounded towards the mark.
fn along_price(mark: f64, inverse: bool, value: f64, tier: &Tier, room: f64) -> LegLine {
    if inverse {
        let limit = up(mark / room);
        let (lower, upper) = (up(mark * (value / tier.end)), down(mark * (value / tier.floor)));
        LegLine { lower: lower.max(limit), upper, limit, ..LegLine::FLAT }
    } else {
        let limit = down(mark * room);
        let (lower, upper) = (up(mark * (tier.floor / value)), down(mark * (tier.end / value)));
        LegLine { lower, upper: upper.min(limit), limit, ..LegLine::FLAT }
    }
}

/// The values between which a rate holds, and the highest rate of those up to the limit.
struct Tier {
    floor: f64,
    end: f64,
    highest_rate: f64,
}

impl Tier {
    fn of(policy: &Policy, place: usize, value: f64, rate: f64) -> Self {
        let mut tier = Self { floor: 0.0, end: f64::INFINITY, highest_rate: rate };
        for (floor, rate) in policy.tables.floors(place).zip(policy.tables.rates(place).skip(1)) {
            if floor < value {
                tier.floor = floor;
            } else {
                tier.end = smaller(tier.end, floor);
                if floor > ROOM * value {
                    break;
                }
                tier.highest_rate = rate;
            }
        }
        tier
    }
}

/// The next single above a number.
fn up(number: f64) -> f32 {
    (number as f32).next_up()
}

/// The next single below a number.
fn down(number: f64) -> f32 {
    (number as f32).next_down()
}
