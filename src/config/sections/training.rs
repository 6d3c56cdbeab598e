//! The sections `numerics`, `preparations` and `recipes`: how networks compute, what they are given, how they are trained.

use crate::config::reader::StudyNode;
use std::collections::BTreeMap;
use visavis_core::domain::{
    Result,
    study::{Crop, DeviceClass, Exif, Numerics, Optimizer, Padding, PixelScale, Precision, Preparation, Recipe, Schedule},
};

/// Usual values: of the recipe for faces (InsightFace's, at one card's batch), and of AdamW.
fn usual(optimizer: Optimizer) -> &'static [(&'static str, f64)] {
    match optimizer {
        Optimizer::Sgd => &[("rate", 0.1), ("momentum", 0.9), ("decay", 0.0005)],
        Optimizer::AdamW => &[("rate", 0.001), ("decay", 0.01)],
    }
}

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
    let fields = node.fields(&["epochs", "batch", "optimizer", "schedule"])?;
    let (optimizer_word, optimizer) = match fields.get("optimizer") {
        None => (Optimizer::Sgd, BTreeMap::new()),
        Some(node) => {
            let (word, parameters) = node.variant(&Optimizer::ALL.map(Optimizer::word))?;
            let optimizer = Optimizer::of_word(word).unwrap_or(Optimizer::Sgd);
            let parameters = match parameters {
                None => BTreeMap::new(),
                Some(node) => {
                    let known: Vec<&str> = usual(optimizer).iter().map(|(name, _)| *name).collect();
                    node.fields(&known)?;
                    node.entries()?.into_iter().map(|(key, node)| Ok((key, node.number(0.0..=100.0)?))).collect::<Result<_>>()?
                }
            };
            (optimizer, parameters)
        }
    };
    // Keys know every value, also those that nobody wrote.
    let mut optimizer: BTreeMap<String, f64> = optimizer;
    for (name, value) in usual(optimizer_word) {
        optimizer.entry((*name).to_owned()).or_insert(*value);
    }
    Ok(Recipe {
        epochs: fields.or("epochs", 8, |node| node.count(1..=100_000))?,
        batch: fields.or("batch", 128, |node| node.count(1..=1_000_000))?,
        optimizer_word,
        optimizer,
        schedule: fields.or("schedule", Schedule::Cosine, |node| node.word_of(Schedule::ALL, Schedule::word))?,
    })
}
