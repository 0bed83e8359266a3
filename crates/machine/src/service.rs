//! Services that keep their data in a folder of their own, and write small pieces of it all the time.

use source::{Node, Tree};

use crate::Machine;

/// What the module of a service in nixpkgs says of it.
struct Known {
    name: &'static str,
    /// The option that turns it on.
    enable: [&'static str; 3],
    /// The option that moves its data, where there is one.
    moved: Option<[&'static str; 3]>,
    /// Where its data is otherwise.
    usual: &'static str,
}

const KNOWN: [Known; 4] = [
    Known {
        name: "postgresql",
        enable: ["services", "postgresql", "enable"],
        moved: Some(["services", "postgresql", "dataDir"]),
        usual: "/var/lib/postgresql",
    },
    Known {
        name: "mysql",
        enable: ["services", "mysql", "enable"],
        moved: Some(["services", "mysql", "dataDir"]),
        usual: "/var/lib/mysql",
    },
    Known {
        name: "libvirt",
        enable: ["virtualisation", "libvirtd", "enable"],
        moved: None,
        usual: "/var/lib/libvirt",
    },
    Known {
        name: "incus",
        enable: ["virtualisation", "incus", "enable"],
        moved: None,
        usual: "/var/lib/incus",
    },
];

/// A database, or virtual machines and containers, that run on the machine.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// `postgresql`, `libvirt` …: the name of the workload.
    pub name: &'static str,
    /// Where its data is: as the person said, as the configuration says, or where it is by default.
    pub folder: &'a str,
    /// The option that turns it on; `None` when only the person said that it runs.
    pub set: Option<&'a Tree>,
}

impl Machine {
    /// The databases, virtual machines and containers that run, by the configuration or by what the
    /// person said.
    pub fn services(&self) -> impl Iterator<Item = Service<'_>> {
        KNOWN.iter().filter_map(|known| {
            let said = self.workloads.iter().find(|it| &*it.name == known.name);
            let set = self.config.set(&known.enable);
            let set = set.filter(|it| it.node == Node::Bool(true));
            if said.is_none() && set.is_none() {
                return None;
            }
            let moved = || {
                let option = known.moved.and_then(|option| self.config.set(&option));
                option.and_then(Tree::as_str)
            };
            let folder = said.and_then(|it| it.mountpoint.as_deref()).or_else(moved);
            Some(Service {
                name: known.name,
                folder: folder.unwrap_or(known.usual),
                set,
            })
        })
    }
}
