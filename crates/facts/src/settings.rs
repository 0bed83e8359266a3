//! What services say of themselves: PostgreSQL's `pg_settings`, Redis's `INFO`.

use std::sync::Arc;

use source::{Bytes, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Lines, Place};
use crate::json::{Doc, Json};
use crate::number;

/// A setting of PostgreSQL.
#[derive(Clone, Debug, PartialEq)]
pub struct PgSetting {
    /// Its value, in its unit.
    pub value: Sourced<Arc<str>>,
    /// The unit: `8kB`, `kB`, `MB`, `ms`, `s`, `min`.
    pub unit: Fact<Arc<str>>,
    /// Who set it: `default`, `configuration file` …
    pub source: Fact<Arc<str>>,
}

impl PgSetting {
    /// The value in bytes, where it is a size.
    pub fn bytes(&self) -> Option<Bytes> {
        let count = number::whole(&self.value.value)?;
        let unit = self.unit.as_ref()?;
        // pg_settings writes `kB` and means 1024 bytes.
        let block = match &*unit.value {
            "B" => 1,
            "kB" => 1 << 10,
            "8kB" => 8 << 10,
            "16kB" => 16 << 10,
            "32kB" => 32 << 10,
            "4kB" => 4 << 10,
            "2kB" => 2 << 10,
            "1kB" => 1 << 10,
            "MB" => 1 << 20,
            "16MB" => 16 << 20,
            "GB" => 1 << 30,
            _ => return None,
        };
        count.checked_mul(block).map(Bytes)
    }
}

/// The fields of a line of CSV; a field in quotation marks may hold commas and doubled marks.
pub(crate) fn csv(line: &str) -> Vec<std::borrow::Cow<'_, str>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut text = String::new();
            let mut after = quoted;
            loop {
                let Some(at) = after.find('"') else {
                    text.push_str(after);
                    after = "";
                    break;
                };
                text.push_str(after.get(..at).unwrap_or(""));
                after = after.get(at + 1..).unwrap_or("");
                match after.strip_prefix('"') {
                    Some(more) => {
                        text.push('"');
                        after = more;
                    }
                    None => break,
                }
            }
            fields.push(text.into());
            rest = after;
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (field, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            fields.push(field.into());
            rest = after;
        }
        match rest.strip_prefix(',') {
            Some(after) if fields.len() < 256 => rest = after,
            _ => return fields,
        }
    }
}

/// Whether a line heads `pg_settings` as CSV.
pub(crate) fn is_pg_header(line: &str) -> bool {
    let fields = csv(line.trim());
    let has = |name: &str| fields.iter().any(|field| field == name);
    has("name") && has("setting")
}

/// The most settings that are kept; PostgreSQL 17 has some 370.
const MOST: usize = 10_000;

/// `pg_settings` as CSV with a header.
pub(crate) fn pg_csv(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut columns: Vec<String> = Vec::new();
    while let Some(line) = lines.next() {
        let text = line.text.trim_end();
        if columns.is_empty() {
            columns = csv(text).into_iter().map(std::borrow::Cow::into_owned).collect();
            continue;
        }
        if text.is_empty() || facts.postgres.len() >= MOST {
            continue;
        }
        let fields = csv(text);
        let find = |name: &str| {
            let at = columns.iter().position(|column| column == name)?;
            fields.get(at).filter(|field| !field.is_empty())
        };
        let (Some(name), Some(setting)) = (find("name"), find("setting")) else {
            // A setting may be empty, which says nothing.
            if find("name").is_none() {
                place.warn(&line, text, "not a row of pg_settings");
            }
            continue;
        };
        let fact = |text: &str| line.sourced(Arc::from(text), text);
        let setting = PgSetting {
            value: fact(setting),
            unit: find("unit").map(|unit| fact(unit)),
            source: find("source").map(|source| fact(source)),
        };
        facts.postgres.insert(Arc::from(&**name), setting);
    }
}

/// Whether a document is `pg_settings` as a list of objects.
pub(crate) fn is_pg_json(root: &Json) -> bool {
    root.list()
        .first()
        .is_some_and(|first| first.get("name").is_some() && first.get("setting").is_some())
}

/// `pg_settings` as JSON.
pub(crate) fn pg_json(doc: &Doc<'_>, root: &Json, facts: &mut Facts) {
    for row in root.list().iter().take(MOST) {
        let (Some(name), Some(value)) = (doc.text(row, "name"), doc.text(row, "setting")) else {
            continue;
        };
        let setting = PgSetting {
            value,
            unit: doc.text(row, "unit"),
            source: doc.text(row, "source"),
        };
        facts.postgres.insert(name.value, setting);
    }
}

/// Whether a line is one of Redis's `INFO`.
pub(crate) fn is_redis(line: &str) -> bool {
    line.starts_with("redis_version:") || line.starts_with("valkey_version:")
}

/// Redis's `INFO`.
pub(crate) fn redis(_place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    while let Some(line) = lines.next() {
        if facts.redis.len() >= MOST {
            return;
        }
        if let Some((name, value)) = line.text.trim().split_once(':')
            && !name.starts_with('#')
        {
            facts.redis.insert(Arc::from(name), line.text_at(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_csv() {
        let shown: Vec<_> = [r#"a,b,,c"#, r#""a,b","say ""x""",z"#, r#""open"#, "", ","]
            .map(csv)
            .into();
        expect_test::expect![[r#"
            [
                [
                    "a",
                    "b",
                    "",
                    "c",
                ],
                [
                    "a,b",
                    "say \"x\"",
                    "z",
                ],
                [
                    "open",
                ],
                [
                    "",
                ],
                [
                    "",
                    "",
                ],
            ]
        "#]]
        .assert_debug_eq(&shown);
    }
}
