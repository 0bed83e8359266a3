//! Any text as a layout, through the whole pipeline: whatever is edited is Nix, and was proven.
//!
//! The text is a NUL-separated pair: the layout, and a file of facts.
#![no_main]

use std::path::Path;

use disko_advise::facts::Input;
use disko_advise::source::{Files, MemoryWorld};
use disko_advise::{Evaluation, Question, advise};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (layout, facts) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let world = MemoryWorld::new().with("/disko.nix", layout);
    let evaluation = Evaluation::default();
    // Evaluation is bounded by steps; a fuzzer wants a tighter bound.
    let polls = std::cell::Cell::new(0_u32);
    let interrupt = || {
        polls.set(polls.get() + 1);
        polls.get() > 200
    };
    let advice = advise(Question {
        files: Files::new(),
        facts: vec![Input::new("facts.txt", facts)],
        symptoms: vec!["everything is slow and the disk is full".to_owned()],
        interrupt: &interrupt,
        ..Question::new(&world, Path::new("/disko.nix"), &evaluation)
    });
    let _ = disko_advise::emit::module(&advice.judgement);
    let look = disko_advise::emit::Look { colour: true, width: 80 };
    let _ = disko_advise::emit::text(
        &advice.files,
        &advice.judgement,
        &advice.edits,
        &advice.diagnoses,
        look,
    );
    for problem in &advice.problems {
        let _ = disko_advise::emit::problem(&advice.files, problem, look);
    }
});
