//! What faces ask of the index.

use super::{Index, schema};
use crate::domain::{
    Digest, Key, Result,
    annotation::{Annotation, Answered, Answers},
    event::{Event, EventKind, RunOrigin, Slots, WorkersStanding},
    job::{Cause, JobId, JobState},
    machine::WorkerMachine,
    metric::MetricPoint,
    pin::Pin,
    stage::Kind,
};
use rusqlite::{OptionalExtension, Params, Row, params};

/// A run: one dispatcher's time with one study.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// The journal of its dispatcher, which names it.
    pub journal: String,
    /// Lamport's clock at its start.
    pub clock: u64,
    /// The study's name.
    pub study: String,
    /// The study file's path, as it was given.
    pub file: String,
    /// Digest of the study file's text, which is kept as an object.
    pub text: Option<Digest>,
    /// What its jobs could run on.
    pub devices: Vec<Slots>,
    /// The program, machine and commit.
    pub origin: RunOrigin,
    /// Milliseconds since 1970.
    pub started: u64,
    /// Milliseconds since 1970; `None` where it did not say.
    pub ended: Option<u64>,
    /// Somebody stopped it before all was done.
    pub interrupted: bool,
    /// How many stages it ran, found stored, and saw fail; `None` while it has not ended.
    pub counts: Option<RunCounts>,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunCounts {
    /// Stages that ran.
    pub ran: usize,
    /// Stages whose results were there.
    pub stored: usize,
    /// Stages that failed.
    pub failed: usize,
}

/// A job as the latest run that knew it left it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// What people call it by.
    pub id: JobId,
    /// The journal of that run.
    pub run: String,
    /// Lamport's clock of the latest change.
    pub clock: u64,
    /// The study's name.
    pub study: String,
    /// The kind of its stage.
    pub stage: Kind,
    /// What it is, in words.
    pub label: String,
    /// Where it stands.
    pub state: JobState,
    /// Its result's, or its latest attempt's.
    pub key: Option<Key>,
    /// Milliseconds since 1970 of the latest change.
    pub at: u64,
    /// How long the computation took, of one that was done here.
    pub seconds: Option<f64>,
    /// Why it failed.
    pub why: Option<String>,
}

/// A try at a job.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRow {
    /// The journal of its dispatcher.
    pub run: String,
    /// The result that it was to leave.
    pub key: Key,
    /// From 1 for each job.
    pub number: u32,
    /// The job.
    pub job: JobId,
    /// Such as `cpu` or `cuda:0`.
    pub device: String,
    /// Which of the device's slots, from 0.
    pub slot: usize,
    /// Threads that the worker computed with.
    pub threads: usize,
    /// The seed of the task, if it draws.
    pub seed: Option<u64>,
    /// The name of the worker's journal.
    pub worker: String,
    /// Milliseconds since 1970.
    pub started: u64,
    /// Milliseconds since 1970; `None` while it goes on, or where nobody said how it ended.
    pub ended: Option<u64>,
    /// How long the computation took; of a failed one the time until it failed.
    pub seconds: Option<f64>,
    /// Why it did not end well.
    pub cause: Option<Cause>,
    /// The same in a sentence.
    pub why: Option<String>,
    /// How the worker's process ended, where it did.
    pub exit: Option<String>,
    /// The last lines that a failed one wrote.
    pub log: Vec<String>,
}

/// A line that a worker wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// Milliseconds since 1970.
    pub at: u64,
    /// The result that the worker was at, if any.
    pub key: Option<Key>,
    /// From 1 for each job; 0 outside a task.
    pub attempt: u32,
    /// Without its line end.
    pub line: String,
}

/// One series of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesRow {
    /// The result that the attempt was at.
    pub key: Key,
    /// From 1 for each job.
    pub attempt: u32,
    /// The name of the worker's journal.
    pub worker: String,
    /// The series' name, such as `loss`.
    pub series: String,
    /// In the order of recording.
    pub points: Vec<MetricPoint>,
}

/// What results of one kind of work took: how many, and per result the seconds and bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Spent {
    /// See `Work::cost_class`.
    pub cost_class: String,
    /// How many results.
    pub count: usize,
    /// Mean of the seconds.
    pub seconds: f64,
    /// Standard deviation of the seconds.
    pub spread: f64,
    /// Mean of the bytes that a result left.
    pub bytes: f64,
}

