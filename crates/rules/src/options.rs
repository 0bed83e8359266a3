//! Lists of mount options, for the rules of every filesystem.

use machine::{Mount, MountOption, MountOptions};
use source::{Known, Missing};

use crate::{LayoutEdit, ListEdit};

/// An option as written: `compress=zstd`.
pub(crate) fn written(option: &MountOption<'_>) -> String {
    match option.value {
        Some(value) => format!("{}={value}", option.key),
        None => option.key.to_owned(),
    }
}

/// The edits that take options out of the list of a mount.
///
/// NixOS refuses an empty list of options. disko appends `subvol=` to the list of a subvolume, so
/// that such a list may become empty; where nothing is appended the last option makes room for `defaults`.
pub(crate) fn without(mount: &Mount, gone: &[String]) -> Vec<ListEdit> {
    let options = &mount.declared;
    let appended = mount.options.len() > options.list.len();
    let empties = !appended && options.iter().all(|option| gone.contains(&written(&option)));
    let mut edits: Vec<ListEdit> = Vec::new();
    for option in gone {
        let edit = ListEdit::Remove(option.clone());
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    if empties && let Some(ListEdit::Remove(last)) = edits.pop() {
        edits.push(ListEdit::Replace {
            option: last,
            with: "defaults".to_owned(),
        });
    }
    edits
}

/// An edit of a list of options.
pub(crate) fn edit(options: &MountOptions, edits: Vec<ListEdit>) -> LayoutEdit {
    LayoutEdit::Options {
        list: options.place.path.clone(),
        edits,
    }
}

/// That all options of a mount are known.
///
/// # Errors
/// [`Missing`] when the list depends on something that nobody gave.
pub(crate) fn known(mount: &Mount) -> Known<()> {
    match &mount.declared.unknown {
        None => Ok(()),
        Some(unknown) => Err(Missing::new(
            format!("the mount options of {}", mount.mountpoint.value),
            format!("give `{}`: {}", unknown.name, unknown.because),
        )),
    }
}
