//! Files and folders that Nix copies into its store: the paths they would have there.
//!
//! Nothing is copied. What Nix hashes is the archive of a file or folder, whose format is in the
//! Nix manual, "Nix Archive (NAR) format",
//! <https://nix.dev/manual/nix/latest/protocols/nix-archive>.

use std::rc::Rc;
use std::sync::Arc;

use sha2::Digest;
use source::{Entry, Unknown};

use super::derivation::{check_name, store_path, with_context};
use super::{Builtin, builtin, string};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, bytes_path, internal};
use crate::hash::{self, Algorithm};
use crate::paths;
use crate::value::{Context, Made, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("filterSource", 2, 0b10, filter_source),
    builtin("path", 1, 0b1, path),
];

/// How many links after one another are followed.
const LINKS: usize = 40;

/// The archive of a file or folder, hashed while it is read.
struct Archive<'e, 'w> {
    ev: &'e Evaluator<'w>,
    filter: Option<&'e Value>,
    made: Made,
    digest: sha2::Sha256,
    /// How many bytes of files may still be read.
    left: usize,
    /// The path that is copied, for messages.
    root: &'e [u8],
}

impl Archive<'_, '_> {
    fn text(&mut self, bytes: &[u8]) {
        self.digest.update((bytes.len() as u64).to_le_bytes());
        self.digest.update(bytes);
        let padding = bytes.len().next_multiple_of(8) - bytes.len();
        self.digest.update([0u8; 8].get(..padding).unwrap_or_default());
    }

    fn texts(&mut self, texts: &[&str]) {
        for text in texts {
            self.text(text.as_bytes());
        }
    }

    fn file(&mut self, path: &[u8]) -> Result<Arc<[u8]>> {
        let bytes = self.ev.read_bytes(path)?;
        match self.left.checked_sub(bytes.len()) {
            Some(left) => self.left = left,
            None => {
                return Err(unknown(
                    self.ev,
                    self.root,
                    ", but it is too large to be read",
                    self.made,
                ));
            }
        }
        Ok(bytes)
    }

    fn node(&mut self, path: &[u8], entry: Entry) -> Result<()> {
        self.texts(&["(", "type"]);
        match entry {
            Entry::File { executable } => {
                self.text(b"regular");
                if executable {
                    self.texts(&["executable", ""]);
                }
                self.text(b"contents");
                let bytes = self.file(path)?;
                self.text(&bytes);
            }
            Entry::Link(target) => {
                self.texts(&["symlink", "target"]);
                self.text(target.as_os_str().as_encoded_bytes());
            }
            Entry::Directory => {
                self.text(b"directory");
                let ev = self.ev;
                for (name, _) in ev.list_folder(path)? {
                    let below = [path, b"/", name.as_bytes()].concat();
                    let below = paths::canonical(&below);
                    let entry = look(ev, self.root, &below, self.made)?;
                    if !self.wanted(&below, &entry)? {
                        continue;
                    }
                    self.texts(&["entry", "(", "name"]);
                    self.text(name.as_bytes());
                    self.text(b"node");
                    ev.deeper(|| self.node(&below, entry))?;
                    self.text(b")");
                }
            }
            Entry::Other => {
                return Err(self.ev.other_error(format!(
                    "file '{}' has an unsupported type",
                    String::from_utf8_lossy(path)
                )));
            }
        }
        self.text(b")");
        Ok(())
    }

    fn wanted(&self, path: &[u8], entry: &Entry) -> Result<bool> {
        let Some(filter) = self.filter else {
            return Ok(true);
        };
        let kind = match entry {
            Entry::File { .. } => "regular",
            Entry::Directory => "directory",
            Entry::Link(_) => "symlink",
            Entry::Other => "unknown",
        };
        let args = [string(path, self.made), string(kind.as_bytes(), self.made)];
        let verdict = self.ev.apply(filter, &args, self.made)?;
        self.ev.want_bool(&verdict)
    }
}

fn unknown(ev: &Evaluator<'_>, path: &[u8], why: &str, made: Made) -> Error {
    Error::unknown(Rc::new(Unknown {
        name: format!("${{{}}}", String::from_utf8_lossy(path)).into(),
        because: format!("the path would be copied into the store{why}").into(),
        span: ev.span_at(made.position()),
    }))
}

/// What stands at a path that is to be copied, or below one.
fn look(ev: &Evaluator<'_>, root: &[u8], path: &[u8], made: Made) -> Result<Entry> {
    match ev.world.entry(&bytes_path(path)) {
        Ok(Some(entry)) => Ok(entry),
        Ok(None) => Err(Error::new(
            ErrorKind::World,
            format!("path '{}' does not exist", String::from_utf8_lossy(path)),
        )),
        Err(error) => Err(unknown(ev, root, &format!(", but {error}"), made)),
    }
}

/// A name for the store: the last component of a path.
fn base_name(path: &[u8]) -> String {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

/// How a path is to be added.
struct Copy<'e> {
    name: String,
    filter: Option<&'e Value>,
    /// The archive is hashed, not the contents of a file alone.
    recursive: bool,
}

