//! What reaches the terminal: results on standard output, everything else on standard error; nothing unprintable.

use super::Context;
use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
};
use visavis_core::domain::{
    Fault, Result,
    text::{bounded, printable},
};

/// Set when results could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints a line of the result. A reader that has gone away (`| head`) is no error and changes no exit code.
pub(crate) fn say(line: impl AsRef<str>) {
    write_out(format!("{}\n", line.as_ref()).as_bytes());
}

/// Writes bytes to standard output.
pub(crate) fn write_out(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush())
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// # Errors
/// Output that was lost: a full disk, say.
pub(crate) fn all_written() -> Result<()> {
    if LOST.load(Ordering::Relaxed) {
        return Err(Fault::unexpected("not everything could be written to standard output").next("is the disk full?"));
    }
    Ok(())
}

/// Prints a value as one line of JSON.
pub(crate) fn say_json(value: &serde_json::Value) {
    say(value.to_string());
}

/// Prints a remark, unless asked to be quiet.
pub(crate) fn remark(context: &Context, line: impl AsRef<str>) {
    if !context.quiet {
        writeln!(std::io::stderr().lock(), "{}", line.as_ref()).ok();
    }
}

/// What was found odd about a study's data, and what was done with them.
pub(crate) fn tell_about(context: &Context, opened: &crate::study::OpenedStudy) {
    warn(context, &opened.warnings);
    for note in &opened.notes {
        remark(context, format!("note: {}", printable(note)));
    }
}

/// Says which other study files are called the same.
pub(crate) fn tell_namesakes(context: &Context, opened: &crate::study::OpenedStudy) {
    let (name, file) = (&opened.file.study.name, &opened.file.text.path);
    let found = crate::study::namesakes(name, file, &context.workspace);
    warn(context, &found.iter().map(|of| of.warning(name, &context.workspace)).collect::<Vec<_>>());
}

pub(crate) fn warn(context: &Context, warnings: &[String]) {
    for warning in warnings {
        remark(context, format!("warning: {}", printable(warning)));
    }
}

/// Prints the one error, as text or as JSON, and says how the program ends.
pub fn tell_fault(fault: &Fault, json: bool) -> u8 {
    let text = if json { fault_as_json(fault).to_string() } else { format!("error: {fault}") };
    writeln!(std::io::stderr().lock(), "{text}").ok();
    fault.ending.code()
}

fn fault_as_json(fault: &Fault) -> serde_json::Value {
    let Fault { ending, what, place, next } = fault;
    let at = place.as_ref().and_then(|place| place.at);
    serde_json::json!({
        "format": 1, "error": bounded(what), "file": place.as_ref().map(|place| place.file.to_string_lossy()),
        "line": at.map(|(line, _)| line), "column": at.map(|(_, column)| column), "next": next.as_deref().map(bounded), "code": ending.code(),
    })
}

/// Columns aligned under their heads, numbers to the right; two spaces between.
pub(crate) struct TextColumns {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl TextColumns {
    /// Heads that start with `>` are of columns aligned to the right.
    pub(crate) fn new(heads: &[&str]) -> Self {
        let right = heads.iter().map(|head| head.starts_with('>')).collect();
        TextColumns { rows: vec![heads.iter().map(|head| head.trim_start_matches('>').to_owned()).collect()], right }
    }

    pub(crate) fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.iter().map(|cell| printable(cell)).collect());
    }

    pub(crate) fn print(&self, indent: &str) {
        let width = |column: usize| self.rows.iter().map(|row| unicode_width(&row[column])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for (column, cell) in row.iter().enumerate() {
                let room = " ".repeat(widths[column] - unicode_width(cell));
                let (before, after) = if self.right[column] { (room.as_str(), "") } else { ("", room.as_str()) };
                line += &format!("{before}{cell}{after}  ");
            }
            say(line.trim_end());
        }
    }
}

fn unicode_width(text: &str) -> usize {
    console::measure_text_width(text)
}

pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 1.0 { "less than a second".to_owned() } else { format!("about {}", crate::study::duration(seconds)) }
}
