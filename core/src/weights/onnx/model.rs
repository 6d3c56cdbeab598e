//! What an ONNX model says of itself: inputs, outputs, nodes by name. Its numbers are not read.
//! Fields and their numbers: onnx/onnx, `onnx.proto` (IR version 10).

use super::wire::{Content, Fields, damaged, numbers};
use crate::{
    domain::{
        Fault, Result,
        text::{printable, shorten},
    },
    pickle::source::{Source, Span},
};
use std::collections::{BTreeSet, HashSet};

/// A model that was looked through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnnxModel {
    /// The program that wrote it, and its version.
    pub producer: String,
    /// The sets of operators that it uses: domain (empty: ONNX's own) and version.
    pub opsets: Vec<(String, u64)>,
    /// What must be given, without the weights.
    pub inputs: Vec<TensorType>,
    /// What it gives by itself.
    pub outputs: Vec<TensorType>,
    /// What it computes, in an order in which it can be computed.
    pub nodes: Vec<OnnxNode>,
    /// The names of its weights.
    pub weights: BTreeSet<String>,
    /// Files beside it that hold weights, as it names them.
    pub external: BTreeSet<String>,
}

/// A step of the computation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnnxNode {
    /// Its name, which may be empty.
    pub name: String,
    /// What it computes, such as `Conv`.
    pub op: String,
    /// The set of operators that this is of; empty: ONNX's own.
    pub domain: String,
    /// Tensors it takes; an empty name stands for one left out.
    pub inputs: Vec<String>,
    /// Tensors it gives.
    pub outputs: Vec<String>,
    /// The greatest of its strides over the picture; 1 where it has none.
    pub stride: u64,
    /// Whether it normalises by the pictures of the batch, as in training (`training_mode` of `BatchNormalization`).
    pub trains: bool,
}

/// A tensor's name, type and shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorType {
    /// Its name.
    pub name: String,
    /// ONNX's number of its type: 1 is float32, 10 float16.
    pub element: u64,
    /// Its sizes, the slowest first; `None` where the model does not say.
    pub shape: Option<Vec<Axis>>,
}

/// The size of a tensor along an axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Axis {
    /// Always this.
    Fixed(u64),
    /// Whatever it is given, under this name, which may be empty.
    Dynamic(String),
}

/// Things that a model may have, of all kinds together, and bytes of their names.
const MOST_THINGS: usize = 1 << 20;
const MOST_TEXT: u64 = 1 << 26;
const MOST_NAME: u64 = 4096;
const MOST_NUMBERS: usize = 1024;

/// What is left of the bounds.
struct Budget {
    things: usize,
    text: u64,
}

impl Budget {
    fn thing(&mut self) -> Result<()> {
        self.things = self.things.checked_sub(1).ok_or_else(|| too_much(&format!("more than {MOST_THINGS} things")))?;
        Ok(())
    }

    fn text(&mut self, source: &Source, content: Content) -> Result<String> {
        let Content::Bytes(span) = content else { return Err(Fault::asked("a name of the ONNX model is no text")) };
        self.text = self
            .text
            .checked_sub(span.len)
            .filter(|_| span.len <= MOST_NAME)
            .ok_or_else(|| too_much(&format!("names of more than {MOST_NAME} bytes, or {MOST_TEXT} together")))?;
        let mut bytes = vec![0; span.len as usize];
        source.fill(span.at, &mut bytes)?;
        String::from_utf8(bytes).map_err(|_| damaged(span.at))
    }
}

fn too_much(what: &str) -> Fault {
    Fault::asked(format!("the ONNX model has {what}, which no network has")).next("is it damaged? copy or download it again")
}

/// Goes through the fields of a message.
fn each(source: &Source, span: Span, mut take: impl FnMut(u64, Content) -> Result<()>) -> Result<()> {
    let mut fields = Fields::of(source, span)?;
    while let Some((number, content)) = fields.next()? {
        take(number, content)?;
    }
    Ok(())
}

/// Goes through the fields of a message in a field; what is no message is left.
fn inside(source: &Source, content: Content, take: impl FnMut(u64, Content) -> Result<()>) -> Result<()> {
    match content {
        Content::Bytes(span) => each(source, span, take),
        Content::Number(_) | Content::Fixed => Ok(()),
    }
}

/// Reads a model's names.
///
/// # Errors
/// A file that is no ONNX model, or a damaged one, or one that claims more than it has.
pub(super) fn model(source: &Source) -> Result<OnnxModel> {
    let mut budget = Budget { things: MOST_THINGS, text: MOST_TEXT };
    let mut model = OnnxModel { opsets: vec![], ..OnnxModel::default() };
    let (mut version, mut has_graph) = (String::new(), false);
    each(source, source.all(), |number, content| {
        match number {
            2 => model.producer = budget.text(source, content)?,
            3 => version = budget.text(source, content)?,
            7 => {
                has_graph = true;
                inside(source, content, |number, content| graph(source, number, content, &mut model, &mut budget))?;
            }
            8 => {
                budget.thing()?;
                let mut opset = (String::new(), 0);
                inside(source, content, |number, content| {
                    match (number, content) {
                        (1, name) => opset.0 = budget.text(source, name)?,
                        (2, Content::Number(version)) => opset.1 = version,
                        _ => {}
                    }
                    Ok(())
                })?;
                model.opsets.push(opset);
            }
            _ => {}
        }
        Ok(())
    })?;
    if !has_graph {
        return Err(Fault::asked("the ONNX model has no graph, so it computes nothing").next("is it cut short? copy it again"));
    }
    if !version.is_empty() {
        model.producer = format!("{} {version}", model.producer).trim().to_owned();
    }
    let mut given = HashSet::new();
    let mut outputs = model.nodes.iter().flat_map(|node| &node.outputs).filter(|output| !output.is_empty());
    if let Some(twice) = outputs.find(|output| !given.insert(output.as_str())) {
        let what =
            format!("two nodes of the ONNX model give `{}`, so it is not clear which is meant", printable(&shorten(twice, 120)));
        return Err(Fault::asked(what).next("is it damaged? onnx.checker.check_model(PATH) says more"));
    }
    // Weights may be listed among the inputs, as the first versions of the format ask.
    let OnnxModel { inputs, weights, .. } = &mut model;
    inputs.retain(|input| !weights.contains(&input.name));
    Ok(model)
}

