//! Models written here, byte by byte, and damaged ones.

use super::{
    wire::{field, varint},
    *,
};
use crate::domain::study::PixelScale;

/// A node: operator, name, inputs, outputs, and its strides.
fn node(op: &str, name: &str, inputs: &[&str], outputs: &[&str], stride: Option<u64>) -> Vec<u8> {
    let names = |number, of: &[&str]| of.iter().flat_map(|name| field(number, name.as_bytes())).collect::<Vec<u8>>();
    let strides = stride.map_or(vec![], |stride| {
        let ints = field(8, &[varint(stride), varint(stride)].concat());
        field(5, &[field(1, b"strides"), ints].concat())
    });
    field(1, &[names(1, inputs), names(2, outputs), field(3, name.as_bytes()), field(4, op.as_bytes()), strides].concat())
}

/// A tensor's type: 0 stands for a dynamic axis.
fn tensor_type(name: &str, element: u64, axes: &[u64]) -> Vec<u8> {
    let axis = |of: &u64| field(1, &if *of == 0 { field(2, b"batch") } else { [vec![8], varint(*of)].concat() });
    let shape = field(2, &axes.iter().flat_map(axis).collect::<Vec<u8>>());
    let tensor = field(1, &[[vec![8], varint(element)].concat(), shape].concat());
    [field(1, name.as_bytes()), field(2, &tensor)].concat()
}

/// Weights of a name, with numbers inside, or in a file beside the model.
fn weights(name: &str, external: Option<&str>) -> Vec<u8> {
    let place = external.map_or(field(9, &[0; 64]), |file| {
        let entry = [field(1, b"location"), field(2, file.as_bytes())].concat();
        [field(13, &entry), vec![0x70, 1]].concat()
    });
    field(5, &[vec![8, 16, 16, 1], field(8, name.as_bytes()), place].concat())
}

fn model_of(parts: &[Vec<u8>]) -> Vec<u8> {
    [vec![8, 8], field(2, b"pytorch"), field(3, b"2.11.0"), field(7, &parts.concat()), field(8, &[0x10, 17])].concat()
}

/// A stem, two residual stages with rectifiers, and a head; `element` and `axes` of its input.
fn residual(element: u64, axes: &[u64]) -> Vec<Vec<u8>> {
    vec![
        node("Conv", "/stem/Conv", &["pictures", "w0"], &["stem"], Some(2)),
        node("Conv", "", &["stem", "w1"], &["a"], Some(1)),
        node("Add", "/layer1/Add", &["a", "stem"], &["sum1"], None),
        node("Relu", "/layer1/Relu", &["sum1"], &["end1"], None),
        node("Conv", "", &["end1", "w2"], &["b"], Some(2)),
        node("Conv", "", &["end1", "w3"], &["down"], Some(2)),
        node("Add", "", &["b", "down"], &["sum2"], None),
        node("Relu", "", &["sum2"], &["end2"], None),
        node("GlobalAveragePool", "", &["end2"], &["pooled"], None),
        node("Flatten", "", &["pooled"], &["flat"], None),
        node("Gemm", "/fc/Gemm", &["flat", "w4"], &["scores"], None),
        weights("w0", None),
        weights("w4", None),
        field(11, &tensor_type("pictures", element, axes)),
        field(11, &tensor_type("w4", 1, &[16])),
        field(12, &tensor_type("scores", 1, &[0, 10])),
    ]
}

fn parsed(bytes: &[u8]) -> Result<OnnxModel> {
    of_bytes(bytes, Path::new("m.onnx"))
}

fn usual() -> OnnxModel {
    parsed(&model_of(&residual(1, &[0, 3, 16, 16]))).unwrap()
}

#[test]
fn a_model_says_what_it_takes_and_gives_and_weights_are_no_inputs() {
    let model = usual();
    assert_eq!((model.producer.as_str(), &model.opsets[..]), ("pytorch 2.11.0", &[(String::new(), 17)][..]));
    let types = |of: &[TensorType]| of.iter().map(|of| format!("{} {}", of.name, of.words())).collect::<Vec<_>>();
    assert_eq!(types(&model.inputs), ["pictures float32 [batch, 3, 16, 16]"]);
    assert_eq!(types(&model.outputs), ["scores float32 [batch, 10]"]);
    assert_eq!(model.nodes.iter().filter(|node| node.stride == 2).count(), 3);
    assert_eq!(model.weights.len(), 2);
    assert!(model.external.is_empty());
}

#[test]
fn stages_end_with_the_rectified_sum_before_the_map_shrinks() {
    let ends = stage_ends(&usual());
    assert_eq!(ends.stages, ["end1", "end2"]);
    assert_eq!((ends.embedding.as_deref(), ends.is_before_classes), (Some("flat"), true));
    let layers = ends.layers();
    assert_eq!(layers[0], ("layer1".to_owned(), "end1".to_owned()));
    assert_eq!(layers[2], ("embedding".to_owned(), "flat".to_owned()));
}

