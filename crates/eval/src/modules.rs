//! Definitions of options, merged as NixOS merges them, one level at a time and only when asked.
//!
//! The rules are those of nixpkgs' `lib/modules.nix` and of the option types of NixOS and disko:
//! `mkIf` and `mkMerge` are pushed down, the best priority wins, `mkOrder` sorts, lists
//! concatenate, sets merge attribute by attribute, and everything else must agree.
//! Differences from `types.anything`: lists concatenate instead of having to be equal, as those
//! of NixOS's and disko's options do; paths such as `mountpoint` may be defined once only.
//!
//! What is not known stays a value. A set under `mkIf` with an unknown condition is taken to be
//! there, with a note, since a layout whose switch lies in another file is still the layout.
//! A scalar or a list under one is unknown.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use source::{Attr, Binding, FileId, Level, Node, OptionPath, Origin, Problem, Span, Tree, Unknown};

use crate::code::{Expr, Params};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result};
use crate::value::{Attrs, Closure, Entry, Function, Made, Value};

/// The priorities and orders of nixpkgs' `lib.modules`.
const PLAIN_PRIORITY: i64 = 100;
const OPTION_DEFAULT_PRIORITY: i64 = 1500;
const PLAIN_ORDER: i64 = 1000;

/// How deep `mkIf`, `mkMerge` and the like may lie inside one another.
const DEEPEST_MARKS: u32 = 100;
/// How deep a merged value is followed, and how many parts of it are looked at.
const DEEPEST: u32 = 200;
const MOST_PARTS: usize = 1_000_000;
/// How often the result of a module function may be a function again.
const MOST_CURRIED: u32 = 8;

/// Options that hold a set which is a value: what lies below is merged, not a namespace of options.
const VALUES: &[&[&str]] = &[
    &["boot", "initrd", "luks", "devices"],
    &["boot", "kernel", "sysctl"],
    &["disko", "devices"],
    &["environment", "etc"],
    &["fileSystems"],
    &["nix", "settings"],
    &["swapDevices"],
    &["systemd", "services"],
    &["users", "users"],
];

/// Text options whose definitions are joined line by line.
const LINES: &[&[&str]] = &[
    &["boot", "extraModprobeConfig"],
    &["boot", "swraid", "mdadmConf"],
    &["nix", "extraOptions"],
    &["services", "udev", "extraRules"],
];

/// The attributes of disko's types that hold one submodule an attribute.
const DISKO_SUBMODULES: &[&str] = &[
    "bcachefs_filesystems",
    "datasets",
    "disk",
    "lvm_vg",
    "lvs",
    "mdadm",
    "nodev",
    "partitions",
    "subvolumes",
    "swap",
    "zpool",
];

/// How definitions at a path are combined when more than one is left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// By their kind.
    Kind,
    /// There may be only one.
    Unique,
    /// Texts are joined line by line.
    Lines,
    /// The largest number counts.
    Largest,
}

fn names(path: &OptionPath) -> Vec<&str> {
    path.segments().iter().map(|segment| &**segment).collect()
}

fn is_value(path: &OptionPath) -> bool {
    VALUES.contains(&&*names(path))
}

/// The rule of an option of NixOS or disko, by its path.
fn rule_of(path: &OptionPath) -> Rule {
    let names = names(path);
    match &*names {
        [
            "boot",
            "kernel",
            "sysctl",
            "net.core.rmem_max" | "net.core.wmem_max",
        ] => Rule::Largest,
        ["boot", "kernel", "sysctl", _] => Rule::Unique,
        ["disko", "devices", "disk", _, "device"] => Rule::Unique,
        ["disko", "devices", .., "mountpoint" | "keyFile" | "passwordFile"] => Rule::Unique,
        ["disko", "devices", .., last] if last.ends_with("Hook") => Rule::Lines,
        path if LINES.contains(&path) => Rule::Lines,
        _ => Rule::Kind,
    }
}

/// Whether the value at a path is a submodule: its definitions are modules of their own, and
/// modules count from the last to the first.
fn is_submodule(path: &OptionPath) -> bool {
    match &*names(path) {
        ["fileSystems", _] | ["boot", "initrd", "luks", "devices", _] => true,
        ["disko", "devices"] => true,
        ["disko", "devices", .., "content" | "hybrid" | "topology"] => true,
        ["disko", "devices", .., parent, _] => DISKO_SUBMODULES.contains(parent),
        _ => false,
    }
}

/// One definition of an option, or of a part of one.
#[derive(Clone)]
pub(crate) struct Definition {
    value: Value,
    /// Its binding in the evaluator's table; 0 for none.
    binding: u32,
    priority: Option<i64>,
    order: Option<i64>,
    /// Conditions not looked at yet, outermost first.
    conditions: Vec<Condition>,
    assumed: Option<Assumed>,
}

/// The condition of a `mkIf`.
#[derive(Clone)]
struct Condition {
    holds: Value,
    /// It is on a set around the definition, not on the definition itself.
    around: bool,
}

/// That a definition holds is not known.
#[derive(Clone)]
struct Assumed {
    depends_on: Rc<Unknown>,
    /// A set around it is under the condition, not just itself.
    around: bool,
}

impl Definition {
    pub(crate) fn new(value: Value, binding: u32) -> Self {
        Self {
            value,
            binding,
            priority: None,
            order: None,
            conditions: Vec::new(),
            assumed: None,
        }
    }

    fn priority(&self) -> i64 {
        self.priority.unwrap_or(PLAIN_PRIORITY)
    }

    fn order(&self) -> i64 {
        self.order.unwrap_or(PLAIN_ORDER)
    }
}

/// A definition without its `mkIf`s and the like, evaluated.
struct Part {
    definition: Definition,
    failed: Option<Error>,
}

/// An option that a module declares with `mkOption`.
pub(crate) struct Declaration {
    kind: Option<Value>,
    default: Option<(Value, u32)>,
    apply: Option<Value>,
    span: Option<Span>,
}

/// The tree of declared options.
pub(crate) enum Declared {
    Option(Rc<Declaration>),
    Below(BTreeMap<Arc<str>, Rc<Declared>>),
}

/// What is known of the kind of a value before its definitions are looked at.
#[derive(Clone)]
enum Expected {
    /// No option but a set of options: marks are pushed down.
    Namespace(Rc<Declared>),
    /// An option that a module declares.
    Declared(Rc<Declaration>),
    /// A value of a type from `lib.types`.
    Typed(Value),
    /// A value of which only the path is known.
    Value,
}

/// One option, namespace or part of a value: its definitions, not yet merged.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) path: OptionPath,
    definitions: Vec<Definition>,
    expected: Expected,
    scope: Rc<Scope>,
    /// What was given for it from outside, for want of a definition.
    given: Option<Value>,
}

/// What merging one level gives.
enum Merged {
    Nothing,
    Set {
        parts: Vec<(Arc<str>, Place)>,
        origin: Origin,
        open: Option<Rc<Unknown>>,
        namespace: bool,
    },
    List {
        parts: Vec<Place>,
        origin: Origin,
    },
    /// Something that is not merged further.
    Whole {
        value: Value,
        origin: Origin,
    },
    Unknown(Rc<Unknown>),
    Failed(Box<Problem>),
}

