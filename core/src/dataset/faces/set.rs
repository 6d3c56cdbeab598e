//! Whole sets of pictures on disk: faces in CelebA's own files, and training sets of one folder a class.

use super::{
    attributes::{DrawnLabels, noise},
    colour::Style,
    files::{jpeg, write, write_table},
    person::Person,
    portrait::portrait,
    rng::FaceRng,
    sheet,
    sitting::{DrawnPicture, Sitting, Twin, Variety},
    texture::Texture,
    tones::Landmarks,
    truth::{self, DrawnSet, Truth},
};
use crate::{
    dataset::readers::celeba::ATTRIBUTES,
    domain::{Fault, Result},
    numeric::{PhiloxStream, Purpose, purpose::OF_PERSON},
};
use rayon::prelude::*;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnKind {
    /// Faces to compare models on, in CelebA's format, with their truth.
    Faces(Twin),
    /// Faces to learn from, one folder a person.
    Training(Variety),
    /// Textures and objects to learn from, one folder a class.
    Textures,
}

/// How much of what to draw.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What is drawn.
    pub kind: DrawnKind,
    /// Identities, or classes.
    pub people: usize,
    /// Images in all, not fewer than people.
    pub images: usize,
    /// Of all random numbers.
    pub seed: u64,
}

/// Labelled images of each tone, at most.
const OF_EACH_TONE: usize = 100;
/// The bins of tone: pairs of the Monk scale.
const TONES: [&str; 5] = ["monk1-2", "monk3-4", "monk5-6", "monk7-8", "monk9-10"];

/// Draws a set into a new folder; what is drawn before an interruption is in `DIR.half`, and drawn again.
///
/// # Errors
/// A folder that is there and not empty, a `DIR.half` that no drawing left or that another process draws in, counts that do not fit, a
/// disk that refuses.
pub fn draw(folder: &Path, request: &Request) -> Result<()> {
    let next = "such as --identities 50 --images 1000";
    if request.people == 0 || request.images < request.people {
        return Err(
            Fault::asked(format!("{} images of {} identities: each needs one", request.images, request.people)).next(next)
        );
    }
    if request.images > 999_999 {
        return Err(Fault::asked(format!("{} images: CelebA's names hold 999,999", request.images)).next(next));
    }
    if is_there(folder) {
        return Err(Fault::asked("the folder is there and not empty: nothing is drawn over it")
            .in_file(folder)
            .next("name another folder, or remove this one"));
    }
    let name = folder.file_name().ok_or_else(|| Fault::asked("this is no name for a folder").in_file(folder))?;
    let mut half_name = name.to_owned();
    half_name.push(".half");
    let half = folder.with_file_name(half_name);
    let begun = HalfDrawn::begin(&half)?;
    match request.kind {
        DrawnKind::Faces(twin) => faces(&half, request, twin)?,
        DrawnKind::Training(variety) => training(&half, request, variety)?,
        DrawnKind::Textures => textures(&half, request)?,
    }
    if let DrawnKind::Training(_) | DrawnKind::Textures = request.kind {
        write(&half.join(DRAWN), b"Every picture here was drawn by visavis; none shows a person.\n")?;
    }
    begun.end()?;
    fs::rename(&half, folder).map_err(|error| Fault::io("put in place what was drawn", folder, &error))
}

/// A folder that is being drawn in. It holds a file that says so: what has none is a person's own, and is left alone.
struct HalfDrawn {
    mark: PathBuf,
    /// Locked while this process draws.
    _lock: File,
}

impl HalfDrawn {
    const MARK: &str = ".visavis-draws";

