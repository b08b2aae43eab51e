//! The whole system, started as a user starts it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::processes::{descendants, holds, kill_now};
use crate::site::Site;
use crate::{free_port, root};

/// The keys file that `npm start` writes for scripts.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// Where the system listens.
    pub url: String,
    /// The demo site.
    pub site: String,
    /// Its public key.
    pub browser_key: String,
    /// Its secret key for back ends.
    pub source_key: String,
    /// Its read token.
    pub read_token: String,
    /// The admin token.
    pub admin_token: String,
    /// What a page of the site pastes.
    pub snippet: String,
}

/// A folder that keeps a system's state over restarts.
#[derive(Debug, Clone)]
pub struct StateDir(Arc<tempfile::TempDir>);

impl StateDir {
    /// A new, empty one, deleted with its last owner.
    pub fn new() -> Self {
        Self(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The SQLite files of the local platform below `folder` of its state.
    pub fn databases(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.path().join("v3").join(folder);
        let files = std::fs::read_dir(folder).unwrap();
        files
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "sqlite")
            })
            .collect()
    }
}

impl Default for StateDir {
    fn default() -> Self {
        Self::new()
    }
}

/// A running system. It stops when this is dropped, and when the test's process ends.
#[derive(Debug)]
pub struct System {
    child: Child,
    keys: Keys,
    state: StateDir,
    output: Arc<Mutex<String>>,
}

/// How long a start may take that has to build the worker first; one that has not takes five seconds.
const STARTED_WITHIN: Duration = Duration::from_secs(600);

/// The setting of a system that makes no events of its own calls, for tests that look at the whole lake.
pub const QUIET: &str = "OPERATION_EVENTS:off";

/// The system that tests share which have a site of their own and break nothing. It is started as a user
/// starts one, and so it builds what is out of date.
pub fn shared() -> &'static System {
    static SHARED: OnceLock<System> = OnceLock::new();
    SHARED.get_or_init(|| {
        let state = StateDir::new();
        System::run(start_command(free_port(), state.path()), &state)
    })
}

/// Builds what is out of date, once for all systems that tests start.
fn build_once() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = Command::new("node");
        let output = build
            .arg("deploy/dev/build/build.mjs")
            .current_dir(root())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    });
}

