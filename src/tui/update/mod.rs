//! Event → state and effects. Does no I/O, reads no clock.

mod act;
mod arrived;

use super::{
    app::App,
    command::ScreenCommand,
    event::{Effect, ScreenEvent},
    keys,
    overlays::{self, Then, state::Overlay},
    paint::{Clicked, Hit},
};

/// Takes in one event. `hits`: what could be clicked in the last frame.
pub(crate) fn update(app: &mut App, event: ScreenEvent, hits: &[Hit]) -> Vec<Effect> {
    let mut effects = match event {
        ScreenEvent::Key(key) => keys::command(&app.shared, &key).map_or(vec![], |command| act_on(app, command)),
        ScreenEvent::Paste(text) => paste(app, &text),
        ScreenEvent::Click(column, row) => click(app, column, row, hits),
        ScreenEvent::Wheel(turns) => act_on(app, if turns > 0 { ScreenCommand::Down } else { ScreenCommand::Up }),
        ScreenEvent::Resize(width, height) => {
            app.shared.size = (width, height);
            vec![]
        }
        ScreenEvent::Tick(now) => {
            tick(app, now);
            vec![]
        }
        arrived => arrived::take(app, arrived),
    };
    app.shared.page = usize::from(app.shared.size.1.saturating_sub(10)).max(4);
    effects.extend(arrived::wanted(app));
    effects
}

/// Pasted text is typed where text is typed; elsewhere it is no commands.
fn paste(app: &mut App, text: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for letter in text.chars() {
        if app.shared.overlay.as_ref().is_some_and(Overlay::takes_text) {
            effects.extend(act_on(app, ScreenCommand::Type(if letter.is_control() { ' ' } else { letter })));
        }
    }
    effects
}

fn tick(app: &mut App, now: u64) {
    app.shared.now = now;
    // Bad news stays until a key is pressed.
    if app.shared.toast.as_ref().is_some_and(|toast| !toast.bad && now.saturating_sub(toast.at) > 4000) {
        app.shared.toast = None;
    }
}

fn act_on(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    if app.shared.toast.as_ref().is_some_and(|toast| toast.bad) {
        app.shared.toast = None;
    }
    let leaves = matches!(command, ScreenCommand::Quit | ScreenCommand::Suspend);
    if app.shared.is_too_small() && !leaves {
        return vec![];
    }
    if app.shared.overlay.is_some() && !leaves {
        let screen = app.screens.get_mut(app.shared.screen);
        let effects = match overlays::update(&mut app.shared, screen, command) {
            Then::Effects(effects) => effects,
            Then::Command(command) => act::chosen(app, command),
        };
        if app.shared.overlay.is_none() {
            app.shared.overlay = app.shared.later.pop();
        }
        return effects;
    }
    act::act(app, command)
}

