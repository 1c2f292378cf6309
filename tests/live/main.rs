//! The library over real sockets: against the simulator of AWS IoT Core, against mosquitto, and against servers
//! that do not answer.

mod authentication;
mod end_of_a_client;
mod events;
mod incoming;
mod messages;
mod proxy;
mod reconnection;
mod rotation;
mod subscriptions;
#[path = "../support/mod.rs"]
mod support;
mod time_outs;
mod tls;
