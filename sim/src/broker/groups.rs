//! Shared subscriptions (MQTT 5, 4.8.2).

use std::collections::BTreeMap;

use super::session::Session;
use crate::topic;

/// The members of every `$share/GROUP/FILTER`.
#[derive(Default)]
pub(crate) struct Groups(BTreeMap<String, Group>);

struct Group {
    /// The filter without `$share/GROUP/`.
    filter: String,
    members: Vec<String>,
    /// Whose turn it is.
    turn: usize,
}

impl Groups {
    /// `whole` is the filter with its prefix, `filter` without.
    pub fn join(&mut self, whole: &str, filter: &str, client_id: &str) {
        let group = self.0.entry(whole.to_owned()).or_insert_with(|| Group {
            filter: filter.to_owned(),
            members: Vec::new(),
            turn: 0,
        });
        if !group.members.iter().any(|member| member == client_id) {
            group.members.push(client_id.to_owned());
        }
    }

    pub fn leave(&mut self, whole: &str, client_id: &str) {
        if let Some(group) = self.0.get_mut(whole) {
            group.members.retain(|member| member != client_id);
            if group.members.is_empty() {
                self.0.remove(whole);
            }
        }
    }

    pub fn leave_all(&mut self, client_id: &str) {
        self.0.retain(|_, group| {
            group.members.retain(|member| member != client_id);
            !group.members.is_empty()
        });
    }

    /// One member of each group that wants `topic`, with the whole filter: in turn, those who are connected first.
    pub fn choose(&mut self, topic: &str, sessions: &BTreeMap<String, Session>) -> Vec<(String, String)> {
        let mut chosen = Vec::new();
        for (whole, group) in &mut self.0 {
            if !topic::matches(&group.filter, topic) {
                continue;
            }
            let count = group.members.len();
            let order = (0..count).map(|step| (group.turn + step) % count);
            let connected = |index: &usize| {
                sessions.get(&group.members[*index]).is_some_and(|session| session.link.is_some())
            };
            let Some(index) = order.clone().find(connected).or_else(|| order.clone().next()) else {
                continue;
            };
            group.turn = index + 1;
            chosen.push((group.members[index].clone(), whole.clone()));
        }
        chosen
    }
}
