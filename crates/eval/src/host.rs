//! One host as a person wrote it: a file or a folder, read as NixOS would read it as a module,
//! and then searched for a layout when it is something else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use source::{FileKind, Level, OptionPath, Problem, Span, Tree, Unknown};

use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, bytes_path, path_bytes};
use crate::files::parent;
use crate::modules::{Definition, Module, Scope, Setting, mark_of};
use crate::paths;
use crate::tree::TreeLimits;
use crate::value::{Made, State, Value};
use crate::walk::Arguments;

/// The files of a folder that may hold a layout, most specific first.
const FOLDER_FILES: &[&str] = &[
    "disko.nix",
    "disk-config.nix",
    "disko-config.nix",
    "disks.nix",
    "disk.nix",
    "default.nix",
    "configuration.nix",
    "flake.nix",
];

/// The options that make a host worth looking at.
const WANTED: &[&[&str]] = &[
    &["disko", "devices"],
    &["fileSystems"],
    &["swapDevices"],
    &["boot", "initrd", "luks", "devices"],
];

/// How far below such an option priorities tell: `fileSystems.<name>.options`.
const PRIORITY_LEVELS: u32 = 2;

/// What disko's `devices` may hold.
const DEVICES: &[&str] = &[
    "bcachefs_filesystems",
    "disk",
    "lvm_vg",
    "mdadm",
    "nodev",
    "zpool",
];

/// What one device of disko may have, by which it is told from other sets.
const DEVICE_ATTRS: &[&str] = &[
    "content",
    "datasets",
    "device",
    "fsType",
    "level",
    "lvs",
    "mountOptions",
    "mountpoint",
    "rootFsOptions",
];

/// What is not searched: declarations, and what every module is given.
const SEARCH_NOT: &[&str] = &["inputs", "lib", "options", "pkgs", "self", "specialArgs"];

/// How deep and how far a file is searched for a nested layout.
const SEARCH_DEPTH: u32 = 12;
const SEARCH_VALUES: usize = 20_000;
/// How much may be evaluated for that: functions are called with arguments that nobody meant.
const SEARCH_STEPS: u64 = 5_000_000;
/// How many files an import of a whole folder may bring, and how many modules a host may have.
const MOST_MODULES: usize = 5_000;
/// How many layouts that were not read are named.
const MOST_NAMED: usize = 8;

/// An argument that a person gives on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// `--arg NAME EXPR`
    Expression(String),
    /// `--argstr NAME VALUE`
    Text(String),
}

/// How to read a host.
#[derive(Clone, Debug, Default)]
pub struct HostOptions {
    /// Arguments of the file's functions, by name; they come before any default.
    pub arguments: Vec<(String, Argument)>,
    /// JSON that stands in for what the files read of `config` and do not define.
    pub config: Option<String>,
    /// A nixpkgs `lib` folder, or a nixpkgs; the built-in library without one.
    pub lib: Option<PathBuf>,
    /// Which layout of a file that holds several: its path in the file, or a name in that path.
    pub host: Option<String>,
}

/// One host: its options, merged when they are asked for.
pub struct Host<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    scope: Rc<Scope>,
    chosen: Option<String>,
    layouts: Vec<String>,
    given: Option<Value>,
}

impl Drop for Host<'_, '_> {
    fn drop(&mut self) {
        self.scope.setting.end();
    }
}

/// A module, or what one makes a module of, and where in the file it was found.
struct Found {
    path: String,
    module: Value,
    /// Arguments that came with it.
    special: Option<Value>,
}

impl<'e, 'a> Host<'e, 'a> {
    /// Opens a file or a folder.
    ///
    /// A file may be a set or a function, curried or not; a NixOS module with or without options;
    /// the tree of `disko.devices` itself, or a set that holds it as `devices` or `disko.devices`;
    /// a flake; or anything with modules somewhere inside, such as a flake-parts module. Of a
    /// folder, the file that most likely holds the layout is taken.
    ///
    /// # Errors
    /// When there is no such file, the file itself is not Nix, or a limit was met. Everything
    /// else is among [`Self::problems`], and the rest is read.
    pub fn open(evaluator: &'e Evaluator<'a>, path: &Path, options: &HostOptions) -> Result<Self, Problem> {
        Self::attempt(evaluator, path, options).map_err(|error| error.problem())
    }

    fn attempt(evaluator: &'e Evaluator<'a>, path: &Path, options: &HostOptions) -> Result<Self> {
        let file = entry_file(evaluator, &path_bytes(path))?;
        let mut host = Self::empty(evaluator, &file, options, false)?;
        let entry = evaluator.file(&bytes_path(&file))?;
        if file.ends_with(b"/flake.nix") {
            evaluator.partial.keep_arguments();
            let outputs = host.flake_outputs(&entry, &file)?;
            host.search(&outputs, true, options.host.as_deref());
            let wanted = options.host.as_deref();
            if host.layouts.is_empty() || (wanted.is_none() && !host.defines_devices()) {
                host.search_files(parent(&file), wanted);
            }
            return Ok(host);
        }
        let root = [Value::path(&file)];
        host.load(&root, None);
        if host.holds_something() {
            return Ok(host);
        }
        // A module that a switch of its own turns on defines nothing when it is looked at alone.
        let mut switched = Self::empty(evaluator, &file, options, true)?;
        switched.load(&root, None);
        if switched.holds_something() {
            return Ok(switched);
        }
        host.search(&entry, false, options.host.as_deref());
        Ok(host)
    }

