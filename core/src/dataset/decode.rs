//! A picture's bytes → its pixels, all of them: one that ends too soon is refused, whatever its decoder would make of it.

use super::jpeg::{self, Broken};
use crate::domain::{
    Fault, Result,
    file_kind::{ExpectedFile, FileKind},
};
use image::{DynamicImage, ImageDecoder, ImageFormat, metadata::Orientation};
use std::{
    borrow::Cow,
    io::Cursor,
    path::Path,
    sync::{Condvar, Mutex, PoisonError},
};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

/// More pixels than any photograph has: a header that says so lies, or means harm.
const MOST_PIXELS: usize = 1 << 27;

/// More pixels a byte than a picture that shows anything has; of small ones it does not matter.
const MOST_PIXELS_A_BYTE: usize = 256;
const FEW_PIXELS: usize = 1 << 24;

/// Why a picture of this size is not decoded.
fn refused_size(width: usize, height: usize, bytes: usize) -> Option<String> {
    let pixels = width.saturating_mul(height);
    if pixels == 0 || pixels > MOST_PIXELS {
        return Some(format!("a picture of {width} × {height} pixels"));
    }
    (pixels > FEW_PIXELS && pixels / MOST_PIXELS_A_BYTE > bytes)
        .then(|| format!("the picture claims {width} × {height} pixels in {bytes} bytes: it is cut short or damaged"))
}

/// Memory of all pictures that are decoded at one time, in bytes.
const ROOM: usize = 512 << 20;
/// What a pixel takes while it is decoded: in its own format, with four channels, and as RGB.
const BYTES_A_PIXEL: usize = 8;

/// A part of the memory for decoding. All threads together take no more than [`ROOM`]; a picture that needs more waits until it is alone.
struct Share(usize);

static TAKEN: Mutex<usize> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

impl Share {
    fn of(width: usize, height: usize) -> Self {
        let bytes = width.saturating_mul(height).saturating_mul(BYTES_A_PIXEL).min(ROOM);
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken + bytes > ROOM {
            taken = GIVEN_BACK.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        Share(bytes)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        GIVEN_BACK.notify_all();
    }
}

/// An RGB picture, a row after the other, as it lies in its file.
pub struct Picture {
    /// Columns of pixels.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
    /// `height` × `width` × 3 bytes.
    pub rgb: Vec<u8>,
    /// How it is to be turned to be upright, as the camera noted it (EXIF).
    pub orientation: Orientation,
    /// Some of it is transparent: the colours below are taken.
    pub is_transparent: bool,
}

impl Picture {
    /// Did the camera note that it is to be turned?
    pub fn lies(&self) -> bool {
        self.orientation != Orientation::NoTransforms
    }

