//! Columns of labels as codes: equal labels get equal codes, in the order of their first row.

mod code_points;
mod index;
mod integers;
mod numbering;
mod parts;
mod texts;

pub use code_points::number_code_points;
pub use integers::number_integers;
pub use numbering::{Numbered, Numbering};
pub use parts::number_rows;