    /// A host without modules.
    fn empty(
        evaluator: &'e Evaluator<'a>,
        file: &[u8],
        options: &HostOptions,
        switches_on: bool,
    ) -> Result<Self> {
        let lib = library(evaluator, options.lib.as_deref())?;
        let lib_folder = options
            .lib
            .as_ref()
            .map(|path| format!("{}/", evaluator.shown_path(path)));
        let given = match &options.config {
            Some(text) => {
                let value = crate::json::parse(evaluator, text.as_bytes(), Made::NOWHERE)?;
                Some(opened(evaluator, &value, "config", OPEN_LEVELS)?)
            }
            None => None,
        };
        let mut arguments = BTreeMap::new();
        for (name, argument) in &options.arguments {
            let value = match argument {
                Argument::Text(text) => Value::string(text),
                Argument::Expression(text) => {
                    evaluator.expression(&format!("--arg {name}"), text, &bytes_path(parent(file)))?
                }
            };
            arguments.insert(name.clone(), value);
        }
        let setting = Setting::new(lib, lib_folder, arguments, switches_on);
        Ok(Self {
            evaluator,
            scope: Scope::new(setting, OptionPath::default(), given.clone()),
            chosen: None,
            layouts: Vec::new(),
            given,
        })
    }

    /// Makes these the modules of the host, with all that they import.
    fn load(&mut self, modules: &[Value], special: Option<&Value>) {
        if let Some(special) = special
            && let Ok(attrs) = self.evaluator.attrs(special)
        {
            let mut arguments = self.scope.setting.arguments.borrow_mut();
            for attr in attrs {
                arguments.entry(attr.name.to_string()).or_insert(attr.value);
            }
        }
        let module = Value::list(modules.to_vec());
        let scope = self.scope.clone();
        scope.setting.problems.borrow_mut().clear();
        scope.fill(read_modules(self.evaluator, &scope, &module, &[]));
        if self.take_module_arguments() {
            // Arguments with defaults were left out, and a module defines them after all.
            let fresh = Scope::new(scope.setting.clone(), OptionPath::default(), self.given.clone());
            fresh.fill(read_modules(self.evaluator, &fresh, &module, &[]));
            self.scope = fresh;
        }
    }

    /// Takes what `_module.args` defines of the arguments that were left to their defaults.
    fn take_module_arguments(&self) -> bool {
        let defaults: BTreeSet<String> = {
            let defaults = self.scope.setting.defaults.borrow();
            defaults.iter().map(|(_, name)| name.to_string()).collect()
        };
        let root = self.scope.root(self.evaluator);
        let mut taken = false;
        for name in defaults {
            if let Ok(Some(place)) = root.below(self.evaluator, &["_module", "args", &name])
                && place.is_defined(self.evaluator)
                && let Ok(value) = place.value(self.evaluator)
            {
                let mut arguments = self.scope.setting.arguments.borrow_mut();
                taken |= arguments.insert(name, value).is_none();
            }
        }
        taken
    }

    fn defines_devices(&self) -> bool {
        let root = self.scope.root(self.evaluator);
        let place = root.below(self.evaluator, &["disko", "devices"]);
        matches!(place, Ok(Some(place)) if place.is_defined(self.evaluator))
    }

    fn holds_something(&self) -> bool {
        let root = self.scope.root(self.evaluator);
        WANTED.iter().any(|path| match root.below(self.evaluator, path) {
            Ok(Some(place)) => place.is_defined(self.evaluator),
            Ok(None) => false,
            // Defined, by something that is not known.
            Err(_) => true,
        })
    }

    /// The merged value of an option or of a part of one, with the places of its definitions;
    /// `None` when nothing at hand defines it.
    ///
    /// Each attribute's bindings are all those that are in effect for it; the origin of a value
    /// that several definitions made is [`source::Origin::Derived`]. Of a list to which something
    /// unknown is added, that part is one element that is [`source::Node::Unknown`].
    pub fn option(&self, path: &[&str]) -> Option<Tree> {
        let place = match self.scope.root(self.evaluator).below(self.evaluator, path) {
            Ok(place) => place,
            Err(error) => {
                let unknown = self.evaluator.partial.plain(error.as_unknown()?);
                let value = Value::Unknown(unknown, Made::NOWHERE);
                return Some(self.evaluator.tree(&value, TreeLimits::default()));
            }
        };
        if let Some(tree) = place.and_then(|place| place.tree(self.evaluator)) {
            return Some(tree);
        }
        let given = self
            .evaluator
            .select(self.given.as_ref()?, path.iter().copied())
            .ok()??;
        Some(self.evaluator.tree(&given, TreeLimits::default()))
    }

