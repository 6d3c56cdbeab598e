//! What a JPEG says of itself before its codes: its size, its colours, and which coefficients a scan has (ITU-T T.81, annex B).

use super::broken::Broken;

/// The header of a picture.
pub(super) struct Frame {
    pub width: usize,
    pub height: usize,
    pub progressive: bool,
    /// The largest sampling factors.
    pub across: usize,
    pub down: usize,
    pub components: Vec<Component>,
    /// The row of pixels that was reached.
    pub reached: usize,
}

/// One colour of a picture.
pub(super) struct Component {
    pub id: u8,
    pub across: usize,
    pub down: usize,
    /// Its blocks in the units of scans of several components, row by row: for progressive scans, which coefficients are not 0.
    pub stride: usize,
    pub history: Vec<u64>,
    pub met: bool,
    /// Of every coefficient the low bits that no scan has told yet.
    pub untold: [u8; 64],
}

/// The header of a scan.
pub(super) struct Scan {
    /// Places of components with their tables.
    pub parts: Vec<(usize, usize, usize)>,
    pub from: usize,
    pub to: usize,
    pub refines: bool,
    /// Low bits that are left to later scans.
    pub leaves: u8,
}

impl Frame {
    /// `most`: units that the rest of the file may hold at the most.
    ///
    /// # Errors
    /// A header that is damaged, or of a picture that is not read.
    pub(super) fn of(segment: &[u8], progressive: bool, most: usize) -> Result<Self, Broken> {
        let damaged = Broken::Damaged { row: 0 };
        let [precision, h1, h0, w1, w0, count, rest @ ..] = segment else { return Err(damaged) };
        let (height, width) = (usize::from(u16::from_be_bytes([*h1, *h0])), usize::from(u16::from_be_bytes([*w1, *w0])));
        if *precision != 8 {
            return Err(Broken::Unread("it has more than 8 bits a colour"));
        }
        if height == 0 {
            return Err(Broken::Unread("its height is told after its pixels"));
        }
        // Four colours are the most (CMYK).
        if *count > 4 {
            return Err(damaged);
        }
        let parts: Vec<&[u8]> = rest.chunks_exact(3).take(usize::from(*count)).collect();
        let factors = |part: &&[u8]| (usize::from(part[1] >> 4), usize::from(part[1] & 15));
        let right = |part: &&[u8]| matches!(factors(part), (1..=4, 1..=4));
        if width == 0 || parts.is_empty() || parts.len() != usize::from(*count) || !parts.iter().all(right) {
            return Err(damaged);
        }
        let across = parts.iter().map(|part| factors(part).0).max().unwrap_or(1);
        let down = parts.iter().map(|part| factors(part).1).max().unwrap_or(1);
        let units = width.div_ceil(8 * across) * height.div_ceil(8 * down);
        // A header that lies about its size must not cost memory.
        if units > most {
            return Err(Broken::Cut { row: 0 });
        }
        let component = |part: &&[u8]| {
            let (h, v) = factors(part);
            let stride = width.div_ceil(8 * across) * h;
            let history = if progressive { vec![0; units * h * v] } else { vec![] };
            Component { id: part[0], across: h, down: v, stride, history, met: false, untold: [255; 64] }
        };
        let components = parts.iter().map(component).collect();
        Ok(Frame { width, height, progressive, across, down, components, reached: 0 })
    }
}

impl Scan {
    /// # Errors
    /// A header that is damaged.
    pub(super) fn of(segment: &[u8], frame: &Frame) -> Result<Self, Broken> {
        let damaged = Broken::Damaged { row: frame.reached };
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
}
