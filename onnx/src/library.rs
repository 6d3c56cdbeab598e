//! The library onnxruntime: where it is, and that it is the version that keys name.

use ort::environment::Environment;
use std::{
    ffi::CStr,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use visavis_core::domain::{Fault, Result, stage::ONNXRUNTIME};

const NEXT: &str =
    "fetch it: scripts/onnxruntime (28 MB, once, into your cache); or set ONNXRUNTIME to its file, libonnxruntime.so";

fn file_name() -> String {
    format!("libonnxruntime.so.{ONNXRUNTIME}")
}

/// The library's file: `ONNXRUNTIME` (a file, or a folder that holds it), beside an installed program, or in the user's cache.
///
/// # Errors
/// It is in none of these places.
pub fn find() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("ONNXRUNTIME").map(PathBuf::from) {
        let files = [named.clone(), named.join(file_name()), named.join("libonnxruntime.so")];
        return files
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| Fault::missing("the variable ONNXRUNTIME names no library").in_file(named).next(NEXT));
    }
    let installed =
        std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("../lib/visavis").join(file_name())));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let cached = cache.map(|cache| cache.join("visavis/onnxruntime").join(ONNXRUNTIME).join(file_name()));
    let found = [installed, cached].into_iter().flatten().find(|path| path.is_file());
    found.ok_or_else(|| Fault::missing(format!("onnxruntime {ONNXRUNTIME} is not here")).next(NEXT))
}

/// The version that a library says it is.
///
/// # Errors
/// A file that is no onnxruntime.
#[expect(unsafe_code, reason = "the library tells its version through its C interface")]
pub fn version(path: &Path) -> Result<String> {
    let wrong = |why: String| Fault::missing(format!("onnxruntime does not open: {why}")).in_file(path).next(NEXT);
    // SAFETY: opening it runs its initialisers. `OrtGetApiBase` is its one entry, of this type in every version, and the text it
    // gives lives as long as the library.
    let version = unsafe {
        let library = libloading::Library::new(path).map_err(|error| wrong(error.to_string()))?;
        let entry = library.get::<unsafe extern "C" fn() -> *const ort::sys::OrtApiBase>(b"OrtGetApiBase");
        let base = entry.map_err(|_| wrong("the file is another library".to_owned()))?();
        let version = base.as_ref().map(|base| CStr::from_ptr((base.GetVersionString)()).to_string_lossy().into_owned());
        // It is about to be used: opened twice, it is one.
        std::mem::forget(library);
        version
    };
    version.ok_or_else(|| wrong("it gives no interface".to_owned()))
}

/// Opens the library, once a process.
///
/// # Errors
/// It is not here, or another version: bits depend on the version, and it is in the key of features.
pub fn open() -> Result<Environment> {
    static OPENED: Mutex<Option<Environment>> = Mutex::new(None);
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*opened {
        return Ok(environment.clone());
    }
    let path = find()?;
    let found = version(&path)?;
    if found != ONNXRUNTIME {
        return Err(Fault::missing(format!("this onnxruntime is {found}, and features are made with {ONNXRUNTIME}"))
            .in_file(path)
            .next(NEXT));
    }
    let wrong = |why: String| Fault::missing(format!("onnxruntime does not start: {why}")).next(NEXT);
    let environment = ort::init_from(&path).map_err(|error| wrong(error.to_string()))?;
    let environment = environment.with_name("visavis").with_telemetry(false).build().map_err(|error| wrong(error.to_string()))?;
    *opened = Some(environment.clone());
    Ok(environment)
}
