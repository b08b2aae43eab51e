//! The objects as who calls them sees them: a type for each, a method for each command.

pub(crate) mod archives;
pub(crate) mod import_do;
pub(crate) mod live_do;
pub(crate) mod privacy_do;
pub(crate) mod site_do;