/// What all modules of one host share.
pub(crate) struct Setting {
    pub(crate) lib: Value,
    /// The folder of the library that was given, as reports show it.
    lib_folder: Option<String>,
    /// Arguments by name: those that a person gave and those of `specialArgs`.
    pub(crate) arguments: RefCell<BTreeMap<String, Value>>,
    /// Switches that are off only by default are unknown, so that what they guard is seen.
    pub(crate) switches_on: bool,
    /// Defaults of arguments that were left out: where they stand, and the argument.
    pub(crate) defaults: RefCell<Vec<(Span, Arc<str>)>>,
    pub(crate) problems: RefCell<Vec<Problem>>,
    /// All scopes made, whose values refer back to them.
    scopes: RefCell<Vec<Weak<Scope>>>,
}

impl Setting {
    pub(crate) fn new(
        lib: Value,
        lib_folder: Option<String>,
        arguments: BTreeMap<String, Value>,
        switches_on: bool,
    ) -> Rc<Self> {
        Rc::new(Self {
            lib,
            lib_folder,
            arguments: RefCell::new(arguments),
            switches_on,
            defaults: RefCell::default(),
            problems: RefCell::default(),
            scopes: RefCell::default(),
        })
    }

    /// Whether a person wrote what made a value, and not the library that evaluates it.
    fn is_by_hand(&self, evaluator: &Evaluator<'_>, origin: &Origin) -> bool {
        origin
            .span()
            .is_some_and(|span| self.is_file_by_hand(evaluator, span.file))
    }

    pub(crate) fn is_file_by_hand(&self, evaluator: &Evaluator<'_>, file: FileId) -> bool {
        let file = evaluator.files.get(file);
        !crate::prelude::is_builtin_file(&file.path)
            && !self
                .lib_folder
                .as_ref()
                .is_some_and(|folder| file.path.starts_with(&**folder))
    }

    /// Breaks the cycles between scopes and the values in them. Nothing may be asked afterwards.
    pub(crate) fn end(&self) {
        for scope in self.scopes.borrow().iter().filter_map(Weak::upgrade) {
            scope.config.borrow_mut().take();
            drop(std::mem::take(&mut *scope.modules.borrow_mut()));
        }
        self.arguments.borrow_mut().clear();
    }

    /// Notes a problem once; a mere note once for all places that it could be said of.
    pub(crate) fn problem(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        let said = |other: &Problem| {
            *other == problem
                || (problem.level == Level::Note
                    && other.level == Level::Note
                    && other.message == problem.message)
        };
        if !problems.iter().any(said) {
            problems.push(problem);
        }
    }
}

/// One module, read: what it defines and what it declares.
pub(crate) struct Module {
    pub(crate) config: Vec<Definition>,
    pub(crate) options: Option<Value>,
    pub(crate) freeform: bool,
}

/// A set of modules that are evaluated together: a host, or a submodule.
pub(crate) struct Scope {
    pub(crate) setting: Rc<Setting>,
    /// In the order in which NixOS merges them: the last imported first.
    pub(crate) modules: RefCell<Vec<Module>>,
    declared: OnceCell<Rc<Declared>>,
    /// `config`, shared by all modules.
    config: RefCell<Option<Value>>,
    /// The path of the option that is this submodule; empty for a host.
    path: OptionPath,
    /// JSON that stands in for options that nothing here defines.
    given: Option<Value>,
    ready: Cell<bool>,
}

impl Scope {
    pub(crate) fn new(setting: Rc<Setting>, path: OptionPath, given: Option<Value>) -> Rc<Self> {
        let scope = Rc::new(Self {
            setting,
            modules: RefCell::default(),
            declared: OnceCell::new(),
            config: RefCell::default(),
            path,
            given,
            ready: Cell::new(false),
        });
        scope.setting.scopes.borrow_mut().push(Rc::downgrade(&scope));
        scope
    }

    /// Sets the modules, in the order of import.
    pub(crate) fn fill(&self, mut modules: Vec<Module>) {
        modules.reverse();
        *self.modules.borrow_mut() = modules;
        self.ready.set(true);
    }

    /// `config`: the fixpoint of the modules at hand, and unknown beyond them.
    pub(crate) fn config(self: &Rc<Self>, evaluator: &Evaluator<'_>) -> Value {
        if let Some(config) = &*self.config.borrow() {
            return config.clone();
        }
        let scope = self.clone();
        let config = evaluator.lazy(move |evaluator| {
            if !scope.ready.get() {
                return Err(Error::new(
                    ErrorKind::InfiniteRecursion,
                    "`config` is needed to find out which modules there are",
                ));
            }
            scope.root(evaluator).value(evaluator)
        });
        *self.config.borrow_mut() = Some(config.clone());
        config
    }

    /// The place of all options.
    pub(crate) fn root(self: &Rc<Self>, evaluator: &Evaluator<'_>) -> Place {
        let definitions = self
            .modules
            .borrow()
            .iter()
            .flat_map(|module| module.config.iter().cloned())
            .collect();
        Place {
            path: self.path.clone(),
            definitions,
            expected: Expected::Namespace(self.declared(evaluator)),
            scope: self.clone(),
            given: self.given.clone(),
        }
    }

    /// The definitions of all modules, unmerged.
    pub(crate) fn raw_definitions(&self) -> Vec<Value> {
        let modules = self.modules.borrow();
        modules
            .iter()
            .flat_map(|module| &module.config)
            .map(|definition| definition.value.clone())
            .collect()
    }

    fn declared(&self, evaluator: &Evaluator<'_>) -> Rc<Declared> {
        if let Some(declared) = self.declared.get() {
            return declared.clone();
        }
        let options: Vec<(Value, u32)> = self
            .modules
            .borrow()
            .iter()
            .filter_map(|module| module.options.clone())
            .map(|options| (options, 0))
            .collect();
        let declared = Rc::new(self.declarations(evaluator, options, DEEPEST_MARKS));
        self.declared.get_or_init(|| declared).clone()
    }

    /// The options that these sets declare together.
    fn declarations(&self, evaluator: &Evaluator<'_>, options: Vec<(Value, u32)>, depth: u32) -> Declared {
        let mut below: BTreeMap<Arc<str>, Vec<(Value, u32)>> = BTreeMap::new();
        for (value, binding) in options {
            let set = match evaluator.force(&value) {
                Ok(set @ Value::Attrs(..)) => set,
                Ok(_) => continue,
                Err(error) => {
                    self.setting.problem(error.problem());
                    continue;
                }
            };
            let Ok(attrs) = evaluator.attrs(&set) else {
                continue;
            };
            if mark_of(evaluator, &set).as_deref() == Some("option") {
                let find = |name: &str| attrs.iter().find(|attr| &*attr.name == name);
                return Declared::Option(Rc::new(Declaration {
                    kind: find("type").map(|attr| attr.value.clone()),
                    default: find("default").map(|attr| (attr.value.clone(), attr.binding)),
                    apply: find("apply").map(|attr| attr.value.clone()),
                    span: evaluator
                        .bindings_of(binding)
                        .first()
                        .map(|binding| binding.whole),
                }));
            }
            for attr in attrs {
                below
                    .entry(attr.name)
                    .or_default()
                    .push((attr.value, attr.binding));
            }
        }
        if depth == 0 {
            return Declared::Below(BTreeMap::new());
        }
        Declared::Below(
            below
                .into_iter()
                .map(|(name, values)| (name, Rc::new(self.declarations(evaluator, values, depth - 1))))
                .collect(),
        )
    }

