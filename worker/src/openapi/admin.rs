//! What the admin calls, and the description itself.

use serde_json::{Value, json};

use super::dashboard::{EVENT_CURSOR, chosen, paged};
use super::ingest::stored_event;
use super::operation::{Operation, admin, one_of, operation, whole};
use super::shapes::{DeadLetters, Export, Keys, RebuildCall, Sites};
use crate::admin::archives::{Archives, Body as NewArchives};
use crate::admin::users::Erased;
use crate::admin::{NewKey, NewSite, ShownKey};
use crate::dead_letter::{Reason, Replayed, Selection};
use crate::http::error::Fault;
use crate::upkeep::rebuild::Step;
use crate::upkeep::repairs::Answer as Mended;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = sites();
    all.extend(keys());
    all.extend(archives());
    all.extend(users());
    all.extend(dead_letters());
    all.push(repairs());
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

fn archives() -> Vec<Operation> {
    let path = "/v1/sites/{siteId}/archives";
    let one = json!({"archives": 1, "change": null});
    let change = json!({"archives": 1,
        "change": {"archives": 4, "phase": "copying", "waitingFor": null}});
    let bad = Fault::Malformed {
        field: Some("archives"),
        detail: "archives is a whole number from 1 to 16.",
    };
    vec![
        admin(
            "get",
            path,
            "siteArchives",
            "How many archives a site has, and is getting",
        )
        .answers::<Archives>(200, "The number.", one.clone())
        .faults(&[Fault::NotFound]),
        admin(
            "post",
            path,
            "changeArchives",
            "Gives a site another number of archives",
        )
        .body::<NewArchives>("application/json", json!({"archives": 4}))
        .needs_body()
        .answers::<Archives>(200, "The site has so many.", one.clone())
        .answers::<Archives>(202, "It is getting so many; ask again.", change.clone())
        .faults(&[
            bad,
            Fault::NotFound,
            Fault::Conflict("The site gets another number of archives already."),
        ]),
        admin(
            "delete",
            path,
            "keepArchives",
            "Cancels another number of archives",
        )
        .answers::<Archives>(200, "There is none under way.", one)
        .answers::<Archives>(202, "It is being taken back; ask again.", change)
        .faults(&[
            Fault::NotFound,
            Fault::Conflict("The new archives are the site's already."),
        ]),
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
    )
    .faults(&[Fault::Conflict(
        "The site gets another number of archives; erase the user when it has.",
    )]);
    vec![
        of_site(chosen(paged(export, 50, EVENT_CURSOR))),
        of_site(erase),
    ]
}

fn repairs() -> Operation {
    let repair = json!({"repairedAt": 1_705_334_400_000_i64, "siteId": "shop", "date": "2024-01-14",
        "model": "breakdowns", "key": "page /", "was": 3, "isNow": 4});
    let list = admin(
        "get",
        "/v1/repairs",
        "listRepairs",
        "Sums that the hourly recount mended, the latest first",
    )
    .query("siteId", json!({"type": "string"}), "Only of this site.")
    .answers::<Mended>(
        200,
        "A page.",
        json!({"repairs": [repair], "nextCursor": null}),
    );
    paged(list, 50, "^[1-9][0-9]{0,14}$")
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
            json!({"replayed": 1, "missing": 0, "refused": 0, "more": false}),
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
