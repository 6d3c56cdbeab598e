//! The explorer's page in a headless Chromium without a graphics card: how long it takes to open (as the first page of a browser that is itself
//! starting, and again), a frame while the map is dragged and while it is enlarged, a lasso, and how much memory the script holds. Beside the limits:
//! 16 ms a frame for 3,392 faces and 33 ms for 20,000 in 95 of 100; 500 ms to open 3,392; 50 ms for a lasso. 202,599 faces lie in a folder beside
//! the page.
//!
//!     cargo bench --profile dev --bench explorer
//!
//! Pages are made up: discs for faces, four maps, forty attributes, neighbours. Script, style and controls are those of the program. A second script,
//! which no real page has, drives the first and writes down the times.

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ColorType, ImageEncoder, Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

const SCRIPT: &str = include_str!("../templates/explorer/explorer.js");
const CONTROLS: &str = include_str!("../templates/explorer/explorer.html");
const STYLES: [&str; 2] = [include_str!("../templates/report.css"), include_str!("../templates/explorer/explorer.css")];

/// Drags the map, enlarges it, draws a lasso; then writes what it measured. Frames come as fast as they are made.
const DRIVER: &str = "(async () => {
const opened = performance.now()
if (performance.getEntriesByType('navigation')[0].type != 'reload') return window.name = opened, location.reload()
HTMLCanvasElement.prototype.setPointerCapture = () => {}
const canvas = document.getElementById('explorer-canvas'), frame = () => new Promise(requestAnimationFrame)
const box = canvas.getBoundingClientRect(), middle = [box.width / 2, box.height / 2]
const send = (type, x, y, more) => canvas.dispatchEvent(new (type == 'wheel' ? WheelEvent : PointerEvent)(type,
  {clientX: box.left + x, clientY: box.top + y, pointerId: 1, button: 0, buttons: 1, pointerType: 'mouse', bubbles: true, cancelable: true, ...more}))
const frames = async (count, step) => {
  const times = []
  await frame()
  for (let nth = 0; nth < count; nth++) {
    const begun = performance.now()
    step(nth)
    await frame()
    await new Promise(done => { const channel = new MessageChannel(); channel.port1.onmessage = done; channel.port2.postMessage(0) })
    times.push(performance.now() - begun)
  }
  return times.sort((a, b) => a - b)
}
const at = (times, share) => times[Math.min(times.length - 1, Math.floor(times.length * share))]
await frame(); await frame()
const shown = performance.now()
await new Promise(done => setTimeout(done, 1500))
for (let nth = 0; nth < 6; nth++) { send('wheel', ...middle, {deltaY: -20, ctrlKey: true}); await frame() }
send('pointerdown', ...middle)
const pan = await frames(200, nth => send('pointermove', middle[0] + 120 * Math.sin(nth / 12), middle[1] + 80 * Math.cos(nth / 9)))
send('pointerup', ...middle)
const zoom = await frames(60, nth => send('wheel', ...middle, {deltaY: nth < 30 ? -6 : 6, ctrlKey: true}))
document.getElementById('explorer-whole').click()
document.getElementById('explorer-lasso').click()
await frame()
const ring = nth => [middle[0] * (1 + 0.8 * Math.cos(nth / 60 * 6.283)), middle[1] * (1 + 0.8 * Math.sin(nth / 60 * 6.283))]
send('pointerdown', ...ring(0))
for (let nth = 1; nth < 60; nth++) { send('pointermove', ...ring(nth)); await frame() }
const begun = performance.now()
send('pointerup', ...ring(60))
const answered = performance.now()
await frame(); await frame()
console.log('MEASURED ' + JSON.stringify({opened, first: +window.name, shown, pan50: at(pan, .5), pan95: at(pan, .95), zoom95: at(zoom, .95), lasso: answered - begun,
  drawn: performance.now() - answered, memory: (performance.memory?.usedJSHeapSize ?? 0) / 1e6, selected: document.getElementById('explorer-count').textContent}) + ' MEASURED')
})()";

