//! What is to be done, as data. `emit` alone turns it into text.
//!
//! Two axes: [`Reach`], what has to happen for a change to take effect, and [`Safety`].
//! A change that `emit` may write carries an [`EditReach`], which has no value for "make the
//! filesystem anew": nothing that destroys or rewrites data can be built as an automatic edit.

use serde_json::Value;
use source::OptionPath;

/// What has to happen until a change is in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// At once, by the command or by `nixos-rebuild switch`.
    Live,
    /// A remount; `nixos-rebuild switch` does it by reloading the mount unit.
    Remount,
    /// A restart of the service.
    ServiceRestart,
    /// The next boot.
    Reboot,
    /// In effect at once, but only for data written from then on.
    NewWrites,
    /// The filesystem unmounted, or the pool exported.
    Offline,
    /// A new filesystem, pool, array or container: what is on it is lost.
    Recreate,
}

impl Reach {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Reach::Live => "live",
            Reach::Remount => "remount",
            Reach::ServiceRestart => "service-restart",
            Reach::Reboot => "reboot",
            Reach::NewWrites => "new-writes",
            Reach::Offline => "offline",
            Reach::Recreate => "recreate",
        }
    }
}

/// The reaches that an automatic edit can have: those that cannot lose data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditReach {
    /// See [`Reach::Live`].
    Live,
    /// See [`Reach::Remount`].
    Remount,
    /// See [`Reach::ServiceRestart`].
    ServiceRestart,
    /// See [`Reach::Reboot`].
    Reboot,
    /// See [`Reach::NewWrites`].
    NewWrites,
}

impl From<EditReach> for Reach {
    fn from(reach: EditReach) -> Self {
        match reach {
            EditReach::Live => Reach::Live,
            EditReach::Remount => Reach::Remount,
            EditReach::ServiceRestart => Reach::ServiceRestart,
            EditReach::Reboot => Reach::Reboot,
            EditReach::NewWrites => Reach::NewWrites,
        }
    }
}

/// Whether `apply` may write a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// Written by `apply`.
    Safe,
    /// Written by `apply` only when the person names it with `--include`.
    Unsafe,
    /// Shown, never written.
    Manual,
}

impl Safety {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Safety::Safe => "safe",
            Safety::Unsafe => "unsafe",
            Safety::Manual => "manual",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An edit of the layout's own text.
    Layout(LayoutEdit),
    /// A setting for the generated NixOS module.
    Nixos(NixosSetting),
    /// A command for the person to run. Never run by this program.
    Command(Command),
}

/// An edit of a value in the layout. Values are named by option path alone:
/// `emit` looks up where each was written, so that an edit stays right after another one.
#[derive(Clone, Debug, PartialEq)]
pub enum LayoutEdit {
    /// Changes a list of mount options, in this order.
    Options {
        /// The option that holds the list, such as `….subvolumes."/nix".mountOptions`.
        list: OptionPath,
        /// The changes.
        edits: Vec<ListEdit>,
    },
    /// Gives an option of the layout a value: replaces the one that was written, or adds the option
    /// beside its siblings.
    Set {
        /// The option, such as `….content.settings.allowDiscards`.
        path: OptionPath,
        /// The new value.
        value: Value,
    },
    /// Removes what was written.
    Unset {
        /// The option.
        path: OptionPath,
    },
}

/// One change of a list of mount options. Options are named as written: `compress=zstd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEdit {
    /// Adds an option at the end.
    Add(String),
    /// Removes every occurrence of an option.
    Remove(String),
    /// Leaves only the last of several equal options.
    Once(String),
    /// Puts `with` where `option` stands.
    Replace {
        /// The option as written.
        option: String,
        /// What comes in its place.
        with: String,
    },
}

/// One setting of the generated module. The person's own definition always wins over it.
#[derive(Clone, Debug, PartialEq)]
pub struct NixosSetting {
    /// The option path, such as `boot.kernel.sysctl."vm.dirty_bytes"`.
    pub option: OptionPath,
    /// The value.
    pub value: Value,
    /// Why, in one line without the rule's name: "default is …; …".
    pub reason: String,
}

/// A command to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The command line.
    pub text: String,
    /// What it does, in one phrase.
    pub purpose: String,
}
