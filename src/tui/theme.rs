//! Colours, and what replaces them where there are none. A state is always a glyph and a word too, never colour alone.

use crate::study::watch::CellState;
use ratatui::style::{Color, Modifier, Style};
use std::time::Duration;
use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};

/// A terminal that answers at all answers sooner, over SSH too.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    Dark,
    Light,
    /// The terminal's own sixteen, on whatever ground it has.
    Sixteen,
    /// No colour at all: `NO_COLOR`, or a terminal that has none.
    Plain,
}

impl Theme {
    pub const ALL: [Theme; 4] = [Theme::Dark, Theme::Light, Theme::Sixteen, Theme::Plain];

    pub fn word(self) -> &'static str {
        match self {
            Theme::Dark => "dark",
            Theme::Light => "light",
            Theme::Sixteen => "16",
            Theme::Plain => "none",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Theme::ALL.into_iter().find(|theme| theme.word() == word)
    }

    /// As the environment says; where it says nothing of a ground, as the terminal answers (OSC 11).
    pub fn found() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let theme = Theme::of_environment(&variable);
        if theme != Theme::Dark || variable("COLORFGBG").is_some() {
            return theme;
        }
        let mut options = QueryOptions::default();
        options.timeout = PATIENCE;
        match theme_mode(options) {
            Ok(ThemeMode::Light) => Theme::Light,
            // One that does not answer has a dark ground more often than not.
            Ok(ThemeMode::Dark) | Err(_) => Theme::Dark,
        }
    }

    /// What the environment says of the terminal. Text has the terminal's own colour in every theme, so it stays readable after a wrong
    /// guess.
    pub fn of_environment(of: &dyn Fn(&str) -> Option<String>) -> Self {
        let is = |name: &str, words: &[&str]| of(name).is_some_and(|value| words.iter().any(|word| value.contains(word)));
        if of("NO_COLOR").is_some_and(|value| !value.is_empty()) || is("TERM", &["dumb", "vt100", "-m", "mono"]) {
            return Theme::Plain;
        }
        if !is("COLORTERM", &["truecolor", "24bit"]) && !is("TERM", &["256", "kitty", "direct", "ghostty", "foot"]) {
            return Theme::Sixteen;
        }
        // rxvt's convention, kept by many: foreground;background, from the sixteen.
        let ground = of("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
        if matches!(ground, Some(7 | 9..=15)) { Theme::Light } else { Theme::Dark }
    }

    pub fn next(self) -> Self {
        let place = Theme::ALL.iter().position(|theme| *theme == self).unwrap_or(0);
        Theme::ALL[(place + 1) % Theme::ALL.len()]
    }

    fn pick(self, dark: (u8, u8, u8), light: (u8, u8, u8), sixteen: Color) -> Style {
        match self {
            Theme::Dark => Style::new().fg(rgb(dark)),
            Theme::Light => Style::new().fg(rgb(light)),
            Theme::Sixteen => Style::new().fg(sixteen),
            Theme::Plain => Style::new(),
        }
    }

    pub fn accent(self) -> Style {
        self.pick((102, 187, 255), (0, 95, 175), Color::Cyan)
    }

    pub fn warning(self) -> Style {
        self.pick((240, 180, 60), (135, 80, 0), Color::Yellow)
    }

    pub fn error(self) -> Style {
        self.pick((255, 135, 120), (185, 40, 30), Color::Red).add_modifier(Modifier::BOLD)
    }

    pub fn good(self) -> Style {
        self.pick((80, 200, 160), (0, 108, 76), Color::Green)
    }

    pub fn dim(self) -> Style {
        match self {
            Theme::Plain | Theme::Sixteen => Style::new().add_modifier(Modifier::DIM),
            _ => self.pick((170, 175, 185), (86, 91, 101), Color::Gray),
        }
    }

    pub fn border(self, focused: bool) -> Style {
        if focused {
            return self.accent().add_modifier(if self == Theme::Plain { Modifier::BOLD } else { Modifier::empty() });
        }
        match self {
            Theme::Plain | Theme::Sixteen => Style::new().add_modifier(Modifier::DIM),
            _ => self.pick((75, 80, 90), (190, 195, 200), Color::Gray),
        }
    }

    pub fn title(self) -> Style {
        Style::new().fg(Color::Reset).add_modifier(Modifier::BOLD)
    }

    /// Where the cursor is. Text has a colour, too: that of the terminal could be the ground's, after a wrong guess.
    pub fn cursor(self) -> Style {
        match self {
            Theme::Dark => Style::new().bg(rgb((45, 60, 85))).fg(rgb((240, 243, 248))).add_modifier(Modifier::BOLD),
            Theme::Light => Style::new().bg(rgb((205, 225, 245))).fg(rgb((15, 20, 30))).add_modifier(Modifier::BOLD),
            Theme::Sixteen | Theme::Plain => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    pub fn key(self) -> Style {
        self.accent().add_modifier(Modifier::BOLD)
    }

    pub fn state(self, state: &CellState) -> Style {
        match state {
            CellState::Failed(_) => self.error(),
            CellState::Stale | CellState::Paused => self.warning(),
            CellState::Running(_) => self.accent(),
            CellState::Verified => self.good(),
            CellState::Done => Style::new(),
            CellState::NotRun | CellState::Queued | CellState::Waits(_) | CellState::Cancelled => self.dim(),
        }
    }

    /// A score by heat: viridis behind it (Smith and van der Walt 2015), from .5 to 1; with few colours the colour of its text;
    /// without any, `bar` says it.
    pub fn heat(self, value: f64) -> Style {
        let share = ((value - 0.5) * 2.0).clamp(0.0, 1.0);
        match self {
            Theme::Plain => Style::new().add_modifier(if share > 0.4 { Modifier::BOLD } else { Modifier::empty() }),
            Theme::Sixteen => {
                let steps = [Color::Blue, Color::Blue, Color::Cyan, Color::Green, Color::Yellow];
                Style::new().fg(steps[((share * 5.0) as usize).min(4)])
            }
            Theme::Dark | Theme::Light => {
                let (r, g, b) = viridis(share);
                // The relative luminance at which black and white are equally far (WCAG 2).
                let light = luminance((r, g, b)) > 0.179;
                let text = if light { (0, 0, 0) } else { (255, 255, 255) };
                Style::new().bg(rgb((r, g, b))).fg(rgb(text))
            }
        }
    }

    /// A class's colour in pictures, which have every colour.
    pub fn pixel(self, class: usize) -> (u8, u8, u8) {
        let ground = if self == Theme::Light { Theme::Light } else { Theme::Dark };
        match ground.class(class).fg {
            Some(Color::Rgb(r, g, b)) => (r, g, b),
            _ => (128, 128, 128),
        }
    }

    /// Okabe and Ito's colours of classes; with sixteen the nearest.
    pub fn class(self, class: usize) -> Style {
        const COLOURS: [(u8, u8, u8); 8] = [
            (86, 180, 233),
            (230, 159, 0),
            (0, 158, 115),
            (213, 94, 0),
            (204, 121, 167),
            (0, 114, 178),
            (200, 190, 50),
            (150, 150, 150),
        ];
        const SIXTEEN: [Color; 8] = [
            Color::LightBlue,
            Color::Yellow,
            Color::Green,
            Color::Red,
            Color::Magenta,
            Color::Blue,
            Color::LightYellow,
            Color::Gray,
        ];
        let colour = COLOURS[class % 8];
        let darker = |part: u8| (f32::from(part) * 0.75) as u8;
        // Their blue is too dark on a dark ground.
        let on_dark = if colour == (0, 114, 178) { (40, 138, 205) } else { colour };
        self.pick(on_dark, (darker(colour.0), darker(colour.1), darker(colour.2)), SIXTEEN[class % 8])
    }
}

pub(crate) fn rgb((r, g, b): (u8, u8, u8)) -> Color {
    Color::Rgb(r, g, b)
}

/// Relative luminance (WCAG 2).
fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

fn linear(part: u8) -> f64 {
    let part = f64::from(part) / 255.0;
    if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
}

/// Viridis at nine places, and straight between.
fn viridis(share: f64) -> (u8, u8, u8) {
    const STOPS: [(u8, u8, u8); 9] = [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ];
    let at = share.clamp(0.0, 1.0) * 8.0;
    let (low, part) = ((at as usize).min(7), at - (at as usize).min(7) as f64);
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (STOPS[low], STOPS[low + 1]);
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Heat without colour: eight heights.
pub(crate) fn bar(value: f64) -> char {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    BARS[(((value - 0.5) * 16.0).clamp(0.0, 7.0)) as usize]
}

/// The sign of a state.
pub(crate) fn glyph(state: &CellState) -> char {
    match state {
        CellState::NotRun => '·',
        CellState::Queued => '○',
        CellState::Running(_) => '◐',
        CellState::Done => '●',
        CellState::Verified => '◆',
        CellState::Failed(_) => '✕',
        CellState::Stale => '◌',
        CellState::Waits(_) => '…',
        CellState::Paused => '‖',
        CellState::Cancelled => '–',
    }
}

/// Signs of classes, each a shape of its own.
pub(crate) fn sign(class: usize) -> char {
    const SIGNS: [char; 8] = ['●', '◆', '▲', '■', '▼', '✚', '★', '○'];
    SIGNS[class % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Theme {
        Theme::of_environment(&|name| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_theme_follows_the_terminal() {
        assert_eq!(of(&[("TERM", "xterm-256color")]), Theme::Dark);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORFGBG", "0;15")]), Theme::Light);
        assert_eq!(of(&[("TERM", "xterm")]), Theme::Sixteen);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Theme::Plain);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Theme::Dark);
    }

    /// The contrast of two colours (WCAG 2).
    fn contrast(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
        let [one, other] = [one, other].map(luminance);
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn parts(colour: Option<Color>) -> (u8, u8, u8) {
        match colour {
            Some(Color::Rgb(r, g, b)) => (r, g, b),
            other => panic!("no colour of its own: {other:?}"),
        }
    }

    type Rgb = (u8, u8, u8);

    /// The grounds that terminals have by default or by a popular scheme: black and One Dark's, white and Solarized's.
    const GROUNDS: [(Theme, [Rgb; 2]); 2] =
        [(Theme::Dark, [(0, 0, 0), (40, 44, 52)]), (Theme::Light, [(255, 255, 255), (253, 246, 227)])];

    #[test]
    fn all_text_is_readable_on_its_ground_and_under_the_cursor() {
        for (theme, grounds) in GROUNDS {
            let text = [
                ("accent", theme.accent()),
                ("warning", theme.warning()),
                ("error", theme.error()),
                ("good", theme.good()),
                ("dim", theme.dim()),
                ("key", theme.key()),
                ("text under the cursor", theme.cursor()),
            ];
            for (name, style) in text {
                for ground in grounds.into_iter().chain([parts(theme.cursor().bg)]) {
                    let found = contrast(parts(style.fg), ground);
                    assert!(found >= 4.5, "{name}, {theme:?}, on {ground:?}: {found:.2}");
                }
            }
            // Signs of classes are no text: 3 is asked of them.
            for class in 0..8 {
                for ground in grounds {
                    let found = contrast(parts(theme.class(class).fg), ground);
                    assert!(found >= 3.0, "class {class}, {theme:?}, on {ground:?}: {found:.2}");
                }
            }
        }
    }

    #[test]
    fn heat_is_readable_everywhere() {
        for step in 0..=100 {
            let value = 0.5 + f64::from(step) / 200.0;
            let style = Theme::Dark.heat(value);
            let found = contrast(parts(style.bg), parts(style.fg));
            assert!(found >= 4.5, "{value}: {found}");
        }
    }
}
