//! The thin part that touches the platform: it translates and delegates.
//!
//! The suffix says what runs a file: `…_worker` a request, `…_do` a Durable Object, `…_queue` a
//! queue batch, `…_cron` a schedule.

mod admin_worker;
mod alarm;
mod alerts;
mod archive_compact;
mod archive_do;
mod archive_folds;
mod archive_reshard;
mod archive_run;
mod archives;
mod archives_worker;
mod bindings;
mod calls;
mod d1;
mod dead_letter_queue;
mod dead_letter_worker;
mod do_sql;
mod edge;
mod entry;
mod events_queue;
mod fetch;
mod fresh;
mod gzip;
mod health_worker;
mod http_worker;
mod import_do;
mod import_worker;
mod ingest_worker;
mod keys;
mod live_do;
mod live_worker;
mod log;
mod metrics_worker;
mod objects;
mod platform;
mod privacy_do;
mod prometheus_worker;
mod query_worker;
mod queue;
mod read_worker;
mod rebuild_worker;
mod reply;
mod sdk_settings_worker;
mod sinks;
mod site_do;
mod upkeep_cron;
mod users_worker;
mod wake_cron;
