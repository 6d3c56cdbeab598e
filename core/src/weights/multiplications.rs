//! How many multiplications a forward pass of one picture takes, by which its time is guessed: those of convolutions and linear layers, next to
//! which nothing else counts.

use super::{
    operation::{NetworkDescription, Operation},
    shape::{Shape, flow},
};

impl NetworkDescription {
    /// Of a picture of `side` × `side` pixels; 0 where the network cannot take it.
    pub fn multiplications(&self, side: usize) -> f64 {
        counted(&self.operations, Shape::Map { channels: 3, height: side, width: side }).map_or(0.0, |(_, count)| count)
    }
}

fn counted(operations: &[Operation], mut shape: Shape) -> Option<(Shape, f64)> {
    let mut count = 0.0;
    for operation in operations {
        let after = flow(std::slice::from_ref(operation), shape, &mut Vec::new()).ok()?;
        count += match (operation, after) {
            (Operation::Convolution(of), Shape::Map { height, width, .. }) => {
                (height * width * of.outputs * of.inputs * of.kernel[0] * of.kernel[1]) as f64
            }
            (Operation::Residual { body, shortcut }, _) => counted(body, shape)?.1 + counted(shortcut, shape)?.1,
            (Operation::Branches(branches), _) => {
                branches.iter().map(|branch| Some(counted(branch, shape)?.1)).sum::<Option<f64>>()?
            }
            (Operation::Linear { inputs, outputs, .. }, _) => (inputs * outputs) as f64,
            _ => 0.0,
        };
        shape = after;
    }
    Some((shape, count))
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::model::{Architecture, WeightFamily},
        weights,
    };

    /// As papers and torchvision's table say, less the classes' layer: 1.8, 3.7 and 4.1 thousand million at 224 pixels.
    #[test]
    fn networks_multiply_as_often_as_is_known_of_them() {
        let of = |word: &str, width: f64, side: usize| {
            let architecture = Architecture { word: word.into(), width };
            weights::describe(&architecture, &WeightFamily::of("torchvision")).unwrap().multiplications(side) / 1e9
        };
        for (word, known) in [("resnet18", 1.814), ("resnet34", 3.664), ("resnet50", 4.087)] {
            assert!((of(word, 1.0, 224) / known - 1.0).abs() < 0.005, "{word}: {}", of(word, 1.0, 224));
        }
        // A quarter of the width is a sixteenth of the work, but for the first layer.
        let quarter = of("resnet34", 1.0, 224) / of("resnet34", 0.25, 224);
        assert!((12.0..16.0).contains(&quarter), "{quarter}");
        assert_eq!(of("resnet34", 1.0, 0), 0.0);
    }
}