    /// Makes the folder anew.
    fn begin(half: &Path) -> Result<Self> {
        let mark = half.join(Self::MARK);
        let refused = |error| Fault::io("make the folder to draw in", half, &error);
        match fs::symlink_metadata(half) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(refused(error)),
            Ok(about) if about.is_dir() && !is_there(half) => {}
            Ok(about) => {
                let left = about.is_dir().then(|| File::options().read(true).write(true).open(&mark).ok()).flatten();
                let Some(left) = left else {
                    return Err(Fault::asked("this is in the way of drawing, and no drawing left it: nothing is removed")
                        .in_file(half)
                        .next("rename it, or draw into a folder of another name"));
                };
                if is_locked(&left) {
                    return Err(Fault::asked("another visavis draws in it").in_file(half).next("wait until it has ended"));
                }
                fs::remove_dir_all(half).map_err(|error| Fault::io("clear away what was half drawn", half, &error))?;
            }
        }
        fs::create_dir_all(half).map_err(refused)?;
        let lock = File::options().write(true).create_new(true).open(&mark).map_err(refused)?;
        is_locked(&lock);
        Ok(HalfDrawn { mark, _lock: lock })
    }

    fn end(self) -> Result<()> {
        fs::remove_file(&self.mark).map_err(|error| Fault::io("remove", &self.mark, &error))
    }
}

/// Does another process hold it? If not, this one does from now on.
fn is_locked(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK)
}

/// What says of a training set that it was drawn; faces to compare models on have their truth.
const DRAWN: &str = ".drawn-by-visavis";

/// Was the data set in this folder drawn here? Then no picture of it shows a person.
pub fn is_drawn(folder: &Path) -> bool {
    [DRAWN, "truth.json"].iter().any(|name| folder.join(name).is_file())
}

