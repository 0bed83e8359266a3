//! OpenZFS: `zpool list`, `zpool status`, `zfs get`, and the counters of its cache.

use std::collections::BTreeMap;
use std::sync::Arc;

use source::{Bytes, Origin, PerSecond, Percent, Ratio, Sourced};

use crate::facts::{Fact, Facts};
use crate::input::{Line, Lines, Place};
use crate::io::Window;
use crate::number;

/// A pool as `zpool list` shows it. Sizes are raw: parity of RAIDZ is in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Zpool {
    /// The pool.
    pub name: Sourced<Arc<str>>,
    /// All of it.
    pub size: Fact<Bytes>,
    /// What is used.
    pub allocated: Fact<Bytes>,
    /// What is free.
    pub free: Fact<Bytes>,
    /// How fragmented the *free* space is. Says nothing about files.
    pub fragmentation: Fact<Percent>,
    /// The share that is used.
    pub capacity: Fact<Percent>,
    /// What deduplication saves: 1 where it saves nothing.
    pub dedup_ratio: Fact<f64>,
    /// `ONLINE`, `DEGRADED`, `FAULTED` …
    pub health: Fact<Arc<str>>,
}

/// A pool as `zpool status` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ZpoolStatus {
    /// The pool.
    pub pool: Sourced<Arc<str>>,
    /// `ONLINE`, `DEGRADED` …
    pub state: Fact<Arc<str>>,
    /// What is wrong, in OpenZFS's words; nothing when all is well.
    pub status: Fact<Arc<str>>,
    /// The last scrub or resilver.
    pub scan: Fact<Arc<str>>,
    /// `No known data errors`, or how many there are.
    pub errors: Fact<Arc<str>>,
    /// The pool's tree, the pool itself first.
    pub vdevs: Vec<Vdev>,
}

/// A line of the pool's tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Vdev {
    /// `tank`, `raidz2-0`, `sda`, `/dev/disk/by-id/…`
    pub name: Sourced<Arc<str>>,
    /// How deep in the tree; the pool is at 0.
    pub depth: usize,
    /// What it is for.
    pub class: VdevClass,
    /// `ONLINE`, `DEGRADED`, `AVAIL` …
    pub state: Fact<Arc<str>>,
    /// Reads that failed.
    pub read: Fact<u64>,
    /// Writes that failed.
    pub write: Fact<u64>,
    /// Blocks whose checksum was wrong.
    pub checksum: Fact<u64>,
    /// What stands behind the counters: `(resilvering)`, `too many errors` …
    pub note: Fact<Arc<str>>,
}

/// What a part of a pool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VdevClass {
    /// Data.
    Normal,
    /// A separate intent log.
    Log,
    /// L2ARC.
    Cache,
    /// A spare.
    Spare,
    /// Metadata and small blocks.
    Special,
    /// The deduplication table.
    Dedup,
}

/// A property of a dataset or a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct ZfsProperty {
    /// The dataset, snapshot, volume or pool.
    pub dataset: Arc<str>,
    /// The property.
    pub property: Arc<str>,
    /// Its value, as `-p` prints it.
    pub value: Sourced<Arc<str>>,
    /// Who set it.
    pub source: PropertySource,
    /// Whether it is a property of a pool (`zpool get`) rather than of a dataset.
    pub of_pool: bool,
}

impl ZfsProperty {
    /// The value as a size in bytes; `None` if it is none, such as `none` or `-`.
    pub fn bytes(&self) -> Option<Bytes> {
        number::size(&self.value.value)
    }

    /// The value as a switch.
    pub fn is_on(&self) -> Option<bool> {
        match &*self.value.value {
            "on" | "yes" | "enabled" | "active" => Some(true),
            "off" | "no" | "disabled" => Some(false),
            _ => None,
        }
    }
}

