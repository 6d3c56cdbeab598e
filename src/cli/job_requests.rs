//! `visavis pause | cancel | retry JOB`, `visavis drain`: what people ask of a run, now or the next time.

use super::{
    Context, open_store,
    output::{say, say_json},
};
use visavis_core::{
    domain::{
        Fault, Result,
        event::{Event, EventKind, PersonRequest},
        job::{JobId, JobState},
        text::printable,
    },
    store::{Index, Journal, LOOKING, now, origin},
};

#[derive(clap::Args)]
pub(crate) struct Jobs {
    /// The job's eight digits, or words of its label
    #[arg(value_name = "JOB")]
    job: Vec<String>,
    /// Every job that the words match
    #[arg(long)]
    all: bool,
}

/// What is asked of the jobs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Verb {
    Pause,
    Cancel,
    Retry,
}

impl Jobs {
    pub(crate) fn run(&self, context: &Context, verb: Verb) -> Result<()> {
        let index = open_store::store(context)?;
        let jobs = self.meant(index.as_ref(), verb)?;
        let live = context.workspace.holder().filter(|holder| holder.doing != LOOKING);
        let requests: Vec<PersonRequest> = match (verb, &jobs[..]) {
            (Verb::Cancel, jobs) => jobs.iter().map(|(job, _)| PersonRequest::Cancel { job: *job }).collect(),
            (Verb::Pause, []) => vec![PersonRequest::Pause { job: None }],
            (Verb::Pause, jobs) => jobs.iter().map(|(job, _)| PersonRequest::Pause { job: Some(*job) }).collect(),
            (Verb::Retry, []) => vec![PersonRequest::Retry { job: None }],
            (Verb::Retry, jobs) => jobs.iter().map(|(job, _)| PersonRequest::Retry { job: Some(*job) }).collect(),
        };
        // Where nothing was ever run, there is nothing to take up again either, and nobody to read it.
        if live.is_none() && (index.is_none() || requests == [PersonRequest::Pause { job: None }]) {
            return Err(nothing_runs());
        }
        keep(context, index.as_ref(), asked(requests))?;
        let (word, then) = match (verb, live.is_some()) {
            (Verb::Pause, _) if jobs.is_empty() => ("paused", "this run starts nothing more until: visavis retry"),
            (Verb::Pause, _) => ("paused", "it is not started until it is retried; what runs goes on"),
            (Verb::Cancel, _) => ("cancelled", "it is not started until it is retried"),
            (Verb::Retry, true) => ("taken up again", ""),
            (Verb::Retry, false) => ("taken up again", "the next `visavis run` makes it"),
        };
        if context.json {
            let jobs: Vec<_> = jobs.iter().map(|(job, label)| serde_json::json!({ "job": job, "label": label })).collect();
            say_json(&serde_json::json!({ "format": 1, "asked": word, "jobs": jobs }));
            return Ok(());
        }
        if jobs.is_empty() {
            say(format!("{word}: everything"));
        }
        for (job, label) in &jobs {
            say(printable(&format!("{word}: {label} ({})", job.short())));
        }
        if !then.is_empty() && !context.quiet {
            say(format!("  {then}"));
        }
        Ok(())
    }

    fn meant(&self, index: Option<&Index>, verb: Verb) -> Result<Vec<(JobId, String)>> {
        let words = self.job.join(" ");
        if words.trim().is_empty() {
            return match verb {
                Verb::Cancel => {
                    Err(Fault::asked("say which job to cancel").next("`visavis status` lists jobs; `visavis drain` ends a run"))
                }
                Verb::Pause | Verb::Retry => Ok(vec![]),
            };
        }
        let known = open_store::known(index.map_or(Ok(vec![]), Index::jobs)?);
        // Several jobs named by their digits are meant, each of them; several that words happen to match are not.
        let by_digits = self.job.iter().all(|word| word.len() >= 8 && word.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let found = open_store::matching(&words, &known);
        let found = if found.len() > 1 && (self.all || by_digits && found.len() == self.job.len()) {
            found
        } else {
            vec![open_store::one(&words, &known, "say more of its label, or --all for all of them")?]
        };
        if let [(job, label, row)] = &found[..]
            && row.state == JobState::Done
        {
            return Err(Fault::asked(format!("{label} ({}) is done: there is nothing to {}", job.short(), verb.word())));
        }
        Ok(found.into_iter().filter(|(.., row)| row.state != JobState::Done).map(|(job, label, _)| (job, label)).collect())
    }
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Verb::Pause => "pause",
            Verb::Cancel => "cancel",
            Verb::Retry => "retry",
        }
    }
}

/// `visavis drain`
pub(crate) fn drain(context: &Context) -> Result<()> {
    let index = open_store::store(context)?;
    let Some(holder) = context.workspace.holder().filter(|holder| holder.doing != LOOKING) else { return Err(nothing_runs()) };
    keep(context, index.as_ref(), asked(vec![PersonRequest::Drain]))?;
    if context.json {
        say_json(&serde_json::json!({ "format": 1, "asked": "drained", "process": holder.pid }));
    } else {
        say(format!("process {} on {} finishes what runs, starts nothing more, and ends", holder.pid, printable(&holder.host)));
    }
    Ok(())
}

fn nothing_runs() -> Fault {
    Fault::asked("nothing runs in this workspace").next("`visavis run STUDY` runs a study")
}

fn asked(requests: Vec<PersonRequest>) -> Vec<EventKind> {
    let by = origin::user();
    requests.into_iter().map(|act| EventKind::Asked { act, by: by.clone() }).collect()
}

/// Writes down what a person does. When this returns, it will be done: by the dispatcher that runs, or by the next.
pub(crate) fn keep(context: &Context, index: Option<&Index>, requests: Vec<EventKind>) -> Result<()> {
    let clock = index.map_or(Ok(0), Index::clock)?;
    let mut journal = Journal::start(&context.workspace.journals(), now())?;
    for (more, what) in requests.into_iter().enumerate() {
        journal.append_event(Event { clock: clock + 1 + more as u64, at: now(), what })?;
    }
    let name = journal.name();
    drop(journal);
    // It is kept; whoever asks next should see it too. The dispatcher looks ten times a second.
    for _ in 0..40 {
        if open_store::store(context)?.map_or(Ok(true), |index| index.knows(&name))? {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Ok(())
}
