//! Results on stdout; problems and hints on stderr.

use std::io::{IsTerminal, Write};

use disko_advise::emit::Look;

/// Prints a result.
///
/// # Errors
/// When stdout cannot be written to.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_bytes(text.as_bytes())
}

/// Prints JSON with a line break at the end.
///
/// # Errors
/// When stdout cannot be written to.
pub(crate) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Says on stderr that something could not be done.
pub(crate) fn error(line: &str) {
    stderr(&format!("error: {line}\n"));
}

/// Says something helpful on stderr.
pub(crate) fn hint(line: &str) {
    stderr(&format!("{line}\n"));
}

/// Writes to stderr. That it cannot be written to is nothing that could be told anyone.
pub(crate) fn stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// How reports on stdout look: colours on a terminal unless `NO_COLOR` forbids them.
pub(crate) fn look() -> Look {
    look_of(&std::io::stdout())
}

/// How problems on stderr look.
pub(crate) fn look_of_stderr() -> Look {
    look_of(&std::io::stderr())
}

fn look_of(stream: &(impl IsTerminal + anstream::stream::RawStream)) -> Look {
    let colour = anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never;
    let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
    Look {
        colour,
        width: width.clamp(60, 140),
    }
}

/// Prints a result whose bytes need not be text.
///
/// # Errors
/// When stdout cannot be written to.
pub(crate) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(())
}
