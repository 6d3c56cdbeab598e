//! Whether a study's pictures and layers fit a model.

use super::model::{Axis, OnnxModel, TensorType};
use crate::domain::{
    Fault, Result,
    spelling::suggestion,
    study::PixelScale,
    text::{count, printable, shorten},
};

/// ONNX's numbers of types, with their names.
const ELEMENTS: [(u64, &str); 13] = [
    (1, "float32"),
    (2, "uint8"),
    (3, "int8"),
    (4, "uint16"),
    (5, "int16"),
    (6, "int32"),
    (7, "int64"),
    (8, "text"),
    (9, "bool"),
    (10, "float16"),
    (11, "float64"),
    (12, "uint32"),
    (16, "bfloat16"),
];

const FLOAT: u64 = 1;
const HALF: u64 = 10;

/// In which order a model takes the numbers of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Channels, rows, columns: as PyTorch has them.
    ChannelsFirst,
    /// Rows, columns, channels: as TensorFlow has them.
    ChannelsLast,
}

/// How a model takes pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureInput {
    /// The tensor's name.
    pub name: String,
    /// The order of a picture's numbers.
    pub layout: Layout,
    /// Whether numbers are of half precision.
    pub is_half: bool,
    /// How many pictures at a time, where the model takes no other number.
    pub batch: Option<usize>,
    /// Height and width, where the model takes no others.
    pub size: [Option<u64>; 2],
}

impl TensorType {
    /// Type and shape: `float32 [batch, 3, 112, 112]`.
    pub fn words(&self) -> String {
        let element = ELEMENTS.iter().find(|(number, _)| *number == self.element).map_or("of an unknown type", |(_, word)| word);
        let axis = |axis: &Axis| match axis {
            Axis::Fixed(size) => size.to_string(),
            Axis::Dynamic(name) if name.is_empty() => "?".to_owned(),
            Axis::Dynamic(name) => printable(&shorten(name, 40)),
        };
        let axes = |axes: &Vec<Axis>| axes.iter().map(axis).collect::<Vec<_>>().join(", ");
        format!("{element} [{}]", self.shape.as_ref().map_or("?".to_owned(), axes))
    }

    fn named(&self) -> String {
        format!("`{}` ({})", quoted(&self.name), self.words())
    }
}

fn quoted(name: &str) -> String {
    printable(&shorten(name, 120))
}

impl OnnxModel {
    /// How the model takes pictures.
    ///
    /// # Errors
    /// A model that takes something else.
    pub fn picture_input(&self) -> Result<PictureInput> {
        let [input] = &self.inputs[..] else {
            let names: Vec<String> = self.inputs.iter().take(4).map(TensorType::named).collect();
            return Err(Fault::asked(format!(
                "the model takes {}, not one batch of pictures: {}",
                count(self.inputs.len(), "input"),
                names.join(", ")
            ))
            .next("export the part that takes pictures and gives features"));
        };
        let wrong = |why: &str| {
            Fault::asked(format!("the model's input {} {why}", input.named()))
                .next("a network takes pictures as float32 or float16, N × 3 × height × width or N × height × width × 3")
        };
        if ![FLOAT, HALF].contains(&input.element) {
            return Err(wrong("takes no numbers with a fraction"));
        }
        let size = |axis: &Axis| match axis {
            Axis::Fixed(size) => Some(*size),
            Axis::Dynamic(_) => None,
        };
        let Some([batch, first, second, third]) = input.shape.as_deref().and_then(|axes| <&[Axis; 4]>::try_from(axes).ok())
        else {
            return Err(wrong("is no batch of pictures"));
        };
        let [first, second, third] = [first, second, third].map(size);
        let (layout, size_of) = match (first, third) {
            (Some(3), _) => (Layout::ChannelsFirst, [second, third]),
            (_, Some(3)) => (Layout::ChannelsLast, [first, second]),
            // Nothing is said of channels: PyTorch's order is the usual one.
            (None, _) => (Layout::ChannelsFirst, [second, third]),
            (Some(_), _) => return Err(wrong("takes no pictures of three channels")),
        };
        let batch = size(batch).map(|batch| batch as usize);
        if batch.is_some_and(|batch| batch > 4096) {
            return Err(wrong("takes more than 4096 pictures at a time"));
        }
        Ok(PictureInput { name: input.name.clone(), layout, is_half: input.element == HALF, batch, size: size_of })
    }

