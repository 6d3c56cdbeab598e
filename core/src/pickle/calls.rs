//! The functions that a pickle may call, by what they would give. There are no others: a name that is not here is refused
//! where it is called.

use super::{
    machine::Machine,
    node::{ArrayNode, Coding, Id, Node, ObjectNode, Str, TensorNode},
    value::{Element, TensorRef, c_strides, fortran_strides},
};
use crate::domain::{
    Fault, Result,
    text::{printable, shorten},
};

/// The refusal of a call.
pub(crate) fn refused(name: &str, at: u64) -> Fault {
    Fault::asked(format!(
        "the pickle would call `{}` (named at byte {at}), which is no function that weights need; nothing was called",
        printable(&shorten(name, 120))
    ))
    .next("do not open the file with Python unless you trust who made it; ask for the state_dict by itself: torch.save(model.state_dict(), PATH)")
}

/// The element type of one of PyTorch's storage classes, such as `torch.FloatStorage`.
pub(crate) fn storage_element(class: &str) -> Option<Element> {
    Some(match class.rsplit('.').next().filter(|_| class.starts_with("torch."))? {
        "DoubleStorage" => Element::F64,
        "FloatStorage" => Element::F32,
        "HalfStorage" => Element::F16,
        "BFloat16Storage" => Element::BF16,
        "LongStorage" => Element::I64,
        "IntStorage" => Element::I32,
        "ShortStorage" => Element::I16,
        "CharStorage" => Element::I8,
        "ByteStorage" | "UntypedStorage" => Element::U8,
        "BoolStorage" => Element::Bool,
        "ComplexFloatStorage" => Element::Complex64,
        "ComplexDoubleStorage" => Element::Complex128,
        _ => return None,
    })
}

/// The element type of one of PyTorch's types, such as `torch.bfloat16`.
fn torch_element(name: &str) -> Option<Element> {
    Some(match name.strip_prefix("torch.")? {
        "float64" | "double" => Element::F64,
        "float32" | "float" => Element::F32,
        "float16" | "half" => Element::F16,
        "bfloat16" => Element::BF16,
        "int64" => Element::I64,
        "int32" => Element::I32,
        "int16" => Element::I16,
        "int8" => Element::I8,
        "uint64" => Element::U64,
        "uint32" => Element::U32,
        "uint16" => Element::U16,
        "uint8" => Element::U8,
        "bool" => Element::Bool,
        "complex64" => Element::Complex64,
        "complex128" => Element::Complex128,
        other if other.starts_with("float8_") => Element::F8,
        _ => return None,
    })
}

/// The element type of one of NumPy's types, such as `f4`.
fn numpy_element(word: &str) -> Option<Element> {
    Some(match word.trim_start_matches(['<', '>', '=', '|']) {
        "f8" => Element::F64,
        "f4" => Element::F32,
        "f2" => Element::F16,
        "i8" => Element::I64,
        "i4" => Element::I32,
        "i2" => Element::I16,
        "i1" => Element::I8,
        "u8" => Element::U64,
        "u4" => Element::U32,
        "u2" => Element::U16,
        "u1" => Element::U8,
        "b1" => Element::Bool,
        "c8" => Element::Complex64,
        "c16" => Element::Complex128,
        _ => return None,
    })
}