/// Who set a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertySource {
    /// Nobody: OpenZFS's own default.
    Default,
    /// Set on this dataset.
    Local,
    /// Set on the dataset named here.
    Inherited(Arc<str>),
    /// Came with `zfs receive`.
    Received,
    /// Set for as long as it is mounted.
    Temporary,
    /// A property that tells and cannot be set.
    ReadOnly,
}

/// Counters of the kernel (a kstat), once or twice.
///
/// Read once they cover all the time since boot; read twice, the time between.
#[derive(Clone, Debug, PartialEq)]
pub struct Counters {
    /// The earlier sample, if there are two.
    pub first: Option<Kstat>,
    /// The later sample.
    pub last: Kstat,
    /// The time between the two in seconds, from the samples' own clock or a file's name.
    pub seconds: Option<f64>,
}

/// One sample of counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kstat {
    /// When it was taken, in nanoseconds of the kernel's clock since boot.
    pub snaptime: Option<u64>,
    /// The counters by name.
    pub values: BTreeMap<Arc<str>, Sourced<u64>>,
}

impl Counters {
    /// What time [`Self::delta`] and what is made of it cover.
    pub fn window(&self) -> Window {
        match self.first {
            Some(_) => Window::Intervals,
            None => Window::SinceBoot,
        }
    }

    /// A value that is a state rather than a counter, from the later sample.
    pub fn get(&self, name: &str) -> Option<&Sourced<u64>> {
        self.last.values.get(name)
    }

    /// How far a counter went: between the samples, or since boot.
    pub fn delta(&self, name: &str) -> Option<Sourced<u64>> {
        let last = self.get(name)?;
        match &self.first {
            None => Some(last.clone()),
            Some(first) => {
                let first = first.values.get(name)?;
                let origin = Origin::derived([first.origin.clone(), last.origin.clone()]);
                Some(Sourced::new(last.value.checked_sub(first.value)?, origin))
            }
        }
    }

    /// How fast a counter went between the samples.
    pub fn rate(&self, name: &str) -> Option<Sourced<PerSecond>> {
        self.first.as_ref()?;
        let seconds = self.seconds.filter(|seconds| *seconds > 0.0)?;
        Some(self.delta(name)?.map(|count| PerSecond(count as f64 / seconds)))
    }

    /// One counter's share of itself and another: hits of hits and misses.
    pub fn share(&self, part: &str, other: &str) -> Option<Sourced<Ratio>> {
        let (part, other) = (self.delta(part)?, self.delta(other)?);
        let all = part.value.checked_add(other.value).filter(|all| *all > 0)?;
        let origin = Origin::derived([part.origin, other.origin]);
        Some(Sourced::new(Ratio(part.value as f64 / all as f64), origin))
    }
}

/// OpenZFS's adaptive replacement cache, from `/proc/spl/kstat/zfs/arcstats`.
///
/// The names are those of `arc_stats_t` in OpenZFS's `include/sys/arc_impl.h`.
#[derive(Clone, Debug, PartialEq)]
pub struct ArcStats(pub Counters);

impl ArcStats {
    fn bytes(&self, name: &str) -> Fact<Bytes> {
        Some(self.0.get(name)?.clone().map(Bytes))
    }

    /// How large the cache is.
    pub fn size(&self) -> Fact<Bytes> {
        self.bytes("size")
    }

    /// How large it wants to be.
    pub fn target(&self) -> Fact<Bytes> {
        self.bytes("c")
    }

    /// How large it may become.
    pub fn max(&self) -> Fact<Bytes> {
        self.bytes("c_max")
    }

    /// How small it may become.
    pub fn min(&self) -> Fact<Bytes> {
        self.bytes("c_min")
    }

    /// Hits as a share of all accesses, prefetches among them.
    pub fn hits(&self) -> Option<Sourced<Ratio>> {
        self.0.share("hits", "misses")
    }

    /// Hits as a share of what programs asked for: data.
    pub fn demand_data_hits(&self) -> Option<Sourced<Ratio>> {
        self.0.share("demand_data_hits", "demand_data_misses")
    }