    /// The priorities with which the options are defined that mount, swap and decrypt, and their
    /// parts: 50 for `lib.mkForce`, 1000 for `lib.mkDefault`. What is not in it is defined without
    /// such a mark, or not at all.
    pub fn priorities(&self) -> BTreeMap<OptionPath, i64> {
        let mut found = BTreeMap::new();
        let root = self.scope.root(self.evaluator);
        for path in WANTED.iter().filter(|path| path.first() != Some(&"disko")) {
            if let Ok(Some(place)) = root.below(self.evaluator, path) {
                place.priorities(self.evaluator, PRIORITY_LEVELS, &mut found);
            }
        }
        found
    }

    /// What went wrong or was left out so far, without stopping the rest. More may come with
    /// each [`Self::option`].
    pub fn problems(&self) -> Vec<Problem> {
        self.scope.setting.problems.borrow().clone()
    }

    /// Where in the file the layout was found, when it is nested: `nixosConfigurations.laptop`.
    pub fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    /// All places in the file that hold a layout; [`HostOptions::host`] chooses one.
    pub fn layouts(&self) -> &[String] {
        &self.layouts
    }

    // ----- layouts that lie deeper ----------------------------------------------------------

    /// Finds modules with a layout inside a value that is not one, and takes the first.
    fn search(&mut self, entry: &Value, is_flake: bool, wanted: Option<&str>) {
        let mut search = Search {
            evaluator: self.evaluator,
            scope: self.scope.clone(),
            left: SEARCH_VALUES,
            found: Vec::new(),
            asked: BTreeSet::new(),
        };
        let mut values = vec![entry.clone()];
        if !is_flake {
            // What its imports brought in may hold it as well.
            values.extend(self.scope.raw_definitions());
        }
        self.evaluator.within_steps(SEARCH_STEPS, || {
            for value in values {
                search.walk(&value, &mut Vec::new(), SEARCH_DEPTH);
            }
        });
        let mut found = search.found;
        // A layout of disko says more than other mounts, and a whole host more than modules that
        // hosts share. What was found as `disko` alone is of one of them too, without what is beside it.
        found.sort_by_cached_key(|found| {
            (
                !self.holds_devices(found),
                !is_whole_host(&found.path),
                found.path == "disko",
            )
        });
        let mut seen = BTreeSet::new();
        found.retain(|found| seen.insert(found.path.clone()));
        self.choose(found, wanted);
    }

    /// Takes the first of these that holds something, or the one that is wanted.
    fn choose(&mut self, found: Vec<Found>, wanted: Option<&str>) {
        self.layouts = found.iter().map(|found| found.path.clone()).collect();
        let is_wanted = |found: &&Found| match wanted {
            Some(name) => {
                found.path == name
                    || found
                        .path
                        .split(['.', '/'])
                        .any(|segment| segment.trim_matches('"') == name)
            }
            None => true,
        };
        let candidates: Vec<&Found> = found.iter().filter(is_wanted).collect();
        if let (Some(name), true, false) = (wanted, candidates.is_empty(), found.is_empty()) {
            let problem = Problem::error(format!("no layout is called `{name}` here"));
            self.scope
                .setting
                .problem(problem.note(format!("there are {}", self.layouts.join(", ")), None));
            return;
        }
        for candidate in candidates {
            self.load(
                std::slice::from_ref(&candidate.module),
                candidate.special.as_ref(),
            );
            if self.holds_something() {
                self.chosen = Some(candidate.path.clone());
                break;
            }
        }
        if let (Some(chosen), None, true) = (&self.chosen, wanted, found.len() > 1) {
            let mut others = self
                .layouts
                .iter()
                .map(|path| &**path)
                .filter(|path| path != chosen);
            let shown: Vec<&str> = others.by_ref().take(MOST_NAMED).collect();
            let more = match others.count() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let mut problem = Problem::warning(format!("only the layout `{chosen}` of this file is read"))
                .note(
                    format!(
                        "the others are {}{more}; `--host NAME` reads another",
                        shown.join(", ")
                    ),
                    None,
                );
            problem.level = Level::Note;
            self.scope.setting.problem(problem);
        }
    }

    /// Whether a module that was found defines `disko.devices`, itself or by its imports.
    fn holds_devices(&self, found: &Found) -> bool {
        self.evaluator.within_steps(SEARCH_STEPS, || {
            let scope = Scope::new(self.scope.setting.clone(), OptionPath::default(), None);
            let before = self.scope.setting.problems.borrow().len();
            scope.fill(read_modules(self.evaluator, &scope, &found.module, &[]));
            let place = scope
                .root(self.evaluator)
                .below(self.evaluator, &["disko", "devices"]);
            let holds = matches!(place, Ok(Some(place)) if place.is_defined(self.evaluator));
            // What is wrong there is said of the one that is taken.
            self.scope.setting.problems.borrow_mut().truncate(before);
            holds
        })
    }

