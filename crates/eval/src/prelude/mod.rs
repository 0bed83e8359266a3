//! `lib` for those who have no nixpkgs at hand: our own, in Nix, and open.

use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result};
use crate::frames::Frame;
use crate::value::{Env, Value};

/// What the files of the built-in library are called in reports.
const FOLDER: &str = "<lib>/";

const INDEX: &str = include_str!("lib.nix");

const PARTS: &[(&str, &str)] = &[
    ("attrsets", include_str!("attrsets.nix")),
    ("lists", include_str!("lists.nix")),
    ("modules", include_str!("modules.nix")),
    ("strings", include_str!("strings.nix")),
    ("trivial", include_str!("trivial.nix")),
    ("types", include_str!("types.nix")),
];

/// The sets of functions inside `lib`.
const NAMESPACES: &[&str] = &[
    "asserts",
    "attrsets",
    "debug",
    "fixedPoints",
    "generators",
    "lists",
    "modules",
    "options",
    "strings",
    "trivial",
    "types",
    "versions",
];

const BECAUSE: &str = "not in the built-in library; name a nixpkgs `lib` to have all of it";

/// Whether a file, by the path that reports show, is part of the built-in library.
/// Nobody can edit it, so no advice may point there.
pub fn is_builtin_file(path: &str) -> bool {
    path.starts_with(FOLDER)
}

impl Evaluator<'_> {
    /// The built-in `lib`: what layouts use of nixpkgs' library, with the same results.
    ///
    /// It is open: a function that it lacks is the unknown `lib.NAME`.
    ///
    /// # Errors
    /// Only when a limit is met.
    pub fn builtin_lib(&self) -> Result<Value> {
        let part = self.native("part", 1, |evaluator, args| {
            let name = match args.first() {
                Some(name) => evaluator.string(name)?,
                None => String::new(),
            };
            match PARTS.iter().find(|(known, _)| *known == name) {
                Some((name, text)) => evaluator.builtin_file(&format!("{FOLDER}{name}.nix"), text),
                None => Err(Error::new(
                    ErrorKind::Missing,
                    format!("no part `{name}` of the library"),
                )),
            }
        });
        let index = self.builtin_file(&format!("{FOLDER}lib.nix"), INDEX)?;
        let lib = self.call(&index, part)?;
        self.opened_lib(&lib, BECAUSE)
    }

    fn builtin_file(&self, name: &str, text: &str) -> Result<Value> {
        let file = self.files.add(name, text);
        let (code, root) = self.load(file, text.as_bytes(), b"/", None)?;
        self.top(|| self.eval(&code, root, &Env::empty(None, Frame::ENTRY, 0)))
    }

    /// A library whose missing functions, on the outermost level and in the namespaces, are unknowns.
    pub(crate) fn opened_lib(&self, lib: &Value, because: &'static str) -> Result<Value> {
        let open = |name: &str| source::Unknown {
            name: name.into(),
            because: because.into(),
            span: None,
        };
        let mut attrs = self.attrs(lib)?;
        for attr in &mut attrs {
            if NAMESPACES.contains(&&*attr.name) {
                let (namespace, unknown) = (attr.value.clone(), open(&format!("lib.{}", attr.name)));
                attr.value = self.lazy(move |evaluator| {
                    let known = evaluator.attrs(&namespace)?;
                    Ok(evaluator.attrs_with(known, Some(unknown.clone())))
                });
            }
        }
        Ok(self.attrs_with(attrs, Some(open("lib"))))
    }
}
