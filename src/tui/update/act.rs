//! Commands, where nothing lies over the screen.

use super::rebuild;
use crate::{
    study::{Step, draft::Change, matrix_snapshot::Board},
    tui::{
        app::{App, Confirmation, Drawing, MenuChoice, Overlay, STARTS, Screen},
        axes,
        command::ScreenCommand,
        event::{CommandPurpose, Effect, line},
        filter::Filter,
        form::Adding,
        pivot::{self, MatrixAxis, Turn},
        table::{TableValue, by_number},
    },
};
use visavis_core::domain::{
    comparison::Measured,
    job::{JobId, JobState},
    ledger::CellId,
};

/// Commands that mean something where no study is open.
fn needs_no_study(app: &App, command: ScreenCommand) -> bool {
    use ScreenCommand::{Add, Doctor, Draw, Edit, Enter, Focus, Go, Help, Palette, Quit, Refresh, Run, StoreCheck, Study, Theme};
    let anywhere = [Add, Doctor, Draw, Edit, Enter, Focus, Help, Palette, Quit, Refresh, Run, StoreCheck, Study, Theme];
    app.seen.board.is_some() || app.screen == Screen::Runs || anywhere.contains(&command) || matches!(command, Go(_))
}

pub fn act(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    if !needs_no_study(app, command) {
        return vec![];
    }
    match command {
        ScreenCommand::Up | ScreenCommand::Previous => step(app, -1),
        ScreenCommand::Down | ScreenCommand::Next => step(app, 1),
        ScreenCommand::PageUp => step(app, -(app.page as isize / 2).max(1)),
        ScreenCommand::PageDown => step(app, (app.page as isize / 2).max(1)),
        ScreenCommand::First => step(app, isize::MIN / 2),
        ScreenCommand::Last => step(app, isize::MAX / 2),
        ScreenCommand::Left => sideways(app, -1),
        ScreenCommand::Right => sideways(app, 1),
        ScreenCommand::Go(screen) => go(app, screen),
        ScreenCommand::Focus => focus(app),
        ScreenCommand::Enter => return enter(app),
        ScreenCommand::Back => back(app),
        ScreenCommand::Help => app.overlay = Some(Overlay::Help(0)),
        ScreenCommand::Palette => app.overlay = Some(Overlay::Palette { text: String::new(), cursor: 0 }),
        ScreenCommand::Filter => app.overlay = Some(Overlay::Filter(filter(app).to_owned())),
        ScreenCommand::Mark => return mark(app),
        ScreenCommand::Unmark => {
            app.marked.clear();
            app.runs.marked.clear();
        }
        ScreenCommand::Sort => sort(app, false),
        ScreenCommand::SortLeast => sort(app, true),
        ScreenCommand::Axes => app.matrix.axes = if app.matrix.axes.is_some() { None } else { Some(1) },
        ScreenCommand::TurnRows => {
            let rows = next_axis(app, app.matrix.turn.rows, app.matrix.turn.columns);
            turn(app, rows, app.matrix.turn.columns);
        }
        ScreenCommand::TurnColumns => {
            let columns = next_axis(app, app.matrix.turn.columns, app.matrix.turn.rows);
            turn(app, app.matrix.turn.rows, columns);
        }
        ScreenCommand::Swap => turn(app, app.matrix.turn.columns, app.matrix.turn.rows),
        ScreenCommand::Straight => {
            app.matrix.turn = Turn::default();
            app.matrix.filter.clear();
            turn(app, MatrixAxis::Model, MatrixAxis::Comparison);
        }
        ScreenCommand::StepAxis => {
            let axes = several(app);
            if axes.is_empty() {
                return vec![];
            }
            let place = app.matrix.stepping.and_then(|axis| axes.iter().position(|of| *of == axis)).map_or(0, |place| place + 1);
            app.matrix.stepping = axes.get(place % axes.len()).copied();
        }
        ScreenCommand::StepForth => step_level(app, 1),
        ScreenCommand::StepBack => step_level(app, -1),
        ScreenCommand::View => app.matrix.view = next_view(app),
        ScreenCommand::Wide => app.matrix.wide = !app.matrix.wide,
        ScreenCommand::Compare | ScreenCommand::Diff => compare(app, command == ScreenCommand::Diff),
        ScreenCommand::Hide => hide(app),
        ScreenCommand::Series => app.runs.series += 1,
        ScreenCommand::Logarithm => app.runs.logarithmic = !app.runs.logarithmic,
        ScreenCommand::Smooth => app.runs.smoothing = (app.runs.smoothing + 1) % crate::tui::runs::SMOOTHING.len(),
        ScreenCommand::Beside => beside(app),
        ScreenCommand::Theme => {
            app.theme = app.theme.next();
            app.themed = true;
            app.say(format!("theme: {}", app.theme.word()), false);
        }
        ScreenCommand::Draw => {
            let place = Drawing::ALL.iter().position(|of| *of == app.drawing).unwrap_or(0);
            app.drawing = Drawing::ALL[(place + 1) % Drawing::ALL.len()];
            app.say(format!("figures in {}", app.drawing.word()), false);
        }
        ScreenCommand::Quit => {
            app.quit = true;
            return vec![Effect::Remember(app.layout())];
        }
        ScreenCommand::Refresh => return vec![Effect::Renew],
        ScreenCommand::Copy => match super::copied::equivalent(app) {
            Ok(line) => return vec![Effect::Copy(line)],
            Err(why) => app.say(why, true),
        },
        ScreenCommand::Undo => return undo(app),
        ScreenCommand::Edit => match &app.seen.board {
            Some(board) => return vec![Effect::Edit(board.file.clone())],
            None => match app.seen.studies.first() {
                Some(file) => return vec![Effect::Edit(file.clone())],
                None => app.say("there is no study file to edit", true),
            },
        },
        ScreenCommand::Study => {
            first_study(app);
        }
        ScreenCommand::Add if app.seen.board.is_none() => first_study(app),
        ScreenCommand::Add => {
            let options = Adding::ALL.iter().map(|adding| adding.words().to_owned()).collect();
            app.overlay = Some(Overlay::Choice { title: "add to the study", options, cursor: 0, then: MenuChoice::Add });
        }
        ScreenCommand::Exclude => return exclude(app),
        ScreenCommand::Run => return run(app, None),
        ScreenCommand::RunThis => return run_this(app),
        ScreenCommand::Pause | ScreenCommand::Resume | ScreenCommand::Cancel | ScreenCommand::Drain => return ask(app, command),
        ScreenCommand::Pin => return pin(app),
        ScreenCommand::Build => return build(app),
        ScreenCommand::Open => return open(app),
        ScreenCommand::Audit => return audit(app, false),
        ScreenCommand::AuditStudy => return audit(app, true),
        ScreenCommand::Check => return program(app, &["check", &app.study_file()], CommandPurpose::Show),
        ScreenCommand::Doctor => return program(app, &["doctor"], CommandPurpose::Show),
        ScreenCommand::StoreCheck => return program(app, &["store", "check"], CommandPurpose::Show),
        ScreenCommand::Type(_) | ScreenCommand::Erase | ScreenCommand::EraseWord | ScreenCommand::Complete => {}
    }
    vec![]
}