    /// The module that a value is, functions called; what cannot be one is a problem.
    ///
    /// # Errors
    /// When the value or a call fails.
    pub(crate) fn call(
        self: &Rc<Self>,
        evaluator: &Evaluator<'_>,
        module: &Value,
        own: &[(&str, Value)],
    ) -> Result<Value> {
        let mut value = evaluator.force(module)?;
        for _ in 0..MOST_CURRIED {
            let is_function = match &value {
                Value::Lambda(..) | Value::Builtin(..) => true,
                Value::Attrs(attrs, _) => attrs.get(crate::symbol::Sym::FUNCTOR).is_some(),
                _ => false,
            };
            if !is_function {
                break;
            }
            let argument = self.argument(evaluator, &value, own);
            value = evaluator.call(&value, argument)?;
        }
        Ok(value)
    }

    /// What a module function is called with.
    fn argument(
        self: &Rc<Self>,
        evaluator: &Evaluator<'_>,
        function: &Value,
        own: &[(&str, Value)],
    ) -> Value {
        match function {
            Value::Lambda(closure, _) => self.argument_of(evaluator, closure, 0, own),
            Value::Builtin(applied, _) => match &applied.function {
                Function::Lambda(closure) => self.argument_of(evaluator, closure, applied.args.len(), own),
                _ => self.all_arguments(evaluator, "args", own),
            },
            _ => self.all_arguments(evaluator, "args", own),
        }
    }

    fn argument_of(
        self: &Rc<Self>,
        evaluator: &Evaluator<'_>,
        closure: &Closure,
        already: usize,
        own: &[(&str, Value)],
    ) -> Value {
        let Expr::Lambda(lambda) = closure.code.expr(closure.lambda) else {
            return self.all_arguments(evaluator, "args", own);
        };
        match &lambda.params {
            Params::Simple(names) => {
                let name = names.get(already).map(|&name| evaluator.symbols.name(name));
                let name = name.as_deref().unwrap_or("args");
                match self.standard_argument(evaluator, name, own) {
                    Some(value) if name != "config" => value,
                    _ => self.all_arguments(evaluator, name, own),
                }
            }
            Params::Set {
                formals,
                ellipsis,
                bind,
            } => {
                let mut given: BTreeMap<Arc<str>, Value> = BTreeMap::new();
                for formal in formals {
                    let name = evaluator.symbols.name(formal.name);
                    let span = Span::new(closure.code.file, formal.range.start, formal.range.end);
                    if let Some(value) = self.standard_argument(evaluator, &name, own) {
                        given.insert((&*name).into(), value);
                    } else if let Some(default) = formal.default {
                        if let Some(place) = Evaluator::span_of(&closure.code, default) {
                            self.setting.defaults.borrow_mut().push((place, (&*name).into()));
                        }
                    } else {
                        given.insert((&*name).into(), self.missing_argument(evaluator, &name, span));
                    }
                }
                if *ellipsis && bind.is_some() {
                    for name in ["lib", "config", "pkgs", "inputs", "self"] {
                        if let Some(value) = self.standard_argument(evaluator, name, own) {
                            given.entry(name.into()).or_insert(value);
                        }
                    }
                }
                let given: Vec<_> = given
                    .iter()
                    .map(|(name, value)| (&**name, value.clone()))
                    .collect();
                evaluator.attrs_value(given)
            }
        }
    }

    /// An argument that every module may ask for, or that was given.
    fn standard_argument(
        self: &Rc<Self>,
        evaluator: &Evaluator<'_>,
        name: &str,
        own: &[(&str, Value)],
    ) -> Option<Value> {
        if let Some((_, value)) = own.iter().find(|(known, _)| *known == name) {
            return Some(value.clone());
        }
        if let Some(value) = self.setting.arguments.borrow().get(name) {
            return Some(value.clone());
        }
        let lib = &self.setting.lib;
        match name {
            "lib" => Some(lib.clone()),
            "config" => Some(self.config(evaluator)),
            "pkgs" => {
                Some(evaluator.open_attrs("pkgs", "packages are not evaluated here", [("lib", lib.clone())]))
            }
            "options" => Some(Value::unknown(
                "options",
                "only the values of options are known here",
            )),
            "modulesPath" => Some(Value::unknown(
                "modulesPath",
                "NixOS's own modules are not at hand",
            )),
            "inputs" => Some(crate::host::inputs(evaluator, lib)),
            _ => None,
        }
    }

    /// An argument that nobody gave: `_module.args` may define it.
    fn missing_argument(self: &Rc<Self>, evaluator: &Evaluator<'_>, name: &str, span: Span) -> Value {
        let unknown = Rc::new(Unknown {
            name: name.into(),
            because: "an argument without a default that nobody gave".into(),
            span: Some(span),
        });
        let (scope, name): (_, Arc<str>) = (self.clone(), name.into());
        evaluator.lazy(move |evaluator| {
            let missing = || Value::Unknown(unknown.clone(), Made::NOWHERE);
            if !scope.ready.get() {
                return Ok(missing());
            }
            let place = scope
                .root(evaluator)
                .below(evaluator, &["_module", "args", &name])?;
            match place {
                Some(place) => match place.merge(evaluator) {
                    Merged::Nothing => Ok(missing()),
                    _ => place.value(evaluator),
                },
                None => Ok(missing()),
            }
        })
    }

