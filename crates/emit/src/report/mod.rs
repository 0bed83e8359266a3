//! Reports: the same findings for people and for programs.

use rules::ListEdit;
use source::OptionPath;

pub mod drift;
pub mod facts;
pub mod github;
pub mod gitlab;
pub mod json;
mod observed;
pub mod provenance;
pub mod sarif;
pub mod text;

/// One change of a list of options, as a person would say it.
fn in_words(list: &OptionPath, edit: &ListEdit) -> String {
    match edit {
        ListEdit::Add(option) => format!("add \"{option}\" to {list}"),
        ListEdit::Remove(option) => format!("remove \"{option}\" from {list}"),
        ListEdit::Once(option) => format!("leave \"{option}\" once in {list}"),
        ListEdit::Replace { option, with } => format!("put \"{with}\" in place of \"{option}\" in {list}"),
    }
}