    /// Looks for layouts in all files of a folder that name disko, for want of a way to them.
    fn search_files(&mut self, folder: &[u8], wanted: Option<&str>) {
        let files = files_below(self.evaluator, &Value::path(folder)).unwrap_or_default();
        let mut found = Vec::new();
        for file in files {
            let Value::Path(path, _) = &file else { continue };
            let named = self.evaluator.read_bytes(path.bytes()).is_ok_and(|text| {
                let text = String::from_utf8_lossy(&text);
                text.contains("disko") && text.contains("devices")
            });
            let below = path.bytes().strip_prefix(folder).unwrap_or(path.bytes());
            let below = String::from_utf8_lossy(below).trim_start_matches('/').to_owned();
            let candidate = Found {
                path: below,
                module: Value::list(vec![file.clone()]),
                special: None,
            };
            if named && self.holds_devices(&candidate) {
                found.push(candidate);
            }
        }
        if !found.is_empty() {
            found.sort_by(|a, b| a.path.cmp(&b.path));
            self.choose(found, wanted);
        }
    }

    /// What a flake's `outputs` gives, its inputs unknown but for the functions that hold modules.
    fn flake_outputs(&self, flake: &Value, file: &[u8]) -> Result<Value> {
        let Some(outputs) = self.evaluator.attr(flake, "outputs")? else {
            return Ok(flake.clone());
        };
        let lib = self.scope.setting.lib.clone();
        let known = inputs(self.evaluator, &lib);
        let this = self.evaluator.open_attrs(
            "self",
            "the flake's own outputs are not evaluated as a whole",
            [("inputs", known.clone()), ("outPath", Value::path(parent(file)))],
        );
        let mut given = BTreeMap::from([("self".to_owned(), this.clone())]);
        let mut names: Vec<String> = Vec::new();
        if let Some(attr) = self.evaluator.attr(flake, "inputs")?
            && let Ok(attrs) = self.evaluator.attrs(&attr.value)
        {
            names.extend(attrs.iter().map(|attr| attr.name.to_string()));
        }
        if let Some(Arguments::Set { formals, .. }) = self.evaluator.arguments(&outputs.value)? {
            names.extend(formals.iter().map(|formal| formal.name.to_string()));
        }
        for name in names {
            if name != "self" {
                let input = input(self.evaluator, &name, &lib);
                given.insert(name, input);
            }
        }
        self.scope
            .setting
            .arguments
            .borrow_mut()
            .entry("inputs".into())
            .or_insert(known.clone());
        self.scope
            .setting
            .arguments
            .borrow_mut()
            .entry("self".into())
            .or_insert(this);
        let given: Vec<_> = given
            .iter()
            .map(|(name, value)| (&**name, value.clone()))
            .collect();
        let argument = match self.evaluator.arguments(&outputs.value)? {
            Some(Arguments::Set {
                formals,
                ellipsis: false,
            }) => {
                let wanted = |name: &str| formals.iter().any(|formal| &*formal.name == name);
                self.evaluator
                    .attrs_value(given.into_iter().filter(|(name, _)| wanted(name)))
            }
            _ => {
                let mut all = self.evaluator.attrs(&known)?;
                all.extend(self.evaluator.attrs(&self.evaluator.attrs_value(given))?);
                self.evaluator.attrs_with(all, self.evaluator.openness(&known))
            }
        };
        self.evaluator.call(&outputs.value, argument)
    }
}

/// Whether a module, or what it imports, defines one of these options.
fn brings(evaluator: &Evaluator<'_>, setting: &Rc<Setting>, module: &Value, options: &[&[&str]]) -> bool {
    let scope = Scope::new(setting.clone(), OptionPath::default(), None);
    let before = setting.problems.borrow().len();
    scope.fill(read_modules(evaluator, &scope, module, &[]));
    let root = scope.root(evaluator);
    let brings = options.iter().any(|path| match root.below(evaluator, path) {
        Ok(Some(place)) => place.is_defined(evaluator),
        _ => false,
    });
    // What is wrong there is said of the module that is taken.
    setting.problems.borrow_mut().truncate(before);
    brings
}

/// Whether a path in a flake is that of a host, and not of a module that hosts share.
fn is_whole_host(path: &str) -> bool {
    [
        "nixosConfigurations.",
        "den.hosts.",
        "clan.machines.",
        "colmena.",
        "colmenaHive.",
    ]
    .iter()
    .any(|hosts| path.contains(hosts))
}

/// The outermost sets of `config` given as JSON are taken to be incomplete: what they lack is
/// unknown. Those further in are values, whose names may be counted.
const OPEN_LEVELS: u32 = 2;

fn opened(evaluator: &Evaluator<'_>, value: &Value, name: &str, levels: u32) -> Result<Value> {
    if levels == 0 || !matches!(value, Value::Attrs(..)) {
        return Ok(value.clone());
    }
    let mut attrs = evaluator.attrs(value)?;
    for attr in &mut attrs {
        let below = format!("{name}.{}", OptionPath::new([&*attr.name]));
        attr.value = opened(evaluator, &attr.value, &below, levels - 1)?;
    }
    let unknown = Unknown {
        name: name.into(),
        because: "not in the JSON that was given for `config`".into(),
        span: None,
    };
    Ok(evaluator.attrs_with(attrs, Some(unknown)))
}

/// The library to evaluate with.
fn library(evaluator: &Evaluator<'_>, path: Option<&Path>) -> Result<Value> {
    let Some(path) = path else {
        return evaluator.builtin_lib();
    };
    let below = path_bytes(&path.join("lib"));
    let folder = if evaluator.path_kind(&below)? == Some(FileKind::Directory) {
        bytes_path(&below)
    } else {
        path.to_path_buf()
    };
    let lib = evaluator.file(&folder)?;
    evaluator.opened_lib(&lib, "not in the library that was given")
}

