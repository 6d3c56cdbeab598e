//! Arrays and weight files.

use super::{FuzzTarget, few, seeds, told};
use std::path::Path;
use visavis_core::{
    dataset::{Numbers, array},
    weights::{self, containers, onnx, torchscript},
};

fn npy(bytes: &[u8]) -> String {
    let path = Path::new("x.npy");
    let numbers = Numbers::of_npy(bytes, path);
    if let Ok(numbers) = &numbers {
        let mut row = vec![];
        (0..numbers.rows().min(100)).for_each(|place| numbers.row(place, &mut row));
        numbers.first_not_finite(0..numbers.rows().min(100));
    }
    format!("{} {}", told(numbers), told(array::from_npy(bytes, path)))
}

fn safetensors(bytes: &[u8]) -> String {
    let path = Path::new("x.safetensors");
    format!("{} {}", told(Numbers::of_safetensors(bytes, "a", path)), weight_file(bytes))
}

/// Checkpoints of `torch.save` and pickles of NumPy arrays: read, looked through, and each tensor's numbers taken.
fn weight_file(bytes: &[u8]) -> String {
    let file = match containers::of_bytes(bytes, Path::new("x.pt")) {
        Ok(file) => file,
        Err(fault) => return fault.what,
    };
    format!("{} {}", told(weights::inspect(&file)), told(weights::recognised(&file)))
}

fn onnx_model(bytes: &[u8]) -> String {
    match onnx::of_bytes(bytes, Path::new("x.onnx")) {
        Ok(model) => {
            let ends = onnx::stage_ends(&model);
            drop(ends);
            "read".to_owned()
        }
        Err(fault) => fault.what,
    }
}

/// A module of TorchScript: its code is read, never run.
fn torchscript_module(bytes: &[u8]) -> String {
    match torchscript::of_bytes(bytes, Path::new("x.pt")) {
        Ok(module) => format!("read, {} layers", few(module.layers().len())),
        Err(fault) => fault.what,
    }
}

pub(super) fn targets() -> Vec<FuzzTarget> {
    vec![
        FuzzTarget {
            name: "npy",
            seeds: seeds(&["plain.npy", "columns.npy", "fortran.npy"]),
            words: &[
                b"'descr': ",
                b"'shape': (",
                b"),",
                b"[",
                b"]",
                b"(",
                b")",
                b"True",
                b"'<f8'",
                b"'|O'",
                b"('x', '<f4', (2,))",
                b"\\x00",
                b"\x93NUMPY\x02\x00",
            ],
            read: npy,
        },
        FuzzTarget {
            name: "safetensors",
            seeds: seeds(&["two.safetensors"]),
            words: &[
                b"{",
                b"}",
                b"[",
                b"]",
                b"\"dtype\":\"F32\"",
                b"\"shape\":[",
                b"\"data_offsets\":[",
                b"\"__metadata__\":{",
                b"\\u0000",
                b",",
                b"BF16",
            ],
            read: safetensors,
        },
        FuzzTarget {
            name: "pickle",
            seeds: seeds(&["numpy0.pkl", "numpy2.pkl", "numpy4.pkl", "zip.pt", "legacy.pt"]),
            words: &[
                b"\x80\x02",
                b"cnumpy\nndarray\n",
                b"ctorch._utils\n_rebuild_tensor_v2\n",
                b"ccollections\nOrderedDict\n",
                b"R",
                b"b",
                b"(",
                b"t",
                b"}",
                b"q\x00",
                b"h\x00",
                b".",
                b"0",
                b"2",
                b"\x85",
                b"\x8a\x08",
                b"]",
                b"a",
                b"e",
                b"u",
                b"s",
                b"PK\x03\x04",
            ],
            read: weight_file,
        },
        FuzzTarget {
            name: "onnx",
            seeds: seeds(&["whole/faces.onnx", "whole/residual.onnx", "whole/strange.onnx", "whole/outside.onnx"]),
            words: &[
                b"\x08\x01",
                b"\x0a\xff\xff\xff\xff\x0f",
                b"\x12\x00",
                b"\x3a",
                b"Conv",
                b"Gemm",
                b"external",
                b"location",
                b"../x",
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            ],
            read: onnx_model,
        },
        FuzzTarget {
            name: "torchscript",
            seeds: seeds(&["whole/fixed.pt", "whole/dict.pt", "whole/tuple.pt"]),
            words: &[
                b"PK\x03\x04",
                b"def forward(self: __torch__.x, x: Tensor) -> Tensor:\n",
                b"class ",
                b"  __parameters__ = []\n",
                b"return (",
                b"self.",
                b"Dict[str, Tensor]",
                b"{\"",
                b"\xff\xff\xff\xff",
                b"(((((((((((((((((((((((((((((((",
            ],
            read: torchscript_module,
        },
    ]
}
