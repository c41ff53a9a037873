//! libFuzzer's way into [`levcore_fuzz::fills`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| levcore_fuzz::fills(bytes));
