//! Edits of layouts written in many ways: the diff, and that asking again is silent.
//!
//! Each edit has been proven when it gets here: the configuration was evaluated again, and only
//! the intended options had changed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what did not run"
)]

use std::path::Path;

use disko_advise::emit::{EditOutcome, unified};
use disko_advise::source::{Files, MemoryWorld};
use disko_advise::{Advice, Evaluation, Question, advise};
use expect_test::{Expect, expect};

fn ask(files: &[(String, String)]) -> Advice {
    let mut world = MemoryWorld::new();
    for (name, text) in files {
        world.insert(format!("/etc/nixos/{name}"), text);
    }
    let evaluation = Evaluation::default();
    advise(Question {
        files: Files::below("/etc/nixos"),
        ..Question::new(&world, Path::new("/etc/nixos/disko.nix"), &evaluation)
    })
}

/// The diff of what is advised for these files, and what was left out.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &Expect) {
    let mut files: Vec<(String, String)> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let advice = ask(&files);
    let mut shown = String::new();
    for (name, text) in &mut files {
        if let Some(new) = advice.edits.texts.get(&**name) {
            let diff = unified(name, text, new);
            shown.push_str(
                diff.split_once("@@")
                    .map_or("", |(_, hunks)| hunks.trim_start_matches(|c| c != '\n'))
                    .trim_start_matches('\n'),
            );
            new.clone_into(text);
        }
    }
    let mut dropped = Vec::new();
    for (number, outcome) in &advice.edits.outcomes {
        if let EditOutcome::Dropped(reason) = outcome {
            let found = &advice.judgement.findings[*number];
            shown.push_str(&format!("left out {}: {reason}\n", found.rule.id));
            dropped.push(found.rule.id);
        }
    }
    expected.assert_eq(&shown);
    for again in ask(&files).judgement.findings {
        let edited = again
            .finding
            .changes
            .iter()
            .any(|it| matches!(it, disko_advise::rules::Change::Layout(_)));
        assert!(
            !edited || dropped.contains(&again.rule.id),
            "{} again: {}",
            again.rule.id,
            again.finding.message
        );
    }
}

/// A layout of one disk with btrfs on it.
fn on_one_disk(subvolumes: &str) -> String {
    format!(
        "disko.devices.disk.main = {{\n  type = \"disk\";\n  device = \"/dev/nvme0n1\";\n  content = {{\n    \
         type = \"btrfs\";\n    subvolumes = {subvolumes};\n  }};\n}};"
    )
}

