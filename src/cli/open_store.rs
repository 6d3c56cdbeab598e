//! What faces share that look at the store: bringing it up to date, finding the job somebody means, following a run.

use super::{
    Context,
    output::{remark, say},
};
use crate::study;
use std::{
    io::{IsTerminal, Write},
    time::{Duration, UNIX_EPOCH},
};
use visavis_core::{
    domain::{
        Fault, Result,
        job::JobId,
        text::{self, count, printable},
    },
    store::{Aside, Index, JobRow},
};

/// The store, for reading.
pub(crate) fn store(context: &Context) -> Result<Option<Index>> {
    let looked = study::open_store(&context.workspace)?;
    if let Some(line) = looked.remark {
        remark(context, line);
    }
    Ok(looked.index)
}

/// Looks, and looks again whenever the store has changed, until `show` says that there is no more to come.
pub(crate) fn follow(context: &Context, mut show: impl FnMut(&Index) -> Result<bool>) -> Result<()> {
    let Some(mut index) = store(context)? else { return Ok(()) };
    loop {
        if std::io::stdout().is_terminal() && !context.json {
            // Home, and clear what is below.
            write!(std::io::stdout(), "\u{1b}[H\u{1b}[J").ok();
        }
        if !show(&index)? {
            return Ok(());
        }
        let before = index.data_version()?;
        let mut waited = 0;
        while index.data_version()? == before && waited < 50 {
            std::thread::sleep(Duration::from_millis(100));
            waited += 1;
        }
        // A dispatcher that vanished leaves its last words to whoever looks.
        if waited == 50
            && let Some(fresh) = store(context)?
        {
            index = fresh;
        }
    }
}

/// The jobs that somebody means by some words: the beginnings of jobs' digits, or words of a label.
pub(crate) fn matching<T: Clone>(words: &str, jobs: &[(JobId, String, T)]) -> Vec<(JobId, String, T)> {
    let digits = |word: &str| word.len() >= 4 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
    if words.split_whitespace().all(digits) {
        let named = |id: &JobId| words.split_whitespace().any(|word| id.to_string().starts_with(word));
        let found: Vec<_> = jobs.iter().filter(|(id, ..)| named(id)).cloned().collect();
        if !found.is_empty() {
            return found;
        }
    }
    // As it is written, else by whole words, else by the beginnings of words.
    let plain =
        |text: &str| text.to_lowercase().split([' ', '·']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let words = plain(words);
    type Test<'a> = &'a dyn Fn(&[String]) -> bool;
    let tests: [Test; 3] = [&|label| label == words, &|label| words.iter().all(|word| label.contains(word)), &|label| {
        words.iter().all(|word| label.iter().any(|of| of.starts_with(word.as_str())))
    }];
    let meant = |test: &Test| {
        let holds = |(_, label, _): &&(JobId, String, T)| test(&plain(label));
        Some(jobs.iter().filter(holds).cloned().collect::<Vec<_>>()).filter(|found| !found.is_empty())
    };
    tests.iter().find_map(meant).unwrap_or_default()
}

/// The one job that is meant.
///
/// # Errors
/// None, or several.
pub(crate) fn one<T: Clone>(words: &str, jobs: &[(JobId, String, T)], what_else: &str) -> Result<(JobId, String, T)> {
    let mut found = matching(words, jobs);
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Fault::asked(format!("no job is called `{words}`"))
            .next("a job is named by its eight digits, or by words of its label; `visavis status` lists both")),
        many => {
            let few: Vec<String> =
                found.iter().take(5).map(|(id, label, _)| format!("{} {}", id.short(), printable(label))).collect();
            let more = if many > 5 { format!(", and {} more", many - 5) } else { String::new() };
            Err(Fault::asked(format!("`{words}` means {many} jobs: {}{more}", few.join("; "))).next(what_else))
        }
    }
}

/// Jobs as [`one`] takes them.
pub(crate) fn known(rows: Vec<JobRow>) -> Vec<(JobId, String, JobRow)> {
    rows.into_iter().map(|row| (row.id, row.label.clone(), row)).collect()
}

/// `2026-11-23 09:30:05.120` UTC.
pub(crate) fn moment(at: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(at);
    humantime::format_rfc3339_millis(time).to_string().replace('T', " ").replace('Z', "")
}

/// `3 min ago`.
pub(crate) fn ago(at: u64) -> String {
    text::ago(at, visavis_core::store::now())
}

/// Names the results that the store could not take in; says nothing where there are none.
pub(crate) fn say_set_aside(aside: &[Aside]) {
    const MOST: usize = 5;
    if aside.is_empty() {
        return;
    }
    say(format!("  {} set aside, for the store cannot take it in:", count(aside.len(), "result")));
    for Aside { key, why } in aside.iter().take(MOST) {
        say(printable(&format!("  ✕ {}  {}", key.short(), why.lines().next().unwrap_or_default())));
    }
    if aside.len() > MOST {
        say(format!("     and {} more", aside.len() - MOST));
    }
    say("     `visavis store check` says more; `visavis store gc STUDY…` removes what none of the studies named uses");
}
