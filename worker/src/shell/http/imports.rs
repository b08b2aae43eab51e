//! The calls of imports: a source key, its own site's imports, and bodies that stream to the bucket.

use worker::{Data, Env, Request, Response, Result};

use crate::access::auth::Grant;
use crate::endpoints::ImportCall;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::import::{
    Added, Call, Created, NewImport, PartNumber, Place, Progress, TakenPart, UploadedPart,
    check_grant, check_part, id_of_key, import_id, new_import, part_number, register_import,
};
use crate::ingest::adapters::is_lines;
use crate::shell::http::asking::{address, body_within};
use crate::shell::http::reply::{Cors, json, problem};
use crate::shell::platform::bindings::LAKE;
use crate::shell::platform::clients::import_do::ImportDo;
use crate::shell::platform::clock::{Ids, now_ms};
use crate::shell::platform::d1;
use crate::shell::platform::keys;
use crate::shell::platform::limiter;
use crate::shell::platform::log;

/// Bytes of a body that makes an import: a number and its name.
const MAX_CREATE_BYTES: usize = 4 * 1024;

type Answer = std::result::Result<(u16, String), Fault>;

/// Answers a call of imports.
pub(crate) async fn imports(
    call: ImportCall,
    import: &str,
    part: &str,
    request: Request,
    env: &Env,
) -> Result<Response> {
    match answer(call, import, part, request, env).await {
        Ok((status, text)) => json(status, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

async fn answer(call: ImportCall, import: &str, part: &str, request: Request, env: &Env) -> Answer {
    let call = match call {
        ImportCall::Create => Call::Create,
        ImportCall::Progress => Call::Progress(import_id(import)?),
        ImportCall::Part => Call::Part(import_id(import)?, part_number(part)?),
        ImportCall::Complete => Call::Complete(import_id(import)?),
    };
    let header = |name| request.headers().get(name).ok().flatten();
    let facts = RequestFacts {
        authorization: header("authorization"),
        content_type: header("content-type"),
        content_encoding: header("content-encoding"),
        idempotency_key: header("idempotency-key"),
        ip: address(&request),
        ..RequestFacts::default()
    };
    let length: Option<u64> = header("content-length").and_then(|length| length.parse().ok());
    let looked = limiter::of_strangers(env, facts.ip.as_deref(), async {
        let key = facts.key().ok_or(Fault::UnknownKey)?;
        keys::grant(env, None, &key, now_ms()).await
    });
    let grant = looked.await?;
    check_grant(&grant)?;
    match call {
        Call::Create => create(&facts, length, &grant, &request, env).await,
        Call::Part(import_id, n) => {
            let length = check_part(length, facts.content_encoding.as_deref())?;
            let place = place_of(&grant, &import_id);
            let known = ImportDo::of(env, place).is_open().await;
            // A part that was taken may come again after the import was closed: it is compared.
            if known.map_err(unavailable)?.is_none() {
                return Err(Fault::NotFound);
            }
            let part = upload(place, n, length, &request, env).await?;
            add(place, &part, env).await?;
            let taken = TakenPart {
                import_id: &import_id,
                part: n,
                bytes: part.bytes,
            };
            Ok((202, serde_json::to_string(&taken).unwrap_or_default()))
        }
        Call::Complete(import_id) => {
            let place = place_of(&grant, &import_id);
            told(ImportDo::of(env, place).complete().await, 202)
        }
        Call::Progress(import_id) => {
            let place = place_of(&grant, &import_id);
            told(ImportDo::of(env, place).progress().await, 200)
        }
    }
}

/// Makes an import; with JSON lines for a body, one that is done with this one part.
async fn create(
    facts: &RequestFacts,
    length: Option<u64>,
    grant: &Grant,
    request: &Request,
    env: &Env,
) -> Answer {
    let import_id = match &facts.idempotency_key {
        Some(key) => id_of_key(&grant.site, key),
        None => fresh_id()?,
    };
    let place = place_of(grant, &import_id);
    let mut new = NewImport {
        import_id: import_id.clone(),
        parts: Some(1),
        hash_routing: grant.hash_routing,
    };
    let part = if is_lines(facts.content_type.as_deref()) {
        let length = check_part(length, facts.content_encoding.as_deref())?;
        Some(upload(place, 1, length, request, env).await?)
    } else {
        new.parts = new_import(&small_body(request).await?)?;
        None
    };
    let known = register_import(place.site, place.import_id);
    if let Err(error) = d1::rows::<serde::de::IgnoredAny>(env, &known).await {
        // For the cron alone: the import sets an alarm of its own.
        log::error("imports", error);
    }
    let created = ImportDo::of(env, place).create(&new).await;
    created.map_err(unavailable)?;
    if let Some(part) = part {
        add(place, &part, env).await?;
    }
    let created = Created {
        import_id: &import_id,
    };
    Ok((202, serde_json::to_string(&created).unwrap_or_default()))
}

async fn small_body(request: &Request) -> std::result::Result<Vec<u8>, Fault> {
    let over = Fault::PayloadTooLarge(
        "To send lines with this call, name their type: application/x-ndjson.",
    );
    body_within(request, MAX_CREATE_BYTES, over).await
}

/// Streams a body to the bucket, under a key of this try's own.
async fn upload(
    place: Place<'_>,
    n: PartNumber,
    length: u64,
    request: &Request,
    env: &Env,
) -> std::result::Result<UploadedPart, Fault> {
    let failed = |error: worker::Error| {
        log::error("imports", error);
        Fault::Unavailable("The part could not be stored right now.")
    };
    let key = place.upload(n, &fresh_id()?);
    let body = match request.inner().body() {
        Some(stream) if length > 0 => Data::ReadableStream(stream),
        _ => Data::Bytes(Vec::new()),
    };
    let bucket = env.bucket(LAKE).map_err(failed)?;
    let object = bucket.put(&key, body).execute().await.map_err(failed)?;
    let Some(object) = object else {
        return Err(Fault::Unavailable(
            "The part could not be stored right now.",
        ));
    };
    Ok(UploadedPart {
        n,
        key,
        bytes: i64::try_from(object.size()).unwrap_or(i64::MAX),
        etag: object.etag(),
    })
}

/// Tells the import of a part that was uploaded. An upload that is not needed is deleted.
async fn add(place: Place<'_>, part: &UploadedPart, env: &Env) -> std::result::Result<(), Fault> {
    let added = ImportDo::of(env, place).add_part(part).await;
    let added = added.map_err(unavailable)?;
    if added != Some(Added::New)
        && let Err(error) = delete(&part.key, env).await
    {
        // What is left over goes with the import's other uploads.
        log::error("imports", error);
    }
    match added {
        None => Err(Fault::NotFound),
        Some(Added::New | Added::Known) => Ok(()),
        Some(Added::Different) => Err(Fault::AlreadyExists),
        Some(Added::Closed) => Err(Fault::ImportClosed),
    }
}

async fn delete(key: &str, env: &Env) -> Result<()> {
    env.bucket(LAKE)?.delete(key).await
}

/// Where an import is: its site is the key's, so another's is another object.
fn place_of<'a>(grant: &'a Grant, import_id: &'a str) -> Place<'a> {
    Place {
        site: &grant.site,
        import_id,
    }
}

/// How far an import is.
fn told(progress: Result<Option<Progress>>, status: u16) -> Answer {
    let progress = progress.map_err(unavailable)?.ok_or(Fault::NotFound)?;
    Ok((status, serde_json::to_string(&progress).unwrap_or_default()))
}

fn unavailable(error: worker::Error) -> Fault {
    log::error("import_do", error);
    Fault::Unavailable("The import cannot be reached right now.")
}

fn fresh_id() -> std::result::Result<String, Fault> {
    match Ids::new() {
        Ok(ids) => Ok(ids.next(now_ms())),
        Err(error) => {
            log::error("random", error);
            Err(Fault::Unavailable("An import cannot be made right now."))
        }
    }
}
