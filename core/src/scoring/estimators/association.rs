//! How far two binary attributes go together: their table of counts and the φ coefficient (Yule 1912), over the images that have both
//! labels.

/// One binary attribute of n images, one bit an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BinaryLabels {
    known: Vec<u64>,
    positive: Vec<u64>,
}

/// From the label of each image; `None` is a missing one.
impl FromIterator<Option<bool>> for BinaryLabels {
    fn from_iter<T: IntoIterator<Item = Option<bool>>>(labels: T) -> Self {
        let mut made = BinaryLabels::default();
        for (row, label) in labels.into_iter().enumerate() {
            if row % 64 == 0 {
                made.known.push(0);
                made.positive.push(0);
            }
            made.known[row / 64] |= u64::from(label.is_some()) << (row % 64);
            made.positive[row / 64] |= u64::from(label == Some(true)) << (row % 64);
        }
        made
    }
}

/// How many images have which labels of two attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CooccurrenceTable {
    /// Both attributes.
    pub both: usize,
    /// The first alone.
    pub first_only: usize,
    /// The second alone.
    pub second_only: usize,
    /// Neither.
    pub neither: usize,
}

impl CooccurrenceTable {
    /// Counts images that have both labels. Both lists are of the same images, in the same order.
    pub fn of(first: &BinaryLabels, second: &BinaryLabels) -> Self {
        let mut table = CooccurrenceTable::default();
        let firsts = first.known.iter().zip(&first.positive);
        let seconds = second.known.iter().zip(&second.positive);
        for ((known, one), (also_known, other)) in firsts.zip(seconds) {
            let shared = known & also_known;
            let count = |bits: u64| (bits & shared).count_ones() as usize;
            table.both += count(one & other);
            table.first_only += count(one & !other);
            table.second_only += count(!one & other);
            table.neither += count(!one & !other);
        }
        table
    }

    /// Images that have both labels.
    pub fn n(&self) -> usize {
        self.both + self.first_only + self.second_only + self.neither
    }

    /// The φ coefficient, from −1 to 1: the correlation of the two attributes as 0 and 1. `None` where one of them has one value only.
    pub fn phi(&self) -> Option<f64> {
        let [both, first_only, second_only, neither] =
            [self.both, self.first_only, self.second_only, self.neither].map(|count| count as f64);
        let margins = [both + first_only, second_only + neither, both + second_only, first_only + neither];
        let product = |pair: [f64; 2]| (pair[0] * pair[1]).sqrt();
        let scale = product([margins[0], margins[1]]) * product([margins[2], margins[3]]);
        (scale > 0.0).then(|| ((both * neither - first_only * second_only) / scale).clamp(-1.0, 1.0))
    }
}

/// Values of sorted sizes: the smallest size that at least this share of all do not exceed (the inverse of the distribution function).
/// `None` where there is no size.
pub fn quantile(sorted: &[usize], share: f64) -> Option<usize> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// How many sizes are in each of the ranges 1, 2, 3–4, 5–8, 9–16 and so on, to the range of the greatest: (from, to, how many).
pub fn sizes_by_doubling(sizes: &[usize]) -> Vec<(usize, usize, usize)> {
    let greatest = sizes.iter().copied().max().unwrap_or(0);
    let mut ranges = Vec::new();
    let (mut from, mut to) = (1, 1);
    while from <= greatest {
        ranges.push((from, to, sizes.iter().filter(|size| (from..=to).contains(*size)).count()));
        (from, to) = (to + 1, 2 * to);
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: [[usize; 2]; 2]) -> CooccurrenceTable {
        let [[neither, second_only], [first_only, both]] = cells;
        CooccurrenceTable { both, first_only, second_only, neither }
    }

    /// NumPy 2, `corrcoef` of the two attributes as vectors of 0 and 1.
    #[test]
    fn phi_is_the_correlation_that_numpy_computes() {
        let expected = [
            ([[30, 10], [5, 25]], 0.577_350_269_189_625_7),
            ([[100_000, 5], [7, 3]], 0.335_350_944_395_465_03),
            ([[12, 40], [33, 9]], -0.552_296_137_410_33),
            ([[1, 0], [0, 1]], 1.0),
        ];
        for (cells, expected) in expected {
            let found = table(cells).phi().unwrap();
            assert!((found - expected).abs() < 1e-12, "{cells:?}: {found} {expected}");
        }
        assert_eq!(table([[4, 0], [7, 0]]).phi(), None, "the second attribute has one value");
        assert_eq!(table([[0, 0], [0, 0]]).phi(), None);
    }

    #[test]
    fn only_images_with_both_labels_are_counted() {
        let label = |c: char| match c {
            '1' => Some(true),
            '0' => Some(false),
            _ => None,
        };
        let of = |text: &str| text.repeat(50).chars().map(label).collect::<BinaryLabels>();
        let found = CooccurrenceTable::of(&of("1100?1?0"), &of("101011??"));
        assert_eq!(found, CooccurrenceTable { both: 100, first_only: 50, second_only: 50, neither: 50 });
        assert_eq!(found.n(), 250);
    }

    /// NumPy 2, `quantile(…, method="inverted_cdf")`.
    #[test]
    fn quantiles_of_sizes_are_those_of_numpy() {
        let shares = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];
        let of = |sizes: &[usize]| shares.map(|share| quantile(sizes, share).unwrap());
        assert_eq!(of(&[1, 1, 1, 2, 2, 3, 5, 8, 13, 13, 21, 40]), [1, 1, 1, 3, 13, 40, 40]);
        assert_eq!(of(&(1..=100).collect::<Vec<_>>()), [1, 5, 25, 50, 75, 95, 100]);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn sizes_are_counted_in_ranges_that_double() {
        assert_eq!(sizes_by_doubling(&[1, 1, 2, 3, 4, 4, 9]), [(1, 1, 2), (2, 2, 1), (3, 4, 3), (5, 8, 0), (9, 16, 1)]);
        assert_eq!(sizes_by_doubling(&[]), []);
    }
}
