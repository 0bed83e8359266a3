//! The tests that nixpkgs has for its own `lib`, with this program in the place of Nix.
//!
//! `NIXPKGS_LIB` names the `lib` folder; without it nothing runs, and the test says so.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn lib() -> Option<PathBuf> {
    let found = std::env::var_os("NIXPKGS_LIB").map(PathBuf::from);
    if found.is_none() {
        println!("NOT RUN: the tests of nixpkgs' lib. Set NIXPKGS_LIB to its folder.");
    }
    found
}

#[test]
fn every_function_of_lib_does_what_its_tests_say() {
    let Some(lib) = lib() else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_disko-advise"))
        .args(["eval", "--json"])
        .arg(lib.join("tests/misc.nix"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    // The list of those that failed, each with what was expected and what came.
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "[]", "{errors}");
}

/// Takes the place of `nix-instantiate`: leaves out the flags that mean nothing here.
const STAND_IN: &str = "#!/usr/bin/env bash
args=()
while [ $# -gt 0 ]; do
  case \"$1\" in
    --timeout) shift ;;
    --option)
      if [ \"$2\" = abort-on-warn ] && [ \"$3\" = true ]; then args+=(--abort-on-warn); fi
      shift 2 ;;
    --eval-only | --show-trace | --read-write-mode | --strict) ;;
    *) args+=(\"$1\") ;;
  esac
  shift
done
exec \"$DISKO_ADVISE\" eval \"${args[@]}\"
";

/// Checks that cannot pass, by a word in them, and why.
const NOT_PASSING: &[(&str, &str)] = &[(
    "import-from-store.nix",
    "the module is in the store, where it must be built",
)];

/// `lib/tests/modules.sh` itself, over every module beside it.
#[test]
fn the_module_system_behaves_as_under_nix() {
    let Some(lib) = lib() else { return };
    let script = lib.join("tests/modules.sh");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stand-in");
    std::fs::create_dir_all(&folder).unwrap();
    let stand_in = folder.join("nix-instantiate");
    std::fs::write(&stand_in, STAND_IN).unwrap();
    std::fs::set_permissions(&stand_in, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .arg(&script)
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("DISKO_ADVISE", env!("CARGO_BIN_EXE_disko-advise"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<String> = std::fs::read_to_string(&script)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let failed: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("TEST FAILED"))
        .filter_map(|line| line.rsplit(':').next()?.trim().parse::<usize>().ok())
        .filter_map(|number| lines.get(number - 1))
        .map(String::as_str)
        .collect();
    let count = |word: &str| {
        let line = said.lines().find_map(|line| line.strip_suffix(word));
        line.and_then(|number| number.trim().parse::<usize>().ok())
    };
    let (passed, not) = (count(" Pass").unwrap(), count(" Fail").unwrap());
    println!("modules.sh: {passed} pass, {not} do not");
    let unexplained: Vec<&&str> = failed
        .iter()
        .filter(|line| !NOT_PASSING.iter().any(|(word, _)| line.contains(word)))
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}\n{said}");
    assert_eq!(failed.len(), not);
    for (word, reason) in NOT_PASSING {
        let still = failed.iter().any(|line| line.contains(word));
        assert!(still, "{word} passes, though listed: {reason}");
    }
}

/// What both print for an expression, `nix-instantiate` first.
fn both(expression: &str, trees: &[&Path]) -> [std::process::Output; 2] {
    let nix = Command::new("nix-instantiate")
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
        // A builder of Nix names its store here, which may be another.
        .env_remove("NIX_STORE")
        .env(
            "NIX_STATE_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/nix-state"),
        )
        .output();
    let mut ours = Command::new(env!("CARGO_BIN_EXE_disko-advise"));
    ours.args(["eval", "--json", "-E", expression]);
    for tree in trees {
        ours.arg("-I").arg(tree);
    }
    [nix.unwrap(), ours.output().unwrap()]
}

/// `lib.evalModules` over disko's own types.
#[test]
fn every_example_of_disko_evaluates_to_what_nix_gives() {
    let Some(lib) = lib() else { return };
    let Some(disko) = std::env::var_os("DISKO").map(PathBuf::from) else {
        println!("NOT RUN: the examples of disko. Set DISKO to its folder.");
        return;
    };
    if Command::new("nix-instantiate").arg("--version").output().is_err() {
        println!("NOT RUN: the examples of disko, since `nix-instantiate` is not on the path.");
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_lib");
    let mut compared = 0;
    for entry in std::fs::read_dir(disko.join("example")).unwrap() {
        let mut file = entry.unwrap().path();
        if file.is_dir() {
            file.push("configuration.nix");
        }
        let expression = format!(
            "import {} {{ lib = import {}; disko = {}; file = {}; }}",
            here.join("example.nix").display(),
            lib.display(),
            disko.display(),
            file.display()
        );
        let [nix, ours] = both(&expression, &[&here, &lib, &disko]);
        let errors = String::from_utf8_lossy(&nix.stderr).into_owned();
        assert!(nix.status.success(), "{}: {errors}", file.display());
        let text = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert_eq!(text(&ours), text(&nix), "{}", file.display());
        compared += 1;
    }
    println!("{compared} examples of disko give the same JSON");
    assert!(compared >= 39, "{compared}");
}
