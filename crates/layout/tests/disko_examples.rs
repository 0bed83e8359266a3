//! Layouts read by this crate give NixOS exactly what the real disko gives it.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests run Nix, read layouts from the file system and stop at what is wrong"
)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{Evaluated, Trees, compare, evaluate, trees};

/// The layouts of our own making, with what the real disko made of them beside them.
fn layouts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/layouts")
}

fn text(value: &Evaluated) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("JSON prints");
    text.push('\n');
    text
}

/// Every layout of disko's own `example` folder. The one that is a folder calls disko by itself
/// and sets no option, so only what it hands to disko is compared.
#[test]
fn disko_examples_give_what_disko_gives() {
    let Some((disko, lib)) = trees("disko_examples_give_what_disko_gives") else {
        return;
    };
    let examples = evaluate(&disko, &lib, &disko.join("example"));
    assert!(
        examples.len() >= 30,
        "only {} examples were found",
        examples.len()
    );
    let (mut mounts, mut swaps, mut luks, mut read) = (0, 0, 0, 0);
    for (name, evaluated) in &examples {
        compare(name, evaluated, &Trees::of_json(name, evaluated));
        let file = disko.join("example").join(format!("{name}.nix"));
        if file.exists() {
            compare(name, evaluated, &Trees::of_nix(&file));
            read += 1;
        }
        mounts += evaluated.made.file_systems.as_object().map_or(0, |set| set.len());
        swaps += evaluated.made.swap_devices.as_array().map_or(0, Vec::len);
        luks += evaluated.made.luks.as_object().map_or(0, |set| set.len());
    }
    eprintln!(
        "{} examples of disko ({read} of them from the Nix file too): \
         {mounts} mounts, {swaps} swap devices and {luks} LUKS devices are equal",
        examples.len()
    );
}

/// The layouts whose meaning lies in `lib.mkForce` and the like beside disko, of which the JSON of
/// values knows nothing.
const NOT_IN_JSON: [&str; 3] = ["beside-forced", "beside-installer", "beside-weights"];

/// The layouts of our own making, against the committed JSON.
#[test]
fn our_layouts_give_what_disko_gave() {
    let mut names = BTreeMap::new();
    for entry in std::fs::read_dir(layouts()).expect("tests/layouts") {
        let path = entry.expect("an entry of tests/layouts").path();
        if path.extension().is_some_and(|extension| extension == "nix") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            names.insert(name, path.with_extension("json"));
        }
    }
    assert!(names.len() >= 20, "only {} layouts were found", names.len());
    for (name, path) in names {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; tests/layouts/README.md says how to make it",
                path.display()
            )
        });
        let evaluated: Evaluated = serde_json::from_str(&text).expect("the JSON of a layout");
        if !NOT_IN_JSON.contains(&&*name) {
            compare(&name, &evaluated, &Trees::of_json(&name, &evaluated));
        }
        compare(&name, &evaluated, &Trees::of_nix(&path.with_extension("nix")));
    }
}

/// The committed JSON is what the real disko makes today; `UPDATE_EXPECT=1` writes it anew.
#[test]
fn our_layouts_are_what_disko_makes_of_them() {
    let Some((disko, lib)) = trees("our_layouts_are_what_disko_makes_of_them") else {
        return;
    };
    for (name, evaluated) in evaluate(&disko, &lib, &layouts()) {
        let path = layouts().join(format!("{name}.json"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, text(&evaluated)).expect("writing the JSON of a layout");
            continue;
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text(&evaluated),
            "{} is not what disko makes; run this test with UPDATE_EXPECT=1",
            path.display()
        );
    }
}
