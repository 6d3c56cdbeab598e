//! `visavis store gc`: what nothing refers to goes into the trash, from where it can be brought back for a while.

use crate::{
    cli::{
        Context,
        output::{remark, say, say_json},
    },
    study::{self, UsedResults},
};
use std::{
    collections::BTreeSet,
    io::{IsTerminal, Write},
    path::PathBuf,
};
use visavis_core::{
    domain::{
        Digest, Ending, Fault, Key, Result,
        text::{ago, count, printable, size},
    },
    store::{Index, Trash, now},
};

#[derive(clap::Args)]
pub(crate) struct Gc {
    /// Studies whose results are kept
    studies: Vec<PathBuf>,
    /// Remove without asking
    #[arg(long)]
    yes: bool,
    /// Bring back what was removed last
    #[arg(long, conflicts_with_all = ["studies", "empty_trash"])]
    undo: bool,
    /// Free the space of what was removed before, for good
    #[arg(long, conflicts_with = "studies")]
    empty_trash: bool,
}

/// What can go.
#[derive(Default)]
struct Unused {
    keys: Vec<Key>,
    objects: Vec<Digest>,
    bytes: u64,
    /// Results that no study is known to use, and that one may use once it has run.
    unjudged: usize,
}

impl Gc {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let workspace = &context.workspace;
        let _lock = workspace.lock_or_say("removing what nothing refers to", &|line| remark(context, printable(line)))?;
        if self.undo {
            return undo(context);
        }
        let trash = workspace.trash();
        let empty = |gone: &[_]| gone.iter().map(|removal| trash.empty(removal)).sum::<Result<u64>>();
        if self.empty_trash {
            let gone = trash.removals();
            let freed = empty(&gone)?;
            if context.json {
                say_json(&serde_json::json!({ "format": 1, "emptied": gone.len(), "bytes": freed }));
            } else {
                say(format!("emptied the trash: {} of {}", size(freed), count(gone.len(), "removal")));
            }
            return Ok(());
        }
        let mut index = Index::open(workspace.store())?;
        index.follow(&workspace.journals())?;
        let unused = self.unused(context, &index)?;
        let what =
            format!("{}, {} ({})", count(unused.keys.len(), "result"), count(unused.objects.len(), "object"), size(unused.bytes));
        let nothing = unused.keys.is_empty() && unused.objects.is_empty();
        let go = !nothing && (self.yes || ask(&what));
        if go {
            trash.put(&unused.keys, &unused.objects, now())?;
            index.catch_up(workspace)?;
        }
        let freed = if go || self.yes { empty(&trash.expired(now()))? } else { 0 };
        let halves = workspace.sweep();
        let gone = workspace.clear_user_caches();
        let cached = if go || self.yes { workspace.graphs().clear() } else { 0 };
        if context.json {
            say_json(&serde_json::json!({
                "format": 1, "results": unused.keys.len(), "objects": unused.objects.len(), "bytes": unused.bytes, "half_written": halves,
                "removed": go, "unjudged": unused.unjudged, "expired": freed,
                "caches": gone,
            }));
            return Ok(());
        }
        if freed > 0 {
            say(format!("freed {} of what was removed more than {} days ago", size(freed), days()));
        }
        if cached > 0 {
            say(format!("removed {} of neighbours, which are made again when they are asked for", size(cached)));
        }
        if gone > 0 {
            say(format!("removed what the user's cache kept of {} that are gone", count(gone, "workspace")));
        }
        if halves > 0 {
            say(format!("removed {} that were never finished", count(halves, "file")));
        }
        if unused.unjudged > 0 {
            say(format!(
                "kept {} that these studies may use: stages before them were not run, or their results are not there",
                count(unused.unjudged, "result")
            ));
        }
        say(match (nothing, go) {
            (true, _) => "nothing to remove".to_owned(),
            (false, true) => format!(
                "removed {what}; for {} days `{}` brings it back, and `{}` frees the space now",
                days(),
                context.line(&["store", "gc", "--undo"]),
                context.line(&["store", "gc", "--empty-trash"])
            ),
            (false, false) => format!("nothing was removed; --yes removes {what}"),
        });
        Ok(())
    }

    /// # Errors
    /// A study whose results cannot be told, for an input of it is missing; a result that cannot be read.
    fn unused(&self, context: &Context, index: &Index) -> Result<Unused> {
        let workspace = &context.workspace;
        let (results, objects) = (workspace.results(), workspace.objects());
        let mut used: Option<UsedResults> = None;
        for file in &self.studies {
            used.get_or_insert_default().join(study::used_results(study::open(file, workspace)?, workspace)?);
        }
        let mut kept: BTreeSet<Digest> = index.texts()?.into_iter().collect();
        kept.extend(used.iter().flat_map(|used| &used.sources));
        let mut unused = Unused::default();
        for key in results.all()? {
            let manifest = match results.get(key) {
                Ok(Some(manifest)) => Some(manifest),
                Ok(None) => continue,
                // Not used by a study that is named, it can go whatever it is. Else a person must judge: `store check` names it.
                Err(fault) if fault.ending == Ending::Differs && used.is_some() => None,
                Err(fault) => return Err(fault),
            };
            let stage = manifest.as_ref().map(|manifest| manifest.work.name());
            if let Some(used) = &used {
                if !used.may_use(key, stage) {
                    unused.keys.push(key);
                    continue;
                }
                unused.unjudged += usize::from(!used.keys.contains(&key));
            }
            let Some(manifest) = manifest else {
                return Err(Fault::differs(format!(
                    "the result {} is damaged, and may be one that the studies use",
                    key.short()
                ))
                .in_file(results.path(key))
                .next("`visavis run STUDY` makes it again; then run the same command again"));
            };
            kept.extend(manifest.inputs.iter().map(|input| input.digest));
            kept.extend(manifest.outputs.iter().map(|output| output.digest));
        }
        unused.objects = objects.all().into_iter().flatten().filter(|digest| !kept.contains(digest)).collect();
        let bytes = |digest: &Digest| std::fs::metadata(objects.path(*digest)).map_or(0, |about| about.len());
        unused.bytes = unused.objects.iter().map(bytes).sum();
        Ok(unused)
    }
}

fn days() -> u64 {
    Trash::KEPT.as_secs() / (24 * 3600)
}

/// Brings the latest removal back.
fn undo(context: &Context) -> Result<()> {
    let trash = context.workspace.trash();
    let Some(removal) = trash.removals().pop() else {
        return Err(Fault::asked("there is no removal to undo")
            .in_file(context.workspace.data().join("trash"))
            .next(format!("what `visavis store gc` removes can be brought back for {} days", days())));
    };
    let moved = trash.undo(&removal)?;
    Index::open(context.workspace.store())?.catch_up(&context.workspace)?;
    if context.json {
        say_json(
            &serde_json::json!({ "format": 1, "results": moved.results, "objects": moved.objects, "removed_at": removal.at }),
        );
    } else {
        let (results, objects) = (count(moved.results, "result"), count(moved.objects, "object"));
        say(format!("brought back {results}, {objects}, removed {}", ago(removal.at, now())));
    }
    Ok(())
}

fn ask(what: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    write!(std::io::stderr(), "remove {what}? [y/N] ").ok();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "yes")
}
