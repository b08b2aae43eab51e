//! What the admin calls, and the description itself.

use serde_json::{Value, json};

use super::dashboard::{EVENT_CURSOR, paged};
use super::ingest::stored_event;
use super::operation::{Operation, admin, one_of, operation, whole};
use super::shapes::{DeadLetters, Export, Keys, RebuildCall, Sites};
use crate::admin::users::Erased;
use crate::admin::{NewKey, NewSite, ShownKey};
use crate::dead_letter::{Reason, Replayed, Selection};
use crate::http::error::Fault;
use crate::upkeep::rebuild::Step;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = sites();
    all.extend(keys());
    all.extend(users());
    all.extend(dead_letters());
    all.push(rebuild());
    all.push(description());
    all
}

fn site() -> Value {
    json!({"siteId": "shop", "name": "The shop", "origins": ["https://shop.example"], "hashRouting": false,
        "keepBots": false})
}

fn bad_site() -> Fault {
    Fault::Malformed {
        field: Some("siteId"),
        detail: "siteId must be 1 to 40 of a-z, 0-9 and -.",
    }
}

fn sites() -> Vec<Operation> {
    vec![
        admin("get", "/v1/sites", "listSites", "All sites").answers::<Sites>(
            200,
            "The sites.",
            json!({"sites": [site()]}),
        ),
        admin("post", "/v1/sites", "makeSite", "Makes a site")
            .body::<NewSite>("application/json", site())
            .needs_body()
            .answers::<NewSite>(201, "The site.", site())
            .faults(&[bad_site(), Fault::AlreadyExists]),
        admin(
            "put",
            "/v1/sites/{siteId}",
            "replaceSite",
            "Replaces all that is set of a site",
        )
        .body::<NewSite>("application/json", site())
        .needs_body()
        .answers::<NewSite>(200, "The site; in force within a minute.", site())
        .faults(&[bad_site(), Fault::NotFound, Fault::AlreadyExists]),
    ]
}

fn keys() -> Vec<Operation> {
    let id = "0123456789abcdef";
    let bad = Fault::Malformed {
        field: Some("kind"),
        detail: "kind must be browser, source or read.",
    };
    vec![
        admin(
            "get",
            "/v1/sites/{siteId}/keys",
            "listKeys",
            "A site's keys, never a key itself",
        )
        .faults(&[Fault::NotFound])
        .answers::<Keys>(
            200,
            "The keys.",
            json!({"keys": [{"keyId": id, "kind": "read",
                "createdAt": 1_705_334_400_000_i64, "expiresAt": null, "revokedAt": null}]}),
        ),
        admin(
            "post",
            "/v1/sites/{siteId}/keys",
            "makeKey",
            "Makes a key, which is shown this once",
        )
        .body::<NewKey>("application/json", json!({"kind": "browser"}))
        .needs_body()
        .answers::<ShownKey>(
            201,
            "The key.",
            json!({"keyId": id, "siteId": "shop", "kind": "browser",
                "key": "slb_shop_abcdefghijklmnopqrstuvwxyz"}),
        )
        .faults(&[bad, Fault::NotFound]),
        admin(
            "delete",
            "/v1/sites/{siteId}/keys/{keyId}",
            "endKey",
            "Ends a key",
        )
        .query(
            "after",
            whole(0, 2_592_000),
            "Seconds that it lives on, at most 30 days.",
        )
        .checked("after")
        .answers_nothing(204, "It stops working within a minute, or then.")
        .faults(&[Fault::NotFound]),
    ]
}

fn users() -> Vec<Operation> {
    let of_site = |operation: Operation| {
        operation
            .query(
                "siteId",
                json!({"type": "string", "pattern": "^[a-z0-9-]{1,40}$"}),
                "The user's site.",
            )
            .required(json!("shop"))
            .checked("siteId")
    };
    let export = admin("get", "/v1/analytics/users/{userId}/export", "exportUser", "All that is known of a user")
        .query("eventType", json!({"type": "string"}), "Only events of this type.")
        .answers::<Export>(200, "Profile, and a page of events.", json!({"userId": "u-1",
            "profile": {"firstSeenAt": 1_705_334_400_000_i64, "registeredAt": null, "erasedAt": null,
            "activeDays": ["2024-01-15"]}, "events": [stored_event()], "nextCursor": null}));
    let erase = admin(
        "delete",
        "/v1/analytics/users/{userId}",
        "eraseUser",
        "Makes a user's stored events nameless",
    )
    .description("At most 20,000 events a call; doing it again does nothing.")
    .answers::<Erased>(
        200,
        "How many, and whether that was all.",
        json!({"events": 3, "complete": true}),
    );
    vec![of_site(paged(export, 50, EVENT_CURSOR)), of_site(erase)]
}

