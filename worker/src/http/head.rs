//! The head of a request as it crosses from JavaScript: one text, for each crossing by itself costs
//! as much as reading several headers.
//!
//! Its lines, in this order: the method, the URL, country and region by the edge's own data, the
//! platform's word on bots, the number of further lines at the end, a line for each of [`HEADERS`],
//! and the further lines, `name=value` of each header that begins with `ce-` where the request is a
//! CloudEvent in binary mode. Of a header that is there the line is `=` and its value; of one that
//! is not, it is empty. `shell/http/entry.js` writes it.
//!
//! No line can hold a line break: HTTP allows none in a header's value, nor the URL standard one in
//! a URL. If one came in all the same, the number of lines would differ, and the head is refused.

use crate::http::cloud_event::CloudEventHeaders;
use crate::http::facts::RequestFacts;

/// The headers that are read, in the order of their lines.
pub const HEADERS: [&str; 11] = [
    "origin",
    "authorization",
    "content-type",
    "content-encoding",
    "content-length",
    "idempotency-key",
    "user-agent",
    "cf-connecting-ip",
    "sec-gpc",
    "dnt",
    "traceparent",
];

/// Lines before those of the headers.
const BEFORE: usize = 6;

/// The platform's score (1 to 99) of a request that it is sure a machine makes.
const CERTAINLY_BOT: u32 = 1;

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head<'a> {
    /// The method, as it was sent.
    pub method: &'a str,
    url: &'a str,
    country: &'a str,
    region: &'a str,
    bot: &'a str,
    headers: [Option<&'a str>; HEADERS.len()],
    further: &'a str,
}

impl<'a> Head<'a> {
    /// Reads the text; `None` where it is not of the form that `shell/http/entry.js` writes.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.splitn(BEFORE.saturating_add(HEADERS.len()).saturating_add(1), '\n');
        let mut next = || lines.next();
        let [method, url, country, region, bot, count] =
            [next()?, next()?, next()?, next()?, next()?, next()?];
        let mut headers = [None; HEADERS.len()];
        for header in &mut headers {
            *header = match next()? {
                "" => None,
                line => Some(line.strip_prefix('=')?),
            };
        }
        let further = next();
        let lines = further.map_or(0, |further| further.split('\n').count());
        (count.parse() == Ok(lines)).then_some(Self {
            method,
            url,
            country,
            region,
            bot,
            headers,
            further: further.unwrap_or_default(),
        })
    }

    /// The URL's path: what follows the host, up to the query.
    pub fn path(&self) -> &'a str {
        let after_scheme = self
            .url
            .split_once("://")
            .map_or(self.url, |(_, rest)| rest);
        let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..));
        let path = path.unwrap_or("/");
        path.split(['?', '#']).next().unwrap_or(path)
    }

    /// The URL's query, without `?`.
    pub fn query(&self) -> &'a str {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        query.split('#').next().unwrap_or(query)
    }

    /// A header of [`HEADERS`].
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let place = HEADERS.iter().position(|known| *known == name)?;
        self.headers.get(place).copied().flatten()
    }

    /// The headers of a CloudEvent in binary mode.
    fn cloud_event(&self) -> CloudEventHeaders {
        let lines = self.further.split('\n');
        CloudEventHeaders::new(lines.filter_map(|line| line.split_once('=')))
    }

    /// The platform itself takes the sender for a bot: `<score>,<verified>` says so.
    fn is_known_bot(&self) -> bool {
        let (score, verified) = self.bot.split_once(',').unwrap_or_default();
        let score = score.parse::<u32>();
        verified == "true" || score.is_ok_and(|score| score <= CERTAINLY_BOT)
    }

    /// What the request says of itself, as those who take events ask.
    pub fn facts(&self) -> RequestFacts {
        let [
            origin,
            authorization,
            content_type,
            content_encoding,
            content_length,
            idempotency_key,
            user_agent,
            ip,
            sec_gpc,
            dnt,
            _,
        ] = self.headers;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        RequestFacts {
            query: self.query().to_owned(),
            origin: owned(origin),
            authorization: owned(authorization),
            // A shared link sends no events.
            link_password: None,
            content_type: owned(content_type),
            content_encoding: owned(content_encoding),
            content_length: content_length.and_then(|length| length.parse().ok()),
            idempotency_key: owned(idempotency_key),
            cloud_event: self.cloud_event(),
            user_agent: owned(user_agent),
            ip: owned(ip),
            opted_out: sec_gpc == Some("1") || dnt == Some("1"),
            known_bot: self.is_known_bot(),
            country: told(self.country),
            region: told(self.region),
        }
    }
}

#[cfg(test)]
mod tests;
