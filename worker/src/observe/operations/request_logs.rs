//! Which calls have a line in the log (`REQUEST_LOGS`). On the platform a line costs about twice the
//! request, so only what went wrong has one unless more is asked for.

use super::event::Operation;
use crate::observe::trace::Trace;

/// What a share is of: fine enough for a deployment of thousands of requests a second.
const MILLION: u32 = 1_000_000;

/// Which calls have a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequestLogs {
    /// Those that failed for a reason of ours.
    #[default]
    Errors,
    /// These, and so many of a million traces, so that a trace has all its lines or none.
    Share(u32),
    /// All.
    All,
}

impl RequestLogs {
    /// Reads the setting: `errors`, `all` or a share such as `0.01`, of six places at most.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "errors" => Some(Self::Errors),
            "all" => Some(Self::All),
            _ => share(text).map(Self::Share),
        }
    }

    /// Whether a call has a line.
    pub fn want(self, call: &Operation) -> bool {
        call.is_our_failure()
            || match self {
                Self::Errors => false,
                Self::Share(share) => place_of(&call.trace) < share,
                Self::All => true,
            }
    }
}

/// A share such as `0.01`, of a million.
fn share(text: &str) -> Option<u32> {
    let places = text.strip_prefix("0.")?;
    if places.len() > 6 || !places.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let share = format!("{places:0<6}").parse().ok()?;
    (1..MILLION).contains(&share).then_some(share)
}

/// Where among a million a trace stands, evenly spread whatever its id is made of: random bytes, a
/// time, or a number that is counted on.
fn place_of(trace: &Trace) -> u32 {
    let id = u128::from_be_bytes(trace.bytes());
    let mixed = mix((id >> 64) as u64 ^ mix(id as u64));
    (u64::from(MILLION).wrapping_mul(mixed >> 32) >> 32) as u32
}

/// The finalizer of SplitMix64: every bit of the result depends on every bit of the number.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::operation;
    use super::*;

    #[test]
    fn a_setting_is_read_to_the_letter() {
        for (text, read) in [
            ("errors", Some(RequestLogs::Errors)),
            ("all", Some(RequestLogs::All)),
            ("0.01", Some(RequestLogs::Share(10_000))),
            ("0.5", Some(RequestLogs::Share(500_000))),
            ("0.000001", Some(RequestLogs::Share(1))),
            ("0.999999", Some(RequestLogs::Share(999_999))),
            ("0.0000001", None),
            ("0.9999999", None),
            ("0.", None),
            ("0.0", None),
            ("0.+1", None),
            ("1e-3", None),
            (".5", None),
            ("0", None),
            ("1", None),
            ("-0.1", None),
            ("1.5", None),
            ("NaN", None),
            ("inf", None),
            ("none", None),
            ("ALL", None),
            ("", None),
        ] {
            assert_eq!(RequestLogs::parse(text), read, "{text}");
        }
    }

    #[test]
    fn failures_of_ours_have_a_line_under_any_setting() {
        let never = RequestLogs::Share(0);
        for (status, logs, wanted) in [
            (202, RequestLogs::Errors, false),
            (499, RequestLogs::Errors, false),
            (500, RequestLogs::Errors, true),
            (202, never, false),
            (503, never, true),
            (202, RequestLogs::All, true),
        ] {
            let call = operation("/v1/events", None, status, 1);
            assert_eq!(logs.want(&call), wanted, "{status} {logs:?}");
        }
    }

    #[test]
    fn a_share_is_a_share_of_all_traces_however_their_ids_are_made() {
        let makers: [fn(u128) -> u128; 4] = [
            |n| n,
            |n| n << 64,
            |n| n << 120 | n << 3,
            |n| 0x6655_4433_0000_0000_0000_0000_0000_0000 + (n << 96),
        ];
        for make in makers {
            let wanted = |share: u32| {
                let of = |n: u128| {
                    let header = format!("00-{:032x}-00f067aa0ba902b7-00", make(n));
                    let mut call = operation("/v1/events", None, 202, 1);
                    call.trace = Trace::begin(Some(&header), &[1; 24]);
                    call
                };
                let calls = (1..=20_000).map(of);
                let logs = RequestLogs::Share(share);
                calls.filter(|call| logs.want(call)).count() as f64
            };
            for per_million in [10_000, 100_000, 500_000] {
                // Five standard deviations of a binomial distribution.
                let (n, share) = (20_000.0_f64, f64::from(per_million) / 1e6);
                let tolerance = 5.0 * (n * share * (1.0 - share)).sqrt();
                let off = (wanted(per_million) - n * share).abs();
                assert!(off < tolerance, "{per_million}: {off}");
            }
        }
    }

    #[test]
    fn the_calls_of_a_trace_have_lines_all_or_none() {
        let logs = RequestLogs::Share(500_000);
        for first in 0..=255 {
            let mut random = [first; 24];
            let call = |random: &[u8; 24]| {
                let mut call = operation("/v1/events", None, 202, 1);
                call.trace = Trace::begin(None, random);
                call
            };
            let one = call(&random);
            random[20] ^= 1;
            assert_eq!(logs.want(&one), logs.want(&call(&random)));
        }
    }
}
