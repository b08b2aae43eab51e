//! What a deployment sets, from the variables of `wrangler.toml` and the secrets beside them.

use crate::access::policy::Defaults;
use crate::archive::spread::MAX_ARCHIVES;
use crate::base::settings::ConfigError;
use crate::ingest::Settings;
use crate::lake::SealRule;
use crate::observe::alert::is_webhook;
use crate::observe::operations::RequestLogs;
use crate::sinks::SinksConfig;

/// All settings, in small structs by who reads them.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// For ingestion.
    pub ingest: Settings,
    /// Archives of a site whose first one is made from now on (`ARCHIVE_SHARDS`).
    pub archives: u32,
    /// Milliseconds a sent row waits for its first confirmation.
    pub resend_ms: i64,
    /// When the lake seals.
    pub seal: SealRule,
    /// Bytes of lines, before they are packed, that an archive keeps for its sinks at most.
    pub backlog_bytes: i64,
    /// The window of a summary and of operations where a call names none (`METRICS_WINDOW_MINUTES`, 1 to 10080, 60).
    pub metrics_window: i64,
    /// How often in a row a sink may refuse what it gets before that is dead letters (`SINK_TRIES`, 1 to
    /// 100, 5): with the waits between, 20 minutes to an hour.
    pub sink_tries: u32,
    /// Where the lake goes.
    pub sinks: SinksConfig,
    /// SHA-256 (lowercase hex) of the admin token; without it no admin call is served.
    pub admin_token_hash: Option<String>,
    /// Whether Shoreline makes events of its own calls (`OPERATION_EVENTS`).
    pub operation_events: bool,
    /// Which requests have a line in the log (`REQUEST_LOGS`).
    pub request_logs: RequestLogs,
    /// Where alerts are posted, `https` only; without it none are.
    pub alert_webhook_url: Option<String>,
}

/// Shards of a site at most: each is an object the live view asks. A lower number than before hides
/// what the shards above it counted in the last hour; their backlog is drained all the same.
const MAX_SHARDS: u32 = 64;

/// The platform keeps 10 GB for an object; what is above this is for ids, people and free pages.
const MAX_BACKLOG: i64 = 8_000_000_000;

/// Two gigabytes: at 1,000 events a second and 600 bytes each about an hour of a sink's outage for
/// each shard, and little enough to be worked off.
const DEFAULT_BACKLOG: i64 = 2_000_000_000;

/// Where the platform lets objects be made (`OBJECT_LOCATION`); a hint, for objects that are new.
const LOCATIONS: [&str; 9] = [
    "wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me",
];

/// The shortest secret for keyed hashes, as for any HMAC-SHA256: 128 bits in hex.
const MIN_HASH_KEY_CHARS: usize = 32;

