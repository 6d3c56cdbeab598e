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

pub(super) use cache::kept;
pub(super) use fit::{looks_like_a_picture, misfit, plain_id, three};
pub(super) use image_table::{Cells, ImageTable, Repeated};
pub(super) use layout::{TableLayout, plain};
pub(super) use lines::TextLines;
pub(super) use read_table::line_ends;
pub(super) use reader::TableReader;
pub(super) use separator::tabbed;
pub(super) use table_builder::TableBuilder;
