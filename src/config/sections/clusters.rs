//! The section `clusters`: how images that lie together are found, without labels.

use crate::config::reader::{Fields, StudyNode};
use visavis_core::domain::{
    Result,
    clusters::{ClusterCount, ClusterMethod},
};

const WORDS: [&str; 3] = ["gaussian_mixture", "k_means", "dbscan"];
/// Clusters that are tried, where the study file does not say.
const UP_TO: u64 = 12;

/// `gaussian_mixture`, or with its number: `k_means: { clusters: 8 }`, `gaussian_mixture: { up_to: 20 }`, `dbscan: { min_points: 10 }`.
pub(super) fn clusters(node: &StudyNode) -> Result<ClusterMethod> {
    let (word, node) = node.variant_or_usual(&WORDS)?;
    Ok(match word {
        "k_means" => ClusterMethod::KMeans(number(&node)?),
        "dbscan" => {
            ClusterMethod::Dbscan { min_points: node.fields(&["min_points"])?.or("min_points", 5, |node| node.count(2..=1000))? }
        }
        _ => ClusterMethod::GaussianMixture(number(&node)?),
    })
}

fn number(node: &StudyNode) -> Result<ClusterCount> {
    let fields: Fields = node.fields(&["clusters", "up_to"])?;
    match (fields.get("clusters"), fields.get("up_to")) {
        (Some(_), Some(up_to)) => {
            Err(up_to.wrong_key("`clusters` says how many there are, `up_to` that it is to be found out").next("remove one"))
        }
        (Some(clusters), None) => Ok(ClusterCount::Fixed(clusters.count(1..=100)?)),
        (None, _) => Ok(ClusterCount::UpTo(fields.or("up_to", UP_TO as usize, |node| node.count(2..=100))?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};

    fn read(clusters: &str) -> Result<Option<ClusterMethod>> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt }} }} }} }}\nprojections: [pca]\n\
             comparisons: {{ hat: {{ A: d, B: not d }} }}\n{clusters}\n"
        );
        Ok(parse(Text { path: "s.yaml".into(), source })?.study.clusters)
    }

    #[test]
    fn clusters_are_looked_for_where_the_study_says_so() {
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("clusters: gaussian_mixture").unwrap(), Some(ClusterMethod::GaussianMixture(ClusterCount::UpTo(12))));
        assert_eq!(read("clusters: { k_means: { clusters: 8 } }").unwrap(), Some(ClusterMethod::KMeans(ClusterCount::Fixed(8))));
        assert_eq!(read("clusters: { dbscan: { min_points: 9 } }").unwrap(), Some(ClusterMethod::Dbscan { min_points: 9 }));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |text: &str| read(text).unwrap_err().what;
        assert!(refused("clusters: optics").contains("optics"));
        assert!(refused("clusters: { k_means: { clusters: 3, up_to: 9 } }").contains("`clusters` says how many there are"));
        assert!(refused("clusters: { k_means: { clusters: 0 } }").contains("clusters"));
        assert!(refused("clusters: { dbscan: { clusters: 3 } }").contains("clusters"));
    }
}