/// What the call `function(*arguments)` gives.
///
/// # Errors
/// A function that is not in the list, or arguments that it does not take.
pub(crate) fn call(machine: &mut Machine, function: Id, arguments: Id) -> Result<Id> {
    let Node::Global { name, at } = machine.node(function) else {
        return Err(machine.damaged("it calls what is no function"));
    };
    let (name, at) = (name.clone(), *at);
    let Node::Tuple(arguments) = machine.node(arguments) else {
        return Err(machine.damaged(format!("`{}` is called without arguments", printable(&shorten(&name, 120)))));
    };
    let arguments = arguments.clone();
    let wrong = |machine: &Machine| machine.damaged(format!("`{name}` is given what it does not take"));
    let made = match &*name {
        "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => tensor(machine, &arguments, None),
        "torch._utils._rebuild_tensor_v3" => {
            let element = match arguments.get(6).map(|element| machine.node(*element)) {
                Some(Node::Global { name, .. }) => torch_element(name),
                _ => None,
            };
            if element.is_none() {
                return Err(wrong(machine));
            }
            tensor(machine, &arguments, element)
        }
        "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
            let data = *arguments.first().ok_or_else(|| wrong(machine))?;
            return matches!(machine.node(data), Node::Tensor(_)).then_some(data).ok_or_else(|| wrong(machine));
        }
        // (function, class, its arguments, state): a tensor with attributes of its own.
        "torch._tensor._rebuild_from_type_v2" => match arguments.first().map(|function| machine.node(*function)) {
            Some(Node::Global { name, at }) => match &**name {
                "torch._utils._rebuild_tensor_v2" => match arguments.get(2).map(|inner| machine.node(*inner)) {
                    Some(Node::Tuple(inner)) => {
                        let inner = inner.clone();
                        tensor(machine, &inner, None)
                    }
                    _ => None,
                },
                other => return Err(refused(other, *at)),
            },
            _ => None,
        },
        "torch.device" | "torch.Size" | "torch.serialization._get_layout" => {
            return arguments.first().copied().ok_or_else(|| wrong(machine));
        }
        "numpy.core.multiarray._reconstruct" | "numpy._core.multiarray._reconstruct" => Some(Node::Array(None)),
        "numpy.core.multiarray.scalar" | "numpy._core.multiarray.scalar" => numpy_scalar(machine, &arguments),
        "numpy.core.numeric._frombuffer" | "numpy._core.numeric._frombuffer" => match arguments[..] {
            [data, element, shape, order] => {
                let is_fortran = machine.text(order).as_deref() == Some("F");
                return numpy_array(machine, shape, element, is_fortran, data).and_then(|array| machine.add(array));
            }
            _ => None,
        },
        "numpy.dtype" => arguments.first().and_then(|word| machine.text(*word)).map(|word| Node::NumpyType {
            element: numpy_element(&word),
            is_big_endian: word.starts_with('>'),
            word: word.into(),
        }),
        "_codecs.encode" => latin1(machine, &arguments),
        "builtins.bytearray" if arguments.len() == 2 => latin1(machine, &arguments),
        "builtins.bytes" | "builtins.bytearray" => match arguments[..] {
            [] => Some(Node::Str(Str { coding: Coding::Bytes, span: None, kept: Some([].into()) })),
            [bytes] if matches!(machine.node(bytes), Node::Str(_)) => return Ok(bytes),
            _ => None,
        },
        "collections.OrderedDict" | "collections.Counter" | "builtins.dict" => match arguments[..] {
            [] => Some(Node::Dict(vec![])),
            [items] => dict(machine, items)?,
            _ => None,
        },
        "collections.defaultdict" => match arguments[..] {
            [] | [_] => Some(Node::Dict(vec![])),
            [_, items] => dict(machine, items)?,
            _ => None,
        },
        "builtins.set" | "builtins.frozenset" | "builtins.list" | "builtins.tuple" | "collections.deque" => {
            match arguments.first() {
                None => Some(Node::List(vec![])),
                Some(items) => match machine.node(*items) {
                    Node::List(items) | Node::Tuple(items) => {
                        let items = items.clone();
                        machine.charge(items.len())?;
                        Some(Node::List(items))
                    }
                    _ => None,
                },
            }
        }
        "builtins.complex" => Some(Node::Other("a complex number".into())),
        // What Python writes for an object of protocols 0 and 1: the class, object, None.
        "copyreg._reconstructor" | "copyreg.__newobj__" => match arguments.first().map(|class| machine.node(*class)) {
            Some(Node::Global { name, .. }) => Some(Node::Object(Box::new(ObjectNode { class: name.clone(), items: vec![] }))),
            _ => None,
        },
        _ => return Err(refused(&name, at)),
    };
    let node = made.ok_or_else(|| wrong(machine))?;
    machine.add(node)
}

