//! How figures are drawn.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawing {
    #[default]
    Braille,
    Blocks,
    Ascii,
    Kitty,
    Sixel,
    Iterm,
}

impl Drawing {
    pub const ALL: [Drawing; 6] =
        [Drawing::Braille, Drawing::Blocks, Drawing::Ascii, Drawing::Kitty, Drawing::Sixel, Drawing::Iterm];

    pub fn word(self) -> &'static str {
        match self {
            Drawing::Braille => "braille",
            Drawing::Blocks => "blocks",
            Drawing::Ascii => "letters",
            Drawing::Kitty => "kitty",
            Drawing::Sixel => "sixel",
            Drawing::Iterm => "iterm2",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Drawing::ALL.into_iter().find(|drawing| drawing.word() == word)
    }

    pub fn next(self) -> Self {
        Drawing::ALL[(self as usize + 1) % Drawing::ALL.len()]
    }

    /// In pixels, by a protocol of the terminal.
    pub fn is_pixels(self) -> bool {
        matches!(self, Drawing::Kitty | Drawing::Sixel | Drawing::Iterm)
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
            Drawing::Braille
        } else if variable("KITTY_WINDOW_ID").is_some() || holds("TERM", "kitty") || holds("TERM", "ghostty") {
            Drawing::Kitty
        } else if holds("TERM_PROGRAM", "iterm") || holds("TERM_PROGRAM", "wezterm") {
            Drawing::Iterm
        } else if holds("TERM", "foot") || holds("TERM", "mlterm") || holds("TERM", "sixel") {
            Drawing::Sixel
        } else if holds("TERM", "linux") || holds("TERM", "vt100") || (holds("LC_ALL", "c") && !holds("LC_ALL", "utf")) {
            Drawing::Ascii
        } else {
            Drawing::Braille
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Drawing {
        Drawing::of_environment(&|name| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn figures_are_drawn_in_what_the_terminal_can_show() {
        assert_eq!(of(&[("TERM", "xterm-256color")]), Drawing::Braille);
        assert_eq!(of(&[("TERM", "xterm-kitty")]), Drawing::Kitty);
        assert_eq!(of(&[("TERM", "foot")]), Drawing::Sixel);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]), Drawing::Iterm);
        assert_eq!(of(&[("TERM", "linux")]), Drawing::Ascii);
    }

    #[test]
    fn no_pictures_are_sent_through_a_multiplexer_or_over_ssh() {
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x")]), Drawing::Braille);
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("SSH_CONNECTION", "1.2.3.4")]), Drawing::Braille);
    }
}