    /// The argument of a function that takes anything: whatever it asks for.
    fn all_arguments(self: &Rc<Self>, evaluator: &Evaluator<'_>, name: &str, own: &[(&str, Value)]) -> Value {
        let mut known: Vec<(String, Value)> = Vec::new();
        for name in ["lib", "config", "pkgs", "inputs"] {
            known.extend(
                self.standard_argument(evaluator, name, own)
                    .map(|value| (name.to_owned(), value)),
            );
        }
        let given = self.setting.arguments.borrow();
        known.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
        known.extend(
            own.iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        let known: Vec<_> = known
            .iter()
            .map(|(name, value)| (&**name, value.clone()))
            .collect();
        evaluator.open_attrs(name, "an argument that nobody gave", known)
    }

    /// The unknown that an error stands for: an argument whose default is to fail.
    fn unknown_default(&self, error: &Error) -> Option<Unknown> {
        if *error.kind() != ErrorKind::Throw {
            return None;
        }
        let span = error.span()?;
        let defaults = self.setting.defaults.borrow();
        let (_, name) = defaults.iter().find(|(place, _)| place.contains(span))?;
        Some(Unknown {
            name: name.clone(),
            because: error.message().into(),
            span: Some(span),
        })
    }
}

/// The `_type` of a set, if it has one that is text.
pub(crate) fn mark_of(evaluator: &Evaluator<'_>, set: &Value) -> Option<String> {
    let Value::Attrs(attrs, _) = set else { return None };
    let mark = attrs.get(evaluator.symbols.intern("_type"))?;
    match evaluator.force(mark).ok()? {
        Value::Str(text, _) => Some(text.lossy().into_owned()),
        _ => None,
    }
}

fn get(evaluator: &Evaluator<'_>, attrs: &Attrs, name: &str) -> Option<Value> {
    attrs.get(evaluator.symbols.intern(name)).cloned()
}

/// `a.b.c` of a type, if it is there and known.
fn of_type(evaluator: &Evaluator<'_>, kind: &Value, path: &[&str]) -> Option<Value> {
    let value = evaluator.select(kind, path.iter().copied()).ok()??;
    (!matches!(value, Value::Unknown(..))).then_some(value)
}

impl Place {
    /// What merging gives at this level.
    fn merge(&self, evaluator: &Evaluator<'_>) -> Merged {
        match &self.expected {
            Expected::Namespace(declared) => {
                if let Declared::Below(below) = &**declared {
                    let parts = self.discharged(evaluator, false);
                    if parts.is_empty() && below.is_empty() {
                        return Merged::Nothing;
                    }
                    if parts.iter().all(|part| is_plain_set(evaluator, part)) {
                        return self.merge_namespace(evaluator, &parts, below);
                    }
                }
                self.merge_value(evaluator, self.discharged(evaluator, true))
            }
            Expected::Declared(declaration) => {
                self.merge_declared(evaluator, self.discharged(evaluator, true), declaration)
            }
            Expected::Typed(kind) => self.merge_typed(evaluator, self.discharged(evaluator, true), kind),
            Expected::Value => self.merge_value(evaluator, self.discharged(evaluator, true)),
        }
    }

    /// The definitions without `mkIf`, `mkMerge`, `mkOverride` and `mkOrder`, evaluated.
    ///
    /// Conditions are looked at, before what they guard, only where `conditions` says so: what
    /// the names in a set of options are must not depend on the value of one of them.
    fn discharged(&self, evaluator: &Evaluator<'_>, conditions: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        for definition in &self.definitions {
            self.discharge(
                evaluator,
                definition.clone(),
                conditions,
                DEEPEST_MARKS,
                &mut parts,
            );
        }
        parts
    }

