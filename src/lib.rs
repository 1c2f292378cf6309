//! Keeps a device connected to AWS IoT Core over MQTT 5.
//!
//! The product is the C library (`include/gecko_mqtt.h`); this crate is its core and its boundary.
#![deny(unsafe_code)]
#![warn(missing_docs)]

#[doc(hidden)]
pub mod credentials;
mod error;
mod link;
mod message;
#[doc(hidden)]
pub mod packet;
mod secret;
mod sys;

pub use error::{Error, ErrorKind, Result};
pub use message::{Message, QoS};
pub use secret::Secret;
