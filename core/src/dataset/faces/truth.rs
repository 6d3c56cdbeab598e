//! What was planted, written before anything learns from it: the answers that a study's findings are held against.

use super::{
    attributes::{self, DrawnLabels, Level, UNDRAWN},
    portrait::portrait,
    sitting::DrawnPicture,
};
use crate::{dataset::readers::celeba::ATTRIBUTES, domain::comparison::Question};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Pairs of attributes less correlated than this are not listed.
const LEAST_PHI: f64 = 0.15;
/// How many pictures an area is the mean of.
const AREA_OF: usize = 12;
/// A pixel is changed when a channel differs by more than this.
const CHANGED: u8 = 8;

/// What was planted in a set of drawn faces: the file `truth.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The version of this file's format: 1.
    pub format: u32,
    /// Where the pictures come from, in words.
    pub about: String,
    /// Of all random numbers.
    pub seed: u64,
    /// How many people were drawn.
    pub people: usize,
    /// How many images of them.
    pub images: usize,
    /// `a` or `b`.
    pub twin: String,
    /// φ of a necktie and a dark background, planted in twin A alone.
    pub necktie_on_dark: f64,
    /// One entry an attribute.
    pub attributes: Vec<Planted>,
}

/// How one attribute was planted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planted {
    /// The attribute's name, one of CelebA's 40.
    pub attribute: String,
    /// Does any stroke show it?
    pub drawn: bool,
    /// Whether it belongs to the person or to the image.
    pub level: Level,
    /// Share of images that are labelled so.
    pub rate: f64,
    /// Mean share of the picture that it alone changes.
    pub area: f64,
    /// Share of its labels that say no where it is there; as many say yes where it is not.
    pub label_noise: f64,
    /// Attributes that go with it, and how much: φ of what was drawn.
    pub correlates: Vec<(String, f64)>,
    /// The best AUC on these labels: of one who knows all that is drawn.
    pub ceiling: f64,
}

impl Truth {
    /// What a question is about, each with its place, where it is about nothing else.
    pub fn asked_by(&self, question: &Question) -> Vec<(usize, &Planted)> {
        let find = |name: &&str| self.attributes.iter().enumerate().find(|(_, of)| of.attribute == *name);
        question.presences().iter().map(find).collect::<Option<_>>().unwrap_or_default()
    }
}

impl Planted {
    /// Strokes show it, or something that goes with it.
    pub fn can_be_told(&self) -> bool {
        self.drawn || !self.correlates.is_empty()
    }
}

pub(super) struct DrawnSet<'a> {
    pub pictures: &'a [DrawnPicture],
    pub drawn: &'a [DrawnLabels],
    pub labels: &'a [[bool; 40]],
}

/// The truth about a set, attribute by attribute.
pub(super) fn planted(made: &DrawnSet) -> Vec<Planted> {
    let one = |place: usize, attribute: &str| {
        let drawn = !UNDRAWN.contains(&attribute);
        let has: Vec<bool> = made.drawn.iter().map(|image| image.has[place]).collect();
        let labels: Vec<bool> = made.labels.iter().map(|labels| labels[place]).collect();
        let scores: Vec<f64> = made.drawn.iter().map(|image| image.likely[place]).collect();
        let mut correlates: Vec<(String, f64)> = (0..40)
            .filter(|&other| other != place)
            .map(|other| {
                (ATTRIBUTES[other].to_owned(), phi(&has, &made.drawn.iter().map(|image| image.has[other]).collect::<Vec<_>>()))
            })
            .filter(|(_, phi)| phi.abs() >= LEAST_PHI)
            .collect();
        correlates.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let area = if drawn { area(attribute, place, made) } else { 0.0 };
        Planted {
            attribute: attribute.to_owned(),
            drawn,
            level: attributes::level(attribute),
            rate: rounded(labels.iter().filter(|label| **label).count() as f64 / labels.len().max(1) as f64),
            area: rounded(area),
            label_noise: attributes::noise(attribute),
            correlates: correlates.into_iter().map(|(name, phi)| (name, rounded(phi))).collect(),
            ceiling: rounded(auc(&scores, &labels)),
        }
    };
    ATTRIBUTES.par_iter().enumerate().map(|(place, attribute)| one(place, attribute)).collect()
}

/// Four decimals: what follows is read by people.
pub(super) fn rounded(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}

/// The share of pixels that change when the attribute alone is turned round, on pictures that have it.
fn area(attribute: &str, place: usize, made: &DrawnSet) -> f64 {
    let with =
        made.pictures.iter().zip(made.drawn).filter(|(_, drawn)| drawn.has[place]).map(|(picture, _)| picture).take(AREA_OF);
    let shares: Vec<f64> = with
        .map(|picture| {
            let before = portrait(&picture.person, &picture.sitting, &picture.style).rgb;
            let (mut person, mut sitting) = (picture.person.clone(), picture.sitting.clone());
            attributes::flip(attribute, &mut person, &mut sitting);
            let after = portrait(&person, &sitting, &picture.style).rgb;
            let changed = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > CHANGED);
            let pixels = before.chunks_exact(3).zip(after.chunks_exact(3));
            pixels.filter(|&pair| changed(pair)).count() as f64 / (before.len() / 3) as f64
        })
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

/// Pearson's correlation of two binary variables; 0 where one never varies.
pub(super) fn phi(a: &[bool], b: &[bool]) -> f64 {
    let share = |of: &mut dyn Iterator<Item = bool>| of.filter(|is| *is).count() as f64 / a.len().max(1) as f64;
    let (p, q) = (share(&mut a.iter().copied()), share(&mut b.iter().copied()));
    let both = share(&mut a.iter().zip(b).map(|(a, b)| *a && *b));
    let spread = (p * (1.0 - p) * q * (1.0 - q)).sqrt();
    if spread > 0.0 { (both - p * q) / spread } else { 0.0 }
}

/// The share of pairs in which the one labelled yes has the higher score, ties halved; .5 where there are no pairs.
fn auc(scores: &[f64], labels: &[bool]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut below, mut wins, mut yes) = (0.0, 0.0, 0.0);
    for group in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let positives = group.iter().filter(|&&i| labels[i]).count() as f64;
        let negatives = group.len() as f64 - positives;
        wins += positives * (below + negatives / 2.0);
        below += negatives;
        yes += positives;
    }
    if yes > 0.0 && below > 0.0 { wins / (yes * below) } else { 0.5 }
}
