//! `visavis store check | rebuild | gc | dump`

mod check;
mod gc;

use super::{
    Context, open_store,
    output::{remark, say, say_json},
};
use visavis_core::{
    domain::{
        Fault, Result,
        text::{count, printable},
    },
    store::{Before, Index},
};

#[derive(clap::Subcommand)]
pub(crate) enum StoreCommand {
    /// Verify every result, object and journal, and the database
    Check,
    /// Make the database again from results and journals, and say whether it equals the one it replaces
    Rebuild,
    /// Remove objects that nothing refers to; with studies, also results that none of these studies uses. For 14 days --undo brings
    /// them back
    Gc(gc::Gc),
    /// Print what the database holds, a line a row
    Dump(Dump),
}

#[derive(clap::Args)]
pub(crate) struct Dump {
    /// Only what was found, whoever found it and when
    #[arg(long)]
    findings: bool,
}

impl StoreCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        match self {
            StoreCommand::Check => check::check(context),
            StoreCommand::Rebuild => rebuild(context),
            StoreCommand::Gc(gc) => gc.run(context),
            StoreCommand::Dump(dump) => dump.run(context),
        }
    }
}

fn rebuild(context: &Context) -> Result<()> {
    let _lock = context.workspace.lock_or_say("rebuilding the store", &|line| remark(context, printable(line)))?;
    let made = Index::rebuild(&context.workspace)?;
    let lost = |held: usize, holds: usize, noun: &str| (held > holds).then(|| format!("{} fewer", count(held - holds, noun)));
    let verdict = match &made.before {
        Before::None => "there was none before".to_owned(),
        Before::Equal => "equal to the one before".to_owned(),
        Before::Differed { kept, events, points } => {
            let fewer = [lost(*events, made.events, "event"), lost(*points as usize, made.points as usize, "point")];
            let fewer: Vec<String> = fewer.into_iter().flatten().collect();
            let how = if fewer.is_empty() { String::new() } else { format!(" ({})", fewer.join(", ")) };
            format!("the one before differed{how}, and is kept as {}", kept.display())
        }
        Before::Unreadable { kept, why } => {
            format!("the one before could not be read ({why}), and is kept as {}", kept.display())
        }
    };
    if context.json {
        let equal = match made.before {
            Before::None => None,
            Before::Equal => Some(true),
            _ => Some(false),
        };
        say_json(&serde_json::json!({
            "format": 1, "results": made.results, "events": made.events, "points": made.points, "dump": made.dump, "equal": equal,
            "journals_set_aside": made.journals_aside.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "damaged": made.damaged.iter().map(|aside| aside.key).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    say(format!(
        "made again: {}, {}, {} · dump {} · {}",
        count(made.results, "result"),
        count(made.events, "event"),
        count(made.points as usize, "point"),
        made.dump.short(),
        printable(&verdict)
    ));
    open_store::say_set_aside(&made.damaged);
    for (name, why) in &made.journals_aside {
        say(printable(&format!("  ✕ the journal {name}: {why}")));
    }
    Ok(())
}

impl Dump {
    fn run(&self, context: &Context) -> Result<()> {
        let Some(index) = open_store::store(context)? else {
            return Err(Fault::missing("there is no store yet").next("`visavis run STUDY` makes it, or `visavis store rebuild`"));
        };
        let mut each = |line: &str| say(line);
        if self.findings { index.findings(&mut each) } else { index.dump(&mut each) }
    }
}
