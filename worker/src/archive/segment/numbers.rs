//! Times, measures and lengths.

use super::Broken;
use super::bytes::{Reader, put_count, put_varint, unzigzag, zigzag};
use super::codes::{put_codes, read_codes};

/// Writes numbers as differences from the one before, by zigzag varints.
pub(super) fn put_steps(out: &mut Vec<u8>, numbers: impl Iterator<Item = i64>) {
    let mut last = 0_i64;
    for number in numbers {
        put_varint(out, zigzag(number.wrapping_sub(last)));
        last = number;
    }
}

/// Reads what [`put_steps`] wrote of `n` events.
pub(super) fn read_steps(bytes: &[u8], n: usize) -> Result<Vec<i64>, Broken> {
    let mut reader = Reader(bytes);
    let mut last = 0_i64;
    let mut numbers = Vec::with_capacity(n);
    for _ in 0..n {
        last = last.wrapping_add(unzigzag(reader.varint()?));
        numbers.push(last);
    }
    reader.end()?;
    Ok(numbers)
}

/// Writes numbers that come in runs of equal ones: the step to each, and how many more follow it.
pub(super) fn put_runs(out: &mut Vec<u8>, numbers: impl Iterator<Item = i64>) {
    let mut last = 0_i64;
    let mut run: Option<(i64, usize)> = None;
    let mut put = |(number, more): (i64, usize)| {
        put_varint(out, zigzag(number.wrapping_sub(last)));
        put_count(out, more);
        last = number;
    };
    for number in numbers {
        run = match run {
            Some((same, more)) if same == number => Some((same, more.saturating_add(1))),
            ended => {
                ended.map(&mut put);
                Some((number, 0))
            }
        };
    }
    run.map(put);
}

/// Reads what [`put_runs`] wrote of `n` events.
pub(super) fn read_runs(bytes: &[u8], n: usize) -> Result<Vec<i64>, Broken> {
    let mut reader = Reader(bytes);
    let mut last = 0_i64;
    let mut numbers = Vec::with_capacity(n);
    while numbers.len() < n {
        last = last.wrapping_add(unzigzag(reader.varint()?));
        let run = reader.count()?.checked_add(1);
        let length = run.and_then(|run| run.checked_add(numbers.len()));
        let length = length.filter(|length| *length <= n);
        numbers.resize(
            length.ok_or(Broken("it has more numbers than events"))?,
            last,
        );
    }
    reader.end()?;
    Ok(numbers)
}

/// Writes which events have a number, and the numbers of those.
pub(super) fn put_some<T>(out: &mut Vec<u8>, values: &[Option<T>], put: impl Fn(&mut Vec<u8>, &T)) {
    let has: Vec<u32> = values.iter().map(|value| value.is_some().into()).collect();
    put_codes(out, &has, 1);
    values.iter().flatten().for_each(|value| put(out, value));
}

/// Reads what [`put_some`] wrote of `n` events.
pub(super) fn read_some<T>(
    bytes: &[u8],
    n: usize,
    read: impl Fn(&mut Reader<'_>) -> Result<T, Broken>,
) -> Result<Vec<Option<T>>, Broken> {
    let mut reader = Reader(bytes);
    let has = read_codes(&mut reader, n, 1)?;
    let mut values = Vec::with_capacity(n);
    for has in has {
        values.push(match has {
            0 => None,
            _ => Some(read(&mut reader)?),
        });
    }
    reader.end()?;
    Ok(values)
}

/// Writes a measure.
pub(super) fn put_int(out: &mut Vec<u8>, value: &i64) {
    put_varint(out, zigzag(*value));
}

/// Reads a measure.
pub(super) fn read_int(reader: &mut Reader<'_>) -> Result<i64, Broken> {
    Ok(unzigzag(reader.varint()?))
}

/// Parts of one that most values are a whole number of.
const PARTS: f64 = 1_000.0;

/// The largest number of parts that is tried: below it a `f64` holds every whole number.
const MOST_PARTS: f64 = 9_007_199_254_740_992.0;

/// Writes a value: thousandths as a varint where it is exactly as many, else its bits.
pub(super) fn put_float(out: &mut Vec<u8>, value: &f64) {
    let parts = (value * PARTS).round();
    let whole = parts as i64;
    // Compared as it will be read: -0 is no whole number.
    if parts.abs() < MOST_PARTS && (whole as f64 / PARTS).to_bits() == value.to_bits() {
        put_varint(out, zigzag(whole) << 1);
    } else {
        put_varint(out, 1);
        out.extend_from_slice(&value.to_bits().to_le_bytes());
    }
}

/// Reads a value.
pub(super) fn read_float(reader: &mut Reader<'_>) -> Result<f64, Broken> {
    let head = reader.varint()?;
    if head & 1 == 1 {
        return Ok(f64::from_bits(u64::from_le_bytes(reader.array()?)));
    }
    Ok(unzigzag(head >> 1) as f64 / PARTS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(
            numbers in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..3], 0..50),
        ) {
            let n = numbers.len();
            let (mut steps, mut runs, mut some) = (Vec::new(), Vec::new(), Vec::new());
            put_steps(&mut steps, numbers.iter().copied());
            prop_assert_eq!(read_steps(&steps, n), Ok(numbers.clone()));
            put_runs(&mut runs, numbers.iter().copied());
            prop_assert_eq!(read_runs(&runs, n), Ok(numbers.clone()));
            let sparse: Vec<_> = numbers.iter().map(|number| Some(*number).filter(|n| *n != 0)).collect();
            put_some(&mut some, &sparse, put_int);
            prop_assert_eq!(read_some(&some, n, read_int), Ok(sparse));
        }

        #[test]
        fn values_come_back_to_the_bit(bits in any::<u64>(), parts in -9_999_999_i64..9_999_999) {
            for value in [f64::from_bits(bits), parts as f64 / 1_000.0, parts as f64, -0.0] {
                let mut out = Vec::new();
                put_float(&mut out, &value);
                let read = read_float(&mut Reader(&out)).unwrap();
                prop_assert_eq!(read.to_bits(), value.to_bits());
            }
        }
    }

    #[test]
    fn a_run_is_no_longer_than_the_events() {
        assert_eq!(read_runs(&[2, 2], 3), Ok(vec![1, 1, 1]));
        assert!(read_runs(&[2, 3], 3).is_err());
        assert!(
            read_runs(
                &[2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
                3
            )
            .is_err()
        );
    }

    #[test]
    fn a_value_of_some_decimals_is_short() {
        for (value, bytes) in [
            (0.0, 1),
            (0.025, 1),
            (1_234.5, 4),
            (2_000.0, 4),
            (0.1 + 0.2, 9),
            (f64::NAN, 9),
        ] {
            let mut out = Vec::new();
            put_float(&mut out, &value);
            assert_eq!(out.len(), bytes, "{value}");
        }
    }
}
