//! Labelling in the terminal, a screen of its own: a picture, a key a class, the next picture. `visavis label` runs it, and screen 6 starts
//! that.

mod loader;
pub(super) mod picture;
mod state;
mod terminal;
mod view;

pub use loader::{Loaded, PictureLoader, load_picture};
pub use state::{LabellingView, LineStep};
pub use terminal::{LabellingSetup, label};
