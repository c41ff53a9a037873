//! What every processor of the target has.

/// Eight numbers in registers of two.
#[cfg(target_arch = "x86_64")]
pub(crate) type Baseline = crate::machine::several::Halves<crate::machine::several::Halves<crate::machine::sse2::Two>>;

/// Eight numbers one by one.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) type Baseline = crate::machine::several::OneByOne;
