//! From the command line to a question for the library.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use disko_advise::facts::Input as FactsInput;
use disko_advise::machine::Workload;
use disko_advise::source::{Files, Problem};
use disko_advise::{Advice, Declared, Evaluation, Question};

use crate::args;
use crate::collect::{MANIFEST, Manifest};
use crate::live_world::{LiveWorld, read_file, reason};
use crate::output;
use crate::progress::Progress;
use crate::settings::Settings;

/// How long evaluating one layout may take. A large one takes milliseconds.
const LONGEST: Duration = Duration::from_secs(60);

/// The most files of one bundle that are looked at.
const MOST_FILES: usize = 100_000;

/// The variable by which a package names the nixpkgs lib that stands in for a `--lib` not given.
const DEFAULT_LIB: &str = "DISKO_ADVISE_LIB";

/// A layout to judge, and everything beside it.
pub(crate) struct Case {
    world: LiveWorld,
    /// The layout as the person named it.
    pub(crate) given: PathBuf,
    /// The layout's absolute path.
    entry: PathBuf,
    base: String,
    evaluation: Evaluation,
    facts: Vec<PathBuf>,
    workloads: Vec<Workload>,
    symptoms: Vec<String>,
    /// What stands in `disko-advise.toml`.
    pub(crate) settings: Settings,
}

impl Case {
    /// The case of a verb that judges.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn of(input: &args::Input) -> anyhow::Result<Self> {
        Self::new(
            input.path.as_deref(),
            &input.evaluation,
            &input.facts,
            &input.workload,
            &input.symptom,
        )
    }

    /// The case that a command line describes.
    ///
    /// # Errors
    /// When a path is not there, or an argument makes no sense.
    pub(crate) fn new(
        path: Option<&Path>,
        evaluation: &args::Evaluation,
        facts: &[PathBuf],
        workloads: &[String],
        symptoms: &[String],
    ) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("the current folder")?;
        let given = path.unwrap_or(Path::new("."));
        let entry = here.join(given);
        ensure!(entry.exists(), "{}: no such file or folder", given.display());
        let entry = entry
            .canonicalize()
            .with_context(|| given.display().to_string())?;
        let mut settings = Settings::beside(&entry)?;

        let lib = evaluation
            .lib
            .clone()
            .or(settings.lib.take())
            .or_else(|| std::env::var_os(DEFAULT_LIB).map(PathBuf::from));
        let lib = lib
            .map(|lib| {
                lib.canonicalize()
                    .with_context(|| format!("--lib {}", lib.display()))
            })
            .transpose()?;
        let config = match evaluation.config.clone().or(settings.config.take()) {
            None => None,
            Some(path) => {
                let bytes = read_file(&path).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
                Some((
                    path.display().to_string(),
                    String::from_utf8_lossy(&bytes).into_owned(),
                ))
            }
        };
        let pairs = |flat: &[String]| -> Vec<(String, String)> {
            flat.chunks_exact(2)
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect()
        };
        let mut arguments: Vec<_> = std::mem::take(&mut settings.arg).into_iter().collect();
        arguments.extend(pairs(&evaluation.arg));
        let mut strings: Vec<_> = std::mem::take(&mut settings.argstr).into_iter().collect();
        strings.extend(pairs(&evaluation.argstr));

        let all = |of_file: &mut Vec<PathBuf>, given: &[PathBuf]| -> Vec<PathBuf> {
            std::mem::take(of_file)
                .into_iter()
                .chain(given.iter().cloned())
                .collect()
        };
        let facts = all(&mut settings.facts, facts);
        let workloads = settings
            .workload
            .iter()
            .chain(workloads)
            .map(|it| workload(it))
            .collect::<Result<_, _>>()?;
        let symptoms = settings.symptom.iter().chain(symptoms).cloned().collect();

        let root = LiveWorld::around(&entry);
        Ok(Self {
            world: LiveWorld::new(std::iter::once(root).chain(lib.clone())),
            given: given.to_owned(),
            entry,
            base: here.canonicalize().unwrap_or(here).to_string_lossy().into_owned(),
            evaluation: Evaluation {
                lib,
                config,
                arguments,
                strings,
                host: evaluation.host.clone(),
            },
            facts,
            workloads,
            symptoms,
            settings,
        })
    }

    /// Evaluates the layout and models it. The files that were read are added to `files`.
    ///
    /// # Errors
    /// When it is no layout.
    pub(crate) fn declared(&self, files: &Files) -> anyhow::Result<Declared> {
        let deadline = Instant::now() + LONGEST;
        let late = move || Instant::now() > deadline;
        let declared = disko_advise::declare(&self.world, files, &self.entry, &self.evaluation, &late);
        report(files, &declared.problems, declared.found);
        if !declared.found {
            bail!("{}", self.why_not(&declared.problems));
        }
        Ok(declared)
    }

    /// Judges the layout.
    ///
    /// # Errors
    /// When it is no layout, or a file of facts cannot be read.
    pub(crate) fn advice(&self) -> anyhow::Result<Advice> {
        let advice = self.ask()?;
        report(&advice.files, &advice.problems, advice.found);
        if !advice.found {
            bail!("{}", self.why_not(&advice.problems));
        }
        if advice.allowed > 0 {
            let s = if advice.allowed == 1 { "" } else { "s" };
            output::hint(&format!(
                "{} finding{s} allowed by a comment or by disko-advise.toml",
                advice.allowed
            ));
        }
        Ok(advice)
    }

    /// Judges the layout without a word on stderr.
    ///
    /// # Errors
    /// As [`Self::advice`].
    pub(crate) fn quiet_advice(&self) -> anyhow::Result<Advice> {
        let advice = self.ask()?;
        if !advice.found {
            bail!("{}", self.why_not(&advice.problems));
        }
        Ok(advice)
    }

    fn ask(&self) -> anyhow::Result<Advice> {
        let deadline = Instant::now() + LONGEST;
        let late = move || Instant::now() > deadline;
        Ok(disko_advise::advise(Question {
            world: &self.world,
            entry: &self.entry,
            files: self.files(),
            evaluation: &self.evaluation,
            facts: inputs(&self.facts)?,
            workloads: self.workloads.clone(),
            symptoms: self.symptoms.clone(),
            allow: self.settings.allow.clone(),
            only: None,
            interrupt: &late,
        }))
    }

    /// An empty set of files that shows paths as the person gave them.
    pub(crate) fn files(&self) -> Files {
        Files::below(&self.base)
    }

    /// The closing error line of a file that is no layout.
    fn why_not(&self, problems: &[Problem]) -> String {
        let message = match problems.iter().find(|it| it.span.is_none()) {
            Some(problem) => &problem.message,
            None => "no disk layout could be read",
        };
        // Some problems name the file themselves.
        let message = message.trim_start_matches(&format!("{}: ", self.entry.display()));
        format!("{}: {message}", self.given.display())
    }
}

