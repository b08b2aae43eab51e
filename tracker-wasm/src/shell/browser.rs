//! [`Port`] over the browser.

use wasm_bindgen::prelude::*;

use crate::{batch::SealedBatch, port::Port};

// What `js/page.js` does for the core. Only numbers and text cross over: handles on JavaScript
// objects, closures and promises cost more on this side than what is done with them.
#[wasm_bindgen(raw_module = "./page.js")]
extern "C" {
    fn random(bytes: &mut [u8]);
    fn save(key: &str, text: &str);
    fn post(batch_id: &str, body: &str, events: usize, leaving: bool);
    #[wasm_bindgen(js_name = wakeIn)]
    fn wake_in(after_ms: f64);
    fn made(event: &str);
    fn dropped(events: usize, reason: &str);
}

/// The browser, as far as the tracker needs it.
pub(super) struct Browser;

impl Port for Browser {
    fn now(&self) -> f64 {
        js_sys::Date::now()
    }

    fn random(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        random(&mut bytes);
        bytes
    }

    fn save(&self, key: &str, text: &str) {
        save(key, text);
    }

    fn post(&self, batch: &SealedBatch, body: &str, leaving: bool) {
        post(batch.id(), body, batch.count(), leaving);
    }

    fn wake(&self, after_ms: f64) {
        wake_in(after_ms);
    }

    fn made(&self, event: &str) {
        made(event);
    }

    fn dropped(&self, events: usize, reason: &str) {
        dropped(events, reason);
    }
}
