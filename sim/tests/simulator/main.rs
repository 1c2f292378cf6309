//! The simulator over real sockets.

mod authentication;
mod client;
mod endpoint;
mod faults;
mod limits;
mod messages;
mod sessions;
mod violations;