    /// Hits as a share of what programs asked for: metadata.
    pub fn demand_metadata_hits(&self) -> Option<Sourced<Ratio>> {
        self.0.share("demand_metadata_hits", "demand_metadata_misses")
    }

    /// What time the shares cover.
    pub fn window(&self) -> Window {
        self.0.window()
    }
}

/// The most rows of each kind that are kept.
const MOST: usize = 100_000;
/// The most properties: a hundred of each of ten thousand datasets.
const MOST_PROPERTIES: usize = 1_000_000;

const HEALTH: &[&str] = &[
    "ONLINE",
    "DEGRADED",
    "FAULTED",
    "OFFLINE",
    "UNAVAIL",
    "REMOVED",
    "SUSPENDED",
];

/// Whether a line is a row of `zpool list -H`.
pub(crate) fn is_zpool_row(line: &str) -> bool {
    let fields: Vec<&str> = line.split('\t').collect();
    (9..=11).contains(&fields.len()) && fields.iter().any(|field| HEALTH.contains(field))
}

/// Whether a line heads `zpool list`.
pub(crate) fn is_zpool_header(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    words.next() == Some("NAME") && words.next() == Some("SIZE") && words.next() == Some("ALLOC")
}

/// Whether a row of `zpool list -v` is the name of a class and no figure: `special   -  -  …`.
fn is_class_row(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    words
        .next()
        .is_some_and(|name| ["dedup", "special", "logs", "cache", "spare", "spares"].contains(&name))
        && words.all(|word| word == "-")
}

/// `zpool list`, with `-H` and `-p` or without.
pub(crate) fn zpool_list(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    while let Some(line) = lines.next() {
        let text = line.text.trim_end();
        if text.trim().is_empty() || is_zpool_header(text) {
            continue;
        }
        // With -v the parts of a pool follow, indented, some below the name of their class.
        if text.starts_with([' ', '\t']) || is_class_row(text) {
            continue;
        }
        let fields: Vec<&str> = if text.contains('\t') {
            text.split('\t').collect()
        } else {
            text.split_ascii_whitespace().collect()
        };
        // CKPOINT came with 0.8, so what stands behind is counted from the end.
        let (name, size, allocated, free, rest) = match fields.as_slice() {
            [name, size, allocated, free, rest @ ..] if rest.len() >= 5 => {
                (*name, *size, *allocated, *free, rest)
            }
            _ => {
                place.warn(&line, text, "not a row of zpool list");
                continue;
            }
        };
        let [fragmentation, capacity, dedup, health, _altroot] = *rest.last_chunk::<5>().unwrap_or(&["-"; 5]);
        if !HEALTH.contains(&health) {
            place.warn(&line, text, "not a row of zpool list");
            continue;
        }
        if facts.zpools.len() >= MOST {
            place.tell_file("more than 100000 pools; the rest is left out");
            return;
        }
        let mut told = |what: &str, text: &str, missing: bool| {
            if missing && text != "-" {
                place.warn(&line, text, format_args!("{text} cannot be {what}"));
            }
        };
        let mut bytes = |what: &str, text: &str| {
            let bytes = number::size(text);
            told(what, text, bytes.is_none());
            bytes.map(|bytes| line.sourced(bytes, text))
        };
        let size = bytes("the size of a pool", size);
        let allocated = bytes("what of a pool is used", allocated);
        let free = bytes("what of a pool is free", free);
        let mut share = |what: &str, text: &str| {
            let share = number::percent(text).filter(|share| *share <= 100.0);
            told(what, text, share.is_none());
            share.map(|share| line.sourced(Percent(share), text))
        };
        let fragmentation = share("a fragmentation", fragmentation);
        let capacity = share("a share of a pool", capacity);
        let ratio = number::amount(dedup.trim_end_matches('x')).filter(|ratio| *ratio >= 0.99);
        told("a ratio of deduplication", dedup, ratio.is_none());
        facts.zpools.push(Zpool {
            name: line.text_at(name),
            size,
            allocated,
            free,
            fragmentation,
            capacity,
            dedup_ratio: ratio.map(|ratio| line.sourced(ratio, dedup)),
            health: Some(line.text_at(health)),
        });
    }
}

