//! Partial FC (An et al., CVPR 2022): of very many classes a step looks at some: those of its pictures, and others drawn by the seed.

use visavis_core::{
    domain::study::PARTIAL_FC_FROM,
    numeric::{PhiloxStream, Purpose},
};

/// Which share of so many classes a step looks at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassSample {
    classes: usize,
    share: f64,
    seed: u64,
}

impl ClassSample {
    /// `None` where a step looks at all classes.
    pub(crate) fn of(classes: usize, share: f64, seed: u64) -> Option<Self> {
        (share < 1.0 && classes >= PARTIAL_FC_FROM).then_some(ClassSample { classes, share, seed })
    }

    /// How many classes there are.
    pub(crate) fn classes(&self) -> usize {
        self.classes
    }

    /// Classes that a step looks at, unless its pictures have more.
    pub(crate) fn count(&self) -> usize {
        ((self.classes as f64 * self.share).ceil() as usize).clamp(1, self.classes)
    }

    /// The classes of a step, in order: all of `present`, and others with equal chances. A function of seed and step.
    pub(crate) fn drawn(&self, step: usize, present: &[i64]) -> Vec<i64> {
        let mut is_drawn = vec![false; self.classes];
        present.iter().for_each(|class| is_drawn[*class as usize] = true);
        let mut others: Vec<usize> = (0..self.classes).filter(|class| !is_drawn[*class]).collect();
        let wanted = self.count().saturating_sub(self.classes - others.len());
        let mut stream = PhiloxStream::new(self.seed, Purpose::SampledClasses, step as u64);
        for place in 0..wanted {
            let other = place + stream.below((others.len() - place) as u64) as usize;
            others.swap(place, other);
            is_drawn[others[place]] = true;
        }
        (0..self.classes).filter(|class| is_drawn[*class]).map(|class| class as i64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_classes_are_all_looked_at() {
        assert_eq!(ClassSample::of(PARTIAL_FC_FROM - 1, 0.1, 1), None);
        assert_eq!(ClassSample::of(PARTIAL_FC_FROM, 1.0, 1), None);
        assert_eq!(ClassSample::of(PARTIAL_FC_FROM, 0.1, 1).unwrap().count(), 5000);
    }

    #[test]
    fn a_step_looks_at_the_classes_of_its_pictures_and_at_others_drawn_by_seed_and_step() {
        let sample = ClassSample { classes: 100, share: 0.2, seed: 7 };
        let present = [99, 3, 3, 50];
        let drawn = sample.drawn(5, &present);
        assert_eq!(drawn.len(), 20);
        assert!(drawn.is_sorted() && drawn.windows(2).all(|two| two[0] < two[1]));
        assert!(present.iter().all(|class| drawn.contains(class)));
        assert_eq!(drawn, sample.drawn(5, &present), "the same again");
        assert_ne!(drawn, sample.drawn(6, &present));
        assert_ne!(drawn, ClassSample { seed: 8, ..sample.clone() }.drawn(5, &present));
        // Over many steps every class has its turn, about as often as any other.
        let mut often = vec![0; 100];
        (0..1000).for_each(|step| sample.drawn(step, &[0]).iter().for_each(|class| often[*class as usize] += 1));
        assert_eq!(often[0], 1000);
        assert!(often[1..].iter().all(|times| (130..=260).contains(times)), "{often:?}");
    }

    #[test]
    fn pictures_of_more_classes_than_are_drawn_have_all_of_them() {
        let sample = ClassSample { classes: 10, share: 0.2, seed: 7 };
        assert_eq!(sample.drawn(0, &[9, 8, 1]), [1, 8, 9]);
    }
}
