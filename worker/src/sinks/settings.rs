//! Which sinks a deployment has, from its variables and secrets.

mod checks;

use checks::{
    is_bucket, is_bus, is_endpoint, is_key_id, is_prefix, is_queue_url, is_region,
    is_source_prefix, is_stream, is_token,
};

use super::aws::Service;
use super::credentials::{Credentials, Secret};
use super::sigv4::{fingerprint, split_url};
use super::{EventBridge, Firehose, RecordSink, S3, SinkKind, Sqs};
use crate::base::settings::ConfigError;

/// A sink that is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// The bucket binding `LAKE`.
    R2,
    /// S3.
    S3(S3),
    /// Firehose.
    Firehose(Firehose),
    /// EventBridge.
    EventBridge(EventBridge),
    /// SQS.
    Sqs(Sqs),
}

impl Sink {
    /// Its kind.
    pub fn kind(&self) -> SinkKind {
        match self {
            Self::R2 => SinkKind::R2,
            Self::S3(_) => SinkKind::S3,
            Self::Firehose(_) => SinkKind::Firehose,
            Self::EventBridge(_) => SinkKind::EventBridge,
            Self::Sqs(_) => SinkKind::Sqs,
        }
    }

    /// The sink as one that takes records.
    pub fn records(&self) -> Option<&dyn RecordSink> {
        match self {
            Self::R2 | Self::S3(_) => None,
            Self::Firehose(sink) => Some(sink),
            Self::EventBridge(sink) => Some(sink),
            Self::Sqs(sink) => Some(sink),
        }
    }

    /// What changes with its settings and secrets: a sink that failed is tried at once when somebody
    /// has mended them.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::R2 => fingerprint(["r2"]),
            Self::S3(sink) => sink.service.fingerprint(&[&sink.prefix]),
            Self::Firehose(sink) => sink.service.fingerprint(&[&sink.stream]),
            Self::EventBridge(sink) => {
                let own = [sink.bus.as_str(), &sink.source_prefix];
                sink.service.fingerprint(&own)
            }
            Self::Sqs(sink) => sink.service.fingerprint(&[&sink.queue_url]),
        }
    }
}

/// The sinks of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinksConfig {
    /// Each kind once, one at least.
    pub sinks: Vec<Sink>,
}

/// A sink's variables and what is said where one is wrong.
struct Names {
    endpoint: &'static str,
    region: &'static str,
    key_id: &'static str,
    secret: &'static str,
    token: &'static str,
    wrong_endpoint: ConfigError,
    wrong_region: ConfigError,
    wrong_key_id: ConfigError,
    wrong_secret: ConfigError,
    wrong_token: ConfigError,
}

macro_rules! names {
    ($sink:literal) => {
        Names {
            endpoint: concat!($sink, "_ENDPOINT"),
            region: concat!($sink, "_REGION"),
            key_id: concat!($sink, "_ACCESS_KEY_ID"),
            secret: concat!($sink, "_SECRET_ACCESS_KEY"),
            token: concat!($sink, "_SESSION_TOKEN"),
            wrong_endpoint: ConfigError(concat!(
                $sink,
                "_ENDPOINT must be an https URL without a path (http for this machine alone)."
            )),
            wrong_region: ConfigError(concat!(
                $sink,
                "_REGION (or AWS_REGION) must be set, as in eu-central-1."
            )),
            wrong_key_id: ConfigError(concat!(
                "The secret ",
                $sink,
                "_ACCESS_KEY_ID (or AWS_ACCESS_KEY_ID) must be set, without spaces."
            )),
            wrong_secret: ConfigError(concat!(
                "The secret ",
                $sink,
                "_SECRET_ACCESS_KEY (or AWS_SECRET_ACCESS_KEY) must be set, without spaces."
            )),
            wrong_token: ConfigError(concat!(
                "The secret ",
                $sink,
                "_SESSION_TOKEN (or AWS_SESSION_TOKEN) must have no spaces."
            )),
        }
    };
}

impl SinksConfig {
    /// Reads the settings; `var` looks a variable or secret up by name.
    ///
    /// # Errors
    /// [`ConfigError`] that names the variable that is wrong.
    pub fn read(var: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        const WRONG: ConfigError = ConfigError(
            "SINKS must name one or more of r2, s3, firehose, eventbridge, sqs, each once, \
             with commas between.",
        );
        let list = var("SINKS").unwrap_or_else(|| "r2".to_owned());
        let mut kinds = Vec::new();
        for name in list.split(',') {
            let kind = SinkKind::parse(name.trim()).ok_or(WRONG)?;
            if kinds.contains(&kind) {
                return Err(WRONG);
            }
            kinds.push(kind);
        }
        let sinks: Result<Vec<Sink>, ConfigError> =
            kinds.into_iter().map(|kind| read_sink(kind, var)).collect();
        Ok(Self { sinks: sinks? })
    }
}

