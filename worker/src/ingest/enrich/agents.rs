//! What user agents tell, remembered: an isolate meets the same few again and again, and reading one
//! by the lists of bots and browsers costs as much as reading several events.

use std::collections::HashMap;

use crate::ingest::enrich::agent::{Agent, read_agent};
use crate::ingest::enrich::bots::is_bot;

/// Agents of one generation; two are kept. A thousand agents make up most of any site's visits.
const MAX_AGENTS: usize = 1_000;

/// Bytes of an agent that is remembered at most, several times those of any browser's: so 2,000 of
/// them are at most 1 MB. A longer one is read each time.
const MAX_BYTES: usize = 500;

/// What a user agent tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// It is that of a crawler, a library or a driven browser.
    pub is_bot: bool,
    /// Its browser, system and device.
    pub agent: Agent,
}

impl Told {
    /// Reads a user agent.
    pub fn read(user_agent: &str) -> Self {
        Self {
            is_bot: is_bot(user_agent),
            agent: read_agent(user_agent),
        }
    }
}

/// The agents that an isolate met last.
#[derive(Debug, Default)]
pub struct Agents {
    young: HashMap<String, Told>,
    old: HashMap<String, Told>,
}

impl Agents {
    /// What a user agent tells, read where it is not remembered.
    pub fn ask(&mut self, user_agent: &str) -> Told {
        if let Some(told) = self.young.get(user_agent) {
            return *told;
        }
        let old = self.old.get(user_agent).copied();
        let told = old.unwrap_or_else(|| Told::read(user_agent));
        if user_agent.len() <= MAX_BYTES {
            if self.young.len() >= MAX_AGENTS {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(user_agent.to_owned(), told);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

    fn known(agents: &Agents) -> usize {
        agents.young.len() + agents.old.len()
    }

    #[test]
    fn an_agent_is_remembered() {
        let mut agents = Agents::default();
        for _ in 0..3 {
            let told = agents.ask(FIREFOX);
            assert_eq!((told.is_bot, told.agent.os), (false, Some("Linux")));
            assert!(agents.ask("curl/8.0").is_bot);
        }
        assert_eq!(known(&agents), 2);
    }

    #[test]
    fn memory_is_bounded_and_what_is_met_often_stays() {
        let mut agents = Agents::default();
        for n in 0..10 * MAX_AGENTS {
            agents.ask(&format!("made-up/{n}"));
            agents.ask(FIREFOX);
        }
        assert!(known(&agents) <= 2 * MAX_AGENTS + 1, "{}", known(&agents));
        assert!(agents.young.contains_key(FIREFOX));
        let long = format!("{FIREFOX}{}", " ".repeat(MAX_BYTES));
        assert_eq!(agents.ask(&long), Told::read(&long));
        assert!(!agents.young.contains_key(&long));
    }

    proptest! {
        #[test]
        fn memory_tells_what_reading_tells(
            asked in prop::collection::vec(prop_oneof!["[A-Za-z/0-9 ;]{0,40}", "(curl|Mozilla|bot|Firefox)/[0-9]"], 1..50),
        ) {
            let mut agents = Agents::default();
            for agent in asked.iter().chain(&asked) {
                prop_assert_eq!(agents.ask(agent), Told::read(agent));
            }
        }
    }
}