/// A command line of this program.
pub fn program(app: &mut App, arguments: &[&str], purpose: CommandPurpose) -> Vec<Effect> {
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    let words = line(&arguments);
    if app.working.contains(&words) {
        app.say("that is being done", false);
        return vec![];
    }
    app.working.push(words.clone());
    vec![Effect::Program { arguments, purpose, words }]
}

fn moved(place: usize, by: isize, count: usize) -> usize {
    place.saturating_add_signed(by).min(count.saturating_sub(1))
}

fn step(app: &mut App, by: isize) {
    match app.screen {
        Screen::Matrix => match (&app.matrix.axes, app.seen.board.as_deref()) {
            (Some(place), Some(board)) => app.matrix.axes = Some(moved(*place, by, axes::lines(board).len())),
            _ => {
                app.matrix.row = moved(app.matrix.row, by, app.matrix.order.len());
                app.matrix.view = None;
            }
        },
        Screen::Runs => app.runs.cursor = moved(app.runs.cursor, by, app.runs.order.len()),
        Screen::Compare => app.compare.cursor = moved(app.compare.cursor, by, app.compare.order.len()),
        Screen::Figures if app.figures.alone => app.figures.cursor = moved(app.figures.cursor, by, app.figures.list.len()),
        Screen::Figures => {
            let rows = app.figures.across.max(1) as isize;
            app.figures.cursor = moved(app.figures.cursor, by.saturating_mul(rows), app.figures.list.len());
        }
        Screen::Report => app.report.cursor = moved(app.report.cursor, by, app.report.lines.len()),
    }
}

