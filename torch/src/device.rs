//! Devices as libtorch knows them, and what it says when it refuses.
//!
//! The program links the parts of libtorch for processors alone. Those for NVIDIA's cards are opened when a card is asked
//! for, where they are: they register themselves with what is there already.

use std::{
    any::Any,
    path::{Path, PathBuf},
};
use tch::Device;
use visavis_core::domain::{Fault, Result, job::Cause};

pub use visavis_core::domain::stage::LIBTORCH as VERSION;

/// The device of this name: `cpu`, `cuda`, `cuda:1`.
///
/// # Errors
/// A device that is not here, or that this libtorch was not made for.
pub fn open(name: &str) -> Result<Device> {
    let (class, number) = name.split_once(':').unwrap_or((name, "0"));
    let number: usize = number.parse().map_err(|_| Fault::asked(format!("there is no device `{name}`")))?;
    if class != "cuda" {
        return Ok(Device::Cpu);
    }
    open_cuda()?;
    if !tch::Cuda::is_available() {
        return Err(Fault::missing("libtorch knows cards, but no driver of NVIDIA's answers")
            .next("install the driver, or use numerics.device: cpu"));
    }
    let there = tch::Cuda::device_count();
    if number >= there as usize {
        return Err(Fault::missing(format!("the device {name} is not here: libtorch sees {there}")));
    }
    Ok(Device::Cuda(number))
}

fn open_cuda() -> Result<()> {
    let beside = libtorch().map(|path| path.with_file_name("libtorch_cuda.so"));
    let Some(path) = beside.filter(|path| path.is_file()) else {
        return Err(Fault::missing("this libtorch runs on processors alone")
            .next("fetch the one for cards: scripts/libtorch --cuda, and build again with LIBTORCH set to what it prints"));
    };
    load(&path).map_err(|why| Fault::missing(format!("libtorch's part for cards does not load: {why}")).in_file(path))
}

#[expect(unsafe_code, reason = "opening a library runs its initialisers; these are libtorch's own")]
fn load(path: &Path) -> std::result::Result<(), String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) }.map_err(|error| error.to_string())?;
    // It stays: what it registered points into it.
    std::mem::forget(library);
    Ok(())
}

/// The file of the libtorch that this process runs on.
pub fn libtorch() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with("/libtorch_cpu.so"))?;
    Some(PathBuf::from(&line[line.find('/')?..]))
}

pub fn words(device: Device) -> String {
    match device {
        Device::Cuda(number) => format!("card {number} of {}", tch::Cuda::device_count()),
        _ => "the processor".to_owned(),
    }
}

/// What libtorch says of a refusal that came as a panic; `None` for any other panic.
pub fn said(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())?;
    (text.contains("Torch(\"") || text.contains(OUT_OF_MEMORY)).then_some(text)
}

const OUT_OF_MEMORY: &str = "out of memory";

/// Was it memory that libtorch had too little of?
pub fn is_memory(said: &str) -> bool {
    [OUT_OF_MEMORY, "not enough memory", "can't allocate memory"].iter().any(|words| said.contains(words))
}

/// Why a stage ended that libtorch refused.
pub fn refused(said: &str) -> (Cause, Fault) {
    if is_memory(said) {
        return (Cause::Memory, Fault::failed(format!("out of memory: {}", first_line(said))));
    }
    (Cause::Machine, Fault::unexpected(format!("libtorch: {}", first_line(said))))
}

/// Its first line: what follows are addresses.
fn first_line(said: &str) -> String {
    let text = said.split("Torch(\"").nth(1).unwrap_or(said);
    text.split("\\n").next().unwrap_or(text).split('\n').next().unwrap_or(text).chars().take(200).collect()
}