/// `zpool status`, with any flags.
pub(crate) fn zpool_status(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let mut current: Option<ZpoolStatus> = None;
    let mut in_config = false;
    let mut class = VdevClass::Normal;
    let mut indent = 0;
    // Which of the sentences goes on in the next line.
    let mut continued = false;
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        if let Some(pool) = text.strip_prefix("pool: ") {
            if facts.zpool_status.len() >= MOST {
                place.tell_file("more than 100000 pools; the rest is left out");
                break;
            }
            facts.zpool_status.extend(current.take());
            current = Some(ZpoolStatus {
                pool: line.text_at(pool.trim()),
                state: None,
                status: None,
                scan: None,
                errors: None,
                vdevs: Vec::new(),
            });
            in_config = false;
            continued = false;
            continue;
        }
        let Some(pool) = &mut current else { continue };
        if text.is_empty() {
            continued = false;
            continue;
        }
        if let Some(errors) = text.strip_prefix("errors: ") {
            pool.errors = Some(line.text_at(errors));
            in_config = false;
            continue;
        }
        if in_config {
            if text.starts_with("NAME ") {
                indent = line.text.len() - line.text.trim_start().len();
                class = VdevClass::Normal;
                continue;
            }
            let named = match text {
                "logs" => Some(VdevClass::Log),
                "cache" => Some(VdevClass::Cache),
                "spares" => Some(VdevClass::Spare),
                "special" => Some(VdevClass::Special),
                "dedup" => Some(VdevClass::Dedup),
                _ => None,
            };
            if let Some(named) = named {
                class = named;
                continue;
            }
            if pool.vdevs.len() < MOST {
                let depth = (line.text.len() - line.text.trim_start().len()).saturating_sub(indent) / 2;
                let new = vdev(place, &line, depth, class);
                pool.vdevs.push(new);
            }
            continue;
        }
        let sentence = |prefix: &str| text.strip_prefix(prefix).map(|rest| line.text_at(rest.trim()));
        if let Some(state) = sentence("state: ") {
            pool.state = Some(state);
        } else if let Some(status) = sentence("status: ") {
            pool.status = Some(status);
            continued = true;
        } else if let Some(scan) = sentence("scan: ").or_else(|| sentence("scrub: ")) {
            pool.scan = Some(scan);
            continued = false;
        } else if text == "config:" {
            in_config = true;
            continued = false;
        } else if text.starts_with("action: ") || text.starts_with("see: ") {
            continued = false;
        } else if let (true, Some(status)) = (continued && pool.status.is_some(), &mut pool.status)
            && status.value.len() < 4096
        {
            status.value = Arc::from(format!("{} {text}", status.value));
        }
    }
    facts.zpool_status.extend(current);
}

fn vdev(place: &mut Place<'_>, line: &Line<'_>, depth: usize, class: VdevClass) -> Vdev {
    let text = line.text.trim();
    let mut words = text.split_ascii_whitespace();
    let name = words.next().unwrap_or("");
    let state = words.next();
    let mut errors = || {
        let word = words.next()?;
        // Large counts are shortened to 1.2K unless -p was given.
        let count = number::whole(word).or_else(|| number::size(word).map(|count| count.0));
        if count.is_none() && word != "-" {
            place.warn(line, word, "not a count of errors");
        }
        Some(line.sourced(count?, word))
    };
    let (read, write, checksum) = (errors(), errors(), errors());
    let last = checksum.as_ref().and(text.split_ascii_whitespace().nth(4));
    let note = last
        .and_then(|last| {
            let at = (last.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize) + last.len();
            text.get(at..)
        })
        .map(str::trim)
        .filter(|note| !note.is_empty());
    Vdev {
        name: line.text_at(name),
        depth,
        class,
        state: state.map(|state| line.text_at(state)),
        read,
        write,
        checksum,
        note: note.map(|note| line.text_at(note)),
    }
}

