//! Journeys: the paths that most sessions begin with.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::pick::{Pick, Picked};
use super::places::Places;
use super::timeline::{Entry, Timeline};
use crate::archive::Column;
use crate::archive::segment::{Broken, Segment};
use crate::base::sort;

/// Steps of a path at most.
const MAX_DEPTH: usize = 10;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JourneysSpec {
    /// Events from here on (Unix milliseconds) and before there.
    pub at: (i64, i64),
    /// Steps of a path at most.
    pub depth: usize,
    /// Paths of the answer at most.
    pub limit: usize,
    /// The page that they begin or end with; without one they begin with the session.
    pub end: Option<End>,
}

/// An end of all paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// They begin where a session comes to this page first.
    From(String),
    /// They are the steps that lead to where a session comes to this page first, and end there.
    To(String),
}

/// Paths, each with its sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JourneysPart {
    /// Sessions that have a step.
    pub sessions: i64,
    /// The JSON text of each step: `["page","/a"]`.
    pub steps: Vec<String>,
    /// How many sessions, and the steps by their place in the list.
    pub paths: Vec<(i64, Vec<u32>)>,
}

/// Journeys under way.
pub(super) struct Scan {
    spec: JourneysSpec,
    timeline: Timeline,
    sessions: Places,
    /// Steps by their page and by their feature, and the JSON text of each.
    pages: HashMap<String, u64>,
    features: HashMap<String, u64>,
    steps: Vec<String>,
    /// The tree of all paths: a node is the node before it and a step. Node 0 is the empty path, node `n` has
    /// place `n - 1`.
    tree: Places,
    /// Steps of each node's path.
    depths: Vec<u8>,
    /// The node of each session.
    nodes: Vec<u32>,
    /// Of each session the last steps before the page that paths end with, as many as a path has, each with one more;
    /// 0 where there is none.
    tails: Vec<u32>,
}

/// The number of the step that is an end, the first of all.
const END: u32 = 0;

impl Scan {
    pub(super) fn new(spec: JourneysSpec, kept_from: i64, most: usize) -> Self {
        let mut scan = Self {
            timeline: Timeline::new(spec.at.0.max(kept_from)..spec.at.1, most),
            sessions: Places::default(),
            pages: HashMap::new(),
            features: HashMap::new(),
            steps: Vec::new(),
            tree: Places::default(),
            depths: vec![0],
            nodes: Vec::new(),
            tails: Vec::new(),
            spec,
        };
        if let Some(End::From(page) | End::To(page)) = &scan.spec.end {
            steps_of(&[page], "page", &mut scan.pages, &mut scan.steps);
        }
        scan
    }

    fn depth(&self) -> usize {
        self.spec.depth.min(MAX_DEPTH)
    }

    /// The entries, and what takes them in order.
    fn parts(&mut self) -> (&mut Timeline, impl FnMut(&Entry)) {
        let depth = self.depth();
        let (tree, nodes, depths) = (&mut self.tree, &mut self.nodes, &mut self.depths);
        let tails = &mut self.tails;
        nodes.resize(self.sessions.len(), 0);
        let end = self.spec.end.as_ref();
        let goes_to = matches!(end, Some(End::To(_)));
        let comes_from = matches!(end, Some(End::From(_)));
        if goes_to {
            tails.resize(self.sessions.len().saturating_mul(depth), 0);
        }
        let tell = move |entry: &Entry| {
            let session = entry.whose as usize;
            let Some(node) = nodes.get_mut(session) else {
                return;
            };
            if goes_to {
                let start = session.saturating_mul(depth);
                let tail = tails.get_mut(start..start.saturating_add(depth));
                // A path that was found is over.
                if let (Some(tail), 0) = (tail, *node) {
                    push(tail, entry.what);
                    if entry.what == END {
                        for step in tail.iter().filter_map(|step| step.checked_sub(1)) {
                            *node = walk(*node, step, depth, tree, depths);
                        }
                    }
                }
            } else if !comes_from || *node != 0 || entry.what == END {
                *node = walk(*node, entry.what, depth, tree, depths);
            }
        };
        (&mut self.timeline, tell)
    }

