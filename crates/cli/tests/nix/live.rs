//! What the module does on the running machine: the service that gathers facts, and the look before a
//! switch. The machine of these tests is one whose tools say what is recorded in `examples/laptop/facts`.

use std::path::Path;
use std::process::{Command, Output};

use crate::machine;
use crate::module::{Hosts, LAPTOP, MENDED};

/// A program that gathers the recorded facts, says how it was called, and judges as ours does.
const RECORDED: &str = "{ disko.advise.package = pkgs.runCommand \"recorded\" { } ''
    mkdir -p $out/bin
    cat >$out/bin/disko-advise <<'END'
    #!/bin/bash
    if [ \"$1\" = collect ]; then
      [ ! -e refuse ] || { echo \"no disk answers\"; exit 2; }
      called=\"$*\"
      until [ \"$1\" = -o ]; do shift; done
      cp -r ${./examples/laptop/facts} \"$2\"
      chmod -R u+w \"$2\"
      echo \"$called\" >\"$2/called\"
    else
      exec BINARY \"$@\"
    fi
    END
    chmod +x $out/bin/disko-advise
  ''; }";

fn recorded() -> String {
    RECORDED.replace("BINARY", env!("CARGO_BIN_EXE_disko-advise"))
}

/// Runs a script of the system as systemd or NixOS would.
fn run(script: &str, args: &[&str], folder: &Path) -> Output {
    Command::new("bash")
        .args(["-euc", script, "script"])
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn a_switch_that_does_not_suit_the_machine_is_refused() {
    for hosts in Hosts::each("a_switch_that_does_not_suit_the_machine_is_refused") {
        let folder = tempfile::tempdir().unwrap();
        let look = |more: &str, booted: bool| {
            let modules = format!(
                "{LAPTOP} {MENDED} {} {{ disko.advise.preSwitchCheck.enable = true; }} {more}",
                recorded()
            );
            let text = "pkgs.writeText \"checks\" host.config.system.preSwitchChecks.disko-advise";
            let built = machine::output(&hosts.build(&modules, text).good());
            let fragment = std::fs::read_to_string(built).unwrap();
            // What NixOS runs is the fragment; of the program that it calls only the place where a
            // booted system shows is another here.
            let program = fragment.split(' ').next().unwrap();
            let program = std::fs::read_to_string(program.trim()).unwrap();
            let here = if booted {
                folder.path()
            } else {
                Path::new("/not/booted")
            };
            let program = program.replace("/run/booted-system", &here.display().to_string());
            let question = program
                .split("against=(")
                .nth(1)
                .and_then(|rest| rest.split(' ').next())
                .unwrap()
                .to_owned();
            (
                run(&program, &["/nix/store/system", "switch"], folder.path()),
                question,
            )
        };
        let (refused, question) = look("", true);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("warning[btrfs-enospc-unallocated]"), "{said}");
        // What is declared beside what is live, as the program itself tells it.
        let drift = Command::new(env!("CARGO_BIN_EXE_disko-advise"))
            .args(["drift", &question, "--facts", "examples/laptop/facts"])
            .current_dir(&hosts.nix.repository)
            .output()
            .unwrap();
        let drift = String::from_utf8(drift.stdout).unwrap();
        assert!(drift.lines().count() > 3, "{drift}");
        assert!(said.contains(&drift), "no\n{drift}\nin\n{said}");
        assert!(said.contains("NIXOS_NO_CHECK=1"), "{said}");

        // The layout alone has nothing wrong, and neither has the machine from an error on.
        let (passed, _) = look("{ disko.advise.preSwitchCheck.failOn = \"error\"; }", true);
        assert!(
            passed.status.success(),
            "{}",
            String::from_utf8_lossy(&passed.stderr)
        );
        let (installing, _) = look("", false);
        assert!(installing.status.success());

        std::fs::write(folder.path().join("refuse"), "").unwrap();
        let (unread, _) = look("", true);
        let said = String::from_utf8_lossy(&unread.stderr).into_owned();
        assert_eq!(unread.status.code(), Some(1), "{said}");
        assert!(said.contains("no disk answers"), "{said}");
        assert!(said.contains("could not be read"), "{said}");
    }
}

#[test]
fn the_service_keeps_the_last_two_bundles() {
    for hosts in Hosts::each("the_service_keeps_the_last_two_bundles") {
        let modules = format!(
            "{LAPTOP} {} {{ disko.advise.collect = {{ enable = true; duration = \"5s\"; interval = \"weekly\"; }}; }}",
            recorded()
        );
        let service = "host.config.systemd.services.disko-advise-collect";
        let built = hosts
            .build(&modules, &format!("pkgs.writeText \"script\" {service}.script"))
            .good();
        let script = std::fs::read_to_string(machine::output(&built)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let there = |name: &str| folder.path().join(name).exists();
        for previous in [false, true] {
            let output = run(&script, &[], folder.path());
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(there("bundle/facter.json") && !there("new"));
            assert_eq!(there("previous/facter.json"), previous);
        }
        let called = std::fs::read_to_string(folder.path().join("bundle/called")).unwrap();
        assert_eq!(called, "collect -o new --duration 5s\n");

        // One that fails leaves the last bundle.
        std::fs::write(folder.path().join("refuse"), "").unwrap();
        assert!(!run(&script, &[], folder.path()).status.success());
        assert!(there("bundle/facter.json"));

        let settings = hosts.json(
            &modules,
            &format!(
                "{{ inherit ({service}) serviceConfig; timer = host.config.systemd.timers.disko-advise-collect.timerConfig; \
                 directory = host.config.systemd.tmpfiles.settings.disko-advise; }}"
            ),
        );
        assert_eq!(settings["timer"]["OnCalendar"], "weekly");
        assert_eq!(
            settings["directory"]["/var/lib/disko-advise"]["d"]["mode"],
            "0700"
        );
        let service = settings["serviceConfig"].as_object().unwrap();
        assert_eq!(service["WorkingDirectory"], "/var/lib/disko-advise");
        // Inside a mount namespace /proc/mounts is not that of the machine.
        for setting in [
            "PrivateDevices",
            "PrivateMounts",
            "PrivateNetwork",
            "PrivateTmp",
            "ProtectControlGroups",
            "ProtectHome",
            "ProtectKernelLogs",
            "ProtectKernelModules",
            "ProtectKernelTunables",
            "ProtectProc",
            "ProtectSystem",
            "ReadOnlyPaths",
            "ReadWritePaths",
            "InaccessiblePaths",
            "DynamicUser",
        ] {
            assert!(!service.contains_key(setting), "{setting}");
        }
    }
}

/// The script that NixOS itself makes of the checks, and runs before it switches: its own module, where
/// `NIXOS_MODULES` has `system/activation/pre-switch-check.nix`.
#[test]
fn nixos_own_script_refuses_the_switch() {
    const TEST: &str = "nixos_own_script_refuses_the_switch";
    for hosts in Hosts::each(TEST) {
        let modules = format!(
            "{LAPTOP} {MENDED} {} {{ disko.advise.preSwitchCheck.enable = true; }}",
            recorded()
        );
        if hosts.json(&modules, "host.options.system ? preSwitchChecksScript") != true {
            machine::not_run(
                TEST,
                "set NIXOS_MODULES to a folder with nixpkgs' system/activation/pre-switch-check.nix",
            );
            continue;
        }
        let script = "pkgs.writeText \"script\" host.config.system.preSwitchChecksScript";
        let built = machine::output(&hosts.build(&modules, script).good());
        let script = std::fs::read_to_string(built).unwrap();
        let script = std::fs::read_to_string(script).unwrap();
        let live = script
            .split_whitespace()
            .find(|word| word.ends_with("-live"))
            .unwrap();
        // Of the program that it calls only the place where a booted system shows is another here.
        let folder = tempfile::tempdir().unwrap();
        let program = std::fs::read_to_string(live).unwrap();
        let here = folder.path().join("live");
        let booted = folder.path().display().to_string();
        std::fs::write(&here, program.replace("/run/booted-system", &booted)).unwrap();
        let script = script.replace(live, &format!("bash {}", here.display()));
        let refused = run(&script, &["/nix/store/system", "switch"], folder.path());
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("warning[btrfs-enospc-unallocated]"), "{said}");
        assert!(said.contains("Pre-switch check 'disko-advise' failed"), "{said}");
    }
}

/// The same with nothing in the program's place: it asks this machine, whatever that is.
#[test]
fn this_machine_is_looked_at_before_a_switch() {
    for hosts in Hosts::each("this_machine_is_looked_at_before_a_switch") {
        let modules = format!("{LAPTOP} {MENDED} {{ disko.advise.preSwitchCheck.enable = true; }}");
        let text = "pkgs.writeText \"checks\" host.config.system.preSwitchChecks.disko-advise";
        let built = machine::output(&hosts.build(&modules, text).good());
        let fragment = std::fs::read_to_string(built).unwrap();
        let program = std::fs::read_to_string(fragment.split(' ').next().unwrap().trim()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let program = program.replace("/run/booted-system", &folder.path().display().to_string());
        let looked = run(&program, &["/nix/store/system", "switch"], folder.path());
        let said = String::from_utf8_lossy(&looked.stderr).into_owned();
        // The laptop's layout suits this machine, or it is told why not.
        if !looked.status.success() {
            assert!(said.contains("does not suit this machine"), "{said}");
            assert!(said.contains("warning[") || said.contains("error["), "{said}");
        }
    }
}
