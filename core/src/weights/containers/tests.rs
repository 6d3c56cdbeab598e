//! Files as people have them, written by the code that theirs come from (`core/tests/fixtures/weights/make.py`), and bad ones.

use super::{
    wrappers::{Fit, Misfit, Wanted, beside, fit},
    *,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The network of the fixtures: names and shapes, in the order of `make.py`.
const NAMES: [(&str, &[usize]); 8] = [
    ("conv1.weight", &[4, 3, 3, 3]),
    ("bn1.weight", &[4]),
    ("bn1.bias", &[4]),
    ("bn1.running_mean", &[4]),
    ("bn1.running_var", &[4]),
    ("layer1.0.conv1.weight", &[16, 4, 3, 3]),
    ("fc.weight", &[6, 16]),
    ("fc.bias", &[6]),
];

/// How files of torch.save before PyTorch 1.6 begin.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

fn wanted() -> Vec<Wanted<'static>> {
    NAMES.iter().map(|(name, shape)| Wanted { name, shape }).collect()
}

/// The numbers that `make.py` gives a tensor.
fn expected(j: usize) -> Vec<f32> {
    let elements: usize = NAMES[j].1.iter().product();
    (0..elements).map(|i| ((37 * i + 11 * j) % 64) as f32 / 8.0 - 4.0).collect()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// Finds the network in a file and compares every number.
fn holds_the_network<'f>(file: &'f WeightFile, name: &str) -> Fit<'f> {
    let fit = fit(&file.root, &wanted()).unwrap_or_else(|misfit| panic!("{name}: {misfit:?}"));
    let numbers = fit.numbers(file).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    for (j, (tensor, shape)) in NAMES.iter().enumerate() {
        let (found, values) = &numbers.tensors[*tensor];
        assert_eq!((found.as_slice(), values), (*shape, &expected(j)), "{name}: {tensor}");
    }
    assert_eq!(numbers.tensors.len(), NAMES.len());
    fit
}

/// The refusal of a file, what and what next.
fn refusal(bytes: &[u8]) -> String {
    let fault = of_bytes(bytes, Path::new("w.pth")).map(|file| file.root).unwrap_err();
    format!("{} / {}", fault.what, fault.next.unwrap_or_default())
}

