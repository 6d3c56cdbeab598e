//! `score`, of a figure that is shown, while nuisances are held.

use super::{Inputs, StageOutput, nuisance_scores::values};
use crate::{
    domain::{
        Result,
        stage::{AdjustScores, role},
    },
    scoring::{self, Setting},
};

pub(super) fn adjusted_scores(stage: &AdjustScores, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let held = values(inputs, &images, &stage.held)?;
    let (points, AdjustScores { question, view, statistics, seed, .. }) = (inputs.points()?, stage);
    let found = scoring::adjusted_scores(&setting, &points, *view, question, &held, statistics, *seed);
    StageOutput::default().with_json(AdjustScores::SCORES, &found)
}

#[cfg(test)]
mod tests {
    use super::super::nuisance_scores;
    use crate::{
        dataset::{
            DigestCache, PictureSource, array,
            faces::{DrawnKind, Request, Twin, draw},
            list_pictures, measure_pictures,
        },
        domain::{
            Digest,
            comparison::{Measured, Question},
            image::{Column, Images},
            nuisance::{AdjustedScores, HeldNuisance, Nuisance, PictureNuisance},
            projection::View,
            score::Statistics,
            stage::{AdjustScores, Input, Location, ScoreNuisances, Task, Work, role},
        },
        numeric::{Matrix, PhiloxStream},
        stages::{Inputs, carry_out},
    };
    use std::{fs, path::Path};

    /// Drawn faces with their neckties and backgrounds.
    struct Faces {
        images: Images,
        identities: Column,
        necktie: Column,
        table: Matrix,
    }

    fn column(text: &str, value: impl Fn(&[&str]) -> String) -> Column {
        let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        rows.filter(|row| row.len() > 1 && row[0].ends_with(".jpg")).map(|row| (row[0].to_owned(), value(&row[1..]))).collect()
    }

    fn faces(folder: &Path, twin: Twin) -> Faces {
        let set = folder.join("set");
        draw(&set, &Request { kind: DrawnKind::Faces(twin), people: 350, images: 700, seed: 5 }).unwrap();
        let pictures = set.join("img_align_celeba");
        let images = list_pictures(&pictures, &mut DigestCache::none()).unwrap();
        let read = |name: &str| fs::read_to_string(set.join(name)).unwrap();
        let attributes = read("list_attr_celeba.txt");
        let place = attributes.lines().nth(1).unwrap().split_whitespace().position(|name| name == "Wearing_Necktie").unwrap();
        let necktie = column(&attributes, |row| if row[place] == "1" { "1" } else { "0" }.to_owned());
        let landmarks = column(&read("list_landmarks_align_celeba.txt"), |row| row.join(" "));
        let source = PictureSource::open(&pictures).unwrap();
        let (table, about) = measure_pictures(&source, &images, Some(&landmarks), None, |_| {}).unwrap();
        assert!(about.background.beside_head > 650, "{about:?}");
        let identities = column(&read("identity_CelebA.txt"), |row| row[0].to_owned());
        Faces { images, identities, necktie, table }
    }

