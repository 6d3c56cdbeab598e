//! Every member's fifth-nearest member of each set, among the other folds: of all members, and of its own half.
//!
//! Four algorithms give one answer: along an axis outwards from the member's position; in the plane through a k-d tree (Bentley 1975);
//! in many columns over all distances, each of which is taken once for all questions; of many images so that most distances are ruled
//! out by a bound ([`swept`]). A distance is the same chain of fused
//! multiply-adds in each, and none is left out that could be among the five, so the algorithms agree in every bit.

use super::swept;
use crate::{
    numeric::{Matrix, multiversion::multiversion, neighbours::Points, special::ln},
    scoring::design::split::Split,
};
use rayon::prelude::*;

/// Which nearest neighbour of each class a score is made of.
const NEIGHBOUR: usize = 5;

/// Members whose neighbours are wanted, and the sets to find them in.
pub(crate) struct NeighborQuery<'a> {
    /// By member, its row among the images.
    pub rows: &'a [usize],
    /// Per set, per member: is it in the set?
    pub sets: &'a [Vec<bool>],
    /// A neighbour is of another fold.
    pub split: &'a Split,
}

/// Per member, in the whole and in its half, per set: ln of the Euclidean distance to its fifth-nearest of the set, or to the farthest
/// where there are fewer. NaN where there is none.
pub(crate) type FifthNeighborDistances = Vec<[Vec<f64>; 2]>;

/// For one question. `points` has one row a member; one or two columns take the fast algorithms.
pub(crate) fn in_view(points: &Matrix, query: &NeighborQuery) -> FifthNeighborDistances {
    match points.columns() {
        1 => {
            let at = |i: usize| f64::from(points.values()[i]);
            let line = |set: &[bool]| SortedAxis::new((0..set.len()).filter(|&i| set[i]).map(|i| (at(i), i as u32)));
            by_set(query, line, |line, met, i| line.walk(at(i), met))
        }
        2 => by_set(query, |set| PlaneTree::new(points, set), |tree, met, i| tree.search(in_plane(points, i), met)),
        _ => {
            let all: Vec<usize> = (0..points.rows()).collect();
            let query = NeighborQuery { rows: &all, ..*query };
            in_space(points, &[query]).pop().unwrap_or_default()
        }
    }
}

fn by_set<'p, S: Sync>(
    query: &NeighborQuery,
    build: impl Fn(&[bool]) -> S + 'p,
    search: impl Fn(&S, &mut NearestOfClass, usize) + Sync + 'p,
) -> FifthNeighborDistances {
    let indexes: Vec<S> = query.sets.iter().map(|set| build(set)).collect();
    let distances_of = |i: usize| {
        let met: Vec<NearestOfClass> = indexes
            .iter()
            .map(|index| {
                let mut met = NearestOfClass::of_member(i, query.split);
                search(index, &mut met, i);
                met
            })
            .collect();
        [met.iter().map(|met| met.whole.ln_distance()).collect(), met.iter().map(|met| met.half.ln_distance()).collect()]
    };
    (0..query.rows.len()).into_par_iter().map(distances_of).collect()
}

/// Members of one question, each with its distances.
type ByMember = Vec<(usize, [Vec<f64>; 2])>;

/// Images whose distances are taken in one pass over the columns.
const BATCH: usize = 8;

/// From so many images on, bounds are worth their while.
const MANY: usize = 2048;

/// For all questions at once, in any number of columns. `points` has one row an image.
pub(crate) fn in_space(points: &Matrix, queries: &[NeighborQuery]) -> Vec<FifthNeighborDistances> {
    let sets: usize = queries.iter().map(|query| query.sets.len()).sum();
    if points.rows() < MANY || sets > swept::MOST_SETS {
        by_trying_all(points, queries)
    } else {
        swept::by_sweep(points, queries)
    }
}

