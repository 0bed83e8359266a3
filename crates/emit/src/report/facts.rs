//! What `disko-advise facts` prints: every figure with its line, the stack of the storage joined with
//! what is live, and where two sources contradict each other.

use std::collections::BTreeSet;
use std::fmt::Write;

use machine::facts::{BtrfsUsage, DeviceIo, Window};
use machine::{Disagreement, Disk, Layer, LayerKind, Machine, Stack};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use source::{Bytes, Files, Level, Origin, Problem, Sourced};

use super::observed::{Figure, Figures, Shown};

/// What was observed of a machine.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FactsReport {
    /// Always 1. It grows when a field changes its meaning or goes.
    pub version: u32,
    /// The files that were understood.
    pub files: Vec<FileReport>,
    /// Every figure.
    pub facts: Vec<FactReport>,
    /// The stack of the storage, from disks to what runs on them, each layer once.
    pub layers: Vec<LayerReport>,
    /// Where two sources tell one thing differently.
    pub contradictions: Vec<ContradictionReport>,
    /// What was wrong with the input.
    pub problems: Vec<ProblemReport>,
}

/// A file that was understood.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileReport {
    /// Its path, with a section behind a `#`.
    pub path: String,
    /// The command or file whose output it is.
    pub kind: String,
}

/// One figure.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FactReport {
    /// What it is of.
    pub subject: String,
    /// Which figure.
    pub name: String,
    /// Its value: sizes in bytes, times in milliseconds, rates a second, shares in percent; what was
    /// measured several times as an object with `samples`, `mean`, `p50`, `p95`, `p99`, `max`.
    pub value: Value,
    /// The value as people write it.
    pub text: String,
    /// The lines that it was read from.
    pub places: Vec<PlaceReport>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PlaceReport {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The line's text.
    pub quote: String,
}

/// One layer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LayerReport {
    /// Its number in this report.
    pub id: usize,
    /// `disk`, `partition`, `luks`, `raid`, `volume group`, `logical volume`, `pool`, `dataset`, `zvol`,
    /// `filesystem`, `subvolume`, `swap`, `mount`, `workload` or `device`.
    pub kind: String,
    /// What it is called: in the layout where it is declared, else by the machine.
    pub name: String,
    /// The option path of the layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// The device file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Whether the layout has it.
    pub declared: bool,
    /// Whether a listing of the machine has it.
    pub observed: bool,
    /// What the device is recognised by, where no listing names it as the layout does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inferred: Option<String>,
    /// The logical volume that LVM made this one for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
    /// The layers that it lies on.
    pub on: Vec<usize>,
    /// The layers that lie on it.
    pub holds: Vec<usize>,
    /// What was measured of it.
    pub figures: Vec<FactReport>,
}

/// Two sources that tell one thing differently.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContradictionReport {
    /// What it is about.
    pub subject: String,
    /// Which fact.
    pub fact: String,
    /// One side: the layout where it says anything.
    pub one: SideReport,
    /// The other side.
    pub other: SideReport,
}

/// One side of a contradiction.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SideReport {
    /// What it says.
    pub value: String,
    /// Where.
    pub places: Vec<PlaceReport>,
}

/// Something wrong with an input.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProblemReport {
    /// `note`, `warning` or `error`.
    pub level: String,
    /// What.
    pub message: String,
    /// Where, when there is a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceReport>,
}

/// The JSON schema of [`FactsReport`].
pub fn schema() -> Value {
    schemars::schema_for!(FactsReport).to_value()
}

/// The most places of one figure that are shown.
const MOST_PLACES: usize = 16;

