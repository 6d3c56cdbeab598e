//! The thread behind the screens: it watches the study, reads what is asked for, and runs command lines of this program.

use super::event::{CommandEnded, CommandPurpose, Effect, ScreenEvent, StudyWritten};
use crate::study::{draft, typed_paths, watch::Watch};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};
use visavis_core::domain::Fault;

pub(crate) struct Backend {
    pub asks: Sender<Effect>,
    pub replies: Receiver<ScreenEvent>,
}

/// How often what is watched is looked at, while a run goes on and otherwise.
const LIVE: Duration = Duration::from_millis(250);
const CALM: Duration = Duration::from_millis(500);

/// This program, and what every command line of it starts with.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub path: PathBuf,
    /// `--workspace DIR` and the like.
    pub globals: Vec<String>,
}

impl Backend {
    pub(crate) fn start(watch: Watch, program: Program) -> Self {
        let (asks, asked) = channel();
        let (replying, replies) = channel();
        std::thread::spawn(move || serve(watch, &program, &asked, &replying));
        Backend { asks, replies }
    }
}

fn serve(mut watch: Watch, program: &Program, asked: &Receiver<Effect>, replying: &Sender<ScreenEvent>) {
    // What the store knows is there at once; the study's data take longer.
    let mut live = watch.glance();
    let mut pause = Duration::ZERO;
    if replying.send(ScreenEvent::Seen(Box::new(live.clone()))).is_err() {
        return;
    }
    loop {
        let reply = match asked.recv_timeout(pause) {
            Ok(Effect::Program { arguments, purpose, words }) => {
                start(program, &arguments, purpose, words, replying.clone());
                None
            }
            Ok(effect) => answer(&mut watch, effect),
            Err(RecvTimeoutError::Timeout) => {
                let seen = watch.refresh();
                if let Some(seen) = &seen {
                    live = seen.clone();
                }
                pause = if live.is_live() { LIVE } else { CALM };
                seen.map(|seen| ScreenEvent::Seen(Box::new(seen)))
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if reply.is_some_and(|reply| replying.send(reply).is_err()) {
            return;
        }
    }
}

/// Does what is asked of what is watched.
pub(crate) fn answer(watch: &mut Watch, effect: Effect) -> Option<ScreenEvent> {
    Some(match effect {
        Effect::Picture(cell) => ScreenEvent::Picture(cell, watch.picture(cell)),
        Effect::Paths(typed) => {
            let found = typed_paths::beginning_so(&typed);
            ScreenEvent::Paths(typed, found)
        }
        Effect::Map(cell) => ScreenEvent::Map(cell, watch.map(cell)),
        Effect::SaveSelection(map, is_selected) => ScreenEvent::Selected(watch.save_selection(&map, &is_selected)),
        Effect::History(id) => ScreenEvent::History(id, watch.history(id).unwrap_or_default()),
        Effect::Draft(change) => ScreenEvent::Drafted(watch.draft(&change)),
        Effect::Write { file, before, after, undo } => {
            let written = draft::write(&file, &before, &after);
            ScreenEvent::Written(written.map(|()| StudyWritten { before, after, undone: undo }))
        }
        Effect::Choose(file) => {
            watch.choose(&file);
            ScreenEvent::Seen(Box::new(watch.glance()))
        }
        Effect::Renew => {
            watch.renew();
            return watch.refresh().map(|seen| ScreenEvent::Seen(Box::new(seen)));
        }
        _ => return None,
    })
}

fn start(program: &Program, arguments: &[String], purpose: CommandPurpose, line: String, replying: Sender<ScreenEvent>) {
    let mut command = Command::new(&program.path);
    // What a person typed as a path; other arguments are the program's own.
    let typed =
        |word: &String| if matches!(purpose, CommandPurpose::Begin(_)) { typed_paths::expanded(word) } else { word.clone() };
    command
        .args(&program.globals)
        .args(arguments.iter().map(typed))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    std::thread::spawn(move || {
        let ended = match command.output() {
            Ok(output) => CommandEnded {
                purpose,
                line,
                code: output.status.code(),
                out: String::from_utf8_lossy(&output.stdout).into_owned(),
                err: String::from_utf8_lossy(&output.stderr).into_owned(),
            },
            Err(error) => {
                CommandEnded { purpose, line, code: None, out: String::new(), err: format!("cannot start this program: {error}") }
            }
        };
        replying.send(ScreenEvent::Ended(ended)).ok();
    });
}

/// Opens a file with what the desktop opens such files with.
///
/// # Errors
/// No desktop here: the file's place, to be opened elsewhere.
pub(crate) fn browse(file: &Path) -> Result<(), Fault> {
    let has = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let opener = if cfg!(target_os = "macos") {
        Some("open")
    } else if has("DISPLAY") || has("WAYLAND_DISPLAY") {
        Some("xdg-open")
    } else {
        None
    };
    let place = || {
        Fault::missing("there is no browser here")
            .in_file(file)
            .next("copy the file to where there is one: it needs no other file")
    };
    let opener = opener.ok_or_else(place)?;
    let mut command = Command::new(opener);
    command.arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(|_| ()).map_err(|_| place())
}

/// Runs a command line of this program in the terminal, which it has for that time.
///
/// # Errors
/// What it said that was wrong.
pub(crate) fn on_this_terminal(program: &Program, arguments: &[String]) -> Result<(), Fault> {
    let mut command = Command::new(&program.path);
    command.args(&program.globals).args(arguments).stderr(Stdio::piped());
    let wrong = |error: std::io::Error| Fault::unexpected(format!("cannot start this program: {error}"));
    let output = command.spawn().and_then(std::process::Child::wait_with_output).map_err(wrong)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Fault::asked(String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("error: ").to_owned()))
}

/// Edits a file with `$VISUAL`, `$EDITOR`, or vi.
///
/// # Errors
/// An editor that cannot be started; what is wrong with the study file as it was left.
pub(crate) fn edit(file: &Path) -> Result<(), Fault> {
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // As git takes it: words of a shell, with the file behind them.
    let ended = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(file).status();
    let refused = || Fault::missing(format!("the editor `{editor}` did not end well")).next("set EDITOR to one that is here");
    if !ended.is_ok_and(|ended| ended.success()) {
        return Err(refused());
    }
    draft::check(file)
}
