//! Nearest neighbours of features, kept so that methods and seeds share them: a cache by the features' digest and the metric. What
//! is here is no result: keys do not know it, an audit does not read it, and it can be deleted at any time.

use super::disk;
use crate::{
    domain::Digest,
    numeric::neighbours::{NeighbourMetric, Neighbours},
};
use std::{fs, path::PathBuf};

const HEAD: &[u8] = b"visavis neighbours 1\n";
/// Of so few points they are made sooner than found.
const WORTH: usize = 2000;

/// The folder of kept neighbours.
#[derive(Clone, Debug)]
pub struct Graphs(PathBuf);

impl Graphs {
    pub(super) fn new(folder: PathBuf) -> Self {
        Graphs(folder)
    }

    fn path(&self, features: Digest, metric: NeighbourMetric) -> PathBuf {
        let word = match metric {
            NeighbourMetric::Euclidean => "euclidean",
            NeighbourMetric::Cosine => "cosine",
        };
        self.0.join(format!("{features}-{word}"))
    }

    /// The `k` nearest of these features, if as many or more were kept; what is damaged is as good as absent.
    pub fn get(&self, features: Digest, metric: NeighbourMetric, k: usize) -> Option<Neighbours> {
        let bytes = crate::files::read(&self.path(features, metric)).ok()?;
        let kept = parse(&bytes, metric)?;
        (kept.k() >= k).then(|| if kept.k() == k { kept } else { kept.nearest(k) })
    }

    /// Keeps them unless more are kept; a disk that refuses costs time and nothing else.
    pub fn put(&self, features: Digest, metric: NeighbourMetric, neighbours: &Neighbours) {
        if neighbours.count() >= WORTH && self.get(features, metric, neighbours.k()).is_none() {
            disk::replace(&self.path(features, metric), &write(neighbours)).ok();
        }
    }

    /// Removes all of it; says how many bytes that were.
    pub fn clear(&self) -> u64 {
        let files = fs::read_dir(&self.0).into_iter().flatten().flatten();
        files
            .filter_map(|file| Some((file.path(), file.metadata().ok()?.len())))
            .filter(|(path, _)| fs::remove_file(path).is_ok())
            .map(|(_, bytes)| bytes)
            .sum()
    }
}

/// Head, points, k, indices, squares, all little-endian; then the digest of what comes before.
fn write(neighbours: &Neighbours) -> Vec<u8> {
    let (indices, squares) = neighbours.parts();
    let mut bytes = HEAD.to_vec();
    bytes.extend((neighbours.count() as u64).to_le_bytes());
    bytes.extend((neighbours.k() as u64).to_le_bytes());
    bytes.extend(indices.iter().flat_map(|index| index.to_le_bytes()));
    bytes.extend(squares.iter().flat_map(|square| square.to_le_bytes()));
    let digest = Digest::of(&bytes);
    bytes.extend(digest.to_string().bytes());
    bytes
}

fn parse(bytes: &[u8], metric: NeighbourMetric) -> Option<Neighbours> {
    let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(64)?)?;
    let rest = body.strip_prefix(HEAD)?;
    if Digest::of(body).to_string().as_bytes() != digest {
        return None;
    }
    let (n, rest) = rest.split_first_chunk()?;
    let (k, rest) = rest.split_first_chunk()?;
    let (n, k) = (usize::try_from(u64::from_le_bytes(*n)).ok()?, usize::try_from(u64::from_le_bytes(*k)).ok()?);
    let (indices, squares) = rest.split_at_checked(n.checked_mul(k)?.checked_mul(4)?)?;
    let indices = indices.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let squares = squares.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    Neighbours::kept(n, k, indices, squares, metric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{Matrix, PhiloxStream};

    #[test]
    fn more_are_kept_for_fewer_and_damage_is_absence() {
        let folder = tempfile::tempdir().unwrap();
        let graphs = Graphs::new(folder.path().join("neighbours"));
        let mut stream = PhiloxStream::for_test(1, 1);
        let matrix = Matrix::new(WORTH, 2, (0..2 * WORTH).map(|_| stream.uniform() as f32).collect()).unwrap();
        let digest = Digest::of(b"features");
        let exact = |k| Neighbours::exact(&matrix, k, NeighbourMetric::Euclidean).unwrap();
        graphs.put(digest, NeighbourMetric::Euclidean, &exact(8));
        graphs.put(digest, NeighbourMetric::Euclidean, &exact(3));
        assert!(graphs.get(digest, NeighbourMetric::Euclidean, 8) == Some(exact(8)));
        assert!(graphs.get(digest, NeighbourMetric::Euclidean, 5) == Some(exact(5)));
        assert!(
            graphs.get(digest, NeighbourMetric::Euclidean, 9).is_none()
                && graphs.get(digest, NeighbourMetric::Cosine, 5).is_none()
        );
        let path = graphs.path(digest, NeighbourMetric::Euclidean);
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(graphs.get(digest, NeighbourMetric::Euclidean, 5).is_none());
        assert!(graphs.clear() > 0 && graphs.clear() == 0);
    }
}
