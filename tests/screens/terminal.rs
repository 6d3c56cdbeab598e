//! Screens outside of a session: as text for programs, and in a real terminal.

use super::STUDY;
use crate::desk::{Desk, program};
use std::{
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

#[test]
fn screens_have_twins_without_a_terminal() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    for screen in ["matrix", "runs", "compare", "figures", "report"] {
        let plain = desk.succeed(&["tui", "--plain", "--screen", screen]);
        assert!(plain.lines().count() > 3, "{screen}: {plain}");
        let json = desk.json(&["tui", "--screen", screen]);
        let csv = desk.succeed(&["tui", "--csv", "--screen", screen]);
        let rows = json["rows"].as_array().unwrap().len();
        assert!(rows > 0 && json["format"] == 1, "{json}");
        assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).count(), rows, "{screen}");
    }
    let matrix = desk.json(&["tui", "--screen", "matrix"]);
    let scores = desk.succeed(&["export", STUDY, "--what", "ledger", "--format", "jsonl"]);
    let chosen: serde_json::Value = scores
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|row| row["picked"] == true)
        .unwrap();
    let row = matrix["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["model"] == chosen["model"] && row["comparison"] == chosen["comparison"])
        .unwrap();
    assert_eq!(row["value"]["value"], chosen["value"], "the matrix quotes what the ledger does");
    // No terminal, and one that can do nothing.
    let said = desk.visavis(&[]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no terminal") && said.err.contains("--plain"), "{}", said.err);
    assert_eq!(desk.visavis(&["tui", "--record", "x.png"]).code, 2);
    desk.succeed(&["tui", "--record", "screen.txt", "--size", "60x20", "--screen", "compare"]);
    assert_eq!(desk.read("screen.txt").lines().count(), 20);
}

/// In a real terminal: it is taken, drawn on, and given back, also when the process is told to go.
#[test]
fn a_real_terminal_is_given_back() {
    assert!(Command::new("script").arg("--version").output().is_ok(), "this test needs `script`, of util-linux (bsdutils)");
    let desk = Desk::with_digits();
    for end in ["key", "signal", "hangup"] {
        let line = format!("stty rows 40 cols 120; exec {} tui --theme dark", program());
        let mut child = Command::new("script")
            .args(["-qfec", &line, "/dev/null"])
            .current_dir(desk.path(""))
            .env("TERM", "xterm-256color")
            .env("XDG_CACHE_HOME", desk.cache())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            out.read_to_end(&mut bytes).ok();
            bytes
        });
        std::thread::sleep(Duration::from_millis(1500));
        let mut keys = child.stdin.take().unwrap();
        if end == "key" {
            keys.write_all(b"2q").unwrap();
        } else {
            let running = Command::new("pgrep").args(["-P", &child.id().to_string()]).output().unwrap();
            let pid = String::from_utf8(running.stdout).unwrap();
            let pid = pid.split_whitespace().next().unwrap_or("0").to_owned();
            // `script` runs a shell, which became the program.
            if end == "signal" {
                Command::new("kill").args(["-TERM", &pid]).status().unwrap();
            } else {
                // The terminal itself goes: nobody is left to be given anything back, and nothing goes on reading.
                child.kill().unwrap();
                child.wait().unwrap();
                let begun = Instant::now();
                while Path::new(&format!("/proc/{pid}")).exists() {
                    assert!(begun.elapsed() < Duration::from_secs(10), "it reads a terminal that is gone");
                    std::thread::sleep(Duration::from_millis(50));
                }
                continue;
            }
        }
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not end by {end}");
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(keys);
        let bytes = reader.join().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let (taken, given) = (text.find("\x1b[?1049h"), text.rfind("\x1b[?1049l"));
        assert!(taken.is_some() && given > taken, "{end}: the screen was not given back: {text:?}");
        assert!(text[given.unwrap()..].contains("\x1b[?25h"), "{end}: the cursor is hidden");
        assert!(text.contains("Matrix"), "{end}");
    }
}