fn sideways(app: &mut App, by: isize) {
    match app.screen {
        Screen::Matrix => {
            let columns = app.matrix.lattice.names(app.matrix.turn.columns).len();
            app.matrix.column = moved(app.matrix.column, by, columns);
            app.matrix.view = None;
        }
        Screen::Compare => {
            let shown = app.compare.columns();
            let place = shown.iter().position(|column| *column == app.compare.column).unwrap_or(0);
            app.compare.column = shown.get(moved(place, by, shown.len())).copied().unwrap_or(0);
        }
        Screen::Figures => app.figures.cursor = moved(app.figures.cursor, by, app.figures.list.len()),
        Screen::Runs | Screen::Report => {}
    }
}

/// A row and a column of the screen's list were clicked.
pub fn place(app: &mut App, row: usize, column: usize) -> Vec<Effect> {
    match app.screen {
        Screen::Matrix => {
            (app.matrix.row, app.matrix.column, app.matrix.view) =
                (row.min(app.matrix.order.len().saturating_sub(1)), column, None);
        }
        Screen::Runs => app.runs.cursor = row,
        Screen::Compare => (app.compare.cursor, app.compare.column) = (row, column),
        Screen::Figures => app.figures.cursor = row.min(app.figures.list.len().saturating_sub(1)),
        Screen::Report => {
            app.report.cursor = row;
            return enter(app);
        }
    }
    vec![]
}

fn go(app: &mut App, screen: Screen) {
    app.screen = screen;
    app.matrix.axes = None;
}

fn focus(app: &mut App) {
    let place = Screen::ALL.iter().position(|screen| *screen == app.screen).unwrap_or(0);
    go(app, Screen::ALL[(place + 1) % Screen::ALL.len()]);
}

fn enter(app: &mut App) -> Vec<Effect> {
    match app.screen {
        _ if app.seen.board.is_none() && app.screen != Screen::Runs => first_study(app),
        Screen::Matrix if app.matrix.axes.is_some() => return mark(app),
        Screen::Matrix => app.matrix.zoom = app.spot().is_some() && !app.matrix.zoom,
        Screen::Figures => app.figures.alone = !app.figures.alone,
        Screen::Compare => compare(app, true),
        Screen::Report => {
            app.report.fold();
            app.report.rebuild(&app.seen);
        }
        Screen::Runs => app.runs.alone = !app.runs.alone,
    }
    vec![]
}

/// The workspace's studies, and what it may start with beside them.
fn first_study(app: &mut App) {
    let starts = STARTS.iter().map(|(words, _)| (*words).to_owned());
    let (title, options, then) = if app.seen.studies.is_empty() {
        ("start with", starts.collect(), MenuChoice::Start)
    } else {
        let studies = app.seen.studies.iter().map(|path| path.display().to_string());
        ("open a study, or start another", studies.chain(starts.map(|words| format!("+ {words}"))).collect(), MenuChoice::Study)
    };
    app.overlay = Some(Overlay::Choice { title, options, cursor: 0, then });
}

