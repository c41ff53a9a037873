//! A compiled policy: numbers in, an immutable object out.

use levcore::{Asset, Basis, Contract, FeeBasis, HedgeRule, Payoff, Rules, Terms, Threshold, TierKey, TierTable};
use pyo3::prelude::*;

use crate::errors::{PolicyError, to_python};

/// Rules as `levcore.compiled.CompiledRules` holds them.
#[derive(FromPyObject)]
pub(crate) struct CompiledRules {
    requirement_isolated: u8,
    requirement_cross: u8,
    initial_at_entry_isolated: bool,
    initial_at_entry_cross: bool,
    initial_from_table: bool,
    fee_basis: u8,
    fee_rate: f64,
    fee_in_initial: bool,
    fee_in_maintenance: bool,
    fee_in_bankruptcy: Option<bool>,
    warning_level: Option<f64>,
    warning_inclusive: bool,
    margin_call_level: Option<f64>,
    margin_call_inclusive: bool,
    liquidation_level: f64,
    liquidation_inclusive: bool,
    hedge_rule: u8,
    covered_share: f64,
    liabilities_as_requirement: bool,
    margins_at_liability_weight: bool,
}

/// One tier table as `levcore.compiled.CompiledTable` holds it.
#[derive(FromPyObject)]
struct CompiledTable {
    key: u8,
    floors: Vec<f64>,
    rates: Vec<f64>,
    deductions: Vec<f64>,
    cap: f64,
    slope: f64,
}

/// One instrument as `levcore.compiled.CompiledInstrument` holds it.
#[derive(FromPyObject)]
pub(crate) struct CompiledInstrument {
    payoff: u8,
    contract_size: f64,
    multiplier: f64,
    long: CompiledTable,
    short: Option<CompiledTable>,
    initial: Option<CompiledTable>,
    settlement: Option<usize>,
    mover: u32,
}

/// One asset as `levcore.compiled.CompiledAsset` holds it.
#[derive(FromPyObject)]
pub(crate) struct CompiledAsset {
    floors: Vec<f64>,
    weights: Vec<f64>,
    by_amount: bool,
    liability_weight: f64,
    maintenance: Option<CompiledTable>,
    initial: Option<CompiledTable>,
    mover: u32,
}

/// A policy compiled for a list of instruments; immutable and shared by threads.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Policy {
    pub(crate) inner: levcore::Policy,
}

#[pymethods]
impl Policy {
    #[new]
    fn new(rules: CompiledRules, instruments: Vec<CompiledInstrument>, assets: Vec<CompiledAsset>) -> PyResult<Self> {
        let instruments = instruments.iter().map(instrument).collect::<PyResult<Vec<_>>>()?;
        let assets = assets.iter().map(asset).collect::<PyResult<Vec<_>>>()?;
        let policy = levcore::Policy::new(resolve(&rules)?, &instruments);
        let inner = policy.and_then(|policy| policy.with_assets(assets)).map_err(to_python)?;
        Ok(Self { inner })
    }
}

fn unknown_code(argument: &'static str, found: u8) -> PyErr {
    PolicyError::new_err((argument, "must be a known code", "", found.to_string()))
}

fn basis(argument: &'static str, code: u8) -> PyResult<Basis> {
    match code {
        0 => Ok(Basis::Price),
        1 => Ok(Basis::Entry),
        2 => Ok(Basis::Mark),
        _ => Err(unknown_code(argument, code)),
    }
}

fn fee_basis(code: u8) -> PyResult<FeeBasis> {
    match code {
        0 => Ok(FeeBasis::None),
        1 => Ok(FeeBasis::Price),
        2 => Ok(FeeBasis::Entry),
        3 => Ok(FeeBasis::Bankruptcy),
        _ => Err(unknown_code("closing_fee_basis", code)),
    }
}

fn hedge_rule(code: u8) -> PyResult<HedgeRule> {
    match code {
        0 => Ok(HedgeRule::Sum),
        1 => Ok(HedgeRule::LargerLeg),
        2 => Ok(HedgeRule::LargerSide),
        3 => Ok(HedgeRule::Covered),
        _ => Err(unknown_code("hedge_requirement", code)),
    }
}

fn resolve(rules: &CompiledRules) -> PyResult<Rules> {
    Ok(Rules {
        requirement_isolated: basis("requirement_basis_isolated", rules.requirement_isolated)?,
        requirement_cross: basis("requirement_basis_cross", rules.requirement_cross)?,
        initial_at_entry_isolated: rules.initial_at_entry_isolated,
        initial_at_entry_cross: rules.initial_at_entry_cross,
        initial_from_table: rules.initial_from_table,
        fee_basis: fee_basis(rules.fee_basis)?,
        fee_rate: rules.fee_rate,
        fee_in_initial: rules.fee_in_initial,
        fee_in_maintenance: rules.fee_in_maintenance,
        fee_in_bankruptcy: rules.fee_in_bankruptcy,
        warning: Threshold { level: rules.warning_level, inclusive: rules.warning_inclusive },
        margin_call: Threshold { level: rules.margin_call_level, inclusive: rules.margin_call_inclusive },
        liquidation_level: rules.liquidation_level,
        liquidation_inclusive: rules.liquidation_inclusive,
        hedge_rule: hedge_rule(rules.hedge_rule)?,
        covered_share: rules.covered_share,
        liabilities_as_requirement: rules.liabilities_as_requirement,
        margins_at_liability_weight: rules.margins_at_liability_weight,
    })
}

fn instrument(given: &CompiledInstrument) -> PyResult<Terms> {
    let payoff = match given.payoff {
        0 => Payoff::Linear,
        1 => Payoff::Inverse,
        2 => Payoff::Quanto,
        code => return Err(unknown_code("payoff", code)),
    };
    Ok(Terms {
        contract: Contract::new(payoff, given.contract_size, given.multiplier).map_err(to_python)?,
        long: table(&given.long)?,
        short: given.short.as_ref().map(table).transpose()?,
        initial: given.initial.as_ref().map(table).transpose()?,
        settlement: given.settlement,
        mover: given.mover,
    })
}

fn asset(given: &CompiledAsset) -> PyResult<(Asset, u32)> {
    let maintenance = given.maintenance.as_ref().map(table).transpose()?;
    let initial = given.initial.as_ref().map(table).transpose()?;
    let asset =
        Asset::new(&given.floors, &given.weights, given.by_amount, given.liability_weight, maintenance, initial);
    Ok((asset.map_err(to_python)?, given.mover))
}

fn table(given: &CompiledTable) -> PyResult<TierTable> {
    let key = match given.key {
        0 => TierKey::Value,
        1 => TierKey::Contracts,
        2 => TierKey::RiskLimit,
        3 if given.rates.len() == 1 => {
            return TierTable::growing(given.rates[0], given.slope, given.cap).map_err(to_python);
        }
        code => return Err(unknown_code("key", code)),
    };
    TierTable::new(key, &given.floors, &given.rates, &given.deductions, given.cap).map_err(to_python)
}
