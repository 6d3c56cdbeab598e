//! The bits of a scan, and the Huffman codes in them (ITU-T T.81, annexes C and F).

/// A Huffman table: for every start of 16 bits the code's length and symbol.
pub(super) struct HuffmanTable {
    /// By the first nine bits: length and symbol; a length of 0 is a longer code.
    short: Box<[(u8, u8)]>,
    /// The largest code of each length, left-aligned in 16 bits, plus one; and where its symbols start.
    limits: [u32; 17],
    starts: [i32; 17],
    symbols: Vec<u8>,
}

const SHORT: u32 = 9;

impl HuffmanTable {
    /// `counts`: codes of each length from 1 to 16; `symbols` in the order of their codes. `None`: no such table.
    pub(super) fn new(counts: &[u8], symbols: &[u8]) -> Option<Self> {
        let mut codes =
            HuffmanTable { short: vec![(0, 0); 1 << SHORT].into(), limits: [0; 17], starts: [0; 17], symbols: symbols.to_vec() };
        let (mut code, mut place) = (0u32, 0usize);
        for length in 1..=16u32 {
            let count = u32::from(counts[length as usize - 1]);
            codes.starts[length as usize] = place as i32 - code as i32;
            for next in code..code + count {
                // More codes than there are of this length: no table.
                if next >> length != 0 {
                    return None;
                }
                if length <= SHORT {
                    let (first, last) = (next << (SHORT - length), (next + 1) << (SHORT - length));
                    codes.short[first as usize..last as usize].fill((length as u8, *symbols.get(place)?));
                }
                place += 1;
            }
            code += count;
            codes.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Some(codes)
    }
}

/// The bits of a scan, without the zeros that are stuffed behind 255; they end before the next mark.
pub(super) struct ScanBits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    /// Bits held, and how many of them are there and not made up: beyond the end there are ones, as encoders pad.
    count: u32,
    real: u32,
}

impl<'a> ScanBits<'a> {
    /// Of the scan that begins at this byte.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        ScanBits { bytes, at, held: 0, count: 0, real: 0 }
    }

    #[inline]
    fn fill(&mut self) {
        while self.count <= 48 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xff), Some(0)) => {
                    self.at += 2;
                    Some(0xff)
                }
                (Some(0xff) | None, _) => None,
                (Some(byte), _) => {
                    self.at += 1;
                    Some(*byte)
                }
            };
            self.real += if byte.is_some() { 8 } else { 0 };
            self.held = self.held << 8 | u64::from(byte.unwrap_or(0xff));
            self.count += 8;
        }
    }

    #[inline]
    pub(super) fn skip(&mut self, bits: u32) -> Option<()> {
        // No number has more bits; a table that is damaged may say so.
        if bits > 16 {
            return None;
        }
        if self.count < bits {
            self.fill();
        }
        self.count -= bits;
        self.real = self.real.checked_sub(bits)?;
        Some(())
    }

    pub(super) fn take(&mut self, bits: u32) -> Option<u32> {
        if self.count < bits {
            self.fill();
        }
        let value = self.held >> (self.count - bits) & ((1 << bits) - 1);
        self.skip(bits)?;
        Some(value as u32)
    }

    /// The symbol of the next code.
    #[inline]
    pub(super) fn code(&mut self, codes: &HuffmanTable) -> Option<u8> {
        if self.count < 16 {
            self.fill();
        }
        let next = (self.held >> (self.count - 16) & 0xffff) as u32;
        let (length, symbol) = codes.short[(next >> (16 - SHORT)) as usize];
        if length > 0 {
            self.skip(length.into())?;
            return Some(symbol);
        }
        let length = (SHORT + 1..=16).find(|length| next < codes.limits[*length as usize])?;
        self.skip(length)?;
        let place = codes.starts[length as usize] + (next >> (16 - length)) as i32;
        codes.symbols.get(usize::try_from(place).ok()?).copied()
    }

    /// Passes over a restart mark; `None` where there is none.
    pub(super) fn restart(&mut self) -> Option<()> {
        let mark = self.next_mark();
        let marker = self.bytes[mark..].iter().find(|byte| **byte != 0xff)?;
        let fill = self.bytes[mark..].iter().position(|byte| *byte != 0xff)?;
        if !(0xd0..=0xd7).contains(marker) {
            return None;
        }
        (self.at, self.held, self.count, self.real) = (mark + fill + 1, 0, 0, 0);
        Some(())
    }

    /// Where the next mark is: bits that are left before it are padding.
    pub(super) fn next_mark(&self) -> usize {
        let mut at = self.at;
        while at < self.bytes.len() {
            match (self.bytes[at], self.bytes.get(at + 1)) {
                (0xff, Some(0)) => at += 2,
                (0xff, _) => return at,
                _ => at += 1,
            }
        }
        at
    }
}
