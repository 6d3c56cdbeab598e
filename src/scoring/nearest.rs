//! Every member's fifth-nearest member of each set, among the other folds: of all, and of its own half.
//!
//! One answer, three ways to it: along an axis from the member's place outwards, in the plane through a tree (Bentley, 1975),
//! in many columns over all distances, each of which is taken once for all questions. A distance is the same chain of fused
//! multiply-adds in each, and none is left out that could be among the five: so the ways agree in every bit.

use super::split::Split;
use crate::numeric::{Matrix, fused::fused, neighbours::Points, special::ln};
use rayon::prelude::*;

const NEIGHBOUR: usize = 5;

/// Members that are looked for.
pub struct Sought<'a> {
    /// Rows (of the points) that take part.
    pub rows: &'a [usize],
    /// Per set, per entry of `rows`: is it in the set?
    pub sets: &'a [Vec<bool>],
    pub split: &'a Split,
}

/// Per member, per set: ln distance to its fifth of the set, in the whole and in its half. NaN where there is none.
pub type Fifths = Vec<[Vec<f64>; 2]>;

/// Of one or two columns, for one question. `points` has one row a member.
pub fn in_view(points: &Matrix, sought: &Sought) -> Fifths {
    match points.columns() {
        1 => by_set(sought, |set| Line::new(points, set), |line, met, i| line.walk(i, met)),
        2 => by_set(sought, |set| Tree::new(points, set), |tree, met, i| tree.search(i, met)),
        _ => {
            let all: Vec<usize> = (0..points.rows()).collect();
            let sought = Sought { rows: &all, ..*sought };
            in_space(points, &[sought]).pop().unwrap_or_default()
        }
    }
}

fn by_set<'p, S: Sync>(
    sought: &Sought,
    build: impl Fn(&[bool]) -> S + 'p,
    search: impl Fn(&S, &mut Met, usize) + Sync + 'p,
) -> Fifths {
    let spaces: Vec<S> = sought.sets.iter().map(|set| build(set)).collect();
    let of = |i: usize| {
        let met: Vec<Met> = spaces
            .iter()
            .map(|space| {
                let mut met = Met::by(i, sought.split);
                search(space, &mut met, i);
                met
            })
            .collect();
        [met.iter().map(|met| met.whole.ln_distance()).collect(), met.iter().map(|met| met.half.ln_distance()).collect()]
    };
    (0..sought.rows.len()).into_par_iter().map(of).collect()
}

/// Members of one question, by place, with what was found of them.
type Found = Vec<(usize, [Vec<f64>; 2])>;

/// Members whose distances are taken in one pass over the columns.
const BESIDE: usize = 8;

/// Of any number of columns, for all questions at once. `points` has one row an image.
pub fn in_space(points: &Matrix, sought: &[Sought]) -> Vec<Fifths> {
    let (n, space) = (points.rows(), Points::new(points));
    // Per question, per image: its place among the members.
    let places: Vec<Vec<Option<u32>>> = sought
        .iter()
        .map(|question| {
            let mut places = vec![None; n];
            question.rows.iter().enumerate().for_each(|(place, &row)| places[row] = Some(place as u32));
            places
        })
        .collect();
    // Per question, per set: its members, as places and as rows.
    let members: Vec<Vec<Vec<(u32, u32)>>> = sought
        .iter()
        .map(|question| {
            let of = |set: &Vec<bool>| (0..set.len()).filter(|&i| set[i]).map(|i| (i as u32, question.rows[i] as u32)).collect();
            question.sets.iter().map(of).collect()
        })
        .collect();
    let blocks: Vec<Vec<Found>> = (0..n.div_ceil(BESIDE))
        .into_par_iter()
        .map_init(
            || vec![0.0; BESIDE * n],
            |distances, block| {
                let from: [usize; BESIDE] = std::array::from_fn(|i| (block * BESIDE + i).min(n - 1));
                space.distances_of(&from, distances);
                let mut found: Vec<Found> = sought.iter().map(|_| vec![]).collect();
                for (lane, row) in (block * BESIDE..n.min((block + 1) * BESIDE)).enumerate() {
                    let distances = &distances[lane * n..(lane + 1) * n];
                    for (((question, places), members), found) in sought.iter().zip(&places).zip(&members).zip(&mut found) {
                        if let Some(place) = places[row] {
                            found.push((place as usize, among_all(question.split, members, place as usize, distances)));
                        }
                    }
                }
                found
            },
        )
        .collect();
    let mut fifths: Vec<Fifths> = sought.iter().map(|question| vec![[vec![], vec![]]; question.rows.len()]).collect();
    for (question, (place, found)) in blocks
        .into_iter()
        .flat_map(|block| block.into_iter().enumerate())
        .flat_map(|(q, all)| all.into_iter().map(move |one| (q, one)))
    {
        fifths[question][place] = found;
    }
    fifths
}