    /// Does the model scale pictures itself, so that it takes numbers of 0 to 255? InsightFace tells that by a subtraction and a product
    /// among its first nodes (`python-package/insightface/model_zoo/arcface_onnx.py`).
    pub fn normalises_itself(&self) -> bool {
        let has = |op: &str| self.nodes.iter().take(8).any(|node| node.op == op);
        has("Sub") && (has("Mul") || has("Div"))
    }

    /// What is worth saying of a preparation in this scale, where the model scales pictures too.
    pub(crate) fn normalised_twice(&self, scale: PixelScale) -> Option<String> {
        (scale != PixelScale::Raw && self.normalises_itself()).then(|| {
            format!(
                "the model begins with a normalisation of its own, and the preparation scales too ({}): is `raw` meant?",
                scale.word()
            )
        })
    }

    /// The tensor that a study reads: one of that name, or the first that the node of that name gives.
    ///
    /// # Errors
    /// A name that the model has not, or only of its input or weights.
    pub fn tensor(&self, name: &str) -> Result<&str> {
        let given = || self.nodes.iter().flat_map(|node| &node.outputs).filter(|output| !output.is_empty());
        if let Some(output) = given().find(|output| *output == name) {
            return Ok(output);
        }
        let node = self.nodes.iter().find(|node| !name.is_empty() && node.name == name);
        if let Some(output) = node.and_then(|node| node.outputs.iter().find(|output| !output.is_empty())) {
            return Ok(output);
        }
        let shown = quoted(name);
        if self.weights.contains(name) || self.inputs.iter().any(|input| input.name == name) {
            return Err(Fault::asked(format!("`{shown}` of the model is its input or a weight, which is no layer"))
                .next("`visavis weights inspect` lists tensors that are"));
        }
        let names = self.nodes.iter().map(|node| node.name.as_str()).chain(given().map(String::as_str));
        let near = crate::domain::spelling::nearest(name, names.filter(|name| !name.is_empty() && name.len() < 200));
        let outputs: Vec<&str> = self.outputs.iter().map(|output| output.name.as_str()).collect();
        let next = near.map_or_else(|| suggestion(name, &outputs), |near| format!("did you mean `{}`?", quoted(near)));
        Err(Fault::asked(format!("the model has no tensor and no node `{shown}`"))
            .next(format!("{next} `visavis weights inspect` lists what there is")))
    }

    /// Holds pictures of `size` × `size` and the tensors that are to be read against the model; what is worth saying.
    ///
    /// # Errors
    /// Pictures that it does not take, layers that it does not have.
    pub fn check<'a>(&self, size: usize, layers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<String>> {
        let input = self.picture_input()?;
        if input.size.iter().flatten().any(|of| *of != size as u64) {
            let [height, width] = input.size.map(|of| of.map_or("any".to_owned(), |of| of.to_string()));
            return Err(Fault::asked(format!(
                "the model takes pictures of {height} × {width} only, and the preparation gives {size} × {size}"
            ))
            .next("give the preparation the model's `size`"));
        }
        for (layer, name) in layers {
            self.tensor(name).map_err(|mut fault| {
                fault.what = format!("layer `{}`: {}", quoted(layer), fault.what);
                fault
            })?;
        }
        if self.nodes.iter().any(|node| node.op == "BatchNormalization" && node.trains) {
            return Err(Fault::asked(
                "what the model gives for a picture depends on the pictures beside it: it was exported in training mode",
            )
            .next("call model.eval() before torch.onnx.export, and leave `training` as it is"));
        }
        let mut remarks = Vec::new();
        if let Some(batch) = input.batch {
            remarks.push(format!("the model takes {} at a time, which is slower", count(batch, "picture")));
        }
        if input.is_half {
            remarks.push("the model computes in half precision (float16)".to_owned());
        }
        Ok(remarks)
    }
}
