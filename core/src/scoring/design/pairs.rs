//! The pairs of classes of a question, each as two sets of members.

use crate::domain::membership::Members;

/// Sets of members whose distances are wanted, and the pairs of sets that are compared.
pub(crate) struct ClassPairs {
    /// Per set, per member: is it in the set?
    pub sets: Vec<Vec<bool>>,
    /// Two indices into `sets`: the first class and the second.
    pub pairs: Vec<(usize, usize)>,
}

impl ClassPairs {
    /// Every pair of classes, of the members that are in exactly one of the two. Equal sets are kept once.
    pub(crate) fn new(members: &Members) -> Self {
        let mut sets: Vec<Vec<bool>> = Vec::new();
        let mut index_of = |set: Vec<bool>| {
            sets.iter().position(|other| *other == set).unwrap_or_else(|| {
                sets.push(set);
                sets.len() - 1
            })
        };
        let classes = members.classes.len();
        let pairs = (0..classes).flat_map(|p| (p + 1..classes).map(move |q| (p, q)));
        let pairs = pairs.map(|(p, q)| (index_of(members.exclusive(p, q)), index_of(members.exclusive(q, p)))).collect();
        ClassPairs { sets, pairs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(classes: &[&[bool]]) -> Members {
        let rows = (0..classes[0].len()).collect();
        Members { rows, classes: classes.iter().map(|class| class.to_vec()).collect(), ..Members::default() }
    }

    #[test]
    fn three_classes_make_three_pairs_of_members_in_one_class_alone() {
        // The last member is in the first class and the second.
        let pairs =
            ClassPairs::new(&members(&[&[true, false, false, true], &[false, true, false, true], &[false, false, true, false]]));
        assert_eq!(pairs.pairs.len(), 3);
        let (first, second) = pairs.pairs[0];
        assert_eq!(pairs.sets[first], [true, false, false, false]);
        assert_eq!(pairs.sets[second], [false, true, false, false]);
    }

    #[test]
    fn a_set_that_two_pairs_share_is_kept_once() {
        let pairs = ClassPairs::new(&members(&[&[true, false, false], &[false, true, false], &[false, false, true]]));
        assert_eq!((pairs.sets.len(), pairs.pairs.len()), (3, 3));
    }
}
