//! A neighbour graph in several parts, and the edges that join them: between every two parts the shortest there is, as scikit-learn's
//! Isomap does it; or of these the fewest and shortest that join all. What was joined is told in a result's facts.

use super::{
    ProjectionInput,
    graph::Graph,
    squares::{Squares, TOGETHER},
};
use crate::{
    domain::{Fault, Result},
    numeric::{
        Matrix,
        neighbours::{NeighbourMetric, Neighbours, directions, distances_to},
    },
};
use rayon::prelude::*;

/// Looking for the shortest edges takes no more fused multiply-adds than this: some five minutes on two cores.
const MOST_WORK: f64 = 5e12;
/// Sizes of parts that are told, at most.
const TOLD: usize = 16;
/// Points between two looks at whether to go on.
const TURN: usize = 512;

/// Two points and their distance.
pub(super) type Joint = (u32, u32, f64);

/// The parts of a graph, and what joins them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Points of each, the greatest first.
    sizes: Vec<usize>,
    /// The shortest between every two: none where the graph is in one part.
    pub joints: Vec<Joint>,
}

impl Parts {
    /// Of a graph; `neighbors` and the metric are those that it was made by.
    ///
    /// # Errors
    /// Parts so large that joining them would take minutes.
    pub(super) fn of<T>(graph: &Graph<T>, given: &ProjectionInput, neighbors: usize, metric: NeighbourMetric) -> Result<Self>
    where
        T: Copy + Default + PartialOrd + Send + Sync,
    {
        Self::among(&members(&graph.parts()), given, neighbors, metric)
    }

    /// The parts that no neighbour of their points leads out of, as far as there are several: whoever goes from neighbour to neighbour ends
    /// in one of them. There are at least as many as parts of the graph, and to join them is to join those.
    ///
    /// # Errors
    /// As [`Parts::of`].
    pub(super) fn closed(neighbours: &Neighbours, given: &ProjectionInput, metric: NeighbourMetric) -> Result<Self> {
        let part = strong_parts(neighbours);
        let mut leads_out = vec![false; part.iter().max().map_or(0, |last| *last as usize + 1)];
        for (point, own) in part.iter().enumerate() {
            leads_out[*own as usize] |= neighbours.of(point).iter().any(|other| part[*other as usize] != *own);
        }
        let closed: Vec<Vec<u32>> =
            members(&part).into_iter().zip(leads_out).filter(|(_, out)| !out).map(|(members, _)| members).collect();
        Self::among(&closed, given, neighbours.k(), metric)
    }

    fn among(members: &[Vec<u32>], given: &ProjectionInput, neighbors: usize, metric: NeighbourMetric) -> Result<Self> {
        let mut sizes: Vec<usize> = members.iter().map(Vec::len).collect();
        let total = sizes.iter().sum::<usize>() as f64;
        let pairs = 0.5 * (total * total - sizes.iter().map(|size| (size * size) as f64).sum::<f64>());
        if pairs * given.features.columns() as f64 > MOST_WORK {
            let count = sizes.len();
            return Err(Fault::asked(format!(
                "the graph of {neighbors} neighbours falls into {count} parts: among {total} images it takes too long to find the shortest edges between them"
            ))
            .next("raise neighbors, or take fewer images"));
        }
        let joints = if sizes.len() < 2 { vec![] } else { joints(members, given, metric)? };
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Parts { sizes, joints })
    }

    /// Of the joints the shortest that still join all parts (Kruskal 1956).
    pub(super) fn tree(&self) -> Vec<Joint> {
        let of_pairs = (1..self.sizes.len()).flat_map(|part| (0..part).map(move |other| (part, other)));
        let mut edges: Vec<((usize, usize), Joint)> = of_pairs.zip(self.joints.iter().copied()).collect();
        edges.sort_by(|a, b| a.1.2.total_cmp(&b.1.2).then(a.0.cmp(&b.0)));
        let mut group: Vec<usize> = (0..self.sizes.len()).collect();
        let mut tree = vec![];
        for ((part, other), joint) in edges {
            let (own, others) = (group[part], group[other]);
            if own != others {
                group.iter_mut().filter(|group| **group == others).for_each(|group| *group = own);
                tree.push(joint);
            }
        }
        tree
    }

    pub(super) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// `components`: how many there are; `part_sizes`: of the greatest, where there are several.
    pub(super) fn facts(&self) -> Vec<(String, Vec<f64>)> {
        let mut facts = vec![("components".to_owned(), vec![self.sizes.len() as f64])];
        if self.sizes.len() > 1 {
            facts.push(("part_sizes".to_owned(), self.sizes.iter().take(TOLD).map(|size| *size as f64).collect()));
        }
        facts
    }
}