fn among_all(split: &Split, sets: &[Vec<(u32, u32)>], i: usize, distances: &[f64]) -> [Vec<f64>; 2] {
    let of = |set: &Vec<(u32, u32)>| {
        let mut met = Met::by(i, split);
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
    let found: Vec<[f64; 2]> = sets.iter().map(of).collect();
    [0, 1].map(|pool| found.iter().map(|of| of[pool]).collect())
}

/// What one member has met so far of one set.
struct Met<'a> {
    split: &'a Split,
    fold: usize,
    by: usize,
    whole: Nearest,
    half: Nearest,
}

impl<'a> Met<'a> {
    fn by(i: usize, split: &'a Split) -> Self {
        Met { split, fold: split.fold[i], by: i, whole: Nearest::default(), half: Nearest::default() }
    }

    fn meet(&mut self, j: usize, distance: f64) {
        if self.split.fold[j] == self.fold {
            return;
        }
        self.whole.meet(distance);
        if self.split.half[j] == self.split.half[self.by] {
            self.half.meet(distance);
        }
    }

    /// Who is as far as this changes nothing. The half's is never nearer than the whole's.
    fn farthest(&self) -> f64 {
        self.half.smallest[NEIGHBOUR - 1]
    }
}

/// The five smallest squared distances met so far, ascending.
struct Nearest {
    smallest: [f64; NEIGHBOUR],
    met: usize,
}

impl Default for Nearest {
    fn default() -> Self {
        Nearest { smallest: [f64::INFINITY; NEIGHBOUR], met: 0 }
    }
}

impl Nearest {
    fn meet(&mut self, distance: f64) {
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

    /// Half the ln of the squared distance to the fifth, or to the farthest where there are fewer; NaN where there is
    /// none. Equal points are at the smallest positive distance, not at ln 0.
    fn ln_distance(&self) -> f64 {
        match self.met.min(NEIGHBOUR) {
            0 => f64::NAN,
            met => 0.5 * ln(self.smallest[met - 1].max(f64::MIN_POSITIVE)),
        }
    }
}

/// A set along one axis, in order.
struct Line<'a> {
    points: &'a Matrix,
    order: Vec<(f32, u32)>,
}

impl<'a> Line<'a> {
    fn new(points: &'a Matrix, set: &[bool]) -> Self {
        let mut order: Vec<(f32, u32)> = (0..points.rows()).filter(|&i| set[i]).map(|i| (points.values()[i], i as u32)).collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        Line { points, order }
    }

    /// From the member's place outwards, the nearer side first.
    fn walk(&self, i: usize, met: &mut Met) {
        let at = self.points.values()[i];
        let square = |place: usize| {
            let difference = f64::from(self.order[place].0) - f64::from(at);
            difference * difference
        };
        let mut right = self.order.partition_point(|(value, _)| *value < at);
        let mut left = right;
        loop {
            let before = if left > 0 { square(left - 1) } else { f64::INFINITY };
            let after = if right < self.order.len() { square(right) } else { f64::INFINITY };
            if before.min(after) >= met.farthest() {
                return;
            }
            if before <= after {
                left -= 1;
                met.meet(self.order[left].1 as usize, before);
            } else {
                met.meet(self.order[right].1 as usize, after);
                right += 1;
            }
        }
    }
}

