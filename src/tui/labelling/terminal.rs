//! The loop around the labelling screen: a key, the answer kept, the next picture.

use super::{
    loader::PictureLoader,
    state::{KeyEffect, LabellingView},
    view::{LEAST, LabellingFrame},
};
use crate::{
    study::labelling::{AnswerJournal, LabellingSession, RANKED_AFTER, UncertaintyOrder},
    tui::{
        keys,
        pixels::Pixels,
        terminal::{TerminalSession, font, listen},
    },
};
use ratatui::crossterm::{
    event as input, execute, queue,
    terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate},
};
use std::{
    sync::{
        atomic::Ordering,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};
use visavis_core::domain::{Fault, Result};

/// What labelling is started with.
pub struct LabellingSetup {
    pub view: LabellingView,
    pub pictures: PictureLoader,
    pub journal: AnswerJournal,
    /// Pictures are shown in this order, ranked anew while labels are given; `None`: the order stays.
    pub uncertainty: Option<UncertaintyOrder>,
}

/// Pictures that are decoded ahead.
const AHEAD: usize = 6;

/// Labels until the person leaves. What was answered is kept then, as after each answer.
///
/// # Errors
/// A terminal that cannot be taken or written.
pub fn label(setup: LabellingSetup) -> Result<LabellingView> {
    let LabellingSetup { mut view, mut pictures, mut journal, uncertainty } = setup;
    let mut ranking = uncertainty.map(Ranking::start);
    let gone = listen()?;
    let refused = |error: std::io::Error| Fault::unexpected(format!("the terminal cannot be used: {error}"));
    let mut screen = TerminalSession::take(false).map_err(refused)?;
    let mut pixels = Pixels::new(font());
    let mut is_dirty = true;
    while !gone.load(Ordering::Relaxed) {
        if let Some(order) = ranking.as_ref().and_then(|ranking| ranking.orders.try_recv().ok()) {
            view.session.reorder(&order);
        }
        let shown = view.session.current().filter(|_| !view.session.is_done()).map(|(image, digest)| (image.to_owned(), digest));
        if let Some((image, digest)) = &shown {
            pictures.ask(image, *digest);
            view.session.ahead(AHEAD).into_iter().for_each(|(image, digest)| pictures.ask(image, digest));
        }
        let loaded = shown.as_ref().and_then(|(_, digest)| pictures.get(*digest).cloned());
        if let (Some((image, _)), Some(Err(why))) = (&shown, &loaded) {
            view.said = Some((format!("{image} cannot be shown and is passed over: {why}"), true));
            view.session.pass_over(why.clone());
            is_dirty = true;
            continue;
        }
        let waits = shown.is_some() && loaded.is_none();
        if is_dirty {
            queue!(screen.terminal.backend_mut(), BeginSynchronizedUpdate).map_err(refused)?;
            let frame = LabellingFrame { view: &view, picture: loaded.as_ref() };
            screen.terminal.draw(|to| frame.draw(to, &mut pixels)).map_err(refused)?;
            execute!(screen.terminal.backend_mut(), EndSynchronizedUpdate).map_err(refused)?;
            is_dirty = false;
            let (width, height) = ratatui::crossterm::terminal::size().unwrap_or_default();
            view.shows_picture = matches!(loaded, Some(Ok(_))) && width >= LEAST.0 && height >= LEAST.1;
        }
        if !input::poll(Duration::from_millis(if waits { 2 } else { 100 })).map_err(refused)? {
            is_dirty |= waits;
            continue;
        }
        is_dirty = true;
        let input::Event::Key(key) = input::read().map_err(refused)? else { continue };
        if key.kind == input::KeyEventKind::Release {
            continue;
        }
        match view.key(&keys::name(&key)) {
            KeyEffect::Quit => break,
            KeyEffect::Draw => {}
            KeyEffect::Clear => screen.terminal.clear().map_err(refused)?,
            KeyEffect::Keep(annotation) => match journal.keep(&annotation) {
                Ok(()) => {
                    view.session.take(&annotation);
                    ranking.iter_mut().for_each(|ranking| ranking.answered(&view.session));
                }
                Err(fault) => view.said = Some((format!("the answer is not kept: {}", fault.what), true)),
            },
        }
    }
    Ok(view)
}

/// A thread that ranks pictures while the person goes on.
struct Ranking {
    labels: Sender<Vec<Option<usize>>>,
    orders: Receiver<Vec<usize>>,
    answers: usize,
}

impl Ranking {
    fn start(uncertainty: UncertaintyOrder) -> Self {
        let (labels, given) = channel::<Vec<Option<usize>>>();
        let (ranked, orders) = channel();
        std::thread::spawn(move || {
            while let Ok(labels) = given.recv() {
                if uncertainty.ranked(&labels).is_some_and(|order| ranked.send(order).is_err()) {
                    return;
                }
            }
        });
        Ranking { labels, orders, answers: 0 }
    }

    fn answered(&mut self, session: &LabellingSession) {
        self.answers += 1;
        if self.answers.is_multiple_of(RANKED_AFTER) {
            self.labels.send(session.labels()).ok();
        }
    }
}
