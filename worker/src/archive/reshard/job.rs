//! The steps of a reshard, as the first archive keeps them.

use serde::{Deserialize, Serialize};

use super::super::logs::Logs;
use crate::base::sql::{Sql, SqlError, Statement};

/// A site's archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// How many there are.
    pub archives: u32,
    /// 0, or when the reshard that made them began (Unix milliseconds); later than that of all before.
    pub generation: i64,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ReshardPhase))]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The old archives cease to append.
    Pausing,
    /// What they hold is folded into D1 and lands in every sink.
    Settling,
    /// The new ones are made.
    Filling,
    /// The old ones give what they hold.
    Copying,
    /// The events of the old ones are counted,
    Counting,
    /// and those of the new ones: there must be as many.
    Checking,
    /// The new ones answer questions.
    Readying,
    /// D1 hears of them, and then the first archive says that they are the site's.
    Registering,
    /// The old ones refuse every call.
    Closing,
    /// The new ones append.
    Opening,
    /// What the old ones hold is deleted.
    Emptying,
    /// It was cancelled: what the new ones hold is deleted,
    Cancelling,
    /// and the old ones append again.
    Reopening,
}

/// What is known once all old archives pause, when nothing of it changes any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The rows that the new ones know.
    pub logs: Logs,
    /// Whether a session is of one user.
    pub is_spread: bool,
    /// The epoch of the new archives, after those of the old ones.
    pub epoch: i64,
}

/// A reshard under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The archives as they were.
    pub from: Spread,
    /// As they will be.
    pub to: Spread,
    /// Which step is next.
    pub phase: Phase,
    /// Why the step is not done yet.
    pub why: Option<String>,
    plan: Plan,
    /// Events that the old ones hold.
    n: i64,
}

/// What the first archive of the first generation knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The site's archives now.
    pub now: Spread,
    /// The reshard under way.
    pub job: Option<Job>,
    /// The latest generation, one that was cancelled included: its names are never given again.
    pub last: i64,
}

/// What an archive is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// No order before this one is obeyed any more: it may have been on its way for long.
    pub seen: i64,
    /// How many archives there will be.
    pub archives: u32,
    /// The generation that is made.
    pub generation: i64,
    /// The step.
    pub phase: Phase,
    /// With [`Phase::Filling`], what the new ones know.
    pub plan: Option<Plan>,
}

/// What it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whether the step is done.
    pub done: bool,
    /// Why it is not, where that is not for itself.
    pub why: Option<String>,
    /// With [`Phase::Pausing`], what it knows.
    pub plan: Option<Plan>,
    /// Events that it holds.
    pub n: i64,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The archives that are told,
    pub who: Spread,
    /// and what.
    pub order: Order,
}

/// D1's row of each new archive, which has folded all that it was given, as its fold 1.
const STANDS: &str = "INSERT INTO archives (site_id, shard, epoch, fold) \
     SELECT ?1, value, ?3, 1 FROM json_each(?2) WHERE true \
     ON CONFLICT (site_id, shard) DO UPDATE SET epoch = excluded.epoch, fold = excluded.fold \
     WHERE archives.epoch < excluded.epoch";

const NO_MORE: &str = "DELETE FROM archives WHERE site_id = ?1 AND shard >= ?2";

const NOTE: &str = "INSERT INTO spreads (site_id, archives, generation) VALUES (?1, ?2, ?3) \
     ON CONFLICT (site_id) DO UPDATE SET archives = excluded.archives, \
     generation = excluded.generation WHERE spreads.generation < excluded.generation";

/// The statement that notes in D1 how many archives a site has, for the case that its first one is lost.
pub fn note(site: &str, spread: Spread) -> Statement {
    Statement::new(
        NOTE,
        [
            site.into(),
            i64::from(spread.archives).into(),
            spread.generation.into(),
        ],
    )
}

/// The statement that asks for what [`note`] noted: a [`Spread`].
pub fn noted(site: &str) -> Statement {
    Statement::new(
        "SELECT archives, generation FROM spreads WHERE site_id = ?1",
        [site.into()],
    )
}