/// The file that a path means: itself, or the one in the folder that most likely holds the layout.
fn entry_file(evaluator: &Evaluator<'_>, path: &[u8]) -> Result<Vec<u8>> {
    let path = paths::canonical(path);
    match evaluator.path_kind(&path)? {
        Some(FileKind::Directory) => {}
        Some(_) => return Ok(path),
        None => {
            let message = format!("{}: no such file", String::from_utf8_lossy(&path));
            return Err(Error::new(ErrorKind::World, message));
        }
    }
    for name in FOLDER_FILES {
        let file = paths::canonical(&[&*path, b"/", name.as_bytes()].concat());
        if evaluator.path_kind(&file)? == Some(FileKind::File) {
            return Ok(file);
        }
    }
    let message = format!(
        "{}: none of {} is in this folder",
        String::from_utf8_lossy(&path),
        FOLDER_FILES.join(", ")
    );
    Err(Error::new(ErrorKind::World, message))
}

/// `inputs` of a flake: unknown, but for the functions of well-known inputs that hold modules.
pub(crate) fn inputs(evaluator: &Evaluator<'_>, lib: &Value) -> Value {
    let known = [
        "flake-parts",
        "import-tree",
        "nixpkgs",
        "nixpkgs-stable",
        "nixpkgs-unstable",
    ];
    evaluator.open_attrs(
        "inputs",
        "flake inputs are not fetched",
        known.map(|name| (name, input(evaluator, name, lib))),
    )
}

/// One flake input. Whatever offers `lib` offers that of nixpkgs and the functions that make hosts.
fn input(evaluator: &Evaluator<'_>, name: &str, lib: &Value) -> Value {
    const BECAUSE: &str = "flake inputs are not fetched";
    let full = format!("inputs.{name}");
    if name == "import-tree" {
        return import_tree(evaluator, &[]);
    }
    let system = evaluator.native("nixosSystem", 1, |evaluator, args| {
        let given = args.first().cloned().unwrap_or_else(Value::null);
        let part = |name: &str, otherwise: Value| match evaluator.attr(&given, name) {
            Ok(Some(attr)) => attr.value,
            _ => otherwise,
        };
        let modules = part("modules", Value::list(Vec::new()));
        let special = part("specialArgs", evaluator.attrs_value([]));
        Ok(evaluator.attrs_value([
            ("_type", Value::string(HOST_MARK)),
            ("modules", modules),
            ("specialArgs", special),
            (
                "config",
                Value::unknown("config", "another host's configuration is not evaluated here"),
            ),
        ]))
    });
    // That of flake-parts takes the module as its second argument, others take it with the first.
    let flake = evaluator.native("mkFlake", 1, |evaluator, args| {
        let mut modules: Vec<Value> = args.to_vec();
        if let Some(first) = args.first()
            && let Ok(Some(more)) = evaluator.attr(first, "modules")
        {
            modules.push(more.value);
        }
        let curried = {
            let modules = modules.clone();
            evaluator.native("mkFlake", 2, move |evaluator, args| {
                let mut modules = modules.clone();
                modules.extend(args.get(1).cloned());
                Ok(evaluator.attrs_value([
                    ("_type", Value::string(FLAKE_MARK)),
                    ("modules", Value::list(modules)),
                ]))
            })
        };
        Ok(evaluator.attrs_value([
            ("_type", Value::string(FLAKE_MARK)),
            ("modules", Value::list(modules)),
            ("__functor", curried),
        ]))
    });
    let known = match evaluator.attrs(lib) {
        Ok(mut attrs) => {
            let of = |name: &str, value: Value| evaluator.attrs_value([(name, value)]);
            for set in [of("nixosSystem", system), of("mkFlake", flake)] {
                attrs.extend(evaluator.attrs(&set).unwrap_or_default());
            }
            attrs
        }
        Err(_) => Vec::new(),
    };
    let open = Unknown {
        name: format!("{full}.lib").into(),
        because: BECAUSE.into(),
        span: None,
    };
    let lib = evaluator.attrs_with(known, Some(open));
    evaluator.open_attrs(&full, BECAUSE, [("lib", lib)])
}

/// What `nixosSystem` and `mkFlake` give here.
const HOST_MARK: &str = "disko-advise-host";
const FLAKE_MARK: &str = "disko-advise-flake";

/// The function of vic/import-tree that gives a module which imports all Nix files of a folder, and
/// the functions in it that give such a function again. What they choose among the files is not
/// looked at.
fn import_tree(evaluator: &Evaluator<'_>, folders: &[Value]) -> Value {
    let with = |name: &'static str, arity: usize| {
        let folders = folders.to_vec();
        let method = evaluator.native(name, arity, move |evaluator, args| {
            let mut folders = folders.clone();
            if name == "addPath" {
                folders.extend(args.first().cloned());
            }
            Ok(import_tree(evaluator, &folders))
        });
        (name, method)
    };
    let given = folders.to_vec();
    let call = evaluator.native("import-tree", 2, move |evaluator, args| {
        let mut folders = given.clone();
        match args.get(1).map(|folder| evaluator.force(folder)).transpose()? {
            Some(Value::List(more, _)) => folders.extend(more.items().iter().cloned()),
            Some(folder) => folders.push(folder),
            None => {}
        }
        let mut files = Vec::new();
        for folder in folders {
            files.extend(files_below(evaluator, &folder)?);
        }
        Ok(evaluator.attrs_value([("imports", Value::list(files))]))
    });
    let methods = [
        "filter",
        "filterNot",
        "match",
        "matchNot",
        "map",
        "withLib",
        "addPath",
    ];
    let methods = methods.map(|name| with(name, 1));
    evaluator.attrs_value(methods.into_iter().chain([("__functor", call)]))
}