fn dead_letters() -> Vec<Operation> {
    let codes = Reason::ALL.map(Reason::code);
    let letter = json!({"siteId": "shop", "partId": "0198c1d2-0", "code": "not_stored", "detail": "string or blob too big",
        "receivedAt": 1_705_334_400_000_i64, "events": 25, "firstAt": 1_705_334_460_000_i64,
        "lastAt": 1_705_334_460_000_i64, "tries": 1, "objectKey": "dead-letters/shop/0198c1d2-0.json"});
    let list = admin(
        "get",
        "/v1/dead-letters",
        "listDeadLetters",
        "What could not be stored, oldest first",
    )
    .query("siteId", json!({"type": "string"}), "Only of this site.")
    .query("code", one_of(&codes), "Only with this code.")
    .checked("code")
    .answers::<DeadLetters>(
        200,
        "A page.",
        json!({"deadLetters": [letter], "nextCursor": null}),
    );
    vec![
        paged(list, 50, "^[0-9]{1,15}/[^/]*/"),
        admin(
            "post",
            "/v1/dead-letters/replay",
            "replayDeadLetters",
            "Tries to store dead letters again",
        )
        .description("`{all: true}`, or one or more of `siteId`, `code` and `partIds`.")
        .body::<Selection>("application/json", json!({"siteId": "shop"}))
        .also(selected())
        .needs_body()
        .answers::<Replayed>(
            202,
            "They are on their way.",
            json!({"replayed": 1, "missing": 0, "more": false}),
        )
        .faults(&[Fault::malformed(
            "The body must be {all: true} or one or more of {siteId, code, partIds}, and \
                perhaps force.",
        )]),
    ]
}

/// What a selection's type cannot say: all of them, or some.
fn selected() -> Value {
    let given =
        |name: &str, of: &str| json!({"required": [name], "properties": {name: {"type": of}}});
    let none = json!({"type": "null"});
    json!({"anyOf": [
        {"required": ["all"], "properties": {"all": {"const": true}, "siteId": none, "code": none, "partIds": none}},
        {"properties": {"all": {"const": false}},
            "anyOf": [given("siteId", "string"), given("code", "string"), given("partIds", "array")]},
    ]})
}

fn rebuild() -> Operation {
    let cursor =
        json!({"key": "events/date=2026-01-31/hour=07/shop-0-0198c1d2-00000001.ndjson.gz"});
    admin(
        "post",
        "/v1/rebuild",
        "rebuild",
        "A step of the rebuild from the lake",
    )
    .body::<RebuildCall>(
        "application/json",
        json!({"startDate": "2026-01-31", "endDate": "2026-01-31"}),
    )
    .needs_body()
    .answers::<Step>(
        200,
        "Some lines of one object are in the archive; send `cursor` with the next call.",
        json!({"waiting": 0, "object": cursor["key"], "events": 25, "cursor": cursor}),
    )
    .answers::<Step>(
        202,
        "Events of these days are on their way to the lake; ask again.",
        json!({"waiting": 3, "events": 0, "cursor": null}),
    )
    .faults(&[Fault::malformed(
        "The body must be {startDate, endDate, cursor?}.",
    )])
    .checked("startDate")
    .faults(&[Fault::Conflict(
        "D1 has counts of a day whose ids it has forgotten.",
    )])
}

fn description() -> Operation {
    let example = json!({"openapi": "3.1.0"});
    operation(
        "get",
        super::PATH,
        "description",
        "System",
        "This description",
    )
    .or_nobody()
    .answers_of(
        200,
        "OpenAPI 3.1.",
        "application/json",
        json!({"type": "object", "required": ["openapi"]}),
        example,
    )
    .answers_nothing(304, "Nothing changed.")
}
