//! Which pictures are together in a batch, and in what order: a function of the classes, the recipe, the seed and the epoch.

use std::collections::BTreeMap;
use visavis_core::{
    domain::{Fault, Result, loss::Loss, study::Recipe, text::count},
    numeric::{PhiloxStream, Purpose},
};

/// Batch normalisation is of several pictures, or of none.
pub(crate) const LEAST_PART: usize = 2;

/// How a training set is taken apart into batches.
#[derive(Clone, Debug)]
pub struct Batches {
    /// The class of each picture.
    classes: Vec<i64>,
    arrangement: Arrangement,
    /// Pictures that the network takes at a time, and how many times one step has.
    at_a_time: usize,
    times: usize,
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Arrangement {
    Shuffled,
    /// So many pictures of each identity.
    Balanced {
        of_each: usize,
    },
}

impl Batches {
    /// # Errors
    /// A set of one picture, or batches of one; balanced batches of a set with one identity.
    pub(crate) fn new(classes: Vec<i64>, recipe: &Recipe, loss: &Loss, seed: u64) -> Result<Self> {
        let images = classes.len();
        if images < LEAST_PART {
            let what = format!("the training set has {}, and networks are normalised over two or more", count(images, "picture"));
            return Err(Fault::asked(what).next("train on a set of more pictures"));
        }
        let (arrangement, at_a_time) = match recipe.pictures_of_each(loss) {
            None => (Arrangement::Shuffled, recipe.batch.min(images)),
            Some(of_each) => {
                let identities = classes.iter().collect::<std::collections::BTreeSet<_>>().len().min(recipe.batch / of_each);
                if identities < 2 {
                    return Err(Fault::asked(format!(
                        "a batch of {} pictures, {of_each} of each identity, holds fewer than two identities",
                        recipe.batch
                    ))
                    .next("give the recipe a larger batch, or the training set more identities"));
                }
                (Arrangement::Balanced { of_each }, identities * of_each)
            }
        };
        if at_a_time < LEAST_PART {
            return Err(
                Fault::asked("a batch of one picture cannot be normalised").next("give the recipe a batch of two or more")
            );
        }
        let times = recipe.accumulate.min(images / at_a_time).max(1);
        Ok(Batches { classes, arrangement, at_a_time, times, seed })
    }

    /// The class of each picture.
    pub(crate) fn classes(&self) -> &[i64] {
        &self.classes
    }

    /// Pictures that the network takes at a time.
    pub(crate) fn at_a_time(&self) -> usize {
        self.at_a_time
    }

    /// Pictures of a step.
    pub(crate) fn batch(&self) -> usize {
        self.at_a_time * self.times
    }

    /// Steps of an epoch; pictures left over wait for another epoch's order.
    pub(crate) fn steps(&self) -> usize {
        (self.classes.len() / self.batch()).max(1)
    }

    /// The pictures of an epoch, batch after batch.
    pub(crate) fn order(&self, epoch: usize) -> Vec<usize> {
        let count = self.steps() * self.batch();
        match self.arrangement {
            Arrangement::Shuffled => {
                let mut order: Vec<usize> = (0..self.classes.len()).collect();
                PhiloxStream::new(self.seed, Purpose::TrainingOrder, epoch as u64).shuffle(&mut order);
                order.truncate(count);
                order
            }
            Arrangement::Balanced { of_each } => self.balanced(epoch, of_each, count),
        }
    }

    /// Identities take turns, in an order that is drawn anew for every round; so do the pictures of each. An identity of too few pictures
    /// shows some of them twice.
    fn balanced(&self, epoch: usize, of_each: usize, count: usize) -> Vec<usize> {
        let mut stream = PhiloxStream::new(self.seed, Purpose::BalancedOrder, epoch as u64);
        let mut pictures: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        self.classes.iter().enumerate().for_each(|(place, class)| pictures.entry(*class).or_default().push(place));
        let mut decks: Vec<Deck> = pictures.into_values().map(Deck::new).collect();
        let mut turns = Deck::new((0..decks.len()).collect());
        let mut order = Vec::with_capacity(count);
        while order.len() < count {
            for identity in turns.dealt(self.at_a_time / of_each, &mut stream) {
                order.extend(decks[identity].dealt(of_each, &mut stream));
            }
        }
        order
    }
}

/// Things that are dealt in rounds: each once, in a drawn order, before any comes again.
struct Deck {
    all: Vec<usize>,
    /// What is left of the round, the next last.
    left: Vec<usize>,
}

impl Deck {
    fn new(all: Vec<usize>) -> Self {
        Deck { all, left: vec![] }
    }