/// Where an origin lies, each line once.
pub(super) fn places(files: &Files, origin: &Origin) -> Vec<PlaceReport> {
    let mut found = Vec::new();
    let mut todo = vec![origin];
    while let Some(origin) = todo.pop() {
        let place = match origin {
            Origin::Probe(quote) => PlaceReport {
                file: files.get(quote.file).path.to_string(),
                line: quote.line,
                quote: quote.text.to_string(),
            },
            Origin::Nix(span) => {
                let file = files.get(span.file);
                let line = file.line_column(span.start).line;
                PlaceReport {
                    file: file.path.to_string(),
                    line,
                    quote: file.line_text(line).to_owned(),
                }
            }
            Origin::Derived(parts) => {
                todo.extend(parts.iter().rev());
                continue;
            }
            Origin::Default { .. } => continue,
        };
        if !found.contains(&place) && found.len() < MOST_PLACES {
            found.push(place);
        }
    }
    found
}

/// The places in one short text: `lsblk.json:6, 40; proc-mounts:1`.
pub(super) fn short(places: &[PlaceReport]) -> String {
    let mut text = String::new();
    let mut last: Option<&str> = None;
    let mut seen = BTreeSet::new();
    for place in places {
        if !seen.insert((&place.file, place.line)) {
            continue;
        }
        if last == Some(&place.file) {
            let _ = write!(text, ", {}", place.line);
        } else {
            let gap = if last.is_some() { "; " } else { "" };
            let _ = write!(text, "{gap}{}:{}", place.file, place.line);
        }
        last = Some(&place.file);
    }
    text
}

fn fact(files: &Files, figure: &Figure) -> FactReport {
    FactReport {
        subject: figure.subject.clone(),
        name: figure.name.clone(),
        value: figure.value.clone(),
        text: figure.text.clone(),
        places: places(files, &figure.origin),
    }
}

impl FactsReport {
    /// The report on a machine.
    pub fn new(files: &Files, machine: &Machine, problems: &[Problem]) -> Self {
        let stack = Stack::of(machine);
        Self {
            version: 1,
            files: machine
                .facts
                .files
                .iter()
                .map(|it| FileReport {
                    path: files.shown_path(&it.path),
                    kind: it.kind.describe().to_owned(),
                })
                .collect(),
            facts: Figures::of(&machine.facts)
                .rows
                .iter()
                .map(|it| fact(files, it))
                .collect(),
            layers: stack
                .layers
                .iter()
                .enumerate()
                .map(|(id, layer)| LayerReport {
                    id,
                    kind: layer.kind.name().to_owned(),
                    name: layer.name.clone(),
                    option: layer.device.map(|it| it.path.to_string()),
                    device: device_file(layer),
                    declared: layer.is_declared(),
                    observed: layer.is_observed(),
                    inferred: layer.inferred.clone(),
                    part_of: layer.part_of.clone(),
                    on: layer.on.clone(),
                    holds: layer.holds.clone(),
                    figures: figures_of(machine, layer)
                        .iter()
                        .map(|it| fact(files, it))
                        .collect(),
                })
                .collect(),
            contradictions: machine
                .disagreements()
                .iter()
                .map(|it| contradiction(files, it))
                .collect(),
            problems: problems.iter().map(|it| problem(files, it)).collect(),
        }
    }
}

fn contradiction(files: &Files, it: &Disagreement) -> ContradictionReport {
    let side = |it: &Sourced<String>| SideReport {
        value: it.value.clone(),
        places: places(files, &it.origin),
    };
    ContradictionReport {
        subject: it.subject.clone(),
        fact: it.fact.clone(),
        one: side(&it.one),
        other: side(&it.other),
    }
}

