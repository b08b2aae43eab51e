//! `live_do`: the Durable Object that holds a site's live streams, around [`crate::live`].
//!
//! Its alarm is the one place that makes frames; everything else only brings it nearer.

use std::cell::RefCell;
use std::time::Duration;

use wasm_bindgen::prelude::*;
use worker::{
    DurableObject, Env, Request, Response, Result, State, WebSocket, WebSocketIncomingMessage,
    WebSocketPair, WebSocketRequestResponsePair, durable_object,
};

use crate::base::json;
use crate::live::{Closing, Hub, Opening, ROUND_DEADLINE_MS, Socket, TicketStore, allowance};
use crate::log::Snapshot;
use crate::protocol::names::{CHANGED, OPEN, TICKET};
use crate::read::live::unite;
use crate::shell::objects::alarm::AlarmClock;
use crate::shell::platform::bindings::settings;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::deadline::within;
use crate::shell::platform::do_sql::DoSql;
use crate::shell::platform::log;
use crate::shell::platform::objects;

/// The code that answers a close.
const NORMAL_CLOSURE: u16 = 1000;

#[wasm_bindgen]
extern "C" {
    // What the worker crate does not bind.
    type PingedState;

    #[wasm_bindgen(method, catch, js_name = getWebSocketAutoResponseTimestamp)]
    fn last_pong(
        this: &PingedState,
        socket: &JsValue,
    ) -> std::result::Result<Option<js_sys::Date>, JsValue>;
}

/// Milliseconds after which a round that failed before its alarm was set is tried again: as long as
/// a stream waits for what time alone changes.
const AGAIN_MS: i64 = 5_000;

/// A site's live streams.
#[durable_object]
pub struct LiveDo {
    hub: RefCell<Hub>,
    alarm: AlarmClock,
    state: State,
    env: Env,
}