/// All Nix files below a folder, but for those whose path has a part that starts with `_`.
fn files_below(evaluator: &Evaluator<'_>, folder: &Value) -> Result<Vec<Value>> {
    let folder = match evaluator.force(folder)? {
        Value::Path(text, _) | Value::Str(text, _) => paths::canonical(text.bytes()),
        other => return Err(evaluator.wrong("a path", &other)),
    };
    let mut files = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for (name, kind) in evaluator.list_folder(&folder)? {
            let path = paths::canonical(&[&*folder, b"/", name.as_bytes()].concat());
            match kind {
                _ if name.starts_with('_') => {}
                FileKind::Directory if !name.starts_with('.') => folders.push(path),
                FileKind::File if name.ends_with(".nix") => files.push(Value::path(path)),
                _ => {}
            }
        }
        if files.len() > MOST_MODULES {
            return Err(Error::new(
                ErrorKind::Limit("module"),
                "too many files in this folder",
            ));
        }
    }
    Ok(files)
}

/// Reads a module and all that it imports, in the order in which NixOS collects them: level by
/// level, each file once.
pub(crate) fn read_modules(
    evaluator: &Evaluator<'_>,
    scope: &Rc<Scope>,
    module: &Value,
    own: &[(&str, Value)],
) -> Vec<Module> {
    let mut seen = BTreeSet::new();
    let mut waiting = VecDeque::from([module.clone()]);
    let mut modules = Vec::new();
    while let Some(next) = waiting.pop_front() {
        if modules.len() >= MOST_MODULES {
            scope.setting.problem(Problem::error(format!(
                "more than {MOST_MODULES} modules; the rest is left out"
            )));
            break;
        }
        let place = place_of(evaluator, &next);
        match read_module(evaluator, scope, &next, place, own, &mut seen) {
            Ok(Some((module, imports))) => {
                modules.extend(module);
                waiting.extend(imports);
            }
            Ok(None) => {}
            Err(error) => {
                let mut problem = error.problem();
                if problem.span != place && place.is_some() {
                    problem = problem.note("imported here", place);
                }
                scope.setting.problem(problem);
            }
        }
    }
    modules
}

/// Where a value was written that may not be evaluated yet.
fn place_of(evaluator: &Evaluator<'_>, value: &Value) -> Option<Span> {
    let Value::Thunk(thunk) = value else {
        return evaluator.origin(value).span();
    };
    let state = thunk.state.take();
    let place = match &state {
        State::Code(code, id, _) => Evaluator::span_of(code, *id),
        State::Done(value) => evaluator.origin(value).span(),
        _ => None,
    };
    thunk.state.set(state);
    place
}

/// One module, if the value is one, and its imports.
type Read = Option<(Option<Module>, Vec<Value>)>;

fn read_module(
    evaluator: &Evaluator<'_>,
    scope: &Rc<Scope>,
    module: &Value,
    place: Option<Span>,
    own: &[(&str, Value)],
    seen: &mut BTreeSet<Vec<u8>>,
) -> Result<Read> {
    let value = evaluator.force(module)?;
    let value = match &value {
        Value::Path(text, _) | Value::Str(text, _) => {
            let mut file = paths::canonical(text.bytes());
            if evaluator.path_kind(&file)? == Some(FileKind::Directory) {
                file.extend_from_slice(b"/default.nix");
            }
            if !seen.insert(file.clone()) {
                return Ok(None);
            }
            if file.ends_with(b".json") || file.ends_with(b".toml") {
                return Ok(None);
            }
            evaluator.top(|| evaluator.import(&file, value.made()))?
        }
        _ => value,
    };
    let value = scope.call(evaluator, &value, own)?;
    match &value {
        Value::Attrs(..) => Ok(Some(split_module(evaluator, scope, &value)?)),
        Value::List(items, _) => Ok(Some((None, items.items().to_vec()))),
        // A file that gives a path to another one.
        Value::Path(..) => Ok(Some((None, vec![value.clone()]))),
        Value::Unknown(unknown, _) => {
            let message = format!(
                "the import of `{}` is left out: {}",
                unknown.name, unknown.because
            );
            let mut problem = Problem::warning(message).at(place.or(unknown.span));
            problem.level = Level::Note;
            scope.setting.problem(problem);
            Ok(None)
        }
        other => Err(Error::new(
            ErrorKind::Type,
            format!("expected a module but found {}", other.kind()),
        )
        .at(evaluator.origin(other).span())),
    }
}

