//! The page rendered again from what it carries: its study, and its own results or those of a workspace.

use super::of_plan::{RenderedAs, page};
use crate::{
    audit::{self, Evidence, OpenedObject, PageContext, PinnedFigure, Rendered, RenderedFrom},
    study::{CarriedObjects, CarriedStudy},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::Duration,
};
use visavis_core::{
    domain::{
        Digest, Fault, Result,
        made_of::MadeOf,
        missing::MissingLabels,
        pin::{Pin, Pinned},
        result::Manifest,
        text::size,
    },
    store::Workspace,
};

const OWN: &str = concat!("visavis ", env!("CARGO_PKG_VERSION"));

/// The page as its own evidence gives it.
pub(in crate::cli) fn alone(page: &str, evidence: &Arc<Evidence>) -> Rendered {
    other_program(evidence).map_or_else(|| carried(page, evidence, None), Rendered::Not)
}

/// Why another program than this one rendered it; that one may word things otherwise.
pub(in crate::cli) fn other_program(evidence: &Evidence) -> Option<String> {
    (evidence.program != OWN).then(|| format!("it was written by {}, and this is {OWN}", evidence.program))
}

pub(in crate::cli) fn as_pin(of: &PinnedFigure) -> Pin {
    Pin { figure: of.name.clone(), note: of.note.clone(), at: 0, definition: None }
}

/// Longer than rendering the largest page takes: what takes longer was made to.
const PATIENCE: Duration = Duration::from_secs(60);
const STACK: usize = 8 << 20;

/// The page, rendered from the study that it carries, in a thread of its own: what is on a page can make anything slow, or panic.
/// `workspace`: where results and their objects are taken from in place of the page's.
pub(in crate::cli) fn carried(page: &str, evidence: &Arc<Evidence>, workspace: Option<&Workspace>) -> Rendered {
    let Some(context) = evidence.context.clone().filter(|context| context.is_whole) else {
        return Rendered::Not("it does not carry what it is rendered from".to_owned());
    };
    let (evidence, workspace, drawn) = (Arc::clone(evidence), workspace.cloned(), audit::pictures(page));
    let (send, receive) = std::sync::mpsc::channel();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let work = move || _ = send.send(render(&evidence, &context, workspace, drawn));
    let begun = std::thread::Builder::new().stack_size(STACK).spawn(work);
    let answer = receive.recv_timeout(PATIENCE);
    std::panic::set_hook(hook);
    if let Err(error) = begun {
        return Rendered::Not(format!("no thread could be begun: {error}"));
    }
    match answer {
        Ok(Ok(rendered)) => rendered,
        Ok(Err(fault)) => Rendered::Not(fault.what),
        Err(RecvTimeoutError::Timeout) => Rendered::Not("rendering it takes too long".to_owned()),
        Err(RecvTimeoutError::Disconnected) => Rendered::Not("what its evidence holds fits no study".to_owned()),
    }
}

fn render(
    evidence: &Arc<Evidence>,
    context: &PageContext,
    workspace: Option<Workspace>,
    drawn: HashMap<Digest, Vec<u8>>,
) -> Result<Rendered> {
    let (manifests, from) = match &workspace {
        Some(workspace) => (stored(evidence, workspace)?, RenderedFrom::Results),
        None => (evidence.manifests.clone(), RenderedFrom::Evidence),
    };
    let spelled = |(attribute, words): (&String, &Vec<String>)| {
        let spelled = words.iter().map(|word| (word.clone(), 1)).collect();
        (attribute.clone(), MissingLabels { spelled, ..MissingLabels::default() })
    };
    let pinned = |of: &PinnedFigure| Pinned { pin: as_pin(of), cell: of.cell, name: of.name.clone() };
    let of_page = workspace.is_none();
    let own_text = Digest::of(evidence.study_text.as_bytes());
    let (made_study, made_pins) = (if context.is_shortened { context.study_text } else { own_text }, context.pins);
    let study = CarriedStudy {
        file: PathBuf::from(&evidence.study_file),
        text: evidence.study_text.clone(),
        sources: evidence.sources.clone(),
        manifests,
        remarks: context.remarks.clone(),
        missing_labels: context.missing_labels.iter().map(spelled).collect(),
        pinned: context.pinned.iter().map(pinned).collect(),
    };
    let (opened, file, plan) = study.plan(objects(Arc::clone(evidence), workspace, drawn))?;
    let made_of = MadeOf { study: made_study, pins: made_pins, ..plan.made_of("") };
    let page = page(&plan, &opened, &file, RenderedAs { made_of, carries_context: true, of_page, faces_of: &context.faces_of })?;
    Ok(Rendered::Page { page, from })
}

/// The results that the page names, as the workspace has them; with the page's times and machines where the bits are the same.
fn stored(evidence: &Evidence, workspace: &Workspace) -> Result<Vec<Manifest>> {
    let results = workspace.results();
    let mut found = Vec::with_capacity(evidence.manifests.len());
    let mut absent = 0;
    for manifest in &evidence.manifests {
        match results.get(manifest.key)? {
            Some(stored) if stored.content() == manifest.content() => {
                found.push(Manifest { provenance: manifest.provenance.clone(), ..stored });
            }
            Some(stored) => found.push(stored),
            None => absent += 1,
        }
    }
    if absent > 0 {
        let of = evidence.manifests.len();
        return Err(Fault::missing(format!("{absent} of the {of} results that it names are not in the workspace")));
    }
    Ok(found)
}

/// How much of a page's own objects is inflated while it is rendered, those that are needed twice counted twice. Of all of CelebA it is
/// less than half of this; a page may give one object a thousand names.
const LARGEST_RENDERED: u64 = 512 << 20;

/// Objects of a workspace, of the page, and its pictures: verified, whoever has them.
fn objects(evidence: Arc<Evidence>, workspace: Option<Workspace>, drawn: HashMap<Digest, Vec<u8>>) -> CarriedObjects {
    let sizes = evidence.sizes();
    let sum = AtomicU64::new(0);
    Box::new(move |digest| {
        if let Some(workspace) = workspace.as_ref().filter(|workspace| workspace.objects().has(digest)) {
            return workspace.objects().get(digest);
        }
        if sum.load(Ordering::Relaxed) > LARGEST_RENDERED {
            let most = size(LARGEST_RENDERED);
            return Err(Fault::missing(format!("rendering it asks for more than {most} of its evidence, inflated")));
        }
        if let Some(OpenedObject { bytes, inflated }) = evidence.opened(digest, sizes.get(&digest).copied()) {
            sum.fetch_add(inflated, Ordering::Relaxed);
            return bytes;
        }
        let absent = || Fault::missing(format!("the page does not carry the object {}", digest.short()));
        drawn.get(&digest).cloned().ok_or_else(absent)
    })
}

/// Is the page that was just written the one that its evidence gives?
pub(in crate::cli) fn carries_itself(page: &str) -> bool {
    let Some((_, rest)) = page.split_once(audit::MARK) else { return false };
    let Some((text, _)) = rest.split_once("</script>") else { return false };
    let Ok(evidence) = Evidence::of_text(text, Path::new("")) else { return false };
    matches!(alone(page, &Arc::new(evidence)), Rendered::Page { page: again, .. } if again == page)
}
