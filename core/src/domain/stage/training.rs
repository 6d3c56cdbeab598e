//! `train`: a network that learns.

use super::Stage;
use crate::domain::{
    canonical::Value,
    loss::Loss,
    model::Architecture,
    study::{Numerics, Preparation, Recipe},
};
use serde::{Deserialize, Serialize};

/// [`Training::PICTURES`], [`Training::CLASSES`] → [`Training::WEIGHTS`], [`Training::CURVES`]. Everything that decides what a network learns, by content and not
/// by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Which network learns.
    pub architecture: Architecture,
    /// With which loss.
    pub loss: Loss,
    /// How pictures are made into its input.
    pub preparation: Preparation,
    /// How long and by which optimizer.
    pub recipe: Recipe,
    /// Of the first weights and of what is drawn while it learns.
    pub seed: u64,
    /// What libtorch's bits depend on.
    pub numerics: Numerics,
    /// The name of what a network pretends to know; what real ones learn from is consumed by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretended: Option<String>,
}

impl Training {
    /// Input: the training set's images, with the folder of their pictures.
    pub const PICTURES: &str = "pictures";
    /// Input: the identity of each of them, as a column.
    pub const CLASSES: &str = "classes";
    /// Tensors by name, as this program names them.
    pub const WEIGHTS: &str = "weights.safetensors";
    /// Loss and accuracy by epoch, and the AUC of held-out identities where there are some.
    pub const CURVES: &str = "curves.json";

    /// Its [cost class](super::Work::cost_class), from what it depends on.
    pub fn cost_class_of(numerics: &Numerics, architecture: &Architecture, loss: &Loss) -> String {
        format!("train {} {architecture} {loss}", numerics.device)
    }
}

impl Stage for Training {
    fn version(&self) -> u32 {
        // 2: random numbers by purpose, pictures are turned upright.
        2
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn cost_class(&self) -> Option<String> {
        Some(Self::cost_class_of(&self.numerics, &self.architecture, &self.loss))
    }

    fn canonical(&self) -> Value {
        let Training { architecture, loss, preparation, recipe, seed, numerics, pretended } = self;
        Value::map()
            .with("architecture", architecture.canonical())
            .with("loss", loss.canonical())
            .with("preparation", preparation.canonical())
            .with("recipe", recipe.canonical())
            .with("seed", Value::seed(*seed))
            .with("numerics", numerics.canonical())
            .optional("pretended", pretended.as_deref().map(Value::text))
            .done()
    }
}
