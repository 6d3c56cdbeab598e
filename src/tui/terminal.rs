//! The terminal itself: taken, drawn on, and given back whatever happens.

use super::{
    app::App,
    backend::{self, Backend, Program},
    drawing::DrawingMode,
    event::{Effect, ScreenEvent, line},
    frame,
    layout::ScreenLayout,
    overlays::state::Overlay,
    paint::Hit,
    pixels::Pixels,
    shared::root_of,
    theme::Theme,
    update::update,
};
use crate::study::watch::Watch;
use base64::Engine;
use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor, event as input, execute, queue,
        terminal::{
            self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
            enable_raw_mode,
        },
    },
};
use std::{
    io::{Stdout, Write, stdout},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::TryRecvError,
    },
    time::{Duration, Instant, SystemTime},
};
use visavis_core::domain::{Fault, Result, text::printable};

/// What the terminal UI is started with.
pub struct Setup {
    pub watch: Watch,
    pub program: PathBuf,
    /// What every command line of this program starts with, such as `--workspace DIR`.
    pub globals: Vec<String>,
    /// The workspace.
    pub root: PathBuf,
    pub theme: Theme,
    pub drawing: DrawingMode,
    pub layout: ScreenLayout,
    pub mouse: bool,
    /// Keeps the layout for the next time.
    pub remember: Box<dyn Fn(&ScreenLayout)>,
}

/// Thirty frames a second in the long run, for slow lines; a few at once, so that a key is answered without delay.
const FRAME: Duration = Duration::from_millis(33);
const AT_ONCE: f64 = 4.0;

/// How many frames may be drawn now: a bucket that fills with time.
struct Allowance {
    frames: f64,
    at: Instant,
}

impl Allowance {
    fn new() -> Self {
        Allowance { frames: AT_ONCE, at: Instant::now() }
    }

    /// How long until a frame may be drawn; zero: now.
    fn wait(&mut self) -> Duration {
        let now = Instant::now();
        self.frames = (self.frames + (now - self.at).as_secs_f64() / FRAME.as_secs_f64()).min(AT_ONCE);
        self.at = now;
        if self.frames >= 1.0 { Duration::ZERO } else { FRAME.mul_f64(1.0 - self.frames) }
    }
}

/// # Errors
/// A terminal that cannot be taken or written.
pub fn run(setup: Setup) -> Result<()> {
    let Setup { watch, program, globals, root, theme, drawing, layout, mouse, remember } = setup;
    let gone = listen()?;
    let program = Program { path: program, globals: globals.clone() };
    let backend = Backend::start(watch, program.clone());
    let refused = |error: std::io::Error| Fault::unexpected(format!("the terminal cannot be used: {error}"));
    let screen = TerminalSession::take(mouse).map_err(refused)?;
    let size = terminal::size().unwrap_or((80, 24));
    let mut app = App::new(size, theme, drawing, &layout);
    app.shared.globals = globals;
    app.shared.here = std::env::current_dir().unwrap_or_default();
    app.shared.root = root_of(&root);
    let mut looped = Loop { app, program, backend, screen, pixels: Pixels::new(font()), hits: vec![], root, waiting: 0 };
    looped.run(&gone, &*remember).map_err(refused)
}

struct Loop {
    app: App,
    program: Program,
    backend: Backend,
    screen: TerminalSession,
    pixels: Pixels,
    hits: Vec<Hit>,
    root: PathBuf,
    /// Questions to the backend that were not answered yet.
    waiting: usize,
}

