//! What is there of results.

use std::collections::{HashMap, HashSet};
use visavis_core::{
    domain::{
        Digest, Ending, Key, Result,
        result::{Manifest, Provenance},
    },
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

/// The results of a workspace, as if these were all that it has: those that a page names, by content and who made them. Of a result
/// that was made again since with the same bits, the page's times and machine are given.
pub(crate) struct OnlyThese {
    pub keys: HashMap<Key, (Digest, Provenance)>,
    pub of: Workspace,
}

impl ResultLookup for OnlyThese {
    fn listed(&self) -> Result<Option<HashSet<Key>>> {
        Ok(Some(self.keys.keys().copied().collect()))
    }

    fn look_up(&self, key: Key) -> Result<StoredResult> {
        let Some((content, provenance)) = self.keys.get(&key) else { return Ok(StoredResult::Nothing) };
        Ok(match self.of.look_up(key)? {
            StoredResult::Whole(stored) if stored.content() == *content => {
                StoredResult::Whole(Box::new(Manifest { provenance: provenance.clone(), ..*stored }))
            }
            other => other,
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{
        steps::Step,
        testing::{result, study},
    };

    #[test]
    fn a_result_made_again_with_the_same_bits_has_the_pages_times_and_one_with_other_bits_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let of = Workspace::new(folder.path().to_owned(), None).unwrap();
        let stored = Manifest { outputs: vec![], ..result(&study(), Step::Index) };
        of.results().publish(&stored).unwrap();
        let provenance = Provenance { cpu: "of the page".to_owned(), ..Provenance::unknown() };
        let cpu = |content: Digest| {
            let these = OnlyThese { keys: [(stored.key, (content, provenance.clone()))].into(), of: of.clone() };
            let StoredResult::Whole(found) = these.look_up(stored.key).unwrap() else { panic!("the result is there") };
            found.provenance.cpu
        };
        assert_eq!(cpu(stored.content()), "of the page");
        assert_eq!(cpu(Digest::of(b"other bits")), "");
        let none = OnlyThese { keys: HashMap::new(), of: of.clone() };
        assert_eq!(none.look_up(stored.key).unwrap(), StoredResult::Nothing);
    }
}
