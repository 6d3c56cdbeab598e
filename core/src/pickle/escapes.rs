//! Strings of protocol 0, which are lines with escapes.

/// `'…'` or `"…"` with Python's escapes, as bytes.
pub(crate) fn quoted(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.trim_ascii();
    let quote = *line.first().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let inner = line[1..].strip_suffix(&[quote])?;
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner.iter();
    while let Some(byte) = rest.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let hex = |digit: Option<&u8>| digit.and_then(|digit| char::from(*digit).to_digit(16));
        out.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => (hex(rest.next())? * 16 + hex(rest.next())?) as u8,
            plain @ (b'\\' | b'\'' | b'"') => *plain,
            _ => return None,
        });
    }
    Some(out)
}

/// Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
pub(crate) fn raw_unicode(line: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        let digits = match line[at..] {
            [b'\\', b'u', ..] => 4,
            [b'\\', b'U', ..] => 8,
            _ => 0,
        };
        if digits == 0 {
            out.push(char::from(line[at]));
            at += 1;
            continue;
        }
        let hex = std::str::from_utf8(line.get(at + 2..at + 2 + digits)?).ok()?;
        out.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
        at += 2 + digits;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_protocol_0_are_read_as_python_writes_them() {
        assert_eq!(quoted(br"'a\x00\n\'\\\xff'").unwrap(), b"a\0\n'\\\xff");
        assert_eq!(quoted(b"\"it's\"").unwrap(), b"it's");
        assert!(quoted(b"'").is_none() && quoted(b"").is_none() && quoted(br"'\x0'").is_none() && quoted(br"'a\'").is_none());
        assert_eq!(raw_unicode(b"a\\u00e9\xe9\\U0001F600").unwrap(), "aéé😀");
        assert!(raw_unicode(b"\\u00").is_none() && raw_unicode(b"\\ud800").is_none());
    }
}
