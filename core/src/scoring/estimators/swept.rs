//! The fifth-nearest of every set, for many images: one pass over all pairs ([`sweep`]) for all questions at once. A pair of which a lower bound
//! says that it is beyond the fifth of every set it counts in is left out; what remains, some ten images a set, is measured as distances
//! are defined. So the answers are those of [`nearest::in_space`](super::nearest::in_space) in every bit.
//!
//! In a set of few members a fifth neighbour is far away, and little would be left out: distances to these are all measured.

use super::nearest::{FifthNeighborDistances, Nearest, NeighborQuery};
use crate::{
    numeric::{
        Matrix,
        neighbours::{CHAINS, squared_distances},
        sweep::{BLOCK, F32Bounds, Hit, Near, sweep},
    },
    scoring::design::split::Half,
};
use rayon::prelude::*;
use std::sync::Mutex;

/// A set of fewer members is measured whole.
const RARE: usize = 400;
/// Sets of all questions together, at most.
pub(super) const MOST_SETS: usize = 64;
/// Whether an image takes part in a question: fold and half as one number, or this.
const NO_MEMBER: u8 = u8::MAX;

/// For all questions; no more than [`MOST_SETS`] sets in all. `points` has one row an image.
pub(super) fn by_sweep(points: &Matrix, queries: &[NeighborQuery]) -> Vec<FifthNeighborDistances> {
    by_sweep_with(points, queries, RARE)
}

fn by_sweep_with(points: &Matrix, queries: &[NeighborQuery], rare: usize) -> Vec<FifthNeighborDistances> {
    let bounds = F32Bounds::new(points);
    let sets = SetMembership::new(points.rows(), queries, rare);
    let block = |block: usize| {
        let images = block * BLOCK..points.rows().min((block + 1) * BLOCK);
        Mutex::new(images.map(|image| Candidates::new(&sets, image)).collect::<Vec<_>>())
    };
    let states = (0..points.rows().div_ceil(BLOCK)).map(block).collect();
    let gather = Gather { points, bounds: &bounds, sets: &sets, states };
    sweep(&bounds, &gather);

    let Gather { states, .. } = &gather;
    let of_block = |(block, state): (usize, &Mutex<Vec<Candidates>>)| -> Vec<Vec<Nearest>> {
        crate::numeric::pulse::beat();
        let mut state = state.lock().expect("no panic while gathering");
        let of_image = |(place, candidates): (usize, Candidates)| gather.finish(block * BLOCK + place, candidates);
        state.drain(..).enumerate().map(of_image).collect()
    };
    let found: Vec<Vec<Vec<Nearest>>> = states.par_iter().enumerate().map(of_block).collect();
    let of_query = |(query, first): (&NeighborQuery, &usize)| {
        let of_member = |row: &usize| {
            let nearest = &found[row / BLOCK][row % BLOCK];
            [0, 1].map(|pool| {
                let lists = (*first..first + query.sets.len()).map(|set| &nearest[2 * set + pool]);
                lists.map(Nearest::ln_distance).collect()
            })
        };
        query.rows.iter().map(of_member).collect()
    };
    queries.iter().zip(&sets.first).map(of_query).collect()
}

/// Which image is in which set. A *list* is what one image looks for: of set s, among all (2 s) and in its own half (2 s + 1).
struct SetMembership {
    queries: usize,
    /// By image and question: fold and half, or [`NO_MEMBER`].
    places: Vec<u8>,
    /// By image: a bit for each set that is swept, and for each that is rare.
    swept: Vec<u64>,
    rare: Vec<u64>,
    /// By question, the number of its first set; then that of all sets.
    first: Vec<usize>,
    /// By set.
    is_rare: Vec<bool>,
    /// Images that are in a rare set.
    in_rare: Vec<u32>,
}

impl SetMembership {
    fn new(images: usize, queries: &[NeighborQuery], rare: usize) -> Self {
        let first = (0..=queries.len()).map(|q| queries[..q].iter().map(|query| query.sets.len()).sum()).collect();
        let mut found = SetMembership {
            queries: queries.len(),
            places: vec![NO_MEMBER; images * queries.len()],
            swept: vec![0; images],
            rare: vec![0; images],
            first,
            is_rare: vec![],
            in_rare: vec![],
        };
        for (q, query) in queries.iter().enumerate() {
            for (member, &row) in query.rows.iter().enumerate() {
                let half = u8::from(query.split.half[member] == Half::B);
                found.places[row * queries.len() + q] = query.split.fold[member] as u8 * 2 + half;
            }
            for set in query.sets {
                let bit = 1 << found.is_rare.len();
                let is_rare = set.iter().filter(|of| **of).count() < rare;
                found.is_rare.push(is_rare);
                let masks = if is_rare { &mut found.rare } else { &mut found.swept };
                query.rows.iter().zip(set).filter(|(_, of)| **of).for_each(|(&row, _)| masks[row] |= bit);
            }
        }
        found.in_rare = (0..images as u32).filter(|image| found.rare[*image as usize] != 0).collect();
        found
    }

