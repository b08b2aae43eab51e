//! An archive of native tests, whose lines are packed as the lake's tests do it.

use super::{Appended, Archive, Cursor, Look, Looked, Unlooked};
use crate::lake::testing::pack;
use crate::lake::{LakeSettings, LakeStore, SealRule};
use crate::protocol::Message;
use crate::sinks::SinkKind;
use crate::sql::SqlError;
use crate::testing::{NOW, TestSql};

pub(crate) const KEY: &[u8] = crate::read::brute::KEY;

/// When the tests' lakes seal.
pub(crate) const RULE: SealRule = SealRule {
    bytes: 1_000_000,
    age_ms: 60_000,
};

/// The archive of a site.
pub(crate) fn open<'a>(sql: &'a TestSql, site: &str) -> Archive<&'a TestSql> {
    let settings = LakeSettings {
        seal: RULE,
        backlog_bytes: 10_000_000,
        sink_tries: 5,
        sinks: vec![(SinkKind::R2, "1".to_owned())],
    };
    let lake = LakeStore::open(sql, &settings, NOW, [1, 2, 3, 4]).unwrap();
    Archive::open(sql, lake, site, 0, KEY, NOW).unwrap()
}

/// Appends a message as the object does; with `landed`, as it does what comes from the lake.
pub(crate) fn append(
    archive: &Archive<&TestSql>,
    body: &[u8],
    landed: bool,
) -> Result<Appended, SqlError> {
    let message = Message::parse(body).unwrap();
    let draft = archive.read(&message)?;
    let packed: Vec<(String, Vec<u8>)> = draft
        .segments
        .iter()
        .map(|segment| (segment.lines.clone(), pack(segment.lines.as_bytes())))
        .collect();
    archive.append(draft, &packed, landed, NOW)
}

/// Folds everything, and has D1 take it; none of the segments may be unreadable.
pub(crate) fn fold(archive: &Archive<&TestSql>, d1: &TestSql) {
    loop {
        while let Some((fold, statements)) = archive.pending().unwrap() {
            let at: Vec<Cursor> = d1.batch(&statements).unwrap();
            archive.settle(fold, at.first().copied()).unwrap();
        }
        let some = archive.unfolded().unwrap();
        if some.is_empty() {
            return;
        }
        assert_eq!(archive.fold(&some, &[], NOW).unwrap(), [0; 0]);
    }
}

/// Looks at all that is not folded, which is not too much.
pub(crate) fn look_at_all(archive: &Archive<&TestSql>) {
    loop {
        match archive.unlooked().unwrap() {
            Unlooked::Some(some) => archive.look_at(&some, &[], NOW).unwrap(),
            Unlooked::None => return,
            Unlooked::TooMuch => panic!("too much to look at"),
        }
    }
}

/// What D1 lacks, as the object tells it; none where that is too much to tell.
pub(crate) fn look(archive: &Archive<&TestSql>, look: &Look) -> Option<Looked> {
    look_at_all(archive);
    serde_json::from_str(&archive.look(look, NOW).unwrap()).unwrap()
}

/// Folds all that is not folded, one fold after the other; D1 hears nothing of it.
pub(crate) fn fold_here(archive: &Archive<&TestSql>) {
    loop {
        let some = archive.unfolded().unwrap();
        if some.is_empty() {
            return;
        }
        assert_eq!(archive.fold(&some, &[], NOW).unwrap(), [0; 0]);
    }
}

/// Has D1 take the oldest fold that it may not have taken; the archive hears of it only if `told`.
pub(crate) fn take(archive: &Archive<&TestSql>, d1: &TestSql, told: bool) {
    if let Some((fold, statements)) = archive.pending().unwrap() {
        let at: Vec<Cursor> = d1.batch(&statements).unwrap();
        if told {
            archive.settle(fold, at.first().copied()).unwrap();
        }
    }
}
