//! Sets of picture pairs as InsightFace pickles them (`lfw.bin`): a list of encoded pictures, two a pair, and a list of whether the two
//! of each pair are of one identity. Written by Python 2 or 3, pictures as strings, bytes or arrays of `uint8`.

use super::{
    machine::{Pickled, unpickle},
    node::{ArrayNode, Id, Node},
    source::{Cursor, Source},
    value::{Data, Element},
};
use crate::domain::{Fault, Result};

/// Pictures in their order, and whether two that follow each other are of one identity.
#[derive(Debug)]
pub(crate) struct PickledPairs {
    /// Where the bytes of each are.
    pub pictures: Vec<Data>,
    /// One a pair.
    pub is_same: Vec<bool>,
}

/// Reads a set of pairs; nothing is called, and no picture is read.
///
/// # Errors
/// A pickle that is damaged, that calls what is not in the list of `calls.rs`, or that is something else than two such lists.
pub(crate) fn pairs(source: &Source) -> Result<PickledPairs> {
    let pickled = unpickle(&mut Cursor::new(source, source.all())?)?;
    let wrong = |what: &str| {
        Fault::asked(format!("the pickle is no set of picture pairs: {what}"))
            .next("it should be two lists: pictures as bytes, two a pair, and whether each pair is of one identity")
    };
    let lists = pickled.items(pickled.root).filter(|lists| lists.len() == 2).ok_or_else(|| wrong("it is not two lists"))?;
    let [Some(pictures), Some(answers)] = [lists[0], lists[1]].map(|list| pickled.items(list)) else {
        return Err(wrong("it is not two lists"));
    };
    let picture = |(place, id): (usize, &Id)| pickled.bytes(*id).ok_or_else(|| wrong(&format!("picture {place} is no bytes")));
    let answer = |(place, id): (usize, &Id)| {
        pickled.answer(*id).ok_or_else(|| wrong(&format!("the answer of pair {place} is neither true nor false")))
    };
    let pictures = pictures.iter().enumerate().map(picture).collect::<Result<Vec<Data>>>()?;
    let is_same = answers.iter().enumerate().map(answer).collect::<Result<Vec<bool>>>()?;
    if pictures.len() != 2 * is_same.len() {
        let counts = format!("it has {} pictures and answers of {} pairs", pictures.len(), is_same.len());
        return Err(wrong(&counts));
    }
    Ok(PickledPairs { pictures, is_same })
}

impl Pickled {
    /// The items of a list or tuple.
    fn items(&self, id: Id) -> Option<&[Id]> {
        match &self.nodes[id as usize] {
            Node::List(items) | Node::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// Bytes: a string, or an array of `uint8`.
    fn bytes(&self, id: Id) -> Option<Data> {
        match &self.nodes[id as usize] {
            Node::Str(text) => text.data().map(|(data, _)| data),
            Node::Array(Some(array)) => match &**array {
                ArrayNode::Tensor(tensor) if tensor.element == Element::U8 && tensor.is_contiguous() => {
                    Some(tensor.data().clone())
                }
                ArrayNode::Tensor(_) | ArrayNode::Other(_) => None,
            },
            _ => None,
        }
    }

    fn answer(&self, id: Id) -> Option<bool> {
        match self.nodes[id as usize] {
            Node::Bool(is_same) => Some(is_same),
            Node::Int(is_same @ (0 | 1)) => Some(is_same == 1),
            _ => None,
        }
    }
}
