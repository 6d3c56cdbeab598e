//! Is a JPEG whole? Decoders fill up what is missing with grey, and a mark that looks like the end may be a thumbnail's. So the
//! file is walked as the format says (ITU-T T.81): segments by their lengths, then every scan code by code, until each block
//! of each component has been met. What follows the picture's own end (Motion Photos, a second picture, padding) is not looked at.

/// Where a JPEG's own end is: what comes after belongs to something else.
pub fn end(bytes: &[u8]) -> Result<usize, Broken> {
    let mut walk = ScanWalk { bytes, at: 2, frame: None, dc: Default::default(), ac: Default::default(), restart: 0 };
    loop {
        match walk.marker()? {
            Marker::END => break,
            Marker::SCAN => {
                let scan = walk.scan_header()?;
                walk.scan(&scan)?;
            }
            Marker::HUFFMAN => walk.tables()?,
            Marker::RESTART_INTERVAL => walk.restart = usize::from(two(walk.segment()?, 0)?),
            marker @ (0xc0..=0xc2) => walk.frame(marker)?,
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err(Broken::Unread("its coding is lossless, hierarchical or arithmetic"));
            }
            // Marks that stand alone.
            0x01 | 0xd0..=0xd8 => return Err(Broken::Damaged { row: walk.row() }),
            _ => _ = walk.segment()?,
        }
    }
    let Some(frame) = &walk.frame else { return Err(Broken::Damaged { row: 0 }) };
    if frame.components.iter().any(|component| !component.met) {
        return Err(Broken::Cut { row: 0 });
    }
    // A progressive picture that ends between two scans has all its blocks, and none of them sharp.
    if frame.progressive && frame.components.iter().any(|component| component.untold.iter().any(|bits| *bits > 0)) {
        return Err(Broken::Cut { row: frame.height });
    }
    Ok(walk.at)
}

/// What is wrong with a JPEG. Rows are rows of pixels, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It ends before its picture does.
    Cut {
        row: usize,
    },
    /// Something stands where the format does not have it.
    Damaged {
        row: usize,
    },
    Unread(&'static str),
}

struct Marker;

impl Marker {
    const HUFFMAN: u8 = 0xc4;
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    const RESTART_INTERVAL: u8 = 0xdd;
}

struct ScanWalk<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    dc: [Option<HuffmanTable>; 4],
    ac: [Option<HuffmanTable>; 4],
    /// Units between restart marks; 0: none.
    restart: usize,
}

struct Frame {
    width: usize,
    height: usize,
    progressive: bool,
    /// The largest sampling factors.
    across: usize,
    down: usize,
    components: Vec<Component>,
    /// The row of pixels that was reached.
    reached: usize,
}

struct Component {
    id: u8,
    across: usize,
    down: usize,
    /// Its blocks in the units of scans of several components, row by row: for progressive scans, which coefficients are not 0.
    stride: usize,
    history: Vec<u64>,
    met: bool,
    /// Of every coefficient the low bits that no scan has told yet.
    untold: [u8; 64],
}

struct Scan {
    /// Places of components with their tables.
    parts: Vec<(usize, usize, usize)>,
    from: usize,
    to: usize,
    refines: bool,
    /// Low bits that are left to later scans.
    leaves: u8,
}

/// A Huffman table: for every start of 16 bits the code's length and symbol.
struct HuffmanTable {
    /// By the first nine bits: length and symbol; a length of 0 is a longer code.
    short: Box<[(u8, u8)]>,
    /// The largest code of each length, left-aligned in 16 bits, plus one; and where its symbols start.
    limits: [u32; 17],
    starts: [i32; 17],
    symbols: Vec<u8>,
}

const SHORT: u32 = 9;

fn two(bytes: &[u8], at: usize) -> Result<u16, Broken> {
    let pair = bytes.get(at..at + 2).ok_or(Broken::Damaged { row: 0 })?;
    Ok(u16::from_be_bytes([pair[0], pair[1]]))
}

