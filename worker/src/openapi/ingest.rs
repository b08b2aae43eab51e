//! What takes events.

use serde_json::{Value, json};

use super::operation::{BROWSER, Operation, SOURCE, one_of, operation, uuid};
use super::shapes::{Batch, NewEvent, NewImport, PlausibleEvent, SegmentBatch, SegmentMessage};
use crate::http::error::Fault;
use crate::http::outcome::{Answer, EventResult, SegmentAnswer};
use crate::import::{Created, Progress, TakenPart};

fn result() -> EventResult {
    EventResult {
        index: 1,
        event_id: None,
        status: crate::http::outcome::Status::Rejected,
        code: "missing_field",
        field: Some("userId".into()),
        message: "userId is required.".into(),
    }
}

fn taken() -> Value {
    serde_json::to_value(Answer::new(1, vec![result()])).unwrap()
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::malformed("The body is not well-formed JSON."),
        Fault::UnknownKey,
        Fault::WrongScope,
        Fault::PayloadTooLarge("A batch holds at most 100 events; split it."),
        Fault::UnsupportedMediaType,
        Fault::NoValidEvent(vec![result()]),
        Fault::RateLimited { retry_after_s: 30 },
        Fault::Unavailable("The site cannot take events right now."),
    ]
}

fn dry_run(operation: Operation) -> Operation {
    let what = "`1` or `true` judges the events and keeps none; the answer is a 200 then.";
    operation.query("dryRun", json!({"type": "string"}), what)
}

fn view() -> Value {
    json!({"eventType": "page_view", "userId": "u-1", "sessionId": "s-1",
        "eventData": {"url": "https://shop.example/shoes"}, "metadata": {"platform": "web"}})
}

fn order() -> Value {
    json!({"eventType": "order.placed", "source": "orders", "eventData": {"total": 1250}})
}

pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![batch(), commands(), plausible()];
    all.extend(segment());
    all.extend(settings());
    all.extend(imports());
    all
}

fn batch() -> Operation {
    let example = json!({"batchId": "0198c1d2-6f00-7000-8000-0000000000aa", "events": [view()]});
    let summary = "Takes a batch of a page's events";
    let operation = operation("post", "/v1/events", "takeBatch", "Ingest", summary)
        .description("A browser key is taken only from the site's own origins. 202 means durable. The body may be packed \
            (`Content-Encoding: gzip`).")
        .keys(BROWSER)
        .header(
            "Origin",
            json!({"type": "string"}),
            "The page's, as browsers send it.",
        )
        .query(
            "private",
            one_of(&["0", "1"]),
            "`1`: the visit is not to be followed.",
        )
        .query(
            "hashIds",
            one_of(&["0", "1"]),
            "`1`: a keyed hash is kept in place of each `userId`.",
        )
        .body::<Batch>("application/json", example.clone())
        .body::<Batch>("text/plain", example)
        .needs_body()
        .answers::<Answer>(
            202,
            "At least one event was accepted, a duplicate or skipped.",
            taken(),
        )
        .answers::<Answer>(200, "A dry run: nothing was kept.", taken())
        .faults(&faults())
        .faults(&[Fault::OriginNotAllowed]);
    dry_run(operation)
}

fn commands() -> Operation {
    let envelope = json!({"type": "object", "required": ["events"], "properties": {
        "batchId": {"anyOf": [uuid(), {"type": "null"}]},
        "events": {"type": "array", "minItems": 1, "maxItems": 1000,
            "items": {"$ref": "#/components/schemas/NewEvent"}}}});
    let any = json!({"type": "object"});
    let records = json!({"type": "object", "required": ["records"], "properties": {"records": {"type": "array",
        "items": {"type": "object", "required": ["value"]}, "minItems": 1, "maxItems": 1000}}});
    let list = json!({"type": "array", "items": any, "minItems": 1, "maxItems": 1000});
    let summary = "Takes events of a service, in many shapes";
    let mut operation = operation("post", "/v1/ingest", "takeEvents", "Ingest", summary);
    let item = operation.reference::<NewEvent>();
    let items = json!({"type": "array", "minItems": 1, "maxItems": 1000, "items": item});
    let operation = operation
        .description("One event, a list of them, an envelope, or JSON lines; docs/EVENTS.md tells the \
            shapes of other systems that are understood, and what becomes of them.")
        .keys(SOURCE)
        .header("Idempotency-Key", json!({"type": "string"}), "Names the request, as a `batchId` does.")
        .body_of("application/json", json!({"anyOf": [item, items, envelope]}), order())
        .body_of("application/x-ndjson", json!({"type": "string"}), format!("{}\n", order()).into())
        .body_of("application/cloudevents+json", any,
            json!({"specversion": "1.0", "type": "order.placed", "source": "/orders", "id": "1", "data": {"total": 1250}}))
        .body_of("application/cloudevents-batch+json", list,
            json!([{"specversion": "1.0", "type": "order.placed", "source": "/orders", "id": "1", "data": {"total": 1250}}]))
        .body_of("application/vnd.kafka.json.v2+json", records, json!({"records": [{"value": order()}]}))
        .needs_body()
        .answers::<Answer>(202, "At least one event was accepted, a duplicate or skipped.", taken())
        .answers::<Answer>(200, "A dry run: nothing was kept.", taken())
        .faults(&faults());
    dry_run(operation)
}

