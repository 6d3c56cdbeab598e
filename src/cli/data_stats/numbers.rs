//! What `data stats` counts: frequencies, how far attributes go together, and sizes of identities. Pure.

use std::collections::BTreeMap;
use visavis_core::{
    dataset::Collection,
    domain::image::Column,
    scoring::{BinaryLabels, CooccurrenceTable, quantile, sizes_by_doubling},
};

/// An attribute with more values than this is not counted by value.
const MOST_VALUES: usize = 24;

/// The shares at which sizes and quantities are told.
pub(super) const SHARES: [f64; 7] = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];

/// How often a binary attribute, or one value of another, occurs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LabelCount {
    pub attribute: String,
    /// `None`: the attribute is binary.
    pub value: Option<String>,
    pub positives: usize,
    /// Images that have a label of the attribute.
    pub n: usize,
}

impl LabelCount {
    /// `Male`, `race=White`.
    pub(super) fn name(&self) -> String {
        match &self.value {
            Some(value) => format!("{}={value}", self.attribute),
            None => self.attribute.clone(),
        }
    }

    pub(super) fn share(&self) -> f64 {
        self.positives as f64 / self.n.max(1) as f64
    }
}

/// An attribute with many values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ManyValues {
    pub attribute: String,
    pub n: usize,
    pub values: usize,
    /// Quantiles at [`SHARES`], where all values are numbers.
    pub quantiles: Option<[f64; 7]>,
}

/// How many images each identity, or each class, has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GroupSizes {
    /// `identity` or `class`.
    pub of: &'static str,
    /// Quantiles at [`SHARES`].
    pub quantiles: [usize; 7],
    /// From, to, how many.
    pub ranges: Vec<(usize, usize, usize)>,
}

pub(super) struct LabelStatistics {
    /// The most frequent first.
    pub counts: Vec<LabelCount>,
    pub many_values: Vec<ManyValues>,
    /// What the heat map is of: binary attributes, and values of others.
    pub names: Vec<String>,
    /// By (row, column), column < row; none of two values of one attribute.
    pub pairs: BTreeMap<(usize, usize), CooccurrenceTable>,
    pub sizes: Option<GroupSizes>,
}

impl LabelStatistics {
    pub(super) fn of(set: &Collection) -> Self {
        let labels_of = |column: &Column| -> Vec<Option<String>> {
            column.aligned_to(set.ids.iter().map(String::as_str)).into_iter().map(|value| value.map(str::to_owned)).collect()
        };
        let (mut counts, mut many_values, mut binaries) = (vec![], vec![], vec![]);
        for (attribute, column) in set.labels.iter() {
            let labels = labels_of(column);
            let n = labels.iter().flatten().count();
            let mut by_value: BTreeMap<&str, usize> = BTreeMap::new();
            labels.iter().flatten().for_each(|value| *by_value.entry(value).or_default() += 1);
            if by_value.len() > MOST_VALUES {
                many_values.push(quantity(attribute, &labels, by_value.len()));
                continue;
            }
            let is_binary = column.is_binary();
            let values: Vec<&str> = if is_binary { vec!["1"] } else { by_value.keys().copied().collect() };
            for (place, value) in values.iter().enumerate() {
                let positives = by_value.get(value).copied().unwrap_or(0);
                let value_named = (!is_binary).then(|| (*value).to_owned());
                let count = LabelCount { attribute: attribute.to_owned(), value: value_named, positives, n };
                // Of two values, one says all that the other does.
                if is_binary || values.len() > 2 || (values.len() == 2 && place == 0) {
                    let bits = labels.iter().map(|label| label.as_deref().map(|label| label == *value));
                    binaries.push((attribute.to_owned(), count.name(), bits.collect::<BinaryLabels>()));
                }
                counts.push(count);
            }
        }
        counts.sort_by(|one, other| other.share().total_cmp(&one.share()).then_with(|| one.name().cmp(&other.name())));
        let mut pairs = BTreeMap::new();
        for (row, (attribute, _, first)) in binaries.iter().enumerate() {
            for (column, (other, _, second)) in binaries[..row].iter().enumerate() {
                if attribute != other {
                    pairs.insert((row, column), CooccurrenceTable::of(first, second));
                }
            }
        }
        let names = binaries.into_iter().map(|(_, name, _)| name).collect();
        LabelStatistics { counts, many_values, names, pairs, sizes: group_sizes(set) }
    }

    pub(super) fn phi(&self, row: usize, column: usize) -> Option<f64> {
        self.pairs.get(&(row, column))?.phi()
    }