impl<'a> ScanWalk<'a> {
    fn row(&self) -> usize {
        self.frame.as_ref().map_or(0, |frame| frame.reached)
    }

    /// The next mark; bytes before it that are none are passed over, as every decoder does.
    fn marker(&mut self) -> Result<u8, Broken> {
        let cut = Broken::Cut { row: self.row() };
        loop {
            let from = self.bytes.get(self.at..).ok_or(cut)?;
            self.at += from.iter().position(|byte| *byte == 0xff).ok_or(cut)?;
            let after = &self.bytes[self.at..];
            let marker = after.iter().position(|byte| *byte != 0xff).ok_or(cut)?;
            self.at += marker + 1;
            if after[marker] != 0 {
                return Ok(after[marker]);
            }
        }
    }

    /// A segment's bytes, less its length.
    fn segment(&mut self) -> Result<&'a [u8], Broken> {
        let cut = Broken::Cut { row: self.row() };
        let length = self.bytes.get(self.at..self.at + 2).ok_or(cut)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        if length < 2 {
            return Err(Broken::Damaged { row: self.row() });
        }
        let segment = self.bytes.get(self.at + 2..self.at + length).ok_or(cut)?;
        self.at += length;
        Ok(segment)
    }

    fn frame(&mut self, marker: u8) -> Result<(), Broken> {
        let segment = self.segment()?;
        let damaged = Broken::Damaged { row: 0 };
        let [precision, h1, h0, w1, w0, count, rest @ ..] = segment else { return Err(damaged) };
        let (height, width) = (usize::from(u16::from_be_bytes([*h1, *h0])), usize::from(u16::from_be_bytes([*w1, *w0])));
        if *precision != 8 {
            return Err(Broken::Unread("it has more than 8 bits a colour"));
        }
        if height == 0 {
            return Err(Broken::Unread("its height is told after its pixels"));
        }
        let parts: Vec<&[u8]> = rest.chunks_exact(3).take(usize::from(*count)).collect();
        let factors = |part: &&[u8]| (usize::from(part[1] >> 4), usize::from(part[1] & 15));
        let right = |part: &&[u8]| matches!(factors(part), (1..=4, 1..=4));
        if self.frame.is_some()
            || width == 0
            || parts.is_empty()
            || parts.len() != usize::from(*count)
            || !parts.iter().all(right)
        {
            return Err(damaged);
        }
        let across = parts.iter().map(|part| factors(part).0).max().unwrap_or(1);
        let down = parts.iter().map(|part| factors(part).1).max().unwrap_or(1);
        let units = width.div_ceil(8 * across) * height.div_ceil(8 * down);
        // A header that lies about its size must not cost memory: a unit takes a few bits at the least.
        if units > self.bytes.len() * 64 {
            return Err(Broken::Cut { row: 0 });
        }
        let progressive = marker == 0xc2;
        let component = |part: &&[u8]| {
            let (h, v) = factors(part);
            let stride = width.div_ceil(8 * across) * h;
            let history = if progressive { vec![0; units * h * v] } else { vec![] };
            Component { id: part[0], across: h, down: v, stride, history, met: false, untold: [255; 64] }
        };
        let components = parts.iter().map(component).collect();
        self.frame = Some(Frame { width, height, progressive, across, down, components, reached: 0 });
        Ok(())
    }

    fn tables(&mut self) -> Result<(), Broken> {
        let row = self.row();
        let mut rest = self.segment()?;
        while let [which, tail @ ..] = rest {
            let damaged = Broken::Damaged { row };
            let counts = tail.get(..16).ok_or(damaged)?;
            let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
            let symbols = tail.get(16..16 + total).ok_or(damaged)?;
            let table = HuffmanTable::new(counts, symbols).ok_or(damaged)?;
            let tables = if which >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(which & 15)).ok_or(damaged)? = Some(table);
            rest = &tail[16 + total..];
        }
        Ok(())
    }

    fn scan_header(&mut self) -> Result<Scan, Broken> {
        let row = self.row();
        let damaged = Broken::Damaged { row };
        let segment = self.segment()?;
        let frame = self.frame.as_ref().ok_or(damaged)?;
        let (count, rest) = segment.split_first().ok_or(damaged)?;
        let count = usize::from(*count);
        if rest.len() < 2 * count + 3 || count == 0 || count > 4 {
            return Err(damaged);
        }
        let mut parts = Vec::new();
        for pair in rest[..2 * count].chunks_exact(2) {
            let place = frame.components.iter().position(|component| component.id == pair[0]).ok_or(damaged)?;
            parts.push((place, usize::from(pair[1] >> 4) & 3, usize::from(pair[1] & 15) & 3));
        }
        let (from, to, approximation) = (usize::from(rest[2 * count]), usize::from(rest[2 * count + 1]), rest[2 * count + 2]);
        // Decoders pass over what a sequential scan says of its coefficients: it has all of them.
        let (from, to) = if frame.progressive { (from, to) } else { (0, 63) };
        if from > to || to > 63 || frame.progressive && ((from == 0 && to > 0) || (from > 0 && count > 1)) {
            return Err(damaged);
        }
        Ok(Scan { parts, from, to, refines: approximation >> 4 > 0, leaves: approximation & 15 })
    }

    /// Every block of a scan, to the last.
    fn scan(&mut self, scan: &Scan) -> Result<(), Broken> {
        let damaged = Broken::Damaged { row: 0 };
        let Some(frame) = &mut self.frame else { return Err(damaged) };
        let mut bits = ScanBits { bytes: self.bytes, at: self.at, held: 0, count: 0, real: 0 };
        let mut run = 0;
        let single = scan.parts.len() == 1;
        let (columns, rows) = if single {
            let component = &frame.components[scan.parts[0].0];
            let across = (frame.width * component.across).div_ceil(frame.across).div_ceil(8);
            (across, (frame.height * component.down).div_ceil(frame.down).div_ceil(8))
        } else {
            (frame.width.div_ceil(8 * frame.across), frame.height.div_ceil(8 * frame.down))
        };
        let pixels = frame.height.div_ceil(rows.max(1));
        for unit in 0..columns * rows {
            let (x, y) = (unit % columns, unit / columns);
            frame.reached = (y * pixels).min(frame.height);
            let cut = Broken::Cut { row: frame.reached };
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 {
                bits.restart().ok_or(Broken::Damaged { row: frame.reached })?;
                run = 0;
            }
            for &(place, dc, ac) in &scan.parts {
                let component = &mut frame.components[place];
                let (h, v) = if single { (1, 1) } else { (component.across, component.down) };
                for block in 0..h * v {
                    let at = (y * v + block / h) * component.stride + x * h + block % h;
                    let tables = (self.dc[dc].as_ref(), self.ac[ac].as_ref());
                    let history = component.history.get_mut(at);
                    walk_block(&mut bits, scan, tables, history, frame.progressive, &mut run).ok_or(cut)?;
                }
                component.met |= scan.from == 0;
            }
        }
        for (place, ..) in &scan.parts {
            frame.components[*place].untold[scan.from..=scan.to].fill(scan.leaves);
        }
        frame.reached = frame.height;
        self.at = bits.next_mark();
        Ok(())
    }
}

