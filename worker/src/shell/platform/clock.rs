//! The platform's clock and random numbers, for the core to be given.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::{Date, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use worker::Result;

use crate::base::serial::Serial;
use crate::observe::trace::Trace;

thread_local! {
    /// What this isolate makes its ids of.
    static SERIAL: OnceCell<Rc<Serial>> = const { OnceCell::new() };
}

/// Unix milliseconds, by the platform.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the platform's clock is a whole number of 13 digits"
)]
pub(crate) fn now_ms() -> i64 {
    Date::now() as i64
}

/// Fills with the platform's random bytes; never returns without having done so.
pub(crate) fn random(bytes: &mut [u8]) -> Result<()> {
    let crypto: web_sys::Crypto =
        Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"))?.unchecked_into();
    crypto.get_random_values_with_u8_array(bytes)?;
    Ok(())
}

/// What this isolate makes its ids of: random bytes are asked for once an isolate, not once an id.
pub(crate) fn serial() -> Result<Rc<Serial>> {
    SERIAL.with(|cell| {
        if let Some(serial) = cell.get() {
            return Ok(Rc::clone(serial));
        }
        let mut seed = [0; 32];
        random(&mut seed)?;
        Ok(Rc::clone(cell.get_or_init(|| Rc::new(Serial::new(seed)))))
    })
}

/// A trace that begins here.
pub(crate) fn new_trace() -> Result<Trace> {
    Ok(Trace::begin(None, &serial()?.bytes()))
}

/// Makes UUIDv7s.
#[derive(Debug)]
pub(crate) struct Ids(Rc<Serial>);

impl Ids {
    /// A maker of ids.
    pub(crate) fn new() -> Result<Self> {
        serial().map(Self)
    }

    /// Another id.
    pub(crate) fn next(&self, now_ms: i64) -> String {
        self.0.uuid(now_ms)
    }
}