    /// The picture turned as the camera noted it.
    #[must_use]
    pub fn upright(self) -> Self {
        if self.orientation == Orientation::NoTransforms {
            return self;
        }
        let pixels = image::RgbImage::from_raw(self.width as u32, self.height as u32, self.rgb);
        let mut turned = DynamicImage::ImageRgb8(pixels.expect("three bytes a pixel"));
        turned.apply_orientation(self.orientation);
        let rgb = turned.into_rgb8();
        Picture {
            width: rgb.width() as usize,
            height: rgb.height() as usize,
            rgb: rgb.into_raw(),
            orientation: Orientation::NoTransforms,
            is_transparent: self.is_transparent,
        }
    }
}

/// Opens a picture; its format is known by its first bytes.
///
/// # Errors
/// A picture that is cut short, damaged, or of a format that is not read.
pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<Picture> {
    let kind = FileKind::of(bytes);
    let wrong = |what: String| Fault::asked(what).in_file(path).next(kind.advice(ExpectedFile::Picture));
    let picture = match kind {
        FileKind::Jpeg => of_jpeg(bytes),
        FileKind::Png => ends_png(bytes).and_then(|()| of_image(&without_long_notes(bytes), ImageFormat::Png)),
        FileKind::Webp => ends_riff(bytes).and_then(|()| of_image(bytes, ImageFormat::WebP)),
        FileKind::Bmp if matches!(bytes.get(30..34), Some([1 | 2, 0, 0, 0])) => {
            Err("a run-length coded BMP is not read: whether it is whole cannot be told".into())
        }
        FileKind::Bmp => of_image(bytes, ImageFormat::Bmp),
        FileKind::Tiff => of_image(bytes, ImageFormat::Tiff),
        FileKind::Empty => Err("the picture is an empty file".to_owned()),
        other => Err(format!("not a picture that is read: the file is {}", other.words())),
    };
    picture.map_err(wrong)
}

/// JPEG, also of one and of four channels.
fn of_jpeg(bytes: &[u8]) -> std::result::Result<Picture, String> {
    let size = jpeg::size(bytes).filter(|(_, height)| *height > 0);
    if let Some(refused) = size.and_then(|(width, height)| refused_size(width, height, bytes.len())) {
        return Err(refused);
    }
    let _share = size.map(|(width, height)| Share::of(width, height));
    let end = jpeg::end(bytes).map_err(|broken| match broken {
        Broken::Cut { row } => format!("the picture is cut short: its pixels break off in or after row {row}"),
        Broken::Damaged { row } => format!("the JPEG is damaged: something that is no part of it stands after row {row}"),
        Broken::Unread(why) => format!("a JPEG that is not read: {why}"),
    })?;
    let open = |is_strict: bool| {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB).set_strict_mode(is_strict);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(&bytes[..end]), options);
        decoder.decode_headers().map(|()| decoder)
    };
    // The strict decoder refuses stray bytes between segments too, which every other one passes over.
    let unreadable = |error| format!("not a readable JPEG: {error:?}");
    let mut decoder = open(true).or_else(|_| open(false)).map_err(unreadable)?;
    let (width, height) = decoder.dimensions().unwrap_or((0, 0));
    if width * height == 0 || width * height > MOST_PIXELS {
        return Err(format!("a picture of {width} × {height} pixels"));
    }
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let rgb = decoder.decode().map_err(unreadable)?;
    if rgb.len() != width * height * 3 {
        return Err("a JPEG whose colours are not read".into());
    }
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Picture { width, height, rgb, orientation, is_transparent: false })
}

/// A PNG's chunks must reach its last one.
fn ends_png(bytes: &[u8]) -> std::result::Result<(), String> {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(after) = at.checked_add(12 + length).filter(|after| *after <= bytes.len()) else { break };
        if &head[4..] == b"IEND" {
            return Ok(());
        }
        at = after;
    }
    Err(format!("the picture is cut short: {} bytes without a PNG's last chunk", bytes.len()))
}

/// Longer than any profile of colours that cameras write. Packed, a thousandth of what it unfolds to, which nobody here looks at.
const LONGEST_NOTE: usize = 1 << 16;

/// A PNG without its long profiles and texts; one that [`ends_png`] found whole.
fn without_long_notes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_long_note = |head: &[u8]| {
        u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize > LONGEST_NOTE
            && matches!(&head[4..8], b"iCCP" | b"zTXt" | b"iTXt" | b"tEXt")
    };
    let (mut at, mut kept, mut from) = (8, Vec::new(), 0);
    while let Some(head) = bytes.get(at..at + 8) {
        let after = at + 12 + u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if is_long_note(head) {
            kept.extend(&bytes[from..at]);
            from = after.min(bytes.len());
        }
        if &head[4..] == b"IEND" {
            break;
        }
        at = after;
    }
    if from == 0 {
        return Cow::Borrowed(bytes);
    }
    kept.extend(&bytes[from..]);
    Cow::Owned(kept)
}

/// A WebP's container says how long it is.
fn ends_riff(bytes: &[u8]) -> std::result::Result<(), String> {
    let length = bytes.get(4..8).map_or(0, |of| u32::from_le_bytes([of[0], of[1], of[2], of[3]])) as usize;
    if length.saturating_add(8) <= bytes.len() {
        return Ok(());
    }
    Err(format!("the picture is cut short: {} bytes of {}", bytes.len(), length.saturating_add(8)))
}

