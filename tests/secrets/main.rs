//! No secret is ever told: not in a log, an event, an error, or in anything else that comes out of the library.
//! `scenario` sees to it with every way to authenticate and with everything that can go wrong there; `suite` looks through
//! what all the other tests have left.

mod hostile;
mod scenario;
mod search;
mod suite;
#[path = "../support/mod.rs"]
mod support;
