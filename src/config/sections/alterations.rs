//! The section `alterations`: how pictures are altered, to see what networks attend to.

use super::no_two;
use crate::config::reader::StudyNode;
use visavis_core::domain::{Result, alteration::Alteration};

/// `[grey, hue_turned, patch_shuffled, background_masked]`.
pub(super) fn alterations(node: &StudyNode) -> Result<Vec<Alteration>> {
    let nodes = node.list()?;
    let alterations: Vec<Alteration> =
        nodes.iter().map(|node| node.word_of(Alteration::ALL, Alteration::word)).collect::<Result<_>>()?;
    no_two(&nodes, &alterations, |of| *of, |of, _| (format!("`{of}` is listed twice"), "remove one"))?;
    if alterations.iter().all(|of| *of == Alteration::EdgeArtefact) {
        return Err(node.wrong(if alterations.is_empty() { "no alterations are listed" } else { "a control of nothing" }).next(
            "leave `alterations` out, or list what is to be altered, such as grey, blurred, patch_shuffled, background_masked",
        ));
    }
    Ok(alterations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};

    fn read(alterations: &str) -> Result<Vec<Alteration>> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt }} }} }} }}\nprojections: [pca]\n\
             comparisons: {{ hat: {{ A: d, B: not d }} }}\n{alterations}\n"
        );
        Ok(parse(Text { path: "s.yaml".into(), source })?.study.alterations)
    }

    #[test]
    fn alterations_are_words_in_the_order_of_the_file() {
        assert_eq!(read("").unwrap(), []);
        assert_eq!(read("alterations: [patch_shuffled, grey]").unwrap(), [Alteration::PatchShuffled, Alteration::Grey]);
        assert!(read("alterations: [grey, edge_artefact]").is_ok(), "the control may be asked for");
    }

    #[test]
    fn what_is_no_alteration_is_refused_with_its_place() {
        let refused = |text: &str| read(text).unwrap_err().to_string();
        let wrong = read("alterations: [grey, gray]").unwrap_err();
        assert!(wrong.what.contains("`gray` is not known") && wrong.to_string().contains("did you mean `grey`?"), "{wrong}");
        assert_eq!(wrong.place.and_then(|place| place.at), Some((6, 21)));
        assert!(refused("alterations: [grey, edges, grey]").contains("`grey` is listed twice"));
        assert!(refused("alterations: []").contains("no alterations are listed"));
        assert!(refused("alterations: [edge_artefact]").contains("a control of nothing"));
        assert!(refused("alterations: grey").contains("alterations"));
    }
}
