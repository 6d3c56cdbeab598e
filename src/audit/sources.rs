//! Where an audit takes a stage's inputs from.

use super::{
    evidence::Evidence,
    reach::{LARGEST_INPUT, Reach},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use visavis_core::{
    domain::{
        Digest, Fault, Result,
        stage::{Input, Location},
        study::Tolerance,
    },
    store::Workspace,
};

/// Where inputs are taken from: the page, the workspace, files within reach; all verified.
pub struct AuditSources {
    pub page: Option<Arc<Evidence>>,
    /// Objects of the page whose bytes are those they are named by.
    pub genuine: HashSet<Digest>,
    pub sizes: HashMap<Digest, u64>,
    pub workspace: Option<Workspace>,
    pub reach: Reach,
    pub tolerance: Tolerance,
}

impl AuditSources {
    pub(super) fn look_for(&self, input: &Input) -> Result<()> {
        if self.holds(input) {
            return Ok(());
        }
        match &input.at {
            Location::File(path) => self.reach.find(path, LARGEST_INPUT).map(|_| ()),
            _ => Err(Fault::missing("its inputs are not here: give the results or data it was made from")),
        }
    }

    /// Are its bytes here as an object?
    pub(super) fn holds(&self, input: &Input) -> bool {
        let stored = || self.workspace.as_ref().is_some_and(|workspace| workspace.objects().has(input.digest));
        self.genuine.contains(&input.digest) || stored()
    }

    /// An object, of the page or of the workspace.
    pub(super) fn object(&self, digest: Digest) -> Option<Vec<u8>> {
        let embedded = self.page.as_ref().filter(|_| self.genuine.contains(&digest));
        let embedded = embedded.and_then(|page| page.object(digest, self.sizes.get(&digest).copied()));
        embedded.or_else(|| Some(self.workspace.as_ref()?.objects().get(digest)))?.ok()
    }

    pub(super) fn read(&self, input: &Input) -> Result<Vec<u8>> {
        if let Some(page) = self.page.as_ref().filter(|_| self.genuine.contains(&input.digest))
            && let Some(bytes) = page.object(input.digest, self.sizes.get(&input.digest).copied())
        {
            return bytes;
        }
        if let Some(workspace) = self.workspace.as_ref().filter(|workspace| workspace.objects().has(input.digest)) {
            return workspace.objects().get(input.digest);
        }
        match &input.at {
            Location::File(path) => self.reach.read_verified(path, input.digest, LARGEST_INPUT),
            _ => Err(Fault::missing("its inputs are not here: give the results or data it was made from")),
        }
    }
}
