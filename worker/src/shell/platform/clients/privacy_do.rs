//! `privacy_do`: the one object that keeps the day's key.

use worker::{Env, Result};

use crate::access::privacy::DayKey;
use crate::protocol::names::{DAY_KEY, PRIVACY_OBJECT};
use crate::shell::platform::bindings::PRIVACY_DO;
use crate::shell::platform::objects;

/// Today's key.
pub(crate) async fn day_key(env: &Env) -> Result<DayKey> {
    objects::call(env, PRIVACY_DO, PRIVACY_OBJECT, DAY_KEY, "").await
}
