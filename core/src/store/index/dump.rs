//! What the store holds, as text: to show that one made again equals the one it replaces, and that a run which was killed
//! came to what an undisturbed one comes to.

use super::{
    Index,
    schema::{self, TABLES},
};
use crate::domain::{Digest, Result, metric::Chunk};
use rusqlite::types::ValueRef;

impl Index {
    /// Every row of every table, a line each, in the order of what tells rows apart. (What is of the moment is not dumped:
    /// whether a journal's writer lived when it was last read, when a result's file was put there.)
    pub fn dump(&self, each: &mut dyn FnMut(&str)) -> Result<()> {
        // A store of an earlier release that is only looked at lacks some.
        let version = schema::version(&self.connection, &self.path())?;
        let is_there = |table: &str| match table {
            "journal_aside" => version >= 5,
            "cluster" => version >= 7,
            _ => true,
        };
        for (table, order) in TABLES.iter().filter(|(table, _)| is_there(table)) {
            let columns = match *table {
                "journal" => "name, offset, chain",
                "result" => "key, alike, content, bytes, worker, attempt, seconds",
                _ => "*",
            };
            self.lines(table, &format!("SELECT {columns} FROM {table} ORDER BY {order}"), each)?;
        }
        Ok(())
    }

    /// The digest of [`Index::dump`].
    pub fn digest(&self) -> Result<Digest> {
        let mut hasher = blake3::Hasher::new();
        self.dump(&mut |line| _ = hasher.update(line.as_bytes()).update(b"\n"))?;
        Ok(Digest::from_bytes(*hasher.finalize().as_bytes()))
    }

    /// What was found, whoever found it and when: results with the digests of their content, and the points that were recorded
    /// by the attempts that made them.
    pub fn findings(&self, each: &mut dyn FnMut(&str)) -> Result<()> {
        self.lines("result", "SELECT key, alike, content, bytes FROM result ORDER BY key", each)?;
        let outcome = (|| {
            let mut statement = self.connection.prepare(
                "SELECT metric.points FROM result JOIN metric ON metric.key = result.key AND metric.journal = result.worker
                 AND metric.attempt = result.attempt ORDER BY metric.key, metric.series, metric.offset",
            )?;
            statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        })();
        for chunk in self.ran(outcome)?.iter().filter_map(|bytes| Chunk::of_bytes(bytes)) {
            for point in &chunk.points {
                each(&format!("point\t{}\t{}\t{}\t{:016x}", chunk.key, chunk.series, point.step, point.value.to_bits()));
            }
        }
        Ok(())
    }

    fn lines(&self, table: &str, query: &str, each: &mut dyn FnMut(&str)) -> Result<()> {
        let outcome = (|| {
            let mut statement = self.connection.prepare(query)?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let mut line = table.to_owned();
                for column in 0..columns {
                    line.push('\t');
                    line += &match row.get_ref(column)? {
                        ValueRef::Null => "-".to_owned(),
                        ValueRef::Integer(number) => number.to_string(),
                        ValueRef::Real(number) => format!("{number:e}"),
                        ValueRef::Text(text) => String::from_utf8_lossy(text).escape_debug().to_string(),
                        ValueRef::Blob(bytes) => Digest::of(bytes).to_string(),
                    };
                }
                each(&line);
            }
            Ok(())
        })();
        self.ran(outcome)
    }
}
