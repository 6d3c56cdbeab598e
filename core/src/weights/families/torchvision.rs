//! torchvision's ResNets: He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (CVPR 2016).

use super::{FOUR_STAGES, NetworkFamily, NetworkSpec, mean, residual};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "torchvision",
    networks: &[NetworkSpec { word: "resnet34", trunk: |width| residual::basic([3, 4, 6, 3], width, |_, _| None) }],
    layers: &FOUR_STAGES,
    trained_here: true,
    ending: mean,
};

#[cfg(test)]
mod tests {
    use super::super::tests::size;

    /// torchvision 0.26, less the head: 512 × 1000 weights and 1000 biases.
    #[test]
    fn networks_are_as_large_as_torchvisions() {
        assert_eq!(size("resnet34", "torchvision"), (218 - 2, 21_797_672 - 513_000));
    }
}