/// The keys of a module that are not definitions.
const MODULE_KEYS: &[&str] = &[
    "_class",
    "_file",
    "disabledModules",
    "freeformType",
    "imports",
    "key",
    "meta",
    "require",
];

fn split_module(
    evaluator: &Evaluator<'_>,
    scope: &Rc<Scope>,
    value: &Value,
) -> Result<(Option<Module>, Vec<Value>)> {
    if let Some(wrapped) = wrapped_devices(evaluator, value) {
        let module = Module {
            config: vec![Definition::new(wrapped, 0)],
            options: None,
            freeform: false,
        };
        return Ok((Some(module), Vec::new()));
    }
    let attrs = evaluator.attrs(value)?;
    let find = |name: &str| attrs.iter().find(|attr| &*attr.name == name);
    let mut imports = Vec::new();
    for name in ["imports", "require"] {
        let Some(attr) = find(name) else { continue };
        match evaluator.force(&attr.value) {
            Ok(Value::List(items, _)) => imports.extend(items.items().iter().cloned()),
            Ok(Value::Unknown(unknown, made)) => imports.push(Value::Unknown(unknown, made)),
            Ok(other) => scope.setting.problem(
                Problem::error(format!("`imports` is {} and not a list", other.kind()))
                    .at(attr.bindings.first().map(|binding| binding.value)),
            ),
            Err(error) => scope.setting.problem(error.problem()),
        }
    }
    let options = find("options").map(|attr| attr.value.clone());
    let explicit = find("config").is_some() || find("options").is_some();
    let mut config = Vec::new();
    if let Some(attr) = find("config") {
        config.push(Definition::new(attr.value.clone(), attr.binding));
    }
    let rest: Vec<_> = attrs
        .iter()
        .filter(|attr| !MODULE_KEYS.contains(&&*attr.name))
        .filter(|attr| !(explicit && matches!(&*attr.name, "config" | "options")))
        .cloned()
        .collect();
    if explicit {
        for attr in &rest {
            let message = format!(
                "NixOS refuses `{}` beside `config` or `options`; it is read as if it stood in `config`",
                attr.name
            );
            scope
                .setting
                .problem(Problem::warning(message).at(attr.bindings.first().map(|binding| binding.whole)));
        }
    }
    if !rest.is_empty() {
        let rest = evaluator.attrs_with(rest, evaluator.openness(value));
        config.push(Definition::new(evaluator.with_origin_of(rest, value), 0));
    }
    let module = Module {
        config,
        options,
        freeform: find("freeformType").is_some(),
    };
    Ok((Some(module), imports))
}

/// The tree of `disko.devices`, or a set that holds it as `devices`, as the module it stands for.
fn wrapped_devices(evaluator: &Evaluator<'_>, value: &Value) -> Option<Value> {
    let is_devices = |value: &Value| {
        let Ok(kinds) = evaluator.attrs(value) else {
            return false;
        };
        if !kinds.iter().all(|kind| DEVICES.contains(&&*kind.name)) {
            return false;
        }
        // Names alone prove little: what is called `disk` somewhere may be anything.
        let devices = kinds
            .iter()
            .flat_map(|kind| evaluator.attrs(&kind.value).unwrap_or_default());
        devices.into_iter().any(|device| {
            let Ok(value) = evaluator.force(&device.value) else {
                return false;
            };
            let content = match mark_of(evaluator, &value).as_deref() {
                Some("if" | "override" | "order") => match evaluator.attr(&value, "content") {
                    Ok(Some(content)) => content.value,
                    _ => return false,
                },
                _ => value,
            };
            let attrs = evaluator.attrs(&content).unwrap_or_default();
            attrs.iter().any(|attr| DEVICE_ATTRS.contains(&&*attr.name))
        })
    };
    if mark_of(evaluator, value).is_some() {
        return None;
    }
    if is_devices(value) {
        let devices = evaluator.attrs_value([("devices", value.clone())]);
        return Some(evaluator.attrs_value([("disko", devices)]));
    }
    let attrs = evaluator.attrs(value).ok()?;
    let [only] = &*attrs else { return None };
    (&*only.name == "devices" && is_devices(&only.value))
        .then(|| evaluator.attrs_value([("disko", value.clone())]))
}

/// A bounded walk over a value for modules that hold a layout.
struct Search<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    scope: Rc<Scope>,
    left: usize,
    found: Vec<Found>,
    /// The calls of unknown functions whose arguments were looked at.
    asked: BTreeSet<usize>,
}

