//! The machine: one loop over the opcodes of protocols 0 to 5.

use super::{
    KEPT_STRING, MOST_ITEMS, MOST_LINE, MOST_NODES, MOST_STACKED, MOST_STORAGES, calls, escapes,
    node::{Coding, Id, Node, ObjectNode, StorageClaim, Str},
    source::{Cursor, Span},
    value::Element,
};
use crate::domain::{
    Fault, Result,
    text::{printable, shorten},
};
use std::collections::HashMap;

/// A pickle that was read to its end.
#[derive(Debug)]
pub(crate) struct Pickled {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
    /// The storages that it names, in their order.
    pub storages: Vec<StorageClaim>,
}

/// Reads one pickle, from where the cursor is to its opcode STOP; nothing is called.
///
/// # Errors
/// A pickle that is damaged or cut short, that calls what is not in the list of `calls.rs`, or that is beyond a limit.
pub(crate) fn unpickle(cursor: &mut Cursor) -> Result<Pickled> {
    let mut machine = Machine {
        cursor,
        at: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        items: 0,
        storages: Vec::new(),
        known: HashMap::new(),
    };
    let root = loop {
        machine.at = machine.cursor.at();
        let opcode = machine.cursor.byte()?;
        if opcode == b'.' {
            break machine.pop()?;
        }
        machine.step(opcode)?;
    };
    Ok(Pickled { nodes: machine.nodes, root, storages: machine.storages })
}

pub(super) struct Machine<'m, 's> {
    cursor: &'m mut Cursor<'s>,
    /// Where the present opcode is in the file.
    at: u64,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    /// How many items all lists and dicts took in.
    items: usize,
    storages: Vec<StorageClaim>,
    /// Where each storage is in the list.
    known: HashMap<(String, Element, u64, u64), usize>,
}

impl Machine<'_, '_> {
    pub(super) fn damaged(&self, what: impl std::fmt::Display) -> Fault {
        Fault::asked(format!("the pickle is damaged at byte {}: {what}", self.at)).next("copy or download it again")
    }

    fn beyond(&self, what: impl std::fmt::Display) -> Fault {
        Fault::asked(format!("the pickle was given up at byte {}: {what}", self.at))
            .next("no file of weights needs that: save the state_dict by itself, torch.save(model.state_dict(), PATH)")
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    pub(super) fn add(&mut self, node: Node) -> Result<Id> {
        if self.nodes.len() >= MOST_NODES {
            return Err(self.beyond(format!("it makes more than {MOST_NODES} objects")));
        }
        self.nodes.push(node);
        Ok((self.nodes.len() - 1) as Id)
    }

    pub(super) fn charge(&mut self, items: usize) -> Result<()> {
        self.items = self.items.saturating_add(items);
        if self.items > MOST_ITEMS {
            return Err(self.beyond(format!("its lists and dicts have more than {MOST_ITEMS} items")));
        }
        Ok(())
    }

    fn push(&mut self, node: Node) -> Result<()> {
        let id = self.add(node)?;
        self.push_id(id)
    }

    fn push_id(&mut self, id: Id) -> Result<()> {
        if self.stack.len() + self.marks.len() >= MOST_STACKED {
            return Err(self.beyond(format!("it nests more than {MOST_STACKED} things within each other")));
        }
        self.stack.push(id);
        Ok(())
    }

    /// Where the stack begins, as seen from behind the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id> {
        if self.stack.len() <= self.floor() {
            return Err(self.damaged("something is taken that was never put there"));
        }
        Ok(self.stack.pop().expect("the stack is higher than its floor"))
    }

    fn top(&self) -> Result<Id> {
        if self.stack.len() <= self.floor() {
            return Err(self.damaged("something is used that was never put there"));
        }
        Ok(self.stack[self.stack.len() - 1])
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(|| self.damaged("a mark is missing"))?;
        let items = self.stack.split_off(mark);
        self.charge(items.len())?;
        Ok(items)
    }

    fn pairs(&self, items: &[Id]) -> Result<Vec<(Id, Id)>> {
        if !items.len().is_multiple_of(2) {
            return Err(self.damaged("a key has no value"));
        }
        Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }

