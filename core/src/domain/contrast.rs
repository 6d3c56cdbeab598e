//! Contrasts: models held against each other on the same images. What differs is computed from the models, not declared.

use super::{
    canonical::Value,
    index::ModelIx,
    model::{Factors, Model, Network, Source, Weights, differences, differing},
    study::{Contrast, Study},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use typed_index_collections::TiSlice;

/// Fewer trainings a side tell two checkpoints apart, and nothing of what made them.
pub const LEAST_TRAININGS: usize = 3;

/// Two sides of a contrast, by places of models: trainings from several seeds of one description are one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContrastSides {
    /// Which contrast of the study, from 0.
    pub contrast: usize,
    /// Places of models in the study; at least one.
    pub left: Vec<ModelIx>,
    /// Places of models in the study; at least one, and none of the left.
    pub right: Vec<ModelIx>,
}

impl ContrastSides {
    /// What of the sides enters a key.
    pub fn canonical(&self) -> Value {
        let ContrastSides { contrast, left, right } = self;
        let places = |side: &Vec<ModelIx>| Value::list(side, |&model| Value::count(model.into()));
        Value::List(vec![Value::count(*contrast), places(left), places(right)])
    }

    /// Does each side have several trainings, so that it is no matter of single checkpoints?
    pub fn has_trainings(&self) -> bool {
        self.left.len().min(self.right.len()) >= LEAST_TRAININGS
    }

    /// May what differs be named as the cause? Of several trainings a side that differ in one factor.
    pub fn names_factor(&self, study: &Study) -> bool {
        self.has_trainings() && self.differences(study).len() == 1
    }

    /// In what the sides differ.
    pub fn differences(&self, study: &Study) -> Vec<&'static str> {
        match (self.left.first(), self.right.first()) {
            (Some(&left), Some(&right)) => differences(&study.models[left], &study.models[right]),
            _ => vec![],
        }
    }
}

impl Contrast {
    /// What is held against each other, whatever the name and whichever is left: equal for contrasts that ask the same.
    pub fn asked(&self) -> [&str; 2] {
        match self {
            Contrast::Factor { factor, .. } => [factor, ""],
            Contrast::Pair { models: [one, other], .. } => [one.min(other), one.max(other)],
            Contrast::Baseline { model, .. } => [model, model],
        }
    }

    /// The study's name for the contrast.
    pub fn name(&self) -> &str {
        match self {
            Contrast::Factor { name, .. } | Contrast::Pair { name, .. } | Contrast::Baseline { name, .. } => name,
        }
    }
}

/// The model that every other one is held against, if the study names one.
pub fn baseline(study: &Study) -> Option<ModelIx> {
    study.contrasts.iter().find_map(|contrast| {
        let Contrast::Baseline { model, .. } = contrast else { return None };
        study.models.position(|of| of.name == *model)
    })
}

/// Every pair of sides that the study's contrasts ask for.
pub fn held(study: &Study) -> Vec<ContrastSides> {
    let sides = sides(&study.models);
    let of_sides: Vec<Factors> = sides.iter().map(|side| study.models[side[0]].factors()).collect();
    let mut held = Vec::new();
    for (contrast, of) in study.contrasts.iter().enumerate() {
        match of {
            Contrast::Pair { models, .. } => {
                let place = |name: &String| study.models.position(|model| model.name == *name);
                if let (Some(left), Some(right)) = (place(&models[0]), place(&models[1])) {
                    held.push(ContrastSides { contrast, left: vec![left], right: vec![right] });
                }
            }
            Contrast::Baseline { model, .. } => {
                let is_baseline = |side: &&Vec<ModelIx>| side.iter().any(|place| study.models[*place].name == *model);
                let Some(left) = sides.iter().find(is_baseline) else { continue };
                // What another contrast holds already is not held twice: a test that is made twice counts twice.
                let is_held = |right: &&Vec<ModelIx>| {
                    let is_of = |of: &ContrastSides| [(&of.left, &of.right), (&of.right, &of.left)].contains(&(left, *right));
                    held.iter().any(is_of)
                };
                let others: Vec<&Vec<ModelIx>> = sides.iter().filter(|side| *side != left && !is_held(side)).collect();
                held.extend(others.into_iter().map(|right| ContrastSides { contrast, left: left.clone(), right: right.clone() }));
            }
            Contrast::Factor { factor, .. } => {
                for left in 0..sides.len() {
                    for right in left + 1..sides.len() {
                        if differing(&of_sides[left], &of_sides[right]).eq([factor.as_str()]) {
                            held.push(ContrastSides { contrast, left: sides[left].clone(), right: sides[right].clone() });
                        }
                    }
                }
            }
        }
    }
    held
}

/// Trainings that differ in their seed alone stand together; every other model stands alone.
fn sides(models: &TiSlice<ModelIx, Model>) -> Vec<Vec<ModelIx>> {
    let recipe = |model: &Model| match &model.source {
        Source::Network(Network { weights: Weights::Recipe { recipe, .. }, .. }) => Some(recipe.clone()),
        _ => None,
    };
    let mut sides: Vec<Vec<ModelIx>> = Vec::new();
    let mut trained: HashMap<(String, Factors), usize> = HashMap::new();
    for (place, model) in models.iter_enumerated() {
        let new = sides.len();
        let side = recipe(model).map_or(new, |recipe| *trained.entry((recipe, model.factors())).or_insert(new));
        match sides.get_mut(side) {
            Some(side) => side.push(place),
            None => sides.push(vec![place]),
        }
    }
    sides
}
