//! The section `nuisances`: what might explain a cluster instead of an attribute.

use super::no_two;
use crate::config::reader::StudyNode;
use visavis_core::domain::{
    Result,
    nuisance::{Nuisance, PictureNuisance, WantedNuisances},
};

/// `none`, or a list: `[background, pose, camera_year]`. What is no measure of pictures is a column of the labels.
pub(super) fn nuisances(node: &StudyNode, has_pictures: bool) -> Result<WantedNuisances> {
    if node.text().is_ok_and(|text| text == "none") {
        return Ok(WantedNuisances::Listed(vec![]));
    }
    let nodes = node.list().map_err(|fault| {
        let words: Vec<&str> = PictureNuisance::ALL.iter().map(|of| of.word()).collect();
        fault.next(format!("write none, or a list of these and of columns of the labels: {}", words.join(", ")))
    })?;
    let read = |node: &StudyNode| -> Result<Nuisance> {
        let word = node.text()?;
        match PictureNuisance::of_word(&word) {
            Some(of) if has_pictures => Ok(Nuisance::Measured(of)),
            Some(of) => Err(node
                .wrong(format!("{of} is measured of pictures, and the study has none"))
                .next("name the data set of the pictures (`evaluation.dataset`), or leave it out")),
            None => Ok(Nuisance::Column(node.name_of("nuisance", &word)?)),
        }
    };
    let listed: Vec<Nuisance> = nodes.iter().map(read).collect::<Result<_>>()?;
    no_two(&nodes, &listed, Clone::clone, |of, _| (format!("`{}` stands here twice", of.word()), "remove one"))?;
    Ok(WantedNuisances::Listed(listed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};

    fn read(nuisances: &str, dataset: bool) -> Result<WantedNuisances> {
        let evaluation = if dataset { "datasets: { f: { folders: { root: f } } }\nevaluation: { dataset: f }\n" } else { "" };
        let source = format!(
            "format: 1\nstudy: s\n{evaluation}models: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt }} }} }} }}\nprojections: [pca]\n\
             comparisons: {{ hat: {{ A: d, B: not d }} }}\n{nuisances}\n"
        );
        Ok(parse(Text { path: "s.yaml".into(), source })?.study.nuisances)
    }

    #[test]
    fn measures_and_own_columns_are_told_apart_and_none_is_none() {
        let pose = Nuisance::Measured(PictureNuisance::Pose);
        assert_eq!(read("", true).unwrap(), WantedNuisances::Usual);
        assert_eq!(read("nuisances: none", true).unwrap(), WantedNuisances::Listed(vec![]));
        let listed = read("nuisances: [pose, camera_year]", true).unwrap();
        assert_eq!(listed, WantedNuisances::Listed(vec![pose, Nuisance::Column("camera_year".into())]));
        let own = read("nuisances: [camera_year]", false).unwrap();
        assert_eq!(own, WantedNuisances::Listed(vec![Nuisance::Column("camera_year".into())]));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |text: &str, dataset| read(text, dataset).unwrap_err();
        assert!(refused("nuisances: [pose]", false).what.contains("measured of pictures, and the study has none"));
        assert!(refused("nuisances: [pose, pose]", true).what.contains("twice"));
        assert!(refused("nuisances: background", true).next.unwrap().contains("none, or a list"));
    }
}
