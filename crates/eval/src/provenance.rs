//! Where a value comes from: the question that every position, binding and frame is kept for.

use std::rc::Rc;
use std::sync::Arc;

use source::{Binding, Entered, PathPart, Provenance, Span, Step};

use crate::code::{Code, Expr, ExprId};
use crate::error::ErrorKind;
use crate::evaluator::{Evaluator, Result};
use crate::frames::{Frame, Kind};
use crate::value::Value;

impl Evaluator<'_> {
    /// How the value below a path came about. Each part of the path is the name of an attribute or,
    /// in a list, an index; an empty path asks of the value itself.
    ///
    /// A call that came about inside itself many times stands there a few times only (see
    /// [`Step::repeats`]): what is kept of calls does not grow with their number.
    ///
    /// ```
    /// use eval::{Evaluator, Options};
    /// use source::{Entered, Files, MemoryWorld};
    /// use std::path::Path;
    ///
    /// let world = MemoryWorld::new()
    ///     .with("/host.nix", "{ disk = (import ./mk.nix).mk \"/dev/sda\"; }")
    ///     .with("/mk.nix", "{ mk = device: { name = \"main\"; inherit device; }; }");
    /// let files = Files::new();
    /// let evaluator = Evaluator::new(&world, &files, Options::default());
    /// let host = evaluator.file(Path::new("/host.nix"))?;
    ///
    /// let name = evaluator.provenance(&host, &["disk", "name"])?;
    /// assert_eq!(files.place(name.made.unwrap()), "/mk.nix:1:25");
    /// assert_eq!(files.text(name.path[1].bindings[0].whole), "name = \"main\";");
    /// // It was made in a call of `mk`, in the file that the evaluation began with.
    /// let [call, entry] = &name.chain[..] else { panic!() };
    /// assert_eq!(files.text(call.at.unwrap()), "(import ./mk.nix).mk \"/dev/sda\"");
    /// assert!(matches!(&entry.entered, Entered::File(file) if &*files.get(*file).path == "/host.nix"));
    ///
    /// // The device was written by the caller, and taken in by that same call.
    /// let device = evaluator.provenance(&host, &["disk", "device"])?;
    /// assert_eq!(files.place(device.made.unwrap()), "/host.nix:1:31");
    /// assert_eq!(device.held, [call.clone()]);
    /// # Ok::<(), eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a part of the path is not there, or its evaluation fails.
    pub fn provenance(&self, value: &Value, path: &[&str]) -> Result<Provenance> {
        let mut parts = Vec::with_capacity(path.len());
        let mut value = self.force(value)?;
        let mut holder = None;
        for &name in path {
            let missing = || {
                let message = format!("there is no '{name}' in this value");
                self.error_made(value.made(), ErrorKind::Missing, message)
            };
            let (next, bindings) = if let Value::List(items, _) = &value {
                let index = name.parse::<usize>().ok();
                let item = index.and_then(|index| items.items().get(index));
                (item.cloned().ok_or_else(missing)?, Vec::new())
            } else {
                let attr = self.attr(&value, name)?.ok_or_else(missing)?;
                (attr.value, attr.bindings)
            };
            parts.push(PathPart {
                name: name.into(),
                bindings,
            });
            holder = Some(value.made().frame());
            value = self.force(&next)?;
        }
        let made = match &value {
            Value::Unknown(unknown, made) => unknown.span.or_else(|| self.span_at(made.position())),
            known => self.span_at(known.made().position()),
        };
        let around = self.chain(value.made().frame());
        let held = holder.map(|frame| self.chain(frame)).unwrap_or_default();
        let held = held
            .into_iter()
            .filter(|(frame, _)| around.iter().all(|(it, _)| it != frame));
        Ok(Provenance {
            made,
            held: held.map(|(_, step)| step).collect(),
            definition: made.and_then(|span| self.binding_around(span)),
            path: parts,
            chain: around.into_iter().map(|(_, step)| step).collect(),
        })
    }

    /// A frame and those around it, innermost first.
    fn chain(&self, frame: Frame) -> Vec<(Frame, Step)> {
        let mut steps = Vec::new();
        let mut frame = frame;
        while let Some(data) = self.frames.get(frame) {
            // A program that calls a function has no expression for it: the function stands there.
            let by_program = matches!(data.callee().kind(), Kind::Function(it) if it == data.site());
            let site = if by_program { 0 } else { data.site() };
            let entered = match data.callee().kind() {
                Kind::Function(position) => self.function_at(position, site),
                Kind::File(position) => match self.span_at(position) {
                    Some(span) => Entered::File(span.file),
                    None => break,
                },
            };
            let step = Step {
                entered,
                at: self.span_at(site),
                repeats: data.repeats,
            };
            steps.push((frame, step));
            frame = data.parent();
        }
        steps
    }

    fn function_at(&self, position: u32, site: u32) -> Entered {
        let name = self.expr_at(position, |_, expr| match expr {
            Expr::Lambda(lambda) => lambda
                .name
                .map(|name| -> Arc<str> { (&*self.symbols.name(name)).into() }),
            _ => None,
        });
        let called = self.expr_at(site, |code, expr| match expr {
            Expr::Apply { function, .. } => Self::span_of(code, *function),
            _ => None,
        });
        Entered::Function {
            name,
            span: self.span_at(position),
            called: called.map(|span| self.files.text(span).into()),
        }
    }

    fn expr_at<T>(&self, position: u32, ask: impl FnOnce(&Code, &Expr) -> Option<T>) -> Option<T> {
        let code: Rc<Code> = {
            let codes = self.codes.borrow();
            let index = codes.partition_point(|code| code.base <= position);
            codes.get(index.checked_sub(1)?)?.clone()
        };
        ask(&code, code.expr(ExprId(position - code.base)))
    }

    /// The innermost binding of the text whose value holds the place.
    fn binding_around(&self, place: Span) -> Option<Binding> {
        let table = self.bindings.borrow();
        let holds = table.iter().enumerate().filter(|(_, data)| {
            data.file == place.file && data.value.start <= place.start && place.end <= data.value.end
        });
        let (index, _) = holds.min_by_key(|(_, data)| data.value.end - data.value.start)?;
        let data = table.get(index)?;
        let span = |range: crate::syntax::Range| Span::new(data.file, range.start, range.end);
        (index > 0).then(|| Binding {
            name: span(data.name),
            value: span(data.value),
            whole: span(data.whole),
            kind: data.kind,
        })
    }
}
