//! A report as a PDF, printed by a Chromium that is on this machine.

use crate::study::folder_on_path;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use visavis_core::domain::{Fault, Result};

/// Browsers that print from a command line.
const BROWSERS: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
/// Names another one.
const VARIABLE: &str = "VISAVIS_BROWSER";
/// Printing the largest report takes less.
const PATIENCE: Duration = Duration::from_secs(180);

/// Prints a page, in the format of paper that its reader's browser has; gives the bytes of the PDF.
///
/// # Errors
/// No browser, or one that does not print.
pub(super) fn print(page: &Path) -> Result<Vec<u8>> {
    let browser = browser()?;
    let folder = std::env::temp_dir().join(format!("visavis-pdf-{}", std::process::id()));
    // Nobody else's folder: one that is there is refused.
    std::fs::create_dir(&folder).map_err(|error| Fault::io("create the folder", folder.clone(), &error))?;
    let printed = print_into(&browser, page, &folder);
    _ = std::fs::remove_dir_all(&folder);
    printed
}

fn print_into(browser: &Path, page: &Path, folder: &Path) -> Result<Vec<u8>> {
    // Under a plain name: what stands in a path may mean something else in an address.
    let (own, into) = (folder.join("page.html"), folder.join("page.pdf"));
    std::fs::copy(page, &own).map_err(|error| Fault::io("copy the page", own.clone(), &error))?;
    let with = |option: &str, path: &Path| {
        let mut argument = OsString::from(option);
        argument.push(path);
        argument
    };
    let mut command = Command::new(browser);
    command.args(["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--no-pdf-header-footer"]);
    if is_root() {
        // As root a Chromium refuses to start with its sandbox. The page runs no script.
        command.arg("--no-sandbox");
    }
    command.arg(with("--user-data-dir=", &folder.join("profile"))).arg(with("--print-to-pdf=", &into)).arg(with("file://", &own));
    let browser = browser.display();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.map_err(|error| Fault::missing(format!("{browser} could not be started: {error}")))?;
    if !ended_in_time(child) {
        return Err(Fault::missing(format!("{browser} did not print within {} s", PATIENCE.as_secs())));
    }
    std::fs::read(&into).map_err(|_| {
        Fault::missing(format!("{browser} printed nothing")).next("open the report in a browser, and print it from there")
    })
}

fn ended_in_time(mut child: Child) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(50)),
            Ok(Some(_)) => return true,
            Err(_) => break,
        }
    }
    _ = child.kill();
    _ = child.wait();
    false
}

fn browser() -> Result<PathBuf> {
    if let Some(own) = std::env::var_os(VARIABLE) {
        return Ok(own.into());
    }
    let found = BROWSERS.iter().find_map(|name| Some(folder_on_path(name)?.join(name)));
    found.ok_or_else(|| {
        Fault::missing(format!("no Chromium is on this machine ({} were looked for)", BROWSERS.join(", ")))
            .next(format!("install one, name one in {VARIABLE}, or open the report in any browser and print it from there"))
    })
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