#[test]
fn a_literal_list_on_one_line() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; mountOptions = [ "noatime" ]; };
      "/home" = { mountpoint = "/home"; mountOptions = [ "compress=zstd" ]; };
    }"#,
    );
    check(
        &[("disko.nix", &format!("{{ {layout} }}"))],
        &expect![[r#"
           content = {
             type = "btrfs";
             subvolumes = {
        -      "/root" = { mountpoint = "/"; mountOptions = [ "noatime" ]; };
        +      "/root" = { mountpoint = "/"; mountOptions = [ "noatime" "compress=zstd" ]; };
               "/home" = { mountpoint = "/home"; mountOptions = [ "compress=zstd" ]; };
             };
           };
    "#]],
    );
}

#[test]
fn a_literal_list_of_several_lines_with_comments() {
    let layout = on_one_disk(
        r#"{
      "/root" = {
        mountpoint = "/";
        mountOptions = [
          # fewer writes
          "noatime" # see the wiki
        ];
      };
      "/home" = {
        mountpoint = "/home";
        mountOptions = [ "compress=zstd" ];
      };
    }"#,
    );
    check(
        &[("disko.nix", &format!("{{ {layout} }}"))],
        &expect![[r#"
                 mountOptions = [
                   # fewer writes
                   "noatime" # see the wiki
        +          "compress=zstd"
                 ];
               };
               "/home" = {
    "#]],
    );
}

#[test]
fn a_list_in_a_let_that_all_want_changed() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; mountOptions = options; };
      "/home" = { mountpoint = "/home"; mountOptions = options; };
      "/nix" = { mountpoint = "/nix"; mountOptions = options; };
    }"#,
    );
    let text = format!("let\n  options = [ \"compress=zstd:15\" \"noatime\" ];\nin\n{{ {layout} }}");
    check(
        &[("disko.nix", &text)],
        &expect![[r#"
         let
        -  options = [ "compress=zstd:15" "noatime" ];
        +  options = [ "compress=zstd:3" "noatime" ];
         in
         { disko.devices.disk.main = {
           type = "disk";
    "#]],
    );
}

#[test]
fn a_list_in_a_let_that_only_one_wants_changed() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; mountOptions = quiet; };
      "/home" = { mountpoint = "/home"; mountOptions = quiet ++ [ "compress=zstd" ]; };
      "/nix" = { mountpoint = "/nix"; mountOptions = quiet; };
    }"#,
    );
    let text = format!("let\n  quiet = [ \"noatime\" ];\nin\n{{ {layout} }}");
    check(
        &[("disko.nix", &text)],
        &expect![[r#"
           content = {
             type = "btrfs";
             subvolumes = {
        -      "/root" = { mountpoint = "/"; mountOptions = quiet; };
        +      "/root" = { mountpoint = "/"; mountOptions = quiet ++ [ "compress=zstd" ]; };
               "/home" = { mountpoint = "/home"; mountOptions = quiet ++ [ "compress=zstd" ]; };
               "/nix" = { mountpoint = "/nix"; mountOptions = quiet; };
             };
    "#]],
    );
}

#[test]
fn the_default_of_an_argument() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; mountOptions = flags; };
      "/home" = { mountpoint = "/home"; mountOptions = flags; };
    }"#,
    );
    let text = format!("{{ flags ? [ \"compress=zstd:12\" ], ... }}:\n{{ {layout} }}");
    check(
        &[("disko.nix", &text)],
        &expect![[r#"
        -{ flags ? [ "compress=zstd:12" ], ... }:
        +{ flags ? [ "compress=zstd:3" ], ... }:
         { disko.devices.disk.main = {
           type = "disk";
           device = "/dev/nvme0n1";
    "#]],
    );
}

#[test]
fn an_element_made_by_map() {
    let text = r#"{
  disko.devices.disk = builtins.listToAttrs (map (name: {
    inherit name;
    value = {
      type = "disk";
      device = "/dev/${name}";
      content = {
        type = "btrfs";
        mountpoint = "/srv/${name}";
        mountOptions = [ "nodatacow" "noatime" ];
      };
    };
  }) [ "nvme0n1" "nvme1n1" ]);
}
"#;
    check(
        &[("disko.nix", text)],
        &expect![[r#"
               content = {
                 type = "btrfs";
                 mountpoint = "/srv/${name}";
        -        mountOptions = [ "nodatacow" "noatime" ];
        +        mountOptions = [ "noatime" ];
               };
             };
           }) [ "nvme0n1" "nvme1n1" ]);
    "#]],
    );
}

#[test]
fn subvolumes_made_by_gen_attrs() {
    let layout = on_one_disk(
        r#"lib.genAttrs [ "home" "nix" "srv" ] (name: {
      mountpoint = "/${name}";
      mountOptions = [ "compress-force=zstd:15" ];
    }) // { root.mountpoint = "/"; }"#,
    );
    check(
        &[("disko.nix", &format!("{{ lib, ... }}:\n{{ {layout} }}"))],
        &expect![[r#"
                 type = "btrfs";
                 subvolumes = lib.genAttrs [ "home" "nix" "srv" ] (name: {
                   mountpoint = "/${name}";
            -      mountOptions = [ "compress-force=zstd:15" ];
            -    }) // { root.mountpoint = "/"; };
            +      mountOptions = [ "compress=zstd:3" ];
            +    }) // { root.mountpoint = "/"; root.mountOptions = [ "compress=zstd:3" ]; };
               };
             }; }
            \ No newline at end of file
        "#]],
    );
}