fn read_sink(kind: SinkKind, var: &dyn Fn(&str) -> Option<String>) -> Result<Sink, ConfigError> {
    match kind {
        SinkKind::R2 => Ok(Sink::R2),
        SinkKind::S3 => read_s3(var).map(Sink::S3),
        SinkKind::Firehose => {
            let stream = required(var, "FIREHOSE_STREAM", is_stream).ok_or(ConfigError(
                "FIREHOSE_STREAM must be the name of a delivery stream.",
            ))?;
            let service = service(var, &names!("FIREHOSE"), "firehose", None)?;
            Ok(Sink::Firehose(Firehose { service, stream }))
        }
        SinkKind::EventBridge => {
            let bus = checked(var, "EVENTBRIDGE_BUS", "default", is_bus).ok_or(ConfigError(
                "EVENTBRIDGE_BUS must be the name or ARN of an event bus.",
            ))?;
            let source_prefix = checked(
                var,
                "EVENTBRIDGE_SOURCE_PREFIX",
                "shoreline",
                is_source_prefix,
            )
            .ok_or(ConfigError(
                "EVENTBRIDGE_SOURCE_PREFIX must be 1 to 64 letters, digits, dots, \
                         hyphens or underscores, and not begin with aws.",
            ))?;
            let service = service(var, &names!("EVENTBRIDGE"), "events", None)?;
            Ok(Sink::EventBridge(EventBridge {
                service,
                bus,
                source_prefix,
            }))
        }
        SinkKind::Sqs => {
            let queue_url = required(var, "SQS_QUEUE_URL", is_queue_url).ok_or(ConfigError(
                "SQS_QUEUE_URL must be the https URL of a queue (http for this machine alone).",
            ))?;
            // The queue's URL says where it is.
            let path = split_url(&queue_url).1;
            let endpoint = queue_url.strip_suffix(path).unwrap_or_default().to_owned();
            let service = service(var, &names!("SQS"), "sqs", Some(endpoint))?;
            Ok(Sink::Sqs(Sqs { service, queue_url }))
        }
    }
}

fn read_s3(var: &dyn Fn(&str) -> Option<String>) -> Result<S3, ConfigError> {
    let bucket = required(var, "S3_BUCKET", is_bucket)
        .ok_or(ConfigError("S3_BUCKET must be the name of a bucket."))?;
    let prefix = checked(var, "S3_PREFIX", "", is_prefix).ok_or(ConfigError(
        "S3_PREFIX must be a path of letters, digits and -_.=, which ends with a slash.",
    ))?;
    let custom = var("S3_ENDPOINT").is_some();
    let mut service = service(var, &names!("S3"), "s3", None)?;
    // Amazon wants the bucket before the host, but its certificate covers no bucket with a dot;
    // other servers understand the path.
    service.url = match service.url.split_once("://") {
        Some((scheme, host)) if !custom && !bucket.contains('.') => {
            format!("{scheme}://{bucket}.{host}")
        }
        _ => format!("{}/{bucket}", service.url),
    };
    Ok(S3 { service, prefix })
}

fn service(
    var: &dyn Fn(&str) -> Option<String>,
    names: &Names,
    service: &'static str,
    endpoint: Option<String>,
) -> Result<Service, ConfigError> {
    let own = |own: &str, common: &str| var(own).or_else(|| var(common));
    let region = own(names.region, "AWS_REGION")
        .filter(|region| is_region(region))
        .ok_or(names.wrong_region.clone())?;
    let url = match endpoint.or_else(|| var(names.endpoint)) {
        Some(url) if is_endpoint(&url) => url.trim_end_matches('/').to_owned(),
        Some(_) => return Err(names.wrong_endpoint.clone()),
        None => {
            let china = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://{service}.{region}.amazonaws.com{china}")
        }
    };
    // An id of one source with the secret of another would never fit.
    let own_id = var(names.key_id);
    let of = |name: &str, common: &str| match &own_id {
        Some(_) => var(name),
        None => var(common),
    };
    let access_key_id = own_id
        .clone()
        .or_else(|| var("AWS_ACCESS_KEY_ID"))
        .filter(|id| is_key_id(id))
        .ok_or(names.wrong_key_id.clone())?;
    let secret = of(names.secret, "AWS_SECRET_ACCESS_KEY")
        .filter(|secret| is_token(secret))
        .ok_or(names.wrong_secret.clone())?;
    let token = of(names.token, "AWS_SESSION_TOKEN");
    if token.as_ref().is_some_and(|token| !is_token(token)) {
        return Err(names.wrong_token.clone());
    }
    Ok(Service {
        url,
        region,
        name: service,
        credentials: Credentials {
            access_key_id,
            secret_access_key: Secret::new(secret),
            session_token: token.map(Secret::new),
        },
    })
}

fn required(
    var: &dyn Fn(&str) -> Option<String>,
    name: &str,
    good: fn(&str) -> bool,
) -> Option<String> {
    var(name).filter(|value| good(value))
}

/// The value, or where there is none its default; nothing where it is wrong.
fn checked(
    var: &dyn Fn(&str) -> Option<String>,
    name: &str,
    default: &str,
    good: fn(&str) -> bool,
) -> Option<String> {
    match var(name) {
        None => Some(default.to_owned()),
        Some(value) => good(&value).then_some(value),
    }
}

#[cfg(test)]
mod tests;
