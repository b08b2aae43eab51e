//! The files of the archives, for faults that only a database can have.

use rusqlite::Connection;
use shoreline_tests::system::StateDir;

/// The files of all archives that have taken anything.
pub(crate) fn open(state: &StateDir) -> Vec<Connection> {
    let files = state.databases("do/shoreline-ArchiveDo");
    let databases = files.iter().map(|path| Connection::open(path).unwrap());
    databases
        .filter(|database| database.prepare("SELECT 1 FROM segments").is_ok())
        .collect()
}

/// The ids of the events in the archive that holds this one, in order; none where no archive does. (Shoreline's
/// own events are in another one.)
pub(crate) fn archived_ids(state: &StateDir, event: &str) -> Vec<String> {
    for archive in open(state) {
        let mut ids = Vec::new();
        for table in ["ids_0", "ids_1"] {
            let mut rows = archive
                .prepare(&format!("SELECT lower(hex(id)) FROM {table}"))
                .unwrap();
            let some = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
            ids.extend(some.map(|id| dashed(&id.unwrap())));
        }
        if ids.iter().any(|id| id == event) {
            ids.sort();
            return ids;
        }
    }
    Vec::new()
}

fn dashed(hex: &str) -> String {
    let part = |from, to| &hex[from..to];
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}

/// Has every archive refuse an event with a reason, or take it again.
pub(crate) fn poison(state: &StateDir, event: &str, reason: Option<&str>) {
    let archives = open(state);
    assert!(!archives.is_empty(), "no archive has taken anything yet");
    for archive in archives {
        for table in ["ids_0", "ids_1"] {
            let hex = event.replace('-', "");
            let sql = match reason {
                Some(reason) => format!(
                    "CREATE TRIGGER poison_{table} BEFORE INSERT ON {table} WHEN NEW.id = x'{hex}' \
                     BEGIN SELECT RAISE(ABORT, '{reason}'); END"
                ),
                None => format!("DROP TRIGGER IF EXISTS poison_{table}"),
            };
            archive.execute_batch(&sql).unwrap();
        }
    }
}
