//! A page view's origin: gathered from the members of its `eventData`, and put among them.

use std::borrow::Cow;

use super::content::{Content, Member, Value};
use super::tape::{Kind, at, inner};
use super::text::{Controls, number, unescape};
use super::view::{
    Change, Origin, Own, PAGE_KEYS, PARAMETERS, REFERRER, REFERRER_HOST, REFERRER_SOURCE, Told,
};

impl<'a> Content<'a, '_> {
    /// What the members say of the origin; `None` where a key comes twice or a text hides control
    /// characters, which tell an address from what it looks like.
    pub(super) fn told(&self) -> Option<Told<'a>> {
        let mut told = Told::default();
        for member in &self.scratch.members {
            let key = member.key;
            if let Some(place) = PAGE_KEYS.iter().position(|page| *page == key) {
                put(told.addresses.get_mut(place)?, self.text_of(member)?)?;
            } else if key == REFERRER {
                put(&mut told.referrer, self.text_of(member)?)?;
            } else if let Some(place) = PARAMETERS.iter().position(|name| *name == key) {
                let own = told.own.get_mut(place)?;
                if *own != Own::Absent {
                    return None;
                }
                *own = self.own(member)?;
            }
        }
        Some(told)
    }

    /// The text of a member; the outer `None`: the slow way has to look at it.
    fn text_of(&self, member: &Member<'a>) -> Option<Option<Cow<'a, str>>> {
        let Value::Node(place) = member.value else {
            return None;
        };
        let node = self.nodes.get(place)?;
        match node.kind {
            Kind::Text => Some(inner(self.text, node.value).map(Cow::Borrowed)),
            Kind::Escaped => {
                let mut text = String::new();
                let controls = unescape(inner(self.text, node.value)?, &mut text)?;
                (controls == Controls::None).then_some(Some(text.into()))
            }
            _ => Some(None),
        }
    }

    fn own(&self, member: &Member<'a>) -> Option<Own<'a>> {
        if let Some(text) = self.text_of(member)? {
            return Some(Own::Text(text));
        }
        let Value::Node(place) = member.value else {
            return None;
        };
        let node = self.nodes.get(place)?;
        Some(match node.kind {
            Kind::Null => Own::Absent,
            Kind::Number => Own::Number(number(at(self.text, node.value))?.to_string()),
            _ => Own::Other,
        })
    }

    /// Puts what was made among the members.
    pub(super) fn put(&mut self, origin: &Origin<'_>) {
        let members = &mut self.scratch.members;
        members.retain(|member| {
            let goes = match member.key {
                REFERRER => origin.drops_referrer,
                REFERRER_HOST | REFERRER_SOURCE => true,
                key => PARAMETERS
                    .iter()
                    .zip(&origin.parameters)
                    .any(|(name, change)| *name == key && *change != Change::Keep),
            };
            !goes
        });
        self.scratch.made.clear();
        for (key, change) in PARAMETERS.iter().zip(&origin.parameters) {
            if let Change::Set(text) = change {
                self.add(key, text);
            }
        }
        for (key, text) in [
            (REFERRER_HOST, &origin.host),
            (REFERRER_SOURCE, &origin.source),
        ] {
            if let Some(text) = text {
                self.add(key, text);
            }
        }
    }

    fn add(&mut self, key: &'static str, text: &str) {
        let made = &mut self.scratch.made;
        let start = made.len() as u32;
        made.push_str(text);
        let value = Value::Made((start, made.len() as u32));
        self.scratch.members.push(Member { key, value });
    }
}

/// Notes what stands under a key, which must be the first of its name.
fn put<'a>(place: &mut Option<Cow<'a, str>>, text: Option<Cow<'a, str>>) -> Option<()> {
    if place.is_some() {
        return None;
    }
    *place = text;
    Some(())
}
