//! Bytes that are no segment.

use super::*;

/// Asks for everything. Whatever is answered is of as many events as there are.
fn ask(segment: &Segment<'_>, bytes: usize) {
    let n = segment.len();
    assert!(n <= bytes);
    let coded = |dict: usize, codes: &[u32]| {
        assert!(dict <= bytes);
        assert_eq!(codes.len(), n);
        assert!(codes.iter().all(|code| *code as usize <= dict));
    };
    let numbers = [segment.at(), segment.received(), segment.a(), segment.b()];
    assert!(numbers.iter().flatten().all(|numbers| numbers.len() == n));
    assert!(segment.ids().iter().all(|ids| ids.len() == n));
    assert!(segment.lines().iter().all(|lines| lines.len() == n));
    assert!(segment.values().iter().all(|values| values.len() == n));
    assert!(segment.events().iter().all(|events| events.len() == n));
    if let Ok(users) = segment.users() {
        coded(users.dict.len(), &users.codes);
    }
    if let Ok(sessions) = segment.sessions() {
        coded(sessions.dict.len(), &sessions.codes);
    }
    for column in Column::ALL {
        let _ = segment.column_code(column, "none");
        if let Ok(column) = segment.column(column) {
            coded(column.dict.len(), &column.codes);
        }
    }
    let names = segment.property_names().unwrap_or_default();
    assert!(names.len() <= bytes);
    for name in names.into_iter().chain(["none"]) {
        if let Ok(Found::Stored(property)) = segment.property(name) {
            coded(property.dict.len(), &property.codes);
        }
    }
}

/// Where the directory ends, if it can be read.
fn head_of(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader(bytes.get(HEAD_BYTES..)?);
    reader.count().ok()?;
    for _ in 0..reader.count().ok()? {
        reader.byte().ok()?;
        reader.count().ok()?;
    }
    Some(bytes.len() - reader.left())
}

/// Puts the check of the directory right.
fn seal(bytes: &mut [u8]) {
    if let Some(end) = head_of(bytes) {
        let check = check_of(&bytes[HEAD_BYTES..end]).to_le_bytes();
        bytes[4..HEAD_BYTES].copy_from_slice(&check);
    }
}

/// Events with everything that a segment has.
fn whole() -> Vec<u8> {
    let data = |n: usize| match n % 4 {
        0 => (
            "page_view",
            json!({"path": format!("/p/{}", n % 7), "n": n, "b": n.is_multiple_of(3)}),
        ),
        1 => (
            "feature_use",
            json!({"feature": "f", "duration": n * 31, "n": "text"}),
        ),
        2 => (
            "web_vital",
            json!({"name": "LCP", "value": 0.5 * n as f64, "path": "/p"}),
        ),
        _ => (
            "order.placed",
            json!({"status": "paid", "long": "x".repeat(300)}),
        ),
    };
    let lines = (0..30).map(|n| {
        let (event_type, data) = data(n);
        line(n, event_type, &data)
    });
    encoded(&lines.collect::<Vec<String>>())
}

proptest! {
    #[test]
    fn changed_bytes_never_panic_nor_change_the_number_of_events(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
        (is_head, is_sealed) in (any::<bool>(), any::<bool>()),
    ) {
        let mut bytes = whole();
        let n = Segment::parse(&bytes).unwrap().len();
        let end = if is_head { head_of(&bytes).unwrap() } else { bytes.len() };
        for (place, byte) in changes {
            let place = place.index(end);
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if is_sealed {
            seal(&mut bytes);
        }
        if let Ok(segment) = Segment::parse(&bytes) {
            prop_assert!(is_sealed || segment.len() == n);
            ask(&segment, bytes.len());
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), columns in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..30)), 0..8)) {
        prop_assert!(Segment::parse(&bytes).is_err());
        let mut made = Columns::default();
        let columns: BTreeMap<u8, Vec<u8>> = columns.into_iter().map(|(kind, bytes)| (kind % 90, bytes)).collect();
        for (kind, bytes) in &columns {
            made.put(*kind, |out| out.extend_from_slice(bytes));
        }
        let length = |kind| columns.get(&kind).map_or(0, Vec::len);
        let n = length(kind::LINES).min(length(kind::AT));
        let bytes = made.into_bytes(n);
        let segment = Segment::parse(&bytes).unwrap();
        prop_assert_eq!(segment.len(), n);
        ask(&segment, bytes.len());
    }
}

#[test]
fn what_is_cut_anywhere_or_goes_on_is_broken() {
    let bytes = whole();
    for length in 0..bytes.len() {
        match Segment::parse(&bytes[..length]) {
            Ok(first) => {
                assert_eq!(length as i64, first_part(&bytes));
                assert!(!first.is_whole() && first.events().is_err());
            }
            Err(_) => assert_ne!(length as i64, first_part(&bytes)),
        }
    }
    let other = encoded(&[line(1, "page_view", &json!({}))]);
    let first = first_part(&bytes) as usize;
    let second = &other[first_part(&other) as usize..];
    for more in [&[0][..], &bytes[..first], &bytes[first..], second] {
        let wrong = [&bytes[..], more].concat();
        assert!(Segment::parse(&wrong).is_err());
        let wrong = [&bytes[..first], more].concat();
        assert_eq!(Segment::parse(&wrong).is_err(), more != &bytes[first..]);
    }
}

#[test]
fn a_bit_of_the_directory_is_missed() {
    let bytes = whole();
    let first = first_part(&bytes) as usize;
    let second = head_of(&bytes[first..]).unwrap();
    for place in (0..head_of(&bytes).unwrap()).chain(first..first + second) {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1 << bit;
            assert!(Segment::parse(&bytes).is_err(), "bit {bit} of {place}");
        }
    }
}

#[test]
fn no_more_events_than_the_bytes_bear_out() {
    let of = |n: usize, times: usize, lines: usize| {
        let mut columns = Columns::default();
        columns.put(kind::AT, |out| out.resize(times, 1));
        columns.put(kind::LINES, |out| out.resize(lines, 1));
        Segment::parse(&columns.into_bytes(n)).is_ok()
    };
    assert!(of(10, 10, 10));
    for (n, times, lines) in [
        (1 << 40, 10, 10),
        (11, 10, 10),
        (1, 0, 0),
        (10, 9, 10),
        (10, 10, 9),
    ] {
        assert!(!of(n, times, lines), "{n}");
    }
}

#[test]
fn a_later_version_is_told_and_a_later_column_passed_over() {
    let mut bytes = whole();
    let segment = Segment::parse(&bytes).unwrap();
    let mut more = Columns::default();
    for kind in 0..=u8::MAX {
        let unknown = [1, 2, 3];
        let known = segment.bytes(kind).unwrap();
        let is_new = matches!(kind, 0 | 50 | 255);
        more.put(kind, |out| {
            out.extend_from_slice(if is_new { &unknown } else { known })
        });
    }
    let more = more.into_bytes(segment.len());
    // Three columns more, and a directory less: its check, and two numbers.
    assert_eq!(more.len(), bytes.len() + 3 * (3 + 2) - (HEAD_BYTES + 2));
    assert_eq!(Segment::parse(&more).unwrap().events(), segment.events());
    bytes[3] = 2;
    let told = Segment::parse(&bytes).unwrap_err();
    assert_eq!(
        told.to_string(),
        "a segment is broken: it is of another version"
    );
}
