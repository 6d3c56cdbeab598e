//! The page of a study, for whoever writes it and whoever audits it.

mod carried;
#[cfg(test)]
mod changed_digits;
mod of_plan;

pub(super) use carried::{alone, as_pin, carried, carries_itself, other_program};
pub(super) use of_plan::{RenderedAs, page};
