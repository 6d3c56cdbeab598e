//! The timeline's fold: what each event changes in the tables of runs, jobs and attempts.
//!
//! A store made again takes journals in another order than they were written in, so no change may depend on that order: a
//! job's row is changed only by an event of a later clock, and attempts and runs only by events of their own journal.

use crate::domain::{
    Key,
    event::{Event, EventKind, PersonRequest},
    job::{JobId, JobState},
};
use rusqlite::{Transaction, params};

pub(super) fn fold(transaction: &Transaction, journal: &str, offset: u64, event: &Event) -> rusqlite::Result<()> {
    let Event { clock, at, what } = event;
    let (clock, at, offset) = (*clock as i64, *at as i64, offset as i64);
    if let EventKind::Logged { key, attempt, line } = what {
        return transaction
            .prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![journal, offset, key.map(|key| key.to_string()), attempt, at, line])
            .map(|_| ());
    }
    transaction.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        journal,
        offset,
        clock,
        json(event)?
    ])?;

    let set = |job: &JobId, state: JobState, seconds: Option<f64>, why: Option<&str>| {
        transaction
            .prepare_cached(
                "UPDATE job SET run = ?2, clock = ?3, at = ?4, state = ?5, seconds = ?6, why = ?7 WHERE id = ?1 AND clock < ?3",
            )?
            .execute(params![job.to_string(), journal, clock, at, state.word(), seconds, why])
            .map(|_| ())
    };
    let set_key = |job: &JobId, key: &Key| {
        transaction
            .prepare_cached("UPDATE job SET key = ?2, key_clock = ?3 WHERE id = ?1 AND key_clock < ?3")?
            .execute(params![job.to_string(), key.to_string(), clock])
            .map(|_| ())
    };
    match what {
        EventKind::RunStarted { study, file, text, devices, origin } => {
            transaction
                .prepare_cached("INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, NULL)")?
                .execute(params![journal, clock, study, file, text.to_string(), json(devices)?, json(origin)?, at])?;
        }
        EventKind::RunFinished { interrupted, .. } => {
            transaction.prepare_cached("UPDATE run SET ended = ?2, interrupted = ?3 WHERE journal = ?1")?.execute(params![
                journal,
                at,
                interrupted
            ])?;
        }
        EventKind::Queued { jobs } => {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO job SELECT ?1, ?2, ?3, study, ?4, ?5, 'queued', ?6, NULL, NULL, NULL, 0 FROM run WHERE journal = ?2
                 ON CONFLICT (id) DO UPDATE SET run = ?2, clock = ?3, state = 'queued', at = ?6, seconds = NULL, why = NULL
                 WHERE clock < ?3",
            )?;
            for planned in jobs {
                statement.execute(params![planned.job.to_string(), journal, clock, planned.stage.word(), planned.label, at])?;
            }
        }
        EventKind::Started { job, key, attempt, device, slot, threads, seed, worker } => {
            transaction
                .prepare_cached(
                    "INSERT INTO attempt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL, NULL, NULL, NULL, NULL, NULL)
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    journal,
                    key.to_string(),
                    attempt,
                    job.to_string(),
                    device,
                    *slot as i64,
                    *threads as i64,
                    seed.map(|seed| seed as i64),
                    worker,
                    at
                ])?;
            set(job, JobState::Running, None, None)?;
            set_key(job, key)?;
        }
        EventKind::Finished { job, key, attempt, seconds, .. } => {
            transaction
                .prepare_cached("UPDATE attempt SET ended = ?4, seconds = ?5 WHERE run = ?1 AND key = ?2 AND number = ?3")?
                .execute(params![journal, key.to_string(), attempt, at, seconds])?;
            set(job, JobState::Done, Some(*seconds), None)?;
            set_key(job, key)?;
        }
        EventKind::Failed { job, key, attempt, cause, why, exit, log, again } => {
            transaction
                .prepare_cached(
                    "UPDATE attempt SET ended = ?4, cause = ?5, why = ?6, exit = ?7, log = ?8, seconds = (?4 - started) / 1000.0
                     WHERE run = ?1 AND key = ?2 AND number = ?3",
                )?
                .execute(params![journal, key.to_string(), attempt, at, cause.word(), why, exit, log.join("\n")])?;
            let state = if *again { JobState::Queued } else { JobState::Failed };
            set(job, state, None, Some(why))?;
            set_key(job, key)?;
        }
        EventKind::Found { jobs } => {
            for (job, key) in jobs {
                set(job, JobState::Done, None, None)?;
                set_key(job, key)?;
            }
        }
        EventKind::Paused { jobs } => jobs.iter().try_for_each(|job| set(job, JobState::Paused, None, None))?,
        EventKind::Cancelled { jobs } => jobs.iter().try_for_each(|job| set(job, JobState::Cancelled, None, None))?,
        EventKind::Resumed { jobs } => jobs.iter().try_for_each(|job| set(job, JobState::Queued, None, None))?,
        EventKind::Asked { act, .. } => {
            let (word, job) = match act {
                PersonRequest::Pause { job } => ("pause", *job),
                PersonRequest::Cancel { job } => ("cancel", Some(*job)),
                PersonRequest::Retry { job } => ("retry", *job),
                PersonRequest::Drain => ("drain", None),
            };
            transaction.prepare_cached("INSERT INTO act VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
                journal,
                offset,
                clock,
                job.map(|job| job.to_string()),
                word
            ])?;
        }
        EventKind::Pinned { study, figure, note, by, .. } => {
            transaction
                .prepare_cached(
                    "INSERT INTO pin VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (study, figure) DO UPDATE
                     SET note = ?3, by = ?4, at = ?5, clock = ?6, journal = ?7, offset = ?8
                     WHERE (clock, journal, offset) < (?6, ?7, ?8)",
                )?
                .execute(params![study, figure, note, by, at, clock, journal, offset])?;
        }
        EventKind::WorkerStarted { .. } | EventKind::Begun { .. } | EventKind::Ended { .. } | EventKind::Logged { .. } => {}
    }
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
