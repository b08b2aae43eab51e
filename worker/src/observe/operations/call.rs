//! One call under way: its names, and what is found out about it as it is answered.
//!
//! An isolate answers many calls at once, and what is found out is found deep down. So a call is
//! set while its own future is polled, and at no other time; whatever it calls may note something
//! of it, and no other call can see it.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;

use super::call_id::CallId;
use super::event::Operation;
use super::histogram::Histogram;
use super::outcomes::Outcomes;
use super::route::{Kind, Route, method_name};
use super::site_name::SiteName;
use crate::http::outcome::EventResult;
use crate::observe::trace::Trace;
use crate::protocol::counters::ACCEPTED;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Call>>> = const { RefCell::new(None) };
}

/// A call under way.
#[derive(Debug)]
pub struct Call {
    id: CallId,
    trace: Trace,
    route: Route,
    method: &'static str,
    found: RefCell<Found>,
}

#[derive(Debug, Default)]
struct Found {
    site: Option<SiteName>,
    code: Option<&'static str>,
    outcomes: Outcomes,
}

impl Call {
    /// A call that begins when its name says.
    pub fn new(method: &str, route: Route, trace: Trace, id: CallId) -> Self {
        Self {
            id,
            trace,
            route,
            method: method_name(method),
            found: RefCell::default(),
        }
    }

    /// Its name in logs and answers.
    pub fn id(&self) -> CallId {
        self.id
    }

    /// Its trace.
    pub fn trace(&self) -> Trace {
        self.trace
    }

    /// Whether the answer names the call. Of those who send events few read an answer's headers; so
    /// they are told where something is wrong, or where they told of a trace themselves.
    pub fn is_told(&self, traced: bool, status: u16) -> bool {
        traced || status >= 400 || self.route.kind != Kind::Ingest
    }

    /// Its route.
    pub fn route(&self) -> Route {
        self.route
    }

    /// Its method.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Notes the site that its key is of.
    pub fn note_site(&self, site: &str) {
        self.found.borrow_mut().site = SiteName::new(site);
    }

    /// Notes why it was not served.
    pub fn note_code(&self, code: &'static str) {
        self.found.borrow_mut().code = Some(code);
    }

    /// Notes how the events that it brought ended, as the sender is told.
    pub fn note_results(&self, accepted: usize, others: &[EventResult]) {
        let outcomes = &mut self.found.borrow_mut().outcomes;
        outcomes.add(ACCEPTED, u64::try_from(accepted).unwrap_or(u64::MAX));
        for result in others {
            outcomes.add(result.code, 1);
        }
    }

    /// The call, answered at `now_ms` with `status`.
    pub fn end(&self, status: u16, now_ms: i64) -> Operation {
        let found = self.found.take();
        let duration_ms = now_ms.saturating_sub(self.id.began_ms).max(0);
        Operation {
            at: now_ms,
            route: self.route,
            method: self.method,
            site: found.site,
            status,
            // An answer that went well may have met a fault on its way.
            code: found.code.filter(|_| status >= 400),
            trace: self.trace,
            id: self.id,
            duration_ms,
            durations: Histogram::one(duration_ms),
            outcomes: found.outcomes,
        }
    }
}

/// Runs `work` as part of `call`.
pub async fn within<F: Future>(call: Rc<Call>, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(move |context| {
        let before = CURRENT.replace(Some(Rc::clone(&call)));
        let polled = work.as_mut().poll(context);
        CURRENT.set(before);
        polled
    })
    .await
}

/// Tells or asks something of the call whose future is polled now, where there is one.
pub fn current<T>(ask: impl FnOnce(&Call) -> T) -> Option<T> {
    let call = CURRENT.with_borrow(Option::clone);
    call.as_deref().map(ask)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::endpoints::route;
    use crate::testing::{NOW, block_on};

    const A: CallId = CallId {
        began_ms: NOW,
        random: [1; 10],
    };
    const B: CallId = CallId {
        began_ms: NOW,
        random: [2; 10],
    };

    fn call(id: CallId) -> Rc<Call> {
        let trace = Trace::begin(None, &[1; 24]);
        Rc::new(Call::new("POST", route("POST", "/v1/events"), trace, id))
    }

    /// Waits once.
    async fn turn() {
        let mut waited = false;
        poll_fn(|_| {
            if std::mem::replace(&mut waited, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    #[test]
    fn calls_that_take_turns_do_not_meet() {
        let seen = RefCell::new(Vec::new());
        let work = async |name: &'static str| {
            for _ in 0..3 {
                current(|call| call.note_site(name));
                seen.borrow_mut().push((name, current(Call::id)));
                turn().await;
            }
        };
        let calls = [call(A), call(B)];
        let mut a = pin!(within(calls[0].clone(), work("a")));
        let mut b = pin!(within(calls[1].clone(), work("b")));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..4 {
            let _ = a.as_mut().poll(&mut context);
            assert_eq!(current(Call::id), None);
            let _ = b.as_mut().poll(&mut context);
        }
        assert_eq!(seen.borrow().len(), 6);
        for (name, id) in seen.borrow().iter() {
            assert_eq!(*id, Some(if *name == "a" { A } else { B }));
        }
        for (call, name) in calls.iter().zip(["a", "b"]) {
            assert_eq!(call.end(200, NOW).site, SiteName::new(name));
        }
    }

    #[test]
    fn a_call_within_another_gives_the_outer_one_back() {
        let asked = || current(Call::id);
        block_on(within(call(A), async {
            block_on(within(call(B), async {
                assert_eq!(asked(), Some(B));
            }));
            assert_eq!(asked(), Some(A));
        }));
        assert_eq!(asked(), None);
    }

    #[test]
    fn what_was_found_out_is_in_its_end() {
        let call = call(A);
        call.note_code("unavailable");
        let duplicate = EventResult::duplicate(1, "id", "Seen.");
        call.note_results(3, &[duplicate.clone(), duplicate]);
        let operation = call.end(202, NOW + 7);
        assert_eq!((operation.duration_ms, operation.code), (7, None));
        let outcomes: Vec<_> = operation.outcomes.iter().collect();
        assert_eq!(outcomes, [("accepted", 3), ("duplicate", 2)]);
        call.note_code("unavailable");
        // The platform's clock may be set back.
        let operation = call.end(503, NOW - 7);
        assert_eq!(
            (operation.duration_ms, operation.code),
            (0, Some("unavailable"))
        );
    }
}
