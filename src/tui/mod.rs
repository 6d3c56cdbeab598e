//! The terminal UI: event → command → `update` (no I/O) → effects → `view` (decides nothing).
//!
//! What is shown is a snapshot that `study::watch` makes in a thread of its own; what is done, is done by command lines of this
//! very program, which `y` copies. So nothing here can hang, and nothing that ends here ends a job.

mod app;
mod axes;
mod backend;
mod canvas;
mod command;
mod compare;
mod event;
mod figures;
mod filter;
mod form;
mod keys;
mod pivot;
mod pixels;
mod record;
mod report;
mod runs;
mod table;
mod terminal;
mod text;
mod theme;
mod update;
mod view;

pub use app::{Drawing, Screen, ScreenLayout};
pub use record::{Recorded, Session};
pub use table::ScreenTable;
pub use terminal::{Setup, run};
pub use theme::Theme;
