//! The terminal UI: event → command → `update` (pure: no I/O, no clock) → effects → `frame` (decides nothing).
//!
//! Each screen is a folder of `screens/` with its state, its update and its view behind the trait of `screen.rs`; what lies over a screen
//! is in `overlays/`. What is shown is a snapshot that `study::watch` makes in a thread of its own; what is done, is done by command
//! lines of this very program, which `y` copies. So nothing here can hang, and leaving stops no job.

mod app;
mod audited;
mod backend;
mod canvas;
mod command;
mod copied;
mod drawing;
mod event;
mod faces;
mod figure;
mod filter;
mod frame;
mod keys;
mod labelling;
mod layout;
mod ledger;
mod levels;
mod movement;
mod overlays;
mod paint;
mod pixels;
mod record;
mod screen;
mod screen_id;
mod screens;
mod shared;
mod table;
mod terminal;
#[cfg(test)]
mod testing;
mod text;
mod theme;
mod update;

pub use drawing::DrawingMode;
pub use faces::{ShownFace, show_faces, small_jpeg};
pub use labelling::{LabellingSetup, LabellingView, LineStep, Loaded, PictureLoader, label, load_picture};
pub use layout::ScreenLayout;
pub use record::{Recorded, Session};
pub use screen_id::ScreenId;
pub use table::ScreenTable;
pub use terminal::{Setup, run};
pub use theme::Theme;
