//! The chores of this repository: `cargo xtask new-rule AREA NAME`, `tidy`, `bench`,
//! `bench nix`, `bench provenance`, `bench fleet`,
//! `bench facts`.

mod bench;
mod bench_facts;
mod new_rule;
mod tidy;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["new-rule", area, name] => new_rule::run(area, name),
        ["bench"] => bench::host(),
        ["bench", "nix"] => bench::nix(),
        ["bench", "provenance"] => bench::provenance(),
        ["bench", "fleet"] => bench::fleet(),
        ["bench", "facts"] => bench_facts::run(),
        ["tidy"] => tidy::run(),
        _ => anyhow::bail!(
            "usage: cargo xtask new-rule AREA NAME | tidy | bench [nix | provenance | fleet | facts]"
        ),
    }
}