impl Evaluator<'_> {
    /// The store path that a file or folder would be copied to.
    pub(crate) fn copied(&self, path: &[u8], made: Made) -> Result<Arc<str>> {
        if let Some(known) = self.sources.borrow().get(path) {
            return Ok(known.clone());
        }
        if !self.options.hash_sources {
            return Err(unknown(self, path, "", made));
        }
        if path.ends_with(b".drv") {
            return Err(self.other_error("file names are not allowed to end in '.drv'"));
        }
        let entry = look(self, path, path, made)?;
        let copy = Copy {
            name: base_name(path),
            filter: None,
            recursive: true,
        };
        let found: Arc<str> = add(self, path, entry, &copy, made)?.into();
        self.sources.borrow_mut().insert(path.to_vec(), found.clone());
        Ok(found)
    }
}

/// The path in the store of what is added.
fn add(ev: &Evaluator<'_>, path: &[u8], entry: Entry, copy: &Copy<'_>, made: Made) -> Result<String> {
    check_name(ev, &copy.name)?;
    let mut archive = Archive {
        ev,
        filter: copy.filter,
        made,
        digest: sha2::Sha256::new(),
        left: ev.options.limits.file,
        root: path,
    };
    if copy.recursive {
        archive.text(b"nix-archive-1");
        archive.node(path, entry)?;
        return Ok(fixed(true, &archive.digest.finalize(), &copy.name));
    }
    match entry {
        Entry::File { .. } => {
            let digest = Algorithm::Sha256.digest(&archive.file(path)?);
            Ok(fixed(false, &digest, &copy.name))
        }
        _ => Err(ev.other_error(format!(
            "path '{}' is not a regular file, which the flat hash is of",
            String::from_utf8_lossy(path)
        ))),
    }
}

/// The store path of what has a SHA-256 hash: of its archive, or of its contents alone.
fn fixed(recursive: bool, digest: &[u8], name: &str) -> String {
    if recursive {
        return store_path("source", digest, name);
    }
    let text = format!("fixed:out:sha256:{}:", hash::hex(digest));
    store_path("output:out", &Algorithm::Sha256.digest(text.as_bytes()), name)
}

/// What a path names in the end, and where that is.
fn follow(ev: &Evaluator<'_>, path: &[u8], made: Made) -> Result<(Vec<u8>, Entry)> {
    let mut at = path.to_vec();
    for _ in 0..LINKS {
        match look(ev, path, &at, made)? {
            Entry::Link(target) => {
                let target = target.as_os_str().as_encoded_bytes();
                at = if target.starts_with(b"/") {
                    paths::canonical(target)
                } else {
                    paths::canonical(&[crate::files::parent(&at), b"/", target].concat())
                };
            }
            entry => return Ok((at, entry)),
        }
    }
    Err(ev.other_error(format!(
        "too many symbolic links at '{}'",
        String::from_utf8_lossy(path)
    )))
}

fn filter_source(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [filter, source] = args else {
        return Err(internal());
    };
    let path = super::misc::path(ev, source)?;
    let filter = ev.want_function(filter)?;
    let copy = Copy {
        name: base_name(&path),
        filter: Some(&filter),
        recursive: true,
    };
    source_value(ev, &path, &copy, None, made)
}

fn source_value(
    ev: &Evaluator<'_>,
    path: &[u8],
    copy: &Copy<'_>,
    expected: Option<&[u8]>,
    made: Made,
) -> Result<Value> {
    if !ev.options.hash_sources {
        return Err(unknown(ev, path, "", made));
    }
    let (target, entry) = follow(ev, path, made)?;
    let found = add(ev, &target, entry, copy, made)?;
    if expected.is_some_and(|digest| fixed(copy.recursive, digest, &copy.name) != found) {
        return Err(ev.other_error(format!(
            "store path mismatch in (possibly filtered) path added from '{}'",
            String::from_utf8_lossy(path)
        )));
    }
    Ok(with_context(&found, Context::Path(found.as_str().into()), made))
}

fn path(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [argument] = args else { return Err(internal()) };
    let attrs = ev.want_attrs(argument)?;
    let (mut path, mut name, mut filter, mut recursive, mut expected) = (None, None, None, true, None);
    for entry in attrs.entries() {
        match &*ev.symbols.name(entry.name) {
            "path" => path = Some(super::misc::path(ev, &entry.value)?),
            "name" => name = Some(ev.want_plain_string(&entry.value)?.lossy().into_owned()),
            "filter" => filter = Some(ev.want_function(&entry.value)?),
            "recursive" => recursive = ev.want_bool(&entry.value)?,
            "sha256" => {
                let text = ev.want_plain_string(&entry.value)?.lossy().into_owned();
                let parsed = hash::parse(&text, Some("sha256"));
                expected = Some(parsed.map_err(|why| ev.other_error(why))?.1);
            }
            other => {
                return Err(ev.other_error(format!("unsupported argument '{other}' to 'builtins.path'")));
            }
        }
    }
    let Some(path) = path else {
        if let Some(open) = &attrs.open {
            return Err(Error::unknown(open.clone()));
        }
        return Err(ev.other_error("missing required 'path' attribute in the argument of 'builtins.path'"));
    };
    let copy = Copy {
        name: name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| base_name(&path)),
        filter: filter.as_ref(),
        recursive,
    };
    source_value(ev, &path, &copy, expected.as_deref(), made)
}