fn graph(source: &Source, number: u64, content: Content, model: &mut OnnxModel, budget: &mut Budget) -> Result<()> {
    match number {
        1 => {
            budget.thing()?;
            let node = node(source, content, model, budget)?;
            model.nodes.push(node);
        }
        5 => {
            budget.thing()?;
            let name = tensor(source, content, model, budget)?;
            model.weights.insert(name);
        }
        11 | 12 => {
            budget.thing()?;
            let described = tensor_type(source, content, budget)?;
            if number == 11 { model.inputs.push(described) } else { model.outputs.push(described) }
        }
        // A sparse tensor's values have its name.
        15 => {
            budget.thing()?;
            inside(source, content, |number, content| {
                if number == 1 {
                    let name = tensor(source, content, model, budget)?;
                    model.weights.insert(name);
                }
                Ok(())
            })?;
        }
        _ => {}
    }
    Ok(())
}

fn node(source: &Source, content: Content, model: &mut OnnxModel, budget: &mut Budget) -> Result<OnnxNode> {
    let mut node = OnnxNode { stride: 1, ..OnnxNode::default() };
    inside(source, content, |number, content| {
        match number {
            1 | 2 => {
                budget.thing()?;
                let name = budget.text(source, content)?;
                if number == 1 { node.inputs.push(name) } else { node.outputs.push(name) }
            }
            3 => node.name = budget.text(source, content)?,
            4 => node.op = budget.text(source, content)?,
            5 => {
                budget.thing()?;
                let found = attribute(source, content, model, budget)?;
                node.stride = node.stride.max(found.stride);
                node.trains |= found.trains;
            }
            7 => node.domain = budget.text(source, content)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(node)
}

/// What an attribute says that is used here.
struct Attribute {
    /// The greatest stride that it asks for; 1 of others.
    stride: u64,
    /// Whether it asks for the way of training.
    trains: bool,
}

/// Reads an attribute. A tensor in it may have its numbers in another file.
fn attribute(source: &Source, content: Content, model: &mut OnnxModel, budget: &mut Budget) -> Result<Attribute> {
    let (mut name, mut number_in_it, mut values) = (String::new(), 0, Vec::new());
    inside(source, content, |number, content| {
        match (number, content) {
            (1, text) => name = budget.text(source, text)?,
            (3, Content::Number(value)) => number_in_it = value,
            (5, content) => _ = tensor(source, content, model, budget)?,
            (8, content) if name == "strides" => numbers(source, content, MOST_NUMBERS, &mut values)?,
            _ => {}
        }
        Ok(())
    })?;
    let stride = values.into_iter().max().and_then(|most| u64::try_from(most).ok()).unwrap_or(1).clamp(1, 1 << 16);
    Ok(Attribute { stride, trains: name == "training_mode" && number_in_it != 0 })
}

/// The name of a tensor of numbers; a file that they are in is noted.
fn tensor(source: &Source, content: Content, model: &mut OnnxModel, budget: &mut Budget) -> Result<String> {
    let (mut name, mut is_external, mut files) = (String::new(), false, Vec::new());
    inside(source, content, |number, content| {
        match (number, content) {
            (8, text) => name = budget.text(source, text)?,
            (13, entry) => {
                budget.thing()?;
                let (mut key, mut value) = (String::new(), String::new());
                inside(source, entry, |number, content| {
                    match number {
                        1 => key = budget.text(source, content)?,
                        2 => value = budget.text(source, content)?,
                        _ => {}
                    }
                    Ok(())
                })?;
                if key == "location" {
                    files.push(value);
                }
            }
            (14, Content::Number(place)) => is_external = place == 1,
            _ => {}
        }
        Ok(())
    })?;
    if is_external {
        model.external.extend(files);
    }
    Ok(name)
}

fn tensor_type(source: &Source, content: Content, budget: &mut Budget) -> Result<TensorType> {
    let mut described = TensorType::default();
    inside(source, content, |number, content| match number {
        1 => {
            described.name = budget.text(source, content)?;
            Ok(())
        }
        // Of the kinds of values, the first is a tensor.
        2 => inside(source, content, |number, content| match number {
            1 => inside(source, content, |number, content| {
                match (number, content) {
                    (1, Content::Number(element)) => described.element = element,
                    (2, shape) => described.shape = Some(axes(source, shape, budget)?),
                    _ => {}
                }
                Ok(())
            }),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    Ok(described)
}

fn axes(source: &Source, content: Content, budget: &mut Budget) -> Result<Vec<Axis>> {
    let mut axes = Vec::new();
    inside(source, content, |number, content| {
        if number != 1 {
            return Ok(());
        }
        budget.thing()?;
        let mut axis = Axis::Dynamic(String::new());
        inside(source, content, |number, content| {
            match (number, content) {
                // Some writers mean "any" by 0 and by -1.
                (1, Content::Number(size)) if size > 0 && size < 1 << 32 => axis = Axis::Fixed(size),
                (2, name) => axis = Axis::Dynamic(budget.text(source, name)?),
                _ => {}
            }
            Ok(())
        })?;
        axes.push(axis);
        Ok(())
    })?;
    Ok(axes)
}
