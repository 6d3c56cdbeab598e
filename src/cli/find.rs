//! `visavis find STUDY --model M (--like IMAGE | [--like] EXPRESSION)`: the images of a study that are like one of them, or that fit a
//! condition.

use super::{
    Context,
    chosen::{self, UnnamedLayer},
    output::{TextColumns, remark, say, say_json, tell_about},
};
use crate::{
    report::{StripFace, strip},
    study::{self, OpenedStudy, Plan, StudyNames, labelling::PictureSource},
    tui::{DrawingMode, Loaded, ShownFace, Theme, load_picture, show_faces, small_jpeg},
};
use std::{
    collections::BTreeSet,
    io::IsTerminal,
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::array,
    domain::{
        Fault, Result,
        comparison::Expression,
        image::{Column, Images},
        spelling::suggestion,
        text::{count, printable, thousands},
    },
    numeric::Matrix,
    scoring::{self, FoundImages, RankedBy, Setting},
    store::write_out as write_out_whole,
};

#[derive(clap::Args)]
pub(crate) struct FindCommand {
    /// The study file
    study: PathBuf,
    /// The images that fit a condition on labels, such as "Eyes_Green and Wavy_Hair", or a query of the study by its name
    #[arg(required_unless_present = "like", conflicts_with = "like")]
    expression: Option<String>,
    /// The images that are like this one, by the cosine of their features; a condition is taken too
    #[arg(long, value_name = "IMAGE")]
    like: Option<String>,
    /// The model whose features are asked (default: the study's only one)
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The layer (default: the last)
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// How many images
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    top: u32,
    /// Write the faces as a page of its own
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Put the faces of licensed data sets into that page too; those that visavis drew always are
    #[arg(long, requires = "html")]
    embed_faces: bool,
    /// How faces are shown in the terminal: braille, blocks, letters, kitty, sixel, iterm2, none (default: what the terminal can show)
    #[arg(long, value_name = "NAME", value_parser = ["braille", "blocks", "letters", "kitty", "sixel", "iterm2", "none"])]
    figures: Option<String>,
}