fn back(app: &mut App) {
    match app.screen {
        Screen::Matrix if app.matrix.zoom => app.matrix.zoom = false,
        Screen::Matrix if app.matrix.axes.is_some() => app.matrix.axes = None,
        Screen::Figures if app.figures.beside.is_some() => app.figures.beside = None,
        Screen::Figures if app.figures.alone => app.figures.alone = false,
        Screen::Compare if app.compare.diff => app.compare.diff = false,
        Screen::Runs if app.runs.alone => app.runs.alone = false,
        _ => set_filter(app, String::new()),
    }
}

pub fn filter(app: &App) -> &str {
    match app.screen {
        Screen::Matrix => &app.matrix.filter,
        Screen::Runs => &app.runs.filter,
        Screen::Compare => &app.compare.filter,
        Screen::Figures => &app.figures.filter,
        Screen::Report => "",
    }
}

pub fn set_filter(app: &mut App, text: String) {
    match app.screen {
        Screen::Matrix => app.matrix.filter = text,
        Screen::Runs => app.runs.filter = text,
        Screen::Compare => app.compare.filter = text,
        Screen::Figures => app.figures.filter = text,
        Screen::Report => {}
    }
    rebuild(app);
}

/// The model that the person looks at, by what its trainings have in common.
fn model_here(app: &App) -> Option<String> {
    let board = app.seen.board.as_deref()?;
    match app.screen {
        Screen::Compare => app.compare.at(app.compare.cursor).map(str::to_owned),
        Screen::Matrix if app.matrix.turn.rows == MatrixAxis::Model => {
            Some(app.matrix.lattice.names(MatrixAxis::Model)[*app.matrix.order.get(app.matrix.row)?].clone())
        }
        _ => Some(board.families[app.figure()?.model].0.clone()),
    }
}

fn mark(app: &mut App) -> Vec<Effect> {
    match (app.screen, app.matrix.axes, app.seen.board.clone()) {
        (Screen::Matrix, Some(place), Some(board)) => {
            let change = axes::lines(&board).get(place).and_then(|line| line.change.clone());
            return change.map_or(vec![], |change| vec![Effect::Draft(change)]);
        }
        (Screen::Runs, ..) => {
            if let Some(id) = app.runs.at(&app.seen).map(|job| job.row.id)
                && !app.runs.marked.remove(&id)
            {
                app.runs.marked.insert(id);
            }
        }
        _ => {
            if let Some(name) = model_here(app)
                && !app.marked.remove(&name)
            {
                app.marked.insert(name);
            }
        }
    }
    vec![]
}

fn sort(app: &mut App, least: bool) {
    let flip =
        |sorted: Option<(usize, bool)>, column: usize| if sorted == Some((column, least)) { None } else { Some((column, least)) };
    match app.screen {
        Screen::Matrix => {
            app.matrix.sorted = flip(app.matrix.sorted, app.matrix.column);
            matrix_order(app);
        }
        Screen::Compare => {
            app.compare.sorted = flip(app.compare.sorted, app.compare.column);
            rebuild(app);
        }
        _ => {}
    }
}

/// The matrix's rows as they are shown.
pub fn matrix_order(app: &mut App) {
    let matrix = &app.matrix;
    let names = matrix.lattice.names(matrix.turn.rows);
    let filter = Filter::parse(&matrix.filter, &pivot::FIELDS).unwrap_or_default();
    let factors = |row: usize| {
        let board = app.seen.board.as_ref().filter(|_| matrix.turn.rows == MatrixAxis::Model)?;
        let model = board.families.iter().position(|(family, _)| *family == names[row])?;
        Some(board.study.models[model].factors())
    };
    let holds = |row: &usize| {
        let field = |name: &str| match name {
            "auc" => {
                let scores = matrix.spots[*row].iter().flatten().filter_map(|spot| Some(spot.best?.1.quoted.value));
                TableValue::of(scores.reduce(f64::max))
            }
            axis if axis == matrix.turn.rows.word() => TableValue::from(names[*row].as_str()),
            factor => TableValue::of(factors(*row).and_then(|of| of.get(factor.replace(' ', "_").as_str()).cloned())),
        };
        filter.holds(&names[*row], &field)
    };
    let mut order: Vec<usize> = (0..names.len()).filter(holds).collect();
    if let Some((column, least)) = matrix.sorted {
        let value = |row: usize| matrix.spots.get(row)?.get(column)?.as_ref()?.best.map(|(_, best)| best.quoted.value);
        order.sort_by(|&a, &b| by_number(value(a), value(b), least));
    }
    let columns = matrix.lattice.names(matrix.turn.columns).len();
    let matrix = &mut app.matrix;
    matrix.order = order;
    matrix.row = matrix.row.min(matrix.order.len().saturating_sub(1));
    matrix.column = matrix.column.min(columns.saturating_sub(1));
}

