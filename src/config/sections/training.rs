//! The sections `numerics`, `preparations` and `recipes`: how networks compute, what they are given, how they are trained.

use crate::config::reader::StudyNode;
use std::collections::BTreeMap;
use visavis_core::domain::{
    Result,
    study::{
        Channels, Crop, DeviceClass, Exif, KeptWeights, Numerics, Optimizer, Padding, PixelScale, Precision, PreparationField,
        Recipe, Schedule, Validation, WrittenPreparation,
    },
};

pub(super) fn numerics(node: &StudyNode) -> Result<Numerics> {
    let fields = node.fields(&["device", "precision", "threads"])?;
    Ok(Numerics {
        device: fields.or("device", DeviceClass::Cpu, |node| node.word_of(DeviceClass::ALL, DeviceClass::word))?,
        precision: fields.or("precision", Precision::Single, |node| node.word_of(Precision::ALL, Precision::word))?,
        threads: fields.or("threads", None, |node| node.count(1..=4096).map(Some))?,
    })
}

pub(super) fn preparation(node: &StudyNode) -> Result<WrittenPreparation> {
    let fields = node.fields(&PreparationField::ALL.map(PreparationField::word))?;
    let crop = fields.or("crop", None, |node| node.word_of(Crop::ALL, Crop::word).map(Some))?;
    if let (Some(node), false) = (fields.get("margin"), crop == Some(Crop::Face)) {
        return Err(node
            .wrong_key(match crop {
                Some(crop) => format!("{}: the crop `{crop}` has no margin", node.name()),
                None => format!("{}: a margin needs its crop", node.name()),
            })
            .next("write `crop: face`: the margin is how much wider the square is than the box of the face"));
    }
    Ok(WrittenPreparation {
        crop,
        size: fields.or("size", None, |node| node.count(8..=2048).map(Some))?,
        pad: fields.or("pad", None, |node| node.word_of(Padding::ALL, Padding::word).map(Some))?,
        scale: fields.or("scale", None, |node| node.word_of(PixelScale::ALL, PixelScale::word).map(Some))?,
        channels: fields.or("channels", None, |node| node.word_of(Channels::ALL, Channels::word).map(Some))?,
        exif: fields.or("exif", None, |node| node.word_of(Exif::ALL, Exif::word).map(Some))?,
        margin: fields.or("margin", None, |node| node.number(0.1..=10.0).map(Some))?,
    })
}

pub(super) fn recipe(node: &StudyNode) -> Result<Recipe> {
    let known = [
        "epochs",
        "batch",
        "accumulate",
        "balanced",
        "optimizer",
        "schedule",
        "warmup",
        "label_smoothing",
        "partial_fc",
        "validation",
    ];
    let fields = node.fields(&known)?;
    let usual = Recipe::default();
    let (optimizer_word, optimizer) = fields.or("optimizer", (usual.optimizer_word, usual.optimizer), optimizer)?;
    let (schedule, power) = fields.or("schedule", (usual.schedule, usual.power), |node| schedule(node, usual.power))?;
    let recipe = Recipe {
        epochs: fields.or("epochs", usual.epochs, |node| node.count(1..=100_000))?,
        batch: fields.or("batch", usual.batch, |node| {
            let of_several = "networks are normalised over the pictures of a batch: give two or more";
            node.count(2..=1_000_000).map_err(|fault| fault.next(of_several))
        })?,
        optimizer_word,
        optimizer,
        schedule,
        power,
        warmup: fields.or("warmup", usual.warmup, |node| node.number(0.0..=100_000.0))?,
        label_smoothing: fields.or("label_smoothing", usual.label_smoothing, |node| node.number(0.0..=0.9))?,
        accumulate: fields.or("accumulate", usual.accumulate, |node| node.count(1..=10_000))?,
        balanced: fields.or("balanced", usual.balanced, |node| node.count(2..=1000).map(Some))?,
        partial_fc: fields.or("partial_fc", usual.partial_fc, |node| node.number(0.001..=1.0))?,
        validation: fields.or("validation", usual.validation, |node| validation(node).map(Some))?,
    };
    if let (Some(node), Some(of_each)) = (fields.get("balanced"), recipe.balanced)
        && (!recipe.batch.is_multiple_of(of_each) || recipe.batch < 2 * of_each)
    {
        return Err(node
            .wrong(format!("{}: a batch of {} pictures cannot hold {of_each} of each identity", node.name(), recipe.batch))
            .next(format!("give a batch that is a multiple of {of_each}, and {} or more", 2 * of_each)));
    }
    if let Some(node) = fields.get("warmup")
        && recipe.warmup > recipe.epochs as f64
    {
        return Err(node
            .wrong(format!("{}: a warm-up of {} epochs in a training of {}", node.name(), recipe.warmup, recipe.epochs))
            .next("warm up for less, or train for longer"));
    }
    Ok(recipe)
}

fn validation(node: &StudyNode) -> Result<Validation> {
    let fields = node.fields(&["share", "keep", "patience"])?;
    let usual = Validation::default();
    Ok(Validation {
        share: fields.or("share", usual.share, |node| node.number(0.01..=0.5))?,
        keep: fields.or("keep", usual.keep, |node| node.word_of(KeptWeights::ALL, KeptWeights::word))?,
        patience: fields.or("patience", usual.patience, |node| node.count(1..=100_000).map(Some))?,
    })
}

