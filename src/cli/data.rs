//! `visavis data …`: data sets.

use super::{
    Context,
    output::{remark, say},
};
use crate::{
    dataset::drawn::{self, Kind, Request, Twin, Variety},
    domain::Result,
};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Data {
    /// Draw faces whose truth is known, in CelebA's own format, or a training set
    Draw(Draw),
}

#[derive(clap::Args)]
pub struct Draw {
    /// The folder to make
    dir: PathBuf,
    /// People (classes, of textures) in the set
    #[arg(long, value_name = "P", default_value_t = 100)]
    people: usize,
    /// Pictures, as many of each as of any
    #[arg(long, value_name = "N", default_value_t = 2000)]
    images: usize,
    /// Another seed draws other people
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// In twin `a` the necktie follows a dark background, in `b` not
    #[arg(long, value_enum, default_value_t = WhichTwin::A, conflicts_with = "train")]
    twin: WhichTwin,
    /// Draw a set to learn from instead, one folder a class
    #[arg(long, value_enum, value_name = "WHAT")]
    train: Option<Training>,
}

#[derive(Clone, Copy, ValueEnum)]
enum WhichTwin {
    A,
    B,
}

#[derive(Clone, Copy, ValueEnum)]
enum Training {
    /// Faces in many poses and lights
    Varied,
    /// Faces in one pose and one light
    Uniform,
    /// Textures and objects, and no face
    Textures,
}

impl Data {
    pub fn run(&self, context: &Context) -> Result<()> {
        match self {
            Data::Draw(draw) => draw.run(context),
        }
    }
}

impl Draw {
    fn run(&self, context: &Context) -> Result<()> {
        let kind = match (self.train, self.twin) {
            (None, WhichTwin::A) => Kind::Faces(Twin::A),
            (None, WhichTwin::B) => Kind::Faces(Twin::B),
            (Some(Training::Varied), _) => Kind::Training(Variety::Varied),
            (Some(Training::Uniform), _) => Kind::Training(Variety::Uniform),
            (Some(Training::Textures), _) => Kind::Textures,
        };
        drawn::draw(&self.dir, &Request { kind, people: self.people, images: self.images, seed: self.seed })?;
        let dir = self.dir.display();
        match kind {
            Kind::Faces(_) => {
                say(format!("drew {} pictures of {} people in {dir}", self.images, self.people));
                remark(context, format!("  what is planted in them: {dir}/truth.json · look at them: {dir}/sheets/all.jpg"));
            }
            _ => say(format!("drew {} pictures of {} classes to learn from in {dir}", self.images, self.people)),
        }
        Ok(())
    }
}
