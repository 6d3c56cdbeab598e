//! Tables with a row an image: the one reader of comma tables, what it makes of them, and the cache they are kept in.

mod cache;
mod fit;
mod image_table;
mod layout;
mod reader;

pub(super) use cache::kept;
pub(super) use fit::{looks_like_a_picture, misfit, plain_id, three};
pub(super) use image_table::{Builder, Cells, ImageTable, Repeated, line_ends};
pub(super) use layout::{Layout, plain};
pub(super) use reader::{TableReader, TextLines, tabbed};
