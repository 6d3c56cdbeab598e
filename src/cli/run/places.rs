//! Where a run's stages are made: on this machine, on a cluster or on both; on which devices, and by which programs.

use super::RunCommand;
use crate::cli::{
    Context,
    output::{remark, warn},
};
use crate::study::{
    self, ClusterRun, NetworkPrograms, WorkerProgram,
    devices::{self, Machine, Name},
};
use std::{collections::BTreeMap, path::PathBuf};
use visavis_core::domain::{
    Fault, Result,
    study::{DeviceClass, RunOn},
    text::printable,
};

/// Where the stages of a run are made.
pub(super) enum Places {
    Here,
    Cluster(ClusterRun),
    /// Networks on the cluster, the rest here.
    Both(ClusterRun),
}

impl Places {
    pub(super) fn cluster(&self) -> Option<&ClusterRun> {
        match self {
            Places::Here => None,
            Places::Cluster(cluster) | Places::Both(cluster) => Some(cluster),
        }
    }
}

/// The programs that workers of a cluster are, as far as they are here: what the nodes have is not known.
pub(super) fn programs_of_nodes(plan: &study::Plan) -> BTreeMap<WorkerProgram, PathBuf> {
    plan.programs().into_iter().filter_map(|program| Some((program, program.path()?))).collect()
}

impl RunCommand {
    /// Where the stages are to be made, as options and study file say.
    pub(super) fn places(&self, opened: &study::OpenedStudy) -> Result<Places> {
        if opened.file.study.run == RunOn::Local {
            return Ok(Places::Here);
        }
        let cluster = ClusterRun::of(&opened.file);
        if self.on.iter().any(|on| on == "local") {
            if self.is_to_submit(&cluster) {
                let what = "a dispatcher in a job of its own has one processor: no stage runs beside it";
                return Err(cluster
                    .wrong_dispatcher(what)
                    .next("write `dispatcher: here`, or run all on the cluster: --on slurm"));
            }
            return Ok(Places::Both(cluster));
        }
        if !self.devices.is_empty() || self.jobs.is_some() {
            return Err(Fault::asked("--devices and --jobs are of this machine, and the run is on Slurm")
                .next("leave them out, and see `run.slurm` in the study file; or run it here too: --on local,slurm"));
        }
        Ok(Places::Cluster(cluster))
    }

    pub(super) fn devices(
        &self,
        context: &Context,
        places: &Places,
        plan: &study::Plan,
    ) -> Result<(Vec<devices::Device>, Option<String>)> {
        if let Places::Cluster(cluster) = places {
            return Ok((vec![cluster.device(&plan.study)], None));
        }
        let mut named = self.devices.iter().map(|name| name.parse()).collect::<Result<Vec<Name>>>()?;
        if let Places::Both(_) = places {
            // Networks go to the cluster: a card of this machine has to be named.
            named.push(Name { class: DeviceClass::Cpu, number: 0 });
        }
        let is_of_cards = |name: &Name| name.class == DeviceClass::Cuda;
        let runs_networks = matches!(places, Places::Here) && plan.study.numerics.device == DeviceClass::Cuda;
        let asks = runs_networks || named.iter().any(is_of_cards);
        let (cards, driver) = if asks { devices::cards() } else { (vec![], None) };
        let machine = Machine { threads: context.threads, cards };
        let (mut devices, remarks) = devices::choose(&plan.study, &named, self.jobs.map(usize::from), &machine)?;
        remarks.iter().for_each(|line| remark(context, printable(line)));
        devices.extend(places.cluster().map(|cluster| cluster.device(&plan.study)));
        Ok((devices, driver))
    }

    /// The programs that run networks, as far as the run's places are known to have them.
    pub(super) fn programs_at(
        &self,
        context: &Context,
        plan: &mut study::Plan,
        places: &Places,
        devices: &[devices::Device],
    ) -> Result<BTreeMap<WorkerProgram, PathBuf>> {
        if let Places::Here = places {
            return self.programs(context, plan);
        }
        let is_named = |device: &devices::Device| device.name.class == DeviceClass::Cuda;
        if let (Places::Both(_), Some((_, here))) = (places, devices.split_last())
            && here.iter().any(is_named)
            && let Some(missing) = NetworkPrograms::ask(plan).unable.into_iter().next()
        {
            return Err(Fault::missing(missing.input).next("name no card with --devices: networks then run on the cluster alone"));
        }
        Ok(programs_of_nodes(plan))
    }

    /// The programs for networks, asked whether they can, when some are to run; when one cannot, they wait as for anything missing.
    fn programs(&self, context: &Context, plan: &mut study::Plan) -> Result<BTreeMap<WorkerProgram, PathBuf>> {
        let NetworkPrograms { able, unable } = NetworkPrograms::ask(plan);
        for missing in unable {
            warn(context, &[printable(&missing.input)]);
            plan.lack(missing)?;
            self.narrow(plan)?;
        }
        Ok(able)
    }
}