impl FindCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        if !context.json {
            tell_about(context, &opened);
        }
        let plan = study::plan(&opened, &context.workspace)?;
        let asked = AskedFeatures::read(self, &plan, context)?;
        let sought = self.like.as_ref().or(self.expression.as_ref()).map_or("", String::as_str);
        let is_image = || asked.images.ids().any(|id| id == sought);
        let found = match condition(&opened, &plan, sought) {
            // The name of an image may read as a condition, too.
            wanted if self.like.is_some() && (wanted.is_err() || is_image()) => Found::like(&opened, &asked, sought)?,
            wanted => Found::fitting(&opened, &plan, &asked, sought, &wanted?)?,
        };
        let rows = found.rows(&opened, &asked.images, self.top as usize);
        if context.json {
            let row = |row: &FoundRow| serde_json::json!({ "image": row.image, "score": row.score });
            say_json(&rows.iter().map(row).collect());
        } else {
            found.print(&asked, &rows);
        }
        self.show(context, &opened, &found, &asked, &rows)
    }

    /// The faces: in the terminal, and as a page.
    fn show(
        &self,
        context: &Context,
        opened: &OpenedStudy,
        found: &Found,
        asked: &AskedFeatures,
        rows: &[FoundRow],
    ) -> Result<()> {
        let in_terminal = !context.json && std::io::stdout().is_terminal() && self.figures.as_deref() != Some("none");
        if !in_terminal && self.html.is_none() {
            return Ok(());
        }
        let source = opened.survey.pictures.as_deref().map(PictureSource::open);
        let source = match source {
            Some(Ok(source)) => Some(source),
            Some(Err(fault)) => {
                remark(context, format!("note: the faces cannot be shown: {}", printable(&fault.what)));
                None
            }
            None => {
                remark(context, "note: the study's pictures are not here, so no face is shown");
                None
            }
        };
        let picture = |row: &FoundRow| -> Loaded {
            let source = source.as_ref().ok_or_else(|| "it is not here".to_owned())?;
            let (id, digest) = &asked.images.0[row.row];
            load_picture(source, id, digest.ok_or_else(|| "it has no picture".to_owned())?)
        };
        if in_terminal && source.is_some() {
            let face = |row: &FoundRow| ShownFace {
                picture: picture(row),
                caption: format!("{} {}", row.rank, shown(row.score)),
                is_marked: row.is_marked,
            };
            let variable = |name: &str| std::env::var(name).ok();
            let faces: Vec<ShownFace> = rows.iter().map(face).collect();
            if let Err(error) = show_faces(&faces, self.drawing(&variable), Theme::found()) {
                remark(context, format!("note: this terminal does not show the faces: {error}"));
            }
        }
        let Some(file) = &self.html else { return Ok(()) };
        let may_embed = self.embed_faces || opened.survey.truth.is_some();
        let face = |row: &FoundRow| StripFace {
            jpeg: if may_embed { picture(row).ok().and_then(|of| small_jpeg(&of)) } else { None },
            image: printable(&row.image),
            lines: [
                vec![shown(row.score)],
                row.identity.iter().map(|of| format!("identity {}", printable(of))).collect(),
                found.told_labels(row),
            ]
            .concat(),
            is_marked: row.is_marked,
        };
        let faces: Vec<StripFace> = rows.iter().map(face).collect();
        let page =
            strip(&printable(&format!("{}, by {}", found.title, asked.name)), &found.words(asked, rows), found.mark(), &faces);
        write_out_whole(file, page.as_bytes())?;
        let left_out = faces.iter().filter(|face| face.jpeg.is_none()).count();
        remark(context, format!("wrote {}", file.display()));
        if left_out > 0 && !may_embed {
            remark(
                context,
                "note: the page has no faces: pictures of data sets may not be handed out; --embed-faces puts them in",
            );
        } else if left_out > 0 {
            remark(context, format!("note: {} could not be read", count(left_out, "picture")));
        }
        Ok(())
    }

    /// Faces are told in colours: where figures are dots, photographs are half blocks.
    fn drawing(&self, variable: &dyn Fn(&str) -> Option<String>) -> DrawingMode {
        let found = || match DrawingMode::of_environment(variable) {
            DrawingMode::Braille => DrawingMode::Blocks,
            other => other,
        };
        self.figures.as_deref().and_then(DrawingMode::of_word).unwrap_or_else(found)
    }
}

/// What a query of the study looks for, or a condition on labels that it has.
///
/// # Errors
/// No condition; labels that are not there.
fn condition(opened: &OpenedStudy, plan: &Plan, text: &str) -> Result<Expression> {
    let labels = &opened.survey.labels;
    let wanted = match plan.study.queries.iter().find(|query| query.name == text) {
        Some(query) => query.wanted.clone(),
        None => expression(text)?.of_labels(&|attribute| labels.get(attribute).is_some_and(Column::is_binary)),
    };
    let mut attributes = BTreeSet::new();
    wanted.collect(&mut attributes);
    let known: Vec<&str> = labels.names().collect();
    match attributes.iter().find(|attribute| !known.contains(attribute)) {
        Some(unknown) => {
            Err(Fault::asked(format!("there are no labels of `{}`", printable(unknown))).next(suggestion(unknown, &known)))
        }
        None => Ok(wanted),
    }
}

/// The features that are asked.
struct AskedFeatures {
    /// Model and layer.
    name: String,
    features: Matrix,
    images: Images,
}

impl AskedFeatures {
    /// # Errors
    /// No such model or layer; features that are not there yet.
    fn read(of: &FindCommand, plan: &Plan, context: &Context) -> Result<Self> {
        let names = StudyNames::of(&plan.study);
        let model = chosen::model(&plan.study, "--model", of.model.as_deref())?;
        let layer = chosen::layer(&plan.study, model, of.layer.as_deref(), UnnamedLayer::Last)?;
        let name = names.model_and_layer(model, layer);
        let absent = || {
            Fault::missing(format!("there are no features of {name} yet"))
                .in_file(&of.study)
                .next(format!("`{}` makes them", context.line(&["run", &of.study.display().to_string()])))
        };
        let output = study::features_name(&plan.study, model, layer);
        let bytes = plan.bytes(study::features(&plan.study, model, layer), &output)?.ok_or_else(absent)?;
        let features = array::from_npy(&bytes, Path::new(&output))?;
        let images = plan.listed_images()?.ok_or_else(absent)?;
        Ok(AskedFeatures { name, features, images })
    }
}

