//! Which tensors of a model are worth reading: the ends of its stages and its embedding. A stage ends with the last sum of a
//! shortcut before the map shrinks, or with the rectifier after it. No shapes are needed: strides say where a map shrinks.

use super::model::{OnnxModel, OnnxNode};
use std::collections::{BTreeMap, HashMap};

/// Tensors to read as layers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageEnds {
    /// The last tensor of each stage, in order of depth.
    pub stages: Vec<String>,
    /// The tensor that pictures are compared by.
    pub embedding: Option<String>,
    /// Whether the embedding is what a last linear layer takes, whose output looks like scores of classes.
    pub is_before_classes: bool,
}

impl StageEnds {
    /// Names of layers with the tensors to read.
    pub fn layers(&self) -> Vec<(String, String)> {
        let stages = self.stages.iter().enumerate().map(|(place, tensor)| (format!("layer{}", place + 1), tensor.clone()));
        stages.chain(self.embedding.iter().map(|tensor| ("embedding".to_owned(), tensor.clone()))).collect()
    }
}

/// By how much a tensor's map is smaller than the picture; `None`: it is no map any more.
type Scale = Option<u64>;

/// Finds the ends of a model's stages.
pub fn stage_ends(model: &OnnxModel) -> StageEnds {
    let scales = scales(model);
    let mut consumers: HashMap<&str, Vec<&OnnxNode>> = HashMap::new();
    let mut maker: HashMap<&str, &OnnxNode> = HashMap::new();
    for node in &model.nodes {
        named(&node.inputs).for_each(|input| consumers.entry(input).or_default().push(node));
        named(&node.outputs).for_each(|output| _ = maker.insert(output, node));
    }
    // The last of each scale, in order of depth: later nodes replace earlier ones.
    let ends = |is_end: &dyn Fn(&OnnxNode) -> bool| -> Vec<String> {
        let mut found: BTreeMap<u64, &str> = BTreeMap::new();
        for node in model.nodes.iter().filter(|node| is_end(node)) {
            let Some(output) = named(&node.outputs).next() else { continue };
            let Some(&Some(scale)) = scales.get(output) else { continue };
            let rectified = consumers.get(output).and_then(|next| next.iter().find(|next| next.op == "Relu"));
            let end = rectified.and_then(|relu| named(&relu.outputs).next()).unwrap_or(output);
            found.insert(scale, end);
        }
        found.into_values().map(str::to_owned).collect()
    };
    let sums = ends(&|node| node.op == "Add");
    // Without shortcuts, the last tensor before each map that is smaller.
    let shrinks = |output: &str| {
        let scale = scales.get(output).copied().flatten();
        // All outputs of a node have one scale.
        let mut next = consumers.get(output).into_iter().flatten().filter_map(|node| named(&node.outputs).next());
        next.any(|next| scales.get(next).copied().flatten() != scale)
    };
    let stages = if sums.is_empty() { ends(&|node| named(&node.outputs).next().is_some_and(shrinks)) } else { sums };
    let output = model.outputs.first().map(|output| output.name.as_str());
    let before = output.and_then(|output| before_classes(output, &maker));
    StageEnds {
        stages: stages.into_iter().filter(|stage| Some(stage.as_str()) != output).collect(),
        is_before_classes: before.is_some(),
        embedding: before.or(output).map(str::to_owned),
    }
}

/// Names that stand for a tensor: an empty one stands for an input or output that is left out.
fn named(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().map(String::as_str).filter(|name| !name.is_empty())
}

/// The scale of every tensor that depends on the picture.
fn scales(model: &OnnxModel) -> HashMap<&str, Scale> {
    let mut scales: HashMap<&str, Scale> = model.inputs.iter().map(|input| (input.name.as_str(), Some(1))).collect();
    for node in &model.nodes {
        let known = named(&node.inputs).filter_map(|input| scales.get(input));
        let Some(largest) = known.copied().reduce(|one, other| Some(one?.max(other?))) else { continue };
        let ends = ["GlobalAveragePool", "GlobalMaxPool", "Flatten", "Reshape", "Gemm", "MatMul"];
        let scale = match node.op.as_str() {
            "Conv" | "MaxPool" | "AveragePool" | "LpPool" => largest.map(|scale| scale.saturating_mul(node.stride)),
            "ReduceMean" | "ReduceMax" | "ReduceSum" => None,
            op if ends.contains(&op) => None,
            // A gate (squeeze and excitation) has no map of its own and scales one.
            _ => named(&node.inputs).filter_map(|input| scales.get(input).copied().flatten()).max(),
        };
        named(&node.outputs).for_each(|output| _ = scales.insert(output, scale));
    }
    scales
}

/// What the last linear layer takes, if that is the mean over a map, as classifiers have it.
fn before_classes<'m>(output: &'m str, maker: &HashMap<&'m str, &'m OnnxNode>) -> Option<&'m str> {
    let from = |tensor: &str| maker.get(tensor).copied();
    let mut last = from(output)?;
    if matches!(last.op.as_str(), "Softmax" | "LogSoftmax") {
        last = from(last.inputs.first()?)?;
    }
    // A linear layer whose bias is added apart.
    if last.op == "Add" {
        last = last.inputs.iter().filter_map(|input| from(input)).find(|node| node.op == "MatMul")?;
    }
    if !matches!(last.op.as_str(), "Gemm" | "MatMul") {
        return None;
    }
    let features = last.inputs.first()?.as_str();
    let mut pooled = from(features)?;
    // So many at most: nodes of a damaged model may go in a circle.
    for _ in 0..16 {
        if !matches!(pooled.op.as_str(), "Flatten" | "Reshape" | "Squeeze" | "Dropout" | "Identity") {
            break;
        }
        pooled = from(pooled.inputs.first()?)?;
    }
    matches!(pooled.op.as_str(), "GlobalAveragePool" | "ReduceMean" | "AveragePool").then_some(features)
}