    /// So many, none twice while there are enough.
    fn dealt(&mut self, count: usize, stream: &mut PhiloxStream) -> Vec<usize> {
        let mut dealt = Vec::with_capacity(count);
        while dealt.len() < count {
            if self.left.is_empty() {
                self.left.clone_from(&self.all);
                stream.shuffle(&mut self.left);
                // What was just dealt comes last in the new round.
                self.left.sort_by_key(|one| !dealt.contains(one));
            }
            dealt.extend(self.left.pop());
        }
        dealt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use visavis_core::domain::loss::LossSpec;

    fn recipe(batch: usize, balanced: Option<usize>, accumulate: usize) -> Recipe {
        Recipe { batch, balanced, accumulate, ..Recipe::default() }
    }

    fn batches(classes: &[i64], recipe: &Recipe, loss: &str) -> Result<Batches> {
        Batches::new(classes.to_vec(), recipe, &LossSpec::of(loss).unwrap().usual(), 5)
    }

    /// Identities with 1, 2, … 9 pictures.
    fn uneven() -> Vec<i64> {
        (1..10).flat_map(|identity| vec![identity; identity as usize]).collect()
    }

    #[test]
    fn shuffled_batches_show_every_picture_once_an_epoch() {
        let of = batches(&uneven(), &recipe(8, None, 1), "softmax").unwrap();
        assert_eq!((of.batch(), of.steps()), (8, 5));
        let order = of.order(3);
        assert_eq!((order.len(), order.iter().collect::<BTreeSet<_>>().len()), (40, 40));
        assert_ne!(order, of.order(4));
        assert_eq!(order, of.order(3));
    }

    #[test]
    fn a_balanced_batch_has_so_many_pictures_of_each_of_its_identities() {
        let classes = uneven();
        let of = batches(&classes, &recipe(12, Some(3), 1), "arcface").unwrap();
        assert_eq!((of.batch(), of.steps()), (12, 3));
        let mut shown = BTreeSet::new();
        for epoch in 0..4 {
            let order = of.order(epoch);
            assert_eq!(order, of.order(epoch));
            for batch in order.chunks(12) {
                let mut often: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
                batch.iter().for_each(|place| often.entry(classes[*place]).or_default().push(*place));
                assert_eq!(often.len(), 4, "four identities");
                for (identity, places) in often {
                    assert_eq!(places.len(), 3);
                    let different = places.iter().collect::<BTreeSet<_>>().len();
                    assert_eq!(different, 3.min(identity as usize), "a picture comes twice only where there are too few");
                }
                shown.extend(batch.iter().copied());
            }
        }
        assert!(shown.len() > 30, "{}", shown.len());
    }

    #[test]
    fn the_triplet_loss_balances_its_batches_also_where_the_recipe_says_nothing() {
        let of = batches(&uneven(), &recipe(9, None, 1), "triplet").unwrap();
        assert_eq!((of.arrangement, of.batch()), (Arrangement::Balanced { of_each: 4 }, 8));
        let of = batches(&uneven(), &recipe(8, Some(2), 1), "triplet").unwrap();
        assert_eq!(of.arrangement, Arrangement::Balanced { of_each: 2 });
        assert!(batches(&[1, 1, 1, 1], &recipe(8, None, 1), "triplet").unwrap_err().what.contains("fewer than two identities"));
    }

    #[test]
    fn accumulated_batches_are_one_step() {
        let of = batches(&uneven(), &recipe(4, None, 3), "softmax").unwrap();
        assert_eq!((of.at_a_time(), of.batch(), of.steps()), (4, 12, 3));
        let small = batches(&uneven(), &recipe(20, None, 8), "softmax").unwrap();
        assert_eq!((small.batch(), small.steps()), (40, 1), "no more than there are pictures");
        assert!(batches(&uneven(), &recipe(1, None, 8), "softmax").unwrap_err().what.contains("one picture"));
        let told = batches(&[1], &recipe(8, None, 1), "softmax").unwrap_err().to_string();
        assert!(told.contains("the training set has 1 picture") && !told.contains("recipe"), "{told}");
    }
}
