//! The steps of a reshard, as an archive's object calls them.

use super::Archive;
use crate::archive::fold::Cursor;
use crate::archive::folded::folded;
use crate::archive::logs::Logs;
use crate::archive::reshard::{
    self, Gate, Order, Phase, Place, Plan, Raw, Shared, Slice, Spread, State, Told, empty,
    forget_giving, generation_of,
};
use crate::archive::spread;
use crate::base::sql::{Cell, Sql, SqlError};

impl<S: Sql> Archive<S> {
    /// What the site's archives are now, as its first archive of the first generation knows.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn state(&self) -> Result<State, SqlError> {
        State::load(&self.sql, spread::archives(&self.sql, self.archives())?)
    }

    /// Notes what the site's archives are, of one that has just been made, or lost.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn learn(&self, now: Spread) -> Result<(), SqlError> {
        let state = State {
            now,
            job: None,
            last: now.generation,
        };
        self.sql.transaction(&mut || {
            state.save(&self.sql)?;
            let archives = i64::from(now.archives);
            self.sql
                .run("UPDATE spread SET archives = ?1", &[archives.into()])?;
            if now.generation == 0 {
                return Ok(());
            }
            // It is none of them.
            let place = Place {
                gate: Gate::Moved,
                ..Place::first(now.archives)
            };
            place.save(&self.sql)
        })?;
        self.archives.set(now.archives);
        self.is_spread.set(now.archives > 1);
        if now.generation > 0 {
            self.gate.set(Gate::Moved);
        }
        Ok(())
    }

    /// Whether it is new: it has appended nothing, and knows of no other archives.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn is_new(&self) -> Result<bool, SqlError> {
        let rows: Vec<[Cell; 1]> = self.sql.cells(
            "SELECT EXISTS (SELECT 1 FROM logs) OR EXISTS (SELECT 1 FROM reshard)",
            &[],
        )?;
        Ok(rows.first().is_some_and(|[known]| known.int() == 0))
    }

    /// Of a later generation than the first: it refuses every call until it is told to be filled.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn must_be_made(&self) -> Result<(), SqlError> {
        if Place::load(&self.sql)?.is_none() {
            self.gate.set(Gate::Moved);
        }
        Ok(())
    }

    /// Obeys an order; of what another step does ([`Archive::settled`], [`Archive::slice`]), only that it may be done.
    ///
    /// # Errors
    /// Whatever the database says, and where a later order came before.
    pub fn obey(&self, order: &Order) -> Result<Told, SqlError> {
        let place = Place::load(&self.sql)?;
        let mut place = place.unwrap_or_else(|| Place {
            is_spread: self.is_spread.get(),
            ..Place::first(self.archives())
        });
        if order.seen < place.seen {
            return Err(SqlError("a later order came before this one".to_owned()));
        }
        place.seen = order.seen;
        let mut told = Told {
            done: true,
            ..Told::default()
        };
        self.sql.transaction(&mut || {
            let sql = &self.sql;
            match order.phase {
                Phase::Pausing => place.gate = Gate::Paused,
                Phase::Filling => {
                    let plan = order.plan.as_ref();
                    let plan =
                        plan.ok_or_else(|| SqlError("a new archive has no plan".to_owned()))?;
                    (place.gate, place.archives) = (Gate::Filling, order.archives);
                    place.is_spread = plan.is_spread;
                    plan.logs.save(sql)?;
                    // All that it is given is its first fold.
                    sql.run(
                        "UPDATE folded SET epoch = ?1, number = 1",
                        &[plan.epoch.into()],
                    )?;
                }
                Phase::Readying => place.gate = Gate::Paused,
                Phase::Opening => {
                    place.gate = Gate::Open;
                    sql.run("DELETE FROM taken", &[])?;
                }
                Phase::Reopening => {
                    place.gate = Gate::Open;
                    forget_giving(sql)?;
                }
                Phase::Closing | Phase::Emptying | Phase::Cancelling => place.gate = Gate::Moved,
                Phase::Settling
                | Phase::Copying
                | Phase::Counting
                | Phase::Checking
                | Phase::Registering => {}
            }
            place.save(sql)
        })?;
        self.gate.set(place.gate);
        self.archives.set(place.archives);
        self.is_spread.set(place.is_spread);
        // What was read of a message before is read again.
        self.was_changed();
        self.waiting.set(None);
        match order.phase {
            Phase::Pausing => {
                told.plan = Some(Plan {
                    logs: Logs::load(&self.sql)?,
                    is_spread: place.is_spread,
                    epoch: folded(&self.sql)?.epoch,
                });
            }
            Phase::Counting | Phase::Checking => {
                let n: Vec<[Cell; 1]> = self.sql.cells("SELECT sum(n) FROM segments", &[])?;
                told.n = n.first().map_or(0, |[n]| n.int());
            }
            Phase::Emptying | Phase::Cancelling => {
                told.done = !empty(&self.sql)?;
                self.was_rewritten();
            }
            _ => {}
        }
        Ok(told)
    }

    /// Where D1 stands when it has taken all folds.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn last_fold(&self) -> Result<Cursor, SqlError> {
        let folded = folded(&self.sql)?;
        Ok(Cursor {
            epoch: folded.epoch,
            fold: folded.number,
        })
    }

    /// Whether all that it holds is folded into D1 and has landed; else why not.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn settled(&self) -> Result<Result<(), &'static str>, SqlError> {
        let rows: Vec<[Cell; 3]> = self.sql.cells(
            "SELECT (SELECT count(*) FROM pending) + (SELECT count(*) FROM segments WHERE seq > folded.seq), \
             (SELECT count(*) FROM open_hours) + (SELECT count(*) FROM objects), \
             (SELECT count(*) FROM deliveries WHERE done = 0 AND conflict > 0) FROM folded",
            &[],
        )?;
        let Some([folds, objects, set_aside]) = rows.first() else {
            return Ok(Err("the archive does not know how far it is folded"));
        };
        Ok(match (folds.int(), objects.int(), set_aside.int()) {
            (0, 0, _) => Ok(()),
            (0, _, 0) => Err("events are on their way to the sinks"),
            (0, ..) => Err("a sink refused an object: replay it, or take the sink away"),
            _ => Err("events are on their way to D1"),
        })
    }

    /// The next slice that it is to give to so many; none when it has given all.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn slice(&self, archives: u32) -> Result<Option<Slice>, SqlError> {
        reshard::next(&self.sql, (self.shard, archives), self.gives_to()?)
    }

    /// The generation that it gives to.
    fn gives_to(&self) -> Result<i64, SqlError> {
        let place = Place::load(&self.sql)?.filter(|place| place.gate == Gate::Paused);
        let place = place.ok_or_else(|| SqlError("this archive gives nothing".to_owned()))?;
        Ok(generation_of(place.seen))
    }

    /// What of a segment of a slice is whose among so many; `text` is its lines, where they could be unpacked.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn share(&self, raw: &Raw, text: Option<&str>, archives: u32) -> Result<Shared, String> {
        let is_new = archives > 1 && !self.is_spread.get();
        raw.share(
            text,
            archives,
            is_new,
            &mut self.hasher().spread(is_new || self.is_spread.get()),
        )
    }

    /// Notes that all have taken a slice.
    ///
    /// # Errors
    /// Whatever the database says, and where it gives to others, or nothing any more.
    pub fn given(&self, slice: &Slice) -> Result<(), SqlError> {
        if self.gives_to()? != slice.generation {
            return Err(SqlError("this archive gives to others".to_owned()));
        }
        reshard::given(&self.sql, slice)
    }

    /// Takes what an old archive gives.
    ///
    /// # Errors
    /// Whatever the database says; nothing is taken then. And where it is not to be filled.
    pub fn take(&self, parcel: &[u8], now_ms: i64) -> Result<(), SqlError> {
        if self.gate() != Gate::Filling {
            return Err(SqlError("this archive is not to be filled".to_owned()));
        }
        self.waiting.set(None);
        reshard::take(&self.sql, parcel, now_ms)
    }
}
