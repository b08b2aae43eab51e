//! A site of native tests whose archives are resharded as the objects do it.

use std::collections::BTreeMap;

use super::super::testing::{self, KEY};
use super::super::{Appended, Archive, Cursor};
use super::job::{Order, Phase, Spread, State, Told};
use crate::archive::consume::united;
use crate::base::sql::SqlError;
use crate::lake::testing::{pack, unpack};
use crate::protocol::Message;
use crate::sinks::Outcome;
use crate::sinks::SinkKind;
use crate::testing::{NOW, TestSql};

/// The objects of a site by generation and shard, and D1.
pub(crate) struct World {
    pub(crate) objects: BTreeMap<(i64, u32), TestSql>,
    pub(crate) d1: TestSql,
}

impl World {
    pub(crate) fn new(archives: u32) -> Self {
        let d1 = TestSql::new();
        d1.migrate();
        let objects = (0..archives).map(|shard| ((0, shard), TestSql::new()));
        Self {
            objects: objects.collect(),
            d1,
        }
    }

    pub(crate) fn open(&self, of: Spread, shard: u32) -> Archive<&TestSql> {
        let sql = &self.objects[&(of.generation, shard)];
        sql.without_faults(|| testing::open_shard(sql, "demo", (shard, of.archives)))
    }

    /// The archive that knows how many there are.
    pub(crate) fn first(&self) -> Archive<&TestSql> {
        let archives = self.objects.keys().filter(|key| key.0 == 0).count();
        let archives = u32::try_from(archives).unwrap();
        let generation = 0;
        self.open(
            Spread {
                archives,
                generation,
            },
            0,
        )
    }

    pub(crate) fn state(&self) -> State {
        self.first().state().unwrap()
    }

    /// The archives of now.
    pub(crate) fn archives(&self) -> Vec<Archive<&TestSql>> {
        let now = self.state().now;
        (0..now.archives)
            .map(|shard| self.open(now, shard))
            .collect()
    }

    /// The databases of now, and D1.
    pub(crate) fn into_parts(mut self) -> (Vec<TestSql>, TestSql) {
        let now = self.state().now;
        let take = |shard| self.objects.remove(&(now.generation, shard)).unwrap();
        ((0..now.archives).map(take).collect(), self.d1)
    }

    /// Appends a message to those archives of now that `which` names.
    pub(crate) fn append(
        &self,
        body: &[u8],
        which: &dyn Fn(u32) -> bool,
    ) -> Result<Appended, SqlError> {
        let archives = self.archives();
        let number = u32::try_from(archives.len()).unwrap();
        let parts = match number {
            1 => vec![body.to_vec()],
            several => super::super::spread::split(&Message::parse(body).unwrap(), several, KEY),
        };
        let of = (0..)
            .zip(archives.iter().zip(&parts))
            .filter(|(shard, _)| which(*shard));
        let told = of.map(|(_, (archive, part))| testing::append(archive, part, false));
        Ok(united(told.collect::<Result<_, _>>()?))
    }

    pub(crate) fn begin(&mut self, archives: u32) {
        let mut state = self.state();
        assert!(state.begin(archives, NOW));
        state.save(self.first().sql()).unwrap();
        if let Some(job) = state.job {
            for shard in 0..archives {
                self.objects
                    .insert((job.to.generation, shard), TestSql::new());
            }
        }
    }

    /// A round; whether there was something to do.
    pub(crate) fn step(&self) -> Result<bool, SqlError> {
        let Some(job) = self.first().state()?.job else {
            return Ok(false);
        };
        let round = job.round();
        let phase = job.phase;
        let told = if phase == Phase::Registering {
            self.d1
                .batch::<serde::de::IgnoredAny>(&job.registration("demo"))?;
            Vec::new()
        } else {
            let tell = |shard| self.obey(round.who, shard, &round.order);
            (0..round.who.archives)
                .map(tell)
                .collect::<Result<_, _>>()?
        };
        let first = self.first();
        let mut state = first.state()?;
        state.hear(phase, &told);
        state.save(first.sql())?;
        Ok(true)
    }

    fn obey(&self, who: Spread, shard: u32, order: &Order) -> Result<Told, SqlError> {
        let archive = self.open(who, shard);
        let mut told = archive.obey(order)?;
        match order.phase {
            Phase::Settling => {
                self.settle(&archive)?;
                told.done = archive.settled()?.is_ok();
            }
            Phase::Copying => told.done = !self.give(&archive, order)?,
            _ => {}
        }
        Ok(told)
    }

    /// Folds all, and has D1 and the sink take it.
    fn settle(&self, archive: &Archive<&TestSql>) -> Result<(), SqlError> {
        loop {
            while let Some((fold, statements)) = archive.pending()? {
                let at: Vec<Cursor> = self.d1.batch(&statements)?;
                archive.settle(fold, at.first().copied())?;
            }
            let some = archive.unfolded()?;
            if some.is_empty() {
                break;
            }
            archive.fold(&some, &[], NOW)?;
        }
        let lake = archive.lake();
        lake.seal_open("demo", 0, NOW)?;
        while let Some(due) = lake.due_delivery(SinkKind::R2, NOW)? {
            lake.settle(&due, &Outcome::Done, NOW, 0)?;
        }
        Ok(())
    }

    /// Gives a slice; whether there was one.
    fn give(&self, archive: &Archive<&TestSql>, order: &Order) -> Result<bool, SqlError> {
        let Some(mut slice) = archive.slice(order.archives)? else {
            return Ok(false);
        };
        for raw in std::mem::take(&mut slice.raws) {
            let text = (!raw.part.lines.is_empty()).then(|| unpack(&raw.part.lines));
            match archive.share(&raw, text.as_deref(), order.archives) {
                Ok(shared) => {
                    let packed = shared.parts.iter();
                    let packed = packed
                        .map(|(_, part)| pack(part.lines.as_bytes()))
                        .collect();
                    slice.put(&raw, shared, packed);
                }
                Err(_) => slice.put_whole(&raw),
            }
        }
        let to = Spread {
            archives: order.archives,
            generation: order.generation,
        };
        for (shard, parcel) in slice.parcels() {
            self.open(to, shard).take(&parcel, NOW)?;
        }
        archive.given(&slice)?;
        Ok(true)
    }

    /// Takes all steps. Each of `faults` has a statement of an object or of D1 fail (by its place), and then all begin
    /// anew.
    pub(crate) fn reshard(&mut self, archives: u32, faults: &[(usize, u32)]) {
        self.begin(archives);
        let mut faults = faults.iter();
        let mut last = Ok(true);
        for _ in 0..1_000 {
            if let Some((place, n)) = faults.next() {
                let all: Vec<&TestSql> = self.objects.values().chain([&self.d1]).collect();
                all[place % all.len()].fail_in(*n);
            }
            last = self.step();
            if last == Ok(false) {
                return self
                    .objects
                    .values()
                    .chain([&self.d1])
                    .for_each(TestSql::never_fail);
            }
            self.objects
                .values()
                .chain([&self.d1])
                .for_each(TestSql::never_fail);
        }
        panic!("it never ends: {last:?}, {:?}", self.state());
    }
}
