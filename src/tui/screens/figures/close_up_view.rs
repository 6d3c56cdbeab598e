//! A figure looked at closely, drawn: the part of the map that is shown with the rectangle and the cursor, and what lies in the rectangle.

use super::close_up::{CloseUp, FACES_BESIDE, Selected};
use crate::{
    study::{
        make_up::{MakeUpLine, ShareOfImages},
        map_images::MapImages,
    },
    tui::{
        canvas::TextCanvas,
        drawing::DrawingMode,
        labelling::picture::photograph,
        paint::{Clicked, Paint},
        shared::Shared,
        text::{fit, fit_middle, left, right, wrapped},
        theme::{Theme, sign},
    },
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};
use visavis_core::domain::text::{count, thousands};

/// Dots of images that are in no class, and of classes beyond those that have a colour.
const NO_CLASS: usize = 7;
/// Shares of the map in a place that can be clicked.
pub(super) const PARTS: f64 = 1_000_000.0;
/// Below so many columns the selection stands under the map.
const BESIDE: u16 = 76;

pub(super) fn draw(close_up: &CloseUp, paint: &mut Paint, area: Rect, shared: &Shared, title: &str) {
    let map = match shared.map.as_ref().filter(|(cell, _)| *cell == close_up.cell) {
        None => return wait(paint, area, title, "reading its images …"),
        Some((_, Err(why))) => return wait(paint, area, title, why),
        Some((_, Ok(map))) => map,
    };
    let [field, side] = if area.width >= BESIDE {
        Layout::horizontal([Constraint::Fill(1), Constraint::Length((area.width * 2 / 5).clamp(34, 50))]).areas(area)
    } else {
        Layout::vertical([Constraint::Fill(1), Constraint::Length((area.height * 2 / 5).max(6))]).areas(area)
    };
    let enlarged = if close_up.zoom > 1.0 { format!(" · ×{:.1}", close_up.zoom) } else { String::new() };
    let inner = paint.pane(field, &format!("{title}{enlarged}"), true);
    let [field, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(inner);
    draw_map(close_up, paint, field, shared, map);
    let legend = legend(paint, map, usize::from(below.width));
    paint.line(below, legend);
    let inner = paint.pane(side, "selection", false);
    draw_selection(close_up, paint, inner, shared, map);
}

fn wait(paint: &mut Paint, area: Rect, title: &str, words: &str) {
    let inner = paint.pane(area, title, true);
    paint.empty(inner, words);
}

fn draw_map(close_up: &CloseUp, paint: &mut Paint, area: Rect, shared: &Shared, map: &MapImages) {
    if area.width < 2 || area.height < 2 {
        return;
    }
    let mut canvas = TextCanvas::new(area, shared.drawing, paint.theme);
    let (wide, high) = canvas.size();
    let window = close_up.window();
    let share = |at: f64, axis: usize| (at - window[axis][0]) / (window[axis][1] - window[axis][0]);
    // Images of no class come last: they are seen where no class has a dot.
    let kind = |class: &Option<u8>| class.map_or(NO_CLASS, |class| usize::from(class).min(NO_CLASS));
    let mut taken = vec![false; wide * high];
    for is_classed in [true, false] {
        for (place, class) in map.places.iter().zip(&map.classes).filter(|(_, class)| (kind(class) != NO_CLASS) == is_classed) {
            let Some(place) = place else { continue };
            let [x, y] = [0, 1].map(|axis| share(f64::from(place[axis]), axis));
            if (0.0..1.0).contains(&x) && (0.0..1.0).contains(&y) {
                let (x, y) = ((x * wide as f64) as usize, ((1.0 - y) * high as f64).min(high as f64 - 1.0) as usize);
                if is_classed || !taken[y * wide + x] {
                    canvas.dot(x, y, kind(class));
                    taken[y * wide + x] = true;
                }
            }
        }
    }
    let theme = paint.theme;
    let style = |kind: usize| if kind == NO_CLASS { theme.dim() } else { theme.class(kind) };
    canvas.draw(paint.frame.buffer_mut(), &style);
    // The square in which a share of the map lies, if it is on the screen.
    let column = |at: f64| (share(at, 0) * f64::from(area.width)).floor();
    let row = |at: f64| ((1.0 - share(at, 1)) * f64::from(area.height)).floor();
    if let Some([low, high]) = close_up.frame() {
        rectangle(paint, area, [column(low[0]), column(high[0])], [row(high[1]), row(low[1])]);
    }
    let within = |at: f64, length: u16| at.clamp(0.0, f64::from(length) - 1.0);
    let at = [within(column(close_up.cursor[0]), area.width), within(row(close_up.cursor[1]), area.height)];
    put(paint, area, at, "┼", paint.theme.title());
    for y in 0..area.height {
        for x in 0..area.width {
            let part = |share: f64, axis: usize| {
                ((window[axis][0] + share * (window[axis][1] - window[axis][0])) * PARTS).clamp(0.0, PARTS) as usize
            };
            let across = part((f64::from(x) + 0.5) / f64::from(area.width), 0);
            let up = part(1.0 - (f64::from(y) + 0.5) / f64::from(area.height), 1);
            paint.hit(Rect { x: area.x + x, y: area.y + y, width: 1, height: 1 }, Clicked::Place(up, across));
        }
    }
}

/// The sides of a rectangle that lie in the area.
fn rectangle(paint: &mut Paint, area: Rect, [left, right]: [f64; 2], [top, bottom]: [f64; 2]) {
    let style = paint.theme.accent();
    for x in 0..area.width {
        if (left..=right).contains(&f64::from(x)) {
            [top, bottom].into_iter().for_each(|y| put(paint, area, [f64::from(x), y], "─", style));
        }
    }
    for y in 0..area.height {
        if (top..=bottom).contains(&f64::from(y)) {
            [left, right].into_iter().for_each(|x| put(paint, area, [x, f64::from(y)], "│", style));
        }
    }
    for (x, y, corner) in [(left, top, "┌"), (right, top, "┐"), (left, bottom, "└"), (right, bottom, "┘")] {
        put(paint, area, [x, y], corner, style);
    }
}

/// A sign on a square of the area; none outside of it.
fn put(paint: &mut Paint, area: Rect, [x, y]: [f64; 2], sign: &str, style: Style) {
    let is_inside = (0.0..f64::from(area.width)).contains(&x) && (0.0..f64::from(area.height)).contains(&y);
    if let Some(square) = paint.frame.buffer_mut().cell_mut((area.x + x.max(0.0) as u16, area.y + y.max(0.0) as u16))
        && is_inside
    {
        square.set_symbol(sign).set_style(style);
    }
}

fn legend(paint: &Paint, map: &MapImages, room: usize) -> Line<'static> {
    let each = room.saturating_sub(16) / map.class_names.len().clamp(1, NO_CLASS);
    let name = |(class, (name, images)): (usize, &(String, usize))| {
        let words = format!("{} {}", fit(name, each.saturating_sub(10).max(4)), thousands(*images));
        vec![Span::styled(format!("{} ", sign(class)), paint.theme.class(class)), Span::raw(left(&words, each.saturating_sub(2)))]
    };
    let mut spans: Vec<Span> = map.class_names.iter().enumerate().take(NO_CLASS).flat_map(name).collect();
    let others = map.classes.iter().filter(|class| class.is_none_or(|class| usize::from(class) >= NO_CLASS)).count();
    if others > 0 {
        spans.push(Span::styled(format!("grey: {} others", thousands(others)), paint.theme.dim()));
    }
    Line::from(spans)
}

