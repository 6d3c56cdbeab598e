//! What a run on a cluster submits: printed, or a dispatcher in a job of its own.

use super::RunCommand;
use crate::cli::{
    Context,
    output::{remark, say, say_json, tell_about, tell_namesakes},
};
use crate::study::{self, ClusterRun, Dispatch, DispatcherJob, SubmittedDispatcher};
use std::{sync::atomic::AtomicBool, time::Duration};
use visavis_core::{
    domain::{Fault, Result, study::DispatcherPlace, text::printable},
    store::LOOKING,
};

impl RunCommand {
    /// Is the dispatcher to run in a job of its own, which this process is not?
    pub(super) fn is_to_submit(&self, cluster: &ClusterRun) -> bool {
        self.in_job.is_none() && *cluster.dispatcher() != DispatcherPlace::Here
    }

    /// The dispatcher of a study as a job; `identity`: the workspace's random name.
    fn dispatcher_job(
        &self,
        context: &Context,
        opened: &study::OpenedStudy,
        cluster: &ClusterRun,
        identity: &str,
    ) -> Result<DispatcherJob> {
        let program = crate::cli::this_program()?;
        let mut arguments = vec!["run".to_owned(), "--on=slurm".to_owned(), format!("--in-job={identity}")];
        let globals = context.globals();
        if !globals.iter().any(|word| word == "--threads") {
            // As many as the job has processors, whatever the node has.
            arguments.push("--threads=1".to_owned());
        }
        arguments.extend(globals);
        arguments.extend(self.only.iter().map(|only| format!("--only={only}")));
        arguments.extend(self.force.then(|| "--force".to_owned()));
        arguments.push(format!("--attempts={}", self.attempts));
        arguments.push(format!("--patience={}", self.patience));
        arguments.extend(self.limit.map(|limit| format!("--limit={limit}")));
        arguments.extend(self.notify.iter().map(|command| format!("--notify={command}")));
        let variables = &opened.file.variables;
        DispatcherJob::new(cluster, (&context.workspace, identity), (&program, arguments), (&self.study, variables))
    }

    /// Submits the dispatcher as a job of its own, and says how to follow it.
    pub(super) fn submit(
        &self,
        context: &Context,
        opened: &study::OpenedStudy,
        plan: &study::Plan,
        cluster: &ClusterRun,
    ) -> Result<()> {
        tell_about(context, opened);
        tell_namesakes(context, opened);
        context.workspace.lock_or_say(LOOKING, &|line| remark(context, printable(line)))?;
        let identity = context.workspace.identify()?;
        let SubmittedDispatcher { job, name, log } = self.dispatcher_job(context, opened, cluster, &identity)?.submit()?;
        if context.json {
            say_json(
                &serde_json::json!({ "event": "submitted", "slurm_job": job, "name": name, "log": log.to_string_lossy(), "study": plan.study.name }),
            );
        } else if !context.quiet {
            say(format!("{} is dispatched by the job {job} of Slurm, {name}", printable(&plan.study.name)));
            say(format!("  what it prints: {}", printable(&log.display().to_string())));
            say(format!("  visavis status · attach · logs · drain; scancel {job} ends it"));
        }
        Ok(())
    }

    /// Prints what a run on Slurm would submit.
    pub(super) fn print_script(&self, context: &Context) -> Result<()> {
        let (opened, plan) = self.plan(context)?;
        let places = self.places(&opened)?;
        let Some(cluster) = places.cluster() else {
            return Err(Fault::asked("this study runs here: nothing is submitted").next("add --on slurm"));
        };
        let stop = AtomicBool::new(false);
        let program = crate::cli::this_program()?;
        let how = Dispatch {
            workspace: &context.workspace,
            program,
            programs: super::places::programs_of_nodes(&plan),
            devices: self.devices(context, &places, &plan)?.0,
            file: String::new(),
            text: "",
            origin: visavis_core::domain::event::RunOrigin::default(),
            cluster: Some(cluster.clone()),
            attempts: self.attempts,
            patience: Duration::from_secs(self.patience),
            limit: None,
            stop: &stop,
            refused: None,
            remark: &|_| {},
        };
        let mut submission = study::submission(&plan, &how)?.unwrap_or_default();
        if self.is_to_submit(cluster) {
            let identity = Some(context.workspace.identity()).filter(|name| !name.is_empty());
            let job = self.dispatcher_job(context, &opened, cluster, &identity.unwrap_or_else(|| "WORKSPACE".to_owned()))?;
            let workers: Vec<String> = submission.lines().map(|line| format!("# {line}").trim_end().to_owned()).collect();
            submission = format!("{}\n# What the dispatcher then submits:\n{}", job.printed(), workers.join("\n"));
        }
        if context.json {
            say_json(&serde_json::json!({ "submission": submission }));
        } else {
            say(submission.trim_end());
        }
        Ok(())
    }
}
