//! Functions on numbers.

use std::cmp::Ordering;

use super::{Builtin, builtin};
use crate::error::{Error, ErrorKind};
use crate::evaluator::{Evaluator, Result, internal};
use crate::syntax::Op;
use crate::value::{Made, Value};

pub(super) static TABLE: &[Builtin] = &[
    builtin("add", 2, 0b11, |ev, args, made| {
        arithmetic(ev, args, made, Op::Add)
    }),
    builtin("bitAnd", 2, 0b11, |ev, args, made| {
        bits(ev, args, made, |a, b| a & b)
    }),
    builtin("bitOr", 2, 0b11, |ev, args, made| {
        bits(ev, args, made, |a, b| a | b)
    }),
    builtin("bitXor", 2, 0b11, |ev, args, made| {
        bits(ev, args, made, |a, b| a ^ b)
    }),
    builtin("ceil", 1, 0b1, |ev, args, made| round(ev, args, made, f64::ceil)),
    builtin("div", 2, 0b11, |ev, args, made| {
        arithmetic(ev, args, made, Op::Div)
    }),
    builtin("floor", 1, 0b1, |ev, args, made| {
        round(ev, args, made, f64::floor)
    }),
    builtin("lessThan", 2, 0b11, less_than),
    builtin("mul", 2, 0b11, |ev, args, made| {
        arithmetic(ev, args, made, Op::Mul)
    }),
    builtin("sub", 2, 0b11, |ev, args, made| {
        arithmetic(ev, args, made, Op::Sub)
    }),
];

fn arithmetic(ev: &Evaluator<'_>, args: &[Value], made: Made, op: Op) -> Result<Value> {
    let [a, b] = args else { return Err(internal()) };
    let (a, b) = (ev.force(a)?, ev.force(b)?);
    ev.arithmetic(op, &a, &b, made)
}

fn bits(ev: &Evaluator<'_>, args: &[Value], made: Made, combine: fn(i64, i64) -> i64) -> Result<Value> {
    let [a, b] = args else { return Err(internal()) };
    Ok(Value::Int(combine(ev.want_int(a)?, ev.want_int(b)?), made))
}

fn less_than(ev: &Evaluator<'_>, args: &[Value], made: Made) -> Result<Value> {
    let [a, b] = args else { return Err(internal()) };
    let (a, b) = (ev.force(a)?, ev.force(b)?);
    Ok(Value::Bool(ev.order(&a, &b)? == Some(Ordering::Less), made))
}

fn round(ev: &Evaluator<'_>, args: &[Value], made: Made, how: fn(f64) -> f64) -> Result<Value> {
    let [number] = args else { return Err(internal()) };
    match ev.force(number)? {
        Value::Int(number, _) => Ok(Value::Int(number, made)),
        Value::Float(number, _) => {
            let rounded = how(number);
            // 2^63 itself is a float; the largest integer is not.
            if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
                Ok(Value::Int(rounded as i64, made))
            } else {
                Err(Error::new(
                    ErrorKind::Other,
                    format!("the float {number} does not fit an integer"),
                ))
            }
        }
        other => Err(ev.wrong("a float", &other)),
    }
}
