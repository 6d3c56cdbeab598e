//! The sections `numerics`, `preparations` and `recipes`: how networks compute, what they are given, how they are trained.

use crate::config::reader::StudyNode;
use std::collections::BTreeMap;
use visavis_core::domain::{
    Result,
    study::{Crop, DeviceClass, Exif, Numerics, Optimizer, Padding, PixelScale, Precision, Preparation, Recipe, Schedule},
};

pub(super) fn numerics(node: &StudyNode) -> Result<Numerics> {
    let fields = node.fields(&["device", "precision", "threads"])?;
    Ok(Numerics {
        device: fields.or("device", DeviceClass::Cpu, |node| node.word_of(DeviceClass::ALL, DeviceClass::word))?,
        precision: fields.or("precision", Precision::Single, |node| node.word_of(Precision::ALL, Precision::word))?,
        threads: fields.or("threads", None, |node| node.count(1..=4096).map(Some))?,
    })
}

pub(super) fn preparation(node: &StudyNode) -> Result<Preparation> {
    let fields = node.fields(&["crop", "size", "pad", "scale", "exif"])?;
    Ok(Preparation {
        crop: fields.or("crop", Crop::Whole, |node| node.word_of(Crop::ALL, Crop::word))?,
        size: fields.or("size", 112, |node| node.count(8..=2048))?,
        pad: fields.or("pad", Padding::Reflect, |node| node.word_of(Padding::ALL, Padding::word))?,
        scale: fields.or("scale", PixelScale::Imagenet, |node| node.word_of(PixelScale::ALL, PixelScale::word))?,
        exif: fields.or("exif", Exif::Apply, |node| node.word_of(Exif::ALL, Exif::word))?,
    })
}

pub(super) fn recipe(node: &StudyNode) -> Result<Recipe> {
    let known = ["epochs", "batch", "accumulate", "balanced", "optimizer", "schedule", "warmup", "label_smoothing", "partial_fc"];
    let fields = node.fields(&known)?;
    let usual = Recipe::default();
    let (optimizer_word, optimizer) = fields.or("optimizer", (usual.optimizer_word, usual.optimizer), optimizer)?;
    let (schedule, power) = fields.or("schedule", (usual.schedule, usual.power), |node| schedule(node, usual.power))?;
    let recipe = Recipe {
        epochs: fields.or("epochs", usual.epochs, |node| node.count(1..=100_000))?,
        batch: fields.or("batch", usual.batch, |node| node.count(1..=1_000_000))?,
        optimizer_word,
        optimizer,
        schedule,
        power,
        warmup: fields.or("warmup", usual.warmup, |node| node.number(0.0..=100_000.0))?,
        label_smoothing: fields.or("label_smoothing", usual.label_smoothing, |node| node.number(0.0..=0.9))?,
        accumulate: fields.or("accumulate", usual.accumulate, |node| node.count(1..=10_000))?,
        balanced: fields.or("balanced", usual.balanced, |node| node.count(2..=1000).map(Some))?,
        partial_fc: fields.or("partial_fc", usual.partial_fc, |node| node.number(0.001..=1.0))?,
    };
    if let (Some(node), Some(of_each)) = (fields.get("balanced"), recipe.balanced)
        && (recipe.batch % of_each != 0 || recipe.batch < 2 * of_each)
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