/// The same by every distance.
pub(super) fn by_trying_all(points: &Matrix, queries: &[NeighborQuery]) -> Vec<FifthNeighborDistances> {
    let (n, space) = (points.rows(), Points::new(points));
    // Per question, per image: its member.
    let member_of: Vec<Vec<Option<u32>>> = queries
        .iter()
        .map(|question| {
            let mut member_of = vec![None; n];
            question.rows.iter().enumerate().for_each(|(member, &row)| member_of[row] = Some(member as u32));
            member_of
        })
        .collect();
    // Per question, per set: its members, and their rows.
    let sets: Vec<Vec<Vec<(u32, u32)>>> = queries
        .iter()
        .map(|question| {
            let rows_of =
                |set: &Vec<bool>| (0..set.len()).filter(|&i| set[i]).map(|i| (i as u32, question.rows[i] as u32)).collect();
            question.sets.iter().map(rows_of).collect()
        })
        .collect();
    let blocks: Vec<Vec<ByMember>> = (0..n.div_ceil(BATCH))
        .into_par_iter()
        .map_init(
            || vec![0.0; BATCH * n],
            |distances, block| {
                crate::numeric::pulse::beat();
                let from: [usize; BATCH] = std::array::from_fn(|i| (block * BATCH + i).min(n - 1));
                space.distances_of(&from, distances);
                let mut found: Vec<ByMember> = queries.iter().map(|_| vec![]).collect();
                for (lane, row) in (block * BATCH..n.min((block + 1) * BATCH)).enumerate() {
                    let distances = &distances[lane * n..(lane + 1) * n];
                    for (((question, member_of), sets), found) in queries.iter().zip(&member_of).zip(&sets).zip(&mut found) {
                        if let Some(member) = member_of[row] {
                            let member = member as usize;
                            found.push((member, among_all(question.split, sets, member, distances)));
                        }
                    }
                }
                found
            },
        )
        .collect();
    let mut fifths: Vec<FifthNeighborDistances> =
        queries.iter().map(|question| vec![[vec![], vec![]]; question.rows.len()]).collect();
    for (question, (member, found)) in blocks
        .into_iter()
        .flat_map(|block| block.into_iter().enumerate())
        .flat_map(|(question, found)| found.into_iter().map(move |one| (question, one)))
    {
        fifths[question][member] = found;
    }
    fifths
}

/// By trying all members of every set.
fn among_all(split: &Split, sets: &[Vec<(u32, u32)>], i: usize, distances: &[f64]) -> [Vec<f64>; 2] {
    let nearest_of = |set: &Vec<(u32, u32)>| {
        let mut met = NearestOfClass::of_member(i, split);
        let mut farthest = met.farthest();
        for &(j, row) in set {
            let distance = distances[row as usize];
            if distance < farthest {
                met.meet(j as usize, distance);
                farthest = met.farthest();
            }
        }
        [met.whole.ln_distance(), met.half.ln_distance()]
    };
    let found: Vec<[f64; 2]> = sets.iter().map(nearest_of).collect();
    [0, 1].map(|pool| found.iter().map(|distances| distances[pool]).collect())
}

/// What a search meets, the nearer the sooner.
pub(super) trait Meets {
    /// A member at this squared distance.
    fn meet(&mut self, member: usize, square: f64);
    /// A member at this squared distance or beyond changes nothing.
    fn farthest(&self) -> f64;
}

/// The nearest that one member has met so far in one set.
struct NearestOfClass<'a> {
    split: &'a Split,
    fold: usize,
    member: usize,
    whole: Nearest,
    half: Nearest,
}

impl<'a> NearestOfClass<'a> {
    fn of_member(i: usize, split: &'a Split) -> Self {
        NearestOfClass { split, fold: split.fold[i], member: i, whole: Nearest::default(), half: Nearest::default() }
    }
}

impl Meets for NearestOfClass<'_> {
    fn meet(&mut self, j: usize, distance: f64) {
        if self.split.fold[j] == self.fold {
            return;
        }
        self.whole.meet(distance);
        if self.split.half[j] == self.split.half[self.member] {
            self.half.meet(distance);
        }
    }

    /// The half's fifth is never nearer than the whole's.
    fn farthest(&self) -> f64 {
        self.half.smallest[NEIGHBOUR - 1]
    }
}

