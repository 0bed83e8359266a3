//! Services that keep their data in a folder of their own: those that write small pieces of it all the
//! time, and all whose place in the stack of the storage is shown.

use std::collections::HashSet;
use std::sync::Arc;

use source::{Node, Tree};

use crate::{Machine, Workload};

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

/// The services of `nix/workloads.nix` that have one folder: name, the option that turns it on, the option
/// that moves its data (or a list of which the first is one), and where the data is otherwise, by their
/// modules in nixpkgs. Who uses the NixOS module is told of them as workloads, so that the options need not
/// be told.
const PLACED: [(&str, &str, Option<&str>, &str); 22] = [
    (
        "clickhouse",
        "services.clickhouse.enable",
        None,
        "/var/lib/clickhouse",
    ),
    (
        "containerd",
        "virtualisation.containerd.enable",
        None,
        "/var/lib/containerd",
    ),
    (
        "couchdb",
        "services.couchdb.enable",
        Some("services.couchdb.databaseDir"),
        "/var/lib/couchdb",
    ),
    (
        "docker",
        "virtualisation.docker.enable",
        Some("virtualisation.docker.daemon.settings.data-root"),
        "/var/lib/docker",
    ),
    (
        "elasticsearch",
        "services.elasticsearch.enable",
        Some("services.elasticsearch.dataDir"),
        "/var/lib/elasticsearch",
    ),
    (
        "etcd",
        "services.etcd.enable",
        Some("services.etcd.dataDir"),
        "/var/lib/etcd",
    ),
    (
        "forgejo",
        "services.forgejo.enable",
        Some("services.forgejo.stateDir"),
        "/var/lib/forgejo",
    ),
    (
        "gitea",
        "services.gitea.enable",
        Some("services.gitea.stateDir"),
        "/var/lib/gitea",
    ),
    (
        "gitlab",
        "services.gitlab.enable",
        Some("services.gitlab.statePath"),
        "/var/gitlab/state",
    ),
    (
        "immich",
        "services.immich.enable",
        Some("services.immich.mediaLocation"),
        "/var/lib/immich",
    ),
    (
        "influxdb",
        "services.influxdb.enable",
        Some("services.influxdb.dataDir"),
        "/var/db/influxdb",
    ),
    (
        "influxdb2",
        "services.influxdb2.enable",
        None,
        "/var/lib/influxdb2",
    ),
    (
        "jellyfin",
        "services.jellyfin.enable",
        Some("services.jellyfin.dataDir"),
        "/var/lib/jellyfin",
    ),
    ("k3s", "services.k3s.enable", None, "/var/lib/rancher/k3s"),
    (
        "loki",
        "services.loki.enable",
        Some("services.loki.dataDir"),
        "/var/lib/loki",
    ),
    (
        "minio",
        "services.minio.enable",
        Some("services.minio.dataDir"),
        "/var/lib/minio/data",
    ),
    (
        "mongodb",
        "services.mongodb.enable",
        Some("services.mongodb.dbpath"),
        "/var/db/mongodb",
    ),
    (
        "nextcloud",
        "services.nextcloud.enable",
        Some("services.nextcloud.datadir"),
        "/var/lib/nextcloud",
    ),
    (
        "opensearch",
        "services.opensearch.enable",
        Some("services.opensearch.dataDir"),
        "/var/lib/opensearch",
    ),
    (
        "podman",
        "virtualisation.podman.enable",
        None,
        "/var/lib/containers",
    ),
    (
        "rabbitmq",
        "services.rabbitmq.enable",
        Some("services.rabbitmq.dataDir"),
        "/var/lib/rabbitmq",
    ),
    (
        "syncthing",
        "services.syncthing.enable",
        Some("services.syncthing.dataDir"),
        "/var/lib/syncthing",
    ),
];

/// What turns a desktop on, below `services` and `programs`.
const DESKTOP: [&str; 6] = [
    "services.xserver.enable",
    "services.displayManager.enable",
    "services.desktopManager.gnome.enable",
    "services.desktopManager.plasma6.enable",
    "programs.hyprland.enable",
    "programs.sway.enable",
];

