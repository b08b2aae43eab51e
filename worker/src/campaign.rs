//! stub
use serde_json::{Map, Value};
/// stub
pub fn normalize(_: &mut Map<String, Value>) {}
/// stub
pub fn referrer_host(_: &Map<String, Value>) -> Option<String> {
    None
}
