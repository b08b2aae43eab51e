//! What all calls of the dashboard API do alike: who asks, what is asked of D1, logs and archives, and the faults where
//! these do not answer.

use std::rc::Rc;

use serde::de::DeserializeOwned;
use worker::{Env, Request, Result};

use crate::access::auth::{Grant, KeyKind, is_link};
use crate::access::policy::Policy;
use crate::archive::scan::{Ask, Asked, Part};
use crate::archive::spread::only;
use crate::base::sql::Statement;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::http::fields::{MAX_BODY_BYTES, QUESTION_TOO_LARGE};
use crate::http::params::Params;
use crate::observe::operations::current;
use crate::query::links::{self, Link, LinkRow, Way};
use crate::shell::platform::bindings::config;
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clients::site_do::{SiteDo, SiteDos};
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::gzip::{ReadError, read};
use crate::shell::platform::keys;
use crate::shell::platform::limiter;
use crate::shell::platform::log;

/// What a request of the dashboard API asks, and with which token.
pub(crate) fn asked(request: &Request) -> Result<(Params, RequestFacts)> {
    let url = request.inner().url();
    let params = Params::parse(url.split_once('?').map_or("", |(_, query)| query));
    let facts = RequestFacts {
        authorization: request.headers().get("authorization")?,
        link_password: request.headers().get("x-link-password")?,
        ip: address(request),
        ..RequestFacts::default()
    };
    Ok((params, facts))
}

/// The address that the platform gives a request.
pub(crate) fn address(request: &Request) -> Option<String> {
    request.headers().get("cf-connecting-ip").ok().flatten()
}

/// The body of a question.
pub(crate) async fn body_of(request: &Request) -> std::result::Result<Vec<u8>, Fault> {
    body_within(request, MAX_BODY_BYTES, QUESTION_TOO_LARGE).await
}

/// The body of a request, or `over` where it is longer than `limit`. A length that is declared may save the reading, and
/// is not relied upon: a body may come without one.
pub(crate) async fn body_within(
    request: &Request,
    limit: usize,
    over: Fault,
) -> std::result::Result<Vec<u8>, Fault> {
    let length = request.headers().get("content-length").ok().flatten();
    let length = length.and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(over);
    }
    let Some(body) = request.inner().body() else {
        return Ok(Vec::new());
    };
    read(body, limit).await.map_err(|error| match error {
        ReadError::TooLarge => over,
        ReadError::Broken => Fault::malformed("The body could not be read to its end."),
    })
}

/// The site that the request's read token reads: its own, and no other.
pub(crate) async fn site_of(facts: &RequestFacts, env: &Env) -> std::result::Result<String, Fault> {
    Ok(reader_of(facts, env).await?.site.clone())
}

/// The same, with what is known of the site.
pub(crate) async fn reader_of(
    facts: &RequestFacts,
    env: &Env,
) -> std::result::Result<Rc<Grant>, Fault> {
    match asker_of(facts, env).await? {
        Asker { site, link: None } => Ok(site),
        Asker { .. } => Err(Fault::WrongScope),
    }
}

/// Who asks: the holder of a read token, or of a shared link.
pub(crate) struct Asker {
    /// The site, and what is known of it.
    pub(crate) site: Rc<Grant>,
    /// What the link may ask, where it is one.
    pub(crate) link: Option<Link>,
}

impl Asker {
    /// Checks that a call may be asked.
    pub(crate) fn may(self, way: Way) -> std::result::Result<Self, Fault> {
        self.link.as_ref().map_or(Ok(()), |link| link.may(way))?;
        Ok(self)
    }

    /// The body of a question, narrowed to what may be asked.
    pub(crate) fn body(&self, body: Vec<u8>) -> std::result::Result<Vec<u8>, Fault> {
        match &self.link {
            Some(link) => link.body(body),
            None => Ok(body),
        }
    }

    /// The parameters of a question, narrowed to what may be asked.
    pub(crate) fn params(&self, params: Params) -> std::result::Result<Params, Fault> {
        match &self.link {
            Some(link) => link.params(params),
            None => Ok(params),
        }
    }
}

