//! A session without a terminal: keys in, a frame out. The pictures of screens in the documents are recorded with it, and tests type into it.

use super::{
    app::App,
    backend,
    drawing::DrawingMode,
    event::{CommandEnded, CommandPurpose, Effect, ScreenEvent},
    frame, keys,
    layout::ScreenLayout,
    paint::Hit,
    pixels::Pixels,
    screen_id::ScreenId,
    shared::root_of,
    table::ScreenTable,
    theme::Theme,
    update::update,
};
use crate::study::watch::Watch;
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    style::{Color, Modifier},
};
use std::fmt::Write;

pub struct Session {
    app: App,
    watch: Watch,
    terminal: Terminal<TestBackend>,
    pixels: Pixels,
    hits: Vec<Hit>,
    /// Effects that only a terminal or a shell can do: listed here, and not done.
    pub left: Vec<String>,
}

/// A frame, as text or as a picture.
pub struct Recorded {
    buffer: Buffer,
    theme: Theme,
}

impl Session {
    /// `now`: milliseconds since 1970, for what is said to be so long ago.
    pub fn new(mut watch: Watch, size: (u16, u16), theme: Theme, now: u64) -> Self {
        let mut app = App::new(size, theme, DrawingMode::Braille, &ScreenLayout::default());
        app.shared.now = now;
        app.shared.globals = watch.workspace().options();
        app.shared.here = std::env::current_dir().unwrap_or_default();
        app.shared.root = root_of(watch.workspace().root());
        let seen = watch.glance();
        let mut session = Session { app, watch, terminal: terminal(size), pixels: Pixels::default(), hits: vec![], left: vec![] };
        session.take(ScreenEvent::Seen(Box::new(seen)));
        session.refresh();
        session
    }

    /// Brings what is seen up to date.
    pub fn refresh(&mut self) {
        if let Some(seen) = self.watch.refresh() {
            self.take(ScreenEvent::Seen(Box::new(seen)));
        }
    }

    pub fn go(&mut self, screen: ScreenId) {
        self.press(&(screen as usize + 1).to_string());
    }

    /// Keys by their names, between spaces: `j j Space 3 /`; a word that starts with `'` is typed letter by letter, `_` for a
    /// space.
    pub fn press(&mut self, names: &str) {
        for name in names.split_whitespace() {
            match name.strip_prefix('\'') {
                Some(word) => word.chars().for_each(|letter| {
                    let name = if letter == '_' { "Space".to_owned() } else { letter.to_string() };
                    self.key(&name);
                }),
                None => self.key(name),
            }
        }
    }

    fn key(&mut self, name: &str) {
        self.take(ScreenEvent::Key(keys::of_name(name)));
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.terminal = terminal((width, height));
        self.take(ScreenEvent::Resize(width, height));
    }

    /// Clicks at a column and row.
    pub fn click(&mut self, column: u16, row: u16) {
        self.take(ScreenEvent::Click(column, row));
    }

    fn take(&mut self, event: ScreenEvent) {
        let mut effects = update(&mut self.app, event, &self.hits);
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Copy(text) => self.left.push(text),
                Effect::Program { words, .. } => {
                    self.app.shared.working.clear();
                    self.left.push(words);
                }
                Effect::Edit(file) => self.left.push(format!("$EDITOR {}", file.display())),
                Effect::Label(words) => self.left.push(super::event::line(&words)),
                Effect::Browse(file) => self.left.push(format!("open {file}")),
                Effect::Remember(_) | Effect::Suspend => {}
                asked => {
                    if let Some(reply) = backend::answer(&mut self.watch, asked) {
                        effects.extend(update(&mut self.app, reply, &self.hits));
                    }
                }
            }
        }
        self.draw();
    }

    fn draw(&mut self) {
        let (app, pixels, hits) = (&self.app, &mut self.pixels, &mut self.hits);
        let drawn = self.terminal.draw(|frame| *hits = frame::draw(frame, app, pixels));
        debug_assert!(drawn.is_ok());
    }

    /// Tells the session how a command line of `left` has ended.
    pub fn ended(&mut self, line: &str, code: i32, out: &str, err: &str) {
        let words = |begins: &str| line.starts_with(&format!("visavis {begins}"));
        let purpose = match () {
            () if words("audit") => CommandPurpose::Audit(self.study().unwrap_or("").to_owned()),
            () if words("report") => CommandPurpose::Report,
            () if words("run") => CommandPurpose::Run,
            () => CommandPurpose::Ask,
        };
        self.take(ScreenEvent::Ended(CommandEnded {
            purpose,
            line: line.to_owned(),
            code: Some(code),
            out: out.to_owned(),
            err: err.to_owned(),
        }));
    }

    pub fn quits(&self) -> bool {
        self.app.shared.quit
    }

    /// What the screen says, as a table.
    pub fn table(&self) -> ScreenTable {
        self.app.screen().table(&self.app.shared)
    }

    pub fn study(&self) -> Option<&str> {
        self.app.shared.seen.matrix_snapshot.as_ref().map(|matrix_snapshot| matrix_snapshot.study.name.as_str())
    }

    /// What is wrong with the study or the store, if anything.
    pub fn trouble(&self) -> Option<&visavis_core::domain::Fault> {
        self.app.shared.seen.trouble.as_ref()
    }

    pub fn frame(&self) -> Recorded {
        Recorded { buffer: self.terminal.backend().buffer().clone(), theme: self.app.shared.theme }
    }

    pub fn text(&self) -> String {
        self.frame().text()
    }
}

