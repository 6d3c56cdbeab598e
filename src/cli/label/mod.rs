//! `visavis label DATASET --attribute NAME --classes a,b,c`: people look at pictures and say what they show.

mod images;
mod lines;
mod summary;

use super::{
    Context, open_store,
    output::{remark, say},
};
use crate::{
    study::labelling::{AnswerJournal, LabellingQuestion, LabellingSession, PictureSource, UncertaintyOrder, shuffled},
    tui::{DrawingMode, LabellingSetup, LabellingView, PictureLoader, Theme, label},
};
use images::LabelledImages;
use std::{io::IsTerminal, path::PathBuf};
use visavis_core::{
    domain::{
        Fault, Result,
        annotation::{Answered, Answers, AskedQuestion, labels_of},
        text::{count, printable},
    },
    scoring::agreements,
    store::{Index, origin},
};

#[derive(clap::Args)]
pub(crate) struct LabelCommand {
    /// A folder of pictures (CelebA, VGGFace2, one folder a class, or plain), or a study file: the pictures it evaluates
    dataset: PathBuf,
    /// What is asked of each picture, such as race
    #[arg(long, value_name = "NAME")]
    attribute: String,
    /// Its classes, each of which gets a key; left out: those of earlier labels
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    classes: Vec<String>,
    /// Stop when every class has so many labels
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    quota: Option<u32>,
    /// The name to label under (default: your user name); a second annotator does not see the first one's labels
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Ask these pictures only, in this order: a list with an image a line, or a table with a column of them
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Of the list, a table: only pictures with 1 in this column, such as a selection that the explorer saved
    #[arg(long, value_name = "COLUMN", requires = "list")]
    marked: Option<String>,
    /// Ask first what a probe of this model of the study is least sure of; ranked anew every 20 answers
    #[arg(long, value_name = "MODEL", conflicts_with = "list")]
    unsure_of: Option<String>,
    /// Of --unsure-of: the layer (default: the last)
    #[arg(long, value_name = "NAME", requires = "unsure_of")]
    layer: Option<String>,
    /// Another seed shows the pictures in another order
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Print who labelled how many, and how far annotators agree, and end
    #[arg(long, conflicts_with = "export")]
    summary: bool,
    /// Write this annotator's labels as CSV, and end
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Colours: dark, light, 16, none (default: what the terminal says)
    #[arg(long, value_name = "NAME", value_parser = ["dark", "light", "16", "none"])]
    theme: Option<String>,
    /// How pictures are drawn: braille, blocks, letters, kitty, sixel, iterm2 (default: what the terminal can show; blocks over SSH)
    #[arg(long, value_name = "NAME", value_parser = ["braille", "blocks", "letters", "kitty", "sixel", "iterm2"])]
    figures: Option<String>,
}

