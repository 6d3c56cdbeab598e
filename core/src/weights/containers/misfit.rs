//! Why a weight file does not hold a network, and how that is said.

use super::wrappers::Place;
use crate::domain::{
    Fault,
    spelling::suggestion,
    text::{count, printable, shorten},
};
use std::cmp::Reverse;

/// Why no network was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Misfit {
    /// There are no tensors under names; the keys that there are.
    NoTensors {
        /// The first of them.
        keys: Vec<String>,
    },
    /// There are only states of optimizers, at these places.
    OptimizerOnly {
        /// The keys that lead to each.
        places: Vec<String>,
    },
    /// A whole module was pickled, of this class, under this key (empty: the file itself).
    WholeModule {
        /// With its module.
        class: String,
        /// The keys that lead to it.
        place: String,
    },
    /// Several places fit, with different tensors.
    Several(Vec<Place>),
    /// None fits; the place that fits best.
    Near(Box<NearMiss>),
}

/// What a place lacks to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The place.
    pub place: Place,
    /// Names of tensors that are not there.
    pub missing: Vec<String>,
    /// Tensors of another shape or type, each as a clause.
    pub differing: Vec<String>,
    /// Names behind the prefix that the network does not have.
    pub left_over: Vec<String>,
    /// Names of the same dict without the prefix.
    pub outside: Vec<String>,
    /// Integers such as `num_batches_tracked`.
    pub counters: usize,
    /// How many wanted tensors are right.
    pub right: usize,
}

impl NearMiss {
    /// Names decide before shapes: a network of another width has all the names. Then the shorter prefix.
    pub(super) fn nearness(&self) -> (usize, usize, Reverse<usize>) {
        (self.right + self.differing.len(), self.right, Reverse(self.place.prefix.len()))
    }
}

fn several(items: &[String]) -> String {
    items.iter().map(|item| format!("`{}`", printable(&shorten(item, 80)))).collect::<Vec<_>>().join(", ")
}

impl Misfit {
    /// As a refusal; `network`: what was asked for, as "resnet34 (torchvision)".
    pub fn fault(&self, network: &str) -> Fault {
        match self {
            Misfit::NoTensors { keys } if keys.is_empty() => Fault::asked("the file holds no tensors under names")
                .next("save a state_dict: torch.save(model.state_dict(), PATH)"),
            Misfit::NoTensors { keys } => Fault::asked(format!("the file holds no tensors; its keys are {}", several(keys)))
                .next("save a state_dict: torch.save(model.state_dict(), PATH)"),
            Misfit::OptimizerOnly { places } => {
                let at = places.iter().filter(|place| !place.is_empty()).cloned().collect::<Vec<_>>();
                let at = if at.is_empty() { String::new() } else { format!(" ({})", several(&at)) };
                Fault::asked(format!("the file holds the state of an optimizer only{at}, no weights"))
                    .next("give the file of the same training that has the model's state_dict")
            }
            Misfit::WholeModule { class, place } => {
                let at = if place.is_empty() { String::new() } else { format!(" under `{place}`") };
                Fault::asked(format!(
                    "the file holds a whole module of class {}{at}, which only its own program can make",
                    printable(class)
                ))
                .next("load it where that class is, and save the weights: torch.save(model.state_dict(), PATH)")
            }
            Misfit::Several(places) => {
                let places = places.iter().map(Place::words).collect::<Vec<_>>().join("; ");
                Fault::asked(format!("several networks of the file fit {network}: {places}"))
                    .next("save the one that is meant by itself: torch.save(state_dict, PATH)")
            }
            Misfit::Near(near) => near.fault(network),
        }
    }
}

impl NearMiss {
    fn fault(&self, network: &str) -> Fault {
        let place = if self.place.is_the_file() { String::new() } else { format!(" ({})", self.place.words()) };
        if let Some(first) = self.missing.first() {
            let what = format!("the weights lack {} of {network}, such as `{first}`{place}", count(self.missing.len(), "tensor"));
            let running = |name: &String| name.ends_with("running_mean") || name.ends_with("running_var");
            let next = if self.missing.iter().all(running) {
                "these are what batch normalisation gathered in training: save model.state_dict(), not only its parameters"
                    .to_owned()
            } else if self.left_over.is_empty() {
                "is it another architecture, or another family?".to_owned()
            } else {
                suggestion(first, &self.left_over.iter().map(String::as_str).collect::<Vec<_>>())
            };
            return Fault::asked(what).next(next);
        }
        let first = self.differing.first().map_or("", String::as_str);
        let differ = if self.differing.len() == 1 { "differs from that" } else { "differ from those" };
        Fault::asked(format!("{} of the weights {differ} of {network}: {first}{place}", count(self.differing.len(), "tensor")))
            .next("is it another architecture, another width, or another family?")
    }
}
