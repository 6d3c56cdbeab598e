//! What a file is by its first bytes, whatever its name says: for messages about files that are not what was asked for.

/// Kinds of files that turn up in place of pictures, arrays and weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// No byte at all.
    Empty,
    /// Begins with a kibibyte of zero bytes, as a download that was cut off does; a shorter file is all zero bytes.
    Zeros,
    /// A pointer of Git LFS in place of the file.
    LfsPointer,
    /// A web page, as of a download that was refused.
    Html,
    /// Any other XML.
    Xml,
    /// An object or a list.
    Json,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by bzip2.
    Bzip2,
    /// Compressed by xz.
    Xz,
    /// Compressed by Zstandard.
    Zstandard,
    /// A 7-Zip archive.
    SevenZip,
    /// A tar archive.
    Tar,
    /// A ZIP archive of something else.
    Zip,
    /// A ZIP archive of NumPy arrays.
    Npz,
    /// PyTorch's format since 1.6: a ZIP archive with a pickle.
    TorchZip,
    /// PyTorch's format before 1.6.
    TorchOld,
    /// Pickled Python objects.
    Pickle,
    /// One NumPy array.
    Npy,
    /// Tensors with a JSON head.
    Safetensors,
    /// A whole network with its weights, in ONNX's format.
    Onnx,
    /// The format of HDF5, and of Keras weights.
    Hdf5,
    /// A MATLAB file of version 5.
    Matlab,
    /// A table in Apache Parquet.
    Parquet,
    /// A table in Apache Arrow's file format.
    Arrow,
    /// Weights of llama.cpp.
    Gguf,
    /// A picture.
    Jpeg,
    /// A picture.
    Png,
    /// A picture.
    Gif,
    /// A picture.
    Webp,
    /// A picture.
    Bmp,
    /// A picture.
    Tiff,
    /// A picture, as phones take them.
    Heif,
    /// A picture.
    Avif,
    /// A picture.
    JpegXl,
    /// A picture.
    Jpeg2000,
    /// A picture with layers.
    Photoshop,
    /// A document.
    Pdf,
    /// Plain text of some kind.
    Text,
    /// None of these.
    Unknown,
}

/// What a file was given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedFile {
    /// Features: `.npy` or `.safetensors`.
    Array,
    /// Weights of a network: `.safetensors`, a file of `torch.save`, or a pickle of NumPy arrays.
    Weights,
    /// A picture that can be read here.
    Picture,
}