    /// What remains of an axis' score of neckties while the background is held.
    fn held(faces: &Faces, axis: impl Fn(usize, bool) -> f64) -> HeldNuisance {
        let has: Vec<bool> = faces.necktie.aligned(&faces.images).into_iter().map(|value| value == Some("1")).collect();
        let points = Matrix::new(has.len(), 1, has.iter().enumerate().map(|(i, has)| axis(i, *has) as f32).collect()).unwrap();
        let contents = [
            (role::IMAGES.to_owned(), faces.images.to_text().into_bytes()),
            (role::numbered(role::POINTS_BY_SEED, 0), array::to_npy(&points)),
            (ScoreNuisances::TABLE.to_owned(), array::to_npy(&faces.table)),
            (role::labels("Wearing_Necktie"), faces.necktie.to_text().into_bytes()),
            (role::IDENTITIES.to_owned(), faces.identities.to_text().into_bytes()),
        ];
        let input =
            |(role, bytes): &(String, Vec<u8>)| Input { role: role.clone(), digest: Digest::of(bytes), at: Location::Object };
        let classes = ["Wearing_Necktie", "not Wearing_Necktie"].map(|class| class.parse().unwrap()).to_vec();
        let work = AdjustScores {
            question: Question { measured: Measured::Classes(classes), within: None },
            view: View::Axis(1),
            held: vec![Nuisance::Measured(PictureNuisance::Background)],
            statistics: Statistics { bootstraps: 200, ..Statistics::default() },
            seed: 1,
        };
        let task = Task { work: Work::AdjustedScores(work), inputs: contents.iter().map(input).collect() };
        let read = |input: &Input| Ok(contents.iter().find(|(role, _)| *role == input.role).unwrap().1.clone());
        let left = carry_out(&task, &read, None, &()).unwrap();
        let found: AdjustedScores = serde_json::from_slice(&left.outputs[0].1).unwrap();
        found.held.into_iter().next().unwrap()
    }

    /// In twin A the necktie follows a dark background, in twin B it does not. A view that sees the background alone tells neckties in twin A,
    /// and no more once it is held; a view that sees neckties is not accused in twin B.
    #[test]
    fn the_planted_background_is_caught_and_the_twin_without_it_is_not_accused() {
        let noise = |seed: u64| {
            let mut rng = PhiloxStream::for_test(seed, 1);
            (0..700).map(|_| rng.normals(1.0)[0]).collect::<Vec<f64>>()
        };
        let folder = tempfile::tempdir().unwrap();
        let planted = faces(folder.path(), Twin::A);
        let (lightness, rest) = (planted.table.column(0), noise(1));
        let caught = held(&planted, |i, _| f64::from(lightness[i]) + 0.02 * rest[i]);
        let (plain, adjusted) = (caught.plain.unwrap(), caught.adjusted.unwrap());
        assert!(plain.low().unwrap() > 0.55, "{caught:?}");
        assert!(adjusted.low().unwrap() < 0.5 && caught.lost.unwrap().low().unwrap() > 0.03, "{caught:?}");

        let folder = tempfile::tempdir().unwrap();
        let free = faces(folder.path(), Twin::B);
        let rest = noise(2);
        let kept = held(&free, |i, has| if has { 2.0 } else { 0.0 } + rest[i]);
        let (plain, adjusted) = (kept.plain.unwrap(), kept.adjusted.unwrap());
        assert!(plain.value > 0.8 && adjusted.low().unwrap() > 0.7 && kept.doubt.is_none(), "{kept:?}");
        assert!(kept.lost.unwrap().low().unwrap() < 0.02, "{kept:?}");
    }

    /// Given features whose pictures are nowhere: columns of the labels alone.
    #[test]
    fn own_columns_need_no_pictures_and_a_label_that_is_no_number_is_undefined() {
        let images = Images(["a", "b", "c"].map(|id| (id.to_owned(), None)).to_vec());
        let year: Column = [("a", "1999"), ("b", "unknown")].into_iter().collect();
        let contents = year.to_text().into_bytes();
        let inputs = vec![Input { role: role::labels("year"), digest: Digest::of(&contents), at: Location::Object }];
        let wanted = [Nuisance::Column("year".into()), Nuisance::Measured(PictureNuisance::Pose)];
        let work = ScoreNuisances { nuisances: wanted.to_vec(), views: vec![View::Map], bootstraps: 1, seed: 1 };
        let task = Task { work: Work::NuisanceScores(work), inputs };
        let read = |_: &Input| Ok(contents.clone());
        let values = nuisance_scores::values(&Inputs::new(&task, &read), &images, &wanted).unwrap();
        let [year] = &values[0].columns[..] else { panic!("one column") };
        assert!(year[0] == 1999.0 && year[1].is_nan() && year[2].is_nan());
        assert!(values[1].columns.len() == 2 && values[1].columns.iter().flatten().all(|value| value.is_nan()));
    }
}
