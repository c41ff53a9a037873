//! Columns of labels as codes: equal labels get equal codes, in the order of their first row.

mod columns_of_texts;
mod index;
mod integers;
mod numbering;
mod rounds;
mod texts;

pub use columns_of_texts::{number_code_points, number_texts};
pub use integers::{number_integers, number_known_integers};
pub use numbering::{Numbered, Numbering};
pub use rounds::check_rows;
pub use texts::{AT_ONCE, Text};
