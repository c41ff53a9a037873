//! Which operations a pass consists of: what its rules, contracts, tables and columns ask for, apart from all numbers.
//!
//! A formula asks the shape whether there is a fee, a table of its own or a column; it never asks the rules. Where the shape is a constant
//! of the pass, the compiler leaves out what is not asked for, and what is left fits the registers: the shapes that most books have are
//! such constants ([`Known`]). The formulas are the same ones, written once.

use crate::book::columns::Book;
use crate::rules::parameters::{Basis, FeeBasis, Rules};
use crate::tiles::selection::Selected;

/// What the formulas of a pass depend on besides numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Whether its positions are legs of cross accounts.
    pub cross: bool,
    /// Value that the requirement is taken at.
    pub basis: Basis,
    pub initial_at_entry: bool,
    pub return_at_mark: bool,
    pub initial_from_table: bool,
    pub fee_basis: FeeBasis,
    pub fee_in_initial: bool,
    pub reserve_at_bankruptcy: bool,
    pub fee_in_maintenance: bool,
    /// Whether any contract is inverse, so that coordinates must be chosen row by row.
    pub any_inverse: bool,
    /// Whether every contract is linear with size 1, so that the mark is the coordinate.
    pub all_plain: bool,
    /// Whether any instrument has other tiers for short positions, so that there are two entries an instrument.
    pub any_sided: bool,
    /// Whether any table states a maximum leverage.
    pub limits_leverage: bool,
    /// What tables of maintenance, and of the initial margin, are looked up by.
    pub selected: Selected,
    pub initially_selected: Selected,
    pub columns: Columns,
    /// Whether liquidation prices are wanted by side.
    pub bounds: bool,
}

/// Columns that a book may have or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    pub isolated_margin: bool,
    pub leverage: bool,
    pub accrued_funding: bool,
    pub risk_limit: bool,
}

impl Columns {
    pub(crate) fn of(book: &Book<'_>) -> Self {
        Self {
            isolated_margin: book.isolated_margin.is_some(),
            leverage: book.leverage.is_some(),
            accrued_funding: book.accrued_funding.is_some(),
            risk_limit: book.risk_limit.is_some(),
        }
    }
}

impl Shape {
    /// Linear contracts of size 1 in the currency of the account, tiers by value with a maximum leverage, no closing fee, the requirement at the
    /// price; positions with a leverage, isolated ones with a margin.
    const fn plain(cross: bool) -> Self {
        Self {
            cross,
            basis: Basis::Price,
            initial_at_entry: false,
            return_at_mark: false,
            initial_from_table: false,
            fee_basis: FeeBasis::None,
            fee_in_initial: false,
            reserve_at_bankruptcy: false,
            fee_in_maintenance: false,
            any_inverse: false,
            all_plain: true,
            any_sided: false,
            limits_leverage: true,
            selected: Selected::BY_VALUE,
            initially_selected: Selected::BY_VALUE,
            columns: Columns { isolated_margin: !cross, leverage: true, accrued_funding: false, risk_limit: false },
            bounds: false,
        }
    }

    /// The rules of a margin mode; what depends on instruments and columns as in the plain shape.
    pub(crate) fn of_rules(rules: &Rules, cross: bool) -> Self {
        let (basis, initial_at_entry, fee_basis) = if cross {
            (rules.requirement_cross, rules.initial_at_entry_cross, rules.fee_basis_cross)
        } else {
            (rules.requirement_isolated, rules.initial_at_entry_isolated, rules.fee_basis_isolated)
        };
        Self {
            basis,
            initial_at_entry,
            return_at_mark: rules.return_at_mark,
            initial_from_table: rules.initial_from_table,
            fee_basis,
            fee_in_initial: rules.fee_in_initial,
            reserve_at_bankruptcy: rules.reserve_at_bankruptcy,
            fee_in_maintenance: rules.fee_in_maintenance,
            ..Self::plain(cross)
        }
    }

    /// Whether the closing fee is an amount that does not move with the price.
    #[inline(always)]
    pub(crate) fn has_fixed_fee(self) -> bool {
        self.fee_basis.is_fixed()
    }

    /// Whether the lines that the maintenance margin is found by say how high a leverage may be: those of the value at the mark.
    #[inline(always)]
    pub(crate) fn limits_leverage_by_line(self) -> bool {
        let at_mark = matches!(self.basis, Basis::Price | Basis::Mark);
        self.limits_leverage && self.columns.leverage && at_mark && !self.selected.any
    }

    /// Whether the requirement moves with the price.
    #[inline(always)]
    pub(crate) fn moves(self) -> bool {
        matches!(self.basis, Basis::Price)
    }
}

