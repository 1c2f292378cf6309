//! Keeps a device connected to AWS IoT Core over MQTT 5.
//!
//! The product is the C library (`include/gecko_mqtt.h`); this crate is its core and its boundary.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod bell;
#[doc(hidden)]
pub mod bench;
mod client;
mod completion;
#[doc(hidden)]
pub mod credentials;
mod dispatch;
mod driver;
mod error;
mod event;
#[doc(hidden)]
pub mod ffi;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod history;
mod json;
mod link;
pub mod log;
mod message;
mod options;
#[doc(hidden)]
pub mod packet;
mod panics;
mod process;
mod read_buffer;
#[doc(hidden)]
pub mod reconnect;
mod runtime;
mod secret;
mod session;
mod shared;
mod state;
mod stats;
mod sys;

pub use client::{Client, Dispatcher, Subscription, Wait, token_request_complete, token_request_fail};
pub use completion::{Ack, Completion};
pub use dispatch::DispatchMode;
pub use dispatch::listeners::{AppStateListener, EventListener, MessageListener, Receipt, StateListener};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, EventKind};
pub use message::{Message, QoS};
pub use options::{Options, TokenInput, TokenProvider, TokenRequest};
pub use secret::Secret;
pub use session::queue::QueuePolicy;
pub use state::ConnectionState;
pub use stats::Stats;
