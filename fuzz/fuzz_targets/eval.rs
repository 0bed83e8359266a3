//! Any text is parsed, evaluated and printed within its limits, without a panic.
#![no_main]

use std::path::Path;

use eval::{Evaluator, Limits, Options, TreeLimits};
use libfuzzer_sys::fuzz_target;
use source::{Files, MemoryWorld};

fuzz_target!(|data: &[u8]| {
    let world = MemoryWorld::new()
        .with("/input.nix", data)
        .with("/other.nix", "{ a = 1; f = x: x; }");
    let files = Files::new();
    let options = Options {
        limits: Limits {
            steps: 20_000,
            depth: 2_000,
            memory: 64 << 20,
            nesting: 500,
            file: 1 << 16,
        },
        lenient: data.first().is_some_and(|first| first % 2 == 0),
        ..Options::default()
    };
    let evaluator = Evaluator::new(&world, &files, options);
    let syntax = evaluator.show_syntax("input.nix", data, Path::new("/"));
    match evaluator.file(Path::new("/input.nix")) {
        Ok(value) => {
            let limits = TreeLimits {
                depth: 20,
                nodes: 2_000,
            };
            let tree = evaluator.tree(&value, limits);
            drop(tree);
            let _printed = evaluator.print(&value, true);
            let _json = evaluator.json(&value);
            let _xml = evaluator.xml(&value, true, true);
        }
        Err(error) => {
            // Whatever fails says where, or at least what.
            assert!(!error.message().is_empty() || error.is_catchable());
            let _problem = error.problem();
        }
    }
    if let Ok(shown) = syntax {
        // What is printed is an expression again.
        assert!(!shown.is_empty());
    }
});
