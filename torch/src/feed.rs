//! What a network is fed: prepared pictures in an order that the seed and the epoch decide, some of them mirrored.

use crate::batches::Batches;
use std::sync::Arc;
use tch::{Device, Kind, Tensor};
use visavis_core::{
    dataset::{Album, Loader, prepare::Scale},
    domain::{
        Result,
        study::{Precision, Preparation},
    },
    numeric::{PhiloxStream, Purpose},
};

/// A set that is prepared within so many bytes stays in memory, and is opened once.
pub(crate) const KEPT: usize = 1 << 30;

pub struct Feed {
    album: Arc<Album>,
    batches: Batches,
    seed: u64,
    threads: usize,
    kept: Option<Tensor>,
    /// The epoch that is being fed, and what loads it.
    now: Option<(usize, Vec<usize>, Option<Loader>)>,
}

/// Pictures of bytes, N × 3 × S × S, with their classes.
pub struct Fed {
    pub pixels: Tensor,
    pub classes: Tensor,
}

impl Feed {
    /// # Errors
    /// A picture that cannot be read.
    pub fn new(album: Album, batches: Batches, seed: u64, threads: usize) -> Result<Self> {
        let album = Arc::new(album);
        let all: Vec<usize> = (0..album.images.len()).collect();
        let mut kept = None;
        if all.len() * album.numbers() <= KEPT {
            let mut pixels = Vec::with_capacity(all.len() * album.numbers());
            for loaded in Loader::start(&album, &all, 64, threads) {
                pixels.extend(loaded?.pixels);
            }
            kept = Some(pictures(&pixels, &album));
        }
        Ok(Feed { album, batches, seed, threads, kept, now: None })
    }

    /// How the training set is taken apart.
    pub fn batches(&self) -> &Batches {
        &self.batches
    }

    /// The batch of a step. Steps come one after the other; the first may be any.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn at(&mut self, step: usize) -> Result<Fed> {
        let (steps, batch) = (self.batches.steps(), self.batches.batch());
        let (epoch, within) = (step / steps, step % steps);
        if self.now.as_ref().is_none_or(|(now, ..)| *now != epoch) {
            let order = self.batches.order(epoch);
            let rest = &order[(within * batch).min(order.len())..];
            let loader = self.kept.is_none().then(|| Loader::start(&self.album, rest, batch, self.threads));
            self.now = Some((epoch, order, loader));
        }
        let Some((_, order, loader)) = &mut self.now else { unreachable!("set above") };
        let end = ((within + 1) * batch).min(order.len());
        let places = order[within * batch..end].to_vec();
        let pixels = match (&self.kept, loader.as_mut().and_then(Iterator::next)) {
            (Some(kept), _) => kept.index_select(0, &Tensor::from_slice(&as_i64(&places))),
            (None, Some(loaded)) => pictures(&loaded?.pixels, &self.album),
            (None, None) => unreachable!("a loader has a batch for every step of its epoch"),
        };
        let classes: Vec<i64> = places.iter().map(|place| self.batches.classes()[*place]).collect();
        // Each picture of an epoch is mirrored or not, whatever batch it is in.
        let mut coins = PhiloxStream::new(self.seed, Purpose::Mirrored, step as u64);
        let mirrored: Vec<bool> = places.iter().map(|_| coins.bits() & 1 == 1).collect();
        let mirrored = Tensor::from_slice(&mirrored).reshape([-1, 1, 1, 1]);
        let pixels = pixels.flip([3i64]).where_self(&mirrored, &pixels);
        Ok(Fed { pixels, classes: Tensor::from_slice(&classes) })
    }
}

fn as_i64(places: &[usize]) -> Vec<i64> {
    places.iter().map(|place| *place as i64).collect()
}

fn pictures(pixels: &[u8], album: &Album) -> Tensor {
    let size = album.preparation.size as i64;
    Tensor::from_slice(pixels).reshape([-1, 3, size, size])
}

/// Pictures of bytes as a network is given them.
pub struct Scaler {
    factor: Tensor,
    offset: Tensor,
    kind: Kind,
    device: Device,
}

/// The kind of libtorch's numbers.
pub fn kind(precision: Precision) -> Kind {
    match precision {
        Precision::Single => Kind::Float,
        Precision::Brain => Kind::BFloat16,
    }
}

impl Scaler {
    pub fn new(preparation: &Preparation, precision: Precision, device: Device) -> Self {
        let scale = Scale::of(preparation).linear();
        let channels = |of: [f32; 3]| Tensor::from_slice(&of).reshape([1, 3, 1, 1]).to_device(device);
        let (factor, offset) = (scale.map(|(factor, _)| factor), scale.map(|(_, offset)| offset));
        Scaler { factor: channels(factor), offset: channels(offset), kind: kind(precision), device }
    }

    pub fn scaled(&self, pixels: &Tensor) -> Tensor {
        let pixels = pixels.to_device(self.device).to_kind(Kind::Float);
        (pixels * &self.factor + &self.offset).to_kind(self.kind)
    }
}
