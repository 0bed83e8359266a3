//! The folder that is written: each file at one stroke, and a manifest that is true at any moment.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::live_world::reason;

/// The name of the manifest in a bundle.
pub(crate) const MANIFEST: &str = "manifest.json";

/// The largest manifest that is read.
const LARGEST: u64 = 16 << 20;

/// What a bundle is, and what became of each thing that was to be gathered for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) struct Manifest {
    /// Always 1. It grows when a field changes its meaning or goes.
    pub(crate) version: u32,
    /// What wrote the bundle: the program's name and version.
    pub(crate) made_by: String,
    /// When it was begun, in UTC.
    pub(crate) started: String,
    /// Whether it was gathered as root.
    pub(crate) as_root: bool,
    /// The capabilities that the tools need and it had not. Without, several say little or nothing.
    #[serde(default)]
    pub(crate) lacking: Vec<String>,
    /// Whether serial numbers, host names, UUIDs and addresses are replaced by tokens.
    pub(crate) masked: bool,
    /// How long counters were watched, in seconds; 0 when they were read once.
    pub(crate) sampled_seconds: u64,
    /// Whether everything was gathered. False in a bundle that was interrupted.
    pub(crate) complete: bool,
    /// Whether the person, or the system, interrupted it.
    pub(crate) interrupted: bool,
    /// What was run and read, in order.
    pub(crate) steps: Vec<Step>,
    /// Programs that are not installed here.
    pub(crate) not_installed: Vec<String>,
    /// What is never gathered, and how a person adds it.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Something that was run or read.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) struct Step {
    /// The file of the bundle that holds what came of it; none when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The program and its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// The file that was copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// The exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<i32>,
    /// It did not end within its time and was ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) timed_out: bool,
    /// It gave more than is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cut: bool,
    /// How long it took.
    pub(crate) milliseconds: u64,
    /// How many bytes it gave.
    pub(crate) bytes: u64,
    /// Why it gave nothing, or not everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// What is never gathered.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct LeftOut {
    /// What.
    pub(crate) what: String,
    /// Why.
    pub(crate) because: String,
    /// The command that adds it to the bundle.
    pub(crate) obtain: String,
}

/// The JSON schema of the manifest.
pub(crate) fn schema() -> serde_json::Value {
    schemars::schema_for!(Manifest).to_value()
}

impl Manifest {
    /// The manifest of a folder; `None` when it is no bundle.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let path = folder.join(MANIFEST);
        let metadata = path.symlink_metadata().ok()?;
        if !metadata.is_file() || metadata.len() > LARGEST {
            return None;
        }
        let manifest: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        (manifest.version == 1 && manifest.made_by.starts_with("disko-advise ")).then_some(manifest)
    }

    /// The command whose output a file of the bundle is, when one made it.
    pub(crate) fn command_of(&self, file: &str) -> Option<String> {
        let step = self.steps.iter().find(|it| it.file.as_deref() == Some(file))?;
        (!step.command.is_empty()).then(|| step.command.join(" "))
    }
}

/// A bundle that is being written.
pub(super) struct Bundle {
    folder: PathBuf,
    /// What it is.
    pub(super) manifest: Manifest,
}

impl Bundle {
    /// Makes the folder, or takes over one that is empty or holds an older bundle. What the older one
    /// lists is removed, nothing else.
    ///
    /// # Errors
    /// When it holds anything else, or cannot be written to.
    pub(super) fn begin(folder: &Path, manifest: Manifest) -> anyhow::Result<Self> {
        let shown = folder.display();
        match folder.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Only its owner may look: it says much of the machine.
                std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)
                    .map_err(|error| anyhow::anyhow!("{shown}: {}", reason(&error)))?;
            }
            Err(error) => bail!("{shown}: {}", reason(&error)),
            Ok(metadata) => {
                ensure!(metadata.is_dir(), "{shown}: is no folder");
                let mut entries = std::fs::read_dir(folder)
                    .map_err(|error| anyhow::anyhow!("{shown}: {}", reason(&error)))?;
                if entries.next().is_some() {
                    let Some(old) = Manifest::of(folder) else {
                        bail!("{shown}: is not empty and no bundle; give another folder");
                    };
                    remove(folder, &old).with_context(|| shown.to_string())?;
                }
            }
        }
        let bundle = Self {
            folder: folder.to_owned(),
            manifest,
        };
        bundle.write_manifest()?;
        Ok(bundle)
    }

    /// Writes a file at one stroke.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let failed = || format!("{}: could not be written", self.folder.join(name).display());
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).with_context(failed)?;
        file.write_all(bytes).with_context(failed)?;
        file.persist(self.folder.join(name)).with_context(failed)?;
        Ok(())
    }

    /// Notes what became of something. The manifest on disk is brought up to date, so that whatever
    /// ends this program leaves a bundle that says how far it came.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub(super) fn note(&mut self, step: Step) -> anyhow::Result<()> {
        self.manifest.steps.push(step);
        self.write_manifest()
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_manifest(&self) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(&self.manifest)?;
        text.push(b'\n');
        self.write(MANIFEST, &text)
    }
}

/// Removes the files that an older bundle lists. Its manifest could name anything, so only plain names
/// of regular files count.
fn remove(folder: &Path, old: &Manifest) -> std::io::Result<()> {
    for name in old.steps.iter().filter_map(|step| step.file.as_deref()) {
        let mut components = Path::new(name).components();
        let plain = matches!(
            (components.next(), components.next()),
            (Some(Component::Normal(_)), None)
        );
        let path = folder.join(name);
        if plain && path.symlink_metadata().is_ok_and(|it| it.is_file()) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            version: 1,
            made_by: "disko-advise 0".to_owned(),
            ..Manifest::default()
        }
    }

    #[test]
    fn a_folder_with_other_things_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
        let refused = Bundle::begin(folder.path(), manifest())
            .err()
            .unwrap()
            .to_string();
        assert!(
            refused.ends_with("is not empty and no bundle; give another folder"),
            "{refused}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_older_bundle_is_replaced_and_nothing_beside_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("bundle");
        std::fs::write(parent.path().join("outside"), "mine").unwrap();
        let mut bundle = Bundle::begin(&folder, manifest()).unwrap();
        bundle.write("meminfo", b"MemTotal: 1 kB\n").unwrap();
        for file in ["meminfo", "../outside"] {
            bundle
                .note(Step {
                    file: Some(file.to_owned()),
                    ..Step::default()
                })
                .unwrap();
        }
        std::fs::write(folder.join("iotop.txt"), "added by hand").unwrap();
        Bundle::begin(&folder, manifest()).unwrap();
        assert!(!folder.join("meminfo").exists());
        assert!(folder.join("iotop.txt").exists());
        assert!(parent.path().join("outside").exists());
        assert!(Manifest::of(&folder).unwrap().steps.is_empty());
    }
}
