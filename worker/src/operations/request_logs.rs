//! Which calls have a line in the log (`REQUEST_LOGS`). On the platform a line costs about twice the
//! request, so only what went wrong has one unless more is asked for.

use super::event::Operation;
use crate::trace::Trace;

/// Which calls have a line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum RequestLogs {
    /// Those that failed for a reason of ours.
    #[default]
    Errors,
    /// These, and a share (between 0 and 1) of all traces, so that a trace has all its lines or none.
    Share(f64),
    /// All.
    All,
}

impl RequestLogs {
    /// Reads the setting: `errors`, `all` or a share such as `0.01`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "errors" => Some(Self::Errors),
            "all" => Some(Self::All),
            _ => {
                let share = text.parse::<f64>().ok()?;
                (share > 0.0 && share < 1.0).then_some(Self::Share(share))
            }
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

/// Where between 0 and 1 a trace stands, evenly spread whatever its id is made of: random bytes, a
/// time, or a number that is counted on.
fn place_of(trace: &Trace) -> f64 {
    let id = u128::from_be_bytes(trace.bytes());
    let mixed = mix((id >> 64) as u64 ^ mix(id as u64));
    // As many bits as a double holds.
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
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
            ("0.01", Some(RequestLogs::Share(0.01))),
            ("1e-3", Some(RequestLogs::Share(0.001))),
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
        let never = RequestLogs::Share(f64::MIN_POSITIVE);
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
            let wanted = |share: f64| {
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
            for share in [0.01, 0.1, 0.5] {
                // Five standard deviations of a binomial distribution.
                let (mean, n) = (20_000.0 * share, 20_000.0_f64);
                let tolerance = 5.0 * (n * share * (1.0 - share)).sqrt();
                assert!((wanted(share) - mean).abs() < tolerance, "{share}");
            }
        }
    }

    #[test]
    fn the_calls_of_a_trace_have_lines_all_or_none() {
        let logs = RequestLogs::Share(0.5);
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
