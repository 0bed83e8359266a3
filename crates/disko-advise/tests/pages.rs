//! Runs the examples on every rule's page.
//!
//! An example is one or more fenced blocks with `file=NAME` and then a `report` block, which holds
//! what the rule says of them. `UPDATE_EXPECT=1` writes the report blocks anew; read them then.
//! Under "Fires" there is a finding, and applying what it proposes silences the rule; under "Stays
//! silent" the rule is content; under "Undecided" it misses a fact.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what did not run"
)]
#![expect(clippy::disallowed_methods, reason = "the pages are files of this repository")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use disko_advise::emit::{Look, module, text};
use disko_advise::facts::Input;
use disko_advise::machine::Workload;
use disko_advise::rules::{Change, LayoutEdit, ListEdit, RULES, Rule, Safety};
use disko_advise::source::{Files, MemoryWorld};
use disko_advise::{Advice, Evaluation, Question, advise};

/// Where the files of an example stand.
const ROOT: &str = "/example";

#[test]
fn pages() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    let mut examples = 0;
    for rule in RULES {
        let path = page_of(rule);
        let old = std::fs::read_to_string(&path).unwrap();
        let mut page = Page {
            rule,
            section: String::new(),
            files: Vec::new(),
            workloads: Vec::new(),
            wrong: &mut wrong,
            examples: &mut examples,
        };
        let new = page.run(&old);
        if old != new {
            if update {
                std::fs::write(&path, new).unwrap();
            } else {
                let diff = disko_advise::emit::unified(&path.display().to_string(), &old, &new);
                wrong.push(format!(
                    "the reports on the page are not what the rule says:\n{diff}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{examples} examples on {} pages", RULES.len());
}

/// The file of a rule's page: the one that begins with its name.
fn page_of(rule: &Rule) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/src");
    for area in std::fs::read_dir(root)
        .unwrap()
        .flatten()
        .filter(|it| it.path().is_dir())
    {
        for file in std::fs::read_dir(area.path()).unwrap().flatten() {
            let path = file.path();
            let is_page = path.extension().is_some_and(|it| it == "md");
            if is_page
                && std::fs::read_to_string(&path)
                    .unwrap()
                    .starts_with(&format!("# {}\n", rule.id))
            {
                return path;
            }
        }
    }
    panic!("{} has no page", rule.id);
}

struct Page<'a> {
    rule: &'static Rule,
    section: String,
    files: Vec<(String, String)>,
    workloads: Vec<Workload>,
    wrong: &'a mut Vec<String>,
    examples: &'a mut usize,
}

impl Page<'_> {
    /// Runs every example, and gives the page with the reports as they are now.
    fn run(&mut self, page: &str) -> String {
        let mut out = String::new();
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            out.push_str(line);
            out.push('\n');
            if let Some(heading) = line.strip_prefix("## ") {
                heading.clone_into(&mut self.section);
                self.files.clear();
                self.workloads.clear();
            }
            let Some(info) = line.strip_prefix("```") else {
                continue;
            };
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if info == "report" {
                out.push_str(&self.example());
                self.files.clear();
                self.workloads.clear();
            } else {
                let word = |key: &str| info.split(' ').find_map(|word| word.strip_prefix(key));
                if let Some(workload) = word("workload=") {
                    self.workloads.push(Workload {
                        name: workload.into(),
                        mountpoint: None,
                    });
                }
                if let Some(name) = word("file=") {
                    self.files
                        .push((name.to_owned(), format!("{}\n", block.join("\n"))));
                }
                for line in block {
                    out.push_str(line);
                    out.push('\n');
                }
            }
            out.push_str("```\n");
        }
        out
    }

    fn example(&mut self) -> String {
        *self.examples += 1;
        let mut world = MemoryWorld::new();
        for (name, text) in &self.files {
            world.insert(format!("{ROOT}/{name}"), text);
        }
        let advice = self.advise(&world, "disko.nix");
        self.does_no_harm(&advice);
        let findings = advice.judgement.findings.len();
        let undecided = advice.judgement.undecided.len();
        match self.section.as_str() {
            "Fires" if findings == 0 => self.complain("does not fire"),
            "Fires" => self.silenced_by_its_own_advice(&world, &advice),
            "Stays silent" if findings + undecided > 0 => self.complain("does not stay silent"),
            "Undecided" if findings > 0 || undecided == 0 => self.complain("is not undecided"),
            _ => {}
        }
        self.report(&advice)
    }

    /// What no advice may ever ask for, in an edit, a setting or a command: it loses data, or leaves
    /// the machine unbootable. Each finding also says how to see that it worked.
    fn does_no_harm(&mut self, advice: &Advice) {
        const DEADLY: [&str; 20] = [
            "sync=disabled",
            "nocacheflush",
            "nobarrier",
            "barrier=0",
            "nodatacow",
            "nodatasum",
            "data=writeback",
            "journal_async_commit",
            "fsync_mode=nobarrier",
            "full_page_writes",
            "fsync=off",
            "vfs_cache_pressure\" = 0",
            "check --repair",
            "--mode disko",
            "--mode destroy",
            "wipefs",
            "mkfs",
            "luksFormat",
            "zpool create",
            "zpool destroy",
        ];
        for outcome in &advice.judgement.findings {
            let finding = &outcome.finding;
            let asked = finding.changes.iter().map(|change| match change {
                Change::Layout(LayoutEdit::Options { edits, .. }) => {
                    let added = edits.iter().filter_map(|edit| match edit {
                        ListEdit::Add(option) | ListEdit::Replace { with: option, .. } => {
                            Some(option.as_str())
                        }
                        ListEdit::Remove(_) | ListEdit::Once(_) => None,
                    });
                    added.collect::<Vec<_>>().join(" ")
                }
                Change::Layout(LayoutEdit::Set { path, value }) => format!("{path}={value}"),
                Change::Layout(LayoutEdit::Unset { .. }) => String::new(),
                Change::Nixos(setting) => format!("{} = {}", setting.option, setting.value),
                Change::Command(command) => command.text.clone(),
            });
            for text in asked {
                if let Some(deadly) = DEADLY.iter().find(|it| text.contains(*it)) {
                    self.complain(&format!("asks for `{deadly}`: {text}"));
                }
            }
            if finding.verify.is_empty() {
                self.complain("does not say how to see that it worked");
            }
        }
    }

    fn complain(&mut self, what: &str) {
        let rule = self.rule.id;
        self.wrong
            .push(format!("{rule} {what} in an example of \"{}\"", self.section));
    }

    fn advise(&self, world: &MemoryWorld, entry: &str) -> Advice {
        let evaluation = Evaluation::default();
        let entry = format!("{ROOT}/{entry}");
        let facts = self.files.iter().filter(|(name, _)| !name.ends_with(".nix"));
        let advice = advise(Question {
            files: Files::below(ROOT),
            facts: facts
                .map(|(name, text)| Input::new(name.as_str(), text.as_bytes()))
                .collect(),
            workloads: self.workloads.clone(),
            only: Some(self.rule),
            ..Question::new(world, Path::new(&entry), &evaluation)
        });
        assert!(
            advice.found,
            "{}: no layout in an example of \"{}\"",
            self.rule.id, self.section
        );
        if let Some(problem) = advice.problems.first() {
            panic!(
                "{}: a problem in an example of \"{}\": {problem:?}",
                self.rule.id, self.section
            );
        }
        advice
    }

    /// Applies the edits and imports the module, and asks again.
    fn silenced_by_its_own_advice(&mut self, world: &MemoryWorld, advice: &Advice) {
        let by_hand = advice
            .judgement
            .findings
            .iter()
            .any(|it| it.finding.safety == Safety::Manual);
        let writes = |it: &Change| matches!(it, Change::Layout(_) | Change::Nixos(_));
        if by_hand
            || !advice
                .judgement
                .findings
                .iter()
                .any(|it| it.finding.changes.iter().any(writes))
        {
            return;
        }
        let mut mended = world.clone();
        for (path, text) in &advice.edits.texts {
            mended.insert(format!("{ROOT}/{path}"), text);
        }
        let tuning = module(&advice.judgement).unwrap_or_else(|| "{ }".to_owned());
        mended.insert(format!("{ROOT}/tuning.nix"), tuning);
        mended.insert(
            format!("{ROOT}/mended.nix"),
            "{ imports = [ ./disko.nix ./tuning.nix ]; }",
        );
        let again = self.advise(&mended, "mended.nix");
        if !again.judgement.findings.is_empty() {
            let report = self.report(&again);
            self.complain(&format!(
                "still fires after its own advice was followed:\n{report}"
            ));
        }
    }

    /// What the rule says, without the closing line.
    fn report(&self, advice: &Advice) -> String {
        let look = Look {
            colour: false,
            width: 120,
        };
        let whole = text(&advice.files, &advice.judgement, &advice.edits, &[], look);
        let mut out: String = match whole.trim_end().rsplit_once('\n') {
            Some((findings, _)) => format!("{}\n", findings.trim_end()),
            None => String::new(),
        };
        for undecided in &advice.judgement.undecided {
            let _ = writeln!(out, "undecided: {}: {}", undecided.subject, undecided.missing);
        }
        if out.is_empty() {
            let clear = advice.judgement.clear > 0;
            out.push_str(if clear { "clear\n" } else { "not applicable\n" });
        }
        out
    }
}