impl Index {
    fn all<T>(&self, query: &str, parameters: impl Params, each: impl Fn(&Row) -> rusqlite::Result<T>) -> Result<Vec<T>> {
        let outcome =
            self.connection.prepare_cached(query).and_then(|mut statement| statement.query_map(parameters, each)?.collect());
        self.ran(outcome)
    }

    /// The greatest clock of any event, 0 when there is none.
    pub fn clock(&self) -> Result<u64> {
        let outcome = self.connection.query_row("SELECT coalesce(max(clock), 0) FROM event", [], |row| row.get::<_, i64>(0));
        Ok(self.ran(outcome)? as u64)
    }

    /// The run that was started last; `None` before the first.
    pub fn latest_run(&self) -> Result<Option<RunRow>> {
        let query = format!("SELECT {RUN} FROM run ORDER BY clock DESC, journal DESC LIMIT 1");
        self.ran(self.connection.query_row(&query, [], run).optional())
    }

    /// How the workers of a run stood that come by themselves, when its dispatcher last said so; `None` of a run that has none.
    pub fn workers_of(&self, run: &str) -> Result<Option<WorkersStanding>> {
        // A store that an earlier visavis wrote, and nobody could bring up to date, knows of none.
        if schema::version(&self.connection, &self.path())? < 7 {
            return Ok(None);
        }
        let query = "SELECT workers FROM cluster WHERE run = ?1";
        let outcome = self.connection.query_row(query, [run], |row| row.get::<_, String>(0)).optional();
        Ok(self.ran(outcome)?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The machine that a worker was on, by the name of its journal; `None` where nobody wrote it down.
    pub fn machine_of(&self, worker: &str) -> Result<Option<WorkerMachine>> {
        let query = "SELECT body FROM event WHERE journal = ?1 ORDER BY offset LIMIT 1";
        let outcome = self.connection.query_row(query, [worker], |row| row.get::<_, String>(0)).optional();
        let first = self.ran(outcome)?.and_then(|body| serde_json::from_str::<Event>(&body).ok());
        Ok(match first.map(|event| event.what) {
            Some(EventKind::WorkerStarted { machine: Some(machine), .. }) => Some(*machine),
            _ => None,
        })
    }

    /// The run of this journal.
    pub fn run_of(&self, journal: &str) -> Result<Option<RunRow>> {
        let query = format!("SELECT {RUN} FROM run WHERE journal = ?1");
        self.ran(self.connection.query_row(&query, [journal], run).optional())
    }

    /// All runs, the latest first.
    pub fn runs(&self) -> Result<Vec<RunRow>> {
        self.all(&format!("SELECT {RUN} FROM run ORDER BY clock DESC, journal DESC"), [], run)
    }

    /// How many jobs a run knows, by state.
    pub fn tally(&self, run: &str) -> Result<Vec<(JobState, usize)>> {
        let row = |row: &Row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as usize));
        let counted = self.all("SELECT state, count(*) FROM job WHERE run = ?1 GROUP BY state", [run], row)?;
        Ok(counted.into_iter().filter_map(|(word, count)| Some((JobState::of_word(&word)?, count))).collect())
    }

    /// The jobs of a run in one state, the longest in it first; at most so many.
    pub fn jobs_in(&self, run: &str, state: JobState, most: usize) -> Result<Vec<JobRow>> {
        let query = "SELECT * FROM job WHERE run = ?1 AND state = ?2 ORDER BY at, id LIMIT ?3";
        self.all(query, params![run, state.word(), most as i64], job)
    }

    /// The jobs of a run that changed after a clock, in the order they did.
    pub fn jobs_since(&self, run: &str, clock: u64) -> Result<Vec<JobRow>> {
        self.all("SELECT * FROM job WHERE run = ?1 AND clock > ?2 ORDER BY clock", params![run, clock as i64], job)
    }

    /// The jobs of a study that changed after a clock, whichever run it was in.
    pub fn jobs_after(&self, study: &str, clock: u64) -> Result<Vec<JobRow>> {
        self.all("SELECT * FROM job WHERE study = ?1 AND clock > ?2", params![study, clock as i64], job)
    }

    /// The jobs of a study, by label.
    pub fn jobs_of(&self, study: &str) -> Result<Vec<JobRow>> {
        self.all("SELECT * FROM job WHERE study = ?1 ORDER BY label", [study], job)
    }

    /// What is known of a job.
    pub fn job(&self, id: JobId) -> Result<Option<JobRow>> {
        Ok(self.all("SELECT * FROM job WHERE id = ?1", [id.to_string()], job)?.pop())
    }

