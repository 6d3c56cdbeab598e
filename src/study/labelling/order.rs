//! In which order pictures are shown.

use visavis_core::{
    numeric::{Matrix, PhiloxStream, Purpose},
    scoring::selection::least_sure::least_sure,
};

/// Places below `count` in an order that follows from the seed alone.
pub fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    PhiloxStream::new(seed, Purpose::Labelling, 0).shuffle(&mut order);
    order
}

/// Pictures that a probe of a model is least sure of come first: ranked anew as labels are given.
pub struct UncertaintyOrder {
    /// A row a picture, in the order of the session's images.
    pub features: Matrix,
    pub classes: usize,
}

/// Answers after which pictures are ranked anew.
pub const RANKED_AFTER: usize = 20;

impl UncertaintyOrder {
    /// Places of pictures without a label, the least sure first; `None` before two classes have labels. `labels`: of every picture the place
    /// of its class.
    pub fn ranked(&self, labels: &[Option<usize>]) -> Option<Vec<usize>> {
        least_sure(&self.features, labels, self.classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_order_of_all_pictures() {
        let mut order = shuffled(100, 7);
        assert_eq!(order, shuffled(100, 7));
        assert_ne!(order, shuffled(100, 8));
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