    /// The steps of a node's path, the last one first.
    fn path(&self, node: u32) -> impl Iterator<Item = u32> {
        let mut node = node;
        std::iter::from_fn(move || {
            let place = (node as usize).checked_sub(1)?;
            let key = self.tree.keys().get(place)?;
            node = (key >> 32) as u32;
            Some(*key as u32)
        })
    }

    /// How many sessions each node has.
    fn counts(&self) -> Vec<i64> {
        let mut counts = vec![0_i64; self.depths.len()];
        for node in &self.nodes {
            if let Some(count) = counts.get_mut(*node as usize) {
                *count = count.saturating_add(1);
            }
        }
        counts
    }

    /// The nodes that the answer has where there is no other shard: the most travelled first, equals by the
    /// text of their path.
    fn first(&self, counts: &[i64]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.steps.len() as u32).collect();
        let text = |step: &u32| self.steps.get(*step as usize);
        sort::sort_by(&mut order, |a, b| text(a).cmp(&text(b)));
        let mut ranks = vec![0_u32; order.len()];
        for (rank, step) in (0..).zip(&order) {
            if let Some(slot) = ranks.get_mut(*step as usize) {
                *slot = rank;
            }
        }
        let limit = self.spec.limit;
        let mut best: Vec<(i64, [u32; MAX_DEPTH], u32)> = Vec::new();
        // What the last of `limit` paths has, known as soon as they were sorted once.
        let mut least: Option<i64> = None;
        for (node, count) in (0_u32..).zip(counts).skip(1) {
            if *count == 0 || least.is_some_and(|least| *count < least) {
                continue;
            }
            // A path comes behind those that it begins: in JSON, `]` is behind `,`.
            let mut path = [u32::MAX; MAX_DEPTH];
            let depth = self.depths.get(node as usize).copied().unwrap_or(0);
            let places = path.iter_mut().take(usize::from(depth)).rev();
            for (place, step) in places.zip(self.path(node)) {
                *place = ranks.get(step as usize).copied().unwrap_or(0);
            }
            best.push((count.saturating_neg(), path, node));
            if best.len() >= limit.saturating_mul(4) {
                sort::sort(&mut best);
                best.truncate(limit);
                least = best.last().map(|(count, ..)| count.saturating_neg());
            }
        }
        sort::sort(&mut best);
        best.truncate(limit);
        best.into_iter().map(|(.., node)| node).collect()
    }
}

/// Adds a session's next step to its last ones, unless it repeats the last.
fn push(tail: &mut [u32], step: u32) {
    let step = step.saturating_add(1);
    if tail.last() == Some(&step) {
        return;
    }
    tail.rotate_left(1);
    if let Some(last) = tail.last_mut() {
        *last = step;
    }
}

/// The steps of a column's codes; 0 of none. `kind` is what the JSON text of a step begins with.
fn steps_of(
    dict: &[&str],
    kind: &str,
    known: &mut HashMap<String, u64>,
    steps: &mut Vec<String>,
) -> Vec<u32> {
    let texts = dict.iter().map(|text| {
        if let Some(step) = known.get(*text) {
            return *step as u32;
        }
        // Its place, and one more.
        let next = steps.len().saturating_add(1);
        steps.push(serde_json::to_string(&[kind, text]).unwrap_or_default());
        known.insert((*text).to_owned(), next as u64);
        next as u32
    });
    std::iter::once(0).chain(texts).collect()
}

impl Pick for Scan {
    fn window(&self) -> Range<i64> {
        self.timeline.window()
    }

    fn reset(&mut self) {
        // The steps and the tree stay what they are, whoever took them.
        self.sessions = Places::default();
        self.nodes.clear();
        self.tails.clear();
        self.timeline.reset();
    }

