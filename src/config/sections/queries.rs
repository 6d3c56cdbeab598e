//! The section `queries`: what is looked for among the images, by conditions on their labels.

use super::no_two;
use crate::config::{comparisons::expression, reader::StudyNode};
use std::collections::{BTreeMap, BTreeSet};
use visavis_core::domain::{Result, comparison::quoted_values, retrieval::Query};

/// `green eyes and curly hair: "Eyes_Green and Wavy_Hair"`.
pub(super) fn queries(node: &StudyNode) -> Result<Vec<Query>> {
    let entries = node.entries()?;
    let query = |(name, node): &(String, StudyNode)| Ok(Query { name: node.name_of("query", name)?, wanted: expression(node)? });
    let queries = entries.iter().map(query).collect::<Result<Vec<_>>>()?;
    let nodes: Vec<StudyNode> = entries.into_iter().map(|(_, node)| node).collect();
    no_two(
        &nodes,
        &queries,
        |query| query.wanted.normal(),
        |_, first| (format!("the query `{}` looks for the same", first.name), "remove one"),
    )?;
    Ok(queries)
}

/// Adds the values that queries ask for in quotes, by attribute.
pub(super) fn quoted(node: &StudyNode, quoted: &mut BTreeMap<String, BTreeSet<String>>) -> Result<()> {
    for (_, query) in node.entries()? {
        for (attribute, value) in quoted_values(&query.text()?) {
            quoted.entry(attribute).or_default().insert(value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};

    fn read(queries: &str) -> Result<Vec<Query>> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt }} }} }} }}\nprojections: [pca]\n\
             comparisons: {{ hat: {{ A: d, B: not d }} }}\n{queries}\n"
        );
        Ok(parse(Text { path: "s.yaml".into(), source })?.study.queries)
    }

    #[test]
    fn queries_are_conditions_with_names_in_the_order_of_the_file() {
        assert_eq!(read("").unwrap(), []);
        let found = read("queries: { green eyes and curly hair: \"Eyes_Green and Wavy_Hair\", hats: d }").unwrap();
        assert_eq!(found[0].name, "green eyes and curly hair");
        assert_eq!(found[0].wanted.to_string(), "Eyes_Green and Wavy_Hair");
        assert_eq!(found[1].wanted.to_string(), "d");
    }

    #[test]
    fn what_cannot_be_read_or_is_asked_twice_is_refused_where_it_stands() {
        let refused = |text: &str| read(text).unwrap_err();
        let misread = refused("queries:\n  hats: \"d and\"");
        assert!(misread.what.contains("hats") && misread.place.is_some(), "{misread:?}");
        let twice = refused("queries: { hats: \"d and e\", caps: \"e and d\" }");
        assert!(twice.what.contains("the query `hats` looks for the same"), "{}", twice.what);
        assert!(refused("queries: [d]").what.contains("queries"));
    }
}