fn terminal((width, height): (u16, u16)) -> Terminal<TestBackend> {
    // A backend in memory cannot fail.
    Terminal::new(TestBackend::new(width, height)).unwrap_or_else(|error: std::convert::Infallible| match error {})
}

/// Pixels of a character.
const ACROSS: f64 = 8.4;
const DOWN: f64 = 18.0;

impl Recorded {
    /// Line by line, as a terminal copies it.
    pub fn text(&self) -> String {
        let area = self.buffer.area;
        let mut text = String::new();
        for y in 0..area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..area.width {
                let symbol = self.buffer[(x, y)].symbol();
                if skip == 0 {
                    line += symbol;
                    skip = super::text::width(symbol).max(1);
                }
                skip -= 1;
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    /// One SVG, with no script and nothing fetched.
    pub fn svg(&self) -> String {
        let area = self.buffer.area;
        let (ground, ink) = if self.theme == Theme::Light { ("#fbfbf8", "#1c1e22") } else { ("#14161a", "#dfe2e7") };
        let (wide, high) = (f64::from(area.width) * ACROSS + 24.0, f64::from(area.height) * DOWN + 24.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.0} {high:.0}\" width=\"{wide:.0}\" height=\"{high:.0}\" role=\"img\">\n<title>Visavis in a terminal</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{ground}\"/>\n<g font-family=\"'DejaVu Sans Mono', 'JetBrains Mono', Menlo, Consolas, monospace\" font-size=\"14\" fill=\"{ink}\" style=\"white-space:pre\">\n"
        );
        for y in 0..area.height {
            let mut x = 0;
            while x < area.width {
                let from = x;
                let style = self.style(x, y);
                let mut words = String::new();
                while x < area.width && self.style(x, y) == style {
                    let symbol = self.buffer[(x, y)].symbol();
                    words += symbol;
                    x += super::text::width(symbol).max(1) as u16;
                }
                self.run(&mut svg, (from, y, x - from), &style, &words, (ground, ink));
            }
        }
        svg += "</g>\n</svg>\n";
        svg
    }

    fn style(&self, x: u16, y: u16) -> (Color, Color, Modifier) {
        let cell = &self.buffer[(x, y)];
        (cell.fg, cell.bg, cell.modifier)
    }

    /// Letters of one style.
    fn run(
        &self,
        svg: &mut String,
        (x, y, count): (u16, u16, u16),
        style: &(Color, Color, Modifier),
        words: &str,
        (ground, ink): (&str, &str),
    ) {
        let (left, top) = (12.0 + f64::from(x) * ACROSS, 12.0 + f64::from(y) * DOWN);
        let (mut fg, mut bg) = (hex(style.0), hex(style.1));
        if style.2.contains(Modifier::REVERSED) {
            (fg, bg) = (Some(bg.unwrap_or_else(|| ground.to_owned())), Some(fg.unwrap_or_else(|| ink.to_owned())));
        }
        let wide = f64::from(count) * ACROSS;
        if let Some(bg) = bg {
            writeln!(svg, "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{DOWN}\" fill=\"{bg}\"/>").ok();
        }
        let shown = words.trim();
        if shown.is_empty() {
            return;
        }
        let skipped = super::text::width(words) - super::text::width(words.trim_start());
        let (left, wide) = (left + skipped as f64 * ACROSS, super::text::width(shown) as f64 * ACROSS);
        // An SVG viewer would drop plain spaces.
        let escaped = shown.replace(' ', "\u{a0}").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let weight = if style.2.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
        let line = if style.2.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
        let dim = if style.2.contains(Modifier::DIM) { " opacity=\".6\"" } else { "" };
        let fill = fg.map_or(String::new(), |fg| format!(" fill=\"{fg}\""));
        writeln!(svg, "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{wide:.1}\" lengthAdjust=\"spacingAndGlyphs\"{fill}{weight}{line}{dim}>{escaped}</text>", top + 13.5).ok();
    }
}

fn hex(color: Color) -> Option<String> {
    let named = |r, g, b| Some(format!("#{r:02x}{g:02x}{b:02x}"));
    match color {
        Color::Rgb(r, g, b) => named(r, g, b),
        Color::Red | Color::LightRed => named(224, 90, 80),
        Color::Green | Color::LightGreen => named(80, 180, 110),
        Color::Yellow | Color::LightYellow => named(205, 170, 60),
        Color::Blue | Color::LightBlue => named(90, 140, 225),
        Color::Magenta | Color::LightMagenta => named(195, 115, 200),
        Color::Cyan | Color::LightCyan => named(80, 180, 195),
        Color::Gray | Color::DarkGray => named(150, 150, 150),
        Color::White => named(240, 240, 240),
        Color::Black => named(0, 0, 0),
        _ => None,
    }
}
