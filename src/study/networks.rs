//! Can the networks of a plan run here? Asked of `visavis-torch`, which alone knows its libtorch.

use super::{missing::Missing, plan::Plan, torch};
use std::path::PathBuf;

/// What runs the networks of a plan.
#[derive(Debug)]
pub enum NetworkWorker {
    /// None is to run, or there is no program, which is missing already.
    None,
    /// This program can.
    Program(PathBuf),
    /// The program that is here cannot, and why: a libtorch without support for cards, for instance.
    Unable(Missing),
}

impl NetworkWorker {
    /// Starts the program once, which loads libtorch.
    pub fn ask(plan: &Plan) -> Self {
        Self::ask_of(plan, torch::program)
    }

    fn ask_of(plan: &Plan, program: impl Fn() -> Option<PathBuf>) -> Self {
        if !plan.runs_networks() {
            return NetworkWorker::None;
        }
        let Some(program) = program() else { return NetworkWorker::None };
        match torch::ask(&program, plan.study.numerics.device) {
            Ok(_) => NetworkWorker::Program(program),
            Err(fault) => NetworkWorker::Unable(Missing::networks(&plan.study, fault.what)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{ResultMap, program, sources, study, study_of};
    use visavis_core::domain::study::{DeviceClass, Study};

    /// Asks a program that knows processors and no cards, as one with a libtorch for processors does.
    fn ask(study: &Study) -> NetworkWorker {
        let folder = tempfile::tempdir().unwrap();
        let script = "[ \"$*\" = 'doctor --device cpu' ] && echo fine && exit
            echo 'error: this libtorch is for processors only' >&2; exit 5";
        let program = program(folder.path(), script);
        let plan = Plan::in_memory(study, sources(study), ResultMap::default());
        NetworkWorker::ask_of(&plan, || Some(program.clone()))
    }

    #[test]
    fn a_libtorch_for_processors_runs_networks_there_and_on_no_card() {
        let on = |device: DeviceClass| {
            let mut study = study();
            study.numerics.device = device;
            ask(&study)
        };
        assert!(matches!(on(DeviceClass::Cpu), NetworkWorker::Program(_)));
        let NetworkWorker::Unable(missing) = on(DeviceClass::Cuda) else { panic!("it has no cards") };
        assert_eq!(missing.input, "networks cannot run here: this libtorch is for processors only");
        assert!(missing.cells > 0);
    }

    #[test]
    fn where_no_network_is_to_run_nobody_is_asked() {
        assert!(matches!(ask(&study_of(&[("given", "a.npy")])), NetworkWorker::None));
    }
}
