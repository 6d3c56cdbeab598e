//! How features came about that somebody else made, as far as the study says it.

use super::vocabulary::vocabulary;
use std::collections::BTreeMap;

vocabulary! {
    /// What can be said of how features were made, in the order in which it is done to a picture.
    pub enum MadeItem {
        /// What found the face.
        Detector = "detector",
        /// How the face was brought to its place: by which landmarks, to which template.
        Alignment = "alignment",
        /// Pixels of the picture that the network was given.
        Size = "size",
        /// What was subtracted from its values.
        Mean = "mean",
        /// What they were divided by.
        Scale = "scale",
        /// The order of channels.
        Channels = "channels",
        /// Whether the mirrored picture was added, and how.
        Flip = "flip",
        /// Which weights the network had.
        Weights = "weights",
    }
}

/// Stands for what a study does not say.
pub const NOT_STATED: &str = "not stated";

/// What a study says of how given features were made. Words for people: nothing is computed with them, and they are in no key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeWith(BTreeMap<MadeItem, String>);

impl MadeWith {
    /// As the study says it; an item that is not there is not stated.
    pub fn new(said: BTreeMap<MadeItem, String>) -> Self {
        MadeWith(said)
    }

    /// Every item with what is said of it.
    pub fn items(&self) -> impl Iterator<Item = (MadeItem, &str)> {
        MadeItem::ALL.into_iter().map(|item| (item, self.0.get(&item).map_or(NOT_STATED, String::as_str)))
    }

    /// Every item in one phrase: `detector MTCNN; alignment not stated; …`. What is not stated stands together at the end.
    pub fn phrase(&self) -> String {
        let said: Vec<String> = self.0.iter().map(|(item, text)| format!("{item} {text}")).collect();
        let unsaid: Vec<&str> = MadeItem::ALL.into_iter().filter(|item| !self.0.contains_key(item)).map(MadeItem::word).collect();
        let unsaid = (!unsaid.is_empty()).then(|| format!("{NOT_STATED}: {}", unsaid.join(", ")));
        said.into_iter().chain(unsaid).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_told_as_not_stated() {
        let all = "not stated: detector, alignment, size, mean, scale, channels, flip, weights";
        assert_eq!(MadeWith::default().phrase(), all);
        let said = MadeWith::new([(MadeItem::Weights, "w600k_r50".to_owned()), (MadeItem::Detector, "MTCNN".to_owned())].into());
        assert_eq!(said.phrase(), "detector MTCNN; weights w600k_r50; not stated: alignment, size, mean, scale, channels, flip");
        let items: Vec<(MadeItem, &str)> = said.items().collect();
        assert_eq!((items[0], items[1]), ((MadeItem::Detector, "MTCNN"), (MadeItem::Alignment, NOT_STATED)));
        assert_eq!(items.len(), MadeItem::ALL.len());
    }
}
