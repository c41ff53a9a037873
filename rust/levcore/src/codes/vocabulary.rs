//! A closed vocabulary, written once: the values, the word of each, the unit where something is measured, and what it means.

/// One entry of a closed vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<T> {
    /// The value that it stands for.
    pub value: T,
    /// As users read and write it.
    pub name: &'static str,
    /// Unit of what it measures; empty where nothing is measured.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Makes an enum of the lines `Variant = code, "name" [in "unit"], "meaning";`, with its table and the way from a name to its value.
macro_rules! vocabulary {
    (
        $(#[$about:meta])*
        pub enum $Vocabulary:ident: $code_type:ident {
            $($Value:ident = $code:literal, $name:literal $(in $unit:literal)?, $meaning:literal;)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr($code_type)]
        pub enum $Vocabulary {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning)]
                $Value = $code,
            )+
        }

        impl $Vocabulary {
            /// How many values there are.
            pub const COUNT: usize = [$(Self::$Value),+].len();

            /// Every value with its word, in ascending order.
            pub const TABLE: [$crate::codes::vocabulary::Word<Self>; Self::COUNT] = [
                $($crate::codes::vocabulary::Word {
                    value: Self::$Value,
                    name: $name,
                    unit: concat!($($unit)?),
                    meaning: $meaning,
                },)+
            ];

            /// The value that a column of results holds as this code; `None` where it is none.
            #[must_use]
            pub const fn of_code(code: $code_type) -> Option<Self> {
                match code {
                    $($code => Some(Self::$Value),)+
                    _ => None,
                }
            }

            /// Its word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Value => $name,)+
                }
            }
        }

        impl std::str::FromStr for $Vocabulary {
            type Err = $crate::error::Error;

            /// The value with this name.
            ///
            /// # Errors
            ///
            /// [`Error::Word`]($crate::error::Error::Word) if there is none.
            fn from_str(name: &str) -> $crate::error::Result<Self> {
                let known = Self::TABLE.iter().find(|word| word.name == name);
                known.map(|word| word.value).ok_or_else(|| $crate::error::Error::Word {
                    expected: Self::TABLE.map(|word| word.name).join(", "),
                    found: name.to_owned(),
                })
            }
        }
    };
}
pub(crate) use vocabulary;