/// The next axis with more than one level, if there is another.
fn next_axis(app: &App, axis: MatrixAxis, taken: MatrixAxis) -> MatrixAxis {
    let place = MatrixAxis::ALL.iter().position(|of| *of == axis).unwrap_or(0);
    let others = (1..MatrixAxis::ALL.len()).map(|by| MatrixAxis::ALL[(place + by) % MatrixAxis::ALL.len()]);
    others.into_iter().find(|of| *of != taken && app.matrix.lattice.names(*of).len() > 1).unwrap_or(axis)
}

/// Axes that are neither rows nor columns, and have levels to step along.
fn several(app: &App) -> Vec<MatrixAxis> {
    app.matrix.turn.hidden().filter(|axis| app.matrix.lattice.names(*axis).len() > 1).collect()
}

/// What stays an axis keeps its place.
fn turn(app: &mut App, rows: MatrixAxis, columns: MatrixAxis) {
    let matrix = &mut app.matrix;
    if columns != matrix.turn.columns {
        (matrix.column, matrix.sorted) = (0, None);
    }
    if rows != matrix.turn.rows {
        matrix.row = 0;
    }
    (matrix.turn.rows, matrix.turn.columns) = (rows, columns);
    (matrix.stepping, matrix.view) = (None, None);
    rebuild(app);
}

fn step_level(app: &mut App, by: isize) {
    let Some(axis) = app.matrix.stepping.or_else(|| several(app).first().copied()) else { return };
    app.matrix.stepping = Some(axis);
    let count = app.matrix.lattice.names(axis).len() as isize;
    // All of them together come before the first.
    let place = app.matrix.turn.fixed[axis as usize].map_or(0, |level| level as isize + 1);
    let next = (place + by).rem_euclid(count + 1);
    app.matrix.turn.fixed[axis as usize] = (next > 0).then(|| next as usize - 1);
    app.matrix.view = None;
    rebuild(app);
}

fn next_view(app: &App) -> Option<usize> {
    let board = app.seen.board.as_deref()?;
    let figure = app.figure()?;
    let views = board.study.projections[figure.projection].views();
    let place = views.iter().position(|view| *view == figure.view)?;
    Some((place + 1) % views.len())
}

fn compare(app: &mut App, diff: bool) {
    if app.screen != Screen::Compare {
        app.screen = Screen::Compare;
    }
    if diff {
        match app.marked.len() {
            2 => app.compare.diff = true,
            n => app.say(format!("mark two models with Space: {n} are marked"), true),
        }
    } else if app.marked.len() < 2 {
        app.say("Space marks models: two of them are compared", false);
    }
}

fn hide(app: &mut App) {
    if app.compare.column == 0 {
        app.compare.hidden.clear();
    } else {
        let column = app.compare.column;
        sideways(app, 1);
        app.compare.hidden.insert(column);
        if app.compare.column == column {
            sideways(app, -1);
        }
    }
}

fn beside(app: &mut App) {
    let here = app.figures.at(app.figures.cursor);
    app.figures.beside = if app.figures.beside == here { None } else { here };
    app.figures.alone = true;
    app.say("move on to a figure to see beside it", false);
}

fn undo(app: &mut App) -> Vec<Effect> {
    let (Some(board), Some((before, after))) = (app.seen.board.clone(), app.undo.pop()) else {
        app.say("nothing to undo: no change was made to the study file from here", false);
        return vec![];
    };
    vec![Effect::Write { file: board.file.clone(), before: after, after: before, undo: true }]
}

