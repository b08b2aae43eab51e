//! The file of local D1, for faults that only a database can have.

use rusqlite::Connection;
use shoreline_tests::system::StateDir;

/// D1's file. Wrangler keeps another database beside ours.
pub(crate) fn database(state: &StateDir) -> Connection {
    let files = state.databases("d1/miniflare-D1DatabaseObject");
    let mut databases = files.iter().map(|path| Connection::open(path).unwrap());
    databases
        .find(|database| database.prepare("SELECT 1 FROM archives").is_ok())
        .expect("D1 has a file")
}