impl DurableObject for LiveDo {
    fn new(state: State, env: Env) -> Self {
        Self {
            hub: RefCell::default(),
            alarm: AlarmClock::default(),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        match request.path().as_str() {
            TICKET => {
                let hash = request.text().await?;
                let store = TicketStore::create(DoSql::new(&self.state));
                objects::answer(store.and_then(|store| store.issue(&hash, now_ms())))
            }
            OPEN => {
                // Not `request.url()`: a parser of all URLs, with Unicode's tables, is 40 KB of the download.
                let url = request.inner().url();
                let query = url.split_once('?').map_or("", |(_, query)| query);
                self.open(query).await
            }
            CHANGED => objects::answer(self.changed().await),
            _ => Response::error("no such command", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        // Never `Err`: the platform gives an alarm up after six failures.
        if let Err(error) = self.run().await {
            log::error("live_do", error);
            // No cron wakes this object, and shards that have told of a change tell no more.
            let now = now_ms();
            let again = Some(now.saturating_add(AGAIN_MS));
            if let Err(error) = self.alarm.look(&self.state, again, now).await {
                log::error("live_do", error);
            }
        }
        Response::empty()
    }

    async fn websocket_message(
        &self,
        socket: WebSocket,
        message: WebSocketIncomingMessage,
    ) -> Result<()> {
        let bytes = match message {
            WebSocketIncomingMessage::String(text) => text.len(),
            WebSocketIncomingMessage::Binary(bytes) => bytes.len(),
        };
        let mut kept = kept(&socket);
        if !kept.is_closing() {
            let verdict = kept.overlook(bytes);
            keep(&socket, &kept);
            if let Err(why) = verdict {
                close(&socket, why);
            }
        }
        Ok(())
    }

    async fn websocket_close(
        &self,
        socket: WebSocket,
        _code: usize,
        _reason: String,
        _was_clean: bool,
    ) -> Result<()> {
        // The platform leaves the answer to us; without it the client would see a broken connection. One
        // that closes because we told it to has had ours.
        drop(socket.close::<&str>(Some(NORMAL_CLOSURE), None));
        Ok(())
    }

    async fn websocket_error(&self, _socket: WebSocket, _error: worker::Error) -> Result<()> {
        Ok(())
    }
}

impl LiveDo {
    /// Opens a stream; its first frame comes with the next round.
    async fn open(&self, hash: &str) -> Result<Response> {
        // Those that were told to close are among them until they have.
        let sockets = self.state.get_websockets().len();
        let opening = match TicketStore::find(DoSql::new(&self.state))? {
            Some(store) => store.open(hash, sockets, now_ms())?,
            None => Opening::Refused,
        };
        match opening {
            Opening::Open => {}
            Opening::Refused => return Response::error("no such ticket", 401),
            Opening::Full => return Response::error("full", 429),
        }
        // Before the socket is taken: one that was refused after all must hold no place.
        self.want().await?;
        let pair = WebSocketPair::new()?;
        // Answered by the platform, which need not wake the object for it.
        let ping = WebSocketRequestResponsePair::new("ping", "pong")?;
        self.state.set_websocket_auto_response(&ping);
        self.state.accept_web_socket(&pair.server);
        keep(&pair.server, &Socket::new(now_ms()));
        Response::from_websocket(pair.client)
    }

    /// A shard has changed.
    async fn changed(&self) -> Result<()> {
        if self.state.get_websockets().is_empty() {
            return Ok(());
        }
        self.want().await
    }

    /// Sees to it that a round comes, and soon.
    async fn want(&self) -> Result<()> {
        self.hub.borrow_mut().want();
        let now = now_ms();
        let due = self.hub.borrow().due(now);
        self.alarm.look(&self.state, Some(due), now).await
    }

    /// A round, where one is due, and the alarm of the next.
    async fn run(&self) -> Result<()> {
        let now = now_ms();
        self.alarm.begin(&self.state, now).await?;
        if self.state.get_websockets().is_empty() {
            self.hub.borrow_mut().forget();
            return self.alarm.rest(&self.state, None, now).await;
        }
        if self.hub.borrow().due(now) <= now {
            self.hub.borrow_mut().begin();
            match self.look().await {
                Ok(shards) => self.tell(shards),
                Err(error) => {
                    log::error("live_do", error);
                    self.hub.borrow_mut().fail(now_ms());
                }
            }
        }
        let now = now_ms();
        let due = self.hub.borrow().due(now);
        self.alarm.rest(&self.state, Some(due), now).await
    }

    /// Asks all shards, which will tell of the next change.
    async fn look(&self) -> Result<Vec<Snapshot>> {
        let site = self.state.id().name().unwrap_or_default();
        let shards = settings(&self.env)?.ingest.shards;
        let logs = SiteDo::all(&self.env, &site, shards);
        within(Duration::from_millis(ROUND_DEADLINE_MS), logs.watch())
            .await
            .ok_or("the shards did not answer in time")?
    }

    /// Gives every socket its frame.
    fn tell(&self, shards: Vec<Snapshot>) {
        let all = self.state.get_websockets();
        let allowance = allowance(all.len());
        let sockets: Vec<(WebSocket, Socket)> = all
            .into_iter()
            .map(|socket| {
                let kept = kept(&socket);
                (socket, kept)
            })
            .filter(|(_, kept)| !kept.is_closing())
            .collect();
        let mut hub = self.hub.borrow_mut();
        let now = hub.view_time(now_ms());
        let had: Vec<Option<u64>> = sockets.iter().map(|(_, kept)| kept.seq).collect();
        let frames = hub.frames(unite(shards, now), &had);
        for (socket, mut kept) in sockets {
            let frame = frames.after(kept.seq);
            let heard_at = self.last_pong(&socket);
            let verdict = kept.send(frames.seq, frame.len(), allowance, heard_at, now);
            keep(&socket, &kept);
            match verdict {
                // What a socket that is gone does not take, is nobody's loss.
                Ok(()) => drop(socket.send_with_str(frame)),
                Err(why) => close(&socket, why),
            }
        }
    }

    /// When a ping of this socket was answered last.
    fn last_pong(&self, socket: &WebSocket) -> Option<i64> {
        let state: &PingedState = self.state.as_raw().unchecked_ref();
        let date = state.last_pong(socket.as_ref()).ok().flatten()?;
        // A whole number of milliseconds well below 2^53.
        Some(date.get_time() as i64)
    }
}

/// What is kept of a socket; of one that nothing is known of, it is as new.
fn kept(socket: &WebSocket) -> Socket {
    let text: Option<String> = socket.deserialize_attachment().ok().flatten();
    text.and_then(|text| json::told(&text).ok())
        .unwrap_or_else(|| Socket::new(now_ms()))
}

fn keep(socket: &WebSocket, kept: &Socket) {
    let text = serde_json::to_string(kept).unwrap_or_default();
    if let Err(error) = socket.serialize_attachment(text) {
        log::error("live_do", error);
    }
}

fn close(socket: &WebSocket, why: Closing) {
    // One that is gone already need not be closed.
    drop(socket.close(Some(why.code()), Some(why.reason())));
}