    fn step(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            // The protocol, and how long the next part is: neither changes what is read.
            0x80 => {
                let protocol = self.cursor.byte()?;
                if protocol > 5 {
                    return Err(self.damaged(format!("it is of protocol {protocol}, and there are 0 to 5")));
                }
                Ok(())
            }
            0x95 => self.cursor.array::<8>().map(drop),
            b'(' => {
                if self.stack.len() + self.marks.len() >= MOST_STACKED {
                    return Err(self.beyond(format!("it nests more than {MOST_STACKED} things within each other")));
                }
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => {
                // POP takes the mark if nothing is above it.
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                    return Ok(());
                }
                self.pop().map(drop)
            }
            b'1' => self.pop_to_mark().map(drop),
            b'2' => self.top().and_then(|top| self.push_id(top)),
            b'N' => self.push(Node::None),
            0x88 => self.push(Node::Bool(true)),
            0x89 => self.push(Node::Bool(false)),
            b'I' | b'L' | b'F' | b'J' | b'K' | b'M' | 0x8a | 0x8b | b'G' => self.number(opcode),
            b'S' | b'T' | b'U' | b'V' | b'X' | b'B' | b'C' | 0x8c | 0x8d | 0x8e | 0x96 => self.string(opcode),
            b']' => self.push(Node::List(vec![])),
            b')' => self.push(Node::Tuple(vec![])),
            b'}' => self.push(Node::Dict(vec![])),
            0x8f => self.push(Node::List(vec![])),
            b'l' | 0x91 => self.pop_to_mark().and_then(|items| self.push(Node::List(items))),
            b't' => self.pop_to_mark().and_then(|items| self.push(Node::Tuple(items))),
            b'd' => {
                let items = self.pop_to_mark()?;
                let pairs = self.pairs(&items)?;
                self.push(Node::Dict(pairs))
            }
            0x85..=0x87 => {
                let items = (0x85..=opcode).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
                self.charge(items.len())?;
                self.push(Node::Tuple(items.into_iter().rev().collect()))
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(&[item])
            }
            b'e' | 0x90 => self.pop_to_mark().and_then(|items| self.extend(&items)),
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.update(vec![(key, value)])
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                let pairs = self.pairs(&items)?;
                self.update(pairs)
            }
            b'p' | b'q' | b'r' | 0x94 => self.memoize(opcode),
            b'g' | b'h' | b'j' => self.recall(opcode),
            b'c' => {
                let (module, name) = (self.cursor.line(KEPT_STRING as usize)?, self.cursor.line(KEPT_STRING as usize)?);
                let (module, name) = (String::from_utf8_lossy(&module), String::from_utf8_lossy(&name));
                let global = self.global(&module, &name);
                self.push(global)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Some(name), Some(module)) = (self.text(name), self.text(module)) else {
                    return Err(self.damaged("a name is no text"));
                };
                let global = self.global(&module, &name);
                self.push(global)
            }
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let made = calls::call(self, function, arguments)?;
                self.push_id(made)
            }
            0x81 => {
                let (_, class) = (self.pop()?, self.pop()?);
                self.instance(class)
            }
            0x92 => {
                let (_, _, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.instance(class)
            }
            b'i' => {
                let (module, name) = (self.cursor.line(KEPT_STRING as usize)?, self.cursor.line(KEPT_STRING as usize)?);
                let (module, name) = (String::from_utf8_lossy(&module), String::from_utf8_lossy(&name));
                self.pop_to_mark()?;
                let Node::Global { name, .. } = self.global(&module, &name) else { unreachable!("a global was made") };
                Err(calls::refused(&name, self.at))
            }
            b'o' => {
                let items = self.pop_to_mark()?;
                match items.first().map(|class| self.node(*class)) {
                    Some(Node::Global { name, at }) => Err(calls::refused(name, *at)),
                    _ => Err(self.damaged("an object has no class")),
                }
            }
            b'b' => {
                let (state, object) = (self.pop()?, self.top()?);
                calls::build(self, object, state)
            }
            b'Q' => {
                let persistent = self.pop()?;
                self.persistent(persistent)
            }
            b'P' => Err(self.beyond("it names objects of another program (opcode PERSID)")),
            0x82..=0x84 => Err(self.beyond("it uses Python's registry of extensions")),
            0x97 => Err(self.beyond("part of it is outside the file (opcode NEXT_BUFFER)")),
            0x98 => Ok(()),
            other => Err(self.damaged(format!("there is no opcode {other:#04x}"))),
        }
    }

    fn number(&mut self, opcode: u8) -> Result<()> {
        let node = match opcode {
            b'J' => Node::Int(i64::from(i32::from_le_bytes(self.cursor.array()?))),
            b'K' => Node::Int(i64::from(self.cursor.byte()?)),
            b'M' => Node::Int(i64::from(u16::from_le_bytes(self.cursor.array()?))),
            b'G' => Node::Float(f64::from_be_bytes(self.cursor.array()?)),
            0x8a | 0x8b => {
                let len = if opcode == 0x8a {
                    u64::from(self.cursor.byte()?)
                } else {
                    u64::from(u32::from_le_bytes(self.cursor.array()?))
                };
                if len > 8 {
                    self.cursor.span(len)?;
                    Node::Other("a large integer".into())
                } else {
                    let bytes = self.cursor.bytes(len)?;
                    let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
                    let mut whole = [fill; 8];
                    whole[..bytes.len()].copy_from_slice(&bytes);
                    Node::Int(i64::from_le_bytes(whole))
                }
            }
            _ => {
                let line = self.cursor.line(MOST_LINE)?;
                let text = std::str::from_utf8(&line).unwrap_or("").trim();
                match (opcode, text) {
                    (b'I', "00") => Node::Bool(false),
                    (b'I', "01") => Node::Bool(true),
                    (b'F', _) => Node::Float(text.parse().map_err(|_| self.damaged("a number is none"))?),
                    _ => {
                        let digits = text.strip_suffix('L').unwrap_or(text);
                        let is_number = digits.strip_prefix('-').unwrap_or(digits).bytes().all(|byte| byte.is_ascii_digit());
                        match digits.parse() {
                            Ok(number) => Node::Int(number),
                            Err(_) if is_number && digits.len() > 18 => Node::Other("a large integer".into()),
                            Err(_) => return Err(self.damaged("a number is none")),
                        }
                    }
                }
            }
        };
        self.push(node)
    }

    fn string(&mut self, opcode: u8) -> Result<()> {
        if matches!(opcode, b'S' | b'V') {
            let line = self.cursor.line(MOST_LINE)?;
            let (coding, kept) = if opcode == b'V' {
                (Coding::Utf8, escapes::raw_unicode(&line).map(String::into_bytes))
            } else {
                (Coding::Bytes, escapes::quoted(&line))
            };
            let kept = kept.ok_or_else(|| self.damaged("a string is not written as Python writes them"))?;
            return self.push(Node::Str(Str { coding, span: None, kept: Some(kept.into()) }));
        }
        let len = match opcode {
            b'U' | b'C' | 0x8c => u64::from(self.cursor.byte()?),
            b'T' | b'X' | b'B' => u64::from(u32::from_le_bytes(self.cursor.array()?)),
            _ => u64::from_le_bytes(self.cursor.array()?),
        };
        let coding = if matches!(opcode, b'X' | 0x8c | 0x8d) { Coding::Utf8 } else { Coding::Bytes };
        let span = Span { at: self.cursor.at(), len };
        let kept = if len <= KEPT_STRING {
            Some(self.cursor.bytes(len)?.into_boxed_slice())
        } else {
            self.cursor.span(len)?;
            None
        };
        self.push(Node::Str(Str { coding, span: Some(span), kept }))
    }

    fn extend(&mut self, items: &[Id]) -> Result<()> {
        self.charge(items.len())?;
        let top = self.top()?;
        match &mut self.nodes[top as usize] {
            Node::List(list) => list.extend_from_slice(items),
            // A class that is a list: its items are not read.
            Node::Object(_) => {}
            _ => return Err(self.damaged("something is added to what is no list")),
        }
        Ok(())
    }

    fn update(&mut self, pairs: Vec<(Id, Id)>) -> Result<()> {
        self.charge(pairs.len())?;
        let top = self.top()?;
        match &mut self.nodes[top as usize] {
            Node::Dict(dict) => dict.extend(pairs),
            Node::Object(object) => object.items.extend(pairs),
            _ => return Err(self.damaged("a key is set in what is no dict")),
        }
        Ok(())
    }

    fn memoize(&mut self, opcode: u8) -> Result<()> {
        let index = match opcode {
            b'p' => self.index_line()?,
            b'q' => u32::from(self.cursor.byte()?),
            b'r' => u32::from_le_bytes(self.cursor.array()?),
            _ => self.memo.len() as u32,
        };
        let top = self.top()?;
        if self.memo.len() >= MOST_NODES {
            return Err(self.beyond(format!("it remembers more than {MOST_NODES} objects")));
        }
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<()> {
        let index = match opcode {
            b'g' => self.index_line()?,
            b'h' => u32::from(self.cursor.byte()?),
            _ => u32::from_le_bytes(self.cursor.array()?),
        };
        let id = self.memo.get(&index).copied().ok_or_else(|| self.damaged("it refers to what it has not"))?;
        self.push_id(id)
    }

    fn index_line(&mut self) -> Result<u32> {
        let line = self.cursor.line(16)?;
        let text = std::str::from_utf8(&line).ok().and_then(|text| text.trim().parse().ok());
        text.ok_or_else(|| self.damaged("a number is none"))
    }

    /// A name, as Python 3 spells it.
    fn global(&self, module: &str, name: &str) -> Node {
        let module = match module {
            "__builtin__" => "builtins",
            "copy_reg" => "copyreg",
            other => other,
        };
        Node::Global { name: format!("{module}.{name}").into(), at: self.at }
    }

    /// An object of a class: none is made. Its name is kept, and what is put into it as into a dict.
    fn instance(&mut self, class: Id) -> Result<()> {
        let Node::Global { name, .. } = self.node(class) else { return Err(self.damaged("an object has no class")) };
        let node = match &**name {
            "collections.OrderedDict" | "collections.Counter" | "collections.defaultdict" | "builtins.dict" => Node::Dict(vec![]),
            _ => Node::Object(Box::new(ObjectNode { class: name.clone(), items: vec![] })),
        };
        self.push(node)
    }

    pub(super) fn text(&self, id: Id) -> Option<String> {
        if let Node::Str(text) = self.node(id) { text.text() } else { None }
    }

    pub(super) fn number_at_least_0(&self, id: Id) -> Option<u64> {
        if let Node::Int(number) = self.node(id) { u64::try_from(*number).ok() } else { None }
    }

    /// What PyTorch keeps outside the pickle: storages, and the source code of modules.
    fn persistent(&mut self, id: Id) -> Result<()> {
        let Node::Tuple(parts) = self.node(id) else {
            return Err(self.beyond("it names objects of another program (opcode BINPERSID)"));
        };
        let parts = parts.clone();
        match parts.first().and_then(|first| self.text(*first)).as_deref() {
            // The class of a module, and its source code.
            Some("module") if parts.len() >= 2 && matches!(self.node(parts[1]), Node::Global { .. }) => self.push_id(parts[1]),
            Some("storage") if parts.len() >= 5 => {
                let Node::Global { name, at } = self.node(parts[1]) else {
                    return Err(self.damaged("a storage has no type"));
                };
                let unknown = || {
                    Fault::asked(format!(
                        "the pickle holds numbers of a type that is not read, `{}` (byte {at})",
                        printable(&shorten(name, 80))
                    ))
                    .next("save them as float32: model.float().state_dict()")
                };
                let element = calls::storage_element(name).ok_or_else(unknown)?;
                let key = match self.node(parts[2]) {
                    Node::Int(key) => Some(key.to_string()),
                    _ => self.text(parts[2]),
                };
                let (Some(key), Some(mut elements)) = (key, self.number_at_least_0(parts[4])) else {
                    return Err(self.damaged("a storage has no key or no size"));
                };
                let mut view_first = 0;
                // Part of a storage: (key, first element, elements).
                if let Some(Node::Tuple(view)) = parts.get(5).map(|view| self.node(*view)) {
                    let (Some(first), Some(size)) = (
                        view.get(1).and_then(|first| self.number_at_least_0(*first)),
                        view.get(2).and_then(|size| self.number_at_least_0(*size)),
                    ) else {
                        return Err(self.damaged("part of a storage has no place"));
                    };
                    if first.checked_add(size).is_none_or(|end| end > elements) {
                        return Err(self.damaged("part of a storage reaches beyond it"));
                    }
                    (view_first, elements) = (first, size);
                }
                let index = self.storage(StorageClaim { key, element, elements, view_first, at: self.at })?;
                self.push(Node::Storage(index))
            }
            _ => Err(self.beyond("it names objects of another program (opcode BINPERSID)")),
        }
    }

    fn storage(&mut self, claim: StorageClaim) -> Result<usize> {
        let same = (claim.key.clone(), claim.element, claim.elements, claim.view_first);
        if let Some(index) = self.known.get(&same) {
            return Ok(*index);
        }
        if self.storages.len() >= MOST_STORAGES {
            return Err(self.beyond(format!("it names more than {MOST_STORAGES} storages")));
        }
        self.known.insert(same, self.storages.len());
        self.storages.push(claim);
        Ok(self.storages.len() - 1)
    }

    pub(super) fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id as usize]
    }
}
