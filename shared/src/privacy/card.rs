//! Where payment card numbers stand in a text.

use std::ops::Range;

use serde_json::Number;

use crate::id::parse_uuid;

/// Digits of the shortest card numbers.
pub(super) const MIN_DIGITS: usize = 14;
/// Digits of the longest.
const MAX_DIGITS: usize = 19;
/// Digits in a group at least, of a number written in groups; the last group may have less.
const MIN_GROUP: usize = 4;
/// Hex digits of the shortest hash or trace id, in which nothing is a card number.
const HEX_ID_CHARS: usize = 32;

/// Finds card numbers: 14 to 19 digits, perhaps in groups with a space or hyphen between them, that
/// begin as an issuer's do and fulfil the Luhn check.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    // The groups of digits with one separator each between them.
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut digits = 0_usize;
    for group in digit_groups(text) {
        let joined = groups
            .last()
            .is_some_and(|last| is_joined(text, last.end, group.start));
        if !joined {
            find_in(text, &groups, digits, found);
            groups.clear();
            digits = 0;
        }
        digits = digits.saturating_add(group.len());
        groups.push(group);
    }
    find_in(text, &groups, digits, found);
}

/// Whether a JSON number is a card number.
pub(crate) fn is_card_number(number: &Number) -> bool {
    let whole = match (number.as_u64(), number.as_f64()) {
        (Some(whole), _) => whole,
        // Beyond 2^53 a double is no number that somebody wrote; below, this is exact.
        (None, Some(float)) if float.fract() == 0.0 && (0.0..9.0e15).contains(&float) => {
            float as u64
        }
        _ => return false,
    };
    // 14 digits at least.
    whole >= 10_000_000_000_000 && is_card(whole.to_string().as_bytes())
}

fn digit_groups(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let rest = text.as_bytes().get(at..)?;
        let skipped = rest.iter().position(u8::is_ascii_digit)?;
        let start = at.saturating_add(skipped);
        let len = rest
            .iter()
            .skip(skipped)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        at = start.saturating_add(len);
        Some(start..at)
    })
}

fn is_joined(text: &str, end: usize, start: usize) -> bool {
    matches!(text.get(end..start), Some(" " | "-"))
}

fn find_in(text: &str, groups: &[Range<usize>], digits: usize, found: &mut Vec<Range<usize>>) {
    if digits < MIN_DIGITS {
        return;
    }
    for (at, first) in groups.iter().enumerate() {
        let mut total = 0_usize;
        let mut longest = None;
        for group in groups.iter().skip(at) {
            total = total.saturating_add(group.len());
            if total > MAX_DIGITS {
                break;
            }
            let window = first.start..group.end;
            if total >= MIN_DIGITS
                && is_card(text.get(window.clone()).unwrap_or_default().as_bytes())
            {
                longest = Some(window);
            }
            if group.len() < MIN_GROUP {
                break;
            }
        }
        found.extend(longest.filter(|window| !in_id(text, window)));
    }
}

/// Whether the digits among `bytes`, 14 to 19 of them, are a card number.
fn is_card(bytes: &[u8]) -> bool {
    let digits = || {
        bytes
            .iter()
            .filter(|byte| byte.is_ascii_digit())
            .map(|byte| byte & 0x0f)
    };
    let count = digits().count();
    let head = digits().take(6).fold(0_u32, |sum, digit| {
        sum.saturating_mul(10).saturating_add(u32::from(digit))
    });
    (MIN_DIGITS..=MAX_DIGITS).contains(&count) && is_issued(head, count) && luhn(digits().rev())
}

/// Whether an issuer's numbers begin with these six digits.
fn is_issued(head: u32, count: usize) -> bool {
    match head {
        // Diners Club
        300_000..=305_999 | 309_000..=309_999 | 360_000..=369_999 | 380_000..=399_999 => {
            count == 14
        }
        // American Express
        340_000..=349_999 | 370_000..=379_999 => count == 15,
        // JCB; Visa; Maestro and Mastercard, both of the fifties; Mastercard's second range
        352_800..=358_999 | 400_000..=499_999 | 500_000..=589_999 | 222_100..=272_099 => true,
        // Maestro, Discover and UnionPay share the sixties
        600_000..=699_999 => true,
        // UnionPay
        810_000..=819_999 => true,
        _ => false,
    }
}

/// The check digit: every second digit from the right is doubled, and the sum ends in 0.
fn luhn(from_right: impl Iterator<Item = u8>) -> bool {
    let sum: u32 = from_right
        .enumerate()
        .map(|(at, digit)| match (at & 1, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit @ 0..=4) => digit.saturating_mul(2),
            (_, digit) => digit.saturating_mul(2).saturating_sub(9),
        })
        .sum();
    sum.checked_rem(10) == Some(0)
}

/// Whether this is a piece of a UUID, or of a hash or trace id in hex.
fn in_id(text: &str, window: &Range<usize>) -> bool {
    let is_uuid_at = |start: usize| {
        let end = start.saturating_add(36);
        end >= window.end && text.get(start..end).and_then(parse_uuid).is_some()
    };
    if (window.end.saturating_sub(36)..=window.start).any(is_uuid_at) {
        return true;
    }
    let bytes = text.as_bytes();
    let before = bytes.get(..window.start).unwrap_or_default().iter().rev();
    let after = bytes.get(window.end..).unwrap_or_default().iter();
    let hex = |byte: &&u8| byte.is_ascii_hexdigit();
    let around = before
        .take(HEX_ID_CHARS)
        .take_while(hex)
        .count()
        .saturating_add(after.take(HEX_ID_CHARS).take_while(hex).count());
    around > 0 && around.saturating_add(window.len()) >= HEX_ID_CHARS
}
