use visavis::{dataset::array, projection::{self, Given}, domain::projection::{Method, Metric, View}, scoring};
fn main(){
 rayon::ThreadPoolBuilder::new().num_threads(2).build_global().unwrap();
 for f in std::env::args().skip(1) {
  let p=std::path::PathBuf::from(&f); let x=array::from_npy(&std::fs::read(&p).unwrap(),&p).unwrap();
  let c=std::time::Instant::now();
  let maps: Vec<_>=(1..=4).map(|seed| projection::project(&Method::Umap{neighbors:15,min_dist:0.1,metric:Metric::Euclidean},&Given{features:&x,seed,graphs:&(),watch:&()}).unwrap()).collect();
  let t=c.elapsed().as_secs_f64()/4.0;
  let q=scoring::quality(&x,&maps.iter().map(|m| m.coordinates.clone()).collect::<Vec<_>>(),&[View::Map],1).views.remove(0);
  println!("{f} {t:.2}s comp {:?} loss {:?} trust {:.3} cont {:.3} recall {:.3} dist {:.3} stab {:.3}",maps[0].facts["components"],maps[0].facts["loss"],q.trustworthiness.unwrap().median,q.continuity.unwrap().median,q.recall.unwrap().median,q.distances.unwrap().median,q.stability.unwrap().median);
 }
}
