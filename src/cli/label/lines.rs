//! Labelling without a screen: a line says which picture, a line answers. For scripts, and for looking at pictures elsewhere.

use super::super::{
    Context,
    output::{say, say_json, warn},
};
use crate::{
    study::labelling::{AnswerJournal, RANKED_AFTER, UncertaintyOrder},
    tui::{LabellingView, LineStep, PictureLoader},
};
use std::io::BufRead;
use visavis_core::{
    domain::{Result, text::printable},
    files,
};

/// Answers are the keys of the screen, one a line: a class's key or name, `skip`, `o`, `u`, `q`. The end of the input leaves.
pub(super) fn label(
    context: &Context,
    mut view: LabellingView,
    mut pictures: PictureLoader,
    mut journal: AnswerJournal,
    uncertainty: Option<&UncertaintyOrder>,
) -> Result<LabellingView> {
    let mut input = std::io::stdin().lock();
    let mut answers = 0;
    while !view.session.is_done() {
        let Some(image) = view.readable(&mut pictures) else { break };
        if context.json {
            let keys: serde_json::Map<String, serde_json::Value> =
                view.session.question.classes.iter().map(|class| (class.key.to_string(), class.name.clone().into())).collect();
            say_json(&serde_json::json!({ "format": 1, "image": image, "keys": keys, "left": view.session.tally().left }));
        } else {
            say(printable(&image));
        }
        let mut line = String::new();
        let read = std::io::Read::take(&mut input, files::LARGEST_TEXT).read_line(&mut line);
        if read.is_err() || line.is_empty() {
            break;
        }
        match view.line(line.trim()) {
            LineStep::Leave => break,
            LineStep::Keep(annotation) => {
                journal.keep(&annotation)?;
                view.session.take(&annotation);
                answers += 1;
                let due = uncertainty.filter(|_| answers % RANKED_AFTER == 0);
                if let Some(order) = due.and_then(|of| of.ranked(&view.session.labels())) {
                    view.session.reorder(&order);
                }
                if context.json {
                    say_json(&serde_json::json!({ "format": 1, "kept": annotation.choice, "image": annotation.image }));
                }
            }
            LineStep::Refused(why) => warn(context, &[why]),
        }
    }
    Ok(view)
}
