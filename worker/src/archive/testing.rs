//! An archive of native tests, whose lines are packed as the lake's tests do it.

use serde::de::DeserializeOwned;

use super::erase::Forget;
use super::scan::{Ask, Asked, Asking, Part};
use super::{Appended, Archive, Cursor, Look, Looked, Unlooked};
use crate::base::sql::SqlError;
use crate::lake::testing::{pack, unpack};
use crate::lake::{LakeSettings, LakeStore, SealRule};
use crate::protocol::Message;
use crate::sinks::{Outcome, SinkKind};
use crate::testing::{NOW, TestSql};

pub(crate) const KEY: &[u8] = crate::read::brute::KEY;

/// When the tests' lakes seal.
pub(crate) const RULE: SealRule = SealRule {
    bytes: 1_000_000,
    age_ms: 60_000,
};

/// The archive of a site that has one.
pub(crate) fn open<'a>(sql: &'a TestSql, site: &str) -> Archive<&'a TestSql> {
    open_shard(sql, site, (0, 1))
}

/// One of several archives of a site.
pub(crate) fn open_shard<'a>(
    sql: &'a TestSql,
    site: &str,
    shard: (u32, u32),
) -> Archive<&'a TestSql> {
    let settings = LakeSettings {
        seal: RULE,
        backlog_bytes: 10_000_000,
        sink_tries: 5,
        sinks: vec![(SinkKind::R2, "1".to_owned())],
    };
    let lake = LakeStore::open(sql, &settings, NOW, [1, 2, 3, 4]).unwrap();
    Archive::open(sql, lake, site, shard, KEY, NOW).unwrap()
}

/// Appends a message as the object does; with `landed`, as it does what comes from the lake.
pub(crate) fn append(
    archive: &Archive<&TestSql>,
    body: &[u8],
    landed: bool,
) -> Result<Appended, SqlError> {
    append_at(archive, body, landed, NOW)
}

/// The same at another time.
pub(crate) fn append_at(
    archive: &Archive<&TestSql>,
    body: &[u8],
    landed: bool,
    now_ms: i64,
) -> Result<Appended, SqlError> {
    let message = Message::parse(body).unwrap();
    let draft = archive.read(&message)?;
    let packed: Vec<(String, Vec<u8>)> = draft
        .segments
        .iter()
        .map(|segment| (segment.lines.clone(), pack(segment.lines.as_bytes())))
        .collect();
    archive.append(draft, &packed, landed, now_ms)
}

/// A step of compaction, as the object does it: whether there was something to do.
pub(crate) fn compact_step(archive: &Archive<&TestSql>, now_ms: i64) -> Result<bool, SqlError> {
    let Some(run) = archive.find_small(now_ms)? else {
        return Ok(false);
    };
    let texts: Vec<Option<String>> = run.parts.iter().map(|part| text(&part.lines)).collect();
    let merged = archive.merge(&run, &texts);
    if let Some(made) = &merged.made {
        archive.put_merged(&merged, &pack(made.lines.as_bytes()))?;
    }
    Ok(true)
}

/// Lines, unpacked; those that are damaged are empty.
fn text(packed: &[u8]) -> Option<String> {
    (!packed.is_empty()).then(|| unpack(packed))
}

/// Makes of small segments as few as can be now; in how many steps.
pub(crate) fn compact(archive: &Archive<&TestSql>, now_ms: i64) -> usize {
    let steps = std::iter::from_fn(|| compact_step(archive, now_ms).unwrap().then_some(()));
    steps.take(10_000).count()
}

/// Has the lake's sink take everything.
pub(crate) fn land(archive: &Archive<&TestSql>) {
    let lake = archive.lake();
    lake.seal_open("demo", 0, NOW).unwrap();
    while let Some(due) = lake.due_delivery(SinkKind::R2, NOW).unwrap() {
        lake.settle(&due, &Outcome::Done, NOW, 0).unwrap();
    }
}

/// Erases a user as far as can be now.
pub(crate) fn erase(archive: &Archive<&TestSql>, forget: &Forget) {
    loop {
        let found = archive.find_erased(forget).unwrap();
        let mut rewritten = Vec::new();
        for hit in &found.hits {
            if let Some(new) = archive.rewrite(forget, hit, &unpack(&hit.lines)).unwrap() {
                let packed = pack(new.lines.as_bytes());
                rewritten.push((new, packed));
            }
        }
        if !archive
            .put_rewritten(forget, &found, &rewritten)
            .unwrap()
            .more
        {
            return;
        }
    }
}

/// What the archive answers.
pub(crate) fn ask<T: DeserializeOwned>(archive: &Archive<&TestSql>, asked: Asked) -> Part<T> {
    let ask = Ask { asked, alone: true };
    let kept_from = archive.kept_from().unwrap();
    let asking = ask.begin(kept_from, &mut archive.hasher(), None);
    told(archive, asking)
}

/// The same, of a question that is being answered.
pub(crate) fn told<T: DeserializeOwned>(
    archive: &Archive<&TestSql>,
    mut asking: Asking,
) -> Part<T> {
    loop {
        while asking.slice(archive.sql(), archive.rewrites()).unwrap() {}
        let some = asking.packed(archive.sql()).unwrap();
        if some.is_empty() {
            return serde_json::from_str(&asking.part().unwrap()).unwrap();
        }
        for lines in some {
            asking.cut(&lines, &unpack(&lines.packed));
        }
    }
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
