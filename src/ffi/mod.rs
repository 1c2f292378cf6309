//! The C boundary, one file a noun: it reads arguments, calls one method of the core, writes outputs and
//! returns a status. What the header says is written here, as comments.
//!
//! Nothing here decides anything about MQTT, and nothing outside names a C type.
// The names are C's. What a caller must promise is said once, in the header's chapter.
// Their comments are written for doxygen.
#![allow(rustdoc::broken_intra_doc_links)]
#![allow(unsafe_code, non_camel_case_types, clippy::missing_safety_doc)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]

mod ack;
#[cfg(target_os = "android")]
mod android;
mod app_state;
mod arg;
mod callback;
mod certificate;
mod client;
mod connection;
mod error;
mod event;
mod handle;
mod history;
mod library;
mod log;
mod message;
mod options;
mod publish;
mod retained;
mod stats;
mod status;
mod structure;
mod subscribe;
mod token;

pub use ack::*;
#[cfg(target_os = "android")]
pub use android::*;
pub use app_state::*;
pub use callback::*;
pub use certificate::*;
pub use client::*;
pub use connection::*;
pub use event::*;
pub use history::*;
pub use library::*;
pub use log::*;
pub use message::*;
pub use options::*;
pub use publish::*;
pub use retained::*;
pub use stats::*;
pub use status::*;
pub use subscribe::*;
pub use token::*;
