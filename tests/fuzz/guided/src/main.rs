//! `fuzz-guided`: bad input that is guided by what it reaches. libFuzzer makes the choices from which a reader's input is
//! drawn, and keeps those that reached something new. The reader is named by the environment variable `SPEAN_FUZZ_READER`;
//! what is behind the program's name is for libFuzzer.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use spean_fuzz::Target;
use spean_fuzz::targets::ALL;

static READER: LazyLock<Target> = LazyLock::new(|| {
    let wanted = std::env::var("SPEAN_FUZZ_READER").unwrap_or_default();
    let found = ALL.iter().find(|target| target.name == wanted);
    *found.unwrap_or_else(|| panic!("SPEAN_FUZZ_READER names no reader: {wanted}"))
});

fuzz_target!(|choices: &[u8]| {
    if let Err(why) = READER.try_choices(choices) {
        panic!("{why}");
    }
});