fn main() {
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there) else {
        println!("no Chromium here: nothing was measured");
        return;
    };
    println!(
        "faces    page, MB  opens, ms: first, again (shown)  pan p50, p95 (limit), ms   enlarge p95, ms  lasso, ms (drawn; limit 50)  script holds, MB"
    );
    for (faces, limit) in [(3392, 16), (20_000, 33), (202_599, 33)] {
        let folder = tempfile::tempdir().expect("a folder");
        let page = page(faces, folder.path());
        let file = folder.path().join("explorer.html");
        std::fs::write(&file, &page).expect("a page");
        match measured(chromium, folder.path(), &file) {
            None => println!("{faces:6}  {:8.1}  no times came: the browser ended before", page.len() as f64 / 1e6),
            Some(of) => {
                let number = |name: &str| of[name].as_f64().unwrap_or(f64::NAN);
                println!(
                    "{faces:6}  {:8.1}         {:6.0} {:6.0} ({:5.0})      {:6.1}  {:6.1} ({limit})            {:6.1}           {:6.1} ({:4.1})                 {:6.0}   {}",
                    page.len() as f64 / 1e6,
                    number("first"),
                    number("opened"),
                    number("shown"),
                    number("pan50"),
                    number("pan95"),
                    number("zoom95"),
                    number("lasso"),
                    number("drawn"),
                    number("memory"),
                    of["selected"].as_str().unwrap_or_default()
                );
            }
        }
    }
}

fn is_there(program: &&str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// What the driver said; `None` where it did not come to its end in a minute.
fn measured(chromium: &str, profile: &Path, file: &Path) -> Option<Value> {
    let mut browser = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-frame-rate-limit", "--disable-gpu-vsync", "--enable-precise-memory-info", "--window-size=1200,800"])
        .args(["--enable-logging=stderr", "--v=0", "--remote-debugging-port=0"])
        .arg(format!("--user-data-dir={}", profile.join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let said = BufReader::new(browser.stderr.take()?);
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let found = said.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("MEASURED ")?;
            serde_json::from_str(&rest.split_once(" MEASURED")?.0.replace("\\\"", "\"")).ok()
        });
        send.send(found).ok();
    });
    let found = receive.recv_timeout(Duration::from_secs(60)).ok().flatten();
    browser.kill().ok();
    browser.wait().ok();
    found
}

/// `folder`: where it is to lie.
fn page(faces: usize, folder: &Path) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>measured</title><style>{}</style></head><body \
         class=\"explorer-page\"><main><section id=\"explorer\">{CONTROLS}</section></main><script type=\"application/json\" \
         id=\"visavis-explorer\">{}</script><script>{SCRIPT}</script><script>addEventListener('load', () => {DRIVER})</script></body></html>",
        STYLES.concat(),
        contents(faces, folder)
    )
}

