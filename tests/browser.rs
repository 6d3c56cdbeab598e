//! Pages in a real browser: Chromium, which `make test` installs.

use crate::desk::Desk;
use std::process::Command;

/// Whom Chromium itself calls at its start, whatever page is open.
const BROWSERS_OWN: [&str; 3] = ["googleapis.com/", "google.com/", "gvt1.com/"];

/// A page as a browser shows it.
pub(crate) struct Opened {
    /// Once it has stood for two seconds of its own time.
    pub dom: String,
    /// What the browser said, of the page and of itself.
    pub messages: String,
    /// Addresses that were asked for.
    asked: Vec<String>,
}

/// Opens a page of the workspace; `fragment`: what follows it in the address, with its `#`.
pub(crate) fn open(desk: &Desk, file: &str, fragment: &str) -> Opened {
    let is_there = |name: &&&str| Command::new(name).arg("--version").output().is_ok();
    let chromium = ["chromium", "chromium-browser", "google-chrome"];
    let chromium = chromium
        .iter()
        .find(is_there)
        .expect("this test opens a page in Chromium, which is not here: `make test` installs it (scripts/browser)");
    let profile = tempfile::tempdir().unwrap();
    let log = profile.path().join("net.json");
    let dump = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--v=0",
            "--window-size=1200,900",
            "--virtual-time-budget=2000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}{fragment}", desk.path(file).display()))
        .output()
        .unwrap();
    let net = std::fs::read_to_string(&log).unwrap();
    assert!(net.contains("\"events\""), "Chromium wrote down nothing of what it asked for: {net}");
    let is_the_pages = |url: &&str| url.starts_with("http") && !BROWSERS_OWN.iter().any(|host| url.contains(host));
    let asked = net.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(is_the_pages);
    Opened {
        dom: String::from_utf8_lossy(&dump.stdout).into_owned(),
        messages: String::from_utf8_lossy(&dump.stderr).into_owned(),
        asked: asked.map(str::to_owned).collect(),
    }
}

impl Opened {
    /// No request, and no message of the page's.
    pub(crate) fn assert_silent(&self) {
        assert!(!self.messages.contains("CONSOLE"), "{}", self.messages);
        assert!(self.asked.is_empty(), "{:?}", self.asked);
    }
}
