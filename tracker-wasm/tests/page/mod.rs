//! A page to run the tracker in: its clock goes when it is told, and it remembers all it is asked.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use serde_json::Value;
use shoreline_tracker::{batch::SealedBatch, port::Port};

/// The moment at which every test begins.
pub const START: f64 = 1_705_334_400_000.0;

/// One request.
#[derive(Clone, Debug)]
pub struct Post {
    pub batch_id: String,
    pub sent_at: u64,
    /// The events as they were written, `sentAt` and all before it left out.
    pub events_text: String,
    pub events: Vec<Value>,
    pub bytes: usize,
    pub leaving: bool,
}

#[derive(Default)]
pub struct TestPage {
    pub now: Cell<f64>,
    random: Cell<u64>,
    pub kept: RefCell<HashMap<String, String>>,
    pub posts: RefCell<Vec<Post>>,
    pub wake_at: Cell<Option<f64>>,
    pub made: RefCell<Vec<Value>>,
    pub dropped: RefCell<Vec<(usize, String)>>,
}

impl TestPage {
    pub fn new() -> Self {
        Self {
            now: Cell::new(START),
            ..Self::default()
        }
    }

    /// The requests since the last call.
    pub fn take_posts(&self) -> Vec<Post> {
        self.posts.take()
    }

    pub fn dropped_events(&self) -> usize {
        self.dropped.borrow().iter().map(|(events, _)| events).sum()
    }
}

impl Port for &TestPage {
    fn now(&self) -> f64 {
        self.now.get()
    }

    fn random(&self) -> [u8; 10] {
        // Different every time, and the same in every run.
        self.random.set(self.random.get() + 1);
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(
            &self
                .random
                .get()
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .to_be_bytes(),
        );
        bytes
    }

    fn save(&self, key: &str, text: &str) {
        self.kept.borrow_mut().insert(key.into(), text.into());
    }

    fn post(&self, batch: &SealedBatch, body: &str, leaving: bool) {
        let json: Value = serde_json::from_str(body).expect("a body is JSON");
        let events = json["events"].as_array().expect("events").clone();
        assert_eq!(json["batchId"], batch.id());
        assert_eq!(batch.count(), events.len());
        let (_, events_text) = body.split_once(",\"events\":").expect("events");
        self.posts.borrow_mut().push(Post {
            batch_id: batch.id().into(),
            sent_at: json["sentAt"].as_u64().expect("sentAt"),
            events_text: events_text.into(),
            events,
            bytes: body.len(),
            leaving,
        });
    }

    fn wake(&self, after_ms: f64) {
        assert!((0.0..=3_600_000.0).contains(&after_ms), "{after_ms}");
        self.wake_at.set(Some(self.now.get() + after_ms));
    }

    fn made(&self, event: &str) {
        self.made
            .borrow_mut()
            .push(serde_json::from_str(event).expect("an event is JSON"));
    }

    fn dropped(&self, events: usize, reason: &str) {
        self.dropped.borrow_mut().push((events, reason.into()));
    }
}
