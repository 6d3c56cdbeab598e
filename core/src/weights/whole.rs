//! Whole networks in files, held against what a study asks of them, without the libraries that run them.

use super::{
    onnx::{self, Layout},
    torchscript,
};
use crate::domain::{Fault, Result, model::ModelFormat, study::PixelScale};
use std::path::Path;

/// Holds a file against pictures of `size` × `size` in this scale and the layers that are to be read, each with what is read there; what
/// is worth saying.
///
/// # Errors
/// A file of something else, a damaged one, pictures that it does not take, layers that it does not have.
pub fn examine<'a>(
    format: ModelFormat,
    path: &Path,
    size: usize,
    scale: PixelScale,
    reads: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<String>> {
    let remarks = match format {
        ModelFormat::Onnx => {
            let model = onnx::read(path)?;
            // Files that are not beside it are refused; those that are absent are missing, as any file.
            onnx::external_files(path)?;
            model.check(size, reads).map(|mut remarks| {
                remarks.extend(model.normalised_twice(scale));
                remarks
            })
        }
        ModelFormat::TorchScript => torchscript::read(path)?.check(reads),
    };
    remarks.map_err(|fault| fault.in_file(path))
}

/// Which axis of a layer's map has the channels, of its sizes without the pictures'. Pictures are square, so maps are, and that decides;
/// where all three sizes are equal, channels come first.
///
/// # Errors
/// A map that is not square.
pub fn layout_of_map(map: [usize; 3]) -> Result<Layout> {
    match map {
        [_, high, wide] if high == wide => Ok(Layout::ChannelsFirst),
        [high, wide, _] if high == wide => Ok(Layout::ChannelsLast),
        [first, second, third] => Err(Fault::asked(format!(
            "it has the shape N × {first} × {second} × {third}: its map is not square, so which axis has the channels is not clear"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_axes_of_a_map_are_its_places() {
        for (map, layout) in [
            ([768, 7, 7], Layout::ChannelsFirst),
            ([7, 7, 768], Layout::ChannelsLast),
            ([512, 1, 1], Layout::ChannelsFirst),
            ([1, 1, 512], Layout::ChannelsLast),
            ([8, 8, 8], Layout::ChannelsFirst),
        ] {
            assert_eq!(layout_of_map(map).unwrap(), layout, "{map:?}");
        }
        assert!(layout_of_map([64, 7, 5]).unwrap_err().what.contains("N × 64 × 7 × 5: its map is not square"));
    }
}
