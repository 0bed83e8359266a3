//! The generated NixOS module: what is to be set outside the layout, with a reason a line.

use std::collections::BTreeMap;

use rules::{Change, Judgement, NixosSetting};
use serde_json::Value;

use crate::edit::nix_literal;

/// A scalar is set at this priority: it beats NixOS's own `mkDefault` (1000), loses to whatever the
/// person writes plainly (100), and collides with neither.
const PRIORITY: u32 = 900;

/// The text of a NixOS module with every setting that the findings ask for, each option once.
///
/// Of two findings that give one option different values the more important one wins.
/// A list is defined plainly, because a list at a weaker priority is dropped as soon as anyone else,
/// NixOS included, defines the option. The text is what `nixpkgs-fmt` makes of it.
/// `None` when there is nothing to set.
pub fn module(judgement: &Judgement) -> Option<String> {
    let mut settings: BTreeMap<_, (&str, &NixosSetting)> = BTreeMap::new();
    for outcome in &judgement.findings {
        for change in &outcome.finding.changes {
            if let Change::Nixos(setting) = change {
                settings
                    .entry(&setting.option)
                    .or_insert((outcome.rule.id, setting));
            }
        }
    }
    if settings.is_empty() {
        return None;
    }
    let mut text = String::from(
        "# Storage tuning proposed by disko-advise.\n\
         # Whatever you set yourself wins over what is set here; removing the import takes it all back.\n",
    );
    let needs_lib = settings.values().any(|(_, setting)| !setting.value.is_array());
    text.push_str(if needs_lib {
        "{ lib, ... }:\n{\n"
    } else {
        "{ ... }:\n{\n"
    });
    for (position, (option, (rule, setting))) in settings.into_iter().enumerate() {
        if position > 0 {
            text.push('\n');
        }
        text.push_str(&format!("  # {rule}: {}\n", setting.reason));
        let value = match &setting.value {
            Value::Array(_) => nix_literal(&setting.value),
            scalar => format!("lib.mkOverride {PRIORITY} {}", argument(scalar)),
        };
        text.push_str(&format!("  {option} = {value};\n"));
    }
    text.push_str("}\n");
    Some(nixpkgs_fmt::reformat_string(&text))
}

/// A literal as a function's argument.
fn argument(value: &Value) -> String {
    let literal = nix_literal(value);
    if literal.starts_with('-') {
        format!("({literal})")
    } else {
        literal
    }
}
