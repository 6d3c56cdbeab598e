//! What every program does that reads features of a network: it prepares pictures ahead, collects what the network gives at each layer,
//! and sees that these are numbers.

use super::{Listener, StageOutput};
use crate::{
    dataset::{Album, Batch, Loader},
    domain::{
        Fault, Result,
        alteration::MaskedBy,
        embedding::{EmbeddingForm, Flip},
        model::EMBEDDING,
        stage::MASKED_BY,
        text::count,
    },
    numeric::Matrix,
};
use std::{collections::BTreeMap, sync::Arc};

/// Features of an album's pictures at each of the layers; `embedding`: what is made of the embedding, if it is among them. `batch`:
/// pictures at a time; the next are loaded by so many threads while `network` works on some. It gives an array a layer, in the order of `layers`: as many rows as the batch has pictures, row-major.
///
/// # Errors
/// Pictures that cannot be read, features that are no numbers; and what `network` refuses.
pub fn read_features(
    album: &Arc<Album>,
    layers: &[String],
    embedding: EmbeddingForm,
    batch: usize,
    threads: usize,
    listener: &dyn Listener,
    mut network: impl FnMut(&Batch) -> Result<Vec<Vec<f32>>>,
) -> Result<StageOutput> {
    let order: Vec<usize> = (0..album.images.len()).collect();
    let mut columns: Vec<Vec<f32>> = vec![vec![]; layers.len()];
    let (mut done, mut turned) = (0, 0);
    let mut masked: BTreeMap<MaskedBy, (usize, f64)> = BTreeMap::new();
    for batch in Loader::start(album, &order, batch, threads) {
        let batch = batch?;
        let mut given = network(&batch)?;
        if let Some(place) = layers.iter().position(|layer| layer == EMBEDDING) {
            let mirrored = match embedding.flip {
                Some(Flip::Sum) => network(&batch.mirrored(album.preparation.size))?.into_iter().nth(place),
                None => None,
            };
            embedding.apply(&mut given[place], mirrored.as_deref(), batch.places.len());
        }
        for (column, values) in columns.iter_mut().zip(given) {
            column.extend(values);
        }
        done += batch.places.len();
        turned += batch.turned;
        for (by, (pictures, shares)) in batch.masked {
            let (all, sum) = masked.entry(by).or_default();
            *all += pictures;
            *sum += shares;
        }
        listener.point("images", done as u64, done as f64);
    }
    let mut made = with_masked(StageOutput::default().turned(turned, listener), &masked, listener);
    for (layer, values) in layers.iter().zip(columns) {
        let wide = values.len() / order.len().max(1);
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            let image = &album.images.0[place / wide].0;
            return Err(Fault::failed(format!("the features of the image {image} at {layer} are no numbers")));
        }
        let matrix = Matrix::new(order.len(), wide, values);
        let matrix = matrix.ok_or_else(|| Fault::unexpected("features of another shape than they should be"))?;
        made = made.with_features(layer, &matrix);
    }
    Ok(made)
}

/// By what the background was masked in how many pictures, and the mean share of the square that was.
fn with_masked(mut made: StageOutput, masked: &BTreeMap<MaskedBy, (usize, f64)>, listener: &dyn Listener) -> StageOutput {
    for (by, (pictures, shares)) in masked {
        let share = shares / *pictures as f64;
        let (pictures_masked, percent) = (count(*pictures, "picture"), 100.0 * share);
        listener.line(&format!("the background of {pictures_masked} was masked by {by}: {percent:.1} % of the square"));
        made = made.fact(&format!("{MASKED_BY}{by}"), vec![*pictures as f64, share]);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataset::{DigestCache, faces, list_pictures},
        domain::study::{Crop, Preparation},
    };

    fn album(folder: &std::path::Path) -> Arc<Album> {
        let request = faces::Request { kind: faces::DrawnKind::Textures, people: 2, images: 5, seed: 1 };
        faces::draw(folder, &request).unwrap();
        let images = list_pictures(folder, &mut DigestCache::none()).unwrap();
        Arc::new(Album::new(folder, images, Preparation::of(Crop::Whole, 8), None).unwrap())
    }

    #[test]
    fn every_layer_has_a_row_a_picture_in_the_order_of_the_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let album = album(&folder.path().join("set"));
        let layers = ["a".to_owned(), "b".to_owned()];
        let network = |batch: &Batch| {
            let places = || batch.places.iter().map(|place| *place as f32);
            Ok(vec![places().collect(), places().flat_map(|place| [place, -place]).collect()])
        };
        let made = read_features(&album, &layers, EmbeddingForm::default(), 2, 2, &(), network).unwrap();
        assert_eq!((&made.facts["a"][..], &made.facts["b"][..]), (&[5.0, 1.0][..], &[5.0, 2.0][..]));
        let rows = crate::dataset::array::from_npy(&made.outputs[1].1, std::path::Path::new("b")).unwrap();
        assert_eq!(rows.row(4), [4.0, -4.0]);
        let network =
            |batch: &Batch| Ok(vec![batch.places.iter().map(|&place| if place == 3 { f32::NAN } else { 1.0 }).collect()]);
        let fault = read_features(&album, &layers[..1], EmbeddingForm::default(), 2, 1, &(), network).unwrap_err();
        assert!(fault.what.contains(&album.images.0[3].0) && fault.what.contains("at a are no numbers"), "{fault}");
    }

    #[test]
    fn an_embedding_of_both_ways_is_the_sum_of_what_a_picture_and_its_mirror_image_give() {
        let folder = tempfile::tempdir().unwrap();
        let album = album(&folder.path().join("set"));
        let layers = ["layer1".to_owned(), EMBEDDING.to_owned()];
        // The first two pixels of each picture's first row.
        let network = |batch: &Batch| {
            let first = batch.pixels.chunks_exact(3 * 8 * 8).flat_map(|picture| [picture[0], picture[1]]);
            let first: Vec<f32> = first.map(f32::from).collect();
            Ok(vec![first.clone(), first])
        };
        let rows = |form: EmbeddingForm| {
            let made = read_features(&album, &layers, form, 2, 1, &(), network).unwrap();
            let [layer, embedding] = [0, 1].map(|of| {
                let rows = crate::dataset::array::from_npy(&made.outputs[of].1, std::path::Path::new("a")).unwrap();
                rows.row(3).to_vec()
            });
            (layer, embedding)
        };
        let pixels = Loader::start(&album, &[3], 1, 1).next().unwrap().unwrap().pixels;
        let [first, second, last, before] = [0, 1, 7, 6].map(|at| f32::from(pixels[at]));
        let (layer, embedding) = rows(EmbeddingForm { flip: Some(Flip::Sum), norm: None });
        assert_eq!(layer, [first, second], "other layers stay");
        assert_eq!(embedding, [first + last, second + before]);
        let (_, unit) = rows(EmbeddingForm { flip: Some(Flip::Sum), norm: Some(crate::domain::embedding::Norm::L2) });
        assert!((f64::from(unit[0]).hypot(f64::from(unit[1])) - 1.0).abs() < 1e-6);
        assert_eq!(rows(EmbeddingForm::default()).1, [first, second]);
    }
}