#[test]
fn networks_of_faces_end_stages_with_plain_sums_and_their_output_is_the_embedding() {
    let parts = [
        node("Conv", "", &["x", "w0"], &["0"], Some(1)),
        node("Conv", "", &["0", "w1"], &["1"], Some(2)),
        node("Conv", "", &["0", "w2"], &["2"], Some(2)),
        node("Add", "", &["1", "2"], &["3"], None),
        node("BatchNormalization", "", &["3", "w"], &["4"], None),
        node("Conv", "", &["4", "w1"], &["5"], Some(2)),
        node("Conv", "", &["3", "w2"], &["6"], Some(2)),
        node("Add", "", &["5", "6"], &["7"], None),
        node("Flatten", "", &["7"], &["8"], None),
        node("Gemm", "", &["8", "w3"], &["683"], None),
        field(11, &tensor_type("x", 1, &[0, 3, 8, 8])),
        field(12, &tensor_type("683", 1, &[1, 4])),
    ];
    let ends = stage_ends(&parsed(&model_of(&parts)).unwrap());
    assert_eq!((ends.stages, ends.embedding.as_deref()), (vec!["3".to_owned(), "7".to_owned()], Some("683")));
    assert!(!ends.is_before_classes);
}

#[test]
fn a_model_that_normalises_by_its_batch_is_refused() {
    let said = |value: u64| {
        let attribute = field(5, &[field(1, b"training_mode"), vec![0x18], varint(value)].concat());
        let parts = [field(1, b"end2"), field(2, b"normal"), field(4, b"BatchNormalization"), attribute].concat();
        let model = parsed(&model_of(&[residual(1, &[0, 3, 16, 16]), vec![field(1, &parts)]].concat())).unwrap();
        model.check(16, [("l", "normal")])
    };
    assert!(said(1).unwrap_err().to_string().contains("training mode"));
    assert!(said(0).is_ok());
}

#[test]
fn a_preparation_that_scales_what_the_model_scales_too_is_told() {
    assert_eq!(usual().normalised_twice(PixelScale::Symmetric), None);
    let own = [node("Sub", "", &["pictures", "mean"], &["less"], None), node("Mul", "", &["less", "by"], &["scaled"], None)];
    let model = parsed(&model_of(&[own.to_vec(), residual(1, &[0, 3, 16, 16])].concat())).unwrap();
    assert!(model.normalised_twice(PixelScale::Symmetric).unwrap().contains("scales too (symmetric)"));
    assert_eq!(model.normalised_twice(PixelScale::Raw), None);
}

#[test]
fn two_nodes_that_give_one_name_are_refused_and_names_left_out_are_no_tensors() {
    let with = |parts: &[Vec<u8>]| parsed(&model_of(&[residual(1, &[0, 3, 16, 16]), parts.to_vec()].concat()));
    let twice = with(&[node("Relu", "", &["a"], &["end1"], None)]).unwrap_err().what;
    assert!(twice.contains("two nodes of the ONNX model give `end1`"), "{twice}");
    let left_out = with(&[node("Relu", "", &["", "a"], &["", "x"], None), node("Relu", "", &["", "b"], &[""], None)]).unwrap();
    assert_eq!(stage_ends(&left_out).stages, ["end1", "end2"]);
}

#[test]
fn nodes_in_a_circle_and_many_consumers_end_at_once() {
    let circle = [
        node("Flatten", "", &["a"], &["a"], None),
        node("Gemm", "", &["a", "w"], &["scores"], None),
        field(12, &tensor_type("scores", 1, &[0, 10])),
    ];
    assert!(!stage_ends(&parsed(&model_of(&circle)).unwrap()).is_before_classes);
    // One node that takes a tensor 50,000 times and gives as many others.
    let names: Vec<String> = (0..50_000).map(|place| format!("o{place}")).collect();
    let many: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts = [
        node("Relu", "", &["pictures"], &["t"], None),
        node("Split", "", &vec!["t"; 50_000], &many, None),
        field(11, &tensor_type("pictures", 1, &[0, 3, 16, 16])),
    ];
    assert_eq!(stage_ends(&parsed(&model_of(&parts)).unwrap()).stages, Vec::<String>::new());
}

#[test]
fn a_layer_is_a_tensor_or_a_node_and_the_nearest_is_suggested() {
    let model = usual();
    assert_eq!(model.tensor("end1").unwrap(), "end1");
    assert_eq!(model.tensor("/layer1/Relu").unwrap(), "end1");
    let told = model.tensor("/layer1/Reul").unwrap_err().to_string();
    assert!(told.contains("no tensor and no node `/layer1/Reul`") && told.contains("did you mean `/layer1/Relu`?"), "{told}");
    for name in ["w0", "pictures"] {
        assert!(model.tensor(name).unwrap_err().what.contains("input or a weight"), "{name}");
    }
    assert!(model.tensor("").is_err());
}

