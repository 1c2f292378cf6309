//! A simulator of AWS IoT Core for tests and demonstrations: MQTT 5 over TLS with client certificates or a custom
//! authorizer, with AWS's limits and habits, on loopback ports, in-process.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use std::time::Duration;
//! use gecko_iot_sim::{Config, Simulator};
//!
//! let simulator = Simulator::start(Config::default()).await?;
//! let token = simulator.mint_token(Duration::from_secs(60))?;
//! println!("connect to {} and trust {}", token.broker_url, simulator.path("ca.pem").display());
//! // … let a client connect and publish, then:
//! assert_eq!(simulator.stats().protocol_errors, 0);
//! simulator.stop().await;
//! # Ok::<_, gecko_iot_sim::Error>(())
//! # }).unwrap();
//! ```
//!
//! Several simulators can live in one process; nothing is global. It stands on the packets of `mqtt-protocol-core`, an
//! implementation of MQTT 5 other than the one that the library under test uses, so that a mistake of one is not
//! confirmed by the other.

#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod authorizer;
mod broker;
mod certificates;
mod config;
mod connection;
mod directory;
mod error;
mod faults;
mod frame;
mod http;
mod journal;
mod key_formats;
mod limits;
mod listener;
mod mint;
mod packet;
mod percent;
mod reply;
mod secrets;
mod shared;
mod simulator;
mod tls;
mod token;
mod topic;
mod violation;

pub use certificates::Identity;
pub use config::{
    Authorizer, Config, ConnackProperties, ConnectionEnd, Delivery, DisconnectAfter, KeepAliveRule,
    PasswordListener, Policy, Refusal, ServerCertificate, SessionExpiryRule, TlsVersions, TokenFormat,
};
pub use error::Error;
pub use faults::{ConnectFault, LinkFault, MintFault, PublishFault, Step, SubscribeFault};
pub use journal::{
    AcknowledgementKind, AcknowledgementRecord, ConnectRecord, EndRecord, Listener, MintRecord,
    PublishRecord, Stats,
};
pub use limits::{Limits, Quotas};
pub use simulator::{SessionInfo, Simulator};
pub use token::Token;