    fn pick(&mut self, picked: Picked<'_, '_>) -> Result<(), Broken> {
        let Picked { segment, what } = picked;
        let (pages, features) = (
            segment.column(Column::Page)?,
            segment.column(Column::Feature)?,
        );
        if pages.dict.is_empty() && features.dict.is_empty() {
            return Ok(());
        }
        let (at, ids, sessions) = (segment.at()?, segment.ids()?, segment.sessions()?);
        let steps = &mut self.steps;
        let by_page = steps_of(&pages.dict, "page", &mut self.pages, steps);
        let by_feature = steps_of(&features.dict, "feature", &mut self.features, steps);
        // Places, and one more; 0 is not known yet.
        let mut places = vec![0_u32; sessions.dict.len()];
        let codes = pages.codes.iter().zip(&features.codes).zip(sessions.codes);
        let events = codes.zip(at.into_iter().zip(ids)).zip(what);
        for ((((page, feature), session), (at, id)), what) in events {
            if *what == 0 {
                continue;
            }
            let step = match page {
                0 => by_feature.get(*feature as usize),
                page => by_page.get(*page as usize),
            };
            let index = (session as usize).wrapping_sub(1);
            let (Some(what), Some(place)) = (
                step.and_then(|step| step.checked_sub(1)),
                places.get_mut(index),
            ) else {
                continue;
            };
            if *place == 0 {
                let hash = sessions.dict.get(index).copied().unwrap_or(0);
                *place = self.sessions.place(hash).saturating_add(1);
            }
            self.timeline.add(Entry {
                at,
                id,
                whose: place.saturating_sub(1),
                what,
            });
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.timeline.is_full()
    }

    fn settle(&mut self, before: i64) {
        let (timeline, mut tell) = self.parts();
        timeline.settle(before, &mut tell);
    }

    fn again(&mut self) -> bool {
        let (timeline, mut tell) = self.parts();
        timeline.next(&mut tell)
    }

    fn bytes(&self) -> usize {
        // Nodes, places of hashes and tails; texts of pages are few beside them.
        let each = self.depth().saturating_mul(4).saturating_add(28);
        let tree = self.tree.len().saturating_mul(32);
        self.sessions
            .len()
            .saturating_mul(each)
            .saturating_add(tree)
    }

    fn part(&self, alone: bool) -> serde_json::Result<String> {
        let counts = self.counts();
        let nodes = if alone {
            self.first(&counts)
        } else {
            (1..counts.len() as u32).collect()
        };
        let mut part = JourneysPart {
            sessions: counts
                .iter()
                .skip(1)
                .fold(0, |sum: i64, n| sum.saturating_add(*n)),
            ..JourneysPart::default()
        };
        let mut places = Places::default();
        for node in nodes {
            let count = counts.get(node as usize).copied().unwrap_or(0);
            if count > 0 {
                let path = self.path(node).map(|step| places.place(step.into()));
                let mut path: Vec<u32> = path.collect();
                path.reverse();
                part.paths.push((count, path));
            }
        }
        let used = places.keys().iter();
        part.steps = used
            .filter_map(|step| self.steps.get(*step as usize).cloned())
            .collect();
        serde_json::to_string(&part)
    }
}

impl super::Scan for Scan {
    fn range(&self) -> Range<i64> {
        self.window()
    }

    fn reset(&mut self) {
        Pick::reset(self);
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Broken> {
        let what = &vec![1; segment.len()];
        self.pick(Picked { segment, what })
    }

    fn is_full(&self) -> bool {
        Pick::is_full(self)
    }

    fn settle(&mut self, before: i64) {
        Pick::settle(self, before);
    }

    fn again(&mut self) -> bool {
        Pick::again(self)
    }

    fn part(&self, alone: bool) -> serde_json::Result<String> {
        Pick::part(self, alone)
    }
}

/// Where a session's next step leads from a node; what repeats the step before is no step.
fn walk(node: u32, step: u32, depth: usize, tree: &mut Places, depths: &mut Vec<u8>) -> u32 {
    let steps = depths.get(node as usize).copied().unwrap_or(0);
    let last = (node as usize).checked_sub(1);
    let last = last.and_then(|place| tree.keys().get(place));
    if usize::from(steps) >= depth || last.is_some_and(|key| *key as u32 == step) {
        return node;
    }
    let next = tree.place(u64::from(node) << 32 | u64::from(step));
    let next = next.saturating_add(1);
    if depths.len() == next as usize {
        depths.push(steps.saturating_add(1));
    }
    next
}