    /// The latest jobs of a study that other runs than this one did; the last first.
    pub fn jobs_done_before(&self, study: &str, run: &str, most: usize) -> Result<Vec<JobRow>> {
        let query = "SELECT * FROM job WHERE study = ?1 AND state = 'done' AND run <> ?2 ORDER BY at DESC, label LIMIT ?3";
        self.all(query, params![study, run, most as i64], job)
    }

    /// Every job that any run knew.
    pub fn jobs(&self) -> Result<Vec<JobRow>> {
        self.all("SELECT * FROM job ORDER BY clock DESC, label", [], job)
    }

    /// Every attempt at a job, the earliest first.
    pub fn attempts_at(&self, id: JobId) -> Result<Vec<AttemptRow>> {
        self.all("SELECT * FROM attempt WHERE job = ?1 ORDER BY started, run, number", [id.to_string()], attempt)
    }

    /// Attempts at jobs of a study, in the order they started.
    pub fn attempts_of(&self, study: &str) -> Result<Vec<AttemptRow>> {
        let query = "SELECT attempt.* FROM attempt JOIN run ON run.journal = attempt.run WHERE run.study = ?1
                     ORDER BY run.clock, attempt.started, attempt.key, attempt.number";
        self.all(query, [study], attempt)
    }

    /// Log lines of one worker's attempt.
    pub fn log_of(&self, attempt: &AttemptRow) -> Result<Vec<LogRow>> {
        self.all(
            "SELECT at, key, attempt, line FROM log WHERE key = ?1 AND attempt = ?2 AND journal IN (?3, ?4) ORDER BY at, offset",
            params![attempt.key.to_string(), attempt.number, attempt.worker, attempt.run],
            line,
        )
    }

    /// Log lines that were taken in after a place, oldest first, and the place of the last; `None`: the latest so many.
    pub fn log_since(&self, place: Option<i64>, most: usize) -> Result<(Vec<LogRow>, Option<i64>)> {
        let row = |row: &Row| Ok((line(row)?, row.get::<_, i64>(4)?));
        let columns = "SELECT at, key, attempt, line, rowid FROM log";
        let rows = match place {
            Some(place) => self.all(&format!("{columns} WHERE rowid > ?1 ORDER BY rowid"), [place], row)?,
            None => {
                let mut rows = self.all(&format!("{columns} ORDER BY rowid DESC LIMIT ?1"), [most as i64], row)?;
                rows.reverse();
                rows
            }
        };
        let last = rows.last().map(|(_, place)| *place).or(place);
        Ok((rows.into_iter().map(|(line, _)| line).collect(), last))
    }

