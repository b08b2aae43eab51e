//! Publishes a few events to a collector and says what became of them.
//!
//! ```sh
//! npm start                                      # in another terminal
//! cargo run -p shoreline-publisher --example publish
//! cargo run -p shoreline-publisher --example publish -- https://collect.example sls_shop_…
//! ```
//!
//! Endpoint and source key are arguments, else `SHORELINE_URL` and `SHORELINE_KEY`, else those that
//! `npm start` wrote to `.dev/keys.json`.

use std::error::Error;

use shoreline_publisher::{Command, Event, Publisher, Visit};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (endpoint, source_key) = endpoint_and_key()?;
    let publisher = Publisher::builder(&endpoint, &source_key)
        .on_outcome(|event, outcome| println!("queued {}: {outcome:?}", event.event_type()))
        .build()?;

    // One that is answered for before we go on.
    let visit = Visit {
        user_id: "user-123",
        session_id: "session-456",
        user_agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        ip_address: "203.0.113.7",
        platform: "web",
    };
    let used = Event::feature_use(&visit, "export").data("duration", 5000);
    println!("feature_use: {:?}", publisher.track_event(&used).await);
    println!("the same again: {:?}", publisher.track_event(&used).await);

    // Several that wait for each other, up to 25 or 5 seconds.
    publisher.queue_event(
        Event::domain("com.example.order.v1", "orders")
            .user("user-123")
            .data("total", 1250),
    )?;
    let command: Command = serde_json::from_str(
        r#"{"eventType":"LowStockWarning","source":"catalog","payload":{"productId":"p-1","left":2}}"#,
    )?;
    publisher.queue_event(command.into())?;

    let closure = publisher.close().await;
    println!("{:?}", closure.counts);
    for event in &closure.undelivered {
        println!(
            "not delivered, publish it again: {}",
            serde_json::to_string(event)?
        );
    }
    Ok(())
}

fn endpoint_and_key() -> Result<(String, String), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(endpoint), Some(key)) = (arguments.next(), arguments.next()) {
        return Ok((endpoint, key));
    }
    if let (Ok(endpoint), Ok(key)) = (
        std::env::var("SHORELINE_URL"),
        std::env::var("SHORELINE_KEY"),
    ) {
        return Ok((endpoint, key));
    }
    let file = std::fs::read_to_string(".dev/keys.json")
        .map_err(|_| "name an endpoint and a source key, or run `npm start` first")?;
    let keys: serde_json::Value = serde_json::from_str(&file)?;
    let text = |name: &str| {
        keys.get(name)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    text("url")
        .zip(text("sourceKey"))
        .ok_or_else(|| "the keys file is of another version".into())
}
