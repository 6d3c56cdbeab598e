//! Pictures, decoded before they are looked at, by a thread of its own.

use crate::study::labelling::{PictureSource, open_picture};
use image::RgbImage;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
};
use visavis_core::domain::{Digest, Fault};

/// A picture, or why it cannot be shown.
pub type Loaded = Result<Arc<RgbImage>, String>;

/// Decodes pictures of a source in the order in which they are asked for; keeps the latest.
pub struct PictureLoader {
    asks: Sender<(String, Digest)>,
    replies: Receiver<(Digest, Loaded)>,
    ready: HashMap<Digest, Loaded>,
    asked: Vec<Digest>,
}

/// Pixels of the longer side that are kept: more than terminals show.
const LARGEST: u32 = 1024;
/// Pictures that are kept: one screen back, some ahead.
const KEPT: usize = 32;

impl PictureLoader {
    /// `source`: where the pictures are.
    pub fn start(source: PictureSource) -> Self {
        let (asks, asked) = channel::<(String, Digest)>();
        let (replying, replies) = channel();
        std::thread::spawn(move || {
            while let Ok((image, digest)) = asked.recv() {
                if replying.send((digest, load_picture(&source, &image, digest))).is_err() {
                    return;
                }
            }
        });
        PictureLoader { asks, replies, ready: HashMap::new(), asked: vec![] }
    }

    /// Starts to load a picture, unless that was done.
    pub(super) fn ask(&mut self, image: &str, digest: Digest) {
        if self.asked.contains(&digest) {
            return;
        }
        if self.asked.len() >= KEPT {
            let oldest = self.asked.remove(0);
            self.ready.remove(&oldest);
        }
        self.asked.push(digest);
        self.asks.send((image.to_owned(), digest)).ok();
    }

    /// The picture, if it is there.
    pub(super) fn get(&mut self, digest: Digest) -> Option<&Loaded> {
        while let Ok((digest, loaded)) = self.replies.try_recv() {
            self.keep(digest, loaded);
        }
        self.ready.get(&digest)
    }

    /// Unless it was given up meanwhile.
    fn keep(&mut self, digest: Digest, loaded: Loaded) {
        if self.asked.contains(&digest) {
            self.ready.insert(digest, loaded);
        }
    }

    /// The picture; waits until it is there.
    pub(super) fn wait(&mut self, image: &str, digest: Digest) -> Loaded {
        self.ask(image, digest);
        while self.get(digest).is_none() {
            let Ok((digest, loaded)) = self.replies.recv() else { return Err("the thread that reads pictures ended".to_owned()) };
            self.keep(digest, loaded);
        }
        self.ready[&digest].clone()
    }
}

/// A picture of a source, no larger than screens show.
pub fn load_picture(source: &PictureSource, image: &str, digest: Digest) -> Loaded {
    let said = |fault: Fault| fault.what;
    let picture = open_picture(source, image, digest).map_err(said)?;
    let pixels = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb);
    let pixels = pixels.ok_or_else(|| "the picture is not whole".to_owned())?;
    let side = pixels.width().max(pixels.height());
    if side <= LARGEST {
        return Ok(Arc::new(pixels));
    }
    let part = |length: u32| (u64::from(length) * u64::from(LARGEST) / u64::from(side)).max(1) as u32;
    Ok(Arc::new(image::imageops::thumbnail(&pixels, part(pixels.width()), part(pixels.height()))))
}
