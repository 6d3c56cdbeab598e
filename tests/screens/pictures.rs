//! The pictures of screens in the documents.

use crate::desk::Desk;
use std::{fs, path::Path};
use visavis::{
    study::watch::Watch,
    tui::{Session, Theme},
};
use visavis_core::store::Workspace;

/// The pictures in the documents are what the program draws of the digits' study; `VISAVIS_BLESS=1` draws them anew.
pub(crate) fn pictures_are_true(desk: &Desk) {
    let pictures = [
        ("matrix", Theme::Dark, (120, 36), "1 j"),
        ("compare", Theme::Light, (120, 36), "3 Space j Space d"),
        ("figures", Theme::Dark, (120, 44), "4 l"),
        ("report", Theme::Dark, (120, 24), "5"),
        ("help", Theme::Dark, (120, 44), "1 ?"),
        ("narrow", Theme::Sixteen, (80, 24), "1 j l"),
        ("monochrome", Theme::Plain, (80, 24), "1 j l"),
    ];
    for (name, theme, size, keys) in pictures {
        let workspace = Workspace::new(desk.path(""), None).unwrap();
        let written = fs::metadata(desk.path("reports/digits.html")).unwrap().modified().unwrap();
        let now = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
        let mut seen = Session::new(Watch::new(&workspace, 2), size, theme, now);
        seen.press(keys);
        let drawn = seen.frame().svg();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/screens/{name}.svg"));
        if std::env::var_os("VISAVIS_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &drawn).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == drawn,
            "docs/screens/{name}.svg is not what the program draws: `make screens` draws it anew\n{}",
            seen.text()
        );
    }
}
