//! The timeline's fold: what each event changes in the tables of runs, jobs and attempts.
//!
//! A store made again takes journals in another order than they were written in, so no change may depend on that order: a
//! job's row is changed only by an event of a later clock, and attempts and runs only by events of their own journal.

use crate::domain::{
    Key,
    annotation::Annotation,
    event::{Event, EventKind, PersonRequest},
    job::{JobId, JobState, PlannedJob},
};
use rusqlite::{Params, Transaction, params};

pub(super) fn fold(transaction: &Transaction, journal: &str, offset: u64, event: &Event) -> rusqlite::Result<()> {
    let Event { clock, at, what } = event;
    let to = EventFold { transaction, journal, offset: offset as i64, clock: *clock as i64, at: *at as i64 };
    if let EventKind::Logged { key, attempt, line } = what {
        return to.write(
            "INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![journal, to.offset, key.map(|key| key.to_string()), attempt, to.at, line],
        );
    }
    to.write("INSERT INTO event VALUES (?1, ?2, ?3, ?4)", params![journal, to.offset, to.clock, json(event)?])?;
    match what {
        EventKind::RunStarted { .. } | EventKind::RunFinished { .. } => to.run(what),
        EventKind::Queued { jobs } => to.queued(jobs),
        EventKind::Started { job, key, .. } => {
            to.attempt(what)?;
            to.state(job, JobState::Running, None, None)?;
            to.key(job, key)
        }
        EventKind::Finished { job, key, seconds, .. } => {
            to.attempt(what)?;
            to.state(job, JobState::Done, Some(*seconds), None)?;
            to.key(job, key)
        }
        EventKind::Failed { job, key, why, again, .. } => {
            to.attempt(what)?;
            let state = if *again { JobState::Queued } else { JobState::Failed };
            to.state(job, state, None, Some(why))?;
            to.key(job, key)
        }
        EventKind::Found { jobs } => jobs.iter().try_for_each(|(job, key)| {
            to.state(job, JobState::Done, None, None)?;
            to.key(job, key)
        }),
        EventKind::Paused { jobs } => jobs.iter().try_for_each(|job| to.state(job, JobState::Paused, None, None)),
        EventKind::Cancelled { jobs } => jobs.iter().try_for_each(|job| to.state(job, JobState::Cancelled, None, None)),
        EventKind::Resumed { jobs } => jobs.iter().try_for_each(|job| to.state(job, JobState::Queued, None, None)),
        EventKind::Asked { act, .. } => to.request(act),
        EventKind::Pinned { study, figure, note, by, .. } => to.write(
            "INSERT INTO pin VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (study, figure) DO UPDATE
             SET note = ?3, by = ?4, at = ?5, clock = ?6, journal = ?7, offset = ?8
             WHERE (clock, journal, offset) < (?6, ?7, ?8)",
            params![study, figure, note, by, to.at, to.clock, journal, to.offset],
        ),
        EventKind::Labelled(said) => to.label(said),
        // Of one journal, events are taken in in their order: the last stays.
        EventKind::Workers(standing) => {
            to.write("INSERT OR REPLACE INTO cluster VALUES (?1, ?2, ?3)", params![journal, to.at, json(standing)?])
        }
        EventKind::WorkerStarted { .. } | EventKind::Begun { .. } | EventKind::Ended { .. } | EventKind::Logged { .. } => Ok(()),
    }
}

/// Where an event comes from, and where it goes.
struct EventFold<'a> {
    transaction: &'a Transaction<'a>,
    journal: &'a str,
    offset: i64,
    clock: i64,
    /// In milliseconds since 1970.
    at: i64,
}

