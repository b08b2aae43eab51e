//! stub
#[derive(Debug, Clone, Copy, Default)]
/// stub
pub struct Agent {
    /// a
    pub browser: Option<&'static str>,
    /// a
    pub os: Option<&'static str>,
    /// a
    pub device: Option<&'static str>,
}
/// stub
pub fn read_agent(_: &str) -> Agent {
    Agent::default()
}
