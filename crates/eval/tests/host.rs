//! Hosts as people write them, in memory: what each option is and where it was set.
#![allow(clippy::expect_used)]

use std::fmt::Write as _;
use std::path::Path;

use eval::{Argument, Evaluator, Host, HostOptions, Options};
use expect_test::{Expect, expect};
use source::{Files, MemoryWorld, Node, Origin, Tree};

/// A world of files below `/h`.
fn world(files: &[(&str, &str)]) -> MemoryWorld {
    let mut world = MemoryWorld::new();
    for (name, text) in files {
        world.insert(format!("/h/{name}"), text);
    }
    world
}

fn place(files: &Files, origin: &Origin) -> String {
    match origin {
        Origin::Nix(span) => files.place(*span).trim_start_matches("/h/").to_owned(),
        Origin::Derived(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| place(files, part)).collect();
            format!("({})", parts.join(" "))
        }
        other => format!("{other:?}"),
    }
}

/// A value a line: what it is, where it was made, and after `<-` the bindings that set it.
fn draw(out: &mut String, files: &Files, tree: &Tree, indent: usize) {
    let pad = "  ".repeat(indent);
    let at = place(files, &tree.origin);
    let mut line = |text: String| writeln!(out, " {text} @ {at}").expect("a string");
    match &tree.node {
        Node::Null => line("null".into()),
        Node::Bool(it) => line(it.to_string()),
        Node::Int(it) => line(it.to_string()),
        Node::Float(it) => line(it.to_string()),
        Node::Str(it) => line(format!("{it:?}")),
        Node::Path(it) => line(it.to_string()),
        Node::Function => line("a function".into()),
        Node::Unknown(it) => line(format!("unknown {}: {}", it.name, it.because)),
        Node::Failed(it) => line(format!("failed: {it}")),
        Node::List(items) => {
            line("[]".into());
            for item in items {
                write!(out, "{pad}  -").expect("a string");
                draw(out, files, item, indent + 1);
            }
        }
        Node::Attrs(attrs) => {
            line("{}".into());
            for (name, attr) in attrs {
                write!(out, "{pad}  {name}").expect("a string");
                if !attr.bindings.is_empty() {
                    let places: Vec<_> = attr
                        .bindings
                        .iter()
                        .map(|binding| files.place(binding.name).trim_start_matches("/h/").to_owned())
                        .collect();
                    write!(out, " <- {}", places.join(" ")).expect("a string");
                }
                out.push(':');
                draw(out, files, &attr.tree, indent + 1);
            }
        }
    }
}

fn shown(given: &[(&str, &str)], options: &HostOptions, paths: &[&[&str]]) -> String {
    let world = world(given);
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let entry = given.first().map_or("", |(name, _)| name);
    let mut out = String::new();
    let host = match Host::open(&evaluator, Path::new(&format!("/h/{entry}")), options) {
        Ok(host) => host,
        Err(problem) => return format!("could not be opened: {problem}\n"),
    };
    if let Some(chosen) = host.chosen() {
        writeln!(out, "found at {chosen:?} of {:?}", host.layouts()).expect("a string");
    }
    for path in paths {
        write!(out, "{}:", path.join(".")).expect("a string");
        match host.option(path) {
            Some(tree) => draw(&mut out, &files, &tree, 0),
            None => out.push_str(" not defined\n"),
        }
    }
    for problem in host.problems() {
        let at = problem.span.map(|span| files.place(span)).unwrap_or_default();
        writeln!(
            out,
            "{:?} {}: {problem}",
            problem.level,
            at.trim_start_matches("/h/")
        )
        .expect("a string");
        for note in problem.notes {
            let at = note.span.map(|span| files.place(span)).unwrap_or_default();
            writeln!(out, "  {} {}", at.trim_start_matches("/h/"), note.message).expect("a string");
        }
    }
    out
}

trait Same {
    /// Compares what was drawn; without the feature `provenance`, all but where values were made
    /// and the calls that led to an error.
    fn same(&self, drawn: &str);
}

