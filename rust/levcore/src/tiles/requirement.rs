//! What positions must hold: initial margin, maintenance margin, requirement, each by the table of its instrument.

use crate::codes::measures::Measure;
use crate::formulas::margin;
use crate::machine::vector::{LANES, Vector};
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::policy::Policy;
use crate::tiles::found::Found;
use crate::tiles::marked::MarkedInstruments;
use crate::tiles::shape::Shape;
use crate::tiles::tile::Tile;

/// Values that both margins are taken on.
#[inline(always)]
pub(crate) fn take_values<V: Vector>(tile: &mut Tile<V>, shape: Shape) {
    tile.opened_on = if shape.initial_at_entry { tile.entry_value } else { tile.value };
    tile.required_on = match shape.basis {
        Basis::Entry => tile.entry_value,
        Basis::Bankruptcy => tile.bankruptcy_value,
        Basis::Price | Basis::Mark => tile.value,
    };
}

/// Initial margin, maintenance margin and requirement, by the lines found.
#[inline(always)]
pub(crate) fn require_margin<V: Vector>(
    tile: &mut Tile<V>,
    policy: &Policy,
    instruments: &MarkedInstruments<'_>,
    entries: &[u32; LANES],
    found: &Found<V>,
    shape: Shape,
) {
    let fees = policy.fees(shape.cross);
    tile.results[Measure::InitialMargin] = initial_margin(tile, policy, instruments, entries, found, shape);
    let [rate, deduction] = found.maintenance;
    tile.maintenance = margin::maintenance_line(tile.required_on, rate, deduction);
    if shape.selected.growing {
        let selection = instruments.selections.of_rows(entries);
        tile.maintenance = selection.margin(tile, tile.required_on, tile.maintenance);
    }
    tile.requirement = tile.maintenance;
    if shape.has_fixed_fee() {
        tile.requirement = tile.requirement + tile.fixed_fee;
    } else if shape.fee_basis == FeeBasis::Price {
        tile.requirement = tile.requirement + V::all(fees.rate) * tile.value;
    }
    tile.results[Measure::MaintenanceMargin] =
        if shape.fee_in_maintenance { tile.requirement } else { tile.maintenance };
}

/// Initial margin: value over leverage, or by the line found; NaN where there is none. With the closing fee where that is part of it.
#[inline(always)]
fn initial_margin<V: Vector>(
    tile: &Tile<V>,
    policy: &Policy,
    instruments: &MarkedInstruments<'_>,
    entries: &[u32; LANES],
    found: &Found<V>,
    shape: Shape,
) -> V {
    let mut opening = if shape.initial_from_table {
        let [rate, deduction] = found.initial;
        margin::maintenance_line(tile.opened_on, rate, deduction)
    } else {
        margin::initial_margin(tile.opened_on, tile.leverage)
    };
    if shape.initially_selected.growing {
        opening = instruments.initial_selections.of_rows(entries).margin(tile, tile.opened_on, opening);
    }
    if shape.fee_in_initial && shape.reserve_at_bankruptcy {
        let rate = V::all(policy.fees(shape.cross).rate);
        return opening + margin::reserved_fee(tile.entry_value, tile.direction, tile.leverage, rate);
    }
    if shape.has_fixed_fee() && shape.fee_in_initial { opening + tile.fixed_fee } else { opening }
}
