//! The triplet loss with the hardest pairs of a batch (Hermans et al., 2017): each picture's distance to the farthest one of its identity,
//! and to the nearest one of another.

use crate::margin::unit;
use tch::{Kind, Tensor};

/// The mean over pictures of max(0, farthest of its identity − nearest of another + margin), and of how many the first is less. Distances
/// are Euclidean, of embeddings of length 1. A picture without both takes no part; a batch without any has a loss of 0.
///
/// `embeddings` N × d, `classes` N.
pub(crate) fn batch_hard(embeddings: &Tensor, classes: &Tensor, margin: f64) -> (Tensor, Tensor) {
    let unit = unit(embeddings);
    let (farthest, nearest, takes_part) = tch::no_grad(|| hardest(&unit, classes));
    let distance = |to: &Tensor| (&unit - unit.index_select(0, to)).norm_scalaropt_dim(2.0, &[1i64][..], false);
    let (own, other) = (distance(&farthest), distance(&nearest));
    let losses = (&own - &other + margin).clamp_min(0.0) * takes_part.to_kind(unit.kind());
    let right = own.lt_tensor(&other).logical_and(&takes_part).sum(Kind::Float);
    (losses.sum(unit.kind()) / takes_part.sum(unit.kind()).clamp_min(1.0), right)
}

/// For each row the farthest one of its class and the nearest one of another; and whether there are both.
fn hardest(unit: &Tensor, classes: &Tensor) -> (Tensor, Tensor, Tensor) {
    let cosines = unit.mm(&unit.tr());
    let same = classes.unsqueeze(0).eq_tensor(&classes.unsqueeze(1));
    let itself = Tensor::eye(unit.size()[0], (Kind::Float, unit.device())).to_kind(Kind::Bool);
    let own = same.logical_and(&itself.logical_not());
    let farthest = cosines.masked_fill(&own.logical_not(), f64::INFINITY).argmin(1, false);
    let nearest = cosines.masked_fill(&same, f64::NEG_INFINITY).argmax(1, false);
    let has_both = own.any_dim(1, false).logical_and(&same.logical_not().any_dim(1, false));
    (farthest, nearest, has_both)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By its definition, in double precision: over all triplets.
    fn by_definition(rows: &[Vec<f64>], classes: &[i64], margin: f64) -> f64 {
        let units: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| {
                let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
                row.iter().map(|x| x / length).collect()
            })
            .collect();
        let distance = |a: usize, b: usize| units[a].iter().zip(&units[b]).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let mut losses = vec![];
        for anchor in 0..rows.len() {
            let others = (0..rows.len()).filter(|other| *other != anchor);
            let (own, other): (Vec<usize>, Vec<usize>) = others.partition(|other| classes[*other] == classes[anchor]);
            let triplets = own.iter().flat_map(|own| other.iter().map(move |other| (*own, *other)));
            let hardest = triplets.map(|(own, other)| distance(anchor, own) - distance(anchor, other)).reduce(f64::max);
            losses.extend(hardest.map(|hardest| (hardest + margin).max(0.0)));
        }
        losses.iter().sum::<f64>() / losses.len().max(1) as f64
    }

    fn tensor(rows: &[Vec<f64>], kind: Kind) -> Tensor {
        Tensor::from_slice(&rows.concat()).reshape([rows.len() as i64, -1]).to_kind(kind).set_requires_grad(true)
    }

    fn rows() -> Vec<Vec<f64>> {
        let turns: [f64; 8] = [0.1, 0.9, 1.3, 0.4, 2.0, 2.2, 3.0, 1.1];
        turns.iter().enumerate().map(|(k, turn)| vec![turn.cos(), 2.0 * turn.sin(), 0.3 + 0.1 * k as f64]).collect()
    }

    #[test]
    fn the_triplet_loss_and_its_slope_agree_with_their_definition() {
        // The last identity has one picture, which has nobody to be near to.
        let classes = [0, 0, 0, 1, 1, 2, 2, 3];
        let rows = rows();
        for margin in [0.0, 0.3, 1.0] {
            let x = tensor(&rows, Kind::Double);
            let (loss, _) = batch_hard(&x, &Tensor::from_slice(&classes), margin);
            let wanted = by_definition(&rows, &classes, margin);
            assert!(wanted > 0.0 && (loss.double_value(&[]) - wanted).abs() < 1e-12, "{} {wanted}", loss.double_value(&[]));
            loss.backward();
            for row in 0..rows.len() {
                for column in 0..3 {
                    let moved = |by: f64| {
                        let mut moved = rows.clone();
                        moved[row][column] += by;
                        by_definition(&moved, &classes, margin)
                    };
                    let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                    let found = x.grad().double_value(&[row as i64, column as i64]);
                    assert!((found - slope).abs() < 1e-7, "row {row}, column {column}: {found}, not {slope}");
                }
            }
            let (single, _) = batch_hard(&tensor(&rows, Kind::Float), &Tensor::from_slice(&classes), margin);
            assert!((single.double_value(&[]) - wanted).abs() < 1e-5);
        }
    }

    #[test]
    fn pictures_are_right_whose_own_identity_is_nearer_than_any_other() {
        let rows = vec![vec![1.0, 0.0], vec![1.0, 0.1], vec![0.0, 1.0], vec![1.0, 0.05]];
        // The fourth is between the first two and of the identity of the third.
        let (_, right) = batch_hard(&tensor(&rows, Kind::Float), &Tensor::from_slice(&[0i64, 0, 1, 1]), 0.3);
        assert_eq!(right.double_value(&[]), 0.0);
        let (_, right) = batch_hard(&tensor(&rows[..3], Kind::Float), &Tensor::from_slice(&[0i64, 0, 1]), 0.3);
        assert_eq!(right.double_value(&[]), 2.0, "the third has nobody and takes no part");
    }

    #[test]
    fn equal_pictures_and_batches_without_triplets_have_a_slope_that_is_a_number() {
        for classes in [[0i64, 0, 1, 1], [0, 0, 0, 0], [0, 1, 2, 3]] {
            let x = tensor(&vec![vec![1.0, 2.0]; 4], Kind::Float);
            let (loss, _) = batch_hard(&x, &Tensor::from_slice(&classes), 0.3);
            loss.backward();
            assert!(loss.double_value(&[]).is_finite());
            assert!(Vec::<f32>::try_from(&x.grad().flatten(0, -1)).unwrap().iter().all(|slope| slope.is_finite()));
        }
    }
}
