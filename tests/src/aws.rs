//! AWS as far as tests need it: an S3 inside the test's process, and moto's server for the rest.
//! Both verify signatures.

mod moto;
mod proxy;
mod s3;
mod wire;

use shoreline_worker::sinks::{Credentials, Secret, SinksConfig};

pub use moto::{Moto, moto};
pub use proxy::{SinkProxy, Trouble};
pub use s3::S3Server;
pub use wire::Wire;

/// The region of everything here: in no other can a bucket be made without saying where.
pub const REGION: &str = "us-east-1";

/// Keys.
pub fn credentials(id: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: Secret::new(secret),
        session_token: token.map(Secret::new),
    }
}

/// The configuration that a deployment with these variables has.
pub fn config(vars: &[(&str, &str)]) -> SinksConfig {
    let config = SinksConfig::read(&|name: &str| {
        let found = vars.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    config.unwrap()
}