#[test]
fn every_format_gives_the_same_numbers() {
    let files = [
        ("zip.pth", Format::TorchZip),
        ("zip_protocol4.pth", Format::TorchZip),
        ("zip_protocol5.pth", Format::TorchZip),
        ("zip_without_crc.pth", Format::TorchZip),
        ("legacy.pth", Format::TorchStream),
        ("legacy_protocol4.pth", Format::TorchStream),
        ("strided.pth", Format::TorchZip),
        ("strided_legacy.pth", Format::TorchStream),
        ("newer_types.pth", Format::TorchZip),
        ("python2_protocol0.pkl", Format::Pickle),
        ("python2_protocol1.pkl", Format::Pickle),
        ("python2_protocol2.pkl", Format::Pickle),
        ("numpy1_protocol2.pkl", Format::Pickle),
        ("numpy1_protocol4.pkl", Format::Pickle),
        ("numpy2_protocol2.pkl", Format::Pickle),
        ("numpy2_protocol4.pkl", Format::Pickle),
        ("numpy2_protocol5.pkl", Format::Pickle),
        ("numpy2_other_types.pkl", Format::Pickle),
        ("backbone.safetensors", Format::Safetensors),
    ];
    for (name, format) in files {
        let file = read(&path(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(file.format, format, "{name}");
        holds_the_network(&file, name);
        // From memory as from disk.
        let bytes = bytes(name);
        let in_memory = of_bytes(&bytes, Path::new(name)).unwrap();
        assert_eq!(in_memory.root, file.root, "{name}");
        holds_the_network(&in_memory, name);
    }
}

#[test]
fn every_wrapper_is_taken_off() {
    // File, dict, prefix, names without the prefix, counters.
    let head = ["head.batch_mean", "head.batch_std", "head.kernel", "head.t"];
    let files: [(&str, &str, &str, &[&str], usize); 14] = [
        ("zip.pth", "", "", &[], 1),
        ("imagenet_example.pth.tar", "state_dict", "module.", &[], 1),
        ("cydonia_trainer.pth.tar", "model_state_dict", "", &[], 1),
        ("arcface_checkpoint_gpu_0.pt", "state_dict_backbone", "module.", &[], 1),
        ("magface_split.pth", "state_dict", "features.module.", &["fc.weight"], 1),
        ("magface_parallel.pth", "state_dict", "module.features.", &["module.fc.weight"], 1),
        ("magface_one_card.pth", "state_dict", "features.", &["fc.weight"], 1),
        ("adaface.ckpt", "state_dict", "model.", &head, 1),
        ("lightning.ckpt", "state_dict", "model.", &["head.kernel"], 1),
        ("cvlface_net.pt", "", "net.", &[], 1),
        ("compiled.pth", "", "_orig_mod.", &[], 1),
        ("compiled_parallel.pth", "model", "_orig_mod.module.", &[], 1),
        ("backbone.pth", "net", "backbone.", &[], 1),
        ("numpy1_protocol4.pkl", "state_dict", "", &[], 0),
    ];
    for (name, dict, prefix, outside, counters) in files {
        let file = read(&path(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let fit = holds_the_network(&file, name);
        assert_eq!((fit.place.dict.as_str(), fit.place.prefix.as_str()), (dict, prefix), "{name}");
        assert!(fit.left_over.is_empty(), "{name}: {:?}", fit.left_over);
        assert_eq!(fit.counters, counters, "{name}");
        assert_eq!(fit.outside, outside, "{name}");
    }
}

#[test]
fn what_a_network_lacks_in_its_layout_is_left_over() {
    let file = read(&path("cvlface_net.pt")).unwrap();
    let without_head = &wanted()[..6];
    assert_eq!(fit(&file.root, without_head).unwrap().left_over, ["fc.bias", "fc.weight"]);
}

#[test]
fn the_same_tensors_under_two_keys_are_one_network() {
    let file = read(&path("same_twice.pth")).unwrap();
    assert_eq!(holds_the_network(&file, "same_twice.pth").place.dict, "model");
}

#[test]
fn two_networks_are_not_guessed_between() {
    for (name, words) in [
        ("two_networks.pth", "`state_dict`; `state_dict_ema`"),
        ("student_and_teacher.pth", "names beginning with `student.`; the file itself, names beginning with `teacher.`"),
    ] {
        let file = read(&path(name)).unwrap();
        let misfit = fit(&file.root, &wanted()).unwrap_err();
        assert!(matches!(&misfit, Misfit::Several(places) if places.len() == 2), "{misfit:?}");
        let fault = misfit.fault("resnet34 (torchvision)");
        assert!(fault.what.contains(words) && fault.what.contains("resnet34"), "{fault}");
    }
}

#[test]
fn small_values_beside_the_tensors_can_be_said() {
    let said = |name: &str| beside(&read(&path(name)).unwrap().root).into_iter().collect::<BTreeMap<_, _>>();
    let example = said("imagenet_example.pth.tar");
    assert_eq!((example["epoch"].as_str(), example["arch"].as_str()), ("12", "resnet50"));
    let trainer = said("cydonia_trainer.pth.tar");
    assert_eq!((trainer["best_top1"].as_str(), trainer["iteration"].as_str()), ("0.25", "900"));
    let arrays = said("numpy1_protocol4.pkl");
    assert_eq!((arrays["epoch"].as_str(), arrays["best"].as_str()), ("3", "0.5"));
    assert_eq!(said("python2_protocol1.pkl")["lr"], "0.125");
    assert_eq!(said("lightning.ckpt")["pytorch-lightning_version"], "1.8.6");
}

#[test]
fn objects_of_a_trainers_own_classes_are_named_and_not_made() {
    let file = read(&path("cydonia_trainer.pth.tar")).unwrap();
    assert_eq!(file.root.get("losses"), Some(&Value::Object("utils.AverageMeter".to_owned())));
    // A class that is a dict keeps its items.
    let lightning = read(&path("lightning.ckpt")).unwrap();
    let parameters = lightning.root.get("hyper_parameters").unwrap();
    assert_eq!(parameters.get("arch"), Some(&Value::Text("ir_50".to_owned())));
    assert_eq!(parameters.get("milestones"), Some(&Value::List(vec![Value::Int(12), Value::Int(20)])));
}

#[test]
fn other_precisions_become_single_and_are_counted() {
    let remarks = |name: &str| {
        let file = read(&path(name)).unwrap();
        holds_the_network(&file, name).numbers(&file).unwrap().conversions.remarks()
    };
    assert_eq!(remarks("float16.pth"), ["8 tensors of half precision widened to single"]);
    assert_eq!(remarks("bfloat16.pth"), ["8 tensors of half precision widened to single"]);
    assert_eq!(remarks("numpy1_protocol4.pkl"), ["8 tensors of half precision widened to single"]);
    assert_eq!(remarks("float64_legacy.pth"), ["8 tensors of double precision rounded to single"]);
    assert!(remarks("zip.pth").is_empty());
}

#[test]
fn tensors_that_are_parts_of_a_storage_or_repeat_it_are_followed() {
    for name in ["strided.pth", "strided_legacy.pth"] {
        let file = read(&path(name)).unwrap();
        let Some(Value::Tensor(repeated)) = file.root.get("repeated") else { panic!("{name}") };
        assert_eq!(file.numbers(repeated).unwrap(), [2.5; 7]);
        let Some(Value::Tensor(strided)) = file.root.get("conv1.weight") else { panic!("{name}") };
        assert!(!strided.is_contiguous(), "the fixture is in the order of channels");
    }
}

#[test]
fn types_that_weights_are_not_of_are_there_and_have_no_numbers() {
    let file = read(&path("newer_types.pth")).unwrap();
    let Some(Value::Tensor(extra)) = file.root.get("extra") else { panic!() };
    assert_eq!((extra.element, extra.shape()), (Element::U16, &[3][..]));
    assert!(file.numbers(extra).unwrap_err().what.contains("uint16"));
    let other = read(&path("numpy2_other_types.pkl")).unwrap();
    assert!(
        matches!(other.root.get("classes"), Some(Value::Other(what)) if what.contains("U1")),
        "{:?}",
        other.root.get("classes")
    );
    assert!(
        matches!(other.root.get("big"), Some(Value::Other(what)) if what.contains("big-endian")),
        "{:?}",
        other.root.get("big")
    );
    assert!(matches!(other.root.get("object"), Some(Value::Other(_))));
}

#[test]
fn what_is_wanted_and_not_there_is_told_by_the_networks_own_names() {
    let file = read(&path("imagenet_example.pth.tar")).unwrap();
    let fault = |change: &dyn Fn(&mut Vec<Wanted<'static>>)| {
        let mut changed = wanted();
        change(&mut changed);
        fit(&file.root, &changed).unwrap_err().fault("resnet34 (torchvision)")
    };
    let missing = fault(&|wanted| wanted.push(Wanted { name: "bn2.weight", shape: &[4] }));
    assert!(
        missing.what.contains(
            "lack 1 tensor of resnet34 (torchvision), such as `bn2.weight` (`state_dict`, names beginning with `module.`)"
        ),
        "{missing}"
    );
    let shape = fault(&|wanted| wanted[6].shape = &[1, 16]);
    assert!(shape.what.contains("`fc.weight` is [6, 16] and should be [1, 16]"), "{shape}");
    let file = read(&path("parameters_only.pth")).unwrap();
    let parameters = fit(&file.root, &wanted()).unwrap_err().fault("resnet34");
    assert!(parameters.what.contains("`bn1.running_mean`") && parameters.next.unwrap().contains("model.state_dict()"));
}

#[test]
fn files_without_a_networks_weights_say_what_they_hold() {
    let fault = |name: &str| {
        let fault = fit(&read(&path(name)).unwrap().root, &wanted()).unwrap_err().fault("resnet34");
        format!("{} / {}", fault.what, fault.next.unwrap())
    };
    for (name, words) in [
        ("optimizer_only.pth", "the state of an optimizer only, no weights"),
        ("optimizer_nested.pth", "the state of an optimizer only (`optimizer_states[0]`), no weights"),
        ("no_tensors.pth", "no tensors; its keys are `epoch`, `lr`"),
        ("whole_module.pth", "a whole module of class MainModel.KitModel, which only its own program can make"),
        ("whole_module_legacy.pth", "a whole module of class MainModel.KitModel under `model`"),
    ] {
        let fault = fault(name);
        assert!(fault.contains(words) && fault.contains(" / "), "{name}: {fault}");
    }
}

#[test]
fn a_pickle_that_would_run_a_command_is_refused_with_its_name_and_place() {
    for (name, function) in
        [("os_system.pkl", "posix.system"), ("os_system.pth", "posix.system"), ("os_system_legacy.pth", "posix.system")]
    {
        let bytes = bytes(name);
        let said = refusal(&bytes);
        assert!(said.contains(&format!("would call `{function}`")) && said.contains("nothing was called"), "{name}: {said}");
        let at: usize = said.split("byte ").nth(1).unwrap().split(')').next().unwrap().parse().unwrap();
        let place = &bytes[at.saturating_sub(40)..at + 20];
        assert!(place.windows(5).any(|part| part == b"posix"), "{name}: byte {at} is {:?}", String::from_utf8_lossy(place));
    }
    let calls: [&[u8]; 6] = [
        b"cos\nsystem\n(S'ls'\ntR.",
        b"(cos\nsystem\nS'ls'\no.",
        b"(S'ls'\nios\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R.",
        b"\x80\x02cbuiltins\neval\n}b.",
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN)NtR.",
    ];
    for pickle in calls.map(|pickle| [b"\x80\x02", pickle].concat()) {
        let pickle = &pickle[..];
        assert!(refusal(pickle).contains("the pickle would call `"), "{}: {}", String::from_utf8_lossy(pickle), refusal(pickle));
    }
}

#[test]
fn nesting_beyond_measure_is_refused() {
    let n = 1_000_000;
    let nested = [b"\x80\x02".to_vec(), vec![b']'; n], vec![b'a'; n - 1], b".".to_vec()].concat();
    assert!(refusal(&nested).contains("nests"), "{}", refusal(&nested));
    // Without a high stack.
    let tuples = [b"\x80\x02N".to_vec(), vec![0x85; n], b".".to_vec()].concat();
    assert!(refusal(&tuples).contains("more than 64 deep"), "{}", refusal(&tuples));
    let marks = [b"\x80\x02".to_vec(), vec![b'('; n], b".".to_vec()].concat();
    assert!(refusal(&marks).contains("nests"), "{}", refusal(&marks));
    // A list in itself.
    assert!(refusal(b"\x80\x02]q\0h\0a.").contains("more than 64 deep"));
    // Each list holds the one before it ten times.
    let mut doubling = b"\x80\x02]q\0".to_vec();
    for i in 1..=20u8 {
        doubling.extend([b']', b'q', i, b'(']);
        doubling.extend([b'h', i - 1].repeat(10));
        doubling.push(b'e');
    }
    doubling.push(b'.');
    assert!(refusal(&doubling).contains("unfolds to more than"), "{}", refusal(&doubling));
}

#[test]
fn claims_are_held_against_the_file_before_anything_is_allocated() {
    let million = b"J\x40\x42\x0f\0";
    // An array of a million times a million numbers, with four bytes.
    let shape = [&b"("[..], million, million, b"t"].concat();
    let array = [
        &b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01"[..],
        &shape,
        b"cnumpy\ndtype\nU\x02f4K\0K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89U\x04\0\0\0\0tb.",
    ]
    .concat();
    assert!(
        refusal(&array).contains("claims the shape [1000000, 1000000] of float32, and 4 bytes follow"),
        "{}",
        refusal(&array)
    );
    // A string that should be longer than the file.
    assert!(refusal(b"\x80\x04\x8e\0\0\0\0\0\x01\0\0.").contains("cut short"));
    assert!(refusal(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.").contains("cut short"));
    // A tensor of PyTorch: claims 10^12 in its storage; claims them of a small storage.
    let stream = |elements: &[u8], shape: &[u8], strides: &[u8]| {
        [
            MAGIC,
            b"\x80\x02M\xe9\x03.\x80\x02}.",
            b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu",
            elements,
            b"NtQK\0",
            shape,
            strides,
            b"\x89}tRs.",
            b"\x80\x02]X\x01\0\0\x000a.",
            &1u64.to_le_bytes(),
            &1f32.to_le_bytes(),
        ]
        .concat()
    };
    let good = stream(b"K\x01", b"K\x01\x85", b"K\x01\x85");
    assert!(of_bytes(&good, Path::new("w")).unwrap().root.get("w").is_some());
    let storage = stream(b"\x8a\x06\x00\x10\xa5\xd4\xe8\x00", b"K\x01\x85", b"K\x01\x85");
    assert!(refusal(&storage).contains("claims 1000000000000 elements of float32"), "{}", refusal(&storage));
    assert!(refusal(&storage).starts_with("`w`: "), "{}", refusal(&storage));
    let repeated = stream(b"K\x01", &[&million[..], million, b"\x86"].concat(), b"K\0K\0\x86");
    assert!(refusal(&repeated).contains("claims the shape [1000000, 1000000]"), "{}", refusal(&repeated));
    let beyond = stream(b"K\x01", b"K\x02\x85", b"K\x01\x85");
    assert!(refusal(&beyond).contains("beyond its storage of 1 elements"), "{}", refusal(&beyond));
}

#[test]
fn a_file_that_is_cut_short_or_damaged_is_refused() {
    for name in ["zip.pth", "legacy.pth", "python2_protocol2.pkl", "numpy2_protocol4.pkl", "backbone.safetensors"] {
        let whole = bytes(name);
        for part in [whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let said = refusal(&whole[..part]);
            assert!(said.contains("cut short") && said.contains("again"), "{name}, {part} bytes: {said}");
        }
    }
    // One bit of a number in a ZIP archive: seen when the numbers are read.
    let mut whole = bytes("zip.pth");
    let numbers: Vec<u8> = expected(5).iter().flat_map(|value| value.to_le_bytes()).collect();
    let at = whole.windows(numbers.len()).position(|part| part == numbers).unwrap();
    whole[at + 100] ^= 1;
    let file = of_bytes(&whole, Path::new("w.pth")).unwrap();
    let fault = fit(&file.root, &wanted()).unwrap().numbers(&file).unwrap_err();
    assert!(fault.what.contains(&format!("the file is damaged: the {} bytes from byte {at} on", numbers.len())), "{fault}");
}

#[test]
fn what_is_no_weight_file_is_called_what_it_is() {
    for (bytes, words) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"[..], "Git LFS pointer"),
        (b"<!doctype html><title>Google Drive - Virus scan warning</title>", "HTML page"),
        (b"{\"error\": \"not found\"}", "JSON"),
        (b"", "empty"),
        (&[0; 5000], "zero bytes"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"(see the README for the weights)", "plain text"),
        (b"\x08\x07\x12\x07pytorch", "an ONNX model"),
    ] {
        let said = refusal(bytes);
        assert!(said.contains(words) && !said.ends_with(" / "), "{said}");
    }
    assert!(refusal(&bytes("torchscript.pt")).contains("a TorchScript module"));
    assert!(refusal(&bytes("torchscript.pt")).contains("family: torchscript"));
    assert!(refusal(&bytes("arrays.npz")).contains(".npz archive of NumPy arrays"));
    assert!(refusal(&bytes("compressed.pth")).contains("compressed"));
    assert!(refusal(&bytes("sparse.pth")).contains("would call `torch._utils._rebuild_sparse_tensor`"));
    let folder = read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_err();
    assert!(folder.what.contains("director"), "{folder}");
}

/// Reads a file to the last number; panics are what the test is about.
fn exercise(bytes: &[u8]) {
    let Ok(file) = of_bytes(bytes, Path::new("w.pth")) else { return };
    match fit(&file.root, &wanted()) {
        Ok(fit) => _ = fit.numbers(&file),
        Err(misfit) => _ = misfit.fault("resnet34"),
    }
    beside(&file.root);
    for dict in wrappers::survey(&file.root).dicts {
        for tensor in dict.tensors.values() {
            _ = file.numbers(tensor);
        }
    }
}

const SMALL: [&str; 12] = [
    "zip_without_crc.pth",
    "legacy.pth",
    "legacy_protocol4.pth",
    "strided_legacy.pth",
    "python2_protocol0.pkl",
    "python2_protocol2.pkl",
    "numpy1_protocol2.pkl",
    "numpy2_protocol5.pkl",
    "numpy2_other_types.pkl",
    "optimizer_nested.pth",
    "whole_module_legacy.pth",
    "backbone.safetensors",
];

/// Such a byte made the head of a stream end with a tensor, whose storage nobody had looked for.
#[test]
fn no_bit_of_a_stream_makes_the_reader_panic() {
    let whole = bytes("legacy.pth");
    for at in 0..whole.len().min(2000) {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            exercise(&damaged);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_file_makes_the_reader_panic(start in 0..6usize, rest in proptest::collection::vec(any::<u8>(), 0..300)) {
        let starts: [&[u8]; 6] = [b"", b"\x80\x02", b"PK\x03\x04", MAGIC, b"\x80\x02}(", b"\x10\0\0\0\0\0\0\0{"];
        exercise(&[starts[start], &rest].concat());
    }

    #[test]
    fn no_damage_makes_the_reader_panic(
        which in 0..SMALL.len(),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), 0..8u8), 1..6),
        cut in proptest::option::weighted(0.2, any::<proptest::sample::Index>()),
    ) {
        let mut damaged = bytes(SMALL[which]);
        for (at, bit) in flips {
            let at = at.index(damaged.len());
            damaged[at] ^= 1 << bit;
        }
        if let Some(cut) = cut {
            damaged.truncate(cut.index(damaged.len()));
        }
        exercise(&damaged);
    }
}
