//! Several studies in one workspace: one runs, and others wait for their turn.

use crate::desk::{Desk, MICRO, Said, wait_until};
use std::process::{Child, Stdio};

/// The state of a study, how many runs stand before it, and its latest run.
fn study(desk: &Desk, file: &str) -> serde_json::Value {
    let all = desk.json(&["studies"]);
    let found = all["studies"].as_array().unwrap().iter().find(|study| study["file"] == file);
    found.unwrap_or_else(|| panic!("{file} is not in {all}")).clone()
}

fn write(desk: &Desk, name: &str, epochs: usize) -> String {
    let file = format!("experiments/{name}.yaml");
    let text = MICRO.replace("study: micro", &format!("study: {name}")).replace("epochs: 4", &format!("epochs: {epochs}"));
    desk.write(&file, text.as_bytes());
    file
}

fn start(desk: &Desk, arguments: &[&str]) -> Child {
    desk.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn studies_wait_for_their_turn_and_run_one_after_the_other() {
    let desk = Desk::with_pretence();
    let [first, second, third] = [("first", 200), ("second", 5), ("third", 6)].map(|(name, epochs)| write(&desk, name, epochs));
    assert_eq!(study(&desk, &first)["state"], "never_run");
    let running = start(&desk, &["run", &first]);
    wait_until("the first runs", || study(&desk, &first)["state"] == "running");
    let refused = desk.visavis(&["run", &second]);
    assert_eq!(refused.code, 5, "{}{}", refused.out, refused.err);
    let waiting = start(&desk, &["run", &second, "--queue"]);
    wait_until("the second waits", || study(&desk, &second)["state"] == "waiting");
    desk.write("data/dispatcher.log", b"what the run before says\n");
    let said = desk.succeed(&["run", &third, "--queue", "--detach"]);
    assert!(said.contains("third waits for its turn in the background, process"), "{said}");
    let states = [&first, &second, &third].map(|file| {
        let of = study(&desk, file);
        (of["state"].as_str().unwrap().to_owned(), of["before"].as_u64())
    });
    assert_eq!(states, [("running".to_owned(), None), ("waiting".to_owned(), Some(0)), ("waiting".to_owned(), Some(1))]);
    let listed = desk.succeed(&["studies"]);
    assert!(listed.contains("waits, is next") && listed.contains("waits behind 1 more"), "{listed}");
    let ended = [running, waiting].map(|child| Said::from(child.wait_with_output().unwrap()));
    assert_eq!(ended.each_ref().map(|said| said.code), [0, 0], "{}{}", ended[0].err, ended[1].err);
    assert!(ended[1].err.contains("waits for its turn: process") && ended[1].err.contains("running first"), "{}", ended[1].err);
    wait_until("the third is done", || study(&desk, &third)["state"] == "done");
    let log = desk.read("data/dispatcher.log");
    assert!(log.starts_with("what the run before says\n"), "{log}");
    let time = |file: &str, what: &str| study(&desk, file)["latest"][what].as_u64().unwrap();
    assert!(time(&second, "started") >= time(&first, "ended") && time(&third, "started") >= time(&second, "ended"));
    // A run and what it came to; a change of the file is seen.
    let runs = desk.json(&["studies", &second]);
    let of_run = &runs["runs"][0];
    assert!(of_run["ran"].as_u64() > Some(20) && of_run["failed"] == 0 && runs["changed"] == false, "{runs}");
    desk.edit(&second, "epochs: 5", "epochs: 7");
    desk.succeed(&["run", &second, "--queue", "--quiet"]);
    desk.edit(&second, "epochs: 7", "epochs: 8");
    let runs = desk.json(&["studies", &second]);
    assert_eq!((runs["runs"].as_array().map(Vec::len), &runs["changed"]), (Some(2), &true.into()));
    let unknown = desk.visavis(&["studies", "experiments/fourth.yaml"]);
    assert_eq!(unknown.code, 5, "{}", unknown.err);
}

#[test]
fn whoever_is_killed_while_waiting_leaves_the_line() {
    let desk = Desk::with_pretence();
    let [first, second] = [("first", 150), ("second", 5)].map(|(name, epochs)| write(&desk, name, epochs));
    let running = start(&desk, &["run", &first]);
    wait_until("the first runs", || study(&desk, &first)["state"] == "running");
    let mut waiting = start(&desk, &["run", &second, "--queue"]);
    wait_until("the second waits", || study(&desk, &second)["state"] == "waiting");
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    assert_eq!(study(&desk, &second)["state"], "never_run");
    assert!(running.wait_with_output().unwrap().status.success());
}