impl Config {
    /// Reads the settings; `var` looks a variable or secret up by name.
    ///
    /// # Errors
    /// [`ConfigError`] with the variable that is wrong.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let number = |name, range: std::ops::RangeInclusive<i64>, default| match var(name) {
            None => Ok(default),
            Some(text) => text
                .parse::<i64>()
                .ok()
                .filter(|number| range.contains(number))
                .ok_or(()),
        };
        let shards = number("SITE_SHARDS", 1..=i64::from(MAX_SHARDS), 1)
            .map_err(|()| ConfigError("SITE_SHARDS must be 1 to 64."))?;
        let archives = number("ARCHIVE_SHARDS", 1..=MAX_ARCHIVES, 1)
            .map_err(|()| ConfigError("ARCHIVE_SHARDS must be 1 to 16."))?;
        let retention = number("RETENTION_DAYS", 1..=90, 30)
            .map_err(|()| ConfigError("RETENTION_DAYS must be 1 to 90."))?;
        let resend_s = number("OUTBOX_RESEND_SECONDS", 1..=3600, 120)
            .map_err(|()| ConfigError("OUTBOX_RESEND_SECONDS must be 1 to 3600."))?;
        let seal_s = number("LAKE_SEAL_SECONDS", 1..=3600, 60)
            .map_err(|()| ConfigError("LAKE_SEAL_SECONDS must be 1 to 3600."))?;
        let seal_bytes = number("LAKE_SEAL_BYTES", 1_000..=16_000_000, 8_000_000)
            .map_err(|()| ConfigError("LAKE_SEAL_BYTES must be 1000 to 16000000."))?;
        let backlog = number(
            "LAKE_BACKLOG_BYTES",
            1_000_000..=MAX_BACKLOG,
            DEFAULT_BACKLOG,
        )
        .map_err(|()| ConfigError("LAKE_BACKLOG_BYTES must be 1000000 to 8000000000."))?;
        let metrics_window = number("METRICS_WINDOW_MINUTES", 1..=10_080, 60)
            .map_err(|()| ConfigError("METRICS_WINDOW_MINUTES must be 1 to 10080."))?;
        let sink_tries = number("SINK_TRIES", 1..=100, 5)
            .map_err(|()| ConfigError("SINK_TRIES must be 1 to 100."))?;
        let visitor = number("VISITOR_EVENTS_PER_MINUTE", 1..=i64::from(u32::MAX), 1_200)
            .map_err(|()| ConfigError("VISITOR_EVENTS_PER_MINUTE must be 1 to 4294967295."))?;
        let quota = number("SITE_EVENTS_PER_HOUR", 0..=i64::from(u32::MAX), 0).map_err(|()| {
            ConfigError("SITE_EVENTS_PER_HOUR must be 0 (no quota) to 4294967295.")
        })?;
        let one_of = |name, [first, second]: [&str; 2]| match var(name).as_deref() {
            None => Ok(true),
            Some(text) if text == first => Ok(true),
            Some(text) if text == second => Ok(false),
            Some(_) => Err(()),
        };
        let operation_events = one_of("OPERATION_EVENTS", ["on", "off"])
            .map_err(|()| ConfigError("OPERATION_EVENTS must be on or off."))?;
        let keep_rejected = one_of("KEEP_REJECTED", ["on", "off"])
            .map_err(|()| ConfigError("KEEP_REJECTED must be on or off."))?;
        let request_logs = var("REQUEST_LOGS")
            .map_or(Some(RequestLogs::default()), |text| {
                RequestLogs::parse(&text)
            })
            .ok_or(ConfigError(
                "REQUEST_LOGS must be errors, all, or a share between 0 and 1 such as 0.01.",
            ))?;
        let webhook = var("ALERT_WEBHOOK_URL").filter(|url| !url.is_empty());
        if !webhook.as_deref().is_none_or(is_webhook) {
            return Err(ConfigError("ALERT_WEBHOOK_URL must be an https address."));
        }
        // `shell/platform/objects.js` reads it: a wrong one is to be told of here, not to be a call that fails.
        let location = var("OBJECT_LOCATION").filter(|location| !location.is_empty());
        if !location.is_none_or(|location| LOCATIONS.contains(&location.as_str())) {
            return Err(ConfigError(
                "OBJECT_LOCATION must be empty or one of wnam, enam, sam, weur, eeur, apac, oc, afr, me.",
            ));
        }
        let hash_key = var("HASH_KEY")
            .filter(|key| key.len() >= MIN_HASH_KEY_CHARS)
            .ok_or(ConfigError(
                "The secret HASH_KEY must be set, 32 characters or more.",
            ))?;
        Ok(Self {
            ingest: Settings {
                shards: u32::try_from(shards).unwrap_or(1),
                retention_days: u32::try_from(retention).unwrap_or(30),
                hash_key: hash_key.into_bytes(),
                limits: Defaults {
                    visitor_per_minute: u32::try_from(visitor).unwrap_or(u32::MAX),
                    hourly_quota: u32::try_from(quota).ok().filter(|quota| *quota > 0),
                },
                keep_rejected,
            },
            archives: u32::try_from(archives).unwrap_or(1),
            resend_ms: resend_s.saturating_mul(1_000),
            seal: SealRule {
                bytes: seal_bytes,
                age_ms: seal_s.saturating_mul(1_000),
            },
            backlog_bytes: backlog,
            metrics_window,
            sink_tries: u32::try_from(sink_tries).unwrap_or(5),
            sinks: SinksConfig::read(&var)?,
            admin_token_hash: var("ADMIN_TOKEN_HASH"),
            operation_events,
            request_logs,
            alert_webhook_url: webhook,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn defaults_are_the_documented_ones() {
        let config = Config::read(|name| (name == "HASH_KEY").then(|| KEY.into())).unwrap();
        assert_eq!((config.ingest.shards, config.archives), (1, 1));
        assert_eq!(config.ingest.retention_days, 30);
        assert_eq!(config.ingest.limits.visitor_per_minute, 1_200);
        assert_eq!(config.ingest.limits.hourly_quota, None);
        assert_eq!(config.resend_ms, 120_000);
        assert_eq!(
            config.seal,
            SealRule {
                bytes: 8_000_000,
                age_ms: 60_000
            }
        );
        assert_eq!(
            (config.backlog_bytes, config.metrics_window),
            (2_000_000_000, 60)
        );
        assert_eq!(config.sinks.sinks, [crate::sinks::Sink::R2]);
        assert!(config.operation_events && config.ingest.keep_rejected);
        assert_eq!(config.request_logs, RequestLogs::Errors);
    }

    #[test]
    fn what_shoreline_tells_of_itself_can_be_less_and_more() {
        for (text, logs) in [
            ("errors", RequestLogs::Errors),
            ("0.25", RequestLogs::Share(250_000)),
            ("all", RequestLogs::All),
        ] {
            let config = Config::read(|name| match name {
                "HASH_KEY" => Some(KEY.into()),
                "OPERATION_EVENTS" => Some("off".into()),
                "REQUEST_LOGS" => Some(text.into()),
                _ => None,
            });
            let config = config.unwrap();
            assert!(!config.operation_events);
            assert_eq!(config.request_logs, logs);
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (name, value) in [
            ("SITE_SHARDS", "0"),
            ("SITE_SHARDS", "many"),
            ("OBJECT_LOCATION", "mars"),
            ("ARCHIVE_SHARDS", "0"),
            ("ARCHIVE_SHARDS", "17"),
            ("RETENTION_DAYS", "91"),
            ("OUTBOX_RESEND_SECONDS", "-1"),
            ("LAKE_SEAL_SECONDS", "0"),
            ("LAKE_SEAL_BYTES", "1"),
            ("LAKE_BACKLOG_BYTES", "10"),
            ("SINKS", "s4"),
            ("SINK_TRIES", "0"),
            ("METRICS_WINDOW_MINUTES", "10081"),
            ("VISITOR_EVENTS_PER_MINUTE", "0"),
            ("SITE_EVENTS_PER_HOUR", "-1"),
            ("OPERATION_EVENTS", "yes"),
            ("KEEP_REJECTED", "yes"),
            ("REQUEST_LOGS", "none"),
            ("REQUEST_LOGS", "1.5"),
            ("ALERT_WEBHOOK_URL", "http://hooks.example"),
            ("HASH_KEY", "short"),
        ] {
            let error = Config::read(|wanted| {
                if wanted == name {
                    Some(value.into())
                } else {
                    (wanted == "HASH_KEY").then(|| KEY.into())
                }
            })
            .unwrap_err();
            assert!(error.0.contains(name), "{name}: {}", error.0);
        }
        assert!(Config::read(|_| None).is_err());
    }
}
