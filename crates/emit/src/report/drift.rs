//! What `disko-advise drift` prints: four columns for each setting.

use std::collections::BTreeSet;
use std::fmt::Write;

use machine::{About, Cell, Machine, Row, Wanted, drift};
use rules::{Change, Judgement, LayoutEdit, ListEdit};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use source::Files;

use super::facts::{PlaceReport, places};

/// The table.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DriftReport {
    /// Always 1. It grows when a field changes its meaning or goes.
    pub version: u32,
    /// The rows, by kind, subject and setting.
    pub rows: Vec<RowReport>,
}

/// One row.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RowReport {
    /// What it is about.
    pub about: AboutReport,
    /// Which mountpoint, device, dataset, kernel parameter or option.
    pub subject: String,
    /// Which setting of it.
    pub setting: String,
    /// What the configuration says.
    pub declared: CellReport,
    /// What is in effect now.
    pub live: CellReport,
    /// What will be in effect after the next boot of this configuration.
    pub next_boot: CellReport,
    /// What the findings ask for.
    pub recommended: CellReport,
    /// What `nixos-rebuild switch` does about a difference of declared and live.
    pub rebuild: RebuildReport,
    /// Whether all columns that say something say the same.
    pub agrees: bool,
    /// Why they differ, and what to do.
    pub notes: Vec<String>,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AboutReport {
    /// A mountpoint.
    Mount,
    /// A disk, a LUKS container, a swap device.
    Device,
    /// A ZFS pool, dataset or volume.
    Dataset,
    /// A kernel parameter.
    Sysctl,
    /// Another option of NixOS.
    Option,
}

/// What a rebuild does.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RebuildReport {
    /// Nothing is to be done.
    Agrees,
    /// It is set at once.
    AtOnce,
    /// The mount is remounted, if its options changed since the last rebuild.
    Remount,
    /// Nothing; the next boot does it.
    NextBoot,
    /// Nothing; a command has to.
    Command,
    /// Nothing; it is fixed when the filesystem, pool or container is made.
    Recreate,
}

/// One cell: a value, the reason why none is known, or neither, when nobody says anything.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CellReport {
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// Where it was written, or the line that shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceReport>,
}

/// The JSON schema of [`DriftReport`].
pub fn schema() -> Value {
    schemars::schema_for!(DriftReport).to_value()
}

/// What the findings ask for, as values of the table.
pub fn wanted(machine: &Machine, judgement: &Judgement) -> Wanted {
    let mut wanted = Wanted::default();
    let changes = judgement.findings.iter().flat_map(|it| &it.finding.changes);
    for change in changes {
        match change {
            Change::Layout(LayoutEdit::Options { list, edits }) => {
                let options = wanted.lists.entry(list.clone()).or_insert_with(|| {
                    let mount = machine
                        .layout
                        .mounts
                        .iter()
                        .find(|it| it.declared.place.path == *list);
                    // What disko appends (`subvol=`) stays where it is; it asks for no setting.
                    let declared = mount.map_or(&[][..], |it| &it.options);
                    declared
                        .iter()
                        .flat_map(|it| it.value.split(',').map(str::to_owned))
                        .collect()
                });
                edits.iter().for_each(|it| apply(options, it));
            }
            Change::Layout(LayoutEdit::Set { path, value }) => {
                wanted.values.insert(path.clone(), Some(shown(value)));
            }
            Change::Layout(LayoutEdit::Unset { path }) => {
                wanted.values.insert(path.clone(), None);
            }
            Change::Nixos(setting) => {
                wanted
                    .values
                    .insert(setting.option.clone(), Some(shown(&setting.value)));
            }
            Change::Command(_) => {}
        }
    }
    wanted
}

