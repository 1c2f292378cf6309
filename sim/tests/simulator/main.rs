//! The simulator over real sockets.

mod authentication;
mod client;
mod faults;
mod limits;
mod messages;
mod mint;
mod sessions;
mod state_machine;
mod takeover;
mod violations;
