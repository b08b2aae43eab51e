//! Trace context: `traceparent` of the W3C, read strictly and continued.

/// Characters of a `traceparent` of version 00: `00-<32 hex>-<16 hex>-<2 hex>`.
const CHARS: usize = 55;

/// The flag "somebody records this": all that is passed on of the flags, for the others are not
/// defined.
const SAMPLED: u8 = 1;

/// A span of ours in a trace, which is the caller's or a new one. Its texts are made where they are
/// told: most calls need none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    sampled: bool,
}

impl Trace {
    /// Continues the caller's trace; one that is missing or not to the letter of the standard is
    /// not looked at, and a new one begins. `random` makes the ids.
    pub fn begin(traceparent: Option<&str>, random: &[u8; 24]) -> Self {
        let (mut own, mut span_id) = ([0; 16], [0; 8]);
        let (trace, span) = random.split_at(own.len());
        own.copy_from_slice(trace);
        span_id.copy_from_slice(span);
        let (trace_id, flags) = traceparent.and_then(parse).unwrap_or((own, 0));
        Self {
            trace_id,
            span_id,
            // Of a trace that begins here nobody has asked for a record of every call.
            sampled: flags & SAMPLED != 0,
        }
    }

    /// The trace's id: 32 hex digits.
    pub fn id(&self) -> String {
        let mut text = String::with_capacity(32);
        push_hex(&mut text, &self.trace_id);
        text
    }

    /// The trace's id as bytes.
    pub fn bytes(&self) -> [u8; 16] {
        self.trace_id
    }

    /// Whether the caller asks that its calls are recorded.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// The header for whom we answer or call: the same trace, our span as the parent.
    pub fn traceparent(&self) -> String {
        let mut text = String::with_capacity(CHARS);
        text.push_str("00-");
        push_hex(&mut text, &self.trace_id);
        text.push('-');
        push_hex(&mut text, &self.span_id);
        text.push_str(if self.sampled { "-01" } else { "-00" });
        text
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
}

/// The trace's id and flags.
fn parse(header: &str) -> Option<([u8; 16], u8)> {
    let (mut version, mut trace_id, mut parent, mut flags) = ([0], [0; 16], [0; 8], [0]);
    read_hex(header.get(..2)?, &mut version)?;
    read_hex(header.get(2..35)?.strip_prefix('-')?, &mut trace_id)?;
    read_hex(header.get(35..52)?.strip_prefix('-')?, &mut parent)?;
    read_hex(header.get(52..CHARS)?.strip_prefix('-')?, &mut flags)?;
    let rest = header.get(CHARS..)?;
    // A later version may have more fields, after another hyphen; version ff is forbidden.
    let whole = match version {
        [0] => rest.is_empty(),
        [0xff] => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    let [flags] = flags;
    (whole && trace_id != [0; 16] && parent != [0; 8]).then_some((trace_id, flags))
}

/// Reads lowercase hex digits, two for each byte.
fn read_hex(digits: &str, bytes: &mut [u8]) -> Option<()> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit & 0x0f),
        b'a'..=b'f' => Some((digit & 0x0f).wrapping_add(9)),
        _ => None,
    };
    for (pair, byte) in digits.as_bytes().chunks_exact(2).zip(bytes) {
        let [high, low] = pair else { return None };
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const RANDOM: [u8; 24] = [0xab; 24];

    #[test]
    fn a_good_trace_is_continued_with_a_span_of_our_own() {
        for (header, flags) in [
            (GOOD.to_owned(), "01"),
            (GOOD.replace("-01", "-00"), "00"),
            // Flags that nobody defined are not passed on.
            (GOOD.replace("-01", "-ff"), "01"),
            (GOOD.replace("-01", "-fe"), "00"),
            // A later version, alone and with more.
            (GOOD.replacen("00", "01", 1), "01"),
            (format!("{}-what-ever", GOOD.replacen("00", "cc", 1)), "01"),
        ] {
            let trace = Trace::begin(Some(&header), &RANDOM);
            assert_eq!(trace.id(), "4bf92f3577b34da6a3ce929d0e0e4736", "{header}");
            assert_eq!(
                trace.traceparent(),
                format!("00-4bf92f3577b34da6a3ce929d0e0e4736-abababababababab-{flags}")
            );
            assert_eq!(trace.is_sampled(), flags == "01");
        }
    }

    #[test]
    fn anything_else_begins_a_new_one() {
        let long = format!("{GOOD}{}", "x".repeat(100_000));
        for bad in [
            "",
            "00",
            "garbage",
            &GOOD.to_uppercase(),
            &GOOD[1..],
            &GOOD[..54],
            &format!("{GOOD}-00"),
            &format!(" {GOOD}"),
            &format!("{GOOD}, {GOOD}"),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.replacen("00", "0g", 1),
            &format!("{}x", GOOD.replacen("00", "01", 1)),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace('-', "_"),
            &GOOD.replace("4bf92f35", "4bf9-f35"),
            &GOOD.replace("4b", "é"),
            "00-<script>alert(1)</script>",
            &long,
        ] {
            let trace = Trace::begin(Some(bad), &RANDOM);
            assert_eq!(trace.id(), "ab".repeat(16), "{bad}");
            assert_eq!(trace, Trace::begin(None, &RANDOM));
            assert!(!trace.is_sampled());
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_what_goes_out_is_to_the_letter(header in ".{0,80}", random: [u8; 24]) {
            prop_assume!(random[..16].iter().any(|b| *b != 0) && random[16..].iter().any(|b| *b != 0));
            let out = Trace::begin(Some(&header), &random).traceparent();
            prop_assert_eq!(out.len(), CHARS);
            prop_assert!(parse(&out).is_some());
        }
    }
}
