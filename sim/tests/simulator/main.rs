//! The simulator over real sockets.

mod authentication;
mod client;
mod faults;
mod limits;
mod messages;
mod sessions;
mod state_machine;
mod takeover;
mod violations;
