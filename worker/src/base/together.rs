//! Some futures at once. What `futures-util` has for this is made for thousands, and brings a queue of tasks for each
//! type: here a handful is awaited at a time, and all that wait are asked whenever one can go on.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::Poll;

/// What all of them come to, in their order.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    all(futures, |_| false).await
}

/// What all of them come to, in their order; an error as soon as there is one.
///
/// # Errors
/// That of the future that failed first.
pub async fn try_join_all<T, E, F: Future<Output = Result<T, E>>>(
    futures: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, E> {
    let all = all(futures, Result::is_err).await;
    all.into_iter().collect()
}

/// A future, or what it came to.
enum Slot<F: Future> {
    Waiting(Pin<Box<F>>),
    Done(F::Output),
}

/// What all come to, or those that are done when one comes to what ends it.
async fn all<F: Future>(
    futures: impl IntoIterator<Item = F>,
    ends: impl Fn(&F::Output) -> bool,
) -> Vec<F::Output> {
    let waiting = |future| Slot::Waiting(Box::pin(future));
    let mut slots: Vec<Slot<F>> = futures.into_iter().map(waiting).collect();
    poll_fn(|context| {
        let (mut waits, mut ended) = (false, false);
        for slot in &mut slots {
            let Slot::Waiting(future) = slot else {
                continue;
            };
            match future.as_mut().poll(context) {
                Poll::Pending => waits = true,
                Poll::Ready(output) => {
                    ended |= ends(&output);
                    *slot = Slot::Done(output);
                }
            }
        }
        if waits && !ended {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    mem::take(&mut slots)
        .into_iter()
        .filter_map(|slot| match slot {
            Slot::Waiting(_) => None,
            Slot::Done(output) => Some(output),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use super::*;
    use crate::testing::block_on;

    /// Comes to a number after it was asked so often.
    async fn after(asked: u32, number: i32) -> i32 {
        let left = Cell::new(asked);
        poll_fn(|context| {
            if left.get() == 0 {
                return Poll::Ready(());
            }
            left.set(left.get() - 1);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        number
    }

    #[test]
    fn all_are_awaited_and_keep_their_order() {
        let futures = [(3, 1), (0, 2), (7, 3)].map(|(asked, number)| after(asked, number));
        assert_eq!(block_on(join_all(futures)), [1, 2, 3]);
        assert_eq!(
            block_on(join_all(Vec::<std::future::Ready<i32>>::new())),
            [0; 0]
        );
    }

    #[test]
    fn an_error_ends_it_though_another_never_answers() {
        type Never = Pin<Box<dyn Future<Output = Result<i32, &'static str>>>>;
        let futures: [Never; 3] = [
            Box::pin(pending()),
            Box::pin(async { Ok(after(2, 1).await) }),
            Box::pin(async {
                after(4, 1)
                    .await
                    .checked_sub(2)
                    .ok_or("")
                    .and(Err("failed"))
            }),
        ];
        assert_eq!(block_on(try_join_all(futures)), Err("failed"));
        let fine = [(1, 1), (0, 2)]
            .map(|(asked, number)| async move { Ok::<_, ()>(after(asked, number).await) });
        assert_eq!(block_on(try_join_all(fine)), Ok(vec![1, 2]));
    }
}
