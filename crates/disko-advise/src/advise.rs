//! From a question to advice.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use emit::report::json::Host;
use emit::{Configuration, EditOutcome, Edits, Report, Texts, edit};
use facts::Input;
use machine::{Config, Inferred, Machine, Workload};
use rules::{Change, Diagnosis, Judgement, RULES, Rule, Safety, diagnose, judge_by};
use source::{Files, Problem, Tree, World};

use crate::allow::suppress;
use crate::declare::{Evaluation, declare};
use crate::overlay::Overlay;

/// What is to be judged, and all that is known beside it.
pub struct Question<'a> {
    /// Where files are read from.
    pub world: &'a dyn World,
    /// The layout: a file or a folder, by its absolute path.
    pub entry: &'a Path,
    /// Where the files that are read are kept, for showing places.
    pub files: Files,
    /// How Nix is evaluated.
    pub evaluation: &'a Evaluation,
    /// The outputs of tools.
    pub facts: Vec<Input<'a>>,
    /// What runs on the machine.
    pub workloads: Vec<Workload>,
    /// What the person complains about.
    pub symptoms: Vec<String>,
    /// Rules that are not to be reported, with the reasons.
    pub allow: BTreeMap<String, String>,
    /// The one rule to ask, or all when `None`.
    pub only: Option<&'static Rule>,
    /// Asked from time to time whether evaluation has taken too long.
    pub interrupt: &'a dyn Fn() -> bool,
}

impl<'a> Question<'a> {
    /// A question about a layout alone.
    pub fn new(world: &'a dyn World, entry: &'a Path, evaluation: &'a Evaluation) -> Self {
        Self {
            world,
            entry,
            files: Files::new(),
            evaluation,
            facts: Vec::new(),
            workloads: Vec::new(),
            symptoms: Vec::new(),
            allow: BTreeMap::new(),
            only: None,
            interrupt: &|| false,
        }
    }
}

/// Advice, and everything that it rests on.
pub struct Advice {
    /// The files that were read.
    pub files: Files,
    /// The machine as it was judged.
    pub machine: Machine,
    /// What the rules said.
    pub judgement: Judgement,
    /// The edits that all findings together ask for, proven.
    pub edits: Edits,
    /// What may be behind the symptoms.
    pub diagnoses: Vec<Diagnosis>,
    /// What was wrong with the input.
    pub problems: Vec<Problem>,
    /// Whether there was a layout at all.
    pub found: bool,
    /// How many findings a person has allowed.
    pub allowed: usize,
    /// The files that the layout was read from.
    pub sources: Vec<Arc<str>>,
    safe: Edits,
}

impl Advice {
    /// The report for programs.
    pub fn report(&self) -> Report {
        Report::new(
            &self.files,
            self.host(),
            &self.judgement,
            &self.edits,
            &self.diagnoses,
        )
    }

    /// The host, as reports name it.
    fn host(&self) -> Host {
        let options = self.machine.config.options.as_ref();
        let facts = &self.machine.facts;
        let mut disks: Vec<_> = facts.disks.iter().filter(|disk| disk.is_disk()).collect();
        disks.sort_by_key(|disk| disk.shown_name());
        Host {
            name: options
                .and_then(|tree| tree.lookup(["networking", "hostName"])?.as_str())
                .map(str::to_owned),
            product: facts.product.as_ref().map(|it| it.value.to_string()),
            disks: disks
                .iter()
                .filter_map(|disk| disk.model.as_ref())
                .map(|model| model.value.to_string())
                .collect(),
            files: self.sources.iter().map(|path| path.to_string()).collect(),
        }
    }

    /// The edits that `apply` may write: the safe ones, or also those that trade something away.
    pub fn edits_to_write(&self, with_unsafe: bool) -> Edits {
        if with_unsafe {
            self.edits.clone()
        } else {
            self.safe.clone()
        }
    }

    /// How many proven edits trade something away and are written only when asked for.
    pub fn held_back(&self) -> usize {
        let proven = |number: &usize| matches!(self.edits.outcomes.get(number), Some(EditOutcome::Proven(_)));
        let is_unsafe = |number: &usize| {
            self.judgement
                .findings
                .get(*number)
                .is_some_and(|it| it.finding.safety != Safety::Safe)
        };
        self.edits
            .outcomes
            .keys()
            .filter(|it| proven(it) && is_unsafe(it))
            .count()
    }
}

/// Judges a layout.
pub fn advise(question: Question<'_>) -> Advice {
    let Question {
        world,
        entry,
        files,
        evaluation,
        facts,
        workloads,
        symptoms,
        allow,
        only,
        interrupt,
    } = question;
    let declared = declare(world, &files, entry, evaluation, interrupt);
    let mut problems = declared.problems;
    problems.extend(declared.layout.problems.iter().cloned());
    let sources = files.paths();
    let (observed, more) = facts::read(&files, facts);
    problems.extend(more);
    let tree = declared.tree;
    let machine = Machine {
        layout: declared.layout,
        facts: observed,
        config: Config {
            options: Some(tree.clone()),
            complete: declared.complete,
        },
        workloads,
        inferred: Inferred::default(),
    };
    let mut judgement = judge_by(&machine, only.map_or(RULES, std::slice::from_ref));
    let (allowed, more) = suppress(&files, &mut judgement, &allow);
    problems.extend(more);
    let diagnoses = diagnose(&machine, &judgement, &symptoms);

    let evaluate = |texts: &Texts| -> Tree {
        let texts = texts
            .iter()
            .map(|(shown, text)| (files.full_path(shown).into(), text.clone()));
        let overlay = Overlay::new(world, texts);
        declare(&overlay, &Files::new(), entry, evaluation, interrupt).tree
    };
    let configuration = Configuration {
        files: &files,
        tree: &tree,
        evaluate: &evaluate,
    };
    let wanted = |most: Safety| -> Vec<(usize, &[Change])> {
        let findings = judgement.findings.iter().enumerate();
        findings
            .filter(|(_, it)| it.finding.safety <= most)
            .map(|(at, it)| (at, &it.finding.changes[..]))
            .collect()
    };
    let (edits, safe) = if declared.editable {
        let all = wanted(Safety::Unsafe);
        let safe = wanted(Safety::Safe);
        let edits = edit(&configuration, all.iter().copied());
        let safe = if safe.len() == all.len() {
            edits.clone()
        } else {
            edit(&configuration, safe.iter().copied())
        };
        (edits, safe)
    } else {
        (Edits::default(), Edits::default())
    };
    Advice {
        files,
        machine,
        judgement,
        edits,
        diagnoses,
        problems,
        found: declared.found,
        allowed,
        sources,
        safe,
    }
}