/// The command that starts a system on a port and state of its own.
pub fn start_command(port: u16, state: &Path) -> (Command, PathBuf) {
    let keys_file = state.join("keys.json");
    let mut command = Command::new("node");
    command
        .arg("deploy/dev/run/start.mjs")
        .current_dir(root())
        .env("PORT", port.to_string())
        .env("SHORELINE_STATE", state)
        .env("SHORELINE_KEYS", &keys_file)
        // Should the test be killed, its end of the pipe closes, and the system stops.
        .env("SHORELINE_EXIT_WITH_STDIN", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    (command, keys_file)
}

impl System {
    /// Starts a system on `state` and waits until it says that it runs.
    ///
    /// # Panics
    /// With its output, if it ends instead.
    pub fn start(state: &StateDir) -> Self {
        Self::start_with(state, "")
    }

    /// Starts a system with other settings than the usual (`NAME:VALUE …`).
    ///
    /// # Panics
    /// With its output, if it ends instead.
    pub fn start_with(state: &StateDir, settings: &str) -> Self {
        Self::start_as(state, settings, None)
    }

    /// Starts a system whose bindings refuse what the platform refuses, count what is asked of them
    /// ([`System::counted`]), and fail where a test wants it ([`System::faults`]).
    ///
    /// # Panics
    /// With its output, if it ends instead.
    pub fn start_strict(state: &StateDir, settings: &str) -> Self {
        Self::start_as(state, settings, Some("1"))
    }

    fn start_as(state: &StateDir, settings: &str, strict: Option<&str>) -> Self {
        build_once();
        let (mut command, keys_file) = start_command(free_port(), state.path());
        // A start finds nothing to build, and need not look for it twice.
        command
            .env("SHORELINE_BUILT", "1")
            .env("SHORELINE_VARS", settings);
        if let Some(strict) = strict {
            command.env("SHORELINE_STRICT", strict);
        }
        Self::run((command, keys_file), state)
    }

    /// What the bindings of a strict system were asked, and refused.
    pub async fn counted(&self) -> Value {
        self.strict(reqwest::Method::GET, "", Value::Null).await
    }

    /// Has a strict system forget what was counted.
    pub async fn forget_counts(&self) {
        self.strict(reqwest::Method::DELETE, "", Value::Null).await;
    }

    /// Has bindings of a strict system fail from now on: `{"DB": {"mode": "fail"}}` (`fail`, `hang`, `slow`, `lost`).
    pub async fn faults(&self, faults: &Value) {
        self.strict(reqwest::Method::PUT, "/faults", faults.clone())
            .await;
    }

    async fn strict(&self, method: reqwest::Method, path: &str, body: Value) -> Value {
        let url = self.at(&format!("/__strict{path}"));
        let request = crate::client().request(method, url).body(body.to_string());
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Runs a start and waits until the system says that it runs. One that does not ends with the pipe of its input.
    fn run((mut command, keys_file): (Command, PathBuf), state: &StateDir) -> Self {
        let mut child = command.spawn().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let (running, wait) = std::sync::mpsc::channel();
        let pipes: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for pipe in pipes {
            let (output, running) = (output.clone(), running.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let runs = line.contains("Shoreline runs");
                    output.lock().unwrap().push_str(&format!("{line}\n"));
                    if runs {
                        let _ = running.send(());
                    }
                }
            });
        }
        drop(running);
        if let Err(why) = wait.recv_timeout(STARTED_WITHIN) {
            panic!(
                "the system did not start ({why}):\n{}",
                output.lock().unwrap()
            );
        }
        let keys = serde_json::from_slice(&std::fs::read(keys_file).unwrap()).unwrap();
        Self {
            child,
            keys,
            state: state.clone(),
            output,
        }
    }

    /// The keys of its demo site.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Its state.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// What it printed so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// A URL below its own.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.keys.url)
    }

    /// Its demo site.
    pub fn demo(&self) -> Site {
        Site {
            url: self.keys.url.clone(),
            id: self.keys.site.clone(),
            browser_key: self.keys.browser_key.clone(),
            source_key: self.keys.source_key.clone(),
            read_token: self.keys.read_token.clone(),
            admin_token: self.keys.admin_token.clone(),
            domain: "localhost".into(),
            origin: self.keys.url.clone(),
            state: self.state.clone(),
        }
    }

    /// A new site of its own.
    pub async fn new_site(&self) -> Site {
        self.new_site_with(&Value::Null).await
    }

    /// A new site of its own with these settings beside the usual ones.
    pub async fn new_site_with(&self, settings: &Value) -> Site {
        Site::make(&self.keys, &self.state, &[], settings).await
    }

    /// A new site of its own, whose pages may also be at any port of this machine.
    pub async fn new_local_site(&self) -> Site {
        let local = ["http://localhost:*"];
        Site::make(&self.keys, &self.state, &local, &Value::Null).await
    }

    /// Kills every workerd at once: the one that runs the worker, and Wrangler's, which passes requests
    /// on. The system starts new ones by itself.
    /// `false`: none runs.
    pub fn kill_all_workerds(&self) -> bool {
        let workerds = self.workerds();
        workerds.iter().for_each(|pid| kill_now(*pid));
        !workerds.is_empty()
    }

    /// Kills the workerd that runs the worker. Wrangler starts a new one by itself. `false`: none does.
    pub fn kill_workerd(&self) -> bool {
        let mut workerds = self.workerds().into_iter();
        let worker = workerds.find(|pid| holds(*pid, self.state.path()));
        worker.inspect(|pid| kill_now(*pid)).is_some()
    }

    fn workerds(&self) -> Vec<i32> {
        let all = descendants(self.pid()).into_iter();
        all.filter(|process| process.name.starts_with("workerd"))
            .map(|process| process.pid)
            .collect()
    }

    /// Kills every process of the system at once, as a power cut would.
    pub fn power_cut(mut self) -> StateDir {
        let mut pids: Vec<i32> = descendants(self.pid()).iter().map(|p| p.pid).collect();
        pids.push(self.pid());
        for pid in pids {
            kill_now(pid);
        }
        self.child.wait().unwrap();
        self.state.clone()
    }

    /// Stops it as Ctrl-C does.
    pub fn stop(mut self) -> StateDir {
        self.stop_now();
        self.state.clone()
    }

    fn stop_now(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.stop_now();
    }
}
