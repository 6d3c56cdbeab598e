//! What the parts of a study are called, by their places in it: in the report, exports, screens and commands alike.

use typed_index_collections::TiVec;
use visavis_core::domain::{
    index::{ComparisonIx, LayerIx, ModelIx, PairSetIx, ProjectionIx},
    ledger::CellId,
    study::Study,
};

/// The names of a study's models, layers, projections and comparisons.
///
/// A place that the study does not have is a bug of whoever asks, and panics.
#[derive(Clone, Copy)]
pub struct StudyNames<'a>(&'a Study);

impl<'a> StudyNames<'a> {
    pub fn of(study: &'a Study) -> Self {
        StudyNames(study)
    }

    pub fn model(self, model: ModelIx) -> &'a str {
        &self.0.models[model].name
    }

    /// The layers of a model that the study looks at, in their order.
    pub fn layers(self, model: ModelIx) -> TiVec<LayerIx, String> {
        self.0.models[model].layers(self.0.layers.as_deref())
    }

    pub fn layer(self, model: ModelIx, layer: LayerIx) -> String {
        self.layers(model)[layer].clone()
    }

    /// `model · layer`.
    pub fn model_and_layer(self, model: ModelIx, layer: LayerIx) -> String {
        format!("{} · {}", self.model(model), self.layer(model, layer))
    }

    pub fn projection(self, projection: ProjectionIx) -> &'a str {
        &self.0.projections[projection].name
    }

    pub fn comparison(self, comparison: ComparisonIx) -> &'a str {
        &self.0.comparisons[comparison].name
    }

    pub fn pair_set(self, set: PairSetIx) -> &'a str {
        &self.0.verification.sets[set].name
    }

    /// Projection and view: `umap map`.
    pub fn view(self, cell: &CellId) -> String {
        format!("{} {}", self.projection(cell.projection), cell.view)
    }

    /// `model · layer · umap map · comparison`: a cell, and the figure of it.
    pub fn cell(self, cell: &CellId) -> String {
        let (at, view) = (self.model_and_layer(cell.model, cell.layer), self.view(cell));
        format!("{at} · {view} · {}", self.comparison(cell.comparison))
    }

    /// `model · layer · features · comparison`: the features themselves on a comparison.
    pub fn features(self, model: ModelIx, layer: LayerIx, comparison: ComparisonIx) -> String {
        format!("{} · features · {}", self.model_and_layer(model, layer), self.comparison(comparison))
    }

    /// A side of a contrast: a model, or what several trainings of one have in common.
    pub fn side(self, models: &[ModelIx]) -> &'a str {
        let name = models.first().map_or("", |&model| self.model(model));
        let family = name.rsplit_once('@').filter(|_| models.len() > 1);
        family.map_or(name, |(family, _)| family)
    }

    /// Why something is not ranked, with the names of the halves and of the comparison's classes: results know classes by their
    /// places.
    pub fn reason(self, comparison: ComparisonIx, reason: &str) -> String {
        let reason = reason.replace("half A", "the selection half").replace("half B", "the evaluation half");
        // From the last, so that `class 1` does not eat the head of `class 10`.
        let named =
            |text: String, (place, name): (usize, &String)| text.replace(&format!("class {} ", place + 1), &format!("“{name}” "));
        self.0.comparisons[comparison].classes.iter().enumerate().rev().fold(reason, named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::study;
    use visavis_core::domain::projection::View;

    #[test]
    fn a_cell_is_called_by_model_layer_view_and_comparison() {
        let study = study();
        let names = StudyNames::of(&study);
        let trained = study.models.position(|model| model.name == "trained").unwrap();
        let cell = CellId {
            model: trained,
            layer: LayerIx(3),
            projection: ProjectionIx(1),
            view: View::Map,
            comparison: ComparisonIx(0),
        };
        assert_eq!(names.cell(&cell), "trained · layer4 · umap map · x");
        assert_eq!(names.features(trained, LayerIx(3), ComparisonIx(0)), "trained · layer4 · features · x");
    }

    #[test]
    fn several_trainings_are_called_by_what_they_have_in_common() {
        let mut study = study();
        "resnet@1".clone_into(&mut study.models[ModelIx(0)].name);
        "resnet@2".clone_into(&mut study.models[ModelIx(1)].name);
        let names = StudyNames::of(&study);
        assert_eq!(
            (names.side(&[ModelIx(0), ModelIx(1)]), names.side(&[ModelIx(0)]), names.side(&[])),
            ("resnet", "resnet@1", "")
        );
    }

    #[test]
    fn a_reason_names_classes_and_halves() {
        let mut study = study();
        study.comparisons[ComparisonIx(0)].classes = (1..=10).map(|class| format!("c{class}")).collect();
        let names = StudyNames::of(&study);
        assert_eq!(
            names.reason(ComparisonIx(0), "class 1 has 2 images in half A, class 10 has 3 in half B"),
            "“c1” has 2 images in the selection half, “c10” has 3 in the evaluation half"
        );
    }
}