/// What was found, and how it is told.
struct Found {
    title: String,
    ranked: FoundImages,
    /// Of the image that others are held against: its row and who is on it.
    like: Option<(usize, Option<String>)>,
    /// The attributes whose labels are told.
    attributes: Vec<String>,
    /// Of an expression, by row: does the image fit?
    fits: Vec<Option<bool>>,
}

/// One image of the table.
struct FoundRow {
    rank: usize,
    row: usize,
    image: String,
    score: f64,
    identity: Option<String>,
    /// The values of the attributes.
    labels: Vec<Option<String>>,
    /// Of the same identity as the example, or: it fits.
    is_marked: bool,
    fits: Option<bool>,
}

impl Found {
    /// # Errors
    /// No such image; features that are no numbers.
    fn like(opened: &OpenedStudy, asked: &AskedFeatures, image: &str) -> Result<Self> {
        let Some(row) = asked.images.ids().position(|id| id == image) else {
            let ids: Vec<&str> = asked.images.ids().collect();
            return Err(
                Fault::asked(format!("the study evaluates no image `{}`", printable(image))).next(suggestion(image, &ids))
            );
        };
        let ranked = scoring::images_like(&asked.features, row)
            .ok_or_else(|| Fault::asked(format!("the features of {} are not all finite numbers", asked.name)))?;
        let identity = opened.survey.identities.as_ref().and_then(|of| of.get(image)).map(str::to_owned);
        let mut attributes = BTreeSet::new();
        opened.file.study.queries.iter().for_each(|query| query.wanted.collect(&mut attributes));
        Ok(Found {
            title: format!("Like {image}"),
            ranked,
            like: Some((row, identity)),
            attributes: attributes.into_iter().map(str::to_owned).collect(),
            fits: vec![],
        })
    }

    /// `text`: the condition as it was asked for.
    ///
    /// # Errors
    /// A condition that no ranking can be made for.
    fn fitting(opened: &OpenedStudy, plan: &Plan, asked: &AskedFeatures, text: &str, wanted: &Expression) -> Result<Self> {
        let survey = &opened.survey;
        let mut attributes = BTreeSet::new();
        wanted.collect(&mut attributes);
        let setting = Setting { images: &asked.images, labels: &survey.labels, identities: survey.identities.as_ref() };
        let ranked = scoring::images_that_fit(&setting, &asked.features, wanted, plan.study.seed).map_err(|why| {
            Fault::asked(format!("`{}` cannot be looked for: {}", printable(text), why.told()))
                .next("ask for something that some images have and others have not; `--like IMAGE` needs no labels")
        })?;
        let question = visavis_core::domain::comparison::Question {
            measured: visavis_core::domain::comparison::Measured::Classes(vec![
                wanted.clone(),
                Expression::Not(Box::new(wanted.clone())),
            ]),
            within: None,
        };
        Ok(Found {
            title: wanted.to_string(),
            ranked,
            like: None,
            attributes: attributes.into_iter().map(str::to_owned).collect(),
            fits: setting.members(&question).is_in(0, asked.images.len()),
        })
    }

    fn rows(&self, opened: &OpenedStudy, images: &Images, top: usize) -> Vec<FoundRow> {
        let survey = &opened.survey;
        let row = |(rank, &(row, score)): (usize, &(usize, f64))| {
            let image = images.0[row].0.clone();
            let identity = survey.identities.as_ref().and_then(|of| of.get(&image)).map(str::to_owned);
            let fits = self.fits.get(row).copied().flatten();
            let is_same = self.like.as_ref().is_some_and(|(_, of)| of.is_some() && *of == identity);
            let label = |attribute: &String| survey.labels.of(attribute, &image).map(str::to_owned);
            let labels = self.attributes.iter().map(label).collect();
            FoundRow { rank: rank + 1, row, image, score, identity, labels, is_marked: is_same || fits == Some(true), fits }
        };
        self.ranked.ranked.iter().take(top).enumerate().map(row).collect()
    }