impl Same for Expect {
    fn same(&self, drawn: &str) {
        if cfg!(feature = "provenance") {
            return self.assert_eq(drawn);
        }
        let bare = |text: &str| {
            let lines = text
                .lines()
                .map(|line| line.split(" @ ").next().unwrap_or(line).trim());
            lines
                .filter(|line| !line.is_empty() && !line.contains(" while calling "))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(bare(drawn), bare(self.data()));
    }
}

fn check(given: &[(&str, &str)], path: &[&str], expected: Expect) {
    expected.same(&shown(given, &HostOptions::default(), &[path]));
}

const DEVICES: &[&str] = &["disko", "devices"];

// ----- forms of files -----------------------------------------------------------------------

#[test]
fn a_plain_set() {
    check(
        &[(
            "disko.nix",
            "{\n  disko.devices.disk.main = {\n    device = \"/dev/sda\";\n    type = \"disk\";\n  };\n}\n",
        )],
        DEVICES,
        expect![[r#"
            disko.devices: {} @ disko.nix:2:9
              disk <- disko.nix:2:17: {} @ disko.nix:2:17
                main <- disko.nix:2:22: {} @ disko.nix:2:29
                  device <- disko.nix:3:5: "/dev/sda" @ disko.nix:3:14
                  type <- disko.nix:4:5: "disk" @ disko.nix:4:12
        "#]],
    );
}

#[test]
fn the_tree_of_devices_itself_and_as_devices() {
    check(
        &[("d.nix", "{ disk.main.device = \"/dev/sda\"; nodev = { }; }")],
        DEVICES,
        expect![[r#"
        disko.devices: {} @ d.nix:1:1
          disk <- d.nix:1:3: {} @ d.nix:1:3
            main <- d.nix:1:8: {} @ d.nix:1:8
              device <- d.nix:1:13: "/dev/sda" @ d.nix:1:22
          nodev <- d.nix:1:34: {} @ d.nix:1:42
    "#]],
    );
    check(
        &[("d.nix", "_: { devices = { disk.main.device = \"/dev/sda\"; }; }")],
        DEVICES,
        expect![[r#"
        disko.devices: {} @ d.nix:1:16
          disk <- d.nix:1:18: {} @ d.nix:1:18
            main <- d.nix:1:23: {} @ d.nix:1:23
              device <- d.nix:1:28: "/dev/sda" @ d.nix:1:37
    "#]],
    );
}

#[test]
fn arguments_with_and_without_defaults() {
    let text = "{ disks ? [ \"/dev/vda\" ], device, swap ? throw \"set swap\", lib, ... }: {
      disko.devices.disk = lib.genAttrs disks (d: { device = d; size = swap; label = \"x${device}\"; content = device; });
    }";
    check(
        &[("d.nix", text)],
        DEVICES,
        expect![[r#"
        disko.devices: {} @ d.nix:2:13
          disk <- d.nix:2:21: {} @ d.nix:2:28
            /dev/vda: {} @ d.nix:2:51
              content <- d.nix:2:100: unknown device: an argument without a default that nobody gave @ d.nix:1:27
              device <- d.nix:2:53: "/dev/vda" @ d.nix:1:13
              label <- d.nix:2:78: unknown device: an argument without a default that nobody gave @ d.nix:1:27
              size <- d.nix:2:65: unknown swap: set swap @ d.nix:1:42
    "#]],
    );
    let options = HostOptions {
        arguments: vec![
            ("device".into(), Argument::Text("/dev/sdz".into())),
            (
                "disks".into(),
                Argument::Expression("[ \"/dev/a\" \"/dev/b\" ]".into()),
            ),
        ],
        ..HostOptions::default()
    };
    expect![[r#"
        disko.devices: {} @ d.nix:2:13
          disk <- d.nix:2:21: {} @ d.nix:2:28
            /dev/a: {} @ d.nix:2:51
              content <- d.nix:2:100: "/dev/sdz" @ d.nix:2:110
              device <- d.nix:2:53: "/dev/a" @ --arg disks:1:3
              label <- d.nix:2:78: "x/dev/sdz" @ d.nix:2:86
              size <- d.nix:2:65: unknown swap: set swap @ d.nix:1:42
            /dev/b: {} @ d.nix:2:51
              content <- d.nix:2:100: "/dev/sdz" @ d.nix:2:110
              device <- d.nix:2:53: "/dev/b" @ --arg disks:1:12
              label <- d.nix:2:78: "x/dev/sdz" @ d.nix:2:86
              size <- d.nix:2:65: unknown swap: set swap @ d.nix:1:42
    "#]]
    .same(&shown(&[("d.nix", text)], &options, &[DEVICES]));
}

#[test]
fn curried_functions() {
    check(
        &[(
            "d.nix",
            "inputs: { lib, ... }: { pkgs, ... }: { disko.devices.disk.a.device = inputs.device; disko.devices.disk.b.device = lib.mkDefault \"/dev/b\"; }",
        )],
        DEVICES,
        expect![[r#"
            disko.devices: {} @ d.nix:1:46
              disk <- d.nix:1:54 d.nix:1:99: {} @ d.nix:1:54
                a <- d.nix:1:59: {} @ d.nix:1:59
                  device <- d.nix:1:61: unknown inputs.device: flake inputs are not fetched @ d.nix:1:70
                b <- d.nix:1:104: {} @ d.nix:1:104
                  device <- d.nix:1:106: "/dev/b" @ d.nix:1:129
        "#]],
    );
    check(
        &[("d.nix", "a: b: { disko.devices.disk.a.device = a.x + b.y; }")],
        DEVICES,
        expect![[r#"
        disko.devices: {} @ d.nix:1:15
          disk <- d.nix:1:23: {} @ d.nix:1:23
            a <- d.nix:1:28: {} @ d.nix:1:28
              device <- d.nix:1:30: unknown a.x: an argument that nobody gave @ d.nix:1:39
    "#]],
    );
}

#[test]
fn placeholders_are_strings() {
    check(
        &[("d.nix", "{ disko.devices.disk.a.device = \"{{mainDisk}}\"; }")],
        DEVICES,
        expect![[r#"
        disko.devices: {} @ d.nix:1:9
          disk <- d.nix:1:17: {} @ d.nix:1:17
            a <- d.nix:1:22: {} @ d.nix:1:22
              device <- d.nix:1:24: "{{mainDisk}}" @ d.nix:1:33
    "#]],
    );
}

#[test]
fn plain_file_systems() {
    expect![[r#"
        fileSystems: {} @ configuration.nix:3:3
          / <- configuration.nix:3:15: {} @ configuration.nix:3:21
            device <- configuration.nix:3:23: "/dev/disk/by-uuid/1" @ configuration.nix:3:32
            fsType <- configuration.nix:3:55: "btrfs" @ configuration.nix:3:64
            options <- configuration.nix:3:73: [] @ configuration.nix:3:83
              - "subvol=root" @ configuration.nix:3:85
        swapDevices: [] @ configuration.nix:4:17
          - {} @ configuration.nix:4:19
            device <- configuration.nix:4:21: "/dev/sdb" @ configuration.nix:4:30
        boot.initrd.luks.devices: {} @ configuration.nix:5:20
          crypt <- configuration.nix:5:28: {} @ configuration.nix:5:28
            device <- configuration.nix:5:34: "/dev/sdc" @ configuration.nix:5:43
        networking.hostName: unknown config.nope: set by modules that are not at hand @ configuration.nix:6:39
        nope: not defined
        Note configuration.nix:2:16: the import of `modulesPath` is left out: NixOS's own modules are not at hand
    "#]].same(&shown(
        &[(
            "configuration.nix",
            "{ config, lib, pkgs, modulesPath, ... }: {
  imports = [ (modulesPath + \"/installer/scan/not-detected.nix\") ];
  fileSystems.\"/\" = { device = \"/dev/disk/by-uuid/1\"; fsType = \"btrfs\"; options = [ \"subvol=root\" ]; };
  swapDevices = [ { device = \"/dev/sdb\"; } ];
  boot.initrd.luks.devices.crypt.device = \"/dev/sdc\";
  networking.hostName = lib.mkDefault config.nope;
}",
        )],
        &HostOptions::default(),
        &[&["fileSystems"], &["swapDevices"], &["boot", "initrd", "luks", "devices"], &["networking", "hostName"], &["nope"]],
    ));
}

// ----- merging ------------------------------------------------------------------------------

#[test]
fn definitions_of_several_files_are_merged_with_all_their_places() {
    expect![[r#"
        disko.devices: {} @ (configuration.nix:3:9 a.nix:2:9 b/default.nix:2:9)
          disk <- configuration.nix:3:17 a.nix:2:17 b/default.nix:2:17: {} @ (configuration.nix:3:17 a.nix:2:17 b/default.nix:2:17)
            main <- configuration.nix:3:22 a.nix:2:22 b/default.nix:2:22: {} @ (b/default.nix:2:29 a.nix:2:29 configuration.nix:3:22)
              content <- b/default.nix:5:5 a.nix:5:5: {} @ (a.nix:5:15 b/default.nix:5:5)
                partitions <- a.nix:5:31 b/default.nix:5:13: {} @ (a.nix:5:31 b/default.nix:5:13)
                  root <- a.nix:5:42 b/default.nix:5:24: {} @ (b/default.nix:5:24 a.nix:5:49)
                    content <- b/default.nix:5:29 a.nix:5:66: {} @ (a.nix:5:66 b/default.nix:5:29)
                      mountOptions <- b/default.nix:5:37 a.nix:5:74: [] @ (b/default.nix:5:140 a.nix:5:89 b/default.nix:5:66 b/default.nix:5:90)
                        - "b0" @ b/default.nix:5:142
                        - "a" @ a.nix:5:91
                        - "b1" @ b/default.nix:5:68
                        - "b2" @ b/default.nix:5:92
                    size <- a.nix:5:51: "100%" @ a.nix:5:58
                type <- a.nix:5:17: "gpt" @ a.nix:5:24
              device <- configuration.nix:3:27: "/dev/forced" @ configuration.nix:3:48
              imageSize <- b/default.nix:4:5: "2G" @ b/default.nix:4:31
              type <- b/default.nix:3:5 a.nix:4:5: "disk" @ (b/default.nix:3:12 a.nix:4:12)
        fileSystems: {} @ (b/default.nix:7:17 a.nix:7:3 configuration.nix:4:3)
          / <- b/default.nix:7:19 a.nix:7:15 configuration.nix:4:15: {} @ (configuration.nix:4:15 a.nix:7:15 b/default.nix:7:19)
            options <- configuration.nix:4:19 b/default.nix:7:23 a.nix:7:19: [] @ (configuration.nix:4:29 b/default.nix:7:33 a.nix:7:41)
              - "top" @ configuration.nix:4:31
              - "b" @ b/default.nix:7:35
              - "after" @ a.nix:7:43
    "#]].same(&shown(
        &[
            ("configuration.nix", "{ lib, ... }: {
  imports = [ ./a.nix ./b ];
  disko.devices.disk.main.device = lib.mkForce \"/dev/forced\";
  fileSystems.\"/\".options = [ \"top\" ];
}"),
            ("a.nix", "{ lib, ... }: {
  disko.devices.disk.main = {
    device = \"/dev/a\";
    type = \"disk\";
    content = { type = \"gpt\"; partitions.root = { size = \"100%\"; content.mountOptions = [ \"a\" ]; }; };
  };
  fileSystems.\"/\".options = lib.mkAfter [ \"after\" ];
}"),
            ("b/default.nix", "{ lib, ... }: {
  disko.devices.disk.main = {
    type = \"disk\";
    imageSize = lib.mkDefault \"2G\";
    content.partitions.root.content.mountOptions = lib.mkMerge [ [ \"b1\" ] (lib.mkIf true [ \"b2\" ]) (lib.mkIf false [ \"b3\" ]) (lib.mkBefore [ \"b0\" ]) ];
  };
  fileSystems = { \"/\".options = [ \"b\" ]; \"/gone\" = lib.mkIf false { }; };
}"),
        ],
        &HostOptions::default(),
        &[DEVICES, &["fileSystems"]],
    ));
}

#[test]
fn conflicts_are_problems_with_both_places_and_the_rest_stays() {
    expect![[r#"
        disko.devices: {} @ (configuration.nix:3:9 a.nix:2:9)
          disk <- configuration.nix:3:17 a.nix:2:17: {} @ (configuration.nix:3:17 a.nix:2:17)
            main <- configuration.nix:3:22 a.nix:2:22: {} @ (a.nix:2:29 configuration.nix:3:29)
              content <- a.nix:2:65 configuration.nix:3:65: {} @ (configuration.nix:3:65 a.nix:2:65)
                mountpoint <- configuration.nix:3:73 a.nix:2:73: failed: the option `disko.devices.disk.main.content.mountpoint` may be defined only once @ configuration.nix:3:65
              device <- a.nix:2:31 configuration.nix:3:31: failed: the option `disko.devices.disk.main.device` may be defined only once @ a.nix:2:31
              type <- a.nix:2:50 configuration.nix:3:50: "disk" @ (a.nix:2:57 configuration.nix:3:57)
        boot.kernel.sysctl: {} @ (a.nix:3:24 configuration.nix:4:24)
          net.core.rmem_max <- a.nix:3:47 configuration.nix:4:47: 7 @ a.nix:3:69
          vm.swappiness <- a.nix:3:26 configuration.nix:4:26: failed: the option `boot.kernel.sysctl."vm.swappiness"` may be defined only once @ a.nix:3:26
        fileSystems: {} @ (a.nix:4:3 configuration.nix:5:3)
          / <- a.nix:4:15 configuration.nix:5:15: {} @ (configuration.nix:5:21 a.nix:4:21)
            device <- configuration.nix:5:23 a.nix:4:23: failed: the option `fileSystems."/".device` has conflicting definitions @ configuration.nix:5:23
            fsType <- configuration.nix:5:37 a.nix:4:37: "ext4" @ (configuration.nix:5:46 a.nix:4:46)
        Error configuration.nix:3:65: the option `disko.devices.disk.main.content.mountpoint` may be defined only once
          configuration.nix:3:65 defined here as "/"
          a.nix:2:65 defined here as "/"
        Error a.nix:2:31: the option `disko.devices.disk.main.device` may be defined only once
          a.nix:2:31 defined here as "/dev/y"
          configuration.nix:3:31 defined here as "/dev/x"
        Error a.nix:3:26: the option `boot.kernel.sysctl."vm.swappiness"` may be defined only once
          a.nix:3:26 defined here as 1
          configuration.nix:4:26 defined here as 1
        Error configuration.nix:5:23: the option `fileSystems."/".device` has conflicting definitions
          configuration.nix:5:23 defined here as "a"
          a.nix:4:23 defined here as "b"
    "#]].same(&shown(
        &[
            ("configuration.nix", "{
  imports = [ ./a.nix ];
  disko.devices.disk.main = { device = \"/dev/x\"; type = \"disk\"; content.mountpoint = \"/\"; };
  boot.kernel.sysctl = { \"vm.swappiness\" = 1; \"net.core.rmem_max\" = 5; };
  fileSystems.\"/\" = { device = \"a\"; fsType = \"ext4\"; };
}"),
            ("a.nix", "{
  disko.devices.disk.main = { device = \"/dev/y\"; type = \"disk\"; content.mountpoint = \"/\"; };
  boot.kernel.sysctl = { \"vm.swappiness\" = 1; \"net.core.rmem_max\" = 7; };
  fileSystems.\"/\" = { device = \"b\"; fsType = \"ext4\"; };
}"),
        ],
        &HostOptions::default(),
        &[DEVICES, &["boot", "kernel", "sysctl"], &["fileSystems"]],
    ));
}

// Where an import was written is told by its value's place.
#[cfg(feature = "provenance")]
#[test]
fn a_broken_import_does_not_stop_the_rest() {
    expect![[r#"
        fileSystems: {} @ (loop.nix:1:49 good.nix:1:3 configuration.nix:3:3)
          / <- configuration.nix:3:15: {} @ configuration.nix:3:15
            device <- configuration.nix:3:19: failed: cannot add a string to an integer @ configuration.nix:3:28
          /good <- good.nix:1:15: {} @ good.nix:1:15
            device <- good.nix:1:23: "/dev/good" @ good.nix:1:32
          /loop <- loop.nix:1:61: {} @ loop.nix:1:61
            device <- loop.nix:1:69: "l" @ loop.nix:1:78
        swapDevices: [] @ configuration.nix:2:137
          - {} @ configuration.nix:2:139
            device <- configuration.nix:2:141: "/s" @ configuration.nix:2:150
        Error configuration.nix:2:15: /h/missing.nix: no such file
        Error broken.nix:1:7: syntax error, unexpected ';'
          configuration.nix:2:29 imported here
        Error fails.nix:1:1: no such luck
          fails.nix:1:1 while calling `throw`
          configuration.nix:2:42 imported here
        Note configuration.nix:2:87: the import of `inputs.disko.nixosModules.disko` is left out: flake inputs are not fetched
        Error configuration.nix:2:119: expected a module but found an integer
    "#]].same(&shown(
        &[
            ("configuration.nix", "{ inputs, ... }: {
  imports = [ ./missing.nix ./broken.nix ./fails.nix ./good.nix ./good.nix ./loop.nix inputs.disko.nixosModules.disko 5 { swapDevices = [ { device = \"/s\"; } ]; } ];
  fileSystems.\"/\".device = 1 + \"x\";
}"),
            ("broken.nix", "{ a = ; }"),
            ("fails.nix", "throw \"no such luck\""),
            ("good.nix", "{ fileSystems.\"/good\".device = \"/dev/good\"; }"),
            ("loop.nix", "{ imports = [ ./configuration.nix ./loop.nix ]; fileSystems.\"/loop\".device = \"l\"; }"),
        ],
        &HostOptions::default(),
        &[&["fileSystems"], &["swapDevices"]],
    ));
}

#[test]
fn config_is_the_fixpoint_and_options_have_defaults() {
    expect![[r#"
        disko.devices: {} @ configuration.nix:6:11
          disk <- configuration.nix:6:19: {} @ configuration.nix:6:47
            b <- configuration.nix:4:14: {} @ configuration.nix:6:70
              device <- configuration.nix:6:84: "/dev/b-5G" @ options.nix:10:59
              label <- configuration.nix:6:97: "b" @ configuration.nix:6:47
              size <- configuration.nix:6:91: "5G" @ configuration.nix:4:27
          nodev <- configuration.nix:7:19: {} @ configuration.nix:7:19
            /tmp <- configuration.nix:7:25: {} @ configuration.nix:7:34
              fsType <- configuration.nix:7:36: unknown config.my.undefined: an option without a default that nothing here sets @ options.nix:5:5
              mountOptions <- configuration.nix:7:60: [] @ configuration.nix:7:75
                - "size=10%" @ configuration.nix:7:77
                - unknown config.networking.hostName: set by modules that are not at hand @ configuration.nix:7:95
        my: {} @ configuration.nix:4:5
          disks <- configuration.nix:4:8: {} @ configuration.nix:4:8
            b <- configuration.nix:4:14: {} @ configuration.nix:4:18
              device <- options.nix:10:49: "/dev/b-5G" @ options.nix:10:59
              size <- configuration.nix:4:20: "5G" @ configuration.nix:4:27
          enable <- configuration.nix:5:8: true @ configuration.nix:5:17
          tmp <- options.nix:4:40: "10%" @ options.nix:4:50
          undefined: unknown config.my.undefined: an option without a default that nothing here sets @ options.nix:5:5
    "#]].same(&shown(
        &[("configuration.nix", "{ config, lib, ... }: let cfg = config.my; in {
  imports = [ ./options.nix ];
  config = {
    my.disks.b = { size = \"5G\"; };
    my.enable = true;
    disko.devices.disk = lib.mkIf cfg.enable (lib.mapAttrs (name: d: { inherit (d) device size; label = name; }) cfg.disks);
    disko.devices.nodev.\"/tmp\" = { fsType = cfg.undefined; mountOptions = [ \"size=${cfg.tmp}\" config.networking.hostName ]; };
  };
}"),
        ("options.nix", "{ lib, ... }: with lib; {
  options.my = {
    enable = mkEnableOption \"my disks\";
    tmp = mkOption { type = types.str; default = \"10%\"; };
    undefined = mkOption { type = types.str; };
    disks = mkOption {
      default = { };
      type = types.attrsOf (types.submodule ({ name, config, ... }: {
        options = {
          device = mkOption { type = types.str; default = \"/dev/${name}-${config.size}\"; };
          size = mkOption { type = types.str; };
        };
      }));
    };
  };
}")],
        &HostOptions::default(),
        &[DEVICES, &["my"]],
    ));
}

#[test]
fn a_switch_of_its_own_is_taken_to_be_on() {
    check(
        &[("disk.nix", "{ config, lib, ... }: {
  options.my.disk.enable = lib.mkEnableOption \"x\";
  config = lib.mkIf config.my.disk.enable { disko.devices.disk.a = { device = \"/dev/a\"; size = lib.mkIf config.my.disk.enable \"1G\"; }; };
}")],
        DEVICES,
        expect![[r#"
            disko.devices: {} @ disk.nix:3:51
              disk <- disk.nix:3:59: {} @ disk.nix:3:59
                a <- disk.nix:3:64: {} @ disk.nix:3:68
                  device <- disk.nix:3:70: "/dev/a" @ disk.nix:3:79
                  size <- disk.nix:3:89: "1G" @ disk.nix:3:127
            Note disk.nix:2:3: a condition is taken to hold that depends on `config.my.disk.enable`: a switch that is off unless something turns it on
        "#]],
    );
}

#[test]
fn conditions_that_are_not_known() {
    check(
        &[("disk.nix", "{ config, lib, ... }: {
  disko.devices = lib.mkMerge [
    { disk.a = { device = \"/dev/a\"; mountOptions = [ \"x\" ]; label = \"same\"; }; }
    (lib.mkIf config.has.two { disk.b.device = \"/dev/b\"; disk.a = { mountOptions = [ \"y\" ]; label = \"same\"; size = \"1G\"; }; })
    (lib.mkIf config.has.three { disk.a.size = \"2G\"; })
    { disk.c = if config.has.c then { device = \"/c\"; size = \"1\"; } else { device = \"/c\"; size = \"2\"; }; }
    { disk.d.mountOptions = [ \"1\" ] ++ lib.optional config.has.d \"2\"; }
    { disk.e = config.some.disk; }
  ];
}")],
        DEVICES,
        expect![[r#"
            disko.devices: {} @ (disk.nix:8:5 disk.nix:7:5 disk.nix:6:5 disk.nix:5:32 disk.nix:4:30 disk.nix:3:5)
              disk <- disk.nix:8:7 disk.nix:7:7 disk.nix:6:7 disk.nix:5:34 disk.nix:4:32 disk.nix:4:58 disk.nix:3:7: {} @ (disk.nix:8:7 disk.nix:7:7 disk.nix:6:7 disk.nix:5:34 disk.nix:4:32 disk.nix:3:7)
                a <- disk.nix:5:39 disk.nix:4:63 disk.nix:3:12: {} @ (disk.nix:3:16 disk.nix:4:67 disk.nix:5:39)
                  device <- disk.nix:3:18: "/dev/a" @ disk.nix:3:27
                  label <- disk.nix:3:61 disk.nix:4:93: "same" @ (disk.nix:3:69 disk.nix:4:101)
                  mountOptions <- disk.nix:3:37 disk.nix:4:69: [] @ (disk.nix:3:52 ())
                    - "x" @ disk.nix:3:54
                    - unknown config.has.two: set by modules that are not at hand @ disk.nix:4:15
                  size <- disk.nix:4:109 disk.nix:5:41: unknown config.has.two: set by modules that are not at hand @ disk.nix:4:15
                b <- disk.nix:4:37: {} @ disk.nix:4:37
                  device <- disk.nix:4:39: "/dev/b" @ disk.nix:4:48
                c <- disk.nix:6:12: {} @ disk.nix:6:37
                  device: "/c" @ disk.nix:6:48
                  size: unknown config.has.c: set by modules that are not at hand @ disk.nix:6:19
                d <- disk.nix:7:12: {} @ disk.nix:7:12
                  mountOptions <- disk.nix:7:14: [] @ disk.nix:7:29
                    - "1" @ disk.nix:7:31
                    - unknown config.has.d: set by modules that are not at hand @ disk.nix:7:53
                e <- disk.nix:8:12: unknown config.some.disk: set by modules that are not at hand @ disk.nix:8:16
            Note disk.nix:4:15: a condition is taken to hold that depends on `config.has.two`: set by modules that are not at hand
            Note disk.nix:5:15: a condition is taken to hold that depends on `config.has.three`: set by modules that are not at hand
        "#]],
    );
}

#[test]
fn json_stands_in_for_config() {
    let options = HostOptions {
        config: Some("{\"networking\":{\"hostName\":\"mars\"},\"my\":{\"disk\":\"/dev/json\"}}".into()),
        ..HostOptions::default()
    };
    expect![[r#"
        disko.devices: {} @ disk.nix:3:9
          disk <- disk.nix:3:17: {} @ disk.nix:3:17
            a <- disk.nix:3:22: {} @ disk.nix:3:26
              device <- disk.nix:3:28: "/dev/json" @ disk.nix:3:37
              label <- disk.nix:3:53: "mars" @ disk.nix:3:61
              size <- disk.nix:3:89: unknown config.networking.domain: not in the JSON that was given for `config` @ disk.nix:3:96
        networking.hostName: "mars" @ ()
    "#]].same(&shown(
        &[("disk.nix", "{ config, ... }: {
  my.other = 1;
  disko.devices.disk.a = { device = config.my.disk; label = config.networking.hostName; size = config.networking.domain; };
}")],
        &options,
        &[DEVICES, &["networking", "hostName"]],
    ));
}

#[test]
fn module_arguments_come_from_other_modules() {
    check(
        &[
            (
                "configuration.nix",
                "{ imports = [ ./disk.nix ]; _module.args = { disks = [ \"/dev/args\" ]; vars.size = \"1G\"; }; }",
            ),
            (
                "disk.nix",
                "{ disks ? [ \"/dev/default\" ], vars, ... }: { disko.devices.disk.a = { device = builtins.elemAt disks 0; inherit (vars) size; }; }",
            ),
        ],
        DEVICES,
        expect![[r#"
            disko.devices: {} @ disk.nix:1:52
              disk <- disk.nix:1:60: {} @ disk.nix:1:60
                a <- disk.nix:1:65: {} @ disk.nix:1:69
                  device <- disk.nix:1:71: "/dev/args" @ configuration.nix:1:56
                  size <- disk.nix:1:120: "1G" @ configuration.nix:1:83
        "#]],
    );
}

#[test]
fn hooks_are_joined_by_lines_and_settings_of_disko_may_be_functions() {
    check(
        &[(
            "disk.nix",
            "{ lib, ... }: { disko.devices.disk.a = lib.mkMerge [
  { preCreateHook = \"one\"; content = null; }
  { preCreateHook = \"two\"; }
  ({ name, ... }: { label = name; })
]; }",
        )],
        DEVICES,
        expect![[r#"
            disko.devices: {} @ disk.nix:1:23
              disk <- disk.nix:1:31: {} @ disk.nix:1:31
                a <- disk.nix:1:36: {} @ (disk.nix:4:19 disk.nix:3:3 disk.nix:2:3)
                  content <- disk.nix:2:28: null @ disk.nix:2:38
                  label <- disk.nix:4:21: "a" @ disk.nix:4:29
                  preCreateHook <- disk.nix:3:5 disk.nix:2:5: "two\none" @ (disk.nix:3:21 disk.nix:2:21)
        "#]],
    );
}

// ----- layouts that lie deeper --------------------------------------------------------------

const HOST_A: &str = "{ lib, ... }: { disko.devices.disk.a.device = \"/dev/a\"; }";

#[test]
fn a_folder_gives_its_most_likely_file() {
    let files = [
        ("", ""),
        ("x/configuration.nix", "{ imports = [ ./disko.nix ]; }"),
        ("x/disko.nix", HOST_A),
    ];
    let world = world(&files[1..]);
    let files = Files::new();
    let evaluator = Evaluator::new(&world, &files, Options::default());
    let host = Host::open(&evaluator, Path::new("/h/x"), &HostOptions::default()).expect("a host");
    let tree = host.option(DEVICES).expect("a layout");
    expect!["made @ x/disko.nix:1:23"].same(&format!("made @ {}", place(&files, &tree.origin)));
    let problem = Host::open(&evaluator, Path::new("/h"), &HostOptions::default())
        .err()
        .expect("a problem");
    expect!["/h: none of disko.nix, disk-config.nix, disko-config.nix, disks.nix, disk.nix, default.nix, configuration.nix, flake.nix is in this folder"].same(&problem.to_string());
    let problem = Host::open(&evaluator, Path::new("/nowhere"), &HostOptions::default())
        .err()
        .expect("a problem");
    expect!["/nowhere: no such file"].same(&problem.to_string());
}

#[test]
fn hosts_of_a_flake() {
    let files: &[(&str, &str)] = &[
        (
            "flake.nix",
            "{
  inputs.nixpkgs.url = \"x\";
  inputs.disko.url = \"y\";
  outputs = { self, nixpkgs, disko, ... }@inputs: let lib = nixpkgs.lib; in {
    packages.x86_64-linux.default = nixpkgs.legacyPackages.x86_64-linux.hello;
    nixosModules.shared = { fileSystems.\"/shared\".device = \"s\"; };
    nixosConfigurations = lib.genAttrs [ \"mars\" \"venus\" ] (name: nixpkgs.lib.nixosSystem {
      system = \"x86_64-linux\";
      specialArgs = { inherit inputs name; };
      modules = [ disko.nixosModules.disko ./host.nix { networking.hostName = name; } ];
    });
  };
}",
        ),
        (
            "host.nix",
            "{ name, config, inputs, ... }: { disko.devices.disk.a = { device = \"/dev/${name}\"; label = config.networking.hostName; }; }",
        ),
    ];
    expect![[r#"
        found at "nixosConfigurations.mars" of ["nixosConfigurations.mars", "nixosConfigurations.venus", "nixosModules.shared"]
        disko.devices: {} @ host.nix:1:40
          disk <- host.nix:1:48: {} @ host.nix:1:48
            a <- host.nix:1:53: {} @ host.nix:1:57
              device <- host.nix:1:59: "/dev/mars" @ host.nix:1:68
              label <- host.nix:1:84: "mars" @ flake.nix:7:42
        Note flake.nix:10:19: the import of `inputs.disko.nixosModules.disko` is left out: flake inputs are not fetched
        Note : only the layout `nixosConfigurations.mars` of this file is read
           the others are nixosConfigurations.venus, nixosModules.shared; `--host NAME` reads another
    "#]].same(&shown(files, &HostOptions::default(), &[DEVICES]));
    let venus = HostOptions {
        host: Some("venus".into()),
        ..HostOptions::default()
    };
    expect![[r#"
        found at "nixosConfigurations.venus" of ["nixosConfigurations.mars", "nixosConfigurations.venus", "nixosModules.shared"]
        disko.devices: {} @ host.nix:1:40
          disk <- host.nix:1:48: {} @ host.nix:1:48
            a <- host.nix:1:53: {} @ host.nix:1:57
              device <- host.nix:1:59: "/dev/venus" @ host.nix:1:68
              label <- host.nix:1:84: "venus" @ flake.nix:7:49
        Note flake.nix:10:19: the import of `inputs.disko.nixosModules.disko` is left out: flake inputs are not fetched
    "#]].same(&shown(files, &venus, &[DEVICES]));
    let pluto = HostOptions {
        host: Some("pluto".into()),
        ..HostOptions::default()
    };
    expect![[r#"
        disko.devices: not defined
        Error : no layout is called `pluto` here
           there are nixosConfigurations.mars, nixosConfigurations.venus, nixosModules.shared
    "#]]
    .same(&shown(files, &pluto, &[DEVICES]));
}

#[test]
fn modules_of_flake_parts() {
    let files: &[(&str, &str)] = &[
        (
            "flake.nix",
            "{
  outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } (inputs.import-tree ./modules);
}",
        ),
        (
            "modules/a.nix",
            "{ inputs, lib, ... }: { flake.modules.nixos.disk = { config, pkgs, ... }: { disko.devices.disk.a.device = \"/dev/${config.networking.hostName}\"; }; }",
        ),
        (
            "modules/deep/b.nix",
            "{ perSystem = { pkgs, ... }: { packages.x = pkgs.hello; }; systems = [ \"x86_64-linux\" ]; }",
        ),
    ];
    expect![[r#"
        found at "flake.modules.nixos.disk" of ["flake.modules.nixos.disk"]
        disko.devices: {} @ modules/a.nix:1:83
          disk <- modules/a.nix:1:91: {} @ modules/a.nix:1:91
            a <- modules/a.nix:1:96: {} @ modules/a.nix:1:96
              device <- modules/a.nix:1:98: unknown config.networking.hostName: set by modules that are not at hand @ modules/a.nix:1:115
    "#]]
    .same(&shown(files, &HostOptions::default(), &[DEVICES]));
}

#[test]
fn aspects_and_other_nesting() {
    check(
        &[(
            "disk.nix",
            "{ inputs, den, ... }: { den.aspects.laptop = { nixos = { lib, ... }: { imports = [ inputs.disko.nixosModules.default ]; disko.devices.disk.a.device = lib.mkDefault \"/dev/a\"; }; homeManager = { }; }; }",
        )],
        DEVICES,
        expect![[r#"
            found at "den.aspects.laptop.nixos" of ["den.aspects.laptop.nixos"]
            disko.devices: {} @ disk.nix:1:127
              disk <- disk.nix:1:135: {} @ disk.nix:1:135
                a <- disk.nix:1:140: {} @ disk.nix:1:140
                  device <- disk.nix:1:142: "/dev/a" @ disk.nix:1:165
            Note disk.nix:1:84: the import of `inputs.disko.nixosModules.default` is left out: flake inputs are not fetched
        "#]],
    );
    check(
        &[(
            "disk.nix",
            "{ self, ... }: { flake.nixosModules.host-disk = { disko.devices = { disk = { a = { device = \"/dev/a\"; }; }; }; }; flake.diskoConfigurations.b = { disko.devices.disk.b.device = \"/b\"; }; }",
        )],
        DEVICES,
        expect![[r#"
            found at "flake.diskoConfigurations.b" of ["flake.diskoConfigurations.b", "flake.nixosModules.host-disk"]
            disko.devices: {} @ disk.nix:1:153
              disk <- disk.nix:1:161: {} @ disk.nix:1:161
                b <- disk.nix:1:166: {} @ disk.nix:1:166
                  device <- disk.nix:1:168: "/b" @ disk.nix:1:177
            Note : only the layout `flake.diskoConfigurations.b` of this file is read
               the others are flake.nixosModules.host-disk; `--host NAME` reads another
        "#]],
    );
    check(
        &[(
            "disk.nix",
            "{ lib, config, ... }: { options.settings.disko.enable = lib.mkEnableOption \"d\"; config.nothing = { disk = { enable = true; }; }; }",
        )],
        DEVICES,
        expect![[r#"
            disko.devices: not defined
        "#]],
    );
}

/// The places of a file that were found to hold a layout, and the device of the disk in the first.
fn found(files: &[(&str, &str)]) -> String {
    let world = world(files);
    let registered = Files::new();
    let evaluator = Evaluator::new(&world, &registered, Options::default());
    let entry = files.first().map_or("", |(name, _)| name);
    let path = format!("/h/{entry}");
    let host = match Host::open(&evaluator, Path::new(&path), &HostOptions::default()) {
        Ok(host) => host,
        Err(problem) => return format!("could not be opened: {problem}"),
    };
    let device = host.option(&["disko", "devices", "disk", "a", "device"]);
    let device = device.map(|tree| match tree.node {
        Node::Str(text) => text.to_string(),
        Node::Unknown(unknown) => format!("?{}", unknown.name),
        other => format!("{other:?}"),
    });
    format!(
        "{} of {:?}: {}",
        host.chosen().unwrap_or("the file itself"),
        host.layouts(),
        device.as_deref().unwrap_or("nothing")
    )
}

const DISK: &str = "{ lib, ... }: { disko.devices.disk.a.device = lib.mkDefault \"/dev/a\"; }";

/// The ways in which public flakes bring a layout to a host.
#[test]
fn flakes_of_many_shapes() {
    let flake = |outputs: &str| {
        let text = format!("{{ outputs = {outputs}; }}");
        found(&[
            ("flake.nix", &text),
            ("disk.nix", DISK),
            ("parts/default.nix", "{ imports = [ ./disk.nix ]; }"),
            (
                "parts/disk.nix",
                "{ flake.modules.nixos.disk = import ../disk.nix; }",
            ),
            (
                "more/host.nix",
                "{ den.aspects.igloo.nixos = ../disk.nix; den.hosts.x86_64-linux.igloo = { }; }",
            ),
        ])
    };
    // flake-parts, dendritic and den.
    expect![[r#"flake.modules.nixos.disk of ["flake.modules.nixos.disk"]: /dev/a"#]].assert_eq(&flake(
        "inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } ./parts",
    ));
    expect![[
        r#"den.aspects.igloo.nixos of ["den.aspects.igloo.nixos", "flake.modules.nixos.disk"]: /dev/a"#
    ]]
    .assert_eq(&flake(
        "inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } (inputs.import-tree [ ./parts ./more ])",
    ));
    expect![[r#"flake.modules.nixos.disk of ["flake.modules.nixos.disk", "den.aspects.igloo.nixos"]: /dev/a"#]].assert_eq(&flake("inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } ((inputs.import-tree.addPath ./more).filter (x: true) ./parts)"));
    expect![[r#"flake.nixosConfigurations.x of ["flake.nixosConfigurations.x"]: /dev/a"#]].assert_eq(&flake("inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } { flake.nixosConfigurations.x = inputs.nixpkgs.lib.nixosSystem { modules = [ ./disk.nix ]; }; }"));
    // A flake's own way to make flakes or hosts, which is not at hand.
    expect![[r#"flake.modules.nixos.disk of ["flake.modules.nixos.disk"]: /dev/a"#]].assert_eq(&flake(
        "inputs: inputs.nix-wire.mkFlake { inherit inputs; imports = [ ./parts ]; }",
    ));
    expect![[r#"flake.modules.nixos.disk of ["flake.modules.nixos.disk"]: /dev/a"#]].assert_eq(&flake("inputs@{ adios-flake, self, ... }: adios-flake.lib.mkFlake { inherit inputs self; systems = [ ]; modules = [ ./parts ]; }"));
    expect![[r#"nixosConfigurations.x of ["nixosConfigurations.x"]: /dev/a"#]].assert_eq(&flake(
        "inputs: { nixosConfigurations.x = inputs.mine.lib.mkHost { modules = [ ./disk.nix ]; }; }",
    ));
    expect![[r#"hosts.x.modules of ["hosts.x.modules"]: /dev/a"#]].assert_eq(&flake("{ self, flake-utils-plus, ... }@inputs: flake-utils-plus.lib.mkFlake { inherit self inputs; hosts.x.modules = [ ./disk.nix ]; }"));
    expect![[r#"nixosConfigurations.x of ["nixosConfigurations.x"]: /dev/a"#]].assert_eq(&flake("{ self, flake-utils, nixpkgs }: flake-utils.lib.eachDefaultSystem (system: { }) // { nixosConfigurations.x = nixpkgs.lib.nixosSystem { modules = [ ./disk.nix ]; }; }"));
    expect![[r#"nixosConfigurations.machines.x of ["nixosConfigurations.machines.x"]: /dev/a"#]].assert_eq(&flake("{ self, clan-core, ... }: let clan = clan-core.lib.clan { inherit self; machines.x = { imports = [ ./disk.nix ]; }; }; in { inherit (clan.config) nixosConfigurations; }"));
    expect![[r#"colmena.x of ["colmena.x"]: /dev/a"#]].assert_eq(&flake(
        "inputs: { colmena = { meta = { }; x = { ... }: { imports = [ ./disk.nix ]; }; }; }",
    ));
    expect![[r#"nixosConfigurations.x of ["nixosConfigurations.x", "nixosModules.disk"]: /dev/a"#]].assert_eq(&flake("inputs: { nixosModules.disk = import ./disk.nix; nixosConfigurations.x = inputs.nixpkgs.lib.nixosSystem { modules = [ ({ lib, ... }: import ./disk.nix { inherit lib; }) ]; }; }"));
    // No way to it is at hand: the file is found in the folder.
    expect![[r#"disk.nix of ["disk.nix"]: /dev/a"#]].assert_eq(&flake(
        "inputs: inputs.snowfall-lib.mkFlake { inherit inputs; src = ./.; }",
    ));
    expect![[r#"disk.nix of ["disk.nix"]: /dev/a"#]].assert_eq(&flake(
        "inputs: (inputs.haumea.lib.load { src = ./hosts; }).flake",
    ));
}

#[test]
fn what_is_no_module_at_all() {
    for text in [
        "1",
        "[ ]",
        "x: x",
        "throw \"no\"",
        "{ a = 1; }",
        "rec { a = a; }",
        "let f = x: f x; in f 1",
        "{ imports = [ { imports = 5; } ]; }",
    ] {
        let shown = shown(&[("x.nix", text)], &HostOptions::default(), &[DEVICES]);
        assert!(
            shown.contains("not defined") || shown.contains("could not be opened"),
            "{text}: {shown}"
        );
    }
    expect![[r#"
        could not be opened: syntax error, unexpected ';'
    "#]]
    .same(&shown(
        &[("x.nix", "{ a = ; }")],
        &HostOptions::default(),
        &[DEVICES],
    ));
    expect![[r#"
        disko.devices: not defined
        Error x.nix:1:24: no: 1
          x.nix:1:24 while calling `throw`
    "#]]
    .same(&shown(
        &[("x.nix", "let a = 1; in { ... }: throw \"no: ${toString a}\"")],
        &HostOptions::default(),
        &[DEVICES],
    ));
}

#[test]
fn values_without_end_are_bounded() {
    let shown = shown(
        &[(
            "x.nix",
            "let a = { inherit a; b = 1; }; in { disko.devices.disk.a = a; fileSystems = { x = builtins.genList (n: n) 5000000; }; }",
        )],
        &HostOptions::default(),
        &[DEVICES],
    );
    assert!(
        shown.contains("has more levels than are looked at"),
        "{}",
        &shown[..2000]
    );
}
