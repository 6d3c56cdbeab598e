//! Enums whose variants are the words of a study file.
//!
//! One list gives the variants, their words, and what JSON has, so that no word is written twice and a new one does not compile
//! until every `match` has a place for it.

/// Declares an enum of words: `Whole = "whole"`. It has `ALL`, `word`, `of_word`, shows itself as its word, and is its word in
/// JSON.
macro_rules! vocabulary {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)+ }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        $(#[$about])*
        pub enum $name {
            $($(#[$of])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every variant, in the order in which they are offered.
            pub const ALL: [$name; [$($word),+].len()] = [$($name::$variant),+];

            /// The word of a study file.
            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }

            /// The variant of that word; `None` for any other word.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|of| of.word() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

pub(crate) use vocabulary;

#[cfg(test)]
mod tests {
    use crate::domain::{
        model::{BaselineKind, ModelFormat},
        nuisance::PictureNuisance,
        study::{
            Channels, Crop, DeviceClass, Exif, FaceMark, LabelProvenance, OnMissing, Optimizer, Padding, Partition, PixelScale,
            Precision, PreparationField, Schedule, Thumbnails, Vggface2Split,
        },
    };

    /// Words stay what they are in study files, manifests and keys.
    #[test]
    fn a_word_is_the_same_in_a_study_file_and_in_json() {
        fn words<T: Copy + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned>(
            all: &[T],
            word: fn(T) -> &'static str,
            of_word: fn(&str) -> Option<T>,
        ) -> String {
            for of in all {
                let json = serde_json::to_value(of).unwrap();
                assert_eq!(json, word(*of));
                assert_eq!(serde_json::from_value::<T>(json).unwrap(), *of);
                assert_eq!(of_word(word(*of)), Some(*of));
            }
            assert_eq!(of_word("a stranger"), None);
            all.iter().map(|of| word(*of)).collect::<Vec<_>>().join(" ")
        }
        macro_rules! words {
            ($name:ident) => {
                words(&$name::ALL, $name::word, $name::of_word)
            };
        }
        assert_eq!(words!(DeviceClass), "cpu cuda pretend");
        assert_eq!(words!(Precision), "f32 bf16");
        assert_eq!(words!(Crop), "whole face centre aligned");
        assert_eq!(words!(Padding), "reflect zero edge");
        assert_eq!(words!(PixelScale), "imagenet symmetric vggface2 unit facenet raw");
        assert_eq!(words!(Channels), "rgb bgr");
        assert_eq!(words!(FaceMark), "boxes landmarks");
        assert_eq!(words!(Exif), "apply ignore");
        assert_eq!(words!(PreparationField), "crop size pad scale channels exif margin");
        assert_eq!(words!(Optimizer), "sgd adamw");
        assert_eq!(words!(Schedule), "cosine linear step constant poly");
        assert_eq!(words!(Partition), "train validation test all");
        assert_eq!(words!(Vggface2Split), "train test");
        assert_eq!(words!(OnMissing), "stop leave_out");
        assert_eq!(words!(Thumbnails), "sample all");
        assert_eq!(words!(LabelProvenance), "self-reported perceived predicted measured");
        assert_eq!(words!(BaselineKind), "pixels colours");
        assert_eq!(words!(ModelFormat), "onnx torchscript");
        assert_eq!(words!(PictureNuisance), "background brightness contrast sharpness noise jpeg_quality pose face_size");
    }
}
