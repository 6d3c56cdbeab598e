//! What is there of results.

use std::collections::HashSet;
use visavis_core::{
    domain::{Digest, Ending, Key, Result, result::Manifest},
    store::Workspace,
};

/// What is there of a result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StoredResult {
    Whole(Box<Manifest>),
    /// A manifest, and not every object it names.
    Part,
    /// A manifest that cannot be read, and why.
    Damaged(String),
    Nothing,
}

/// Where a plan looks results up: the store of a workspace, or a map in tests.
pub(crate) trait ResultLookup: Send + Sync {
    /// The keys of all results, where a result that is asked for by its key too early would stay "not there" for a while: on a
    /// shared folder. `None` where every key may be asked for.
    ///
    /// # Errors
    /// A folder that cannot be read.
    fn listed(&self) -> Result<Option<HashSet<Key>>>;

    /// What is there of the result with this key.
    ///
    /// # Errors
    /// A store that cannot be read. A damaged result is no error.
    fn look_up(&self, key: Key) -> Result<StoredResult>;

    /// The bytes of an output.
    ///
    /// # Errors
    /// An object that is not there, or damaged.
    fn object(&self, digest: Digest) -> Result<Vec<u8>>;
}

/// The results of a workspace, as if these were all that it has: those that a page names.
pub(crate) struct OnlyThese {
    pub keys: HashSet<Key>,
    pub of: Workspace,
}

impl ResultLookup for OnlyThese {
    fn listed(&self) -> Result<Option<HashSet<Key>>> {
        Ok(Some(self.keys.clone()))
    }

    fn look_up(&self, key: Key) -> Result<StoredResult> {
        if self.keys.contains(&key) { self.of.look_up(key) } else { Ok(StoredResult::Nothing) }
    }

    fn object(&self, digest: Digest) -> Result<Vec<u8>> {
        ResultLookup::object(&self.of, digest)
    }
}

impl ResultLookup for Workspace {
    fn listed(&self) -> Result<Option<HashSet<Key>>> {
        if !self.is_shared() {
            return Ok(None);
        }
        Ok(Some(self.results().all()?.into_iter().collect()))
    }

    fn look_up(&self, key: Key) -> Result<StoredResult> {
        let objects = self.objects();
        Ok(match self.results().get(key) {
            Err(fault) if fault.ending == Ending::Differs => StoredResult::Damaged(fault.to_string()),
            Err(fault) => return Err(fault),
            Ok(None) => StoredResult::Nothing,
            Ok(Some(manifest)) if manifest.outputs.iter().all(|output| objects.has(output.digest)) => {
                StoredResult::Whole(Box::new(manifest))
            }
            Ok(Some(_)) => StoredResult::Part,
        })
    }

    fn object(&self, digest: Digest) -> Result<Vec<u8>> {
        self.objects().get(digest)
    }
}