/// What was clicked: a key that is shown, a tab, or a row.
fn click(app: &mut App, column: u16, row: u16, hits: &[Hit]) -> Vec<Effect> {
    let holds = |hit: &&Hit| hit.area.contains((column, row).into());
    match hits.iter().rev().find(holds).map(|hit| hit.what.clone()) {
        Some(Clicked::Command(command)) => act_on(app, command),
        Some(Clicked::Place(row, column)) if app.shared.overlay.is_none() => {
            app.screens.get_mut(app.shared.screen).click(&mut app.shared, row, column)
        }
        Some(Clicked::Place(row, _)) => {
            overlays::click(&mut app.shared, row);
            act_on(app, ScreenCommand::Enter)
        }
        None => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{drawing::DrawingMode, layout::ScreenLayout, screen_id::ScreenId, testing, theme::Theme},
        *,
    };
    use crate::{
        study::watch::Snapshot,
        tui::event::{CommandEnded, CommandPurpose},
    };
    use visavis_core::domain::Fault;
    use visavis_core::domain::index::ModelIx;

    fn app(seen: Snapshot) -> App {
        let mut app = App::new((120, 40), Theme::Dark, DrawingMode::Braille, &ScreenLayout::default());
        update(&mut app, ScreenEvent::Seen(Box::new(seen)), &[]);
        app
    }

    /// A session with the study of tests, after these keys.
    fn after(keys: &str) -> (App, Vec<Effect>) {
        let mut app = app(testing::seen(testing::study()));
        let effects = press(&mut app, keys);
        (app, effects)
    }

    fn press(app: &mut App, names: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for name in names.split(' ') {
            effects = update(app, ScreenEvent::Key(keys::of_name(name)), &[]);
        }
        effects
    }

    fn lines(effects: &[Effect]) -> Vec<&str> {
        let words =
            effects.iter().map(|effect| if let Effect::Program { words, .. } = effect { Some(words.as_str()) } else { None });
        words.flatten().collect()
    }

    #[test]
    fn numbers_go_to_the_screens_and_tab_to_the_next() {
        assert_eq!(after("4").0.shared.screen, ScreenId::Figures);
        assert_eq!(after("6 Tab").0.shared.screen, ScreenId::Matrix);
    }

    #[test]
    fn the_points_of_the_figure_that_is_shown_are_asked_for_once() {
        let mut app = app(testing::seen(testing::study()));
        let asked = |effects: Vec<Effect>| effects.into_iter().filter(|effect| matches!(effect, Effect::Picture(_))).count();
        assert_eq!(asked(press(&mut app, "j")), 1);
        assert_eq!(asked(press(&mut app, "Space")), 0, "on its way");
        assert_eq!(asked(press(&mut app, "k")), 0, "asked for with the first frame");
    }

    #[test]
    fn running_the_study_shows_the_jobs_and_while_another_runs_it_waits_for_its_turn() {
        let (app, effects) = after("r");
        assert_eq!((app.shared.screen, lines(&effects)), (ScreenId::Runs, vec!["visavis run experiments/test.yaml --detach"]));
        let mut app = self::app(testing::live());
        assert_eq!(lines(&press(&mut app, "r")), [""; 0]);
        let asked = matches!(app.shared.overlay, Some(Overlay::Confirm { .. }));
        assert!(app.shared.screen == ScreenId::Matrix && asked);
        assert_eq!(lines(&press(&mut app, "y")), ["visavis run experiments/test.yaml --queue --detach"]);
    }

    #[test]
    fn d_shows_the_differences_of_two_marked_models() {
        let (app, _) = after("Space j Space d");
        assert_eq!((app.shared.screen, app.shared.toast), (ScreenId::Compare, None));
        assert!(after("Space d").0.shared.toast.unwrap().text.contains("1 are marked"));
    }

    #[test]
    fn u_takes_all_marks_off() {
        assert!(after("Space j Space u").0.shared.marked.is_empty());
    }

    #[test]
    fn a_command_of_another_screen_goes_there() {
        let (app, _) = after("5 : h i d e Enter");
        assert_eq!((app.shared.screen, app.shared.overlay), (ScreenId::Compare, None));
    }

    #[test]
    fn y_copies_the_line_that_makes_the_cell() {
        let (_, effects) = after("y");
        let [Effect::Copy(line), ..] = &effects[..] else { panic!("{effects:?}") };
        assert!(line.starts_with("visavis run ") && line.contains("'=score pixels · embedding · ica · zero or one'"), "{line}");
    }

    #[test]
    fn without_a_study_enter_offers_some_and_most_keys_do_nothing() {
        let mut app = app(Snapshot::default());
        press(&mut app, "x");
        assert_eq!(app.shared.overlay, None);
        press(&mut app, "Enter");
        assert!(matches!(app.shared.overlay, Some(Overlay::Menu { title: "start with", .. })));
    }

    #[test]
    fn in_a_window_too_small_only_leaving_works() {
        let mut app = app(testing::seen(testing::study()));
        update(&mut app, ScreenEvent::Resize(20, 5), &[]);
        press(&mut app, "4");
        assert_eq!(app.shared.screen, ScreenId::Matrix);
        assert!(matches!(press(&mut app, "q")[..], [Effect::Remember(_), ..]) && app.shared.quit);
    }

    #[test]
    fn what_is_pasted_is_typed_where_text_is_typed_and_is_no_command_elsewhere() {
        let mut app = app(testing::seen(testing::study()));
        update(&mut app, ScreenEvent::Paste("q".to_owned()), &[]);
        assert!(!app.shared.quit);
        press(&mut app, "/");
        update(&mut app, ScreenEvent::Paste("a\nb".to_owned()), &[]);
        assert_eq!(app.shared.overlay, Some(Overlay::Filter("a b".to_owned())));
    }

    #[test]
    fn good_news_goes_by_itself_and_bad_news_with_the_next_key() {
        let mut app = app(testing::seen(testing::study()));
        app.shared.say("good", false);
        update(&mut app, ScreenEvent::Tick(5000), &[]);
        assert_eq!(app.shared.toast, None);
        app.shared.say("bad", true);
        update(&mut app, ScreenEvent::Tick(99_000), &[]);
        assert!(app.shared.toast.is_some());
        press(&mut app, "j");
        assert_eq!(app.shared.toast, None);
    }

    #[test]
    fn a_fault_waits_until_what_is_typed_is_done() {
        let mut app = app(testing::seen(testing::study()));
        press(&mut app, "/");
        update(&mut app, ScreenEvent::Written(Err(Fault::asked("edited elsewhere"))), &[]);
        assert!(matches!(app.shared.overlay, Some(Overlay::Filter(_))));
        press(&mut app, "Enter");
        assert!(matches!(&app.shared.overlay, Some(Overlay::Message { text, .. }) if text.contains("edited elsewhere")));
    }

    #[test]
    fn an_audit_is_told_in_a_line_and_as_a_tree() {
        let mut app = app(testing::seen(testing::study()));
        let out = r#"{"verdict":"differs","identical":1,"differs":1,"claims":[
            {"id":"a","verdict":"differs","stage":"score","expected":"1","found":"2"},
            {"id":"b","verdict":"identical","stage":"score","expected":null,"found":null}]}"#;
        let ended = CommandEnded {
            purpose: CommandPurpose::Audit("test".to_owned()),
            line: "visavis audit".to_owned(),
            code: Some(4),
            out: out.to_owned(),
            err: String::new(),
        };
        update(&mut app, ScreenEvent::Ended(ended), &[]);
        assert_eq!(app.shared.toast.as_ref().unwrap().text, "audit: differs · 1 identical, 1 differ");
        press(&mut app, "5");
        let rows = app.screen().table(&app.shared).rows;
        assert!(rows.iter().any(|row| row[0].text() == "differs"), "{rows:?}");
    }

    #[test]
    fn a_model_that_is_gone_from_the_study_is_not_marked_any_more() {
        let (mut app, _) = after("G Space");
        assert_eq!(app.shared.marked.iter().collect::<Vec<_>>(), ["noisy"]);
        let mut matrix_snapshot = testing::study();
        matrix_snapshot.families[ModelIx(2)].0 = "quiet".to_owned();
        update(&mut app, ScreenEvent::Seen(Box::new(testing::seen(matrix_snapshot))), &[]);
        assert!(app.shared.marked.is_empty());
    }

    #[test]
    fn undo_writes_back_what_was_there() {
        let (mut app, _) = after("j");
        app.shared.undo.push(("before".to_owned(), "after".to_owned()));
        let effects = press(&mut app, "z");
        let [Effect::Write { before, after, undo: true, .. }, ..] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!((before.as_str(), after.as_str()), ("after", "before"));
    }
}
