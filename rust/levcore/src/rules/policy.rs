//! The rules of a margin policy as resolved numbers: no names, no files, no venue.

use crate::codes::state::{Levels, effective_level};
use crate::error::{Error, Result};
use crate::formulas::contract::{Contract, Payoff};
use crate::rules::collateral::Asset;
use crate::rules::parameters::{Basis, FeeBasis, HedgeRule, Rules};
use crate::rules::table::{Factors, Scale, Table};
use crate::rules::tables::Tables;
use crate::rules::tiers::{TierKey, TierTable};

/// An instrument as a policy takes it: a contract and its tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Payoff and sizes.
    pub contract: Contract,
    /// Maintenance tiers of long positions.
    pub long: TierTable,
    /// Maintenance tiers of short positions; `None`: those of long ones.
    pub short: Option<TierTable>,
    /// Tiers of the initial margin; `None`: not known, the initial margin is then NaN where the rules take it from a table.
    pub initial: Option<TierTable>,
    /// Place of its settlement currency among the assets of the policy; `None`: none of them.
    pub settlement: Option<usize>,
    /// What moves its price: equal for everything on one underlying.
    pub mover: u32,
}

impl Terms {
    /// An instrument with one table for both sides.
    #[must_use]
    pub fn new(contract: Contract, tiers: TierTable) -> Self {
        Self { contract, long: tiers, short: None, initial: None, settlement: None, mover: 0 }
    }

    fn check(&self) -> Result<()> {
        let tables = [Some(&self.long), self.short.as_ref(), self.initial.as_ref()];
        for table in tables.into_iter().flatten() {
            if self.contract.payoff == Payoff::Quanto && table.key == TierKey::Size {
                let rule = "a rate that grows with the size in base currency has no meaning for a quanto contract";
                return Err(Error::Tier { tier: 0, rule, expected: 0.0, found: table.slope });
            }
        }
        Ok(())
    }
}

/// An instrument compiled under the rules of a policy.
#[derive(Debug, Clone)]
pub struct Instrument {
    pub(crate) contract: Contract,
    pub(crate) long: Table,
    /// Where it differs from the one of long positions.
    pub(crate) short: Option<Table>,
    pub(crate) initial: Option<Table>,
    /// Leverage and leverage times value that are harmless for positions of either side.
    pub(crate) harmless: [f64; 2],
    /// Place of the asset that it settles in.
    pub(crate) settlement: Option<usize>,
    pub(crate) mover: u32,
}

impl Instrument {
    /// An instrument without a table of its own.
    fn stand_in(tables: &Tables) -> Self {
        Self {
            contract: Contract { payoff: Payoff::Linear, contract_size: 1.0, multiplier: 1.0 },
            long: Table::of_none(tables.of_none()),
            short: None,
            initial: None,
            harmless: [f64::INFINITY; 2],
            settlement: None,
            mover: 0,
        }
    }

    /// Maintenance tiers of a position of this quantity.
    #[inline(always)]
    pub(crate) fn table(&self, quantity: f64) -> &Table {
        match &self.short {
            Some(short) if quantity < 0.0 => short,
            _ => &self.long,
        }
    }
}

/// Leverage and leverage times value that are harmless under the tables of both sides.
fn harmless_leverage(long: &Table, short: Option<&Table>) -> [f64; 2] {
    let (leverage, product) = long.harmless_leverage();
    short.map_or([leverage, product], |short| {
        let other = short.harmless_leverage();
        [leverage.min(other.0), product.min(other.1)]
    })
}

/// The closing fee of a margin mode, with the factors that follow from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fees {
    pub basis: FeeBasis,
    pub rate: f64,
    /// Whether it is an amount that does not move with the price.
    pub fixed: bool,
    /// Fee that moves with the price.
    pub price_fee: f64,
    /// Factors of a position whose requirement is frozen.
    pub frozen: Factors,
    /// Factors of the bankruptcy value.
    pub bankruptcy: Factors,
    /// Fee that the bankruptcy price leaves room for; NaN: unknown.
    pub bankruptcy_fee: f64,
}

impl Fees {
    fn new(rules: &Rules, basis: FeeBasis, trigger: f64) -> Self {
        let price_fee = if basis == FeeBasis::Price { rules.fee_rate } else { 0.0 };
        let bankruptcy_fee = match rules.fee_in_bankruptcy {
            _ if basis == FeeBasis::None => 0.0,
            Some(true) => rules.fee_rate,
            Some(false) => 0.0,
            None => f64::NAN,
        };
        Self {
            basis,
            rate: rules.fee_rate,
            fixed: basis.is_fixed(),
            price_fee,
            frozen: Factors::of(price_fee * trigger),
            bankruptcy: Factors::of(bankruptcy_fee),
            bankruptcy_fee,
        }
    }
}

/// A policy compiled for a list of instruments: immutable, shared by threads.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) rules: Rules,
    pub(crate) levels: Levels,
    /// Reciprocal of the liquidation level.
    pub(crate) trigger: f64,
    /// Level that ends a margin call.
    pub(crate) call_level: f64,
    /// Closing fees of isolated positions.
    pub(crate) isolated_fees: Fees,
    /// The same of cross positions.
    pub(crate) cross_fees: Fees,
    pub(crate) instruments: Vec<Instrument>,
    /// Whether the margin of any is no convex function of its value.
    pub(crate) any_falls: bool,
    /// What takes the place of an instrument that the policy does not know: the results of its rows are taken back.
    pub(crate) stand_in: Instrument,
    /// Marginal tables of maintenance.
    pub(crate) tables: Tables,
    /// Marginal tables of the initial margin, empty unless the rules take it from them.
    pub(crate) initial_tables: Tables,
    /// Assets of accounts with balances, and what moves the price of each.
    pub(crate) assets: Vec<Asset>,
    pub(crate) mover_of_asset: Vec<u32>,
}