fn plausible() -> Operation {
    let example =
        json!({"n": "pageview", "u": "https://shop.example/", "d": "shop.example", "r": null});
    operation(
        "post",
        "/api/event",
        "takePlausibleEvent",
        "Other libraries",
        "Takes an event of Plausible's script",
    )
    .description("The site is found by its domain, and the page's origin must be on its list.")
    .header(
        "Origin",
        json!({"type": "string"}),
        "The page's, as browsers send it.",
    )
    .body::<PlausibleEvent>("text/plain", example.clone())
    .body::<PlausibleEvent>("application/json", example)
    .needs_body()
    .answers_of(
        202,
        "As Plausible answers.",
        "text/plain",
        json!({"const": "ok"}),
        json!("ok"),
    )
    .with_header(202, "X-Plausible-Dropped", "`1` where nothing was taken.")
    .faults(&faults())
    .faults(&[Fault::OriginNotAllowed])
}

/// The calls of Segment's API, each with its short name.
const SEGMENT: [(&str, &str, &str); 6] = [
    ("/v1/track", "/v1/t", "Track"),
    ("/v1/page", "/v1/p", "Page"),
    ("/v1/screen", "/v1/s", "Screen"),
    ("/v1/identify", "/v1/i", "Identify"),
    ("/v1/group", "/v1/g", "Group"),
    ("/v1/alias", "/v1/a", "Alias"),
];

fn segment() -> Vec<Operation> {
    let message = json!({"userId": "u-1", "messageId": "m-1", "event": "Order Placed", "properties": {"total": 12.5}});
    let mut several = message.clone();
    several["type"] = json!("track");
    let several = json!({"batch": [several]});
    let mut all = Vec::new();
    for (path, short, name) in SEGMENT {
        for (path, id) in [
            (path, format!("segment{name}")),
            (short, format!("segment{name}Short")),
        ] {
            let summary = format!(
                "Takes a message `{}` of Segment's tracking API",
                name.to_lowercase()
            );
            let operation = segment_call(path, &id, &summary)
                .body::<SegmentMessage>("application/json", message.clone())
                .body::<SegmentMessage>("text/plain", message.clone());
            all.push(operation);
        }
    }
    for (path, id) in [
        ("/v1/batch", "segmentBatch"),
        ("/v1/b", "segmentBatchShort"),
        ("/beacon/v1/batch", "rudderstackBeacon"),
    ] {
        let operation = segment_call(path, id, "Takes messages of Segment's tracking API")
            .body::<SegmentBatch>("application/json", several.clone())
            .body::<SegmentBatch>("text/plain", several.clone());
        all.push(operation);
    }
    all
}

fn segment_call(path: &'static str, id: &str, summary: &str) -> Operation {
    let mut answer = taken();
    answer["success"] = true.into();
    operation("post", path, id, "Other libraries", summary)
        .keys(&["writeKey", "writeKeyInQuery"])
        .keys(SOURCE)
        // The key may also be in the body.
        .or_nobody()
        .header(
            "Origin",
            json!({"type": "string"}),
            "The page's, with a browser key.",
        )
        .needs_body()
        .answers::<SegmentAnswer<'_>>(200, "Taken, as Segment answers.", answer)
        .faults(&faults())
        .faults(&[Fault::OriginNotAllowed])
}

