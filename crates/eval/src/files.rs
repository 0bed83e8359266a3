//! What an evaluation reads of the world: imports, file contents, search paths.

use std::rc::Rc;
use std::sync::Arc;

use source::{FileId, FileKind};

use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, bytes_path};
use crate::frames::Callee;
use crate::paths;
use crate::symbol::Sym;
use crate::value::{Env, Made, State, Text, Thunk, Value};

fn world_error(error: &source::WorldError) -> Error {
    Error::new(ErrorKind::World, error.to_string())
}

impl Evaluator<'_> {
    pub(crate) fn read_bytes(&self, path: &[u8]) -> Result<Arc<[u8]>> {
        let bytes = self
            .world
            .read(&bytes_path(path))
            .map_err(|error| world_error(&error))?;
        if bytes.len() > self.options.limits.file {
            let bound = source::Bytes(self.options.limits.file as u64);
            return Err(Error::new(
                ErrorKind::Limit("file size"),
                format!(
                    "the file size limit of {bound} was reached by {}",
                    String::from_utf8_lossy(path)
                ),
            ));
        }
        self.check_memory(bytes.len())?;
        Ok(bytes)
    }

    pub(crate) fn path_kind(&self, path: &[u8]) -> Result<Option<FileKind>> {
        self.world
            .kind(&bytes_path(path))
            .map_err(|error| world_error(&error))
    }

    pub(crate) fn list_folder(&self, path: &[u8]) -> Result<Vec<(String, FileKind)>> {
        self.world
            .list(&bytes_path(path))
            .map_err(|error| world_error(&error))
    }

    /// Registers a file's text under the path that reports show, once.
    pub(crate) fn register_file(&self, path: &[u8], bytes: &[u8]) -> FileId {
        if let Some(&id) = self.file_ids.borrow().get(path) {
            return id;
        }
        let shown = self.shown_path(&bytes_path(path));
        let id = self.files.add(shown, String::from_utf8_lossy(bytes));
        self.file_ids.borrow_mut().insert(path.to_vec(), id);
        id
    }

    /// The file that an import of the path reads: a folder stands for its `default.nix`.
    fn import_target(&self, path: &[u8]) -> Result<Vec<u8>> {
        let mut target = paths::canonical(path);
        if self.path_kind(&target)? == Some(FileKind::Directory) {
            target.extend_from_slice(b"/default.nix");
            target = paths::canonical(&target);
        }
        Ok(target)
    }

    /// The value of a file, evaluated once.
    pub(crate) fn import(&self, path: &[u8], made: Made) -> Result<Value> {
        let target = self.import_target(path)?;
        let known = self.imports.borrow().get(&target).cloned();
        if let Some(value) = known {
            return self.force(&value);
        }
        let (code, root) = self.read_code(&target, None).map_err(|error| {
            let span = self.span_at(made.position());
            error.at(span)
        })?;
        let frame = self.frames.enter(made, Callee::file(code.position(root)));
        let thunk = Value::Thunk(Thunk::new(State::Code(code, root, Env::empty(None, frame, 0))));
        self.imports.borrow_mut().insert(target, thunk.clone());
        self.force(&thunk)
    }

    /// Evaluates a file with more variables in scope; never shared.
    pub(crate) fn scoped_import(&self, scope: &Value, path: &[u8], made: Made) -> Result<Value> {
        let scope = self.want_attrs(scope)?;
        let target = self.import_target(path)?;
        let names: Vec<Sym> = scope.entries().iter().map(|entry| entry.name).collect();
        let (code, root) = self.read_code(&target, Some(&names))?;
        let frame = self.frames.enter(made, Callee::file(code.position(root)));
        let env = Env::empty(None, frame, names.len());
        for (slot, entry) in scope.entries().iter().enumerate() {
            env.set(slot, entry.value.clone());
        }
        self.deeper(|| self.eval(&code, root, &env))
    }

    fn read_code(
        &self,
        target: &[u8],
        scope: Option<&[Sym]>,
    ) -> Result<(Rc<crate::code::Code>, crate::code::ExprId)> {
        let bytes = self.read_bytes(target)?;
        let file = self.register_file(target, &bytes);
        let folder = parent(target);
        self.load(file, &bytes, folder, scope)
    }

    /// What `<name>` stands for among the search paths given.
    pub(crate) fn find_in_search_path(&self, name: &str, made: Made) -> Result<Value> {
        if name == "nix/fetchurl.nix" {
            // A file of Nix itself: a function that fetches.
            let fetchurl = self.want_attrs(&self.builtins())?;
            let symbol = self.symbols.intern("fetchurl");
            if let Some(function) = fetchurl.get(symbol) {
                let path = b"/nix/var/nix/corepkgs/fetchurl.nix".to_vec();
                self.imports.borrow_mut().insert(path.clone(), function.clone());
                return Ok(Value::Path(Rc::new(Text::from_vec(path, None)), made));
            }
        }
        for (prefix, path) in &self.options.search_path {
            let base = paths::canonical(path.to_string_lossy().as_bytes());
            if let Some(found) = self.search(prefix, &base, name)? {
                return Ok(Value::Path(Rc::new(Text::from_vec(found, None)), made));
            }
        }
        Err(self.not_in_search_path(name, made))
    }

    /// One entry of a search path: the path, if the name lies below it.
    pub(crate) fn search(&self, prefix: &str, base: &[u8], name: &str) -> Result<Option<Vec<u8>>> {
        let rest = if prefix.is_empty() {
            name
        } else if name == prefix {
            ""
        } else {
            match name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) {
                Some(rest) => rest,
                None => return Ok(None),
            }
        };
        let mut path = base.to_vec();
        path.push(b'/');
        path.extend_from_slice(rest.as_bytes());
        let path = paths::canonical(&path);
        Ok(self.path_kind(&path)?.map(|_| path))
    }

    pub(crate) fn not_in_search_path(&self, name: &str, made: Made) -> Error {
        self.error_made(
            made,
            // As `throw` in Nix, which makes `tryEval <name>` a test for it.
            ErrorKind::Throw,
            format!("file '{name}' was not found in the Nix search path"),
        )
    }
}

/// The folder of a path.
pub(crate) fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) | None => b"/",
        Some(slash) => path.get(..slash).unwrap_or(b"/"),
    }
}
