//! `visavis store check | rebuild | gc | dump`

use super::{
    Context, open_store,
    output::{remark, say, say_json},
};
use crate::study;
use std::{
    collections::BTreeSet,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};
use visavis_core::{
    domain::{
        Digest, Fault, Key, Result,
        text::{count, printable, size},
    },
    store::{Before, Index, Mark, Objects, Results, check_scores, read_journal},
};

#[derive(clap::Subcommand)]
pub(crate) enum StoreCommand {
    /// Verify every result, object and journal, and the database
    Check,
    /// Make the database again from results and journals, and say whether it equals the one it replaces
    Rebuild,
    /// Remove objects that nothing refers to; with studies, also results that none of these studies uses
    Gc(Gc),
    /// Print what the database holds, a line a row
    Dump(Dump),
}

#[derive(clap::Args)]
pub(crate) struct Gc {
    /// Studies whose results are kept
    studies: Vec<PathBuf>,
    /// Remove without asking
    #[arg(long)]
    yes: bool,
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
            StoreCommand::Check => check(context),
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

impl Gc {
    fn run(&self, context: &Context) -> Result<()> {
        let workspace = &context.workspace;
        let _lock = workspace.lock_or_say("removing what nothing refers to", &|line| remark(context, printable(line)))?;
        let (results, objects) = (workspace.results(), workspace.objects());
        let mut kept: BTreeSet<Digest> = BTreeSet::new();
        let mut used: Option<BTreeSet<Key>> = None;
        for file in &self.studies {
            let opened = study::open(file, workspace)?;
            let plan = study::plan(&opened, workspace)?.as_it_stands()?;
            used.get_or_insert_default().extend(plan.results().map(|(_, manifest)| manifest.key));
            kept.extend(plan.source_digests().values());
        }
        let (mut unused, mut bytes) = (Vec::new(), 0);
        for key in results.all()? {
            if used.as_ref().is_some_and(|used| !used.contains(&key)) {
                unused.push(key);
                continue;
            }
            // A result that cannot be read is for a person to judge: `store check` names it.
            if let Some(manifest) = results.get(key)? {
                kept.extend(manifest.inputs.iter().map(|input| input.digest));
                kept.extend(manifest.outputs.iter().map(|output| output.digest));
            }
        }
        let mut index = Index::open(workspace.store())?;
        index.follow(&workspace.journals())?;
        kept.extend(index.texts()?);
        let orphans: Vec<Digest> = objects.all().into_iter().flatten().filter(|digest| !kept.contains(digest)).collect();
        for digest in &orphans {
            bytes += std::fs::metadata(objects.path(*digest)).map_or(0, |about| about.len());
        }
        let what = format!("{}, {} ({})", count(unused.len(), "result"), count(orphans.len(), "object"), size(bytes));
        let nothing = unused.is_empty() && orphans.is_empty();
        let go = !nothing && (self.yes || ask(&what));
        if go {
            // Results first: one whose objects are gone is worse than objects without a result.
            unused.iter().try_for_each(|key| results.remove(*key))?;
            orphans.iter().try_for_each(|digest| objects.remove(*digest))?;
            index.catch_up(workspace)?;
        }
        let halves = workspace.sweep();
        let cached = if go || self.yes { workspace.graphs().clear() } else { 0 };
        if context.json {
            say_json(
                &serde_json::json!({ "format": 1, "results": unused.len(), "objects": orphans.len(), "bytes": bytes, "half_written": halves, "removed": go }),
            );
            return Ok(());
        }
        if cached > 0 {
            say(format!("removed {} of neighbours, which are made again when they are asked for", size(cached)));
        }
        if halves > 0 {
            say(format!("removed {} that were never finished", count(halves, "file")));
        }
        say(match (nothing, go) {
            (true, _) => "nothing to remove".to_owned(),
            (false, true) => format!("removed {what}"),
            (false, false) => format!("nothing was removed; --yes removes {what}"),
        });
        Ok(())
    }
}

fn ask(what: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    write!(std::io::stderr(), "remove {what}? [y/N] ").ok();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "yes")
}

/// What is wrong in a store.
#[derive(Default)]
struct StoreDefects {
    /// A sentence each.
    found: Vec<String>,
    /// Results that are named in one: the store has set them aside, too.
    unfit: BTreeSet<Key>,
    /// What may be wrong, and may also just not be finished.
    notes: Vec<String>,
}

