//! How a study asks a Slurm cluster for workers. Nothing of it is in a key: it decides where results are made, not what they are.

use std::{fmt, str::FromStr};

/// What `run: { slurm: … }` of a study file says. What is left out is left to the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct SlurmSettings {
    /// The partition, or several with commas.
    pub partition: Option<SlurmWord>,
    /// Generic resources of each worker, such as `gpu:1`.
    pub gres: Option<SlurmWord>,
    /// How long a worker may live.
    pub time: Option<TimeLimit>,
    /// Who pays.
    pub account: Option<SlurmWord>,
    /// The quality of service.
    pub qos: Option<SlurmWord>,
    /// The main memory of each worker.
    pub memory: Option<Mebibytes>,
    /// Features that nodes must have, such as `a100|h100`.
    pub constraint: Option<SlurmWord>,
    /// Threads of each worker.
    pub cpus: Option<usize>,
    /// How many workers there are at most, running or waiting.
    pub workers: usize,
    /// How many of them Slurm may run at a time.
    pub throttle: Option<usize>,
    /// Lines of bash that come before the worker, such as `module load cuda`.
    pub prologue: Vec<PrologueLine>,
    /// Where the dispatcher runs.
    pub dispatcher: DispatcherPlace,
}

impl Default for SlurmSettings {
    fn default() -> Self {
        SlurmSettings {
            partition: None,
            gres: None,
            time: None,
            account: None,
            qos: None,
            memory: None,
            constraint: None,
            cpus: None,
            workers: 4,
            throttle: None,
            prologue: vec![],
            dispatcher: DispatcherPlace::Here,
        }
    }
}

/// Where the dispatcher of a run on Slurm is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DispatcherPlace {
    /// On the machine where the command is given.
    Here,
    /// In a small job of its own, for clusters that end long processes of login machines.
    Job {
        /// How long it may take; left out, as long as a worker.
        time: Option<TimeLimit>,
        /// Its partition; left out, that of workers.
        partition: Option<SlurmWord>,
    },
}

/// One value of an option of `sbatch`: visible ASCII without spaces, quotes and backslashes, and no option by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlurmWord(String);

impl SlurmWord {
    /// The value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SlurmWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SlurmWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = text.chars().find(|c| !c.is_ascii_graphic() || "\"'\\`$;<>#".contains(*c));
        match odd {
            _ if text.is_empty() => Err("it is empty".to_owned()),
            _ if text.len() > 200 => Err("it is longer than 200 characters".to_owned()),
            _ if text.starts_with('-') => Err("it begins with a dash, as an option does".to_owned()),
            Some(' ') => Err("it holds a space".to_owned()),
            Some(c) => Err(format!("it holds the character {}", c.escape_default())),
            None => Ok(SlurmWord(text.to_owned())),
        }
    }
}

/// A line of bash: no line end, no control character but the tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrologueLine(String);

impl PrologueLine {
    /// The line, without its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PrologueLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.chars().find(|&c| c.is_control() && c != '\t') {
            Some('\n') => Err("it has several lines: write each as an entry of its own".to_owned()),
            Some(c) => Err(format!("it holds the control character {}", c.escape_default())),
            None if text.trim_start().starts_with("#SBATCH") => {
                Err("`sbatch` does not read it there: options have keys of their own".to_owned())
            }
            None if text.ends_with('\\') => Err("it ends with a backslash, which would join the next line to it".to_owned()),
            None if text.len() > 4000 => Err("it is longer than 4,000 characters".to_owned()),
            None => Ok(PrologueLine(text.to_owned())),
        }
    }
}

/// How long a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeLimit {
    /// At least one minute: Slurm counts in minutes.
    seconds: u64,
}

impl TimeLimit {
    /// The longest that is taken: a year.
    const LONGEST: u64 = 366 * 86400;

    /// In seconds.
    pub fn seconds(self) -> u64 {
        self.seconds
    }
}

/// As Slurm reads it: `1-02:03:04`.
impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.seconds / 86400, self.seconds % 86400);
        if days > 0 {
            write!(f, "{days}-")?;
        }
        write!(f, "{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
    }
}