    /// The pairs that go together most or least, the strongest first.
    pub(super) fn strongest(&self, most: usize) -> Vec<((usize, usize), f64, CooccurrenceTable)> {
        let known = |(pair, table): (&(usize, usize), &CooccurrenceTable)| Some((*pair, table.phi()?, *table));
        let mut all: Vec<_> = self.pairs.iter().filter_map(known).collect();
        all.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then(one.0.cmp(&other.0)));
        all.truncate(most);
        all
    }
}

fn quantity(attribute: &str, labels: &[Option<String>], values: usize) -> ManyValues {
    let numbers: Option<Vec<f64>> =
        labels.iter().flatten().map(|value| value.parse().ok().filter(|number: &f64| number.is_finite())).collect();
    let quantiles = numbers.filter(|numbers| !numbers.is_empty()).map(|mut numbers| {
        numbers.sort_by(f64::total_cmp);
        let places: Vec<usize> = (0..numbers.len()).collect();
        SHARES.map(|share| numbers[quantile(&places, share).unwrap_or(0)])
    });
    ManyValues { attribute: attribute.to_owned(), n: labels.iter().flatten().count(), values, quantiles }
}

/// Sizes of identities; of classes, where identities are not known.
fn group_sizes(set: &Collection) -> Option<GroupSizes> {
    let (of, column) = match (&set.identities, &set.classes) {
        (Some(identities), _) => ("identity", identities),
        (None, Some(classes)) => ("class", classes),
        (None, None) => return None,
    };
    let mut by_group: BTreeMap<&str, usize> = BTreeMap::new();
    let groups = column.aligned_to(set.ids.iter().map(String::as_str));
    groups.into_iter().flatten().for_each(|group| *by_group.entry(group).or_default() += 1);
    let mut sizes: Vec<usize> = by_group.into_values().collect();
    sizes.sort_unstable();
    sizes.last()?;
    let quantiles = SHARES.map(|share| quantile(&sizes, share).unwrap_or(0));
    Some(GroupSizes { of, quantiles, ranges: sizes_by_doubling(&sizes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::cli::data_stats) fn set() -> Collection {
        let ids: Vec<String> = (0..30).map(|i| format!("{i:02}")).collect();
        let column = |value: &dyn Fn(usize) -> Option<String>| -> Column {
            ids.iter().enumerate().filter_map(|(i, id)| Some((id.clone(), value(i)?))).collect()
        };
        let mut set = Collection { ids: ids.clone(), ..Collection::default() };
        set.labels.insert("Male".to_owned(), column(&|i| Some(u8::from(i % 2 == 0).to_string())));
        set.labels.insert("Beard".to_owned(), column(&|i| (i < 20).then(|| u8::from(i % 4 == 0).to_string())));
        set.labels.insert("race".to_owned(), column(&|i| Some(["White", "Black", "Asian"][i % 3].to_owned())));
        set.labels.insert("age".to_owned(), column(&|i| Some((i + 1).to_string())));
        set.identities = Some(column(&|i| Some(format!("p{}", i.min(4)))));
        set
    }

    #[test]
    fn labels_are_counted_the_most_frequent_first() {
        let found = LabelStatistics::of(&set());
        let counts: Vec<String> = found.counts.iter().map(|of| format!("{} {}/{}", of.name(), of.positives, of.n)).collect();
        assert_eq!(counts, ["Male 15/30", "race=Asian 10/30", "race=Black 10/30", "race=White 10/30", "Beard 5/20"]);
        let age = &found.many_values[0];
        assert_eq!((age.values, age.quantiles), (30, Some([1.0, 2.0, 8.0, 15.0, 23.0, 29.0, 30.0])));
    }

    #[test]
    fn pairs_are_of_images_with_both_labels_and_of_two_attributes() {
        let found = LabelStatistics::of(&set());
        assert_eq!(found.names, ["Beard", "Male", "race=Asian", "race=Black", "race=White"]);
        // Of the first twenty: five bearded men, five men without, ten women without.
        let expected = CooccurrenceTable { both: 5, first_only: 5, second_only: 0, neither: 10 };
        assert_eq!(found.pairs[&(1, 0)], expected);
        assert!((found.phi(1, 0).unwrap() - (1.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(found.pairs.len(), 1 + 3 * 2, "no pair of two races");
        assert_eq!(found.strongest(1)[0].0, (1, 0));
    }

    #[test]
    fn sizes_of_identities_are_counted() {
        let sizes = LabelStatistics::of(&set()).sizes.unwrap();
        assert_eq!((sizes.of, sizes.quantiles), ("identity", [1, 1, 1, 1, 1, 26, 26]));
        assert_eq!(sizes.ranges, [(1, 1, 4), (2, 2, 0), (3, 4, 0), (5, 8, 0), (9, 16, 0), (17, 32, 1)]);
    }
}
