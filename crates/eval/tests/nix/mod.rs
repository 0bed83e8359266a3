//! Real Nix, where it is installed, to compare with.

use std::path::Path;
use std::process::Command;

/// A source tree that an environment variable names; without it, says loudly that nothing is compared.
pub(crate) fn tree(variable: &str, test: &str) -> Option<String> {
    let found = std::env::var(variable)
        .ok()
        .filter(|path| Path::new(path).exists());
    if found.is_none() {
        eprintln!("NOT COMPARED: `{test}` needs {variable} to name a source tree, and `nix-instantiate`");
    }
    found
}

/// The strict JSON that `nix-instantiate` gives for an expression.
pub(crate) fn json(expression: &str) -> serde_json::Value {
    let state = concat!(env!("CARGO_TARGET_TMPDIR"), "/nix-state");
    let output = Command::new("nix-instantiate")
        .args([
            "--eval",
            "--strict",
            "--json",
            "--option",
            "substituters",
            "",
            "-E",
            expression,
        ])
        .env("NIX_REMOTE", "")
        .env("NIX_STATE_DIR", state)
        .output()
        .expect("nix-instantiate can be run");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{expression}\n{errors}");
    serde_json::from_slice(&output.stdout).expect("JSON of nix-instantiate")
}
