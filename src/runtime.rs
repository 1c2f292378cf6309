//! The private runtime: one I/O thread with tokio's current-thread scheduler, and the pool that runs callbacks.
//! Shared by all clients, made by the first, gone with the last.

use crate::dispatch::pool::Pool;
use crate::process::{PerProcess, lock};
use crate::{Error, ErrorKind, Result, link, sys};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;

/// Ample for TLS hand-shakes and certificate verification.
const IO_STACK: usize = 256 * 1024;

static CURRENT: PerProcess<Mutex<Weak<Runtime>>> = PerProcess::new();

/// See the module.
pub struct Runtime {
    handle: tokio::runtime::Handle,
    stop: Mutex<Option<tokio::sync::oneshot::Sender<()>>>,
    io: Mutex<Option<JoinHandle<()>>>,
    pool: Arc<Pool>,
}

impl Runtime {
    /// The runtime of this process, made if there is none.
    pub fn acquire() -> Result<Arc<Self>> {
        let mut current = lock(CURRENT.get());
        if let Some(runtime) = current.upgrade() {
            return Ok(runtime);
        }
        let runtime = Arc::new(Self::start()?);
        *current = Arc::downgrade(&runtime);
        Ok(runtime)
    }

    fn start() -> Result<Self> {
        let tokio =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| refused(&e))?;
        let handle = tokio.handle().clone();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let io = sys::spawn("gecko-mqtt-io", IO_STACK, move || {
            // An error is a dropped sender: the same wish.
            let _ = tokio.block_on(stopped);
        })
        .map_err(|e| refused(&e))?;
        Ok(Self {
            pool: Pool::new(handle.clone()),
            handle,
            stop: Mutex::new(Some(stop)),
            io: Mutex::new(Some(io)),
        })
    }

    /// Where drivers run.
    pub fn handle(&self) -> &tokio::runtime::Handle {
        &self.handle
    }

    /// Who runs callbacks.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(stop) = lock(&self.stop).take() {
            let _ = stop.send(());
        }
        if let Some(io) = lock(&self.io).take() {
            sys::join_unless_current(io);
        }
        self.pool.stop();
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
