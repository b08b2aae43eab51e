//! The little that the core does to text.
//!
//! The standard library's formatting and searching would be larger than all the rest of the
//! tracker: their failures have to be formatted too.

use alloc::string::String;

/// Appends texts, one after the other.
pub fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

/// Appends a whole number in decimal.
pub fn push_number(out: &mut String, number: f64) {
    push_digits(out, number as u64);
}

fn push_digits(out: &mut String, number: u64) {
    if number > 9 {
        push_digits(out, number / 10);
    }
    let digit = (number % 10) as usize;
    out.push_str("0123456789".get(digit..=digit).unwrap_or_default());
}

/// Reads a whole number in decimal; what is not a digit ends it.
pub fn read_number(text: &str) -> f64 {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold(0.0, |number, digit| {
        number * 10.0 + f64::from(digit.wrapping_sub(b'0'))
    })
}

/// The text before and after the first `mark`, an ASCII character; all of it and nothing if there
/// is none.
pub fn cut(text: &str, mark: u8) -> (&str, &str) {
    let at = text.bytes().take_while(|byte| *byte != mark).count();
    (
        text.get(..at).unwrap_or_default(),
        text.get(at.wrapping_add(1)..).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_at_the_first_mark() {
        assert_eq!(cut("a\nb\nc", b'\n'), ("a", "b\nc"));
        assert_eq!(cut("abc", b'\n'), ("abc", ""));
        assert_eq!(cut("", b'\n'), ("", ""));
        assert_eq!(cut("é\nü", b'\n'), ("é", "ü"));
        assert_eq!(cut("a\n", b'\n'), ("a", ""));
    }

    proptest! {
        #[test]
        fn numbers_come_back(number in 0_u64..1 << 53) {
            let mut text = String::new();
            push_number(&mut text, number as f64);
            prop_assert_eq!(&text, &number.to_string());
            prop_assert_eq!(read_number(&text), number as f64);
        }

        #[test]
        fn what_is_cut_is_all_there(text in "[a\u{e9}\n]{0,12}") {
            let (before, after) = cut(&text, b'\n');
            let whole = if text.contains('\n') { format!("{before}\n{after}") } else { before.into() };
            prop_assert_eq!(whole, text);
        }
    }
}
