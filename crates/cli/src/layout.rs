//! `layout`: what is declared, and what disko makes of it.

use std::fmt::Write;
use std::process::ExitCode;

use disko_advise::layout::report::LayoutReport;

use crate::args::{Format, Layout};
use crate::input::Case;
use crate::output;

pub(crate) fn run(args: &Layout) -> anyhow::Result<ExitCode> {
    let case = Case::new(args.path.as_deref(), &args.evaluation, &[], &[], &[])?;
    let files = case.files();
    let declared = case.declared(&files)?;
    match args.format {
        Format::Json => output::print_json(&LayoutReport::new(&declared.layout, declared.devices()))?,
        Format::Text => output::print(&text(&declared.layout))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A line each for what is mounted, swapped to and opened.
fn text(layout: &disko_advise::layout::Layout) -> String {
    let mut out = String::new();
    let unknown = "unknown";
    for mount in &layout.mounts {
        let options: Vec<_> = mount.options.iter().map(|it| &*it.value).collect();
        let device = mount.device.as_deref().unwrap_or(unknown);
        let _ = writeln!(
            out,
            "mount {}  {} on {device}  {}",
            mount.mountpoint.value,
            mount.fs_type,
            options.join(",")
        );
    }
    for swap in &layout.swaps {
        let _ = writeln!(out, "swap {}", swap.device.as_deref().unwrap_or(unknown));
    }
    for luks in &layout.luks {
        let _ = writeln!(
            out,
            "luks {}  on {}",
            luks.name,
            luks.device.as_deref().unwrap_or(unknown)
        );
    }
    for part in &layout.unknown {
        let _ = writeln!(
            out,
            "unknown {}  depends on {}: {}",
            part.path, part.because.name, part.because.because
        );
    }
    out
}
