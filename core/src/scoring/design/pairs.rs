//! The pairs of classes of a question, each as two sets of members.

use crate::domain::membership::Members;

/// Sets of members whose distances are asked for, and the pairs of them that are held against each other.
pub struct Pairs {
    pub sets: Vec<Vec<bool>>,
    pub pairs: Vec<(usize, usize)>,
}

impl Pairs {
    /// Every pair of classes, on exclusive members; sets that are equal are kept once.
    pub fn new(members: &Members) -> Self {
        let mut sets: Vec<Vec<bool>> = Vec::new();
        let mut place = |set: Vec<bool>| {
            sets.iter().position(|other| *other == set).unwrap_or_else(|| {
                sets.push(set);
                sets.len() - 1
            })
        };
        let classes = members.classes.len();
        let pairs = (0..classes).flat_map(|p| (p + 1..classes).map(move |q| (p, q)));
        let pairs = pairs.map(|(p, q)| (place(members.exclusive(p, q)), place(members.exclusive(q, p)))).collect();
        Pairs { sets, pairs }
    }
}
