//! Connections that send requests one after the other, and what each took.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::request::{Path, Template, visitor};

/// Clock ticks a second, as Linux has them.
const TICKS: f64 = 100.0;

/// Where requests go, and of what kind they are.
pub(crate) struct Target {
    address: String,
    path: Path,
    templates: Vec<Template>,
}

/// How many batches at most, in all and in a second.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) batches: u64,
    pub(crate) rate: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            batches: u64::MAX,
            rate: f64::INFINITY,
        }
    }
}

/// What all connections of a run share.
struct Turn {
    start: Instant,
    end: Instant,
    sent: Rc<Cell<u64>>,
    pace: Pace,
}

impl Turn {
    /// Waits until the next batch may go; `false` once the run is over.
    async fn next(&self) -> bool {
        let number = self.sent.get();
        let at = self.start + Duration::from_secs_f64(number as f64 / self.pace.rate);
        let now = Instant::now();
        if number >= self.pace.batches || at.max(now) >= self.end {
            return false;
        }
        self.sent.set(number + 1);
        if at > now {
            tokio::time::sleep_until(at.into()).await;
        }
        true
    }
}

/// What one run took.
pub(crate) struct Run {
    batches: usize,
    seconds: f64,
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    own_cpu: f64,
}

impl Run {
    pub(crate) fn batches(&self) -> usize {
        self.batches
    }

    /// `ownCpu` is the share of a core that this program took: near 1, it would be the bottleneck itself.
    pub(crate) fn json(&self) -> Value {
        json!({
            "batches": self.batches, "seconds": self.seconds, "rate": self.rate,
            "p50": self.p50, "p99": self.p99, "ownCpu": self.own_cpu,
        })
    }
}

impl Target {
    pub(crate) fn new(url: &str, key: &str, origin: &str, path: Path, events: usize) -> Self {
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        let dry_run = if path == Path::Validate {
            "&dryRun=1"
        } else {
            ""
        };
        let target = format!("/v1/events?key={key}{dry_run}");
        Self {
            address: address.to_owned(),
            path,
            templates: Template::all(path, &target, origin, events),
        }
    }

    /// Requests over so many connections, until the time is over.
    pub(crate) async fn load(&self, connections: usize, time: Duration) -> Run {
        self.load_with(connections, time, Pace::default()).await
    }

    /// The same at a pace.
    pub(crate) async fn load_with(&self, connections: usize, time: Duration, pace: Pace) -> Run {
        let (start, cpu) = (Instant::now(), own_cpu_seconds());
        let sent = Rc::new(Cell::new(0));
        let connections = (0..connections).map(|_| {
            let (address, path) = (self.address.clone(), self.path);
            let turn = Turn {
                start,
                end: start + time,
                sent: sent.clone(),
                pace,
            };
            connection(address, path, self.templates.clone(), turn)
        });
        let local = LocalSet::new();
        let running: Vec<_> = connections.map(|each| local.spawn_local(each)).collect();
        local.await;
        let mut times = Vec::new();
        for each in running {
            times.extend(each.await.unwrap());
        }
        times.sort();
        assert!(!times.is_empty(), "nothing was sent");
        let seconds = start.elapsed().as_secs_f64();
        let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        Run {
            batches: times.len(),
            seconds,
            rate: times.len() as f64 / seconds,
            p50: at(0.5),
            p99: at(0.99),
            own_cpu: (own_cpu_seconds() - cpu) / seconds,
        }
    }
}

async fn connection(
    address: String,
    path: Path,
    mut templates: Vec<Template>,
    turn: Turn,
) -> Vec<Duration> {
    let stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    let (mut times, mut line) = (Vec::new(), Vec::new());
    while turn.next().await {
        let visitor = visitor();
        let kind = (visitor % templates.len() as u64) as usize;
        let request = templates[kind].fill(visitor);
        let start = Instant::now();
        stream.write_all(request).await.unwrap();
        let (status, body) = read_answer(&mut stream, &mut line).await;
        times.push(start.elapsed());
        if !path.allows(status) {
            panic!(
                "the load was refused: {status} {}",
                String::from_utf8_lossy(&body)
            );
        }
    }
    times
}

/// Reads an answer to its end.
async fn read_answer(stream: &mut BufReader<TcpStream>, line: &mut Vec<u8>) -> (u16, Vec<u8>) {
    let (mut status, mut length) = (0, 0);
    loop {
        line.clear();
        stream.read_until(b'\n', line).await.unwrap();
        let text = std::str::from_utf8(line).unwrap().trim_end();
        if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some((name, value)) = text.split_once(':') {
            assert!(
                !name.eq_ignore_ascii_case("transfer-encoding"),
                "an answer without a length"
            );
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        } else {
            assert!(text.is_empty() && status > 0, "not an answer: {text}");
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (status, body)
}

/// What this program has used so far.
fn own_cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    let mut fields = after_name.split(' ').skip(11);
    let mut ticks = || fields.next().unwrap().parse::<f64>().unwrap();
    (ticks() + ticks()) / TICKS
}
