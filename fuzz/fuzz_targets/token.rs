#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gecko_mqtt::fuzz::token(data));
