//! Orders that have come by post and wait to be taken up. One thread fetches them, the worker takes them one after another, and what it has
//! not begun can be given back.

use crate::domain::Key;
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Shared by the thread that fetches and the worker.
#[derive(Clone, Default)]
pub(super) struct OrderQueue(Arc<(Mutex<Orders>, Condvar)>);

#[derive(Default)]
struct Orders {
    /// The key that each makes, and the order as a line.
    waiting: VecDeque<(Key, Vec<u8>)>,
    /// The worker has nothing to do and waits.
    is_awaited: bool,
    /// Nothing more comes, or nobody takes anything any more.
    is_over: bool,
}

impl OrderQueue {
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An order has come; `false`: nobody takes it any more.
    pub(super) fn push(&self, key: Key, line: Vec<u8>) -> bool {
        let mut orders = self.lock();
        orders.waiting.push_back((key, line));
        self.0.1.notify_all();
        !orders.is_over
    }

    /// No order is added or waited for any more. What has come can still be taken.
    pub(super) fn close(&self) {
        self.lock().is_over = true;
        self.0.1.notify_all();
    }

    /// The next order, waited for; empty when none comes any more.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut orders = self.lock();
        loop {
            if let Some((_, line)) = orders.waiting.pop_front() {
                orders.is_awaited = false;
                return line;
            }
            if orders.is_over {
                return vec![];
            }
            if !orders.is_awaited {
                orders.is_awaited = true;
                self.0.1.notify_all();
            }
            orders = self.0.1.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Removes the orders that make these, and says which were still there.
    pub(super) fn give_back(&self, keys: &[Key]) -> Vec<Key> {
        let mut orders = self.lock();
        let (back, stay) = std::mem::take(&mut orders.waiting).into_iter().partition(|(key, _)| keys.contains(key));
        orders.waiting = stay;
        back.into_iter().map(|(key, _): (Key, Vec<u8>)| key).collect()
    }

    /// Waits so long; shorter when the worker begins to wait meanwhile, or nobody takes orders any more. Did the worker begin to wait?
    pub(super) fn rest(&self, wait: Duration) -> bool {
        let orders = self.lock();
        if orders.is_over {
            return false;
        }
        let was_awaited = orders.is_awaited;
        let begins = |orders: &mut Orders| !orders.is_over && (was_awaited || !orders.is_awaited);
        let (orders, _) = self.0.1.wait_timeout_while(orders, wait, begins).unwrap_or_else(PoisonError::into_inner);
        !was_awaited && orders.is_awaited
    }

    /// Nobody takes orders any more.
    pub(super) fn is_over(&self) -> bool {
        self.lock().is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;
    use std::time::Instant;

    fn key(name: &str) -> Key {
        Key(Digest::of(name.as_bytes()))
    }

    fn queue(names: &[&str]) -> OrderQueue {
        let queue = OrderQueue::default();
        names.iter().for_each(|name| assert!(queue.push(key(name), name.as_bytes().to_vec())));
        queue
    }

    #[test]
    fn orders_are_taken_as_they_came_and_what_was_not_begun_is_given_back_once() {
        let queue = queue(&["a", "b", "c"]);
        assert_eq!(queue.take(), b"a");
        assert_eq!(queue.give_back(&[key("c"), key("a"), key("x")]), [key("c")]);
        assert!(queue.give_back(&[key("c")]).is_empty());
        queue.close();
        assert_eq!((queue.take(), queue.take()), (b"b".to_vec(), vec![]));
        assert!(!queue.push(key("d"), b"d".to_vec()));
    }

    #[test]
    fn the_rest_ends_as_soon_as_the_worker_has_nothing_to_do() {
        // A worker that began to wait before the rest is no news to it: then once more, with another.
        let is_told_at_once = || {
            let queue = queue(&[]);
            let worker = std::thread::spawn({
                let queue = queue.clone();
                move || {
                    std::thread::sleep(Duration::from_millis(20));
                    queue.take()
                }
            });
            let (begun, wait) = (Instant::now(), Duration::from_secs(5));
            let began = queue.rest(wait);
            assert!(!began || begun.elapsed() < wait);
            assert!(!queue.rest(Duration::from_millis(1)), "it waits since before");
            queue.push(key("a"), b"a".to_vec());
            assert_eq!(worker.join().unwrap(), b"a");
            began
        };
        assert!((0..10).any(|_| is_told_at_once()));
    }
}
