//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Storage-tuning advice for NixOS: reads your disko.nix, shows what is declared without effect or
/// holds the machine back, and hands back a proven diff and a NixOS module.
///
/// Without a verb, `check` is meant: `disko-advise disko.nix` reports.
///
/// Exit status: 0, nothing at or above --fail-on; 1, findings; 2, could not run.
#[derive(Debug, Parser)]
#[command(
    name = "disko-advise",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs, in the order in which a person meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Report what is wrong and what to do
    Check(Check),
    /// Print the proven edits as a unified diff, for `patch -p1` or `git apply`
    Diff(Edit),
    /// Write the proven, safe edits into the files
    Apply(Edit),
    /// Print a NixOS module with the settings that belong outside the layout
    Tuning(Input),
    /// Print the typed layout, and the fileSystems and swapDevices that disko makes of it
    Layout(Layout),
    /// Sum up the reports of many hosts; status 2 when one of them could not be judged
    Fleet(Fleet),
    /// Print what was observed, each figure with the line that it was read from
    Facts(Facts),
    /// Compare declared, live, effective after the next boot, and recommended
    Drift(Drift),
    /// Gather a bundle of facts on this machine; reads only, and says what it could not read
    Collect(Collect),
    /// Evaluate a Nix file or expression, as `nix-instantiate --eval --strict` does
    Eval(Eval),
    /// Show the page of a rule
    Explain {
        /// The rule's name, such as btrfs-noatime
        rule: String,
    },
    /// List all rules
    Rules,
    /// Print the JSON schema of an output
    Schema {
        /// Of which output
        of: SchemaOf,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages, one for each verb, into a folder; for packagers
    #[command(hide = true)]
    Man {
        /// The folder, which must be there
        folder: PathBuf,
    },
}

/// What is to be judged.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// A .nix file, a folder, or the JSON of an evaluated layout [default: this folder]
    pub(crate) path: Option<PathBuf>,

    /// A facter.json, a folder of tool outputs, or one tool's output; may be given again
    #[arg(long, value_name = "PATH")]
    pub(crate) facts: Vec<PathBuf>,

    /// Something that runs on the machine, and where its data is, such as postgresql=/var/lib/postgresql
    #[arg(long, value_name = "NAME[=MOUNTPOINT]")]
    pub(crate) workload: Vec<String>,

    /// What you complain about, in your words, such as "builds are slow"
    #[arg(long, value_name = "TEXT")]
    pub(crate) symptom: Vec<String>,

    #[command(flatten)]
    pub(crate) evaluation: Evaluation,
}

/// How Nix is evaluated.
#[derive(Debug, Default, Args)]
pub(crate) struct Evaluation {
    /// A nixpkgs lib to evaluate with, instead of the built-in one
    #[arg(long, value_name = "PATH")]
    pub(crate) lib: Option<PathBuf>,

    /// Give the function's argument NAME the value of a Nix expression
    #[arg(long, num_args = 2, value_names = ["NAME", "EXPR"])]
    pub(crate) arg: Vec<String>,

    /// Give the function's argument NAME a string
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"])]
    pub(crate) argstr: Vec<String>,

    /// Of a file with several hosts, read this one
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,

    /// The JSON of other NixOS options (`config`) that the layout reads
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) input: Input,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,

    /// The severity from which on the exit status is 1 [default: warning]
    #[arg(long, value_enum)]
    pub(crate) fail_on: Option<FailOn>,
}

/// Arguments of `diff` and `apply`.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    pub(crate) input: Input,

    /// Edits beyond the safe ones to take in; may be given again
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) include: Vec<Include>,
}

/// Arguments of `layout`.
#[derive(Debug, Args)]
pub(crate) struct Layout {
    /// A .nix file, a folder, or the JSON of an evaluated layout [default: this folder]
    pub(crate) path: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) evaluation: Evaluation,

    /// How to print the layout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Arguments of `fleet`.
#[derive(Debug, Args)]
pub(crate) struct Fleet {
    /// A report (what `check --format json` printed), the folder of a host, which is judged now, or a
    /// folder of either
    ///
    /// The folder of a host is one with a disko.nix, disko-config.nix, disko.json, facter.json or
    /// disko-advise.toml in it. Its facts are its facter.json and its folder facts, and what its
    /// disko-advise.toml names.
    #[arg(required = true, value_name = "REPORT|HOST|FOLDER")]
    pub(crate) paths: Vec<PathBuf>,

