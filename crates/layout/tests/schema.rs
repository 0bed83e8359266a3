//! The shape of `layout --format json`, which programs rely on.
#![allow(clippy::expect_used, reason = "tests stop at what is wrong")]

use expect_test::expect_file;
use layout::report::LayoutReport;

#[test]
fn the_schema_of_the_report_changes_only_on_purpose() {
    let schema = schemars::schema_for!(LayoutReport);
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    expect_file!["layout.schema.json"].assert_eq(&format!("{text}\n"));
}
