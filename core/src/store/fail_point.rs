//! Fail points: each write, sync, rename and link passes one, so that a test can refuse it or end the process just there.
//!
//! `VISAVIS_FAIL` holds `[ROLE:]OP@N=HOW` (`worker:sync@3=kill`). ROLE is `worker` or `dispatcher`; OP is `write`, `sync`,
//! `rename`, `link` or `any`; N counts from 1 in each process; HOW is `enospc`, `eio` or `kill`. Only builds with fault
//! injection read it (see [`Injection`]).

use super::Injection;
use rustix::process::{Signal, getpid, kill_process};
use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// An operation on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Write,
    Sync,
    Rename,
    Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FailPoint {
    /// `None`: any of them.
    op: Option<Op>,
    /// Counts from 1.
    turn: u64,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// With this number of errno.
    Refuse(i32),
    Kill,
}

/// Passes the fail point of an operation, before it is done.
///
/// # Errors
/// What a test asked for.
pub(super) fn pass(op: Op) -> io::Result<()> {
    if !Injection::BUILT_IN {
        return Ok(());
    }
    static POINT: OnceLock<Option<FailPoint>> = OnceLock::new();
    static TURN: AtomicU64 = AtomicU64::new(0);
    let asked = || parsed(&Injection::DiskFault.value()?, std::env::args().nth(1).as_deref());
    let Some(point) = POINT.get_or_init(asked).filter(|point| point.op.is_none_or(|wanted| wanted == op)) else {
        return Ok(());
    };
    if TURN.fetch_add(1, Ordering::Relaxed) + 1 != point.turn {
        return Ok(());
    }
    match point.how {
        How::Refuse(number) => Err(io::Error::from_raw_os_error(number)),
        How::Kill => {
            kill_process(getpid(), Signal::KILL).ok();
            loop {
                std::thread::park();
            }
        }
    }
}

/// The fail point of a process that was started with this command (`work`: a worker); `None` for a text about another role,
/// or one that is no fail point.
fn parsed(text: &str, command: Option<&str>) -> Option<FailPoint> {
    let role = if command == Some("work") { "worker" } else { "dispatcher" };
    let text = match text.split_once(':') {
        Some((of, rest)) if of == role => rest,
        Some(_) => return None,
        None => text,
    };
    let (op, rest) = text.split_once('@')?;
    let (turn, how) = rest.split_once('=')?;
    let op = match op {
        "write" => Some(Op::Write),
        "sync" => Some(Op::Sync),
        "rename" => Some(Op::Rename),
        "link" => Some(Op::Link),
        "any" => None,
        _ => return None,
    };
    let how = match how {
        "enospc" => How::Refuse(28),
        "eio" => How::Refuse(5),
        "kill" => How::Kill,
        _ => return None,
    };
    Some(FailPoint { op, turn: turn.parse().ok()?, how })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fail_point_is_of_one_role_one_operation_and_one_turn() {
        let kill = FailPoint { op: Some(Op::Sync), turn: 3, how: How::Kill };
        assert_eq!(parsed("worker:sync@3=kill", Some("work")), Some(kill));
        assert_eq!(parsed("worker:sync@3=kill", Some("run")), None);
        assert_eq!(parsed("dispatcher:sync@3=kill", Some("run")), Some(kill));
        assert_eq!(parsed("sync@3=kill", None), Some(kill), "without a role, of every process");
        assert_eq!(parsed("any@1=enospc", None), Some(FailPoint { op: None, turn: 1, how: How::Refuse(28) }));
        assert_eq!(parsed("link@12=eio", None), Some(FailPoint { op: Some(Op::Link), turn: 12, how: How::Refuse(5) }));
    }

    #[test]
    fn what_is_no_fail_point_asks_for_nothing() {
        for text in ["", "sync", "sync@1", "sync@=kill", "sync@x=kill", "read@1=kill", "sync@1=fire", "nobody:sync@1=kill"] {
            assert_eq!(parsed(text, Some("run")), None, "{text}");
        }
    }
}
