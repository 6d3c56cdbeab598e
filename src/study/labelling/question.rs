//! What a labelling session asks of every picture, and the keys that answer it.

use visavis_core::domain::{Fault, Result, missing::is_usual, text::printable};

/// Keys that are no class's: skip, not obvious, undo, context, drawing, help, quit.
pub const RESERVED_KEYS: [char; 7] = [' ', 'o', 'u', 'c', 'd', '?', 'q'];

/// More classes than keys for them.
const MOST_CLASSES: usize = 26;

/// A class with the key that chooses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassKey {
    pub name: String,
    pub key: char,
}

/// What is asked of every picture, and of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabellingQuestion {
    pub attribute: String,
    pub classes: Vec<ClassKey>,
    /// Labels wanted of each class; `None`: as many as there are pictures.
    pub quota: Option<usize>,
    pub annotator: String,
    /// The user on the machine.
    pub by: String,
}

impl LabellingQuestion {
    /// # Errors
    /// Classes of which there are fewer than two or too many, one without a name, one that is there twice.
    pub fn new(attribute: &str, classes: &[String], quota: Option<usize>, annotator: &str, by: &str) -> Result<Self> {
        let classes: Vec<&str> = classes.iter().map(|class| class.trim()).collect();
        let wrong = |what: String| Fault::asked(what).next("such as --classes white,black,asian");
        if classes.len() < 2 {
            return Err(wrong("a label needs two classes or more".to_owned()));
        }
        if classes.len() > MOST_CLASSES {
            return Err(wrong(format!("{} classes have no keys: {MOST_CLASSES} at most", classes.len())));
        }
        for (at, class) in classes.iter().enumerate() {
            if !class.is_empty() && is_usual(class) {
                return Err(wrong(format!("`{class}` is read as a missing label: a class needs another name")));
            }
            if class.is_empty() {
                return Err(wrong("a class has no name".to_owned()));
            }
            if printable(class) != *class {
                return Err(wrong(format!("the class `{}` has characters that cannot be shown", printable(class))));
            }
            if classes[..at].contains(class) {
                return Err(wrong(format!("the class `{class}` is there twice")));
            }
        }
        let digits = '1'..='9';
        let letters = ('a'..='z').filter(|letter| !RESERVED_KEYS.contains(letter));
        let classes = classes.into_iter().zip(digits.chain(letters)).map(|(name, key)| ClassKey { name: name.to_owned(), key });
        let (attribute, annotator, by) = (attribute.to_owned(), annotator.to_owned(), by.to_owned());
        Ok(LabellingQuestion { attribute, classes: classes.collect(), quota, annotator, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_key_of_its_own() {
        let classes: Vec<String> = (0..MOST_CLASSES).map(|place| format!("c{place}")).collect();
        let keys: Vec<char> =
            LabellingQuestion::new("a", &classes, None, "x", "x").unwrap().classes.iter().map(|of| of.key).collect();
        assert_eq!(keys.len(), MOST_CLASSES);
        assert!(keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key) && !RESERVED_KEYS.contains(key)), "{keys:?}");
    }

    #[test]
    fn classes_that_cannot_be_told_apart_are_refused() {
        let made = |classes: &[&str]| {
            let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
            LabellingQuestion::new("a", &classes, None, "x", "x").err().map(|fault| fault.what)
        };
        assert_eq!(made(&["x"]).unwrap(), "a label needs two classes or more");
        assert_eq!(made(&["x", " x "]).unwrap(), "the class `x` is there twice");
        assert_eq!(made(&["x", ""]).unwrap(), "a class has no name");
        assert!(made(&["x", "\u{202e}y"]).unwrap().contains("cannot be shown"));
        assert_eq!(made(&["x", "y"]), None);
    }
}
