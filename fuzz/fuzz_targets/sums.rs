//! libFuzzer's way into [`levcore_fuzz::sums`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| levcore_fuzz::sums(bytes));
