//! Is a JPEG whole? Decoders fill up what is missing with grey, and a mark that looks like the end may be a thumbnail's. So the
//! file is walked as the format says (ITU-T T.81): segments by their lengths, then every scan code by code, until each block
//! of each component has been met. What follows the picture's own end (Motion Photos, a second picture, padding) is not looked at.

mod bits;
mod block;
mod broken;
mod headers;

pub(super) use broken::Broken;

use bits::{HuffmanTable, ScanBits};
use block::walk_block;
use headers::{Frame, Scan};

/// Where a JPEG's own end is: what comes after belongs to something else.
pub(super) fn end(bytes: &[u8]) -> Result<usize, Broken> {
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

/// The size that a JPEG's first frame says, before anything of it is decoded.
pub(super) fn size(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut walk = ScanWalk { bytes, at: 2, frame: None, dc: Default::default(), ac: Default::default(), restart: 0 };
    loop {
        match walk.marker().ok()? {
            0xc0..=0xc2 => {
                let segment = walk.segment().ok()?;
                return Some((usize::from(two(segment, 3).ok()?), usize::from(two(segment, 1).ok()?)));
            }
            Marker::END | Marker::SCAN | 0x01 | 0xd0..=0xd8 => return None,
            _ => _ = walk.segment().ok()?,
        }
    }
}

/// By how much the first component's coefficients are divided, in the order of the file: what was lost when the picture was encoded.
/// `None` of what is no JPEG, or one without its table.
pub(super) fn quantisation(bytes: &[u8]) -> Option<[u16; 64]> {
    let mut walk = ScanWalk { bytes, at: 2, frame: None, dc: Default::default(), ac: Default::default(), restart: 0 };
    let (mut tables, mut wanted) = ([None; 4], None);
    loop {
        match walk.marker().ok()? {
            Marker::QUANTISATION => {
                let mut rest = walk.segment().ok()?;
                while let [which, tail @ ..] = rest {
                    let width = 1 + usize::from(which >> 4 != 0);
                    let values = tail.get(..64 * width)?;
                    let step = |place: usize| {
                        if width == 1 {
                            u16::from(values[place])
                        } else {
                            u16::from_be_bytes([values[2 * place], values[2 * place + 1]])
                        }
                    };
                    *tables.get_mut(usize::from(which & 15))? = Some(std::array::from_fn(step));
                    rest = &tail[64 * width..];
                }
            }
            0xc0..=0xc2 => wanted = Some(usize::from(*walk.segment().ok()?.get(8)?)),
            Marker::SCAN | Marker::END => return *tables.get(wanted?)?,
            0x01 | 0xd0..=0xd8 => return None,
            _ => _ = walk.segment().ok()?,
        }
    }
}

struct Marker;

impl Marker {
    const PROGRESSIVE: u8 = 0xc2;
    const HUFFMAN: u8 = 0xc4;
    const QUANTISATION: u8 = 0xdb;
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
        if self.frame.is_some() {
            return Err(Broken::Damaged { row: 0 });
        }
        // A unit takes a few bits at the least.
        self.frame = Some(Frame::of(segment, marker == Marker::PROGRESSIVE, self.bytes.len() * 64)?);
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
        let damaged = Broken::Damaged { row: self.row() };
        let segment = self.segment()?;
        Scan::of(segment, self.frame.as_ref().ok_or(damaged)?)
    }

    /// Every block of a scan, to the last.
    fn scan(&mut self, scan: &Scan) -> Result<(), Broken> {
        let damaged = Broken::Damaged { row: 0 };
        let Some(frame) = &mut self.frame else { return Err(damaged) };
        let mut bits = ScanBits::new(self.bytes, self.at);
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
        let (mut walked, mut refused) = (0, 0);
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..3 {
                let at = 2 + below(bytes.len() - 2);
                damaged[at] = below(256) as u8;
            }
            if end(&damaged).is_ok() { walked += 1 } else { refused += 1 }
        }
        assert!(walked > 3 && refused > 3, "{walked} walked, {refused} refused");
    }
}