impl StoreDefects {
    fn look_at_result(&mut self, key: Key, results: &Results, objects: &Objects) {
        let manifest = match results.get(key) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return self.found.push(format!("the result {} vanished meanwhile", key.short())),
            Err(fault) => {
                self.unfit.insert(key);
                return self.found.push(fault.to_string());
            }
        };
        let before = self.found.len();
        for output in &manifest.outputs {
            if let Err(fault) = objects.get(output.digest) {
                self.found.push(format!("{} of the {} result {}: {fault}", output.name, manifest.stage, key.short()));
            }
        }
        if self.found.len() == before
            && let Err(fault) = check_scores(&manifest, objects)
        {
            self.found.push(format!("the {} result {}: {fault}", manifest.stage, key.short()));
        }
        self.unfit.extend((self.found.len() > before).then_some(key));
    }

    /// An object, or the file in its place that is none.
    fn look_at_object(&mut self, object: &std::result::Result<Digest, PathBuf>, objects: &Objects) {
        match object {
            Err(path) => self.found.push(format!("no object: {}", path.display())),
            Ok(digest) => {
                if let Err(fault) = objects.get(*digest)
                    && !self.found.iter().any(|line| line.contains(&digest.to_string()[2..]))
                {
                    self.found.push(fault.to_string());
                }
            }
        }
    }

    fn look_at_journal(&mut self, path: &Path) -> Result<()> {
        let reading = read_journal(path, &Mark::default())?;
        if reading.pending > 0 {
            self.notes.push(format!(
                "the journal {} ends within a record: {} are not whole yet, and nothing shows that its writer is gone",
                path.display(),
                count(reading.pending as usize, "byte")
            ));
        }
        self.found.extend(reading.damage.iter().map(|damage| {
            format!(
                "the journal {} is damaged: {} at {} are no record; the {} around them are kept",
                path.display(),
                count(damage.bytes as usize, "byte"),
                damage.offset,
                count(reading.records.len(), "record")
            )
        }));
        Ok(())
    }

    fn look_at_index(&mut self, index: &Index) -> Result<()> {
        self.found.extend(index.check()?);
        let aside = index.set_aside()?.into_iter().filter(|aside| !self.unfit.contains(&aside.key));
        self.found.extend(aside.map(|aside| format!("the result {} is set aside: {}", aside.key.short(), aside.why)));
        Ok(())
    }
}

fn check(context: &Context) -> Result<()> {
    let (results, objects) = (context.workspace.results(), context.workspace.objects());
    let mut defects = StoreDefects::default();
    let keys = results.all()?;
    keys.iter().for_each(|key| defects.look_at_result(*key, &results, &objects));
    let all = objects.all();
    all.iter().for_each(|object| defects.look_at_object(object, &objects));
    let of_results = defects.found.len();
    let mut journals: Vec<_> =
        std::fs::read_dir(context.workspace.journals()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    journals.retain(|path: &PathBuf| path.extension().is_some_and(|ending| ending == "journal"));
    journals.sort();
    journals.iter().try_for_each(|path| defects.look_at_journal(path))?;
    if let Some(index) = Index::open_to_read(context.workspace.store())? {
        defects.look_at_index(&index)?;
    }
    let StoreDefects { found, notes, .. } = defects;
    if context.json {
        say_json(
            &serde_json::json!({ "format": 1, "results": keys.len(), "objects": all.len(), "journals": journals.len(), "defects": found, "notes": notes }),
        );
    } else {
        say(format!("{}, {}, {}", count(keys.len(), "result"), count(all.len(), "object"), count(journals.len(), "journal")));
        notes.iter().for_each(|line| say(format!("  {}", printable(line))));
        found.iter().for_each(|line| say(format!("✕ {}", line.split('\n').map(printable).collect::<Vec<_>>().join("\n  "))));
    }
    if found.is_empty() {
        return Ok(());
    }
    let next = if of_results > 0 {
        "`visavis run STUDY --force` makes results and objects again, with the same bits"
    } else {
        "results are not touched by this; what a journal has lost cannot be made again, and is named here from now on"
    };
    Err(Fault::differs(format!("{} in the store", count(found.len(), "defect"))).next(next))
}