fn draw_selection(close_up: &CloseUp, paint: &mut Paint, area: Rect, shared: &Shared, map: &MapImages) {
    let room = usize::from(area.width);
    let Some(selected) = &close_up.selected else {
        let nowhere = map.places.iter().filter(|place| place.is_none()).count();
        let without = if nowhere > 0 { format!(" {} are not on this map.", count(nowhere, "image")) } else { String::new() };
        let words = format!(
            "{}.{without}\n\nArrows move the cursor, + zooms in, - zooms out, 0 shows the whole map.\n\ns begins a rectangle, s again ends it: this \
             pane then shows what its images share.",
            count(map.names.len(), "image")
        );
        return paint.lines(area, wrapped(&words, room).into_iter().map(Line::raw).collect());
    };
    let faces = selected.faces.as_ref().filter(|_| area.height > 14);
    let [words, strip] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(if faces.is_some() { 8 } else { 0 })]).areas(area);
    let lines = selection_lines(selected, paint, map, (room, usize::from(words.height)));
    paint.lines(words, lines);
    if let Some(faces) = faces {
        // A face is about as wide as high. Pixels would lie over what lies over the screen.
        let width = strip.width.min(FACES_BESIDE as u16 * 8);
        let is_plain = shared.overlay.is_some() || shared.theme == Theme::Plain;
        let drawing = if is_plain && shared.drawing.is_pixels() { DrawingMode::Blocks } else { shared.drawing };
        photograph(paint.frame, Rect { width, ..strip }, faces, drawing, paint.theme, paint.pixels);
    }
}