    fn discharge(
        &self,
        evaluator: &Evaluator<'_>,
        mut definition: Definition,
        conditions: bool,
        depth: u32,
        parts: &mut Vec<Part>,
    ) {
        let mut fail = |definition: Definition, error: Error| {
            parts.push(Part {
                definition,
                failed: Some(error),
            });
        };
        let was_certain = definition.assumed.is_none();
        if conditions {
            match self.holds(evaluator, &mut definition) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return fail(definition, error),
            }
        }
        match evaluator.force(&definition.value) {
            Ok(value) => definition.value = value,
            Err(error) => return fail(definition, error),
        }
        let mark = mark_of(evaluator, &definition.value);
        let (Some(mark), Value::Attrs(attrs, _)) = (mark, definition.value.clone()) else {
            if let Some(assumed) = definition.assumed.as_ref().filter(|_| was_certain)
                && (assumed.around || matches!(definition.value, Value::Attrs(..)))
            {
                self.note(
                    &assumed.depends_on,
                    "a condition is taken to hold that depends on",
                );
            }
            parts.push(Part {
                definition,
                failed: None,
            });
            return;
        };
        if depth == 0 {
            let error = Error::new(ErrorKind::Limit("depth"), "definitions are nested too deep");
            return fail(definition, error);
        }
        let number = || match get(evaluator, &attrs, "priority").map(|value| evaluator.force(&value)) {
            Some(Ok(Value::Int(number, _))) => Some(number),
            _ => None,
        };
        let content = match &*mark {
            "if" | "override" | "order" => get(evaluator, &attrs, "content"),
            "definition" => get(evaluator, &attrs, "value"),
            "merge" => get(evaluator, &attrs, "contents"),
            _ => None,
        };
        let Some(content) = content else {
            parts.push(Part {
                definition,
                failed: None,
            });
            return;
        };
        match &*mark {
            "merge" => match evaluator.list(&content) {
                Ok(contents) => {
                    for content in contents {
                        let mut inner = definition.clone();
                        inner.value = content;
                        self.discharge(evaluator, inner, conditions, depth - 1, parts);
                    }
                    return;
                }
                Err(error) => return fail(definition, error),
            },
            "if" => definition.conditions.push(Condition {
                holds: get(evaluator, &attrs, "condition").unwrap_or_else(Value::null),
                around: false,
            }),
            // Of several such marks the outermost counts, as in NixOS.
            "override" => definition.priority = definition.priority.or_else(number),
            "order" => definition.order = definition.order.or_else(number),
            _ => {}
        }
        definition.value = content;
        self.discharge(evaluator, definition, conditions, depth - 1, parts);
    }

    /// Whether the conditions on a definition hold. One that is not known is taken to, and
    /// remembered.
    fn holds(&self, evaluator: &Evaluator<'_>, definition: &mut Definition) -> Result<bool> {
        for condition in std::mem::take(&mut definition.conditions) {
            let depends_on = match evaluator.force(&condition.holds) {
                Ok(Value::Bool(true, _)) => continue,
                Ok(Value::Bool(false, _)) => return Ok(false),
                Ok(Value::Unknown(unknown, _)) => unknown,
                Ok(other) => return Err(evaluator.wrong("a Boolean as the condition of `mkIf`", &other)),
                Err(error) => match self.scope.unknown_default(&error) {
                    Some(unknown) => Rc::new(unknown),
                    None => return Err(error),
                },
            };
            definition.assumed.get_or_insert(Assumed {
                depends_on,
                around: condition.around,
            });
        }
        Ok(true)
    }

    /// Says that a part of the value is a matter of something that is not known.
    fn note(&self, unknown: &Unknown, what: &str) {
        let message = format!("{what} `{}`: {}", unknown.name, unknown.because);
        let mut problem = Problem::warning(message).at(unknown.span);
        problem.level = source::Level::Note;
        self.scope.setting.problem(problem);
    }

    fn origin(evaluator: &Evaluator<'_>, parts: &[Part]) -> Origin {
        Origin::derived(parts.iter().map(|part| evaluator.origin(&part.definition.value)))
    }

    /// A set of options: every mark goes to what lies below.
    fn merge_namespace(
        &self,
        evaluator: &Evaluator<'_>,
        parts: &[Part],
        below: &BTreeMap<Arc<str>, Rc<Declared>>,
    ) -> Merged {
        let mut found: BTreeMap<Arc<str>, Vec<Definition>> =
            below.keys().map(|name| (name.clone(), Vec::new())).collect();
        let mut open = None;
        for part in parts {
            let Value::Attrs(attrs, _) = &part.definition.value else {
                continue;
            };
            if let Some(unknown) = &attrs.open {
                open.get_or_insert_with(|| unknown.clone());
            }
            for entry in attrs.entries() {
                let name: Arc<str> = (&*evaluator.symbols.name(entry.name)).into();
                let mut inner = Self::inherit(&part.definition, entry);
                inner.priority = part.definition.priority;
                inner.order = part.definition.order;
                found.entry(name).or_default().push(inner);
            }
        }
        let freeform = self.scope.modules.borrow().iter().any(|module| module.freeform);
        let places = found
            .into_iter()
            .map(|(name, definitions)| {
                let path = self.path.join(&name);
                let expected = match below.get(&name).map(|declared| (&**declared, declared)) {
                    _ if is_value(&path) => Expected::Value,
                    Some((Declared::Option(declaration), _)) => Expected::Declared(declaration.clone()),
                    Some((Declared::Below(_), declared)) => Expected::Namespace(declared.clone()),
                    None if freeform => Expected::Value,
                    None => Expected::Namespace(Rc::new(Declared::Below(BTreeMap::new()))),
                };
                let given = self.given_below(evaluator, &name);
                let place = Place {
                    path,
                    definitions,
                    expected,
                    scope: self.scope.clone(),
                    given,
                };
                (name, place)
            })
            .collect();
        Merged::Set {
            parts: places,
            origin: Self::origin(evaluator, parts),
            open,
            namespace: true,
        }
    }

    fn given_below(&self, evaluator: &Evaluator<'_>, name: &str) -> Option<Value> {
        let given = self.given.as_ref()?;
        evaluator.attr(given, name).ok()?.map(|attr| attr.value)
    }

    /// The definition of an attribute of a set that is defined.
    fn inherit(set: &Definition, entry: &Entry) -> Definition {
        let mut inner = Definition::new(entry.value.clone(), entry.binding);
        inner.assumed = set.assumed.as_ref().map(|assumed| Assumed {
            depends_on: assumed.depends_on.clone(),
            around: true,
        });
        inner.conditions = set
            .conditions
            .iter()
            .map(|condition| Condition {
                holds: condition.holds.clone(),
                around: true,
            })
            .collect();
        inner
    }

    /// A declared option: its default and its type are known.
    fn merge_declared(
        &self,
        evaluator: &Evaluator<'_>,
        mut parts: Vec<Part>,
        declaration: &Rc<Declaration>,
    ) -> Merged {
        let is = |name: &str| self.type_name(evaluator, declaration).as_deref() == Some(name);
        if let Some((default, binding)) = &declaration.default {
            let off = parts.is_empty()
                && self.scope.setting.switches_on
                && is("bool")
                && matches!(evaluator.force(default), Ok(Value::Bool(false, _)));
            if off {
                return Merged::Unknown(Rc::new(Unknown {
                    name: self.config_name(),
                    because: "a switch that is off unless something turns it on".into(),
                    span: declaration.span,
                }));
            }
            let mut definition = Definition::new(default.clone(), *binding);
            definition.priority = Some(OPTION_DEFAULT_PRIORITY);
            self.discharge(evaluator, definition, true, DEEPEST_MARKS, &mut parts);
        }
        if parts.is_empty() {
            let empty = declaration
                .kind
                .as_ref()
                .and_then(|kind| of_type(evaluator, kind, &["emptyValue", "value"]));
            if let Some(given) = &self.given {
                return whole(evaluator, given);
            }
            return match empty {
                Some(value) if !is("submodule") => Merged::Whole {
                    value,
                    origin: declaration
                        .span
                        .map_or_else(|| Origin::Derived(Box::default()), Origin::Nix),
                },
                Some(_) => self.merge_kind(evaluator, parts, declaration.kind.as_ref()),
                None => Merged::Unknown(Rc::new(Unknown {
                    name: self.config_name(),
                    because: "an option without a default that nothing here sets".into(),
                    span: declaration.span,
                })),
            };
        }
        let merged = self.merge_kind(evaluator, parts, declaration.kind.as_ref());
        let Some(apply) = &declaration.apply else {
            return merged;
        };
        let value = match self.value_of(evaluator, merged) {
            Ok(value) => value,
            Err(error) => return Merged::Failed(Box::new(error.problem())),
        };
        whole(evaluator, &evaluator.lazy_call(apply, value))
    }

    fn config_name(&self) -> Arc<str> {
        format!("config.{}", self.path).into()
    }

    fn type_name(&self, evaluator: &Evaluator<'_>, declaration: &Declaration) -> Option<String> {
        let name = of_type(evaluator, declaration.kind.as_ref()?, &["name"])?;
        evaluator.string(&name).ok()
    }

    fn merge_kind(&self, evaluator: &Evaluator<'_>, parts: Vec<Part>, kind: Option<&Value>) -> Merged {
        match kind {
            Some(kind) => self.merge_typed(evaluator, parts, kind),
            None => self.merge_value(evaluator, parts),
        }
    }

    /// A value of a type from `lib.types`.
    fn merge_typed(&self, evaluator: &Evaluator<'_>, parts: Vec<Part>, kind: &Value) -> Merged {
        let name = of_type(evaluator, kind, &["name"]).and_then(|name| evaluator.string(&name).ok());
        let inner = || of_type(evaluator, kind, &["nestedTypes", "elemType"]);
        match name.as_deref() {
            Some("attrsOf" | "lazyAttrsOf") => self.merge_best(evaluator, parts, inner(), Rule::Kind),
            Some("listOf") => self.merge_best(evaluator, parts, inner(), Rule::Kind),
            Some("nullOr") => {
                let parts = best(parts);
                let null = |part: &Part| matches!(part.definition.value, Value::Null(_));
                match inner() {
                    Some(inner) if !parts.iter().any(null) => self.merge_typed(evaluator, parts, &inner),
                    _ => self.merge_value(evaluator, parts),
                }
            }
            Some("submodule") => self.merge_submodule(evaluator, best(parts), kind),
            Some("separatedString") => {
                let separator = of_type(evaluator, kind, &["functor", "payload", "sep"])
                    .and_then(|separator| evaluator.string(&separator).ok());
                self.join_texts(evaluator, best(parts), separator.as_deref().unwrap_or("\n"))
            }
            Some("raw" | "unique" | "uniq" | "package") => {
                self.merge_best(evaluator, parts, None, Rule::Unique)
            }
            Some(
                "anything" | "unspecified" | "str" | "bool" | "int" | "float" | "path" | "enum" | "either",
            )
            | None => self.merge_value(evaluator, parts),
            Some(_) => self.merge_by_type(evaluator, best(parts), kind),
        }
    }

    /// Lets the type's own `merge` do the work.
    fn merge_by_type(&self, evaluator: &Evaluator<'_>, parts: Vec<Part>, kind: &Value) -> Merged {
        let (Some(merge), false) = (
            of_type(evaluator, kind, &["merge"]),
            parts.iter().any(|part| part.failed.is_some() || is_unknown(part)),
        ) else {
            return self.merge_value(evaluator, parts);
        };
        let path = self
            .path
            .segments()
            .iter()
            .map(|segment| Value::string(&**segment))
            .collect();
        let definitions = parts
            .iter()
            .map(|part| {
                let file = Value::string("<modules>");
                evaluator.attrs_value([("file", file), ("value", part.definition.value.clone())])
            })
            .collect();
        let merged = evaluator
            .call(&merge, Value::list(path))
            .and_then(|with_path| evaluator.call(&with_path, Value::list(definitions)));
        match merged {
            Ok(value) => Merged::Whole {
                origin: Self::origin(evaluator, &parts),
                value,
            },
            Err(error) => self.failed(error.problem()),
        }
    }

    fn merge_submodule(&self, evaluator: &Evaluator<'_>, parts: Vec<Part>, kind: &Value) -> Merged {
        let mut own = vec![(
            "name",
            Value::string(self.path.segments().last().map_or("", |name| name)),
        )];
        let scope = Scope::new(self.scope.setting.clone(), self.path.clone(), self.given.clone());
        own.push(("config", scope.config(evaluator)));
        let mut modules = Vec::new();
        let declared = of_type(evaluator, kind, &["getSubModules"])
            .and_then(|modules| evaluator.list(&modules).ok())
            .unwrap_or_default();
        let origin = Self::origin(evaluator, &parts);
        for module in declared {
            let read = crate::host::read_modules(evaluator, &scope, &module, &own);
            modules.extend(read);
        }
        for part in parts {
            if let Some(error) = part.failed {
                self.scope.setting.problem(error.problem());
                continue;
            }
            let mut definition = part.definition;
            match scope.call(evaluator, &definition.value, &own) {
                Ok(value) => definition.value = value,
                Err(error) => {
                    self.scope.setting.problem(error.problem());
                    continue;
                }
            }
            (definition.priority, definition.order) = (None, None);
            modules.push(Module {
                config: vec![definition],
                options: None,
                freeform: false,
            });
        }
        scope.fill(modules);
        match scope.root(evaluator).merge(evaluator) {
            Merged::Set { parts, open, .. } => Merged::Set {
                parts,
                origin,
                open,
                namespace: false,
            },
            Merged::Nothing => Merged::Set {
                parts: Vec::new(),
                origin,
                open: None,
                namespace: false,
            },
            other => other,
        }
    }

    /// A value of which only the path says how it is merged.
    fn merge_value(&self, evaluator: &Evaluator<'_>, parts: Vec<Part>) -> Merged {
        self.merge_best(evaluator, parts, None, rule_of(&self.path))
    }

    fn merge_best(
        &self,
        evaluator: &Evaluator<'_>,
        parts: Vec<Part>,
        inner: Option<Value>,
        rule: Rule,
    ) -> Merged {
        let mut parts = best(parts);
        Self::weigh(evaluator, &mut parts);
        for part in &mut parts {
            // What is unknown in such a list is an element that is unknown.
            if let Value::Unknown(unknown, made) = &part.definition.value
                && let Some(elements) = evaluator.partial.elements(unknown)
            {
                part.definition.value = Value::list(elements.to_vec()).made_at(*made);
            }
        }
        if is_submodule(&self.path) {
            for part in &mut parts {
                self.call_definition(evaluator, part);
            }
            // Each definition is a module of the submodule, and modules count from the last.
            parts.reverse();
        } else if let (Rule::Unique, [first, second, ..]) = (rule, &*parts) {
            return self.conflict(evaluator, "may be defined only once", &[first, second]);
        } else if rule == Rule::Lines {
            return self.join_texts(evaluator, parts, "\n");
        } else if let (Rule::Largest, true) = (rule, parts.len() > 1) {
            parts.sort_by_key(|part| match part.definition.value {
                Value::Int(number, _) => number,
                _ => i64::MIN,
            });
            parts.drain(..parts.len() - 1);
        }
        let Some(first) = parts.first() else {
            return Merged::Nothing;
        };
        if let Some(error) = parts.iter().find_map(|part| part.failed.as_ref()) {
            return match self.scope.unknown_default(error) {
                Some(unknown) => Merged::Unknown(Rc::new(unknown)),
                None => Merged::Failed(Box::new(error.problem())),
            };
        }
        let known: Vec<&Part> = parts.iter().filter(|part| !is_unknown(part)).collect();
        let unknown = parts.iter().find_map(|part| match &part.definition.value {
            Value::Unknown(unknown, _) => Some(unknown.clone()),
            _ => None,
        });
        if !known.is_empty() && known.iter().all(|part| is_plain_set(evaluator, part)) {
            if let Some(unknown) = &unknown {
                self.note(unknown, &self.partly());
            }
            return self.merge_sets(evaluator, &known, inner, unknown);
        }
        if !known.is_empty() && known.iter().all(|part| is_listish(part)) {
            return self.concatenate(evaluator, &parts, inner);
        }
        if let Some(unknown) = unknown {
            return Merged::Unknown(unknown);
        }
        for other in parts.iter().skip(1) {
            match evaluator.equals(&first.definition.value, &other.definition.value) {
                Ok(true) => {}
                Ok(false) => {
                    return self.conflict(evaluator, "has conflicting definitions", &[first, other]);
                }
                Err(error) => {
                    return match error.as_unknown() {
                        Some(unknown) => Merged::Unknown(unknown.clone()),
                        None => self.failed(error.problem()),
                    };
                }
            }
        }
        Merged::Whole {
            value: first.definition.value.clone(),
            origin: Self::origin(evaluator, &parts),
        }
    }

    /// Makes unknown what a definition that may not hold would decide.
    ///
    /// Sets stay: they are taken to be there. So does what lies below one set when nothing
    /// without the condition defines it too, and what agrees with a definition that does hold.
    fn weigh(evaluator: &Evaluator<'_>, parts: &mut [Part]) {
        let certain: Vec<Value> = parts
            .iter()
            .filter(|part| part.definition.assumed.is_none() && part.failed.is_none())
            .map(|part| part.definition.value.clone())
            .collect();
        let conditions: BTreeSet<Arc<str>> = parts
            .iter()
            .filter_map(|part| part.definition.assumed.as_ref())
            .map(|assumed| assumed.depends_on.name.clone())
            .collect();
        for part in parts {
            let Some(assumed) = &part.definition.assumed else {
                continue;
            };
            let value = &part.definition.value;
            let together = assumed.around && certain.is_empty() && conditions.len() == 1;
            let agrees = !matches!(value, Value::List(..))
                && certain
                    .iter()
                    .any(|other| matches!(evaluator.equals(value, other), Ok(true)));
            if !matches!(value, Value::Attrs(..)) && !together && !agrees {
                part.definition.value = Value::Unknown(assumed.depends_on.clone(), Made::NOWHERE);
                part.failed = None;
            }
        }
    }

    /// A definition of a submodule may be a function, as any module may.
    fn call_definition(&self, evaluator: &Evaluator<'_>, part: &mut Part) {
        let own = [
            (
                "name",
                Value::string(self.path.segments().last().map_or("", |name| name)),
            ),
            (
                "config",
                Value::unknown(
                    &self.config_name(),
                    "the options of this submodule are not evaluated here",
                ),
            ),
        ];
        match self.scope.call(evaluator, &part.definition.value, &own) {
            Ok(value) => part.definition.value = value,
            Err(error) => part.failed = Some(error),
        }
    }

    fn partly(&self) -> String {
        format!("a part of `{}` is not known, since it depends on", self.path)
    }

    fn merge_sets(
        &self,
        evaluator: &Evaluator<'_>,
        parts: &[&Part],
        inner: Option<Value>,
        unknown: Option<Rc<Unknown>>,
    ) -> Merged {
        let mut found: BTreeMap<Arc<str>, Vec<Definition>> = BTreeMap::new();
        let mut open = unknown;
        for part in parts {
            let Value::Attrs(attrs, _) = &part.definition.value else {
                continue;
            };
            if let Some(unknown) = &attrs.open {
                self.note(unknown, &self.partly());
                open.get_or_insert_with(|| unknown.clone());
            }
            for entry in attrs.entries() {
                let name = (&*evaluator.symbols.name(entry.name)).into();
                found
                    .entry(name)
                    .or_default()
                    .push(Self::inherit(&part.definition, entry));
            }
        }
        let places = found
            .into_iter()
            .map(|(name, definitions)| {
                let place = Place {
                    path: self.path.join(&name),
                    definitions,
                    expected: inner.clone().map_or(Expected::Value, Expected::Typed),
                    scope: self.scope.clone(),
                    given: self.given_below(evaluator, &name),
                };
                (name, place)
            })
            .collect();
        let origins = parts.iter().map(|part| evaluator.origin(&part.definition.value));
        Merged::Set {
            parts: places,
            origin: Origin::derived(origins),
            open,
            namespace: false,
        }
    }

    /// Lists one after the other; a list that is not known is an element that is not known.
    fn concatenate(&self, evaluator: &Evaluator<'_>, parts: &[Part], inner: Option<Value>) -> Merged {
        let mut places = Vec::new();
        for part in parts {
            let items = match &part.definition.value {
                Value::List(list, _) => list.items().to_vec(),
                unknown => vec![unknown.clone()],
            };
            for item in items {
                places.push(Place {
                    path: self.path.join(&places.len().to_string()),
                    definitions: vec![Definition::new(item, 0)],
                    expected: inner.clone().map_or(Expected::Value, Expected::Typed),
                    scope: self.scope.clone(),
                    given: None,
                });
            }
        }
        Merged::List {
            parts: places,
            origin: Self::origin(evaluator, parts),
        }
    }

    fn join_texts(&self, evaluator: &Evaluator<'_>, parts: Vec<Part>, separator: &str) -> Merged {
        let [first, rest @ ..] = &*parts else {
            return Merged::Nothing;
        };
        if rest.is_empty() || parts.iter().any(|part| part.failed.is_some() || is_unknown(part)) {
            return self.merge_best(evaluator, parts, None, Rule::Kind);
        }
        let mut texts = Vec::new();
        for part in &parts {
            match &part.definition.value {
                Value::Str(text, _) => texts.push(text.lossy().into_owned()),
                _ => {
                    return self.conflict(
                        evaluator,
                        "is defined as text and as something else",
                        &[first, part],
                    );
                }
            }
        }
        Merged::Whole {
            value: Value::string(texts.join(separator)),
            origin: Self::origin(evaluator, &parts),
        }
    }

    fn conflict(&self, evaluator: &Evaluator<'_>, what: &str, parts: &[&Part]) -> Merged {
        let place = |part: &Part| {
            let binding = evaluator
                .bindings_of(part.definition.binding)
                .first()
                .map(|binding| binding.whole);
            binding.or_else(|| evaluator.origin(&part.definition.value).span())
        };
        let mut problem = Problem::error(format!("the option `{}` {what}", self.path))
            .at(parts.first().and_then(|part| place(part)));
        for part in parts {
            let value = evaluator.brief(&part.definition.value);
            problem = problem.note(format!("defined here as {value}"), place(part));
        }
        self.failed(problem)
    }

    fn failed(&self, problem: Problem) -> Merged {
        self.scope.setting.problem(problem.clone());
        Merged::Failed(Box::new(problem))
    }

    /// The place below a path of names; `None` when nothing is defined or declared there.
    ///
    /// # Errors
    /// When a value on the way is unknown or fails.
    pub(crate) fn below(&self, evaluator: &Evaluator<'_>, path: &[&str]) -> Result<Option<Place>> {
        let mut place = self.clone();
        for name in path {
            match place.merge(evaluator) {
                Merged::Set { parts, .. } => match parts.into_iter().find(|(known, _)| **known == **name) {
                    Some((_, below)) => place = below,
                    None => return Ok(None),
                },
                Merged::Unknown(unknown) => return Err(Error::unknown(unknown)),
                _ => return Ok(None),
            }
        }
        Ok(Some(place))
    }

    /// Whether anything is defined here, or anywhere below where this is a namespace.
    pub(crate) fn is_defined(&self, evaluator: &Evaluator<'_>) -> bool {
        match self.merge(evaluator) {
            Merged::Nothing => false,
            Merged::Set {
                parts,
                namespace: true,
                ..
            } => parts.iter().any(|(_, part)| {
                evaluator
                    .deeper(|| Ok(part.is_defined(evaluator)))
                    .unwrap_or(false)
            }),
            Merged::Set { parts, open, .. } => !parts.is_empty() || open.is_some(),
            Merged::List { .. } | Merged::Whole { .. } | Merged::Unknown(_) | Merged::Failed(_) => true,
        }
    }

    /// The merged value, its parts merged when they are needed.
    ///
    /// # Errors
    /// When the definitions conflict or fail.
    pub(crate) fn value(&self, evaluator: &Evaluator<'_>) -> Result<Value> {
        let merged = evaluator.deeper(|| Ok(self.merge(evaluator)))?;
        self.value_of(evaluator, merged)
    }

    fn value_of(&self, evaluator: &Evaluator<'_>, merged: Merged) -> Result<Value> {
        match merged {
            Merged::Nothing => match &self.given {
                Some(given) => evaluator.force(given),
                None => Ok(Value::Unknown(Rc::new(self.not_at_hand()), Made::NOWHERE)),
            },
            Merged::Whole { value, .. } => evaluator.force(&value),
            Merged::Unknown(unknown) => Ok(Value::Unknown(unknown, Made::NOWHERE)),
            Merged::Failed(problem) => {
                Err(Error::new(ErrorKind::Other, problem.message.clone()).at(problem.span))
            }
            Merged::List { parts, .. } => {
                let mut items = Vec::new();
                for part in parts {
                    if !matches!(part.merge(evaluator), Merged::Nothing) {
                        items.push(part.later(evaluator));
                    }
                }
                Ok(Value::list(items))
            }
            Merged::Set {
                parts,
                open,
                namespace,
                ..
            } => {
                let mut entries = Vec::new();
                for (name, part) in parts {
                    // A namespace is open anyway, so that nothing below it need be looked at yet.
                    if namespace || !matches!(part.merge(evaluator), Merged::Nothing) {
                        entries.push(Entry {
                            name: evaluator.symbols.intern(&name),
                            binding: part.definitions.first().map_or(0, |first| first.binding),
                            value: part.later(evaluator),
                        });
                    }
                }
                if namespace && let Some(given) = &self.given {
                    for attr in evaluator.attrs(given)? {
                        let name = evaluator.symbols.intern(&attr.name);
                        if !entries.iter().any(|entry| entry.name == name) {
                            entries.push(Entry {
                                name,
                                binding: 0,
                                value: attr.value,
                            });
                        }
                    }
                }
                entries.sort_by_key(|entry| entry.name);
                let open = if namespace {
                    Some(Rc::new(self.not_at_hand()))
                } else {
                    open
                };
                Ok(Value::Attrs(
                    Rc::new(Attrs::with_open(entries, open)),
                    Made::NOWHERE,
                ))
            }
        }
    }

    fn not_at_hand(&self) -> Unknown {
        let name = if self.path.segments().is_empty() {
            "config".into()
        } else {
            self.config_name()
        };
        Unknown {
            name,
            because: "set by modules that are not at hand".into(),
            span: None,
        }
    }

    fn later(&self, evaluator: &Evaluator<'_>) -> Value {
        let place = self.clone();
        evaluator.lazy(move |evaluator| place.value(evaluator))
    }

    /// The merged value with all its parts and where each was defined; `None` when nothing is.
    pub(crate) fn tree(&self, evaluator: &Evaluator<'_>) -> Option<Tree> {
        let mut left = MOST_PARTS;
        self.subtree(evaluator, DEEPEST, &mut left)
    }

    fn subtree(&self, evaluator: &Evaluator<'_>, depth: u32, left: &mut usize) -> Option<Tree> {
        let found = evaluator.deeper(|| Ok(self.subtree_here(evaluator, depth, left)));
        match found {
            Ok(tree) => tree,
            Err(error) => Some(failed_tree(error.problem())),
        }
    }

    fn subtree_here(&self, evaluator: &Evaluator<'_>, depth: u32, left: &mut usize) -> Option<Tree> {
        if depth == 0 || *left == 0 {
            let what = if depth == 0 { "levels" } else { "values" };
            return Some(failed_tree(Problem::error(format!(
                "`{}` has more {what} than are looked at",
                self.path
            ))));
        }
        *left -= 1;
        Some(match self.merge(evaluator) {
            Merged::Nothing => return None,
            Merged::Whole { value, origin } => self.whole_tree(evaluator, &value, origin),
            Merged::Unknown(unknown) => {
                let origin = unknown
                    .span
                    .map_or_else(|| Origin::Derived(Box::default()), Origin::Nix);
                Tree::new(Node::Unknown(Arc::new(Unknown::clone(&unknown))), origin)
            }
            Merged::Failed(problem) => failed_tree(*problem),
            Merged::List { parts, origin } => {
                let trees = parts
                    .iter()
                    .filter_map(|part| part.subtree(evaluator, depth - 1, left))
                    .collect();
                Tree::new(Node::List(trees), origin)
            }
            Merged::Set {
                parts,
                origin,
                namespace,
                ..
            } => {
                let mut attrs = source::Attrs::new();
                for (name, part) in parts {
                    if let Some(mut tree) = part.subtree(evaluator, depth - 1, left) {
                        let bindings = part.bindings(evaluator);
                        if !self.scope.setting.is_by_hand(evaluator, &tree.origin) {
                            // A function of the library made it, or nothing in the text did.
                            let values = bindings.iter().map(|binding| Origin::Nix(binding.value));
                            tree.origin = Origin::derived(values);
                        }
                        attrs.insert(name, Attr { tree, bindings });
                    }
                }
                if namespace && attrs.is_empty() {
                    return None;
                }
                Tree::new(Node::Attrs(attrs), origin)
            }
        })
    }

    /// The priority of the definitions that are in effect here; `None` when there are none.
    pub(crate) fn priority(&self, evaluator: &Evaluator<'_>) -> Option<i64> {
        let parts = self.discharged(evaluator, true);
        parts.iter().map(|part| part.definition.priority()).min()
    }

    /// Adds the priorities here and so many levels further down, but for ordinary ones.
    pub(crate) fn priorities(
        &self,
        evaluator: &Evaluator<'_>,
        levels: u32,
        found: &mut BTreeMap<OptionPath, i64>,
    ) {
        if let Some(priority) = self.priority(evaluator)
            && priority != PLAIN_PRIORITY
        {
            found.insert(self.path.clone(), priority);
        }
        if levels > 0
            && let Merged::Set { parts, .. } = self.merge(evaluator)
        {
            for (_, part) in parts {
                part.priorities(evaluator, levels - 1, found);
            }
        }
    }

    /// The bindings whose definitions are in effect here.
    pub(crate) fn bindings(&self, evaluator: &Evaluator<'_>) -> Vec<Binding> {
        let mut parts = self.discharged(evaluator, true);
        if let Expected::Declared(declaration) = &self.expected
            && let (Some((default, binding)), true) = (&declaration.default, parts.is_empty())
        {
            parts.push(Part {
                definition: Definition::new(default.clone(), *binding),
                failed: None,
            });
        }
        if !matches!(self.expected, Expected::Namespace(_)) {
            parts = best(parts);
        }
        let mut bindings: Vec<Binding> = Vec::new();
        for part in parts {
            for binding in evaluator.bindings_of(part.definition.binding) {
                let by_hand = self
                    .scope
                    .setting
                    .is_by_hand(evaluator, &Origin::Nix(binding.whole));
                if by_hand && !bindings.contains(&binding) {
                    bindings.push(binding);
                }
            }
        }
        bindings
    }

    fn whole_tree(&self, evaluator: &Evaluator<'_>, value: &Value, origin: Origin) -> Tree {
        if let Err(error) = evaluator.force(value) {
            if let Some(unknown) = self.scope.unknown_default(&error) {
                return Tree::new(Node::Unknown(Arc::new(unknown)), origin);
            }
            return failed_tree(error.problem());
        }
        let mut tree = evaluator.tree(value, crate::tree::TreeLimits::default());
        if origin.span().is_some() {
            tree.origin = origin;
        }
        tree
    }
}