/// Services whose `stateDir` is a name below `/var/lib`, with its default.
const BELOW_VAR_LIB: [(&str, &str); 2] = [
    ("prometheus", "prometheus2"),
    ("victoriametrics", "victoriametrics"),
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

    /// Everything that runs, with the folder of its data where it is known: what the person said, and what
    /// the configuration turns on. A service with several folders is there once for each.
    pub fn running(&self) -> Vec<Workload> {
        let mut running: Vec<Workload> = self.workloads.clone();
        running.retain(|it| it.mountpoint.is_some());
        // A folder that the person said counts alone.
        let known: HashSet<Arc<str>> = running.iter().map(|it| Arc::clone(&it.name)).collect();
        let mut tell = |name: &str, set: bool, folders: Vec<Arc<str>>| {
            if known.contains(name) || !(set || self.runs(name)) {
                return;
            }
            let folders = folders.into_iter().map(Some);
            // What runs and has no folder that is known is still told.
            let or_none = (folders.len() == 0).then_some(None);
            running.extend(folders.chain(or_none).map(|mountpoint| Workload {
                name: name.into(),
                mountpoint,
            }));
        };
        for it in self.services() {
            tell(it.name, true, vec![it.folder.into()]);
        }
        for (name, enable, moved, usual) in PLACED {
            let moved = moved.and_then(|option| folder(self.option(option)?));
            tell(
                name,
                self.is_on(enable),
                vec![moved.unwrap_or_else(|| usual.into())],
            );
        }
        for (name, usual) in BELOW_VAR_LIB {
            let moved = self.option(&format!("services.{name}.stateDir"));
            let folder = format!("/var/lib/{}", moved.and_then(Tree::as_str).unwrap_or(usual));
            tell(
                name,
                self.is_on(&format!("services.{name}.enable")),
                vec![folder.into()],
            );
        }
        let desktop = DESKTOP.iter().any(|option| self.is_on(option));
        tell("desktop", desktop, vec!["/home".into()]);
        let redis = self.redis();
        tell("redis", !redis.is_empty(), redis);
        tell("samba", self.is_on("services.samba.enable"), self.shares());
        tell("nfs", self.is_on("services.nfs.server.enable"), self.exports());
        tell(
            "litestream",
            self.is_on("services.litestream.enable"),
            self.replicated(),
        );
        for said in &self.workloads {
            if !running.iter().any(|it| it.name == said.name) {
                running.push(said.clone());
            }
        }
        running.sort_by(|a, b| (&a.name, &a.mountpoint).cmp(&(&b.name, &b.mountpoint)));
        running.dedup();
        running
    }

    /// What an option is set to, by its path with dots.
    fn option(&self, path: &str) -> Option<&Tree> {
        let parts: Vec<&str> = path.split('.').collect();
        self.config.set(&parts)
    }

    fn is_on(&self, path: &str) -> bool {
        self.option(path).is_some_and(|it| it.node == Node::Bool(true))
    }

    /// The folders of the servers of Redis that are on: a server without a name has `/var/lib/redis`.
    fn redis(&self) -> Vec<Arc<str>> {
        let servers = self.option("services.redis.servers").and_then(Tree::as_attrs);
        servers
            .into_iter()
            .flatten()
            .filter(|(_, server)| {
                let enable = server.tree.lookup(["enable"]);
                enable.is_some_and(|it| it.node == Node::Bool(true))
            })
            .map(|(name, server)| {
                let moved = server.tree.lookup(["settings", "dir"]).and_then(folder);
                moved.unwrap_or_else(|| match &**name {
                    "" => "/var/lib/redis".into(),
                    name => format!("/var/lib/redis-{name}").into(),
                })
            })
            .collect()
    }

    /// The folders that Samba shares.
    fn shares(&self) -> Vec<Arc<str>> {
        let shares = self.option("services.samba.settings").and_then(Tree::as_attrs);
        shares
            .into_iter()
            .flatten()
            .filter_map(|(_, share)| folder(share.tree.lookup(["path"])?))
            .collect()
    }

    /// The folders that are exported by NFS: lines are `/folder client(options) …` (exports(5)).
    fn exports(&self) -> Vec<Arc<str>> {
        let text = self.option("services.nfs.server.exports").and_then(Tree::as_str);
        text.unwrap_or_default()
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|it| it.starts_with('/'))
            .map(Arc::from)
            .collect()
    }

    /// The folders of the databases that Litestream replicates.
    fn replicated(&self) -> Vec<Arc<str>> {
        let databases = self.option("services.litestream.settings.dbs");
        databases
            .and_then(Tree::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(|database| {
                let path = database.lookup(["path"]).and_then(Tree::as_str)?;
                let (folder, _) = path.rsplit_once('/')?;
                (folder.starts_with('/')).then(|| folder.into())
            })
            .collect()
    }
}

/// A folder that an option names: of a list the first.
fn folder(tree: &Tree) -> Option<Arc<str>> {
    let tree = match tree.as_list() {
        Some(several) => several.first()?,
        None => tree,
    };
    tree.as_str().filter(|it| it.starts_with('/')).map(Arc::from)
}