/// The six forms that Slurm knows: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, and with `days-` before `hours`,
/// `hours:minutes`, `hours:minutes:seconds`.
impl FromStr for TimeLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form =
            || "expected a time as Slurm writes it, such as `4:00:00` (hours), `90` (minutes) or `1-12` (days, hours)".to_owned();
        let number = |part: &str| {
            let plain = !part.is_empty() && part.len() <= 8 && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse::<u64>().ok()).flatten().ok_or_else(form)
        };
        let (days, clock) = match text.split_once('-') {
            Some((days, clock)) => (Some(number(days)?), clock),
            None => (None, text),
        };
        let parts = clock.split(':').map(number).collect::<Result<Vec<u64>, String>>()?;
        let seconds = match (days, parts.as_slice()) {
            (None, [minutes]) => minutes * 60,
            (None, [minutes, seconds]) => minutes * 60 + seconds,
            (days, [hours, minutes, seconds]) => days.unwrap_or(0) * 86400 + hours * 3600 + minutes * 60 + seconds,
            (Some(days), [hours]) => days * 86400 + hours * 3600,
            (Some(days), [hours, minutes]) => days * 86400 + hours * 3600 + minutes * 60,
            _ => return Err(form()),
        };
        match seconds {
            0..60 => Err("a worker needs a minute at least".to_owned()),
            _ if seconds > Self::LONGEST => Err("it is longer than a year".to_owned()),
            _ => Ok(TimeLimit { seconds }),
        }
    }
}

/// An amount of main memory in units of 2²⁰ bytes, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mebibytes(u64);

impl Mebibytes {
    /// How many.
    pub fn count(self) -> u64 {
        self.0
    }
}

/// As Slurm reads it: `4096M`.
impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}M", self.0)
    }
}

/// A whole number with `K`, `M`, `G` or `T` behind it; without one, mebibytes, as for Slurm. `GB` and `GiB` are taken for `G`.
impl FromStr for Mebibytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "expected memory as Slurm writes it, such as `16G` or `4000M`".to_owned();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = text[..digits].parse().ok().filter(|_| digits <= 12).ok_or_else(form)?;
        let unit = text[digits..].trim_start().to_ascii_uppercase();
        let (numerator, denominator) = match unit.trim_end_matches('B').trim_end_matches('I') {
            "" if unit.is_empty() => (1, 1),
            "K" => (1, 1024),
            "M" => (1, 1),
            "G" => (1 << 10, 1),
            "T" => (1 << 20, 1),
            _ => return Err(form()),
        };
        match (number * numerator).div_ceil(denominator) {
            0 => Err("a worker needs some memory".to_owned()),
            mebibytes => Ok(Mebibytes(mebibytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limit_is_read_as_slurm_reads_it() {
        let seconds = |text: &str| text.parse::<TimeLimit>().map(TimeLimit::seconds);
        let forms = ["90", "90:30", "4:00:00", "1-12", "1-12:30", "1-12:30:15"];
        assert_eq!(forms.map(|text| seconds(text).unwrap()), [5400, 5430, 14400, 129_600, 131_400, 131_415]);
        for refused in ["", "4h", "1:2:3:4", "-1", "1-", "1-:3", "0", "0:59", "999999999", "4.5", "+4", " 4", "400-00"] {
            assert!(seconds(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_time_limit_is_written_so_that_it_cannot_be_taken_for_minutes() {
        let written = |text: &str| text.parse::<TimeLimit>().unwrap().to_string();
        assert_eq!(["90", "1-12", "4:00:00"].map(written), ["01:30:00", "1-12:00:00", "04:00:00"]);
        let again: TimeLimit = written("2-03:04:05").parse().unwrap();
        assert_eq!(again.seconds(), 2 * 86400 + 3 * 3600 + 4 * 60 + 5);
    }

    #[test]
    fn memory_is_read_in_every_unit_and_rounded_up() {
        let of = |text: &str| text.parse::<Mebibytes>().map(Mebibytes::count);
        assert_eq!(
            ["16G", "4000", "4000M", "1T", "1500K", "16GB", "16GiB", "16 g"].map(|text| of(text).unwrap()),
            [16384, 4000, 4000, 1 << 20, 2, 16384, 16384, 16384]
        );
        for refused in ["", "G", "0", "0G", "1.5G", "-1G", "16X", "16B", "9999999999999G"] {
            assert!(of(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_word_for_sbatch_holds_nothing_that_a_shell_or_sbatch_would_read_otherwise() {
        for taken in ["gpu:a100:2", "a,b", "[rack1|rack2]&fast*2", "normal", "lic@server:2"] {
            assert_eq!(taken.parse::<SlurmWord>().unwrap().as_str(), taken);
        }
        for refused in ["", "--wrap=x", "a b", "a\nb", "it's", "$(x)", "a;b", "größe", "a\\b", &"x".repeat(201)] {
            assert!(refused.parse::<SlurmWord>().is_err(), "{refused}");
        }
    }

    #[test]
    fn a_line_before_the_worker_is_one_line_and_no_option_of_sbatch() {
        assert_eq!(
            "module load cuda/12.4 && echo \"it's\"".parse::<PrologueLine>().unwrap().as_str(),
            "module load cuda/12.4 && echo \"it's\""
        );
        for refused in ["a\nb", "a\rb", "\u{1b}[31m", "#SBATCH --mem=1G", "  #SBATCH -p x"] {
            assert!(refused.parse::<PrologueLine>().is_err(), "{refused}");
        }
    }
}
