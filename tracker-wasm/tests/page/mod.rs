//! A page that uses the core as `js/` does: it keeps the texts, as numbers, and what it stored.
#![allow(dead_code)]

use std::collections::BTreeMap;

use shoreline_tracker::{
    answer::{Answer, Settled},
    tracker::Tracker,
};

/// The moment at which every test begins.
pub const START: f64 = 1_705_334_400_000.0;

/// A batch as the page knows it: its id, and its events by number and size.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Text {
    pub id: u64,
    pub events: Vec<(u64, u32)>,
    pub dropped: u32,
    pub made_at: u64,
}

impl Text {
    pub fn numbers(&self) -> Vec<u64> {
        self.events.iter().map(|(number, _)| *number).collect()
    }

    /// Bytes of the events as they are joined.
    pub fn bytes(&self) -> u32 {
        bytes(&self.events)
    }
}

fn bytes(events: &[(u64, u32)]) -> u32 {
    events.iter().map(|(_, bytes)| bytes + 1).sum()
}

/// One request.
#[derive(Clone, Debug)]
pub struct Post {
    pub handle: u32,
    pub text: Text,
    pub leaving: bool,
}

pub struct Page {
    pub now: f64,
    pub tracker: Tracker,
    pub texts: BTreeMap<u32, Text>,
    pub posts: Vec<Post>,
    /// Events given up that were reported to the page.
    pub dropped: u32,
    pub next: u64,
    ids: u64,
}

impl Page {
    pub fn new() -> Self {
        Self {
            now: START,
            tracker: Tracker::new(),
            texts: BTreeMap::new(),
            posts: vec![],
            dropped: 0,
            next: 0,
            ids: 0,
        }
    }

    pub fn make(&mut self, bytes: u32) {
        let number = self.next;
        self.next += 1;
        while let Some(batch) = self.tracker.queue.make_room(bytes) {
            let text = self.texts.remove(&batch.handle).expect("a batch it knows");
            self.dropped += text.events.len() as u32;
        }
        let Some(handle) = self.tracker.record(bytes, self.now) else {
            self.dropped += 1;
            return;
        };
        self.ids += 1;
        let text = self.texts.entry(handle).or_insert(Text {
            id: self.ids,
            events: vec![],
            dropped: 0,
            made_at: self.now as u64,
        });
        text.events.push((number, bytes));
        self.pump();
    }

    pub fn pump(&mut self) {
        while let Some(handle) = self.tracker.queue.due(self.now) {
            self.post(handle, false);
        }
    }

    pub fn flush(&mut self) {
        self.tracker.queue.seal();
        self.tracker.queue.hurry(false);
        self.pump();
    }

    pub fn leave(&mut self, the_end: bool) {
        self.tracker.queue.seal();
        self.tracker.queue.hurry(the_end);
        while let Some(handle) = self.tracker.queue.leaving(self.now) {
            self.post(handle, true);
        }
        self.pump();
    }

    fn post(&mut self, handle: u32, leaving: bool) {
        let dropped = self.tracker.queue.dropped_before(handle);
        let text = self.texts.get_mut(&handle).expect("a batch it knows");
        text.dropped = dropped;
        let text = text.clone();
        self.posts.push(Post {
            handle,
            text,
            leaving,
        });
    }

    pub fn take_posts(&mut self) -> Vec<Post> {
        std::mem::take(&mut self.posts)
    }

    pub fn settle(&mut self, handle: u32, status: u16, retry_after_ms: Option<u64>) -> Settled {
        let answer = Answer {
            handle,
            status,
            retry_after_ms,
            random: 12_345,
        };
        let settled = self.tracker.queue.settle(&answer, self.now);
        match settled {
            Settled::Split => {
                let text = self.texts.remove(&handle).expect("a batch it knows");
                let (first, second) = text.events.split_at(text.events.len() / 2);
                let at = self
                    .tracker
                    .queue
                    .split(handle, bytes(first))
                    .expect("two halves");
                for (handle, events) in [(at, first), (at + 1, second)] {
                    self.ids += 1;
                    let half = Text {
                        id: self.ids,
                        events: events.to_vec(),
                        ..text.clone()
                    };
                    self.texts.insert(handle, half);
                }
            }
            Settled::Waiting => {}
            _ => {
                self.texts.remove(&handle);
            }
        }
        self.pump();
        settled
    }

    /// Lets time pass, waking the tracker whenever it asked for it.
    pub fn pass(&mut self, ms: f64) {
        let end = self.now + ms;
        while let Some(wait) = self.tracker.queue.wake_in(self.now) {
            if self.now + wait > end {
                break;
            }
            let posts = self.posts.len();
            self.now += wait;
            self.pump();
            if wait == 0.0 && self.posts.len() == posts {
                break;
            }
        }
        self.now = end;
        self.pump();
    }

    /// What the browser keeps when the page ends, and the next one takes on.
    pub fn reload(self) -> Self {
        let mut next = Self::new();
        (next.now, next.next, next.ids) = (self.now, self.next, self.ids);
        next.dropped = self.dropped;
        let mut stored: Vec<(u32, Text)> = self.texts.into_iter().collect();
        stored.sort_by_key(|(_, text)| text.id);
        for (old, mut text) in stored {
            text.dropped = self.tracker.queue.dropped_before(old);
            let count = text.events.len() as u32;
            match next
                .tracker
                .queue
                .adopt(text.made_at as f64, count, text.bytes(), text.dropped)
            {
                Some(handle) => {
                    next.texts.insert(handle, text);
                }
                None => next.dropped += count,
            }
        }
        next.pump();
        next
    }

    pub fn pending(&self) -> u32 {
        self.tracker.queue.pending()
    }
}
