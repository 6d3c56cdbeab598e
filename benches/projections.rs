//! dev
use std::{path::Path, time::Instant};
use visavis::{
    dataset::array,
    numeric::neighbours::{Metric, Neighbours},
    projection,
};
struct Say;
impl projection::Watch for Say {
    fn objective(&self, s: &str, step: usize, v: f64) { if std::env::var("SAY").is_ok() { println!("  {s} {step} {v:.4}"); } }
}
fn main() {
    let a: Vec<String> = std::env::args().filter(|a| a != "--bench").collect();
    let (method, data) = (&a[1], &a[2]);
    let turns: usize = a.get(3).map_or(1, |t| t.parse().unwrap());
    let x = array::from_npy(&std::fs::read(data).unwrap(), Path::new(data)).unwrap();
    if let Ok(k) = method.parse::<usize>() {
        for _ in 0..turns {
            let clock = Instant::now();
            let n = Neighbours::exact(&x, k, Metric::Euclidean).unwrap();
            println!("{:.4} s {:?}", clock.elapsed().as_secs_f64(), n.of(1)[0]);
        }
        return;
    }
    let method: visavis::domain::projection::Method = serde_json::from_str(method).unwrap();
    let mut times = vec![];
    for _ in 0..turns {
        let clock = Instant::now();
        let p = projection::project(&method, &projection::Given { features: &x, seed: std::env::var("SEED").map_or(1, |s| s.parse().unwrap()), graphs: &(), watch: &Say }).unwrap();
        times.push(clock.elapsed().as_secs_f64());
        println!("{:.4} s {:?}", times.last().unwrap(), p.facts);
        if let Some(out) = a.get(4) {
            std::fs::write(out, array::to_npy(&p.coordinates)).unwrap();
        }
    }
}
