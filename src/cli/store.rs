//! `visavis store check`

use super::{
    Context,
    output::{say, say_json},
};
use crate::{
    domain::{
        Fault, Result,
        text::{count, printable},
    },
    store::{Index, read_journal},
};

#[derive(clap::Subcommand)]
pub enum Store {
    /// Verify every result, object and journal, and the database
    Check,
    /// Make the database again from results and journals
    Rebuild,
}

impl Store {
    pub fn run(&self, context: &Context) -> Result<()> {
        match self {
            Store::Check => check(context),
            Store::Rebuild => rebuild(context),
        }
    }
}

fn rebuild(context: &Context) -> Result<()> {
    let workspace = &context.workspace;
    let Some(_lock) = workspace.lock()? else {
        return Err(Fault::failed("a study is running in this workspace").next("wait for it, then rebuild"));
    };
    for ending in ["", "-wal", "-shm"] {
        let file = workspace
            .store()
            .with_file_name(format!("{}{ending}", workspace.store().file_name().unwrap_or_default().to_string_lossy()));
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Fault::io("remove", &file, &error)),
            _ => {}
        }
    }
    let mut index = Index::open(workspace.store())?;
    index.ingest(&workspace.journals())?;
    index.take_results(&workspace.results(), &workspace.objects())?;
    say(format!("made again: {}, {}", count(index.keys()?.len(), "result"), count(index.events()?.len(), "event")));
    Ok(())
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
        let reading = read_journal(path)?;
        if reading.tail > 0 {
            found.push(format!(
                "the journal {} ends in {} that do not check; the {} before them are kept",
                path.display(),
                count(reading.tail, "byte"),
                count(reading.events.len(), "record")
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