    /// What a marked face is.
    fn mark(&self) -> &'static str {
        if self.like.is_some() { "of the same identity" } else { "by its labels it fits" }
    }

    /// What stands above the table: what was asked of which features, and what the numbers are.
    fn words(&self, asked: &AskedFeatures, rows: &[FoundRow]) -> Vec<String> {
        let by = match self.ranked.by {
            RankedBy::Likeness => "cosine: of the features of both, less the mean of all",
            RankedBy::Probe => "log-odds: of a linear probe that was not fitted on the image’s identity",
            RankedBy::Mean => "cosine: with the mean of the others that fit; they are too few for a probe",
        };
        let mut words = vec![by.to_owned()];
        let marked = rows.iter().filter(|row| row.is_marked).count();
        match &self.like {
            Some((_, None)) => words.push("who is on the image is not known".to_owned()),
            Some((row, Some(identity))) => {
                let image = &asked.images.0[*row].0;
                words.push(format!("{marked} of these {} show the identity of {image}: {identity}", rows.len()));
            }
            None => {
                let fit = self.fits.iter().filter(|fits| **fits == Some(true)).count();
                let labelled = self.ranked.ranked.len();
                let share = 100.0 * fit as f64 / labelled.max(1) as f64;
                words.push(format!(
                    "{marked} of these {} fit; of all {} images {} do ({share:.1} %)",
                    rows.len(),
                    thousands(labelled),
                    thousands(fit)
                ));
                if self.ranked.unlabelled > 0 {
                    words.push(format!(
                        "{} without a label that is asked for: not ranked",
                        count(self.ranked.unlabelled, "image")
                    ));
                }
            }
        }
        words
    }

    /// `Smiling 1`, of each attribute that is told.
    fn told_labels(&self, row: &FoundRow) -> Vec<String> {
        let told = |(attribute, value): (&String, &Option<String>)| format!("{attribute} {}", value.as_deref().unwrap_or("?"));
        self.attributes.iter().zip(&row.labels).map(told).map(|text| printable(&text)).collect()
    }

    fn print(&self, asked: &AskedFeatures, rows: &[FoundRow]) {
        say(printable(&format!("{}, by {}", self.title, asked.name)));
        self.words(asked, rows).iter().for_each(|line| say(printable(line)));
        say("");
        let score = if self.ranked.by == RankedBy::Probe { ">log-odds" } else { ">cosine" };
        let has_identities = rows.iter().any(|row| row.identity.is_some());
        let mut heads = vec![">rank", "image", score];
        heads.extend(has_identities.then_some("identity"));
        heads.push(if self.like.is_some() { "same" } else { "fits" });
        heads.extend(self.attributes.iter().map(String::as_str));
        let mut columns = TextColumns::new(&heads);
        for row in rows {
            let yes = |is: Option<bool>| is.map_or("?", |is| if is { "yes" } else { "" }).to_owned();
            let is_same = match &self.like {
                Some((_, identity)) => yes(identity.as_ref().and(row.identity.as_ref()).map(|_| row.is_marked)),
                None => yes(row.fits),
            };
            let mut cells = vec![row.rank.to_string(), row.image.clone(), shown(row.score)];
            cells.extend(has_identities.then(|| row.identity.clone().unwrap_or_else(|| "?".to_owned())));
            cells.push(is_same);
            cells.extend(row.labels.iter().map(|value| value.clone().unwrap_or_else(|| "?".to_owned())));
            columns.row(&cells);
        }
        columns.print("  ");
    }
}

fn shown(score: f64) -> String {
    format!("{score:.3}").replacen('-', "−", 1)
}

/// # Errors
/// A text that is no condition, with the place in it.
fn expression(text: &str) -> Result<Expression> {
    text.parse::<Expression>().map_err(|misread| {
        let what = format!("`{}`: at character {}: {}", printable(text), misread.offset + 1, misread.why);
        Fault::asked(what).next("such as \"Young and not Male\" or \"race=asian\"")
    })
}