/// Passes over the codes of a block; `None` where they break off.
fn walk_block(
    bits: &mut ScanBits,
    scan: &Scan,
    (dc, ac): (Option<&HuffmanTable>, Option<&HuffmanTable>),
    history: Option<&mut u64>,
    progressive: bool,
    run: &mut u32,
) -> Option<()> {
    if !progressive {
        let length = bits.code(dc?)?;
        bits.skip(length.into())?;
        let ac = ac?;
        let mut k = 1;
        while k < 64 {
            let symbol = bits.code(ac)?;
            let (zeros, length) = (symbol >> 4, symbol & 15);
            match (zeros, length) {
                (15, 0) => k += 16,
                (_, 0) => break,
                _ => {
                    k += usize::from(zeros) + 1;
                    bits.skip(length.into())?;
                }
            }
        }
        return Some(());
    }
    if scan.from == 0 {
        let length = if scan.refines { 1 } else { bits.code(dc?)? };
        return bits.skip(length.into());
    }
    let (history, ac) = (history?, ac?);
    let mut k = scan.from;
    if !scan.refines {
        if *run > 0 {
            *run -= 1;
            return Some(());
        }
        while k <= scan.to {
            let symbol = bits.code(ac)?;
            let (zeros, length) = (symbol >> 4, symbol & 15);
            match (zeros, length) {
                (15, 0) => k += 16,
                (_, 0) => {
                    *run = (1 << zeros) - 1 + bits.take(zeros.into())?;
                    break;
                }
                _ => {
                    k += usize::from(zeros);
                    bits.skip(length.into())?;
                    *history |= 1u64.checked_shl(k as u32)?;
                    k += 1;
                }
            }
        }
        return Some(());
    }
    if *run == 0 {
        while k <= scan.to {
            let symbol = bits.code(ac)?;
            let (mut zeros, length) = (symbol >> 4, symbol & 15);
            if length == 0 && zeros < 15 {
                *run = (1 << zeros) + bits.take(zeros.into())?;
                break;
            }
            if length > 0 {
                bits.skip(1)?;
            }
            while k <= scan.to {
                if *history >> k & 1 == 1 {
                    bits.skip(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if length > 0 && k <= scan.to {
                *history |= 1 << k;
            }
            k += 1;
        }
    }
    if *run > 0 {
        for place in k..=scan.to {
            if *history >> place & 1 == 1 {
                bits.skip(1)?;
            }
        }
        *run -= 1;
    }
    Some(())
}

impl HuffmanTable {
    fn new(counts: &[u8], symbols: &[u8]) -> Option<Self> {
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
struct ScanBits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    /// Bits held, and how many of them are there and not made up: beyond the end there are ones, as encoders pad.
    count: u32,
    real: u32,
}

impl ScanBits<'_> {
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
    fn skip(&mut self, bits: u32) -> Option<()> {
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

    fn take(&mut self, bits: u32) -> Option<u32> {
        if self.count < bits {
            self.fill();
        }
        let value = self.held >> (self.count - bits) & ((1 << bits) - 1);
        self.skip(bits)?;
        Some(value as u32)
    }

    /// The symbol of the next code.
    #[inline]
    fn code(&mut self, codes: &HuffmanTable) -> Option<u8> {
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
    fn restart(&mut self) -> Option<()> {
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
    fn next_mark(&self) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 64 × 40, of three components, some sampled more finely than others.
    fn whole() -> Vec<u8> {
        let picture = image::RgbImage::from_fn(64, 40, |x, y| image::Rgb([(x * 3) as u8, (y * 5) as u8, (x * y) as u8]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn the_end_is_the_pictures_own() {
        let bytes = whole();
        assert_eq!(end(&bytes), Ok(bytes.len()));
        assert_eq!(end(&[&bytes[..], b"\xff\xd9 and more"].concat()), Ok(bytes.len()));
        assert!(matches!(end(&bytes[..bytes.len() - 2]), Err(Broken::Cut { row: 40 })));
        let scan = bytes.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
        let cut = [&bytes[..scan + (bytes.len() - scan) / 2], b"\xff\xd9"].concat();
        assert!(matches!(end(&cut), Err(Broken::Cut { row: 8..=32 })), "{:?}", end(&cut));
    }

    #[test]
    fn whatever_the_bytes_are_they_are_walked_or_refused() {
        let bytes = whole();
        let mut state = 3u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..3 {
                let at = 2 + below(bytes.len() - 2);
                damaged[at] = below(256) as u8;
            }
            end(&damaged).ok();
        }
    }
}