impl EventFold<'_> {
    fn write(&self, sql: &str, values: impl Params) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql)?.execute(values).map(|_| ())
    }

    /// An annotator's answer on a picture, unless a later one was given.
    fn label(&self, said: &Annotation) -> rusqlite::Result<()> {
        let Annotation { attribute, image, picture, annotator, by, choice, asked } = said;
        let picture = picture.to_string();
        self.write(
            "INSERT INTO label VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?9)
             ON CONFLICT (attribute, annotator, picture) DO UPDATE
             SET image = ?4, by = ?5, choice = ?6, asked = ?7, at = ?8, clock = ?9, journal = ?10, offset = ?11
             WHERE (clock, journal, offset) < (?9, ?10, ?11)",
            params![
                attribute,
                annotator,
                picture,
                image,
                by,
                json(choice)?,
                json(asked)?,
                self.at,
                self.clock,
                self.journal,
                self.offset
            ],
        )?;
        self.write(
            "UPDATE label SET first = ?4 WHERE attribute = ?1 AND annotator = ?2 AND picture = ?3 AND first > ?4",
            params![attribute, annotator, picture, self.clock],
        )
    }

    /// A job's state, unless a later event has changed it.
    fn state(&self, job: &JobId, state: JobState, seconds: Option<f64>, why: Option<&str>) -> rusqlite::Result<()> {
        self.write(
            "UPDATE job SET run = ?2, clock = ?3, at = ?4, state = ?5, seconds = ?6, why = ?7 WHERE id = ?1 AND clock < ?3",
            params![job.to_string(), self.journal, self.clock, self.at, state.word(), seconds, why],
        )
    }

    /// A job's key, unless a later event has told it.
    fn key(&self, job: &JobId, key: &Key) -> rusqlite::Result<()> {
        self.write(
            "UPDATE job SET key = ?2, key_clock = ?3 WHERE id = ?1 AND key_clock < ?3",
            params![job.to_string(), key.to_string(), self.clock],
        )
    }

    fn run(&self, what: &EventKind) -> rusqlite::Result<()> {
        match what {
            EventKind::RunStarted { study, file, text, devices, origin } => self.write(
                "INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, NULL)",
                params![self.journal, self.clock, study, file, text.to_string(), json(devices)?, json(origin)?, self.at],
            ),
            EventKind::RunFinished { interrupted, .. } => self.write(
                "UPDATE run SET ended = ?2, interrupted = ?3 WHERE journal = ?1",
                params![self.journal, self.at, interrupted],
            ),
            _ => Ok(()),
        }
    }

    fn queued(&self, jobs: &[PlannedJob]) -> rusqlite::Result<()> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO job SELECT ?1, ?2, ?3, study, ?4, ?5, 'queued', ?6, NULL, NULL, NULL, 0 FROM run WHERE journal = ?2
             ON CONFLICT (id) DO UPDATE SET run = ?2, clock = ?3, state = 'queued', at = ?6, seconds = NULL, why = NULL
             WHERE clock < ?3",
        )?;
        for planned in jobs {
            let values = params![planned.job.to_string(), self.journal, self.clock, planned.stage.word(), planned.label, self.at];
            statement.execute(values)?;
        }
        Ok(())
    }

    fn attempt(&self, what: &EventKind) -> rusqlite::Result<()> {
        match what {
            EventKind::Started { job, key, attempt, device, slot, threads, seed, worker } => self.write(
                "INSERT INTO attempt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL, NULL, NULL, NULL, NULL, NULL)
                 ON CONFLICT DO NOTHING",
                params![
                    self.journal,
                    key.to_string(),
                    attempt,
                    job.to_string(),
                    device,
                    *slot as i64,
                    *threads as i64,
                    seed.map(|seed| seed as i64),
                    worker,
                    self.at
                ],
            ),
            EventKind::Finished { key, attempt, seconds, .. } => self.write(
                "UPDATE attempt SET ended = ?4, seconds = ?5 WHERE run = ?1 AND key = ?2 AND number = ?3",
                params![self.journal, key.to_string(), attempt, self.at, seconds],
            ),
            EventKind::Failed { key, attempt, cause, why, exit, log, .. } => self.write(
                "UPDATE attempt SET ended = ?4, cause = ?5, why = ?6, exit = ?7, log = ?8, seconds = (?4 - started) / 1000.0
                 WHERE run = ?1 AND key = ?2 AND number = ?3",
                params![self.journal, key.to_string(), attempt, self.at, cause.word(), why, exit, log.join("\n")],
            ),
            _ => Ok(()),
        }
    }

    fn request(&self, act: &PersonRequest) -> rusqlite::Result<()> {
        let (word, job) = match act {
            PersonRequest::Pause { job } => ("pause", *job),
            PersonRequest::Cancel { job } => ("cancel", Some(*job)),
            PersonRequest::Retry { job } => ("retry", *job),
            PersonRequest::Drain => ("drain", None),
        };
        self.write(
            "INSERT INTO act VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.journal, self.offset, self.clock, job.map(|job| job.to_string()), word],
        )
    }
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