#[test]
fn a_set_made_by_a_function_is_updated_where_it_is_used() {
    let layout = on_one_disk(
        r#"{
      "/root" = at "/";
      "/home" = at "/home" // { mountOptions = [ "compress=zstd" ]; };
      "/nix" = at "/nix";
    }"#,
    );
    let text = format!("let\n  at = mountpoint: {{ inherit mountpoint; }};\nin\n{{ {layout} }}");
    check(
        &[("disko.nix", &text)],
        &expect![[r#"
           content = {
             type = "btrfs";
             subvolumes = {
        -      "/root" = at "/";
        +      "/root" = at "/" // { mountOptions = [ "compress=zstd" ]; };
               "/home" = at "/home" // { mountOptions = [ "compress=zstd" ]; };
               "/nix" = at "/nix";
             };
    "#]],
    );
}

#[test]
fn dotted_bindings_get_a_dotted_sibling() {
    let layout = on_one_disk(
        r#"{
      "/root".mountpoint = "/";
      "/home".mountpoint = "/home";
      "/home".mountOptions = [ "compress=zstd" ];
    }"#,
    );
    check(
        &[("disko.nix", &format!("{{ {layout} }}"))],
        &expect![[r#"
             type = "btrfs";
             subvolumes = {
               "/root".mountpoint = "/";
        +      "/root".mountOptions = [ "compress=zstd" ];
               "/home".mountpoint = "/home";
               "/home".mountOptions = [ "compress=zstd" ];
             };
    "#]],
    );
}

#[test]
fn a_list_with_a_priority() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; mountOptions = lib.mkDefault [ "noatime" ]; };
      "/home" = { mountpoint = "/home"; mountOptions = lib.mkForce [ "compress=zstd" ]; };
    }"#,
    );
    check(
        &[("disko.nix", &format!("{{ lib, ... }}: {{ {layout} }}"))],
        &expect![[r#"
               content = {
                 type = "btrfs";
                 subvolumes = {
            -      "/root" = { mountpoint = "/"; mountOptions = lib.mkDefault [ "noatime" ]; };
            +      "/root" = { mountpoint = "/"; mountOptions = lib.mkDefault [ "noatime" "compress=zstd" ]; };
                   "/home" = { mountpoint = "/home"; mountOptions = lib.mkForce [ "compress=zstd" ]; };
                 };
               };
        "#]],
    );
}

#[test]
fn options_in_an_imported_file() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; mountOptions = import ./options.nix; };
      "/home" = { mountpoint = "/home"; mountOptions = import ./options.nix; };
    }"#,
    );
    let files = [
        ("disko.nix", &*format!("{{ {layout} }}")),
        ("options.nix", "[ \"noatime\" \"compress=zstd:10\" ]\n"),
    ];
    check(
        &files,
        &expect![[r#"
        -[ "noatime" "compress=zstd:10" ]
        +[ "noatime" "compress=zstd:3" ]
    "#]],
    );
}

#[test]
fn options_joined_by_commas() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; mountOptions = [ "noatime,compress=zstd:15,nodatasum" ]; };
    }"#,
    );
    check(
        &[("disko.nix", &format!("{{ {layout} }}"))],
        &expect![[r#"
           content = {
             type = "btrfs";
             subvolumes = {
        -      "/root" = { mountpoint = "/"; mountOptions = [ "noatime,compress=zstd:15,nodatasum" ]; };
        +      "/root" = { mountpoint = "/"; mountOptions = [ "noatime,compress=zstd:3" ]; };
             };
           };
         }; }
        \ No newline at end of file
    "#]],
    );
}

