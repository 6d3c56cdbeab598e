//! What a selection of images has in common: of each condition the share of the selected images and of the others that meet it.

use super::map_images::{MapCondition, MapImages};
use visavis_core::{
    domain::score::LEAST_IDENTITIES,
    scoring::{effective_images, wilson},
};

/// Of one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct MakeUpLine {
    pub condition: String,
    pub selected: ShareOfImages,
    pub rest: ShareOfImages,
}

/// How many of the images whose label is known meet a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShareOfImages {
    pub with: usize,
    pub of: usize,
    /// The share's 95 % interval: Wilson's, on as many independent images as the identities are worth.
    pub interval: Option<(f64, f64)>,
    /// There are too few identities to say much.
    pub is_few: bool,
}

impl ShareOfImages {
    fn of(counts: &[(usize, usize)]) -> Self {
        let sum = |pick: fn(&(usize, usize)) -> usize| counts.iter().map(pick).sum::<usize>();
        let (with, of) = (sum(|(with, _)| *with), sum(|(_, of)| *of));
        let share = ShareOfImages { with, of, interval: None, is_few: counts.len() < LEAST_IDENTITIES };
        ShareOfImages { interval: share.value().and_then(|value| wilson(value, effective_images(counts))), ..share }
    }

    /// `None` where no label is known.
    pub fn value(&self) -> Option<f64> {
        (self.of > 0).then(|| self.with as f64 / self.of as f64)
    }
}

impl MakeUpLine {
    /// How much greater the share of the selected images is; `None` where one of both is not known.
    pub fn difference(&self) -> Option<f64> {
        Some(self.selected.value()? - self.rest.value()?)
    }
}

/// The greatest differences first; conditions that one side knows nothing of are left out. Images without a place are on neither side.
pub fn make_up(map: &MapImages, is_selected: &[bool]) -> Vec<MakeUpLine> {
    let identities = map.identities.iter().max().map_or(0, |last| *last as usize + 1);
    let lines = map.conditions.iter().map(|condition| line(map, identities, condition, is_selected));
    let mut lines: Vec<MakeUpLine> = lines.filter(|line| line.difference().is_some()).collect();
    let size = |line: &MakeUpLine| line.difference().map_or(0.0, f64::abs);
    lines.sort_by(|one, other| size(other).total_cmp(&size(one)));
    lines
}

fn line(map: &MapImages, identities: usize, condition: &MapCondition, is_selected: &[bool]) -> MakeUpLine {
    let mut counts = [vec![(0, 0); identities], vec![(0, 0); identities]];
    for (image, meets) in condition.of.iter().enumerate() {
        let (Some(meets), Some(_)) = (meets, map.places[image]) else { continue };
        let (with, of) = &mut counts[usize::from(!is_selected[image])][map.identities[image] as usize];
        *of += 1;
        *with += usize::from(*meets);
    }
    let [selected, rest] = counts.map(|of| {
        let present: Vec<(usize, usize)> = of.into_iter().filter(|(_, of)| *of > 0).collect();
        ShareOfImages::of(&present)
    });
    MakeUpLine { condition: condition.name.clone(), selected, rest }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use visavis_core::domain::{
        index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
        ledger::CellId,
        projection::View,
    };

    /// A hundred images of fifty people in a row from the left: those of the left half smile.
    pub(crate) fn map() -> MapImages {
        let cell = CellId {
            model: ModelIx(0),
            layer: LayerIx(0),
            projection: ProjectionIx(0),
            view: View::Pair(1, 2),
            comparison: ComparisonIx(0),
        };
        let condition =
            |name: &str, of: fn(usize) -> Option<bool>| MapCondition { name: name.to_owned(), of: (0..100).map(of).collect() };
        MapImages {
            cell,
            names: (0..100).map(|image| format!("{image}.png")).collect(),
            places: (0..100).map(|image| (image != 99).then_some([(image as f32 + 0.5) / 100.0, 0.5])).collect(),
            classes: (0..100).map(|image| Some(u8::from(image >= 50))).collect(),
            class_names: vec![("left".to_owned(), 50), ("right".to_owned(), 50)],
            identities: (0..100).map(|image| image / 2).collect(),
            conditions: vec![
                condition("even", |image| Some(image % 2 == 0)),
                condition("smiles", |image| (image != 3).then_some(image < 50)),
                condition("nobody knows", |_| None),
            ],
            left_out: 0,
            faces: None,
        }
    }

    #[test]
    fn the_greatest_difference_stands_first_and_what_one_side_does_not_know_is_left_out() {
        let is_selected: Vec<bool> = (0..100).map(|image| image < 40).collect();
        let lines = make_up(&map(), &is_selected);
        assert_eq!(lines.iter().map(|line| line.condition.as_str()).collect::<Vec<_>>(), ["smiles", "even"]);
        let smiles = &lines[0];
        assert_eq!((smiles.selected.with, smiles.selected.of, smiles.rest.with, smiles.rest.of), (39, 39, 10, 59));
        let (low, high) = smiles.selected.interval.unwrap();
        assert!(low > 0.8 && high == 1.0 && !smiles.selected.is_few, "{smiles:?}");
        let few = make_up(&map(), &(0..100).map(|image| image < 6).collect::<Vec<_>>());
        assert!(few[0].selected.is_few && !few[0].rest.is_few);
    }

    #[test]
    fn a_selection_is_labels_of_every_image_with_a_place() {
        let mut map = map();
        map.names[1] = "a,\"b\".png".to_owned();
        let table = map.labels_of(&(0..100).map(|image| image == 1).collect::<Vec<_>>(), "Chosen_1");
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[1], lines[2]), (101, "image_id,Chosen_1", "0.png,0", "\"a,\"\"b\"\".png\",1"));
        assert_eq!(lines[100], "99.png,");
    }
}