/// What is known of a shape when a pass is compiled.
pub(crate) trait Known: Copy {
    /// Whether a pass has whole tiles of rows that follow each other, and nothing else.
    const WHOLE_TILES: bool;

    fn shape(self) -> Shape;
}

/// Whole tiles of the plain shape: all of it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlainTiles<const CROSS: bool>;

impl<const CROSS: bool> PlainTiles<CROSS> {
    const SHAPE: Shape = Shape::plain(CROSS);

    /// The known shape, if it is that of some rows. Prices by side are found where they are stored, if they are.
    pub(crate) fn of(shape: Shape) -> Option<Self> {
        (Shape { bounds: false, ..shape } == Self::SHAPE).then_some(Self)
    }
}

impl<const CROSS: bool> Known for PlainTiles<CROSS> {
    const WHOLE_TILES: bool = true;

    #[inline(always)]
    fn shape(self) -> Shape {
        Self::SHAPE
    }
}

/// Whole tiles of linear contracts of any size, whose tiers a value selects, under any rules on fees and on what margins are taken at: what
/// instruments and columns there are is known, the rules are not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearTiles<const CROSS: bool>(Shape);

impl<const CROSS: bool> LinearTiles<CROSS> {
    /// The shape with what is known put in.
    #[inline(always)]
    const fn with_known(shape: Shape) -> Shape {
        let known = Shape::plain(CROSS);
        Shape {
            cross: known.cross,
            any_inverse: known.any_inverse,
            any_sided: known.any_sided,
            initial_from_table: known.initial_from_table,
            selected: known.selected,
            initially_selected: known.initially_selected,
            columns: known.columns,
            bounds: known.bounds,
            ..shape
        }
    }

    /// What is known, if it holds for some rows.
    pub(crate) fn of(shape: Shape) -> Option<Self> {
        (Shape { bounds: false, ..shape } == Self::with_known(shape)).then_some(Self(shape))
    }
}

impl<const CROSS: bool> Known for LinearTiles<CROSS> {
    const WHOLE_TILES: bool = true;

    #[inline(always)]
    fn shape(self) -> Shape {
        Self::with_known(self.0)
    }
}

/// Nothing is known before it runs.
impl Known for Shape {
    const WHOLE_TILES: bool = false;

    #[inline(always)]
    fn shape(self) -> Shape {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns =
        Columns { isolated_margin: true, leverage: true, accrued_funding: false, risk_limit: false };

    fn is_plain(shape: Shape) -> bool {
        PlainTiles::<false>::of(shape).is_some()
    }

    fn is_linear(shape: Shape) -> bool {
        LinearTiles::<false>::of(shape).is_some()
    }

    /// Which form rows take under rules, in the order of what is known of them.
    #[test]
    fn what_is_known_of_rows_says_which_form_they_take() {
        let plain = Shape { columns: COLUMNS, ..Shape::of_rules(&Rules::plain(), false) };
        assert!(is_plain(plain) && is_linear(plain));
        // Who asks for prices by side is asked where they are stored.
        assert!(is_plain(Shape { bounds: true, ..plain }));
        for (basis, fee_basis) in [
            (Basis::Price, FeeBasis::Price),
            (Basis::Price, FeeBasis::Bankruptcy),
            (Basis::Entry, FeeBasis::None),
            (Basis::Bankruptcy, FeeBasis::EntryAndMargin),
            (Basis::Mark, FeeBasis::Contract),
        ] {
            let rules = Rules { requirement_isolated: basis, fee_basis_isolated: fee_basis, ..Rules::plain() };
            let shape = Shape { columns: COLUMNS, all_plain: false, ..Shape::of_rules(&rules, false) };
            assert!(!is_plain(shape) && is_linear(shape), "{basis:?} {fee_basis:?}");
        }
        let selected = Selected { any: true, ..Selected::BY_VALUE };
        for other in [
            Shape { any_inverse: true, ..plain },
            Shape { any_sided: true, ..plain },
            Shape { initial_from_table: true, ..plain },
            Shape { selected, ..plain },
            Shape { columns: Columns { accrued_funding: true, ..COLUMNS }, ..plain },
            Shape { columns: Columns { leverage: false, ..COLUMNS }, ..plain },
            Shape { cross: true, ..plain },
        ] {
            assert!(!is_plain(other) && !is_linear(other), "{other:?}");
        }
        let rules = Rules { requirement_cross: Basis::Mark, ..Rules::plain() };
        let columns = Columns { isolated_margin: false, ..COLUMNS };
        assert!(LinearTiles::<true>::of(Shape { columns, ..Shape::of_rules(&rules, true) }).is_some());
    }
}