#[test]
fn a_shared_text_that_cannot_be_changed_for_one_alone_is_left_alone() {
    // The options of both filesystems come from one text, and only one of them has a subvolume
    // that asks for compression.
    let text = r#"{
  disko.devices.disk = builtins.mapAttrs (name: more: {
    type = "disk";
    device = "/dev/${name}";
    content = {
      type = "btrfs";
      subvolumes = {
        "/top".mountpoint = "/srv/${name}";
      } // more;
    };
  }) {
    nvme0n1 = { "/in".mountpoint = "/srv/nvme0n1/in"; "/in".mountOptions = [ "compress=zstd" ]; };
    nvme1n1 = { };
  };
}
"#;
    check(
        &[("disko.nix", text)],
        &expect![[r#"
        left out btrfs-compress-missing-on-root: no place was found where `disko.devices.disk.nvme0n1.content.subvolumes."/top".mountOptions` can be changed without changing anything else
    "#]],
    );
}

#[test]
fn an_encrypted_disk_gets_its_setting() {
    let text = r#"{
  disko.devices.disk.main = {
    type = "disk";
    device = "/dev/nvme0n1";
    content = {
      type = "luks";
      name = "crypted"; # opened in the initrd
      content = {
        type = "btrfs";
        mountpoint = "/";
        mountOptions = [ "compress=zstd" "noatime" ];
      };
    };
  };
}
"#;
    check(
        &[("disko.nix", text)],
        &expect![[r#"
             content = {
               type = "luks";
               name = "crypted"; # opened in the initrd
        +      settings.allowDiscards = true;
               content = {
                 type = "btrfs";
                 mountpoint = "/";
    "#]],
    );
}

#[test]
fn a_disk_whose_name_is_not_known_is_judged_and_edited_all_the_same() {
    let text = r#"{ config, ... }:
{
  disko.devices.disk.${config.system.mainDisk} = {
    type = "disk";
    device = config.system.mainDisk;
    content = {
      type = "btrfs";
      mountpoint = "/";
      subvolumes."/home" = { mountpoint = "/home"; mountOptions = [ "compress=zstd" ]; };
    };
  };
}
"#;
    check(
        &[("disko.nix", text)],
        &expect![[r#"
             content = {
               type = "btrfs";
               mountpoint = "/";
        +      mountOptions = [ "compress=zstd" ];
               subvolumes."/home" = { mountpoint = "/home"; mountOptions = [ "compress=zstd" ]; };
             };
           };
    "#]],
    );
}

#[test]
fn an_option_that_file_systems_adds_beside_the_layout_counts() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; };
      "/home" = { mountpoint = "/home"; mountOptions = [ "compress=zstd" ]; };
    }"#,
    );
    let text = format!("{{ {layout}\nfileSystems.\"/\".options = [ \"compress=zstd\" ]; }}");
    check(&[("disko.nix", &text)], &expect![[""]]);
}

/// Found by fuzzing: what is evaluated are bytes, what is shown is text.
#[test]
fn a_file_that_is_not_utf_8_is_judged_shown_and_not_edited() {
    let layout = on_one_disk(
        r#"{
      "/root" = { mountpoint = "/"; };
      "/home" = { mountpoint = "/home"; mountOptions = [ "compress=zstd" ]; };
    }"#,
    );
    let mut bytes = vec![b'#'];
    bytes.extend([0xff; 100]);
    bytes.extend(format!("\n{{ {layout} }}").as_bytes());
    let world = MemoryWorld::new().with("/etc/nixos/disko.nix", &bytes);
    let evaluation = Evaluation::default();
    let advice = advise(Question::new(
        &world,
        Path::new("/etc/nixos/disko.nix"),
        &evaluation,
    ));
    assert_eq!(advice.judgement.findings.len(), 1);
    let look = disko_advise::emit::Look {
        colour: false,
        width: 80,
    };
    let shown = disko_advise::emit::text(&advice.files, &advice.judgement, &advice.edits, &[], look);
    assert!(shown.contains("to be changed by hand"), "{shown}");
    assert!(advice.edits.texts.is_empty());
}

/// Two findings about one list: each shows what it changes itself.
#[test]
fn a_finding_shows_its_own_part_of_a_list() {
    let subvolumes = "let base = [ \"noatime\" \"space_cache=v2\" ]; in {\n      \"/root\" = { mountpoint = \"/\"; mountOptions \
                      = base; };\n      \"/nix\" = { mountpoint = \"/nix\"; mountOptions = base ++ [ \
                      \"nodatacow\" ]; };\n    }";
    let layout = format!("{{ {} }}", on_one_disk(subvolumes));
    check(
        &[("disko.nix", &layout)],
        &expect![[r#"
           device = "/dev/nvme0n1";
           content = {
             type = "btrfs";
        -    subvolumes = let base = [ "noatime" "space_cache=v2" ]; in {
        +    subvolumes = let base = [ "noatime" ]; in {
               "/root" = { mountpoint = "/"; mountOptions = base; };
        -      "/nix" = { mountpoint = "/nix"; mountOptions = base ++ [ "nodatacow" ]; };
        +      "/nix" = { mountpoint = "/nix"; mountOptions = base; };
             };
           };
         }; }
        \ No newline at end of file
    "#]],
    );
    let advice = ask(&[("disko.nix".to_owned(), layout.clone())]);
    let mut shown = String::new();
    for (number, outcome) in &advice.edits.outcomes {
        let EditOutcome::Proven(edits) = outcome else {
            continue;
        };
        shown.push_str(advice.judgement.findings[*number].rule.id);
        shown.push('\n');
        for edit in edits {
            let removed = &layout[edit.span.range()];
            shown.push_str(&format!("  {removed:?} becomes {:?}\n", edit.text));
        }
    }
    expect![[r#"
        btrfs-nocow-never-global
          " ++ [ \"nodatacow\" ]" becomes ""
        btrfs-drop-legacy-options
          " \"space_cache=v2\"" becomes ""
    "#]]
    .assert_eq(&shown);
}
