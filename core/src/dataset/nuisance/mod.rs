//! What is measured of pictures that is no attribute: background, light, sharpness, noise, compression, pose, size. One file a measure.
//!
//! What is not defined of a picture (the hue of a grey background, the pose of a face that no landmarks place) is NaN, never 0.

mod background;
mod face_size;
mod grey;
mod jpeg_quality;
mod light;
mod noise;
mod oklab;
mod pose;
mod sharpness;

use super::{
    decode::{Picture, decode},
    marks::Mark,
    source::PictureSource,
};
use crate::{
    domain::{
        Digest, Fault, Result,
        file_kind::FileKind,
        image::{Column, ImageId, Images},
        nuisance::{BackgroundFound, FaceSizeFound, MEASURED_COLUMNS, MeasuredColumn, MeasuredPictures, PictureNuisance},
        study::FaceMark,
    },
    numeric::{Matrix, pulse},
};
use background::{BackgroundBy, background};
use face_size::{SizeBy, face_size};
use grey::Grey;
use jpeg_quality::jpeg_quality;
use light::light;
use noise::noise;
use pose::pose;
use rayon::prelude::*;
use sharpness::sharpness;

/// Pictures between two words about how far it is.
const AT_A_TIME: usize = 1024;

/// What is measured of one picture.
struct Measured {
    /// In the order of [`PictureNuisance::ALL`].
    values: [f64; MEASURED_COLUMNS],
    background: BackgroundBy,
    face_size: Option<SizeBy>,
    is_turned: bool,
}

/// Where the face is in one picture, as far as it is known.
#[derive(Default)]
struct Face {
    landmarks: Option<[[f64; 2]; 5]>,
    around: Option<Mark>,
}

impl Face {
    /// From what columns keep; a mark that does not lie in the picture is of another, and so not known.
    fn of(landmarks: Option<&str>, around: Option<&str>, [width, height]: [usize; 2]) -> Self {
        let known =
            |kind: FaceMark, text: Option<&str>| Mark::from_text(kind, text?).filter(|mark| mark.fits(width, height).is_ok());
        let landmarks = match known(FaceMark::Landmarks, landmarks) {
            Some(Mark::Landmarks(points)) => Some(points),
            _ => None,
        };
        Face { landmarks, around: known(FaceMark::Box, around) }
    }
}

/// `picture`: upright. `bytes`: its file.
fn measure(picture: &Picture, bytes: &[u8], face: &Face) -> Measured {
    let grey = Grey::of(picture);
    let (colour, by) = background(picture, face.landmarks.as_ref());
    let size = face_size([picture.width, picture.height], face.around.as_ref(), face.landmarks.as_ref());
    let mut values = [f64::NAN; MEASURED_COLUMNS];
    for of in PictureNuisance::ALL {
        let found = match of {
            PictureNuisance::Background => colour.to_vec(),
            PictureNuisance::Brightness => vec![light(&grey)[0]],
            PictureNuisance::Contrast => vec![light(&grey)[1]],
            PictureNuisance::Sharpness => vec![sharpness(&grey)],
            PictureNuisance::Noise => vec![noise(&grey)],
            PictureNuisance::JpegQuality if FileKind::of(bytes) == FileKind::Jpeg => vec![jpeg_quality(bytes)],
            PictureNuisance::JpegQuality => vec![f64::NAN],
            PictureNuisance::Pose => face.landmarks.as_ref().map_or([f64::NAN; 2], pose).to_vec(),
            PictureNuisance::FaceSize => vec![size.map_or(f64::NAN, |(size, _)| size)],
        };
        values[of.first_column()..][..found.len()].copy_from_slice(&found);
    }
    Measured { values, background: by, face_size: size.map(|(_, by)| by), is_turned: false }
}

