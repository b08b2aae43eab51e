//! The platform's clock and random numbers, for the core to be given.

use std::cell::Cell;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Date, Result};

use crate::trace::Trace;

/// Unix milliseconds, by the platform.
pub(super) fn now_ms() -> i64 {
    i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX)
}

/// Fills with the platform's random bytes; never returns without having done so.
pub(super) fn random(bytes: &mut [u8]) -> Result<()> {
    let crypto: web_sys::Crypto =
        Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"))?.unchecked_into();
    crypto.get_random_values_with_u8_array(bytes)?;
    Ok(())
}

/// A trace that begins here.
pub(super) fn new_trace() -> Result<Trace> {
    let mut bytes = [0; 24];
    random(&mut bytes)?;
    Ok(Trace::begin(None, &bytes))
}

/// Makes UUIDv7s: one call for random bytes, then counting on from them, as RFC 9562 allows.
#[derive(Debug)]
pub(super) struct Ids {
    base: [u8; 10],
    count: Cell<u64>,
}

impl Ids {
    /// A maker of ids.
    pub(super) fn new() -> Result<Self> {
        let mut base = [0; 10];
        random(&mut base)?;
        let count = base.iter().take(8).fold(0, |n: u64, byte| {
            n.wrapping_mul(256).wrapping_add(u64::from(*byte))
        });
        Ok(Self {
            base,
            count: Cell::new(count),
        })
    }

    /// Another id.
    pub(super) fn next(&self, now_ms: i64) -> String {
        let count = self.count.get().wrapping_add(1);
        self.count.set(count);
        let mut bytes = self.base;
        for (byte, new) in bytes.iter_mut().zip(count.to_be_bytes()) {
            *byte = new;
        }
        shoreline_shared::id::uuid_v7(now_ms, bytes)
    }
}
