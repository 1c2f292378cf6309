//! Which client a number belongs to: for acknowledgements and token answers, which come without a handle.

use super::Shared;
use crate::dispatch::listeners::Receipt;
use crate::options::TokenRequest;
use crate::process::{PerProcess, lock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

/// Trees, because they hold no memory when they are empty.
#[derive(Default)]
struct Registry {
    last: u64,
    clients: BTreeMap<u32, Weak<Shared>>,
    requests: BTreeMap<u64, Weak<Shared>>,
}

static REGISTRY: PerProcess<Mutex<Registry>> = PerProcess::new();

/// A number that no living client has.
pub fn new_number() -> u32 {
    let mut registry = lock(REGISTRY.get());
    loop {
        registry.last += 1;
        let number = (registry.last as u32) & Receipt::MAX_CLIENT;
        if number != 0 && !registry.clients.contains_key(&number) {
            registry.clients.insert(number, Weak::new());
            return number;
        }
    }
}

/// Makes a client known by its number.
pub fn add_client(number: u32, client: &Arc<Shared>) {
    lock(REGISTRY.get()).clients.insert(number, Arc::downgrade(client));
}

/// The client with that number, while it lives.
pub fn client(number: u32) -> Option<Arc<Shared>> {
    lock(REGISTRY.get()).clients.get(&number)?.upgrade()
}

/// Forgets a client and its requests.
pub fn remove_client(number: u32) {
    let mut registry = lock(REGISTRY.get());
    registry.clients.remove(&number);
    registry.requests.retain(|_, client| client.upgrade().is_some_and(|client| client.number != number));
}

/// A new request to the token provider of `client`.
pub fn open_request(client: &Arc<Shared>) -> TokenRequest {
    let mut registry = lock(REGISTRY.get());
    registry.last += 1;
    let number = registry.last;
    registry.requests.insert(number, Arc::downgrade(client));
    TokenRequest(number)
}

/// Ends a request; `None` where it has ended already.
pub fn close_request(request: TokenRequest) -> Option<Arc<Shared>> {
    lock(REGISTRY.get()).requests.remove(&request.0)?.upgrade()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ() {
        let (a, b) = (new_number(), new_number());
        assert!(a != 0 && b != 0 && a != b);
        remove_client(a);
        remove_client(b);
        assert!(client(a).is_none());
    }
}
