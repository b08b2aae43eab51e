//! People of several ids each, as far as their ids were met.

use std::collections::HashMap;

use super::person::Person;

/// People, each by what stands for them.
#[derive(Debug, Default)]
pub(crate) struct United {
    places: HashMap<[i64; 4], usize>,
    people: Vec<Person>,
}

impl United {
    /// Adds what is known of one id to the person whom it is of.
    pub(crate) fn add(&mut self, of: u64, person: Person) {
        let next = self.people.len();
        let place = self.places.entry([of.cast_signed(), 0, 0, 0]);
        match self.people.get_mut(*place.or_insert(next)) {
            Some(known) => known.unite_all(person),
            None => self.people.push(person),
        }
    }

    /// All of them; none are left.
    pub(crate) fn take(&mut self) -> Vec<Person> {
        self.places.clear();
        std::mem::take(&mut self.people)
    }
}