    /// The series that one result's attempts recorded.
    pub fn series_of(&self, key: Key) -> Result<Vec<SeriesRow>> {
        let query =
            "SELECT journal, attempt, series, points FROM metric WHERE key = ?1 ORDER BY journal, attempt, series, offset";
        let row = |row: &Row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, Vec<u8>>(3)?));
        let mut series: Vec<SeriesRow> = Vec::new();
        for (worker, attempt, name, bytes) in self.all(query, [key.to_string()], row)? {
            let Some(chunk) = crate::domain::metric::Chunk::of_bytes(&bytes) else { continue };
            match series.last_mut() {
                Some(last) if last.worker == worker && last.attempt == attempt && last.series == name => {
                    last.points.extend(chunk.points);
                }
                _ => series.push(SeriesRow { key, attempt, worker, series: name, points: chunk.points }),
            }
        }
        Ok(series)
    }

    /// The latest points of a series of a result, as many as were written together; none where there are none.
    pub fn latest_points(&self, key: Key, series: &str) -> Result<Vec<MetricPoint>> {
        let query = "SELECT points FROM metric WHERE key = ?1 AND series = ?2 ORDER BY journal DESC, offset DESC LIMIT 1";
        let rows = self.all(query, [key.to_string(), series.to_owned()], |row: &Row| row.get::<_, Vec<u8>>(0))?;
        let chunk = rows.first().and_then(|bytes| crate::domain::metric::Chunk::of_bytes(bytes));
        Ok(chunk.map_or(vec![], |chunk| chunk.points))
    }

    /// How many points the store holds.
    pub fn points(&self) -> Result<u64> {
        let outcome = self.connection.query_row("SELECT coalesce(sum(count), 0) FROM metric", [], |row| row.get::<_, i64>(0));
        Ok(self.ran(outcome)? as u64)
    }

    /// How many events the store holds.
    pub fn events(&self) -> Result<usize> {
        let outcome = self.connection.query_row("SELECT count(*) FROM event", [], |row| row.get::<_, i64>(0));
        Ok(self.ran(outcome)? as usize)
    }

    /// What results took, by kind of work.
    pub fn spent(&self) -> Result<Vec<Spent>> {
        let query =
            "SELECT alike, count(*), avg(seconds), avg(seconds * seconds), avg(bytes) FROM result GROUP BY alike ORDER BY alike";
        self.all(query, [], |row| {
            let (count, mean, square) = (row.get::<_, i64>(1)? as usize, row.get::<_, f64>(2)?, row.get::<_, f64>(3)?);
            let variance = (square - mean * mean).max(0.0) * count as f64 / (count.max(2) - 1) as f64;
            Ok(Spent { cost_class: row.get(0)?, count, seconds: mean, spread: variance.sqrt(), bytes: row.get(4)? })
        })
    }

    /// The figures of a study that people want in its report, by name.
    pub fn pins(&self, study: &str) -> Result<Vec<Pin>> {
        // A store that an earlier visavis wrote, and nobody could bring up to date, has none.
        if schema::version(&self.connection, &self.path())? < 2 {
            return Ok(vec![]);
        }
        let row = |row: &Row| {
            let definition = row.get::<_, Option<String>>(3)?.and_then(|digest| digest.parse().ok());
            Ok(Pin { figure: row.get(0)?, note: row.get(1)?, at: row.get::<_, i64>(2)? as u64, definition })
        };
        // What a figure is stands in the event that pinned it.
        let query = "SELECT figure, note, pin.at, json_extract(body, '$.what.pinned.definition')
                     FROM pin LEFT JOIN event USING (journal, offset)
                     WHERE study = ?1 AND note IS NOT NULL ORDER BY figure";
        self.all(query, [study], row)
    }

    /// What annotators said of pictures, by attribute; `attribute`: of one only. The latest answer stands last.
    pub fn answers(&self, attribute: Option<&str>) -> Result<Answers> {
        if schema::version(&self.connection, &self.path())? < 6 {
            return Ok(Answers::new());
        }
        let unreadable = |column: usize, what: &str| {
            rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.to_owned().into())
        };
        let row = |row: &Row| {
            let annotation = Annotation {
                attribute: row.get(0)?,
                annotator: row.get(1)?,
                picture: row.get::<_, String>(2)?.parse().map_err(|_| unreadable(2, "no digest"))?,
                image: row.get(3)?,
                by: row.get(4)?,
                choice: serde_json::from_str(&row.get::<_, String>(5)?).map_err(|_| unreadable(5, "no answer"))?,
                asked: serde_json::from_str(&row.get::<_, String>(6)?).map_err(|_| unreadable(6, "no question"))?,
            };
            Ok(Answered { annotation, at: row.get::<_, i64>(7)? as u64, first: row.get::<_, i64>(8)? as u64 })
        };
        let query = "SELECT attribute, annotator, picture, image, by, choice, asked, at, first FROM label
                     WHERE ?1 IS NULL OR attribute = ?1 ORDER BY clock, journal, offset";
        let mut answers = Answers::new();
        for answered in self.all(query, [attribute], row)? {
            answers.entry(answered.annotation.attribute.clone()).or_default().push(answered);
        }
        Ok(answers)
    }

    /// A number that changes with every answer of an annotator.
    pub fn answers_state(&self) -> Result<(u64, u64)> {
        if schema::version(&self.connection, &self.path())? < 6 {
            return Ok((0, 0));
        }
        let query = "SELECT count(*), coalesce(sum(clock), 0) FROM label";
        let row = |row: &Row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64));
        self.ran(self.connection.query_row(query, [], row))
    }

    /// How many runs there were.
    pub fn count_runs(&self) -> Result<usize> {
        let outcome = self.connection.query_row("SELECT count(*) FROM run", [], |row| row.get::<_, i64>(0));
        Ok(self.ran(outcome)? as usize)
    }

    /// What people asked of jobs and of everything (`None`), in the order they did.
    pub fn standing_acts(&self) -> Result<Vec<(Option<JobId>, String)>> {
        let row = |row: &Row| Ok((row.get::<_, Option<String>>(0)?, row.get(1)?));
        let acts = self.all("SELECT job, act FROM act WHERE act <> 'drain' ORDER BY clock, journal, offset", [], row)?;
        let parsed = |(job, act): (Option<String>, String)| match job {
            None => Some((None, act)),
            Some(job) => Some((Some(job.parse().ok()?), act)),
        };
        Ok(acts.into_iter().filter_map(parsed).collect())
    }

    /// Has the journal been taken in to its end?
    pub fn knows(&self, journal: &str) -> Result<bool> {
        let query = "SELECT count(*) FROM journal WHERE name = ?1 AND closed";
        Ok(self.ran(self.connection.query_row(query, [journal], |row| row.get::<_, i64>(0)))? > 0)
    }

    /// The latest act that was meant for everything, after a clock.
    pub fn act_on_all(&self, clock: u64) -> Result<Option<String>> {
        let outcome = self
            .connection
            .query_row(
                "SELECT act FROM act WHERE job IS NULL AND clock > ?1 ORDER BY act = 'drain' DESC, clock DESC, journal DESC LIMIT 1",
                [clock as i64],
                |row| row.get(0),
            )
            .optional();
        self.ran(outcome)
    }

    /// The digests of the study texts that runs were started with.
    pub fn texts(&self) -> Result<Vec<Digest>> {
        let texts = self.all("SELECT DISTINCT text FROM run ORDER BY text", [], |row| row.get::<_, String>(0))?;
        Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
    }
}

