//! What can be wrong with a JPEG.

/// What is wrong with a JPEG. Rows are rows of pixels, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It ends before its picture does.
    Cut {
        row: usize,
    },
    /// Something stands where the format does not have it.
    Damaged {
        row: usize,
    },
    Unread(&'static str),
}
