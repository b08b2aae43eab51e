//! Python scripts, run with the packages of `deploy/aws/requirements.txt`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use shoreline_tests::root;

/// The interpreter that has the packages; the first time, they are installed.
static INTERPRETER: LazyLock<String> = LazyLock::new(|| {
    let output = Command::new("node")
        .arg("deploy/aws/python.mjs")
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
});

/// Runs a script of this folder in `folder`, with `input` as JSON; its answer likewise.
pub(crate) fn run(script: &str, folder: &Path, input: &Value) -> Value {
    let mut child = Command::new(&*INTERPRETER)
        .arg(
            root()
                .join("tests/tables")
                .join(script)
                .canonicalize()
                .unwrap(),
        )
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}