fn apply(options: &mut Vec<String>, edit: &ListEdit) {
    match edit {
        ListEdit::Add(option) => options.push(option.clone()),
        ListEdit::Remove(option) => options.retain(|it| it != option),
        ListEdit::Once(option) => {
            let last = options.iter().rposition(|it| it == option);
            let mut at = 0;
            options.retain(|it| {
                let keep = it != option || Some(at) == last;
                at += 1;
                keep
            });
        }
        ListEdit::Replace { option, with } => {
            for it in options.iter_mut().filter(|it| *it == option) {
                it.clone_from(with);
            }
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// The rows of a machine, with what the findings ask for.
pub fn rows(machine: &Machine, judgement: &Judgement) -> Vec<Row> {
    drift(machine, &wanted(machine, judgement))
}

impl DriftReport {
    /// The report of these rows.
    pub fn new(files: &Files, rows: &[Row]) -> Self {
        let cell = |cell: &Cell| CellReport {
            value: cell.text().map(str::to_owned),
            unknown: match cell {
                Cell::Unknown(why) => Some(why.clone()),
                Cell::Unset | Cell::Value { .. } => None,
            },
            places: cell.origin().map(|it| places(files, it)).unwrap_or_default(),
        };
        Self {
            version: 1,
            rows: rows
                .iter()
                .map(|row| RowReport {
                    about: match row.about {
                        About::Mount => AboutReport::Mount,
                        About::Device => AboutReport::Device,
                        About::Dataset => AboutReport::Dataset,
                        About::Sysctl => AboutReport::Sysctl,
                        About::Option => AboutReport::Option,
                    },
                    subject: row.subject.clone(),
                    setting: row.setting.clone(),
                    declared: cell(&row.declared),
                    live: cell(&row.live),
                    next_boot: cell(&row.next_boot),
                    recommended: cell(&row.recommended),
                    rebuild: match row.rebuild {
                        machine::Rebuild::Agrees => RebuildReport::Agrees,
                        machine::Rebuild::AtOnce => RebuildReport::AtOnce,
                        machine::Rebuild::Remount => RebuildReport::Remount,
                        machine::Rebuild::NextBoot => RebuildReport::NextBoot,
                        machine::Rebuild::Command => RebuildReport::Command,
                        machine::Rebuild::Recreate => RebuildReport::Recreate,
                    },
                    agrees: row.agrees(),
                    notes: row.notes.clone(),
                })
                .collect(),
        }
    }
}

/// The widest cell that is not cut.
const WIDEST: usize = 40;

/// The table for people: the rows that differ, or all; notes below it, each once.
pub fn text(rows: &[Row], all: bool) -> String {
    let shown: Vec<&Row> = rows.iter().filter(|row| all || !row.agrees()).collect();
    let mut lines = vec![
        [
            "what",
            "setting",
            "declared",
            "live",
            "next boot",
            "recommended",
            "a rebuild",
        ]
        .map(str::to_owned),
    ];
    for row in &shown {
        let cell = |cell: &Cell| match cell {
            Cell::Unset => "-".to_owned(),
            Cell::Unknown(_) => "?".to_owned(),
            Cell::Value { text, .. } => cut(text),
        };
        let setting = match row.about {
            About::Sysctl | About::Option => String::new(),
            _ => row.setting.clone(),
        };
        let rebuild = match row.rebuild {
            machine::Rebuild::Agrees => "",
            machine::Rebuild::AtOnce => "sets it",
            machine::Rebuild::Remount => "remounts if changed",
            machine::Rebuild::NextBoot | machine::Rebuild::Command | machine::Rebuild::Recreate => {
                "does nothing"
            }
        };
        lines.push([
            row.subject.clone(),
            setting,
            cell(&row.declared),
            cell(&row.live),
            cell(&row.next_boot),
            cell(&row.recommended),
            rebuild.to_owned(),
        ]);
    }
    let mut out = String::new();
    if !shown.is_empty() {
        let mut widths = [0; 7];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in &lines {
            let mut text = String::new();
            for (width, cell) in widths.iter().zip(line) {
                let _ = write!(text, "{cell:width$}  ");
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
    let mut told = BTreeSet::new();
    for row in &shown {
        for note in &row.notes {
            if told.insert((&row.subject, note)) {
                let _ = writeln!(out, "{}: {note}", row.subject);
            }
        }
        for cell in [&row.declared, &row.live, &row.next_boot] {
            if let Cell::Unknown(why) = cell
                && told.insert((&row.subject, why))
            {
                let _ = writeln!(out, "{}: not known: {why}", row.subject);
            }
        }
    }
    let agreeing = rows.len() - shown.len();
    let closing = match (shown.len(), agreeing) {
        (0, 0) => "nothing is declared that could drift".to_owned(),
        (0, all) => format!("{all} settings, and all that is known of each agrees"),
        (some, 0) => format!("{some} settings"),
        (some, rest) => format!("{some} settings differ or are not known; {rest} agree"),
    };
    if !told.is_empty() {
        out.push('\n');
    }
    out.push_str(&closing);
    out.push('\n');
    out
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(WIDEST - 1).collect();
    cut.push('…');
    cut
}