#[test]
fn pictures_that_a_model_does_not_take_are_refused_with_what_it_takes() {
    let check = |element, axes: &[u64], size| parsed(&model_of(&residual(element, axes))).unwrap().check(size, [("l", "end1")]);
    assert_eq!(check(1, &[0, 3, 16, 16], 16).unwrap(), Vec::<String>::new());
    assert_eq!(check(1, &[0, 3, 0, 0], 96).unwrap(), Vec::<String>::new());
    let told = check(1, &[0, 3, 16, 16], 96).unwrap_err().what;
    assert_eq!(told, "the model takes pictures of 16 × 16 only, and the preparation gives 96 × 96");
    assert_eq!(check(1, &[1, 3, 16, 16], 16).unwrap(), ["the model takes 1 picture at a time, which is slower"]);
    assert_eq!(check(10, &[0, 3, 16, 16], 16).unwrap(), ["the model computes in half precision (float16)"]);
    assert!(
        check(2, &[0, 3, 16, 16], 16).unwrap_err().what.contains("(uint8 [batch, 3, 16, 16]) takes no numbers with a fraction")
    );
    assert!(check(1, &[0, 16], 16).unwrap_err().what.contains("is no batch of pictures"));
    assert!(check(1, &[0, 1, 16, 16], 16).unwrap_err().what.contains("three channels"));
    let of = |axes: &[u64]| parsed(&model_of(&residual(1, axes))).unwrap().picture_input().unwrap();
    assert_eq!(of(&[0, 16, 16, 3]).layout, Layout::ChannelsLast);
    assert_eq!(of(&[7, 3, 16, 16]).batch, Some(7));
    let mut two = residual(1, &[0, 3, 16, 16]);
    two.push(field(11, &tensor_type("mask", 1, &[0])));
    assert!(parsed(&model_of(&two)).unwrap().check(16, []).unwrap_err().what.contains("takes 2 inputs"));
}

#[test]
fn weights_in_other_files_are_named_and_only_beside_the_model() {
    let with = |file: &str| model_of(&[residual(1, &[0, 3, 16, 16]), vec![weights("w9", Some(file))]].concat());
    assert_eq!(parsed(&with("m.onnx.data")).unwrap().external, ["m.onnx.data".to_owned()].into());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    std::fs::write(&path, with("m.onnx.data")).unwrap();
    assert!(is_model(&path));
    assert_eq!(external_files(&path).unwrap(), [("m.onnx.data".to_owned(), folder.path().join("m.onnx.data"))]);
    for outside in ["../secret", "/etc/passwd", "", "a/../../b", "a\nb"] {
        std::fs::write(&path, with(outside)).unwrap();
        assert!(external_files(&path).unwrap_err().what.contains("not beside it"), "{outside:?}");
    }
}

#[test]
fn outputs_are_added_by_appending_bytes() {
    let bytes = with_outputs(model_of(&residual(1, &[0, 3, 16, 16])), ["end1", "end2"]);
    let names: Vec<String> = parsed(&bytes).unwrap().outputs.into_iter().map(|output| output.name).collect();
    assert_eq!(names, ["scores", "end1", "end2"]);
}

#[test]
fn a_model_that_is_cut_anywhere_is_refused_or_read_and_never_panics() {
    let whole = model_of(&residual(1, &[0, 3, 16, 16]));
    let mut refused = 0;
    for len in 0..whole.len() {
        refused += usize::from(parsed(&whole[..len]).is_err());
    }
    // What follows the graph may be lacking: it is a model still.
    assert!(refused > whole.len() - 10, "{refused} of {}", whole.len());
    assert!(parsed(&whole[..whole.len() / 2]).unwrap_err().to_string().contains("cut short"));
    for place in 0..whole.len() {
        for value in [0, 0x7f, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[place] = value;
            if let Ok(model) = parsed(&damaged) {
                stage_ends(&model);
                model.check(16, [("l", "end1")]).ok();
            }
        }
    }
}

#[test]
fn claims_beyond_what_any_network_has_are_refused() {
    let many = model_of(&[field(1, b"").repeat((1 << 20) + 1)]);
    assert!(parsed(&many).unwrap_err().what.contains("more than 1048576 things"));
    let long = model_of(&[node("Conv", &"n".repeat(5000), &[], &[], None)]);
    assert!(parsed(&long).unwrap_err().what.contains("names of more than 4096 bytes"));
    // Lengths of 2^62 inside and outside.
    for start in [vec![8, 8, 0x3a], vec![8, 8, 0x3a, 11, 0x0a]] {
        let claims = [start, varint(1 << 62), vec![0; 20]].concat();
        assert!(parsed(&claims).unwrap_err().what.contains("cut short"));
    }
    assert!(parsed(b"{}").unwrap_err().what.contains("the file is JSON"));
    assert!(parsed(&[8, 8, 0x12, 1, b'x']).unwrap_err().what.contains("no graph"));
}
