//! The section `clicks`: what is simulated of people who label whole clusters.

use crate::config::reader::StudyNode;
use visavis_core::domain::{Result, clicks::ClickSettings};

/// `{}`, or `{ clusters: 12, draws: 200 }`.
pub(super) fn clicks(node: &StudyNode) -> Result<ClickSettings> {
    let (fields, usual) = (node.fields(&["clusters", "draws"])?, ClickSettings::default());
    Ok(ClickSettings {
        clusters: fields.or("clusters", usual.clusters, |node| node.count(2..=100))?,
        draws: fields.or("draws", usual.draws, |node| node.count(20..=10_000))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};

    fn read(clicks: &str) -> Result<Option<ClickSettings>> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt }} }} }} }}\nprojections: [pca]\n\
             comparisons: {{ hat: {{ A: d, B: not d }} }}\n{clicks}\n"
        );
        Ok(parse(Text { path: "s.yaml".into(), source })?.study.clicks)
    }

    #[test]
    fn clicks_are_simulated_where_the_study_says_so() {
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("clicks: {}").unwrap(), Some(ClickSettings { clusters: 12, draws: 200 }));
        assert_eq!(read("clicks: { clusters: 30 }").unwrap(), Some(ClickSettings { clusters: 30, draws: 200 }));
        assert!(read("clicks: { clusters: 1 }").unwrap_err().what.contains("clusters"));
        assert!(read("clicks: { looks: 1 }").unwrap_err().what.contains("looks"));
    }
}
