//! The base layer: the values Visavis talks about and the rules between them.
//!
//! Knows no I/O, no clock, no randomness and no SQL: everything here is a pure function of its arguments, so that a
//! plan, a key or a ledger made on one machine is the same on every other.

pub mod agreement;
pub mod alteration;
pub mod annotation;
pub mod attention;
pub mod canonical;
pub mod claim;
pub mod clicks;
pub mod clusters;
mod column;
pub mod comparison;
pub mod contrast;
pub mod digest;
pub mod dispersion;
pub mod embedding;
pub mod event;
pub mod fairness;
pub mod fault;
pub mod file_kind;
pub mod glossary;
pub mod hypothesis;
pub mod image;
mod image_index;
pub mod index;
pub mod job;
mod labels;
pub mod layer_difference;
pub mod ledger;
pub mod loss;
pub mod machine;
pub mod made_of;
pub mod made_with;
pub mod matrix;
pub mod membership;
pub mod metric;
pub mod missing;
pub mod model;
pub mod nuisance;
pub mod overlap;
pub mod pairs;
pub mod pin;
pub mod post;
pub mod projection;
pub mod result;
pub mod retained;
pub mod retrieval;
pub mod score;
pub mod shared_crop;
pub mod simultaneous;
pub mod spelling;
pub mod stage;
pub mod study;
pub mod subgroups;
pub mod text;
pub mod visibility;
mod vocabulary;

pub use digest::{Digest, Key};
pub use fault::{Ending, Fault, Result};
