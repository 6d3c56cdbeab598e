//! `visavis store check`: every result, object and journal, and the database.

use crate::cli::{
    Context,
    output::{say, say_json},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use visavis_core::{
    domain::{
        Digest, Fault, Key, Result,
        text::{count, printable},
    },
    store::{Index, Mark, Objects, Results, check_scores, read_journal, why_strange},
};

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
        if self.found.len() == before && manifest.is_of_its_key() == Some(false) {
            let what = "it is not what its key says: its work, its version or its inputs were changed";
            self.found.push(format!("the {} result {}: {what}", manifest.stage, key.short()));
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

    fn look_at_journal(&mut self, path: &Path, taken_in: &BTreeMap<String, (Mark, bool)>) -> Result<()> {
        if !path.is_file() {
            self.found.push(format!("no journal: {} is no file, and is passed over", path.display()));
            return Ok(());
        }
        let (mut mark, mut damage, mut records) = (Mark::default(), Vec::new(), 0);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let pending = loop {
            // A stride at a time: a journal may be larger than memory.
            let part = read_journal(path, &mark)?;
            records += part.records.len();
            if let Some(why) = part.opened.as_ref().and_then(|writer| why_strange(path, writer)) {
                self.found.push(format!("the journal {} is passed over: {why}", path.display()));
                return Ok(());
            }
            damage.extend(part.damage);
            mark = part.mark;
            if !part.more {
                break part.pending;
            }
        };
        if taken_in
            .get(&name)
            .is_some_and(|(of, closed)| of.offset > mark.offset + pending || *closed && pending == 0 && *of != mark)
        {
            self.found.push(format!("the journal {} was changed since the database took it in", path.display()));
        }
        if pending > 0 {
            self.notes.push(format!(
                "the journal {} ends within a record: {} are not whole yet, and nothing shows that its writer is gone",
                path.display(),
                count(pending as usize, "byte")
            ));
        }
        self.found.extend(damage.iter().map(|damage| {
            format!(
                "the journal {} is damaged: {} at {} are no record; the {} around them are kept",
                path.display(),
                count(damage.bytes as usize, "byte"),
                damage.offset,
                count(records, "record")
            )
        }));
        Ok(())
    }

    fn look_at_index(&mut self, index: &Index) -> Result<()> {
        let of_tables = index.check()?;
        let is_whole = of_tables.is_empty();
        self.found.extend(of_tables);
        if !is_whole {
            return Ok(());
        }
        let of_records = index.journals_aside()?.into_iter().filter(|(_, why)| why.starts_with("records"));
        self.found.extend(of_records.map(|(name, why)| format!("the journal {name}: {why}")));
        let aside = index.set_aside()?.into_iter().filter(|aside| !self.unfit.contains(&aside.key));
        self.found.extend(aside.map(|aside| format!("the result {} is set aside: {}", aside.key.short(), aside.why)));
        Ok(())
    }
}

pub(super) fn check(context: &Context) -> Result<()> {
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
    let store = context.workspace.store();
    let index = Index::open_to_read(store)?;
    // A database that lacks its tables is told below.
    let marks = index.as_ref().and_then(|index| index.marks().ok()).unwrap_or_default();
    let taken_in: BTreeMap<String, (Mark, bool)> = marks.into_iter().map(|(name, mark, closed)| (name, (mark, closed))).collect();
    journals.iter().try_for_each(|path| defects.look_at_journal(path, &taken_in))?;
    let is_there = |name: &String| context.workspace.journals().join(name).exists();
    let gone = taken_in.keys().filter(|name| !is_there(name));
    defects.found.extend(gone.map(|name| format!("the journal {name} is gone, and the database has taken it in")));
    match index {
        Some(index) => defects.look_at_index(&index)?,
        None if store.exists() => defects.found.push(format!("the database {} holds no tables", store.display())),
        None => {}
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