/// Draws problems on stderr, each once. Of a file that is no layout, the first one without a place is
/// left for the closing error line.
pub(crate) fn report(files: &Files, problems: &[Problem], found: bool) {
    let look = output::look_of_stderr();
    let closing = if found {
        None
    } else {
        problems.iter().position(|it| it.span.is_none())
    };
    for (at, problem) in problems.iter().enumerate() {
        if Some(at) != closing && !problems[..at].contains(problem) {
            output::stderr(&disko_advise::emit::problem(files, problem, look));
        }
    }
}

pub(crate) fn workload(text: &str) -> anyhow::Result<Workload> {
    let (name, mountpoint) = match text.split_once('=') {
        Some((name, mountpoint)) => (name, Some(mountpoint)),
        None => (text, None),
    };
    ensure!(!name.is_empty(), "--workload {text}: a name is missing");
    if let Some(mountpoint) = mountpoint {
        ensure!(
            mountpoint.starts_with('/'),
            "--workload {text}: {mountpoint} is no absolute path"
        );
    }
    Ok(Workload {
        name: name.into(),
        mountpoint: mountpoint.map(Arc::from),
    })
}

/// The files of facts: each as given, or all in a folder.
///
/// # Errors
/// When one cannot be opened.
pub(crate) fn inputs(paths: &[PathBuf]) -> anyhow::Result<Vec<FactsInput<'static>>> {
    let mut listed: Vec<(PathBuf, Option<String>)> = Vec::new();
    for path in paths {
        let metadata = std::fs::metadata(path)
            .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), reason(&error)))?;
        if metadata.is_dir() {
            let mut files = Vec::new();
            walk(path, &mut files)?;
            files.sort();
            // A bundle says which command made each of its files.
            let manifest = Manifest::of(path);
            if manifest.is_some() {
                files.retain(|file| *file != path.join(MANIFEST));
            }
            for file in files {
                let name = file.strip_prefix(path).unwrap_or(&file).to_string_lossy();
                let command = manifest.as_ref().and_then(|it| it.command_of(&name));
                listed.push((file, command));
            }
        } else {
            listed.push((path.clone(), None));
        }
    }
    let mut opened = Vec::new();
    let mut total = 0_u64;
    for (path, command) in listed {
        let file =
            File::open(&path).map_err(|error| anyhow::anyhow!("{}: {}", path.display(), reason(&error)))?;
        total = total.saturating_add(file.metadata().map_or(0, |it| it.len()));
        opened.push((path, command, file));
    }
    let progress = Progress::new(total);
    Ok(opened
        .into_iter()
        .map(|(path, command, file)| {
            let bytes = BufReader::with_capacity(1 << 16, progress.watch(file));
            let input = FactsInput::streamed(path.display().to_string(), bytes);
            match command {
                Some(command) => input.made_by(command),
                None => input,
            }
        })
        .collect())
}

/// The regular files below a folder; links are not followed.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| anyhow::anyhow!("{}: {}", folder.display(), reason(&error)))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        } else if kind.is_file() {
            ensure!(
                found.len() < MOST_FILES,
                "{}: more than {MOST_FILES} files",
                folder.display()
            );
            found.push(entry.path());
        }
    }
    Ok(())
}
