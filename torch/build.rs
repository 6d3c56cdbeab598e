//! Where the program looks for libtorch: beside an installed one (`../lib/visavis`), else where it was built against.
fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib/visavis");
    let Some(libtorch) = std::env::var_os("LIBTORCH") else { return };
    let all = std::path::Path::new(&libtorch).join("all");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", std::fs::canonicalize(&all).unwrap_or(all).display());
}