fn exclude(app: &mut App) -> Vec<Effect> {
    let (Some(board), Some(figure)) = (app.seen.board.clone(), app.figure()) else { return vec![] };
    let factors = board.study.models[figure.model].factors();
    let named = board.study.models[figure.model].recipe().is_none() || board.levels.factors.is_empty();
    if named {
        app.say("this model stands by its name, not in the matrix: x lists it, Space takes it out", true);
        return vec![];
    }
    let varying = |(factor, levels): (&&'static str, &Vec<String>)| {
        (levels.len() > 1).then(|| Some(((*factor).to_owned(), factors.get(factor)?.clone())))?
    };
    let levels: Vec<(String, String)> = board.levels.factors.iter().filter_map(varying).collect();
    vec![Effect::Draft(Change::Exclude { levels })]
}

fn run(app: &mut App, only: Option<&str>) -> Vec<Effect> {
    let file = app.study_file();
    if app.seen.board.is_none() {
        app.say("no study is open: Enter opens or starts one", true);
        return vec![];
    }
    if app.seen.is_live() {
        app.say("a run goes on: it takes up one study at a time", true);
        return vec![];
    }
    app.screen = if only.is_none() { Screen::Runs } else { app.screen };
    match only {
        None => program(app, &["run", &file, "--detach"], CommandPurpose::Run),
        Some(only) => program(app, &["run", &file, "--only", only, "--detach"], CommandPurpose::Run),
    }
}

/// The stage that scores this cell, and no other.
pub fn only(board: &Board, app: &App) -> Option<String> {
    let CellId { model, layer, projection, comparison, .. } = app.figure()?;
    Some(format!("={}", Step::Score { model, layer, projection, comparison }.label(&board.study)))
}

fn run_this(app: &mut App) -> Vec<Effect> {
    let only = app.seen.board.clone().and_then(|board| only(&board, app));
    only.map_or(vec![], |only| run(app, Some(&only)))
}

/// What is asked of jobs: of those that are marked, else of the one that is looked at.
fn ask(app: &mut App, command: ScreenCommand) -> Vec<Effect> {
    let here = app.runs.at(&app.seen).map(|job| job.row.id);
    let of_cell = || {
        let board = app.seen.board.clone()?;
        let cell = board.cells.get(app.spot()?.urgent)?;
        board.jobs(cell).find(|id| {
            app.seen.jobs.iter().any(|job| {
                job.row.id == *id && matches!(job.row.state, JobState::Failed | JobState::Paused | JobState::Cancelled)
            })
        })
    };
    let marked: Vec<_> = app.runs.marked.iter().copied().collect();
    let jobs = match (app.screen, marked.is_empty()) {
        (Screen::Matrix, _) => of_cell().into_iter().collect(),
        (_, false) => marked,
        (_, true) => here.into_iter().collect::<Vec<_>>(),
    };
    if command != ScreenCommand::Resume && !app.seen.is_live() {
        app.say("nothing runs: there is nothing to pause, stop or end", false);
        return vec![];
    }
    let is_done = |id: &&JobId| app.seen.jobs.iter().any(|job| job.row.id == **id && job.row.state == JobState::Done);
    let jobs: Vec<JobId> =
        if command == ScreenCommand::Cancel { jobs.iter().filter(|id| !is_done(id)).copied().collect() } else { jobs };
    let ids: Vec<String> = jobs.iter().map(|id| id.short()).collect();
    let with = |verb: &'static str| std::iter::once(verb).chain(ids.iter().map(String::as_str)).collect::<Vec<_>>();
    match command {
        // Nothing marked: everything.
        ScreenCommand::Pause if app.runs.marked.is_empty() => program(app, &["pause"], CommandPurpose::Ask),
        ScreenCommand::Pause => program(app, &with("pause"), CommandPurpose::Ask),
        ScreenCommand::Resume if app.screen != Screen::Matrix && app.runs.marked.is_empty() => {
            program(app, &["retry"], CommandPurpose::Ask)
        }
        ScreenCommand::Resume if jobs.is_empty() => {
            app.say("nothing here failed or was set aside", false);
            vec![]
        }
        ScreenCommand::Resume => program(app, &with("retry"), CommandPurpose::Ask),
        ScreenCommand::Cancel if !jobs.is_empty() => {
            let labels: Vec<&str> =
                app.seen.jobs.iter().filter(|job| jobs.contains(&job.row.id)).map(|job| job.row.label.as_str()).collect();
            let more = if labels.len() > 3 { format!(", and {} more", labels.len() - 3) } else { String::new() };
            let question =
                format!("stop {}{more}, and start no more of it until retried?", labels[..labels.len().min(3)].join("; "));
            app.overlay = Some(Overlay::Ask { question, then: Confirmation::Cancel(jobs) });
            vec![]
        }
        ScreenCommand::Drain => {
            app.overlay = Some(Overlay::Ask {
                question: "finish what runs, start nothing more, and end the run?".to_owned(),
                then: Confirmation::Drain,
            });
            vec![]
        }
        _ => {
            app.say("what is done cannot be stopped", false);
            vec![]
        }
    }
}

