//! The command line.

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
#[derive(Debug, Args)]
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
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

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
}
