//! The Python binding of `levcore`: borrow columns, release the interpreter, map errors; nothing else.

mod arrow_cells;
mod arrow_labels;
mod arrow_numbers;
mod arrow_pickle;
mod arrow_stream;
mod book;
mod book_policies;
mod borrowed;
mod calls;
mod closing;
mod door;
mod errors;
mod evaluation;
mod fills;
mod kept_memory;
mod labels;
mod live;
mod live_book;
mod over;
mod plain_numbers;
mod policy;
mod replay;
mod scenarios;
mod stress;
mod sums;
mod table;
mod vocabularies;
mod what_if;

use pyo3::prelude::*;

/// Compiled half of the Python package `levcore`; private, its door is `levcore.engine`.
#[pymodule]
mod _levcore {
    #[pymodule_export]
    use crate::book::Book;
    #[pymodule_export]
    use crate::book_policies::BookPolicies;
    #[pymodule_export]
    use crate::calls::{leave_one_out, measure_distances, measure_distances_without, quantities_to_close};
    #[pymodule_export]
    use crate::closing::{
        Ladder, allocate, average_impact, cascade, close_loans, closing_words, contracts_to_keep, deleverage,
        loss_parts, settle, step_quantities, to_quanta,
    };
    #[pymodule_export]
    use crate::door::panic_inside;
    #[pymodule_export]
    use crate::evaluation::Evaluation;
    #[pymodule_export]
    use crate::fills::positions_from_fills;
    #[pymodule_export]
    use crate::kept_memory::{ResultMemory, kept_memory, release_memory};
    #[pymodule_export]
    use crate::labels::{number_code_points, number_integers, number_objects};
    #[pymodule_export]
    use crate::live::TriggerIndex;
    #[pymodule_export]
    use crate::live_book::LiveBook;
    #[pymodule_export]
    use crate::over::evaluate_over;
    #[pymodule_export]
    use crate::plain_numbers::{column_of_numbers, columns_of_numbers, prices_of_names};
    #[pymodule_export]
    use crate::policy::Policy;
    #[pymodule_export]
    use crate::replay::{Replay, replay_words};
    #[pymodule_export]
    use crate::scenarios::{evaluate_scenarios, price_grid_profits, span_future_profits};
    #[pymodule_export]
    use crate::stress::{StressIndex, stress_accounts, stress_isolated};
    #[pymodule_export]
    use crate::sums::{exact_sums, exact_wholes};
    #[pymodule_export]
    use crate::table::{Table, text_to_number};
    #[pymodule_export]
    use crate::vocabularies::{
        account_measures, account_statuses, balance_measures, change_kinds, change_statuses, default_threads,
        fill_statuses, instruction_sets, measures, scenario_account_statuses, scenario_measures, scenario_row_statuses,
        states, statuses, used_instruction_set,
    };

    #[pymodule_export]
    use crate::what_if::{Members, order_margins, what_if};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
