//! Memory that a method asks for, known before it starts.

use crate::domain::{Fault, Result};

/// What a projection may take.
const MOST: f64 = 6e9;

/// # Errors
/// More bytes than a projection may take; `what` takes them.
pub(super) fn affordable(what: &str, bytes: f64) -> Result<()> {
    if bytes <= MOST {
        return Ok(());
    }
    let gigabytes = |bytes: f64| bytes / 1e9;
    Err(Fault::asked(format!(
        "{what} would take {:.1} GB of memory, and a projection may take {:.0} GB",
        gigabytes(bytes),
        gigabytes(MOST)
    ))
    .next("project fewer images, or a layer of fewer columns"))
}