/// Measures pictures with all threads: images × columns, and what is said of them. `landmarks` and `boxes` may lack images. `done` is told
/// of each thousand.
///
/// # Errors
/// The first picture that is not here, was changed since it was listed, or cannot be read.
pub fn measure_pictures(
    source: &PictureSource,
    images: &Images,
    landmarks: Option<&Column>,
    boxes: Option<&Column>,
    mut done: impl FnMut(usize),
) -> Result<(Matrix, MeasuredPictures)> {
    let aligned = |column: Option<&Column>| {
        column.map_or_else(
            || vec![None; images.len()],
            |column| column.aligned(images).into_iter().map(|of| of.map(str::to_owned)).collect(),
        )
    };
    let (landmarks, boxes): (Vec<Option<String>>, Vec<Option<String>>) = (aligned(landmarks), aligned(boxes));
    let one = |place: usize, (id, digest): &(ImageId, Option<Digest>)| -> Result<Measured> {
        pulse::beat();
        let path = source.place(id);
        let expected = digest.ok_or_else(|| Fault::missing("the picture is not here").in_file(&path))?;
        let bytes = source.read(id)?;
        let found = Digest::of(&bytes);
        if found != expected {
            return Err(Fault::changed(path, expected, found));
        }
        let picture = decode(&bytes, &path)?;
        let is_turned = picture.lies();
        let picture = picture.upright();
        let face = Face::of(landmarks[place].as_deref(), boxes[place].as_deref(), [picture.width, picture.height]);
        Ok(Measured { is_turned, ..measure(&picture, &bytes, &face) })
    };
    let mut measured = Vec::with_capacity(images.len());
    for (block, some) in images.0.chunks(AT_A_TIME).enumerate() {
        let found: Vec<Result<Measured>> =
            some.par_iter().enumerate().map(|(place, of)| one(block * AT_A_TIME + place, of)).collect();
        for found in found {
            measured.push(found?);
        }
        done(some.len());
    }
    Ok((table(&measured), about(&measured)))
}

fn table(measured: &[Measured]) -> Matrix {
    let values = measured.iter().flat_map(|of| of.values).map(|value| value as f32).collect();
    Matrix::new(measured.len(), MEASURED_COLUMNS, values).unwrap_or_default()
}

fn about(measured: &[Measured]) -> MeasuredPictures {
    let columns = PictureNuisance::ALL.into_iter().flat_map(|of| of.columns().iter().map(move |name| (of, *name)));
    let column = |(place, (of, name)): (usize, (PictureNuisance, &str))| MeasuredColumn {
        name: name.to_owned(),
        of,
        undefined: measured.iter().filter(|of| of.values[place].is_nan()).count(),
    };
    let by = |wanted: BackgroundBy| measured.iter().filter(|of| of.background == wanted).count();
    let size = |wanted: SizeBy| measured.iter().filter(|of| of.face_size == Some(wanted)).count();
    MeasuredPictures {
        format: 1,
        images: measured.len(),
        columns: columns.enumerate().map(column).collect(),
        background: BackgroundFound {
            beside_head: by(BackgroundBy::Head),
            border_unknown: by(BackgroundBy::UnknownFace),
            border_filled: by(BackgroundBy::FilledPicture),
        },
        face_size: FaceSizeFound { by_box: size(SizeBy::Box), by_landmarks: size(SizeBy::Landmarks) },
        turned: measured.iter().filter(|of| of.is_turned).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{
        DigestCache,
        faces::{DrawnKind, Request, Twin, draw},
        list_pictures,
    };

    /// A picture by its pixels.
    pub(super) fn painted(width: usize, height: usize, colour: impl Fn(usize, usize) -> [u8; 3]) -> Picture {
        let rgb = (0..width * height).flat_map(|at| colour(at % width, at / width)).collect();
        Picture { width, height, rgb, orientation: image::metadata::Orientation::NoTransforms, is_transparent: false }
    }

    #[test]
    fn drawn_faces_are_measured_the_same_with_any_number_of_threads_and_undefined_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("set");
        draw(&set, &Request { kind: DrawnKind::Faces(Twin::A), people: 4, images: 8, seed: 5 }).unwrap();
        let pictures = set.join("img_align_celeba");
        let images = list_pictures(&pictures, &mut DigestCache::none()).unwrap();
        let source = PictureSource::open(&pictures).unwrap();
        let mark = "69 111 108 111 88 136 72 152 105 152";
        let landmarks: Column = images.ids().skip(1).map(|id| (id.to_owned(), mark.to_owned())).collect();
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| measure_pictures(&source, &images, Some(&landmarks), None, |_| {}).unwrap())
        };
        let (table, about) = with(1);
        let (again, _) = with(3);
        let bits = |table: &Matrix| table.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&table), bits(&again));
        assert_eq!((table.rows(), table.columns()), (8, MEASURED_COLUMNS));
        assert_eq!(about.background, BackgroundFound { beside_head: 7, border_unknown: 1, border_filled: 0 });
        assert_eq!(about.face_size, FaceSizeFound { by_box: 0, by_landmarks: 7 });
        let undefined = |name: &str| about.columns.iter().find(|of| of.name == name).unwrap().undefined;
        assert_eq!(["pose_yaw", "face_size", "brightness", "jpeg_quality"].map(undefined), [1, 1, 0, 0]);
    }
}
