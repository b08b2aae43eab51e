//! Events of the tools beside it.

use serde_json::{Value, json};

/// Event `n`: six in ten are views. Visitors come back in no order.
pub(crate) fn event(n: i64, users: i64, at: i64) -> Value {
    let user = n.wrapping_mul(2_654_435_761).rem_euclid(users);
    let (kind, data) = match n % 20 {
        0..12 => (
            "page_view",
            json!({"path": format!("/catalog/{}", n.wrapping_mul(48_271).rem_euclid(300)),
                "utm_source": (["news", "ads", "social"])[usize::try_from(n % 3).unwrap()],
                "referrerHost": format!("r{}.example", n % 40)}),
        ),
        12..16 => (
            "feature_use",
            json!({"feature": format!("feature-{}", n % 50), "duration": n % 5_000}),
        ),
        16 => (
            "content_create",
            json!({"contentType": format!("type-{}", n % 7)}),
        ),
        17 => (
            "ai_request",
            json!({"model": format!("model-{}", n % 5), "tokens": n % 900, "cost": 0.000_125}),
        ),
        18 => ("error", json!({"message": format!("error {}", n % 30)})),
        _ => (
            "order.placed",
            json!({"status": (["paid", "open"])[usize::try_from(n / 20 % 2).unwrap()]}),
        ),
    };
    json!({
        "eventId": format!("{n:08x}-0000-4000-8000-000000000000"), "eventType": kind, "siteId": "",
        "source": "tracker", "userId": format!("user-{user}"),
        "sessionId": format!("s{user}-{}", at / 3_600_000), "timestamp": at, "receivedAt": at,
        "schemaVersion": 1, "country": (["DE", "FR", "US", "JP"])[usize::try_from(user % 4).unwrap()],
        "browser": (["Chrome", "Firefox", "Safari"])[usize::try_from(user % 3).unwrap()],
        "os": (["Windows", "macOS", "Linux"])[usize::try_from(user % 3).unwrap()],
        "device": (["desktop", "mobile"])[usize::try_from(user % 2).unwrap()],
        "eventData": data, "metadata": {"platform": "web"},
    })
}
