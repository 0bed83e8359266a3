//! Option paths as NixOS writes them.

use std::fmt;
use std::sync::Arc;

/// The path of an option or of a value below one, such as
/// `disko.devices.disk.main.content.partitions.root.content.subvolumes."/nix"`.
///
/// A segment that is not an identifier is quoted when shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct OptionPath(Arc<[Arc<str>]>);

impl OptionPath {
    /// A path of these segments.
    pub fn new<S: Into<Arc<str>>>(segments: impl IntoIterator<Item = S>) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }

    /// This path and one segment more.
    pub fn join(&self, segment: &str) -> Self {
        Self(self.0.iter().cloned().chain([Arc::from(segment)]).collect())
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> &[Arc<str>] {
        &self.0
    }

    /// The path without its last segment; the empty path of itself.
    pub fn parent(&self) -> Self {
        let keep = self.0.len().saturating_sub(1);
        Self(self.0.iter().take(keep).cloned().collect())
    }

    /// Whether `self` is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &OptionPath) -> bool {
        self.0.len() >= prefix.0.len() && self.0.iter().zip(prefix.0.iter()).all(|(a, b)| a == b)
    }
}

impl fmt::Display for OptionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if is_identifier(segment) {
                f.write_str(segment)?;
            } else {
                let escaped = segment
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace("${", "\\${");
                write!(f, "\"{escaped}\"")?;
            }
        }
        Ok(())
    }
}

fn is_identifier(segment: &str) -> bool {
    const KEYWORDS: [&str; 10] = [
        "if", "then", "else", "assert", "with", "let", "in", "rec", "inherit", "or",
    ];
    let mut chars = segment.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '\''))
        && !KEYWORDS.contains(&segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_quoted_where_nix_needs_it() {
        let path = OptionPath::new(["fileSystems", "/nix", "options"]);
        assert_eq!(path.to_string(), "fileSystems.\"/nix\".options");
        assert_eq!(
            OptionPath::new(["a", "in", "b\"${"]).to_string(),
            "a.\"in\".\"b\\\"\\${\""
        );
    }
}