/// Two columns of shares in percent, with their intervals where there is room.
fn selection_lines(selected: &Selected, paint: &Paint, map: &MapImages, (room, rows): (usize, usize)) -> Vec<Line<'static>> {
    let has_intervals = room >= 40;
    let share_room = if has_intervals { 12 } else { 8 };
    let name = room.saturating_sub(2 * share_room).max(6);
    let dim = |text: String| Line::styled(text, paint.theme.dim());
    let chosen = format!("{} of {} selected", thousands(selected.images), thousands(map.names.len()));
    let mut lines = vec![Line::styled(fit(&chosen, room), paint.theme.title())];
    lines.extend(wrapped("you chose these by eye: not a result", room).into_iter().map(dim));
    if selected.lines.is_empty() {
        return lines;
    }
    lines.push(dim(format!("{}{}{}", left("", name), right("these %", share_room), right("others %", share_room))));
    let share = |of: ShareOfImages| {
        let value = of.value().map_or("–".to_owned(), |value| format!("{:.0}", 100.0 * value));
        let interval = of.interval.filter(|_| has_intervals);
        let interval = interval.map_or(String::new(), |(low, high)| format!(" {:.0}–{:.0}", 100.0 * low, 100.0 * high));
        right(&format!("{value}{interval}"), share_room)
    };
    let line = |of: &MakeUpLine| {
        let is_few = of.selected.is_few || of.rest.is_few;
        let style = if is_few { paint.theme.dim() } else { Style::new() };
        let name_of = left(&fit_middle(&of.condition, name.saturating_sub(1)), name);
        Line::styled(format!("{name_of}{}{}", share(of.selected), share(of.rest)), style)
    };
    // What there is no room for is counted.
    let left_out = if map.left_out > 0 {
        format!("{} left out: more than 40 values", count(map.left_out, "attribute"))
    } else {
        String::new()
    };
    let last = usize::from(!left_out.is_empty());
    let shown = selected.lines.len().min(rows.saturating_sub(lines.len() + last));
    let is_cut = shown < selected.lines.len();
    let shown = if is_cut { shown.saturating_sub(1) } else { shown };
    lines.extend(selected.lines[..shown].iter().map(line));
    if is_cut {
        lines.push(dim(fit(&format!("and {}, less different", count(selected.lines.len() - shown, "attribute")), room)));
    }
    if last > 0 {
        lines.push(dim(fit(&left_out, room)));
    }
    lines
}