fn failed_tree(problem: Problem) -> Tree {
    let origin = problem
        .span
        .map_or_else(|| Origin::Derived(Box::default()), Origin::Nix);
    Tree::new(Node::Failed(Arc::new(problem)), origin)
}

fn whole(evaluator: &Evaluator<'_>, value: &Value) -> Merged {
    Merged::Whole {
        origin: evaluator.force(value).map_or_else(
            |_| Origin::Derived(Box::default()),
            |value| evaluator.origin(&value),
        ),
        value: value.clone(),
    }
}

/// The definitions of the best priority, in their order.
fn best(mut parts: Vec<Part>) -> Vec<Part> {
    if let Some(best) = parts.iter().map(|part| part.definition.priority()).min() {
        parts.retain(|part| part.definition.priority() == best);
    }
    parts.sort_by_key(|part| part.definition.order());
    for part in &mut parts {
        (part.definition.priority, part.definition.order) = (None, None);
    }
    parts
}

fn is_unknown(part: &Part) -> bool {
    part.failed.is_none() && matches!(part.definition.value, Value::Unknown(..))
}

fn is_listish(part: &Part) -> bool {
    part.failed.is_none() && matches!(part.definition.value, Value::List(..) | Value::Unknown(..))
}

/// A set that is merged attribute by attribute: no package, no function.
fn is_plain_set(evaluator: &Evaluator<'_>, part: &Part) -> bool {
    let Value::Attrs(attrs, _) = &part.definition.value else {
        return false;
    };
    part.failed.is_none()
        && attrs.get(crate::symbol::Sym::FUNCTOR).is_none()
        && mark_of(evaluator, &part.definition.value).is_none()
        && !matches!(evaluator.is_derivation(attrs), Ok(true))
}
