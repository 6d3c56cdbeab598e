//! Looking at the store: brought up to date first where nobody else does that.

use visavis_core::{
    domain::{Result, text::printable},
    store::{Index, Workspace},
};

/// The store for reading, if there is one, and what is odd about it.
pub struct OpenedStore {
    pub index: Option<Index>,
    pub remark: Option<String>,
}

/// When nobody dispatches, whoever looks takes in what journals say; otherwise the dispatcher does.
///
/// # Errors
/// A store that is there and cannot be read.
pub fn open_store(workspace: &Workspace) -> Result<OpenedStore> {
    if workspace.journals().is_dir() {
        // A workspace that cannot be written can still be looked at.
        if let Ok(Some(_lock)) = workspace.lock_store()
            && let Err(fault) = Index::open(workspace.store()).and_then(|mut index| index.catch_up(workspace))
        {
            let index = Index::open_to_read(workspace.store())?;
            return Ok(OpenedStore {
                index,
                remark: Some(format!("what was written last may be missing: {}", printable(&fault.what))),
            });
        }
    }
    let moved = |network| format!("the workspace is on {network}: its store is {}", workspace.store().display());
    Ok(OpenedStore { index: Index::open_to_read(workspace.store())?, remark: workspace.moved().map(moved) })
}