/// Who makes a request.
pub(crate) async fn asker_of(facts: &RequestFacts, env: &Env) -> std::result::Result<Asker, Fault> {
    let looked = limiter::of_strangers(env, facts.ip.as_deref(), async {
        let token = facts.bearer().ok_or(Fault::UnknownKey)?;
        if is_link(&token) {
            return link_of(&token, facts.link_password.as_deref(), env).await;
        }
        let site = keys::grant(env, None, &token, now_ms()).await?;
        Ok(Asker { site, link: None })
    });
    let asker = looked.await?;
    if asker.site.kind == KeyKind::Read {
        Ok(asker)
    } else {
        Err(Fault::WrongScope)
    }
}

/// What a link may ask: D1 says so each time, so that it ends at once.
async fn link_of(
    token: &str,
    password: Option<&str>,
    env: &Env,
) -> std::result::Result<Asker, Fault> {
    let mut found: Vec<LinkRow> = rows(env, &links::find(token, now_ms())).await?;
    let found = found.pop().ok_or(Fault::UnknownKey)?;
    let link = found.open(token, password)?;
    current(|call| call.note_site(&link.site));
    let site = Rc::new(Grant {
        site: link.site.clone(),
        kind: KeyKind::Read,
        origins: Vec::new(),
        hash_routing: false,
        policy: Policy::default(),
        time_zone: link.time_zone.clone(),
        ends_at: None,
    });
    Ok(Asker {
        site,
        link: Some(link),
    })
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> std::result::Result<String, Fault> {
    serde_json::to_string(value).map_err(|_| Fault::Unavailable("The answer could not be written."))
}

pub(crate) async fn rows<T: DeserializeOwned>(
    env: &Env,
    statement: &Statement,
) -> std::result::Result<Vec<T>, Fault> {
    d1::rows(env, statement).await.map_err(|error| {
        log::error("d1", error);
        Fault::Unavailable("The read model cannot be reached right now.")
    })
}

pub(crate) fn unanswered(error: worker::Error) -> Fault {
    log::error("archive_do", error);
    Fault::Unavailable("The archive cannot be reached right now.")
}

/// Asks the archives of a site that can have what is asked for, each of which answers a [`Part`].
pub(crate) async fn ask_archive(
    env: &Env,
    site: &str,
    asked: Asked,
) -> std::result::Result<Vec<String>, Fault> {
    let archives = Archives::of(env, site);
    let number = archives.number().await.map_err(unanswered)?;
    let key = &config(env)?.ingest.hash_key;
    let alone = number == 1;
    let has_home = only(&asked, site, number, key).is_some();
    let ask_of = Ask { asked, alone };
    let body = to_json(&ask_of)?;
    if !has_home {
        return archives.ask(&body).await.map_err(unanswered);
    }
    let home = |number| only(&ask_of.asked, site, number, key).unwrap_or(0);
    let said = archives.at(&home).ask(&body).await;
    Ok(vec![said.map_err(unanswered)?])
}

/// Reads the parts of an answer: from their text, for they may be long, and lines of events are told as they are.
pub(crate) fn parts<T: DeserializeOwned>(
    said: Vec<String>,
) -> std::result::Result<Vec<Part<T>>, Fault> {
    let mut parts = Vec::with_capacity(said.len());
    for one in said {
        let part: Part<T> = serde_json::from_str(&one).map_err(|error| unanswered(error.into()))?;
        if part.unreadable > 0 {
            unreadable(part.unreadable);
        }
        parts.push(part);
    }
    Ok(parts)
}

fn unreadable(segments: i64) {
    log::error(
        "archive_do",
        format_args!("{segments} segments cannot be read"),
    );
}

/// A site's logs.
pub(crate) fn logs<'a>(env: &'a Env, site: &'a str) -> std::result::Result<SiteDos<'a>, Fault> {
    Ok(SiteDo::all(env, site, config(env)?.ingest.shards))
}

pub(crate) fn uncounted(error: worker::Error) -> Fault {
    log::error("site_do", error);
    Fault::Unavailable("The live counts cannot be reached right now.")
}
