//! Messages of one site, to be stored in one transaction.

use std::collections::{HashMap, HashSet};

use super::{Event, Message, Part};
use crate::counted::{Facts, Hashes};
use crate::erase::Alias;
use crate::rollup::{ErasedUser, Known, NewEvent, known_statement, store_statements};
use crate::sorted::Map;
use crate::sql::Statement;

/// The events of messages of one site, with what is counted of them.
#[derive(Debug)]
pub struct Batch<'a> {
    site: &'a str,
    events: Vec<Entry<'a>>,
}

#[derive(Debug)]
struct Entry<'a> {
    part: &'a Part<'a>,
    event: &'a Event<'a>,
    facts: Facts<'a>,
}

impl<'a> Entry<'a> {
    fn part_id(&self) -> &'a str {
        &self.part.id
    }

    fn id(&self) -> &'a str {
        &self.event.head.event_id
    }
}

/// Something to know of some events of a batch, once it is stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings<'a> {
    /// By part and event: another part brought the event before.
    foreign: HashSet<(&'a str, &'a str)>,
    /// By part and event: what stands for a user who is to be forgotten.
    aliases: HashMap<&'a str, HashMap<&'a str, Alias>>,
}

impl Findings<'_> {
    /// Whether another part than this one brought the event before.
    pub fn is_foreign(&self, part: &str, event: &str) -> bool {
        self.foreign.contains(&(part, event))
    }

    /// What stands for the event's user, who is to be forgotten.
    pub fn alias(&self, part: &str, event: &str) -> Option<&Alias> {
        self.aliases.get(part)?.get(event)
    }
}

impl<'a> Batch<'a> {
    /// Messages, all of `site`. Users and sessions are counted by their hashes with `hash_key`.
    pub fn of(site: &'a str, messages: &[&'a Message<'a>], hash_key: &[u8]) -> Self {
        let mut hashes = Hashes::new(site, hash_key);
        let parts = messages.iter().flat_map(|message| &message.parts);
        let events = parts
            .flat_map(|part| part.events.iter().map(move |event| (part, event)))
            .map(|(part, event)| Entry {
                part,
                event,
                facts: Facts::of(&event.head, &mut hashes),
            })
            .collect();
        Self { site, events }
    }

    /// The statement that tells which of the events D1 knows, as [`Known`]s.
    pub fn known(&self) -> Statement {
        let ids: Vec<&str> = self.events.iter().map(Entry::id).collect();
        known_statement(self.site, &ids)
    }

    /// The transaction that stores the events that are not known; it fails where one of them is, and
    /// answers the [`ErasedUser`]s of the batch.
    pub fn statements(&self, known: &[Known]) -> Vec<Statement> {
        let known: HashSet<&str> = known.iter().map(|row| row.event.as_str()).collect();
        let mut seen = HashSet::new();
        let new: Vec<NewEvent<'_>> = self
            .events
            .iter()
            .filter(|entry| !known.contains(entry.id()) && seen.insert(entry.id()))
            .map(|entry| NewEvent {
                part: entry.part_id(),
                taken_at: entry.part.at,
                head: &entry.event.head,
                facts: &entry.facts,
                body: entry.event.body,
            })
            .collect();
        let users = self
            .events
            .iter()
            .filter_map(|entry| entry.facts.4.as_deref());
        let mut users: Vec<&str> = users.collect();
        users.sort_unstable();
        users.dedup();
        store_statements(self.site, &new, &users)
    }

    /// What is to be known of the events that are stored now, of which these were known before.
    pub fn findings(&self, known: &[Known], erased: &[ErasedUser]) -> Findings<'a> {
        let known: HashMap<&str, &str> = known
            .iter()
            .map(|row| (row.event.as_str(), row.part.as_str()))
            .collect();
        let erased: HashMap<&str, &ErasedUser> = erased
            .iter()
            .map(|row| (row.user_hash.as_str(), row))
            .collect();
        let mut first: HashMap<&str, &str> = HashMap::new();
        let mut findings = Findings::default();
        for entry in &self.events {
            let key = (entry.part_id(), entry.id());
            let first = *first.entry(entry.id()).or_insert(entry.part_id());
            if *known.get(entry.id()).unwrap_or(&first) != entry.part_id() {
                findings.foreign.insert(key);
            }
            let user = entry.facts.4.as_deref().and_then(|user| erased.get(user));
            if let Some(user) = user.filter(|user| entry.event.head.received_at <= user.erased_at) {
                let alias = Alias {
                    alias_key: user.alias_key.clone(),
                    erased_at: user.erased_at,
                };
                let of_part = findings.aliases.entry(entry.part_id()).or_default();
                of_part.insert(entry.id(), alias);
            }
        }
        findings
    }

    /// The users of the batch who are to be forgotten: of these D1 holds events again.
    pub fn erasures(&self, findings: &Findings<'_>) -> Vec<(String, Alias)> {
        let mut users: Map<&str, &Alias> = Map::new();
        for entry in &self.events {
            let alias = findings.alias(entry.part_id(), entry.id());
            if let (Some(user), Some(alias)) = (entry.event.head.user_id.as_deref(), alias) {
                users.insert(user, alias);
            }
        }
        users
            .into_iter()
            .map(|(user, alias)| (user.to_owned(), alias.clone()))
            .collect()
    }
}

/// Which of a queue's messages are stored together: those of a site; a replay alone.
pub fn groups<'a, T>(items: Vec<T>, message: impl Fn(&T) -> &Message<'a>) -> Vec<Vec<T>> {
    let mut groups: Map<(String, Option<usize>), Vec<T>> = Map::new();
    for (place, item) in items.into_iter().enumerate() {
        let Message { site, replay, .. } = message(&item);
        let key = (site.clone(), replay.map(|_| place));
        groups.entry(key).or_default().push(item);
    }
    groups.into_values().collect()
}
