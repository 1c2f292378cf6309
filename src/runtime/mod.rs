//! The private runtime: tokio's current-thread scheduler, and the crew of threads that runs it and the callbacks.
//! Shared by all clients, made by the first, gone with the last.

pub mod crew;

use crate::driver::{self, Dial};
use crate::process::{PerProcess, lock};
use crate::{Error, ErrorKind, Result, link};
use crew::Crew;
use std::sync::{Arc, Mutex, Weak};

static CURRENT: PerProcess<Mutex<Weak<Runtime>>> = PerProcess::new();

/// See the module.
pub struct Runtime {
    crew: Arc<Crew>,
    /// How all clients come to their links.
    dial: Dial,
}

impl Runtime {
    /// The runtime of this process, made if there is none.
    pub fn acquire() -> Result<Arc<Self>> {
        let mut current = lock(CURRENT.get());
        if let Some(runtime) = current.upgrade() {
            return Ok(runtime);
        }
        let crew = Crew::start().map_err(|error| refused(&error))?;
        let runtime = Arc::new(Self { crew, dial: driver::dial() });
        *current = Arc::downgrade(&runtime);
        Ok(runtime)
    }

    /// Where drivers run.
    pub fn handle(&self) -> &tokio::runtime::Handle {
        self.crew.handle()
    }

    /// How a client comes to its links.
    pub fn dial(&self) -> &Dial {
        &self.dial
    }

    /// Who runs callbacks.
    pub fn crew(&self) -> &Arc<Crew> {
        &self.crew
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.crew.stop();
        link::reap();
        // A weak reference keeps the memory.
        let mut current = lock(CURRENT.get());
        if current.strong_count() == 0 {
            *current = Weak::new();
        }
    }
}

/// The operating system refused a thread or a descriptor.
pub fn refused(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::System, format!("the operating system refused what the library needs: {error}"))
}
