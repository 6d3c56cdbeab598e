//! The other programs: where they are, and what they can do. They alone know libtorch and onnxruntime; here they are only called.

use std::{
    path::{Path, PathBuf},
    process::Command,
};
use visavis_core::domain::{
    Fault, Result,
    model::{ModelFile, ModelFormat, Network, Weights},
    stage::Work,
    study::DeviceClass,
};

/// The first folder of `PATH` that holds a command; one that is named from where somebody stands is passed over.
pub fn folder_on_path(command: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| folder.is_absolute() && folder.join(command).is_file())
}

/// A program that runs networks. Each can do what needs no network, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkerProgram {
    /// Networks that are built here, and TorchScript modules.
    Torch,
    /// ONNX models.
    Onnx,
}

impl WorkerProgram {
    /// The program that runs a network.
    pub fn of(network: &Network) -> Self {
        match &network.weights {
            Weights::Whole(ModelFile { format: ModelFormat::Onnx, .. }) => WorkerProgram::Onnx,
            _ => WorkerProgram::Torch,
        }
    }

    /// The program that a stage needs; `None`: visavis itself, which also pretends.
    pub fn of_work(work: &Work) -> Option<Self> {
        match work {
            Work::Train(of) => of.pretended.is_none().then_some(WorkerProgram::Torch),
            Work::Extract(of) if of.numerics.device == DeviceClass::Pretend => None,
            Work::Extract(of) => match of.whole.as_ref().map(|whole| whole.format) {
                Some(ModelFormat::Onnx) => Some(WorkerProgram::Onnx),
                Some(ModelFormat::TorchScript) | None => Some(WorkerProgram::Torch),
            },
            _ => None,
        }
    }

    /// The one of this name; `None` for visavis itself, and for what nobody knows.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [WorkerProgram::Torch, WorkerProgram::Onnx].into_iter().find(|program| program.name() == name)
    }

    /// Its name, beside `visavis`.
    pub fn name(self) -> &'static str {
        match self {
            WorkerProgram::Torch => "visavis-torch",
            WorkerProgram::Onnx => "visavis-onnx",
        }
    }

    /// The variable of the environment that names another one.
    fn variable(self) -> &'static str {
        match self {
            WorkerProgram::Torch => "VISAVIS_TORCH",
            WorkerProgram::Onnx => "VISAVIS_ONNX",
        }
    }

    /// What it is for.
    pub fn runs(self) -> &'static str {
        match self {
            WorkerProgram::Torch => "networks",
            WorkerProgram::Onnx => "ONNX models",
        }
    }

    /// Does it run networks on devices of this class, in a study whose networks run on `networks`?
    pub(crate) fn runs_on(self, class: DeviceClass, networks: DeviceClass) -> bool {
        match self {
            WorkerProgram::Torch => class == networks,
            WorkerProgram::Onnx => class == DeviceClass::Cpu,
        }
    }

    /// The device that it is asked about.
    pub(crate) fn device(self, networks: DeviceClass) -> DeviceClass {
        match self {
            WorkerProgram::Torch => networks,
            WorkerProgram::Onnx => DeviceClass::Cpu,
        }
    }

    /// Where it is: as its variable says, or beside this program.
    pub fn path(self) -> Option<PathBuf> {
        let named = std::env::var_os(self.variable()).map(PathBuf::from);
        named.or_else(|| Some(std::env::current_exe().ok()?.with_file_name(self.name()))).filter(|path| path.is_file())
    }

    /// What it says of itself and its library, on this device.
    ///
    /// # Errors
    /// It does not start, or has no library or no such device: something needed is not here.
    pub fn ask(self, program: &Path, device: DeviceClass) -> Result<String> {
        let (name, runs) = (self.name(), self.runs());
        let next = match self {
            WorkerProgram::Torch => "`make` builds it and fetches libtorch; `visavis doctor` says what is here",
            WorkerProgram::Onnx => {
                "`make` builds it and scripts/onnxruntime fetches its library; `visavis doctor` says what is here"
            }
        };
        let said = Command::new(program).args(["doctor", "--device", device.word()]).output();
        let said = said.map_err(|error| Fault::missing(format!("{name} does not start: {error}")).in_file(program).next(next))?;
        let last = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().lines().last().unwrap_or_default().to_owned();
        if said.status.success() {
            return Ok(last(&said.stdout));
        }
        let words = String::from_utf8_lossy(&said.stderr).into_owned();
        let why = words.lines().find_map(|line| line.strip_prefix("error: ")).map_or_else(|| last(&said.stderr), str::to_owned);
        Err(Fault::missing(format!("{runs} cannot run here: {why}")).in_file(program).next(next))
    }
}
