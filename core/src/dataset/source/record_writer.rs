//! Writes a RecordIO file and its index as MXNet's writer does, so that both have the same bytes.

use super::record::{LONGEST_PART, MAGIC, PartKind, RecordHeader};
use crate::domain::{Fault, Result};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// A RecordIO file that is being written.
pub(in crate::dataset) struct RecordWriter {
    path: PathBuf,
    records: BufWriter<File>,
    index: BufWriter<File>,
    at: u64,
}

impl RecordWriter {
    /// Makes `stem.rec` and `stem.idx`.
    ///
    /// # Errors
    /// A file that cannot be made, or is there already.
    pub(in crate::dataset) fn create(stem: &Path) -> Result<Self> {
        let create = |path: &Path| File::create_new(path).map_err(|error| Fault::io("make", path, &error));
        let path = stem.with_extension("rec");
        let (records, index) = (create(&path)?, create(&stem.with_extension("idx"))?);
        Ok(RecordWriter { path, records: BufWriter::with_capacity(1 << 20, records), index: BufWriter::new(index), at: 0 })
    }

    /// Appends a record; its key is the id of its header.
    ///
    /// # Errors
    /// A picture of more bytes than a record can have; a refusal of the operating system.
    pub(in crate::dataset) fn append(&mut self, header: &RecordHeader, id2: u64, picture: &[u8]) -> Result<()> {
        let payload = [&header.to_bytes(id2)[..], picture].concat();
        if payload.len() as u64 > LONGEST_PART {
            return Err(
                Fault::asked(format!("a picture of {} bytes: a record holds less than 2^29", picture.len())).in_file(&self.path)
            );
        }
        let offset = self.at;
        let written = writeln!(self.index, "{}\t{offset}", header.id).and_then(|()| self.parts(&payload));
        written.map_err(|error| Fault::io("write", &self.path, &error))
    }

    fn parts(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut start = 0;
        for at in (0..payload.len() / 4 * 4).step_by(4).filter(|&at| payload[at..at + 4] == MAGIC) {
            self.part(if start == 0 { PartKind::First } else { PartKind::Middle }, &payload[start..at])?;
            start = at + MAGIC.len();
        }
        self.part(if start == 0 { PartKind::Whole } else { PartKind::Last }, &payload[start..])
    }

    fn part(&mut self, kind: PartKind, bytes: &[u8]) -> io::Result<()> {
        self.records.write_all(&kind.frame(bytes.len() as u32))?;
        self.records.write_all(bytes)?;
        let zeros = bytes.len().next_multiple_of(4) - bytes.len();
        self.records.write_all(&[0; 3][..zeros])?;
        self.at += (8 + bytes.len() + zeros) as u64;
        Ok(())
    }

    /// Ends the file: all of it is on the disk then.
    ///
    /// # Errors
    /// A refusal of the operating system.
    pub(in crate::dataset) fn finish(self) -> Result<()> {
        let RecordWriter { path, records, index, .. } = self;
        for buffer in [records, index] {
            let file = buffer.into_inner().map_err(io::IntoInnerError::into_error);
            file.and_then(|file| file.sync_all()).map_err(|error| Fault::io("write", &path, &error))?;
        }
        Ok(())
    }
}
