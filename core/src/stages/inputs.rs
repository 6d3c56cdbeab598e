//! A task's inputs by role, parsed.

use crate::{
    dataset::{Album, array, faces::Truth},
    domain::{
        Digest, Fault, Result,
        image::{Column, Images, Labels},
        score::{FeatureScores, Scores},
        stage::{Extraction, Input, Location, Ranking, Task, role},
        study::Preparation,
    },
    numeric::Matrix,
};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// What a task consumes, read and parsed when a stage asks. Roles are those of [`Input::role`].
pub struct Inputs<'a> {
    task: &'a Task,
    read: &'a dyn Fn(&Input) -> Result<Vec<u8>>,
}

impl<'a> Inputs<'a> {
    /// `read` gives the bytes of an input, verified against its digest.
    pub fn new(task: &'a Task, read: &'a dyn Fn(&Input) -> Result<Vec<u8>>) -> Self {
        Inputs { task, read }
    }

    fn find(&self, role: &str) -> Result<&Input> {
        let found = self.task.inputs.iter().find(|input| input.role == role);
        found.ok_or_else(|| Fault::unexpected(format!("the {} stage was given no `{role}`", self.task.work.kind())))
    }

    /// Is there an input of this role?
    pub fn has(&self, role: &str) -> bool {
        self.find(role).is_ok()
    }

    /// What the bytes of an input are, without reading them.
    pub fn digest(&self, role: &str) -> Result<Digest> {
        Ok(self.find(role)?.digest)
    }

    /// An outside file's path, for messages.
    pub fn path(&self, role: &str) -> Result<PathBuf> {
        Ok(match &self.find(role)?.at {
            Location::File(path) => path.clone(),
            Location::Pictures(folder) => folder.clone(),
            Location::Object => PathBuf::from(role),
        })
    }

    /// An input's bytes.
    pub fn bytes(&self, role: &str) -> Result<Vec<u8>> {
        (self.read)(self.find(role)?)
    }

    /// An input that is UTF-8.
    pub fn text(&self, role: &str) -> Result<String> {
        String::from_utf8(self.bytes(role)?).map_err(|_| damaged(role))
    }

    /// An input that is a `.npy` file, N × D.
    pub fn matrix(&self, role: &str) -> Result<Matrix> {
        array::from_npy(&self.bytes(role)?, Path::new(role))
    }

    /// An input that is JSON.
    pub fn json<T: DeserializeOwned>(&self, role: &str) -> Result<T> {
        serde_json::from_slice(&self.bytes(role)?).map_err(|_| damaged(role))
    }

    /// Every input whose role starts so, in order, with the rest of its role.
    pub fn each<T>(&self, prefix: &str, parse: impl Fn(&str) -> Result<T>) -> Result<Vec<(String, T)>> {
        let roles = self.task.inputs.iter().filter_map(|input| Some((input.role.as_str(), input.role.strip_prefix(prefix)?)));
        roles.map(|(role, rest)| Ok((rest.to_owned(), parse(role)?))).collect()
    }

    /// The coordinates of a projection, one matrix a seed.
    pub fn points(&self) -> Result<Vec<Matrix>> {
        let of_seeds = self.each(role::POINTS_BY_SEED, |role| self.matrix(role))?;
        Ok(of_seeds.into_iter().map(|(_, matrix)| matrix).collect())
    }

    /// An input that lists images, as [`Images::to_text`] writes it.
    pub fn images(&self, role: &str) -> Result<Images> {
        Images::from_text(&self.text(role)?).ok_or_else(|| damaged(role))
    }

    /// The pictures of an input, to be prepared so, with the boxes or landmarks that this needs.
    pub fn album(&self, role: &str, preparation: &Preparation) -> Result<Album> {
        let marks = preparation.crop.needs().map(|kind| self.column(kind.role())).transpose()?;
        Album::new(&self.path(role)?, self.images(role)?, preparation.clone(), marks.as_ref())
    }

    /// The pictures that a network is given, altered if the stage says so.
    pub fn album_of(&self, extraction: &Extraction) -> Result<Album> {
        let album = self.album(role::IMAGES, &extraction.preparation)?;
        let Some(alteration) = extraction.alteration else { return Ok(album) };
        let landmarks = if self.has(role::LANDMARKS) { Some(self.column(role::LANDMARKS)?) } else { None };
        Ok(album.altered(alteration, landmarks.as_ref()))
    }

    /// An input that is labels, as [`Column::to_text`] writes them.
    pub fn column(&self, role: &str) -> Result<Column> {
        Column::from_text(&self.text(role)?).ok_or_else(|| damaged(role))
    }

    /// All `labels/…`, by attribute.
    pub fn labels(&self) -> Result<Labels> {
        Ok(self.each(role::LABELS, |role| self.column(role))?.into_iter().collect())
    }

    /// The scores of projections, in the order of their slots.
    pub fn scores(&self) -> Result<Vec<Scores>> {
        self.parsed(role::SCORES)
    }

    /// What features hold, in the order of `spaces/…`.
    pub fn spaces(&self) -> Result<Vec<FeatureScores>> {
        self.parsed(role::SPACES)
    }

    fn parsed<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>> {
        Ok(self.each(prefix, |role| self.json(role))?.into_iter().map(|(_, of)| of).collect())
    }

    /// What was planted in drawn faces, where they are.
    pub fn truth(&self) -> Result<Option<Truth>> {
        if self.find(Ranking::TRUTH).is_err() {
            return Ok(None);
        }
        self.json(Ranking::TRUTH).map(Some)
    }

    /// Who is on the images; `None` where the task has no such input.
    pub fn identities(&self) -> Result<Option<Column>> {
        if self.find(role::IDENTITIES).is_err() {
            return Ok(None);
        }
        self.column(role::IDENTITIES).map(Some)
    }
}

pub(super) fn damaged(role: &str) -> Fault {
    Fault::unexpected(format!("the input `{role}` is not what it should be"))
}