/// Properties of pools alone (zpoolprops(7)); `readonly`, `guid` and others are of datasets too.
const POOL_PROPERTIES: &[&str] = &[
    "allocated",
    "altroot",
    "ashift",
    "autoexpand",
    "autoreplace",
    "autotrim",
    "bcloneratio",
    "bclonesaved",
    "bcloneused",
    "bootfs",
    "cachefile",
    "capacity",
    "checkpoint",
    "comment",
    "compatibility",
    "dedup_table_quota",
    "dedup_table_size",
    "dedupratio",
    "delegation",
    "expandsize",
    "failmode",
    "fragmentation",
    "free",
    "freeing",
    "health",
    "last_scrubbed_txg",
    "leaked",
    "listsnapshots",
    "load_guid",
    "maxblocksize",
    "maxdnodesize",
    "multihost",
    "size",
];

/// The four columns of a row of `zfs get`.
fn property_row(text: &str) -> Option<[&str; 4]> {
    if text.contains('\t') {
        let mut fields = text.split('\t');
        let (dataset, property) = (fields.next()?, fields.next()?);
        let rest: Vec<&str> = fields.collect();
        // A value may hold tabs; `-o all` puts what was received before the source.
        let (source, value) = rest.split_last()?;
        let value = value.first().copied().unwrap_or("");
        return (!dataset.is_empty() && is_property(property)).then_some([dataset, property, value, source]);
    }
    // In columns, a value may hold blanks: the source is known by its words at the end.
    let text = text.trim();
    let (dataset, rest) = text.split_once(' ')?;
    let (property, rest) = rest.trim_start().split_once(' ')?;
    let rest = rest.trim();
    let at = match rest.rfind(" inherited from ") {
        Some(at) => at,
        None => rest.rfind(' ')?,
    };
    let (value, source) = rest.split_at_checked(at)?;
    is_property(property).then_some([dataset, property, value.trim_end(), source.trim_start()])
}

/// Native properties are lower-case letters; user properties hold a colon.
fn is_property(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_@:.-".contains(&b))
}

fn property_source(text: &str) -> Option<PropertySource> {
    let text = text.trim();
    Some(match text {
        "default" => PropertySource::Default,
        "local" => PropertySource::Local,
        "received" => PropertySource::Received,
        "temporary" => PropertySource::Temporary,
        "-" => PropertySource::ReadOnly,
        _ => PropertySource::Inherited(Arc::from(text.strip_prefix("inherited from ")?.trim())),
    })
}

/// Whether a line is a row of `zfs get` or `zpool get`.
pub(crate) fn is_property_row(line: &str) -> bool {
    property_row(line).is_some_and(|[_, _, _, source]| property_source(source).is_some())
}

/// `zfs get -Hp all` and `zpool get -Hp all`.
pub(crate) fn properties(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts) {
    let told_pool = place.name.contains("zpool")
        || place
            .command
            .as_ref()
            .is_some_and(|command| command.contains("zpool get"));
    let mut last: Arc<str> = Arc::from("");
    let mut names: BTreeMap<Box<str>, Arc<str>> = BTreeMap::new();
    while let Some(line) = lines.next() {
        let text = line.text;
        if text.trim().is_empty() || text.starts_with("NAME ") {
            continue;
        }
        let row = property_row(text).and_then(|row| Some((row, property_source(row.last()?)?)));
        let Some(([dataset, property, value, _], source)) = row else {
            place.warn(&line, text, "not a row of zfs get");
            continue;
        };
        if facts.zfs.len() >= MOST_PROPERTIES {
            place.tell_file("more than a million properties; the rest is left out");
            return;
        }
        if &*last != dataset {
            last = Arc::from(dataset);
        }
        let known = names.get(property).cloned();
        let name = known.unwrap_or_else(|| {
            let name: Arc<str> = Arc::from(property);
            if names.len() < 10_000 {
                names.insert(Box::from(property), Arc::clone(&name));
            }
            name
        });
        facts.zfs.push(ZfsProperty {
            dataset: Arc::clone(&last),
            of_pool: told_pool || POOL_PROPERTIES.contains(&property) || property.starts_with("feature@"),
            property: name,
            value: line.text_at(value),
            source,
        });
    }
}

