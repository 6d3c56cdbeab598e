//! IR-50 and IR-SE-50 of TreB1eN's `InsightFace_Pytorch`. Their embedding has length 1. By the program's own code they were trained on
//! pictures with blue first; much code that borrows the weights gives red first.

use super::{EPSILON, FOUR_STAGES, Input, NetworkFamily, NetworkSpec, Trunk, ir, residual::BlockPlace};
use crate::{
    domain::study::{Channels, Crop, PixelScale},
    weights::operation::{Operation, convolution, normalisation, prelu},
};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "treb1en",
    networks: &NETWORKS,
    layers: &FOUR_STAGES,
    input: Input { size: 112, channels: Channels::Bgr, scale: PixelScale::Symmetric, crop: Crop::Aligned },
    trained_here: false,
    ending: |channels, width| ir::ending(channels, width, ir::Ending { affine: true, unit: true }),
};

/// face.evoLVe's too.
pub(super) const NETWORKS: [NetworkSpec; 2] = [
    NetworkSpec { word: "ir50", trunk: |width| trunk(width, false) },
    NetworkSpec { word: "irse50", trunk: |width| trunk(width, true) },
];

fn trunk(width: f64, excited: bool) -> Trunk {
    ir::trunk(ir::IR50, width, |at| body(at, excited))
}

/// There is no normalisation between the first convolution and its activation.
fn body(at: &BlockPlace, excited: bool) -> Vec<Operation> {
    let &BlockPlace { inputs, channels, stride, .. } = at;
    let mut body = vec![
        normalisation(at.name("res_layer.0"), inputs, EPSILON),
        convolution(at.name("res_layer.1"), inputs, channels, 3, 1),
        prelu(at.name("res_layer.2"), channels),
        convolution(at.name("res_layer.3"), channels, channels, 3, stride),
        normalisation(at.name("res_layer.4"), channels, EPSILON),
    ];
    body.extend(excited.then(|| ir::excitation(at, "res_layer.5")));
    body
}

#[cfg(test)]
mod tests {
    use super::super::tests::size;

    /// All entries of a state_dict, and its parameters.
    #[test]
    fn networks_are_as_large_as_treb1ens_and_face_evolves() {
        for family in ["treb1en", "face_evolve"] {
            assert_eq!(size("ir50", family), (349, 43_574_976));
            assert_eq!(size("irse50", family), (397, 43_797_696));
        }
    }
}