fn pin(app: &mut App) -> Vec<Effect> {
    let Some(board) = app.seen.board.clone() else { return vec![] };
    if app.screen == Screen::Report {
        // A pinned line of the outline.
        let name = app.report.lines.get(app.report.cursor).map(|line| line.text.clone()).unwrap_or_default();
        unpin(app, &board, &name);
        return vec![];
    }
    let Some(figure) = app.figure() else { return vec![] };
    let name = board.name(&figure);
    if unpin(app, &board, &name) {
        return vec![];
    }
    if matches!(board.study.comparisons[figure.comparison].question.measured, Measured::Quantity(_)) {
        app.say("a quantity has no figure of its own: only comparisons of classes are drawn", true);
        return vec![];
    }
    app.overlay = Some(Overlay::Note { figure, text: String::new() });
    vec![]
}

/// Asks whether a pinned figure is to be taken off, with its note; false where it is not pinned.
fn unpin(app: &mut App, board: &Board, name: &str) -> bool {
    let Some(pin) = board.pins.iter().find(|pin| pin.name == name) else { return false };
    let note = if pin.pin.note.is_empty() { String::new() } else { format!(", with its note “{}”", pin.pin.note) };
    app.overlay =
        Some(Overlay::Ask { question: format!("take {name} off the report{note}?"), then: Confirmation::Unpin(name.to_owned()) });
    true
}

fn build(app: &mut App) -> Vec<Effect> {
    let Some(board) = app.seen.board.clone() else { return vec![] };
    let file = app.study_file();
    // What figures lack, and nothing more: anything else is for a person to run.
    let undrawn = board.undrawn > 0 && board.to_run == board.undrawn;
    if !undrawn || app.seen.is_live() || board.found.is_none() {
        return program(app, &["report", &file], CommandPurpose::Report);
    }
    program(app, &["run", &file], CommandPurpose::Draw)
}

fn open(app: &mut App) -> Vec<Effect> {
    match (&app.seen.board, app.seen.report) {
        (Some(board), Some(_)) => vec![Effect::Browse(format!("reports/{}.html", board.study.name))],
        _ => {
            app.say("there is no report yet: b builds it", true);
            vec![]
        }
    }
}

fn audit(app: &mut App, study: bool) -> Vec<Effect> {
    let Some(board) = app.seen.board.clone() else { return vec![] };
    if study {
        return program(app, &["audit", &app.study_file(), "--json"], CommandPurpose::Audit(board.study.name.clone()));
    }
    if app.seen.report.is_none() {
        app.say("there is no report yet: b builds it", true);
        return vec![];
    }
    let file = format!("{}reports/{}.html", app.root, board.study.name);
    program(app, &["audit", &file, "--json"], CommandPurpose::Audit(board.study.name.clone()))
}