/// The five smallest squared distances met so far, ascending.
#[derive(Clone)]
pub(super) struct Nearest {
    smallest: [f64; NEIGHBOUR],
    met: usize,
}

impl Default for Nearest {
    fn default() -> Self {
        Nearest { smallest: [f64::INFINITY; NEIGHBOUR], met: 0 }
    }
}

impl Nearest {
    pub(super) fn meet(&mut self, distance: f64) {
        self.met += 1;
        if distance >= self.smallest[NEIGHBOUR - 1] {
            return;
        }
        let mut at = NEIGHBOUR - 1;
        while at > 0 && self.smallest[at - 1] > distance {
            self.smallest[at] = self.smallest[at - 1];
            at -= 1;
        }
        self.smallest[at] = distance;
    }

    /// The fifth, if there are as many.
    pub(super) fn fifth(&self) -> Option<f64> {
        (self.met >= NEIGHBOUR).then(|| self.smallest[NEIGHBOUR - 1])
    }

    /// Half the ln of the squared distance to the fifth, or to the farthest where there are fewer; NaN where there is none. Equal points
    /// are at the smallest positive number, not at ln 0.
    pub(super) fn ln_distance(&self) -> f64 {
        match self.met.min(NEIGHBOUR) {
            0 => f64::NAN,
            met => 0.5 * ln(self.smallest[met - 1].max(f64::MIN_POSITIVE)),
        }
    }
}

/// Members along one axis, in order.
pub(super) struct SortedAxis {
    order: Vec<(f64, u32)>,
}

impl SortedAxis {
    pub(super) fn new(members: impl Iterator<Item = (f64, u32)>) -> Self {
        let mut order: Vec<(f64, u32)> = members.collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        SortedAxis { order }
    }

    /// Members and their squared distances from a position, nearest first; of two at one distance the lower first.
    fn outwards(&self, at: f64) -> impl Iterator<Item = (f64, u32)> {
        let mut right = self.order.partition_point(|(value, _)| *value < at);
        let mut left = right;
        let square = move |(value, member): (f64, u32)| ((value - at) * (value - at), member);
        std::iter::from_fn(move || {
            let before = left.checked_sub(1).map(|i| square(self.order[i]));
            let after = self.order.get(right).copied().map(square);
            if before.is_some_and(|before| after.is_none_or(|after| before.0 <= after.0)) {
                left -= 1;
                return before;
            }
            right += 1;
            after
        })
    }

    /// Outwards from a position, until no farther member changes anything.
    pub(super) fn walk(&self, at: f64, met: &mut impl Meets) {
        for (square, member) in self.outwards(at) {
            if square >= met.farthest() {
                return;
            }
            met.meet(member as usize, square);
        }
    }
}

/// A k-d tree of a set in the plane: halved along its wider side until few are left.
pub(super) struct PlaneTree {
    /// Members in the order of the leaves.
    order: Vec<u32>,
    /// Their positions.
    positions: Vec<[f64; 2]>,
    nodes: Vec<Branch>,
}

struct Branch {
    /// The range of its members in the order.
    from: usize,
    to: usize,
    /// `None` for a leaf.
    cut: Option<Cut>,
}

/// Where a node is halved. The node of the lower half is the next one.
#[derive(Clone, Copy)]
struct Cut {
    axis: usize,
    at: f64,
    upper_node: usize,
}

/// Members of a leaf, at most.
const LEAF: usize = 8;

impl PlaneTree {
    pub(super) fn new(points: &Matrix, set: &[bool]) -> Self {
        let mut members: Vec<([f64; 2], u32)> =
            (0..set.len()).filter(|&i| set[i]).map(|i| (in_plane(points, i), i as u32)).collect();
        let mut nodes = Vec::new();
        grow(&mut members, 0, &mut nodes);
        let (positions, order) = members.into_iter().unzip();
        PlaneTree { order, positions, nodes }
    }

    pub(super) fn search(&self, at: [f64; 2], met: &mut impl Meets) {
        if !self.order.is_empty() {
            self.descend(0, at, met);
        }
    }

