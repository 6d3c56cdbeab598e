//! A neighbour graph made symmetric: an entry wherever one of two points is among the other's neighbours.

use crate::numeric::neighbours::Neighbours;
use rayon::prelude::*;
use std::ops::Range;

/// A sparse symmetric matrix, row by row, columns ascending.
pub(super) struct Graph {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Graph {
    /// `directed` has a value for each neighbour of each point; `join` makes one of the two, 0 where there is none.
    pub(super) fn joined(neighbours: &Neighbours, directed: &[f32], join: impl Fn(f32, f32) -> f32 + Sync) -> Self {
        // Rows are made block by block, so that they are not all held twice.
        const BLOCK: usize = 4096;
        let (n, k) = (neighbours.count(), neighbours.k());
        let incoming = Incoming::new(neighbours, directed);
        let merged = |i: usize| {
            let own = neighbours.of(i).iter().copied().zip(directed[i * k..][..k].iter().copied());
            let mut outgoing: Vec<(u32, f32)> = own.collect();
            outgoing.sort_unstable_by_key(|(j, _)| *j);
            merge(&outgoing, incoming.of(i), &join)
        };
        let mut graph = Graph { starts: vec![0], columns: vec![], values: vec![] };
        for first in (0..n).step_by(BLOCK) {
            crate::numeric::pulse::beat();
            let rows: Vec<Vec<(u32, f32)>> = (first..n.min(first + BLOCK)).into_par_iter().map(merged).collect();
            rows.iter().for_each(|row| graph.push(row));
        }
        graph
    }

    fn push(&mut self, row: &[(u32, f32)]) {
        self.columns.extend(row.iter().map(|(column, _)| *column));
        self.values.extend(row.iter().map(|(_, value)| *value));
        self.starts.push(self.columns.len());
    }

    pub(super) fn points(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn columns(&self) -> &[u32] {
        &self.columns
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Where a row's entries stand among all.
    pub(super) fn entries(&self, i: usize) -> Range<usize> {
        self.starts[i]..self.starts[i + 1]
    }

    /// A row's columns and values.
    pub(super) fn row(&self, i: usize) -> (&[u32], &[f32]) {
        (&self.columns[self.entries(i)], &self.values[self.entries(i)])
    }

    /// Without the entries below `least`.
    pub(super) fn at_least(&self, least: f32) -> Graph {
        let mut graph = Graph { starts: vec![0], columns: vec![], values: vec![] };
        for i in 0..self.points() {
            let (columns, values) = self.row(i);
            let entries = columns.iter().copied().zip(values.iter().copied());
            graph.push(&entries.filter(|(_, value)| *value >= least).collect::<Vec<_>>());
        }
        graph
    }

    /// With each value made anew from row, column and value.
    pub(super) fn mapped(&self, value: impl Fn(usize, usize, f32) -> f32) -> Graph {
        let of_row = |i: usize| {
            let (columns, values) = self.row(i);
            let value = &value;
            columns.iter().zip(values).map(move |(j, old)| value(i, *j as usize, *old))
        };
        let values = (0..self.points()).flat_map(of_row).collect();
        Graph { starts: self.starts.clone(), columns: self.columns.clone(), values }
    }

    /// With points in another order: the i-th is then what was `order[i]`.
    pub(super) fn reordered(&self, order: &[u32]) -> Graph {
        let mut place = vec![0u32; order.len()];
        order.iter().enumerate().for_each(|(i, old)| place[*old as usize] = i as u32);
        let mut graph = Graph { starts: vec![0], columns: vec![], values: vec![] };
        for old in order {
            let (columns, values) = self.row(*old as usize);
            let mut row: Vec<(u32, f32)> =
                columns.iter().zip(values).map(|(column, value)| (place[*column as usize], *value)).collect();
            row.sort_unstable_by_key(|(column, _)| *column);
            graph.push(&row);
        }
        graph
    }

    /// How many parts have no entry between them.
    pub(super) fn components(&self) -> usize {
        let mut met = vec![false; self.points()];
        let (mut count, mut open) = (0, vec![]);
        for start in 0..self.points() {
            if met[start] {
                continue;
            }
            count += 1;
            met[start] = true;
            open.push(start);
            while let Some(i) = open.pop() {
                for j in self.row(i).0 {
                    if !std::mem::replace(&mut met[*j as usize], true) {
                        open.push(*j as usize);
                    }
                }
            }
        }
        count
    }
}

/// Who has each point among its neighbours, in order.
struct Incoming {
    starts: Vec<usize>,
    from: Vec<(u32, f32)>,
}

impl Incoming {
    fn new(neighbours: &Neighbours, directed: &[f32]) -> Self {
        let (n, k) = (neighbours.count(), neighbours.k());
        let mut starts = vec![0usize; n + 1];
        for i in 0..n {
            neighbours.of(i).iter().for_each(|j| starts[*j as usize + 1] += 1);
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut from: Vec<(u32, f32)> = vec![(0, 0.0); n * k];
        for i in 0..n {
            for (j, value) in neighbours.of(i).iter().zip(&directed[i * k..]) {
                let place = &mut next[*j as usize];
                from[*place] = (i as u32, *value);
                *place += 1;
            }
        }
        Incoming { starts, from }
    }

    fn of(&self, i: usize) -> &[(u32, f32)] {
        &self.from[self.starts[i]..self.starts[i + 1]]
    }
}

fn merge(a: &[(u32, f32)], b: &[(u32, f32)], join: impl Fn(f32, f32) -> f32) -> Vec<(u32, f32)> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut row = Vec::with_capacity(a.len() + b.len());
    while let Some(next) = [a.peek(), b.peek()].into_iter().flatten().map(|(j, _)| *j).min() {
        let p = a.next_if(|(j, _)| *j == next).map_or(0.0, |(_, value)| *value);
        let q = b.next_if(|(j, _)| *j == next).map_or(0.0, |(_, value)| *value);
        row.push((next, join(p, q)));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{Matrix, neighbours::NeighbourMetric};

    #[test]
    fn an_entry_is_there_for_both_and_parts_are_counted() {
        let matrix = Matrix::new(6, 1, vec![0.0, 1.0, 3.0, 100.0, 101.0, 103.0]).unwrap();
        let neighbours = Neighbours::exact(&matrix, 1, NeighbourMetric::Euclidean).unwrap();
        let graph = Graph::joined(&neighbours, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0], |p, q| p + q);
        assert_eq!(graph.row(0), (&[1][..], &[3.0][..]));
        assert_eq!(graph.row(1), (&[0, 2][..], &[3.0, 4.0][..]));
        assert_eq!(graph.components(), 2);
        let reversed = graph.at_least(4.0).reordered(&[5, 4, 3, 2, 1, 0]);
        assert_eq!(reversed.row(4), (&[3][..], &[4.0][..]));
        assert_eq!(reversed.row(5).0.len(), 0);
    }
}