/// What the image crate reads; of moving pictures the first.
fn of_image(bytes: &[u8], format: ImageFormat) -> std::result::Result<Picture, String> {
    let cut = |error: &image::ImageError| match error {
        image::ImageError::IoError(error) => error.kind() == std::io::ErrorKind::UnexpectedEof,
        _ => false,
    };
    let unreadable = |error: image::ImageError| {
        let what = if cut(&error) { "the picture is cut short" } else { "not a readable picture" };
        format!("{what}: {error}")
    };
    let mut decoder = image::ImageReader::with_format(Cursor::new(bytes), format).into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    let (wide, high) = (width as usize, height as usize);
    if let Some(refused) = refused_size(wide, high, bytes.len()) {
        return Err(refused);
    }
    let _share = Share::of(wide, high);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let opened = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    let is_transparent = opened.color().has_alpha() && opened.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255);
    let rgb = opened.into_rgb8();
    let (width, height) = (rgb.width() as usize, rgb.height() as usize);
    Ok(Picture { width, height, rgb: rgb.into_raw(), orientation, is_transparent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(bytes: &[u8]) -> Result<Picture> {
        decode(bytes, Path::new("x"))
    }

    /// Smooth colours with something in every place.
    fn drawn(width: u32, height: u32) -> image::RgbImage {
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 5) as u8, (y * 7) as u8, ((x * y) % 251) as u8]))
    }

    fn encoded(picture: &image::RgbImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// With a first segment of EXIF: an orientation, and a thumbnail of its own end marks.
    fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        exif.extend(b"\xff\xd8 a thumbnail \xff\xd9");
        let length = (exif.len() as u16 + 2).to_be_bytes();
        [&jpeg[..2], b"\xff\xe1", &length, &exif, &jpeg[2..]].concat()
    }

    /// A PNG of two chunks, of a size that its few bytes cannot hold.
    fn lying_png(side: u32) -> Vec<u8> {
        let mut bytes = encoded(&drawn(8, 8), ImageFormat::Png);
        bytes[16..20].copy_from_slice(&side.to_be_bytes());
        bytes[20..24].copy_from_slice(&side.to_be_bytes());
        let crc = crc32fast::hash(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    #[test]
    fn a_few_bytes_that_claim_a_huge_picture_are_refused_before_they_cost_memory() {
        let mut jpeg = encoded(&drawn(64, 40), ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0x2c, 0xec, 0x2c, 0xec]);
        let begun = std::time::Instant::now();
        let files = [jpeg, lying_png(11_500), lying_png(60_000)];
        assert!(files[..2].iter().all(|bytes| open(bytes).err().unwrap().what.contains("claims 11500 × 11500 pixels")));
        std::thread::scope(|scope| {
            for bytes in files.iter().cycle().take(16) {
                scope.spawn(move || assert!(open(bytes).is_err()));
            }
        });
        assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_png_is_decoded_without_its_long_notes() {
        let picture = drawn(60, 40);
        let plain = encoded(&picture, ImageFormat::Png);
        let chunk = |kind: &[u8], data: &[u8]| {
            let body = [kind, data].concat();
            [&(data.len() as u32).to_be_bytes()[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
        };
        // Behind the first chunk: a short note stays, long ones do not.
        let with = |notes: &[Vec<u8>]| [&plain[..33], &notes.concat(), &plain[33..]].concat();
        let (short, long) = (chunk(b"tEXt", b"k\0short"), chunk(b"iCCP", &[&b"k\0\0"[..], &[7; LONGEST_NOTE]].concat()));
        assert!(matches!(without_long_notes(&with(std::slice::from_ref(&short))), Cow::Borrowed(_)));
        let noted = with(&[long.clone(), short.clone(), long]);
        assert!(without_long_notes(&noted) == with(&[short]));
        assert!(open(&noted).unwrap().rgb == *picture.as_raw());
    }

    #[test]
    fn pictures_that_are_decoded_at_once_share_the_room_and_give_it_back() {
        let (all, one) = (Share::of(1 << 14, 1 << 13), Share::of(0, 5));
        assert_eq!((all.0, one.0), (ROOM, 0));
        let waits = std::thread::spawn(|| Share::of(100, 100).0);
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(!waits.is_finished(), "there is no room");
        drop(all);
        assert_eq!(waits.join().unwrap(), 80_000);
    }

    #[test]
    fn a_jpeg_cut_anywhere_is_refused_whatever_follows() {
        let whole = with_exif(&encoded(&drawn(150, 90), ImageFormat::Jpeg), 1);
        let picture = open(&whole).unwrap();
        assert_eq!((picture.width, picture.height), (150, 90));
        // The end mark may be put back, and anything may follow it.
        let trailers: [&[u8]; 5] =
            [b"", b"\xff\xd9", &[0; 3000], b"\xff\xd9\xff\xd8\xff\xd9", b"\xff\xd8 another picture \xff\xd9"];
        for tenth in 0..100 {
            let cut = &whole[..whole.len() * tenth / 100];
            for trailer in &trailers[usize::from(tenth == 0)..] {
                assert!(open(&[cut, trailer].concat()).is_err(), "cut at {tenth} %, then {} bytes", trailer.len());
            }
        }
        let cut = open(&whole[..whole.len() * 9 / 10]).err().unwrap();
        assert!(cut.what.contains("cut short") && cut.what.contains("row "), "{cut}");
        for trailer in trailers {
            let with = open(&[&whole, trailer].concat()).unwrap();
            assert!(with.rgb == picture.rgb, "what follows a whole picture does not matter");
        }
    }

    #[test]
    fn a_jpeg_is_turned_as_the_camera_noted() {
        let jpeg = encoded(&drawn(40, 24), ImageFormat::Jpeg);
        let lying = open(&jpeg).unwrap();
        for orientation in 1..=8 {
            let picture = open(&with_exif(&jpeg, orientation)).unwrap();
            assert!(picture.rgb == lying.rgb, "opening turns nothing");
            assert_eq!(picture.orientation, Orientation::from_exif(orientation).unwrap());
            let upright = picture.upright();
            let wanted = if orientation < 5 { (40, 24) } else { (24, 40) };
            assert_eq!((upright.width, upright.height), wanted, "orientation {orientation}");
            assert_eq!(upright.rgb == lying.rgb, orientation == 1);
        }
        // 6: the camera was held so that the picture's left edge is the top.
        let sixth = open(&with_exif(&jpeg, 6)).unwrap().upright();
        let at = |picture: &Picture, x: usize, y: usize| picture.rgb[(y * picture.width + x) * 3..][..3].to_vec();
        assert_eq!(at(&sixth, 23, 0), at(&lying, 0, 0));
    }

    #[test]
    fn other_formats_are_read_and_refused_when_cut() {
        let picture = drawn(60, 40);
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff] {
            let whole = encoded(&picture, format);
            assert!(open(&whole).unwrap().rgb == *picture.as_raw(), "{format:?}");
            for tenth in 1..20 {
                assert!(open(&whole[..whole.len() * tenth / 20]).is_err(), "{format:?} cut at {tenth} twentieths");
            }
        }
    }

    #[test]
    fn deep_grey_and_transparent_pictures_become_three_channels_of_eight_bits() {
        let deep = image::ImageBuffer::from_pixel(3, 2, image::Luma([0x1234u16]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageLuma16(deep).write_to(&mut bytes, ImageFormat::Png).unwrap();
        let opened = open(bytes.get_ref()).unwrap();
        assert_eq!((&opened.rgb[..3], opened.is_transparent), (&[0x12; 3][..], false));
        let clear = image::RgbaImage::from_pixel(3, 2, image::Rgba([9, 8, 7, 0]));
        let mut bytes = Cursor::new(Vec::new());
        clear.write_to(&mut bytes, ImageFormat::Png).unwrap();
        let opened = open(bytes.get_ref()).unwrap();
        assert_eq!((&opened.rgb[..3], opened.is_transparent), (&[9, 8, 7][..], true));
    }

    /// What Pillow makes of pictures as they turn up in ImageNet: `make.py` beside them.
    #[test]
    fn jpegs_of_four_channels_and_pngs_under_any_name_are_what_pillow_makes_of_them() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/imagenet");
        for (name, most) in [("cmyk", 2), ("ycck", 3), ("unmarked", 2), ("png", 0)] {
            let ours = open(&std::fs::read(folder.join(name).with_extension("JPEG")).unwrap()).unwrap();
            let theirs = open(&std::fs::read(folder.join(name).with_extension("png")).unwrap()).unwrap();
            assert_eq!((ours.width, ours.height), (theirs.width, theirs.height), "{name}");
            let off = ours.rgb.iter().zip(&theirs.rgb).map(|(own, other)| own.abs_diff(*other)).max().unwrap();
            assert!(off <= most, "{name}: up to {off} of 255 off");
        }
    }

    #[test]
    fn what_is_no_picture_is_called_what_it_is() {
        let what = |bytes: &[u8]| open(bytes).err().unwrap().what;
        assert!(what(b"").contains("empty"));
        assert!(what(b"version https://git-lfs.github.com/spec/v1\noid").contains("Git LFS"));
        assert!(what(b"GIF89a..........").contains("GIF"));
        assert!(what(b"<!DOCTYPE html><html>").contains("HTML"));
    }
}