/// What a state gives to an object that was made before (opcode BUILD).
///
/// # Errors
/// A state of an array or a NumPy type that is none.
pub(crate) fn build(machine: &mut Machine, object: Id, state: Id) -> Result<()> {
    match machine.node(object) {
        Node::Array(None) => {
            // (version, shape, type, is it Fortran's order, bytes)
            let parts = match machine.node(state) {
                Node::Tuple(parts) => match parts[..] {
                    [_, shape, element, order, data] => Some((shape, element, order, data)),
                    [shape, element, order, data] => Some((shape, element, order, data)),
                    _ => None,
                },
                _ => None,
            };
            let (shape, element, order, data) = parts.ok_or_else(|| machine.damaged("a NumPy array has no content"))?;
            let is_fortran = matches!(machine.node(order), Node::Bool(true) | Node::Int(1));
            let array = numpy_array(machine, shape, element, is_fortran, data)?;
            *machine.node_mut(object) = array;
        }
        Node::NumpyType { .. } => {
            // (version, byte order, …)
            let order = match machine.node(state) {
                Node::Tuple(parts) => parts.get(1).and_then(|order| machine.text(*order)),
                _ => None,
            };
            let order = order.ok_or_else(|| machine.damaged("a NumPy type has no byte order"))?;
            if let Node::NumpyType { is_big_endian, .. } = machine.node_mut(object) {
                *is_big_endian = order == ">";
            }
        }
        // Attributes of dicts (PyTorch's `_metadata`), of tensors, and of objects that are not read.
        Node::Dict(_) | Node::List(_) | Node::Tensor(_) | Node::Object(_) => {}
        Node::Global { name, at } => return Err(refused(name, *at)),
        _ => return Err(machine.damaged("a state is given to what has none")),
    }
    Ok(())
}

/// The numbers of a tuple or list.
fn sizes(machine: &Machine, id: Id) -> Option<Vec<u64>> {
    match machine.node(id) {
        Node::Tuple(items) | Node::List(items) if items.len() <= 64 => {
            items.iter().map(|item| machine.number_at_least_0(*item)).collect()
        }
        Node::Int(size) => u64::try_from(*size).ok().map(|size| vec![size]),
        _ => None,
    }
}

/// (storage, first element, shape, strides, …)
fn tensor(machine: &Machine, arguments: &[Id], element: Option<Element>) -> Option<Node> {
    let [storage, first, shape, strides, ..] = arguments else { return None };
    let Node::Storage(storage) = machine.node(*storage) else { return None };
    let node = TensorNode {
        storage: *storage,
        element,
        first: machine.number_at_least_0(*first)?,
        shape: sizes(machine, *shape)?,
        strides: sizes(machine, *strides)?,
    };
    Some(Node::Tensor(Box::new(node)))
}

fn numpy_array(machine: &Machine, shape: Id, element: Id, is_fortran: bool, data: Id) -> Result<Node> {
    let shape = sizes(machine, shape).ok_or_else(|| machine.damaged("a NumPy array has no shape"))?;
    let Node::NumpyType { word, element, is_big_endian } = machine.node(element) else {
        return Err(machine.damaged("a NumPy array has no type"));
    };
    let other = |what: String| Ok(Node::Array(Some(Box::new(ArrayNode::Other(what)))));
    let Some(element) = *element else {
        return other(format!("a NumPy array of type {}", printable(&shorten(word, 20))));
    };
    if *is_big_endian && element.size() > 1 {
        return other("a NumPy array of big-endian numbers".to_owned());
    }
    let data = if let Node::Str(data) = machine.node(data) { data.data() } else { None };
    let (data, bytes) = data.ok_or_else(|| machine.damaged("a NumPy array has no bytes"))?;
    let elements = shape.iter().try_fold(1u64, |product, size| product.checked_mul(*size));
    let Some(elements) = elements.filter(|n| n.checked_mul(element.size()).is_some_and(|size| bytes.contains(&size))) else {
        return Err(machine.damaged(format!(
            "a NumPy array claims the shape {shape:?} of {}, and {} bytes follow",
            element.word(),
            bytes.end()
        )));
    };
    let strides = if is_fortran { fortran_strides(&shape) } else { c_strides(&shape) };
    let tensor = TensorRef::new(element, &shape, &strides, 0, elements, data)?;
    Ok(Node::Array(Some(Box::new(ArrayNode::Tensor(tensor)))))
}

