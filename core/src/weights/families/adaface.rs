//! AdaFace's networks: Kim, Jain and Liu, "AdaFace: Quality adaptive margin for face recognition" (CVPR 2022). CVLface has the same ones; its
//! files say themselves in which order they take channels. Their embedding has length 1; the length that it had before, which says how good
//! a picture is, is no layer.

use super::{EPSILON, FOUR_STAGES, Input, NetworkFamily, NetworkSpec, Trunk, ir, residual::BlockPlace};
use crate::{
    domain::study::{Channels, Crop, PixelScale},
    weights::operation::{Operation, convolution, normalisation, prelu},
};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "adaface",
    networks: &[
        NetworkSpec { word: "ir18", trunk: |width| trunk([2, 2, 2, 2], width, false) },
        NetworkSpec { word: "ir50", trunk: |width| trunk(ir::IR50, width, false) },
        NetworkSpec { word: "ir101", trunk: |width| trunk([3, 13, 30, 3], width, false) },
        NetworkSpec { word: "irse50", trunk: |width| trunk(ir::IR50, width, true) },
    ],
    layers: &FOUR_STAGES,
    input: Input { size: 112, channels: Channels::Bgr, scale: PixelScale::Symmetric, crop: Crop::Aligned },
    trained_here: false,
    ending: |channels, width| ir::ending(channels, width, ir::Ending { affine: false, unit: true }),
};

fn trunk(depths: [usize; 4], width: f64, excited: bool) -> Trunk {
    ir::trunk(depths, width, |at| body(at, excited))
}

fn body(at: &BlockPlace, excited: bool) -> Vec<Operation> {
    let &BlockPlace { inputs, channels, stride, .. } = at;
    let mut body = vec![
        normalisation(at.name("res_layer.0"), inputs, EPSILON),
        convolution(at.name("res_layer.1"), inputs, channels, 3, 1),
        normalisation(at.name("res_layer.2"), channels, EPSILON),
        prelu(at.name("res_layer.3"), channels),
        convolution(at.name("res_layer.4"), channels, channels, 3, stride),
        normalisation(at.name("res_layer.5"), channels, EPSILON),
    ];
    body.extend(excited.then(|| ir::excitation(at, "res_layer.se_block")));
    body
}

#[cfg(test)]
mod tests {
    use super::super::tests::size;

    /// All entries of a state_dict, and its parameters.
    #[test]
    fn networks_are_as_large_as_adafaces() {
        assert_eq!(size("ir18", "adaface"), (179, 24_020_352));
        assert_eq!(size("ir50", "adaface"), (467, 43_585_600));
        assert_eq!(size("ir101", "adaface"), (917, 65_150_912));
        assert_eq!(size("irse50", "adaface"), (515, 43_808_320));
    }
}