/// Whether the first lines are those of a kstat.
pub(crate) fn is_kstat(first: &str, second: &str) -> bool {
    let words: Vec<&str> = first.split_ascii_whitespace().collect();
    words.len() == 7
        && words.get(2).is_some_and(|flags| flags.starts_with("0x"))
        && second.split_ascii_whitespace().eq(["name", "type", "data"])
}

/// A kstat of named counters, in the shape of `/proc/spl/kstat`. Which it is its counters tell.
/// `seconds` is the time since the first sample, if the file's name tells it.
pub(crate) fn kstat(place: &mut Place<'_>, lines: &mut Lines<'_>, facts: &mut Facts, seconds: Option<f64>) {
    let mut sample = Kstat::default();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.text.split_ascii_whitespace().collect();
        match words.as_slice() {
            // kid type flags count size crtime snaptime
            [_, _, flags, _, _, _, snaptime] if flags.starts_with("0x") => {
                if !sample.values.is_empty() {
                    add_sample(place, facts, std::mem::take(&mut sample), seconds);
                }
                sample.snaptime = number::whole(snaptime);
            }
            ["name", "type", "data"] | [] => {}
            [name, kind, value] => {
                if sample.values.len() > 10_000 {
                    continue;
                }
                match number::whole(value) {
                    Some(number) => {
                        sample
                            .values
                            .insert(Arc::from(*name), line.sourced(number, value));
                    }
                    // Types 0 and 7 are text; a signed counter may be below zero.
                    None if matches!(*kind, "0" | "7") || value.parse::<i64>().is_ok() => {}
                    None => place.warn(&line, value, "not a counter"),
                }
            }
            _ => place.warn(&line, line.text, "not a row of a kstat"),
        }
    }
    add_sample(place, facts, sample, seconds);
}

fn add_sample(place: &mut Place<'_>, facts: &mut Facts, sample: Kstat, seconds: Option<f64>) {
    let has = |name: &str| sample.values.contains_key(name);
    if has("c_max") && has("hits") {
        let known = facts.arc.take().map(|arc| arc.0);
        facts.arc = Some(ArcStats(join(known, sample, seconds)));
    } else if has("zil_commit_count") {
        let known = facts.zil.take();
        facts.zil = Some(join(known, sample, seconds));
    } else {
        place.tell_file("counters of the kernel that no rule asks for");
    }
}

/// Two samples in the order in which they were taken. Of three the outermost count.
fn join(known: Option<Counters>, new: Kstat, seconds: Option<f64>) -> Counters {
    let Some(known) = known else {
        return Counters {
            first: None,
            last: new,
            seconds: None,
        };
    };
    let early = known.first.unwrap_or_else(|| known.last.clone());
    let taken = |sample: &Kstat| sample.snaptime;
    let count = |sample: &Kstat| {
        sample
            .values
            .get("hits")
            .or_else(|| sample.values.get("zil_commit_count"))
            .map(|count| count.value)
    };
    let mut all = [early, known.last, new];
    all.sort_by_key(|sample| (taken(sample), count(sample)));
    let [first, _, last] = all;
    let clock = match (first.snaptime, last.snaptime) {
        (Some(from), Some(to)) if to > from => Some((to - from) as f64 / 1e9),
        _ => None,
    };
    Counters {
        first: Some(first),
        last,
        seconds: clock.or(seconds).or(known.seconds),
    }
}
