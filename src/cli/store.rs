//! `visavis store check | rebuild | gc | dump`

use super::{
    Context, look,
    output::{say, say_json, size},
};
use crate::{
    domain::{
        Digest, Fault, Key, Result,
        text::{count, printable},
    },
    store::{Index, Mark, read_journal},
    study,
};
use std::{
    collections::BTreeSet,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};

#[derive(clap::Subcommand)]
pub enum Store {
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
pub struct Gc {
    /// Studies whose results are kept
    studies: Vec<PathBuf>,
    /// Remove without asking
    #[arg(long)]
    yes: bool,
}

#[derive(clap::Args)]
pub struct Dump {
    /// Only what was found, whoever found it and when
    #[arg(long)]
    findings: bool,
}

impl Store {
    pub fn run(&self, context: &Context) -> Result<()> {
        match self {
            Store::Check => check(context),
            Store::Rebuild => rebuild(context),
            Store::Gc(gc) => gc.run(context),
            Store::Dump(dump) => dump.run(context),
        }
    }
}

/// The new store is made beside the old one and takes its place when it is whole.
fn rebuild(context: &Context) -> Result<()> {
    let workspace = &context.workspace;
    let _lock = workspace.lock_or_say("rebuilding the store")?;
    let path = workspace.store();
    let with = |ending: &str| path.with_file_name(format!("{}{ending}", path.file_name().unwrap_or_default().to_string_lossy()));
    let aside = with(".new");
    let remove = |file: &Path| match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault::io("remove", file, &error)),
        _ => Ok(()),
    };
    ["", "-wal", "-shm"].iter().try_for_each(|ending| remove(&with(&format!(".new{ending}"))))?;
    let catch_up = |index: &mut Index| {
        index.follow(&workspace.journals())?;
        index.match_results(&workspace.results(), &workspace.objects())
    };
    let mut index = Index::open(&aside)?;
    catch_up(&mut index)?;
    let made = index.digest()?;
    let (results, events, points) = (index.keys()?.len(), index.events()?, index.points()?);
    index.settle()?;
    // What the old one holds is compared once it, too, has taken in everything.
    let before: Option<Result<Digest>> = path.exists().then(|| {
        let mut old = Index::open(path)?;
        catch_up(&mut old)?;
        let digest = old.digest()?;
        old.settle()?;
        Ok(digest)
    });
    ["-wal", "-shm"].iter().try_for_each(|ending| remove(&with(ending)))?;
    std::fs::rename(&aside, path).map_err(|error| Fault::io("put in place", path, &error))?;
    let verdict = match &before {
        None => "there was none before".to_owned(),
        Some(Ok(digest)) if *digest == made => "equal to the one before".to_owned(),
        Some(Ok(digest)) => format!("the one before differed (dump {})", digest.short()),
        Some(Err(fault)) => format!("the one before could not be read: {}", fault.what),
    };
    if context.json {
        let equal = before.and_then(Result::ok).map(|digest| digest == made);
        say_json(
            &serde_json::json!({ "format": 1, "results": results, "events": events, "points": points, "dump": made, "equal": equal }),
        );
        return Ok(());
    }
    say(format!(
        "made again: {}, {}, {} · dump {} · {}",
        count(results, "result"),
        count(events, "event"),
        count(points as usize, "point"),
        made.short(),
        printable(&verdict)
    ));
    Ok(())
}

impl Dump {
    fn run(&self, context: &Context) -> Result<()> {
        let Some(index) = look::store(context)? else {
            return Err(Fault::missing("there is no store yet").next("`visavis run STUDY` makes it, or `visavis store rebuild`"));
        };
        let mut each = |line: &str| say(line);
        if self.findings { index.findings(&mut each) } else { index.dump(&mut each) }
    }
}

impl Gc {
    fn run(&self, context: &Context) -> Result<()> {
        let workspace = &context.workspace;
        let _lock = workspace.lock_or_say("removing what nothing refers to")?;
        let (results, objects) = (workspace.results(), workspace.objects());
        let mut kept: BTreeSet<Digest> = BTreeSet::new();
        let mut used: Option<BTreeSet<Key>> = None;
        for file in &self.studies {
            let opened = study::open(file, workspace)?;
            let plan = study::Plan::new(&opened, workspace)?.as_it_stands()?;
            used.get_or_insert_default().extend(plan.results().map(|(_, manifest)| manifest.key));
            kept.extend(plan.source_digests().values());
        }
        let (mut unused, mut bytes) = (Vec::new(), 0);
        for key in results.all() {
            // A result that cannot be read is for a person to judge: `store check` names it.
            let manifest = results.get(key)?;
            if used.as_ref().is_some_and(|used| !used.contains(&key)) {
                unused.push(key);
            } else if let Some(manifest) = manifest {
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
            index.match_results(&results, &objects)?;
        }
        let halves = workspace.sweep();
        if context.json {
            say_json(
                &serde_json::json!({ "format": 1, "results": unused.len(), "objects": orphans.len(), "bytes": bytes, "half_written": halves, "removed": go }),
            );
            return Ok(());
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

fn check(context: &Context) -> Result<()> {
    let (results, objects) = (context.workspace.results(), context.workspace.objects());
    let mut found: Vec<String> = Vec::new();
    let keys = results.all();
    for key in &keys {
        match results.get(*key) {
            Err(fault) => found.push(fault.to_string()),
            Ok(None) => found.push(format!("the result {} vanished meanwhile", key.short())),
            Ok(Some(manifest)) => {
                for output in &manifest.outputs {
                    if let Err(fault) = objects.get(output.digest) {
                        found.push(format!("{} of the {} result {}: {fault}", output.name, manifest.stage, key.short()));
                    }
                }
            }
        }
    }
    let all = objects.all();
    for object in &all {
        match object {
            Err(path) => found.push(format!("no object: {}", path.display())),
            Ok(digest) => {
                if let Err(fault) = objects.get(*digest)
                    && !found.iter().any(|line| line.contains(&digest.to_string()[2..]))
                {
                    found.push(fault.to_string());
                }
            }
        }
    }
    let mut journals: Vec<_> =
        std::fs::read_dir(context.workspace.journals()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    journals.sort();
    for path in &journals {
        let reading = read_journal(path, &Mark::default())?;
        for damage in &reading.damage {
            found.push(format!(
                "the journal {} is damaged: {} at {} are no record; the {} around them are kept",
                path.display(),
                count(damage.bytes as usize, "byte"),
                damage.offset,
                count(reading.records.len(), "record")
            ));
        }
    }
    if let Some(index) = Index::look(context.workspace.store())? {
        found.extend(index.check()?);
    }
    if context.json {
        say_json(
            &serde_json::json!({ "format": 1, "results": keys.len(), "objects": all.len(), "journals": journals.len(), "defects": found }),
        );
    } else {
        say(format!("{}, {}, {}", count(keys.len(), "result"), count(all.len(), "object"), count(journals.len(), "journal")));
        found.iter().for_each(|line| say(format!("✕ {}", line.split('\n').map(printable).collect::<Vec<_>>().join("\n  "))));
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(Fault::differs(format!("{} in the store", count(found.len(), "defect")))
            .next("`visavis run STUDY` makes what is missing again; --force makes all of it again"))
    }
}
