//! Pictures in an order, prepared, ahead of who needs them: several threads read and decode, never more than a few batches
//! before the one that is waited for. Which thread takes what is fixed, so the order is the one asked for with any number.

use super::{
    alteration::{Outline, alter},
    decode::{Picture, decode},
    marks::{Mark, Marks},
    prepare::{placed, prepare},
    source::PictureSource,
};
use crate::domain::{
    Digest, Fault, Result,
    alteration::{Alteration, MaskedBy},
    image::{Column, Images},
    study::{Exif, FaceMark, Preparation},
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

/// Where pictures are and what they must be.
#[derive(Clone, Debug)]
pub struct Album {
    source: Arc<PictureSource>,
    /// The images, in the order of their places.
    pub images: Images,
    /// What is done to a picture before a network sees it.
    pub preparation: Preparation,
    /// Where the face is in each, if that is needed.
    marks: Marks,
    /// What is done to the prepared pictures on purpose.
    alteration: Option<Altered>,
}

/// An alteration, and where the head is in each picture, as far as anything says so.
#[derive(Clone, Debug)]
struct Altered {
    by: Alteration,
    /// By place; where it is empty, the marks of the crop are used.
    landmarks: Vec<Option<Mark>>,
}

/// One picture, prepared.
#[derive(Debug)]
pub struct PreparedPicture {
    /// 3 × size × size numbers of 0 … 255.
    pub planes: Vec<u8>,
    /// Was it turned to be upright?
    pub turned: bool,
    /// Of an alteration that masks the background: by what it was placed, and which share of the square was masked.
    pub masked: Option<(MaskedBy, f64)>,
}

impl Album {
    /// Pictures of the source at a place, which is opened here. `marks`: boxes or landmarks of the images, where the preparation's crop
    /// needs them.
    ///
    /// # Errors
    /// A source that cannot be opened; an image without the mark that the crop needs.
    pub fn new(at: &Path, images: Images, preparation: Preparation, marks: Option<&Column>) -> Result<Self> {
        let marks = Marks::of(preparation.crop, &images, marks)?;
        Ok(Album { source: Arc::new(PictureSource::open(at)?), images, preparation, marks, alteration: None })
    }

    /// The same pictures, altered. `landmarks`: of the faces, where there are some; an image that has none there keeps what the crop knows.
    #[must_use]
    pub fn altered(mut self, by: Alteration, landmarks: Option<&Column>) -> Self {
        let mark = |text: Option<&str>| Mark::from_text(FaceMark::Landmarks, text?);
        let landmarks = landmarks.map(|column| column.aligned(&self.images).into_iter().map(mark).collect());
        self.alteration = Some(Altered { by, landmarks: landmarks.unwrap_or_default() });
        self
    }

    /// The pictures at some places, in their order.
    #[must_use]
    pub fn only(&self, places: &[usize]) -> Self {
        let altered = |of: &Altered| {
            let landmarks =
                if of.landmarks.is_empty() { Vec::new() } else { places.iter().map(|&at| of.landmarks[at].clone()).collect() };
            Altered { by: of.by, landmarks }
        };
        Album {
            source: Arc::clone(&self.source),
            images: Images(places.iter().map(|&place| self.images.0[place].clone()).collect()),
            preparation: self.preparation.clone(),
            marks: self.marks.only(places),
            alteration: self.alteration.as_ref().map(altered),
        }
    }

    /// One picture, prepared; and altered, if the album's pictures are.
    ///
    /// # Errors
    /// A picture that is absent, changed since it was listed, or cannot be read.
    pub fn open(&self, place: usize) -> Result<PreparedPicture> {
        let (id, digest) = &self.images.0[place];
        let path = self.source.place(id);
        if digest.is_none() {
            return Err(Fault::missing("the picture is not here").in_file(path));
        }
        let bytes = self.source.read(id)?;
        let found = Digest::of(&bytes);
        if let Some(expected) = digest.filter(|expected| found != *expected) {
            return Err(Fault::changed(path, expected, found));
        }
        crate::numeric::pulse::beat();
        let picture = decode(&bytes, &path)?;
        let turned = self.preparation.exif == Exif::Apply && picture.lies();
        let picture = if turned { picture.upright() } else { picture };
        let mut planes = prepare(&picture, &self.preparation, self.marks.at(place)).map_err(|fault| fault.in_file(path))?;
        let Some(Altered { by, .. }) = &self.alteration else { return Ok(PreparedPicture { planes, turned, masked: None }) };
        let outline = self.outline(place, &picture);
        let share = alter(&mut planes, &self.preparation, *by, &found, &outline);
        let masked = (*by == Alteration::BackgroundMasked).then(|| (outline.masked_by(), share));
        Ok(PreparedPicture { planes, turned, masked })
    }

    /// Where the head is in a prepared picture: by its landmarks, else by what its crop goes by. Marks of another picture say nothing.
    fn outline(&self, place: usize, picture: &Picture) -> Outline {
        let (width, height) = (picture.width, picture.height);
        let of_crop = self.marks.at(place);
        let landmarks = self.alteration.as_ref().and_then(|of| of.landmarks.get(place)?.as_ref());
        let mark = landmarks.filter(|mark| mark.fits(width, height).is_ok()).or(of_crop);
        match placed((width, height), &self.preparation, of_crop) {
            Some(placed) => Outline::of(mark, &placed),
            None => Outline::Border,
        }
    }

    /// Numbers a picture has.
    pub fn numbers(&self) -> usize {
        3 * self.preparation.size * self.preparation.size
    }
}

/// Opens a picture whole, for who wants to know whether and how it can be read.
///
/// # Errors
/// A picture that cannot be.
pub fn examine_picture(source: &PictureSource, id: &str) -> Result<Picture> {
    decode(&source.read(id)?, &source.place(id))
}

/// Opens a picture of a source whole and upright, if its bytes are still those of the digest.
///
/// # Errors
/// A picture that is absent, changed, or cannot be read.
pub fn open_picture(source: &PictureSource, id: &str, expected: Digest) -> Result<Picture> {
    let (bytes, place) = (source.read(id)?, source.place(id));
    let found = Digest::of(&bytes);
    if found != expected {
        return Err(Fault::changed(place, expected, found));
    }
    decode(&bytes, &place).map(Picture::upright)
}

/// Some pictures of an order.
#[derive(Debug)]
pub struct Batch {
    /// Their places in the album.
    pub places: Vec<usize>,
    /// N × 3 × size × size.
    pub pixels: Vec<u8>,
    /// How many of them were turned to be upright, as their cameras noted.
    pub turned: usize,
    /// How the background was masked, where it was: of how many of them by what, and the sum of the shares that were masked.
    pub masked: BTreeMap<MaskedBy, (usize, f64)>,
}

impl Batch {
    /// The same pictures, each mirrored: left is right. `size`: pixels a side.
    pub fn mirrored(&self, size: usize) -> Batch {
        let mut pixels = self.pixels.clone();
        pixels.chunks_exact_mut(size.max(1)).for_each(<[u8]>::reverse);
        Batch { places: self.places.clone(), pixels, turned: self.turned, masked: self.masked.clone() }
    }
}

/// Batches each thread may be ahead.
const AHEAD: usize = 2;

/// Batches of prepared pictures, in order, decoded ahead by threads of its own.
pub struct Loader {
    lines: Vec<Receiver<Result<Batch>>>,
    turn: usize,
    left: usize,
}

impl Loader {
    /// Starts to load the pictures at these places, `batch` at a time, with so many threads.
    pub fn start(album: &Arc<Album>, order: &[usize], batch: usize, threads: usize) -> Self {
        let batches: Vec<Vec<usize>> = order.chunks(batch.max(1)).map(<[usize]>::to_vec).collect();
        let threads = threads.clamp(1, batches.len().max(1));
        let left = batches.len();
        let mut shares: Vec<Vec<Vec<usize>>> = vec![vec![]; threads];
        for (number, places) in batches.into_iter().enumerate() {
            shares[number % threads].push(places);
        }
        let line = |share: Vec<Vec<usize>>| {
            let (send, receive) = sync_channel(AHEAD);
            let album = Arc::clone(album);
            std::thread::spawn(move || load(&album, share, &send));
            receive
        };
        Loader { lines: shares.into_iter().map(line).collect(), turn: 0, left }
    }
}

fn load(album: &Album, share: Vec<Vec<usize>>, send: &SyncSender<Result<Batch>>) {
    for places in share {
        let mut pixels = Vec::with_capacity(places.len() * album.numbers());
        let mut turned = 0;
        let mut masked: BTreeMap<MaskedBy, (usize, f64)> = BTreeMap::new();
        let opened = places.iter().try_for_each(|&place| {
            let picture = album.open(place)?;
            pixels.extend(picture.planes);
            turned += usize::from(picture.turned);
            if let Some((by, share)) = picture.masked {
                let (pictures, shares) = masked.entry(by).or_default();
                *pictures += 1;
                *shares += share;
            }
            Ok(())
        });
        // Whoever waited may have gone.
        if send.send(opened.map(|()| Batch { places, pixels, turned, masked })).is_err() {
            return;
        }
    }
}

impl Iterator for Loader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let line = self.turn;
        self.turn = (self.turn + 1) % self.lines.len();
        let gone = || Err(Fault::unexpected("a thread that loads pictures ended before they were loaded"));
        Some(self.lines[line].recv().unwrap_or_else(|_| gone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dataset::faces, domain::study::Crop};

    fn album(folder: &Path) -> Arc<Album> {
        let request = faces::Request { kind: faces::DrawnKind::Textures, people: 2, images: 11, seed: 1 };
        faces::draw(folder, &request).unwrap();
        let images = crate::dataset::pictures::list(folder, &mut crate::dataset::DigestCache::none()).unwrap();
        Arc::new(Album::new(folder, images, Preparation::of(Crop::Whole, 16), None).unwrap())
    }

    #[test]
    fn the_order_is_the_one_asked_for_with_any_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        let album = album(&folder.path().join("set"));
        let order = [10, 3, 4, 4, 0, 9, 7, 1];
        let load = |threads| {
            let batches: Vec<Batch> = Loader::start(&album, &order, 3, threads).map(Result::unwrap).collect();
            let places: Vec<usize> = batches.iter().flat_map(|batch| batch.places.clone()).collect();
            assert_eq!(places, order);
            batches.into_iter().flat_map(|batch| batch.pixels).collect::<Vec<u8>>()
        };
        let one = load(1);
        assert_eq!(one.len(), order.len() * album.numbers());
        assert!(one == load(2) && one == load(7));
    }

    #[test]
    fn aligned_faces_have_the_same_bits_with_any_number_of_threads_and_one_without_a_face_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("set");
        let plain = album(&set);
        let (width, height) = (40.0, 40.0);
        let mark = |id: &str, place: usize| {
            let points = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]];
            let numbers = points.map(|[x, y]| format!("{} {}", x * width + place as f64 * 0.25, y * height));
            (id.to_owned(), numbers.join(" "))
        };
        let marks: Vec<(String, String)> = plain.images.ids().enumerate().map(|(place, id)| mark(id, place)).collect();
        let aligned = |marks: &[(String, String)]| {
            let column: Column = marks.iter().cloned().collect();
            Album::new(&set, plain.images.clone(), Preparation::of(Crop::Aligned, 24), Some(&column))
        };
        let album = Arc::new(aligned(&marks).unwrap());
        let order: Vec<usize> = (0..marks.len()).collect();
        let load =
            |threads| Loader::start(&album, &order, 2, threads).flat_map(|batch| batch.unwrap().pixels).collect::<Vec<u8>>();
        let one = load(1);
        assert!(one == load(3) && one.iter().any(|value| *value != one[0]));
        assert!(aligned(&marks[1..]).unwrap_err().what.contains(&marks[0].0));
    }

    #[test]
    fn altered_pictures_have_the_same_bits_with_any_number_of_threads_and_by_the_picture_not_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("set");
        let plain = album(&set);
        let load = |order: &[usize], threads| -> Vec<Vec<u8>> {
            let album = Arc::new(Album::clone(&plain).altered(Alteration::PatchShuffled, None));
            let pixels: Vec<u8> = Loader::start(&album, order, 3, threads).flat_map(|batch| batch.unwrap().pixels).collect();
            pixels.chunks_exact(album.numbers()).map(<[u8]>::to_vec).collect()
        };
        let one = load(&[0, 1, 2, 3, 4, 5], 1);
        assert_eq!(one, load(&[0, 1, 2, 3, 4, 5], 5));
        assert_eq!(one[4], load(&[4], 1)[0]);
        assert_ne!(one[4], plain.open(4).unwrap().planes);
    }

    #[test]
    fn a_background_is_masked_by_landmarks_where_there_are_some_else_by_the_border() {
        let folder = tempfile::tempdir().unwrap();
        let plain = album(&folder.path().join("set"));
        let points = "14 18 26 18 20 24 15 30 25 30";
        let column: Column = [(plain.images.0[0].0.clone(), points.to_owned())].into_iter().collect();
        let masked = Arc::new(Album::clone(&plain).altered(Alteration::BackgroundMasked, Some(&column)));
        let batch = Loader::start(&masked, &[0, 1, 2], 3, 1).next().unwrap().unwrap();
        assert_eq!(batch.masked[&MaskedBy::Landmarks].0, 1);
        assert_eq!(batch.masked[&MaskedBy::Border], (2, 2.0 * (1.0 - (12.0 * 12.0) / 256.0)));
        assert!(plain.open(0).unwrap().masked.is_none());
    }

    #[test]
    fn a_picture_that_changed_is_named_and_the_others_come() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("set");
        let album = album(&set);
        let changed = set.join(&album.images.0[5].0);
        std::fs::write(&changed, faces::a_jpeg()).unwrap();
        let batches: Vec<Result<Batch>> = Loader::start(&album, &[4, 5, 6], 1, 2).collect();
        assert!(batches[0].is_ok() && batches[2].is_ok());
        let fault = batches[1].as_ref().err().unwrap();
        assert!(fault.what.contains("changed since") && fault.place.as_ref().unwrap().file == changed, "{fault}");
    }
}
