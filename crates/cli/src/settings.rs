//! `disko-advise.toml` beside the layout: the same settings as the flags, and suppressions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::args::FailOn;
use crate::live_world::read_file;

/// The name of the file.
const NAME: &str = "disko-advise.toml";

/// What the file may hold. A flag wins over it; lists add up.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Settings {
    /// As `--facts`, relative to the file.
    pub(crate) facts: Vec<PathBuf>,
    /// As `--workload`.
    pub(crate) workload: Vec<String>,
    /// As `--symptom`.
    pub(crate) symptom: Vec<String>,
    /// As `--lib`, relative to the file.
    pub(crate) lib: Option<PathBuf>,
    /// As `--config`, relative to the file.
    pub(crate) config: Option<PathBuf>,
    /// As `--arg`.
    pub(crate) arg: BTreeMap<String, String>,
    /// As `--argstr`.
    pub(crate) argstr: BTreeMap<String, String>,
    /// As `--fail-on`.
    pub(crate) fail_on: Option<FailOn>,
    /// Rules that are not to be reported, each with the reason.
    pub(crate) allow: BTreeMap<String, String>,
}

impl Settings {
    /// The settings beside a layout; none when there is no such file.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub(crate) fn beside(layout: &Path) -> anyhow::Result<Self> {
        let folder = if layout.is_dir() {
            layout
        } else {
            layout.parent().unwrap_or(Path::new(""))
        };
        let path = folder.join(NAME);
        if !path.exists() {
            return Ok(Self::default());
        }
        let shown = path.display();
        let bytes = read_file(&path).map_err(|why| anyhow::anyhow!("{shown}: {why}"))?;
        let text = String::from_utf8(bytes).with_context(|| format!("{shown}: not UTF-8"))?;
        let mut settings: Self =
            toml::from_str(&text).map_err(|error| anyhow::anyhow!("{shown}: {}", error.message()))?;
        for path in settings
            .facts
            .iter_mut()
            .chain(&mut settings.lib)
            .chain(&mut settings.config)
        {
            *path = folder.join(&*path);
        }
        for (rule, reason) in &settings.allow {
            anyhow::ensure!(
                disko_advise::rules::rule(rule).is_some(),
                "{shown}: no rule is called {rule}"
            );
            anyhow::ensure!(!reason.trim().is_empty(), "{shown}: allow.{rule} gives no reason");
        }
        Ok(settings)
    }
}
