//! How large maps and vectors are between the operations of a network, and what does not fit together.

use super::operation::{Convolution, Normalisation, Operation};

/// What one image is between two operations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    Map { channels: usize, height: usize, width: usize },
    Vector { columns: usize },
}

/// The shape behind the operations; `layers` gets the columns of those that are passed.
///
/// # Errors
/// The first operation that cannot take what comes to it, in words.
pub(super) fn flow(
    operations: &[Operation],
    mut shape: Shape,
    layers: &mut Vec<(&'static str, usize)>,
) -> std::result::Result<Shape, String> {
    for operation in operations {
        shape = match (operation, shape) {
            (Operation::Convolution(of), shape) => convolved(of, shape)?,
            (Operation::Normalisation(Normalisation { name, channels, .. }) | Operation::Prelu { name, channels }, shape) => {
                let (Shape::Map { channels: found, .. } | Shape::Vector { columns: found }) = shape;
                if found != *channels {
                    return Err(format!("`{name}` takes {channels} channels, {found} come to it"));
                }
                shape
            }
            (Operation::Relu, shape) => shape,
            (Operation::Times(_), shape @ Shape::Map { .. }) | (Operation::UnitVector, shape @ Shape::Vector { .. }) => shape,
            (Operation::MaxPool { size, stride, padding, partial }, Shape::Map { channels, height, width }) => {
                let after = |places: usize| {
                    let whole = windows(places, *size, *stride, *padding)?;
                    Some(if *partial { whole + usize::from(juts_out(places, whole, *size, *stride, *padding)) } else { whole })
                };
                match (after(height), after(width)) {
                    (Some(height), Some(width)) => Shape::Map { channels, height, width },
                    _ => return Err(format!("a map of {height} × {width} is smaller than the window of a maximum")),
                }
            }
            (Operation::Excitation { reduce, expand }, Shape::Map { channels, .. }) => {
                let means = Shape::Map { channels, height: 1, width: 1 };
                if convolved(expand, convolved(reduce, means)?)? != means {
                    return Err(format!("`{}` does not give one factor a channel", expand.name));
                }
                shape
            }
            (Operation::Residual { body, shortcut }, shape) => {
                let (body, shortcut) = (flow(body, shape, layers)?, flow(shortcut, shape, layers)?);
                if body != shortcut {
                    return Err(format!("a body that gives {body:?} is added to a shortcut that gives {shortcut:?}"));
                }
                body
            }
            (Operation::Branches(branches), shape) => {
                let shapes =
                    branches.iter().map(|branch| flow(branch, shape, layers)).collect::<std::result::Result<Vec<_>, _>>()?;
                concatenated(&shapes)?
            }
            (Operation::GlobalMean, Shape::Map { channels, .. }) => Shape::Vector { columns: channels },
            (Operation::Flatten, Shape::Map { channels, height, width }) => Shape::Vector { columns: channels * height * width },
            (Operation::Linear { name, inputs, outputs, .. }, Shape::Vector { columns }) => {
                if columns != *inputs {
                    return Err(format!("`{name}` takes {inputs} numbers, {columns} come to it"));
                }
                Shape::Vector { columns: *outputs }
            }
            (Operation::Layer(name), shape) => {
                let (Shape::Map { channels: columns, .. } | Shape::Vector { columns }) = shape;
                layers.push((name, columns));
                shape
            }
            (operation, shape) => return Err(format!("{operation:?} does not take {shape:?}")),
        };
    }
    Ok(shape)
}

fn convolved(of: &Convolution, shape: Shape) -> std::result::Result<Shape, String> {
    let Shape::Map { channels, height, width } = shape else {
        return Err(format!("`{}` takes maps, vectors come to it", of.name));
    };
    if channels != of.inputs {
        return Err(format!("`{}` takes {} channels, {channels} come to it", of.name, of.inputs));
    }
    let after = |places: usize, side: usize| windows(places, of.kernel[side], of.stride, of.padding[side]);
    match (after(height, 0), after(width, 1)) {
        (Some(height), Some(width)) => Ok(Shape::Map { channels: of.outputs, height, width }),
        _ => Err(format!("the map of {height} × {width} that comes to `{}` is smaller than its kernel", of.name)),
    }
}

/// How many places a window has on a padded line; `None` if it is longer than the line.
fn windows(places: usize, size: usize, stride: usize, padding: usize) -> Option<usize> {
    Some((places + 2 * padding).checked_sub(size)? / stride + 1)
}

/// Is there, behind the whole windows of a line, one more that begins on it or on the places added before it?
fn juts_out(places: usize, whole: usize, size: usize, stride: usize, padding: usize) -> bool {
    let left_over = places + 2 * padding > (whole - 1) * stride + size;
    left_over && whole * stride < places + padding
}

/// Maps of one size, one's channels behind the other's.
fn concatenated(shapes: &[Shape]) -> std::result::Result<Shape, String> {
    let mut all: Option<Shape> = None;
    for shape in shapes {
        all = Some(match (all, *shape) {
            (None, shape @ Shape::Map { .. }) => shape,
            (Some(Shape::Map { channels, height, width }), Shape::Map { channels: more, height: h, width: w })
                if (height, width) == (h, w) =>
            {
                Shape::Map { channels: channels + more, height, width }
            }
            (_, shape) => return Err(format!("branches give {shapes:?}: {shape:?} cannot be put behind the others")),
        });
    }
    all.ok_or_else(|| "no branch gives anything".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_counted_where_it_fits() {
        assert_eq!(windows(112, 7, 2, 3), Some(56));
        assert_eq!(windows(56, 3, 2, 1), Some(28));
        assert_eq!(windows(5, 1, 2, 0), Some(3));
        assert_eq!(windows(2, 3, 1, 0), None);
    }

    /// PyTorch's `ceil_mode`: 112 → 56 without padding; a window that would begin behind the line does not count.
    #[test]
    fn a_window_partly_beyond_the_edge_counts_where_it_begins_on_the_line() {
        let pooled = |places: usize, size: usize, stride: usize, padding: usize| {
            let pool = Operation::MaxPool { size, stride, padding, partial: true };
            match flow(&[pool], Shape::Map { channels: 1, height: places, width: places }, &mut vec![]).unwrap() {
                Shape::Map { height, .. } => height,
                Shape::Vector { .. } => unreachable!("a pool gives maps"),
            }
        };
        assert_eq!([112, 113, 56, 7, 5].map(|places| pooled(places, 3, 2, 0)), [56, 56, 28, 3, 2]);
        assert_eq!(pooled(4, 1, 3, 0), 2);
        assert_eq!(pooled(5, 2, 2, 1), 3);
        assert_eq!(pooled(3, 1, 2, 0), 2);
    }
}
