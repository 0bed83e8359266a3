//! Reads files of facts and shows what they are and what it took: `cargo run --release --example read_log -- FILE…`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example reads files, looks at the clock, and prints"
)]

use std::fs::File;
use std::io::{BufReader, Result};
use std::time::Instant;

use facts::Input;
use source::Files;

fn main() -> Result<()> {
    for path in std::env::args().skip(1) {
        let file = File::open(&path)?;
        let bytes = file.metadata()?.len();
        let started = Instant::now();
        let input = Input::streamed(path.as_str(), BufReader::with_capacity(1 << 16, file));
        let (facts, problems) = facts::read(&Files::new(), [input]);
        let seconds = started.elapsed().as_secs_f64();
        let kinds: Vec<_> = facts.files.iter().map(|file| file.kind.describe()).collect();
        println!(
            "{path}: {}, {} devices, {} commands, {} problems, {bytes} bytes in {seconds:.3} s, {:.0} MB/s",
            kinds.join(", "),
            facts.io.len(),
            facts.processes.len(),
            problems.len(),
            bytes as f64 / 1e6 / seconds,
        );
    }
    Ok(())
}
