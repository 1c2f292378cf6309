//! Whose work a line is about. The thread says it once, and the lines that it logs meanwhile carry the fields, those of
//! modules that know no client included.

use super::record::Value;
use crate::process::lock;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Origin>>> = const { RefCell::new(None) };
}

/// A client, as its log lines name it.
#[derive(Debug)]
pub(crate) struct Origin {
    client_id: Mutex<String>,
    /// Counts the connections, failed attempts included: the number that everything of one of them has in common.
    connection: AtomicU64,
}

impl Origin {
    pub(crate) fn new(client_id: String) -> Arc<Self> {
        Arc::new(Self { client_id: Mutex::new(client_id), connection: AtomicU64::new(0) })
    }

    pub(crate) fn client_id(&self) -> String {
        lock(&self.client_id).clone()
    }

    pub(crate) fn set_client_id(&self, client_id: &str) {
        client_id.clone_into(&mut lock(&self.client_id));
    }

    /// What follows is about another connection.
    pub(crate) fn next_connection(&self) {
        self.connection.fetch_add(1, Ordering::Relaxed);
    }

    /// What `f` logs is this client's.
    pub(crate) fn scope<T>(self: &Arc<Self>, f: impl FnOnce() -> T) -> T {
        struct Restore(Option<Arc<Origin>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                let _ = CURRENT.try_with(|current| current.replace(self.0.take()));
            }
        }
        let before = CURRENT.try_with(|current| current.replace(Some(self.clone())));
        let _restore = Restore(before.ok().flatten());
        f()
    }

    /// The fields of the client whose work this thread does.
    pub(super) fn fields() -> Vec<(&'static str, Value)> {
        let current = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten();
        let Some(origin) = current else { return Vec::new() };
        let mut fields = Vec::with_capacity(8);
        let client_id = origin.client_id();
        if !client_id.is_empty() {
            fields.push(("client_id", Value::Text(client_id)));
        }
        let connection = origin.connection.load(Ordering::Relaxed);
        if connection > 0 {
            fields.push(("connection", Value::Plain(connection.to_string())));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_ends_where_it_ends() {
        let (outer, inner) = (Origin::new("outer".to_owned()), Origin::new(String::new()));
        let named = |name: &str| vec![("client_id", Value::Text(name.to_owned()))];
        assert_eq!(Origin::fields(), []);
        outer.scope(|| {
            assert_eq!(Origin::fields(), named("outer"));
            inner.scope(|| assert_eq!(Origin::fields(), []));
            inner.next_connection();
            let broken = std::panic::catch_unwind(|| {
                inner.scope(|| {
                    assert_eq!(Origin::fields(), [("connection", Value::Plain("1".to_owned()))]);
                    std::panic::resume_unwind(Box::new(()));
                });
            });
            assert!(broken.is_err());
            outer.set_client_id("other");
            assert_eq!(Origin::fields(), named("other"));
        });
        assert_eq!(Origin::fields(), []);
    }
}