/// A column's text as what it stands for; a row that holds anything else was not written by Visavis.
fn parsed<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| rusqlite::Error::InvalidColumnName(format!("{column} = {text}")))
}

/// The columns that [`run`] reads; the last event of its journal says what it came to.
const RUN: &str = "journal, clock, study, file, text, devices, origin, started, ended, interrupted,
    (SELECT body FROM event WHERE event.journal = run.journal ORDER BY offset DESC LIMIT 1) AS last";

fn run(row: &Row) -> rusqlite::Result<RunRow> {
    let last = row.get::<_, Option<String>>("last")?.and_then(|body| serde_json::from_str::<Event>(&body).ok());
    Ok(RunRow {
        journal: row.get("journal")?,
        clock: row.get::<_, i64>("clock")? as u64,
        study: row.get("study")?,
        file: row.get("file")?,
        text: parsed(row, "text", |text| text.parse().ok()).ok(),
        devices: parsed(row, "devices", |text| serde_json::from_str(text).ok())?,
        origin: parsed(row, "origin", |text| serde_json::from_str(text).ok())?,
        started: row.get::<_, i64>("started")? as u64,
        ended: row.get::<_, Option<i64>>("ended")?.map(|at| at as u64),
        interrupted: row.get::<_, Option<bool>>("interrupted")?.unwrap_or(false),
        counts: match last.map(|event| event.what) {
            Some(EventKind::RunFinished { ran, stored, failed, .. }) => Some(RunCounts { ran, stored, failed }),
            _ => None,
        },
    })
}

fn job(row: &Row) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        id: parsed(row, "id", |text| text.parse().ok())?,
        run: row.get("run")?,
        clock: row.get::<_, i64>("clock")? as u64,
        study: row.get("study")?,
        stage: parsed(row, "stage", Kind::of_word)?,
        label: row.get("label")?,
        state: parsed(row, "state", JobState::of_word)?,
        key: row.get::<_, Option<String>>("key")?.and_then(|key| key.parse().ok()),
        at: row.get::<_, i64>("at")? as u64,
        seconds: row.get("seconds")?,
        why: row.get("why")?,
    })
}

fn attempt(row: &Row) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        run: row.get("run")?,
        key: parsed(row, "key", |text| text.parse().ok())?,
        number: row.get("number")?,
        job: parsed(row, "job", |text| text.parse().ok())?,
        device: row.get("device")?,
        slot: row.get::<_, i64>("slot")? as usize,
        threads: row.get::<_, i64>("threads")? as usize,
        seed: row.get::<_, Option<i64>>("seed")?.map(|seed| seed as u64),
        worker: row.get("worker")?,
        started: row.get::<_, i64>("started")? as u64,
        ended: row.get::<_, Option<i64>>("ended")?.map(|at| at as u64),
        seconds: row.get("seconds")?,
        cause: row.get::<_, Option<String>>("cause")?.and_then(|word| Cause::of_word(&word)),
        why: row.get("why")?,
        exit: row.get("exit")?,
        log: row.get::<_, Option<String>>("log")?.map_or(vec![], |log| log.lines().map(str::to_owned).collect()),
    })
}

fn line(row: &Row) -> rusqlite::Result<LogRow> {
    Ok(LogRow {
        at: row.get::<_, i64>(0)? as u64,
        key: row.get::<_, Option<String>>(1)?.and_then(|key| key.parse().ok()),
        attempt: row.get(2)?,
        line: row.get(3)?,
    })
}