/// A set in the plane, halved along its wider side until few are left.
struct Tree {
    /// Members in the order of the leaves, with their places; all members' places by themselves.
    order: Vec<([f64; 2], u32)>,
    places: Vec<[f64; 2]>,
    nodes: Vec<Branch>,
}

struct Branch {
    /// Where its members are in the order.
    from: usize,
    to: usize,
    /// Which side is cut, and where; `None` for a leaf. The lower half is the next node, the upper one is named.
    cut: Option<(usize, f64, usize)>,
}

const LEAF: usize = 8;

impl Tree {
    fn new(points: &Matrix, set: &[bool]) -> Self {
        let place = |i: usize| [f64::from(points.row(i)[0]), f64::from(points.row(i)[1])];
        let order = (0..points.rows()).filter(|&i| set[i]).map(|i| (place(i), i as u32)).collect();
        let mut tree = Tree { order, places: (0..points.rows()).map(place).collect(), nodes: vec![] };
        tree.grow(0, tree.order.len());
        tree
    }

    fn grow(&mut self, from: usize, to: usize) {
        let node = self.nodes.len();
        self.nodes.push(Branch { from, to, cut: None });
        if to - from <= LEAF {
            return;
        }
        let members = &mut self.order[from..to];
        let spread = |axis: usize| {
            let values = members.iter().map(|(place, _)| place[axis]);
            values.clone().fold(f64::NEG_INFINITY, f64::max) - values.fold(f64::INFINITY, f64::min)
        };
        let axis = usize::from(spread(1) > spread(0));
        let middle = members.len() / 2;
        members.select_nth_unstable_by(middle, |a, b| a.0[axis].total_cmp(&b.0[axis]).then(a.1.cmp(&b.1)));
        let (cut, middle) = (members[middle].0[axis], from + middle);
        self.grow(from, middle);
        let upper = self.nodes.len();
        self.grow(middle, to);
        self.nodes[node].cut = Some((axis, cut, upper));
    }

    fn search(&self, i: usize, met: &mut Met) {
        if !self.order.is_empty() {
            self.descend(0, self.places[i], met);
        }
    }

    fn descend(&self, node: usize, at: [f64; 2], met: &mut Met) {
        let branch = &self.nodes[node];
        let Some((axis, cut, upper)) = branch.cut else {
            let leaf = &self.order[branch.from..branch.to];
            let mut squares = [0.0; LEAF];
            squares_in_plane(leaf, at, &mut squares);
            for ((_, j), square) in leaf.iter().zip(squares) {
                if square < met.farthest() {
                    met.meet(*j as usize, square);
                }
            }
            return;
        };
        let beyond = at[axis] - cut;
        let (near, far) = if beyond < 0.0 { (node + 1, upper) } else { (upper, node + 1) };
        self.descend(near, at, met);
        // Rounding is monotone: no square of a distance across the cut is below the cut's own.
        if beyond * beyond < met.farthest() {
            self.descend(far, at, met);
        }
    }
}

fused! { fn squares_in_plane(leaf: &[([f64; 2], u32)], at: [f64; 2], squares: &mut [f64; LEAF]) = squares_in_plane_kernel }

#[inline(always)]
fn squares_in_plane_kernel(leaf: &[([f64; 2], u32)], at: [f64; 2], squares: &mut [f64; LEAF]) {
    for (square, (place, _)) in squares.iter_mut().zip(leaf) {
        let (dx, dy) = (place[0] - at[0], place[1] - at[1]);
        *square = dy.mul_add(dy, dx * dx);
    }
}

