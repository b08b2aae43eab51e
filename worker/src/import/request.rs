//! What a request about imports asks for.

use serde::{Deserialize, Serialize};
use shoreline_shared::id;

use super::{MAX_PART_BYTES, MAX_PARTS};
use crate::access::auth::{Grant, KeyKind};
use crate::base::json;
use crate::base::whole;
use crate::http::error::Fault;
use crate::http::known;

/// A part's number, 1 to [`MAX_PARTS`].
pub type PartNumber = i64;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `POST /v1/imports`.
    Create,
    /// `PUT /v1/imports/{id}/parts/{n}`.
    Part(String, PartNumber),
    /// `POST /v1/imports/{id}/complete`.
    Complete(String),
    /// `GET /v1/imports/{id}`.
    Progress(String),
}

/// The body of the 202 that makes an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ImportCreated))]
#[serde(rename_all = "camelCase")]
pub struct Created<'a> {
    /// Its id.
    pub import_id: &'a str,
}

/// The body of the 202 to a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TakenPart<'a> {
    /// The import.
    pub import_id: &'a str,
    /// The part's number.
    pub part: PartNumber,
    /// Its bytes.
    pub bytes: i64,
}

/// The id of an import, as it stands in a path.
///
/// # Errors
/// 404 for what is no UUID.
pub fn import_id(text: &str) -> Result<String, Fault> {
    id::parse_uuid(text).ok_or(Fault::NotFound)
}

/// A part's number, as it stands in a path.
///
/// # Errors
/// 404 for what is none.
pub fn part_number(text: &str) -> Result<PartNumber, Fault> {
    let number = text.parse().ok();
    number
        .filter(|number| part_numbers().contains(number))
        .ok_or(Fault::NotFound)
}

fn part_numbers() -> std::ops::RangeInclusive<i64> {
    1..=i64::from(MAX_PARTS)
}

/// Fields of a new import.
pub const FIELDS: &[&str] = &["parts"];

/// The body of `POST /v1/imports`, `{"parts"?: n}`, or nothing: how many parts there will be.
///
/// # Errors
/// 400.
pub fn new_import(body: &[u8]) -> Result<Option<i64>, Fault> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "whole::optional")]
        parts: Option<i64>,
    }
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    known::fields_of(body, FIELDS)?;
    let body: Body = json::read(body).map_err(|_| {
        Fault::malformed("The body must be {\"parts\"?: n}, or JSON lines as application/x-ndjson.")
    })?;
    match body.parts {
        Some(n) if !part_numbers().contains(&n) => Err(Fault::Malformed {
            field: Some("parts"),
            detail: "parts must be 1 to 9999.",
        }),
        parts => Ok(parts),
    }
}

/// Whether the holder of this grant may import.
///
/// # Errors
/// 403.
pub fn check_grant(grant: &Grant) -> Result<(), Fault> {
    if grant.kind == KeyKind::Source {
        Ok(())
    } else {
        Err(Fault::WrongScope)
    }
}

/// Whether a part of this length and encoding may come in.
///
/// # Errors
/// 411 without a length, 413, 415 for one that is packed: it could not be read from its middle.
pub fn check_part(length: Option<u64>, encoding: Option<&str>) -> Result<u64, Fault> {
    let encoding = encoding.map(str::trim).unwrap_or_default();
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Err(Fault::PackedPart);
    }
    let length = length.ok_or(Fault::LengthRequired)?;
    if length > MAX_PART_BYTES {
        return Err(Fault::PayloadTooLarge(
            "A part is at most 64 MiB; split the file at a line's end.",
        ));
    }
    Ok(length)
}

/// The id of an import that is made with an `Idempotency-Key`: the same for every try.
pub fn id_of_key(site: &str, key: &str) -> String {
    id::foreign(site, &format!("import:{key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198c1d2-0000-7000-8000-00000000000a";

    #[test]
    fn imports_and_parts_are_known_by_their_names() {
        assert_eq!(import_id(ID), Ok(ID.into()));
        assert_eq!(import_id(&ID.to_uppercase()), Ok(ID.into()));
        assert_eq!(part_number("9999"), Ok(9_999));
        for bad in ["x", "..", ""] {
            assert_eq!(import_id(bad), Err(Fault::NotFound), "{bad}");
        }
        for bad in ["0", "10000", "a", ""] {
            assert_eq!(part_number(bad), Err(Fault::NotFound), "{bad}");
        }
    }

    #[test]
    fn an_import_may_say_how_many_parts_it_has() {
        assert_eq!(new_import(b""), Ok(None));
        assert_eq!(new_import(b"{}"), Ok(None));
        assert_eq!(new_import(b" {\"parts\": 7}"), Ok(Some(7)));
        assert_eq!(new_import(b"{\"parts\":7.0}"), Ok(Some(7)));
        for body in [
            "{\"parts\":0}",
            "{\"parts\":10000}",
            "{\"parts\":\"1\"}",
            "[",
            "{\"a\":1}\n{\"b\":2}",
        ] {
            assert_eq!(
                new_import(body.as_bytes()).unwrap_err().status(),
                400,
                "{body}"
            );
        }
    }

    #[test]
    fn a_part_is_bounded_and_told_its_length() {
        assert_eq!(check_part(Some(MAX_PART_BYTES), None), Ok(MAX_PART_BYTES));
        assert_eq!(check_part(Some(0), Some("identity")), Ok(0));
        let status = |length, encoding| check_part(length, encoding).unwrap_err().status();
        assert_eq!(status(Some(MAX_PART_BYTES + 1), None), 413);
        assert_eq!(status(None, None), 411);
        assert_eq!(status(Some(1), Some("gzip")), 415);
    }

    #[test]
    fn only_services_import() {
        for (kind, ok) in [
            (KeyKind::Source, true),
            (KeyKind::Browser, false),
            (KeyKind::Read, false),
        ] {
            assert_eq!(check_grant(&crate::testing::a_grant(kind)).is_ok(), ok);
        }
        assert_ne!(id_of_key("a", "k"), id_of_key("b", "k"));
    }
}
