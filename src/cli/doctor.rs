//! `visavis doctor`

use super::{
    Context,
    output::{TextColumns, say_json},
};
use crate::study::WorkerProgram;
use visavis_core::domain::{
    Result,
    study::DeviceClass,
    text::{count, printable},
};

pub(crate) fn doctor(context: &Context) -> Result<()> {
    let found = findings(context);
    if context.json {
        let fields: serde_json::Map<String, serde_json::Value> = found
            .iter()
            .map(|(name, well, what)| ((*name).to_owned(), serde_json::json!({ "well": well, "found": what })))
            .collect();
        say_json(&serde_json::json!({ "format": 1, "doctor": fields }));
        return Ok(());
    }
    let mut grid = TextColumns::new(&["", "", ""]);
    for (name, well, what) in &found {
        grid.row(&[if *well { "●" } else { "○" }.to_owned(), (*name).to_owned(), what.clone()]);
    }
    grid.print("  ");
    Ok(())
}

fn findings(context: &Context) -> Vec<(&'static str, bool, String)> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let fused = fused();
    let (found, driver) = crate::study::devices::cards();
    let card = |card: &crate::study::devices::GraphicsCard| {
        let state = if card.busy() { "in use" } else { "free" };
        format!("cuda:{} {}, {:.0} GB, {state}", card.number, card.model, card.memory as f64 / 1e9)
    };
    let cards = found.iter().map(card).chain(driver.map(|version| format!("driver {version}"))).collect::<Vec<_>>().join("; ");
    let root = context.workspace.root();
    let writable = tempfile_in(root);
    let room = context.workspace.room().unwrap_or(0);
    let device = if found.is_empty() { DeviceClass::Cpu } else { DeviceClass::Cuda };
    let ask = |program: WorkerProgram, device| program.path().map(|path| program.ask(&path, device));
    let (torch, onnx) = (ask(WorkerProgram::Torch, device), ask(WorkerProgram::Onnx, DeviceClass::Cpu));
    vec![
        ("program", true, concat!("visavis ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("cores", true, format!("{}, {} in use", count(cores, "core"), count(context.threads, "thread"))),
        (
            "fused multiply-add",
            fused,
            if fused { "AVX2 and FMA: full speed" } else { "not on this processor: the same results, slower" }.to_owned(),
        ),
        ("store", true, {
            let place = context.workspace.moved().map_or(String::new(), |network| {
                format!(
                    "; the workspace is on {network}, so it is {}, and a lease in data/lease says who dispatches",
                    context.workspace.store().display()
                )
            });
            format!("SQLite {}, inside the program{place}", visavis_core::store::sqlite_version())
        }),
        (
            "cards",
            !cards.is_empty(),
            if cards.is_empty() { "none that a driver knows: everything runs on the processor".to_owned() } else { cards },
        ),
        (
            "workspace",
            writable.is_ok() && room > 100_000_000,
            writable.map_or_else(
                |why| format!("{}: {why}", root.display()),
                |()| format!("{} can be written, {} free", root.display(), visavis_core::domain::text::size(room)),
            ),
        ),
        (
            "networks",
            matches!(torch, Some(Ok(_))),
            match torch {
                None => "visavis-torch is not here: given features only; `make build` makes it".to_owned(),
                Some(Ok(said)) => said,
                Some(Err(fault)) => printable(&fault.what),
            },
        ),
        (
            "ONNX models",
            matches!(onnx, Some(Ok(_))),
            match onnx {
                None => "visavis-onnx is not here; `make build` makes it".to_owned(),
                Some(Ok(said)) => said,
                Some(Err(fault)) => printable(&fault.what),
            },
        ),
    ]
}

fn fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

fn tempfile_in(folder: &std::path::Path) -> std::result::Result<(), String> {
    let path = folder.join(format!(".visavis-doctor-{}", std::process::id()));
    let tried = std::fs::write(&path, b"").and_then(|()| std::fs::remove_file(&path));
    tried.map_err(|error| error.to_string())
}
