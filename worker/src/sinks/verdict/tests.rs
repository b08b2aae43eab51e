use super::*;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Answer {
        status,
        headers,
        body: body.to_owned(),
    }
}

fn xml(code: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>m</Message></Error>")
}

#[test]
fn codes_are_read_wherever_a_service_puts_them() {
    for (answer, code) in [
        (answer(404, &[], &xml("NoSuchBucket")), "NoSuchBucket"),
        (
            answer(
                400,
                &[],
                r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#,
            ),
            "QueueDoesNotExist",
        ),
        (
            answer(400, &[], r#"{"code":"ValidationException"}"#),
            "ValidationException",
        ),
        (
            answer(
                400,
                &[("x-amzn-errortype", "AccessDeniedException:http://i/")],
                "{}",
            ),
            "AccessDeniedException",
        ),
        (answer(502, &[], "<html>bad gateway"), "http_502"),
        (answer(403, &[], &xml("a\nforged log line")), "http_403"),
        (answer(403, &[], &xml(&"x".repeat(65))), "http_403"),
        (answer(403, &[], "{\"__type\": 7}"), "http_403"),
    ] {
        assert_eq!(judge(&answer).code, code);
    }
}

#[test]
fn what_passes_and_what_lasts_is_told_by_code_and_then_by_status() {
    use FailureKind::{Lasting, Passing};
    for (answer, kind) in [
        (answer(500, &[], ""), Passing),
        (answer(503, &[], &xml("SlowDown")), Passing),
        (answer(429, &[], ""), Passing),
        (answer(408, &[], ""), Passing),
        (
            answer(409, &[], &xml("ConditionalRequestConflict")),
            Passing,
        ),
        (answer(307, &[], ""), Passing),
        (
            answer(400, &[], r#"{"__type":"ThrottlingException"}"#),
            Passing,
        ),
        (answer(400, &[], &xml("RequestTimeout")), Passing),
        (answer(403, &[], &xml("RequestTimeTooSkewed")), Passing),
        (answer(403, &[], &xml("SignatureDoesNotMatch")), Lasting),
        (answer(403, &[], ""), Lasting),
        (answer(403, &[], &xml("InvalidAccessKeyId")), Lasting),
        (answer(400, &[], &xml("ExpiredToken")), Lasting),
        (answer(404, &[], &xml("NoSuchBucket")), Lasting),
        (answer(301, &[], &xml("PermanentRedirect")), Lasting),
        (
            answer(400, &[], r#"{"__type":"ResourceNotFoundException"}"#),
            Lasting,
        ),
        (answer(413, &[], ""), Lasting),
    ] {
        assert_eq!(judge(&answer).kind, kind, "{answer:?}");
    }
}

#[test]
fn retry_after_is_read_in_seconds() {
    let asked = |value: &str| judge(&answer(503, &[("retry-after", value)], "")).retry_after_ms;
    assert_eq!(asked("7"), Some(7_000));
    assert_eq!(asked("0"), Some(0));
    assert_eq!(asked("Fri, 21 Nov 2026 03:00:00 GMT"), None);
    assert_eq!(asked("-1"), None);
    assert_eq!(asked("18446744073709551615"), None);
}

#[test]
fn an_entry_is_refused_only_for_what_it_is_itself() {
    assert_eq!(
        judge_entry("MalformedDetail", false),
        Entry::Refused("MalformedDetail".into())
    );
    assert_eq!(
        judge_entry("InternalFailure", true),
        Entry::Failed(Failure::passing("InternalFailure"))
    );
    assert_eq!(
        judge_entry("ServiceUnavailableException", false),
        Entry::Failed(Failure::passing("ServiceUnavailableException"))
    );
    assert_eq!(
        judge_entry("NotAuthorized", true),
        Entry::Failed(Failure::lasting("NotAuthorized"))
    );
}

#[test]
fn codes_that_pass_are_sorted_and_unique() {
    assert!(PASSING_CODES.windows(2).all(|pair| pair[0] < pair[1]));
}
