//! `npm run size`: what a page downloads and what the worker weighs.

use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::root;

/// What the command says. It runs once for all tests that read it.
///
/// # Panics
/// Where it fails: something is over its budget.
pub async fn said() -> &'static str {
    static SAID: OnceCell<String> = OnceCell::const_new();
    SAID.get_or_init(async || {
        let output = Command::new("npm")
            .args(["run", "--silent", "size"])
            .current_dir(root())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{errors}");
        said
    })
    .await
}
