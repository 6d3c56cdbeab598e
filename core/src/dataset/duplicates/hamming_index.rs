//! Near neighbours in Hamming distance without looking at all pairs, and without missing one: multi-index hashing (M. Norouzi, A. Punjani
//! and D. J. Fleet, Fast Search in Hamming Space with Multi-Index Hashing, CVPR 2012).
//!
//! A hash of 64 bits is four parts of 16. Of two hashes that differ in at most r bits, some part differs in at most ⌊r / 4⌋: so each
//! part has a table, and a search looks only where that part differs in so few bits.

const PARTS: usize = 4;
const BUCKETS: usize = 1 << 16;

/// Hashes by each of their parts.
pub(super) struct HammingIndex {
    tables: [Table; PARTS],
}

/// Hashes sorted by one part.
struct Table {
    /// Where the bucket of each value starts, and at last where all end.
    starts: Vec<u32>,
    hashes: Vec<u64>,
    /// The place of each among the given hashes.
    rows: Vec<u32>,
}

fn part(hash: u64, of: usize) -> usize {
    (hash >> (16 * of)) as usize & (BUCKETS - 1)
}

impl Table {
    fn new(all: &[u64], of: usize) -> Self {
        let mut starts = vec![0_u32; BUCKETS + 1];
        all.iter().for_each(|&hash| starts[part(hash, of) + 1] += 1);
        (0..BUCKETS).for_each(|bucket| starts[bucket + 1] += starts[bucket]);
        let mut next = starts.clone();
        let (mut hashes, mut rows) = (vec![0; all.len()], vec![0; all.len()]);
        for (row, &hash) in (0..).zip(all) {
            let at = &mut next[part(hash, of)];
            (hashes[*at as usize], rows[*at as usize]) = (hash, row);
            *at += 1;
        }
        Table { starts, hashes, rows }
    }

    fn bucket(&self, value: usize) -> std::ops::Range<usize> {
        self.starts[value] as usize..self.starts[value + 1] as usize
    }
}

/// How far neighbours may be, and which buckets that asks for.
pub(super) struct Radius {
    bits: u32,
    /// Bits in which a part may differ.
    a_part: u32,
    masks: Vec<usize>,
}

impl Radius {
    /// Neighbours that differ in at most so many of 64 bits.
    pub(super) fn new(bits: u32) -> Self {
        let a_part = bits / PARTS as u32;
        Radius { bits, a_part, masks: (0..BUCKETS).filter(|mask| mask.count_ones() <= a_part).collect() }
    }
}

impl HammingIndex {
    /// At most 2³² hashes, twelve bytes a table each.
    pub(super) fn new(hashes: &[u64]) -> Self {
        HammingIndex { tables: std::array::from_fn(|of| Table::new(hashes, of)) }
    }

    /// How many hashes a search looks at.
    pub(super) fn cost(&self, query: u64, radius: &Radius) -> u64 {
        let in_bucket = |table: &Table, value: usize| table.bucket(value).len() as u64;
        let of_table = |(of, table): (usize, &Table)| -> u64 {
            radius.masks.iter().map(|mask| in_bucket(table, part(query, of) ^ mask)).sum()
        };
        self.tables.iter().enumerate().map(of_table).sum()
    }

    /// Every hash that differs from `query` in at most the radius, each once, in no order: its place and the distance.
    pub(super) fn within(&self, query: u64, radius: &Radius, mut found: impl FnMut(usize, u32)) {
        for (of, table) in self.tables.iter().enumerate() {
            for mask in &radius.masks {
                let bucket = table.bucket(part(query, of) ^ mask);
                for (hash, row) in table.hashes[bucket.clone()].iter().zip(&table.rows[bucket]) {
                    let differs = hash ^ query;
                    let distance = differs.count_ones();
                    let was_found = || (0..of).any(|before| part(differs, before).count_ones() <= radius.a_part);
                    if distance <= radius.bits && !was_found() {
                        found(*row as usize, distance);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hashes in clusters: some near each other, some equal.
    fn clustered() -> impl Strategy<Value = Vec<u64>> {
        let member = (0..4_usize, proptest::collection::vec(0..64_u32, 0..16));
        (any::<[u64; 4]>(), proptest::collection::vec(member, 1..60)).prop_map(|(centres, members)| {
            let flipped = |(centre, bits): (usize, Vec<u32>)| bits.iter().fold(centres[centre], |hash, bit| hash ^ 1 << bit);
            members.into_iter().map(flipped).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_index_finds_what_looking_at_all_pairs_finds(hashes in clustered(), bits in 0..14_u32) {
            let (index, radius) = (HammingIndex::new(&hashes), Radius::new(bits));
            for &query in hashes.iter().take(5) {
                let mut found = Vec::new();
                index.within(query, &radius, |row, distance| found.push((row, distance)));
                prop_assert!(index.cost(query, &radius) >= found.len() as u64);
                found.sort_unstable();
                let all = hashes.iter().map(|hash| (hash ^ query).count_ones()).enumerate();
                prop_assert_eq!(found, all.filter(|(_, distance)| *distance <= bits).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_search_looks_at_few_of_many() {
        let hashes: Vec<u64> = (0..20_000_u64)
            .map(|n| u64::from_le_bytes(*blake3::hash(&n.to_le_bytes()).as_bytes().first_chunk().unwrap()))
            .collect();
        let (index, radius) = (HammingIndex::new(&hashes), Radius::new(11));
        assert!(index.cost(hashes[7], &radius) < 400, "{}", index.cost(hashes[7], &radius));
    }

    #[test]
    fn an_empty_index_finds_nothing() {
        HammingIndex::new(&[]).within(5, &Radius::new(11), |_, _| panic!("there is nothing"));
    }
}