impl State {
    /// The stored state; of a site that never had another number, `archives` of the first generation.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn load(sql: &impl Sql, archives: u32) -> Result<Self, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            state: String,
        }
        let row: Option<Row> = sql.first("SELECT state FROM reshard", &[])?;
        match row {
            Some(row) => {
                crate::base::json::told(row.state).map_err(|error| SqlError(error.to_string()))
            }
            None => Ok(Self {
                now: Spread {
                    archives,
                    generation: 0,
                },
                job: None,
                last: 0,
            }),
        }
    }

    /// Stores it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn save(&self, sql: &impl Sql) -> Result<(), SqlError> {
        // Numbers and texts always serialize.
        let state = serde_json::to_string(self).unwrap_or_default();
        sql.run(
            "INSERT INTO reshard (id, state) VALUES (1, ?1) \
             ON CONFLICT (id) DO UPDATE SET state = excluded.state",
            &[state.into()],
        )
    }

    /// Begins a reshard, unless the site has so many archives; whether it goes on from here to so many.
    pub fn begin(&mut self, archives: u32, now_ms: i64) -> bool {
        if let Some(job) = &self.job {
            return job.to.archives == archives && !job.is_cancelled();
        }
        if self.now.archives != archives {
            let last = self.last.max(self.now.generation);
            let generation = now_ms.max(last.saturating_add(1));
            self.last = generation;
            self.job = Some(Job {
                from: self.now,
                to: Spread {
                    archives,
                    generation,
                },
                phase: Phase::Pausing,
                why: None,
                plan: Plan::default(),
                n: 0,
            });
        }
        true
    }

    /// Cancels what is under way, if it can be: before the new archives are the site's.
    pub fn cancel(&mut self) -> bool {
        let Some(job) = &mut self.job else {
            return true;
        };
        let can_be = job.phase < Phase::Registering || job.is_cancelled();
        if can_be && !job.is_cancelled() {
            (job.phase, job.why) = (Phase::Cancelling, None);
        }
        can_be
    }

    /// Hears what the archives of a round answered, in their order, and tells whether the step is done.
    pub fn hear(&mut self, phase: Phase, told: &[Told]) -> bool {
        let Some(job) = self.job.as_mut().filter(|job| job.phase == phase) else {
            // It was cancelled meanwhile.
            return false;
        };
        job.why = told.iter().find_map(|told| told.why.clone());
        if !told.iter().all(|told| told.done) {
            return false;
        }
        let n = told
            .iter()
            .fold(0, |sum: i64, told| sum.saturating_add(told.n));
        job.phase = match phase {
            Phase::Pausing => {
                let plans: Vec<Plan> = told.iter().filter_map(|told| told.plan.clone()).collect();
                job.plan = job.united(&plans);
                Phase::Settling
            }
            Phase::Settling => Phase::Filling,
            Phase::Filling => Phase::Copying,
            Phase::Copying => Phase::Counting,
            Phase::Counting => {
                job.n = n;
                Phase::Checking
            }
            Phase::Checking if n != job.n => {
                job.why = Some(format!("of {} events {n} were copied", job.n));
                return false;
            }
            Phase::Checking => Phase::Readying,
            Phase::Readying => Phase::Registering,
            Phase::Registering => {
                self.now = job.to;
                Phase::Closing
            }
            Phase::Closing => Phase::Opening,
            Phase::Opening => Phase::Emptying,
            Phase::Cancelling => Phase::Reopening,
            Phase::Emptying | Phase::Reopening => {
                self.job = None;
                return true;
            }
        };
        true
    }
}

/// Orders of a generation come after those of the one before; there are fewer than sixteen.
const ORDERS: i64 = 16;

fn seen(generation: i64, phase: Phase) -> i64 {
    let of_generation = generation.saturating_mul(ORDERS);
    of_generation.saturating_add(i64::from(phase as u8))
}

/// The generation of an order's number.
pub(in crate::archive) fn generation_of(seen: i64) -> i64 {
    seen.checked_div(ORDERS).unwrap_or(0)
}

impl Job {
    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.phase, Phase::Cancelling | Phase::Reopening)
    }

    /// What is to be done next; with [`Phase::Registering`] nobody is told: D1 is ([`Job::registration`]).
    pub fn round(&self) -> Round {
        let is_of_old = matches!(
            self.phase,
            Phase::Pausing
                | Phase::Settling
                | Phase::Copying
                | Phase::Counting
                | Phase::Closing
                | Phase::Emptying
                | Phase::Reopening
        );
        Round {
            who: if is_of_old { self.from } else { self.to },
            order: Order {
                seen: seen(self.to.generation, self.phase),
                archives: self.to.archives,
                generation: self.to.generation,
                phase: self.phase,
                plan: (self.phase == Phase::Filling).then(|| self.plan.clone()),
            },
        }
    }

    /// The transaction by which D1 hears of the new archives.
    pub fn registration(&self, site: &str) -> Vec<Statement> {
        let shards: Vec<u32> = (0..self.to.archives).collect();
        // A list of numbers always serializes.
        let shards = serde_json::to_string(&shards).unwrap_or_default();
        vec![
            Statement::new(STANDS, [site.into(), shards.into(), self.plan.epoch.into()]),
            Statement::new(NO_MORE, [site.into(), i64::from(self.to.archives).into()]),
            note(site, self.to),
        ]
    }

    fn united(&self, plans: &[Plan]) -> Plan {
        let logs: Vec<Logs> = plans.iter().map(|plan| plan.logs.clone()).collect();
        let latest = plans.iter().map(|plan| plan.epoch.saturating_add(1));
        Plan {
            logs: Logs::united(&logs),
            // What was told apart by users once stays so.
            is_spread: self.to.archives > 1 || plans.iter().any(|plan| plan.is_spread),
            epoch: latest.fold(self.to.generation, i64::max),
        }
    }
}