/// The points of each part, ascending.
fn members(part: &[u32]) -> Vec<Vec<u32>> {
    let mut members = vec![vec![]; part.iter().max().map_or(0, |last| *last as usize + 1)];
    part.iter().enumerate().for_each(|(point, part)| members[*part as usize].push(point as u32));
    members
}

/// The part of each point within which every point leads to every other along neighbours (Tarjan 1972, without recursion).
fn strong_parts(neighbours: &Neighbours) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let n = neighbours.count();
    let (mut found, mut low, mut part) = (vec![NONE; n], vec![0u32; n], vec![NONE; n]);
    let (mut time, mut count) = (0, 0);
    // Points that belong to no part yet, and the path with how many neighbours of each were looked at.
    let (mut open, mut path): (Vec<u32>, Vec<(u32, usize)>) = (vec![], vec![]);
    for start in 0..n as u32 {
        if found[start as usize] != NONE {
            continue;
        }
        path.push((start, 0));
        while let Some((point, looked)) = path.pop() {
            let own = point as usize;
            if looked == 0 {
                (found[own], low[own]) = (time, time);
                time += 1;
                open.push(point);
            }
            if let Some(other) = neighbours.of(own).get(looked) {
                path.push((point, looked + 1));
                let other = *other as usize;
                if found[other] == NONE {
                    path.push((other as u32, 0));
                } else if part[other] == NONE {
                    low[own] = low[own].min(found[other]);
                }
                continue;
            }
            if low[own] == found[own] {
                while let Some(member) = open.pop() {
                    part[member as usize] = count;
                    if member == point {
                        break;
                    }
                }
                count += 1;
            }
            if let Some((before, _)) = path.last() {
                low[*before as usize] = low[*before as usize].min(low[own]);
            }
        }
    }
    part
}

/// The shortest edge between every two parts; of equals the one of the first points.
fn joints(members: &[Vec<u32>], given: &ProjectionInput, metric: NeighbourMetric) -> Result<Vec<Joint>> {
    let turned = match metric {
        NeighbourMetric::Euclidean => None,
        NeighbourMetric::Cosine => directions(given.features),
    };
    let rows: &Matrix = turned.as_ref().unwrap_or(given.features);
    let order: Vec<u32> = members.concat();
    let squares = Squares::new(rows, &order);
    let mut joints = vec![];
    let mut first = members[0].len();
    for (place, part) in members.iter().enumerate().skip(1) {
        let mut shortest = vec![(f64::INFINITY, u32::MAX, u32::MAX); place];
        for points in part.chunks(TURN) {
            given.watch.go_on()?;
            let nearest = |(point, squares): (&u32, &[f64])| {
                let (mut first, mut found) = (0, vec![]);
                for other in &members[..place] {
                    let own = squares[first..].iter().zip(other).min_by(|a, b| a.0.total_cmp(b.0).then(a.1.cmp(b.1)));
                    found.push(own.map_or((f64::INFINITY, *point, u32::MAX), |(square, other)| (*square, *point, *other)));
                    first += other.len();
                }
                found
            };
            let together = |points: &[u32]| {
                let squares = squares.from(points, first);
                points.iter().zip(squares.chunks_exact(first)).map(nearest).collect::<Vec<_>>()
            };
            let found: Vec<Vec<Vec<(f64, u32, u32)>>> = points.par_chunks(TOGETHER).map(together).collect();
            for found in found.iter().flatten() {
                for (shortest, edge) in shortest.iter_mut().zip(found).filter(|(shortest, edge)| edge.0 < shortest.0) {
                    *shortest = *edge;
                }
            }
        }
        joints.extend(shortest.into_iter().map(|(_, i, j)| {
            let mut square = 0.0;
            distances_to(rows.row(i as usize), rows, &[j], std::slice::from_mut(&mut square));
            let distance = match metric {
                NeighbourMetric::Euclidean => square.sqrt(),
                NeighbourMetric::Cosine => 0.5 * square,
            };
            (i, j, distance)
        }));
        first += part.len();
    }
    Ok(joints)
}

