//! A study on its way: what there is and what is missing → plan → dispatch → the read model that every face shows.

mod acts;
pub mod board;
mod checks;
mod cost;
pub mod curves;
pub mod devices;
mod dispatch;
pub mod draft;
mod examine;
mod explain;
mod graph;
mod look;
mod missing;
mod offers;
pub mod origin;
mod outcome;
pub mod picture;
mod plan;
mod queue;
mod timeline;
pub mod torch;
pub mod watch;

pub use acts::Acts;
pub use cost::{Costs, Estimate};
pub use dispatch::{Dispatch, Ended, Notice, dispatch};
pub use examine::{Examined, examine};
pub use explain::{Explained, Stale, explain};
pub use graph::{Node, Step, features, features_name, figure_name, known_figures, last_tap};
pub use look::{Looked, look};
pub use missing::Missing;
pub use offers::Offers;
pub use outcome::{Outcome, ScoreOf, Scored};
pub use plan::{Plan, Standing, Tally};
pub use timeline::{Held, Phase, Timeline};

pub use crate::dataset::drawn::{Level, Planted, Truth};
pub use crate::store::WrittenPage;

use crate::{
    config::{self, StudyFile},
    dataset::{self, DigestCache, Survey},
    domain::{Result, model::twins, text::printable},
    store::Workspace,
};
use std::path::Path;

/// A study file with what was found of the data it names.
pub struct Opened {
    pub file: StudyFile,
    pub survey: Survey,
    pub missing: Vec<Missing>,
    /// Oddities that stop nothing, each fit for a terminal.
    pub warnings: Vec<String>,
    /// What is read rightly, and worth knowing.
    pub notes: Vec<String>,
}

/// Reads a study file and looks at its data.
///
/// # Errors
/// A study file that is wrong, data that are there and cannot be used. What is absent is no error.
pub fn open(path: &Path, workspace: &Workspace) -> Result<Opened> {
    survey(config::read(path)?, workspace)
}

/// Looks at the data of a study that was read.
fn survey(file: StudyFile, workspace: &Workspace) -> Result<Opened> {
    let mut digests = DigestCache::open(workspace.digests());
    let survey = dataset::survey(&file.study, &mut digests)?;
    digests.keep();
    let mut warnings = checks::check(&file, &survey)?;
    warnings.extend(twins(&file.study.models).into_iter().map(|[first, second]| {
        format!("the models `{first}` and `{second}` are one under two names: every test of one is made again of the other")
    }));
    warnings.extend(survey.warnings.clone());
    if file.study.pretends() {
        warnings
            .push("networks only pretend to learn (`numerics.device: pretend`): what this study finds means nothing".to_owned());
    }
    let cards = file.study.numerics.device == "cuda" && devices::has_cards();
    let missing = missing::missing(&file.study, &survey, cards);
    let notes = survey.notes.iter().map(|note| printable(note)).collect();
    Ok(Opened { file, survey, missing, warnings: warnings.iter().map(|warning| printable(warning)).collect(), notes })
}