impl LabelCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        for (what, name) in [("attribute", Some(&self.attribute)), ("annotator", self.annotator.as_ref())] {
            if let Some(name) = name.filter(|name| name.trim().is_empty() || printable(name) != **name || name.len() > 200) {
                return Err(Fault::asked(format!("`{}` is no name of an {what}", printable(name))).next("use letters and digits"));
            }
        }
        let images = LabelledImages::find(&self.dataset, context)?;
        let user = origin::user();
        let annotator = self.annotator.as_deref().unwrap_or(&user);
        if self.summary {
            return summary::summary(context, &self.attribute, &self.answers(open_store::store(context)?.as_ref())?, &images);
        }
        if let Some(file) = &self.export {
            let answers = self.answers(open_store::store(context)?.as_ref())?;
            return summary::export(context, file, (&self.attribute, annotator), &answers, &images);
        }
        // First the lock: what is read then is all that this annotator said.
        let mut journal = AnswerJournal::open(&context.workspace, &self.attribute, annotator)?;
        let index = journal.caught_up(&context.workspace)?;
        let answers = self.answers(index.as_ref())?;
        let AskedQuestion { classes, quota } = self.asked(&answers, annotator)?;
        let question = LabellingQuestion::new(&self.attribute, &classes, quota, annotator, &user)?;
        let order = match &self.list {
            Some(list) => images.listed(list, self.marked.as_deref(), context)?,
            None => shuffled(images.images.len(), self.seed),
        };
        let uncertainty = match &self.unsure_of {
            Some(model) => Some(self.uncertainty(model, &images, question.classes.len(), context)?),
            None => None,
        };
        let source = PictureSource::open(&images.pictures)?;
        let mut session = LabellingSession::new(question, images.images, images.identities, order, &answers)?;
        if let Some(order) = uncertainty.as_ref().and_then(|of| of.ranked(&session.labels())) {
            session.reorder(&order);
        }
        drop(index);
        let view = LabellingView::new(session, self.theme(), self.drawing());
        let pictures = PictureLoader::start(source);
        let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        let view = if is_terminal && !context.json {
            label(LabellingSetup { view, pictures, journal, uncertainty })?
        } else {
            lines::label(context, view, pictures, journal, uncertainty.as_ref())?
        };
        self.conclude(context, &view)
    }

    /// The features of a model of the study, a row a picture.
    fn uncertainty(&self, model: &str, images: &LabelledImages, classes: usize, context: &Context) -> Result<UncertaintyOrder> {
        if !images::is_study(&self.dataset) {
            return Err(Fault::asked("--unsure-of needs a study, which has the model")
                .next("name the study file in place of the pictures"));
        }
        let features = images::features(&self.dataset, (model, self.layer.as_deref()), &images.images, context)?;
        Ok(UncertaintyOrder { features, classes })
    }

    /// What was typed; what was not, as it was asked the last time: of this annotator, else of any.
    fn asked(&self, answers: &[Answered], annotator: &str) -> Result<AskedQuestion> {
        let latest = |of: &&Answered| !of.annotation.asked.classes.is_empty();
        let own = answers.iter().rev().filter(latest).find(|of| of.annotation.annotator == annotator);
        let before = own.or_else(|| answers.iter().rev().find(latest)).map(|of| of.annotation.asked.clone()).unwrap_or_default();
        if self.classes.is_empty() && before.classes.is_empty() {
            return Err(Fault::asked(format!("which classes does `{}` have?", self.attribute)).next("say them: --classes a,b,c"));
        }
        let quota = self.quota.map(|quota| quota as usize);
        if self.classes.is_empty() {
            return Ok(AskedQuestion { quota: quota.or(before.quota), ..before });
        }
        Ok(AskedQuestion { classes: self.classes.clone(), quota })
    }

    /// What annotators said of the attribute.
    fn answers(&self, index: Option<&Index>) -> Result<Vec<Answered>> {
        let answers = index.map_or(Ok(Answers::new()), |index| index.answers(Some(&self.attribute)));
        Ok(answers?.remove(&self.attribute).unwrap_or_default())
    }

    fn theme(&self) -> Theme {
        self.theme.as_deref().and_then(Theme::of_word).unwrap_or_else(Theme::found)
    }

    /// Faces are told in colours: where figures are dots, photographs are half blocks.
    fn drawing(&self) -> DrawingMode {
        let variable = |name: &str| std::env::var(name).ok();
        let found = || match DrawingMode::of_environment(&variable) {
            DrawingMode::Braille => DrawingMode::Blocks,
            other => other,
        };
        self.figures.as_deref().and_then(DrawingMode::of_word).unwrap_or_else(found)
    }

    fn conclude(&self, context: &Context, view: &LabellingView) -> Result<()> {
        let (session, tally) = (&view.session, view.session.tally());
        if context.json {
            return Ok(());
        }
        let classes = session.question.classes.iter().zip(&tally.classes).map(|(class, count)| format!("{} {count}", class.name));
        say(printable(&format!(
            "{} by {}: {} · not obvious {} · skipped {} · {} left",
            self.attribute,
            session.question.annotator,
            classes.collect::<Vec<_>>().join(" · "),
            tally.not_obvious,
            tally.skipped,
            tally.left
        )));
        if let Some((image, why)) = session.first_unreadable() {
            let cannot = count(tally.unreadable, "picture");
            remark(context, printable(&format!("{cannot} could not be shown, such as {image}: {why}")));
        }
        let (labels, _) = labels_of(&self.answers(open_store::store(context)?.as_ref())?, session.images());
        agreements(&labels).iter().for_each(|of| say(printable(&of.sentence())));
        if session.is_done() && tally.classes.iter().any(|count| *count > 0) {
            remark(context, format!("a study reads them: evaluation: {{ labels: [{{ journal: {} }}] }}", self.attribute));
        } else {
            remark(context, "the same command goes on where you left");
        }
        Ok(())
    }
}
