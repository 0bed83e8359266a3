//! Unified diffs that `patch -p1` and `git apply` take.

use similar::TextDiff;

/// The unified diff from `old` to `new`, with `a/` and `b/` before `path`; empty when they are equal.
///
/// `path` must be relative to the folder in which the diff is to be applied.
pub fn unified(path: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_line_break_at_the_end_is_said() {
        let diff = unified("disko.nix", "a\nb", "a\nc");
        assert_eq!(
            diff,
            "--- a/disko.nix\n+++ b/disko.nix\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
        );
    }
}