fn optimizer(node: &StudyNode) -> Result<(Optimizer, BTreeMap<String, f64>)> {
    let (word, given) = node.variant(&Optimizer::ALL.map(Optimizer::word))?;
    let optimizer = Optimizer::of_word(word).unwrap_or(Optimizer::Sgd);
    // Keys know every value, also those that nobody wrote.
    let mut parameters = optimizer.usual();
    if let Some(node) = given {
        node.fields(&parameters.keys().map(String::as_str).collect::<Vec<_>>())?;
        for (key, node) in node.entries()? {
            parameters.insert(key, node.number(0.0..=100.0)?);
        }
    }
    Ok((optimizer, parameters))
}

/// The schedule, and the power of `poly`.
fn schedule(node: &StudyNode, usual: f64) -> Result<(Schedule, f64)> {
    let (word, given) = node.variant(&Schedule::ALL.map(Schedule::word))?;
    let schedule = Schedule::of_word(word).unwrap_or(Schedule::Cosine);
    let known: &[&str] = if schedule == Schedule::Polynomial { &["power"] } else { &[] };
    let power = match given {
        Some(node) => node.fields(known)?.or("power", usual, |node| node.number(0.1..=10.0))?,
        None => usual,
    };
    Ok((schedule, power))
}

#[cfg(test)]
mod tests {
    use crate::config::{Text, parse};
    use visavis_core::domain::{
        Result,
        study::{Channels, Crop, KeptWeights, Preparation, USUAL_MARGIN, Validation},
    };

    /// The preparation of a study that says so.
    fn preparation(said: &str) -> Result<Preparation> {
        let source = format!(
            "format: 1\nstudy: s\ndatasets: {{ f: {{ folders: {{ root: f }} }} }}\nevaluation: {{ dataset: f }}\npreparations: {{ p: {{ {said} }} }}\n\
             models: {{ named: {{ m: {{ baseline: pixels, prepare: p }} }} }}\nprojections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
        );
        parse(Text { path: "s.yaml".into(), source }).map(|file| file.study.preparations["p"].clone())
    }

    #[test]
    fn a_batch_of_one_picture_is_refused() {
        let recipe = |batch: usize| {
            let source = format!(
                "format: 1\nstudy: s\ndatasets: {{ f: {{ folders: {{ root: f }} }} }}\nevaluation: {{ dataset: f }}\npreparations: {{ p: {{}} }}\n\
                 recipes: {{ short: {{ batch: {batch} }} }}\nmodels: {{ named: {{ m: {{ baseline: pixels, prepare: p }} }} }}\n\
                 projections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
            );
            parse(Text { path: "s.yaml".into(), source }).map(|file| file.study.recipes["short"].batch)
        };
        let told = recipe(1).unwrap_err().to_string();
        assert!(
            told.contains("from 2 to 1000000, found 1") && told.contains("normalised over the pictures of a batch"),
            "{told}"
        );
        assert_eq!(recipe(2).unwrap(), 2);
    }

    #[test]
    fn a_validation_holds_out_a_tenth_and_keeps_the_best_epoch_where_nothing_else_is_said() {
        let recipe = |said: &str| {
            let source = format!(
                "format: 1\nstudy: s\ndatasets: {{ f: {{ folders: {{ root: f }} }} }}\nevaluation: {{ dataset: f }}\npreparations: {{ p: {{}} }}\n\
                 recipes: {{ r: {{ {said} }} }}\nmodels: {{ named: {{ m: {{ baseline: pixels, prepare: p }} }} }}\n\
                 projections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
            );
            parse(Text { path: "s.yaml".into(), source }).map(|file| file.study.recipes["r"].validation.clone())
        };
        assert_eq!(recipe("epochs: 3").unwrap(), None);
        assert_eq!(recipe("validation: {}").unwrap(), Some(Validation::default()));
        let asked = Validation { share: 0.2, keep: KeptWeights::Last, patience: Some(5) };
        assert_eq!(recipe("validation: { share: 0.2, keep: last, patience: 5 }").unwrap(), Some(asked));
        assert!(recipe("validation: { share: 0.6 }").unwrap_err().to_string().contains("from 0.01 to 0.5"));
        assert!(recipe("validation: { patience: 0 }").is_err() && recipe("validation: { keep: first }").is_err());
    }

    #[test]
    fn a_margin_is_of_the_crop_around_a_face() {
        let face = preparation("crop: face, margin: 1.5").unwrap();
        assert_eq!((face.crop, face.margin), (Crop::Face, 1.5));
        assert_eq!(preparation("crop: face").unwrap().margin, USUAL_MARGIN);
        assert!(preparation("crop: aligned, margin: 1.5").unwrap_err().what.contains("the crop `aligned` has no margin"));
    }

    #[test]
    fn an_order_of_channels_that_the_scale_has_anyway_is_not_another_preparation() {
        assert_eq!(preparation("channels: rgb").unwrap(), preparation("crop: whole").unwrap());
        assert_eq!(preparation("scale: vggface2, channels: bgr").unwrap(), preparation("scale: vggface2").unwrap());
        assert_eq!(preparation("scale: vggface2").unwrap().channels(), Channels::Bgr);
        let other = preparation("scale: symmetric, channels: bgr").unwrap();
        assert_eq!(other.channels(), Channels::Bgr);
        assert_ne!(other.canonical(), preparation("scale: symmetric").unwrap().canonical());
    }
}
