//! The whole state of the terminal UI. Changed by `update` alone.

use super::{
    drawing::DrawingMode, layout::ScreenLayout, screen::Screen, screen_id::ScreenId, screens::Screens, shared::Shared,
    theme::Theme,
};

pub(crate) struct App {
    pub shared: Shared,
    pub screens: Screens,
}

impl App {
    pub(crate) fn new(size: (u16, u16), theme: Theme, drawing: DrawingMode, layout: &ScreenLayout) -> Self {
        let mut app = App { shared: Shared::new(size, theme, drawing), screens: Screens::default() };
        app.shared.screen = ScreenId::of_word(&layout.screen).unwrap_or_default();
        app.shared.marked.extend(layout.marked.iter().cloned());
        app.screens.all_mut().for_each(|screen| screen.restore(layout));
        app
    }

    /// What to remember for the next session.
    pub(crate) fn layout(&self) -> ScreenLayout {
        let mut layout = ScreenLayout {
            screen: self.shared.screen.word().to_owned(),
            marked: self.shared.marked.iter().cloned().collect(),
            theme: self.shared.themed.then(|| self.shared.theme.word().to_owned()),
            ..ScreenLayout::default()
        };
        self.screens.all().for_each(|screen| screen.remember(&mut layout));
        layout
    }

    /// The screen that is shown.
    pub(crate) fn screen(&self) -> &dyn Screen {
        self.screens.get(self.shared.screen)
    }

    pub(crate) fn screen_mut(&mut self) -> &mut dyn Screen {
        self.screens.get_mut(self.shared.screen)
    }

    pub(crate) fn go(&mut self, screen: ScreenId) {
        self.screen_mut().leave();
        self.shared.screen = screen;
    }

    /// Makes anew what every screen shows of what was seen.
    pub(crate) fn rebuild(&mut self) {
        self.screens.all_mut().for_each(|screen| screen.rebuild(&self.shared));
    }

    /// Does anything on the screen change as time passes?
    pub(crate) fn tells_time(&self) -> bool {
        self.shared.toast.is_some() || self.shared.seen.is_live() || self.screen().tells_time()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_found_again() {
        let layout = ScreenLayout {
            screen: "Compare".to_owned(),
            rows: "comparison".to_owned(),
            columns: "model".to_owned(),
            marked: vec!["pixels".to_owned()],
            logarithmic: true,
            smoothing: 2,
            ..ScreenLayout::default()
        };
        let app = App::new((120, 40), Theme::Dark, DrawingMode::Braille, &layout);
        assert_eq!(app.shared.screen, ScreenId::Compare);
        let again = app.layout();
        assert_eq!(ScreenLayout { fixed: vec![], ..again }, layout);
    }

    #[test]
    fn a_layout_that_names_nothing_known_is_the_usual_one() {
        let layout = ScreenLayout { screen: "Kitchen".to_owned(), rows: "x".to_owned(), ..ScreenLayout::default() };
        let app = App::new((120, 40), Theme::Dark, DrawingMode::Braille, &layout);
        assert_eq!((app.shared.screen, app.layout().rows.as_str()), (ScreenId::Matrix, "model"));
    }
}
