//! Tables with a row an image: the one reader of comma tables, what it makes of them, and the cache they are kept in.

mod cache;
mod fit;
mod image_table;
mod layout;
mod lines;
mod read_table;
mod reader;
mod separator;
mod table_builder;

pub use cache::kept;
pub use fit::{looks_like_a_picture, misfit, plain_id, three};
pub use image_table::{Cells, ImageTable, Repeated};
pub use layout::{TableLayout, plain};
pub use lines::TextLines;
pub use read_table::line_ends;
pub use reader::TableReader;
pub use separator::tabbed;
pub use table_builder::TableBuilder;
