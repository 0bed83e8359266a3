//! A bar on the terminal while facts of many gigabytes are read.

use std::io::{IsTerminal, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// How long reading takes before a bar is worth showing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes read of all bytes, on stderr when that is a terminal.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: Arc<AtomicBool>,
}

impl Progress {
    /// Nothing read of `total` bytes.
    pub(crate) fn new(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden())
            .with_finish(ProgressFinish::AndClear);
        if let Ok(style) = ProgressStyle::with_template(
            "reading facts  {wide_bar}  {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            started: Instant::now(),
            shown: Arc::new(AtomicBool::new(false)),
        }
    }

    /// A reader that counts what is read through it.
    pub(crate) fn watch<R: Read>(&self, inner: R) -> Watched<R> {
        Watched {
            inner,
            progress: self.clone(),
        }
    }

    fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
        if self.started.elapsed() > PATIENCE
            && std::io::stderr().is_terminal()
            && !self.shown.swap(true, Ordering::Relaxed)
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        // Results follow; the bar goes before them.
        if self.bar.length().is_some_and(|all| self.bar.position() >= all) {
            self.bar.finish_and_clear();
        }
    }
}

/// A reader whose bytes are counted.
pub(crate) struct Watched<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.advance(read);
        Ok(read)
    }
}
