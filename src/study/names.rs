//! What the parts of a study are called, by their places in it: in the report, exports, screens and commands alike.

use typed_index_collections::TiVec;
use visavis_core::domain::{
    index::{ComparisonIx, LayerIx, ModelIx, PairSetIx, ProjectionIx},
    ledger::CellId,
    study::Study,
};

/// A part of a text about a study: words of this program, or a name that somebody gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Words(String),
    Name(String),
}

impl Piece {
    pub fn words(text: impl Into<String>) -> Self {
        Piece::Words(text.into())
    }

    pub fn name(name: impl Into<String>) -> Self {
        Piece::Name(name.into())
    }

    pub fn text(&self) -> &str {
        let (Piece::Words(text) | Piece::Name(text)) = self;
        text
    }
}

/// The pieces as one text.
pub fn text_of(pieces: &[Piece]) -> String {
    pieces.iter().map(Piece::text).collect()
}

/// Names with ` · ` between them.
pub(crate) fn dotted(names: impl IntoIterator<Item = impl Into<String>>) -> Vec<Piece> {
    let pieces = names.into_iter().flat_map(|name| [Piece::words(" · "), Piece::name(name)]);
    pieces.skip(1).collect()
}

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
        text_of(&self.cell_in_pieces(cell))
    }

    pub(crate) fn cell_in_pieces(self, cell: &CellId) -> Vec<Piece> {
        let layer = self.layer(cell.model, cell.layer);
        let at = [self.model(cell.model), &layer, self.projection(cell.projection)];
        let view = [Piece::words(format!(" {} · ", cell.view)), Piece::name(self.comparison(cell.comparison))];
        [dotted(at), view.into()].concat()
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
    pub fn reason(self, comparison: ComparisonIx, reason: &str) -> Vec<Piece> {
        let reason = reason.replace("half A", "the selection half").replace("half B", "the evaluation half");
        let classes = &self.0.comparisons[comparison].classes;
        let mut pieces = Vec::new();
        let (mut words, mut rest) = (String::new(), reason.as_str());
        while let Some((before, after)) = rest.split_once("class ") {
            let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let place = after[..digits].parse::<usize>().ok().and_then(|place| place.checked_sub(1));
            let name = place.and_then(|place| classes.get(place)).filter(|_| after[digits..].starts_with(' '));
            words += before;
            match name {
                Some(name) => {
                    words.push('“');
                    pieces.extend([Piece::Words(std::mem::take(&mut words)), Piece::name(name)]);
                    words.push('”');
                    rest = &after[digits..];
                }
                None => {
                    words += "class ";
                    rest = after;
                }
            }
        }
        words += rest;
        pieces.push(Piece::Words(words));
        pieces
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
            text_of(&names.reason(ComparisonIx(0), "class 1 has 2 images in half A, class 10 has 3 in half B")),
            "“c1” has 2 images in the selection half, “c10” has 3 in the evaluation half"
        );
    }
}
