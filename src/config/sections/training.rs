//! The sections `numerics`, `preparations` and `recipes`: how networks compute, what they are given, how they are trained.

use crate::config::reader::StudyNode;
use std::collections::BTreeMap;
use visavis_core::domain::{
    Result,
    study::{
        Channels, Crop, DeviceClass, Exif, Numerics, Optimizer, Padding, PixelScale, Precision, Preparation, Recipe, Schedule,
        USUAL_MARGIN,
    },
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
    let fields = node.fields(&["crop", "size", "pad", "scale", "exif", "margin", "channels"])?;
    let crop = fields.or("crop", Crop::Whole, |node| node.word_of(Crop::ALL, Crop::word))?;
    if let (Some(node), false) = (fields.get("margin"), crop == Crop::Face) {
        return Err(node
            .wrong_key(format!("{}: the crop `{crop}` has no margin", node.name()))
            .next("`margin` is of `crop: face`: how much wider the square is than the box of the face"));
    }
    let scale = fields.or("scale", PixelScale::Imagenet, |node| node.word_of(PixelScale::ALL, PixelScale::word))?;
    let own = scale.own_channels();
    Ok(Preparation {
        crop,
        size: fields.or("size", 112, |node| node.count(8..=2048))?,
        pad: fields.or("pad", Padding::Reflect, |node| node.word_of(Padding::ALL, Padding::word))?,
        scale,
        exif: fields.or("exif", Exif::Apply, |node| node.word_of(Exif::ALL, Exif::word))?,
        margin: fields.or("margin", USUAL_MARGIN, |node| node.number(0.1..=10.0))?,
        // The order that the scale has anyway is not said again: two preparations that do the same have one key.
        channels: fields
            .or("channels", own, |node| node.word_of(Channels::ALL, Channels::word))
            .map(|of| (of != own).then_some(of))?,
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

#[cfg(test)]
mod tests {
    use crate::config::{Text, parse};
    use visavis_core::domain::{
        Result,
        study::{Channels, Crop, Preparation, USUAL_MARGIN},
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
