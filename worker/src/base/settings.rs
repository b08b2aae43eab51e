//! What is wrong with a setting.

/// A setting that cannot be used, or a secret that is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub &'static str);