/// First bytes that tell a kind by themselves; longer ones first where one begins another.
const STARTS: &[(&[u8], FileKind)] = &[
    (b"version https://git-lfs.github.com/spec/", FileKind::LfsPointer),
    (b"version https://hawser.github.com/spec/", FileKind::LfsPointer),
    (b"\x1f\x8b", FileKind::Gzip),
    (b"BZh", FileKind::Bzip2),
    (b"\xfd7zXZ\0", FileKind::Xz),
    (b"\x28\xb5\x2f\xfd", FileKind::Zstandard),
    (b"7z\xbc\xaf\x27\x1c", FileKind::SevenZip),
    (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", FileKind::TorchOld),
    (b"\x93NUMPY", FileKind::Npy),
    (b"\x89HDF\r\n\x1a\n", FileKind::Hdf5),
    (b"MATLAB 5.0 MAT-file", FileKind::Matlab),
    (b"PAR1", FileKind::Parquet),
    (b"ARROW1", FileKind::Arrow),
    (b"GGUF", FileKind::Gguf),
    (b"\xff\xd8\xff", FileKind::Jpeg),
    (b"\x89PNG\r\n\x1a\n", FileKind::Png),
    (b"GIF8", FileKind::Gif),
    (b"II*\0", FileKind::Tiff),
    (b"MM\0*", FileKind::Tiff),
    (b"\xff\x0a", FileKind::JpegXl),
    (b"\0\0\0\x0cJXL ", FileKind::JpegXl),
    (b"\0\0\0\x0cjP  ", FileKind::Jpeg2000),
    (b"\xff\x4f\xff\x51", FileKind::Jpeg2000),
    (b"8BPS", FileKind::Photoshop),
    (b"%PDF", FileKind::Pdf),
];

/// A protobuf message that begins as ONNX's models do: the version of the format, and a field of a model that follows it.
fn is_onnx(head: &[u8]) -> bool {
    matches!(head, [0x08, 1..=63, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..])
}

impl FileKind {
    /// By its content, of which the first kibibyte is enough.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return FileKind::Empty;
        }
        let head = &bytes[..bytes.len().min(1024)];
        if let Some((_, kind)) = STARTS.iter().find(|(start, _)| head.starts_with(start)) {
            return *kind;
        }
        let at = |place: usize, text: &[u8]| bytes.get(place..place + text.len()) == Some(text);
        if at(0, b"RIFF") && at(8, b"WEBP") {
            return FileKind::Webp;
        }
        if at(4, b"ftyp") {
            return if at(8, b"avif") || at(8, b"avis") { FileKind::Avif } else { FileKind::Heif };
        }
        if at(0, b"BM") && at(6, &[0; 4]) {
            return FileKind::Bmp;
        }
        if at(257, b"ustar") {
            return FileKind::Tar;
        }
        if at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06") {
            let holds = |text: &[u8]| head.windows(text.len()).any(|part| part == text);
            return if holds(b"data.pkl") || holds(b"/version") {
                FileKind::TorchZip
            } else if holds(b".npy") {
                FileKind::Npz
            } else {
                FileKind::Zip
            };
        }
        if bytes[0] == 0x80 && matches!(bytes.get(1), Some(2..=5)) {
            return FileKind::Pickle;
        }
        if let Some(length) = bytes.get(..8).and_then(|length| length.try_into().ok()).map(u64::from_le_bytes)
            && bytes.get(8) == Some(&b'{')
            && length < 1 << 32
        {
            return FileKind::Safetensors;
        }
        if is_onnx(head) {
            return FileKind::Onnx;
        }
        // A large file of zeros is told by its first bytes; whether all are 0 does not matter then.
        if head.iter().all(|byte| *byte == 0) {
            return FileKind::Zeros;
        }
        FileKind::of_text(head)
    }

    fn of_text(head: &[u8]) -> Self {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let text = match std::str::from_utf8(head) {
            Ok(text) => text,
            // The head may end within a character.
            Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or(""),
            Err(_) => return FileKind::Unknown,
        };
        let start = text.trim_start().to_ascii_lowercase();
        if ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.starts_with(tag)) {
            FileKind::Html
        } else if start.starts_with('<') {
            if start.contains("<html") { FileKind::Html } else { FileKind::Xml }
        } else if start.starts_with(['{', '[']) {
            FileKind::Json
        } else if !text.is_empty() && text.chars().all(|letter| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t')) {
            FileKind::Text
        } else {
            FileKind::Unknown
        }
    }

    /// What it is called, after "the file is".
    pub fn words(self) -> &'static str {
        match self {
            FileKind::Empty => "empty",
            FileKind::Zeros => "nothing but zero bytes: a download or a copy that was never finished",
            FileKind::LfsPointer => "a Git LFS pointer, a few lines that stand for the file itself",
            FileKind::Html => "an HTML page",
            FileKind::Xml => "XML, such as a server's error message",
            FileKind::Json => "JSON text",
            FileKind::Gzip => "compressed by gzip",
            FileKind::Bzip2 => "compressed by bzip2",
            FileKind::Xz => "compressed by xz",
            FileKind::Zstandard => "compressed by Zstandard",
            FileKind::SevenZip => "a 7-Zip archive",
            FileKind::Tar => "a tar archive",
            FileKind::Zip => "a ZIP archive",
            FileKind::Npz => "an .npz archive of NumPy arrays",
            FileKind::TorchZip => "a file of torch.save (a ZIP archive with a pickle)",
            FileKind::TorchOld => "a file of torch.save before PyTorch 1.6 (a pickle)",
            FileKind::Pickle => "a Python pickle",
            FileKind::Npy => "a NumPy array (.npy)",
            FileKind::Safetensors => "a safetensors file",
            FileKind::Onnx => "an ONNX model",
            FileKind::Hdf5 => "an HDF5 file, as Keras and MATLAB 7.3 write them",
            FileKind::Matlab => "a MATLAB file",
            FileKind::Parquet => "a Parquet table",
            FileKind::Arrow => "an Arrow file",
            FileKind::Gguf => "a GGUF file",
            FileKind::Jpeg => "a JPEG picture",
            FileKind::Png => "a PNG picture",
            FileKind::Gif => "a GIF picture",
            FileKind::Webp => "a WebP picture",
            FileKind::Bmp => "a BMP picture",
            FileKind::Tiff => "a TIFF picture",
            FileKind::Heif => "a HEIF picture or an MP4 video",
            FileKind::Avif => "an AVIF picture",
            FileKind::JpegXl => "a JPEG XL picture",
            FileKind::Jpeg2000 => "a JPEG 2000 picture",
            FileKind::Photoshop => "a Photoshop file",
            FileKind::Pdf => "a PDF document",
            FileKind::Text => "plain text",
            FileKind::Unknown => "of no format that is known here",
        }
    }

    /// What to do about a file of this kind that was given as something else.
    pub fn advice(self, wanted: ExpectedFile) -> &'static str {
        match (self, wanted) {
            (FileKind::Empty | FileKind::Zeros, _) => "copy or download it again",
            (FileKind::LfsPointer, _) => "fetch the file itself: `git lfs pull` in its repository",
            (FileKind::Html | FileKind::Xml, _) => {
                "download it again: the server sent a page, so a login, a confirmation or the file's own address is missing"
            }
            (FileKind::Gzip, _) => "unpack it first: gunzip",
            (FileKind::Bzip2 | FileKind::Xz | FileKind::Zstandard, _) => "unpack it first",
            (FileKind::SevenZip | FileKind::Tar | FileKind::Zip, _) => "unpack it, and name a file from it",
            (FileKind::Npz, ExpectedFile::Array) => "take one array out of it: np.save('features.npy', np.load(PATH)['NAME'])",
            (FileKind::TorchZip | FileKind::TorchOld, ExpectedFile::Array) => {
                "save the tensor as an array: np.save('features.npy', torch.load(PATH, weights_only=True).float().numpy())"
            }
            (FileKind::Pickle, ExpectedFile::Array) => {
                "load it where it was made and save the numbers: np.save('features.npy', np.stack(x).astype(np.float32))"
            }
            (FileKind::Safetensors, ExpectedFile::Array) => "give it the ending .safetensors",
            (FileKind::Npy, ExpectedFile::Array) => "give it the ending .npy",
            (
                FileKind::Matlab | FileKind::Hdf5 | FileKind::Parquet | FileKind::Arrow | FileKind::Text | FileKind::Json,
                ExpectedFile::Array,
            ) => "load it where it was made and save the numbers: np.save('features.npy', x.astype(np.float32))",
            (_, ExpectedFile::Array) => "features are an .npy file, or a tensor of a .safetensors file",
            (FileKind::Onnx, ExpectedFile::Weights) => {
                "a study reads it as it is: `family: onnx` and `layers`; `visavis weights inspect` writes these lines"
            }
            (_, ExpectedFile::Weights) => {
                "weights are a .safetensors file, a file of torch.save, or a pickle of NumPy arrays: torch.save(model.state_dict(), path)"
            }
            (_, ExpectedFile::Picture) => {
                "replace the picture, or take it out of the data set; JPEG, PNG, WebP, BMP and TIFF are read"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_what_they_are() {
        let long = |start: &[u8]| [start, &[7; 600]].concat();
        let kinds: &[(Vec<u8>, FileKind)] = &[
            (vec![], FileKind::Empty),
            (vec![0; 4096], FileKind::Zeros),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n".to_vec(), FileKind::LfsPointer),
            (b"\n  <!DOCTYPE html><html lang=en>".to_vec(), FileKind::Html),
            (b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code></Error>".to_vec(), FileKind::Xml),
            (b"<?xml version='1.0'?>\n<html xmlns='x'>".to_vec(), FileKind::Html),
            (b"{\"error\": \"not found\"}".to_vec(), FileKind::Json),
            (long(b"\x1f\x8b\x08"), FileKind::Gzip),
            (long(b"PK\x03\x04\x14\0arr_0.npy"), FileKind::Npz),
            (long(b"PK\x03\x04\0\0archive/data.pkl"), FileKind::TorchZip),
            (long(b"PK\x03\x04readme.txt"), FileKind::Zip),
            (long(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), FileKind::TorchOld),
            (long(b"\x80\x04\x95"), FileKind::Pickle),
            (b"\x40\0\0\0\0\0\0\0{\"a\":{}}".to_vec(), FileKind::Safetensors),
            (long(b"\x89HDF\r\n\x1a\n"), FileKind::Hdf5),
            (long(b"\0\0\0\x18ftypheic"), FileKind::Heif),
            (long(b"\0\0\0\x1cftypavif"), FileKind::Avif),
            (b"\x08\x08\x12\x07pytorch".to_vec(), FileKind::Onnx),
            (b"0.1 0.2 0.3\n".to_vec(), FileKind::Text),
            (vec![0xde, 0xad, 0xbe, 0xef], FileKind::Unknown),
        ];
        for (bytes, kind) in kinds {
            assert_eq!(FileKind::of(bytes), *kind, "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(30)]));
        }
    }
}