/// A NumPy number: (type, bytes).
fn numpy_scalar(machine: &Machine, arguments: &[Id]) -> Option<Node> {
    let [element, bytes] = arguments else { return None };
    let Node::NumpyType { element, is_big_endian, word } = machine.node(*element) else { return None };
    let Node::Str(bytes) = machine.node(*bytes) else { return None };
    let mut bytes = bytes.kept_bytes()?;
    if *is_big_endian {
        bytes.reverse();
    }
    let Some(element) = *element else {
        return Some(Node::Other(format!("a NumPy value of type {}", printable(&shorten(word, 20))).into()));
    };
    let mut whole = [0; 8];
    let size = element.size() as usize;
    if size > 8 || bytes.len() != size {
        return (size > 8).then(|| Node::Other("a complex number".into()));
    }
    whole[..size].copy_from_slice(&bytes);
    let bits = u64::from_le_bytes(whole);
    let shift = 64 - 8 * size as u32;
    let signed = ((bits << shift) as i64) >> shift;
    Some(match element {
        Element::F64 => Node::Float(f64::from_bits(bits)),
        Element::F32 => Node::Float(f64::from(f32::from_bits(bits as u32))),
        Element::F16 => Node::Float(half::f16::from_bits(bits as u16).to_f64()),
        Element::BF16 => Node::Float(half::bf16::from_bits(bits as u16).to_f64()),
        Element::Bool => Node::Bool(bits != 0),
        Element::I64 | Element::I32 | Element::I16 | Element::I8 => Node::Int(signed),
        Element::U64 | Element::U32 | Element::U16 | Element::U8 => Node::Int(i64::try_from(bits).ok()?),
        Element::Complex64 | Element::Complex128 | Element::F8 => Node::Other(element.word().into()),
    })
}

/// Text that stands for bytes: (text, "latin1").
fn latin1(machine: &Machine, arguments: &[Id]) -> Option<Node> {
    let [text, coding, ..] = arguments else { return None };
    let Node::Str(text) = machine.node(*text) else { return None };
    let coding = machine.text(*coding)?;
    if text.coding != Coding::Utf8 || !matches!(&*coding, "latin1" | "latin-1" | "iso-8859-1") {
        return None;
    }
    Some(Node::Str(Str { coding: Coding::Latin1InUtf8, ..text.clone() }))
}

/// A dict of another dict, or of a list of pairs.
fn dict(machine: &mut Machine, items: Id) -> Result<Option<Node>> {
    let pair = |item: &Id| match machine.node(*item) {
        Node::Tuple(pair) | Node::List(pair) => <[Id; 2]>::try_from(pair.as_slice()).ok().map(|[key, value]| (key, value)),
        _ => None,
    };
    let pairs: Option<Vec<(Id, Id)>> = match machine.node(items) {
        Node::Dict(pairs) => Some(pairs.clone()),
        Node::List(items) | Node::Tuple(items) => items.iter().map(pair).collect(),
        _ => None,
    };
    machine.charge(pairs.as_ref().map_or(0, Vec::len))?;
    Ok(pairs.map(Node::Dict))
}
