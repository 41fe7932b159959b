//! What one release of a document allows or forbids that the one before did not: in words, sorted by effect.

use crate::{
    PayloadType, PolicyError,
    schema_json::{About, Absent, More, Schema},
    tree::{Leaf, Node, Value, label, words},
};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Something is accepted that was not.
    Allows,
    /// Something is refused that was not.
    Forbids,
    /// Something else is meant: a name, a version, one thing instead of another.
    Changes,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it does.
    pub effect: Effect,
    /// The rule, as reasons name it.
    pub rule: String,
    /// What is different, in words.
    pub words: String,
}

impl Effect {
    const fn opposite(self) -> Self {
        match self {
            Self::Allows => Self::Forbids,
            Self::Forbids => Self::Allows,
            Self::Changes => Self::Changes,
        }
    }
}

/// Every change from `old` to `new`, two good documents of `kind`.
pub fn diff(kind: PayloadType, old: &str, new: &str) -> Result<Vec<Change>, Vec<PolicyError>> {
    let (old, new) = (Node::parse(old)?, Node::parse(new)?);
    let schema = Schema::of(kind);
    let mut changes = Changes(Vec::new());
    changes.values("", (&old, &new), schema.document());
    changes.0.sort();
    Ok(changes.0)
}

struct Changes(Vec<Change>);

impl Changes {
    fn values(&mut self, rule: &str, (old, new): (&Node, &Node), about: About<'_>) {
        match (&old.value, &new.value) {
            (Value::Table(before), Value::Table(after)) => {
                self.tables(rule, (before, after), about)
            }
            (Value::List(before), Value::List(after)) => self.lists(rule, (before, after), about),
            (Value::Leaf(before), Value::Leaf(after)) => self.leaves(rule, (before, after), about),
            _ => self.note(
                Effect::Changes,
                rule,
                format!("{} is written otherwise", about.title()),
            ),
        }
    }

    fn tables(
        &mut self,
        rule: &str,
        (old, new): (&BTreeMap<String, Node>, &BTreeMap<String, Node>),
        about: About<'_>,
    ) {
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let about = about.field(name);
            let rule = below(rule, name);
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => self.values(&rule, (old, new), about),
                (Some(old), None) => self.presence(&rule, old, about, Presence::Lost),
                (None, Some(new)) => self.presence(&rule, new, about, Presence::Gained),
                (None, None) => {}
            }
        }
    }

    /// A field that stands in one release alone: its absence is a value, or means something by itself.
    fn presence(&mut self, rule: &str, node: &Node, about: About<'_>, presence: Presence) {
        if let (Some(default), Value::Leaf(leaf)) = (about.default(), &node.value) {
            let default = Leaf::text(&default);
            return match presence {
                Presence::Gained => self.leaves(rule, (&default, leaf), about),
                Presence::Lost => self.leaves(rule, (leaf, &default), about),
            };
        }
        let gained = match about.absent() {
            Some(Absent::Anything) => Effect::Forbids,
            Some(Absent::Nothing) => Effect::Allows,
            None => Effect::Changes,
        };
        let what = format!("{} ({})", about.title(), label(node, about));
        let words = match (presence, about.absent()) {
            (Presence::Gained, Some(Absent::Anything)) => format!("{what}: judged from now on"),
            (Presence::Lost, Some(Absent::Anything)) => format!("{what}: not judged any more"),
            (Presence::Gained, _) => format!("{what}: new"),
            (Presence::Lost, _) => format!("{what}: gone"),
        };
        self.note(presence.effect(gained), rule, words);
    }

    fn lists(&mut self, rule: &str, (old, new): (&[Node], &[Node]), about: About<'_>) {
        let (before, after) = (keyed(old, about), keyed(new, about));
        for (key, entry) in &before {
            match after.get(key) {
                Some(kept) => {
                    let name = words(entry, about.entry(), About::name);
                    let rule = format!("{rule} of {name}");
                    self.values(&rule, (entry, kept), about.entry());
                }
                None => self.entry(rule, entry, about, Presence::Lost),
            }
        }
        for (_, entry) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
            self.entry(rule, entry, about, Presence::Gained);
        }
    }

    fn entry(&mut self, rule: &str, entry: &Node, about: About<'_>, presence: Presence) {
        let gained = about.more().map_or(Effect::Changes, More::effect);
        let words = match (presence, about.more()) {
            (Presence::Gained, Some(More::Allows)) => "accepted from now on",
            (Presence::Lost, Some(More::Allows)) => "not accepted any more",
            (Presence::Gained, _) => "added",
            (Presence::Lost, _) => "removed",
        };
        let words = format!("{}: {} {words}", about.title(), label(entry, about.entry()));
        self.note(presence.effect(gained), rule, words);
    }

    fn leaves(&mut self, rule: &str, (old, new): (&Leaf, &Leaf), about: About<'_>) {
        if old == new {
            return;
        }
        let words = format!("{}: {} instead of {}", about.title(), new.shown, old.shown);
        self.note(effect(old, new, about), rule, words);
    }

    fn note(&mut self, effect: Effect, rule: &str, words: String) {
        self.0.push(Change {
            effect,
            rule: rule.to_owned(),
            words,
        });
    }
}

/// In which release alone something stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Gained,
    Lost,
}

impl Presence {
    /// The effect, if gaining it has the effect `gained`.
    fn effect(self, gained: Effect) -> Effect {
        match self {
            Self::Gained => gained,
            Self::Lost => gained.opposite(),
        }
    }
}

impl More {
    const fn effect(self) -> Effect {
        match self {
            Self::Allows => Effect::Allows,
            Self::Forbids => Effect::Forbids,
        }
    }
}

fn effect(old: &Leaf, new: &Leaf, about: About<'_>) -> Effect {
    let strictness = |leaf: &Leaf| about.strictness(&leaf.shown);
    if let (Some(before), Some(after)) = (strictness(old), strictness(new)) {
        return of_growth(before.cmp(&after), More::Forbids);
    }
    let Some(more) = about.more() else {
        return Effect::Changes;
    };
    let growth = match about.version_base() {
        Some(base) => Some(parts(&old.shown, base).cmp(&parts(&new.shown, base))),
        None => old
            .rank
            .zip(new.rank)
            .map(|(before, after)| before.cmp(&after)),
    };
    growth.map_or(Effect::Changes, |growth| of_growth(growth, more))
}

/// The effect of `more` where the old value is less than the new one, its opposite where it is greater.
const fn of_growth(old_to_new: Ordering, more: More) -> Effect {
    match old_to_new {
        Ordering::Less => more.effect(),
        Ordering::Greater => more.effect().opposite(),
        Ordering::Equal => Effect::Changes,
    }
}

/// The numbers of a version.
fn parts(version: &str, base: u32) -> Vec<u64> {
    let numbers = version
        .split('.')
        .map(|part| u64::from_str_radix(part, base));
    numbers.map(Result::unwrap_or_default).collect()
}

/// Entries by what tells them apart.
fn keyed<'n>(list: &'n [Node], about: About<'_>) -> BTreeMap<String, &'n Node> {
    let identity = |node: &Node| words(node, about.entry(), About::key);
    list.iter().map(|entry| (identity(entry), entry)).collect()
}

/// `name` within `rule`, as reasons name it: the entry that a rule is of stands at its end.
fn below(rule: &str, name: &str) -> String {
    match rule.split_once(" of ") {
        Some((list, entry)) => format!("{list}.{name} of {entry}"),
        None if rule.is_empty() => name.to_owned(),
        None => format!("{rule}.{name}"),
    }
}