/// Numbers from a hash of their place (SplitMix64, Steele et al. 2014): the same in every run.
fn drawn(place: usize) -> u64 {
    let mut state = (place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

fn halves(values: impl Iterator<Item = u16>) -> String {
    STANDARD.encode(values.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

fn wholes(values: impl Iterator<Item = u32>) -> String {
    STANDARD.encode(values.flat_map(u32::to_le_bytes).collect::<Vec<u8>>())
}

fn contents(faces: usize, folder: &Path) -> Value {
    let cell = if faces <= 4096 { 64 } else { 32 };
    let columns = 16;
    let sheets: Vec<String> = sheets(faces, cell, columns)
        .enumerate()
        .map(|(number, jpeg)| {
            if faces <= 25_000 {
                return format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
            }
            std::fs::create_dir_all(folder.join("faces")).expect("a folder of faces");
            let name = format!("faces/{number}.jpg");
            std::fs::write(folder.join(&name), jpeg).expect("a sheet");
            name
        })
        .collect();
    // Ten clusters on each map.
    let place = |map: usize, face: usize, axis: usize| {
        let centre = drawn(map * 1000 + face % 10 * 2 + axis) % 50_000;
        let apart = drawn(face * 16 + map * 2 + axis) % 6000 + drawn(face * 16 + map * 2 + axis + 7) % 6000;
        (centre + apart + 2000) as u16
    };
    let view = |map: usize| {
        let of = halves((0..faces).flat_map(|face| [place(map, face, 0), place(map, face, 1)]));
        json!({ "name": format!("model {map} · embedding · umap"), "features": format!("model {map} · embedding"), "axes": "", "turns": true,
            "low": [0.0, 0.0], "high": [1.0, 1.0], "of": of })
    };
    let attribute = |place: usize| {
        let of: Vec<u8> = (0..faces).map(|face| u8::from(drawn(place * faces + face).is_multiple_of(5))).collect();
        json!({ "name": format!("Attribute_{place}"), "values": ["no", "yes"], "of": STANDARD.encode(of) })
    };
    let near = |face: usize| (1..=15).map(move |step| (face + step) % faces);
    let near = if faces < 65_535 {
        halves((0..faces).flat_map(near).map(|other| other as u16))
    } else {
        wholes((0..faces).flat_map(near).map(|other| other as u32))
    };
    json!({
        "format": 2, "study": "measured", "notes": [],
        "images": (0..faces).map(|face| format!("{face:06}.jpg")).collect::<Vec<_>>(),
        "mark": ["visavis_images", "images-0000"], "colours": ["#0072b2", "#e69f00"], "scale": [],
        "identities": wholes((0..faces).map(|face| (face / 4) as u32)),
        "identity_names": (0..faces.div_ceil(4)).map(|identity| format!("person {identity}")).collect::<Vec<_>>(),
        "cell": cell, "columns": columns, "rows": columns, "sheets": sheets, "folder": faces > 25_000,
        "attributes": (0..40).map(attribute).collect::<Vec<_>>(), "quantities": [],
        "clusters": [{ "name": "model 0 · embedding · umap", "values": (0..10).map(|cluster| format!("cluster {cluster}")).collect::<Vec<_>>(),
            "of": halves((0..faces).map(|face| (face % 10) as u16)) }],
        "comparisons": [{ "name": "a or b", "values": ["a", "b"],
            "of": STANDARD.encode((0..faces).map(|face| u8::from(face % 10 < 5)).collect::<Vec<_>>()) }],
        "views": (0..4).map(view).collect::<Vec<_>>(),
        "neighbours": [{ "name": "model 0 · embedding", "k": 15, "of": near }],
    })
}

/// A disc a face, each of another colour: JPEGs.
fn sheets(faces: usize, cell: usize, columns: usize) -> impl Iterator<Item = Vec<u8>> {
    let of_a_sheet = columns * columns;
    let side = columns * cell;
    let sheet = move |first: usize| {
        let mut picture = RgbImage::new(side as u32, side as u32);
        for face in first..faces.min(first + of_a_sheet) {
            let (row, column) = ((face - first) / columns, (face - first) % columns);
            let colour = drawn(face).to_le_bytes();
            for (x, y) in (0..cell).flat_map(|y| (0..cell).map(move |x| (x, y))) {
                let middle = cell as f64 / 2.0;
                let is_inside = (x as f64 - middle).hypot(y as f64 - middle) < 0.45 * cell as f64;
                let pixel = if is_inside { [colour[0], colour[1], colour[2]] } else { [230, 230, 225] };
                picture.put_pixel((column * cell + x) as u32, (row * cell + y) as u32, Rgb(pixel));
            }
        }
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 80);
        encoder.write_image(picture.as_raw(), side as u32, side as u32, ColorType::Rgb8.into()).expect("a JPEG");
        bytes
    };
    (0..faces).step_by(of_a_sheet).map(sheet)
}
