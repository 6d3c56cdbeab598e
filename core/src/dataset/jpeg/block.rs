//! The codes of one block, sequential or progressive (ITU-T T.81, annexes F and G): passed over, not decoded.

use super::{
    bits::{HuffmanTable, ScanBits},
    headers::Scan,
};

/// Passes over the codes of a block; `None` where they break off.
pub(super) fn walk_block(
    bits: &mut ScanBits,
    scan: &Scan,
    (dc, ac): (Option<&HuffmanTable>, Option<&HuffmanTable>),
    history: Option<&mut u64>,
    progressive: bool,
    run: &mut u32,
) -> Option<()> {
    if !progressive {
        return walk_sequential(bits, dc?, ac);
    }
    if scan.from == 0 {
        let length = if scan.refines { 1 } else { bits.code(dc?)? };
        return bits.skip(length.into());
    }
    let (history, ac) = (history?, ac?);
    if scan.refines { walk_refining(bits, scan, ac, history, run) } else { walk_first(bits, scan, ac, history, run) }
}

/// All codes of a block of a picture that is no progressive one.
fn walk_sequential(bits: &mut ScanBits, dc: &HuffmanTable, ac: Option<&HuffmanTable>) -> Option<()> {
    let length = bits.code(dc)?;
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
    Some(())
}

/// The first bits of a band of coefficients; `history` notes which of them are not 0.
fn walk_first(bits: &mut ScanBits, scan: &Scan, ac: &HuffmanTable, history: &mut u64, run: &mut u32) -> Option<()> {
    if *run > 0 {
        *run -= 1;
        return Some(());
    }
    let mut k = scan.from;
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
    Some(())
}

/// One further bit of a band of coefficients: of those that are not 0, and which become so.
fn walk_refining(bits: &mut ScanBits, scan: &Scan, ac: &HuffmanTable, history: &mut u64, run: &mut u32) -> Option<()> {
    let mut k = scan.from;
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
