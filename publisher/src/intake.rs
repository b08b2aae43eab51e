//! The way into the queue, which never holds more than it may.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore, TryAcquireError, mpsc, oneshot};
use tokio::time::Instant;

use crate::event::Event;
use crate::outcome::{Closed, QueueError};
use crate::sealed::{Entry, Room};

/// What the background task is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// An event was queued at this moment.
    Event(Box<Entry>, Instant),
    /// Say when all events before this have ended.
    Flush(oneshot::Sender<()>),
}

/// Hands events to the background task. The channel has no bound of its own: an event needs room
/// first, and keeps it until it has ended, wherever it is until then.
#[derive(Debug)]
pub(crate) struct Intake {
    sender: mpsc::UnboundedSender<Message>,
    events: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    wanted: Arc<Notify>,
    capacity: usize,
}

impl Intake {
    /// Room for so many events, and bytes of their JSON.
    pub(crate) fn new(events: usize, bytes: usize) -> (Self, mpsc::UnboundedReceiver<Message>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let intake = Self {
            sender,
            events: Arc::new(Semaphore::new(events)),
            bytes: Arc::new(Semaphore::new(bytes)),
            wanted: Arc::default(),
            capacity: events,
        };
        (intake, receiver)
    }

    /// Queues an event of this many bytes if there is room.
    pub(crate) fn offer(&self, event: Event, bytes: usize) -> Result<(), QueueError> {
        if self.sender.is_closed() {
            return Err(QueueError::Closed(Box::new(event)));
        }
        let events = Arc::clone(&self.events).try_acquire_owned();
        let room = events.and_then(|events| {
            let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(permits(bytes))?;
            Ok(Room {
                _events: events,
                _bytes: bytes,
            })
        });
        match room {
            Ok(room) => self.send(event, bytes, room),
            Err(TryAcquireError::NoPermits) => {
                self.wanted.notify_one();
                Err(QueueError::Full(Box::new(event)))
            }
            Err(TryAcquireError::Closed) => Err(QueueError::Closed(Box::new(event))),
        }
    }

    /// Is notified when somebody wants room that there is none of: what waits for a batch to fill up
    /// should wait no longer.
    pub(crate) fn wanted(&self) -> Arc<Notify> {
        Arc::clone(&self.wanted)
    }

    /// Queues an event of this many bytes as soon as there is room.
    pub(crate) async fn put(&self, event: Event, bytes: usize) -> Result<(), QueueError> {
        let event = match self.offer(event, bytes) {
            Err(QueueError::Full(event)) => *event,
            other => return other,
        };
        let room = async {
            let events = Arc::clone(&self.events).acquire_owned().await.ok()?;
            let room = Arc::clone(&self.bytes).acquire_many_owned(permits(bytes));
            Some(Room {
                _events: events,
                _bytes: room.await.ok()?,
            })
        };
        tokio::select! {
            room = room => match room {
                Some(room) => self.send(event, bytes, room),
                None => Err(QueueError::Closed(Box::new(event))),
            },
            () = self.sender.closed() => Err(QueueError::Closed(Box::new(event))),
        }
    }

    /// Waits until all that was queued before has ended.
    pub(crate) async fn flush(&self) -> Result<(), Closed> {
        let (done, flushed) = oneshot::channel();
        self.sender.send(Message::Flush(done)).map_err(|_| Closed)?;
        flushed.await.map_err(|_| Closed)
    }

    /// Lets nothing in any more, nor those who wait.
    pub(crate) fn shut(&self) {
        self.events.close();
        self.bytes.close();
    }

    /// Events that have room, or are about to.
    pub(crate) fn pending(&self) -> usize {
        self.capacity
            .saturating_sub(self.events.available_permits())
    }

    fn send(&self, event: Event, bytes: usize, room: Room) -> Result<(), QueueError> {
        let entry = Entry {
            event,
            bytes,
            place: 0,
            _room: Some(room),
        };
        let sent = self
            .sender
            .send(Message::Event(Box::new(entry), Instant::now()));
        match sent.map_err(|unsent| unsent.0) {
            Err(Message::Event(entry, _)) => Err(QueueError::Closed(Box::new(entry.event))),
            Ok(()) | Err(Message::Flush(_)) => Ok(()),
        }
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