    fn lists(&self) -> usize {
        2 * self.is_rare.len()
    }

    /// The lists of an image that another one counts in, by the other's sets.
    #[inline(always)]
    fn each_list(&self, image: usize, other: usize, sets: u64, mut list: impl FnMut(usize)) {
        let places = |image: usize| &self.places[image * self.queries..][..self.queries];
        for ((q, own), its) in places(image).iter().enumerate().zip(places(other)) {
            // Of another fold.
            if *own == NO_MEMBER || *its == NO_MEMBER || own / 2 == its / 2 {
                continue;
            }
            let mut bits = sets >> self.first[q] & ((1 << (self.first[q + 1] - self.first[q])) - 1);
            while bits != 0 {
                let set = self.first[q] + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                list(2 * set);
                if own % 2 == its % 2 {
                    list(2 * set + 1);
                }
            }
        }
    }
}

/// The candidates of one image for all its lists.
struct Candidates {
    /// Lower bounds and images.
    open: Vec<(f32, u32)>,
    /// By list: no image with a lower bound above it counts.
    limits: Box<[f32]>,
    /// The greatest of them.
    limit: f32,
    /// By list: what was measured. Empty before anything was.
    measured: Vec<Nearest>,
}

impl Candidates {
    fn new(sets: &SetMembership, image: usize) -> Self {
        let mut limits = vec![f32::NEG_INFINITY; sets.lists()].into_boxed_slice();
        for q in (0..sets.queries).filter(|q| sets.places[image * sets.queries + q] != NO_MEMBER) {
            for set in (sets.first[q]..sets.first[q + 1]).filter(|set| !sets.is_rare[*set]) {
                limits[2 * set..2 * set + 2].fill(f32::MAX);
            }
        }
        let limit = greatest(&limits);
        Candidates { open: vec![], limits, limit, measured: vec![] }
    }
}

fn greatest(limits: &[f32]) -> f32 {
    limits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

struct Gather<'a> {
    points: &'a Matrix,
    bounds: &'a F32Bounds,
    sets: &'a SetMembership,
    states: Vec<Mutex<Vec<Candidates>>>,
}

impl Near for Gather<'_> {
    fn limits(&self, block: usize, limits: &mut [f32]) {
        let state = self.states[block].lock().expect("no panic while gathering");
        limits.iter_mut().zip(state.iter()).for_each(|(limit, candidates)| *limit = candidates.limit);
    }

    fn take(&self, block: usize, hits: &[Hit]) {
        let mut state = self.states[block].lock().expect("no panic while gathering");
        for hit in hits {
            let place = usize::from(hit.place);
            self.meet(block * BLOCK + place, hit.other, hit.bound, &mut state[place]);
        }
    }
}

