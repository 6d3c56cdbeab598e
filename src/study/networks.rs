//! Can the networks of a plan run here? Asked of the programs that run them, which alone know their libraries.

use super::{missing::Missing, plan::Plan, programs::WorkerProgram};
use std::{collections::BTreeMap, path::PathBuf};

/// What runs the networks of a plan.
#[derive(Debug, Default)]
pub struct NetworkPrograms {
    /// These programs can. What a plan needs and is not there is missing already.
    pub able: BTreeMap<WorkerProgram, PathBuf>,
    /// What programs that are here cannot, and why: a libtorch without support for cards, for instance.
    pub unable: Vec<Missing>,
}

impl NetworkPrograms {
    /// Starts each program once that the plan needs, which loads its library.
    pub fn ask(plan: &Plan) -> Self {
        Self::ask_of(plan, WorkerProgram::path)
    }

    fn ask_of(plan: &Plan, path: impl Fn(WorkerProgram) -> Option<PathBuf>) -> Self {
        let mut asked = NetworkPrograms::default();
        for program in plan.programs() {
            let Some(path) = path(program) else { continue };
            match program.ask(&path, program.device(plan.study.numerics.device)) {
                Ok(_) => _ = asked.able.insert(program, path),
                Err(fault) => asked.unable.push(Missing::networks(&plan.study, program, fault.what)),
            }
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{ResultMap, program, sources, study, study_of};
    use visavis_core::domain::study::{DeviceClass, Study};

    /// Asks a program that knows processors and no cards, as one with a libtorch for processors does.
    fn ask(study: &Study) -> NetworkPrograms {
        let folder = tempfile::tempdir().unwrap();
        let script = "[ \"$*\" = 'doctor --device cpu' ] && echo fine && exit
            echo 'error: this libtorch is for processors only' >&2; exit 5";
        let program = program(folder.path(), script);
        let plan = Plan::in_memory(study, sources(study), ResultMap::default());
        NetworkPrograms::ask_of(&plan, |_| Some(program.clone()))
    }

    #[test]
    fn a_libtorch_for_processors_runs_networks_there_and_on_no_card() {
        let on = |device: DeviceClass| {
            let mut study = study();
            study.numerics.device = device;
            ask(&study)
        };
        assert!(on(DeviceClass::Cpu).able.keys().eq(&[WorkerProgram::Torch]));
        let asked = on(DeviceClass::Cuda);
        assert!(asked.able.is_empty());
        assert_eq!(asked.unable[0].input, "networks cannot run here: this libtorch is for processors only");
        assert!(asked.unable[0].cells > 0);
    }

    #[test]
    fn where_no_network_is_to_run_nobody_is_asked() {
        let asked = ask(&study_of(&[("given", "a.npy")]));
        assert!(asked.able.is_empty() && asked.unable.is_empty());
    }
}
