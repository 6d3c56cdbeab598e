//! Identities that two sets have in common, by name.

use std::collections::BTreeSet;

/// Names that occur in two sets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SharedNames<'a> {
    /// Names that say who somebody is, such as `n000001` and `Aaron_Eckhart`.
    pub named: Vec<&'a str>,
    /// Plain numbers: each set may count its own identities.
    pub numbers: Vec<&'a str>,
}

impl<'a> SharedNames<'a> {
    /// What is in both, in order.
    pub fn of(one: &BTreeSet<&'a str>, other: &BTreeSet<&str>) -> Self {
        let is_number = |name: &&str| name.bytes().all(|byte| byte.is_ascii_digit());
        let (numbers, named) = one.iter().copied().filter(|name| other.contains(name)).partition(is_number);
        SharedNames { named, numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart_from_names() {
        let one = BTreeSet::from(["17", "Ann", "Bob", "n000001", "3"]);
        let other = BTreeSet::from(["n000001", "Bob", "17", "bob", "4"]);
        let shared = SharedNames::of(&one, &other);
        assert_eq!((shared.named, shared.numbers), (vec!["Bob", "n000001"], vec!["17"]));
    }
}
