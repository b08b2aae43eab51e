//! What an answer means: done, a failure that passes, or one that lasts until somebody mends it.

use super::http::{Answer, NoAnswer};

/// Whether a failure passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Overload, outage, a broken connection: try again with backoff.
    Passing,
    /// A wrong secret, a missing bucket, a missing permission: it lasts until somebody mends it, and
    /// is tried again at long intervals.
    Lasting,
}

/// A request that did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whether it passes.
    pub kind: FailureKind,
    /// The sink's error code, or ours: `[A-Za-z0-9._:-]{1,64}`, free of user data.
    pub code: String,
    /// How long the sink asked to be left alone, milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure that passes.
    pub fn passing(code: &str) -> Self {
        Self {
            kind: FailureKind::Passing,
            code: short_code(code),
            retry_after_ms: None,
        }
    }

    /// A failure that lasts.
    pub fn lasting(code: &str) -> Self {
        Self {
            kind: FailureKind::Lasting,
            ..Self::passing(code)
        }
    }
}

impl From<NoAnswer> for Failure {
    fn from(none: NoAnswer) -> Self {
        Self::passing(none.0)
    }
}

/// What became of one entry of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The sink has it.
    Taken,
    /// It did not get through, by no fault of its own: send it again.
    Failed(Failure),
    /// The sink will never take this entry; its code. It is reported, and not sent again.
    Refused(String),
}

/// Codes that pass although their status says 4xx: throttling, timeouts, races, clocks.
const PASSING_CODES: [&str; 28] = [
    "BandwidthLimitExceeded",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InternalError",
    "InternalException",
    "InternalFailure",
    "InternalServiceFault",
    "KMSThrottlingException",
    "KmsThrottled",
    "LimitExceededException",
    "OperationAborted",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Codes that are about the entry that they stand for, and nothing else.
const ENTRY_CODES: [&str; 5] = [
    "InvalidArgument",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "MalformedDetail",
    "MessageTooLong",
];

/// Judges an answer that is not a success.
///
/// Codes go before statuses: AWS throttles with 400. Without a known code, 408, 409, 425, 429, 5xx
/// and 307 pass; any other status lasts (301 is a wrong region).
pub fn judge(answer: &Answer) -> Failure {
    let code = code_of(answer);
    let by_status = matches!(answer.status, 0 | 307 | 408 | 409 | 425 | 429 | 500..);
    let passing = by_status
        || code
            .as_deref()
            .is_some_and(|code| PASSING_CODES.contains(&code));
    Failure {
        kind: if passing {
            FailureKind::Passing
        } else {
            FailureKind::Lasting
        },
        code: code.unwrap_or_else(|| format!("http_{}", answer.status)),
        retry_after_ms: retry_after_ms(answer),
    }
}

/// Judges the code of one entry. `sender_fault` is SQS's word for an entry that is wrong itself.
pub(super) fn judge_entry(code: &str, sender_fault: bool) -> Entry {
    let code = short_code(code);
    if ENTRY_CODES.contains(&code.as_str()) {
        Entry::Refused(code)
    } else if PASSING_CODES.contains(&code.as_str()) {
        Entry::Failed(Failure::passing(&code))
    } else if sender_fault {
        // A code that is not known, and would be the same for every entry (a missing permission):
        // to drop events for it would lose all of them.
        Entry::Failed(Failure::lasting(&code))
    } else {
        Entry::Failed(Failure::passing(&code))
    }
}

/// The error code that an answer names: in S3's XML, or in the header or body of the JSON protocols.
fn code_of(answer: &Answer) -> Option<String> {
    if let Some(header) = answer.header("x-amzn-errortype") {
        return known_form(header);
    }
    if let Some((_, rest)) = answer.body.split_once("<Code>") {
        return known_form(rest.split('<').next().unwrap_or_default());
    }
    #[derive(serde::Deserialize)]
    struct Body {
        #[serde(alias = "code", alias = "Code", rename = "__type")]
        kind: String,
    }
    let body: Body = serde_json::from_str(&answer.body).ok()?;
    known_form(&body.kind)
}

/// `com.amazonaws.sqs#QueueDoesNotExist:http://…` is `QueueDoesNotExist`; what has not the form of a
/// code is none.
fn known_form(text: &str) -> Option<String> {
    let text = text.rsplit_once('#').map_or(text, |(_, name)| name);
    let text = text.split(':').next().unwrap_or_default().trim();
    let good = (1..=MAX_CODE).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    good.then(|| text.to_owned())
}

/// Characters of a code at most; AWS's longest has 46.
const MAX_CODE: usize = 64;

/// A code as it may be logged and shown.
pub fn short_code(code: &str) -> String {
    known_form(code).unwrap_or_else(|| "unknown".to_owned())
}

/// `Retry-After` in seconds; a date is not looked at, for a backoff that grows does as well.
fn retry_after_ms(answer: &Answer) -> Option<u64> {
    let seconds: u64 = answer.header("retry-after")?.trim().parse().ok()?;
    seconds.checked_mul(1_000)
}

#[cfg(test)]
mod tests;
