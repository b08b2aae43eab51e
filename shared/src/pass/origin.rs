//! A page view's origin: gathered from the members of its `eventData`, and put among them.

use std::borrow::Cow;

use super::content::{Content, Member, Value};
use super::tape::{Kind, at, inner};
use super::text::{Controls, number, unescape};
use super::view::{
    Change, Origin, Own, PAGE_KEYS, PARAMETERS, REFERRER, REFERRER_HOST, REFERRER_SOURCE, Told,
    parameter,
};

// The order of [`PAGE_KEYS`].
const URL: &str = "url";
const PAGE: &str = "page";
const PATH: &str = "path";
const _: () = assert!(PAGE_KEYS.len() == 3);

impl<'a> Content<'a, '_> {
    /// What the members say of the origin; `None` where a key comes twice or a text hides control
    /// characters, which tell an address from what it looks like.
    pub(super) fn told(&self) -> Option<Told<'a>> {
        let mut told = Told::default();
        for member in &self.scratch.members {
            let [url, page, path] = &mut told.addresses;
            let place = match member.name() {
                URL => url,
                PAGE => page,
                PATH => path,
                REFERRER => &mut told.referrer,
                key => {
                    if let Some(place) = parameter(key) {
                        let own = told.own.get_mut(place)?;
                        if *own != Own::Absent {
                            return None;
                        }
                        *own = self.own(member)?;
                    }
                    continue;
                }
            };
            if place.is_some() {
                return None;
            }
            *place = self.text_of(member)?;
        }
        Some(told)
    }

    /// The text of a member; the outer `None`: the slow way has to look at it.
    fn text_of(&self, member: &Member<'a>) -> Option<Option<Cow<'a, str>>> {
        let Value::Node(place) = member.value() else {
            return None;
        };
        let node = self.nodes.get(place)?;
        match node.kind {
            Kind::Text => Some(inner(self.text, node.value).map(Cow::Borrowed)),
            Kind::Escaped => {
                let mut text = String::new();
                let controls = unescape(inner(self.text, node.value)?, false, &mut text)?;
                (controls == Controls::None).then_some(Some(text.into()))
            }
            _ => Some(None),
        }
    }

    fn own(&self, member: &Member<'a>) -> Option<Own<'a>> {
        if let Some(text) = self.text_of(member)? {
            return Some(Own::Text(text));
        }
        let Value::Node(place) = member.value() else {
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
            let goes = match member.name() {
                REFERRER => origin.drops_referrer,
                REFERRER_HOST | REFERRER_SOURCE => true,
                key => parameter(key)
                    .and_then(|place| origin.parameters.get(place))
                    .is_some_and(|change| *change != Change::Keep),
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
        self.scratch.members.push(Member::new(key, value));
    }
}
