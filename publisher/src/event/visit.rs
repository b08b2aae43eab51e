//! Who did it, and with what.

/// The visitor on whose behalf a service tells of a view, a use or an error. All of it is required by
/// the collector, so all of it is required here.
///
/// The address is truncated before it is stored (IPv4 /24, IPv6 /48). A job without a visitor tells a
/// [domain event](crate::Event::domain) instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit<'a> {
    /// The user's id; no e-mail address.
    pub user_id: &'a str,
    /// The session's id.
    pub session_id: &'a str,
    /// The `User-Agent` header of the visitor's request.
    pub user_agent: &'a str,
    /// The visitor's address.
    pub ip_address: &'a str,
    /// `web`, `ios`, `android` or what the service calls it.
    pub platform: &'a str,
}