impl Search<'_, '_> {
    fn walk(&mut self, value: &Value, path: &mut Vec<String>, depth: u32) {
        if depth == 0 || self.left == 0 {
            return;
        }
        self.left -= 1;
        let evaluator = self.evaluator;
        let Ok(value) = evaluator.force(value) else {
            return;
        };
        if mark_of(evaluator, &value).as_deref() == Some(FLAKE_MARK) {
            self.flake_module(&value, path, depth);
            return;
        }
        let foreign = match &value {
            Value::Lambda(closure, _) => !self.scope.setting.is_file_by_hand(evaluator, closure.code.file),
            Value::Builtin(..) => true,
            _ => false,
        };
        if foreign {
            return;
        }
        let Ok(value) = self.scope.call(evaluator, &value, &[]) else {
            return;
        };
        match &value {
            Value::List(items, _) => {
                for item in items.items().iter().take(1000) {
                    self.walk(item, path, depth - 1);
                }
            }
            Value::Unknown(unknown, _) => self.arguments(unknown, path, depth),
            // A module by its file.
            Value::Path(..) if !path.is_empty() && brings(evaluator, &self.scope.setting, &value, WANTED) => {
                self.found.push(Found {
                    path: path.join("."),
                    module: value,
                    special: None,
                });
            }
            Value::Attrs(attrs, _) => {
                if let Some(open) = &attrs.open {
                    self.arguments(open, path, depth);
                }
                match mark_of(evaluator, &value).as_deref() {
                    Some(HOST_MARK) => {
                        let part =
                            |name: &str| evaluator.attr(&value, name).ok().flatten().map(|attr| attr.value);
                        self.found.extend(part("modules").map(|module| Found {
                            path: path.join("."),
                            module,
                            special: part("specialArgs"),
                        }));
                        return;
                    }
                    Some("merge") => {
                        self.walk_attr(&value, "contents", path, depth);
                        return;
                    }
                    Some("if" | "override" | "order") => {
                        self.walk_attr(&value, "content", path, depth);
                        return;
                    }
                    Some(_) => return,
                    None => {}
                }
                // The outermost value was read as a module already.
                if !path.is_empty() && self.is_layout(&value) {
                    self.found.push(Found {
                        path: path.join("."),
                        module: value,
                        special: None,
                    });
                    return;
                }
                for attr in evaluator.attrs(&value).unwrap_or_default() {
                    if SEARCH_NOT.contains(&&*attr.name) {
                        continue;
                    }
                    path.push(OptionPath::new([&*attr.name]).to_string());
                    self.walk(&attr.value, path, depth - 1);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// What a function was called with that is not at hand, such as the one by which another flake
    /// makes hosts: a set with `modules` for one host, or what a flake's own module would be.
    fn arguments(&mut self, unknown: &Rc<Unknown>, path: &mut Vec<String>, depth: u32) {
        let Some(arguments) = self.evaluator.partial.arguments(unknown) else {
            return;
        };
        if !self.asked.insert(Rc::as_ptr(unknown) as usize) {
            return;
        }
        for argument in arguments.iter() {
            let Ok(value @ Value::Attrs(..)) = self.evaluator.force(argument) else {
                self.walk(argument, path, depth - 1);
                continue;
            };
            let part = |name: &str| match self.evaluator.attr(&value, name) {
                Ok(Some(attr)) => self.evaluator.force(&attr.value).ok(),
                _ => None,
            };
            let modules = part("modules").filter(|modules| matches!(modules, Value::List(..)));
            match modules {
                Some(module) if !path.is_empty() => {
                    let special = part("specialArgs");
                    self.found.push(Found {
                        path: path.join("."),
                        module,
                        special,
                    });
                }
                modules => {
                    let all = [Some(value.clone()), modules].into_iter().flatten();
                    let modules = Value::list(all.collect());
                    let flake = self.evaluator.attrs_value([("modules", modules)]);
                    self.flake_module(&flake, path, depth);
                }
            }
        }
    }

    fn walk_attr(&mut self, set: &Value, name: &str, path: &mut Vec<String>, depth: u32) {
        if let Ok(Some(attr)) = self.evaluator.attr(set, name) {
            self.walk(&attr.value, path, depth - 1);
        }
    }

    /// The module of a flake-parts flake: all that it and its imports define.
    fn flake_module(&mut self, value: &Value, path: &mut Vec<String>, depth: u32) {
        let Ok(Some(modules)) = self.evaluator.attr(value, "modules") else {
            return;
        };
        let scope = Scope::new(self.scope.setting.clone(), OptionPath::default(), None);
        scope.fill(read_modules(self.evaluator, &scope, &modules.value, &[]));
        for definition in scope.raw_definitions() {
            self.walk(&definition, path, depth - 1);
        }
    }

    /// Whether a set is a module that defines one of the wanted options, or a tree of devices.
    fn is_layout(&self, value: &Value) -> bool {
        let evaluator = self.evaluator;
        if wrapped_devices(evaluator, value).is_some() {
            return true;
        }
        if matches!(evaluator.attr(value, "imports"), Ok(Some(attr)) if !matches!(attr.value, Value::Unknown(..)))
        {
            return brings(evaluator, &self.scope.setting, value, WANTED);
        }
        let config = match evaluator.attr(value, "config") {
            Ok(Some(attr)) if !matches!(attr.value, Value::Unknown(..)) => attr.value,
            _ => value.clone(),
        };
        let mut module = Module {
            config: vec![Definition::new(config, 0)],
            options: None,
            freeform: false,
        };
        module.config.push(Definition::new(value.clone(), 0));
        let scope = Scope::new(self.scope.setting.clone(), OptionPath::default(), None);
        scope.fill(vec![module]);
        let root = scope.root(evaluator);
        WANTED.iter().any(|path| match root.below(evaluator, path) {
            Ok(Some(place)) => place.is_defined(evaluator),
            _ => false,
        })
    }
}
