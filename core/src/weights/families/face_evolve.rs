//! IR-50 and IR-SE-50 of face.evoLVe: TreB1eN's networks with the same tensors. Their embedding keeps its length, and red is first.

use super::{FOUR_STAGES, Input, NetworkFamily, ir, treb1en};
use crate::domain::study::{Channels, Crop, PixelScale};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "face_evolve",
    networks: &treb1en::NETWORKS,
    layers: &FOUR_STAGES,
    input: Input { size: 112, channels: Channels::Rgb, scale: PixelScale::Symmetric, crop: Crop::Aligned },
    trained_here: false,
    ending: |channels, width| ir::ending(channels, width, ir::Ending { affine: true, unit: false }),
};
