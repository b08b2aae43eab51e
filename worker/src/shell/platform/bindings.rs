//! The names of `wrangler.toml`, and this deployment's settings, read once an isolate.

use std::cell::OnceCell;
use std::rc::Rc;

use worker::Env;

use crate::config::Config;
use crate::http::error::Fault;
use crate::shell::platform::log;

/// D1 with sites, keys and sums.
pub(crate) const DB: &str = "DB";
/// The namespace of [`crate::shell::objects::site_do::SiteDo`].
pub(crate) const SITE_DO: &str = "SITE_DO";
/// The namespace of [`crate::shell::objects::archive_do::ArchiveDo`].
pub(crate) const ARCHIVE_DO: &str = "ARCHIVE_DO";
/// The namespace of [`crate::shell::objects::privacy_do::PrivacyDo`].
pub(crate) const PRIVACY_DO: &str = "PRIVACY_DO";
/// The namespace of [`crate::shell::objects::import_do::ImportDo`].
pub(crate) const IMPORT_DO: &str = "IMPORT_DO";
/// The namespace of [`crate::shell::objects::live_do::LiveDo`].
pub(crate) const LIVE_DO: &str = "LIVE_DO";
/// The queue between the logs and the consumer.
pub(crate) const EVENTS_QUEUE: &str = "EVENTS_QUEUE";
/// The name (not the binding) of the queue that messages go to that failed too often.
pub(crate) const DEAD_LETTERS_QUEUE: &str = "shoreline-dead-letters";
/// The platform's limiter of visitors.
pub(crate) const RATE_LIMITER: &str = "RATE_LIMITER";
/// The copy of what keys and domains may do, in KV.
pub(crate) const GRANTS: &str = "GRANTS";
/// The bucket of the embedded lake.
pub(crate) const LAKE: &str = "LAKE";

thread_local! {
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// The deployment's settings.
pub(crate) fn config(env: &Env) -> Result<Rc<Config>, Fault> {
    CONFIG.with(|cell| {
        if let Some(config) = cell.get() {
            return Ok(config.clone());
        }
        let config = Config::read(|name| env.var(name).ok().map(|var| var.to_string()))
            .map(Rc::new)
            .map_err(|error| {
                log::error("config", error.0);
                Fault::Unavailable("The service is not set up right; its log says what is wrong.")
            })?;
        Ok(cell.get_or_init(|| config).clone())
    })
}

/// The deployment's settings, for what answers no request.
pub(crate) fn settings(env: &Env) -> worker::Result<Rc<Config>> {
    config(env).map_err(|fault| worker::Error::RustError(fault.detail().into_owned()))
}