/// The distances of neighbours, symmetric.
pub(super) fn distances(neighbours: &Neighbours) -> Graph<f64> {
    let directed: Vec<f64> = (0..neighbours.count()).flat_map(|i| neighbours.distances(i)).collect();
    Graph::joined(neighbours, &directed, f64::max)
}

/// Refuses fewer images than a graph of so many neighbours needs.
///
/// # Errors
/// Too few images, or images that are all the same.
pub(super) fn enough(title: &str, given: &ProjectionInput, neighbors: usize) -> Result<()> {
    let n = given.features.rows();
    if n > neighbors && n > 1 {
        return super::start::varies(given.features);
    }
    let needed = (neighbors + 1).max(2);
    let fault = Fault::asked(format!("{title} with {neighbors} neighbors needs {needed} images, there are {n}"));
    Err(if n > 2 { fault.next(format!("lower neighbors to {} or less", n - 1)) } else { fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_two_parts_are_joined_by_the_shortest_edge_and_their_sizes_are_told() {
        let matrix = Matrix::new(7, 1, vec![0.0, 1.0, 10.0, 11.0, 30.0, 31.0, 32.5]).unwrap();
        let given = ProjectionInput::alone(&matrix, 1);
        let neighbours = Neighbours::exact(&matrix, 1, NeighbourMetric::Euclidean).unwrap();
        let graph = distances(&neighbours);
        let parts = Parts::of(&graph, &given, 1, NeighbourMetric::Euclidean).unwrap();
        assert_eq!(parts.joints, [(2, 1, 9.0), (4, 1, 29.0), (4, 3, 19.0)]);
        assert_eq!(parts.facts()[1].1, [3.0, 2.0, 2.0]);
        assert_eq!(parts.tree(), [(2, 1, 9.0), (4, 3, 19.0)]);
        let whole = graph.with(&parts.joints);
        assert!(Parts::of(&whole, &given, 1, NeighbourMetric::Euclidean).unwrap().joints.is_empty());
    }

    #[test]
    fn closed_parts_are_those_that_nobody_leaves() {
        // 4 leads to 3 and 3 to 2, and nobody comes back; 6 and 7 are each other's.
        let matrix = Matrix::new(8, 1, vec![0.0, 1.0, 2.1, 4.0, 7.0, 11.0, 30.0, 31.0]).unwrap();
        let given = ProjectionInput::alone(&matrix, 1);
        let neighbours = Neighbours::exact(&matrix, 1, NeighbourMetric::Euclidean).unwrap();
        assert_eq!(strong_parts(&neighbours), [0, 0, 1, 2, 3, 4, 5, 5]);
        let closed = Parts::closed(&neighbours, &given, NeighbourMetric::Euclidean).unwrap();
        assert_eq!((closed.count(), &closed.joints[..]), (2, &[(6, 1, 29.0)][..]));
        // A ring is one part, however long the way around.
        let ring = Neighbours::kept(5, 1, vec![1, 2, 3, 4, 0], vec![1.0; 5], NeighbourMetric::Euclidean).unwrap();
        assert_eq!(strong_parts(&ring), [0; 5]);
        assert!(Parts::closed(&ring, &given, NeighbourMetric::Euclidean).unwrap().joints.is_empty());
    }
}