/// Per member, by squared distance, its nearest of the other folds, as places among the members; ties by place. `points` of one or
/// two columns, `members` are rows of it. No more than `most`.
pub fn in_order(points: &Matrix, members: &[usize], folds: &[usize], most: usize) -> Vec<Vec<(f64, u32)>> {
    let place = |i: usize| [f64::from(points.row(i)[0]), points.row(i).get(1).map_or(0.0, |value| f64::from(*value))];
    let places: Vec<[f64; 2]> = members.iter().map(|&i| place(i)).collect();
    if points.columns() == 1 {
        return along(&places, folds, most);
    }
    let by = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    let near = |all: &mut Vec<(f64, u32)>, i: usize| {
        let mut squares = vec![0.0; places.len()];
        all_squares_in_plane(&places, places[i], &mut squares);
        all.clear();
        all.extend(squares.iter().enumerate().filter(|(j, _)| folds[*j] != folds[i]).map(|(j, square)| (*square, j as u32)));
        if all.len() > most {
            all.select_nth_unstable_by(most, by);
            all.truncate(most);
        }
        all.sort_unstable_by(by);
        all.clone()
    };
    (0..places.len()).into_par_iter().map_init(Vec::new, near).collect()
}

fn along(places: &[[f64; 2]], folds: &[usize], most: usize) -> Vec<Vec<(f64, u32)>> {
    let mut order: Vec<(f64, u32)> = places.iter().enumerate().map(|(i, place)| (place[0], i as u32)).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let walk = |i: usize| {
        let at = places[i][0];
        let square = |place: usize| order.get(place).map_or(f64::INFINITY, |(value, _)| (value - at) * (value - at));
        let mut right = order.partition_point(|(value, _)| *value < at);
        let mut left = right;
        let mut near = Vec::with_capacity(most);
        while near.len() < most && (left > 0 || right < order.len()) {
            let before = if left > 0 { square(left - 1) } else { f64::INFINITY };
            let after = square(right);
            let (square, j) = if left > 0 && before <= after {
                left -= 1;
                (before, order[left].1)
            } else {
                right += 1;
                (after, order[right - 1].1)
            };
            if folds[j as usize] != folds[i] {
                near.push((square, j));
            }
        }
        near
    };
    (0..places.len()).into_par_iter().map(walk).collect()
}

fused! { fn all_squares_in_plane(places: &[[f64; 2]], at: [f64; 2], squares: &mut [f64]) = all_squares_in_plane_kernel }

#[inline(always)]
fn all_squares_in_plane_kernel(places: &[[f64; 2]], at: [f64; 2], squares: &mut [f64]) {
    for (square, place) in squares.iter_mut().zip(places) {
        let (dx, dy) = (place[0] - at[0], place[1] - at[1]);
        *square = dy.mul_add(dy, dx * dx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::Stream, scoring::split::Half};

    /// Few values make ties and equal points.
    #[test]
    fn every_way_finds_the_same_bits() {
        for (columns, levels) in [(1, 9), (1, 1 << 20), (2, 7), (2, 1 << 20)] {
            let mut dice = Stream::new(columns as u64, levels);
            let n = 300;
            let values = (0..n * columns).map(|_| dice.below(levels) as f32 * 0.37).collect();
            let points = Matrix::new(n, columns, values).unwrap();
            let split = Split {
                half: (0..n).map(|_| if dice.below(2) == 0 { Half::A } else { Half::B }).collect(),
                fold: (0..n).map(|_| dice.below(5) as usize).collect(),
            };
            let rare: Vec<bool> = (0..n).map(|_| dice.below(40) == 0).collect();
            let sets = [(0..n).map(|_| dice.below(3) == 0).collect(), rare, vec![false; n]];
            let rows: Vec<usize> = (0..n).collect();
            let sought = || Sought { rows: &rows, sets: &sets, split: &split };
            let bits = |fifths: &Fifths| fifths.iter().flatten().flatten().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&in_view(&points, &sought())), bits(&in_space(&points, &[sought()])[0]), "{columns} {levels}");
        }
    }
}