    fn descend(&self, node: usize, at: [f64; 2], met: &mut impl Meets) {
        let branch = &self.nodes[node];
        let Some(Cut { axis, at: cut, upper_node }) = branch.cut else {
            let mut squares = [0.0; LEAF];
            squares_in_plane(&self.positions[branch.from..branch.to], at, &mut squares);
            for (j, square) in self.order[branch.from..branch.to].iter().zip(squares) {
                if square < met.farthest() {
                    met.meet(*j as usize, square);
                }
            }
            return;
        };
        let beyond = at[axis] - cut;
        let (near, far) = if beyond < 0.0 { (node + 1, upper_node) } else { (upper_node, node + 1) };
        self.descend(near, at, met);
        // Rounding is monotone: no square of a distance across the cut is below the cut's own.
        if beyond * beyond < met.farthest() {
            self.descend(far, at, met);
        }
    }
}

/// Adds the nodes of these members; `from` is the place of the first of them in the order of leaves.
fn grow(members: &mut [([f64; 2], u32)], from: usize, nodes: &mut Vec<Branch>) {
    let node = nodes.len();
    nodes.push(Branch { from, to: from + members.len(), cut: None });
    if members.len() <= LEAF {
        return;
    }
    let spread = |axis: usize| {
        let values = members.iter().map(|(position, _)| position[axis]);
        values.clone().fold(f64::NEG_INFINITY, f64::max) - values.fold(f64::INFINITY, f64::min)
    };
    let axis = usize::from(spread(1) > spread(0));
    let middle = members.len() / 2;
    members.select_nth_unstable_by(middle, |a, b| a.0[axis].total_cmp(&b.0[axis]).then(a.1.cmp(&b.1)));
    let cut = members[middle].0[axis];
    let (lower, upper) = members.split_at_mut(middle);
    grow(lower, from, nodes);
    nodes[node].cut = Some(Cut { axis, at: cut, upper_node: nodes.len() });
    grow(upper, from + middle, nodes);
}

pub(super) fn in_plane(points: &Matrix, i: usize) -> [f64; 2] {
    let row = points.row(i);
    [f64::from(row[0]), f64::from(row[1])]
}

multiversion! {
    /// Squared distances of positions from one position.
    pub(crate) fn squares_in_plane(positions: &[[f64; 2]], at: [f64; 2], squares: &mut [f64]) = squares_in_plane_kernel
}

#[inline(always)]
fn squares_in_plane_kernel(positions: &[[f64; 2]], at: [f64; 2], squares: &mut [f64]) {
    for (square, position) in squares.iter_mut().zip(positions) {
        let (dx, dy) = (position[0] - at[0], position[1] - at[1]);
        *square = dy.mul_add(dy, dx * dx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::PhiloxStream, scoring::design::split::Half};

    /// Few values make ties and equal points.
    #[test]
    fn every_algorithm_finds_the_same_bits() {
        for (columns, levels) in [(1, 9), (1, 1 << 20), (2, 7), (2, 1 << 20)] {
            let mut rng = PhiloxStream::for_test(columns as u64, levels);
            let n = 300;
            let values = (0..n * columns).map(|_| rng.below(levels) as f32 * 0.37).collect();
            let points = Matrix::new(n, columns, values).unwrap();
            let split = Split {
                half: (0..n).map(|_| if rng.below(2) == 0 { Half::A } else { Half::B }).collect(),
                fold: (0..n).map(|_| rng.below(5) as usize).collect(),
            };
            let rare: Vec<bool> = (0..n).map(|_| rng.below(40) == 0).collect();
            let sets = [(0..n).map(|_| rng.below(3) == 0).collect(), rare, vec![false; n]];
            let rows: Vec<usize> = (0..n).collect();
            let query = || NeighborQuery { rows: &rows, sets: &sets, split: &split };
            let bits = |fifths: &FifthNeighborDistances| {
                fifths.iter().flatten().flatten().map(|value| value.to_bits()).collect::<Vec<_>>()
            };
            assert_eq!(bits(&in_view(&points, &query())), bits(&in_space(&points, &[query()])[0]), "{columns} {levels}");
        }
    }
}
