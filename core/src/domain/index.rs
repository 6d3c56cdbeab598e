//! Places in a study, one type each: the place of a model cannot be taken for the place of a layer.
//!
//! Each counts from 0. In results, events and exports it is the bare number.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub usize);

        impl From<usize> for $name {
            fn from(place: usize) -> Self {
                Self(place)
            }
        }

        impl From<$name> for usize {
            fn from(index: $name) -> usize {
                index.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

index! {
    /// Place of a model in `Study::models`.
    ModelIx
}

index! {
    /// Place of a layer among the layers of one model that the study looks at.
    LayerIx
}

index! {
    /// Place of a projection in `Study::projections`.
    ProjectionIx
}

index! {
    /// Place of a comparison in `Study::comparisons`.
    ComparisonIx
}

index! {
    /// Place of a verification set in `Study::verification`.
    PairSetIx
}

index! {
    /// Place of a data set in `Study::datasets`, by name.
    DatasetIx
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn in_json_a_place_is_a_bare_number_also_as_the_key_of_a_map() {
        let by_model = BTreeMap::from([(ModelIx::from(2), LayerIx::from(1))]);
        let json = serde_json::to_string(&by_model).unwrap();
        assert_eq!(json, r#"{"2":1}"#);
        assert_eq!(serde_json::from_str::<BTreeMap<ModelIx, LayerIx>>(&json).unwrap(), by_model);
    }
}
