//! The screens by name.

/// Which screen. The order is that of the tabs and of the number keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScreenId {
    #[default]
    Matrix,
    Runs,
    Compare,
    Figures,
    Report,
    Label,
}

impl ScreenId {
    pub const ALL: [ScreenId; 6] =
        [ScreenId::Matrix, ScreenId::Runs, ScreenId::Compare, ScreenId::Figures, ScreenId::Report, ScreenId::Label];

    pub fn word(self) -> &'static str {
        match self {
            ScreenId::Matrix => "Matrix",
            ScreenId::Runs => "Runs",
            ScreenId::Compare => "Compare",
            ScreenId::Figures => "Figures",
            ScreenId::Report => "Report",
            ScreenId::Label => "Label",
        }
    }

    /// Upper and lower case are the same.
    pub fn of_word(word: &str) -> Option<Self> {
        ScreenId::ALL.into_iter().find(|screen| screen.word().eq_ignore_ascii_case(word))
    }

    /// The next tab; after the last comes the first.
    pub fn next(self) -> Self {
        ScreenId::ALL[(self as usize + 1) % ScreenId::ALL.len()]
    }
}