impl Loop {
    fn run(&mut self, gone: &AtomicBool, remember: &dyn Fn(&ScreenLayout)) -> std::io::Result<()> {
        let mut allowed = Allowance::new();
        let mut ticked: Option<Instant> = None;
        let mut dirty = true;
        while !self.app.shared.quit && !gone.load(Ordering::Relaxed) {
            // Once a second where time is shown, else seldom.
            let every = if self.app.tells_time() { 1 } else { 15 };
            if ticked.is_none_or(|at| at.elapsed() >= Duration::from_secs(every)) {
                ticked = Some(Instant::now());
                self.take(ScreenEvent::Tick(now()), remember)?;
                dirty = true;
            }
            if dirty && allowed.wait().is_zero() {
                self.draw()?;
                allowed.frames -= 1.0;
                dirty = false;
            }
            let patience = match (dirty, self.waiting) {
                (true, _) => allowed.wait(),
                (false, 0) => Duration::from_millis(100),
                // Its answer is looked for soon.
                (false, _) => Duration::from_millis(4),
            };
            let mut patience = patience;
            while input::poll(patience)? {
                patience = Duration::ZERO;
                if let Some(event) = understood(&input::read()?) {
                    self.take(event, remember)?;
                    dirty = true;
                }
            }
            loop {
                match self.backend.replies.try_recv() {
                    Ok(reply) => {
                        if matches!(
                            reply,
                            ScreenEvent::Picture(..)
                                | ScreenEvent::Map(..)
                                | ScreenEvent::Paths(..)
                                | ScreenEvent::Selected(_)
                                | ScreenEvent::History(..)
                                | ScreenEvent::Drafted(_)
                                | ScreenEvent::Written(_)
                        ) {
                            self.waiting = self.waiting.saturating_sub(1);
                        }
                        self.take(reply, remember)?;
                        dirty = true;
                    }
                    Err(TryRecvError::Empty) => break,
                    // The thread that watches is gone: a screen that is not updated any more would be wrong.
                    Err(TryRecvError::Disconnected) => return Err(std::io::Error::other("what watches the study ended")),
                }
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> std::io::Result<()> {
        queue!(self.screen.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let (app, pixels, hits) = (&self.app, &mut self.pixels, &mut self.hits);
        self.screen.terminal.draw(|frame| *hits = frame::draw(frame, app, pixels))?;
        execute!(self.screen.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    fn take(&mut self, event: ScreenEvent, remember: &dyn Fn(&ScreenLayout)) -> std::io::Result<()> {
        let theme = (self.app.shared.theme, self.app.shared.drawing);
        self.app.shared.now = now();
        let was_live = self.app.shared.seen.is_live();
        let mut effects = update(&mut self.app, event, &self.hits);
        if was_live && !self.app.shared.seen.is_live() {
            // A bell, and a message where a terminal shows some (OSC 9): whoever looks elsewhere is told.
            let of =
                self.app.shared.seen.run.as_ref().map_or_else(String::new, |run| format!(" of {}", printable(&run.run.study)));
            write!(self.screen.terminal.backend_mut(), "\x1b]9;Visavis: the run{of} has ended\x07\x07")?;
        }
        if theme != (self.app.shared.theme, self.app.shared.drawing) {
            // Pixels of before are not in the buffer that frames are held against.
            self.screen.terminal.clear()?;
        }
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Remember(layout) => remember(&layout),
                Effect::Copy(text) => {
                    // OSC 52: the terminal keeps it, also across SSH.
                    let encoded = base64::engine::general_purpose::STANDARD.encode(&text);
                    write!(self.screen.terminal.backend_mut(), "\x1b]52;c;{encoded}\x07")?;
                    self.app.shared.say(format!("copied: {text}"), false);
                }
                Effect::Browse(file) => match backend::browse(&self.root.join(&file)) {
                    Ok(()) => self.app.shared.say(format!("opened {file}"), false),
                    Err(fault) => self.app.shared.say(format!("{}: {}", fault.what, self.root.join(&file).display()), true),
                },
                Effect::Edit(file) => {
                    self.screen.lend()?;
                    let edited = backend::edit(&file);
                    self.screen.take_back()?;
                    effects.extend(update(&mut self.app, ScreenEvent::Edited(edited), &[]));
                }
                Effect::Suspend => {
                    self.screen.lend()?;
                    signal_hook::low_level::raise(signal_hook::consts::SIGTSTP)?;
                    self.screen.take_back()?;
                    effects.push(Effect::Renew);
                }
                Effect::Label(words) => {
                    self.screen.lend()?;
                    let ended = backend::on_this_terminal(&self.program, &words);
                    self.screen.take_back()?;
                    effects.push(Effect::Renew);
                    if let Err(fault) = ended {
                        self.app.shared.show(Overlay::Message { title: line(&words), text: fault.to_string(), scroll: 0 });
                    }
                }
                asked => {
                    if matches!(
                        asked,
                        Effect::Picture(_)
                            | Effect::Map(_)
                            | Effect::Paths(_)
                            | Effect::SaveSelection(..)
                            | Effect::History(_)
                            | Effect::Draft(_)
                            | Effect::Write { .. }
                    ) {
                        self.waiting += 1;
                    }
                    self.backend.asks.send(asked).ok();
                }
            }
        }
        Ok(())
    }
}

fn understood(event: &input::Event) -> Option<ScreenEvent> {
    match event {
        input::Event::Key(key) if key.kind != input::KeyEventKind::Release => Some(ScreenEvent::Key(*key)),
        input::Event::Paste(text) => Some(ScreenEvent::Paste(text.clone())),
        input::Event::Resize(width, height) => Some(ScreenEvent::Resize(*width, *height)),
        input::Event::Mouse(mouse) => match mouse.kind {
            input::MouseEventKind::Down(input::MouseButton::Left) => Some(ScreenEvent::Click(mouse.column, mouse.row)),
            input::MouseEventKind::ScrollDown => Some(ScreenEvent::Wheel(1)),
            input::MouseEventKind::ScrollUp => Some(ScreenEvent::Wheel(-1)),
            _ => None,
        },
        _ => None,
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Pixels of a character, as the terminal's driver tells.
pub(super) fn font() -> Option<(u16, u16)> {
    let size = terminal::window_size().ok()?;
    let (across, down) = (size.width / size.columns.max(1), size.height / size.rows.max(1));
    (across > 0 && down > 0).then_some((across, down))
}

/// A flag that is set when somebody wants this process gone.
pub(super) fn listen() -> Result<Arc<AtomicBool>> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        flag,
    };
    let gone = Arc::new(AtomicBool::new(false));
    let listened = || {
        // A terminal that is gone needs nothing given back, and reading it would never end.
        flag::register_conditional_shutdown(SIGHUP, 129, Arc::new(AtomicBool::new(true)))?;
        // The first signal ends the session in order; the second ends it at once.
        flag::register_conditional_shutdown(SIGTERM, 143, Arc::clone(&gone))?;
        flag::register(SIGTERM, Arc::clone(&gone))?;
        // Ctrl-C is a key here, and while an editor has the terminal it is the editor's.
        flag::register(SIGINT, Arc::new(AtomicBool::new(false)))
    };
    listened().map_err(|error| Fault::unexpected(format!("cannot listen for signals: {error}")))?;
    Ok(gone)
}

/// The terminal while it is ours.
pub(super) struct TerminalSession {
    pub terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: bool,
}

impl TerminalSession {
    pub(super) fn take(mouse: bool) -> std::io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // First the terminal, so that what is said can be read.
            give_back();
            before(panic);
        }));
        enter(mouse)?;
        Ok(TerminalSession { terminal: Terminal::new(CrosstermBackend::new(stdout()))?, mouse })
    }

    fn lend(&mut self) -> std::io::Result<()> {
        give_back();
        Ok(())
    }

    fn take_back(&mut self) -> std::io::Result<()> {
        enter(self.mouse)?;
        self.terminal.clear()
    }
}

impl Drop for TerminalSession {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: bool) -> std::io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, input::EnableBracketedPaste, cursor::Hide)?;
    if mouse {
        execute!(stdout(), input::EnableMouseCapture)?;
    }
    Ok(())
}

/// Gives the terminal back; safe to do twice.
fn give_back() {
    execute!(stdout(), input::DisableMouseCapture, input::DisableBracketedPaste, LeaveAlternateScreen, cursor::Show).ok();
    disable_raw_mode().ok();
}