fn problem(files: &Files, it: &Problem) -> ProblemReport {
    ProblemReport {
        level: match it.level {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
        .to_owned(),
        message: it.message.clone(),
        place: it.span.and_then(|span| places(files, &Origin::Nix(span)).pop()),
    }
}

/// The device file of a layer: the machine's own name for it, else the layout's.
fn device_file(layer: &Layer<'_>) -> Option<String> {
    let block = layer.block.map(|it| match (&it.path, &it.mapped) {
        (Some(path), _) => path.value.to_string(),
        (None, Some(mapped)) => format!("/dev/mapper/{}", mapped.value),
        (None, None) => format!("/dev/{}", it.name.value),
    });
    let disk = layer
        .disk
        .and_then(|it| it.kernel_name())
        .map(|it| format!("/dev/{it}"));
    let declared = layer
        .device
        .and_then(|it| it.node.as_ref())
        .map(ToString::to_string);
    block.or(disk).or(declared).filter(|_| is_device(layer.kind))
}

/// Whether a layer is a block device of its own.
fn is_device(kind: LayerKind) -> bool {
    matches!(
        kind,
        LayerKind::Disk
            | LayerKind::Partition
            | LayerKind::Luks
            | LayerKind::Raid
            | LayerKind::LogicalVolume
            | LayerKind::Zvol
            | LayerKind::Other
    )
}

/// What was measured of a layer, the most telling first.
fn figures_of(machine: &Machine, layer: &Layer<'_>) -> Vec<Figure> {
    let mut figures = Shortlist::default();
    let facts = &machine.facts;
    if let Some(disk) = layer.disk {
        figures.fact("size", disk.size.as_ref().or_else(|| layer.block?.size.as_ref()));
        let declared = layer.device.and_then(|device| machine.disk_of(device));
        let media = declared.map_or_else(|| disk.media(), |it: Disk<'_>| it.media());
        if let Ok((media, _)) = media {
            figures.fact("medium", Some(&media));
        }
        figures.fact("model", disk.model.as_ref());
        figures.fact("scheduler", disk.scheduler.as_ref());
        for fault in disk.health.faults() {
            figures.fact("fault", Some(&fault));
        }
    } else if let Some(block) = layer.block.filter(|_| is_device(layer.kind)) {
        figures.fact("size", block.size.as_ref());
        if layer.kind == LayerKind::Luks {
            figures.fact("largest discard", block.discard_max.as_ref());
        }
    }
    let name = layer
        .carrier
        .or(layer.block)
        .filter(|_| is_device(layer.kind))
        .map(|it| &*it.name.value)
        .or_else(|| layer.disk.and_then(|it| it.kernel_name()));
    if let Some(io) = name.and_then(|name| facts.io_named(name)) {
        load(&mut figures, io);
    }
    match layer.kind {
        LayerKind::Filesystem => {
            let usage = layer.device.and_then(|device| machine.btrfs_of(device)?.usage());
            if let Some(usage) = usage {
                chunks(&mut figures, usage);
            }
        }
        LayerKind::Pool => {
            if let Some(pool) = facts.zpools.iter().find(|it| *it.name.value == *layer.name) {
                figures.fact("size", pool.size.as_ref());
                figures.fact("capacity", pool.capacity.as_ref());
                figures.fact("fragmentation", pool.fragmentation.as_ref());
                figures.fact("health", pool.health.as_ref());
            }
        }
        LayerKind::Dataset | LayerKind::Zvol => {
            let properties = match layer.kind {
                LayerKind::Zvol => &["volblocksize", "compression", "sync"][..],
                _ => &["recordsize", "compression", "sync", "atime"],
            };
            for property in properties {
                let row = facts
                    .zfs_rows(&layer.name)
                    .find(|it| !it.of_pool && &*it.property == *property);
                figures.fact(property, row.map(|it| &it.value));
            }
        }
        LayerKind::Mount => {
            if let Some(live) = layer.live_mount
                && let Some(first) = live.options.first()
            {
                let options: Vec<&str> = live.options.iter().map(|it| &*it.value).collect();
                figures.fact(
                    "options",
                    Some(&Sourced::new(options.join(","), first.origin.clone())),
                );
            }
            let row = facts.df_at(&layer.name);
            if let Some(row) = row {
                figures.part("used", row.used.as_ref(), row.size.as_ref());
            } else if let Some(usage) = facts.btrfs_of(&layer.name) {
                chunks(&mut figures, usage);
            }
        }
        LayerKind::Swap => {
            if let Some(live) = layer.live_swap {
                figures.part("used", live.used.as_ref(), live.size.as_ref());
                figures.fact("priority", live.priority.as_ref());
            }
        }
        _ => {}
    }
    figures.0
}

#[derive(Default)]
struct Shortlist(Vec<Figure>);

impl Shortlist {
    fn fact<T: Shown>(&mut self, name: &str, fact: Option<&Sourced<T>>) {
        if let Some(fact) = fact {
            self.0.push(Figure {
                subject: String::new(),
                name: name.to_owned(),
                value: fact.value.value(),
                text: fact.value.text(),
                origin: fact.origin.clone(),
            });
        }
    }

    /// A part of a whole.
    fn part(&mut self, name: &str, part: Option<&Sourced<Bytes>>, whole: Option<&Sourced<Bytes>>) {
        let Some(part) = part else { return };
        let text = match whole {
            Some(whole) => format!("{} of {}", part.value, whole.value),
            None => part.value.to_string(),
        };
        self.0.push(Figure {
            subject: String::new(),
            name: name.to_owned(),
            value: part.value.value(),
            text,
            origin: Origin::derived(
                std::iter::once(part.origin.clone()).chain(whole.map(|it| it.origin.clone())),
            ),
        });
    }
}

/// What a device had to do. The averages since the boot say little of now, and say so.
fn load(figures: &mut Shortlist, io: &DeviceIo) {
    let since = match io.window {
        Window::SinceBoot => " since boot",
        Window::Intervals => "",
    };
    figures.fact(&format!("time with requests{since}"), io.busy.as_ref());
    figures.fact(&format!("read wait{since}"), io.read_wait.as_ref());
    figures.fact(&format!("write wait{since}"), io.write_wait.as_ref());
}

fn chunks(figures: &mut Shortlist, usage: &BtrfsUsage) {
    figures.part("used", usage.used.as_ref(), usage.device_size.as_ref());
    figures.fact("unallocated", usage.unallocated.as_ref());
    for profile in &usage.profiles {
        figures.fact(&format!("{} profile", profile.kind), Some(&profile.profile));
    }
}

/// The report for people.
pub fn text(files: &Files, machine: &Machine) -> String {
    let mut out = String::new();
    let tree = tree(files, machine);
    if !tree.is_empty() {
        out.push_str("# storage\n\n");
        out.push_str(&tree);
        out.push('\n');
    }
    let contradictions = contradictions(files, &machine.disagreements());
    if !contradictions.is_empty() {
        out.push_str("# contradictions\n\n");
        out.push_str(&contradictions);
        out.push('\n');
    }
    let figures = Figures::of(&machine.facts).rows;
    if !figures.is_empty() {
        out.push_str("# facts\n");
    }
    let name_width = figures
        .iter()
        .map(|it| it.name.chars().count())
        .max()
        .unwrap_or(0)
        .min(32);
    let text_width = figures
        .iter()
        .map(|it| it.text.chars().count())
        .max()
        .unwrap_or(0)
        .min(48);
    let mut subject = None;
    for figure in &figures {
        if subject != Some(&figure.subject) {
            let _ = writeln!(out, "\n{}", figure.subject);
            subject = Some(&figure.subject);
        }
        let place = short(&places(files, &figure.origin));
        let _ = writeln!(
            out,
            "  {:name_width$}  {:text_width$}  {place}",
            figure.name, figure.text
        );
    }
    out
}

/// Contradictions for people, three lines each.
pub fn contradictions(files: &Files, all: &[Disagreement]) -> String {
    let mut out = String::new();
    for it in all {
        let _ = writeln!(out, "{}: {}", it.subject, it.fact);
        let width = it
            .one
            .value
            .chars()
            .count()
            .max(it.other.value.chars().count())
            .min(60);
        for side in [&it.one, &it.other] {
            let place = short(&places(files, &side.origin));
            let line = format!("  {:width$}  {place}", side.value);
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    out
}

/// The layers as a tree from the disks up. What lies on several is drawn below the first of them.
fn tree(files: &Files, machine: &Machine) -> String {
    let stack = Stack::of(machine);
    let with_layout = !machine.layout.devices.is_empty();
    let mut out = String::new();
    let mut drawn = BTreeSet::new();
    let roots: Vec<usize> = stack.roots().collect();
    // Not by recursion: a layout may nest as deep as it likes.
    let mut todo: Vec<(usize, usize)> = roots.into_iter().rev().map(|root| (root, 0)).collect();
    while let Some((at, depth)) = todo.pop() {
        let Some(layer) = stack.layers.get(at) else {
            continue;
        };
        let _ = write!(out, "{:indent$}{}", "", title(layer), indent = depth.min(40) * 2);
        if !drawn.insert(at) {
            out.push_str("  (see above)\n");
            continue;
        }
        let figures = figures_of(machine, layer);
        for figure in &figures {
            let _ = write!(out, "  {}", said(figure));
        }
        match (layer.is_declared(), layer.is_observed()) {
            (false, true) if with_layout => out.push_str("  [not in the layout]"),
            (true, false) if would_be_seen(machine, layer.kind) => out.push_str("  [not seen]"),
            _ => {}
        }
        if let Some(of) = &layer.part_of {
            let _ = write!(out, "  [part of {of}]");
        }
        if let Some(by) = &layer.inferred {
            let _ = write!(out, "  [inferred: {by}]");
        }
        let mut all = Vec::new();
        for figure in &figures {
            for place in places(files, &figure.origin) {
                if !all.contains(&place) {
                    all.push(place);
                }
            }
        }
        all.sort();
        if !all.is_empty() {
            let _ = write!(out, "  ({})", short(&all));
        }
        out.push('\n');
        todo.extend(layer.holds.iter().rev().map(|held| (*held, depth + 1)));
    }
    out
}

/// Whether what was given would show a layer of this kind if it were there.
fn would_be_seen(machine: &Machine, kind: LayerKind) -> bool {
    let facts = &machine.facts;
    match kind {
        LayerKind::Disk => facts.disks.iter().any(|it| it.is_disk()),
        LayerKind::Mount => facts.has_all_mounts(),
        kind if is_device(kind) => facts.blocks.iter().any(|it| !it.parents.is_empty()),
        _ => false,
    }
}

fn title(layer: &Layer<'_>) -> String {
    let device = device_file(layer);
    let short = device.as_deref().map(|it| it.strip_prefix("/dev/").unwrap_or(it));
    match short {
        Some(short) if short != layer.name && (layer.block.is_some() || layer.disk.is_some()) => {
            format!("{} {} = {short}", layer.kind.name(), layer.name)
        }
        _ => format!("{} {}", layer.kind.name(), layer.name),
    }
}

/// A figure on the line of its layer: some need no name.
fn said(figure: &Figure) -> String {
    match &*figure.name {
        "size" | "medium" | "model" | "options" | "fault" | "health" => figure.text.clone(),
        name => format!("{name} {}", figure.text),
    }
}

/// The contradictions that no finding speaks of: a finding that shows either side has said it.
pub fn unreported(machine: &Machine, judgement: &rules::Judgement) -> Vec<Disagreement> {
    let said = |origin: &Origin| {
        judgement.findings.iter().any(|it| {
            let spoken = origin.span().is_some_and(|span| {
                it.finding
                    .locations
                    .iter()
                    .any(|label| label.span.contains(span) || span.contains(label.span))
            });
            let quoted = origin
                .quote()
                .is_some_and(|quote| it.finding.evidence.iter().any(|it| it.quote == *quote));
            spoken || quoted
        })
    };
    let mut all = machine.disagreements();
    all.retain(|it| !said(&it.one.origin) && !said(&it.other.origin));
    all
}