/// Is there anything in the folder? A set is put in place whole: one that is there was drawn to its end, or is a person's own.
pub fn is_there(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// One person's number a picture, so that each has as many as any, one more or less, in no order.
fn identities(request: &Request) -> Vec<usize> {
    let mut identities: Vec<usize> = (0..request.images).map(|image| image % request.people).collect();
    PhiloxStream::new(request.seed, Purpose::DrawnIdentities, 0).shuffle(&mut identities);
    identities
}

fn pictures(request: &Request, people: Purpose, style: Style, twin: Twin, variety: Variety) -> Vec<DrawnPicture> {
    // A person's first sequence is their own, the others are their sittings'.
    let rng = |person: usize, sitting: u64| FaceRng::new(request.seed, people, person as u64 * OF_PERSON + sitting);
    let people: Vec<Person> = (0..request.people).map(|person| Person::draw(&mut rng(person, 0))).collect();
    let mut images = vec![0; request.people];
    let picture = |identity: usize| {
        images[identity] += 1;
        let mut rng = rng(identity, images[identity]);
        let person = people[identity].clone();
        let sitting = Sitting::draw(&person, &style, twin, variety, &mut rng);
        DrawnPicture { identity, person, sitting, style }
    };
    identities(request).into_iter().map(picture).collect()
}

fn faces(folder: &Path, request: &Request, twin: Twin) -> Result<()> {
    let pictures = pictures(request, Purpose::DrawnPeople, Style::EVALUATION, twin, Variety::Varied);
    let drawn: Vec<DrawnLabels> = pictures
        .iter()
        .enumerate()
        .map(|(image, picture)| {
            let mut rng = FaceRng::new(request.seed, Purpose::DrawnAttributes, image as u64);
            DrawnLabels::of(&picture.person, &picture.sitting, &mut rng)
        })
        .collect();
    let labels = mislabelled(&drawn, request.seed);
    let made = DrawnSet { pictures: &pictures, drawn: &drawn, labels: &labels };
    let tied: Vec<bool> = pictures.iter().map(|picture| picture.sitting.necktie).collect();
    let dark: Vec<bool> = pictures.iter().map(|picture| picture.sitting.dark_background).collect();
    let truth = Truth {
        format: 1,
        about: "faces drawn by visavis: no picture shows anybody".to_owned(),
        seed: request.seed,
        people: request.people,
        images: request.images,
        twin: match twin {
            Twin::A => "a",
            Twin::B => "b",
        }
        .to_owned(),
        necktie_on_dark: truth::rounded(truth::phi(&tied, &dark)),
        attributes: truth::planted(&made),
    };
    // First of all files: what is found later is held against what was said before.
    let text = serde_json::to_string_pretty(&truth).map_err(|error| Fault::unexpected(error.to_string()))? + "\n";
    write(&folder.join("truth.json"), text.as_bytes())?;

    let names: Vec<String> = (1..=pictures.len()).map(|image| format!("{image:06}.jpg")).collect();
    let images = folder.join("img_align_celeba");
    let portraits: Vec<(Landmarks, f32)> = pictures
        .par_iter()
        .zip(&names)
        .map(|(picture, name)| {
            let portrait = portrait(&picture.person, &picture.sitting, &picture.style);
            write(&images.join(name), &jpeg(&portrait.rgb)?)?;
            Ok((portrait.landmarks, portrait.tones.skin.luminance()))
        })
        .collect::<Result<_>>()?;

    let rows = |row: &dyn Fn(usize) -> String| {
        (0..names.len()).map(|image| format!("{} {}\n", names[image], row(image))).collect::<String>()
    };
    let attributes = rows(&|image| labels[image].map(|label| if label { " 1" } else { "-1" }).join(" "));
    write(&folder.join("list_attr_celeba.txt"), format!("{}\n{} \n{attributes}", names.len(), ATTRIBUTES.join(" ")).as_bytes())?;
    write(&folder.join("identity_CelebA.txt"), rows(&|image| (pictures[image].identity + 1).to_string()).as_bytes())?;
    write(
        &folder.join("list_eval_partition.txt"),
        rows(&|image| partition(pictures[image].identity, request.people).to_string()).as_bytes(),
    )?;
    let landmarks = rows(&|image| portraits[image].0.iter().map(|(x, y)| format!("{x:.0} {y:.0}")).collect::<Vec<_>>().join(" "));
    let header = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y";
    write(&folder.join("list_landmarks_align_celeba.txt"), format!("{}\n{header}\n{landmarks}", names.len()).as_bytes())?;
    let tones = tones(&pictures, request.seed).into_iter().map(|(image, word)| [names[image].clone(), word.to_owned()]);
    write_table(&folder.join("skin_tone.csv"), ["image_id", "skin_tone"], tones)?;
    let quantity = |image: usize| {
        let length = if pictures[image].person.bald { 0.0 } else { pictures[image].person.hair_length };
        [names[image].clone(), format!("{length:.4}"), format!("{:.4}", portraits[image].1)]
    };
    let quantities = (0..names.len()).map(quantity);
    write_table(&folder.join("quantities.csv"), ["image_id", "hair_length", "tone"], quantities)?;
    sheet::sheets(&folder.join("sheets"), &made)
}

/// Annotators err: as many labels gained as lost.
fn mislabelled(drawn: &[DrawnLabels], seed: u64) -> Vec<[bool; 40]> {
    let rates: [f64; 40] =
        std::array::from_fn(|place| drawn.iter().filter(|image| image.has[place]).count() as f64 / drawn.len().max(1) as f64);
    let labels = |(image, drawn): (usize, &DrawnLabels)| {
        let mut rng = FaceRng::new(seed, Purpose::DrawnMistakes, image as u64);
        std::array::from_fn(|place| {
            let (noise, rate) = (noise(ATTRIBUTES[place]), rates[place]);
            let errs = rng.chance(if drawn.has[place] { noise } else { noise * rate / (1.0 - rate).max(0.01) });
            drawn.has[place] != errs
        })
    };
    drawn.iter().enumerate().map(labels).collect()
}

/// Eight in ten people to train, one to validate, one to test: no person is in two.
fn partition(identity: usize, people: usize) -> u8 {
    match identity * 10 / people {
        0..=7 => 0,
        8 => 1,
        _ => 2,
    }
}

/// Obvious cases only, as people label them: tones near the middle of their bin.
fn tones(pictures: &[DrawnPicture], seed: u64) -> Vec<(usize, &'static str)> {
    let mut order: Vec<usize> = (0..pictures.len()).collect();
    PhiloxStream::new(seed, Purpose::DrawnTones, 0).shuffle(&mut order);
    let mut chosen = Vec::new();
    for (bin, word) in TONES.into_iter().enumerate() {
        let middle = bin as f32 * 2.0 + 0.5;
        let near =
            order.iter().filter(|&&image| (pictures[image].person.tone - middle).abs() < 0.6 && !pictures[image].person.pale);
        chosen.extend(near.take(OF_EACH_TONE).map(|&image| (image, word)));
    }
    chosen.sort_unstable();
    chosen
}

fn training(folder: &Path, request: &Request, variety: Variety) -> Result<()> {
    let pictures = pictures(request, Purpose::DrawnTrainingPeople, Style::TRAINING, Twin::B, variety);
    in_folders(folder, "person", pictures.iter().map(|picture| picture.identity), |image| {
        portrait(&pictures[image].person, &pictures[image].sitting, &pictures[image].style).rgb
    })
}

fn textures(folder: &Path, request: &Request) -> Result<()> {
    let style = Style::TRAINING;
    // Poses and lights are those of the faces.
    let pictures = pictures(request, Purpose::DrawnTrainingPeople, style, Twin::B, Variety::Varied);
    let classes: Vec<Texture> = (0..request.people)
        .map(|class| Texture::draw(&style, &mut FaceRng::new(request.seed, Purpose::DrawnTextures, class as u64)))
        .collect();
    in_folders(folder, "thing", pictures.iter().map(|picture| picture.identity), |image| {
        classes[pictures[image].identity].picture(&pictures[image].sitting, &style)
    })
}

fn in_folders(
    folder: &Path,
    noun: &str,
    classes: impl Iterator<Item = usize>,
    picture: impl Fn(usize) -> Vec<u8> + Sync,
) -> Result<()> {
    let mut counts: Vec<usize> = Vec::new();
    let path = |class: usize| {
        if counts.len() <= class {
            counts.resize(class + 1, 0);
        }
        counts[class] += 1;
        folder.join(format!("{noun}{:04}", class + 1)).join(format!("{:04}.jpg", counts[class]))
    };
    let paths: Vec<PathBuf> = classes.map(path).collect();
    paths.par_iter().enumerate().try_for_each(|(image, path)| write(path, &jpeg(&picture(image))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request { kind: DrawnKind::Textures, people: 1, images: 1, seed: 1 }
    }

    #[test]
    fn what_no_drawing_left_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (set, half) = (folder.path().join("d"), folder.path().join("d.half"));
        fs::create_dir(&half).unwrap();
        fs::write(half.join("thesis.txt"), "years of work").unwrap();
        let fault = draw(&set, &request()).unwrap_err();
        assert!(fault.what.contains("no drawing left it"), "{fault}");
        assert_eq!(fs::read_to_string(half.join("thesis.txt")).unwrap(), "years of work");
        fs::remove_dir_all(&half).unwrap();
        fs::write(&half, "a file").unwrap();
        assert!(draw(&set, &request()).is_err() && half.is_file());
        fs::remove_file(&half).unwrap();
        // Behind a link is somebody's folder, whatever it holds.
        let behind = folder.path().join("behind");
        fs::create_dir(&behind).unwrap();
        fs::write(behind.join(HalfDrawn::MARK), "").unwrap();
        std::os::unix::fs::symlink(&behind, &half).unwrap();
        assert!(draw(&set, &request()).is_err() && behind.join(HalfDrawn::MARK).exists() && !set.exists());
    }

    #[test]
    fn what_an_interrupted_drawing_left_is_drawn_again_unless_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (set, half) = (folder.path().join("d"), folder.path().join("d.half"));
        let begun = HalfDrawn::begin(&half).unwrap();
        fs::write(half.join("half.jpg"), "half").unwrap();
        assert!(draw(&set, &request()).unwrap_err().what.contains("another visavis draws in it"));
        drop(begun);
        draw(&set, &request()).unwrap();
        assert!(set.join("thing0001/0001.jpg").is_file() && !set.join(HalfDrawn::MARK).exists() && !half.exists());
    }
}