impl Gather<'_> {
    fn room(&self) -> usize {
        32 + 8 * self.sets.lists()
    }

    fn is_wanted(&self, image: usize, other: u32, bound: f32, limits: &[f32]) -> bool {
        let mut wanted = false;
        let other = other as usize;
        self.sets.each_list(image, other, self.sets.swept[other], |list| wanted |= bound <= limits[list]);
        wanted
    }

    fn meet(&self, image: usize, other: u32, bound: f32, candidates: &mut Candidates) {
        if bound > candidates.limit || !self.is_wanted(image, other, bound, &candidates.limits) {
            return;
        }
        if candidates.open.capacity() == 0 {
            candidates.open.reserve_exact(self.room());
        }
        candidates.open.push((bound, other));
        if candidates.open.len() >= self.room() {
            self.prune(image, candidates);
            // Many candidates at one distance (equal images, say) are measured now, so that they take no more room.
            if candidates.open.len() > self.room() / 2 {
                self.measure(image, candidates);
            }
        }
    }

    /// Lowers each list's limit to its fifth smallest upper bound, and forgets what lies above all limits.
    fn prune(&self, image: usize, candidates: &mut Candidates) {
        let Candidates { open, limits, limit, .. } = candidates;
        let mut smallest = vec![Nearest::default(); self.sets.lists()];
        let own = self.bounds.slack(image);
        for &(bound, other) in open.iter() {
            let upper = f64::from(bound + (own + self.bounds.slack(other as usize)));
            self.sets.each_list(image, other as usize, self.sets.swept[other as usize], |list| smallest[list].meet(upper));
        }
        for (limit, smallest) in limits.iter_mut().zip(&smallest) {
            if let Some(fifth) = smallest.fifth() {
                // It was an `f32` before.
                *limit = limit.min(fifth as f32);
            }
        }
        *limit = greatest(limits);
        open.retain(|(bound, other)| self.is_wanted(image, *other, *bound, limits));
    }

    /// Measures the distances of open candidates, and lowers the limits to the fifth of those.
    fn measure(&self, image: usize, candidates: &mut Candidates) {
        let Candidates { open, limits, limit, measured } = candidates;
        measured.resize(self.sets.lists(), Nearest::default());
        self.meet_all(image, open.iter().map(|(_, other)| *other), &self.sets.swept, measured);
        open.clear();
        for (limit, nearest) in limits.iter_mut().zip(measured.iter()) {
            if let Some(fifth) = nearest.fifth() {
                // Nothing is nearer than 0.
                *limit = limit.min(if fifth == 0.0 { f32::NEG_INFINITY } else { self.bounds.above(fifth) });
            }
        }
        *limit = greatest(limits);
    }

    /// By their distances as defined.
    fn meet_all(&self, image: usize, others: impl Iterator<Item = u32>, sets: &[u64], nearest: &mut [Nearest]) {
        let own = self.points.row(image);
        let mut others = others.peekable();
        while others.peek().is_some() {
            let group: Vec<u32> = others.by_ref().take(CHAINS).collect();
            // A group that is not full is filled with the image itself.
            let rows: [&[f32]; CHAINS] =
                std::array::from_fn(|i| group.get(i).map_or(own, |other| self.points.row(*other as usize)));
            let mut squares = [0.0; CHAINS];
            squared_distances(own, &rows, &mut squares);
            for (other, square) in group.iter().zip(squares) {
                let other = *other as usize;
                self.sets.each_list(image, other, sets[other], |list| nearest[list].meet(square));
            }
        }
    }

    /// The nearest by list.
    fn finish(&self, image: usize, mut candidates: Candidates) -> Vec<Nearest> {
        self.prune(image, &mut candidates);
        self.measure(image, &mut candidates);
        let mut nearest = candidates.measured;
        self.meet_all(image, self.sets.in_rare.iter().copied(), &self.sets.rare, &mut nearest);
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        numeric::PhiloxStream,
        scoring::{design::split::Split, estimators::nearest::by_trying_all},
    };

    #[test]
    fn fifths_are_those_of_trying_all_whatever_is_rare() {
        for (n, columns, levels) in [(500, 3, 1 << 20), (700, 5, 3), (450, 40, 1 << 20)] {
            let mut rng = PhiloxStream::for_test(n as u64, levels);
            let points = Matrix::new(n, columns, (0..n * columns).map(|_| rng.below(levels) as f32 * 0.37).collect()).unwrap();
            // One question is about all images, one about two in three, one about few.
            let rows: [Vec<usize>; 3] =
                [(0..n).collect(), (0..n).filter(|i| i % 3 != 1).collect(), (0..n).filter(|i| i % 40 == 7).collect()];
            let splits = rows.each_ref().map(|rows| Split {
                half: rows.iter().map(|_| if rng.below(2) == 0 { Half::A } else { Half::B }).collect(),
                fold: rows.iter().map(|_| rng.below(5) as usize).collect(),
            });
            let sets = rows.each_ref().map(|rows| {
                let mut drawn = |share: u64| rows.iter().map(|_| rng.below(share) == 0).collect::<Vec<bool>>();
                let first = drawn(2);
                vec![first.iter().map(|of| !of).collect(), first, drawn(20), vec![false; rows.len()]]
            });
            let queries: Vec<NeighborQuery> =
                (0..3).map(|q| NeighborQuery { rows: &rows[q], sets: &sets[q], split: &splits[q] }).collect();
            let bits = |fifths: &[FifthNeighborDistances]| {
                fifths.iter().flatten().flatten().flatten().map(|value| value.to_bits()).collect::<Vec<_>>()
            };
            let known = bits(&by_trying_all(&points, &queries));
            for rare in [0, 60, RARE, 10_000] {
                assert!(bits(&by_sweep_with(&points, &queries, rare)) == known, "{n} {columns} {levels} {rare}");
            }
        }
    }
}
