//! How figures are drawn.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DrawingMode {
    #[default]
    Braille,
    Blocks,
    Ascii,
    Kitty,
    Sixel,
    Iterm,
}

impl DrawingMode {
    pub const ALL: [DrawingMode; 6] = [
        DrawingMode::Braille,
        DrawingMode::Blocks,
        DrawingMode::Ascii,
        DrawingMode::Kitty,
        DrawingMode::Sixel,
        DrawingMode::Iterm,
    ];

    pub fn word(self) -> &'static str {
        match self {
            DrawingMode::Braille => "braille",
            DrawingMode::Blocks => "blocks",
            DrawingMode::Ascii => "letters",
            DrawingMode::Kitty => "kitty",
            DrawingMode::Sixel => "sixel",
            DrawingMode::Iterm => "iterm2",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        DrawingMode::ALL.into_iter().find(|drawing| drawing.word() == word)
    }

    pub fn next(self) -> Self {
        DrawingMode::ALL[(self as usize + 1) % DrawingMode::ALL.len()]
    }

    /// In pixels, by a protocol of the terminal.
    pub fn is_pixels(self) -> bool {
        matches!(self, DrawingMode::Kitty | DrawingMode::Sixel | DrawingMode::Iterm)
    }

    /// What the environment says the terminal can show; `variable` reads an environment variable.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let holds = |name: &str, word: &str| variable(name).is_some_and(|value| value.to_lowercase().contains(word));
        // A multiplexer hides which terminal is behind it, and a picture is a megabyte: too much for a remote line.
        if variable("TMUX").is_some()
            || variable("SSH_CONNECTION").is_some()
            || variable("SSH_TTY").is_some()
            || holds("TERM", "screen")
            || holds("TERM", "tmux")
        {
            DrawingMode::Braille
        } else if variable("KITTY_WINDOW_ID").is_some() || holds("TERM", "kitty") || holds("TERM", "ghostty") {
            DrawingMode::Kitty
        } else if holds("TERM_PROGRAM", "iterm") || holds("TERM_PROGRAM", "wezterm") {
            DrawingMode::Iterm
        } else if holds("TERM", "foot") || holds("TERM", "mlterm") || holds("TERM", "sixel") {
            DrawingMode::Sixel
        } else if holds("TERM", "linux") || holds("TERM", "vt100") || (holds("LC_ALL", "c") && !holds("LC_ALL", "utf")) {
            DrawingMode::Ascii
        } else {
            DrawingMode::Braille
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> DrawingMode {
        DrawingMode::of_environment(&|name| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn figures_are_drawn_in_what_the_terminal_can_show() {
        assert_eq!(of(&[("TERM", "xterm-256color")]), DrawingMode::Braille);
        assert_eq!(of(&[("TERM", "xterm-kitty")]), DrawingMode::Kitty);
        assert_eq!(of(&[("TERM", "foot")]), DrawingMode::Sixel);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]), DrawingMode::Iterm);
        assert_eq!(of(&[("TERM", "linux")]), DrawingMode::Ascii);
    }

    #[test]
    fn no_pictures_are_sent_through_a_multiplexer_or_over_ssh() {
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x")]), DrawingMode::Braille);
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("SSH_CONNECTION", "1.2.3.4")]), DrawingMode::Braille);
    }
}
