//! Segments for native tests, packed without a compressor: gzip members of stored blocks.

use super::store::LakeStore;
use crate::base::sql::{Cell, Param, Sql, SqlError};
use crate::lake::segments::SCHEMA;
use crate::testing::TestSql;

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Bytes as one gzip member.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut member = HEADER.to_vec();
    let blocks = bytes.len().div_ceil(0xffff).max(1);
    for block in 0..blocks {
        let data = &bytes[block * 0xffff..bytes.len().min((block + 1) * 0xffff)];
        let len = u16::try_from(data.len()).unwrap();
        member.push(u8::from(block + 1 == blocks));
        member.extend(len.to_le_bytes());
        member.extend((!len).to_le_bytes());
        member.extend(data);
    }
    member.extend(crc32(bytes).to_le_bytes());
    member.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    member
}

/// What members of [`pack`] hold, checked, all of them.
pub(crate) fn unpack(mut members: &[u8]) -> String {
    let mut all = Vec::new();
    while !members.is_empty() {
        assert_eq!(members[..10], HEADER);
        members = &members[10..];
        let mut bytes = Vec::new();
        loop {
            let (last, len) = (
                members[0] == 1,
                u16::from_le_bytes([members[1], members[2]]),
            );
            let end = 5 + usize::from(len);
            bytes.extend_from_slice(&members[5..end]);
            members = &members[end..];
            if last {
                break;
            }
        }
        assert_eq!(members[..4], crc32(&bytes).to_le_bytes());
        assert_eq!(
            members[4..8],
            u32::try_from(bytes.len()).unwrap().to_le_bytes()
        );
        members = &members[8..];
        all.extend(bytes);
    }
    String::from_utf8(all).unwrap()
}

/// Appends lines as a segment of an hour, as the archive does; answers its number.
pub(crate) fn append_lines(
    store: &LakeStore<&TestSql>,
    hour: i64,
    lines: &[String],
    landed: bool,
    now_ms: i64,
) -> Result<i64, SqlError> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let n = i64::try_from(lines.len()).unwrap();
    let bytes = i64::try_from(text.len()).unwrap();
    let sql = store.sql;
    sql.transaction(&mut || {
        let rows: Vec<[Cell; 1]> = sql.cells(
            "INSERT INTO segments (hour, at, n, bytes, first_at, last_at, landed, columns, lines) \
             VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, ?7) RETURNING seq",
            &[
                hour.into(),
                now_ms.into(),
                n.into(),
                bytes.into(),
                i64::from(landed).into(),
                Param::Blob(b"columns".to_vec()),
                Param::Blob(pack(text.as_bytes())),
            ],
        )?;
        let seq = rows[0][0].int();
        if !landed {
            store.appended(hour, seq, n, bytes, now_ms)?;
        }
        Ok(seq)
    })
}

/// The lines of a sealed object.
pub(crate) fn ndjson(store: &LakeStore<&TestSql>, sequence: i64) -> String {
    unpack(&store.packed(sequence).unwrap())
}

/// Lets every statement fail that changes a segment.
pub(crate) fn never_update(sql: &TestSql) {
    for statement in SCHEMA {
        sql.execute_batch(statement);
    }
    sql.execute_batch(
        "CREATE TRIGGER IF NOT EXISTS never BEFORE UPDATE ON segments \
         BEGIN SELECT RAISE(ABORT, 'a segment is changed'); END",
    );
}

mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_is_gzip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let long = "x".repeat(200_000);
        let members = [pack(long.as_bytes()), pack(b""), pack(b"end")].concat();
        assert_eq!(unpack(&members), format!("{long}end"));
    }
}
