//! Packet identifiers and what they stand for.

/// Values by packet identifier. Identifiers go round through all of 1..=65535, so that a late acknowledgement
/// of an old one does not meet a new one; a slot is found without hashing (identifier modulo the capacity).
#[derive(Debug)]
pub struct Table<T> {
    slots: Vec<Option<(u16, T)>>,
    used: usize,
    next: u16,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), used: 0, next: 1 }
    }
}

impl<T> Table<T> {
    /// Stores `value` under an identifier that is free. `Err` gives it back when all 65,535 are in use.
    pub fn insert(&mut self, value: T) -> Result<u16, T> {
        if self.used * 2 >= self.slots.len() {
            if self.used == usize::from(u16::MAX) {
                return Err(value);
            }
            self.grow();
        }
        loop {
            let id = self.next;
            self.next = if id == u16::MAX { 1 } else { id + 1 };
            let slot = self.slot(id);
            if self.slots[slot].is_none() {
                self.slots[slot] = Some((id, value));
                self.used += 1;
                return Ok(id);
            }
        }
    }

    /// Distinct identifiers that share no slot share none after the capacity has doubled either.
    fn grow(&mut self) {
        if self.slots.len() == 1 << 16 {
            return;
        }
        let capacity = (self.slots.len() * 2).max(16);
        let old =
            std::mem::replace(&mut self.slots, std::iter::repeat_with(|| None).take(capacity).collect());
        for entry in old.into_iter().flatten() {
            let slot = self.slot(entry.0);
            self.slots[slot] = Some(entry);
        }
    }

    fn slot(&self, id: u16) -> usize {
        usize::from(id) & (self.slots.len() - 1)
    }

    /// What the identifier stands for.
    pub fn get_mut(&mut self, id: u16) -> Option<&mut T> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slot(id);
        self.slots[slot].as_mut().filter(|(held, _)| *held == id).map(|(_, value)| value)
    }

    /// Takes it out; the identifier is free again.
    pub fn remove(&mut self, id: u16) -> Option<T> {
        self.get_mut(id)?;
        let slot = self.slot(id);
        self.used -= 1;
        self.slots[slot].take().map(|(_, value)| value)
    }

    /// Everything in it, in no particular order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u16, &mut T)> {
        self.slots.iter_mut().flatten().map(|(id, value)| (*id, value))
    }

    /// Takes everything out and gives the memory back.
    pub fn drain(&mut self) -> impl Iterator<Item = (u16, T)> + use<T> {
        self.used = 0;
        std::mem::take(&mut self.slots).into_iter().flatten()
    }

    /// How many identifiers are in use.
    pub fn len(&self) -> usize {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn holds_every_identifier_and_not_one_more() {
        let mut table = Table::default();
        let mut seen = vec![false; 1 << 16];
        for n in 0..65_535u32 {
            let id = table.insert(n).unwrap();
            assert!(id != 0 && !std::mem::replace(&mut seen[usize::from(id)], true));
        }
        assert_eq!(table.insert(0), Err(0));
        assert_eq!(table.remove(77), Some(76));
        assert_eq!(table.insert(1), Ok(77));
    }

    #[test]
    fn an_identifier_is_not_used_again_at_once() {
        let mut table = Table::default();
        let first = table.insert(()).unwrap();
        table.remove(first);
        assert_ne!(table.insert(()).unwrap(), first);
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((any::<bool>(), any::<u16>()), 0..400)) {
            let mut table = Table::default();
            let mut model = HashMap::new();
            for (insert, n) in steps {
                if insert {
                    let id = table.insert(n).unwrap();
                    prop_assert!(id != 0 && model.insert(id, n).is_none());
                } else {
                    let id = model.keys().nth(usize::from(n) % model.len().max(1)).copied().unwrap_or(n);
                    prop_assert_eq!(table.remove(id), model.remove(&id));
                }
                prop_assert_eq!(table.len(), model.len());
            }
            for (id, n) in table.iter_mut() {
                prop_assert_eq!(model.get(&id), Some(&*n));
            }
        }
    }
}
