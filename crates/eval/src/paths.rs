//! Paths by their letters.

/// An absolute path without `.`, `..`, doubled or trailing slashes. `..` of the root is the root.
pub(crate) fn canonical(path: &[u8]) -> Vec<u8> {
    let mut clean: Vec<&[u8]> = Vec::new();
    for component in path.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    if clean.is_empty() {
        return b"/".to_vec();
    }
    let mut out = Vec::with_capacity(path.len());
    for component in clean {
        out.push(b'/');
        out.extend_from_slice(component);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn dots_and_slashes_go() {
        assert_eq!(canonical(b"/a/./b//../c/"), b"/a/c");
        assert_eq!(canonical(b"/../.."), b"/");
    }
}
