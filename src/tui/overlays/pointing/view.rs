//! The form, drawn.

use super::state::Pointing;
use crate::tui::{overlays::form::view::ShownForm, paint::Paint};
use ratatui::layout::Rect;

pub(crate) fn draw(paint: &mut Paint, area: Rect, pointing: &Pointing) {
    let field = &pointing.fields[pointing.cursor];
    let is_complete = |option: &&String| **option == field.value;
    let options: Vec<&str> = field.options.iter().filter(|option| !is_complete(option)).map(String::as_str).collect();
    let form = ShownForm {
        title: "a study of your own: choose your files",
        fields: &pointing.fields,
        cursor: pointing.cursor,
        options: &options,
        fault: &pointing.told,
        foot: "Esc leaves · Tab begins a path and completes it · Enter goes on; at the end it writes the study",
    };
    form.draw(paint, area);
}
