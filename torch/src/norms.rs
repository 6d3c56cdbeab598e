//! AdaFace's measure of how good a picture is: the length of its embedding, beside the lengths of embeddings so far (Kim et al., CVPR 2022).

use crate::parameters::Parameters;
use tch::{Device, Kind, Tensor};

/// Mean and standard deviation of the lengths of embeddings, over batches so far. They are tensors of the training, so checkpoints hold
/// them.
pub(crate) struct NormStatistics {
    mean: Tensor,
    deviation: Tensor,
    /// h: how many standard deviations are the whole strength, as a factor.
    spread: f64,
}

const MEAN: &str = "head.norm_mean";
const DEVIATION: &str = "head.norm_deviation";

/// What a new batch's mean and deviation weigh; of the authors' trainings.
const MOMENTUM: f64 = 0.01;

/// Is the tensor of this name a running statistic of a loss, which nothing needs after the training?
pub(crate) fn is_of_training_alone(name: &str) -> bool {
    name == MEAN || name == DEVIATION
}

impl NormStatistics {
    pub(crate) fn new(parameters: &mut Parameters, spread: f64, device: Device) -> Self {
        // Where the authors' code begins.
        parameters.add_running(MEAN, 20.0, device);
        parameters.add_running(DEVIATION, 100.0, device);
        NormStatistics { mean: parameters.get(MEAN), deviation: parameters.get(DEVIATION), spread }
    }

    /// N × d → N × 1, from −1 (short) to 1 (long): h (‖z‖ − μ) / σ, of statistics that take this batch in first. No gradient passes.
    pub(crate) fn strength(&mut self, embeddings: &Tensor) -> Tensor {
        tch::no_grad(|| {
            let lengths = embeddings.norm_scalaropt_dim(2.0, &[1i64][..], true).clamp(0.001, 100.0);
            for (running, of_batch) in [(&mut self.mean, lengths.mean(Kind::Float)), (&mut self.deviation, lengths.std(true))] {
                let _ = running.g_mul_scalar_(1.0 - MOMENTUM).g_add_(&(of_batch * MOMENTUM));
            }
            ((lengths - &self.mean) / (&self.deviation + 1e-3) * self.spread).clamp(-1.0, 1.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn statistics() -> (Parameters, NormStatistics) {
        let mut parameters = Parameters::of(&BTreeMap::new(), Device::Cpu);
        let statistics = NormStatistics::new(&mut parameters, 0.333, Device::Cpu);
        (parameters, statistics)
    }

    /// By the paper's words, in double precision, over several batches.
    #[test]
    fn the_strength_is_that_of_the_definition() {
        let (_parameters, mut statistics) = statistics();
        let (mut mean, mut deviation) = (20.0, 100.0);
        for batch in [[3.0, 4.0, 5.0, 200.0], [0.0, 90.0, 91.0, 92.0], [30.0, 1.0, 55.5, 7.0]] {
            let lengths: Vec<f64> = batch.iter().map(|length: &f64| length.clamp(0.001, 100.0)).collect();
            let of_batch = lengths.iter().sum::<f64>() / 4.0;
            let spread = (lengths.iter().map(|length| (length - of_batch).powi(2)).sum::<f64>() / 3.0).sqrt();
            (mean, deviation) = (0.99 * mean + 0.01 * of_batch, 0.99 * deviation + 0.01 * spread);
            let rows: Vec<f32> = batch.iter().flat_map(|length| [0.6 * *length as f32, -0.8 * *length as f32]).collect();
            let found = statistics.strength(&Tensor::from_slice(&rows).reshape([4, 2]));
            for (row, length) in lengths.iter().enumerate() {
                let wanted = (0.333 * (length - mean) / (deviation + 1e-3)).clamp(-1.0, 1.0);
                let found = found.double_value(&[row as i64, 0]);
                assert!((found - wanted).abs() < 1e-5, "{found}, not {wanted}");
            }
        }
    }

    #[test]
    fn what_was_seen_is_among_the_tensors_that_a_checkpoint_keeps() {
        let (parameters, mut statistics) = statistics();
        let batch = Tensor::from_slice(&[3f32, 4.0, 30.0, 40.0]).reshape([2, 2]);
        let _ = statistics.strength(&batch);
        let kept = parameters.values();
        assert!((kept[MEAN].values[0] - (0.99 * 20.0 + 0.01 * 27.5)).abs() < 1e-5, "{:?}", kept[MEAN]);
        // A training that goes on from there gives the same as one that was never interrupted.
        let (mut parameters, mut again) = self::statistics();
        parameters.take(&kept, Device::Cpu);
        assert_eq!(again.strength(&batch), statistics.strength(&batch));
        assert!(kept.keys().all(|name| is_of_training_alone(name)));
    }
}
