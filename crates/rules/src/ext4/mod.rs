//! ext4.

use machine::{MountOption, MountOptions};

use crate::{LayoutEdit, ListEdit};

pub(crate) mod noatime_lazytime;

/// An option as written: `commit=30`.
pub(crate) fn written(option: &MountOption<'_>) -> String {
    match option.value {
        Some(value) => format!("{}={value}", option.key),
        None => option.key.to_owned(),
    }
}

/// Takes options out of a list. NixOS refuses an empty list of mount options, so the last one gives
/// way to `defaults`.
pub(crate) fn without(options: &MountOptions, remove: &[String]) -> LayoutEdit {
    let stays = options.iter().any(|option| !remove.contains(&written(&option)));
    let mut remove: Vec<String> = remove.to_vec();
    remove.sort();
    remove.dedup();
    let edits = remove
        .into_iter()
        .enumerate()
        .map(|(index, option)| {
            if index == 0 && !stays {
                ListEdit::Replace {
                    option,
                    with: "defaults".to_owned(),
                }
            } else {
                ListEdit::Remove(option)
            }
        })
        .collect();
    LayoutEdit::Options {
        list: options.place.path.clone(),
        edits,
    }
}
