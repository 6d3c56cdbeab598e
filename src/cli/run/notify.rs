//! A command of the person's own when a run has ended: a message to a phone, a mail. It is named on the command line and never in a study file, for
//! who runs another's study must not run another's commands.

use std::process::{Command, Stdio};
use visavis_core::domain::{Fault, Result};

/// Runs it by a shell, and waits for it as long as it takes. It has `VISAVIS_STUDY` (the study's name), `VISAVIS_CODE` (the exit code of the run) and `VISAVIS_SAID` (a
/// sentence). Its output and its exit code do not change the run.
///
/// # Errors
/// That it could not be started, or did not end well.
pub(super) fn notify(command: &str, study: &str, ended: Option<&Fault>) -> Result<()> {
    let said = ended.map_or_else(|| format!("{study}: the run has ended"), |fault| format!("{study}: {}", fault.what));
    let code = ended.map_or(0, |fault| fault.ending.code());
    let status = Command::new("sh")
        .args(["-c", command])
        .env("VISAVIS_STUDY", study)
        .env("VISAVIS_CODE", code.to_string())
        .env("VISAVIS_SAID", said)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Fault::failed(format!("the command of --notify did not end well: {status}"))),
        Err(error) => Err(Fault::failed(format!("the command of --notify could not be started: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_told_how_the_run_ended() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("said");
        let command = format!("echo \"$VISAVIS_STUDY|$VISAVIS_CODE|$VISAVIS_SAID\" >> '{}'", out.display());
        notify(&command, "tiny", None).unwrap();
        notify(&command, "tiny", Some(&Fault::failed("1 stage failed $(touch x)"))).unwrap();
        let said = std::fs::read_to_string(&out).unwrap();
        assert_eq!(said, "tiny|0|tiny: the run has ended\ntiny|3|tiny: 1 stage failed $(touch x)\n");
        assert!(notify("exit 7", "tiny", None).unwrap_err().what.contains('7'));
    }
}