impl Policy {
    /// Compiles rules and instruments.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] for a fee outside of `[0, 1)`, a level outside of `[1e-9, 1e9]`, or rates that, with the fee and scaled by the
    /// liquidation level, reach 1: no price could then restore the position. [`Error::Tier`] for a growing table of a quanto contract.
    pub fn new(rules: Rules, instruments: &[Terms]) -> Result<Self> {
        rules.check()?;
        let trigger = 1.0 / rules.liquidation_level;
        let isolated_fees = Fees::new(&rules, rules.fee_basis_isolated, trigger);
        let cross_fees = Fees::new(&rules, rules.fee_basis_cross, trigger);
        let moving = if rules.requirement_isolated == Basis::Price { isolated_fees } else { cross_fees };
        let scale = Scale { price_fee: moving.price_fee, trigger };
        let (mut tables, mut initial_tables) = (Vec::new(), Vec::new());
        let mut compiled = Vec::with_capacity(instruments.len());
        for terms in instruments {
            terms.check()?;
            let by_unit = |table: &TierTable| table.key == TierKey::UnitValue;
            if rules.hedge_rule == HedgeRule::Covered
                && (by_unit(&terms.long) || terms.short.as_ref().is_some_and(by_unit))
            {
                let expected =
                    "another rule for tables a unit: what covered legs leave uncovered is a share of a value";
                let found = f64::from(rules.hedge_rule as u8);
                return Err(Error::Domain { argument: "hedge_requirement", expected, found });
            }
            let inverse = terms.contract.is_inverse();
            let (long_loses, short_loses) = (inverse && terms.short.is_some(), !inverse);
            let differs = terms.short.as_ref().filter(|&short| *short != terms.long);
            let initial = terms.initial.as_ref().filter(|_| rules.initial_from_table);
            let long = Table::new(&terms.long, inverse, long_loses, scale, &mut tables)?;
            let short = differs.map(|table| Table::new(table, inverse, short_loses, scale, &mut tables)).transpose()?;
            compiled.push(Instrument {
                contract: terms.contract,
                harmless: harmless_leverage(&long, short.as_ref()),
                long,
                short,
                initial: initial
                    .map(|table| Table::new(table, inverse, true, Scale::NONE, &mut initial_tables))
                    .transpose()?,
                settlement: terms.settlement,
                mover: terms.mover,
            });
        }
        let tables = Tables::new(&tables, scale)?;
        Ok(Self {
            rules,
            levels: Levels {
                warning: effective_level(rules.warning.level, rules.warning.inclusive),
                margin_call: effective_level(rules.margin_call.level, rules.margin_call.inclusive),
                liquidation: effective_level(Some(rules.liquidation_level), rules.liquidation_inclusive),
            },
            trigger,
            call_level: rules.margin_call.level.unwrap_or(rules.liquidation_level),
            isolated_fees,
            cross_fees,
            any_falls: compiled
                .iter()
                .any(|instrument| instrument.long.falls() || instrument.short.as_ref().is_some_and(Table::falls)),
            instruments: compiled,
            stand_in: Instrument::stand_in(&tables),
            tables,
            initial_tables: Tables::new(&initial_tables, Scale::NONE)?,
            assets: Vec::new(),
            mover_of_asset: Vec::new(),
        })
    }

    /// The policy with assets for accounts that hold balances, each with what moves its price.
    ///
    /// # Errors
    ///
    /// [`Error::Code`] for an instrument that settles in none of them. [`Error::Domain`] for one whose value in the account's currency
    /// no line gives: an inverse contract that does not move with its settlement currency, another one that does.
    pub fn with_assets(mut self, assets: Vec<(Asset, u32)>) -> Result<Self> {
        (self.assets, self.mover_of_asset) = assets.into_iter().unzip();
        for (place, instrument) in self.instruments.iter().enumerate() {
            let Some(settlement) = instrument.settlement else { continue };
            let Some(&mover) = self.mover_of_asset.get(settlement) else {
                let limit = self.assets.len();
                return Err(Error::Code {
                    argument: "settlement",
                    row: place,
                    found: i64::try_from(settlement).unwrap_or(i64::MAX),
                    limit,
                });
            };
            if (mover == instrument.mover) != instrument.contract.is_inverse() {
                return Err(Error::Domain {
                    argument: "underlying",
                    expected: "that of the settlement currency for an inverse contract, another one for others",
                    found: f64::from(instrument.mover),
                });
            }
        }
        Ok(self)
    }

    /// Whether the requirement of cross positions moves with their price.
    pub(crate) fn moves_in_cross(&self) -> bool {
        self.rules.requirement_cross == Basis::Price
    }

    /// Number of instruments.
    #[must_use]
    pub fn instrument_count(&self) -> usize {
        self.instruments.len()
    }

    /// Number of assets.
    #[must_use]
    pub fn asset_count(&self) -> usize {
        self.assets.len()
    }

    /// Closing fees of a margin mode.
    #[inline(always)]
    pub(crate) fn fees(&self, cross: bool) -> &Fees {
        if cross { &self.cross_fees } else { &self.isolated_fees }
    }
}
