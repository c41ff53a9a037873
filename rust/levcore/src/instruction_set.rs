//! Choice of the processor's instruction set at run time. All of them give the same bits.

use crate::error::{Error, Result};
#[cfg(target_arch = "x86_64")]
use crate::vector::{Avx2, Avx512};
use crate::vector::{Baseline, Compare};

/// Something that is compiled for every instruction set.
pub(crate) trait Work {
    /// What it results in.
    type Output;

    /// Does it. Inline all of it, and have no closures in it: a function of its own is compiled without the instruction set of its caller.
    fn run<C: Compare>(self) -> Self::Output;
}

/// An instruction set that the kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// What every processor of the target has (SSE2 on x86-64).
    Baseline,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

impl InstructionSet {
    /// All names, best last.
    pub const NAMES: [(Self, &'static str); 3] =
        [(Self::Baseline, "baseline"), (Self::Avx2, "avx2"), (Self::Avx512, "avx512")];

    /// Whether this processor has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("popcnt")
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Names that this processor can run.
    #[must_use]
    pub fn available() -> Vec<&'static str> {
        Self::NAMES.iter().filter(|(set, _)| set.is_available()).map(|(_, name)| *name).collect()
    }

    /// The set with this name.
    ///
    /// # Errors
    ///
    /// [`Error::InstructionSet`] if there is none of that name or the processor lacks it.
    pub fn named(name: &str) -> Result<Self> {
        Self::NAMES
            .iter()
            .find(|(set, known)| *known == name && set.is_available())
            .map(|(set, _)| *set)
            .ok_or_else(|| Error::InstructionSet { available: Self::available().join(", "), found: name.to_owned() })
    }

    /// The one that `LEVCORE_INSTRUCTION_SET` forces, else the best that the processor has.
    ///
    /// # Errors
    ///
    /// As [`InstructionSet::named`].
    pub fn from_environment() -> Result<Self> {
        match std::env::var("LEVCORE_INSTRUCTION_SET") {
            Ok(name) => Self::named(name.trim()),
            Err(_) => Self::named(Self::available().last().copied().unwrap_or("baseline")),
        }
    }

    /// Does a piece of work with this instruction set, or the best one below it that the processor has.
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "calls functions compiled for features that the processor was seen to have")]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        #[target_feature(enable = "avx2,popcnt")]
        fn with_avx2<W: Work>(work: W) -> W::Output {
            work.run::<Avx2>()
        }
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,popcnt")]
        fn with_avx512<W: Work>(work: W) -> W::Output {
            work.run::<Avx512>()
        }
        if self == Self::Avx512 && self.is_available() {
            // SAFETY: the processor has the features that the function is compiled for, checked on the line above.
            unsafe { with_avx512(work) }
        } else if self != Self::Baseline && Self::Avx2.is_available() {
            // SAFETY: as above.
            unsafe { with_avx2(work) }
        } else {
            work.run::<Baseline>()
        }
    }

    /// Does a piece of work with what every processor of the target has.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        work.run::<Baseline>()
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}
