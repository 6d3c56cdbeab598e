//! Protobuf's wire format, as far as a reader of names needs it: numbered fields, each a number or a run of bytes. Runs are places in
//! the file, so what nobody asks for is never read.

use crate::{
    domain::{Fault, Result},
    pickle::source::{Cursor, Source, Span},
};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A varint.
    Number(u64),
    /// A string, a message, packed numbers.
    Bytes(Span),
    /// Four or eight bytes, which no field has that is read here.
    Fixed,
}

/// The fields of one message, in the file's order.
pub(super) struct Fields<'s> {
    cursor: Cursor<'s>,
}

impl<'s> Fields<'s> {
    /// # Errors
    /// A message that reaches beyond the file.
    pub(super) fn of(source: &'s Source<'s>, span: Span) -> Result<Self> {
        Ok(Fields { cursor: Cursor::new(source, span)? })
    }

    /// The next field with its number; `None` at the message's end.
    ///
    /// # Errors
    /// A message that is cut short, and bytes that are no field.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Content)>> {
        if self.cursor.is_done() {
            return Ok(None);
        }
        let at = self.cursor.at();
        let tag = self.varint()?;
        let content = match tag & 7 {
            0 => Content::Number(self.varint()?),
            1 => self.cursor.span(8).map(|_| Content::Fixed)?,
            2 => {
                let len = self.varint()?;
                Content::Bytes(self.cursor.span(len)?)
            }
            5 => self.cursor.span(4).map(|_| Content::Fixed)?,
            _ => return Err(damaged(at)),
        };
        if tag >> 3 == 0 { Err(damaged(at)) } else { Ok(Some((tag >> 3, content))) }
    }

    fn varint(&mut self) -> Result<u64> {
        let at = self.cursor.at();
        let mut value = 0u64;
        for place in 0..10 {
            let byte = self.cursor.byte()?;
            value |= u64::from(byte & 127).checked_shl(7 * place).unwrap_or(0);
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(damaged(at))
    }
}

/// A list of numbers, as one field or packed.
///
/// # Errors
/// More than `most` numbers, and bytes that are none.
pub(super) fn numbers(source: &Source, content: Content, most: usize, into: &mut Vec<i64>) -> Result<()> {
    match content {
        Content::Number(number) => into.push(number as i64),
        Content::Bytes(span) => {
            let mut packed = Fields::of(source, span)?;
            while !packed.cursor.is_done() && into.len() <= most {
                into.push(packed.varint()? as i64);
            }
        }
        Content::Fixed => {}
    }
    if into.len() > most { Err(Fault::asked(format!("a list of more than {most} numbers"))) } else { Ok(()) }
}

/// The refusal of bytes that are no field.
pub(super) fn damaged(at: u64) -> Fault {
    Fault::asked(format!("the ONNX model is damaged: byte {at} begins nothing that it could")).next("copy or download it again")
}

/// A varint of at most ten bytes.
#[must_use]
pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field that is a run of bytes.
#[must_use]
pub(super) fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Content)>> {
        let source = Source::Bytes(bytes);
        let mut fields = Fields::of(&source, source.all())?;
        let mut found = Vec::new();
        while let Some(field) = fields.next()? {
            found.push(field);
        }
        Ok(found)
    }

    #[test]
    fn what_is_written_is_read_and_other_fields_are_passed_over() {
        let bytes = [field(3, b"abc"), vec![0x20, 0xac, 0x02], vec![0x2d, 1, 2, 3, 4], field(300, b"")].concat();
        let found = all(&bytes).unwrap();
        assert_eq!(found[0], (3, Content::Bytes(Span { at: 2, len: 3 })));
        assert_eq!((found[1], found[2]), ((4, Content::Number(300)), (5, Content::Fixed)));
        assert_eq!(found[3].0, 300);
        for value in [0, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(all(&[vec![8], varint(value)].concat()).unwrap(), [(1, Content::Number(value))]);
        }
    }

    #[test]
    fn hostile_bytes_are_refused_before_anything_is_allocated() {
        // A length of 2^63, a varint without end, a field 0, groups of the first protobuf, and a field that is cut.
        let hostile: [&[u8]; 5] = [
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
            &[0x00, 0x01],
            &[0x0b, 0x0c],
            &[0x0a, 5, 1, 2],
        ];
        for bytes in hostile {
            assert!(all(bytes).is_err(), "{bytes:?}");
        }
        let source = Source::Bytes(&[1; 100]);
        let mut many = Vec::new();
        assert!(numbers(&source, Content::Bytes(source.all()), 16, &mut many).is_err());
        assert!(many.len() < 20);
    }
}