    /// The JSON of an earlier run, to tell what changed since
    #[arg(long, value_name = "FILE")]
    pub(crate) last: Option<PathBuf>,

    /// How many hosts are judged side by side [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// A nixpkgs lib to evaluate with, instead of the built-in one
    #[arg(long, value_name = "PATH")]
    pub(crate) lib: Option<PathBuf>,

    /// How to print the summary
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// The severity from which on the exit status is 1
    #[arg(long, value_enum, default_value_t = FailOn::Warning)]
    pub(crate) fail_on: FailOn,
}

/// Arguments of `facts`.
#[derive(Debug, Args)]
pub(crate) struct Facts {
    /// A bundle or a file of facts; or a layout, to be joined with what was observed
    pub(crate) path: Option<PathBuf>,

    /// A facter.json, a folder of tool outputs, or one tool's output; may be given again
    #[arg(long, value_name = "PATH")]
    pub(crate) facts: Vec<PathBuf>,

    /// Something that runs on the machine, and where its data is, such as postgresql=/var/lib/postgresql
    #[arg(long, value_name = "NAME[=MOUNTPOINT]")]
    pub(crate) workload: Vec<String>,

    #[command(flatten)]
    pub(crate) evaluation: Evaluation,

    /// How to print the facts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub(crate) struct Drift {
    #[command(flatten)]
    pub(crate) input: Input,

    /// Also show the rows in which all that is known agrees
    #[arg(long)]
    pub(crate) all: bool,

    /// How to print the table
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Arguments of `collect`.
#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// The folder to write: a new one, an empty one, or an older bundle to replace
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,

    /// Watch counters for so long, such as 60s or 5min; do it while the machine is slow
    #[arg(long, value_name = "TIME", value_parser = crate::collect::duration)]
    pub(crate) duration: Option<std::time::Duration>,

    /// How long one tool may take before it is ended
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = crate::collect::duration)]
    pub(crate) limit: std::time::Duration,

    /// Keep serial numbers, host names, UUIDs and addresses as they are
    #[arg(long)]
    pub(crate) unmasked: bool,
}

/// Arguments of `eval`.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The file to evaluate
    #[arg(required_unless_present = "expr")]
    pub(crate) file: Option<PathBuf>,

    /// Evaluate this expression instead of a file
    #[arg(short = 'E', long = "expr", value_name = "EXPR", conflicts_with = "file")]
    pub(crate) expr: Option<String>,

    /// Print the attribute at this path
    #[arg(short = 'A', long = "attr", value_name = "ATTR")]
    pub(crate) attr: Option<String>,

    /// Add to the search path for <…>: PATH or NAME=PATH
    #[arg(short = 'I', value_name = "PATH")]
    pub(crate) search_path: Vec<String>,

    /// Give the function's argument NAME the value of a Nix expression
    #[arg(long, num_args = 2, value_names = ["NAME", "EXPR"])]
    pub(crate) arg: Vec<String>,

    /// Give the function's argument NAME a string
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"])]
    pub(crate) argstr: Vec<String>,

    /// End with an error, and the calls that led there, where builtins.warn warns; so does
    /// NIX_ABORT_ON_WARN=1 in the environment
    #[arg(long)]
    pub(crate) abort_on_warn: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "xml")]
    pub(crate) json: bool,

    /// Print XML
    #[arg(long)]
    pub(crate) xml: bool,

    /// Print where the value comes from: the expression that made it, the bindings that set it and
    /// the calls and imports between; as JSON with --json
    #[arg(long = "where", conflicts_with = "xml")]
    pub(crate) origin: bool,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs; `schema` prints what is in it
    Json,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// For programs; `schema report` prints what is in it
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// A code quality report of GitLab
    Gitlab,
}

/// The severity from which on the exit status is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FailOn {
    /// Never: 0 even with errors
    Never,
    /// From a suggestion on
    Info,
    /// From a warning on
    Warning,
    /// From an error on
    Error,
}

/// Edits that must be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Include {
    /// Edits that trade something away, such as letting discards through encryption
    Unsafe,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// `check --format json`
    Report,
    /// `layout --format json`
    Layout,
    /// `fleet --format json`
    Fleet,
    /// `facts --format json`
    Facts,
    /// `drift --format json`
    Drift,
    /// manifest.json of a bundle
    Manifest,
}