fn settings() -> Vec<Operation> {
    let faults = [
        Fault::UnknownKey,
        Fault::WrongScope,
        Fault::RateLimited { retry_after_s: 30 },
        Fault::Unavailable("The key cannot be looked up right now."),
    ];
    let object = || json!({"type": "object"});
    let segment = "/v1/projects/{writeKey}/settings";
    let mut all = vec![
        operation(
            "get",
            segment,
            "segmentSettings",
            "Other libraries",
            "Tells Segment's browser library where to send",
        )
        .answers_of(
            200,
            "The settings.",
            "application/json",
            object(),
            json!({"integrations": {}}),
        )
        .faults(&faults),
    ];
    for (path, id) in [
        ("/sourceConfig", "rudderstackSettings"),
        ("/sourceConfig/", "rudderstackSettingsSlash"),
    ] {
        all.push(
            operation(
                "get",
                path,
                id,
                "Other libraries",
                "Tells RudderStack's browser library where to send",
            )
            .keys(&["writeKey", "writeKeyInQuery"])
            .keys(SOURCE)
            .answers_of(
                200,
                "The settings.",
                "application/json",
                object(),
                json!({"source": {}}),
            )
            .faults(&faults),
        );
    }
    all
}

fn imports() -> Vec<Operation> {
    let call = |method, path, id: &str, summary: &str| {
        operation(method, path, id, "Imports", summary)
            .keys(SOURCE)
            .faults(&[Fault::UnknownKey, Fault::WrongScope])
            .faults(&[Fault::Unavailable(
                "The import cannot be reached right now.",
            )])
    };
    let id = "0198c1d2-6f00-7000-8000-000000000001";
    let progress = json!({
        "importId": id, "status": "finished",
        "received": 2, "processed": 1, "duplicate": 0, "rejected": 1, "skipped": 0, "failed": 0,
        "startedAt": 1_705_334_400_000_i64, "finishedAt": 1_705_334_401_000_i64,
        "parts": {"declared": 1, "received": 1, "processed": 1},
        "bytes": {"received": 116, "processed": 116},
        "rejectedLines": [{"part": 1, "line": 2, "code": "wrong_type", "field": ""}],
        "rejectedObjects": "imports/shop/0198c1d2-6f00-7000-8000-000000000001/rejected-"});
    let part_faults = [
        Fault::LengthRequired,
        Fault::PayloadTooLarge("A part is at most 64 MiB; split the file at a line's end."),
        Fault::PackedPart,
        Fault::AlreadyExists,
        Fault::ImportClosed,
    ];
    let lines = json!({"type": "string"});
    vec![
        call("post", "/v1/imports", "createImport", "Begins an import")
            .description("With JSON lines for a body, the import is that one part.")
            .header(
                "Idempotency-Key",
                json!({"type": "string"}),
                "A second try makes the same import.",
            )
            .body::<NewImport>("application/json", json!({"parts": 2}))
            .body_of(
                "application/x-ndjson",
                lines.clone(),
                format!("{}\n", order()).into(),
            )
            .answers::<Created<'_>>(
                202,
                "It takes parts, or has its only one.",
                json!({"importId": id}),
            )
            .faults(&[Fault::malformed(
                "The body must be {\"parts\"?: n}, or JSON lines as application/x-ndjson.",
            )])
            .faults(&part_faults),
        call(
            "put",
            "/v1/imports/{importId}/parts/{part}",
            "putImportPart",
            "Uploads a part",
        )
        .description(
            "JSON lines, whatever the content type says. A part that was taken may come again.",
        )
        .body_of(
            "application/x-ndjson",
            lines,
            format!("{}\n", order()).into(),
        )
        .answers::<TakenPart<'_>>(
            202,
            "The part lies in the bucket.",
            json!({"importId": id, "part": 1, "bytes": 116}),
        )
        .faults(&[Fault::NotFound])
        .faults(&part_faults),
        call(
            "post",
            "/v1/imports/{importId}/complete",
            "completeImport",
            "Closes an import: no more parts come",
        )
        .answers::<Progress>(202, "How far it has come.", progress.clone())
        .faults(&[Fault::NotFound]),
        call(
            "get",
            "/v1/imports/{importId}",
            "importProgress",
            "Tells how far an import has come",
        )
        .answers::<Progress>(200, "How far it has come.", progress)
        .faults(&[Fault::NotFound]),
    ]
}

/// The stored event, for those who answer some.
pub(super) fn stored_event() -> Value {
    json!({"eventId": "0198c1d2-6f00-7000-8000-000000000001", "eventType": "page_view", "siteId": "shop",
        "source": "tracker", "userId": "u-1", "sessionId": "s-1", "timestamp": 1_705_334_400_000_i64,
        "receivedAt": 1_705_334_400_100_i64, "schemaVersion": 1, "country": "DE",
        "eventData": {"url": "https://shop.example/shoes"}, "metadata": {"platform": "web"}})
}
