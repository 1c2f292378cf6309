//! Keeps a device connected to AWS IoT Core over MQTT 5.
//!
//! The product is the C library (`include/gecko_mqtt.h`); this crate is its core and its boundary.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod error;
#[allow(dead_code, unused_imports)] // Until the driver opens links.
mod link;
mod secret;
mod sys;

pub use error::{Error, ErrorKind, Result};
pub use secret::Secret;
