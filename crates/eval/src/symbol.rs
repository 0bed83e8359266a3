//! Attribute and variable names as small numbers.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::value::Text;

/// A name, interned in one [`Symbols`]. Comparing two is comparing two integers; their order
/// is the order in which they were first seen, not that of their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Sym(pub(crate) u32);

/// The names of one evaluator.
///
/// Nix names are byte strings. Those that are not UTF-8 (only `fromJSON` of odd input could make
/// one) are refused where they arise, so that a name can always be shown.
#[derive(Default)]
pub(crate) struct Symbols {
    table: RefCell<Table>,
}

#[derive(Default)]
struct Table {
    by_name: FxHashMap<Rc<str>, Sym>,
    names: Vec<Rc<str>>,
    /// Names as strings of the language, as far as they were asked for.
    texts: Vec<Option<Rc<Text>>>,
}

macro_rules! well_known {
    ($($index:literal $constant:ident $name:literal),* $(,)?) => {
        impl Sym {
            $(pub(crate) const $constant: Sym = Sym($index);)*
        }
        const WELL_KNOWN: &[&str] = &[$($name),*];
    };
}

well_known! {
    0 EMPTY "",
    1 NAME "name",
    2 VALUE "value",
    3 OUT_PATH "outPath",
    4 DRV_PATH "drvPath",
    5 TYPE "type",
    6 TO_STRING "__toString",
    7 FUNCTOR "__functor",
    8 OVERRIDES "__overrides",
    9 BODY "body",
    10 FILE "file",
    11 LINE "line",
    12 COLUMN "column",
    13 SUCCESS "success",
    14 RIGHT "right",
    15 WRONG "wrong",
    16 VERSION "version",
    17 START_SET "startSet",
    18 OPERATOR "operator",
    19 KEY "key",
    20 PREFIX "prefix",
    21 PATH "path",
    22 OUTPUTS "outputs",
    23 ALL_OUTPUTS "allOutputs",
    24 OUTPUT_NAME "outputName",
    25 BUILDER "builder",
    26 SYSTEM "system",
    27 ARGS "args",
    28 BUILTINS "builtins",
    29 OR "or",
    30 CUR_POS "__curPos",
    31 DRV_ATTRS "drvAttrs",
    32 ALL "all",
    33 STRUCTURED_ATTRS "__structuredAttrs",
    34 IGNORE_NULLS "__ignoreNulls",
    35 OUT "out",
    36 HASH "hash",
    37 ALGO "hashAlgo",
    38 TO_HASH_FORMAT "toHashFormat",
    39 OUTPUT_HASH "outputHash",
    40 OUTPUT_HASH_ALGO "outputHashAlgo",
    41 OUTPUT_HASH_MODE "outputHashMode",
    42 CONTENT_ADDRESSED "__contentAddressed",
    43 IMPURE "__impure",
    44 TRUE "true",
    45 FALSE "false",
    46 NULL "null",
}

impl Symbols {
    pub(crate) fn new() -> Self {
        let symbols = Self::default();
        for name in WELL_KNOWN {
            symbols.intern(name);
        }
        symbols
    }

    pub(crate) fn intern(&self, name: &str) -> Sym {
        let mut table = self.table.borrow_mut();
        if let Some(&sym) = table.by_name.get(name) {
            return sym;
        }
        let sym = Sym(table.names.len() as u32);
        let name: Rc<str> = name.into();
        table.names.push(name.clone());
        table.by_name.insert(name, sym);
        sym
    }

    /// The symbol of a name that was interned before, if it was.
    pub(crate) fn find(&self, name: &str) -> Option<Sym> {
        self.table.borrow().by_name.get(name).copied()
    }

    pub(crate) fn name(&self, sym: Sym) -> Rc<str> {
        self.table
            .borrow()
            .names
            .get(sym.0 as usize)
            .cloned()
            .unwrap_or_else(|| "?".into())
    }

    /// The name as a string of the language, one for all who ask.
    pub(crate) fn text(&self, sym: Sym) -> Rc<Text> {
        let table = &mut *self.table.borrow_mut();
        let index = sym.0 as usize;
        if let Some(Some(known)) = table.texts.get(index) {
            return known.clone();
        }
        let name = table.names.get(index).map_or("?", |name| name);
        let text = Rc::new(Text::new(name.as_bytes()));
        if table.texts.len() <= index {
            table.texts.resize(table.names.len().max(index + 1), None);
        }
        if let Some(slot) = table.texts.get_mut(index) {
            *slot = Some(text.clone());
        }
        text
    }

    /// Sorts by the letters of the names.
    pub(crate) fn sort_by_name<T>(&self, items: &mut [T], sym: impl Fn(&T) -> Sym) {
        let table = self.table.borrow();
        let name = |item: &T| table.names.get(sym(item).0 as usize);
        items.sort_by(|a, b| name(a).cmp(&name(b)));
    }
}
